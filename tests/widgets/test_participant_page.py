"""The page of a participant in a real browser, with the record behind it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.trial import SECRET, begin, days_ago
from tests.shares import crossed
from tests.widgets.test_clinic import DETAILS, PLACE, ROW, axe
from workbench import messages
from workbench.dashboard import VisitService
from workbench.dashboard.participants import ParticipantService
from workbench.study import Study
from workbench.vocabulary import Participant
from workbench.widgets import LiveSession, ParticipantPage, Worklist

pytestmark = pytest.mark.job

SIZES = [(1440, 900), (1280, 800), (1024, 768)]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trial") / "study"
    begin(folder)
    with Study.open(folder, actor="test") as study:
        study.append(Participant("SIM-02", simulated=True, hold="event open"))
    return folder


def exchanged(page: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a page sent, with the password in the place of its ticket, as a kernel has it."""
    given = dict(arguments)
    if ticket := given.pop("ticket", ""):
        given["password"] = page.evaluate("ticket => window.left[ticket]", ticket)
    return given


class Shown:
    """A page of a participant in the browser; what it asks for is answered by the panel, as a kernel does.

    Parameters
    ----------
    mount : of the browser.
    folder : of the study.
    name : pseudonym.
    """

    def __init__(self, mount: Callable[..., Any], folder: Path, name: str = "P-041", **how: Any) -> None:
        with Study.open(folder, actor="test") as study:
            (person,) = study.rows("participant", pseudonym=name)
        self.folder, self.went_back, self.led = folder, 0, []
        service = ParticipantService(VisitService(folder, operator="Chen L."))
        leads = {"start_session": self.led.append, "show_result": self.led.append}
        self.panel = ParticipantPage(service, person["id"], back=self._back, **leads)
        language = how.pop("language", "en")
        shown = {"can_go_back": True, "leads": self.panel.leads, "language": language}
        self.page = mount(ParticipantPage, {**self.traits(), **shown}, **how)

    def _back(self) -> None:
        self.went_back += 1

    def traits(self) -> dict[str, Any]:
        return {name: messages.carried(getattr(self.panel, name)) for name in ("page", "look", "made")}

    def answer(self) -> list[dict[str, Any]]:
        """Carry out what the page asked for; the messages, but those by which it reads again from time to time."""
        asked = self.page.evaluate("window.sent.splice(0)")
        for message in asked:
            reply = self.panel.answer(message["name"], exchanged(self.page, message["args"]))
            self.page.evaluate("values => window.put(values)", self.traits())
            self.page.evaluate("reply => window.say(reply)", {**messages.carried(reply), "id": message["id"]})
        return [one for one in asked if one["name"] != "read"]

    def rows(self, table: str) -> list[dict[str, Any]]:
        with Study.open(self.folder, actor="test") as study:
            return study.rows(table)


@pytest.fixture
def show(mount: Callable[..., Any], begun: Path) -> Callable[..., Shown]:
    return lambda name="P-041", **how: Shown(mount, begun, name, **how)


@pytest.fixture
def change(mount: Callable[..., Any], begun: Path, tmp_path: Path) -> Callable[..., Shown]:
    """As ``show``, of a record that the test may change."""
    folder = Path(shutil.copytree(begun, tmp_path / "study"))
    return lambda name="P-041", **how: Shown(mount, folder, name, **how)


# ------------------------------------------------------------------------------ what is seen
def test_a_form_says_under_which_help_it_is_done(show: Callable[..., Shown]) -> None:
    shown = show()
    page = shown.traits()["page"]
    form = next(form for visit in page["visits"] for form in visit["forms"] if form["measure"] == "arat")
    title = "Action Research Arm Test"
    for helped, words in (("", title), ("off", f"{title} · device off, unassisted"),
                          ("assisted+device", f"{title} · device on, assisted")):  # fmt: skip
        form["help"] = helped
        shown.page.evaluate("page => window.put({page})", page)
        lines = shown.page.locator(".visits li li").all_text_contents()
        assert any(line.startswith(words) for line in lines), lines


