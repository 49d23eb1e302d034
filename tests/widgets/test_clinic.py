"""The screens of a clinic: what stays in place, what the device confirmed, who is there; no violation of axe."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.shares import crossed
from workbench import control, outcomes, systems
from workbench.errors import Refused
from workbench.hardware import Discovery, FoundStream, Measurement, SetupEditor
from workbench.messages import Message, carried
from workbench.outcomes import isncsci
from workbench.runs.approve import Check
from workbench.widgets import (
    AssessmentForm,
    AssessmentPicker,
    DecoderPanel,
    IsncsciForm,
    LiveSession,
    ResultPanel,
    SetupPanel,
    Worklist,
)

NAMES = [f"E{i}" for i in range(1, 9)]
SIZES = [(1440, 900), (1024, 768)]
FORM = {
    "kinds": [{"kind": "calibration", "ok": True, "why": ""}, {"kind": "online", "ok": True, "why": ""}],
    "n_trials": 20, "paradigm": "grasp_rest", "can_start": True,
}  # fmt: skip
PLACE = {
    "study": "DEMO-01", "participant": "P-014", "visit": "Month 2", "confirmed": "08:58", "view": "run",
    "views": ["today", "setup", "run", "approve", "assess", "log"], "badges": {"approve": 1},
    "signed_in": "Lin Q.", "can_sign_in": True,
}  # fmt: skip


@pytest.fixture
def live(mount: Callable[..., Any], statuses: dict[str, Any]) -> Callable[..., Any]:
    def show(name: str, *, state: str = "live", place: Any = None, language: str = "en", **size: Any) -> Any:
        traits = {
            "status": statuses.get(name, {}),
            "link": {"state": state},
            "form": FORM,
            "panels": [],
            "beat": 0,
        }
        page = mount(LiveSession, {**traits, "place": place or PLACE, "language": language}, **size)
        if name in statuses:
            page.evaluate("names => window.signals({first: 0, n: 11000, fs: 1000, names, age_s: 0.042}, 7)", NAMES)
            page.evaluate("status => window.put({status, beat: 1})", statuses[name])
        return page

    return show


def within(page: Any, name: str, height: int) -> bool:
    box = page.locator(name).first.bounding_box()
    return box is not None and 0 <= box["y"] < box["y"] + box["height"] <= height + 0.5


@pytest.mark.parametrize(("width", "height", "language"), crossed(SIZES, ["en", "zh-CN"]))
def test_identity_cue_evidence_effector_alarm_and_stop_share_the_first_screen(
    live: Any, width: int, height: int, language: str
) -> None:
    for name in ("live", "idle", "stopping", "fault"):
        page = live(name, width=width, height=height, language=language)
        parts = ("[data-name=participant]", ".alarmplace", "[data-name=cue]", ".evbar", "[data-name=stop]")
        for part in (*parts, "[data-name=effector-state]", ".lanes"):
            assert within(page, part, height), (name, part)
        size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        assert size == [width, height]


@pytest.mark.parametrize(("width", "height", "language"), crossed(SIZES, ["en", "zh-CN"]))
def test_above_another_view_the_bar_keeps_everything_inside_the_window_and_says_what_is_simulated(
    live: Any, width: int, height: int, language: str
) -> None:
    views = ["today", "setup", "run", "result", "approve", "assess", "log"]
    page = live(
        "idle", place={**PLACE, "view": "result", "views": views}, width=width, height=height, language=language
    )
    for part in ("[data-name=participant]", "[data-name=view-log]", "[data-name=sign-person]", ".bar .seg"):
        box = page.locator(part).last.bounding_box()
        assert box is not None, part
        assert 0 <= box["x"] < box["x"] + box["width"] <= width, part
    assert page.locator(".bar .chip").first.is_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("window.sent.filter(m => m.name === 'stop').length") == 1


@pytest.mark.parametrize("name", ["stopping", "live"])
def test_what_is_simulated_and_the_speed_need_two_lines_of_the_bar_at_most(
    live: Any, statuses: Any, name: str
) -> None:
    views = ["today", "setup", "run", "result", "approve", "assess", "log"]
    page = live(name, place={**PLACE, "views": views}, width=1440, height=900)
    session = statuses[name]["session"] | {"simulated": True, "effector_simulated": True, "speed": 5}
    page.evaluate("status => window.put({status, beat: 2})", {**statuses[name], "session": session})
    assert page.locator(".bar .chip").count() == 3
    assert page.locator(".bar").bounding_box()["height"] <= 54


def test_without_an_engine_escape_closes_what_is_open_and_asks_for_no_stop(live: Any) -> None:
    page = live("none", state="none", place={**PLACE, "signed_in": "", "view": "today"})
    page.keyboard.press("Escape")
    assert page.evaluate("window.sent.filter(m => m.name === 'stop').length") == 0
    prevented = "() => !document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', cancelable: true}))"
    assert not page.evaluate(prevented)


def test_the_place_of_the_alarms_keeps_its_height_so_that_nothing_moves(live: Any, statuses: Any) -> None:
    for width, height in SIZES:
        page = live("live", width=width, height=height)
        before = [page.locator(part).bounding_box() for part in (".evbar", "[data-name=effector-state]")]
        with_alarm = {**statuses["live"], "alarms": statuses["fault"]["alarms"]}
        page.evaluate("status => window.put({status, beat: 2})", with_alarm)
        assert page.get_by_role("alert").is_visible()
        assert [page.locator(part).bounding_box() for part in (".evbar", "[data-name=effector-state]")] == before


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "STOP sent 1.2 s ago, not acknowledged: use the hardware stop"),
        ("zh-CN", "停止指令已发出 1.2 s，未确认"),
    ],
)
def test_an_unacknowledged_stop_outranks_every_alarm_and_nothing_claims_that_it_worked(
    live: Any, language: str, words: str
) -> None:
    page = live("stopping", language=language)
    first = page.get_by_role("alert").locator(".w").inner_text()
    assert first.replace(" 秒", " s").startswith(words.replace(" 秒", " s")[:14])
    assert page.locator("[data-name=effector-state]").evaluate("e => e.classList.contains('dash')")
    assert page.locator("[data-name=device-level]").inner_text() == "62 %"
    assert page.locator(".levelbar.old").count() == 1
    page.click("[data-name=hardware-stop]")
    assert page.evaluate("window.sent.filter(m => m.name === 'hardware_stop').length") == 1


def test_a_stop_that_is_over_stands_behind_an_alarm_whose_cause_lasts(live: Any, statuses: Any) -> None:
    page = live("live")
    usual = {
        "priority": "high",
        "means": "m.",
        "do": "d.",
        "raised_s": 9.0,
        "acknowledged": None,
        "earlier": False,
    }
    old = {**usual, "id": "a1", "key": "estop", "what": "STOP of before.", "cleared": True}
    now = {**usual, "id": "a2", "key": "effector_fault", "what": "Effector fault: now.", "cleared": False}
    page.evaluate("status => window.put({status, beat: 2})", {**statuses["live"], "alarms": [old, now]})
    assert page.get_by_role("alert").locator(".w").inner_text() == "Effector fault: now."


@pytest.mark.parametrize("name", ["fault", "idle"])
def test_only_the_device_says_that_it_is_safe_and_off(live: Any, statuses: Any, name: str) -> None:
    page = live(name)
    chip = page.locator("[data-name=effector-state]")
    assert "safe, off" in chip.inner_text()
    device = statuses[name]["effector"]["confirmed"]
    doubts = ({"age_s": 4.5}, {"age_s": None}, {"at_rest": False, "state": "venting", "level": 0.3})
    for beat, doubt in enumerate(doubts, 1):
        effector = {**statuses[name]["effector"], "confirmed": {**device, **doubt}}
        uncertain = {"status": {**statuses[name], "effector": effector}, "beat": 2 * beat}
        page.evaluate("put => window.put(put)", uncertain)
        page.wait_for_selector("[data-name=effector-state].dash:has-text('not confirmed')")
        assert "safe" not in chip.inner_text().replace("_SAFE", "")
        page.evaluate("put => window.put(put)", {"status": statuses[name], "beat": 2 * beat + 1})
        page.wait_for_selector("[data-name=effector-state]:not(.dash):has-text('safe, off')")


def test_only_the_device_says_that_a_stop_was_acknowledged_and_that_the_level_is_zero(
    live: Any, statuses: Any
) -> None:
    page = live("stopping")
    words = "document.querySelector('[data-name=stop-words]').textContent"
    assert "Not acknowledged" in page.evaluate(words)
    effector = statuses["stopping"]["effector"]
    for stop, said in (
        ({"acknowledged_after_s": 0.057}, "Acknowledged by the device after 57 ms"),
        ({"acknowledged_after_s": 0.057, "safe_after_s": 0.4, "confirmed": True}, "the device reports level 0"),
    ):
        now = effector | {"stop": effector["stop"] | stop}
        page.evaluate("status => window.put({status, beat: 2})", {**statuses["stopping"], "effector": now})
        assert said in page.evaluate(words)


def test_the_time_to_the_acknowledgement_counts_from_the_press_also_where_the_engine_stood_still(
    live: Any, statuses: Any
) -> None:
    page = live("live")
    words = "document.querySelector('[data-name=stop-words]').textContent"
    page.click("[data-name=stop]")
    # As long as it takes the page to say so: more than half a second.
    page.wait_for_function(f"{words}.startsWith('Not acknowledged')")
    (asked,) = page.evaluate("window.sent.filter(m => m.name === 'stop')")
    page.evaluate("id => window.say({kind: 'answer', name: 'stop', ok: true, text: '', id})", asked["id"])
    stop = {
        "asked_age_s": 0.02,
        "sent": True,
        "acknowledged_after_s": 0.013,
        "safe_after_s": 0.02,
        "confirmed": True,
    }
    now = statuses["live"]["effector"] | {"stop": stop}
    page.evaluate("status => window.put({status, beat: 2})", {**statuses["live"], "effector": now})
    page.wait_for_function(f"{words}.includes('the device reports level 0')")
    n, unit = re.search(r"after ([\d.]+) (ms|s)", page.evaluate(words)).groups()
    assert float(n) * {"ms": 1e-3, "s": 1.0}[unit] > 0.5


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_what_a_fact_of_the_visit_is_called_stands_on_one_line(mount: Callable[..., Any], language: str) -> None:
    widget, traits = shown("worklist")
    system = {"name": "system", "text": "手区植入电极与手套 · 自主节奏的尝试抓握，模拟受试者"}
    details = {**DETAILS, "facts": [system, *DETAILS["facts"]]}
    page = mount(widget, {**traits, "details": details, "language": language})
    heights = page.evaluate(
        "[...document.querySelectorAll('.confirm dt')].map(one => {"
        " const range = document.createRange(); range.selectNodeContents(one);"
        " return [one.textContent, new Set([...range.getClientRects()].map(r => Math.round(r.top))).size]; })"
    )
    assert len(heights) >= 3
    assert [name for name, lines in heights if lines > 1] == []


@pytest.mark.parametrize(("width", "height", "language"), crossed(SIZES, ["en", "zh-CN"]))
def test_start_stands_above_stop_with_every_fact_of_a_visit_that_has_a_decoder(
    mount: Callable[..., Any], width: int, height: int, language: str
) -> None:
    widget, traits = shown("worklist")
    words = "Implanted electrodes over the hand area, glove · Attempted grasp, self-paced"
    script = {"name": "approved", "key": "worklist.approved_script", "args": {"by": "root", "when": "2026-11-24"}}
    facts = [{"name": "system", "text": words}, *DETAILS["facts"][:2], script, DETAILS["facts"][3]]
    nobody = {"key": "worklist.hint.nobody", "args": {"operator": "root", "command": "workbench people add"}}
    more = {"day": {**traits["day"], "hints": [nobody]}, "details": {**DETAILS, "facts": facts}}
    bar = {
        "link": {"state": "none"},
        "status": {},
        "place": {**PLACE, "view": "today"},
        "form": FORM,
        "panels": [],
    }
    below = (widget, {**traits, **more, "language": language})
    page = mount(LiveSession, {**bar, "beat": 0, "language": language}, below, width=width, height=height)
    start, stop = (page.locator(f"[data-name={name}]").bounding_box() for name in ("start-session", "stop"))
    assert start["y"] + start["height"] <= stop["y"]


def test_a_code_that_nothing_answered_is_sent_again_by_enter(mount: Callable[..., Any]) -> None:
    widget, traits = shown("worklist")
    page = mount(widget, {**traits, "confirmed": {}}, clock=True)
    page.fill("[data-name=code]", "P-041")
    page.keyboard.press("Enter")
    page.clock.run_for(31_000)
    page.wait_for_selector("[data-name=code-problem]:text('answer')")
    page.keyboard.press("Enter")
    codes = page.evaluate("window.sent.filter(m => m.name === 'confirm').map(m => m.args.code)")
    assert codes == ["P-041", "P-041"]


def test_a_code_whose_confirmation_lapsed_is_sent_again_by_enter_and_one_that_holds_is_not(
    mount: Callable[..., Any],
) -> None:
    widget, traits = shown("worklist")
    page = mount(widget, {**traits, "confirmed": {}})
    page.fill("[data-name=code]", "P-041")
    page.keyboard.press("Enter")
    said = "window.sent.filter(m => m.name === 'confirm')"
    (asked,) = page.evaluate(said)
    page.evaluate("sure => window.put({confirmed: sure})", traits["confirmed"])
    page.evaluate("id => window.say({kind: 'answer', name: 'confirm', ok: true, text: '', id})", asked["id"])
    page.wait_for_selector("[data-name=confirmed]:has-text('P-041')")
    page.keyboard.press("Enter")
    assert len(page.evaluate(said)) == 1
    page.evaluate("window.put({confirmed: {}})")
    page.keyboard.press("Enter")
    assert len(page.evaluate(said)) == 2


def test_a_visit_whose_window_is_not_open_yet_is_not_counted_as_one_of_today(mount: Callable[..., Any]) -> None:
    widget, traits = shown("worklist")
    later = {**ROW, "visit": "v2", "visit_name": "Month 3", "state": "not_due", "open": []}
    page = mount(widget, {**traits, "rows": [ROW, later]})
    assert page.locator(".worklist h1").inner_text() == "One visit today"
    assert "1 ready · 1 not due" in page.locator(".worklist .head p").inner_text()


def test_an_alarm_stays_until_somebody_acknowledges_it_in_the_engine(live: Any, statuses: Any) -> None:
    page = live("fault")
    over = {**statuses["fault"]["alarms"][0], "cleared": True}
    page.evaluate("status => window.put({status, beat: 2})", {**statuses["fault"], "alarms": [over]})
    assert "(over)" in page.get_by_role("alert").inner_text()
    page.click("[data-name=acknowledge]")
    (asked,) = page.evaluate("window.sent.filter(m => m.name === 'acknowledge')")
    assert asked["args"] == {"alarm": over["id"]}


def test_whoever_reports_the_hardware_stop_reads_that_it_was_entered(live: Any) -> None:
    page = live("stopping")
    page.click("[data-name=hardware-stop]")
    asked = page.evaluate("window.sent.filter(m => m.name === 'hardware_stop').at(-1)")
    reply = {"kind": "answer", "name": "hardware_stop", "ok": True, "text": "", "id": asked["id"]}
    page.evaluate("reply => window.say(reply)", reply)
    page.wait_for_selector(".alarmplace:has-text('Hardware stop reported at')")
    assert page.locator("[data-name=hardware-stop]").is_disabled()
    assert "not acknowledged: use the hardware stop" in page.locator(".alarmplace").inner_text()


def test_an_alarm_of_an_engine_before_does_not_say_that_its_cause_has_gone(live: Any, statuses: Any) -> None:
    page = live("fault")
    alarm = {**statuses["fault"]["alarms"][0], "cleared": True}
    for earlier, words in ((False, "The cause has gone"), (True, "from an engine before this one")):
        status = {**statuses["live"], "alarms": [{**alarm, "earlier": earlier}]}
        page.evaluate("([status, beat]) => window.put({status, beat})", [status, 2 + earlier])
        assert words in page.locator(".alarmplace").inner_text()


def test_the_age_in_a_stream_alarm_is_that_of_its_data(live: Any, statuses: Any) -> None:
    page = live("fault")
    streams = [{**one, "age_s": 32.4} if one["name"] == "ECoG" else one for one in statuses["fault"]["streams"]]
    page.evaluate("status => window.put({status, beat: 2})", {**statuses["fault"], "streams": streams})
    assert "32 s" in page.get_by_role("alert").inner_text()


def test_a_reset_asks_once_while_an_alarm_is_unseen_and_not_otherwise(live: Any, statuses: Any) -> None:
    page = live("stopping")
    page.click("[data-name=reset_stop]")
    assert page.evaluate("window.sent.filter(m => m.name === 'reset_stop').length") == 0
    page.click("[data-name=reset-now]")
    assert page.evaluate("window.sent.filter(m => m.name === 'reset_stop').length") == 1
    effector = statuses["stopping"]["effector"]
    done = {"acknowledged_after_s": 0.05, "safe_after_s": 0.3, "confirmed": True}
    quiet = {**statuses["stopping"], "alarms": [], "effector": effector | {"stop": effector["stop"] | done}}
    page.evaluate("status => window.put({status, beat: 2})", quiet)
    page.click("[data-name=reset_stop]")
    assert page.evaluate("window.sent.filter(m => m.name === 'reset_stop').length") == 2


def test_a_stop_does_not_change_the_kind_of_run_that_was_chosen(live: Any, statuses: Any) -> None:
    page = live("idle")
    page.select_option("[data-name=kind]", "online")
    stopped = {**statuses["idle"], "session": {**statuses["idle"]["session"], "stopped": True}}
    page.evaluate("status => window.put({status, beat: 2})", stopped)
    assert page.locator("[data-name=kind]").input_value() == "online"
    assert page.locator("[data-name=start-run]").is_disabled()
    assert "latched" in page.locator(".run .reason").inner_text()


def test_with_the_engine_lost_no_run_can_be_started(live: Any) -> None:
    page = live("idle")
    assert page.locator("[data-name=start-run]").count() == 1
    page.evaluate("window.put({link: {state: 'lost', sentence: '', age_s: 4}})")
    assert page.locator("[data-name=start-run]").count() == 0
    assert page.locator("[data-name=stop]").is_enabled()


@pytest.mark.parametrize("dark", [False, True])
def test_what_a_page_that_lost_its_engine_showed_last_has_no_colour_and_can_be_read(live: Any, dark: bool) -> None:
    page = live("live", dark=dark)
    page.evaluate("window.put({link: {state: 'lost', sentence: '', age_s: 4}})")
    page.wait_for_selector(".lost")
    assert axe(page) == []
    for name in (".run > div:not(.do)", ".main .panel"):
        assert (
            page.evaluate("name => getComputedStyle(document.querySelector(name)).filter", name) == "grayscale(1)"
        )


def test_a_visible_page_answers_each_challenge_once_and_a_hidden_one_says_that_it_is(live: Any) -> None:
    page = live("live")
    for challenge in ("c1", "c2"):
        page.evaluate("challenge => window.say({kind: 'presence', challenge})", challenge)
    sent = page.evaluate("window.sent.filter(m => m.name === 'presence').map(m => m.args)")
    assert [(one["challenge"], one["visible"]) for one in sent] == [("c1", True), ("c2", True)]
    assert len({one["page"] for one in sent}) == 1
    page.evaluate("""() => {
      Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
      window.say({ kind: "presence", challenge: "c3" });
    }""")
    later = page.evaluate("window.sent.filter(m => m.name === 'presence').map(m => m.args)")[2:]
    assert [(one["challenge"], one["visible"]) for one in later] == [("c2", False)]


class Answering:
    """A client that notes the answers of pages."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def status(self) -> dict[str, Any]:
        return {"presence": {"challenge": "c1"}, "alarms": []}

    def signals(self, since: int = 0, max_seconds: float = 10.0) -> Any:
        return None

    def presence(self, page: str, challenge: str, *, visible: bool) -> None:
        self.heard.append((page, challenge, visible))
        raise Refused("this challenge is too old")


