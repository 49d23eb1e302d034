"""Snapshots: every data table at one entry of the chain, in one file, proved by the chain, read like a study."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys

import pytest

import workbench as wb
from tests.study.test_verify import tamper
from workbench.errors import BadValue, RecordFault, Refused
from workbench.study import changes, schema, verify
from workbench.study.allocations import arm_of
from workbench.study.changes import CutData, LockStudy, UnlockStudy
from workbench.study.snapshots import listed
from workbench.vocabulary import Note, Participant

FILE = "snapshots/interim.jsonl"


def two(study, *names):
    return [study.script_signer(name).confirm() for name in names or ("Dr B", "Dr C")]


def cut(study, name, reason="interim"):
    return study.apply(CutData(name), two(study), reason)


def test_a_snapshot_is_every_data_table_as_it_was_and_entry_goes_on(study):
    before = {table.name: study.rows(table.name) for table in schema.DATA}
    head = study.head()
    row = study.get("snapshot", cut(study, "second"))
    study.append(Note(study.ids["run"], "after the cut", "Dr A"))
    with wb.open_study(study.folder / row["path"]) as then:
        assert {table.name: then.rows(table.name) for table in schema.DATA} == before
        # Before it the record was verified, which is an entry of its own.
        (entry, *_) = study.entries(after=head[0])
        assert (entry.action, entry.table) == ("verify", "study")
        assert then.head() == (entry.seq, entry.hash)
        assert (then.id, then.code) == (study.id, study.code)
        assert len(then.trials()) == 3
        assert then.outcomes().equals(study.outcomes())
        assert (then.folder / then.rows("recording")[0]["path"]).is_file()
    assert study.count("note") == len(before["note"]) + 1


def test_a_snapshot_opens_for_reading_alone(study):
    with wb.open_study(study.folder / FILE) as then:
        with pytest.raises(RecordFault, match="snapshot interim, the record as of entry .* reading only"):
            then.append(Participant("P-99"))
        assert then.drafts.list() == []
    assert (study.folder / FILE).stat().st_mode & 0o222 == 0


def test_the_record_holds_the_hash_of_the_file_and_two_signatures(study):
    (row,) = study.rows("snapshot", name="interim")
    data = (study.folder / FILE).read_bytes()
    assert (row["sha256"], row["n_bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    assert row["n_rows"] == data.count(b"\n") - 1
    lock = study.get("lock_event", row["lock_event_id"])
    head = json.loads(data.split(b"\n")[0])["head"]
    assert (lock["level"], lock["table_name"], lock["head_seq"]) == ("soft", "study", head[0])
    mine = [one for one in study.rows("signature") if one["targets"][0][:2] == ["snapshot", row["id"]]]
    assert {one["signer"] for one in mine} == {"Dr B", "Dr C"}


def test_each_line_behind_the_first_is_a_row_and_no_row_is_left_out(study):
    before = sum(study.count(table.name) for table in schema.DATA)
    row = study.get("snapshot", cut(study, "a"))
    lines = (study.folder / "snapshots/a.jsonl").read_text(encoding="utf-8").splitlines()
    assert len({line for line in lines[1:]}) == before == row["n_rows"]


def test_verify_rebuilds_the_state_from_the_chain_and_finds_a_changed_row_though_the_record_has_its_hash(study):
    path = study.folder / FILE
    assert study.verify().checked["snapshots"] == 2
    assert wb.open_study(path).verify().ok
    path.chmod(0o600)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"injury_level":"C6"', b'"injury_level":"C5"'))
    assert any("snapshot snapshots/interim.jsonl is not the file" in p for p in study.verify().problems)
    # Somebody who also changes the hash in the record is found by the chain, and by the rows.
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    tamper(study, ("UPDATE snapshot SET sha256 = ? WHERE name = 'interim'", (digest,)))
    problems = study.verify().problems
    assert any("snapshot interim is not the record at entry" in p and "1 rows differ" in p for p in problems)
    path.write_bytes(whole)
    path.unlink()
    assert any("snapshot" in p and "interim" in p for p in study.verify().problems)


@pytest.mark.parametrize("part", ["left out", "added", "head"])
def test_verify_finds_a_row_left_out_or_added_and_another_head(study, part):
    path = study.folder / FILE
    path.chmod(0o600)
    lines = path.read_bytes().splitlines(keepends=True)
    if part == "left out":
        lines = [line for line in lines if not line.startswith(b'["note"')]
    elif part == "added":
        lines.append(lines[2].replace(json.loads(lines[2])[1]["id"].encode(), b"somebody"))
    else:
        said = json.loads(lines[0])
        lines[0] = json.dumps(said | {"head": [said["head"][0] - 1, said["head"][1]]}).encode() + b"\n"
    path.write_bytes(b"".join(lines))
    tamper(study, ("UPDATE snapshot SET sha256 = ?", (hashlib.sha256(path.read_bytes()).hexdigest(),)))
    assert any("snapshot interim" in problem for problem in study.verify().problems)


def test_a_snapshot_elsewhere_opens_and_is_proved_where_its_record_is(study, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(study.folder / FILE, alone / "interim.jsonl")
    with wb.open_study(alone / "interim.jsonl") as then:
        assert then.count("participant") == study.count("participant")
        with pytest.raises(RecordFault, match="no study"):
            then.verify()
    shutil.copytree(study.folder, tmp_path / "other")
    assert verify(tmp_path / "other" / FILE).ok


def test_a_snapshot_that_another_study_made_is_not_known(study, empty):
    (empty.folder / "snapshots").mkdir()
    shutil.copy(study.folder / FILE, empty.folder / FILE)
    assert any("knows no snapshot" in problem for problem in verify(empty.folder / FILE).problems)
    assert any("is no snapshot that the record knows" in warning for warning in empty.verify().warnings)


def test_the_arm_of_nobody_stands_in_a_snapshot_and_no_secret_of_a_person(study):
    allocation = study.rows("allocation")[0]
    cut(study, "blinded")
    text = (study.folder / "snapshots/blinded.jsonl").read_text(encoding="utf-8")
    arm = arm_of(study, allocation["participant_id"], study.script_signer("Dr B"))
    rows = [json.loads(line) for line in text.splitlines()[1:]]
    (kept,) = [row for table, row in rows if table == "allocation"]
    assert kept["sealed"] == allocation["sealed"]
    assert all(value != arm for value in kept.values())
    assert "$argon2" not in text
    assert all(row["password"].startswith("sha256:") for table, row in rows if table == "person")


@pytest.mark.parametrize("name", ["", "../out", "lock-1", "LOCK-7", "a b", "x" * 61, "é"])
def test_a_name_that_cannot_be_a_file_everywhere_is_refused(study, name):
    before = study.head()
    with pytest.raises(BadValue, match="a snapshot is named by"):
        cut(study, name)
    assert study.head() == before


def test_a_name_is_used_once_whatever_its_case_and_the_file_stays(study):
    before = (study.folder / FILE).read_bytes()
    with pytest.raises(Refused, match="already.*interim"):
        cut(study, "Interim")
    assert (study.folder / FILE).read_bytes() == before


def test_it_takes_a_data_manager_a_statistician_and_a_reason(study):
    for role in ("data_manager", "statistician", "investigator"):
        study.add_person(role, f"Dr {role}", "correct horse", roles=(role,))

    def confirmed(*roles):
        return [study.sign_in(role, "correct horse").confirm("correct horse") for role in roles]

    with pytest.raises(Refused, match="CutData"):
        study.apply(CutData("n"), confirmed("data_manager"), "x")
    with pytest.raises(Refused, match="statistician"):
        study.apply(CutData("n"), confirmed("data_manager", "investigator"), "x")
    with pytest.raises(BadValue, match="reason"):
        study.apply(CutData("n"), two(study))
    assert not (study.folder / "snapshots" / "n.jsonl").exists()


def test_a_record_that_does_not_hold_is_not_cut(study):
    tamper(study, "UPDATE participant SET injury_level = 'C1'")
    with pytest.raises(Refused, match="the data cannot be cut"):
        cut(study, "second")


def test_a_disk_that_refuses_leaves_no_row(study, monkeypatch):
    folder = study.folder / "snapshots"
    shutil.rmtree(folder)
    folder.write_bytes(b"a file in the way")
    before = study.head()
    with pytest.raises(RecordFault, match="cannot be written"):
        cut(study, "second")
    assert study.head() == before


def test_what_a_crash_left_without_a_row_is_replaced_by_the_next_cut_of_the_name(study):
    (study.folder / "snapshots" / "late.jsonl").write_bytes(b"half")
    (study.folder / "snapshots" / "late.jsonl.part").write_bytes(b"half")
    cut(study, "late")
    assert study.verify().ok


def test_a_hard_lock_leaves_a_snapshot_and_the_next_one_a_new_number(empty):
    three = ("Dr A", "Dr B", "Dr C")
    empty.apply(LockStudy(), two(empty, *three), "database lock")
    empty.apply(UnlockStudy(), two(empty, *three), "one form was missing")
    empty.append(Participant("SIM-1", simulated=True))
    empty.apply(LockStudy(), two(empty, *three), "database lock again")
    assert [(one.name, one.level, one.there) for one in listed(empty)] == [
        ("lock-1", "hard", True), ("lock-2", "hard", True),
    ]  # fmt: skip
    locks = [row for row in empty.rows("lock_event", level="hard") if row["action"] == "lock"]
    assert [one.head for one in listed(empty)] == [(row["head_seq"], row["head_hash"]) for row in locks]
    with pytest.raises(Refused, match="was locked by"):
        empty.append(Participant("SIM-2", simulated=True))
    with wb.open_study(empty.folder / "snapshots/lock-1.jsonl") as then:
        assert then.rows("participant") == []
    cut(empty, "under-lock")
    assert empty.verify().ok


def test_a_row_redacted_after_the_cut_is_named_and_does_not_make_the_record_fail(study):
    study.redact("note", study.ids["note"], {"text": "(removed)"}, reason="a name stood there")
    found = study.verify()
    assert found.ok, found.problems
    assert any("holds 1 rows that were redacted afterwards" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]\n", b"\xff\xfe\n", b'{"format":"workbench snapshot 1"}\n', b"{" * 200 + b"\n",
        b"nothing\n",
    ],
)  # fmt: skip
def test_a_file_that_is_no_snapshot_is_refused_in_one_sentence(tmp_path, data):
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    with pytest.raises(RecordFault):
        wb.open_study(path)


@pytest.mark.parametrize(
    "line",
    [
        b'["participant"]', b"[1,2]", b'["participant",{"id":"x"}]', b'["audit",{"id":"x"}]',
        b'["nothing",{"id":"x"}]',
        b'["participant",{"id":"x","a\\" b":1}]', b"7",
    ],
)  # fmt: skip
def test_a_line_that_is_no_row_of_the_schema_is_refused(study, line, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes((study.folder / FILE).read_bytes() + line + b"\n")
    with pytest.raises(RecordFault, match="x.jsonl is no snapshot of a study, or is damaged"):
        wb.open_study(path)


def test_a_snapshot_of_a_later_version_says_so(study, tmp_path):
    path = tmp_path / "x.jsonl"
    first, rest = (study.folder / FILE).read_bytes().split(b"\n", 1)
    path.write_bytes(json.dumps(json.loads(first) | {"schema_version": 99}).encode() + b"\n" + rest)
    with pytest.raises(RecordFault, match="later version .schema 99"):
        wb.open_study(path)


@pytest.mark.job
def test_the_command_cuts_lists_and_answers_as_json(study):
    for role in ("data_manager", "statistician"):
        study.add_person(role, f"Dr {role}", "correct horse", roles=(role,))
    study.close()

    def command(*words, lines=""):
        done = subprocess.run(
            [sys.executable, "-m", "workbench", "snapshot", str(study.folder), *words], input=lines, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    people = ("--as", "data_manager", "--as", "statistician", "--reason", "DSMB")
    code, out, _ = command("--name", "dsmb-1", *people, lines="correct horse\ncorrect horse\n")
    assert (code, "dsmb-1  data cut by Dr data_manager" in out) == (0, True), out
    answer = json.loads(command("--json")[1])
    assert [one["name"] for one in answer["result"]] == ["early", "interim", "dsmb-1"]
    code, _, error = command("--name", "dsmb-1", *people, lines="correct horse\ncorrect horse\n")
    assert (code, error.count("\n"), "already" in error) == (2, 1, True)


# ------------------------------------------------------------------------------------ signatures
def test_a_signature_whose_hash_is_not_that_of_its_rows_is_a_problem(study):
    digest = "f" * 64
    tamper(study, ("UPDATE signature SET sha256 = ? WHERE rowid = 1", (digest,)))
    assert any("its hash is not that of the rows it names" in problem for problem in study.verify().problems)


def forged(study, targets):
    """A signature row with a consistent hash, entered through the chain as nobody's change would."""
    from workbench.study import chain

    with study.writing.begin("forge") as writer:
        return writer.insert(
            schema.signature,
            {
                "signer": "Dr X", "person_id": "", "method": "password", "meaning": "I saw this",
                "targets": targets,
                "sha256": chain.sha256(chain.canonical(targets)), "utc": "2026-03-01T09:30:00.000Z",
            },
            reason="",
        )  # fmt: skip


