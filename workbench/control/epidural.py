"""Epidural stimulation of hot-spots of a lead, in bursts. Defaults [D] are set by the protocol of a study.

A level is the fraction of a hot-spot's approved current. Lost commands or a fault: a ramp down in one second, as a
sudden loss of extension lets a standing person fall; a harness is a precondition of gait, which its
programme says.
E-stop: off at once.
"""

from __future__ import annotations

from workbench.control._profile import Effector, SafeStep
from workbench.messages import Message

EFFECTOR = Effector(
    name="epidural",
    profile="ees",
    title=Message("effector.epidural"),
    on_fault=(SafeStep("release", ramp_ms=1000),),
    on_estop=(SafeStep("stop"),),
    channels=8,
    ramp_ms=100,
    release_ramp_ms=100,
    hold_limit_s=5.0,
    hold_reminder_s=4.0,
    refractory_s=0.1,
    dose_s=3600.0,
    slew_per_s=10.0,
    stimulates=True,
    needs_certificate=True,
)
