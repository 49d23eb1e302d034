"""The live screen in a real browser, fed with recorded statuses: what is on it, and that it fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.shares import crossed
from workbench import outcomes
from workbench.messages import Message, carried, translate
from workbench.widgets import AssessmentForm, DecoderPanel, LiveSession, LogView, SetupPanel

NAMES = [f"E{i}" for i in range(1, 9)]
FORM = {
    "kinds": [
        {"kind": "calibration", "ok": True, "why": ""},
        {"kind": "online", "ok": False, "why": "why.no_decoder"},
    ],
    "n_trials": 20,
    "paradigm": "grasp_rest",
    "can_start": True,
}


WINDOWS = ((1440, 900), (1280, 800), (1260, 776), (1100, 676))
"""A dashboard on two screens, and what JupyterLab leaves of them."""

CUT = """() => {
  const out = [];
  const walker = document.createTreeWalker(document.querySelector(".wb"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const box = node.parentElement.closest(".state, .el, .btn, .stop, .panel, .bar, .run, .msg");
    const scrolls = node.parentElement.closest(".ledger .bd, .streams .bd, .electrodes .bd, option, .msg .s");
    if (!box || scrolls || !node.textContent.trim() || !node.parentElement.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const [text, frame] = [range.getBoundingClientRect(), box.getBoundingClientRect()];
    const across = text.left >= frame.left && text.right <= frame.right + 0.5;
    const down = text.top >= frame.top - 4 && text.bottom <= frame.bottom + 0.5;
    if (!across || !down) out.push(`${node.textContent} in ${box.className}`);
  }
  return out;
}"""
"""Texts that reach out of the panel, chip, alarm or button that they stand in; large digits are a little higher
than their line, and other alarms beside the first end in dots."""


@pytest.fixture
def live(mount: Callable[..., Any], statuses: dict[str, Any]) -> Callable[..., Any]:
    def show(name: str = "live", *, state: str = "live", language: str = "en", **size: Any) -> Any:
        status = statuses.get(name, {})
        traits = {"status": status, "link": {"state": state}, "form": FORM, "panels": [], "beat": 0}
        page = mount(LiveSession, {**traits, "language": language}, **size)
        if status:
            page.evaluate("names => window.signals({first: 0, n: 11000, fs: 1000, names, age_s: 0.042}, 7)", NAMES)
            page.evaluate("status => window.put({status, beat: 1})", status)
        return page

    return show


WHY = Message(
    "live.stop_not_taken",
    why=Message(
        "live.silent", pid=4212, request="stop", n="1.0", age="1.9", log="/srv/studies/hand/engine/engine.log"
    ),
)


@pytest.mark.parametrize(("width", "height", "language"), crossed([*WINDOWS, (1024, 768)], ["en", "zh-CN"]))
def test_a_refused_stop_keeps_its_word_on_the_button_and_says_why_in_the_alarm(
    live: Any, statuses: Any, width: int, height: int, language: str
) -> None:
    page = live("live", language=language, width=width, height=height)
    for alarms in ([], statuses["fault"]["alarms"]):
        page.evaluate("status => window.put({status, beat: 2})", {**statuses["live"], "alarms": alarms})
        page.click("[data-name=stop]")
        asked = page.evaluate("window.sent.filter(m => m.name === 'stop').at(-1)")
        refused = {"kind": "answer", "name": "stop", "ok": False, "text": WHY, "id": asked["id"]}
        page.evaluate("answer => window.say(answer)", carried(refused))
        word = {"en": "Not stopped.", "zh-CN": "未停止。"}[language]
        page.wait_for_function(
            "word => document.querySelector('[data-name=stop-words]').textContent.startsWith(word)", arg=word
        )
        assert page.evaluate(CUT) == []
        hardware = page.locator("[data-name=hardware-stop]").bounding_box()
        assert hardware["x"] + hardware["width"] <= width
        assert translate(WHY, language=language)[1:] in page.get_by_role("alert").locator(".s").get_attribute(
            "title"
        )


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "2 of 3 hops above threshold"),
        ({"active": True}, "active; 2 of 3 hops below release"),
        ({"rejected": True}, "far from the training data; nothing is activated"),
        (
            {"rejected": True, "active": True, "dwell_needed": 5},
            "active; 2 of 5 hops to release, far from the training data",
        ),
        ({"activate": None, "release": None, "kind": "velocity"}, "held for 2 of 3 hops"),
        (
            {"activate": None, "release": None, "kind": "velocity", "dwell": 0, "dwell_needed": 0},
            "Judged at every hop",
        ),
        (
            {"activate": None, "release": None, "kind": "probabilities", "dwell": 0, "dwell_needed": 0},
            "Decided once per trial",
        ),
    ],
)
def test_words_beside_the_bar_say_what_its_hops_count(live: Any, statuses: Any, said: Any, words: str) -> None:
    page = live("live")
    evidence = {**statuses["live"]["evidence"], **said}
    page.evaluate("status => window.put({status, beat: 2})", {**statuses["live"], "evidence": evidence})
    assert page.text_content(".evidence .dwell").endswith(words)
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize(("name", "language"), crossed(["live", "fault", "idle", "compiling"], ["en", "zh-CN"]))
def test_the_screen_fits_without_page_scroll_and_cuts_no_text(live: Any, name: str, language: str) -> None:
    page = live(name, language=language)
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        assert size == [width, height]
        box = page.locator("[data-name=stop]").bounding_box()
        assert box["y"] + box["height"] <= height
        assert page.evaluate(CUT) == [], (width, height)
    assert page.errors == []


@pytest.mark.parametrize(("name", "language"), crossed(["live", "fault", "idle"], ["en", "zh-CN"]))
def test_nothing_of_the_effector_lies_under_its_button_on_a_small_screen(
    live: Any, statuses: Any, name: str, language: str
) -> None:
    page = live(name, language=language, width=1024, height=768)
    slow = {**statuses["live"]["latency"], "representative": False}
    page.evaluate("status => window.put({status, beat: 2})", {**statuses[name], "latency": slow})
    edges = page.evaluate("""() => [
      Math.max(...[...document.querySelectorAll(".effector .latrow, .effector .latrow + div, .effector .why")]
        .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().bottom)),
      document.querySelector(".effector .doing").getBoundingClientRect().top,
    ]""")
    assert edges == sorted(edges)


@pytest.mark.parametrize("study", ["SCI", "SCI-HAND-RECOVERY-MULTICENTRE-2026-EXTENSION"])
def test_names_in_the_bar_never_lie_over_what_is_beside_them(live: Any, statuses: Any, study: str) -> None:
    page = live("idle", width=1100, height=676)
    session = {**statuses["idle"]["session"], "study": study, "speed": 20}
    page.evaluate("status => window.put({status, beat: 2})", {**statuses["idle"], "session": session})
    edges = page.evaluate("""() => {
      const box = (name) => document.querySelector(name).getBoundingClientRect();
      const last = document.querySelector(".crumbs").lastElementChild.getBoundingClientRect();
      return [last.right, box(".chips").left, box(".chips").right, box(".bar .end").left, box(".bar .end").right];
    }""")
    assert edges == sorted(edges)
    assert edges[-1] <= 1100


def test_no_text_is_left_without_words(live: Any) -> None:
    for name in ("live", "fault", "idle", "compiling"):
        page = live(name)
        for language in ("en", "zh-CN"):
            page.evaluate("language => window.put({language})", language)
            text = page.locator(".wb").inner_text()
            assert not re.findall(r"\b(?:run|why|quality|ledger|alarm|control|cue|stream)\.[a-z_.]+\b", text)
            assert "{" not in text
            assert "undefined" not in text


def test_trials_time_left_and_thresholds_are_on_the_screen(live: Any) -> None:
    page = live()
    assert page.locator("[data-name=trials]").inner_text() == "18 / 40"
    assert "2:56" in page.locator(".run").inner_text()
    assert page.locator(".ticks i").count() == 40
    evidence = page.locator(".evidence").inner_text()
    assert all(words in evidence for words in ("release 0.40", "activate 0.70", "0.78", "2 of 3 hops"))
    assert page.locator(".pips i.on").count() == 2


def test_every_decoded_stream_has_a_light_for_its_signal_and_a_lost_one_has_its_own_alone(
    live: Any, statuses: Any
) -> None:
    page = live()
    assert page.locator(".streams .q:visible").count() == 0
    lights = {"ECoG": "check", "EMG": "bad"}
    streams = [{**one, "quality": lights.get(one["name"])} for one in statuses["live"]["streams"]]
    page.evaluate("status => window.put({status, beat: 2})", {**statuses["live"], "streams": streams})
    assert page.locator(".streams .q:visible").all_inner_texts() == [
        "signal quality to check",
        "signal quality bad",
    ]
    assert "Streams 2/4 good" in page.locator("[data-name=inputs]").inner_text()
    lost = [{**one, "state": "lost"} if one["name"] == "EMG" else one for one in streams]
    page.evaluate("status => window.put({status, beat: 3})", {**statuses["live"], "streams": lost})
    assert page.locator(".streams .q:visible").all_inner_texts() == ["signal quality to check"]


def test_the_simulated_badges_are_there_in_every_state(live: Any) -> None:
    for name in ("live", "fault", "idle", "compiling"):
        assert live(name).locator("[data-name=simulated]:visible").count() == 2


def test_the_scope_draws_and_says_how_old_its_data_are(live: Any) -> None:
    page = live()
    drawn = """() => {
      const c = document.querySelector(".lanes canvas");
      return c.width && c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v);
    }"""
    page.wait_for_function(drawn)
    assert re.match(r"\d+ ms|\d\.\d s", page.locator("[data-name=data-age]").inner_text())
    assert page.locator(".lane").count() == 8


def test_escape_stops_from_inside_a_field(live: Any, statuses: Any) -> None:
    page = live("idle")
    page.locator("[data-name=n-trials]").focus()
    page.keyboard.press("Escape")
    (asked,) = page.evaluate("window.sent.filter(m => m.name === 'stop')")
    page.wait_for_function(
        "document.querySelector('[data-name=stop-words]').textContent.includes('Not acknowledged')"
    )
    page.evaluate("id => window.say({kind: 'answer', name: 'stop', ok: true, text: '', id})", asked["id"])
    effector = statuses["idle"]["effector"] | {"state": "ESTOP"}
    effector["stop"] = {"asked_age_s": 0.2, "sent": True, "acknowledged_after_s": 0.057, "confirmed": True}
    page.evaluate("status => window.put({status, beat: 2})", {**statuses["idle"], "effector": effector})
    page.wait_for_function("document.querySelector('[data-name=stop-words]').textContent.includes('Acknowledged')")
    assert page.evaluate("window.sent.filter(m => m.name === 'stop').length") == 1


def test_a_cursor_is_shown_where_it_is_with_its_targets_and_the_cued_one_filled(
    live: Any, statuses: dict[str, Any]
) -> None:
    page, run = live(), statuses["live"]["run"]
    cursor = {"position": [0.25, 0.5], "targets": {"right": [1.0, 0.0], "up": [0.0, 1.0]}, "radius": 0.3}
    moving = {**run, "paradigm": "centre_out", "task": cursor, "cue": {**run["cue"], "label": "up"}}
    evidence = {**statuses["live"]["evidence"], "target": "", "activate": None, "release": None}
    page.evaluate(
        "status => window.put({status, beat: 2})", {**statuses["live"], "run": moving, "evidence": evidence}
    )
    shown = page.wait_for_selector("svg.plane .dot")
    # Up on the screen is less.
    assert [shown.get_attribute(name) for name in ("cx", "cy")] == ["0.25", "-0.5"]
    assert page.locator("svg.plane .target").count() == 2
    assert page.locator("svg.plane .cued").get_attribute("cy") == "-1"
    assert page.locator("svg.plane .cued").get_attribute("r") == "0.3"
    page.evaluate("status => window.put({status, beat: 3})", statuses["live"])
    page.wait_for_selector("svg.plane", state="detached")


PIXEL = """([x, y]) => {
  const canvas = document.querySelector("canvas");
  if (!canvas) return "";
  const unit = Math.min(canvas.width, canvas.height) / 3.2;
  const at = [Math.round(canvas.width / 2 + x * unit), Math.round(canvas.height / 2 - y * unit)];
  return [...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3).join(" ");
}"""
"""Colour on the participant's screen at a place of the task."""