@pytest.mark.parametrize(("width", "height", "language"), crossed(SIZES, ["en", "zh-CN"]))
def test_identity_stands_first_and_large_above_the_axis_and_nothing_is_wider_than_the_window(
    show: Callable[..., Shown], width: int, height: int, language: str
) -> None:
    page = show(width=width, height=height, language=language).page
    name, axis = page.locator("[data-name=person]"), page.locator("svg.axis")
    assert name.inner_text() == "P-041"
    assert name.evaluate("el => getComputedStyle(el).fontSize") == "40px"
    assert name.bounding_box()["y"] < axis.bounding_box()["y"] < height / 2
    assert page.evaluate("document.documentElement.scrollWidth") == width
    told = page.locator(".personpage").inner_text()
    assert "person." not in told  # every text has words
    assert page.errors == []


def test_who_is_simulated_or_on_hold_is_marked_beside_the_name(show: Callable[..., Shown]) -> None:
    page = show("SIM-02").page
    assert page.locator("[data-name=person-simulated]").is_visible()
    assert "event open" in page.locator("[data-name=hold]").inner_text()
    assert page.locator("[data-name=hold] .lt.high").is_visible()
    page = show().page
    assert not page.locator("[data-name=person-simulated]").is_visible()
    assert not page.locator("[data-name=hold]").is_visible()


@pytest.mark.parametrize(("name", "language"), crossed(["P-041", "SIM-02"], ["en", "zh-CN"]))
def test_axe_finds_nothing_on_the_page_full_or_empty(show: Callable[..., Shown], name: str, language: str) -> None:
    page = show(name, language=language).page
    for summary in page.locator("summary").all():
        summary.click()
    assert axe(page) == []


def test_what_is_not_there_yet_is_said_in_words(show: Callable[..., Shown]) -> None:
    told = show("SIM-02").page.locator(".personpage").inner_text()
    for words in ("No outcome yet", "No open query", "No open deviation", "no session yet", "not enrolled"):
        assert words in told, words


def test_the_axis_carries_visits_sessions_and_deviations_and_names_them_for_who_cannot_see_it(
    show: Callable[..., Shown],
) -> None:
    page = show().page
    axis = page.locator("svg.axis")
    assert axis.locator(".session").count() == 10
    assert axis.locator(".heldmark").count() == 2
    assert axis.locator(".cross").count() == 1
    assert axis.locator(".win.ahead").count() == 1
    assert axis.locator(".deviation.open").count() == 2
    said = axis.get_attribute("aria-label")
    assert "Wound check, Missed" in said
    assert "Sessions: 10" in said
    assert "Adverse events" in axis.text_content()


def test_adverse_events_have_a_lane_as_soon_as_the_record_keeps_them(show: Callable[..., Shown]) -> None:
    shown = show()
    events = [
        {"day": days_ago(40), "until": days_ago(30), "text": "Urinary infection", "serious": True},
        {"day": days_ago(35), "until": "", "text": "Skin redness", "serious": False},
    ]
    shown.page.evaluate("values => window.put(values)", {"page": {**shown.traits()["page"], "events": events}})
    axis = shown.page.locator("svg.axis")
    assert axis.locator(".event.serious").count() == 1
    assert axis.locator(".event.ongoing").count() == 1
    places = [one.bounding_box() for one in axis.locator(".event").all()]
    assert places[0]["y"] != places[1]["y"]  # they overlap in time and not on the screen
    shown.page.evaluate("values => window.put(values)", {"page": {**shown.traits()["page"], "events": []}})
    assert "none recorded" in axis.text_content()
    undated = [{"id": "e", "table": "adverse_event", "what": "sepsis", "onset": "", "state": "open", "coding": {},
                "facts": {"serious": True}, "utc": "", "row_version": 1}]  # fmt: skip
    page = {**shown.traits()["page"], "events": [], "safety": undated}
    shown.page.evaluate("values => window.put(values)", {"page": page})
    assert "none with a known day" in axis.text_content()


