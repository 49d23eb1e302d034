"""A trial by keyboard alone, in a real browser, as three roles: from screening to the lock of the study."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import READY_MS
from tests.dashboard.trial import EXAMPLE, SECRET
from workbench import live, world
from workbench.commands import main
from workbench.study import Study, protocol
from workbench.study.changes import AdoptProtocol, MakeList
from workbench.vocabulary import Participant, Visit
from workbench.widgets.dashboard import serve

pytestmark = [pytest.mark.release, pytest.mark.timeout(900)]

PEOPLE = {
    "lin": ("Lin Q.", "coordinator"), "okafor": ("Dr Okafor A.", "investigator"), "he": ("He D.", "data_manager"),
    "sun": ("Sun T.", "statistician"),
}  # fmt: skip
MOST_TABS, STEP_MS, SPEED = 250, 30_000, "5"
FOCUSED = "document.activeElement?.dataset?.name || ''"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study with people, protocol and sealed list, and a simulated participant who is not in it yet."""
    made = tmp_path / "study"
    with Study.create(made, code="WALK", title="Invented", actor="test") as study:
        for login, (name, role) in PEOPLE.items():
            study.add_person(login, name, SECRET, (role,))
        who = {login: study.sign_in(login, SECRET) for login in PEOPLE}
        both = [who[login].confirm(SECRET) for login in ("okafor", "he")]
        study.apply(AdoptProtocol(protocol.read(EXAMPLE).definition()), both)
        study.apply(MakeList("1.0.0"), who["sun"])
        about = {"injury_level": "C5", "ais": "B", "trained_side": "left", "simulated": True}
        study.append(Participant("P-041", **about))
        study.append(Visit(study.append(Participant("P-099", simulated=True)), "first visit"))
    return made


class Keyboard:
    """A page that is used without a mouse; pictures of it are kept on the way."""

    def __init__(self, page: Any, pictures: Path) -> None:
        self.page, self.pictures, self.taken = page, pictures, 0

    def picture(self, name: str) -> None:
        """Keep what is on the screen, to be looked at beside its drawing."""
        self.taken += 1
        self.pictures.mkdir(exist_ok=True)
        self.page.screenshot(path=self.pictures / f"{self.taken:02d}-{name}.png")

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

    def replace(self, name: str, text: str) -> None:
        """Type in the place of what stands in a field."""
        self.to(name)
        self.press("Control+a")
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
        self.page.wait_for_selector("[data-name=participant]:text('P-041')")  # the bar names the same person

    def form(self, name: str) -> None:
        """Open a form of the screening on the page of the participant."""
        self.unfold("forms-Screening")
        self.go(f"form-Screening-{name}")
        self.page.wait_for_selector("[data-name=sign-rows]:enabled")


@pytest.fixture
def keyboard(chromium: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyboard]:
    monkeypatch.setenv("WORKBENCH_SPEED", SPEED)
    dashboard = serve(folder, open_browser=False)
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    try:
        page = context.new_page()
        page.set_default_timeout(READY_MS)
        page.goto(dashboard.url)
        page.wait_for_selector("[data-name=view-study]")
        page.set_default_timeout(STEP_MS)
        # Named in the environment, they outlive a test that passes.
        yield Keyboard(page, Path(os.environ.get("WORKBENCH_PICTURES") or tmp_path / "pictures"))
    finally:
        context.close()
        dashboard.stop()
        if live.find(folder):
            live.attach(folder).shutdown()


def rows(folder: Path, table: str, **where: Any) -> list[dict[str, Any]]:
    with Study.open(folder, actor="test") as study:
        return study.rows(table, **where)


def enrolled(keyboard: Keyboard, folder: Path) -> None:
    """The coordinator: screening, consent, eligibility, the day of the anchor, randomisation."""
    page = keyboard.page
    keyboard.sign_in("lin")
    keyboard.go("row-P-099")  # somebody else is chosen on the list
    page.wait_for_selector("[data-name=chosen-participant]:text('P-099')")
    keyboard.picture("worklist")
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


