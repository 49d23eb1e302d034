"""Natural recovery behind the course of a participant, on the page and in the report."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.outcomes.conftest import exam
from tests.widgets.test_clinic import axe
from workbench import outcomes
from workbench.analysis.recovery import SOURCE
from workbench.dashboard import VisitService
from workbench.dashboard.participants import ParticipantService
from workbench.outcomes import isncsci
from workbench.reports import trial_report
from workbench.study import Study
from workbench.vocabulary import Assessment, Condition, Participant, Visit
from workbench.widgets import ParticipantPage

INJURED = date(2026, 1, 5)
EXAMS = {"Screening": (20, "5520000000"), "Week 12": (85, "5541100000"), "Week 26": (170, "5553110000")}
"""Days after the injury, and the motor score of either side."""
ALONE, HELPED = Condition(False, False, False), Condition(True, True, False)


def fill(folder, *, injured=INJURED):
    """Somebody whose sum of motor scores is known at three visits, and once with help."""
    with (
        Study.open(folder, actor="tests")
        if folder.exists()
        else Study.create(folder, code="REC", title="Recovery", actor="tests") as study
    ):
        name = f"P-{len(study.rows('participant')) + 1}"
        about = {"simulated": True, "injured_on": injured.isoformat() if injured else ""}
        person = study.append(Participant(name, **about))
        for visit, (days, motor) in EXAMS.items():
            at = INJURED + timedelta(days=days)
            row = study.append(Visit(person, visit, started=f"{at}T09:00:00Z"))
            items = isncsci.items_of(exam({"motor": motor, "normal_to": "C6"}, dap="Yes"))
            score = outcomes.score("isncsci", items).to_json()
            for condition in (ALONE, HELPED) if visit == "Week 26" else (ALONE,):
                study.append(
                    Assessment(
                        row, "isncsci", "2019", condition, items, score, "Wu R.",
                        administered_at=f"{at}T09:00:00Z",
                    )
                )  # fmt: skip
        return person


def page_of(folder, person):
    return ParticipantPage(ParticipantService(VisitService(folder, operator="Chen L.")), person)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "study"


def test_the_page_has_the_bands_of_the_first_grade_at_each_stage_and_their_source(folder):
    person = fill(folder)
    (measure,) = page_of(folder, person).page["measures"]
    found = measure["recovery"]
    assert (found["group"], found["why"], found["source"]) == ({"ais": "B", "plegia": "tetraplegia"}, "", SOURCE)
    assert [band["weeks"] for band in found["bands"]] == [4, 12, 26]
    assert all(band["n"] > 100 for band in found["bands"])


def test_of_an_unknown_injury_the_page_says_why_there_is_no_band(folder):
    person = fill(folder, injured=None)
    (measure,) = page_of(folder, person).page["measures"]
    assert (measure["recovery"]["why"], measure["recovery"]["bands"]) == ("no_injury", [None] * 3)


def test_the_report_of_a_participant_draws_them_with_source_and_numbers_and_no_other_report_does(folder):
    fill(folder)
    fill(folder, injured=None)
    with Study.open(folder, actor="tests") as study:
        told = {
            name: trial_report(study, "participant", participant=name, formats=("html",)).files["html"][0]
            for name in ("P-1", "P-2")
        }
        told["all"] = trial_report(study, "interim", formats=("html",)).files["html"][0]
    said = {name: path.read_text(encoding="utf-8") for name, path in told.items()}
    assert "AIS B at first examination, tetraplegia (n = " in said["P-1"]
    assert SOURCE in said["P-1"]
    assert "natural recovery, mean ± SD" in said["P-1"]
    assert "the date of injury is not known" in said["P-2"]
    assert "natural recovery, mean" not in said["P-2"]
    assert "atural recovery" not in said["all"]


@pytest.mark.job
def test_the_bars_stand_behind_their_visits_and_are_told_in_words(folder, mount):
    person = fill(folder)
    page = page_of(folder, person)
    shown = mount(
        ParticipantPage, {"page": page.page, "look": page.look, "leads": [], "made": {}, "can_go_back": False}
    )
    bars = shown.locator(".multiple .recovery")
    assert bars.count() == 3
    words = shown.locator(".recoverywords").inner_text()
    assert "AIS B at first examination, tetraplegia" in words
    assert SOURCE in words
    label = shown.locator(".multiple svg").get_attribute("aria-label")
    band = page.page["measures"][0]["recovery"]["bands"][1]
    assert f"Week 12 natural recovery {band['low']:g} to {band['high']:g}" in label
    assert axe(shown) == []