def test_the_kernel_hands_on_what_a_page_answered_and_never_answers_itself() -> None:
    client = Answering()
    made = LiveSession(client)  # type: ignore[arg-type]
    try:
        challenged = SimpleNamespace(sent=[])
        made.send = lambda content, buffers=None: challenged.sent.append(content)
        made._challenge = ""
        made._challenge_pages(client.status())
        made._challenge_pages(client.status())
        assert [one for one in challenged.sent if one["kind"] == "presence"] == [
            {"kind": "presence", "challenge": "c1"}
        ]
        assert client.heard == []
        assert made.answer("presence", {"page": "p", "challenge": "c1", "visible": True})["ok"]
        made.answer("presence", {"page": "p", "challenge": "c1", "visible": "yes"})
        assert client.heard == [("p", "c1", True), ("p", "c1", False)]
    finally:
        made.close()


def test_a_password_is_posted_a_ticket_goes_in_the_message_and_it_stays_nowhere(live: Any) -> None:
    page = live("none", state="none", place={**PLACE, "signed_in": "", "view": "today"})
    page.click("[data-name=sign-person]")
    page.fill("[data-name=login]", "lin")
    page.fill("[data-name=password]", "correct horse")
    page.click("[data-name=sign-in]")
    (asked,) = page.evaluate("window.sent.filter(m => m.name === 'sign_in')")
    ticket = asked["args"]["ticket"]
    assert asked["args"] == {"login": "lin", "ticket": ticket}
    assert page.evaluate("ticket => window.left[ticket]", ticket) == "correct horse"
    assert page.locator("[data-name=password]").input_value() == ""
    assert "correct horse" not in page.content() + page.url
    refusal = {"kind": "answer", "name": "sign_in", "ok": False, "text": "not accepted", "id": asked["id"]}
    page.evaluate("reply => window.say(reply)", refusal)
    assert "not accepted" in page.locator(".sign").inner_text()


