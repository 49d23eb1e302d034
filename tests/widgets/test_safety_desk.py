"""The safety desk: what it shows and to whom, what is kept from it, and that a browser can use it by keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.safety_trial import MILD, SECRET, begin
from tests.shares import crossed
from tests.widgets.test_clinic import axe
from workbench import messages, world
from workbench.dashboard import DeskService, SessionPage, StudyService, VisitService
from workbench.study import Study, verify
from workbench.study.changes import ReportDeficiency, ReportEvent
from workbench.study.obligations import obligations
from workbench.widgets import SafetyDesk

pytestmark = pytest.mark.job

SIZES = [(1440, 900), (1280, 800)]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk") / "study"
    begin(folder)
    return folder


@pytest.fixture
def own(begun: Path, tmp_path: Path) -> Path:
    """A record that the test may change."""
    return Path(shutil.copytree(begun, tmp_path / "study"))


def panel_of(folder: Path, login: str = "rossi", **more: Any) -> SafetyDesk:
    """The desk as somebody sees it who is signed in, nobody for ``""``."""
    visits = VisitService(folder, operator="Chen L.")
    if login:
        visits.sign_in(login=login, password=SECRET)
    desk = SafetyDesk(DeskService(visits.access), **more)
    desk.read()
    return desk


def traits(panel: SafetyDesk) -> dict[str, Any]:
    return {"page": messages.carried(panel.page), "look": messages.carried(panel.look), "opens": bool(panel.opens)}


class Shown:
    """The desk in the browser; what it asks for is answered by the panel, as a kernel does."""

    def __init__(self, mount: Callable[..., Any], folder: Path, login: str = "rossi", **how: Any) -> None:
        self.folder, self.opened = folder, list[str]()
        self.panel = panel_of(folder, login, open_participant=self.opened.append)
        language = how.pop("language", "en")
        self.page = mount(SafetyDesk, {**traits(self.panel), "language": language}, **how)

    def answer(self) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = self.page.evaluate("window.sent.splice(0)")
        for message in asked:
            reply = self.panel.answer(message["name"], message["args"])
            self.page.evaluate("values => window.put(values)", traits(self.panel))
            self.page.evaluate("reply => window.say(reply)", {**messages.carried(reply), "id": message["id"]})
        return asked

    def type(self, *keys: str) -> None:
        for key in keys:
            if len(key) == 1 or key in ("Enter", "Tab", "Escape", "Space", "ArrowDown"):
                self.page.keyboard.press(key)
            else:
                self.page.keyboard.type(key)

    def tab_to(self, name: str) -> None:
        """Press Tab until something has the focus, as somebody without a mouse does."""
        for _ in range(80):
            if self.page.evaluate("document.activeElement?.dataset?.name") == name:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{name} is not reached by Tab")

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        with Study.open(self.folder, actor="test") as study:
            return study.rows(table, **where)


@pytest.fixture
def show(mount: Callable[..., Any], begun: Path) -> Callable[..., Shown]:
    return lambda login="rossi", **how: Shown(mount, begun, login, **how)


@pytest.fixture
def change(mount: Callable[..., Any], own: Path) -> Callable[..., Shown]:
    return lambda login="rossi", **how: Shown(mount, own, login, **how)


def made(desk: SafetyDesk, change: str, reason: str = "", **fields: str) -> dict[str, Any]:
    return desk.answer("make", {"change": change, "fields": fields, "reason": reason})


def report(desk: SafetyDesk, what: str, rule: str) -> dict[str, Any]:
    (found,) = [one for one in desk.page["reports"] if (one["what"], one["rule"]) == (what, rule)]
    return dict(found)


# ------------------------------------------------------------------------------ without a browser
def test_the_title_is_the_verdict_and_the_urgent_stand_first(begun: Path) -> None:
    page = panel_of(begun).page
    assert page["title"].startswith("1 report is overdue by 1 h ")
    assert page["title"].endswith("; 1 due within 24 h")
    states = [one["state"] for one in page["reports"]]
    assert states == ["overdue", "due_soon", "running", "running", "running", "sent", "sent"]
    first = page["reports"][0]
    assert (first["participant"], first["aware"]["by"], page["laws"][first["rule"]]["clause"]) == (
        "P-009",
        "Dr Okafor A.",
        "NMPA Decree 28",
    )
    assert {one["rule"] for one in page["off"]} == {"us.uade.investigator", "eu.80.other", "eu.80.investigator"}


def test_a_study_without_an_event_says_that_no_report_is_due(tmp_path: Path) -> None:
    Study.create(tmp_path / "study", code="NEW", title="New", actor="x").close()
    page = panel_of(tmp_path / "study", login="").page
    assert (page["title"], page["reports"], page["events"]) == ("No report is due this week", [], [])


def test_a_report_is_sent_late_with_its_reason_acknowledged_and_taken_back(own: Path) -> None:
    desk = panel_of(own)
    one = report(desk, "urinary sepsis", "cn.sae.investigator")
    about = {name: one[name] for name in ("table", "row_id", "rule")}
    refused = made(desk, "MarkSent", reference="mail 3", **about)
    assert (refused["ok"], "give the reason" in refused["text"]) == (False, True)
    assert made(desk, "MarkSent", "the ward had no line", reference="mail 3", **about)["ok"]
    sent = report(desk, "urinary sepsis", "cn.sae.investigator")
    assert (sent["state"], sent["late_because"]) == ("sent_late", "the ward had no line")
    assert made(desk, "MarkSeen", event_id=sent["sent_id"], reference="receipt")["ok"]
    assert made(desk, "RetractSent", "sent for another person", event_id=sent["sent_id"])["ok"]
    back = report(desk, "urinary sepsis", "cn.sae.investigator")
    assert (back["state"], back["retracted"][0]["reference"], back["retracted"][0]["by"]) == (
        "overdue", "mail 3", "Rossi M.",
    )  # fmt: skip
    assert verify(own).ok


def test_who_lacks_the_role_is_told_in_one_sentence_and_nothing_is_written(own: Path) -> None:
    desk = panel_of(own, "he")
    one = report(desk, "urinary sepsis", "cn.sae.investigator")
    with Study.open(own, actor="test") as study:
        before = study.head()
    fields = {name: one[name] for name in ("table", "row_id", "rule")}
    for change, more in (("MarkSent", {"reference": "x"}), ("TellSomebody", {"person": "x", "how": "x"})):
        reply = made(desk, change, "late", **fields, **more)
        assert (reply["ok"], "He D." in reply["text"]) == (False, True)
    for wrong in ({"change": "LockStudy", "fields": {}}, {"change": "MarkSent", "fields": {"rule": 3}}):
        assert not desk.answer("make", wrong)["ok"]
    with Study.open(own, actor="test") as study:
        assert study.head() == before


def test_while_nobody_is_signed_in_a_change_is_signed_there_and_then(own: Path) -> None:
    desk = panel_of(own, login="")
    assert desk.page["signing"]["how"] == "password"
    told = {"table": "adverse_event", "row_id": desk.page["events"][0]["id"], "person": "Dr D", "how": "phone"}
    wrong = {"change": "TellSomebody", "fields": told, "login": "lin", "password": "nothing"}
    assert not desk.answer("make", wrong)["ok"]
    assert desk.answer("make", {**wrong, "password": SECRET})["ok"]
    with Study.open(own, actor="test") as study:
        assert study.rows("obligation_event")[-1]["by"] == "Lin Q."


def test_who_is_blinded_sees_nothing_that_tells_an_arm_and_no_number_that_grows_by_it(own: Path) -> None:
    blind, other = panel_of(own, "wu"), panel_of(own)
    shown = messages.carried(blind.page)
    assert {one["participant"] for one in shown["events"]} == {"P-003", "P-009", "P-021"}
    for word in ("nerve pain", "skin redness", "glove", "coil cable", "swelling", "us.uade", "eu.80"):
        assert word not in str({**shown, "roles": {}}), word
        assert word in str(messages.carried(other.page)), word
    assert (shown["deficiencies"], shown["implants"], shown["quiet"], shown["implant_days"]) == ([], [], {}, None)
    assert all(set(rule) - {"said"} == {"name", "counts", "met", "may_be_met"} for rule in shown["stopping"])
    visible = {name: value for name, value in blind.page.items() if name not in ("now", "reports")}
    with Study.open(own, actor="test") as study:
        person = study.rows("participant", pseudonym="P-009")[0]["id"]
        stuck = {"could_have_led_to_sae": True}, "2026-01-01T08:00Z", "UTC", "CN"
        change = ReportDeficiency("glove", "valve stuck", "", *stuck, participant_id=person)
        study.apply(change, study.sign_in("rossi", SECRET))
    blind.read()
    after = {name: value for name, value in blind.page.items() if name not in ("now", "reports")}
    assert after == visible


def test_a_change_of_what_is_kept_from_somebody_is_refused_whatever_the_page_sends(own: Path) -> None:
    hidden = panel_of(own).page
    pain = next(one["id"] for one in hidden["events"] if one["participant"] == "P-017")
    blind = panel_of(own, "wu")
    about = {"table": "adverse_event", "row_id": pain, "person": "x", "how": "x"}
    for reply in (
        blind.answer("row", {"table": "adverse_event", "row": pain}),
        made(blind, "TellSomebody", **about),
        made(blind, "ReviseEvent", "x", event_id=pain, aware="2026-11-20T08:00Z", zone="UTC"),
        made(blind, "JudgeEvent", "x", event_id=pain, rule="infections", counts="yes"),
    ):
        assert (reply["ok"], "could tell an arm" in reply["text"]) == (False, True)


def test_the_overview_keeps_the_same_reports_from_who_is_blinded(begun: Path) -> None:
    def shown(login: str) -> str:
        visits = VisitService(begun, operator="Chen L.")
        visits.sign_in(login=login, password=SECRET)
        return str(StudyService(visits.access).overview()["reports"])

    assert "nerve pain" in shown("rossi")
    assert "nerve pain" not in shown("wu")
    assert "sepsis" in shown("wu")


def test_the_record_is_read_again_when_it_changed_and_a_fault_leaves_what_was_read(own: Path) -> None:
    desk = panel_of(own)
    with Study.open(own, actor="test") as study:
        person = study.rows("participant", pseudonym="P-012")[0]["id"]
        given = {"aware": "2026-11-01T08:00Z", "zone": "UTC", "country": "CN"}
        study.apply(ReportEvent(person, "headache", "", MILD, **given), study.sign_in("lin", SECRET))
    assert desk.answer("read", {})["ok"]
    assert desk.page["events"][0]["term"] == "headache"
    (own / "study.db").rename(own / "away.db")
    desk.read()
    assert "study.db" in desk.look["fault"]
    assert desk.page["events"][0]["term"] == "headache"


def test_the_page_of_the_dashboard_leads_to_the_desk_and_from_it_to_a_participant(own: Path) -> None:
    page = SessionPage(own, operator="Rossi M.")
    try:
        assert "safety" in page.screen.place["views"]
        assert page.worklist.answer("safety", {})["ok"]
        (_, shown) = page.stage.children
        assert isinstance(shown, SafetyDesk)
        assert page.screen.place["view"] == "safety"
        assert shown.answer("read", {})["ok"]
        assert not shown.answer("participant", {"participant": "P-999"})["ok"]
        assert shown.answer("participant", {"participant": "P-009"})["ok"]
        assert page.stage.children[1].page["person"]["pseudonym"] == "P-009"
    finally:
        page.screen.close()
        page.log.close()


# ------------------------------------------------------------------------------ in a browser
def test_the_frame_stands_at_once_and_asks_for_what_it_shows(mount: Callable[..., Any]) -> None:
    page = mount(SafetyDesk, {"page": {}, "look": {}, "opens": False})
    assert page.locator(".safety [role=status]").first.inner_text().startswith("Reading")
    assert [message["name"] for message in page.evaluate("window.sent")] == ["read"]


@pytest.mark.parametrize(("width", "height", "language", "dark"), crossed(SIZES, ["en", "zh-CN"], [False, True]))
def test_everything_fits_the_window_and_axe_finds_nothing(
    show: Callable[..., Shown], width: int, height: int, language: str, dark: bool
) -> None:
    page = show(width=width, height=height, language=language, dark=dark).page
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size[0] == width
    assert size[1] <= height
    for name in ("add-event", "add-deficiency", "cut-off", "tell", "quiet-implants", "rules-off"):
        box = page.locator(f"[data-name={name}]").bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= width, name
    told = page.locator("section.safety").inner_text()
    assert "safety." not in told  # every text has words
    assert page.errors == []
    assert axe(page) == []


@pytest.mark.parametrize("name", ["add-event", "add-deficiency", "open-report", "tell"])
def test_axe_finds_nothing_in_the_dialogs(show: Callable[..., Shown], name: str) -> None:
    page = show().page
    page.locator(f"[data-name={name}]").first.click()
    assert page.locator("dialog[open]").is_visible()
    assert axe(page) == []


def test_overdue_is_the_only_red_and_each_row_says_who_when_by_which_rule_and_which_days(
    show: Callable[..., Shown],
) -> None:
    page = show().page
    is_red = "e => getComputedStyle(e).backgroundColor === 'rgb(181, 18, 31)'"
    red = page.evaluate(f"[...document.querySelectorAll('.safety *')].filter({is_red}).map(e => e.dataset.state)")
    assert red == ["overdue"]
    rows = page.locator(".ob li")
    assert "aware" in rows.nth(0).inner_text()
    assert "Dr Okafor A." in rows.nth(0).inner_text()
    assert "NMPA Decree 28 (2022)" in rows.nth(0).inner_text()
    working = page.locator(".ob li", has_text="nerve pain")
    assert "21 CFR 812.150(b), 10 working days" in working.inner_text()
    days = working.locator(".days i")
    with Study.open(show().folder, actor="test") as study:
        (one,) = [one for one in obligations(study, world.clock.now()) if one.rule == "us.uade.sponsor"]
    counts = days.evaluate_all("all => all.map(e => !e.classList.contains('h'))")
    assert counts == [day.counts for day in one.days]
    assert days.evaluate_all("all => all.filter(e => e.classList.contains('t')).length") == 1
    assert working.locator(".days").get_attribute("aria-label").startswith(f"Day {one.counted} of 10")


def test_rows_are_gone_through_with_j_and_k_opened_with_enter_and_left_with_escape(
    show: Callable[..., Shown],
) -> None:
    page = show().page
    on = "document.querySelector('.ob li.on .what .w').textContent"
    page.keyboard.press("j")
    assert "P-021 pneumonia" in page.evaluate(on)
    assert page.locator(".who").inner_text().count("Nobody was told yet") == 1
    page.keyboard.press("k")
    assert "P-009 urinary sepsis: report to sponsor" in page.evaluate(on)
    told = page.locator(".who").inner_text()
    assert all(words in told for words in ("seen after 5 min", "not seen for", "Next: calls Park J. by phone"))
    page.keyboard.press("Enter")
    assert page.locator("[data-name=report-sheet]").is_visible()
    assert "Serious adverse event, 24 h; from memory." in page.locator("[data-name=report-sheet]").inner_text()
    page.keyboard.press("j")  # typed into the reference, and no row further
    assert "P-009" in page.evaluate(on)
    page.keyboard.press("Escape")
    assert page.locator("dialog").count() == 0
    assert page.evaluate("document.activeElement.dataset.name") == "open-report"


def test_an_overdue_report_is_sent_by_keyboard_and_asks_why_it_is_late(change: Callable[..., Shown]) -> None:
    desk = change()
    page = desk.page
    desk.type("k", "Enter")
    send = page.locator("[data-name=sheet-send]")
    desk.type("mail 44")
    assert (send.is_disabled(), page.locator("dialog [role=status]").last.inner_text()) == (
        True, "The report is overdue: enter why it is late.",
    )  # fmt: skip
    desk.tab_to("why-late")
    desk.type("the line was down")
    desk.tab_to("sheet-send")
    desk.type("Enter")
    desk.answer()
    page.wait_for_selector("dialog", state="detached")
    (row,) = [one for one in desk.rows("obligation_event", action="sent") if one["reference"] == "mail 44"]
    assert (row["by"], row["reason"], row["late_s"] > 3600) == ("Rossi M.", "the line was down", True)
    assert page.locator("[data-name=verdict]").inner_text() == "1 report is due within 24 h"
    assert page.locator(".ob li.high").count() == 0


def test_what_was_sent_is_taken_back_from_the_list_of_all(change: Callable[..., Shown]) -> None:
    desk = change()
    page = desk.page
    page.locator("[data-name=all-reports]").press("Enter")
    page.locator("li[data-state=sent] [data-name=open-report]").first.press("Enter")
    page.locator("[data-name=lead-retract]").press("Enter")
    page.locator("[data-name=retract-why]").fill("it was the mail of P-009")
    page.locator("[data-name=sheet-send]").press("Enter")
    desk.answer()
    page.wait_for_selector("dialog", state="detached")
    assert desk.rows("obligation_event", action="retracted")[0]["reason"] == "it was the mail of P-009"
    assert page.locator("li[data-state=sent]").count() == 1


def test_an_event_is_added_by_keyboard_and_its_clock_stands_first(change: Callable[..., Shown]) -> None:
    desk = change()
    page = desk.page
    page.locator("[data-name=verdict]").focus()
    desk.type("a", "P-012", "Tab", "cardiac arrest")
    assert page.locator("[data-name=participant]").input_value() == "P-012"
    desk.tab_to("death")
    desk.type("Space")
    desk.tab_to("sheet-send")
    desk.type("Enter")
    (asked,) = [one for one in desk.answer() if one["name"] == "make"]
    page.wait_for_selector("dialog", state="detached")
    assert (asked["args"]["change"], asked["args"]["fields"]["zone"]) == (
        "ReportEvent",
        page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone"),
    )
    row = desk.rows("adverse_event")[-1]
    assert (row["term"], row["classification"], row["country"]) == ("cardiac arrest", "SAE", "CN")
    assert page.locator(".ob li", has_text="cardiac arrest").count() == 2
    assert page.locator(".events tbody tr").first.inner_text().startswith("P-012")


def test_a_deficiency_asks_whether_it_could_have_led_to_a_serious_event_and_a_downgrade_keeps_its_clock(
    change: Callable[..., Shown],
) -> None:
    desk = change()
    page = desk.page
    before = [one["key"] for one in desk.panel.page["reports"]]
    page.locator(".deficiencies .pick", has_text="glove").press("Enter")
    desk.answer()
    sheet = page.locator("[data-name=deficiency-sheet]")
    assert "Could it have led to a serious adverse event" in sheet.inner_text()
    assert page.locator("[data-name=keeps-clock]").is_hidden()
    page.locator("[data-name=harm-no]").press("Space")
    assert "keeps the clock" in page.locator("[data-name=keeps-clock]").inner_text()
    assert page.locator("[data-name=sheet-send]").is_disabled()
    page.locator("[data-name=reason]").fill("the log shows a loose plug")
    page.locator("[data-name=sheet-send]").press("Enter")
    desk.answer()
    page.wait_for_selector("dialog", state="detached")
    row = next(one for one in desk.rows("device_deficiency") if one["device"] == "glove")
    assert row["facts"]["could_have_led_to_sae"] is False
    assert len(desk.rows("awareness", row_id=row["id"])) == 2
    assert [one["key"] for one in desk.panel.page["reports"]] == before
    assert {one["rule"] for one in desk.panel.page["off"]} >= {"eu.80.other"}


def test_a_pending_event_is_judged_and_the_hatched_box_fills(change: Callable[..., Shown]) -> None:
    desk = change()
    page = desk.page
    marks = "[...document.querySelectorAll('.pp i')].map(e => e.className).join('')"
    assert page.evaluate(marks) == "hhlh"
    page.locator("[data-name=judge-infections]").press("Enter")
    page.locator("[data-name=counts]").select_option("yes")
    page.locator("[data-name=judge-why]").fill("culture of the wound")
    page.locator("[data-name=sheet-send]").press("Enter")
    desk.answer()
    page.wait_for_selector("dialog", state="detached")
    assert page.evaluate(marks) == "fhlh"
    assert any(row["stopping"].get("infections") for row in desk.rows("adverse_event"))


def test_a_refusal_is_one_sentence_in_the_dialog_and_what_was_typed_stays(change: Callable[..., Shown]) -> None:
    desk = change("he")
    page = desk.page
    desk.type("k", "Enter", "mail 1")
    page.locator("[data-name=why-late]").fill("late")
    page.locator("[data-name=sheet-send]").press("Enter")
    desk.answer()
    problem = page.locator("[data-name=sheet-problem]")
    problem.wait_for()
    assert "He D." in problem.inner_text()
    assert page.locator("[data-name=reference]").input_value() == "mail 1"


@pytest.mark.parametrize(("language", "words"), [("en", "Nothing can be sent"), ("zh-CN", "现无法发送")])
def test_a_record_out_of_reach_turns_the_cut_off_red_and_sending_off_with_the_reason(
    show: Callable[..., Shown], language: str, words: str
) -> None:
    desk = show(language=language)
    page = desk.page
    desk.type("k", "Enter", "mail 1")
    page.evaluate("look => window.put({look})", {"read_at": "09:20", "fault": "held by another process"})
    page.locator("[data-name=why-late]").fill("late")
    assert page.locator("[data-name=sheet-send]").is_disabled()
    page.keyboard.press("Escape")
    cut = page.locator("[data-name=cut-off]")
    assert "held by another process" in cut.inner_text()
    assert "bad" in cut.get_attribute("class")
    assert words in page.locator("[data-name=sending-off]").inner_text()
    assert axe(page) == []


def test_a_calendar_that_is_not_known_is_medium_with_the_earliest_date(show: Callable[..., Shown]) -> None:
    desk = show()
    reports = messages.carried(desk.panel.page)["reports"]
    page = desk.page
    for one in reports:
        one["no_calendar"] = one["rule"] == "us.uade.sponsor"
    page.evaluate("page => window.put({page})", {**messages.carried(desk.panel.page), "reports": reports})
    row = page.locator(".ob li.earliest")
    assert row.count() == 1
    assert "at the earliest end of" in row.inner_text()
    assert row.locator(".lt.medium").count() == 1


def test_findings_are_drawn_first_and_quiet_implants_are_one_line(show: Callable[..., Shown]) -> None:
    page = show().page
    words = page.locator("svg.implants").get_attribute("aria-label")
    assert words.index("P-021, day 174: Wound") < words.index("P-017, day 221: Impedance")
    assert page.locator("svg.implants .alert").count() == 2
    assert page.locator("[data-name=quiet-implants]").inner_text().startswith("3 others, days ")


def test_who_is_blinded_reads_why_something_is_missing(show: Callable[..., Shown]) -> None:
    page = show("wu").page
    told = page.locator(".safety").inner_text()
    assert "What could tell an arm is kept from you" in told
    assert "an implant can tell an arm" in told
    assert "No device deficiency is entered" not in told
    assert axe(page) == []


def test_a_person_of_a_row_is_opened(show: Callable[..., Shown]) -> None:
    desk = show()
    desk.page.locator("[data-name=open-P-014]").press("Enter")
    desk.answer()
    assert desk.opened == ["P-014"]
