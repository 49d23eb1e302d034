"""Who signs has signed in: passwords, refusals, waits, drafts of a person, the worklist."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date

import pytest

from tests.doors import SteppedClock
from tests.study import databases
from workbench import world
from workbench.errors import BadValue, RecordFault, RecordLocked, Refused
from workbench.study import chain, people, record_file, verify
from workbench.study.drafts import Drafts
from workbench.study.people import MISMATCH
from workbench.vocabulary import Condition, FittedDecoder, Participant, Session, Visit

PASSWORD = "correct horse"


def actions(study):
    return [row["action"] for row in study.rows("audit", table_name="person")]


def test_a_person_signs_in_and_confirms_each_signature_again(study):
    signer = study.sign_in("dr-a", PASSWORD)
    assert (signer.name, signer.roles, signer.can_approve) == ("Dr A", ("engineer",), True)
    study.close()
    confirmation = signer.confirm(PASSWORD)
    assert confirmation.use() is signer
    with pytest.raises(Refused, match="was used or is too old"):
        confirmation.use()
    with pytest.raises(Refused, match="do not match"):
        signer.confirm("wrong")


def test_a_confirmation_lapses_after_its_time_and_not_before(study):
    clock = SteppedClock()
    with world.entered(clock=clock):
        signer = study.sign_in("dr-a", PASSWORD)
        in_time, late = signer.confirm(PASSWORD), signer.confirm(PASSWORD)
        clock.now_s += people.CONFIRMED_S
        assert in_time.use() is signer
        clock.now_s += 0.001
        with pytest.raises(Refused, match="was used or is too old"):
            late.use()


def test_refusals_do_not_say_which_part_was_wrong_and_are_audited_without_what_was_typed(study):
    people.set_state(study, "dr-a", "closed", reason="left the team")
    told = set()
    for login, password in (("dr-a", "wrong-pw-1"), ("nobody-7", PASSWORD), ("", ""), ("dr-a", PASSWORD)):
        with pytest.raises(Refused) as refused:
            study.sign_in(login, password)
        told.add(str(refused.value))
    assert told == {MISMATCH}
    assert actions(study)[-4:] == ["sign_in_refused"] * 4
    study.close()
    stored = databases.content(study)
    assert b"wrong-pw-1" not in stored
    assert b"nobody-7" not in stored


@pytest.mark.parametrize("restarted", [False, True], ids=["same boot", "computer restarted"])
def test_after_three_refusals_the_next_attempt_waits_also_with_the_right_password(study, restarted):
    clock = SteppedClock()
    with world.entered(clock=clock):
        for _ in range(3):
            with pytest.raises(Refused, match="do not match"):
                study.sign_in("dr-a", "wrong")
        clock.boot = "boot-2" if restarted else clock.boot
        with pytest.raises(Refused, match="try again in 2 s"):
            study.sign_in("dr-a", PASSWORD)
        assert actions(study)[-1] == "sign_in_refused"
        clock.now_s += 1.9
        with pytest.raises(Refused, match="try again in"):
            study.sign_in("dr-a", PASSWORD)
        clock.now_s += 0.1
        assert study.sign_in("dr-a", PASSWORD)
        with pytest.raises(Refused, match="do not match"):
            study.sign_in("dr-a", "wrong")


@pytest.mark.parametrize("restarted", [False, True], ids=["same boot", "computer restarted"])
def test_the_wait_doubles_with_each_refusal_up_to_a_minute_and_counts_from_the_last(study, restarted):
    clock = SteppedClock()
    with world.entered(clock=clock):
        for wait_s in (0, 0, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60):
            with pytest.raises(Refused, match="do not match"):
                study.sign_in("dr-a", "wrong")
            clock.boot += "!" if restarted else ""
            if wait_s:
                with pytest.raises(Refused, match=f"try again in {wait_s} s"):
                    study.sign_in("dr-a", PASSWORD)
                clock.now_s += wait_s - 1.0
                with pytest.raises(Refused, match="try again in 1 s"):
                    study.sign_in("dr-a", PASSWORD)
                clock.now_s += 1.0
        assert study.sign_in("dr-a", PASSWORD)


def test_the_hash_leaves_the_record_nowhere_and_a_new_password_replaces_the_old(study):
    people.set_password(study, "dr-a", "another horse")
    assert study.people()[0] == {
        "id": study.ids["person"], "login": "dr-a", "name": "Dr A", "roles": ["engineer"], "state": "active",
    }  # fmt: skip
    assert "password" not in study.rows("person")[0]
    assert "password" not in study.history("person", study.ids["person"])[0]["new"]
    assert study.sign_in("dr-a", "another horse")
    with pytest.raises(Refused):
        study.sign_in("dr-a", PASSWORD)
    assert study.verify().ok


def test_a_password_costs_64_mib_and_three_passes(costly_hasher):
    assert costly_hasher().hash("correct horse").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_what_no_keyboard_types_is_refused_as_any_wrong_password_is(study):
    study.add_person("eve", "Eve", "\ud800" * 9)
    assert study.sign_in("eve", "\ud800" * 9).name == "Eve"
    for login, password in (("dr-a", "\ud800" * 9), ("dr-a", None), (None, PASSWORD)):
        with pytest.raises(Refused, match=MISMATCH):
            study.sign_in(login, password)


def payloads(study):
    """Every payload of the audit chain, as it lies in the file."""
    return [row["payload"] for row in databases.rows(study, "SELECT payload FROM audit_payload ORDER BY seq")]


def test_no_audit_entry_holds_a_password_hash_whatever_is_done_with_a_person(study):
    study.add_person("dr-b", "Dr B", PASSWORD)
    people.set_password(study, "dr-b", "another horse")
    people.set_state(study, "dr-b", "closed", reason="left")
    assert "argon2" not in "".join(payloads(study))
    assert study.verify().ok
    (other,) = databases.rows(study, "SELECT password FROM person WHERE login = 'dr-a'")
    databases.tamper(study, ("UPDATE person SET password = ? WHERE login = 'dr-b'", (other["password"],)))
    assert [p for p in study.verify().problems if p.endswith("differs from the audit chain in password")]


def test_entries_from_before_that_hold_a_hash_verify_and_leave_by_redaction(study, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(chain, "veiled", lambda table, values: dict(values))
        person = study.add_person("dr-old", "Dr Old", PASSWORD)
    assert "argon2id" in payloads(study)[-1]
    assert study.verify().ok
    people.set_password(study, "dr-old", "another horse")
    assert study.verify().ok
    assert "argon2id" in "".join(payloads(study))
    assert study.redact("person", person, {}, reason="hashes of old passwords") == 2
    assert "argon2" not in "".join(payloads(study))
    assert study.verify().ok
    assert study.sign_in("dr-old", "another horse")


def test_people_are_entered_with_care(study):
    for words, match in (
        (("", "N", PASSWORD), "needs a login"),
        (("x", " ", PASSWORD), "needs a name"),
        (("x", "N", "short"), "8 to 1024"),
        (("x\ny", "N", PASSWORD), "one line of visible characters"),
    ):
        with pytest.raises(BadValue, match=match):
            study.add_person(*words)
    with pytest.raises(BadValue, match="roles must be one or more of"):
        study.add_person("x", "N", PASSWORD, roles=("king",))
    with pytest.raises(RecordFault, match="login 'dr-a' already"):
        study.add_person("dr-a", "Another", PASSWORD)
    with pytest.raises(BadValue, match="argon2id hash only"):
        study.amend("person", study.ids["person"], {"password": "plain"}, reason="r")


# ---------------------------------------------------------------------------------------- drafts
CONDITION = Condition(False, True, False)


def test_a_draft_outlives_page_and_process_and_leaves_no_audit_row(study):
    head = study.head()
    key = (study.ids["visit"], "arat", CONDITION, "Dr A")
    study.drafts.save(*key, {"grasp_1": 2}, page="page-1")
    study.drafts.save(*key, {"grasp_1": 2, "grasp_2": 3}, page="page-2")
    study.drafts.save(study.ids["visit"], "arat", CONDITION, "Dr B", {"grasp_1": 0})
    again = Drafts(study.folder)
    draft = again.load(*key)
    assert (draft.values, draft.page, draft.condition["device_on"]) == (
        {"grasp_1": 2, "grasp_2": 3},
        "page-2",
        True,
    )
    assert again.load(study.ids["visit"], "arat", Condition(False, False, False), "Dr A") is None
    assert len(again.list()) == 2
    assert [d.person for d in again.list(person="Dr B")] == ["Dr B"]
    assert again.discard(*key)
    assert not again.discard(*key)
    assert study.drafts.load(*key) is None
    assert study.head() == head
    assert (study.folder / "drafts.db").stat().st_mode & 0o777 == 0o600
    assert study.verify().ok


def test_drafts_are_bounded_and_a_damaged_file_is_named(study):
    for words in (("", "arat"), (study.ids["visit"], "")):
        with pytest.raises(BadValue, match="needs its visit, form and person"):
            study.drafts.save(*words, None, "Dr A", {})
    with pytest.raises(BadValue, match="at most 1000000 bytes"):
        study.drafts.save("v", "arat", None, "Dr A", {"x": "y" * 1_000_001})
    study.drafts.save("v", "arat", None, "Dr A", {})
    for column, text in (("draft", "{"), ("draft", "[1]"), ("draft", "[" * 100_000), ("condition", "{")):
        with closing(sqlite3.connect(study.drafts.path)) as other:
            other.execute(f"UPDATE draft SET {column} = ?", (text,))
            other.commit()
        with pytest.raises(RecordFault, match="the record itself is not touched"):
            study.drafts.list()
    study.drafts.path.write_bytes(b"no database at all, but long enough to look like one" * 10)
    with pytest.raises(RecordFault, match="the record itself is not touched"):
        study.drafts.load("v", "arat", None, "Dr A")


WRITER = """
import sys
from pathlib import Path
from workbench.study.drafts import Drafts
drafts = Drafts(Path(sys.argv[1]))
for number in range(20):
    drafts.save("v", "arat", None, sys.argv[2], {"n": number})
