"""The profile of a powered orthosis: it never holds a level, because that would be to run on."""

from __future__ import annotations

from workbench import control


def test_lost_commands_and_a_fault_brake_it_at_once():
    effector = control.load("powered_orthosis")
    assert effector.channels == 2
    assert [(step.action, step.keep_level, step.ramp_ms) for step in effector.on_fault] == [("release", False, 0)]
    assert not effector.stimulates
    assert effector.slew_per_s > 0
