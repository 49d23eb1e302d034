"""Steps of the trial and safety events from the page of a participant: what it makes, and what it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard import safety_trial
from tests.dashboard.trial import EXAMPLE, SECRET, days_ago
from workbench import world
from workbench.dashboard import StudyService, VisitService
from workbench.dashboard.participants import ParticipantService
from workbench.study import Study, protocol, verify
from workbench.study.changes import AdoptProtocol, MakeList
from workbench.study.obligations import obligations
from workbench.vocabulary import Participant
from workbench.widgets import ParticipantPage, StudyPage

PEOPLE = {
    "lin": "coordinator", "okafor": "investigator", "he": "data_manager", "sun": "statistician", "wu": "assessor",
}  # fmt: skip
SEPSIS = {**safety_trial.SERIOUS, "expected": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study with people, protocol and list, and two participants who are not in it yet."""
    with Study.create(tmp_path / "study", code="STEPS", title="Invented", actor="test") as study:
        for login, role in PEOPLE.items():
            study.add_person(login, f"{login} {role}", SECRET, (role,))
        who = {login: study.sign_in(login, SECRET) for login in PEOPLE}
        both = [who[login].confirm(SECRET) for login in ("okafor", "he")]
        study.apply(AdoptProtocol(protocol.read(EXAMPLE).definition()), both)
        study.apply(MakeList("1.0.0"), who["sun"])
        for name in ("P-041", "P-042"):
            study.append(Participant(name, trained_side="left"))
    return tmp_path / "study"


class Person:
    """The page of a participant, used as somebody who signs each change."""

    def __init__(self, folder: Path, name: str = "P-041") -> None:
        self.folder = folder
        with Study.open(folder, actor="test") as study:
            (row,) = study.rows("participant", pseudonym=name)
        self.id = str(row["id"])
        self.page = ParticipantPage(ParticipantService(VisitService(folder, operator="Chen L.")), self.id)

    def asks(
        self, who: str, change: str, reason: str = "", password: str = SECRET, **fields: str
    ) -> dict[str, Any]:
        asked = {"change": change, "fields": fields, "reason": reason, "login": who, "password": password}
        return self.page.answer("make", asked)

    def does(self, who: str, change: str, reason: str = "", **fields: str) -> None:
        reply = self.asks(who, change, reason, **fields)
        assert reply["ok"], reply["text"]

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        with Study.open(self.folder, actor="test") as study:
            return study.rows(table, **where)

    def visit(self, name: str) -> dict[str, Any]:
        (found,) = [one for one in self.page.page["visits"] if one["name"] == name]
        return dict(found)


def enrolled(folder: Path) -> Person:
    """A participant who is in the study, with the visits that follow from today's consent."""
    person = Person(folder)
    person.does("lin", "Enrol", screening_number="S-1")
    enter(person)
    person.does("lin", "SetAnchor", anchor="consent", day=days_ago(0))
    return person


def enter(person: Person) -> None:
    """Consent, eligibility, and into the study, for somebody who is in screening."""
    about = {"document_version": "1.0", "consented_on": days_ago(0)}
    person.does("lin", "GiveConsent", purposes="participation,neural_data_use", **about)
    for one in person.page.page["steps"]["criteria"]:
        answer = "yes" if one["kind"] == "inclusion" else "no"
        person.does("lin", "AnswerCriterion", criterion=one["id"], answer=answer, evidence="letter 1")
    person.does("lin", "SetStatus", "every criterion is met", status="enrolled")


def test_who_is_in_the_record_and_in_no_screening_is_named_on_the_overview_and_has_a_page(folder: Path) -> None:
    visits = VisitService(folder, operator="Chen L.")
    opened: list[str] = []
    page = StudyPage(StudyService(visits.access), open_participant=opened.append)
    assert page.overview["without"] == ["P-041", "P-042"]
    assert page.answer("participant", {"participant": "P-042"})["ok"]
    assert opened == ["P-042"]
    Person(folder).does("lin", "Enrol", screening_number="S-1")
    page.look()
    assert page.overview["without"] == ["P-042"]


def test_the_steps_lead_from_screening_into_the_study(folder: Path) -> None:
    person = Person(folder)
    person.does("lin", "Enrol", screening_number="S-1")
    early = person.asks("lin", "SetStatus", "hurry", status="enrolled")
    assert (early["ok"], "consent" in early["text"]) == (False, True)
    enter(person)
    steps = person.page.page["steps"]
    assert (steps["strata"], steps["randomised"]) == ({"side": ["left", "right"]}, False)
    person.does("lin", "Randomise", covariates='{"side": "left"}')
    assert person.page.page["steps"]["randomised"] is True
    assert "sealed" not in str(person.page.page)
    twice = person.asks("lin", "Randomise", covariates='{"side": "left"}')
    assert not twice["ok"]
    assert len(person.rows("allocation")) == 1
    assert verify(folder).ok