def test_an_implant_has_a_line_with_what_was_found_planned_and_missed_and_says_it_in_words(
    show: Callable[..., Shown],
) -> None:
    shown = show()
    check = {"name": "Impedance", "kind": "impedance", "found_on": ""}
    window = {name: days_ago(n) for name, n in (("planned", 20), ("earliest", 27), ("latest", 13))}
    implant = {
        "device": "NEO", "serial": "", "location": "", "implanted_on": days_ago(50), "explanted_on": "",
        "id": "i1", "void": [],
        "findings": [{"id": "f1", "on": days_ago(40), "kind": "wound", "notable": False, "text": "closed"}],
        "checks": [{**check, **window, "state": "missed"},
                   {**check, **{name: days_ago(-10) for name in window}, "state": "ahead"}],
    }  # fmt: skip
    page = {**shown.traits()["page"], "implants": [implant]}
    shown.page.evaluate("values => window.put(values)", {"page": page})
    axis = shown.page.locator("svg.axis")
    counts = [axis.locator(name).count() for name in (".checked", ".missedcheck", ".planned.ahead")]
    assert counts == [1, 1, 1]
    assert "Implants" in axis.text_content()
    assert "Impedance missed" in axis.get_attribute("aria-label")
    assert axis.locator(".missedcheck").bounding_box()["x"] < axis.locator(".planned").bounding_box()["x"]


@pytest.mark.parametrize("width", [1440, 1280])
def test_the_words_of_an_event_stand_on_no_bar_no_other_words_and_not_on_the_line_of_today(
    show: Callable[..., Shown], width: int
) -> None:
    shown = show(width=width)
    terms = [(60, "", "USADE seizure after stimulation of the hand area"), (18, days_ago(18), "AE cough")]
    terms += [
        (20, days_ago(20), "ADE redness"),
        (0, "", "SAE autonomic dysreflexia"),
        (100, "", "AE " + "pain " * 90),
    ]
    events = [
        {"day": days_ago(days), "until": until, "text": text, "serious": text[0] != "A"}
        for days, until, text in sorted(terms, reverse=True)
    ]
    shown.page.evaluate("values => window.put(values)", {"page": {**shown.traits()["page"], "events": events}})
    axis = shown.page.locator("svg.axis")
    whole, today = axis.bounding_box(), axis.locator(".today").bounding_box()["x"]
    bars = [one.bounding_box() for one in axis.locator(".event").all()]
    words = [one.bounding_box() for one in axis.locator(".eventwords").all()]
    assert len(words) == len(bars) == 5
    for i, one in enumerate(words):
        assert whole["x"] <= one["x"] < one["x"] + one["width"] <= whole["x"] + whole["width"]
        assert not one["x"] < today < one["x"] + one["width"]
        for other in bars + words[:i]:
            beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            middle = one["y"] + one["height"] / 2
            assert beside or not other["y"] <= middle <= other["y"] + other["height"]
    # What is cut is whole in what the picture says.
    said = axis.get_attribute("aria-label")
    assert all(event["text"] in said for event in events)
    assert "dysreflexia, since" in said


def test_shape_says_who_helped_fill_whether_the_device_was_on_and_no_line_joins_two_conditions(
    show: Callable[..., Shown],
) -> None:
    plot = show().page.locator(".multiple").first
    assert plot.locator("circle.mark:not(.on)").count() == 4
    assert plot.locator("circle.mark.on").count() == 2
    assert plot.locator("rect.mark.on").count() == 2
    assert plot.locator("polyline").count() == 3
    assert "0–57" in plot.inner_text()
    assert "12 at Screening, now 17" in plot.inner_text()
    assert "device on, assisted: Training 26, Week 12 34" in plot.locator("svg").get_attribute("aria-label")


def test_a_visit_without_a_value_breaks_the_line_and_what_cannot_be_determined_is_written(
    show: Callable[..., Shown],
) -> None:
    shown = show()
    page = shown.traits()["page"]
    line = page["measures"][0]["series"][0]
    line["points"] = [one for one in line["points"] if one["visit"] != 2]
    line["points"][1] |= {"value": None, "status": "ND"}
    page["measures"][0]["series"] = [line]
    shown.page.evaluate("values => window.put(values)", {"page": page})
    plot = shown.page.locator(".multiple").first
    plot.locator("text=ND").wait_for()
    assert plot.locator("polyline").count() == 0
    assert plot.locator("circle.mark").count() == 2


