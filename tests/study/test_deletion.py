"""Deletion on request: shown first, by two people, to its end whatever interrupts it; the chain still holds."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys

import pytest

from tests.shares import some
from tests.study import databases
from workbench import world
from workbench.errors import RecordFault, Refused
from workbench.study import Study, approvals, changes, deletion, moments, snapshots, verify
from workbench.study.applying import bound_now
from workbench.study.backup import backup
from workbench.study.changes import (
    BeginDeletion,
    EndDeletion,
    GiveConsent,
    LockStudy,
    OpenQuery,
    RequestDeletion,
    WithdrawConsent,
)
from workbench.study.identities import Identities, Identity
from workbench.vocabulary import Condition, Participant

DAY = "2026-03-02"
CANARY = "Rex the dog of Maria"
TEXTS = (CANARY, "on grasp_1?", "seen twice", "came late")


def made(study, change, name="Dr B", reason="asked for"):
    return study.apply(change, study.script_signer(name), reason)


def asked(study):
    """The participant of the fixture withdraws and asks for deletion; every text of theirs has a canary."""
    person = study.ids["participant"]
    study.amend("participant", person, {"hold": CANARY}, reason="skin")
    study.amend("participant", person, {"hold": ""}, reason="healed")
    made(study, OpenQuery("assessment", study.ids["assessment"], "items", CANARY))
    study.drafts.save(study.ids["visit"], "mrc", Condition(False, False, False), "Dr A", {"remark": CANARY})
    (study.folder / "recordings" / "r1.xdf.tail-9").write_bytes(CANARY.encode())
    (study.folder / "recordings" / "salvaged").mkdir()
    (study.folder / "recordings" / "salvaged" / "r1.xdf").write_bytes(CANARY.encode())
    made(study, GiveConsent(person, ("participation",), "2.1", "2026-03-01"))
    made(study, WithdrawConsent(person, ("participation",), DAY))
    made(study, RequestDeletion(person, DAY, "the site's policy"))
    return person


def begun(study, person, name="Dr C"):
    shown = deletion.plan(study, person)
    return study.apply(BeginDeletion(shown), study.script_signer(name).confirm(), "asked for")


def carried_out(study, person, **more):
    return deletion.carry_out(study, begun(study, person), study.script_signer("Dr C"), **more)


def everything(study):
    """What the database keeps, and every file of a study but its reports, which are named."""
    files = [path for path in study.folder.rglob("*") if path.is_file() and path.parent.name != "reports"]
    return b"\n".join([databases.content(study), *(path.read_bytes() for path in files)])


def left_of(study):
    return [name for name in TEXTS if name.encode() in everything(study)]


def test_a_plan_shows_what_goes_and_what_stays_and_does_nothing(study):
    person = asked(study)
    before, texts = study.head(), left_of(study)
    shown = deletion.plan(study, person)
    assert [(file.kind, file.path) for file in shown.files] == [
        ("recording", "recordings/r1.xdf"),
        ("derived", "recordings/r1.xdf.tail-9"),
        ("derived", "recordings/salvaged/r1.xdf"),
        ("ledger", f"recordings/{study.ids['session']}.ledger.jsonl"),
    ]
    assert shown.n_bytes == sum((study.folder / file.path).stat().st_size for file in shown.files)
    assert shown.decoders == (study.ids["sha256"],)
    assert shown.drafts == 1
    assert shown.stays["safety"] > 3
    assert "snapshots/interim.jsonl" in {one.path for one in shown.snapshots}
    assert "snapshots/interim.jsonl" not in shown.copies
    assert (study.head(), left_of(study)) == (before, texts)


def test_what_was_deleted_is_nowhere_and_the_record_verifies_and_says_who_did_it(study):
    person = asked(study)
    assert set(left_of(study)) == set(TEXTS)
    trials = study.rows("trial")
    done = carried_out(study, person)
    assert left_of(study) == []
    assert (done.n_files, done.identity) == (4, "elsewhere")
    found = study.verify()
    assert found.ok, found.problems
    (said,) = [text for text in found.deleted if "P01" in text]
    assert "4 files of P01 (" in said
    assert "deleted by Dr C" in said
    assert f"asked for; request of {DAY}, entered by Dr B: recordings/r1.xdf" in said
    assert study.rows("trial") == trials
    assert study.get("note", study.ids["note"])["text"] == deletion.GONE
    entries = study.history("note", study.ids["note"])
    assert [entry["redacted"] for entry in entries] == [True, False]
    assert study.rows("deleted_file", kind="recording")[-1]["sha256"] == study.ids["recording_sha256"]
    assert study.get("participant", person)["pseudonym"] == "P01"


def test_a_text_that_was_amended_away_goes_with_its_history(study):
    person = asked(study)
    assert study.get("participant", person)["hold"] == ""
    carried_out(study, person)
    assert all(entry["redacted"] for entry in study.history("participant", person)[:-1])


def test_a_form_keeps_its_numbers_and_loses_its_texts(study):
    (person,) = study.rows("participant", pseudonym="SIM-02")
    (visit,) = study.rows("visit", name="Wound check")
    (row,) = study.rows("form", visit_id=visit["id"])
    values = {"state": "closed", "remarks": CANARY}
    made(study, changes.SaveForm(visit["id"], "wound", values, row_version=row["row_version"]))
    made(study, WithdrawConsent(person["id"], ("participation",), DAY))
    made(study, RequestDeletion(person["id"], DAY, "policy"))
    carried_out(study, person["id"])
    assert study.get("form", row["id"])["values"] == {"state": "closed", "remarks": deletion.GONE}
    assert CANARY.encode() not in everything(study)
    assert study.verify().ok


@pytest.mark.parametrize(
    ("item", "value", "left"),
    [
        ("remarks", CANARY, deletion.GONE),
        ("remarks", {"value": CANARY, "unit": ""}, deletion.GONE),
        ("remarks", {"missing": "not_asked"}, {"missing": "not_asked"}),
        ("birth_date", "1980-05-31", {"missing": "refused"}),
        ("state", "closed", "closed"),
    ],
)
def test_a_text_goes_however_it_was_entered_and_a_date_of_birth_is_refused(item, value, left):
    row = {"protocol_sha256": "p", "name": "f", "values": {item: value}}
    texts = {("p", "f"): frozenset(("remarks", "birth_date"))}
    assert {**row, **deletion.changes_of("form", row, texts)}["values"] == {item: left}


def test_what_others_have_stays(study):
    person = asked(study)
    (other,) = study.rows("participant", pseudonym="SIM-02")
    before = {
        "participant": study.get("participant", other["id"]), "eligibility": study.rows("eligibility"),
        "consent": study.rows("consent"), "adverse_event": study.rows("adverse_event"),
    }  # fmt: skip
    carried_out(study, person)
    assert before == {
        "participant": study.get("participant", other["id"]), "eligibility": study.rows("eligibility"),
        "consent": study.rows("consent"), "adverse_event": study.rows("adverse_event"),
    }  # fmt: skip


def test_a_decoder_that_was_fitted_on_these_recordings_alone_is_used_no_more(study):
    person = asked(study)
    use = {"effector": "glove", "participant_id": person}
    assert approvals.in_use(study, **use)["sha256"] == study.ids["sha256"]
    carried_out(study, person)
    assert approvals.in_use(study, **use) is None
    assert not study.is_approved(study.ids["sha256"], **use)
    assert study.decoders_awaiting(person) == []


# ------------------------------------------------------------------------------ refusals
def test_only_who_withdrew_can_ask_and_only_an_investigator_enters_it(study):
    person = study.ids["participant"]
    with pytest.raises(Refused, match="withdrew the consent to take part"):
        made(study, RequestDeletion(person, DAY, "policy"))
    asked(study)
    made(study, GiveConsent(person, ("participation",), "2.1", DAY))
    with pytest.raises(Refused, match="withdrew the consent to take part"):
        made(study, RequestDeletion(person, DAY, "policy"))
    for basis, on in (("", DAY), ("policy", "2999-01-01")):
        made(study, WithdrawConsent(person, ("participation",), DAY))
        with pytest.raises(ValueError, match="basis|today or earlier"):
            made(study, RequestDeletion(person, on, basis))
        made(study, GiveConsent(person, ("participation",), "2.1", DAY))


def refused(study, change, match, name="Dr C", reason="asked for"):
    before, files = study.head(), sorted(study.folder.rglob("*.xdf"))
    with pytest.raises(Refused, match=match):
        study.apply(change, study.script_signer(name).confirm(), reason)
    assert (study.head(), sorted(study.folder.rglob("*.xdf"))) == (before, files)


def test_nobody_deletes_alone_unasked_or_twice(study):
    person = study.ids["participant"]
    refused(study, BeginDeletion(deletion.plan(study, person)), "nobody has asked")
    asked(study)
    refused(study, BeginDeletion(deletion.plan(study, person)), "Dr B asked for this deletion", name="Dr B")
    shown = deletion.plan(study, person)
    first = begun(study, person)
    refused(study, BeginDeletion(shown), "begun already|has changed")
    deletion.carry_out(study, first, study.script_signer("Dr C"))
    with pytest.raises(Refused, match="has ended"):
        deletion.carry_out(study, first, study.script_signer("Dr C"))


@pytest.mark.parametrize("later", ["row", "file"])
def test_what_has_changed_since_it_was_shown_is_not_deleted(study, later):
    person = asked(study)
    shown = deletion.plan(study, person)
    if later == "row":
        made(study, OpenQuery("assessment", study.ids["assessment"], "items", "one more?"))
    else:
        (study.folder / "recordings" / "r1.xdf.idx").write_bytes(b"new")
    refused(study, BeginDeletion(shown), "has changed since it was shown")


def test_under_a_hard_lock_nothing_is_deleted(study):
    person = asked(study)
    for query in study.rows("query"):
        made(study, changes.CloseQuery(query["id"], "seen"))
    for row in study.rows("form") + study.rows("assessment"):
        table = "form" if "instance" in row else "assessment"
        digest = bound_now(study, [(table, row["id"])])[1]
        signed = changes.Sign(((table, row["id"]),), "I reviewed this", digest)
        study.apply(signed, study.script_signer("Dr B").confirm())
    from workbench.study.safety_desk import desk

    for one in desk(study, world.clock.now()).obligations:
        if not one.sent_at:
            sent = changes.MarkSent(one.table, one.row_id, one.rule, "ref", late_because="late")
            made(study, sent)
    for row in study.rows("adverse_event"):
        made(study, changes.CodeEvent(row["id"], "MedDRA", "28.1", "10040047", "Sepsis"))
        aware = moments.text_of(world.clock.now())
        made(study, changes.ReviseEvent(row["id"], aware, "UTC", state="closed"), "healed")
    three = [study.script_signer(name).confirm() for name in ("Dr A", "Dr B", "Dr C")]
    study.apply(LockStudy(), three, "database lock")
    refused(study, BeginDeletion(deletion.plan(study, person)), "study was locked by")


def test_it_does_not_end_while_a_file_lies_there(study):
    first = begun(study, asked(study))
    with pytest.raises(Refused, match="4 files of this deletion still lie there"):
        made(study, EndDeletion(first, "elsewhere"), "Dr C")


def test_a_path_that_leads_out_of_the_study_is_not_removed(study, tmp_path):
    from tests.study.test_verify import tamper

    outside = tmp_path / "somebody.txt"
    outside.write_bytes(b"else")
    first = begun(study, asked(study))
    where = (
        "UPDATE deleted_file SET path = '../somebody.txt' WHERE kind = 'recording' AND deletion_id = ?",
        (first,),
    )
    tamper(study, where)
    with pytest.raises(RecordFault, match="lies outside the study folder"):
        deletion.carry_out(study, first, study.script_signer("Dr C"))
    assert outside.read_bytes() == b"else"


# ------------------------------------------------------------------------------ interruptions
LAST = 11
"""Steps of that deletion: four files and two snapshots among them."""
KILLED = """
import os, signal, sys
from pathlib import Path
from workbench.study import Study, deletion