def test_the_participants_screen_shows_target_and_cursor_in_a_window_of_its_own_and_counts_its_frames(
    live: Any, statuses: dict[str, Any]
) -> None:
    page, run = live(), statuses["live"]["run"]
    cursor = {"position": [0.25, 0.5], "targets": {"right": [1.0, 0.0], "up": [0.0, 1.0]}, "radius": 0.3}
    moving = {**run, "paradigm": "centre_out", "task": cursor, "cue": {**run["cue"], "label": "up"}}

    def put(beat: int, **more: Any) -> None:
        page.evaluate(
            "([run, beat, status]) => window.put({status: {...status, run}, beat})",
            [{**moving, **more}, beat, statuses["live"]],
        )

    put(2)
    asked = page.evaluate("() => window.sent.length")
    with page.expect_popup() as opened:
        page.click("[data-name=open-screen]")
    screen = opened.value
    white, green, grey, black = "255 255 255", "51 204 51", "85 85 85", "0 0 0"
    for place, colour in (([0.25, 0.5], white), ([0.0, 1.15], green), ([1.3, 0.0], grey), ([1.0, 0.0], black)):
        screen.wait_for_function(f"([place, colour]) => ({PIXEL})(place) === colour", arg=[place, colour])
    put(3, task={**cursor, "position": [0.6, 0.5]})
    screen.wait_for_function(f"() => ({PIXEL})([0.6, 0.5]) === '{white}'")
    put(4)
    page.wait_for_function("/^[1-9]\\d* frames a second, \\d+ dropped$/.test("
                           "document.querySelector('[data-name=participant-frames]').textContent)")  # fmt: skip
    assert page.evaluate("() => window.sent.length") == asked, "something flowed back"
    put(5, state="paused")
    screen.wait_for_function(f"() => ({PIXEL})([0.0, 1.15]) === '{black}'")
    screen.close()
    assert page.errors == []


