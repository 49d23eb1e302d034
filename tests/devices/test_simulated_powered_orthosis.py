"""A simulated powered orthosis: a speed for each way after a delay, and a brake without orders."""

from __future__ import annotations

import pytest

from workbench.devices.simulated_powered_orthosis import OrthosisModel
from workbench.errors import BadValue


def order(seq, levels, *, action="close"):
    return {"seq": seq, "profile": "exo", "action": action, "level": levels, "ramp_ms": 0, "ttl_ms": 250}


def test_it_follows_a_speed_after_a_delay_and_brakes_at_once_without_orders():
    orthosis = OrthosisModel(seed=1)
    assert orthosis.begin(0.0)
    orthosis.receive(order(1, [0.6, 0.0]), 0.0)
    orthosis.tick(0.05)
    assert orthosis.level(0.05) == 0.0
    (answer,) = orthosis.tick(0.2)
    assert (answer.status, answer.applied_level) == ("ok", (0.6, 0.0))
    orthosis.tick(0.26)
    assert (orthosis.level(0.26), orthosis.state, orthosis.locked) == (0.0, "safe", True)


def test_a_stop_brakes_at_once_and_a_level_above_its_own_is_clipped():
    orthosis = OrthosisModel(greatest=0.5, seed=1)
    orthosis.begin(0.0)
    orthosis.receive(order(1, [0.0, 0.9]), 0.0)
    (clipped,) = orthosis.tick(0.2)
    assert (clipped.status, clipped.applied_level) == ("clipped", (0.0, 0.5))
    orthosis.receive(order(2, [0.0, 0.0], action="stop"), 0.21)
    assert orthosis.level(0.21) == 0.0
    with pytest.raises(BadValue, match="powered orthosis"):
        OrthosisModel(greatest=2.0)
