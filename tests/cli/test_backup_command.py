"""`workbench backup` and `workbench restore` on the command line: exit codes, one sentence, JSON, a drill."""

from __future__ import annotations

import shutil

import pytest

from workbench.study import Study, anchors
from workbench.vocabulary import Participant


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    with Study.create(tmp_path / "study", code="N", title="t", actor="a") as study:
        study.append(Participant("P01"))
    return tmp_path / "study"


def made_in(target):
    return sorted(target.glob("2*"))


@pytest.mark.job
def test_a_backup_is_made_drilled_and_restored(workbench, folder, tmp_path):
    said = workbench("backup", folder, tmp_path / "backups", "--drill")
    assert said.code == 0, said.err
    (made,) = made_in(tmp_path / "backups")
    assert said.out.startswith(f"backup: {made}\n")
    assert "'workbench keys backup STUDY FILE'" in said.out
    assert "drill: this backup can be restored: 2 files and 11 rows in " in said.out
    assert "; verified to audit row 3" in said.out
    assert [line.split("] ")[1].split(",")[0] for line in said.err.splitlines()] == [
        "anchors", "record", "checking", "copying", "verifying"
    ]  # fmt: skip
    again = workbench("restore", made, tmp_path / "again")
    assert (again.code, again.out.splitlines()[2]) == (0, "the record holds")
    assert workbench("verify", tmp_path / "again").code == 0


def test_their_answers_for_programs(inside, folder, tmp_path):
    result = inside("backup", folder, tmp_path / "backups", "--json", "--drill").answer("backup")
    assert list(result) == [
        "folder", "study", "code", "head", "n_files", "n_bytes", "n_linked", "growing", "warnings", "drill"
    ]  # fmt: skip
    assert (result["code"], result["head"]["seq"], result["drill"]["ok"]) == ("N", 3, True)
    restored = inside("restore", result["folder"], tmp_path / "again", "--json").answer("restore")
    assert (restored["head"], restored["newest"], restored["problems"]) == (result["head"], None, [])
    assert inside("backup", folder, tmp_path / "backups", "--json").answer("backup")["drill"] is None


def test_a_drill_of_what_does_not_verify_exits_1(inside, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    with Study.open(folder, actor="a") as study:
        study.append(Participant("P02"))
    assert inside("backup", folder, tmp_path / "backups", "--drill").code == 0
    said = inside("backup", tmp_path / "copy", tmp_path / "backups", "--drill")
    assert (said.code, "what it holds does NOT verify: " in said.out) == (1, True)
    assert "the record was put back to an earlier state" in said.out


def test_an_older_backup_is_restored_loudly_with_a_reason_and_exit_1(inside, folder, tmp_path):
    inside("backup", folder, tmp_path / "backups")
    (old,) = made_in(tmp_path / "backups")
    with Study.open(folder, actor="a") as study:
        study.append(Participant("P02"))
        seq, digest = study.head()
    folder.rename(tmp_path / "before")
    said = inside(
        "restore", old, folder, "--anchors", tmp_path / "before" / anchors.FILE, "--reason", "disk broke"
    )
    assert said.code == 1
    assert f"OLDER THAN WHAT IS KNOWN: this backup ends at audit row {seq - 1}, row {seq} is known" in said.out
    assert f"audit row {seq} says that it was restored, and why" in said.out
    assert f"--head {seq}:{digest}" in said.out
    assert inside("verify", folder).code == 0
    assert inside("verify", folder, "--head", f"{seq}:{digest}").code == 1
    plain = inside("restore", old, tmp_path / "plain", "--head", f"{seq}:{digest}")
    assert (plain.code, "says that it was restored" in plain.out) == (1, False)


def test_what_cannot_be_is_refused_in_one_sentence(inside, folder, tmp_path):
    inside("backup", folder, folder / "backups").refused("lies inside the study folder")
    inside("backup", tmp_path / "absent", tmp_path / "b").refused("absent")
    inside("backup", folder, folder / "study.db").refused("lies inside the study folder")
    (tmp_path / "file").write_text("x")
    inside("backup", folder, tmp_path / "file").refused("cannot be written (File exists)")
    inside("backup", folder, tmp_path / "backups")
    (made,) = made_in(tmp_path / "backups")
    inside("restore", made, folder).refused("never overwritten", f"mv {folder} {folder}-before")
    inside("restore", folder, tmp_path / "again").refused("is no backup: it has no manifest.json")
    record = made / "study" / "study.db"
    with record.open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    inside("restore", made, tmp_path / "again").refused("study.db is not what was backed up")
    assert not (tmp_path / "again").exists()