def test_stop_is_never_covered_by_the_unfolded_ledger(live: Any) -> None:
    on_top = """() => {
      const stop = document.querySelector("[data-name=stop]");
      const box = stop.getBoundingClientRect();
      const at = [[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]];
      const hit = ([x, y]) => document.elementFromPoint(box.x + x * box.width, box.y + y * box.height);
      return at.every((part) => stop.contains(hit(part)));
    }"""
    for size in ({"width": 1440, "height": 900}, {"width": 1280, "height": 800}):
        page = live(**size)
        before = page.locator("[data-name=stop]").bounding_box()
        page.click(".ledger .link")
        assert page.locator(".ledger.wide").count() == 1
        assert page.locator("[data-name=stop]").bounding_box() == before
        assert page.evaluate(on_top)


def test_holding_escape_down_asks_for_one_stop(live: Any) -> None:
    page = live("idle")
    page.keyboard.down("Escape")
    page.keyboard.down("Escape")
    page.keyboard.up("Escape")
    assert page.evaluate("window.sent.filter(m => m.name === 'stop').length") == 1


def test_evidence_of_a_run_that_is_over_is_not_shown_as_if_it_were_live(live: Any, statuses: Any) -> None:
    page = live()
    over = {**statuses["live"], "run": {**statuses["live"]["run"], "state": "stopped", "cue": None}}
    page.evaluate("status => window.put({status, beat: 2})", over)
    assert page.locator("[data-name=evidence]").inner_text() == "No evidence"
    assert "The run is over" in page.locator(".evidence").inner_text()


