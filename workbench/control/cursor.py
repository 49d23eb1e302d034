"""Cursor on a screen: pressed on intent, released on release of intent; freezes on a fault and on an e-stop."""

from __future__ import annotations

from workbench.control._profile import Effector, SafeStep
from workbench.messages import Message

EFFECTOR = Effector(
    name="cursor",
    profile="cursor",
    title=Message("effector.cursor"),
    on_fault=(SafeStep("hold"),),
    on_estop=(SafeStep("stop"),),
    ramp_ms=0,
    release_ramp_ms=0,
    hold_limit_s=30.0,
    hold_reminder_s=25.0,
    refractory_s=0.2,
    dose_s=4 * 3600.0,
)
