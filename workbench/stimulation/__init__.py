"""Stimulation: limits that two people sign, and the supervisor that nothing passes. Pure: no clock, no thread.

``control`` alone asks it. What decides what is meant (decoders, paradigms) does not know that it exists. Research
use; not a medical device.
"""

from __future__ import annotations

from workbench.stimulation._findings import RULES, Finding, Quantity
from workbench.stimulation._limits import (
    BOUNDS,
    ElectrodeLimits,
    Override,
    Signature,
    SignedLimits,
    check_signatures,
    from_definition,
    parse_limits,
    raised,
)
from workbench.stimulation._loads import Load, Loads
from workbench.stimulation._margins import Margin
from workbench.stimulation._programme import Channel, Place, Programme
from workbench.stimulation._quantities import (
    above,
    charge_uc,
    density_uc_cm2,
    net_dc_na,
    rms_ma,
    shannon_k,
    voltage_v,
)
from workbench.stimulation._supervisor import Setup, StimulationSupervisor, Verdict
from workbench.stimulation._telemetry import Telemetry
from workbench.stimulation._times import Dose, OnTimes
from workbench.stimulation._wearer import PersonWatch, Wearer

__all__ = [
    "BOUNDS",
    "RULES",
    "Channel",
    "Dose",
    "ElectrodeLimits",
    "Finding",
    "Load",
    "Loads",
    "Margin",
    "OnTimes",
    "Override",
    "PersonWatch",
    "Place",
    "Programme",
    "Quantity",
    "Setup",
    "Signature",
    "SignedLimits",
    "StimulationSupervisor",
    "Telemetry",
    "Verdict",
    "Wearer",
    "above",
    "charge_uc",
    "check_signatures",
    "density_uc_cm2",
    "from_definition",
    "net_dc_na",
    "parse_limits",
    "raised",
    "rms_ma",
    "shannon_k",
    "voltage_v",
]
