"""Stimulation on the live screen: what the engine says of it, in both languages, and what is entered there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.control.test_with_stimulator import STIMULATORS, Stimulated
from tests.shares import crossed
from tests.stimulation.worked import signed
from tests.widgets.test_screens import CUT, FORM, NAMES, WINDOWS
from workbench.errors import BadValue
from workbench.messages import carried
from workbench.stimulation import Setup, Wearer, as_sham
from workbench.widgets import LiveSession


def snapshot(**changes: Any) -> dict[str, Any]:
    """The effector's part of a status while current flows, as it comes over the door."""
    module, known = STIMULATORS["transcutaneous"]
    setup = replace(Setup(module.PROGRAMME, (signed(known, "Chen L.", "Lin Q."),), Wearer("T4")), **changes)

    class Ready(Stimulated):
        def make_ready(self) -> None:
            super().make_ready()
            self.controller.stimulation.take_pressure(112.0, resting=True, by="Lin Q.", local=self.local)

    both = Ready("transcutaneous", setup=setup)
    both.follow(0.3, change="activate")
    both.send(both.controller.stimulation.set_ceiling(1, 40.0, by="Chen L.", local=both.local))
    both.follow(0.6)
    measured = (0.0, 0.0) if setup.programme.mode == "sham" else (59.6, 40.1)
    both.controller.stimulation.take_stimulator(delivered_ma=measured, local=both.local)
    shown: dict[str, Any] = json.loads(json.dumps(carried(both.controller.snapshot())))
    return shown


def idle_with_a_symptom() -> dict[str, Any]:
    """The effector's part of a status in which nothing flows, and the person feels something."""
    module, known = STIMULATORS["transcutaneous"]
    setup = Setup(module.PROGRAMME, (signed(known, "Chen L.", "Lin Q."),), Wearer("T10"))
    both = Stimulated("transcutaneous", setup=setup)
    both.follow(0.3)
    both.send(both.controller.operator.disarm("Chen L.", now_stream=both.stream, local=both.local).commands)
    both.follow(0.5)
    both.send(both.controller.stimulation.take_symptom("headache", local=both.local, by="Lin Q."))
    both.follow(0.2)
    shown: dict[str, Any] = json.loads(json.dumps(carried(both.controller.snapshot())))
    return shown


@pytest.fixture
def live(mount: Callable[..., Any], statuses: dict[str, Any]) -> Callable[..., Any]:
    def show(effector: dict[str, Any] | None, *, language: str = "en", **size: Any) -> Any:
        status = {**statuses["live"], "alarms": [], **({} if effector is None else {"effector": effector})}
        traits = {"status": status, "link": {"state": "live"}, "form": FORM, "panels": [], "beat": 0}
        page = mount(LiveSession, {**traits, "language": language}, **size)
        page.evaluate("status => window.put({status, beat: 1})", status)
        return page

    return show


@pytest.mark.parametrize(
    ("size", "language", "said"),
    [
        (WINDOWS[0], "en", "headache; once it is over, reset"),
        (WINDOWS[1], "zh-CN", "受试者的症状：headache；症状消失后，请复位"),
    ],
)
def test_a_symptom_that_stopped_is_shown_with_how_it_is_over(
    live: Any, size: Any, language: str, said: str
) -> None:
    effector = idle_with_a_symptom()
    assert effector["state"] == "ESTOP"
    page = live(effector, language=language, width=size[0], height=size[1])
    assert said in page.locator(".stim").inner_text()
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize(
    ("size", "language"), [(WINDOWS[0], "en"), (WINDOWS[1], "zh-CN"), ((1024, 768), "en"), (WINDOWS[3], "en")]
)
def test_the_panel_says_what_is_asked_and_delivered_and_fits(live: Any, size: Any, language: str) -> None:
    page = live(snapshot(), language=language, width=size[0], height=size[1])
    panel = page.locator(".stim")
    assert panel.is_visible()
    assert page.evaluate(CUT) == []
    said = panel.inner_text()
    if language == "en":
        for words in (
            *("59.6 mA of 60.0 asked", "40.1 mA of 40.0 asked", "ceiling 40.0 of 60.0 mA", "Current may flow"),
            *("112 mmHg · rest 112", "signed Chen L., Lin Q.", "mC today"),
        ):
            assert words in said
    else:
        assert "59.6 mA，请求 60.0" in said
        assert "允许输出电流" in said
    stop, box = page.locator("[data-name=stop]").bounding_box(), panel.bounding_box()
    assert box["x"] + box["width"] <= stop["x"] or box["y"] + box["height"] <= stop["y"]
    assert page.errors == []