CURVE_END = """() => {
  const c = document.querySelector(".evt canvas");
  const intent = getComputedStyle(c).getPropertyValue("--intent").trim();
  const want = intent.match(/[0-9a-f]{2}/gi).map((x) => parseInt(x, 16));
  const seen = c.getContext("2d").getImageData(0, 0, c.width, Math.round(c.height * 0.6)).data;
  for (let x = c.width - 1; x >= 0; x -= 1) for (let y = 0; y < Math.round(c.height * 0.6); y += 1) {
    if (want.every((part, i) => Math.abs(seen[4 * (y * c.width + x) + i] - part) < 40)) return x / c.width;
  }
  return null;
}"""
"""Where the curve of the evidence ends, 1 at the right edge, which is now."""


def test_the_curve_of_a_run_that_is_over_moves_away_with_its_cues_and_is_not_drawn_at_now(
    live: Any, statuses: Any
) -> None:
    page = live(clock=True)
    # From here time passes only where it is told to, however busy the computer is.
    page.clock.pause_at((page.evaluate("Date.now()") + 1000) / 1000)
    high = {**statuses["live"]["evidence"], "history": [[-k / 20, 0.9] for k in range(200, -1, -1)]}
    page.evaluate("status => window.put({status, beat: 2})", {**statuses["live"], "evidence": high})
    page.clock.run_for(100)
    assert page.evaluate(CURVE_END) > 0.98
    over = {
        **statuses["live"],
        "evidence": high,
        "run": {**statuses["live"]["run"], "state": "stopped", "cue": None},
    }
    page.clock.run_for(5000)
    page.evaluate("status => window.put({status, beat: 3})", over)
    page.clock.run_for(100)
    assert 0.45 < page.evaluate(CURVE_END) < 0.55
    page.clock.run_for(6000)
    page.evaluate("status => window.put({status, beat: 4})", over)
    page.clock.run_for(100)
    assert page.evaluate(CURVE_END) is None


def test_a_reason_for_a_waiver_can_be_typed_while_the_age_of_the_stream_counts(live: Any, statuses: Any) -> None:
    page = live("idle")
    lost = {"name": "Glove pressure", "type": "Force", "role": "aux", "fs": 100, "measured_fs": 0, "n_channels": 1}
    for second in range(1, 6):
        one = lost | {"critical": False, "state": "lost", "message": f"Glove pressure stopped {second}.0 s ago."}
        page.evaluate("status => window.put({status, beat: 2})", {**statuses["idle"], "streams": [one]})
        if second == 1:
            page.locator(".waive input").focus()
        page.keyboard.type("sensor"[second - 1])
    assert page.locator(".waive input").input_value() == "senso"
    page.click("[data-name=waive]")
    (asked,) = page.evaluate("window.sent.filter(m => m.name === 'waive')")
    assert asked["args"] == {"stream": "Glove pressure", "reason": "senso"}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_ending_the_session_asks_once_and_says_what_ends_and_what_stays(live: Any, language: str) -> None:
    page = live("idle", language=language)
    page.locator("[data-name=end-session]").focus()
    page.keyboard.press("Enter")
    words = page.get_by_role("alertdialog").inner_text()
    assert "Session 7" in words
    assert all(
        part in words for part in {"en": ("effector is released", "kept"), "zh-CN": ("释放", "保留")}[language]
    )
    page.keyboard.press("Enter")  # the focus stands on the harmless answer
    assert page.get_by_role("alertdialog").count() == 0
    assert page.evaluate("document.activeElement.dataset.name") == "end-session"
    assert page.evaluate("window.sent.filter(m => m.name === 'end_session').length") == 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("window.sent.filter(m => m.name === 'end_session').length") == 1


@pytest.mark.parametrize(
    ("language", "why", "name"),
    crossed([("en", "after the run ends"), ("zh-CN", "本轮结束后可用")], ["live", "fault", "compiling"]),
)
def test_a_session_is_not_ended_during_a_run_and_the_button_says_why(
    live: Any, name: str, language: str, why: str
) -> None:
    button = live(name, language=language, width=1280, height=800).locator("[data-name=end-session]")
    assert button.is_disabled()
    assert why in button.inner_text()


@pytest.mark.parametrize(
    ("language", "title", "next_step"), [("en", "Session ended", "report"), ("zh-CN", "会话已结束", "报告")]
)
def test_after_the_end_the_page_says_so_and_shows_nothing_as_live(
    live: Any, language: str, title: str, next_step: str
) -> None:
    page = live("idle", language=language)
    page.evaluate("window.put({link: {state: 'ending', sentence: ''}})")
    assert page.locator("[data-name=end-session]:visible").count() == 0
    link = {"state": "none", "sentence": "", "key": "run.session_ended_more", "args": {"session": "Session 7"}}
    page.evaluate("link => window.put({status: {}, link})", link)
    run = page.locator(".run").inner_text()
    assert title in run
    assert "Session 7" in run
    assert next_step in run
    assert page.locator("[data-name=start-session]").is_enabled()
    assert page.locator(".lane").count() == 0
    assert page.locator(".el").count() == 0
    assert page.locator("[data-name=data-age]").inner_text() == "—"
    assert page.get_by_role("alert").count() == 0


