"""The glove's profile, as the specification has it."""

from __future__ import annotations

from workbench import control

GLOVE = control.load("glove")


def test_the_glove_holds_at_most_one_second_then_vents_slowly():
    hold, vent = GLOVE.on_fault
    assert (hold.action, hold.keep_level, hold.after_s) == ("hold", True, 0.0)
    assert (vent.action, vent.keep_level, vent.after_s) == ("release", False, 1.0)
    assert vent.ramp_ms > GLOVE.release_ramp_ms


def test_an_e_stop_vents_the_glove_at_once():
    (stop,) = GLOVE.on_estop
    assert (stop.action, stop.ramp_ms, stop.after_s, stop.keep_level) == ("stop", 0, 0.0, False)


def test_the_limits_of_the_glove():
    assert GLOVE.hold_limit_s == 30.0
    assert GLOVE.refractory_s == 0.5
    assert GLOVE.ttl_ms == 250
    assert GLOVE.missed_limit == 3
    assert GLOVE.skin_check