def test_a_value_leads_to_its_entries_and_a_form_to_its_values(show: Callable[..., Shown]) -> None:
    shown = show()
    page = shown.page
    page.click("[data-name=history-participant-ais]")
    shown.answer()
    assert "B" in page.locator("[data-name=history]").inner_text()
    assert "test" in page.locator("[data-name=history]").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("dialog").count() == 0
    assert page.evaluate("document.activeElement.dataset.name") == "history-participant-ais"
    page.locator("summary").first.click()
    page.get_by_role("button", name="Before a session").click()
    shown.answer()
    sheet = page.locator("[data-name=form-sheet]")
    assert "Systolic blood pressure, sitting" in sheet.inner_text()
    assert "190 mmHg" in sheet.inner_text()
    assert "not done" in sheet.inner_text()
    sheet.locator("[data-name=history-form-systolic]").click()
    shown.answer()
    assert "190" in page.locator("[data-name=history]").inner_text()
    assert axe(page) == []


def test_a_page_that_waits_or_lost_the_record_says_so_and_keeps_what_it_had(
    show: Callable[..., Shown], mount: Callable[..., Any]
) -> None:
    page = mount(ParticipantPage, {"page": {}, "look": {}, "can_go_back": True})
    assert page.locator("[data-name=waiting]").inner_text() == "Reading the record…"
    page.evaluate("values => window.put(values)", {"look": {"fault": "the record is held"}})
    assert "cannot be read: the record is held" in page.locator("[data-name=waiting]").inner_text()
    page = show().page
    page.evaluate("values => window.put(values)", {"look": {"read_at": "09:00:00", "fault": "it is held"}})
    assert "since 09:00:00: it is held" in page.locator("[data-name=read-at]").inner_text()
    assert page.locator("[data-name=person]").inner_text() == "P-041"


def test_a_session_of_somebody_else_is_named_above_the_page(show: Callable[..., Shown]) -> None:
    shown = show()
    values = {"page": {**shown.traits()["page"], "other_session": "P-009"}}
    assert not shown.page.locator("[data-name=other-session]").is_visible()
    shown.page.evaluate("values => window.put(values)", values)
    assert "session of P-009 is under way" in shown.page.locator("[data-name=other-session]").inner_text()


# ------------------------------------------------------------------------------ what is changed
def test_consent_is_recorded_by_keyboard_alone_and_its_password_is_in_no_message(
    change: Callable[..., Shown],
) -> None:
    shown = change("SIM-02")
    page = shown.page
    page.locator("[data-name=record-consent]").focus()
    page.keyboard.press("Enter")
    sheet = page.locator("[data-name=consent-sheet]")
    required = [sheet.locator(f"[data-name=purpose-{one}]") for one in ("participation", "neural_data_use")]
    assert all(one.is_checked() for one in required)
    assert not sheet.locator("[data-name=purpose-video]").is_checked()
    assert sheet.locator("text=required by the protocol").count() == 2
    assert sheet.locator("[data-name=document-version]").input_value() == "1.0"
    assert sheet.locator("[data-name=consented-on]").input_value() == days_ago(0)
    assert sheet.locator("[data-name=sheet-send]").is_disabled()
    assert axe(page) == []
    page.locator("[data-name=witness]").focus()
    for key, words in (("Tab", "okafor"), ("Tab", SECRET)):
        page.keyboard.press(key)
        page.keyboard.type(words)
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.name") == "sheet-send"
    page.keyboard.press("Enter")
    assert sheet.locator("[data-name=sign-password]").input_value() == ""
    (sent,) = shown.answer()
    assert sent["args"]["fields"]["purposes"] == "participation,neural_data_use"
    assert SECRET not in repr(sent)
    assert page.locator("dialog").count() == 0
    assert page.locator("[data-name=consent-participation] .lt.ok").is_visible()
    assert [row["purpose"] for row in shown.rows("consent")][-2:] == ["participation", "neural_data_use"]
    assert SECRET not in page.content()
    assert SECRET not in repr(shown.panel.get_state())