# ---------------------------------------------------------------------------------------------- axe
ROW = {
    "visit": "v1", "time": "09:00", "participant": "P-041", "about": {"text": ""}, "visit_name": "Month 1",
    "window": {"key": "worklist.window.due", "args": {"earliest": "–", "latest": "–"}, "part": 0.4},
    "signal": "ECoG", "effector": "glove", "last": {"key": "worklist.first_session", "args": {}}, "state": "ready",
    "open": [{"state": "medium", "key": "worklist.open.awaiting", "args": {"hash": "5c1e 90ab"}}],
}  # fmt: skip
DETAILS = {
    "facts": [
        {"name": "consent", "key": "worklist.consent", "args": {"version": "2.2", "date": "2026-11-03"}},
        {"name": "decoder", "key": "worklist.decoder", "args": {"hash": "5c1e 90ab", "days": 2}},
        {"name": "approved", "key": "worklist.approved_by", "args": {"by": "Park J.", "when": "2026-11-19"}},
        {"name": "effector", "key": "worklist.effector_simulated", "args": {"name": "glove"}},
    ],
    "plan": [{"key": "worklist.plan.online", "args": {"n": n}} for n in (15, 16)],
    "blocked": None,
    "system": "neo_hand self_paced",
    "systems": [{"key": "neo_hand self_paced", "system": "Implanted electrodes", "task": "Grasp, self-paced"}],
}
RESULT = {
    "participant": "P-041", "number": 3, "kind": "online", "state": "finished", "hits": 2, "n": 3, "total": 3,
    "limit": 1, "above": True, "shuffles": 2000, "limit_share": 0.33, "median_s": 0.9, "middle_s": [0.8, 1.0],
    "window_s": 1.5,
    "numbers": [
        {"value": "2", "unit": "/ 3", "key": "result.n.hits",
         "args": {"p": "67 %", "low": "20 %", "high": "94 %"}},
    ],
    "trials": [{"index": i, "condition": "grasp", "outcome": o, "onset_s": s} for i, (o, s) in
               enumerate((("correct", 0.8), ("missed", None), ("correct", 1.0)))],
    "runs": [{"name": "3", "when": "", "value": 0.67, "low": 0.2, "high": 0.9, "now": True,
              "false": 0.5, "onset": 0.9}],
    "integrity": [{"state": "ok", "key": "result.integrity.complete", "args": {}}], "decoder": [],
    "next": [{"name": "online", "primary": True}, {"name": "assess"}], "can_note": True,
}  # fmt: skip