@pytest.mark.parametrize("change", ["hash", "version", "row"])
def test_a_signature_of_what_never_stood_in_the_record_is_a_problem(study, change):
    target = next(one["targets"][0] for one in study.rows("signature") if one["targets"][0][0] == "assessment")
    table, row_id, version, digest = target
    wrong = {
        "hash": [table, row_id, version, "0" * 64],
        "version": [table, row_id, 9, digest],
        "row": [table, "no", 1, digest],
    }
    forged(study, [wrong[change]])
    found = study.verify()
    assert [problem for problem in found.problems if "is not of what stood in the record" in problem], found
    assert len(found.problems) == 1


def test_a_signature_given_again_with_the_hash_of_the_row_holds(study):
    target = next(one["targets"][0] for one in study.rows("signature") if one["targets"][0][0] == "assessment")
    forged(study, [target])
    assert study.verify().ok


def test_a_stale_signature_is_a_warning_with_who_and_what(study):
    study.amend("assessment", study.ids["assessment"], {"rater": "somebody else"}, reason="wrong name")
    found = study.verify()
    assert found.ok
    (warning,) = [text for text in found.warnings if "is stale" in text]
    assert "of Dr B" in warning
    assert "assessment" in warning


def test_a_signed_row_that_was_redacted_is_stale_and_no_problem(study):
    study.redact("assessment", study.ids["assessment"], {"rater": "(removed)"}, reason="a name")
    found = study.verify()
    assert found.ok, found.problems
    assert any("is stale" in text for text in found.warnings)


def test_a_person_whose_row_is_signed_is_no_problem_though_the_chain_hides_the_password(study):
    from workbench.study.applying import bound_now

    target = [("person", study.ids["person"])]
    bound, digest = bound_now(study, target)
    study.apply(changes.Sign(tuple(target), "I know this person", digest), study.script_signer("Dr B").confirm())
    assert study.verify().ok
