"""Bad places and bad files: one sentence each, with the remedy."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import event

from workbench.errors import BadValue, RecordFault, RecordLocked
from workbench.study import Study, record_file
from workbench.vocabulary import Participant

LOCAL = "/dev/vda / ext4 rw 0 0\nproc /proc proc rw 0 0\n"


def fill(study):
    for number in range(1000):
        study.append(Participant(f"Q{number}", injury_level="x" * 500))
    return 1000


def create(folder, **more):
    return Study.create(folder, code="NEO", title="t", actor="a", **more)


def test_an_existing_record_is_not_overwritten(tmp_path):
    create(tmp_path).close()
    with pytest.raises(RecordFault, match="holds a study record already .*; open it, or choose another folder"):
        create(tmp_path)


def test_a_study_makes_the_folders_above_its_own(tmp_path):
    folder = tmp_path / "2026" / "hand" / "study"
    create(folder).close()
    with Study.open(folder, actor="a") as study:
        assert study.verify().ok


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(RecordFault, match="cannot be written .*; choose another"):
        create(tmp_path / "file" / "study")


def test_code_and_actor_are_needed(tmp_path):
    with pytest.raises(BadValue, match="study needs a code"):
        Study.create(tmp_path / "a", code=" ", title="t", actor="a")
    with pytest.raises(BadValue, match="needs an actor"):
        Study.create(tmp_path / "b", code="X", title="t", actor="")


def test_a_folder_without_a_record_is_told(tmp_path):
    with pytest.raises(RecordFault, match="there is no study record at .*create one"):
        Study.open(tmp_path, actor="a")


@pytest.mark.parametrize(
    ("content", "match"),
    [(b"", "is empty; restore it"), (b"PDF-1.7 something else", "not a study record or its start is damaged")],
)
def test_an_empty_or_foreign_file_is_told(tmp_path, content, match):
    (tmp_path / record_file.FILE).write_bytes(content)
    with pytest.raises(RecordFault, match=match):
        Study.open(tmp_path, actor="a")


@pytest.mark.sqlite_file("what SQLite opens is asked first whether it may be read")
def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    create(tmp_path).close()

    # root may read everything, so that the system's answer stands in for a mode.
    monkeypatch.setattr("workbench.reading.os.access", lambda *_, **__: False)
    with pytest.raises(RecordFault, match="cannot be read .Permission denied.; check the path and its rights"):
        Study.open(tmp_path, actor="a")


def test_another_sqlite_file_is_told(tmp_path):
    with closing(sqlite3.connect(tmp_path / record_file.FILE)) as connection:
        connection.execute("CREATE TABLE study (id)")
        connection.commit()
    with pytest.raises(RecordFault, match="an SQLite file but no study record"):
        Study.open(tmp_path, actor="a")


@pytest.mark.sqlite_file("a file is damaged, held or filled here")
def test_a_newer_schema_is_told(tmp_path):
    create(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / record_file.FILE)) as connection:
        connection.execute("PRAGMA user_version=99")
    words = "has schema version 99, this workbench reads 2 to 6; open it with the version that wrote it"
    with pytest.raises(RecordFault, match=words):
        Study.open(tmp_path, actor="a")


@pytest.mark.parametrize("version", [2, 3])
def test_a_record_whose_creation_was_interrupted_is_told(tmp_path, version):
    with closing(sqlite3.connect(tmp_path / record_file.FILE)) as connection:
        connection.execute(f"PRAGMA application_id={0x57425354}")
        connection.execute(f"PRAGMA user_version={version}")
        connection.execute("PRAGMA journal_mode=WAL")
    with pytest.raises(RecordFault, match="never finished being created; delete it"):
        Study.open(tmp_path, actor="a")


def test_an_interrupt_in_any_statement_of_a_write_leaves_all_of_it_or_nothing_and_the_study_goes_on(empty):
    for at in itertools.count(1):
        seen = 0

        def interrupt(cursor, statement, parameters, context, at=at):
            nonlocal seen
            seen += 1
            if seen == at:
                raise KeyboardInterrupt

        event.listen(empty.database.engine, "do_execute", interrupt)
        try:
            with suppress(KeyboardInterrupt):
                empty.append(Participant(f"P{at}"))
        finally:
            event.remove(empty.database.engine, "do_execute", interrupt)
        if seen < at:
            break
        assert not empty.rows("participant", pseudonym=f"P{at}")
    assert at > 4
    assert [row["pseudonym"] for row in empty.rows("participant")] == [f"P{at}"]
    assert empty.verify().ok


@pytest.mark.sqlite_file("a file is damaged, held or filled here")
def test_a_damaged_page_is_told_without_a_traceback(tmp_path):
    create(tmp_path).close()
    path = tmp_path / record_file.FILE
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xff" * 3996
    path.write_bytes(data)
    with pytest.raises(RecordFault, match="is damaged .*restore it from the latest backup"):
        Study.open(tmp_path, actor="a")


def test_a_closed_record_says_so_and_closes_twice(tmp_path):
    study = create(tmp_path)
    study.close()
    study.close()
    with pytest.raises(RecordFault, match="is closed; open it again"):
        study.head()


@pytest.mark.sqlite_file("a file is damaged, held or filled here")
def test_a_busy_record_says_so_and_stores_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.study.database.BUSY_S", 0.01)
    with create(tmp_path) as study, closing(sqlite3.connect(study.path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        words = "is held by .*; nothing is wrong with it and nothing was stored, try again"
        with pytest.raises(RecordLocked, match=words) as told:
            study.append(Participant("P01"))
        assert "restore" not in str(told.value)
        holder.execute("ROLLBACK")
        study.append(Participant("P01"))
        assert study.verify().ok


@pytest.mark.sqlite_file("a file is damaged, held or filled here")
def test_a_full_disk_says_so_and_the_record_still_holds(tmp_path):
    with create(tmp_path) as study:
        study.append(Participant("P01"))
        with study.database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        stored = 1
        with pytest.raises(RecordFault, match="the disk of .* is full; nothing was stored"):
            stored += fill(study)
        assert study.count("participant") == study.head()[0] - 2 > stored
        assert study.verify().ok


@pytest.mark.sqlite_file("a file is damaged, held or filled here")
def test_a_file_that_became_read_only_says_so(tmp_path):
    with create(tmp_path) as study:
        with study.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
        with pytest.raises(RecordFault, match="cannot be written .*readonly"):
            study.append(Participant("P01"))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("database is locked", "try again"),
        ("database or disk is full", "is full"),
        ("attempt to write a readonly database", "cannot be written"),
        ("unable to open database file", "cannot be written"),
        ("database disk image is malformed", "is damaged"),
        ("file is not a database", "is damaged"),
        ("Could not decode to UTF-8 column", "is damaged"),
        ("trial: append-only", "refused the entry"),
    ],
)
def test_each_word_of_the_database_has_its_sentence(tmp_path, text, match):
    assert match in str(record_file.explain(sqlite3.OperationalError(text), tmp_path))


# ---------------------------------------------------------------------------------------- network
@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs"])
def test_a_network_filesystem_is_refused(tmp_path, monkeypatch, kind):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"{LOCAL}server:/x {tmp_path} {kind} rw 0 0\n")
    monkeypatch.setattr(record_file, "MOUNTS", mounts)
    with pytest.raises(RecordFault, match=f"must lie on a local disk, .* is on {kind}"):
        create(tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_the_override_is_written_into_the_chain(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"{LOCAL}server:/x {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(record_file, "MOUNTS", mounts)
    with create(tmp_path / "study", allow_network=True) as study:
        assert study.entries()[-1].action == "override"
        assert "network filesystem nfs4" in study.history("study", study.id)[-1]["reason"]
        assert study.history("study", study.id)[-1]["new"] is None
        assert study.verify().ok
    with pytest.raises(RecordFault, match="pass allow_network=True"):
        Study.open(tmp_path / "study", actor="a")
    with Study.open(tmp_path / "study", actor="b", allow_network=True) as study:
        assert [entry.actor for entry in study.entries()] == ["a", "a", "a", "b"]


def test_the_longest_mount_point_counts_and_spaces_in_it_are_read(tmp_path):
    inner = tmp_path / "my disk"
    inner.mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"{LOCAL}server:/x {tmp_path} nfs rw 0 0\n/dev/sda {tmp_path}/my\\040disk ext4 rw 0 0\n")
    assert record_file.filesystem(inner / "study", mounts=mounts) == "ext4"
    assert record_file.filesystem(tmp_path / "study", mounts=mounts) == "nfs"
    assert record_file.filesystem(tmp_path, mounts=tmp_path / "none") == ""
    assert record_file.filesystem(Path("\\\\server\\share")) == "smb"
    assert record_file.refuse_network(inner, allow=False, mounts=mounts) == ""


def test_those_who_hold_a_record_are_other_processes_that_have_it_open(tmp_path):
    path = tmp_path / "record"
    path.write_bytes(b"")
    code = "import sys; held = open(sys.argv[1], 'rb'); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(path)]
    with path.open("rb"):
        assert record_file.holders(path) == []
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout.readline() == b"open\n"
            (name,) = record_file.holders(path)
            assert name.endswith(f"(process {other.pid})")
            other.stdin.close()
    assert record_file.holders(path) == []
