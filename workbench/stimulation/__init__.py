"""Stimulation: limits that two people sign, and the supervisor that nothing passes. Pure: no clock, no thread.

``control`` alone asks it. What decides what is meant (decoders, paradigms) does not know that it exists. Research
use; not a medical device.
"""

from __future__ import annotations

from workbench.stimulation._files import as_sham, definition_of, fingerprint, parse_programme, setup_of
from workbench.stimulation._findings import RULES, Finding, Quantity
from workbench.stimulation._limits import (
    BOUNDS,
    SHARES,
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
from workbench.stimulation._programme import Channel, Place, Programme, name_of
from workbench.stimulation._quantities import (
    above,
    charge_uc,
    density_uc_cm2,
    net_dc_na,
    rms_ma,
    shannon_k,
    voltage_v,
)
from workbench.stimulation._supervisor import Setup, StimulationSupervisor, UnderWay, Verdict
from workbench.stimulation._telemetry import Telemetry
from workbench.stimulation._times import Dose, OnTimes
from workbench.stimulation._wearer import PersonWatch, Wearer

__all__ = [
    "BOUNDS",
    "RULES",
    "SHARES",
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
    "UnderWay",
    "Verdict",
    "Wearer",
    "above",
    "as_sham",
    "charge_uc",
    "check_signatures",
    "definition_of",
    "fingerprint",
    "density_uc_cm2",
    "from_definition",
    "name_of",
    "net_dc_na",
    "parse_limits",
    "parse_programme",
    "raised",
    "rms_ma",
    "setup_of",
    "shannon_k",
    "voltage_v",
]
