"""Tonic transcutaneous stimulation of the cord. Defaults [D] are set by the protocol of a study.

A level is the fraction of the approved current of a pair of electrodes. Lost commands or a fault: a ramp down in
one second. E-stop: off at once. Skin without sensation is looked at when the dose nears its end.
"""

from __future__ import annotations

from workbench.control._profile import Effector, SafeStep
from workbench.messages import Message

EFFECTOR = Effector(
    name="transcutaneous",
    profile="tscs",
    title=Message("effector.transcutaneous"),
    on_fault=(SafeStep("release", ramp_ms=1000),),
    on_estop=(SafeStep("stop"),),
    channels=2,
    ramp_ms=1000,
    release_ramp_ms=1000,
    hold_limit_s=1800.0,
    hold_reminder_s=1500.0,
    refractory_s=5.0,
    dose_s=3600.0,
    skin_check=True,
    stimulates=True,
    needs_certificate=True,
)