def test_what_the_record_refuses_stands_in_the_dialog_and_nothing_is_written(change: Callable[..., Shown]) -> None:
    shown = change(language="zh-CN")
    page, before = shown.page, len(shown.rows("consent"))
    page.click("[data-name=record-consent]")
    assert page.locator("[data-name=sheet-send]").is_disabled()  # nothing is chosen that is not there already
    page.check("[data-name=purpose-video]")
    page.fill("[data-name=sign-login]", "wu")
    page.fill("[data-name=sign-password]", SECRET)
    page.click("[data-name=sheet-send]")
    shown.answer()
    problem = page.locator("[data-name=sheet-problem]")
    assert "Wu R." in problem.inner_text()
    assert page.locator("[data-name=sheet-send]").is_disabled()  # the password is asked for again
    assert len(shown.rows("consent")) == before
    page.fill("[data-name=sign-login]", "okafor")
    assert problem.inner_text() == ""
    page.fill("[data-name=sign-password]", SECRET)
    page.click("[data-name=sheet-send]")
    shown.answer()
    assert shown.rows("consent")[-1]["purpose"] == "video"


def test_a_withdrawal_says_first_what_it_stops(change: Callable[..., Shown]) -> None:
    shown = change()
    page = shown.page
    page.click("[data-name=withdraw-participation]")
    stops = page.locator("[data-name=stops]").inner_text()
    for words in ("Every other consent ends", "no session on hardware", "no decoder", "exports"):
        assert words in stops, words
    assert axe(page) == []
    assert shown.answer() == []
    page.fill("[data-name=sign-login]", "okafor")
    page.fill("[data-name=sign-password]", SECRET)
    page.click("[data-name=sheet-send]")
    shown.answer()
    assert page.locator("[data-name=consent-participation] .lt.medium").is_visible()
    assert "withdrawn" in page.locator(".facts").inner_text()
    # The button that was pressed is gone: the focus is at the name and not lost.
    assert page.evaluate("document.activeElement.dataset.name") == "person"


def test_a_query_is_answered_and_a_deviation_closed_from_the_list(change: Callable[..., Shown]) -> None:
    shown = change()
    page = shown.page
    page.get_by_role("button", name="Answer…").click()
    assert page.locator("[data-name=sheet-send]").is_disabled()
    page.fill("[data-name=sheet-text]", "confirmed")
    page.fill("[data-name=sign-login]", "wu")
    page.fill("[data-name=sign-password]", SECRET)
    page.click("[data-name=sheet-send]")
    shown.answer()
    assert "Wu R.: confirmed" in page.locator(".answer").inner_text()
    page.locator("[data-name^=deviation-]").first.click()
    page.fill("[data-name=sheet-impact]", "none")
    page.fill("[data-name=sheet-correction]", "a call the day before")
    page.fill("[data-name=sign-login]", "okafor")
    page.fill("[data-name=sign-password]", SECRET)
    page.click("[data-name=sheet-send]")
    shown.answer()
    assert [row["state"] for row in shown.rows("deviation")].count("closed") == 1
    assert page.locator("text=1 closed").is_visible()
    assert page.locator("svg.axis .deviation.closed").count() == 1


# ------------------------------------------------------------------------------ the way there and back
def test_a_row_opens_its_participant_by_keyboard_and_back_the_row_has_the_focus(
    mount: Callable[..., Any], show: Callable[..., Shown]
) -> None:
    traits = {"day": {"read_at": "09:00"}, "rows": [ROW], "chosen": "", "details": DETAILS, "confirmed": {}}
    page = mount(Worklist, {**traits, "opens": True, "focus": ""})
    page.locator("[data-name=row-P-041]").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.name") == "open-P-041"
    page.keyboard.press("Enter")
    # Only that: the row is chosen by the kernel, and the focus does not jump to the field of the code.
    assert [(one["name"], one["args"]) for one in page.evaluate("window.sent")] == [
        ("open_participant", {"visit": "v1"})
    ]
    assert axe(page) == []
    shown = show()
    shown.page.wait_for_function("document.activeElement.dataset.name === 'person'")
    shown.page.locator("[data-name=back]").focus()
    shown.page.keyboard.press("Enter")
    shown.answer()
    assert shown.went_back == 1
    page = mount(Worklist, {**traits, "opens": True, "focus": "v1"})
    page.wait_for_function("document.activeElement.dataset.name === 'open-P-041'")
    page = mount(Worklist, {**traits, "opens": False, "focus": ""})
    assert page.locator("[data-name=open-P-041]").count() == 0


