"""A cursor that is pressed and let go: at once, and by itself when nobody commands it."""

from __future__ import annotations

import pytest

from workbench.devices.simulated_cursor import PressedCursorModel


def order(seq, level, *, action="close"):
    return {"seq": seq, "profile": "cursor", "action": action, "level": [level], "ramp_ms": 0, "ttl_ms": 250}


@pytest.fixture
def pressed():
    model = PressedCursorModel()
    assert model.begin(0.0)
    model.receive(order(1, 1.0), 0.0)
    (answer,) = model.tick(0.01)
    assert (answer.status, answer.applied_level) == ("ok", (1.0,))
    return model


def test_without_orders_it_is_let_go_when_the_time_to_live_is_over_and_stays_locked(pressed):
    pressed.tick(0.24)
    assert (pressed.level(0.24), pressed.locked) == (1.0, False)
    pressed.tick(0.26)
    assert (pressed.level(0.26), pressed.locked, pressed.state) == (0.0, True, "safe")
    assert pressed.receive(order(2, 1.0), 0.3)[-1].code == "locked"


def test_a_stop_lets_go_at_once(pressed):
    *_, answer = pressed.receive(order(2, 0.0, action="stop"), 0.05)
    assert (answer.code, answer.applied_level, pressed.state) == ("vented", (0.0,), "stopped")
