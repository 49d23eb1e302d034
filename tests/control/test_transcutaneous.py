"""The profile of transcutaneous stimulation."""

from __future__ import annotations

from workbench import control


def test_lost_commands_and_a_fault_ramp_down_in_a_second_and_the_skin_is_looked_at():
    effector = control.load("transcutaneous")
    assert [(step.action, step.keep_level, step.ramp_ms) for step in effector.on_fault] == [
        ("release", False, 1000)
    ]
    assert effector.stimulates
    assert effector.skin_check
