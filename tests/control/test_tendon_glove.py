"""The profile of a glove whose grip follows a level: one channel, a slew, and the safe state of a glove."""

from __future__ import annotations

from workbench import control


def test_it_follows_a_level_and_lets_go_as_a_glove_does():
    motor, air = control.load("tendon_glove"), control.load("glove")
    assert (motor.channels, motor.skin_check, motor.share_max) == (1, True, 0.0)
    assert motor.on_fault == air.on_fault
    assert motor.on_estop == air.on_estop
    assert [rule.value for rule in motor.rules] == ["level_max", "hold_limit_s", "dose_s", "slew_per_s"]
