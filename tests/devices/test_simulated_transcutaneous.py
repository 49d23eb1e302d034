"""A simulated transcutaneous stimulator: it is gone a second after the last order."""

from __future__ import annotations

from workbench.devices import simulated_transcutaneous
from workbench.devices._stimulator import StimulatorModel


def test_without_orders_both_pairs_ramp_down_in_a_second():
    model = StimulatorModel(
        simulated_transcutaneous.PROGRAMME, simulated_transcutaneous.SETTINGS, channels=2, seed=1
    )
    model.begin(0.0)
    close = {"seq": 1, "profile": "tscs", "action": "close", "level": [1.0, 0.4], "ramp_ms": 100, "ttl_ms": 250}
    model.receive(close, 0.0)
    model.tick(0.24)
    assert model.delivered_ma(0.24) == (60.0, 24.0)
    for now in (0.26, 0.7):
        model.tick(now)
    assert 0.4 < model.level(0.7) < 0.7
    model.tick(1.3)
    assert (model.level(1.3), model.state, model.locked) == (0.0, "safe", True)