HELD_OUT = {
    "target": "grasp", "times_s": [-1.0, 0.0, 1.0, 2.0], "thresholds": {"release": 0.2, "activate": 0.65},
    "shown_s": 3.0,
    "evidence": {
        "grasp": {"n": 2, "mean": [0.1, 0.2, 0.8, 0.9], "low": [0.0, 0.1, 0.7, None],
                  "high": [0.2, 0.3, 0.9, None]},
        "rest": {"n": 3, "mean": [None, 0.1, 0.1, 0.1], "low": [None, 0.0, 0.0, 0.0],
                 "high": [None, 0.2, 0.2, 0.2]},
    },
    "events": {
        "n": 3, "hits": 2, "missed": 1, "excluded": 0, "onsets_s": [0.8, 1.0], "onset_limit_s": 1.5, "false": 1,
        "onset": {"n": 2, "median": 0.9, "low": 0.85, "high": 0.95}, "rest_s": 60.0, "false_per_min": 1.0,
        "false_interval": [0.03, 5.6],
    },
}  # fmt: skip


def form_traits(form: Any) -> dict[str, Any]:
    names = ("definition", "items", "condition", "side", "fields", "result", "saved", "kept", "stored", "place")
    more = ("versions", "causes")
    return dict(form.get_state([name for name in (*names, *more) if name in form.traits()]))


