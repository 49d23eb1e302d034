"""The profile of a cursor on a plane: it never holds a level, because that would be to run on."""

from __future__ import annotations

from workbench import control


def test_lost_commands_and_a_fault_let_it_stand_still():
    effector = control.load("cursor_2d")
    assert effector.channels == 4
    assert [(step.action, step.keep_level, step.ramp_ms) for step in effector.on_fault] == [("release", False, 0)]
    assert (effector.ramp_ms, effector.release_ramp_ms) == (0, 0)
