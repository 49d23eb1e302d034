"""Powered orthosis: driven by a velocity, one level for each way; without orders it brakes where it stands."""

from __future__ import annotations

from workbench.control._profile import Effector, SafeStep
from workbench.messages import Message

EFFECTOR = Effector(
    name="powered_orthosis",
    profile="exo",
    title=Message("effector.powered_orthosis"),
    # Level 0 is no velocity: the brake holds. A level that was held would run on.
    on_fault=(SafeStep("release"),),
    on_estop=(SafeStep("stop"),),
    channels=2,
    level=0.5,
    ramp_ms=200,
    release_ramp_ms=0,
    hold_limit_s=10.0,
    hold_reminder_s=8.0,
    refractory_s=0.5,
    dose_s=3600.0,
    slew_per_s=2.0,
    skin_check=True,
    needs_certificate=True,
)