AXE = """() => axe.run(document, {
  resultTypes: ["violations"],
  rules: { "landmark-one-main": { enabled: false }, "page-has-heading-one": { enabled: false } },
})"""
"""The page around a panel has the main landmark and the heading (checked in ``tests/browser``)."""


def axe(page: Any) -> list[Any]:
    import axe_playwright_python

    page.add_script_tag(path=str(Path(axe_playwright_python.__file__).parent / "axe.min.js"))
    page.evaluate("document.title = 'workbench'")
    page.evaluate("for (const a of document.getAnimations()) { a.pause(); a.currentTime = 1000; }")  # mid-pulse
    found = page.evaluate(AXE)
    return [(one["id"], [node["html"][:160] for node in one["nodes"]][:4]) for one in found["violations"]]


AMP = FoundStream(
    "amp64", "EEG", "amp-1", "amp-pc-2", 500.0, n_channels=3, units=("microvolts",) * 3, manufacturer="Acme",
    impedances=(4.0, 5.0, 31.0), uid="1",
)  # fmt: skip
CODES = FoundStream("stim-codes", "Markers", "stim-1", "stim-pc", dtype="int32", uid="2")
WRIST = FoundStream("wrist-R", "IMU", "", "hub", 100.0, n_channels=3, uid="3")


def heard(streams: Any, _labels: Any, *, peers: Any) -> list[Measurement]:
    """An amplifier that loses samples, codes of which one means nothing yet."""
    made = []
    for one in streams:
        lost = {"n_lost": 12, "n_gaps": 2} if one.name == "amp64" else {}
        codes = {"1": 2, "255": 1} if one.is_markers else {}
        rms = (14.0,) * one.n_channels
        made.append(Measurement("2026-11-22T09:00:00+00:00", n=5000, fs=one.fs, rms=rms, codes=codes, **lost))
    return made


INPUTS = (
    systems.Input(
        "signal",
        "EEG",
        at_least_channels=3,
        at_most_channels=256,
        at_least_hz=128.0,
        words=systems.words("scalp electrodes over the sensorimotor cortex", "感觉运动皮层上方的头皮电极"),
    ),
    systems.Input(
        "markers",
        "markers",
        critical=False,
        words=systems.words("cues of another presenter", "其他程序呈现的提示标记"),
    ),
)


def set_up() -> dict[str, Any]:
    """What the set-up screen is sent at a second visit, with something of everything on it."""
    made = SetupEditor(Path("nowhere"), INPUTS, look=lambda _peers: Discovery((AMP, CODES, WRIST)), listen=heard)
    made.name_peers(["amp-pc-2", "stim-pc"])
    made.look()
    for uid, role in (("1", "signal"), ("2", "markers"), ("3", "aux")):
        made.assign(uid, role)
    made.number_channels("amp64")
    made.measure()
    made.saved = replace(made.draft, by="Lin Q.", at="2026-11-19T09:00:00+00:00")
    made.answer("amp64", labels=["C3", "Cz", "C4"])
    made.waive_failed("amp64", "impedance", "rim electrode", by="Lin Q.")
    made.attach_effector(real=True)
    device = {"name": control.load("glove").title, "answers": True}
    device |= {
        "pairing": {"code": "ABCD-EFGH-JKLM-NPQR", "command": "workbench pair device g glove", "link": "ab"}
    }
    start = {"shown": True, "ok": False, "why": "no code was read"}
    fit = {"hash": "5c1e90ab", "ok": False, "why": Message("decoder.other_rate", fitted="250", got="500")}
    return {**made.state(), "system": "Imagery", "device": device, "start": start, "decoder": fit}