def six() -> dict[str, Any]:
    """The same with six hot-spots of a lead of sixteen contacts, of which two are stimulated."""
    shown = snapshot()
    part = shown["stimulation"]
    one, charge = part["channels"][0], part["charge"][0]
    spots = (("left hip", 1, 6), ("left knee", 2, 8), ("left ankle", 5, 10))
    spots += (("right hip", 12, 7), ("right knee", 14, 9), ("right ankle", 15, 11))
    given = {"left hip": 3.7, "right knee": 4.6}
    part["channels"] = [
        {**one, "name": name, "lead": "paddle-16", "cathodes": [cathode], "anodes": [anode], "approved_ma": 5.0}
        | {"asked_ma": given.get(name, 0.0), "delivered_ma": given.get(name, 0.0), "ceiling_ma": 4.0}
        for name, cathode, anode in spots
    ]
    part["charge"] = [{**charge, "lead": "paddle-16", "contact": n, "where": f"paddle-16 {n}"} for n in range(16)]
    return shown


SMALL = [(1440, 900), (1280, 800), (1024, 768)]


@pytest.mark.parametrize(
    ("width", "height", "language", "state"), crossed(SMALL, ["en", "zh-CN"], ["IDLE_SAFE", "ACTIVE"])
)
def test_six_hot_spots_leave_the_headings_of_signals_and_ledger_whole(
    live: Any, width: int, height: int, language: str, state: str
) -> None:
    page = live({**six(), "state": state}, language=language, width=width, height=height)
    page.evaluate("names => window.signals({first: 0, n: 11000, fs: 1000, names, age_s: 0.042}, 7)", NAMES)
    assert page.evaluate(CUT) == []
    assert page.locator(".ledger h2").is_visible()
    assert "3.7 / 3.7 ≤ 4.0 mA" in page.locator(".stim").inner_text()
    assert page.errors == []


@pytest.mark.parametrize(("language", "words"), [("en", "stimulating the cord"), ("zh-CN", "正在刺激脊髓")])
def test_the_state_of_a_stimulator_is_not_that_of_a_hand(live: Any, language: str, words: str) -> None:
    page = live({**snapshot(), "state": "ACTIVE"}, language=language)
    assert words in page.locator("[data-name=effector-state]").inner_text()


def test_a_blinded_panel_is_the_same_for_a_sham_and_shows_no_measured_current(live: Any) -> None:
    said = []
    for sham in (False, True):
        setup = Setup(STIMULATORS["transcutaneous"][0].PROGRAMME, ())
        programme = as_sham(setup).programme if sham else setup.programme
        page = live(snapshot(programme=programme, blinded=True))
        said.append(page.locator(".stim").inner_text() + page.locator(".panel.effector").inner_text())
    assert said[0] == said[1]
    assert "59.6" not in said[0]
    assert "60.0 mA asked" in said[0]
    assert "Blinded: measured currents are not shown" in said[0]


def test_what_does_not_stimulate_has_no_panel(live: Any) -> None:
    assert not live(None).locator(".stim").is_visible()


def test_a_reading_and_a_symptom_go_to_the_engine(live: Any) -> None:
    page = live(snapshot())
    page.fill("[data-name=systolic]", "118")
    page.check(".stim input[type=checkbox]")
    page.click("[data-name=enter-pressure]")
    page.click("[data-name=symptom]")
    asked = page.evaluate("window.sent.map(m => [m.name, m.args])")
    assert ["take_pressure", {"systolic": 118, "resting": True}] in asked
    assert ["take_symptom", {"words": "symptom noted on the screen"}] in asked


def test_contacts_show_their_sign_and_a_ceiling_is_asked_of_the_engine_which_may_refuse_it(
    live: Any,
) -> None:
    page = live(snapshot())
    assert [one.inner_text() for one in page.locator(".stim .ct").all()] == ["−0", "+1", "−0", "+1"]
    assert page.locator(".stim .ct.on").count() == 4
    assert page.locator(".stim .lanet path.asked").count() == 2
    page.select_option("[data-name=ceiling-channel]", "1")
    page.fill("[data-name=ceiling-ma]", "41.5")
    page.click("[data-name=set-ceiling]")
    (sent,) = page.evaluate("window.sent.filter(m => m.name === 'set_ceiling')")
    assert sent["args"] == {"channel": 1, "current_ma": 41.5}
    refusal = {
        "kind": "answer",
        "name": "set_ceiling",
        "ok": False,
        "text": "a step of 1.5 mA, at most 1 mA",
    }
    page.evaluate("reply => window.say(reply)", {**refusal, "id": sent["id"]})
    assert "at most 1 mA" in page.inner_text("[data-name=ceiling-refused]")


def test_a_ceiling_that_is_no_number_is_refused_before_it_is_sent() -> None:
    made = LiveSession()
    try:
        with pytest.raises(BadValue, match="a ceiling is a number in mA, got '12'"):
            made.requests()["set_ceiling"](0, "12")
    finally:
        made.close()


def test_a_reading_that_is_no_number_is_refused_before_it_is_sent() -> None:
    class Client:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    made = LiveSession()
    try:
        made._client = Client()  # type: ignore[assignment]
        with pytest.raises(BadValue, match="a blood pressure is a number in mmHg, got '118'"):
            made.requests()["take_pressure"]("118")
    finally:
        made._client = None
        made.close()
