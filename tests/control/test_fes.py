"""The profile of functional electrical stimulation."""

from __future__ import annotations

from workbench import control


def test_lost_commands_and_a_fault_ramp_every_muscle_down_in_half_a_second():
    effector = control.load("fes")
    assert effector.channels == 8
    assert [(step.action, step.keep_level, step.ramp_ms) for step in effector.on_fault] == [
        ("release", False, 500)
    ]
    assert effector.stimulates
    assert effector.refractory_s == 1.0