folder, begun, at = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = []


def step(name):
    seen.append(name)
    if len(seen) == at:
        os.kill(os.getpid(), signal.SIGKILL)


with Study.open(folder, actor="tester") as study:
    deletion.carry_out(study, begun, study.script_signer("Dr C"), step=step)
print(len(seen))
"""


@pytest.mark.job
@pytest.mark.parametrize("at", some(range(1, LAST + 1)))
def test_killed_at_any_step_it_is_a_problem_until_it_is_carried_out_to_its_end(study, tmp_path, at):
    person = asked(study)
    first = begun(study, person)
    study.close()
    script = tmp_path / "carry_out.py"
    script.write_text(KILLED, encoding="utf-8")
    done = subprocess.run([sys.executable, script, study.folder, first, str(at)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with Study.open(study.folder, actor="tester") as again:
        ended = bool(again.rows("deletion_end", deletion_id=first))
        assert ended == (at == LAST)
        found = again.verify()
        assert found.ok == ended
        if not ended:
            assert any("deletion of P01's data that Dr C began" in problem for problem in found.problems)
            deletion.carry_out(again, first, again.script_signer("Dr C"))
        assert again.verify().ok
        assert left_of(again) == []


def test_a_disk_that_refuses_to_remove_a_file_is_said_and_the_next_attempt_goes_on(study):
    first = begun(study, asked(study))

    class Stubborn(world.Disk):
        def unlink(self, path, *, missing_ok=False):
            if path.name == "r1.xdf" and path.parent.name == "salvaged":
                raise PermissionError(13, "Permission denied")
            super().unlink(path, missing_ok=missing_ok)

    with world.entered(disk=Stubborn()), pytest.raises(RecordFault, match="salvaged/r1.xdf cannot be removed"):
        deletion.carry_out(study, first, study.script_signer("Dr C"))
    assert not study.verify().ok
    deletion.carry_out(study, first, study.script_signer("Dr C"))
    assert study.verify().ok


@pytest.mark.sqlite_file("the write-ahead log is a file")
def test_while_another_process_reads_the_old_log_it_does_not_end(study):
    first = begun(study, asked(study))
    with Study.open(study.folder, actor="reader") as reader, reader.database.connected() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT COUNT(*) FROM note")
        made(study, OpenQuery("participant", study.ids["participant"], "hold", "?"))
        with pytest.raises(RecordFault, match="still reads the write-ahead log"):
            deletion.carry_out(study, first, study.script_signer("Dr C"))
    assert study.rows("deletion_end", deletion_id=first) == []
    deletion.carry_out(study, first, study.script_signer("Dr C"))
    assert study.verify().ok


def test_a_file_that_comes_back_is_a_problem(study):
    data = (study.folder / "recordings/r1.xdf").read_bytes()
    person = asked(study)
    carried_out(study, person)
    (study.folder / "recordings/r1.xdf").write_bytes(data)
    assert any("lies there again: recordings/r1.xdf" in problem for problem in study.verify().problems)


# ------------------------------------------------------------------------------ copies and the identity
def test_the_identity_is_erased_with_it_and_once(study, tmp_path):
    person = asked(study)
    store = Identities.create(tmp_path / "who", study=study.folder, study_id=study.id, actor="Dr C")
    store.add("P01", Identity("Maria"))
    first = begun(study, person)

    def die(name):
        if name == "identity":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deletion.carry_out(study, first, study.script_signer("Dr C"), identities=store, step=die)
    done = deletion.carry_out(study, first, study.script_signer("Dr C"), identities=store)
    assert done.identity == "erased"
    assert study.rows("deletion_end", deletion_id=first)[0]["identity"] == "erased"
    with pytest.raises(Refused):
        store.show("P01", reason="x")
    assert [entry.action for entry in store.entries("P01")].count("erase") == 1


def test_backups_and_unknown_snapshots_that_still_hold_it_are_named_and_others_are_not(study, tmp_path):
    person = asked(study)
    held = backup(study.folder, tmp_path / "backups")
    cut(study, "holds")
    (study.folder / "snapshots" / "mine.jsonl").write_bytes((study.folder / "snapshots/holds.jsonl").read_bytes())
    done = carried_out(study, person, backups=tmp_path / "backups")
    assert any(held.folder.name in copy for copy in done.copies)
    assert "snapshots/mine.jsonl" in done.copies
    assert "snapshots/holds.jsonl" not in done.copies
    with Study.create(tmp_path / "other", code="O", title="Other", actor="a"):
        pass
    other = backup(tmp_path / "other", tmp_path / "backups2")
    shown = deletion.plan(study, person, backups=tmp_path / "backups2")
    assert not any(other.folder.name in copy for copy in shown.copies)


# ------------------------------------------------------------------------------ snapshots
def cut(study, name):
    """A snapshot; path of its file."""
    study.apply(changes.CutData(name), [study.script_signer(who).confirm() for who in ("Dr B", "Dr C")], "interim")
    return study.folder / "snapshots" / f"{name}.jsonl"


def rows_in(file):
    """Rows of a snapshot by table and id, as they lie there."""
    return {(table, row["id"]): row for table, row in map(json.loads, file.read_text().splitlines()[1:])}


def test_a_snapshot_is_cut_anew_without_the_texts_and_with_every_other_row_and_number(study):
    person = asked(study)
    files = {file: rows_in(file) for file in (cut(study, "first"), cut(study, "second"))}
    assert all(CANARY in file.read_text() for file in files)
    shown = deletion.plan(study, person)
    done = carried_out(study, person)
    # The two that the study had before are cut again with them.
    assert done.n_snapshots == len(shown.snapshots) == 4
    lost = {(table, row_id) for table, row_id, _ in shown.rows}
    for file, before in files.items():
        after = rows_in(file)
        assert [text for text in TEXTS if text in file.read_text()] == []
        assert after.keys() == before.keys()
        changed = {place for place in before if before[place] != after[place]}
        assert ("note", study.ids["note"]) in changed
        assert changed <= lost
        # Of a row that changed only the texts did.
        for place in changed:
            own = {name for name in before[place] if before[place][name] != after[place][name]}
            assert own <= {*deletion.TEXTS[place[0]], "values", "said"}
    found = study.verify()
    assert found.ok, found.problems
    assert [row.sha256 for row in snapshots.listed(study)[-2:]] == [
        hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    ]
    assert any("snapshot first was cut again by a deletion" in text for text in found.deleted)
    assert deletion.plan(study, person).snapshots == ()
    with Study.open(next(iter(files)), actor="a") as old:
        assert old.get("note", study.ids["note"])["text"] == deletion.GONE
        assert old.rows("trial") == study.rows("trial")
        assert old.verify().ok


def test_while_one_deletion_is_under_way_no_other_one_begins(study):
    first = asked(study)
    other = study.append(Participant("SIM-04", simulated=True))
    for change in (
        GiveConsent(other, ("participation",), "2.1", "2026-03-01"),
        WithdrawConsent(other, ("participation",), DAY),
        RequestDeletion(other, DAY, "the site's policy"),
    ):
        made(study, change)
    cut(study, "first")
    running = begun(study, first)
    with pytest.raises(Refused, match="deletion of P01's data was begun and has not ended"):
        begun(study, other)
    deletion.carry_out(study, running, study.script_signer("Dr C"))
    carried_out(study, other)
    assert study.verify().ok


def test_a_snapshot_as_it_was_before_a_deletion_is_a_problem_wherever_it_lies(study, tmp_path):
    person = asked(study)
    file = cut(study, "first")
    kept = tmp_path / "first.jsonl"
    kept.write_bytes(file.read_bytes())
    carried_out(study, person)
    file.chmod(0o600)
    file.write_bytes(kept.read_bytes())
    assert [problem.code for problem in study.verify().problems] == ["verify.file_differs"]
    assert [problem.code for problem in verify(file).problems] == ["snapshot.before_deletion"]


def test_a_snapshot_that_was_edited_is_not_cut_anew_into_one_that_holds(study):
    person = asked(study)
    file = cut(study, "first")
    shown = deletion.plan(study, person)
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"grasp", b"grisp", 1))
    with pytest.raises(RecordFault, match="first.jsonl is not the one that the record has"):
        deletion.plan(study, person)
    with pytest.raises(RecordFault, match="first.jsonl is not the one that the record has"):
        study.apply(BeginDeletion(shown), study.script_signer("Dr C").confirm(), "asked for")


def test_what_a_deleted_participant_was_signed_for_is_stale_and_no_problem(study):
    person = asked(study)
    target = [("participant", person)]
    signed = changes.Sign(tuple(target), "I reviewed this", bound_now(study, target)[1])
    study.apply(signed, study.script_signer("Dr B").confirm())
    carried_out(study, person)
    found = study.verify()
    assert found.ok, found.problems
    assert any("is stale" in warning for warning in found.warnings)


# ------------------------------------------------------------------------------ the command
def command(study, *words, lines=""):
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "delete", str(study.folder), *words], input=lines, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.job
def test_the_command_shows_asks_for_the_plan_and_carries_it_out(study):
    asked(study)
    study.add_person("manager", "Dr M", "correct horse", roles=("data_manager",))
    study.close()
    code, out, _ = command(study, "P01", "--plan")
    assert (code, "P01: 4 files" in out, "asked for\n" in out) == (0, True, True), out
    plan = json.loads(command(study, "P01", "--plan", "--json")[1])["result"]
    assert plan["n_bytes"] == sum(file["n_bytes"] for file in plan["files"])
    who = ("--as", "manager", "--reason", "asked for")
    for wrong in ("", "ffffffffffff", plan["sha256"][:4]):
        code, _, error = command(study, "P01", "--carry-out", "--confirm", wrong, *who, lines="correct horse\n")
        assert (code, error.count("\n"), "hash of the plan" in error) == (2, 1, True), error
    assert (study.folder / "recordings/r1.xdf").exists()
    confirm = out.splitlines()[-1].removeprefix("plan: ")
    code, out, error = command(study, "P01", "--carry-out", "--confirm", confirm, *who, lines="correct horse\n")
    assert (code, "deleted: 4 files" in out) == (0, True), error
    assert verify(study.folder).ok
    code, _, error = command(study, "nobody", "--plan")
    assert (code, "there is no participant 'nobody'" in error) == (2, True)