def session_held(keyboard: Keyboard, folder: Path) -> None:
    """A session within the visit: the code is read, a calibration is run, the session ended, its report opened."""
    page = keyboard.page
    keyboard.go("session-Screening")
    page.wait_for_selector("[data-name=chosen-participant]:text('P-041')")
    keyboard.fill("code", "P-041")
    keyboard.press("Enter")
    page.wait_for_selector("[data-name=start-session]:enabled")
    keyboard.picture("confirmed")
    keyboard.go("start-session")
    page.wait_for_selector("[data-name=start-run]:enabled", timeout=READY_MS)
    keyboard.replace("n-trials", "8")
    keyboard.go("start-run")
    page.wait_for_selector("[data-name=pause]")
    page.wait_for_function(
        "parseInt(document.querySelector('[data-name=trials]').textContent) >= 2", timeout=READY_MS
    )
    keyboard.picture("run")
    page.wait_for_selector("[data-name=sign]", timeout=READY_MS)  # what was fitted waits for a decision
    keyboard.picture("approve")
    keyboard.go("view-run")
    page.wait_for_selector("[data-name=end-session]:enabled")
    keyboard.go("end-session")
    keyboard.go("end-session-now")
    page.wait_for_selector("[data-name=row-P-041]", timeout=READY_MS)
    (session,) = rows(folder, "session")
    assert [row["kind"] for row in rows(folder, "run")] == ["calibration"]
    keyboard.person()
    keyboard.go(f"report-{session['id']}")
    page.wait_for_selector("[data-name=open-report]:visible", timeout=READY_MS)
    assert page.evaluate(FOCUSED) == "open-report"
    with page.context.expect_page() as opened:
        keyboard.press("Enter")
    opened.value.wait_for_selector("text=P-041")
    opened.value.screenshot(path=keyboard.pictures / "report.png", full_page=True)
    opened.value.close()
    keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def assessed(keyboard: Keyboard, folder: Path) -> None:
    """An assessment at the visit of the session, then its form: a doubtful value is asked about, and corrected."""
    page = keyboard.page
    keyboard.go("view-assess")  # of whom the page is about: the visit of the session is still chosen
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
    keyboard.fill("item-measured_on", world.clock.local().date().strftime("%m%d%Y"))
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
    # What was typed wrong is corrected with a reason.
    keyboard.form("vitals")
    keyboard.go("correct-1")
    page.wait_for_selector("[data-name=correct-sheet]")
    keyboard.replace("item-systolic", "148")
    assert page.locator("[data-name=sheet-send]").is_disabled()  # the reason is missing
    keyboard.fill("why", "read from the wrong line")
    keyboard.picture("correction")
    keyboard.sign("SaveForm")
    (form,) = rows(folder, "form")
    assert (form["values"]["systolic"], form["row_version"]) == (148, 2)
    keyboard.picture("participant")


def reviewed(keyboard: Keyboard, folder: Path) -> str:
    """The investigator: an adverse event, its report by the clock, the answer, the signatures. The event's id."""
    page = keyboard.page
    (query,) = rows(folder, "query")
    keyboard.sign_in("okafor")
    keyboard.go("add-event")
    keyboard.fill("term", "urinary sepsis")
    keyboard.to("hospitalisation")
    keyboard.press("Space")
    keyboard.sign("ReportEvent")
    keyboard.go(f"answer-{query['id']}")
    keyboard.fill("sheet-text", "measured again: 148")
    keyboard.sign("AnswerQuery")
    for name in ("vitals", "arat"):
        keyboard.form(name)
        keyboard.go("sign-rows")
        keyboard.sign("Sign")
    signed = rows(folder, "signature", signer="Dr Okafor A.", meaning="I reviewed these entries")
    assert [one["targets"][0][0] for one in signed] == ["form", "assessment"]
    keyboard.go("view-safety")
    page.wait_for_selector("[data-name=verdict]")
    assert page.locator("[data-name=verdict]").inner_text() == "No report is due this week"
    assert "urinary sepsis" in page.locator(".ob li").first.inner_text()
    keyboard.picture("safety")
    keyboard.press("j", "Enter")
    page.wait_for_selector("[data-name=report-sheet]")
    keyboard.fill("reference", "NMPA-1")
    keyboard.send()
    page.wait_for_selector("text=Every report that the rules in force ask for was sent.")
    (sent,) = rows(folder, "obligation_event", action="sent")
    assert (sent["by"], sent["reference"], sent["late_s"]) == ("Dr Okafor A.", "NMPA-1", 0)
    # Once nothing about it is open, the serious event is closed.
    (event,) = rows(folder, "adverse_event")
    keyboard.go(f"revise-{event['id']}")
    page.wait_for_selector("[data-name=event-sheet]")
    keyboard.fill("outcome", "Recovered")
    keyboard.fill("state", "closed")
    keyboard.fill("reason", "recovered, at home again")
    keyboard.send()
    (event,) = rows(folder, "adverse_event")
    assert (event["state"], event["outcome"]) == ("closed", "recovered")
    return str(event["id"])


