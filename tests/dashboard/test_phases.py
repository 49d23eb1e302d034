"""One person goes through several systems: what runs at a visit is what the protocol plans there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.test_visits import _Client
from tests.systems.test_draft import ABOUT, DECIDED, SITE, THREE
from workbench import systems
from workbench.dashboard import VisitService
from workbench.errors import Refused, WorkbenchError
from workbench.study import Study
from workbench.study.changes import AdoptProtocol
from workbench.vocabulary import Participant, Visit

HAND, CORTEX, SCALP = THREE


def definition(*names: str) -> dict[str, Any]:
    draft = systems.draft(*map(systems.load, names))
    estimands = [{"summary": "A mean.", **one, **DECIDED} for one in draft["estimand"]]
    return {**draft, **SITE, "estimand": estimands, "study": {**draft["study"], **ABOUT}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return three_phases(tmp_path / "study", {"P-001": False, "P-002": True})


def three_phases(made: Path, people: Mapping[str, bool]) -> Path:
    """A study of the three systems in one protocol, with the visits of people, each simulated or not."""
    with Study.create(made, code="S", title="Three", actor="test") as study:
        both = [study.script_signer(name).confirm() for name in ("Lin Q.", "Wang M.")]
        study.apply(AdoptProtocol(definition(*THREE)), both)
        for name, simulated in people.items():
            person = study.append(Participant(name, simulated=simulated))
            for n in (1, 2, 3):
                study.append(Visit(person, f"Phase {n}, Baseline"))
            study.append(Visit(person, "Unplanned"))
    return made


def of(service: VisitService, who: str) -> dict[str, str]:
    with service.record() as study:
        (person,) = [row for row in study.rows("participant") if row["pseudonym"] == who]
        return {row["name"]: row["id"] for row in study.rows("visit", participant_id=person["id"])}


@pytest.mark.parametrize("who", ["P-001", "P-002"])
def test_each_visit_has_the_system_that_the_protocol_plans_there_with_its_effector_and_hardware(
    folder: Path, who: str
) -> None:
    service = VisitService(folder, operator="Chen L.")
    visits = of(service, who)
    for n, name in ((1, HAND), (3, SCALP), (2, CORTEX), (1, HAND)):
        details = service.details(visits[f"Phase {n}, Baseline"])
        assert details["system"] == f"{name} {systems.load(name).tasks[0].name}"
        assert service.hardware.system.name == name
        assert [line["role"] for line in service.hardware.state()["inputs"]] == [
            one.role for one in systems.load(name).inputs
        ]


def test_a_person_is_offered_what_is_planned_at_the_visit_alone(folder: Path) -> None:
    service = VisitService(folder, operator="Chen L.")
    details = service.details(of(service, "P-001")["Phase 2, Baseline"])
    assert [one["key"].split()[0] for one in details["systems"]] == [CORTEX]
    with pytest.raises(WorkbenchError, match="must be one of those offered"):
        service.choose_system(f"{HAND} cued")
    assert service.details(of(service, "P-001")["Unplanned"])["system"].startswith(systems.USUAL)


def test_what_was_chosen_for_a_simulated_participant_stays_until_another_visit(folder: Path) -> None:
    service = VisitService(folder, operator="Chen L.")
    visits = of(service, "P-002")
    service.details(visits["Phase 2, Baseline"])
    service.choose_system(f"{SCALP} cued")
    assert service.details(visits["Phase 2, Baseline"])["system"] == f"{SCALP} cued"
    assert service.details(visits["Phase 1, Baseline"])["system"].startswith(HAND)


def test_a_session_runs_what_is_planned_at_its_own_visit_whichever_was_looked_at_last(
    folder: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("workbench.dashboard.visits.live.start", lambda plan, progress: _Client(plan))
    service = VisitService(folder, operator="Chen L.")
    visits = of(service, "P-002")
    service.details(visits["Phase 1, Baseline"])
    service.confirm(visits["Phase 3, Baseline"], "P-002")
    with pytest.raises(Refused, match="paddle-16 has no limits of stimulation in force"):
        service.new_session()
    service.details(visits["Phase 3, Baseline"])
    service.confirm(visits["Phase 1, Baseline"], "P-002")
    assert service.new_session().plan.system["name"] == HAND


def test_a_system_that_is_planned_and_not_installed_starts_no_other(folder: Path, monkeypatch: Any) -> None:
    service = VisitService(folder, operator="Chen L.")
    monkeypatch.setattr(systems, "available", lambda: (HAND,))
    blocked = service.details(of(service, "P-002")["Phase 3, Baseline"])["blocked"]
    assert str(blocked["text"]).startswith(f"the protocol plans sessions of {SCALP} at this visit")
