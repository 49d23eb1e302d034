"""Cursor on a plane, moved by a velocity: a level for each of four ways. Without orders it stands still."""

from __future__ import annotations

from workbench.control._profile import Effector, SafeStep
from workbench.messages import Message

EFFECTOR = Effector(
    name="cursor_2d",
    profile="cursor_2d",
    title=Message("effector.cursor_2d"),
    channels=4,  # right, left, up, down
    level_unit="greatest speed",
    # A level is a speed: to hold it would be to run on.
    on_fault=(SafeStep("release"),),
    on_estop=(SafeStep("stop"),),
    ramp_ms=0,
    release_ramp_ms=0,
    hold_limit_s=30.0,
    hold_reminder_s=25.0,
    refractory_s=0.2,
    slew_per_s=5.0,  # [D]
    share_max=0.5,  # [D]
    dose_s=4 * 3600.0,
)
