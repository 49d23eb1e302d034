"""A trial in which one form is entered by two people, and somebody of each role who works on its pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.dashboard.trial import EXAMPLE, SECRET, days_ago
from workbench.dashboard import StudyService, VisitService
from workbench.dashboard.participants import ParticipantService
from workbench.study import Study, protocol, standard_forms
from workbench.study.changes import AdoptProtocol, Enrol, HoldVisit, SaveForm, SetAnchor
from workbench.vocabulary import Participant, Run, Session
from workbench.widgets import ParticipantPage, StudyPage

PEOPLE = {
    "lin": "coordinator", "okafor": "investigator", "he": "data_manager", "sun": "statistician", "wu": "assessor",
    "mei": "therapist",
}  # fmt: skip
VITALS = {"measured_on": days_ago(0), "systolic": 140, "weight": {"missing": "not_done"}, "skin_whole": True}
BEFORE, AFTER = '\n[[form]]\nname = "vitals"\n', '\n[[form]]\nname = "vitals"\ndouble_entry = true\n'


def begin(folder: Path) -> None:
    """P-041 at a screening that was held, with vitals of two who differ and a session of one run; and P-042."""
    text = EXAMPLE.read_text(encoding="utf-8").replace(BEFORE, AFTER)
    text = text.replace('forms = ["vitals", "isncsci"]', 'forms = ["vitals", "wound", "sci_core_3"]', 1)
    text += standard_forms.text(standard_forms.CORE)
    with Study.create(folder, code="CLINIC", title="Invented", actor="test") as study:
        for login, role in PEOPLE.items():
            study.add_person(login, f"{login} {role}", SECRET, (role,))
        who = {login: study.sign_in(login, SECRET) for login in PEOPLE}
        both = [who[login].confirm(SECRET) for login in ("okafor", "he")]
        study.apply(AdoptProtocol(protocol.parse(text, "example").definition()), both)
        person = study.append(Participant("P-041", trained_side="left"))
        study.append(Participant("P-042", trained_side="left"))
        study.apply(Enrol(person, "S-1"), who["lin"])
        study.apply(SetAnchor(person, "consent", days_ago(0)), who["lin"])
        (visit,) = study.rows("visit", name="Screening")
        study.apply(HoldVisit(visit["id"], days_ago(0)), who["lin"])
        study.apply(SaveForm(visit["id"], "wound", {"state": "closed"}), who["wu"])
        study.apply(SaveForm(visit["id"], "vitals", VITALS), who["wu"])
        study.apply(SaveForm(visit["id"], "vitals", {**VITALS, "systolic": 104}, entry=2), who["mei"])
        session = study.append(Session(visit["id"], "Lin Q.", started=f"{days_ago(0)}T00:00:00Z", simulated=True))
        study.append(Run(session, 1, "calibration", "event_grasp", "finished", n_trials_planned=8))


class Work:
    """The page of a participant and the overview of the study, used as people who sign each change."""

    def __init__(self, folder: Path, name: str = "P-041", *, login: str = "") -> None:
        self.folder = folder
        self.visits = VisitService(folder, operator="Chen L.")
        if login:
            self.visits.sign_in(login=login, password=SECRET)
        with Study.open(folder, actor="test") as study:
            (row,) = study.rows("participant", pseudonym=name)
        self.id = str(row["id"])
        self.led: list[tuple[str, str]] = []
        leads = {
            "start_session": lambda visit: self.led.append(("session", visit)),
            "show_result": lambda run: self.led.append(("result", run)),
        }
        self.page = ParticipantPage(ParticipantService(self.visits), self.id, **leads)
        service = StudyService(self.visits.access)
        self.study = StudyPage(service)

    def asks(self, who: str, change: str, reason: str = "", **fields: Any) -> dict[str, Any]:
        """Ask for a change; the answer."""
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
        asked = {"change": change, "fields": texts, "reason": reason, "login": who, "password": SECRET}
        return self.page.answer("make", asked)

    def does(self, who: str, change: str, reason: str = "", **fields: Any) -> None:
        """Make a change."""
        reply = self.asks(who, change, reason, **fields)
        assert reply["ok"], reply["text"]

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of the record."""
        with Study.open(self.folder, actor="test") as study:
            return study.rows(table, **where)

    def visit(self, name: str = "Screening") -> dict[str, Any]:
        """A visit as the page shows it."""
        (found,) = [one for one in self.page.page["visits"] if one["name"] == name]
        return dict(found)

    def form(self, name: str) -> dict[str, Any]:
        """A form of the screening as the page shows it."""
        (found,) = [one for one in self.visit()["forms"] if one["name"] == name]
        return dict(found)

    def signs(self, who: str, *targets: str) -> None:
        """Sign rows as they are shown."""
        asked = ",".join(targets)
        shown = self.page.answer("bound", {"targets": asked})["value"]
        self.does(who, "Sign", targets=asked, meaning="I reviewed these entries", shown_sha256=shown)