"""


def test_two_processes_keep_their_drafts(study):
    command = [sys.executable, "-c", WRITER, str(study.folder)]
    children = [subprocess.Popen([*command, name]) for name in ("left", "right")]
    assert [child.wait() for child in children] == [0, 0]
    assert {d.person: d.values for d in study.drafts.list()} == {"left": {"n": 19}, "right": {"n": 19}}


# ---------------------------------------------------------------------------------------- worklist
def visit(study, person, name, **fields):
    return study.append(Visit(person, name, **fields))


def test_the_worklist_says_who_is_due_and_what_stands_in_the_way(empty):
    today = date(2026, 11, 21)
    ready = empty.append(Participant("P-041", wristband="041-7KQ", trained_side="right"))
    hold = empty.append(Participant("P-009", hold="serious adverse event open"))
    window = {"earliest": "2026-11-17", "latest": "2026-11-26"}
    month = visit(empty, ready, "month 1", planned="2026-11-21T09:00", room="room 1", **window)
    visit(empty, ready, "month 2", planned="2026-12-20")
    visit(empty, ready, "baseline", planned="2026-11-01", status="done")
    visit(empty, hold, "month 6", planned="2026-11-21T13:00")
    visit(empty, hold, "month 5", latest="2026-11-18")
    visit(empty, hold, "extra")
    empty.append(Session(month, "Lin Q."))
    empty.drafts.save(month, "isncsci", None, "Dr A", {"x": 1})
    rows = {row.visit["name"]: row for row in empty.worklist(today)}
    assert [row.visit["name"] for row in empty.worklist(today)][:2] == ["month 1", "month 6"]
    assert set(rows) == {"month 1", "month 2", "month 6", "month 5", "extra"}
    first = rows["month 1"]
    assert (first.window, first.day, first.days, first.sessions, first.state) == ("due", 5, 10, 1, "ready")
    assert (first.drafts, first.reasons, first.last_session["operator"]) == (("isncsci",), ("draft",), "Lin Q.")
    assert (rows["month 2"].state, rows["month 2"].window) == ("not_due", "early")
    assert (rows["month 6"].state, rows["month 5"].reasons) == ("hold", ("hold", "late"))
    assert rows["extra"].window == "unscheduled"
    assert "baseline" in {row.visit["name"] for row in empty.worklist(date(2026, 11, 1))}


def test_a_decoder_that_awaits_a_decision_asks_for_a_check(study):
    def own_row():
        return next(row for row in study.worklist() if row.visit["id"] == study.ids["visit"])

    assert own_row().state == "ready"
    recording = study.rows("recording")[0]["sha256"]
    study.append(FittedDecoder("cd" * 32, "bandpower_lda", "decoders/cd", (recording,)))
    row = own_row()
    assert (row.state, row.reasons, row.awaiting[0]["sha256"]) == ("check", ("awaiting",), "cd" * 32)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"planned": "21 Nov"}, "planned of a visit must be a date such as 2026-03-01 or 2026-03-01T09:30"),
        ({"planned": "2026-13-01"}, "planned"),
        ({"earliest": "2026-11-21T09:00"}, "earliest of a visit must be a date"),
        ({"earliest": "2026-11-21", "latest": "2026-11-20"}, "must end after it begins"),
        ({"status": "perhaps"}, "status of a visit must be one of"),
    ],
)
def test_dates_and_states_of_a_visit_are_checked(empty, fields, match):
    person = empty.append(Participant("P-1"))
    with pytest.raises(BadValue, match=match):
        visit(empty, person, "v", **fields)


# ---------------------------------------------------------------------------------------- locked
@pytest.mark.sqlite_file("on a server nobody keeps a reader out")
def test_a_held_record_is_called_held_and_never_to_be_restored(study, monkeypatch):
    study.close()
    monkeypatch.setattr(record_file, "BUSY_S", 0.05)
    with closing(sqlite3.connect(study.path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("UPDATE study SET row_version = row_version WHERE FALSE")
        with pytest.raises(RecordLocked, match="nothing is wrong with it") as told:
            verify(study.folder)
        assert "restore" not in str(told.value)
    assert verify(study.folder).ok
