"""The cursor's profile: it freezes."""

from __future__ import annotations

import pytest

from workbench import control


def test_a_cursor_freezes_on_a_fault_and_on_a_stop(make_bench):
    bench = make_bench(control.load("cursor")).reach("HOLD")
    bench.deliver(bench.controller.on_fault("stream_lost"))
    assert [(c.action, c.level) for c in bench.sent if c.state == "FAULT_SAFE"] == [("hold", (0.0,))]
    bench.act("estop", "key")
    assert (bench.sent[-1].action, bench.sent[-1].level) == ("stop", (0.0,))


def test_a_cursor_rests_for_a_fifth_of_a_second(make_bench):
    bench = make_bench(control.load("cursor")).reach("HOLD")
    bench.decide("release")
    bench.tick(0.05)
    assert bench.state == "REFRACTORY"
    bench.run(0.25)
    assert bench.state == "ARMED"
    assert control.load("cursor").refractory_s == pytest.approx(0.2)