def shown(name: str) -> tuple[Any, dict[str, Any]]:
    about = {"save": lambda one: "Saved.", "visit_id": "v", "rater": "r", "place": ("S", "P-041", "Month 1")}
    if name == "set_up":
        return SetupPanel, {"setup": carried(set_up())}
    if name == "worklist":
        day = {"date": "2026-11-22", "read_at": "08:52:04", "study": "S", "fault": ""}
        sure = {"visit": "v1", "clock": "08:58"}
        return Worklist, {"day": day, "rows": [ROW], "chosen": "v1", "details": DETAILS, "confirmed": sure}
    if name == "result":
        return ResultPanel, {"result": RESULT, "kept": ""}
    if name == "arat":
        return AssessmentForm, form_traits(AssessmentForm.of(outcomes.load("arat"), **about))
    if name == "isncsci":
        return IsncsciForm, form_traits(IsncsciForm(isncsci, **about))
    fit = {"sha256": "5c1e90ab" * 8, "accuracies": [], "confusions": [], "can_decide": True, "blocked": ""}
    fit |= {"held_out": HELD_OUT, "false_limit": 2.0}
    fit["checks"] = [
        {"name": "windows", "state": "warn", "value": "12 %", "limit": "10 %", "text": "many left out"}
    ]
    return DecoderPanel, {
        "fit": fit | {"signing": {"signer": "P", "password": True}},
        "decision": {},
        "adapts": {},
    }


def test_no_session_with_flickering_light_starts_before_the_question_about_seizures_was_answered(
    mount: Callable[..., Any],
) -> None:
    widget, traits = shown("worklist")
    open_ = {**traits["details"], "blocked": None, "screening": {"answer": "", "by": "", "utc": ""}}
    page = mount(widget, {**traits, "details": open_})
    assert page.locator("[data-name=start-session]").is_disabled()
    assert "Ask about seizures" in page.locator(".panel.confirm").inner_text()
    page.locator("[data-name=screening]").select_option("none")
    sent = page.evaluate("window.sent")[-1]
    assert (sent["name"], sent["args"]["answer"]) == ("screen", "none")
    answered = {"answer": "none", "by": "Chen L.", "utc": "2026-11-22T08:00:00Z"}
    page.evaluate("values => window.put(values)", {"details": {**open_, "screening": answered}})
    assert page.locator("[data-name=start-session]").is_enabled()
    assert "Chen L." in page.locator("[data-name=screening-by]").inner_text()
    assert axe(page) == []


@pytest.mark.job
@pytest.mark.parametrize("name", ["worklist", "set_up", "result", "approval", "arat", "isncsci"])
def test_axe_finds_nothing_on_a_panel(mount: Callable[..., Any], name: str) -> None:
    assert axe(mount(*shown(name))) == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["0.90 s", "limit 1.5 s", "1 missed", "1.00"]),
        ("zh-CN", ["0.90 s", "限值 1.5 s", "1 次未检出", "1.00"]),
    ],
)
def test_approval_shows_evidence_onsets_and_false_starts_beside_their_limits(
    mount: Callable[..., Any], language: str, words: list[str]
) -> None:
    widget, traits = shown("approval")
    page = mount(widget, {**traits, "language": language})
    told = page.locator(".decoder").inner_text()
    assert [one for one in words if one not in told] == []
    assert page.locator(".evplot polyline").count() == 2
    assert page.locator(".strip2 .pt").count() == 2
    assert page.locator(".lim .limit").count() == 2
    assert page.errors == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_result_of_a_run_states_its_guessing_limit_and_unfolds_its_trials_as_a_table(
    mount: Callable[..., Any], language: str
) -> None:
    page = mount(ResultPanel, {"result": RESULT, "kept": "", "language": language})
    assert "2,000" in page.locator(".verdict").inner_text()
    assert page.locator(".acc .zone").evaluate("e => e.style.width") == "33%"
    page.click("[data-name=all-trials]")
    rows = page.locator(".alltrials tbody tr")
    assert rows.count() == 3
    assert rows.nth(0).locator("td").nth(3).inner_text() == "0.80"
    assert rows.nth(1).locator("td").nth(3).inner_text() == "—"
    assert "result." not in page.locator(".resultpage").inner_text()  # every text has words
    assert axe(page) == []
    # With many items to choose from, a row for each would hold one trial.
    spelt = [{"index": i, "condition": c, "outcome": "correct", "decided": c} for i, c in enumerate("THEQUICKB")]
    spelt[4] |= {"outcome": "wrong", "decided": "X"}
    page = mount(ResultPanel, {"result": {**RESULT, "trials": spelt}, "kept": "", "language": language})
    assert page.locator(".trow").count() == 0
    assert page.locator(".choice").all_inner_texts()[3:5] == ["Q", "U\nX"]
    assert axe(page) == []


def test_a_report_is_named_beside_the_result_and_the_page_stays() -> None:
    asked = []
    said = "Report kept: reports/session.pdf"
    panel = ResultPanel({"next": [{"name": "report"}]}, act=lambda name: asked.append(name) or said)
    assert panel.answer("act", {"name": "report"})["ok"]
    assert (asked, panel.done) == (["report"], said)


def test_the_measures_to_choose_are_named_in_the_language_of_the_page(mount: Callable[..., Any]) -> None:
    desk = AssessmentPicker([("v", "P-041")], [("arat", "ARAT"), ("own", "Own form")], pick=lambda *_: None)
    page = mount(AssessmentPicker, desk.get_state() | {"language": "zh-CN"})
    options = page.locator("[data-name=desk-measure] option").all_inner_texts()
    assert options == ["上肢动作研究测试（ARAT）", "Own form"]


def test_where_a_report_was_kept_still_stands_there_after_the_language_was_changed(
    mount: Callable[..., Any],
) -> None:
    page = mount(ResultPanel, {"result": {**RESULT, "next": [{"name": "report"}]}, "kept": ""})
    page.click("[data-name=next-report]")
    (asked,) = page.evaluate("window.sent.filter(m => m.name === 'act')")
    page.evaluate(
        "id => window.say({kind: 'answer', name: 'act', ok: true, value: 'kept: session.pdf', id})", asked["id"]
    )
    page.wait_for_selector("[data-name=step-done]:has-text('session.pdf')")
    page.evaluate("window.put({language: 'zh-CN'})")
    page.wait_for_selector(".wb:lang(zh-CN) [data-name=step-done]:has-text('session.pdf')")


CHECK = Check(
    "windows",
    Message("check.part", n=3, all=10),
    Message("check.percent_of", percent="10%", all=10),
    "warn",
    Message("check.windows_left_out", n=3, all=10),
)


