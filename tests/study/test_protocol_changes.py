"""The protocol in the record: versions, enrolment, visits that follow their anchors, forms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.doors import SteppedClock
from tests.study.versions import over
from workbench import world
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.study import Study, protocol, verify
from workbench.study.changes import (
    AddVisit,
    Adjudicate,
    AdoptProtocol,
    AnswerCriterion,
    Enrol,
    GiveConsent,
    HoldVisit,
    MissVisit,
    MoveToProtocol,
    SaveForm,
    SetAnchor,
    SetStatus,
    WithdrawConsent,
)
from workbench.study.changes.entering import differences
from workbench.vocabulary import Participant

SECRET = "correct horse"
EXAMPLE = Path(__file__).parents[2] / "data_samples" / "protocol_neo_hand.toml"
VITALS = {"measured_on": "2026-03-01", "systolic": 120, "skin_whole": True}


@pytest.fixture(scope="module")
def definition():
    return protocol.read(EXAMPLE).definition()


@pytest.fixture
def trial(empty, definition):
    """A study under the example, one enrolled participant whose visits are counted from 1 March 2026."""
    study = empty
    study.who = {}
    for login, role in (
        ("inv", "investigator"), ("stat", "statistician"), ("dm", "data_manager"), ("a1", "assessor"),
        ("a2", "assessor"),
    ):  # fmt: skip
        study.add_person(login, f"Dr {login}", SECRET, (role,))
        study.who[login] = study.sign_in(login, SECRET)
    study.apply(AdoptProtocol(definition), both(study))
    study.person = study.append(Participant("P-041"))
    study.apply(Enrol(study.person, "S-001"), study.who["inv"])
    study.apply(consent(study, "1.0"), study.who["inv"])
    study.apply(SetAnchor(study.person, "consent", "2026-03-01"), study.who["inv"])
    return study


def both(study):
    return [study.who[login].confirm(SECRET) for login in ("inv", "stat")]


def consent(study, version):
    return GiveConsent(study.person, ("participation", "neural_data_use"), version, "2026-03-01")


def visit(study, name):
    (row,) = study.rows("visit", participant_id=study.person, name=name)
    return row


def days(study, name):
    row = visit(study, name)
    return row["earliest"], row["planned"], row["latest"]


def saved(study, values, *, by="a1", reason="", **more):
    """Save a form at the screening visit over the version that stands there, unless another one is named."""
    place, form = visit(study, "Screening")["id"], more.pop("form", "vitals")
    change = SaveForm(place, form, values, **more)
    change = change if "row_version" in more else over(study, change)
    return study.apply(change, study.who[by], reason)


# ------------------------------------------------------------------------------ versions
def test_a_version_of_the_protocol_is_kept_whole_with_two_signatures_and_never_changes(trial, definition):
    (version,) = trial.rows("protocol_version")
    assert protocol.Protocol.from_definition(version["definition"]).sha256 == version["sha256"]
    assert {row["signer"] for row in trial.rows("signature")} == {"Dr inv", "Dr stat"}
    with pytest.raises(RecordFault, match="append-only"):
        trial.amend("protocol_version", version["id"], {"version": "2"}, reason="x")
    with pytest.raises(Refused, match="in the record already"):
        trial.apply(AdoptProtocol(definition), both(trial))
    assert verify(trial.folder).ok


def test_a_protocol_with_a_fault_or_one_signature_is_not_adopted(trial, definition):
    with pytest.raises(BadValue, match="arm"):
        trial.apply(AdoptProtocol({**definition, "arm": []}), both(trial))
    with pytest.raises(Refused, match="needs 2 fresh signatures"):
        trial.apply(AdoptProtocol(definition), trial.who["inv"].confirm(SECRET))


def test_a_participant_moves_to_an_amendment_only_with_consent_to_its_document(trial, definition):
    later = {**definition, "study": {**definition["study"], "version": "1.1.0"}}
    later["consent"] = {**definition["consent"], "document_version": "2.0"}
    trial.apply(AdoptProtocol(later), both(trial))
    with pytest.raises(Refused, match=r"consent to document 2\.0, the participant consented to 1\.0"):
        trial.apply(MoveToProtocol(trial.person, "1.1.0"), trial.who["inv"], "amendment 1")
    trial.apply(consent(trial, "2.0"), trial.who["inv"], "new document signed")
    trial.apply(MoveToProtocol(trial.person, "1.1.0"), trial.who["inv"], "amendment 1")
    with pytest.raises(UnknownName, match="no version '9'"):
        trial.apply(MoveToProtocol(trial.person, "9"), trial.who["inv"], "x")


def test_what_was_not_held_is_planned_by_the_version_that_a_participant_moved_to(trial, definition):
    later = {**definition, "study": {**definition["study"], "version": "1.1.0"}}
    first, *others = definition["visit"]
    later["visit"] = [{**first, "day": 2, "latest": 20}, *others]
    trial.apply(AdoptProtocol(later), both(trial))
    assert days(trial, "Screening") == ("2026-03-01", "2026-03-01", "2026-03-15")
    trial.apply(MoveToProtocol(trial.person, "1.1.0"), trial.who["inv"], "amendment 1")
    assert days(trial, "Screening") == ("2026-03-01", "2026-03-03", "2026-03-21")
    assert days(trial, "Baseline")[1] == "2026-03-10"


# ------------------------------------------------------------------------------ enrolment
def test_nobody_is_enrolled_before_every_criterion_is_met_with_evidence_and_consent_given(trial, definition):
    enrolled = SetStatus(trial.person, "enrolled")
    with pytest.raises(Refused, match="not answered or not met: I1, I2, E1"):
        trial.apply(enrolled, trial.who["inv"], "screened")
    for criterion, answer in (("I1", "yes"), ("I2", "yes"), ("E1", "yes")):
        trial.apply(AnswerCriterion(trial.person, criterion, answer, "exam of 1 March"), trial.who["inv"])
    with pytest.raises(Refused, match="not met: E1"):
        trial.apply(enrolled, trial.who["inv"], "screened")
    trial.apply(AnswerCriterion(trial.person, "E1", "no", "skin looked at again"), trial.who["inv"])
    trial.apply(enrolled, trial.who["inv"], "screened")
    assert trial.rows("enrolment")[0]["status"] == "enrolled"
    for wrong in (
        AnswerCriterion(trial.person, "I9", "yes", "x"),
        AnswerCriterion(trial.person, "I1", "yes", " "),
    ):
        with pytest.raises((UnknownName, BadValue)):
            trial.apply(wrong, trial.who["inv"])


def test_a_participant_without_consent_is_not_enrolled_and_nobody_twice(trial):
    other = trial.append(Participant("P-042"))
    with pytest.raises(Refused, match="not in the study yet"):
        trial.apply(SetStatus(other, "enrolled"), trial.who["inv"], "x")
    trial.apply(Enrol(other, "S-002"), trial.who["inv"])
    with pytest.raises(Refused, match="no consent in force to participation, neural_data_use"):
        trial.apply(SetStatus(other, "enrolled"), trial.who["inv"], "x")
    with pytest.raises(Refused, match="in the study already"):
        trial.apply(Enrol(other, "S-003"), trial.who["inv"])


# ------------------------------------------------------------------------------ visits
def test_planned_visits_follow_their_anchors_until_they_are_held(trial):
    assert days(trial, "Screening") == ("2026-03-01", "2026-03-01", "2026-03-15")
    assert days(trial, "Baseline") == ("2026-03-02", "2026-03-08", "2026-03-29")
    trial.apply(HoldVisit(visit(trial, "Screening")["id"], "2026-03-10"), trial.who["a1"])
    assert days(trial, "Baseline") == ("2026-03-11", "2026-03-17", "2026-04-07")
    trial.apply(SetAnchor(trial.person, "consent", "2026-02-20"), trial.who["inv"], "date was misread")
    assert days(trial, "Screening") == ("2026-03-01", "2026-03-01", "2026-03-15")
    assert trial.rows("visit", name="Week 12") == []
    trial.apply(SetAnchor(trial.person, "implant", "2026-04-01"), trial.who["inv"])
    assert days(trial, "Week 12") == ("2026-06-17", "2026-06-24", "2026-07-08")


class FarEast(SteppedClock):
    """Where it is already tomorrow in the morning of 2 March, on 1 March in UTC."""

    def now(self):
        return datetime(2026, 3, 1, 23, 0, tzinfo=UTC)

    def local(self):
        return datetime(2026, 3, 2, 7, 0, tzinfo=timezone(timedelta(hours=8)))


def test_today_is_the_day_of_the_place_also_where_it_is_tomorrow_in_utc(trial):
    with world.entered(clock=FarEast()):
        trial.apply(HoldVisit(visit(trial, "Screening")["id"], "2026-03-02"), trial.who["a1"])
        today = GiveConsent(trial.person, ("upload",), "1.0", "2026-03-02")
        trial.apply(today, trial.who["inv"], "asked at the visit")
        with pytest.raises(BadValue, match="today or earlier"):
            trial.apply(replace(today, consented_on="2026-03-03"), trial.who["inv"])
    assert visit(trial, "Screening")["started"] == "2026-03-02"


def test_a_visit_outside_its_window_is_a_deviation_and_one_inside_is_none(trial):
    trial.apply(HoldVisit(visit(trial, "Screening")["id"], "2026-03-10"), trial.who["a1"])
    assert trial.rows("deviation") == []
    trial.apply(HoldVisit(visit(trial, "Baseline")["id"], "2026-05-01"), trial.who["a1"])
    (deviation,) = trial.rows("deviation")
    assert (deviation["category"], deviation["automatic"]) == ("visit_window", True)
    assert "outside its window of 2026-03-11 to 2026-04-07" in deviation["text"]
    with pytest.raises(Refused, match="is closed"):
        trial.apply(HoldVisit(visit(trial, "Baseline")["id"], "2026-05-02"), trial.who["a1"])


def test_a_missed_visit_is_a_deviation_with_its_reason(trial):
    with pytest.raises(BadValue, match="reason"):
        trial.apply(MissVisit(visit(trial, "Baseline")["id"]), trial.who["a1"])
    trial.apply(MissVisit(visit(trial, "Baseline")["id"]), trial.who["a1"], "was in another hospital")
    assert "was in another hospital" in trial.rows("deviation", category="visit_missed")[0]["text"]


def test_an_unscheduled_visit_is_added_and_a_wrong_day_or_anchor_is_one_sentence(trial):
    trial.apply(AddVisit(trial.person, "Pain after a fall", "2026-03-05"), trial.who["a1"])
    assert visit(trial, "Pain after a fall")["status"] == "unscheduled"
    head = trial.head()
    for wrong in (
        AddVisit(trial.person, "Screening", "2026-03-05"), AddVisit(trial.person, "x", "5 March"),
        SetAnchor(trial.person, "birthday", "2026-03-05"), SetAnchor(trial.person, "implant", "2026-13-05"),
        HoldVisit(visit(trial, "Baseline")["id"], "2999-01-01"),
    ):  # fmt: skip
        with pytest.raises((BadValue, Refused)):
            trial.apply(wrong, trial.who["inv"], "x")
    assert trial.head() == head


# ------------------------------------------------------------------------------ forms
def test_a_form_with_wrong_values_is_not_saved_and_every_error_is_told_at_once(trial):
    wrong = {"measured_on": "1 March", "systolic": 900, "mood": "good"}
    with pytest.raises(BadValue, match="4 values are not right"):
        saved(trial, wrong)
    assert trial.rows("form") == []


def test_a_doubtful_value_is_kept_and_queried_once(trial):
    form = saved(trial, {**VITALS, "systolic": 190})
    (query,) = trial.rows("query")
    assert (query["table_name"], query["row_id"], query["field"], query["automatic"]) == (
        "form", form, "systolic", True,
    )  # fmt: skip
    saved(trial, {**VITALS, "systolic": 190, "pulse": 70}, reason="pulse added")
    assert trial.count("query") == 1


def test_a_draft_may_lack_values_but_none_that_stands_in_it_is_wrong(trial):
    saved(trial, {"systolic": 120}, state="draft")
    with pytest.raises(BadValue, match="1 values"):
        saved(trial, {"systolic": 900}, state="draft")
    saved(trial, VITALS)
    assert trial.rows("form")[0]["state"] == "complete"


def test_a_complete_form_is_corrected_with_a_reason_and_not_over_somebody_elses_change(trial):
    saved(trial, VITALS)
    with pytest.raises(BadValue, match="reason"):
        saved(trial, {**VITALS, "systolic": 121}, row_version=1)
    saved(trial, {**VITALS, "systolic": 121}, row_version=1, reason="misread")
    for stale in (0, 1):
        with pytest.raises(RecordFault, match="meanwhile"):
            saved(trial, {**VITALS, "systolic": 122}, row_version=stale, reason="misread")


def test_a_form_that_was_shown_and_is_not_in_the_record_is_not_made_anew(trial):
    with pytest.raises(RecordFault, match="is not in the record, although version 1 of it was shown"):
        saved(trial, VITALS, row_version=1)
    assert trial.count("form") == 0


def test_of_a_form_entered_twice_each_has_an_own_entry_and_a_third_person_decides(trial):
    first = {"grasp_1": 2, "grasp_2": 3}
    saved(trial, first, form="arat", entry=1)
    with pytest.raises(Refused, match=r"entry is Dr a1's"):
        saved(trial, first, form="arat", entry=1, by="a2", reason="x")
    decide = Adjudicate(visit(trial, "Screening")["id"], "arat", {"grasp_2": 2})
    with pytest.raises(Refused, match="not completed by two people"):
        trial.apply(decide, trial.who["dm"])
    saved(trial, {"grasp_1": 2, "grasp_2": 2}, form="arat", entry=2, by="a2")
    wrong = Adjudicate(visit(trial, "Screening")["id"], "arat", {"grasp_1": 2})
    with pytest.raises(BadValue, match="differ in grasp_2"):
        trial.apply(wrong, trial.who["dm"])
    trial.apply(decide, trial.who["dm"])
    assert trial.rows("form", entry=0)[0]["values"] == {"grasp_1": 2, "grasp_2": 2}
    with pytest.raises(BadValue, match="takes entry 1;"):
        saved(trial, VITALS, entry=2)


def test_nobody_makes_both_entries_of_a_form_that_two_people_enter(trial):
    saved(trial, {"grasp_1": 2}, form="arat", entry=1)
    before = trial.head()
    with pytest.raises(Refused, match="Dr a1 made entry 1; of a form that is entered twice somebody else"):
        saved(trial, {"grasp_1": 3}, form="arat", entry=2)
    assert trial.head() == before
    saved(trial, {"grasp_1": 3}, form="arat", entry=2, by="a2")
    with pytest.raises(Refused, match="entry is Dr a1's"):
        saved(trial, {"grasp_1": 1}, form="arat", entry=1, by="a2", reason="x")


def test_differences_are_the_items_that_are_not_equal_or_only_in_one():
    assert differences({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ["b", "c"]


def test_without_a_protocol_nobody_enters_and_no_form_is_taken(empty):
    empty.add_person("inv", "Dr inv", SECRET, ("investigator",))
    someone = empty.sign_in("inv", SECRET)
    person = empty.append(Participant("P-041"))
    with pytest.raises(Refused, match="no protocol yet"):
        empty.apply(Enrol(person, "S-001"), someone)
    assert isinstance(empty, Study)


def test_whoever_takes_back_what_taking_part_requires_is_connected_to_nothing(trial):
    assert trial.get("participant", trial.person)["consent"] == "1.0"
    trial.apply(WithdrawConsent(trial.person, ("neural_data_use",), "2026-03-02"), trial.who["inv"])
    assert trial.get("participant", trial.person)["consent"] == ""
    trial.apply(GiveConsent(trial.person, ("neural_data_use",), "1.0", "2026-03-03"), trial.who["inv"])
    assert trial.get("participant", trial.person)["consent"] == "1.0"


def test_consent_to_less_than_the_protocol_requires_ends_with_the_enrolment(trial):
    other = trial.append(Participant("P-043"))
    trial.apply(GiveConsent(other, ("participation",), "1.0", "2026-03-01"), trial.who["inv"])
    assert trial.get("participant", other)["consent"] == "1.0"
    trial.apply(Enrol(other, "S-003"), trial.who["inv"])
    assert trial.get("participant", other)["consent"] == ""


def test_a_status_follows_only_what_can_come_before_it(trial):
    with pytest.raises(Refused, match="after screening comes one of enrolled, screen_failure, withdrawn, lost"):
        trial.apply(SetStatus(trial.person, "completed"), trial.who["inv"], "x")
    trial.apply(SetStatus(trial.person, "screen_failure"), trial.who["inv"], "infection")
    with pytest.raises(Refused, match="after screen_failure comes one of screening"):
        trial.apply(SetStatus(trial.person, "enrolled"), trial.who["inv"], "x")
