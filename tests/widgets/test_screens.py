"""The live screen in a real browser, fed with recorded statuses: what is on it, and that it fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench import outcomes
from workbench.widgets import AssessmentForm, LiveSession

pytestmark = pytest.mark.xdist_group("browser")

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


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("name", ["live", "fault", "idle", "compiling"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 800)])
def test_the_screen_fits_without_page_scroll(
    live: Any, tmp_path: Path, name: str, language: str, width: int, height: int
) -> None:
    page = live(name, language=language, width=width, height=height)
    page.screenshot(path=str(tmp_path / f"{name}-{language}-{width}.png"))
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [width, height]
    box = page.locator("[data-name=stop]").bounding_box()
    assert box["y"] + box["height"] <= height
    assert page.errors == []


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


def test_escape_stops_from_inside_a_field(live: Any) -> None:
    page = live("idle")
    page.locator("[data-name=n-trials]").focus()
    page.keyboard.press("Escape")
    (asked,) = page.evaluate("window.sent.filter(m => m.name === 'stop')")
    page.wait_for_function(
        "document.querySelector('[data-name=stop-words]').textContent.includes('not acknowledged')"
    )
    page.evaluate("id => window.say({kind: 'answer', name: 'stop', ok: true, text: '', id})", asked["id"])
    page.wait_for_function("document.querySelector('[data-name=stop-words]').textContent.includes('Acknowledged')")


def test_ending_a_run_asks_once_and_says_what_is_kept(live: Any) -> None:
    page = live()
    page.click("[data-name=end]")
    assert "18 of 40 trials are done and kept" in page.locator(".ask").inner_text()
    assert page.evaluate("window.sent.filter(m => m.name === 'end_run').length") == 0
    page.click("[data-name=end-now]")
    assert page.evaluate("window.sent.filter(m => m.name === 'end_run').length") == 1


def test_a_disabled_start_carries_its_reason(live: Any) -> None:
    page = live("idle")
    assert page.locator("[data-name=start-run]").is_enabled()
    page.select_option("[data-name=kind]", "online")
    assert page.locator("[data-name=start-run]").is_disabled()
    assert "approved decoder" in page.locator(".run .reason").inner_text()


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
    assert "滤波器重新开始；当前试验排除" in ledger


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


def test_an_assessment_is_entered_by_keyboard(mount: Callable[..., Any], tmp_path: Path) -> None:
    arat = outcomes.load("arat")
    form = AssessmentForm(
        arat.definition, score=lambda items: arat.score(items), save=lambda a: "Saved.", visit_id="v", rater="r"
    )
    traits = {
        name: getattr(form, name) for name in ("definition", "items", "condition", "side", "result", "saved")
    }
    page = mount(AssessmentForm, traits)
    page.screenshot(path=str(tmp_path / "form.png"))
    assert page.locator(".item").count() == 19
    assert page.locator("[data-name=save]").is_disabled()
    assert page.locator(".seg button.on").count() == 0
    page.locator("[data-item=grasp_1]").focus()
    page.keyboard.press("3")
    sent = page.evaluate("window.sent.filter(m => m.name === 'enter')")
    assert sent[0]["args"] == {"item": "grasp_1", "value": 3}
    page.evaluate("id => window.say({kind: 'answer', name: 'enter', ok: true, text: '', id})", sent[0]["id"])
    page.wait_for_function("document.activeElement.dataset.item === 'grasp_2'")