def test_the_language_changes_without_taking_the_focus(show: Callable[..., Shown]) -> None:
    page = show().page
    page.wait_for_function("document.activeElement.dataset.name === 'person'")
    page.evaluate("document.activeElement.blur()")
    page.evaluate("values => window.put(values)", {"language": "zh-CN"})
    page.wait_for_selector("text=返回工作列表")
    assert page.evaluate("document.activeElement === document.body")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_stop_stands_where_it_stands_on_the_worklist_and_covers_nothing_of_what_is_decided(
    mount: Callable[..., Any], begun: Path, statuses: dict[str, Any], width: int, height: int
) -> None:
    shell = {
        "status": statuses["idle"], "link": {"state": "live"}, "form": {}, "panels": [], "beat": 1,
        "place": {**PLACE, "view": "today"},
    }  # fmt: skip
    places, size = {}, {"width": width, "height": height}
    with Study.open(begun, actor="test") as study:
        (person,) = study.rows("participant", pseudonym="P-041")
    panel = ParticipantPage(ParticipantService(VisitService(begun, operator="x")), person["id"])
    page_traits = {"page": messages.carried(panel.page), "look": panel.look, "can_go_back": True}
    list_traits = {
        "day": {},
        "rows": [ROW],
        "chosen": "",
        "details": {},
        "confirmed": {},
        "opens": True,
        "focus": "",
    }
    for below in ((Worklist, list_traits), (ParticipantPage, page_traits)):
        page = mount(LiveSession, shell, below, **size)
        page.wait_for_selector("[data-name=stop]")
        places[below[0].__name__] = page.locator("[data-name=stop]").bounding_box()
    assert places["Worklist"] == places["ParticipantPage"]
    stop = places["ParticipantPage"]["y"]
    # What is decided scrolls inside itself beside STOP, wherever the page stands.
    side = page.locator(".side")
    for end in (0, 10_000):
        page.evaluate("end => window.scrollTo(0, end)", end)
        box = side.bounding_box()
        assert box["y"] + box["height"] <= stop + 1, end
    page.locator("[data-name=read-at]").scroll_into_view_if_needed()
    last = page.locator("[data-name=read-at]").bounding_box()
    assert last["y"] + last["height"] <= stop


# ------------------------------------------------------------------------------ safety events, steps of the trial
@pytest.mark.parametrize("name", ["add-event", "add-deficiency", "set-day", "freeze", "hold-Week 24"])
def test_axe_finds_nothing_in_the_dialogs_of_the_trial(show: Callable[..., Shown], name: str) -> None:
    page = show().page
    page.locator(f"[data-name='{name}']").click()
    assert page.locator("dialog[open]").is_visible()
    assert "steps." not in page.locator("dialog").inner_text()
    assert axe(page) == []


def test_a_form_of_the_protocol_asks_for_its_items_and_waits_for_what_is_required(
    change: Callable[..., Shown],
) -> None:
    desk = change()
    page = desk.page
    page.locator("[data-name='forms-Training']").press("Enter")
    page.locator("[data-name='fill-Training-session_diary']").press("Enter")
    assert "Tired at the end, 0 to 10 (optional)" in page.locator("[data-name=fill-sheet]").inner_text()
    page.locator("[data-name=sign-login]").fill("wu")
    page.locator("[data-name=sign-password]").fill(SECRET)
    assert page.locator("[data-name=sheet-send]").is_disabled()
    page.locator("[data-name=item-spasms]").fill("2")
    page.locator("[data-name=sheet-send]").press("Enter")
    desk.answer()
    page.wait_for_selector("dialog", state="detached")
    (row,) = [one for one in desk.rows("form") if one["name"] == "session_diary"]
    assert (row["values"], row["state"], row["by"]) == ({"spasms": 2}, "complete", "Wu R.")
    assert page.locator("[data-name='fill-Training-session_diary']").count() == 0


