"""Corrections, decisions, treatments, sessions and the lock in a real browser, over a real record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.clinician import begin
from tests.dashboard.trial import SECRET, days_ago
from tests.widgets.test_clinic import axe
from tests.widgets.test_participant_page import Shown
from workbench import messages
from workbench.dashboard import StudyService, VisitService
from workbench.widgets import StudyPage

pytestmark = pytest.mark.job


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clinician") / "study"
    begin(folder)
    return folder


@pytest.fixture
def person(mount: Callable[..., Any], begun: Path, tmp_path: Path) -> Callable[..., Shown]:
    """The page of P-041, of a record that the test may change."""
    folder = Path(shutil.copytree(begun, tmp_path / "study"))
    return lambda **how: Shown(mount, folder, **how)


def sign(page: Any, login: str) -> None:
    page.fill("[data-name=sign-login]", login)
    page.fill("[data-name=sign-password]", SECRET)
    page.locator("[data-name=sheet-send]:enabled").press("Enter")


def opened(shown: Shown, name: str) -> None:
    """Open a form of the screening, with what the page asks for it."""
    if not shown.page.locator(f"[data-name=form-Screening-{name}]").is_visible():
        shown.page.locator("[data-name=forms-Screening]").press("Enter")
    shown.page.locator(f"[data-name=form-Screening-{name}]").press("Enter")
    shown.answer()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_correction_shows_what_stands_there_and_waits_for_a_change_and_its_reason(
    person: Callable[..., Shown], language: str
) -> None:
    shown = person(language=language)
    page = shown.page
    opened(shown, "wound")
    page.locator("[data-name=sign-rows]:enabled").press("Enter")
    sign(page, "okafor")
    shown.answer()
    opened(shown, "wound")
    assert page.locator("[data-name=signature-valid]").count() == 1
    page.locator("[data-name=correct-1]").press("Enter")
    shown.answer()
    assert page.locator("[data-name=item-state]").input_value() == "closed"
    assert page.evaluate("document.activeElement.dataset.name") == "item-state"
    assert page.locator("[data-name=sheet-send]").is_disabled()
    page.select_option("[data-name=item-state]", "open")
    assert page.locator("[data-name=sheet-send]").is_disabled()  # the reason is missing
    page.fill("[data-name=why]", "seen again")
    assert axe(page) == []
    sign(page, "wu")
    (sent,) = shown.answer()
    assert sent["args"]["fields"]["row_version"] == "1"
    assert shown.rows("form")[0]["values"] == {"state": "open"}
    page.wait_for_selector("dialog", state="detached")
    assert page.locator("[data-name=visit-session]").count() == 1
    stale = page.locator("[data-name=form-Screening-wound] ~ .lt.medium")
    assert stale.inner_text() == {"en": "Signature stale", "zh-CN": "签名已失效"}[language]
    opened(shown, "wound")
    assert page.locator("[data-name=signature-stale]").count() == 1
    assert axe(page) == []
    assert page.errors == []


def test_two_entries_stand_side_by_side_and_what_holds_is_chosen_for_each_difference(
    person: Callable[..., Shown],
) -> None:
    shown = person(width=1024, height=768)
    page = shown.page
    opened(shown, "vitals")
    page.locator("[data-name=decide-1]").press("Enter")
    shown.answer()
    table = page.locator(".sidebyside")
    assert table.locator("tbody tr").count() == 1  # on nothing else do they differ
    told = table.inner_text()
    assert all(words in told for words in ("140 mmHg", "104 mmHg", "wu assessor", "mei therapist"))
    assert page.locator("[data-name=item-systolic]").is_hidden()
    page.select_option("[data-name=holds-systolic]", "other")
    page.fill("[data-name=item-systolic]", "138")
    assert axe(page) == []
    sign(page, "mei")
    shown.answer()
    assert "mei therapist" in page.locator("[data-name=sheet-problem]").inner_text()
    sign(page, "he")
    shown.answer()
    assert [row["values"]["systolic"] for row in shown.rows("form") if row["entry"] == 0] == [138]
    page.wait_for_selector("dialog", state="detached")
    opened(shown, "vitals")
    assert "Decide again" in page.locator("[data-name=decide-1]").inner_text()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_treatment_is_added_and_revised_and_the_core_data_set_says_where_it_is_entered(
    person: Callable[..., Shown], language: str
) -> None:
    shown = person(language=language)
    page = shown.page
    page.locator("[data-name=add-rehabilitation]").press("Enter")
    assert axe(page) == []
    page.fill("[data-name=care-name]", "hand")
    assert page.locator("[data-name=sheet-send]").is_disabled()  # a dose without minutes is none
    page.fill("[data-name=care-minutes]", "45")
    sign(page, "mei")
    shown.answer()
    (row,) = shown.rows("treatment")
    assert (row["kind"], row["minutes"], row["started_on"]) == ("rehabilitation", 45, days_ago(0))
    assert "45" in page.locator("[data-name=dose-total]").inner_text()
    page.locator(f"[data-name=revise-{row['id']}]").press("Enter")
    shown.answer()
    page.fill("[data-name=care-minutes]", "60")
    page.fill("[data-name=why]", "the sheet says so")
    sign(page, "mei")
    shown.answer()
    assert shown.rows("treatment")[0]["minutes"] == 60
    assert page.locator("text=" + {"en": "No value yet.", "zh-CN": "尚无数值。"}[language]).count() == 1
    assert axe(page) == []


def test_a_session_and_its_run_lead_on_and_its_report_is_opened_from_the_page(
    person: Callable[..., Shown],
) -> None:
    shown = person()
    page, (session,) = shown.page, shown.rows("session")
    page.locator("[data-name=result-1]").press("Enter")
    page.locator("[data-name=session-Baseline]").press("Enter")
    shown.answer()
    assert shown.led == [shown.rows("run")[0]["id"], shown.panel.page["visits"][1]["id"]]
    page.locator(f"[data-name=report-{session['id']}]").press("Enter")
    shown.answer()
    shown.panel.wait()
    page.evaluate("values => window.put(values)", shown.traits())
    link = page.locator("[data-name=open-report]")
    assert page.evaluate("document.activeElement.dataset.name") == "open-report"
    assert shown.panel.made["path"] in page.locator("[data-name=report-kept]").inner_text()
    assert axe(page) == []
    text = link.evaluate("async link => (await fetch(link.href)).text()")
    assert text == (shown.folder / shown.panel.made["path"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_lock_names_what_is_missing_and_where_it_is_settled(
    mount: Callable[..., Any], begun: Path, language: str
) -> None:
    visits = VisitService(begun, operator="Chen L.")
    opened: list[str] = []
    panel = StudyPage(
        StudyService(visits.access), open_participant=opened.append, open_safety=lambda: opened.append("desk")
    )
    traits = {"overview": messages.carried(panel.overview), "opens": panel.opens, "work": {}}
    page = mount(StudyPage, {**traits, "language": language}, width=1280, height=800)

    def answer() -> None:
        for message in page.evaluate("window.sent.splice(0)"):
            reply = panel.answer(message["name"], message["args"])
            page.evaluate("reply => window.say(reply)", {**messages.carried(reply), "id": message["id"]})

    page.locator("[data-name=lock-study]").press("Enter")
    answer()
    assert page.locator(".conditions-list .lt.ok").count() == 4
    assert page.locator(".conditions-list .lt.medium").count() == 2
    page.fill("[data-name=why]", "the end")
    for role, login in (("data_manager", "he"), ("investigator", "okafor"), ("statistician", "sun")):
        page.fill(f"[data-name=login-{role}]", login)
        page.fill(f"[data-name=password-{role}]", SECRET)
    assert page.locator("[data-name=sheet-send]").is_disabled()
    assert page.locator("[data-name=lock-waits]").inner_text() != ""
    assert axe(page) == []
    page.locator("[data-name=settle-unsigned-P-041]").press("Enter")
    answer()
    assert opened == ["P-041"]
    assert page.locator("dialog").count() == 0
    assert page.errors == []