def test_ending_a_run_asks_once_and_says_what_is_kept(live: Any) -> None:
    page = live()
    page.click("[data-name=end]")
    assert "18 of 40 trials are done and kept" in page.locator(".run .ask").inner_text()
    assert page.evaluate("window.sent.filter(m => m.name === 'end_run').length") == 0
    page.click("[data-name=end-now]")
    assert page.evaluate("window.sent.filter(m => m.name === 'end_run').length") == 1


def test_a_disabled_start_carries_its_reason(live: Any) -> None:
    page = live("idle")
    assert page.locator("[data-name=start-run]").is_enabled()
    page.select_option("[data-name=kind]", "online")
    assert page.locator("[data-name=start-run]").is_disabled()
    assert "approved decoder" in page.locator(".run .reason").inner_text()


def test_a_refusal_is_told_in_the_language_that_is_chosen_afterwards(live: Any) -> None:
    page = live("idle")
    refused = carried({"kind": "said", "text": Message("fit.no_cue", file="run.xdf", conditions="grasp")})
    page.evaluate("refused => window.say(refused)", refused)
    page.wait_for_selector("text=run.xdf has no complete cue of grasp")
    page.evaluate("window.put({language: 'zh-CN'})")
    page.wait_for_selector("text=run.xdf 没有 grasp 的完整提示")


def test_the_language_switches_and_state_names_stay(live: Any) -> None:
    page = live()
    page.get_by_role("button", name="中文").click()
    assert page.locator(".stop .w").inner_text() == "停止"
    assert page.locator("[data-name=effector-state] .nm").inner_text() == "ARMED"
    assert page.locator(".wb").get_attribute("lang") == "zh-CN"


def test_a_lost_stream_raises_one_banner_and_greys_what_follows(live: Any) -> None:
    page = live("fault")
    assert page.get_by_role("alert").count() == 1
    assert "ECoG" in page.get_by_role("alert").inner_text()
    assert page.locator(".el.off").count() == 8
    assert "No data" in page.locator(".streams").inner_text()
    assert page.locator("[data-name=resume]").is_disabled()


def test_what_the_engine_says_is_said_in_chinese(live: Any) -> None:
    page = live("fault", language="zh-CN")
    assert "ECoG 已中断 1.4 秒。" in page.get_by_role("alert").inner_text()
    ledger = page.locator(".ledger").inner_text()
    assert "EMG 缺口：12 个采样点（6 毫秒）" in ledger
    assert "滤波器重新开始；当前试次排除" in ledger


def test_a_row_of_an_old_recording_and_what_a_person_wrote_are_shown_as_they_are(live: Any, statuses: Any) -> None:
    page = live(language="zh-CN")
    row = dict(statuses["live"]["ledger"][0])
    row = row | {"said": {}, "kind": "gap", "consequence": "filters start afresh; the open trial is excluded"}
    status = statuses["live"] | {"ledger": [row, *statuses["live"]["ledger"]]}
    page.evaluate("status => window.put({status, beat: 2})", status)
    assert "filters start afresh" in page.locator(".led li").first.inner_text()
    assert "sensor in repair" in page.locator(".streams").inner_text()


def test_the_cause_of_a_fault_is_said_before_the_way_out_of_it(live: Any) -> None:
    for language, words in (("en", "A critical stream stopped. "), ("zh-CN", "必需信号流中断。")):
        assert live("fault", language=language).locator(".why").inner_text().startswith(words)


def test_a_page_that_hears_nothing_says_that_it_lost_the_engine(live: Any) -> None:
    page = live()
    page.wait_for_selector("text=This page lost the engine")
    assert "Use the hardware stop" not in page.locator("[data-name=stop]").inner_text()
    assert page.locator("[data-name=stop]").is_enabled()


def test_before_a_session_the_page_says_how_to_start_one(live: Any) -> None:
    page = live("none", state="none")
    assert page.locator("[data-name=start-session]").is_enabled()
    assert "No engine runs" in page.locator(".run").inner_text()


def test_everything_pressed_during_a_session_is_44_px_or_more(live: Any) -> None:
    for name in ("live", "idle"):
        for box in (
            one.bounding_box() for one in live(name).locator(".wb .btn:visible, .wb .seg button:visible").all()
        ):
            assert box["height"] >= 42
            assert box["width"] >= 44


