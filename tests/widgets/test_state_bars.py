"""Several states on the live screen: a bar for each, what guessing gives, and from where one acts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.widgets.test_screens import CUT, FORM, WINDOWS
from workbench.paradigms.leg_states import JOINTS, STILL
from workbench.widgets import LiveSession

STATES = (STILL, *JOINTS)
SHARES = [0.04, 0.71, 0.08, 0.05, 0.04, 0.05, 0.03]


@pytest.fixture
def live(mount, statuses):
    def show(*, classes=STATES, values=SHARES, sure=0.5, language="en", size=WINDOWS[1], **changes: Any):
        evidence = {
            **statuses["live"]["evidence"],
            **{"kind": "probabilities", "classes": list(classes), "values": values, "sure": sure, "valid": True},
            **{"p": values[0], "activate": None, "release": None, "dwell_needed": 0, "rejected": False, **changes},
        }
        status = {**statuses["live"], "alarms": [], "evidence": evidence}
        traits = {"status": status, "link": {"state": "live"}, "form": FORM, "panels": [], "beat": 0}
        page = mount(LiveSession, {**traits, "language": language}, width=size[0], height=size[1])
        page.evaluate("status => window.put({status, beat: 1})", status)
        return page

    return show


@pytest.mark.parametrize(("language", "chance", "acts"), [("en", "chance 0.14", "acts from 0.50"),
                                                          ("zh-CN", "随机 0.14", "≥ 0.50 时动作")])  # fmt: skip
def test_every_state_has_its_bar_with_the_line_of_chance_and_that_from_which_it_acts(live, language, chance, acts):
    page = live(language=language)
    states = page.locator("[data-name=states]")
    assert states.locator("[role=meter]").count() == len(STATES)
    assert [one.inner_text() for one in states.locator(".v").all()] == [f"{p:.2f}" for p in SHARES]
    assert (chance in states.inner_text(), acts in states.inner_text()) == (True, True)
    (best,) = states.locator(".best.acts").all()
    assert "0.71" in best.inner_text()
    assert not page.locator(".evbar").is_visible()
    assert page.evaluate(CUT) == []
    assert page.errors == []


def test_the_likeliest_below_the_line_does_not_act(live):
    page = live(values=[0.1, 0.4, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert page.locator("[data-name=states] .best").count() == 1
    assert page.locator("[data-name=states] .acts").count() == 0


def test_states_that_cannot_be_relied_on_have_no_numbers_and_the_reason_is_said(live):
    page = live(valid=False)
    states = page.locator("[data-name=states]")
    assert {one.inner_text() for one in states.locator(".v").all()} == {"—"}
    assert states.locator(".best").count() == 0
    assert page.locator(".evidence .dwell").is_visible()


@pytest.mark.parametrize("classes", [("rest", "grasp"), tuple("ABCDEFGHI")])
def test_two_classes_and_a_keyboard_keep_their_bar(live, classes):
    page = live(classes=classes, values=[1.0 / len(classes)] * len(classes))
    assert page.locator(".evbar").is_visible()
    assert not page.locator("[data-name=states]").is_visible()


def test_an_engine_that_sends_no_probabilities_of_the_classes_keeps_the_bar(live):
    page = live(values=[0.78])
    assert page.locator(".evbar").is_visible()