def test_an_event_is_added_from_the_page_of_whom_it_happened_to(change: Callable[..., Shown]) -> None:
    desk = change()
    page = desk.page
    page.locator("[data-name=add-event]").press("Enter")
    assert page.locator("[data-name=participant]").count() == 0
    page.locator("[data-name=term]").fill("pressure injury")
    page.locator("[data-name=medically_important]").press("Space")
    page.locator("[data-name=sign-login]").fill("okafor")
    page.locator("[data-name=sign-password]").fill(SECRET)
    page.locator("[data-name=sheet-send]").press("Enter")
    desk.answer()
    page.wait_for_selector("dialog", state="detached")
    (row,) = desk.rows("adverse_event")
    assert (row["term"], row["classification"], row["by"]) == ("pressure injury", "SAE", "Dr Okafor A.")
    page.get_by_role("button", name="Revise pressure injury").press("Enter")
    desk.answer()
    page.locator("[data-name=medically_important]").press("Space")
    assert "keeps the clock" in page.locator("[data-name=keeps-clock]").inner_text()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_surgery_finding_and_removal_of_an_implant_are_entered_by_keyboard_and_a_refusal_stands_in_the_dialog(
    change: Callable[..., Shown], language: str
) -> None:
    desk = change(language=language)
    page = desk.page

    def send(**fields: str) -> None:
        for name, value in fields.items():
            place = page.locator(f"[data-name={name.replace('_', '-')}]")
            place.select_option(value) if name in ("finding_kind", "explant_event") else place.fill(value)
        page.locator("[data-name=sign-login]").fill("okafor")
        page.locator("[data-name=sign-password]").fill(SECRET)
        page.locator("[data-name=sheet-send]").press("Enter")
        desk.answer()

    page.locator("[data-name=add-implant]").press("Enter")
    assert page.locator("[data-name=sheet-send]").is_disabled()
    assert "implants." not in page.locator("dialog").inner_text()
    send(implant_device="NEO", implant_location="epidural", implanted_on=days_ago(50))
    page.wait_for_selector("dialog", state="detached")
    (implant,) = desk.rows("implant")
    page.locator(f"[data-name=finding-{implant['id']}]").press("Enter")
    send(
        finding_kind="impedance", finding_values="E1 1200\nE2: 900", finding_text="in range", found_on=days_ago(60)
    )
    assert days_ago(60) in page.locator("[data-name=sheet-problem]").inner_text()
    assert desk.rows("implant_finding") == []
    send(found_on=days_ago(20))
    page.wait_for_selector("dialog", state="detached")
    assert desk.rows("implant_finding")[0]["values"] == {"E1": 1200, "E2": 900}
    (found,) = desk.rows("implant_finding")
    page.locator(f"[data-name=revise-{found['id']}]").press("Enter")
    desk.answer()
    assert page.locator("[data-name=finding-values]").input_value() == "E1 1200\nE2 900"
    assert "implants." not in page.locator("dialog").inner_text()
    send(finding_values="E1 1200\nE2 9000", finding_text="E2 out of range", why="misread")
    page.wait_for_selector("dialog", state="detached")
    (found,) = desk.rows("implant_finding")
    assert (found["values"], found["text"]) == ({"E1": 1200, "E2": 9000}, "E2 out of range")
    page.locator("[data-name=history-implant_finding-text]").press("Enter")
    desk.answer()
    page.wait_for_selector("[data-name=history] .entries")
    said = page.locator("[data-name=history]").inner_text()
    assert all(words in said for words in ("in range", "E2 out of range", "misread"))
    page.locator("[data-name=close]").press("Enter")
    page.locator(f"[data-name=void-{found['id']}]").press("Enter")
    assert "implants." not in page.locator("dialog").inner_text()
    send(why="of another participant")
    page.wait_for_selector("dialog", state="detached")
    assert "E2 out of range" in page.locator("[data-name=finding-void]").inner_text()
    page.locator("[data-name^=missed-]").first.press("Enter")
    assert "implants." not in page.locator("dialog").inner_text()
    send(missed_why="no transport")
    page.wait_for_selector("dialog", state="detached")
    assert desk.rows("deviation")[-1]["text"].endswith("no transport")
    assert "no transport" in page.locator("[data-name=told]").inner_text()
    page.locator(f"[data-name=explant-{implant['id']}]").press("Enter")
    send(explant_event="implant removed", why="infection", explanted_on=days_ago(1))
    page.wait_for_selector("dialog", state="detached")
    assert (desk.rows("implant")[0]["explant_reason"], axe(page)) == ("infection", [])