def test_no_text_on_the_screen_is_smaller_than_12_px(live: Any) -> None:
    sizes = live().evaluate(
        "[...document.querySelectorAll('.wb *')].filter(e => e.childNodes.length && e.offsetParent)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 12


def test_dark_follows_the_system(live: Any) -> None:
    ground = live(dark=True).locator(".wb").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == "rgb(13, 19, 23)"


def test_columns_stack_and_stop_stays_at_200_percent_zoom(live: Any) -> None:
    page = live(width=720, height=450)
    assert page.evaluate("document.documentElement.scrollWidth") == 720
    box = page.locator("[data-name=stop]").bounding_box()
    assert box["y"] + box["height"] <= 450
    assert box["width"] > 600


ADAPTING = {
    "rule": "recentre",
    "updates": 42,
    "age_s": 1.2,
    "rolled_back": 0,
    "ended": False,
    "head": "3f9a71c208de" * 5,
}


def adapting(status: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**status, "run": {**status["run"], "adapting": ADAPTING | changes}}


@pytest.mark.parametrize(
    ("language", "changes", "words"),
    [
        ("en", {}, "Adapting: recentring · 42 updates · last under 2 s ago"),
        ("zh-CN", {}, "自适应：重新居中 · 更新 42 次 · 最近一次在 2 秒内"),
        ("en", {"updates": 0, "age_s": None}, "Adapting: recentring · no update yet"),
        ("zh-CN", {"updates": 0, "age_s": None}, "自适应：重新居中 · 尚无更新"),
        (
            "en",
            {"rule": "pmean", "updates": 1, "age_s": 5.9},
            "Adapting: following the mean · 1 update · last 5 s ago",
        ),
        (
            "zh-CN",
            {"rule": "supervised", "age_s": 150.0},
            "自适应：按提示学习 · 更新 42 次 · 最近一次在 3 分钟前",
        ),
    ],
)
def test_a_decoder_that_adapts_says_so_on_one_line(
    live: Any, statuses: Any, language: str, changes: dict[str, Any], words: str
) -> None:
    page = live(language=language)
    page.evaluate("status => window.put({status, beat: 2})", adapting(statuses["live"], **changes))
    assert page.locator("[data-name=adapting]").inner_text() == words
    assert page.locator("[data-name=adapting] .lt").count() == 0


@pytest.mark.parametrize(
    ("language", "n", "words"),
    [
        ("en", 1, "back to the fit 1 time"),
        ("en", 3, "back to the fit 3 times"),
        ("zh-CN", 1, "退回拟合状态 1 次"),
        ("zh-CN", 3, "退回拟合状态 3 次"),
    ],
)
def test_a_decoder_that_went_back_to_its_fit_says_it_in_words_and_in_the_ledger(
    live: Any, statuses: Any, language: str, n: int, words: str
) -> None:
    page = live(language=language)
    row = {"kind": "roll_back", "stream": "", "priority": "medium", "clock": "14:32:07", "stamp": 0.0}
    row |= {"local": 0.0, "sample": 9000, "extent": Message("engine.update_passed_bound", n=43, bound="2")}
    row |= {"consequence": Message("engine.decoder_as_fitted")}
    status = adapting(statuses["live"], rolled_back=n) | {"ledger": [row, *statuses["live"]["ledger"]]}
    page.evaluate("status => window.put({status, beat: 2})", carried(status))
    assert page.locator("[data-name=rolled-back]").inner_text() == words
    assert page.locator("[data-name=rolled-back] .lt.medium").count() == 1
    entry = page.locator(".led li").first.inner_text()
    told = {
        "en": ("Back to the fit: update 43 passed the bound (2)", "as it was fitted again"),
        "zh-CN": ("退回拟合状态：第 43 次更新超出界限（2）", "恢复为拟合时的状态"),
    }
    assert all(part in entry for part in told[language])
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        box = page.locator("[data-name=stop]").bounding_box()
        assert box["y"] + box["height"] <= height
        assert page.evaluate(CUT) == [], (width, height)
    assert page.errors == []


@pytest.mark.parametrize(
    ("language", "words", "entry"),
    [
        (
            "en",
            ("back to the fit 1 time", "adapts no more in this run"),
            "Decoder adapts no more: update 43 was not there in time",
        ),
        (
            "zh-CN",
            ("退回拟合状态 1 次", "本轮次内不再自适应"),
            "解码器不再自适应：第 43 次更新未及时完成",
        ),
    ],
)
def test_a_decoder_that_adapts_no_more_says_it_beside_its_updates_and_in_the_ledger(
    live: Any, statuses: Any, language: str, words: tuple[str, ...], entry: str
) -> None:
    page = live(language=language)
    row = {"kind": "adaptation_ended", "stream": "", "priority": "medium", "clock": "14:32:07", "stamp": 0.0}
    row |= {"local": 0.0, "sample": 9000, "extent": Message("engine.update_not_there", n=43)}
    row |= {"consequence": Message("engine.decoder_stays")}
    for n in (0, 1):
        status = adapting(statuses["live"], ended=True, age_s=31.0, rolled_back=n)
        status |= {"ledger": [row, *statuses["live"]["ledger"]]}
        page.evaluate("status => window.put({status, beat: 2})", carried(status))
        assert page.locator("[data-name=rolled-back] .lt.medium").all_inner_texts() == [*words[1 - n :]]
    assert entry in page.locator(".led li").first.inner_text()
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(CUT) == [], (width, height)
    assert page.errors == []


@pytest.mark.parametrize("changes", [{"rule": "", "updates": 0, "age_s": None, "head": ""}, None])
def test_a_decoder_that_does_not_adapt_has_no_line_and_no_place_for_one(
    live: Any, statuses: Any, changes: dict[str, Any] | None
) -> None:
    page = live()
    before = page.locator(".evidence").bounding_box()
    status = statuses["live"] if changes is None else adapting(statuses["live"], **changes)
    page.evaluate("status => window.put({status, beat: 2})", status)
    assert page.locator("[data-name=adapting]:visible").count() == 0
    assert page.locator(".evidence").bounding_box() == before


def test_when_the_run_is_over_the_line_says_that_the_decoder_adapted(live: Any, statuses: Any) -> None:
    page = live()
    over = adapting(statuses["live"], age_s=None, rolled_back=1)
    over["run"] |= {"state": "finished", "cue": None}
    page.evaluate("status => window.put({status, beat: 2})", over)
    words = page.locator("[data-name=adapting]").text_content()
    assert words == "Adapted: recentring · 42 updates · back to the fit 1 time"


@pytest.mark.parametrize(
    ("language", "rule", "bound", "words"),
    [
        ("en", "recentre", 2.0, ("adapts while it decides: recentring", "2 (root mean square", "covers the rule")),
        ("en", "pmean", 3.0, ("following the mean", "3 standard deviations", "of the fit, without updates")),
        ("zh-CN", "supervised", 1.5, ("自适应：按提示学习", "1.5 倍类内标准差", "批准涵盖该规则和界限")),
    ],
)
def test_approval_says_beforehand_that_a_decoder_adapts_by_which_rule_and_bound(
    mount: Callable[..., Any], language: str, rule: str, bound: float, words: tuple[str, ...]
) -> None:
    fit = {"sha256": "3f9a71c208de" * 5 + "0000", "accuracies": [], "confusions": [], "can_decide": True}
    signing = {"signer": "Chen L.", "effector": "glove", "participant": "P1"}
    shown = {"fit": fit | {"signing": signing}, "decision": {}, "language": language}
    page = mount(DecoderPanel, {**shown, "adapts": {"rule": rule, "bound": bound}})
    said = page.locator("[data-name=adapts]").inner_text()
    assert all(part in said for part in words)
    compared = {"sha256": "8b02d41e" * 8, "n": 40, "correct": 30, "interval": [0.6, 0.86], "last_correct": 36}
    compared |= {"last_interval": [0.77, 0.96], "only_new": 0, "only_last": 6, "p": 0.03125, "verdict": "worse"}
    more = fit | {"signing": signing, "compared": compared, "actions": ["another", "recentre"]}
    page = mount(DecoderPanel, {**shown, "fit": more, "adapts": {}})
    assert page.locator("[data-name=adapts]").count() == 0
    said = page.locator("[data-name=compared]").inner_text()
    assert {"en": "Worse than the last one.", "zh-CN": "不及上一个。"}[language] in said
    page.click("[data-name=act-recentre]")
    assert asked(page, "recentre") == [{"sha256": fit["sha256"]}]
    assert page.errors == []


INPUTS = [
    {"role": "signal", "kind": "EEG", "critical": True, "words": "scalp electrodes"},
    {"role": "markers", "kind": "markers", "critical": False, "words": "cues of another presenter"},
]


def found(uid: str, name: str, **more: Any) -> dict[str, Any]:
    usual = {"type": "EEG", "host": "lab", "source_id": f"src-{uid}", "fs": 250.0, "dtype": "float32"}
    return {
        "uid": uid,
        "name": name,
        **usual,
        "n_channels": 2,
        "units": [],
        "device": "",
        "role": "",
        "twins": 1,
    } | more


def connection(name: str, **more: Any) -> dict[str, Any]:
    usual = {"role": "signal", "uid": "1", "host": "lab", "fs": 250.0, "n_channels": 2, "markers": False}
    usual |= {"coded": False, "announced_labels": False, "channels": [], "montages": {}, "left_out": []}
    usual |= {
        "announced_unit": "",
        "unit": "",
        "unit_by": "",
        "reference": "",
        "ground": "",
        "checks": [],
        "electrodes": [],
        "potential": True,
        "measured": {},
    }
    return {"name": name, **usual, "reference_announced": False, "ground_announced": False, "codes": {}} | more


def set_up(**more: Any) -> dict[str, Any]:
    """What the set-up screen is sent."""
    usual = {
        "site": "main",
        "sites": [],
        "system": "Imagery",
        "peers": [],
        "looked_at": "09:05:11",
        "inputs": INPUTS,
    }
    usual |= {"own_configuration": True, "found": [found("1", "Amp A"), found("2", "Amp B")], "connections": []}
    usual |= {
        "waived": {},
        "effector": "simulated",
        "problems": [],
        "changes": [],
        "unconfirmed": 0,
        "ready": False,
    }
    usual |= {"device": {"name": "glove", "answers": False, "pairing": {}}, "saved": {}, "as_saved": False}
    usual |= {"decoder": {}}
    return usual | {"start": {"shown": True, "ok": False, "why": "save it first"}} | more


def asked(page: Any, name: str) -> list[dict[str, Any]]:
    return [one["args"] for one in page.evaluate("window.sent") if one.get("name") == name]


def test_a_role_that_was_refused_is_taken_back_and_the_focus_stays(mount: Callable[..., Any]) -> None:
    page = mount(SetupPanel, {"setup": set_up()})
    page.locator("[data-name='role-Amp A']").focus()
    page.select_option("[data-name='role-Amp A']", "signal")
    assert asked(page, "assign") == [{"uid": "1", "role": "signal"}]
    page.evaluate(
        "s => window.put({setup: s})", set_up(problems=[{"role": "signal", "field": "stream", "text": "No."}])
    )
    (sent,) = page.evaluate("window.sent.filter(m => m.name === 'assign')")
    refusal = {"kind": "answer", "name": "assign", "ok": False, "text": "too slow", "id": sent["id"]}
    page.evaluate("reply => window.say(reply)", refusal)
    page.wait_for_selector("text=too slow")
    assert page.locator("[data-name='role-Amp A']").input_value() == ""
    assert page.evaluate("document.activeElement.dataset.name") == "role-Amp A"


def test_what_is_typed_stays_while_an_answer_arrives(mount: Callable[..., Any]) -> None:
    page = mount(SetupPanel, {"setup": set_up(connections=[connection("Amp A")])})
    page.fill("[data-name=labels-signal]", "C3\nC4")
    page.locator("[data-name=left-signal]").focus()
    assert asked(page, "answer") == [{"stream": "Amp A", "labels": ["C3", "C4"]}]
    page.keyboard.type("C")
    page.evaluate("s => window.put({setup: s})", set_up(connections=[connection("Amp A", channels=["C3", "C4"])]))
    page.keyboard.type("4")
    assert page.locator("[data-name=left-signal]").input_value() == "C4"
    assert page.locator("[data-name=labels-signal]").input_value() == "C3, C4"
    page.keyboard.press("Tab")
    assert asked(page, "answer")[-1] == {"stream": "Amp A", "left_out": ["C4"]}


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Declared by (your name)"), ("zh-CN", "声明人（您的姓名）")]
)
def test_the_unit_of_a_signal_that_announces_none_is_declared_with_a_name(
    mount: Callable[..., Any], language: str, words: str
) -> None:
    page = mount(SetupPanel, {"setup": set_up(connections=[connection("Amp A")]), "language": language})
    page.select_option("[data-name=unit-signal]", "mV")
    assert asked(page, "answer") == []
    assert page.evaluate("document.activeElement.dataset.name") == "by-signal"
    assert page.get_by_placeholder(words).count() == 1
    page.locator("[data-name=by-signal]").fill("Lin Q.")
    page.locator("[data-name=by-signal]").blur()
    assert asked(page, "answer") == [{"stream": "Amp A", "unit": "mV", "unit_by": "Lin Q."}]
    sent = set_up(connections=[connection("Amp A", announced_unit="microvolts")])
    page.evaluate("s => window.put({setup: s})", sent)
    assert page.locator("[data-name=unit-signal]").is_hidden()
    states = {"C3": ("ok", "5 kΩ"), "EEG C4-REF": ("high", "31 kΩ"), "G1": ("left_out", "")}
    drawn = [{"name": name, "state": state, "text": text} for name, (state, text) in states.items()]
    sent = set_up(connections=[connection("Amp A", announced_unit="microvolts", electrodes=drawn)])
    page.evaluate("s => window.put({setup: s})", sent)
    # C3 and C4 have their place on the head; nobody knows where G1 is.
    drawing = page.locator("[data-name=drawing-signal]")
    assert drawing.locator(".headtop .site").count() == 2
    assert "G1" in drawing.locator(".headrest").inner_text()
    assert "31 kΩ" in drawing.inner_text()
    assert page.errors == []


