"""Verify sees every edit, every cut and every missing file; nothing else."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.shares import some
from tests.study.databases import drop_table, drop_trigger, other_value, rows, tamper
from workbench.errors import RecordFault
from workbench.messages import Message, translate
from workbench.study import Study, anchors, chain, verify, writer
from workbench.vocabulary import Participant

AUDIT = (*chain.RECORD, "hash")
COLLECTED = ("findings.problems", "findings.warnings")
APPENDED = tuple(f"{name}.append" for name in COLLECTED)


def columns():
    from workbench.study.schema import DATA

    return [(table.name, column.name) for table in DATA for column in table.columns]


def edit(study, table, column, where):
    tamper(study, f'UPDATE {table} SET "{column}" = {other_value(table, column)} WHERE {where}')


def test_an_untouched_record_verifies(study):
    found = study.verify(known=[study.head()])
    assert found.ok, found.problems
    assert found.warnings == ()
    assert found.head == study.head()
    assert found.checked["trial"] == 3
    assert found.checked["files"] == 2
    assert found.checked["audit"] == study.count("audit")
    # Of who withdrew the record holds a tombstone: those entries alone have no payload.
    (person,) = study.rows("participant", pseudonym="SIM-03")
    places = [("participant", person["id"]), ("session_ledger", study.rows("session_ledger")[-1]["id"])]
    redacted = [entry for place in places for entry in study.history(*place) if entry["redacted"]]
    assert found.checked["audit"] - found.checked["audit_payload"] == len(redacted) == 4
    assert found.text().startswith("the record holds\nchecked: audit")


@pytest.mark.parametrize("column", some(AUDIT, of=2))
@pytest.mark.parametrize("row", ["1", "5", "(SELECT MAX(seq) FROM audit)"])
def test_every_single_field_edit_of_an_audit_row_is_seen(study, column, row):
    edit(study, "audit", column, f"seq = {row}")
    assert not study.verify().ok


@pytest.mark.parametrize("column", ["seq", "salt", "payload"])
def test_every_single_field_edit_of_a_payload_is_seen(study, column):
    edit(study, "audit_payload", column, "seq = (SELECT MAX(seq) FROM audit)")
    assert not study.verify().ok


@pytest.mark.parametrize("damage", ["payload || ',' || payload", "substr(payload, 2)"])
def test_damage_of_one_payload_is_told_of_it_and_not_of_those_that_are_read_with_it(study, damage):
    seq = rows(study, "SELECT MAX(seq) AS seq FROM audit WHERE table_name = 'trial'")[0]["seq"] - 1
    tamper(study, f"UPDATE audit_payload SET payload = {damage} WHERE seq = {seq}")
    found = study.verify(files=False)
    # What cannot be read at all ends the reading; what stands before and behind it is not accused.
    assert [one.arguments.get("seq", "unreadable") for one in found.problems[:2]] in ([seq], [seq, "unreadable"])


@pytest.mark.parametrize(("table", "column"), some(columns(), of=8))
def test_every_single_field_edit_of_a_data_row_is_seen(study, table, column):
    edit(study, table, column, f"rowid = (SELECT MAX(rowid) FROM {table})")
    assert not study.verify().ok


PARTICIPANT = ("id", *(column for table, column in columns() if table == "participant" and column != "id"))
PUT_IN = (
    f"INSERT INTO participant (rowid, {', '.join(PARTICIPANT)}) "
    "VALUES (9999, 'x', 'P77', 0, '', '', '', '', '', '', '', '', 1)"
)


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ('DELETE FROM trial WHERE "index" = 1', "trial .* is in the audit chain but not in its table"),
        (
            PUT_IN,
            "participant x is not in the audit chain",
        ),
        ("DELETE FROM audit_payload WHERE seq = 4", "payload of audit row 4 is gone without a redaction"),
        ("DELETE FROM audit WHERE seq = 4", "audit row 4 is missing"),
        ("DELETE FROM study", "one study was expected in the record, got 0"),
        ("UPDATE visit SET participant_id = 'gone'", "a row of visit belongs to a participant that is not there"),
    ],
)
def test_rows_put_in_or_taken_out_are_named(study, statement, match):
    tamper(study, statement)
    found = study.verify()
    assert not found.ok
    assert any(re.search(match, problem) for problem in found.problems), found.problems


def test_rows_that_changed_places_are_seen_although_none_of_them_was_edited(study):
    use = {"effector": "glove", "participant_id": study.ids["participant"]}
    (given,) = study.rows("approval")
    taken = replace(study.nouns("approval")[0], id="", decision="withdraw")
    study.append(taken)
    assert not study.is_approved(study.ids["sha256"], **use)
    first, second = (row["n"] for row in rows(study, "SELECT rowid AS n FROM approval ORDER BY rowid"))
    swapped = [
        f"UPDATE approval SET rowid = {now} WHERE rowid = {before}"
        for before, now in ((first, -1), (second, first), (-1, second))
    ]
    tamper(study, *swapped)
    # What somebody gains by it: the decision that holds is the older one again.
    assert study.is_approved(study.ids["sha256"], **use)
    (problem,) = study.verify().problems
    assert problem.code == "verify.order"
    assert given["id"] in problem
    tamper(study, *swapped)
    assert study.verify().ok


def test_a_row_that_was_put_behind_all_others_is_seen(study):
    tamper(study, "UPDATE trial SET rowid = 100000 WHERE rowid = (SELECT MIN(rowid) FROM trial)")
    assert [problem.code for problem in study.verify().problems] == ["verify.order"]


@pytest.fixture
def archived(study):
    """A closed record in a folder that cannot be written, by a user who is not root."""
    study.close()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        made = shutil.copytree(study.folder, f"{folder}/study")
        os.chmod(f"{made}/study.db", 0o444)
        os.chmod(made, 0o555)
        if os.geteuid() == 0:
            os.seteuid(65534)
        yield Path(made)
        os.seteuid(os.getuid())
        os.chmod(made, 0o755)


@pytest.mark.sqlite_file("an archive is a file")
def test_an_archive_that_cannot_be_written_verifies(archived):
    before = sorted(path.name for path in archived.iterdir())
    found = verify(archived, files=False)
    assert found.ok, found.problems
    assert found.checked["trial"] == 3
    assert sorted(path.name for path in archived.iterdir()) == before


@pytest.mark.sqlite_file("the write-ahead log is a file")
def test_a_record_that_cannot_be_written_with_a_log_says_what_to_do(study, monkeypatch):
    log = study.path.with_name(f"{study.path.name}-wal")
    study.append(Participant("P77"))
    assert log.stat().st_size > 0
    monkeypatch.setattr(os, "access", lambda _, mode, **__: mode == os.R_OK)
    monkeypatch.setattr(os, "supports_effective_ids", set())
    with pytest.raises(RecordFault, match="newest entries are still in study.db-wal.*verify the copy"):
        verify(study.folder)


def test_a_dropped_trigger_is_seen(study):
    drop_trigger(study, "trial", "update")
    assert any("schema is not the one" in problem for problem in study.verify().problems)


def test_a_dropped_table_is_seen(study):
    drop_table(study, "report")
    assert any("report" in problem for problem in study.verify().problems)


def relink(study, actor):
    """Rewrite the newest audit row and its hash as somebody who knows the code would."""
    last, before = rows(study, "SELECT * FROM audit ORDER BY seq DESC LIMIT 2")
    new = chain.link(before["hash"], last | {"actor": actor})
    tamper(study, (f"UPDATE audit SET actor = ?, hash = ? WHERE seq = {last['seq']}", (actor, new)))


def test_a_rewritten_tail_is_seen_by_the_anchors_and_by_a_printed_head(unkeyed):
    unkeyed.append(Participant("P01"))
    printed = unkeyed.head()
    relink(unkeyed, "somebody else")
    assert [p for p in unkeyed.verify().problems if "not on the chain" in p]
    (unkeyed.folder / anchors.FILE).unlink()
    alone = unkeyed.verify()
    assert alone.ok
    assert "a cut tail would not show" in alone.warnings[-1]
    assert "the record has no keys" in alone.warnings[0]
    assert not unkeyed.verify(known=[printed]).ok


def test_a_tail_rewritten_without_the_key_is_seen_without_any_anchor(study):
    relink(study, "somebody else")
    (study.folder / anchors.FILE).unlink()
    found = study.verify()
    assert [p for p in found.problems if "does not follow from the row before it" in p]


@pytest.fixture
def unkeyed(tmp_path):
    with Study.create(tmp_path / "unkeyed", code="NEO", title="t", actor="tester", keyed=False) as made:
        yield made


def cut_tail(study, n):
    newest = study.head()[0]
    ids = [(row["table_name"], row["row_id"]) for row in study.rows("audit") if row["seq"] > newest - n]
    tamper(
        study,
        f"DELETE FROM signed_head WHERE seq > {newest - n}",
        f"DELETE FROM audit_payload WHERE seq > {newest - n}",
        f"DELETE FROM audit WHERE seq > {newest - n}",
        *(f"DELETE FROM {table} WHERE id = '{row_id}'" for table, row_id in ids),
    )


def test_a_cut_tail_is_seen_by_the_anchors_and_not_by_the_chain_alone(empty, tmp_path):
    for number in range(5):
        empty.append(Participant(f"P{number}"))
    copy = tmp_path / "second disk" / "anchors.jsonl"
    copy.parent.mkdir()
    empty.anchor(why="copy", to=copy)
    printed = empty.head()
    cut_tail(empty, 2)
    assert any("names audit row 7, the record ends at 5: its tail was cut" in p for p in empty.verify().problems)
    (empty.folder / anchors.FILE).unlink()
    assert empty.verify().ok
    assert not verify(empty.folder, known=[printed]).ok
    assert not verify(empty.folder, copies=[copy]).ok


def test_a_cut_tail_is_seen_by_a_report_in_the_record(study):
    (study.folder / anchors.FILE).unlink()
    tamper(study, "UPDATE report SET head_hash = 'x' || substr(head_hash, 2)")
    assert any("report reports/s.html is not on the chain" in p for p in study.verify().problems)


def test_an_anchor_copy_follows_every_entry(tmp_path):
    copy = tmp_path / "copy.jsonl"
    with Study.create(tmp_path / "s", code="N", title="t", actor="a", anchor_copy=copy) as study:
        study.append(Participant("P01"))
        assert [a.seq for a in anchors.read(copy)[0]] == [2, 3]
        assert study.verify().ok
    with Study.open(tmp_path / "s", actor="a", anchor_copy=copy) as study:
        study.append(Participant("P02"))
        assert anchors.read(copy)[0][-1].hash == study.head()[1]


def test_an_anchors_file_that_cannot_be_written_loses_no_entry(study, tmp_path):
    (study.folder / anchors.FILE).unlink()
    (study.folder / anchors.FILE).mkdir()
    row_id = study.append(Participant("P02"))
    assert study.get("participant", row_id)["pseudonym"] == "P02"
    assert "no anchors in" in study.verify().warnings[0]
    with pytest.raises(RecordFault, match="the anchor cannot be written"):
        study.anchor(why="report")


def test_a_torn_anchor_is_told_and_does_not_spoil_the_next(study):
    path = study.folder / anchors.FILE
    with path.open("ab") as file:
        file.write(b'{"seq": 9, "ha')
    behind = study.verify()
    assert behind.ok
    assert "holds no anchor (an interrupted write?)" in behind.warnings[0]
    study.append(Participant("P02"))
    assert anchors.read(path)[0][-1].seq == study.head()[0]
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert any("rows behind the head" in warning for warning in study.verify().warnings)


def test_anchors_are_read_up_to_256_mib_and_no_further(tmp_path):
    path = tmp_path / anchors.FILE
    with path.open("wb") as file:
        file.truncate(256 * 2**20 + 1)
    with pytest.raises(RecordFault, match="268,?435,?456|256 M"):
        anchors.read(path)


def test_an_anchor_of_another_study_is_a_problem(study, empty):
    shutil.copy(empty.folder / anchors.FILE, study.folder / anchors.FILE)
    assert any("belongs to another study" in problem for problem in study.verify().problems)


@pytest.mark.parametrize("name", ["recordings/r1.xdf", "reports/s.html"])
def test_changed_and_missing_files_are_named(study, name):
    path = study.folder / name
    path.write_bytes(path.read_bytes() + b"x")
    assert any(f"{name} is not the file that was recorded" in problem for problem in study.verify().problems)
    assert study.verify(files=False).ok
    path.unlink()
    assert any(f"{name} cannot be read" in problem for problem in study.verify().problems)


def test_a_clock_that_ran_backwards_is_a_warning_and_no_problem(empty, monkeypatch):
    monkeypatch.setattr(writer, "utc_now", lambda: "2001-01-01T00:00:00.000Z")
    empty.append(Participant("P01"))
    found = empty.verify()
    assert found.ok
    assert "the clock ran backwards before audit row 3" in found.warnings[0]
    assert "(note) the clock" in found.text()


def test_an_audit_row_that_does_not_fit_its_rows_version_is_seen(empty):
    person = empty.append(Participant("P01"))
    with empty.writing.begin("forged") as forged:
        row = json.loads(json.dumps(empty.history("participant", person)[0]["new"]))
        forged.log("create", "participant", person, version=1, payload={"new": row, "old": None, "reason": ""})
    assert any("does not fit the version of its participant" in problem for problem in empty.verify().problems)


def test_a_long_list_of_problems_is_shortened_in_the_text(study):
    tamper(study, "UPDATE audit SET actor = 'x'", "UPDATE audit_payload SET salt = x'00'")
    text = study.verify().text()
    assert text.startswith("the record does NOT hold")
    assert "more\n" in text


def test_whatever_is_found_is_said_in_chinese_too(study):
    (study.folder / "recordings" / "r1.xdf").unlink()
    (study.folder / "reports" / "s.html").write_text("another", encoding="utf-8")
    (study.folder / "recordings" / "new.xdf").write_bytes(b"x")
    with (study.folder / anchors.FILE).open("ab") as file:
        file.write(b"torn")
    newest = study.head()[0]
    tamper(
        study,
        "UPDATE audit_payload SET salt = x'00' WHERE seq = 4",
        "DELETE FROM audit_payload WHERE seq = 5",
        "UPDATE audit SET actor = 'x' WHERE seq = 6",
        'DELETE FROM trial WHERE "index" = 1',
        "UPDATE visit SET participant_id = 'gone'",
        "UPDATE report SET head_hash = 'x' || substr(head_hash, 2)",
        f"DELETE FROM signed_head WHERE seq = {newest}",
    )
    found = verify(study.folder, known=[(newest + 7, "0" * 64)], copies=[study.folder / "none.jsonl"])
    said = [*found.problems, *found.warnings]
    assert len({one.code for one in said if isinstance(one, Message)}) >= 12
    assert [one for one in said if not re.search("[\u4e00-\u9fff]", translate(one, language="zh-CN"))] == []


@pytest.mark.parametrize("module", ["verification", "files"])
def test_every_finding_is_a_message_of_the_catalogue(module):
    tree = ast.parse(Path(importlib.import_module(f"workbench.study.{module}").__file__).read_text("utf-8"))
    found = []
    for node in ast.walk(tree):
        added = None
        if isinstance(node, ast.Call) and ast.unparse(node.func) in APPENDED:
            (added,) = node.args
        elif isinstance(node, ast.AugAssign) and ast.unparse(node.target) in COLLECTED:
            added = node.value.elt if isinstance(node.value, ast.ListComp) else node.value
        found += [ast.unparse(added)] if added is not None else []
    assert len(found) > 8
    allowed = ("Message(", "messages.of(error)", "lying.")
    assert [one for one in found if not one.startswith(allowed)] == []


def test_verify_tells_a_file_that_is_no_record(tmp_path):
    with pytest.raises(RecordFault, match="there is no study record"):
        verify(tmp_path)


@pytest.mark.sqlite_file("pages of a file are written over")
def test_a_page_of_rubbish_is_a_problem_and_no_traceback(study):
    study.close()
    data = bytearray(study.path.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page : page + 16] = b"\xff" * 16
    study.path.write_bytes(data)
    found = verify(study.folder)
    assert not found.ok
    assert any("cannot be read to the end" in problem for problem in found.problems)
    assert found.head == (0, "")
