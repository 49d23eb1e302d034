"""Functional electrical stimulation of several muscles. Defaults [D] are set by the protocol of a study.

A level is the fraction of a muscle's approved current. Lost commands or a fault: a ramp down in half a second,
never a current that is kept; whoever stands by it needs a harness, which its programme says. E-stop: off at once.
"""

from __future__ import annotations

from workbench.control._profile import Effector, SafeStep
from workbench.messages import Message

EFFECTOR = Effector(
    name="fes",
    profile="fes",
    title=Message("effector.fes"),
    on_fault=(SafeStep("release", ramp_ms=500),),
    on_estop=(SafeStep("stop"),),
    channels=8,
    ramp_ms=500,
    release_ramp_ms=500,
    hold_limit_s=10.0,
    hold_reminder_s=8.0,
    refractory_s=1.0,
    dose_s=3600.0,
    slew_per_s=2.0,
    skin_check=True,
    stimulates=True,
    needs_certificate=True,
)