def test_a_chinese_page_of_a_decoder_says_checks_effector_and_validation_in_chinese(
    mount: Callable[..., Any],
) -> None:
    panel = DecoderPanel(
        "5c1e90ab" * 8, name="d", accuracies={}, decide=lambda *_, **__: {}, checks=[asdict(CHECK)],
        signing={"signer": "P", "effector": Message("approval.simulated", effector=Message("effector.glove"))},
        proof={"validation": Message("fit.blocks", n=5), "others": [
            {"hash": "5c1e", "state": "ok", "text": Message("approval.approved_by", by="Lin Q.")},
            {"hash": "90ab", "state": "ok", "text": "approved by Lin Q."},
        ]},
    )  # fmt: skip
    page = mount(DecoderPanel, panel.get_state(["fit", "decision", "adapts"]) | {"language": "zh-CN"})
    told = page.locator(".decoder").inner_text()
    assert "10 中 3" in told
    assert "10 个训练窗口中有 3 个被排除（缺口、伪迹或通道丢失）。" in told
    assert "5 个连续部分" in told
    assert "由 Lin Q. 批准" in told
    assert "approved by Lin Q." in told  # a decision of a record without codes, as it was recorded
    page.get_by_role("button", name="拒绝").first.click()
    assert page.errors == []


def test_a_chinese_page_of_a_result_says_why_a_trial_is_excluded_and_a_refusal_in_chinese(
    mount: Callable[..., Any],
) -> None:
    trials = [
        {"index": i, "condition": "grasp", "outcome": "excluded", "excluded": excluded}
        for i, excluded in enumerate((Message("decode.gap", n="120"), "gap of 90 ms"))
    ]
    panel = ResultPanel({**RESULT, "trials": trials}, note=lambda **_: Message("visit.note_kept", who="Lin Q."))
    page = mount(ResultPanel, panel.get_state(["result", "kept"]) | {"language": "zh-CN"})
    page.click("[data-name=all-trials]")
    rows = page.locator(".alltrials tbody tr")
    assert "数据缺口 120 毫秒" in rows.nth(0).inner_text()
    assert "gap of 90 ms" in rows.nth(1).inner_text()
    for request, words in (({"text": "", "tags": []}, "备注为空"), ({"text": "x"}, "备注已以 Lin Q. 的名义保存")):
        page.click("[data-name=keep-note]")
        sent = page.evaluate("window.sent[window.sent.length - 1]")
        page.evaluate("reply => window.say(reply)", {**carried(panel.answer("note", request)), "id": sent["id"]})
        page.wait_for_selector(f"text={words}")
    assert page.errors == []


def test_a_chinese_form_says_alerts_in_chinese(mount: Callable[..., Any]) -> None:
    form = AssessmentForm.of(outcomes.load("phq9"), visit_id="v", rater="R", save=lambda _: "")
    form.enter("q9", 2)
    page = mount(AssessmentForm, form_traits(form) | {"language": "zh-CN"})
    assert "PHQ-9 第 9 项为 2" in page.locator("[data-name=alert]").inner_text()
    assert page.errors == []


@pytest.mark.job
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_electrodes_show_the_trend_of_their_noise_with_a_hole_where_the_stream_was_lost(
    live: Any, statuses: Any, language: str
) -> None:
    page = live("live", language=language, clock=True)
    idle = statuses["live"]
    lost = {**idle, "streams": [{**one, "state": "lost"} for one in idle["streams"]]}
    page.clock.pause_at((page.evaluate("Date.now()") + 1000) / 1000)
    for beat, status in enumerate([idle, idle, lost, idle, idle], start=2):
        # The trend takes a value every 2 s, and one whenever the stream is lost or comes back.
        page.clock.run_for(2100 if status is idle else 500)
        page.evaluate("([status, beat]) => window.put({status, beat})", [status, beat])
    rows = page.locator(".trendrow")
    channels = idle["quality"]["channels"]
    assert rows.count() == min(8, len(channels))
    assert rows.first.locator("polyline").count() == 2  # before and after the loss
    page.clock.resume()
    label = rows.first.locator(".spark").get_attribute("aria-label")
    assert channels[0]["name"] in label
    assert "µV" in label
    assert axe(page) == []
    assert page.errors == []


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "12 s, about 20 s left"), ("zh-CN", "已 12 秒，约剩 20 秒")],
)
def test_a_fit_says_how_long_it_takes_and_about_how_long_it_will(live: Any, language: str, words: str) -> None:
    page = live("idle", language=language)
    said = {"kind": "said", "key": "run.fitting_left", "args": {"s": "12", "left": "20"}, "text": ""}
    page.evaluate("said => window.say(said)", said)
    assert words in page.locator(".run").inner_text()


REACH = """() => {
  const covered = [];
  const shell = document.querySelector(".wb-live");
  for (const one of document.querySelectorAll("button, input, select, textarea, summary")) {
    if (shell.contains(one) || !one.checkVisibility() || one.disabled) continue;
    one.scrollIntoView({ block: "center" });
    const box = one.getBoundingClientRect();
    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const label = one.closest("label");
    const reached = hit && (one.contains(hit) || (hit.contains(one) && hit === label));
    if (!reached) covered.push(one.dataset.name || one.outerHTML.slice(0, 120));
  }
  return covered;
}"""
"""Controls that lie under something else, or outside the window, wherever one scrolls."""

FOOT = """() => {
  const stop = document.querySelector("[data-name=stop]").getBoundingClientRect();
  const under = [];
  document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;
  for (const one of document.querySelectorAll(".wb-panel *, .wb-isncsci *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.checkVisibility() || one.closest("[role=region][tabindex]")) continue;
    const box = one.getBoundingClientRect();
    const beside = box.right <= stop.left || box.bottom <= stop.top || box.top >= stop.bottom;
    if (box.bottom > innerHeight + 1 || !beside) under.push(one.textContent);
    for (let outer = one.parentElement; outer.parentElement; outer = outer.parentElement) {
      const scrolls = getComputedStyle(outer).overflowY !== "visible";
      const longer = outer.scrollHeight > outer.clientHeight + 1;
      if (scrolls && longer && box.bottom > outer.getBoundingClientRect().bottom + 1) under.push(one.textContent);
    }
  }
  return under;
}"""
"""Words under STOP, below the window, or out of sight in a box of their own, when the page is at its end."""


