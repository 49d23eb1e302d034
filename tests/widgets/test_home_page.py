"""The page of use at home in a real browser: big targets, both languages, and one key as the switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.widgets.test_clinic import axe
from workbench import messages
from workbench.dashboard.home import SCREENS, words_of
from workbench.messages import Message
from workbench.stress.switch import PROTOCOL
from workbench.study import protocol
from workbench.widgets import HomePage

PUT = "(view) => window.put({ view })"
CONFIRMED = {"asked_age_s": None, "sent": False, "acknowledged_after_s": None, "safe_after_s": None}
SENT = "window.sent.map((m) => m.name).filter((name) => name !== 'presence')"


def view(screen: str = "ready", **changes: Any) -> dict[str, Any]:
    """What the page shows, as ``HomeService`` makes it."""
    acts = list(SCREENS[screen])
    rule = protocol.parse(PROTOCOL, "p.toml").home_use
    assert rule is not None
    scan = {"state": "scanning", "places": acts, "lit": acts[:1], "at": 0, "taking": "", "dwell_s": 2.0}
    usual = {
        "screen": screen, "acts": acts, "busy": "", "moves": False, "scan": scan, "hand": "open", "problem": "",
        "refusal": "", "missing": [], "challenge": "c1", "signal": "good", "answers_s": 0.1,
        "stop": {**CONFIRMED, "confirmed": False}, "skin": {"at": "08:10", "in_min": 62}, "help": "",
        "use": {
            "today_min": 25, "day_min": 60, "days": 12, "hours": 7.5, "faults": 1, "stops": 2, "implant_days": 96,
        },
        "rule": words_of(rule),
        "clock": "09:02", "weekday": 1, "hour": 9, "simulated": True, "again": 0,
        "signs": False, "signed_in": False, "practice": PRACTISED if screen == "practise" else {},
        "learned": {"text": "", "better": False, "wait": False}, "made_at_home": False,
    }  # fmt: skip
    return messages.carried({**usual, **changes})


PRACTISED = {"cue": "grasp", "left": 12, "all": 20, "left_s": 130.0}
LONG = {"text": Message("recalibration.taken", n=37, last=33, all=40), "better": True, "wait": False}
UNDER_FOOTER = (
    "[...document.querySelectorAll('.lft > *')].filter((e) => e.getBoundingClientRect().bottom > "
    "document.querySelector('.foot').getBoundingClientRect().top).map((e) => e.className)"
)
STOPPED = {"problem": "silent", "hand": "unknown", "answers_s": 3.0, "signal": "good"}
MOVING = {
    "moves": True,
    "hand": "closing",
    "scan": {"state": "moving", "places": [], "lit": [], "at": -1, "taking": "", "dwell_s": 2.0},
}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1280, 800)])
def test_every_screen_has_its_targets_of_72_px_itswords_of_16_and_stop_within_the_window(
    mount: Callable[..., Any], language: str, width: int, height: int
) -> None:
    page = mount(HomePage, {"view": view(), "language": language}, width=width, height=height)
    for screen in SCREENS:
        changes = dict(STOPPED if screen == "stopped" else {"busy": "connect"} if screen == "busy" else {})
        # The most that can stand on it: somebody is to say that they are there, and what came of a practice.
        missing = [] if screen in ("connect", "done") else ["caregiver"]
        if screen in ("ready", "check"):
            changes |= {"learned": LONG, "made_at_home": screen == "ready"}
        page.evaluate(PUT, view(screen, missing=missing, **changes))
        small = page.evaluate(
            "[...document.querySelectorAll('.wb-home button')].filter((b) => b.checkVisibility())"
            ".filter((b) => b.offsetHeight < 70).map((b) => b.textContent)"
        )
        assert small == []
        thin = page.evaluate(
            "[...document.querySelectorAll('.wb-home *')].filter((e) => e.checkVisibility() && "
            "[...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))"
            ".filter((e) => parseFloat(getComputedStyle(e).fontSize) < 16).map((e) => e.textContent)"
        )
        assert thin == []
        out = page.evaluate(
            "[...document.querySelectorAll('.wb-home button, .wb-home .hint, .wb-home .panel')]"
            ".map((e) => [e.textContent, e.getBoundingClientRect()])"
            ".filter(([, r]) => r.bottom > innerHeight || r.right > innerWidth).map(([words]) => words)"
        )
        assert out == [], screen
        assert page.evaluate(UNDER_FOOTER) == [], screen
    assert axe(page) == []
    assert page.errors == []


def test_space_and_enter_are_the_switch_and_press_no_button_and_escape_is_stop(mount: Callable[..., Any]) -> None:
    page = mount(HomePage, {"view": view()})
    page.locator("[data-name=act-start]").focus()
    for key in (" ", "Enter"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    assert page.evaluate(SENT) == ["press", "release", "press", "release", "stop"]
    page.click("[data-name=act-start]")
    assert page.evaluate(SENT)[-1] == "touch"


def test_the_frame_stands_where_the_scanner_says_and_on_stop_while_the_glove_moves(
    mount: Callable[..., Any],
) -> None:
    page = mount(HomePage, {"view": view()})
    lit = "[...document.querySelectorAll('.wb-home .scan')].map((e) => e.dataset.name)"
    assert page.evaluate(lit) == ["act-start"]
    page.evaluate(PUT, view("use", **MOVING))
    assert page.evaluate(lit) == ["home-stop"]
    assert page.inner_text("[data-name=home-hint]") == "One switch: while the glove moves, any press is STOP."
    places = ["", "", "start", ""]
    again = {"state": "asking_again", "places": places, "lit": ["start"], "at": 2, "taking": "", "dwell_s": 2.0}
    page.evaluate(PUT, view(scan=again))
    assert page.evaluate(lit) == ["again-yes"]
    assert page.locator("[data-name=again-no]").count() == 3


def test_after_a_stop_the_page_says_what_is_known_and_offers_the_reset_to_a_hand_alone(
    mount: Callable[..., Any],
) -> None:
    page = mount(HomePage, {"view": view("stopped", **STOPPED)})
    words = page.inner_text(".wb-home")
    for said in (
        "The glove does not answer",
        "Open the grey valve",
        "we cannot see whether it is open",
        "Call 120 first",
    ):
        assert said in words
    assert page.evaluate("[...document.querySelectorAll('[data-act]')].map((e) => e.dataset.act)") == ["help"]
    page.click("[data-name=home-reset]")
    assert page.evaluate(SENT) == ["reset"]


def test_whom_to_call_and_how_to_take_the_glove_off_stand_in_the_language_of_the_page(
    mount: Callable[..., Any],
) -> None:
    page = mount(HomePage, {"view": view("stopped", **STOPPED), "language": "zh-CN"})
    assert page.inner_text("[data-name=home-call]") == "研究热线 010-5550-0100"
    words = page.inner_text(".wb-home")
    assert "打开腕部的灰色阀门" in words
    assert "Study line" not in words
    assert "grey valve" not in words
    rule = protocol.parse(PROTOCOL.replace("call_zh", "#"), "p.toml").home_use
    assert rule is not None
    page.evaluate(PUT, view("ready", rule=words_of(rule)))
    page.wait_for_function("document.querySelector('[data-name=home-call]').innerText.startsWith('Study line')")


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)])
def test_a_password_with_a_space_is_typed_before_the_session_and_the_sheet_closes_as_one_begins(
    mount: Callable[..., Any], size: tuple[int, int]
) -> None:
    page = mount(HomePage, {"view": view("connect", signs=True)}, width=size[0], height=size[1])
    page.click("[data-name=open-sign-in]")
    page.fill("[data-name=login]", "lin")
    page.click("[data-name=password]")
    page.keyboard.type("a b")
    assert page.input_value("[data-name=password]") == "a b"
    assert page.evaluate(SENT) == []
    low = "[...document.querySelectorAll('.sign button, .sign input')].filter((b) => b.offsetHeight < 72).length"
    assert page.evaluate(low) == 0
    assert axe(page) == []
    page.evaluate(PUT, view("check", signed_in=True))
    page.wait_for_selector(".sign", state="hidden")
    assert page.inner_text("[data-name=signed-in]") == "Signed in"
    page.keyboard.press("Space")
    assert page.evaluate(SENT) == ["press", "release"]


@pytest.mark.parametrize(
    ("language", "cue", "left", "act", "back"),
    [
        ("en", ("Grasp", "Rest"), "12 of 20 left, about 3 min", "Practise", "Use the site's decoder"),
        ("zh-CN", ("抓握", "休息"), "还剩 12 / 20 次，约 3 分钟", "练习", "使用研究中心的解码器"),
    ],
)
def test_practice_shows_its_cues_big_and_its_outcome_in_a_sentence_and_the_way_back_is_touched(
    mount: Callable[..., Any], language: str, cue: tuple[str, str], left: str, act: str, back: str
) -> None:
    page = mount(HomePage, {"view": view(), "language": language}, width=1024, height=768)
    assert page.inner_text("[data-name=act-practise]") == act
    page.click("[data-name=act-practise]")
    assert page.evaluate(SENT) == ["touch"]
    page.evaluate(PUT, view("practise"))
    assert page.inner_text("[data-name=home-title]") == cue[0]
    assert page.inner_text("[data-name=home-left]") == left
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('.using .big')).fontSize)") >= 64
    page.evaluate(PUT, view("practise", practice={**PRACTISED, "cue": "rest"}))
    assert page.inner_text("[data-name=home-title]") == cue[1]
    assert axe(page) == []
    why = Message("recalibration.kept", why=Message("recalibration.less"))
    for better, text in ((True, Message("recalibration.taken", n=37, last=33, all=40)), (False, why)):
        said = {"text": text, "better": better, "wait": False}
        page.evaluate(PUT, view(learned=said, made_at_home=better))
        assert page.inner_text("[data-name=home-learned]") == messages.translate(text, language=language)
        assert page.locator("[data-name=home-back]").count() == int(better)
        assert page.evaluate(UNDER_FOOTER) == []
        assert axe(page) == []
    # The question about the skin stands beside it.
    page.evaluate(PUT, view("check", learned={"text": why, "better": False, "wait": False}))
    assert page.locator(".lft .say:not(.bad)").count() == 2
    page.evaluate(PUT, view(made_at_home=True))
    assert page.inner_text("[data-name=home-back]") == back
    assert page.evaluate("document.querySelector('[data-name=home-back]').dataset.act") is None
    page.click("[data-name=home-back]")
    assert page.evaluate(SENT)[-1] == "back_to_site"
    assert page.errors == []
