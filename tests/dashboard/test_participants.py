"""The page of a participant: what it shows of the record, and what it changes in whose name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.trial import SECRET, assess, begin, days_ago, visit_of
from tests.study.versions import over
from workbench import messages, outcomes
from workbench.dashboard import SessionPage, StudyService, VisitService
from workbench.dashboard.participants import ParticipantService
from workbench.dashboard.safety_desk import DeskService
from workbench.errors import BadValue, Refused, UnknownName
from workbench.study import Study, utc_now, verify
from workbench.study.applying import bound_now
from workbench.study.changes import (
    Adjudicate,
    AnswerQuery,
    GrantRole,
    Implant,
    OpenQuery,
    RecordDeviation,
    RecordFinding,
    RecordTreatment,
    ReportEvent,
    ReviseEvent,
    SaveForm,
    Sign,
)
from workbench.vocabulary import Condition, Participant, Visit
from workbench.widgets import ParticipantPage

INVESTIGATOR = {"login": "okafor", "password": SECRET}
MANAGER = {"login": "he", "password": SECRET}
ASSESSOR = {"login": "wu", "password": SECRET}
GIVEN = {"purposes": "participation,upload", "document_version": "1.0", "consented_on": days_ago(0)}
WRITTEN = ("consent", "query", "query_event", "deviation", "signature")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trial") / "study"
    begin(folder)
    return folder


@pytest.fixture
def folder(begun: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(begun, tmp_path / "study"))


@pytest.fixture
def visits(folder: Path) -> VisitService:
    return VisitService(folder, operator="Chen L.")


@pytest.fixture
def service(visits: VisitService) -> ParticipantService:
    return ParticipantService(visits)


def id_of(folder: Path, name: str = "P-041") -> str:
    with Study.open(folder, actor="test") as study:
        return str(study.rows("participant", pseudonym=name)[0]["id"])


def left(folder: Path) -> dict[str, int]:
    with Study.open(folder, actor="test") as study:
        return {table: study.count(table) for table in WRITTEN} | {
            "hold": len(study.history("participant", study.rows("participant")[0]["id"]))
        }


# ------------------------------------------------------------------------------ what it shows
def test_the_page_tells_who_it_is_under_which_protocol_and_with_which_consent(
    service: ParticipantService, folder: Path
) -> None:
    page = service.page(id_of(folder))
    assert page["person"]["pseudonym"] == "P-041"
    assert (page["person"]["injury_level"], page["person"]["ais"]) == ("C5", "B")
    assert (page["enrolment"]["status"], page["enrolment"]["protocol"]) == ("screening", "1.0.0")
    consents = {one["purpose"]: one for one in page["consents"]}
    assert [name for name, one in consents.items() if one["required"]] == ["participation", "neural_data_use"]
    assert (consents["participation"]["state"], consents["participation"]["version"]) == ("granted", "1.0")
    assert consents["participation"]["by"] == "Dr Okafor A."
    assert consents["video"]["state"] == "missing"
    assert page["document"] == "1.0"


def test_each_visit_stands_with_its_window_where_it_was_held_missed_or_is_to_come(
    service: ParticipantService, folder: Path
) -> None:
    page = service.page(id_of(folder))
    assert [(one["name"], one["state"]) for one in page["visits"]] == [
        ("Screening", "held"), ("Baseline", "held_late"), ("Wound check", "missed"), ("Training", "late"),
        ("Week 12", "late"), ("Week 24", "ahead"),
    ]  # fmt: skip
    assert page["visits"][0]["held"] == days_ago(148)
    assert page["next"]["name"] == "Training"
    assert len(page["sessions"]) == 10
    assert {one["category"] for one in page["deviations"]} == {"visit_window", "visit_missed"}
    assert page["events"] == []


def test_an_adverse_event_stands_on_the_axis_from_its_onset_unless_it_was_entered_in_error(
    service: ParticipantService, folder: Path
) -> None:
    facts = {"serious": False, "severity": "mild", "device": "probable", "procedure": "not_related"}
    facts |= {"stimulation": "not_related", "expected": True}
    with Study.open(folder, actor="tests") as study:
        doctor = study.sign_in("okafor", SECRET)
        aware = (utc_now(), "Europe/Berlin")
        for term, onset in (("redness", days_ago(20)), ("tired", ""), ("cough", days_ago(10))):
            event = ReportEvent(id_of(folder), term, onset, facts, *aware, "DE", jurisdictions=("EU",))
            row = study.apply(event, doctor)
        study.apply(ReviseEvent(row, *aware, state="void"), doctor, "somebody else's")
    events = service.page(id_of(folder))["events"]
    assert [(one["day"], one["text"], one["until"]) for one in events] == [(days_ago(20), "ADE redness", "")]


def test_treatments_stand_on_the_page_and_the_core_data_set_is_empty_until_it_is_entered(
    service: ParticipantService, folder: Path
) -> None:
    assert (service.page(id_of(folder))["treatments"], service.page(id_of(folder))["core"]) == ([], {})
    with Study.open(folder, actor="tests") as study:
        doctor = study.sign_in("okafor", SECRET)
        row = study.apply(RecordTreatment(id_of(folder), "drug", "baclofen", dose="10 mg"), doctor)
    page = service.page(id_of(folder))
    assert [(one["kind"], one["name"], one["dose"]) for one in page["treatments"]] == [
        ("drug", "baclofen", "10 mg")
    ]
    assert service.history(id_of(folder), "treatment", row)[0]["actor"] == "Dr Okafor A."


def forms(service: ParticipantService, folder: Path, visit: str) -> dict[str, str]:
    (found,) = [one for one in service.page(id_of(folder))["visits"] if one["name"] == visit]
    return {one["name"]: one["state"] for one in found["forms"]}


def test_a_form_is_missing_only_where_its_visit_is_over(service: ParticipantService, folder: Path) -> None:
    assert forms(service, folder, "Screening") == {"vitals": "complete", "isncsci": "missing", "arat": "complete"}
    assert set(forms(service, folder, "Week 24").values()) == {"not_due"}


def test_a_form_is_verified_while_the_signature_on_it_is_not_stale(
    service: ParticipantService, folder: Path
) -> None:
    with Study.open(folder, actor="test") as study:
        doctor = study.sign_in("okafor", SECRET)
        (row,) = study.rows("form")
        target = ("form", row["id"])
        sign = Sign((target,), "I reviewed these entries", bound_now(study, [target])[1])
        study.apply(sign, doctor.confirm(SECRET))
    assert forms(service, folder, "Screening")["vitals"] == "verified"
    with Study.open(folder, actor="test") as study:
        values = {**row["values"], "systolic": 130}
        study.apply(
            over(study, SaveForm(row["visit_id"], "vitals", values)),
            study.sign_in("wu", SECRET),
            "read off the wrong line",
        )
    assert forms(service, folder, "Screening")["vitals"] == "complete"


def test_a_form_that_two_people_enter_waits_for_the_second_and_for_what_holds(
    service: ParticipantService, folder: Path
) -> None:
    item = outcomes.load("isncsci").definition.items[0]
    first, second = item.allowed[:2]
    with Study.open(folder, actor="test") as study:
        study.add_person("lin", "Lin Q.", SECRET, ("assessor",))
        visit, who = (
            visit_of(study, "Baseline"),
            {name: study.sign_in(name, SECRET) for name in ("wu", "lin", "he")},
        )
        study.apply(SaveForm(visit, "isncsci", {item.code: first}), who["wu"])
        assert forms(service, folder, "Baseline")["isncsci"] == "second"
        study.apply(SaveForm(visit, "isncsci", {item.code: second}, entry=2), who["lin"])
        assert forms(service, folder, "Baseline")["isncsci"] == "differ"
        study.apply(Adjudicate(visit, "isncsci", {item.code: second}), who["he"])
        assert forms(service, folder, "Baseline")["isncsci"] == "complete"


def test_outcomes_are_series_of_one_condition_each_and_a_visit_without_one_is_a_gap(
    service: ParticipantService, folder: Path
) -> None:
    (arat,) = service.page(id_of(folder))["measures"]
    assert (arat["low"], arat["high"], arat["direction"], arat["side"]) == (0, 57, "up", "right")
    # The wound check asks for no ARAT and is no gap; the visit that is ahead has its place.
    assert arat["visits"] == ["Screening", "Baseline", "Training", "Week 12", "Week 24"]
    values = {
        (one["assisted"], one["device_on"]): [(point["visit"], point["value"]) for point in one["points"]]
        for one in arat["series"]
    }
    assert values == {
        (False, False): [(0, 12), (1, 13), (2, 15), (3, 17)], (False, True): [(2, 19), (3, 22)],
        (True, True): [(2, 26), (3, 34)],
    }  # fmt: skip


def test_whoever_is_blinded_or_unknown_sees_nothing_of_the_device_while_assessors_are_blinded(
    visits: VisitService, service: ParticipantService, folder: Path
) -> None:
    person = id_of(folder)
    with Study.open(folder, actor="test") as study:
        (assessor,) = study.rows("person", login="wu")
        manager = study.sign_in("he", SECRET)
        study.apply(GrantRole(assessor["id"], "therapist", "GCP", blinded=True), manager, "joins, blinded")
    for login, concealed in ((None, True), ("wu", True), ("okafor", False)):
        if login:
            visits.sign_in(login=login, password=SECRET)
        page = service.page(person)
        shown = {one["device_on"] for measure in page["measures"] for one in measure["series"]}
        assert (page["concealed"], shown) == (concealed, {False} if concealed else {False, True}), login


def implanted(folder: Path) -> None:
    """P-041 with an implant of 50 days whose wound was looked at in time and whose impedance was not measured."""
    with Study.open(folder, actor="test") as study:
        doctor, manager = study.sign_in("okafor", SECRET), study.sign_in("he", SECRET)
        implant = study.apply(Implant(id_of(folder), "NEO", days_ago(50), "epidural"), doctor)
        study.apply(RecordFinding(implant, "wound", days_ago(40), "closed"), doctor)
        (assessor,) = study.rows("person", login="wu")
        study.apply(GrantRole(assessor["id"], "therapist", "GCP", blinded=True), manager, "joins, blinded")


def test_planned_and_missed_checks_of_an_implant_are_on_page_overview_and_desk_and_kept_from_the_blinded(
    visits: VisitService, service: ParticipantService, folder: Path
) -> None:
    implanted(folder)
    missed = [{"state": "missed", "participant": "P-041", "name": "Impedance", "kind": "impedance",
               "day": days_ago(13), "days": 13}]  # fmt: skip
    for login, sees in (("wu", False), ("okafor", True)):
        visits.sign_in(login=login, password=SECRET)
        page = service.page(id_of(folder))
        states = [[check["state"] for check in one["checks"]] for one in page["implants"]]
        assert states == ([["done", "missed", "ahead"]] if sees else []), login
        assert StudyService(visits.access).overview()["checks"] == (missed if sees else []), login
        (desk,) = DeskService(visits.access).page()["implants"] or [None]
        assert (desk is not None and desk["checks"][1]["state"] == "missed") == sees, login


def test_an_implant_is_recorded_looked_at_and_taken_out_from_the_page_and_a_missed_check_is_accounted_for(
    service: ParticipantService, folder: Path
) -> None:
    person = id_of(folder)
    given = {"device": "NEO", "location": "epidural", "implanted_on": days_ago(50), "serial": "4", "udi": ""}
    service.make(person, "Implant", given, **INVESTIGATOR)
    (implant,) = service.page(person)["implants"]
    assert [check["state"] for check in implant["checks"]] == ["missed", "missed", "ahead"]
    of, found = (
        {"implant_id": implant["id"]},
        {"kind": "impedance", "found_on": days_ago(20), "text": "all in range"},
    )
    service.make(
        person, "RecordFinding", {**of, **found, "values": '{"E1": 1200}', "notable": "no"}, **INVESTIGATOR
    )
    missed = {
        "category": "procedure",
        "text": "Wound missed: no transport",
        "table": "implant",
        "row_id": implant["id"],
    }
    service.make(person, "RecordDeviation", missed, **INVESTIGATOR)
    (seen,) = service.page(person)["implants"][0]["findings"]
    shown = service.row(person, "implant_finding", seen["id"])
    assert (shown["values"], shown["row_version"]) == ({"E1": 1200}, 1)
    right = {"finding_id": seen["id"], **found, "text": "one too high", "values": '{"E1": 2100}', "notable": "yes"}
    service.make(person, "ReviseFinding", right, reason="misread", **INVESTIGATOR)
    wound = {**of, "kind": "wound", "found_on": days_ago(20), "text": "of somebody else"}
    service.make(person, "RecordFinding", wound, **INVESTIGATOR)
    mistaken = next(one for one in service.page(person)["implants"][0]["findings"] if one["kind"] == "wound")
    service.make(person, "VoidFinding", {"finding_id": mistaken["id"]}, reason="not hers", **INVESTIGATOR)
    history = service.history(person, "implant_finding", seen["id"])
    assert [(one["reason"], one["new"]["text"]) for one in history] == [
        ("", "all in range"), ("misread", "one too high"),
    ]  # fmt: skip
    with Study.open(folder, actor="test") as study:
        stranger = study.append(Participant("P-077", simulated=True))
    for ask in (
        lambda: service.row(stranger, "implant_finding", seen["id"]),
        lambda: service.history(stranger, "implant_finding", seen["id"]),
        lambda: service.make(stranger, "VoidFinding", {"finding_id": seen["id"]}, reason="x", **INVESTIGATOR),
    ):
        with pytest.raises(Refused, match="another participant|somebody else|not of this"):
            ask()
    out = {**of, "explanted_on": days_ago(1), "event": "implant removed", "correct": "no"}
    service.make(person, "Explant", out, reason="infection", **INVESTIGATOR)
    page = service.page(person)
    (implant,) = page["implants"]
    assert [(one["kind"], one["text"], one["n_values"], one["notable"]) for one in implant["findings"]] == [
        ("impedance", "one too high", 1, True),
    ]  # fmt: skip
    assert [(one["id"], one["text"]) for one in implant["void"]] == [(mistaken["id"], "of somebody else")]
    assert [check["state"] for check in implant["checks"]] == ["missed", "done"]
    assert (implant["explanted_on"], implant["intercurrent"]) == (days_ago(1), "implant removed")
    assert page["intercurrent"] == ["implant removed", "training stopped early"]
    assert "Wound missed: no transport" in [one["text"] for one in page["deviations"]]
    assert verify(folder).ok


@pytest.mark.parametrize(
    ("change", "fields", "words"),
    [
        ("Implant", {"device": "NEO", "location": "epidural", "implanted_on": "tomorrow"}, "tomorrow"),
        (
            "RecordFinding",
            {"kind": "impedance", "found_on": days_ago(3), "text": "", "values": '{"E1": "high"}'},
            "E1",
        ),
        ("RecordFinding", {"kind": "wound", "found_on": days_ago(90), "text": "closed"}, days_ago(90)),
        ("Explant", {"explanted_on": days_ago(1), "event": "lightning"}, "lightning"),
        (
            "RecordDeviation",
            {"category": "procedure", "text": "x", "table": "implant", "row_id": "other"},
            "other",
        ),
    ],
)
def test_what_is_refused_of_an_implant_is_one_sentence_and_nothing_is_written(
    service: ParticipantService, folder: Path, change: str, fields: dict[str, str], words: str
) -> None:
    person = id_of(folder)
    with Study.open(folder, actor="test") as study:
        study.apply(Implant(person, "NEO", days_ago(50), "epidural"), study.sign_in("okafor", SECRET))
        (implant,), before = study.rows("implant"), (study.count("implant_finding"), study.count("deviation"))
    of = {"implant_id": implant["id"]} if change in ("RecordFinding", "Explant") else {}
    panel = ParticipantPage(service, person)
    answer = panel.answer("make", {"change": change, "fields": {**of, **fields}, "reason": "x", **INVESTIGATOR})
    assert not answer["ok"]
    assert words in answer["text"]
    with Study.open(folder, actor="test") as study:
        assert study.rows("implant") == [implant]
        assert (study.count("implant_finding"), study.count("deviation")) == before


def asked_of(visits: VisitService) -> list[str]:
    """Queries of the overview of the study, as who is signed in to the page sees them."""
    seen = StudyService(visits.access).overview()
    return [str(query["text"]) for query in seen["queries"]]


STIMULATED = Condition(False, False, True)
TELLS = "ARAT 47 with the device"


@pytest.fixture
def kept(folder: Path) -> dict[str, list[str]]:
    """With a blinded assessor: ids of rows that may reveal the arm, and of those about them, by table."""
    with Study.open(folder, actor="test") as study:
        (assessor,) = study.rows("person", login="wu")
        manager, doctor = study.sign_in("he", SECRET), study.sign_in("okafor", SECRET)
        study.apply(GrantRole(assessor["id"], "therapist", "GCP", blinded=True), manager, "joins, blinded")
        assess(study, visit_of(study, "Week 12"), ((STIMULATED, 47),))
        study.drafts.save(visit_of(study, "Wound check"), "arat", asdict(STIMULATED), "Wu R.", {"grasp_1": 2})
        on = [row["id"] for row in study.rows("assessment") if row["device_on"] or row["stimulation_on"]]
        asked = study.apply(OpenQuery("assessment", on[-1], "items", TELLS), manager)
        study.apply(AnswerQuery(asked, f"yes, {TELLS}"), doctor)
        person = study.rows("participant", pseudonym="P-041")[0]["id"]
        deviation = RecordDeviation(person, "rater", TELLS, table="assessment", row_id=on[-1])
        return {"assessment": on, "query": [asked], "deviation": [study.apply(deviation, doctor)]}


def test_no_row_of_the_page_tells_a_blinded_person_of_device_or_stimulation(
    visits: VisitService, service: ParticipantService, folder: Path, kept: dict[str, list[str]]
) -> None:
    person = id_of(folder)
    ids = [one for rows in kept.values() for one in rows]
    for login in (None, "wu"):
        if login:
            visits.sign_in(login=login, password=SECRET)
        page = service.page(person)
        rows = [row for visit in page["visits"] for form in visit["forms"] for row in form["rows"]]
        assert {row["about"]["device_on"] for row in rows if row["table"] == "assessment"} == {False}
        series = [one for measure in page["measures"] for one in measure["series"]]
        assert not [one for one in series if one["device_on"] or one["stimulation_on"]]
        assert not [one for one in (*ids, TELLS) if one in repr(page)], login
        assert len(asked_of(visits)) == 1
        # How complete a form is stays that of the record; what nobody asked for is not named at all.
        assert forms(service, folder, "Week 12")["arat"] == "complete"
        assert "arat" not in forms(service, folder, "Wound check")
        for table, rows_of in kept.items():
            for one in rows_of:
                for ask in (service.values, service.history):
                    with pytest.raises(Refused, match="reveal the arm"):
                        ask(person, table, one)
    visits.sign_in(login="okafor", password=SECRET)
    assert TELLS in asked_of(visits)
    seen = repr(service.page(person))
    assert all(one in seen for one in (*ids, TELLS))
    assert "arat" in forms(service, folder, "Wound check")
    assert all(service.history(person, table, one) for table, rows_of in kept.items() for one in rows_of)


def test_the_page_is_read_again_only_when_the_record_changed(
    service: ParticipantService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, read = id_of(folder), []
    usual = service._read
    monkeypatch.setattr(service, "_read", lambda *given: read.append(given) or usual(*given))
    for _ in range(3):
        service.page(person)
    with Study.open(folder, actor="test") as study:
        study.append(Visit(person, "Unplanned"))
    service.page(person)
    assert len(read) == 2


def test_a_participant_of_whom_the_record_holds_only_the_name_has_a_page(
    service: ParticipantService, folder: Path
) -> None:
    with Study.open(folder, actor="test") as study:
        person = study.append(Participant("P-077", consent="0.9", consented_on="2025-01-02"))
    page = service.page(person)
    assert (page["enrolment"], page["sessions"], page["measures"], page["next"]) == ({}, [], [], {})
    assert {one["state"] for one in page["visits"]} == {"not_anchored"}
    # A consent that was entered with the participant holds, and the protocol asks for a newer one.
    consent = page["consents"][0]
    assert (consent["state"], consent["version"], consent["newer"]) == ("granted", "0.9", "1.0")


def test_values_and_their_history_are_told_of_this_participant_alone(
    service: ParticipantService, folder: Path
) -> None:
    person, other = id_of(folder), id_of(folder, "SIM-01")
    with Study.open(folder, actor="test") as study:
        (row,) = study.rows("form")
        study.apply(
            over(study, SaveForm(row["visit_id"], "vitals", {**row["values"], "systolic": 130})),
            study.sign_in("wu", SECRET), "read off the wrong line",
        )  # fmt: skip
    values = {one["field"]: one for one in service.values(person, "form", row["id"])}
    assert (values["systolic"]["value"], values["systolic"]["unit"]) == (130, "mmHg")
    assert values["systolic"]["label"] == "Systolic blood pressure, sitting"
    with Study.open(folder, actor="test") as study:
        first = study.rows("assessment")[0]["id"]
    assert (
        service.values(person, "assessment", first)[0]["label"] == outcomes.load("arat").definition.items[0].label
    )
    panel = ParticipantPage(service, person)
    told = panel.answer("history", {"table": "form", "row": row["id"], "field": "systolic"})["value"]
    assert [(one["from"], one["to"], one["reason"]) for one in told] == [
        (None, 190, ""), (190, 130, "read off the wrong line"),
    ]  # fmt: skip
    with pytest.raises(Refused, match="another participant"):
        service.history(other, "form", row["id"])
    with pytest.raises(Refused, match="workbench history"):
        service.history(person, "person", "x")


def test_an_entry_is_kept_from_the_second_person_until_both_are_complete(
    visits: VisitService, service: ParticipantService, folder: Path
) -> None:
    item, told = outcomes.load("isncsci").definition.items[0], "was 4711 read off the chart?"
    first, second = item.allowed[:2]
    person = id_of(folder)
    with Study.open(folder, actor="test") as study:
        study.add_person("lin", "Lin Q.", SECRET, ("assessor",))
        visit = visit_of(study, "Baseline")
        row = study.apply(SaveForm(visit, "isncsci", {item.code: first}), study.sign_in("wu", SECRET))
        query = study.apply(OpenQuery("form", row, "values", told), study.sign_in("he", SECRET))

    def refused(ask: Any, table: str, one: str) -> bool:
        try:
            ask(person, table, one)
        except Refused:
            return True
        return False

    def shown(login: str) -> bool:
        if login:
            visits.sign_in(login=login, password=SECRET)
        asked = [
            (ask, *one) for ask in (service.values, service.history) for one in (("form", row), ("query", query))
        ]
        assert (told in asked_of(visits)) == (told in repr(service.page(person)))
        (seen,) = {not refused(*one) for one in asked} | {told in repr(service.page(person))}
        return seen

    assert [shown(login) for login in ("", "lin", "okafor", "wu")] == [False, False, False, True]
    visits.sign_in(login="lin", password=SECRET)
    with pytest.raises(Refused, match="only to who made it"):
        service.values(person, "form", row)
    with Study.open(folder, actor="test") as study:
        again = SaveForm(visit, "isncsci", {item.code: second}, "draft", entry=2)
        study.apply(again, study.sign_in("lin", SECRET))
    assert [shown(login) for login in ("lin", "okafor", "wu")] == [False, False, True]
    with Study.open(folder, actor="test") as study:
        done = over(study, SaveForm(visit, "isncsci", {item.code: second}, entry=2))
        study.apply(done, study.sign_in("lin", SECRET))
    assert [shown(login) for login in ("lin", "okafor", "wu")] == [True, True, True]


# ------------------------------------------------------------------------------ what it changes
def test_consent_is_recorded_in_the_name_of_who_signs_it_and_not_of_who_is_signed_in(
    visits: VisitService, service: ParticipantService, folder: Path
) -> None:
    visits.sign_in(login="wu", password=SECRET)
    person = id_of(folder)
    service.make(
        person, "GiveConsent", {**GIVEN, "given_by": "representative", "witness": "Sun P."}, **INVESTIGATOR
    )
    with Study.open(folder, actor="test") as study:
        rows = study.rows("consent", participant_id=person)[-2:]
    assert [(row["purpose"], row["by"], row["given_by"], row["witness"]) for row in rows] == [
        (purpose, "Dr Okafor A.", "representative", "Sun P.") for purpose in ("participation", "upload")
    ]
    assert visits.who == "Wu R."
    assert verify(folder).ok


def test_a_withdrawal_stops_what_hung_on_it_at_once(
    visits: VisitService, service: ParticipantService, folder: Path
) -> None:
    person = id_of(folder)
    with Study.open(folder, actor="test") as study:
        week = visit_of(study, "Week 12")
    visits.sign_in(login="wu", password=SECRET)
    assert visits.details(week)["blocked"].get("key") != "worklist.blocked.consent"
    service.make(
        person, "WithdrawConsent", {"purposes": "participation", "consented_on": days_ago(0)}, **INVESTIGATOR
    )
    consents = {one["purpose"]: one["state"] for one in service.page(person)["consents"]}
    assert (consents["participation"], consents["neural_data_use"]) == ("withdrawn", "withdrawn")
    assert visits.details(week)["blocked"]["key"] == "worklist.blocked.consent"


def test_a_query_is_answered_then_closed_and_a_deviation_is_judged(
    service: ParticipantService, folder: Path
) -> None:
    person = id_of(folder)
    page = service.page(person)
    (query,) = page["queries"]
    assert (query["where"], query["days"], query["automatic"]) == ("Screening · vitals", 0, True)
    service.make(person, "AnswerQuery", {"query_id": query["id"], "text": "confirmed"}, **ASSESSOR)
    (query,) = service.page(person)["queries"]
    assert query["answer"] == {"text": "confirmed", "by": "Wu R."}
    service.make(person, "CloseQuery", {"query_id": query["id"], "text": "as measured"}, **MANAGER)
    assert service.page(person)["queries"] == []
    deviation = page["deviations"][0]
    judged = {"deviation_id": deviation["id"], "impact": "none", "correction": "a call the day before"}
    service.make(person, "CloseDeviation", judged, **INVESTIGATOR)
    after = {one["id"]: one for one in service.page(person)["deviations"]}
    assert after[deviation["id"]]["state"] == "closed"
    with Study.open(folder, actor="test") as study:
        assert study.history("deviation", deviation["id"])[-1]["reason"] == "the deviation was judged"


@pytest.mark.parametrize(
    ("change", "fields", "who", "words"),
    [
        ("GiveConsent", GIVEN, {"login": "okafor", "password": "wrong"}, "do not match"),
        ("GiveConsent", GIVEN, ASSESSOR, "GiveConsent is for investigator, coordinator; Wu R. is assessor"),
        ("GiveConsent", {**GIVEN, "consented_on": "2999-01-01"}, INVESTIGATOR, "today or earlier"),
        ("GiveConsent", {**GIVEN, "purposes": ""}, INVESTIGATOR, "purposes must be one or more"),
        ("GiveConsent", {**GIVEN, "pay": "1"}, INVESTIGATOR, "pay"),
        ("GiveConsent", {**GIVEN, "witness": "x" * 4001}, INVESTIGATOR, "at most 4000"),
        ("GiveConsent", {**GIVEN, "witness": 3}, INVESTIGATOR, "must be texts"),
        ("GiveConsent", {**GIVEN, "given_by": "a neighbour"}, INVESTIGATOR, "given_by"),
        ("WithdrawConsent", {"purposes": "video", "consented_on": days_ago(0)}, INVESTIGATOR, "consent to video"),
        ("CloseDeviation", {"deviation_id": "nobody", "impact": "", "correction": ""}, INVESTIGATOR, "nobody"),
        ("LockStudy", {}, INVESTIGATOR, "make others with 'workbench apply'"),
    ],
)  # fmt: skip
def test_what_is_refused_is_one_sentence_and_nothing_is_written(
    service: ParticipantService, folder: Path, change: str, fields: dict[str, Any], who: dict[str, str], words: str
) -> None:
    before = left(folder)
    panel = ParticipantPage(service, id_of(folder))
    answer = panel.answer("make", {"change": change, "fields": fields, **who})
    assert not answer["ok"]
    assert words in answer["text"]
    assert messages.translate(answer["text"], language="zh-CN") != answer["text"]
    assert left(folder) == before


def test_a_row_of_somebody_else_is_not_changed_from_this_page(service: ParticipantService, folder: Path) -> None:
    (query,) = service.page(id_of(folder))["queries"]
    with pytest.raises(Refused, match="another participant"):
        service.make(id_of(folder, "SIM-01"), "AnswerQuery", {"query_id": query["id"], "text": "x"}, **ASSESSOR)
    # The page's own participant counts, whatever was sent.
    given = {**GIVEN, "participant_id": "P-041"}
    service.make(id_of(folder, "SIM-01"), "GiveConsent", given, **INVESTIGATOR)
    with Study.open(folder, actor="test") as study:
        assert {row["participant_id"] for row in study.rows("consent")[-2:]} == {id_of(folder, "SIM-01")}


def test_without_people_a_script_signs_for_simulated_participants_and_nobody_for_others(tmp_path: Path) -> None:
    with Study.create(tmp_path / "study", code="S", title="S", actor="test") as study:
        simulated = study.append(Participant("SIM-01", simulated=True))
        person = study.append(Participant("P-001"))
    service = ParticipantService(VisitService(tmp_path / "study", operator="Chen L."))
    assert service.page(simulated)["signing"]["how"] == "script"
    service.make(simulated, "GiveConsent", GIVEN)
    assert service.page(simulated)["consents"][0]["state"] == "granted"
    assert service.page(person)["signing"]["how"] == "nobody"
    with pytest.raises(Refused, match="workbench people add"):
        service.make(person, "GiveConsent", GIVEN)


# ------------------------------------------------------------------------------ the way there and back
@pytest.fixture
def page(folder: Path) -> Iterator[SessionPage]:
    made = SessionPage(folder, operator="Chen L.")
    yield made
    made.screen.close()
    made.log.close()


def test_a_row_opens_its_participant_and_the_page_leads_back_to_it(page: SessionPage, folder: Path) -> None:
    rows = {row["participant"]: row["visit"] for row in page.worklist.rows}
    assert page.worklist.opens
    assert page.worklist.answer("open_participant", {"visit": rows["SIM-01"]})["ok"]
    shown = page.stage.children[-1]
    assert isinstance(shown, ParticipantPage)
    # The bar above names the same person, and Today stays marked: the page belongs to the list.
    assert page.screen.place["participant"] == shown.page["person"]["pseudonym"] == "SIM-01"
    assert page.screen.place["view"] == "today"
    assert shown.answer("back", {})["ok"]
    assert page.stage.children[-1] is page.worklist
    assert (page.worklist.chosen, page.worklist.focus) == (rows["SIM-01"], rows["SIM-01"])
    assert not page.worklist.answer("open_participant", {"visit": "nobody"})["ok"]


def test_opening_another_participant_takes_a_confirmation_back(page: SessionPage) -> None:
    rows = {row["participant"]: row["visit"] for row in page.worklist.rows}
    page.worklist.choose(rows["SIM-01"])
    page.worklist.confirm(rows["SIM-01"], "SIM-01")
    page.worklist.open_participant(rows["P-041"])
    assert page.service.confirmed == {}
    assert page.stage.children[-1].page["person"]["pseudonym"] == "P-041"


def test_whoever_is_opened_from_another_page_is_whom_bar_list_and_forms_are_about(
    page: SessionPage, folder: Path
) -> None:
    rows = {row["participant"]: row["visit"] for row in page.worklist.rows}
    page.worklist.choose(rows["SIM-01"])
    page.worklist.confirm(rows["SIM-01"], "SIM-01")
    page.show("study")
    assert page.stage.children[-1].answer("participant", {"participant": "P-041"})["ok"]
    assert page.stage.children[-1].page["person"]["pseudonym"] == "P-041"
    place = page.screen.place
    assert (place["participant"], place["visit"], place["confirmed"]) == ("P-041", "", "")
    assert page.service.confirmed == {}
    # The next step reaches nobody else: no form of SIM-01 opens, and the list has no row of theirs chosen.
    assert "no visit is chosen" in page.screen.answer("show", {"view": "assess"})["text"]
    page.show("today")
    assert (page.worklist.chosen, page.worklist.confirmed, page.worklist.details) == ("", {}, {})
    page.worklist.choose(rows["P-041"])
    page.show("safety")
    page.stage.children[-1].read()
    page._open_by_pseudonym("P-041")
    assert page.service.chosen() == rows["P-041"]  # their own visit stays chosen


def test_a_form_chosen_on_the_page_of_forms_is_the_row_that_is_chosen_on_the_list(folder: Path) -> None:
    made = SessionPage(folder, operator="Chen L.", forms=True)
    try:
        made.service.open_person(id_of(folder, "SIM-01"))
        made.show("assess")
        picker = made.stage.children[1]
        assert made.screen.place["participant"] == "SIM-01"  # and not the newest visit of somebody else
        rows = {row["participant"]: row["visit"] for row in made.worklist.rows}
        assert picker.answer("choose", {"visit": rows["P-041"], "measure": "arat"})["ok"]
        made.show("today")
        assert (made.worklist.chosen, made.screen.place["participant"]) == (rows["P-041"], "P-041")
    finally:
        made.screen.close()
        made.log.close()


def test_no_password_of_a_change_is_in_the_state_of_any_panel(page: SessionPage, folder: Path) -> None:
    rows = {row["participant"]: row["visit"] for row in page.worklist.rows}
    page.worklist.open_participant(rows["P-041"])
    shown = page.stage.children[-1]
    assert shown.answer("make", {"change": "GiveConsent", "fields": GIVEN, **INVESTIGATOR})["ok"]
    for panel in (page.screen, page.worklist, shown):
        assert SECRET not in repr(panel.get_state())
    assert SECRET not in repr(vars(page.participants))


def test_a_list_or_a_page_that_stands_alone_says_that_it_leads_nowhere(
    visits: VisitService, service: ParticipantService, folder: Path
) -> None:
    from workbench.widgets import Worklist

    alone = Worklist(visits)
    assert not alone.opens
    assert "opens no page" in alone.answer("open_participant", {"visit": "v"})["text"]
    assert "stands alone" in ParticipantPage(service, id_of(folder)).answer("back", {})["text"]


def test_a_record_that_cannot_be_read_leaves_the_page_and_says_why(
    service: ParticipantService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = ParticipantPage(service, id_of(folder))
    before = panel.page

    def fails(_participant: str) -> dict[str, Any]:
        raise BadValue(messages.Message("participant.fields"))

    monkeypatch.setattr(service, "page", fails)
    panel.answer("read", {})
    assert panel.page == before
    assert panel.look["fault"].startswith("the fields of a change")
    monkeypatch.undo()
    panel.answer("read", {})
    assert panel.look["fault"] == ""


def test_an_unknown_participant_has_no_page(service: ParticipantService) -> None:
    with pytest.raises(UnknownName, match="nobody"):
        service.page("nobody")