@pytest.mark.parametrize(
    ("height", "alarm", "name"),
    crossed([768, 640], [False, True], ["worklist", "set_up", "result", "approval", "arat", "isncsci"]),
)
def test_stop_and_identity_stay_and_every_control_and_word_can_be_reached_above_stop(
    mount: Callable[..., Any], statuses: dict[str, Any], name: str, alarm: bool, height: int
) -> None:
    shell = {
        "status": statuses["fault" if alarm else "idle"], "link": {"state": "live"}, "form": FORM, "panels": [],
        "place": {**PLACE, "view": "assess"}, "beat": 0,
    }  # fmt: skip
    desk = AssessmentPicker([("v", "P-041")], [("arat", "ARAT"), ("isncsci", "ISNCSCI")], pick=lambda *_: None)
    chosen = {one: getattr(desk, one) for one in ("visits", "measures", "chosen", "rater")}
    strip = [(AssessmentPicker, chosen)] if name in ("arat", "isncsci") else []
    page = mount(LiveSession, shell, *strip, shown(name), width=1024, height=height)
    if name == "result":
        page.click("[data-name=all-trials]")
    assert page.evaluate(FOOT) == []  # before anything inside a panel was scrolled
    assert page.evaluate(REACH) == []
    for wheel in (-9000, 400, 9000):
        page.mouse.move(300, 400)
        page.mouse.wheel(0, wheel)
        for part in ("[data-name=stop]", "[data-name=participant]"):
            assert within(page, part, height), (part, wheel)
    assert page.errors == []


@pytest.mark.parametrize("name", ["live", "stopping", "idle"])
def test_axe_finds_nothing_on_the_live_screen(live: Any, name: str) -> None:
    assert axe(live(name)) == []


def test_a_code_that_is_scanned_before_the_row_is_answered_reaches_the_field_and_confirms_that_row(
    mount: Callable[..., Any],
) -> None:
    other = {**ROW, "visit": "v2", "participant": "P-042"}
    _, traits = shown("worklist")
    page = mount(Worklist, {**traits, "rows": [ROW, other], "chosen": "", "details": {}, "confirmed": {}})

    def sent(name: str) -> list[dict[str, Any]]:
        return [one for one in page.evaluate("window.sent") if one.get("name") == name]

    def answer(ok: bool) -> None:
        request = sent("choose")[-1]
        reply = {"kind": "answer", "name": "choose", "ok": ok, "text": "", "id": request["id"]}
        page.evaluate("reply => window.say(reply)", reply)

    # The first row of the page: its panel was hidden until now.
    page.click("[data-name=row-P-041]")
    page.keyboard.type("P-0")
    page.click("[data-name=row-P-042]")
    page.keyboard.type("P-0")
    # What was half typed for the first row is refused meanwhile: nothing may be selected and typed over.
    (early,) = sent("confirm")
    refusal = {"kind": "answer", "name": "confirm", "ok": False, "text": "nobody", "id": early["id"]}
    page.evaluate("reply => window.say(reply)", refusal)
    page.keyboard.type("42")
    page.keyboard.press("Enter")
    assert [one["args"] for one in sent("confirm")][-1] == {"visit": "v2", "code": "P-042"}
    assert page.locator("[data-name=chosen-participant]").inner_text() == "P-042"
    # The answer about the first row comes late, then that about the second.
    page.evaluate("window.put({chosen: 'v1', confirmed: {}, day: {}})")
    assert page.locator("[data-name=code]").input_value() == "P-042"
    page.evaluate("window.put({chosen: 'v2', details: {}, confirmed: {visit: 'v2', clock: '08:58'}})")
    answer(True)
    page.wait_for_selector("[data-name=confirmed]:has-text('P-042')")
    assert page.locator("[data-name=code]").input_value() == "P-042"
    assert page.evaluate("document.activeElement.dataset.name") == "code"
    # A choice that is refused takes its half-typed code along, and the arrow keys keep to the rows.
    page.click("[data-name=row-P-041]")
    page.keyboard.type("P-04")
    answer(False)
    page.wait_for_function("document.querySelector('[data-name=chosen-participant]').textContent === 'P-042'")
    assert page.locator("[data-name=code]").input_value() == ""
    page.locator("[data-name=row-P-042]").focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.dataset.name") == "row-P-041"
    assert page.errors == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["12 of 5012 samples lost", "255 no meaning yet", "Waived: Impedance", "fitted at 250 Hz", "glove"],
        ),
        ("zh-CN", ["丢失 12 个", "255 尚无含义", "已豁免：阻抗", "在 250 Hz 下拟合", "手套"]),
    ],
)
def test_a_failed_check_is_measured_again_or_waived_with_a_reason_by_keyboard(
    mount: Callable[..., Any], language: str, words: list[str]
) -> None:
    widget, traits = shown("set_up")
    page = mount(widget, {**traits, "language": language})
    told = page.locator(".setup").inner_text()
    assert [one for one in words if one not in told] == []
    reason = page.locator("[data-name=waive-why-loss-signal]")
    reason.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.name") == "waive-why-loss-signal"
    page.keyboard.type("wireless")
    # A redraw with the same checks keeps what is half typed.
    page.evaluate("s => window.put({setup: s})", {**traits["setup"], "sites": ["main"]})
    page.keyboard.press("Enter")
    page.locator("[data-name=again-loss-signal]").press("Enter")
    page.locator("[data-name=waive-back-impedance-signal]").press("Enter")
    sent = [(one["name"], one["args"]) for one in page.evaluate("window.sent") if one.get("args")]
    assert sent == [
        ("waive_check", {"stream": "amp64", "check": "loss", "reason": "wireless"}),
        ("measure", {"stream": "amp64"}),
        ("waive_check", {"stream": "amp64", "check": "impedance", "reason": ""}),
    ]
    assert page.errors == []