def test_a_set_up_says_what_lsl_cannot_protect_and_which_ports_a_firewall_lets_through(
    mount: Callable[..., Any],
) -> None:
    for language, words in (("en", "neither encrypted nor authenticated"), ("zh-CN", "未加密、未认证")):
        page = mount(SetupPanel, {"setup": set_up(), "language": language})
        said = page.locator("[data-name=firewall]").inner_text()
        assert words in said
        assert "16572–16700" in said
        assert "UDP 16571" in said


@pytest.mark.parametrize("widget", [DecoderPanel, LiveSession, LogView, SetupPanel], ids=lambda w: w.__name__)
def test_a_panel_that_is_taken_away_listens_to_nothing(mount: Callable[..., Any], widget: Any) -> None:
    fit = {"sha256": "ab" * 32, "accuracies": [], "confusions": []}
    page = mount(
        widget, {"status": {}, "link": {"state": "none"}, "fit": fit, "decision": {}, "lines": [], "name": ""}
    )
    assert page.evaluate("window.heard()") > 0
    page.evaluate("window.unmount()")
    assert page.evaluate("window.heard()") == 0
    assert page.errors == []


def test_an_assessment_is_entered_by_keyboard(mount: Callable[..., Any]) -> None:
    arat = outcomes.load("arat")
    form = AssessmentForm(
        arat.definition, score=lambda items: arat.score(items), save=lambda a: "Saved.", visit_id="v", rater="r"
    )
    traits = {
        name: getattr(form, name) for name in ("definition", "items", "condition", "side", "result", "saved")
    }
    page = mount(AssessmentForm, traits)
    assert page.locator(".item").count() == 19
    assert page.locator("[data-name=save]").is_disabled()
    assert page.locator(".form > .conditions .seg button.on").count() == 0
    page.locator("[data-item=grasp_1]").focus()
    page.keyboard.press("3")
    sent = page.evaluate("window.sent.filter(m => m.name === 'enter')")
    assert sent[0]["args"] == {"item": "grasp_1", "value": 3}
    page.evaluate("id => window.say({kind: 'answer', name: 'enter', ok: true, text: '', id})", sent[0]["id"])
    page.wait_for_function("document.activeElement.dataset.item === 'grasp_2'")
