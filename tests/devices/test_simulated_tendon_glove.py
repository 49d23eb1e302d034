"""A device whose grip follows a level; without orders it holds for a second and lets go."""

from __future__ import annotations

import pytest

from workbench.devices.simulated_tendon_glove import TendonGloveModel
from workbench.errors import BadValue


def order(seq, level, *, action="close"):
    return {"seq": seq, "profile": "tendon_glove", "action": action, "level": level, "ramp_ms": 0, "ttl_ms": 250}


def test_a_level_is_applied_at_once_and_clipped_where_the_motor_ends():
    glove = TendonGloveModel(greatest=0.5)
    assert glove.begin(0.0)
    glove.receive(order(1, [0.3]), 0.0)
    (first,) = glove.tick(0.01)
    assert (first.status, first.applied_level) == ("ok", (0.3,))
    glove.receive(order(2, [0.9]), 0.05)
    (clipped,) = glove.tick(0.06)
    assert (clipped.status, clipped.applied_level) == ("clipped", (0.5,))
    with pytest.raises(BadValue, match=r"greatest of the simulated tendon glove must be 0 to 1, got 2"):
        TendonGloveModel(greatest=2)


def test_without_orders_it_holds_for_a_second_then_lets_go_and_stays_locked():
    glove = TendonGloveModel()
    glove.begin(0.0)
    glove.receive(order(1, [0.8]), 0.0)
    glove.tick(0.3)
    assert (glove.state, glove.level(0.3), glove.locked) == ("holding", 0.8, True)
    glove.tick(1.2)
    assert glove.level(1.2) == 0.8
    glove.tick(1.3)
    assert (glove.state, glove.level(1.3)) == ("safe", 0.0)


def test_a_stop_lets_go_at_once():
    glove = TendonGloveModel()
    glove.begin(0.0)
    glove.receive(order(1, [0.8]), 0.0)
    *_, answer = glove.receive(order(2, [0.0], action="stop"), 0.05)
    assert (answer.status, answer.applied_level) == ("ok", (0.0,))
