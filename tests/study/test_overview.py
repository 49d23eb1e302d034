"""How a study stands: the flow adds up, a form is what the record says of it, more people take no more queries."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event

from tests.study import databases
from tests.study.populated import FORMS, TODAY, VISITS, make
from tests.study.versions import over
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.study import (
    Study,
    audit_trail,
    changes,
    lock_conditions,
    overview,
    planned,
    protocol,
    schema,
    verified,
)
from workbench.study.applying import bound_now
from workbench.study.changes.locking import LockStudy
from workbench.vocabulary import Participant

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOUBLE = """
[study]
code = "D"
title = "Double entry"
version = "{version}"
sponsor = "Nobody"
jurisdictions = ["EU"]
effective_from = 2025-01-01
[[arm]]
name = "a"
title = "A"
[consent]
purposes = {{ required = ["participation"] }}
document_version = "1"
document_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[visit]]
name = "Baseline"
anchor = "consent"
day = 0
earliest = 0
latest = 10
forms = {forms}
[[form]]
name = "vitals"
title = "Vitals"
items = [{{ name = "pulse", label = "Pulse", kind = "integer", unit = "1/min", required = true }}]
[[form]]
name = "twice"
title = "Twice"
double_entry = true
items = [{{ name = "score", label = "Score", kind = "integer", required = true }}]
[[form]]
name = "arm"
title = "Arm"
measure = "arat"
"""


def seen(study, on=TODAY):
    return overview.read(study, on, now=NOW)


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    with make(tmp_path_factory.mktemp("big") / "study", 40) as study:
        yield study


@pytest.fixture
def small(empty):
    """A study of one simulated participant with a baseline on the day, and who enters it."""
    empty.by = [empty.script_signer(name) for name in ("Dr A", "Dr B", "Dr C")]
    text = DOUBLE.format(version="1.0.0", forms='["vitals", "twice", "arm"]')
    adopt = changes.AdoptProtocol(protocol.parse(text, "double").definition())
    empty.apply(adopt, [one.confirm() for one in empty.by[:2]])
    empty.person = empty.append(Participant("SIM-01", simulated=True))
    empty.apply(changes.Enrol(empty.person, "S-1", "02"), empty.by[0])
    return empty


def anchored(study, days_ago):
    """The id of the baseline that was planned so many days ago."""
    day = date.today() - timedelta(days=days_ago)
    study.apply(changes.SetAnchor(study.person, "consent", day.isoformat()), study.by[0], "known")
    return study.rows("visit")[0]["id"]


def cells(study, on=None):
    found = overview.read(study, on or date.today(), now=datetime.now(UTC))
    ((one,),) = [row.visits for row in found.participants]
    return dict(zip(found.visits[0].forms, one, strict=True))


# ------------------------------------------------------------------------------ flow
def test_everybody_is_in_the_flow_once_and_its_numbers_add_up_with_the_heatmap(big):
    found = seen(big)
    flow = found.flow
    assert flow.screened == len(found.participants) == 40
    assert flow.screened == flow.in_screening + flow.screen_failures + flow.left_before + flow.enrolled
    assert flow.enrolled == flow.taking_part + flow.completed + flow.withdrawn + flow.lost
    by_status = [one.status for one in found.participants]
    assert (flow.screen_failures, flow.completed, flow.withdrawn, flow.lost) == tuple(
        by_status.count(name) for name in ("screen_failure", "completed", "withdrawn", "lost")
    )
    assert min(flow.screen_failures, flow.completed, flow.withdrawn, flow.lost) > 0
    assert sum(found.counts().values()) == 40 * len(VISITS) * len(FORMS)


def test_who_left_before_being_enrolled_is_no_withdrawal_of_the_trial(small):
    small.append(Participant("SIM-02", simulated=True))
    assert seen(small).flow.in_screening == 1
    assert seen(small).flow.without == 1
    small.apply(changes.SetStatus(small.person, "withdrawn"), small.by[0], "moved away")
    flow = seen(small).flow
    assert (flow.screened, flow.left_before, flow.enrolled, flow.withdrawn) == (1, 1, 0, 0)


def test_who_was_enrolled_stays_in_the_number_of_enrolled_after_leaving(small):
    given = changes.GiveConsent(small.person, ("participation",), "1", "2026-01-01")
    small.apply(given, small.by[0], "signed")
    for status in ("enrolled", "lost"):
        small.apply(changes.SetStatus(small.person, status), small.by[0], "as the log says")
    flow = seen(small).flow
    assert (flow.enrolled, flow.taking_part, flow.lost, flow.left_before) == (1, 0, 1, 0)


# ------------------------------------------------------------------------------ forms
def test_a_form_is_not_due_then_missing_then_draft_complete_and_verified(small):
    assert set(cells(small).values()) == {"not_due"}
    visit = anchored(small, 3)
    assert set(cells(small).values()) == {"not_due"}
    assert set(cells(small, date.today() + timedelta(days=20)).values()) == {"missing"}
    small.apply(changes.HoldVisit(visit, (date.today() - timedelta(days=2)).isoformat()), small.by[0])
    assert cells(small)["vitals"] == "missing"
    for state in ("draft", "complete"):
        small.apply(over(small, changes.SaveForm(visit, "vitals", {"pulse": 60}, state)), small.by[0])
        assert cells(small)["vitals"] == state
    target = [("form", small.rows("form")[0]["id"])]
    signed = changes.Sign(tuple(target), "I reviewed this", bound_now(small, target)[1])
    small.apply(signed, small.by[1].confirm())
    assert cells(small)["vitals"] == "verified"
    small.apply(over(small, changes.SaveForm(visit, "vitals", {"pulse": 61})), small.by[0], "misread")
    assert cells(small)["vitals"] == "complete"


def test_on_the_day_of_the_visit_no_form_is_missing_yet(small):
    visit = anchored(small, 0)
    small.apply(changes.HoldVisit(visit, datetime.now(UTC).date().isoformat()), small.by[0])
    held = date.fromisoformat(small.get("visit", visit)["started"][:10])
    assert set(cells(small, held).values()) == {"not_due"}
    assert set(cells(small, held + timedelta(days=1)).values()) == {"missing"}


def test_a_form_that_two_people_enter_is_complete_once_they_agree_or_a_third_decided(small):
    visit = anchored(small, 3)
    first = changes.SaveForm(visit, "twice", {"score": 2})
    small.apply(first, small.by[0])
    assert cells(small)["twice"] == "draft"
    small.apply(changes.SaveForm(visit, "twice", {"score": 3}, entry=2), small.by[1])
    assert cells(small)["twice"] == "draft"
    small.apply(changes.Adjudicate(visit, "twice", {"score": 3}), small.by[2])
    assert cells(small)["twice"] == "complete"


def test_what_two_people_enter_stands_in_the_way_of_the_lock_until_they_agree_or_a_third_decided(small):
    visit = anchored(small, 3)

    def undecided():
        every = lock_conditions.conditions(small, datetime.now(UTC), signed=lambda _table, _row: True)
        return {one.name: one.people for one in every}["entries"]

    small.apply(changes.SaveForm(visit, "vitals", {"pulse": 60}), small.by[0])
    assert undecided() == ()
    small.apply(changes.SaveForm(visit, "twice", {"score": 2}), small.by[0])
    assert undecided() == (small.person,)
    small.apply(changes.SaveForm(visit, "twice", {"score": 3}, entry=2), small.by[1])
    assert undecided() == (small.person,)
    agreed = changes.SaveForm(visit, "twice", {"score": 3}, row_version=1)
    small.apply(agreed, small.by[0], "read again")
    assert undecided() == ()
    small.apply(changes.SaveForm(visit, "twice", {"score": 4}, row_version=2), small.by[0], "misread")
    small.apply(changes.Adjudicate(visit, "twice", {"score": 3}), small.by[2])
    assert undecided() == ()


def test_what_is_typed_and_kept_as_a_draft_outside_the_record_is_a_draft(small):
    visit = anchored(small, 3)
    small.drafts.save(visit, "arat", {"assisted": False}, "Dr A", {"grasp_1": 2})
    assert cells(small)["arm"] == "draft"


def test_a_visit_that_was_given_up_with_its_reason_is_not_loud(small):
    visit = anchored(small, 60)
    assert [task.kind for task in overview.read(small, date.today(), now=NOW).tasks] == ["late"]
    small.apply(changes.MissVisit(visit), small.by[0], "in hospital")
    assert set(cells(small).values()) == {"not_held"}
    found = overview.read(small, date.today(), now=NOW)
    assert found.tasks == ()
    assert found.deviations == {"visit_missed": 1}


def test_what_a_later_version_asks_for_is_not_asked_of_who_stayed_with_the_earlier_one(small):
    text = DOUBLE.format(version="2.0.0", forms='["twice", "vitals"]')
    adopt = changes.AdoptProtocol(protocol.parse(text, "double").definition())
    small.apply(adopt, [one.confirm() for one in small.by[:2]])
    later = small.append(Participant("SIM-02", simulated=True))
    small.apply(changes.Enrol(later, "S-2"), small.by[0])
    found = seen(small)
    assert found.version == "2.0.0"
    assert found.visits[0].forms == ("twice", "vitals", "arm")
    assert [row.visits[0] for row in found.participants] == [("not_due",) * 3, ("not_due", "not_due", "not_asked")]


def test_who_left_has_withdrawn_forms_and_no_task(big):
    found = seen(big)
    left = [one for one in found.participants if one.status in ("withdrawn", "lost", "screen_failure")]
    assert left
    assert all({state for forms in one.visits[2:] for state in forms} == {"withdrawn"} for one in left)
    assert not {one.participant for one in left} & {task.participant for task in found.tasks}


# ------------------------------------------------------------------------------ what waits
def test_tasks_come_by_urgency_and_each_missing_form_of_a_held_visit_is_in_one(big):
    found = seen(big)
    rank = {"late": 0, "missing": 2}
    order = [(rank.get(task.kind, 1 if task.days >= -1 else 3), -task.days) for task in found.tasks]
    assert order == sorted(order)
    assert {urgency for urgency, _ in order} >= {0, 2, 3}
    named = sum(len(task.forms) for task in found.tasks)
    of_left = sum(
        state == "missing"
        for one in found.participants
        if one.status in ("withdrawn", "lost", "screen_failure")
        for forms in one.visits
        for state in forms
    )
    assert named == found.counts()["missing"] - of_left > 0


def test_a_query_has_its_age_its_site_and_who_has_the_next_step(small):
    visit = anchored(small, 3)
    row = small.apply(changes.SaveForm(visit, "vitals", {"pulse": 60}), small.by[0])
    query = small.apply(changes.OpenQuery("form", row, "values", "60?"), small.by[1])
    asked = datetime.fromisoformat(small.rows("query")[0]["utc"])
    (found,) = overview.read(small, date.today(), now=asked + timedelta(days=12, hours=1)).queries
    assert (found.participant, found.site, found.days, found.owner) == ("SIM-01", "02", 12, "site")
    small.apply(changes.AnswerQuery(query, "seen twice"), small.by[0])
    assert seen(small).queries[0].owner == "data_manager"
    small.apply(changes.CloseQuery(query, "as entered"), small.by[1])
    assert seen(small).queries == ()


def test_locks_in_force_and_open_deviations_are_named_and_lifted_ones_are_not(small):
    visit = anchored(small, 3)
    small.apply(changes.Freeze("visit", visit), small.by[0], "data cut 1")
    (lock,) = seen(small).locks
    assert (lock.level, lock.table, lock.participant, lock.by, lock.reason) == (
        "freeze", "visit", "SIM-01", "Dr A", "data cut 1",
    )  # fmt: skip
    small.apply(changes.Unfreeze("visit", visit), small.by[0], "data cut 1 done")
    deviation = small.apply(changes.RecordDeviation(small.person, "rater", "another rater"), small.by[0])
    found = seen(small)
    assert (found.locks, found.deviations) == ((), {"rater": 1})
    small.apply(changes.CloseDeviation(deviation, "none", "rater trained"), small.by[0], "judged")
    assert seen(small).deviations == {}


def test_the_newest_entries_carry_their_hash_and_the_participant_they_are_about(study):
    (other,) = study.rows("participant", pseudonym="SIM-02")
    assessment = ("assessment", study.ids["assessment"])
    (nurse,) = study.rows("person", login="nurse")
    script = study.script_signer("Dr B")
    for change in (
        changes.AnswerCriterion(other["id"], "I2", "yes", "asked"),
        changes.GiveConsent(study.ids["participant"], ("upload",), "2.1", "2026-03-01"),
        changes.Freeze("visit", study.ids["visit"]),
        changes.GrantRole(nurse["id"], "assessor", "GCP 2026-02"),
    ):
        study.apply(change, script, "visit 1")
    shown = bound_now(study, [assessment])[1]
    study.apply(changes.Sign((assessment,), "I reviewed this", shown), script.confirm())
    found = seen(study)
    assert [one.seq for one in found.entries] == list(range(found.head[0], found.head[0] - overview.ENTRIES, -1))
    assert (found.entries[0].seq, found.entries[0].hash) == found.head == study.head()
    by_table = {one.table: one.participant for one in reversed(found.entries)}
    assert by_table["signature"] == by_table["consent"] == by_table["lock_event"] == "P01"
    assert by_table["eligibility"] == "SIM-02"
    assert by_table["role_grant"] == ""


def test_reading_asks_the_record_no_more_often_for_many_participants_than_for_few(big, tmp_path):
    def statements(study, read):
        asked = []

        def note(connection, cursor, statement, *_):
            asked.append(statement)

        event.listen(study.database.engine, "before_cursor_execute", note)
        read(study)
        event.remove(study.database.engine, "before_cursor_execute", note)
        return len(asked)

    with make(tmp_path / "few", 4) as few:
        for read in (seen, lambda study: study.worklist(TODAY)):
            assert statements(big, read) <= statements(few, read) + 4 < 40


def test_a_study_without_a_protocol_or_anybody_is_read_too(empty):
    found = seen(empty)
    assert (found.flow.screened, found.visits, found.participants, found.tasks) == (0, (), (), ())
    assert found.verification is None


# ------------------------------------------------------------------------------ verification
def test_a_verification_is_an_entry_of_the_chain_with_who_when_and_up_to_where(study):
    head = study.head()
    told = []
    result = verified.verify_now(study, progress=told.append)
    assert (result.ok, result.by, result.seq, result.kept) == (True, "tester", head[0], True)
    assert seen(study).verification == verified.last(study) == result
    entry = study.entries(after=head[0])[-1]
    assert (entry.action, entry.table, entry.actor) == ("verify", "study", "tester")
    assert study.verify().ok


def test_a_broken_chain_is_entered_with_its_first_bad_entry(study):
    edit = "UPDATE audit_payload SET payload = replace(payload, 'P01', 'P02') WHERE seq ="
    databases.tamper(study, f"{edit} 9", f"{edit} 3")
    result = verified.verify_now(study)
    assert not result.ok
    assert "audit row 3" in result.first
    assert seen(study).verification == result
    assert verified.last(study).first.arguments["seq"] == 3


def test_a_record_that_cannot_be_written_is_verified_and_says_that_it_does_not_keep_it(study):
    before = verified.last(study)
    study.read_only = "the disk is full"
    result = verified.verify_now(study)
    assert (result.ok, result.kept) == (True, False)
    assert verified.last(study) == before


def test_what_verified_the_record_before_a_lock_is_said_with_who_when_and_what_was_looked_at(empty):
    three = [empty.script_signer(name).confirm() for name in ("Dr A", "Dr B", "Dr C")]
    head = empty.head()
    with pytest.raises(BadValue, match="reason"):
        empty.apply(LockStudy(), three, "")
    # A lock that is refused leaves nothing, not even that the record was verified for it.
    assert empty.head() == head
    assert verified.last(empty) is None
    empty.apply(LockStudy(), [empty.script_signer(name).confirm() for name in ("Dr A", "Dr B", "Dr C")], "the end")
    found = verified.last(empty)
    assert (found.ok, found.by, found.seq, found.before, found.files) == (True, "Dr A", head[0], "LockStudy", True)
    assert seen(empty).verification == found
    assert empty.verify().ok


# ------------------------------------------------------------------------------ audit trail
def test_the_audit_trail_has_one_row_for_each_entry_in_their_order(study):
    table = study.audit_trail()
    assert list(table["entry"]) == [entry.seq for entry in study.entries()]
    assert list(table["hash"]) == [entry.hash for entry in study.entries()]
    assert set(table[table["table"] == "trial"]["participant"]) == {"P01"}
    assert set(table[table["table"] == "form"]["participant"]) == {"SIM-02"}


def test_a_change_tells_field_old_new_and_reason_and_secrets_are_veiled(study):
    study.amend("assessment", study.ids["assessment"], {"rater": "=cmd()"}, reason="entered by another")
    row = study.audit_trail().iloc[-1]
    assert (row["what"], row["field"], row["reason"]) == ("amend", "rater", "entered by another")
    assert (json.loads(row["old"]), json.loads(row["new"])) == ({"rater": "rater"}, {"rater": "=cmd()"})
    people = study.audit_trail().query("table == 'person' and what == 'create'")
    assert set(json.loads(people["new"].iloc[0])) == {"login", "name", "roles", "state", "password"}
    assert json.loads(people["new"].iloc[0])["password"] == audit_trail.VEILED
    assert "argon2" not in study.audit_trail().to_csv()


def test_what_was_redacted_is_shown_as_such_and_still_counted(study):
    study.redact("note", study.ids["note"], {"text": "(removed)"}, reason="a name was in it")
    table = study.audit_trail()
    assert len(table) == study.head()[0]
    note = table[table["table"] == "note"]
    assert list(note["redacted"]) == [True, False]
    assert (note["new"].iloc[0], note["what"].iloc[1], note["reason"].iloc[1]) == (
        "",
        "redact",
        "a name was in it",
    )
    assert "tired" not in note.to_csv()


def test_the_trail_of_one_participant_holds_everything_that_belongs_to_them_and_nothing_else(study):
    whole = study.audit_trail()
    own = study.audit_trail("P01")
    assert list(own["entry"]) == list(whole[whole["participant"] == "P01"]["entry"])
    assert {"visit", "run", "trial", "assessment", "query_event", "signature", "lock_event"} <= set(own["table"])
    with pytest.raises(UnknownName, match="P01"):
        study.audit_trail("P99")


def test_a_trail_that_lacks_an_entry_is_refused(study, monkeypatch):
    rows = audit_trail._entries
    monkeypatch.setattr(audit_trail, "_entries", lambda connection: list(rows(connection))[:-1])
    with pytest.raises(RecordFault, match=rf"{study.head()[0] - 1} of {study.head()[0]} entries"):
        study.audit_trail()


def test_queries_and_deviations_are_tables_with_what_came_of_them(study):
    (query,) = study.queries().to_dict("records")
    assert (query["participant"], query["state"], query["answer"], query["closed_by"]) == (
        "P01", "answered", "seen twice", "",
    )  # fmt: skip
    (deviation,) = study.deviations().to_dict("records")
    assert (deviation["category"], deviation["state"], deviation["participant"]) == ("other", "open", "P01")


# ------------------------------------------------------------------------------ schedule
def test_the_schedule_of_a_participant_follows_anchors_and_visits_of_the_record(small):
    with pytest.raises(Refused, match="not in the study|enrol"):
        planned.of_participant(small, small.append(Participant("SIM-09", simulated=True)), TODAY)
    visit = anchored(small, 3)
    small.apply(changes.HoldVisit(visit, (date.today() - timedelta(days=1)).isoformat()), small.by[0])
    found, (one,) = planned.of_participant(small, small.person, date.today())
    assert found.about.version == "1.0.0"
    assert (one.visit, one.status, one.held) == ("Baseline", "held", date.today() - timedelta(days=1))


def test_every_table_of_the_schema_can_be_told_in_the_trail(study):
    told = {row.table for row in audit_trail.read(study)}
    assert {table.name for table in schema.DATA} - told <= set()


def test_an_old_study_has_an_overview_and_a_trail(tmp_path):
    import shutil

    from tests.study.test_migrate import FIXTURES

    with Study.open(shutil.copytree(FIXTURES / "v2", tmp_path / "old"), actor="x") as old:
        assert overview.read(old, TODAY, now=NOW).flow.without == old.count("participant")
        assert len(old.audit_trail()) == old.head()[0]