def settled(keyboard: Keyboard, folder: Path, event: str) -> None:
    """The data manager: what the lock misses is shown and settled, one after the other."""
    page = keyboard.page
    (query,), (deviation,) = rows(folder, "query"), rows(folder, "deviation")
    keyboard.sign_in("he")
    keyboard.go("view-study")
    keyboard.go("lock-study")
    page.wait_for_selector("[data-name=condition-record]")
    missing = page.locator(".conditions-list > li:has(.lt.medium)").evaluate_all(
        "all => all.map((one) => one.dataset.name)"
    )
    assert missing == ["condition-queries", "condition-uncoded"]
    keyboard.picture("conditions")
    keyboard.go("settle-uncoded-P-041")
    page.wait_for_selector("[data-name=person]:text('P-041')")
    keyboard.go(f"code-{event}")
    page.wait_for_selector("[data-name=code-sheet]")
    for name, text in (("version", "28.1"), ("code", "10048709"), ("term", "Urosepsis")):
        keyboard.fill(f"coding-{name}", text)
    keyboard.picture("code")
    keyboard.sign("CodeEvent")
    assert rows(folder, "adverse_event")[0]["coding"]["term"] == "Urosepsis"
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


def locked(keyboard: Keyboard, folder: Path) -> None:
    """Data manager, investigator and statistician lock the study, each with a password of their own."""
    page = keyboard.page
    keyboard.go("view-study")
    keyboard.go("export")
    page.wait_for_selector("[data-name=told]:has-text('Kept as exports/audit-')")
    keyboard.go("lock-study")
    page.wait_for_selector("[data-name=condition-record]")
    assert page.locator(".conditions-list .lt.medium").count() == 0
    keyboard.fill("why", "the last participant is out")
    for role, login in (("data_manager", "he"), ("investigator", "okafor"), ("statistician", "sun")):
        assert page.locator("[data-name=sheet-send]").is_disabled()
        keyboard.fill(f"login-{role}", login)
        keyboard.fill(f"password-{role}", SECRET)
    keyboard.picture("lock")
    keyboard.go("sheet-send")
    page.wait_for_selector("dialog", state="detached")
    page.wait_for_selector("[data-name=study-locked]:visible", timeout=READY_MS)
    keyboard.picture("locked")
    lock = rows(folder, "lock_event")[-1]
    assert (lock["level"], lock["action"]) == ("hard", "lock")
    three = rows(folder, "signature", meaning="I lock the study here")
    assert [one["signer"] for one in three] == ["He D.", "Dr Okafor A.", "Sun T."]
    # The lock verified the record, which the overview says.
    page.wait_for_selector("[data-name=chain]:has-text('chain and files verified')")
    # What is asked for now is refused in one sentence, and nothing is written.
    keyboard.person()
    keyboard.go("record-consent")
    keyboard.to("purpose-video")
    keyboard.press("Space")
    keyboard.replace("sign-login", "okafor")
    keyboard.fill("sign-password", SECRET)
    keyboard.go("sheet-send")
    page.wait_for_selector("[data-name=sheet-problem]:has-text('lock')")
    assert not rows(folder, "consent", purpose="video")
    keyboard.picture("refused")


def test_a_participant_goes_through_the_trial_by_keyboard_as_three_roles_until_the_study_is_locked(
    keyboard: Keyboard, folder: Path
) -> None:
    enrolled(keyboard, folder)
    session_held(keyboard, folder)
    assessed(keyboard, folder)
    event = reviewed(keyboard, folder)
    settled(keyboard, folder, event)
    locked(keyboard, folder)
    assert [row["level"] for row in rows(folder, "lock_event")] == ["freeze", "hard"]
    assert {row["action"] for row in rows(folder, "query_event")} == {"answered", "closed"}
    assert len(list((folder / "exports").glob("audit-*.csv"))) == 1
    assert main(["verify", str(folder)]) == 0
