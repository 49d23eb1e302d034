"""A trial by keyboard alone, in a real browser, as three roles: from screening to a frozen participant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import READY_MS
from tests.dashboard.trial import EXAMPLE, SECRET
from workbench import world
from workbench.commands import main
from workbench.study import Study, protocol
from workbench.study.changes import AdoptProtocol, MakeList
from workbench.vocabulary import Participant
from workbench.widgets.dashboard import serve

pytestmark = [pytest.mark.job, pytest.mark.timeout(900)]

PEOPLE = {
    "lin": ("Lin Q.", "coordinator"), "okafor": ("Dr Okafor A.", "investigator"), "he": ("He D.", "data_manager"),
    "sun": ("Sun T.", "statistician"),
}  # fmt: skip
MOST_TABS, STEP_MS = 250, 30_000
FOCUSED = "document.activeElement?.dataset?.name || ''"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study with its people, its protocol and its sealed list, and one participant who is not in it yet."""
    made = tmp_path / "study"
    with Study.create(made, code="WALK", title="Invented", actor="test") as study:
        for login, (name, role) in PEOPLE.items():
            study.add_person(login, name, SECRET, (role,))
        who = {login: study.sign_in(login, SECRET) for login in PEOPLE}
        both = [who[login].confirm(SECRET) for login in ("okafor", "he")]
        study.apply(AdoptProtocol(protocol.read(EXAMPLE).definition()), both)
        study.apply(MakeList("1.0.0"), who["sun"])
        study.append(Participant("P-041", injury_level="C5", ais="B", trained_side="left"))
    return made