def test_a_form_is_filled_in_queried_signed_as_it_was_shown_and_frozen(folder: Path) -> None:
    person = enrolled(folder)
    visit = person.visit("Screening")["id"]
    person.does("lin", "HoldVisit", visit_id=visit, on=days_ago(0))
    values = {"measured_on": days_ago(0), "systolic": 190, "skin_whole": True}
    wrong = person.asks("wu", "SaveForm", visit_id=visit, form="vitals", values='{"systolic": 900}')
    assert (wrong["ok"], person.rows("form")) == (False, [])
    person.does("wu", "SaveForm", visit_id=visit, form="vitals", values=json.dumps(values))
    (form,) = person.rows("form")
    assert [query["field"] for query in person.rows("query")] == ["systolic"]
    person.does("he", "OpenQuery", table="form", row_id=form["id"], field="values", text="which arm?")
    targets = f"form:{form['id']}"
    shown = person.page.answer("bound", {"targets": targets})["value"]
    about = {"targets": targets, "meaning": "I reviewed these entries"}
    stale = person.asks("okafor", "Sign", shown_sha256="0" * 64, **about)
    assert (stale["ok"], person.rows("signature", meaning=about["meaning"])) == (False, [])
    person.does("okafor", "Sign", shown_sha256=shown, **about)
    (signature,) = person.rows("signature", meaning=about["meaning"])
    assert (signature["signer"], signature["method"]) == ("okafor investigator", "password")
    person.does("he", "Freeze", "everything is in", table="participant", row_id=person.id)
    corrected = json.dumps({**values, "systolic": 148})
    late = person.asks(
        "wu", "SaveForm", "typo", visit_id=visit, form="vitals", values=corrected, row_version="1"
    )  # fmt: skip
    assert not late["ok"]
    assert verify(folder).ok


def test_rows_of_somebody_else_are_refused_whatever_the_page_sends(folder: Path) -> None:
    person, other = enrolled(folder), Person(folder, "P-042")
    visit = person.visit("Screening")["id"]
    for change, fields in (
        ("HoldVisit", {"visit_id": visit, "on": days_ago(0)}),
        ("SaveForm", {"visit_id": visit, "form": "vitals", "values": "{}"}),
        ("Freeze", {"table": "participant", "row_id": person.id}),
        ("OpenQuery", {"table": "visit", "row_id": visit, "field": "planned", "text": "?"}),
        ("Sign", {"targets": f"visit:{visit}", "meaning": "x", "shown_sha256": "0" * 64}),
    ):
        reply = other.asks("he", change, "x", **fields)
        assert (reply["ok"], "another participant" in reply["text"]) == (False, True), (change, reply["text"])
    assert not other.page.answer("bound", {"targets": f"visit:{visit}"})["ok"]
    assert not other.page.answer("bound", {"targets": "person:x"})["ok"]


def test_an_event_is_reported_and_revised_from_the_page_and_its_clock_is_kept(folder: Path) -> None:
    person = Person(folder)
    moment = {"aware": safety_trial.ago(hours=2), "zone": "Asia/Shanghai", "country": "CN"}
    person.does(
        "lin", "ReportEvent", term="sepsis", onset="", facts=json.dumps(SEPSIS), narrative="n" * 9000, **moment
    )
    (shown,) = person.page.page["safety"]
    whole = person.page.answer("row", {"table": "adverse_event", "row": shown["id"]})["value"]
    assert (whole["participant"], len(whole["narrative"])) == ("P-041", 9000)
    mild = json.dumps(safety_trial.MILD)
    about = {"event_id": shown["id"], "facts": mild, "row_version": "1", **moment}
    assert not person.asks("lin", "ReviseEvent", **about)["ok"]
    person.does("lin", "ReviseEvent", "it was a cystitis", **about)
    with Study.open(folder, actor="test") as study:
        (one,) = obligations(study, world.clock.now())
    assert (one.rule, one.state) == ("cn.sae.other", "running")
    assert one.kept is not None
    other = Person(folder, "P-042")
    assert not other.asks("lin", "ReviseEvent", "x", **about)["ok"]
    assert not other.page.answer("row", {"table": "adverse_event", "row": shown["id"]})["ok"]


def test_a_deficiency_is_reported_from_the_page_of_whom_it_concerns(folder: Path) -> None:
    person = Person(folder)
    moment = {"aware": safety_trial.ago(hours=2), "zone": "UTC", "country": "CN"}
    unknown = json.dumps({"could_have_led_to_sae": None})
    person.does("okafor", "ReportDeficiency", device="glove", text="reset", onset="", facts=unknown, **moment)
    (row,) = person.rows("device_deficiency")
    assert row["participant_id"] == person.id
    assert [one["what"] for one in person.page.page["safety"]] == ["glove"]


def test_an_event_that_tells_of_the_device_is_not_on_the_axis_of_who_is_blinded(tmp_path: Path) -> None:
    safety_trial.begin(tmp_path / "study")

    def shown(login: str) -> str:
        visits = VisitService(tmp_path / "study", operator="Chen L.")
        visits.sign_in(login=login, password=SECRET)
        with visits.record() as study:
            (row,) = study.rows("participant", pseudonym="P-014")
        page = ParticipantService(visits).page(row["id"])
        return f"{page['events']} {page['safety']}"

    assert shown("rossi").count("skin redness") == 2
    assert "skin redness" not in shown("wu")
