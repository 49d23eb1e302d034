"""The profile of an epidural stimulator."""

from __future__ import annotations

from workbench import control


def test_lost_commands_and_a_fault_ramp_down_in_a_second_since_a_standing_person_would_fall():
    effector = control.load("epidural")
    assert [(step.action, step.keep_level, step.ramp_ms) for step in effector.on_fault] == [
        ("release", False, 1000)
    ]
    assert effector.stimulates
    # Bursts of a stride begin and end within a tenth of a second.
    assert effector.ramp_ms == effector.release_ramp_ms == 100
