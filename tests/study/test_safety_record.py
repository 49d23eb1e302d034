"""Safety in the record: clocks that no edit moves, reports, who was told, stopping rules, implants."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.doors import SteppedClock
from tests.study import databases
from workbench import world
from workbench.commands import main
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.study import Study, protocol, reporting_rules, verify
from workbench.study.changes import (
    AdoptProtocol,
    CodeEvent,
    ConfirmRule,
    Enrol,
    Explant,
    ExtendObligation,
    Freeze,
    Implant,
    JudgeEvent,
    LockStudy,
    MarkSeen,
    MarkSent,
    RecordFinding,
    ReportDeficiency,
    ReportEvent,
    RetractSent,
    ReviseDeficiency,
    ReviseEvent,
    ReviseFinding,
    TellSomebody,
    VoidFinding,
)
from workbench.study.implants import implant_days, intercurrent_events, surveillance
from workbench.study.obligations import obligations, stopping, withheld
from workbench.study.safety_desk import desk
from workbench.vocabulary import Participant, Visit

SECRET = "correct horse"
ROLES = ("investigator", "safety_officer", "coordinator", "engineer", "data_manager", "statistician")
FORK = multiprocessing.get_context("fork")
EXAMPLE = Path(__file__).parents[2] / "data_samples" / "protocol_neo_hand.toml"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
"""When the stepped clock starts, a Sunday: 17:30 in Shanghai."""
FACTS = {
    "serious": True, "criteria": ["hospitalisation"], "severity": "severe", "device": "possible",
    "procedure": "not_related", "stimulation": "not_related", "expected": True,
}  # fmt: skip
MILD = {**FACTS, "serious": False, "criteria": [], "severity": "mild", "device": "not_related"}
FATAL = {**FACTS, "criteria": ["death"]}
IMMINENT = {**FACTS, "imminent_risk": True}
AWARE = "2026-03-01T08:00Z"
DUE_FATAL, DUE_OTHER = "2026-03-08T16:00:00+00:00", "2026-03-16T16:00:00+00:00"
"""Ends of days 7 and 15 in Shanghai."""


@pytest.fixture
def clock():
    stepped = SteppedClock()
    with world.entered(clock=stepped):
        yield stepped


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """``(folder, participants, clock)`` of a study in China with three participants and a signer of each role."""
    folder = tmp_path_factory.mktemp("begun") / "study"
    clock = SteppedClock()
    with world.entered(clock=clock), Study.create(folder, code="NEO", title="Grasp trial", actor="tester") as made:
        for role in ROLES:
            made.add_person(role, f"Dr {role}", SECRET, (role,))
        both = [made.sign_in(role, SECRET).confirm(SECRET) for role in ("investigator", "statistician")]
        made.apply(AdoptProtocol(protocol.read(EXAMPLE).definition()), both)
        people_ids = [made.append(Participant(f"P-0{n}")) for n in (1, 2, 3)]
    return folder, people_ids, clock


@pytest.fixture
def trial(begun, clock, tmp_path):
    """A copy of that study, at the moment when it was made."""
    folder, people_ids, before = begun
    clock.now_s = before.now_s
    with Study.open(databases.copied(folder, tmp_path / "study"), actor="tester") as study:
        study.who = {role: study.sign_in(role, SECRET) for role in ROLES}
        study.people_ids = list(people_ids)
        yield study


def do(study, change, reason="", role="safety_officer"):
    return study.apply(change, study.who[role], reason)


def event(study, participant=0, facts=FACTS, aware=AWARE, **more):
    given = {"term": "fever", "onset": "2026-02-28", "zone": "Asia/Shanghai", "country": "CN", **more}
    return do(study, ReportEvent(study.people_ids[participant], facts=facts, aware=aware, **given))


def revise(study, row, facts=None, aware=AWARE, reason="more is known", **more):
    return do(study, ReviseEvent(row, aware, "Asia/Shanghai", facts=facts, **more), reason)


def due(study, now=NOW):
    """``{rule: (due, state)}``."""
    return {one.rule: (one.due.isoformat(), one.state) for one in obligations(study, now)}


def later(clock, **span):
    clock.now_s += timedelta(**span).total_seconds()


def now(clock):
    return NOW + timedelta(seconds=clock.now_s)


# ------------------------------------------------------------------------------ clocks
def test_an_event_starts_the_clocks_of_the_protocols_jurisdiction_at_awareness(trial):
    row = event(trial)
    assert due(trial) == {"cn.sae.other": (DUE_OTHER, "running")}
    (one,) = obligations(trial, NOW)
    assert (one.participant, one.what, one.row_id) == ("P-01", "fever", row)
    assert one.aware == ("Dr safety_officer", "2026-03-01T08:00:00.000Z")
    assert (one.counted, one.of, len(one.days)) == (0, 15, 16)
    assert one.due_text == "by the end of 2026-03-16 in Asia/Shanghai"
    assert trial.get("adverse_event", row)["classification"] == "ASADE"
    assert verify(trial.folder).ok


def test_an_edited_event_keeps_its_clock(trial, clock):
    row = event(trial)
    before = due(trial)
    later(clock, days=3)
    revise(trial, row, aware="2026-03-03T08:00Z", term="wound fever", narrative="since the third day")
    revise(trial, row, {**FACTS, "severity": "moderate"}, aware="2026-03-04T08:00Z")
    assert due(trial) == before
    assert [row["row_version"] for row in trial.rows("adverse_event")] == [3]
    assert trial.count("awareness") == 3


def test_a_downgrade_keeps_the_clock_and_says_so(trial):
    row = event(trial)
    revise(trial, row, MILD)
    (one,) = obligations(trial, NOW)
    assert one.due.isoformat() == DUE_OTHER
    assert "kept after downgrade" in one.kept
    assert trial.get("adverse_event", row)["classification"] == "AE"


def test_an_upgrade_starts_a_clock_at_the_awareness_of_that_fact(trial, clock):
    row = event(trial, facts=MILD)
    assert due(trial) == {}
    later(clock, days=2)
    revise(trial, row, FATAL, aware="2026-03-02T18:00Z")
    (one,) = obligations(trial, now(clock))
    # 18:00 UTC is the next day in Shanghai.
    assert (one.rule, one.due.isoformat()) == ("cn.sae.fatal", "2026-03-10T16:00:00+00:00")


def test_an_upgrade_leaves_the_longer_clock_beside_the_shorter_one(trial):
    row = event(trial)
    revise(trial, row, FATAL)
    assert due(trial) == {"cn.sae.fatal": (DUE_FATAL, "running"), "cn.sae.other": (DUE_OTHER, "running")}


def test_an_awareness_that_was_entered_late_counts_from_when_it_was(trial, clock):
    row = event(trial, facts=MILD)
    later(clock, days=20)
    revise(trial, row, aware="2026-03-02T08:00Z", facts=FACTS)
    (one,) = obligations(trial, now(clock))
    assert (one.state, one.due.isoformat()) == ("overdue", "2026-03-17T16:00:00+00:00")


def test_no_edit_takes_a_jurisdiction_away_or_moves_a_due_date_by_another_country(trial):
    row = event(trial, jurisdictions=("US", "CN"), facts={**FACTS, "expected": None})
    before = due(trial)
    assert set(before) == {"us.uade.sponsor", "cn.sae.other"}
    revise(trial, row, jurisdictions=("CN",), country="DE")
    assert due(trial) == before


def test_an_event_that_was_entered_in_error_leaves_its_obligations(trial):
    row = event(trial)
    revise(trial, row, state="void", reason="wrong participant")
    (one,) = obligations(trial, NOW)
    assert "entered in error" in one.kept


def test_a_redacted_event_leaves_its_obligations_and_verifies(trial):
    row = event(trial, narrative="Li Wei of ward 4")
    before = due(trial)
    trial.redact("adverse_event", row, {"narrative": "", "term": "redacted"}, reason="a name")
    assert due(trial) == before
    for told in trial.rows("awareness"):
        trial.redact("awareness", told["id"], {"person": "a relative"}, reason="a name")
        with pytest.raises(RecordFault, match="never changes"):
            trial.redact("awareness", told["id"], {"facts": MILD}, reason="x")
    assert due(trial) == before
    assert verify(trial.folder).ok


@pytest.mark.parametrize("nothing", ["", " "])
def test_a_name_that_is_redacted_to_nothing_leaves_the_desk_as_it_was(trial, nothing):
    event(trial)
    do(trial, ConfirmRule("cn.sae.investigator", "Decree 28"))
    before = due(trial)
    (told,), (confirmed,) = trial.rows("awareness"), trial.rows("rule_confirmation")
    trial.redact("awareness", told["id"], {"person": nothing}, reason="a name")
    trial.redact("rule_confirmation", confirmed["id"], {"source": nothing}, reason="a name")
    with pytest.raises(RecordFault, match="never changes"):
        trial.redact("rule_confirmation", confirmed["id"], {"rule": ""}, reason="x")
    assert due(trial) == before
    assert {one.aware for one in desk(trial, NOW).obligations} == {("(redacted)", "2026-03-01T08:00:00.000Z")}
    assert verify(trial.folder).ok


def test_an_event_is_corrected_only_with_an_awareness(trial):
    row = event(trial)
    with pytest.raises(Refused, match="ReviseEvent"):
        trial.amend("adverse_event", row, {"facts": FATAL}, reason="x")
    with pytest.raises(BadValue, match="reason"):
        revise(trial, row, FATAL, reason=" ")
    with pytest.raises(RecordFault, match="meanwhile"):
        revise(trial, row, FATAL, row_version=7)
    assert trial.count("awareness") == 1


MEMORY = [rule.id for rule in reporting_rules.shipped().rules.values() if rule.mark == "memory"]
STATED = [MILD, FACTS, FATAL, IMMINENT, {**FATAL, "marketed": True}]
STEPS = st.tuples(st.sampled_from(STATED), st.integers(0, 89)) | st.sampled_from(MEMORY)
"""A revision, and how many minutes ago somebody became aware; or a rule that is confirmed."""


@pytest.mark.job
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.sampled_from(STATED), steps=st.lists(STEPS, min_size=1, max_size=6))
@example(first=IMMINENT, steps=["eu.80.other", "eu.80.imminent", (MILD, 0)])
@example(first=MILD, steps=["eu.80.other", (IMMINENT, 5), "eu.80.imminent", (FATAL, 60)])
def test_no_revision_and_no_confirmed_rule_ever_takes_an_obligation_away_or_makes_it_later(
    trial, clock, tmp_path_factory, first, steps
):
    # A rule is confirmed once in a study: every example has its own.
    folder = databases.copied(trial.folder, tmp_path_factory.mktemp("example") / "study")
    with Study.open(folder, actor="tests") as study:
        study.who, study.people_ids = trial.who, trial.people_ids
        row = event(study, facts=first, jurisdictions=("US", "EU", "CN"))
        for step in steps:
            before = {one.rule: one.due for one in obligations(study, NOW)}
            later(clock, seconds=1)
            if not isinstance(step, str):
                revise(study, row, step[0], aware=(NOW - timedelta(minutes=step[1])).isoformat())
            elif step not in [one["rule"] for one in study.rows("rule_confirmation")]:
                do(study, ConfirmRule(step, "looked up"))
            after = {one.rule: one.due for one in obligations(study, NOW)}
            assert all(after[rule] <= moment for rule, moment in before.items())


def test_of_several_participants_no_obligation_names_another(trial):
    rows = {event(trial, n, term=f"event {n}", facts=facts): n for n, facts in enumerate((FACTS, FATAL, FATAL))}
    found = obligations(trial, NOW)
    assert [one.participant for one in found] == ["P-02", "P-03", "P-01"]
    for one in found:
        n = rows[one.row_id]
        assert (one.participant, one.what) == (f"P-0{n + 1}", f"event {n}")
    (second,) = [row for row, n in rows.items() if n == 1]
    do(trial, MarkSent("adverse_event", second, "cn.sae.fatal", "NMPA-7"))
    assert [one.participant for one in obligations(trial, NOW) if one.sent_at] == ["P-02"]


# ------------------------------------------------------------------------------ states and reports
@pytest.mark.parametrize(
    ("before", "state"),
    [
        (timedelta(days=2), "running"),
        (timedelta(hours=24), "running"),
        (timedelta(hours=24) - timedelta(seconds=1), "due_soon"),
        (timedelta(seconds=1), "due_soon"),
        (timedelta(0), "overdue"),
        (timedelta(hours=-1, minutes=-15), "overdue"),
    ],
)
def test_a_report_runs_is_due_soon_within_a_day_and_overdue_at_its_moment(trial, before, state):
    event(trial)
    (one,) = obligations(trial, datetime.fromisoformat(DUE_OTHER) - before)
    assert one.state == state
    if before < timedelta(hours=-1):
        assert one.text == "Overdue by 1 h 15 min. Send it now; record why it is late."


def test_a_report_in_time_needs_no_reason_and_is_acknowledged_once(trial):
    row = event(trial)
    with pytest.raises(BadValue, match="reference"):
        do(trial, MarkSent("adverse_event", row, "cn.sae.other", " "))
    sent = do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-1"))
    do(trial, MarkSeen(sent, reference="receipt 4"))
    (one,) = obligations(trial, NOW + timedelta(days=99))
    assert (one.state, one.reference, one.acknowledged_at) == ("sent", "NMPA-1", "2026-03-01T09:30:00.000Z")
    assert trial.count("deviation") == 0
    with pytest.raises(Refused, match="sent on 2026-03-01"):
        do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-2"))
    with pytest.raises(Refused, match="confirmed already"):
        do(trial, MarkSeen(sent))


def test_a_report_sent_late_needs_the_reason_and_is_a_deviation(trial, clock):
    row = event(trial)
    later(clock, days=16)
    with pytest.raises(BadValue, match="the report under cn.sae.other is 17 h 30 min late; give the reason"):
        do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-1"))
    sent = do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-1"), "the fax was broken")
    (one,) = obligations(trial, now(clock))
    assert (one.state, one.late_because) == ("sent_late", "the fax was broken")
    (deviation,) = trial.rows("deviation")
    assert (deviation["category"], deviation["row_id"], deviation["participant_id"]) == (
        "reporting", sent, trial.people_ids[0],
    )  # fmt: skip
    assert "17 h 30 min late: the fax was broken" in deviation["text"]
    assert trial.get("obligation_event", sent)["late_s"] == 63_000
    assert verify(trial.folder).ok


def test_a_mistaken_sent_is_taken_back_with_a_reason_and_the_clock_is_the_one_it_always_was(trial, clock):
    row = event(trial)
    sent = do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-1"))
    do(trial, MarkSeen(sent, reference="receipt 4"))
    with pytest.raises(BadValue, match="needs a reason"):
        do(trial, RetractSent(sent), " ")
    do(trial, RetractSent(sent), "it was the report of P-02")
    (one,) = obligations(trial, now(clock))
    assert (one.state, one.due.isoformat(), one.sent_at, one.acknowledged_at) == ("running", DUE_OTHER, "", "")
    assert [(was.reference, was.reason) for was in one.retracted] == [("NMPA-1", "it was the report of P-02")]
    assert [one["action"] for one in trial.rows("obligation_event")] == ["sent", "acknowledged", "retracted"]
    for change in (RetractSent(sent), MarkSeen(sent)):
        with pytest.raises(Refused, match="taken back"):
            do(trial, change, "again")
    later(clock, days=16)
    assert due(trial, now(clock))["cn.sae.other"][1] == "overdue"
    do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-2"), "sent after the mistake was found")
    (one,) = obligations(trial, now(clock))
    assert (one.state, one.reference, len(one.retracted)) == ("sent_late", "NMPA-2", 1)
    assert verify(trial.folder).ok


def test_only_what_was_sent_is_taken_back(trial):
    told = do(trial, TellSomebody("adverse_event", event(trial), "Dr D", "phone"))
    with pytest.raises(Refused, match="this entry is told"):
        do(trial, RetractSent(told), "a mistake")
    with pytest.raises(UnknownName, match="obligation_event"):
        do(trial, RetractSent("nowhere"), "a mistake")


def test_the_report_of_a_void_event_is_closed_by_the_letter_that_says_so(trial):
    row = event(trial)
    revise(trial, row, state="void", reason="entered for the wrong person")
    (one,) = obligations(trial, NOW)
    assert "tell the addressee that it was entered in error, then mark that letter as sent" in one.kept
    do(trial, MarkSent("adverse_event", row, "cn.sae.other", "letter 7"))
    assert due(trial)["cn.sae.other"][1] == "sent"


def test_a_report_that_an_earlier_awareness_makes_late_is_noticed_once(trial, clock):
    row = event(trial, aware="2026-03-01T08:00Z")
    later(clock, days=15)
    do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-1"))
    assert due(trial, now(clock))["cn.sae.other"][1] == "sent"
    for _ in range(2):
        revise(trial, row, aware="2026-02-20T08:00Z", onset="2026-02-19", reason="the ward knew before")
    assert due(trial, now(clock))["cn.sae.other"][1] == "sent_late"
    assert ["late by an earlier awareness" in one["text"] for one in trial.rows("deviation")] == [True]


def test_a_remark_on_a_report_in_time_is_no_reason_why_it_turned_out_late(trial, clock, capsys):
    row = event(trial, aware="2026-03-01T08:00Z")
    later(clock, days=15)
    do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-1"), "sent with the annex")
    revise(trial, row, aware="2026-02-20T08:00Z", onset="2026-02-19", reason="the ward knew before")
    (one,) = obligations(trial, now(clock))
    assert (one.state, one.late_because) == ("sent_late", "")
    trial.close()
    assert main(["safety", str(trial.folder), "--on", "2026-03-16T12:00Z"]) == 0
    shown = capsys.readouterr().out
    assert "(NMPA-1)" in shown
    assert "late because" not in shown


def test_a_report_is_sent_between_awareness_and_now_and_only_where_it_is_due(trial):
    row = event(trial)
    for at, why in (("2026-03-01T07:00Z", "after somebody became aware"), ("2026-03-02T07:00Z", "ahead of now")):
        with pytest.raises(BadValue, match=why):
            do(trial, MarkSent("adverse_event", row, "cn.sae.other", "x", at=at))
    with pytest.raises(UnknownName, match=r"no report is due under 'cn.sae.fatal'; .* cn.sae.other"):
        do(trial, MarkSent("adverse_event", row, "cn.sae.fatal", "x"))
    with pytest.raises(BadValue, match="adverse_event, device_deficiency"):
        do(trial, MarkSent("participant", trial.people_ids[0], "cn.sae.other", "x"))


def test_a_report_is_sent_after_the_earliest_awareness_also_where_a_later_one_is_the_clock(trial):
    row = event(trial, aware="2026-03-01T08:00Z", zone="Asia/Shanghai")
    change = ReviseEvent(row, "2026-03-01T09:00Z", "Pacific/Pago_Pago", facts=FACTS)
    do(trial, change, "the sponsor was told")
    assert obligations(trial, NOW)[0].aware[1] == "2026-03-01T09:00:00.000Z"
    with pytest.raises(BadValue, match="became aware, at 2026-03-01T08:00"):
        do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-1", at="2026-03-01T07:59Z"))
    do(trial, MarkSent("adverse_event", row, "cn.sae.other", "NMPA-1", at="2026-03-01T08:30Z"))
    assert obligations(trial, NOW)[0].state == "sent"


def test_an_extension_moves_the_moment_keeps_the_rules_time_and_comes_in_time(trial, clock):
    row = event(trial)
    more = ExtendObligation("adverse_event", row, "cn.sae.other", "2026-03-20T16:00Z", "letter 5", "Ms Gao, NMPA")
    with pytest.raises(BadValue, match="needs who gave it"):
        do(trial, more)
    do(trial, more, "autopsy is awaited")
    later(clock, days=18)
    (one,) = obligations(trial, now(clock))
    assert (one.state, one.due.isoformat()) == ("running", "2026-03-20T16:00:00+00:00")
    assert one.due_text == "by the end of 2026-03-16 in Asia/Shanghai"
    earlier = ExtendObligation("adverse_event", row, "cn.sae.other", "2026-03-19T16:00Z", "letter 6", "Ms Gao")
    with pytest.raises(BadValue, match="leads beyond"):
        do(trial, earlier, "x")
    later(clock, days=9)
    with pytest.raises(Refused, match="no extension brings it back"):
        do(trial, more, "too late")


def test_who_was_told_is_shown_with_whether_they_saw_it_and_what_is_next(trial):
    row = event(trial)
    told = do(trial, TellSomebody("adverse_event", row, "Dr D", "phone", "looks at the wound"))
    do(trial, TellSomebody("adverse_event", row, "the sponsor", "mail", rule="cn.sae.other"))
    do(trial, MarkSeen(told, at="2026-03-01T09:30:00Z"))
    (one,) = obligations(trial, NOW)
    assert [(t.person, t.how, bool(t.seen_at), t.next_step) for t in one.told] == [
        ("Dr D", "phone", True, "looks at the wound"), ("the sponsor", "mail", False, ""),
    ]  # fmt: skip
    with pytest.raises(BadValue, match="both"):
        do(trial, TellSomebody("adverse_event", row, "", "phone"))


@pytest.mark.parametrize(
    "moment", [datetime(2026, 3, 1), datetime(1969, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_clocks_are_read_at_a_moment_of_our_time_in_utc(trial, moment):
    with pytest.raises(BadValue, match="must be in UTC, from 1970 to 2999"):
        desk(trial, moment)


# ------------------------------------------------------------------------------ rules from memory
def test_a_rule_from_memory_is_off_until_it_is_confirmed_and_the_desk_names_it(trial):
    event(trial)
    assert "cn.sae.investigator" not in due(trial)
    (off,) = withheld(trial)
    assert (off.participant, "rule cn.sae.investigator (24 h) would apply but is off" in off.rules[0]) == (
        "P-01",
        True,
    )
    assert obligations(trial, NOW)[0].withheld == off.rules
    assert "1 rule that would apply is off" in " ".join(desk(trial, NOW).verdict)
    with pytest.raises(BadValue, match="looked up"):
        do(trial, ConfirmRule("cn.sae.investigator", ""))
    do(trial, ConfirmRule("cn.sae.investigator", "Decree 28, article read on 2026-03-01"))
    assert due(trial)["cn.sae.investigator"] == ("2026-03-02T08:00:00+00:00", "due_soon")
    assert withheld(trial) == ()
    for rule, error in (("cn.sae.investigator", Refused), ("us.uade.sponsor", Refused), ("cn.x", UnknownName)):
        with pytest.raises(error):
            do(trial, ConfirmRule(rule, "x"))


def test_a_stricter_rule_that_is_confirmed_later_keeps_what_was_due_with_all_that_was_done(trial, clock):
    sent, unsent = (event(trial, n, IMMINENT, jurisdictions=("EU",), country="DE") for n in (0, 1))
    later(clock, minutes=1)
    do(trial, ConfirmRule("eu.80.other", "Art. 80(2) read"))
    report = do(trial, MarkSent("adverse_event", sent, "eu.80.other", "BfArM 1"))
    do(trial, MarkSeen(report))
    before = {one.row_id: one for one in obligations(trial, NOW)}
    later(clock, minutes=1)
    do(trial, ConfirmRule("eu.80.imminent", "Art. 80(2) read again"))
    later(clock, minutes=1)
    fresh = event(trial, 2, IMMINENT, jurisdictions=("EU",), country="DE")
    found = {(one.row_id, one.rule): one for one in obligations(trial, NOW)}
    assert found.keys() == {
        (sent, "eu.80.other"), (unsent, "eu.80.other"),
        *((row, "eu.80.imminent") for row in (sent, unsent, fresh)),
    }  # fmt: skip
    for row in (sent, unsent):
        one = found[row, "eu.80.other"]
        assert one.kept.code == "reporting.kept_beside_stricter"
        assert replace(one, kept=None, withheld=()) == replace(before[row], withheld=())
        assert found[row, "eu.80.imminent"].kept is None
    assert found[sent, "eu.80.other"].reference == "BfArM 1"
    assert found[sent, "eu.80.other"].acknowledged_at
    do(trial, MarkSent("adverse_event", unsent, "eu.80.other", "BfArM 2"))
    assert verify(trial.folder).ok


def test_a_report_that_was_sent_stays_although_the_clock_was_put_back_before_a_stricter_rule(trial, clock):
    row = event(trial, facts=IMMINENT, jurisdictions=("EU",), country="DE", aware="2026-02-20T08:00Z", onset="")
    do(trial, ConfirmRule("eu.80.other", "Art. 80(2) read"))
    do(trial, MarkSent("adverse_event", row, "eu.80.other", "BfArM 1"), "late")
    later(clock, hours=-1)
    do(trial, ConfirmRule("eu.80.imminent", "Art. 80(2) read again"))
    assert [one.rule for one in obligations(trial, NOW) if one.reference] == ["eu.80.other"]


def test_an_event_for_which_every_rule_is_off_is_still_on_the_desk(trial):
    event(trial, jurisdictions=("EU",), country="DE")
    found = desk(trial, NOW)
    assert found.obligations == ()
    assert found.withheld[0].what == "fever"
    assert found.verdict[:2] == (
        "No report is due this week.",
        "2 rules that would apply are off until somebody confirms them.",
    )


# ------------------------------------------------------------------------------ deficiencies
def test_a_deficiency_may_concern_no_participant_and_an_engineer_may_report_it(trial):
    change = ReportDeficiency(
        "stimulator", "reset by itself", "2026-03-01T09:00", {"could_have_led_to_sae": None}, AWARE,
        "Europe/Berlin", "DE", jurisdictions=("EU",), serial="77",
    )  # fmt: skip
    row = do(trial, change, role="engineer")
    do(trial, ConfirmRule("eu.80.other", "Art. 80(2) read"))
    (one,) = obligations(trial, NOW)
    assert (one.participant, one.what, one.rule) == ("", "stimulator", "eu.80.other")
    assert "nobody has said" in one.warnings[0]
    harmless = {"could_have_led_to_sae": False}
    do(trial, ReviseDeficiency(row, AWARE, "Europe/Berlin", facts=harmless), "bench test", role="engineer")
    assert "kept after downgrade" in obligations(trial, NOW)[0].kept
    with pytest.raises(Refused, match="ReportEvent is for"):
        do(trial, ReportEvent(trial.people_ids[0], "x", "", MILD, AWARE, "UTC", "DE"), role="engineer")
    assert verify(trial.folder).ok


def test_a_late_report_on_a_device_of_nobody_is_a_deviation_of_nobody(trial, clock):
    facts = {"could_have_led_to_sae": True, "marketed": True}
    row = do(trial, ReportDeficiency("lead", "broke", "", facts, AWARE, "UTC", "DE", jurisdictions=("EU",)))
    later(clock, days=30)
    do(trial, MarkSent("device_deficiency", row, "eu.87.serious", "BfArM 3"), "found at the stocktake")
    assert trial.rows("deviation")[0]["participant_id"] is None
    assert verify(trial.folder).ok


# ------------------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"facts": {**FACTS, "mood": 1}}, "facts have the fields"),
        ({"facts": {"serious": True}}, "facts have the fields"),
        ({"facts": {**FACTS, "criteria": "death"}}, "criteria must be one of"),
        ({"facts": {**FACTS, "serious": "yes"}}, "serious must be one of"),
        ({"facts": {**FACTS, "criteria": []}}, "needs a criterion"),
        ({"facts": []}, "facts have the fields"),
        ({"aware": "2026-03-01T09:31Z"}, "ahead of now"),
        ({"aware": "2026-03-01T08:00"}, "in UTC"),
        ({"aware": "yesterday"}, "in UTC"),
        ({"zone": "Mars/Base"}, "time zone"),
        ({"country": "China"}, "two capital letters"),
        ({"jurisdictions": ("XX",)}, "jurisdictions are one or more"),
        ({"onset": "2026-13"}, "an onset is empty, or 2026"),
        ({"onset": "March"}, "an onset is empty, or 2026"),
        ({"onset": "2026-03-05"}, "nobody becomes aware before the onset"),
        ({"term": " "}, "needs a term"),
        ({"term": "x" * 501}, "at most 500 characters"),
        ({"outcome": "fine"}, "outcome of a adverse_event must be one of"),
        ({"coding": {"code": 5}}, "a coding has"),
    ],
)
def test_a_wrong_event_is_one_sentence_and_nothing_is_written(trial, wrong, why):
    before = trial.head()
    with pytest.raises(BadValue, match=why):
        event(trial, **wrong)
    assert trial.head() == before


@pytest.mark.parametrize(
    ("onset", "precision"),
    [
        ("", "unknown"),
        ("2026", "year"),
        ("2026-02", "month"),
        ("2026-02-28", "day"),
        ("2026-03-01T15:59", "minute"),
    ],
)
def test_an_onset_keeps_how_much_of_it_is_known(trial, onset, precision):
    row = trial.get("adverse_event", event(trial, onset=onset))
    assert (row["onset"], row["precision"]) == (onset, precision)


# ------------------------------------------------------------------------------ locks, kills
def three(study):
    return [study.who[role].confirm(SECRET) for role in ("data_manager", "investigator", "statistician")]


def test_safety_is_reported_under_a_freeze_and_under_a_hard_lock(trial, clock):
    first = event(trial)
    do(trial, Freeze("participant", trial.people_ids[0]), "interim", role="data_manager")
    revise(trial, first, FATAL)
    with pytest.raises(Refused, match="cannot be locked yet: 2 reports of safety events are not sent, 1 adverse"):
        trial.apply(LockStudy(), three(trial), "database lock")
    for rule in ("cn.sae.fatal", "cn.sae.other"):
        do(trial, MarkSent("adverse_event", first, rule, "NMPA-1"))
    with pytest.raises(Refused, match="yet: 1 adverse events are not coded, 1 serious adverse events are not"):
        trial.apply(LockStudy(), three(trial), "database lock")
    do(trial, CodeEvent(first, "MedDRA", "28.1", "10040047", "Sepsis"), role="data_manager")
    revise(trial, first, FATAL, state="closed")
    trial.apply(LockStudy(), three(trial), "database lock")
    with pytest.raises(Refused, match="study was locked"):
        trial.append(Visit(trial.people_ids[1], "week 4"))
    second = event(trial, 1)
    implant = do(trial, Implant(trial.people_ids[1], "NEO", "2026-02-01", "epidural"))
    do(trial, RecordFinding(implant, "wound", "2026-03-01", "red", notable=True))
    later(clock, days=40)
    do(trial, MarkSent("adverse_event", second, "cn.sae.other", "NMPA-2"), "found after the lock")
    do(trial, JudgeEvent(second, "infections", counts=False), "no infection")
    assert trial.count("deviation") == 1
    assert verify(trial.folder).ok


def _endless(folder, signer, person, pipe):
    with Study.open(folder, actor=signer.name) as study:
        for n in range(10_000):
            study.apply(ReportEvent(person, f"event {n}", "", FACTS, AWARE, "UTC", "CN"), signer)
            pipe.send(f"event {n}")


@pytest.mark.parametrize("acknowledged", [1, 3, 6])
def test_a_kill_in_the_middle_leaves_every_obligation_that_was_acknowledged(trial, acknowledged):
    trial.close()
    ours, theirs = FORK.Pipe(duplex=False)
    given = (trial.folder, trial.who["safety_officer"], trial.people_ids[0], theirs)
    process = FORK.Process(target=_endless, args=given)
    process.start()
    theirs.close()
    done = [ours.recv() for _ in range(acknowledged)]
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with Study.open(trial.folder, actor="tests") as study:
        listed = sorted((one.what for one in obligations(study, NOW)), key=lambda what: int(what.split()[1]))
        assert listed[:acknowledged] == done
        # What was not acknowledged is there with its obligation, or not at all.
        assert listed == [row["term"] for row in study.rows("adverse_event")]
        assert study.count("awareness") == len(listed)
    assert verify(trial.folder).ok


def test_an_awareness_that_somebody_edits_in_the_file_is_seen(trial):
    event(trial)
    trial.close()
    with databases.connected(trial) as file, pytest.raises(databases.refused(trial), match="append-only"):
        file.execute("UPDATE awareness SET aware_utc = '2026-03-09T08:00:00.000Z', row_version = 2")


# ------------------------------------------------------------------------------ stopping rules
def test_a_stopping_rule_counts_what_was_judged_and_names_what_was_not(trial):
    rows = [event(trial, n) for n in (0, 0, 1)]
    (rule,) = stopping(trial)
    assert (rule.name, rule.count, rule.pending, rule.met, rule.may_be_met) == ("infections", 0, 2, False, True)
    assert "judge them now" in desk(trial, NOW).verdict[-1]
    for row in rows[:2]:
        do(trial, JudgeEvent(row, "infections", counts=True), "culture")
    # Two events of one participant: the protocol counts participants.
    (rule,) = stopping(trial)
    assert (rule.count, rule.pending, rule.met) == (1, 1, False)
    do(trial, JudgeEvent(rows[2], "infections", counts=True), "culture")
    assert stopping(trial)[0].met
    assert desk(trial, NOW).verdict[-1] == "Stop the study: stopping rules are met (infections)."
    revise(trial, rows[2], state="void", reason="wrong participant")
    assert not stopping(trial)[0].met


@pytest.mark.parametrize("change", [{"facts": FATAL}, {"term": "meningitis"}])
def test_an_event_whose_facts_or_term_change_must_be_judged_again(trial, change):
    row = event(trial, facts=MILD)
    do(trial, JudgeEvent(row, "infections", counts=False), "a cold")
    revise(trial, row, narrative="since Friday", outcome="recovered")
    assert stopping(trial)[0].pending == 0
    revise(trial, row, **change)
    assert (stopping(trial)[0].pending, stopping(trial)[0].count) == (1, 0)
    do(trial, JudgeEvent(row, "infections", counts=True), "culture")
    assert (stopping(trial)[0].pending, stopping(trial)[0].count) == (0, 1)
    assert verify(trial.folder).ok


def test_only_the_safety_officer_judges_and_only_by_rules_of_the_protocol(trial):
    row = event(trial)
    with pytest.raises(UnknownName, match="it has infections"):
        do(trial, JudgeEvent(row, "deaths", counts=True), "x")
    with pytest.raises(Refused, match="JudgeEvent is for safety_officer"):
        do(trial, JudgeEvent(row, "infections", counts=True), "x", role="investigator")
    with pytest.raises(BadValue, match="reason"):
        do(trial, JudgeEvent(row, "infections", counts=True))


# ------------------------------------------------------------------------------ implants
def test_implant_days_run_from_surgery_to_explantation(trial):
    for n, day in ((0, "2026-02-01"), (1, "2026-02-20")):
        do(trial, Implant(trial.people_ids[n], "NEO", day, "epidural", serial=str(n)))
    first = trial.rows("implant")[0]["id"]
    do(trial, Explant(first, "2026-02-21", "implant removed"), "infection")
    days = {one.participant: one.days for one in implant_days(trial, date(2026, 3, 1))}
    assert days == {"P-01": 20, "P-02": 9}
    assert [one.days for one in implant_days(trial, date(2026, 2, 2))] == [1]
    (gone,) = intercurrent_events(trial)
    assert (gone.participant, gone.event, gone.on) == ("P-01", "implant removed", "2026-02-21")


def test_a_removal_is_an_intercurrent_event_of_the_participants_protocol(trial):
    do(trial, Enrol(trial.people_ids[0], "S-1"), role="investigator")
    row = do(trial, Implant(trial.people_ids[0], "NEO", "2026-02-01", "epidural", serial="1"))
    with pytest.raises(BadValue, match="implant removed"):
        do(trial, Explant(row, "2026-02-21", "explant"), "infection")
    with pytest.raises(BadValue, match="reason"):
        do(trial, Explant(row, "2026-02-21", "implant removed"))
    with pytest.raises(BadValue, match="on or after the day of its surgery"):
        do(trial, Explant(row, "2026-01-21", "implant removed"), "x")
    with pytest.raises(Refused, match="implanted already"):
        do(trial, Implant(trial.people_ids[1], "NEO", "2026-02-01", "epidural", serial="1"))
    do(trial, Explant(row, "2026-02-21", "implant removed"), "infection")
    with pytest.raises(Refused, match="taken out on 2026-02-21"):
        do(trial, Explant(row, "2026-02-22", "implant removed"), "x")


def test_the_removal_of_an_implant_is_stated_by_its_change_alone_and_what_it_is_may_be_corrected(trial):
    row = do(trial, Implant(trial.people_ids[0], "NEO", "2026-02-01", "epidural", serial="1"))
    trial.amend("implant", row, {"serial": "2"}, reason="misread")
    for changes in ({"explanted_on": "2026-02-21"}, {"intercurrent": "x"}, {"explant_reason": "x", "serial": "3"}):
        with pytest.raises(Refused, match="implant is corrected by Explant"):
            trial.amend("implant", row, changes, reason="x")
    assert intercurrent_events(trial) == ()
    do(trial, Explant(row, "2026-02-21", "implant removed"), "infection")
    with pytest.raises(BadValue, match="named as there"):
        do(trial, Explant(row, "2026-02-22", " ", correct=True), "typing error")
    do(trial, Explant(row, "2026-02-22", "implant removed", correct=True), "typing error")
    (gone,) = intercurrent_events(trial)
    assert (gone.event, gone.on) == ("implant removed", "2026-02-22")
    assert verify(trial.folder).ok


def test_surveillance_shows_findings_first_and_quiet_implants_last(trial):
    quiet, other = (do(trial, Implant(p, "NEO", "2026-02-01", "epidural")) for p in trial.people_ids[:2])
    for day, ohm in (("2026-02-10", 900), ("2026-02-20", 4100)):
        do(trial, RecordFinding(quiet, "impedance", day, "one contact", values={"1": ohm}))
    do(trial, RecordFinding(other, "imaging", "2026-02-25", "clean"))
    do(trial, RecordFinding(other, "lead", "2026-02-24", "moved 2 mm", notable=True))
    first, last = surveillance(trial, date(2026, 2, 15))  # no planned check is over
    assert (first.participant, first.findings[0].text, last.participant, last.quiet) == (
        "P-02", "moved 2 mm", "P-01", True,
    )  # fmt: skip
    assert [one.values["1"] for one in last.findings] == [4100, 900]
    for wrong in ({}, {"1": "high"}, {"1": True}, {1: 900.0}, "high", [1310.0], 7):
        with pytest.raises(BadValue, match="impedance"):
            do(trial, RecordFinding(quiet, "impedance", "2026-03-01", "x", values=wrong))


def test_planned_checks_of_an_implant_are_done_due_or_missed_and_end_with_its_removal(trial):
    row = do(trial, Implant(trial.people_ids[0], "NEO", "2026-01-01", "epidural"))

    def stands(on: date) -> list[tuple[str, str, str, str]]:
        (one,) = surveillance(trial, on)
        return [(check.name, check.planned, check.found_on, check.state) for check in one.checks]

    # Wound on day 10 (7 to 14), impedance every 30 days (23 to 37).
    assert stands(date(2026, 1, 5)) == [
        ("Wound", "2026-01-11", "", "ahead"), ("Impedance", "2026-01-31", "", "ahead"),
    ]  # fmt: skip
    assert stands(date(2026, 1, 15))[0][-1] == "due"  # the last day of the window belongs to it
    assert (stands(date(2026, 1, 16))[0][-1], surveillance(trial, date(2026, 1, 16))[0].quiet) == ("missed", False)
    do(trial, RecordFinding(row, "impedance", "2026-02-07", "as before", values={"1": 900}))
    do(trial, RecordFinding(row, "wound", "2026-01-16", "closed"))  # a day late
    assert stands(date(2026, 3, 1)) == [
        ("Wound", "2026-01-11", "", "missed"),
        ("Impedance", "2026-01-31", "2026-02-07", "done"),
        ("Impedance", "2026-03-02", "", "due"),
        ("Impedance", "2026-04-01", "", "ahead"),
    ]
    assert stands(date(2026, 2, 6))[1] == ("Impedance", "2026-01-31", "2026-02-07", "due")  # as it stood that day
    do(trial, Explant(row, "2026-02-21", "implant removed"), "infection")
    assert [state for *_, state in stands(date(2026, 6, 1))] == ["missed", "done"]


def test_a_finding_is_corrected_with_its_history_and_one_entered_by_mistake_is_no_check_that_was_done(trial):
    row = do(trial, Implant(trial.people_ids[0], "NEO", "2026-01-01", "epidural"))
    found = do(trial, RecordFinding(row, "wound", "2026-01-16", "red", notable=True))  # a day after the window

    def wound() -> tuple[str, bool]:
        (one,) = surveillance(trial, date(2026, 2, 1))
        return next(check.state for check in one.checks if check.name == "Wound"), one.quiet

    assert wound() == ("missed", False)
    right = ReviseFinding(found, "wound", "2026-01-12", "closed", row_version=1)
    with pytest.raises(BadValue, match="reason"):
        do(trial, right)
    with pytest.raises(BadValue, match="on or after the day of surgery"):
        do(trial, ReviseFinding(found, "wound", "2025-12-31", "closed"), "misread")
    with pytest.raises(BadValue, match="impedance"):
        do(trial, ReviseFinding(found, "impedance", "2026-01-12", "closed"), "misread")
    with pytest.raises(Refused, match="implant_finding is corrected by ReviseFinding"):
        trial.amend("implant_finding", found, {"found_on": "2026-01-12"}, reason="x")
    do(trial, right, "the date was misread")
    assert wound() == ("done", True)
    with pytest.raises(BadValue, match="nothing differs"):
        do(trial, ReviseFinding(found, "wound", "2026-01-12", "closed"), "again")
    with pytest.raises(RecordFault, match="version"):
        do(trial, ReviseFinding(found, "wound", "2026-01-13", "open", row_version=1), "seen before that")
    with pytest.raises(BadValue, match="reason"):
        do(trial, VoidFinding(found))
    do(trial, VoidFinding(found), "of another participant")
    assert wound() == ("missed", False)
    for change in (VoidFinding(found), ReviseFinding(found, "wound", "2026-01-13", "open")):
        with pytest.raises(Refused, match="entered by mistake and is corrected no more"):
            do(trial, change, "x")
    told = [(one["reason"], one["old"] or {}) for one in trial.history("implant_finding", found)]
    assert [reason for reason, _ in told] == ["", "the date was misread", "of another participant"]
    assert told[1][1] == {"found_on": "2026-01-16", "text": "red", "notable": True}
    assert verify(trial.folder).ok


# ------------------------------------------------------------------------------ table
def test_adverse_events_are_a_table(trial, empty):
    assert list(empty.adverse_events().columns)[:3] == ["participant", "term", "classification"]
    row = event(trial, coding={"dictionary": "MedDRA", "code": "10037660", "term": "Pyrexia"})
    revise(trial, row, FATAL, aware="2026-03-01T07:00Z")
    table = trial.adverse_events()
    one = table.iloc[0]
    assert (one.participant, one.term, one.coded_term, one.criteria) == ("P-01", "fever", "Pyrexia", ("death",))
    assert one.aware.isoformat() == "2026-03-01T07:00:00+00:00"
    assert (str(table.dtypes["expected"]), str(table.dtypes["serious"])) == ("boolean", "bool")