class Keyboard:
    """A page that is used without a mouse."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def to(self, name: str) -> None:
        """Press Tab until what is called so has the focus."""
        self.page.wait_for_selector(f"[data-name='{name}']:visible")
        for _ in range(MOST_TABS):
            if self.page.evaluate(FOCUSED) == name:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{name} is not reached by Tab")

    def go(self, name: str) -> None:
        """To what is called so, and press it."""
        self.to(name)
        self.press("Enter")

    def unfold(self, name: str) -> None:
        """Open what is folded, if it is."""
        self.to(name)
        if not self.page.locator(f"[data-name='{name}']").evaluate("summary => summary.parentElement.open"):
            self.press("Enter")

    def fill(self, name: str, text: str) -> None:
        self.to(name)
        self.page.keyboard.type(text)

    def sign(self, change: str) -> None:
        """Give the password of who is signed in, and send the dialog."""
        self.fill("sign-password", SECRET)
        self.to("sheet-send")
        assert self.page.locator("[data-name=sheet-send]").is_enabled(), change
        self.press("Enter")
        self.page.wait_for_selector("dialog", state="detached")

    def send(self) -> None:
        """Send a dialog of the safety desk, in the name of who is signed in."""
        self.go("sheet-send")
        self.page.wait_for_selector("dialog", state="detached")

    def sign_in(self, login: str) -> None:
        """Whoever was there leaves, and somebody else signs in."""
        if self.page.locator("[data-name=login]:visible").count() == 0:
            if PEOPLE[login][0] != self.signed_in and self.signed_in:
                self.go("sign-person")
                self.page.wait_for_function("document.querySelector('[data-name=operator]').hidden")
            self.go("sign-person")
        self.to("login")
        self.press("Control+a")  # who was there before is still named
        self.page.keyboard.type(login)
        self.fill("password", SECRET)
        self.press("Enter")
        self.page.wait_for_selector(f"[data-name=operator]:text('{PEOPLE[login][0]}')")

    @property
    def signed_in(self) -> str:
        operator = self.page.locator("[data-name=operator]:visible")
        return str(operator.inner_text()) if operator.count() else ""

    def person(self) -> None:
        """To the page of the participant, by the overview of the study."""
        self.go("view-study")
        self.go("open-P-041")
        self.page.wait_for_selector("[data-name=person]:text('P-041')")


@pytest.fixture
def keyboard(chromium: Any, folder: Path) -> Iterator[Keyboard]:
    dashboard = serve(folder, open_browser=False)
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    try:
        page = context.new_page()
        page.set_default_timeout(READY_MS)
        page.goto(dashboard.url)
        page.wait_for_selector("[data-name=view-study]")
        page.set_default_timeout(STEP_MS)
        yield Keyboard(page)
    finally:
        context.close()
        dashboard.stop()


def rows(folder: Path, table: str, **where: Any) -> list[dict[str, Any]]:
    with Study.open(folder, actor="test") as study:
        return study.rows(table, **where)


def test_a_participant_goes_through_the_trial_by_keyboard_as_three_roles(keyboard: Keyboard, folder: Path) -> None:
    today = world.clock.local().date()
    page = keyboard.page

    # The coordinator: screening, consent, eligibility, randomisation, schedule.
    keyboard.sign_in("lin")
    keyboard.person()
    keyboard.go("enrol")
    keyboard.fill("screening-number", "S-001")
    keyboard.sign("Enrol")
    keyboard.go("record-consent")
    keyboard.sign("GiveConsent")
    for criterion, answer in (("I1", "Y"), ("I2", "Y"), ("E1", "N")):
        keyboard.go(f"criterion-{criterion}")
        keyboard.fill("answer", answer)
        keyboard.fill("evidence", "letter of the ward, page 1")
        keyboard.sign("AnswerCriterion")
    keyboard.go("enter-study")
    keyboard.fill("why", "every criterion is met")
    keyboard.sign("SetStatus")
    keyboard.go("set-day")
    keyboard.sign("SetAnchor")
    keyboard.go("randomise")
    keyboard.sign("Randomise")
    page.wait_for_selector("text=Randomised")
    assert rows(folder, "allocation")[0]["covariates"] == {"side": "left"}
    assert rows(folder, "enrolment")[0]["status"] == "enrolled"

    # An assessment at the visit of today, then the visit and its form; a doubtful value is asked about at once.
    keyboard.go("view-today")
    keyboard.go("row-P-041")
    keyboard.go("view-assess")
    page.wait_for_selector("[data-item=grasp_1]")
    for name in ("assisted-false", "device_on-false", "stimulation_on-false", "side-right"):
        keyboard.to(name)
        keyboard.press("Enter")
        page.wait_for_selector(f"[data-name={name}][aria-pressed=true]")
    for _ in range(MOST_TABS):
        if page.evaluate("document.activeElement?.dataset?.item || ''") == "grasp_1":
            break
        keyboard.press("Tab")
    page.keyboard.type("3210321032103210321", delay=30)
    page.wait_for_selector("text=19 of 19 items entered")
    keyboard.go("save")
    page.wait_for_selector("text=Saved in the record as assessment")
    keyboard.person()
    keyboard.go("hold-Screening")
    keyboard.sign("HoldVisit")
    keyboard.unfold("forms-Screening")
    keyboard.go("fill-Screening-vitals")
    keyboard.fill("item-measured_on", today.strftime("%m%d%Y"))
    keyboard.fill("item-systolic", "190")
    keyboard.fill("item-skin_whole", "Y")
    keyboard.sign("SaveForm")
    (query,) = rows(folder, "query")
    assert (query["automatic"], query["field"]) == (True, "systolic")
    # Held before its window opens: the record notices it.
    keyboard.go("hold-Baseline")
    keyboard.sign("HoldVisit")
    (deviation,) = rows(folder, "deviation")
    assert (deviation["category"], deviation["automatic"]) == ("visit_window", True)

    # The investigator: an adverse event, its report by the clock, the answer, the signature.
    keyboard.sign_in("okafor")
    keyboard.go("add-event")
    keyboard.fill("term", "urinary sepsis")
    keyboard.to("hospitalisation")
    keyboard.press("Space")
    keyboard.sign("ReportEvent")
    keyboard.go(f"answer-{query['id']}")
    keyboard.fill("sheet-text", "measured again: 148")
    keyboard.sign("AnswerQuery")
    keyboard.unfold("forms-Screening")
    keyboard.go("form-Screening-vitals")
    page.wait_for_selector("[data-name=sign-rows]:enabled")
    keyboard.go("sign-rows")
    keyboard.sign("Sign")
    (signature,) = rows(folder, "signature", signer="Dr Okafor A.", meaning="I reviewed these entries")
    assert signature["targets"][0][0] == "form"
    keyboard.go("view-safety")
    page.wait_for_selector("[data-name=verdict]")
    assert page.locator("[data-name=verdict]").inner_text() == "No report is due this week"
    assert "urinary sepsis" in page.locator(".ob li").first.inner_text()
    keyboard.press("j", "Enter")
    page.wait_for_selector("[data-name=report-sheet]")
    keyboard.fill("reference", "NMPA-1")
    keyboard.send()
    page.wait_for_selector("text=Every report that the rules in force ask for was sent.")
    (sent,) = rows(folder, "obligation_event", action="sent")
    assert (sent["by"], sent["reference"], sent["late_s"]) == ("Dr Okafor A.", "NMPA-1", 0)

    # The data manager: the query and the deviation are closed, the values frozen, the audit trail exported.
    keyboard.sign_in("he")
    keyboard.person()
    keyboard.go(f"close-{query['id']}")
    keyboard.fill("sheet-text", "as answered")
    keyboard.sign("CloseQuery")
    keyboard.go(f"deviation-{deviation['id']}")
    keyboard.fill("sheet-impact", "none")
    keyboard.fill("sheet-correction", "the window is on the printed schedule")
    keyboard.sign("CloseDeviation")
    keyboard.go("freeze")
    keyboard.fill("why", "everything is in and reviewed")
    keyboard.sign("Freeze")
    keyboard.go("view-study")
    keyboard.go("export")
    page.wait_for_selector("[data-name=told]:has-text('Kept as exports/audit-')")

    assert [row["level"] for row in rows(folder, "lock_event")] == ["freeze"]
    assert {row["action"] for row in rows(folder, "query_event")} == {"answered", "closed"}
    assert len(list((folder / "exports").glob("audit-*.csv"))) == 1
    assert main(["verify", str(folder)]) == 0
