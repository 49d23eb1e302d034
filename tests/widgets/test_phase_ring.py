"""The phase of a cycle on the live screen: a ring with the windows of the law, in place of a bar."""

from __future__ import annotations

from typing import Any

import pytest

from tests.widgets.test_screens import CUT, FORM, WINDOWS
from workbench.systems._stride import BLOCKS
from workbench.systems.rowing_glove import PULL
from workbench.widgets import LiveSession

TWO = [{"name": name, "begin": begin, "end": end} for name, begin, end in BLOCKS]


@pytest.fixture
def live(mount, statuses):
    def show(*, phase, rate=0.5, windows=TWO, language="en", streams=(), **changes: Any):
        evidence = {
            **statuses["live"]["evidence"],
            **{"kind": "phase", "values": [phase, rate], "p": phase, "windows": windows, "target": ""},
            **{"activate": None, "release": None, "dwell_needed": 0, "rejected": False, "valid": True, **changes},
        }
        streams = [*statuses["live"]["streams"], *streams]
        status = {**statuses["live"], "alarms": [], "evidence": evidence, "streams": streams}
        traits = {"status": status, "link": {"state": "live"}, "form": FORM, "panels": [], "beat": 0}
        width, height = WINDOWS[1]
        page = mount(LiveSession, {**traits, "language": language}, width=width, height=height)
        page.evaluate("status => window.put({status, beat: 1})", status)
        return page

    return show


@pytest.mark.parametrize(
    ("phase", "inside"), [(0.9, "left swing"), (0.05, "left swing"), (0.5, "right swing"), (0.65, "")]
)
def test_the_ring_says_in_which_window_the_phase_lies_also_across_its_beginning(live, phase, inside):
    page = live(phase=phase)
    ring = page.locator(".ring")
    said = f"Phase {phase:.2f}: {inside}" if inside else f"Phase {phase:.2f}"
    assert ring.locator("[role=status]").inner_text() == said
    assert ring.locator("[data-name=ring]").get_attribute("aria-label") == f"Phase of the cycle: {said}"
    assert ring.locator(".win.on").count() == ring.locator(".wins .on").count() == bool(inside)
    assert "2.00 s a cycle" in ring.inner_text().replace("\n", " ")
    # The hand points at the phase, from the top round clockwise.
    turned = page.evaluate("document.querySelector('.ring .hand').getAttribute('transform')")
    assert turned.startswith(f"rotate({360 * phase:.1f} ")
    assert not page.locator(".evbar").is_visible()
    assert page.evaluate(CUT) == []
    assert page.errors == []


@pytest.mark.parametrize("change", [{"rejected": True}, {"valid": False}])
def test_a_phase_that_nobody_knows_has_no_hand_and_lies_in_no_window(live, change):
    page = live(phase=0.9, **change)
    assert page.locator(".ring [role=status]").inner_text() == "Phase not known"
    assert not page.locator(".ring .hand").is_visible()
    assert page.locator(".ring .on").count() == 0
    assert "—" in page.locator(".ring").inner_text()


def test_the_one_window_of_a_law_has_no_name_of_its_own_and_is_named_in_chinese_too(live):
    page = live(phase=0.2, windows=[{"name": "", "begin": PULL[0], "end": PULL[1]}], language="zh-CN")
    assert page.locator(".ring [role=status]").inner_text() == "相位 0.20：执行器窗口"
    assert page.evaluate(CUT) == []


def test_probabilities_keep_their_bar_and_have_no_ring(mount, statuses):
    traits = {"status": statuses["live"], "link": {"state": "live"}, "form": FORM, "panels": [], "beat": 0}
    page = mount(LiveSession, {**traits, "language": "en"})
    assert page.locator(".evbar").is_visible()
    assert not page.locator(".ring").is_visible()


@pytest.mark.parametrize(
    ("language", "cortex", "stride"),
    [
        ("en", "ECoG does not agree: nothing is let through", "Phase 0.90: left swing"),
        ("zh-CN", "ECoG 不一致：不予放行", "相位 0.90：left swing"),
    ],
)
def test_cortex_and_stride_each_say_whether_they_agree(live, statuses, language, cortex, stride):
    ecog = {**statuses["live"]["streams"][0], "name": "arrays", "type": "ECoG", "role": "ecog"}
    page = live(
        **{"phase": 0.9, "rejected": True, "agreed": {"signal": True, "ecog": False}},
        streams=[ecog],
        language=language,
    )
    assert page.locator("[data-name=gates]").inner_text() == cortex
    # The phase is known, though nothing follows it.
    assert page.locator(".ring [role=status]").inner_text() == stride
    assert page.evaluate(CUT) == []
    assert page.errors == []


def test_a_cortex_that_agrees_is_no_phase_and_neither_is_known_of_evidence_that_is_not_valid(live):
    page = live(phase=0.9, rejected=True, agreed={"signal": False, "ecog": True})
    assert page.locator("[data-name=gates]").inner_text() == "ecog agrees"
    assert page.locator(".ring [role=status]").inner_text() == "Phase not known"
    page = live(phase=0.9, valid=False, agreed={"signal": True, "ecog": False})
    assert not page.locator("[data-name=gates]").is_visible()
    assert page.locator(".ring [role=status]").inner_text() == "Phase not known"


def test_what_another_stream_holds_back_is_not_said_to_be_far_from_the_training_data(mount, statuses):
    evidence = {**statuses["live"]["evidence"], "valid": True, "rejected": True, "active": False}
    evidence["agreed"] = {"signal": True, "emg": False}
    status = {**statuses["live"], "evidence": evidence}
    traits = {"status": status, "link": {"state": "live"}, "form": FORM, "panels": [], "beat": 0}
    page = mount(LiveSession, {**traits, "language": "en"})
    page.evaluate("status => window.put({status, beat: 1})", status)
    assert page.locator(".dwell [role=status]").inner_text() == "held back by another stream; nothing is activated"
