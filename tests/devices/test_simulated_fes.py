"""A simulated stimulator of muscles: each on a pair of its own, and a quick way to be safe."""

from __future__ import annotations

from workbench.devices import simulated_fes
from workbench.devices._stimulator import StimulatorModel


def order(seq, levels, *, action="close", ramp_ms=200):
    return {"seq": seq, "profile": "fes", "action": action, "level": levels, "ramp_ms": ramp_ms, "ttl_ms": 250}


def test_each_muscle_has_its_current_and_all_ramp_down_in_half_a_second_without_orders():
    model = StimulatorModel(simulated_fes.PROGRAMME, simulated_fes.SETTINGS, channels=8, seed=2)
    model.begin(0.0)
    model.receive(order(1, [1.0, 0.5, 0.0, 0.25, 0.0, 0.0, 0.0, 0.0]), 0.0)
    model.receive(order(2, [0.0] * 8, action="heartbeat"), 0.2)
    (answer,) = model.tick(0.4)
    assert (answer.status, answer.applied_level) == ("ok", (1.0, 0.5, 0.0, 0.25, 0.0, 0.0, 0.0, 0.0))
    assert model.delivered_ma(0.4)[:4] == (60.0, 30.0, 0.0, 15.0)
    assert len(model.telemetry(0.4)["stimulator"]["ohm"]) == 16
    assert model.telemetry(0.4)["stimulator"]["coupling"] is None
    model.tick(0.46)
    assert model.locked
    model.tick(0.951)
    assert (model.level(0.951), model.state) == (0.0, "safe")
