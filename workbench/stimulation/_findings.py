"""What the supervisor finds: each finding names the rule, the value and the limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.messages import Message

Quantity = Literal[
    "current",
    "width",
    "rate",
    "charge",
    "density",
    "shannon",
    "rms",
    "pulses",
    "balance",
    "net_dc",
    "slew",
    "ceiling",
    "ceiling_step",
    "ceiling_rise",
    "duty",
    "burst",
    "refractory",
    "dose_session",
    "dose_day",
    "impedance_high",
    "impedance_low",
    "impedance_change",
    "impedance_age",
    "compliance",
    "watchdog",
    "delivered",
    "undelivered",
    "temperature",
    "level",
    "clock",
    "support",
    "support_age",
    "pressure",
    "pressure_age",
    "pressure_baseline",
    "symptom",
    "programme",
    "stopped",
]
"""What a rule is about."""

RULES: Mapping[Quantity, tuple[Message, str]] = {
    "current": (Message("stimulation.current"), "mA"),
    "width": (Message("stimulation.width"), "µs"),
    "rate": (Message("stimulation.rate"), "Hz"),
    "charge": (Message("stimulation.charge"), "µC"),
    "density": (Message("stimulation.density"), "µC/cm²"),
    "shannon": (Message("stimulation.shannon"), ""),
    "rms": (Message("stimulation.rms"), "mA/cm²"),
    "pulses": (Message("stimulation.pulses"), "1/s"),
    "balance": (Message("stimulation.balance"), ""),
    "net_dc": (Message("stimulation.net_dc"), "nA"),
    "slew": (Message("stimulation.slew"), "mA/s"),
    "ceiling": (Message("stimulation.ceiling"), "mA"),
    "ceiling_step": (Message("stimulation.ceiling_step"), "mA"),
    "ceiling_rise": (Message("stimulation.ceiling_rise"), "mA/s"),
    "duty": (Message("stimulation.duty"), ""),
    "burst": (Message("stimulation.burst"), "s"),
    "refractory": (Message("stimulation.refractory"), "s"),
    "dose_session": (Message("stimulation.dose_session"), "µC"),
    "dose_day": (Message("stimulation.dose_day"), "µC"),
    "impedance_high": (Message("stimulation.impedance"), "Ω"),
    "impedance_low": (Message("stimulation.impedance"), "Ω"),
    "impedance_change": (Message("stimulation.impedance_change"), ""),
    "impedance_age": (Message("stimulation.impedance_age"), "s"),
    "compliance": (Message("stimulation.compliance"), "V"),
    "watchdog": (Message("stimulation.watchdog"), "s"),
    "delivered": (Message("stimulation.delivered"), "mA"),
    "undelivered": (Message("stimulation.undelivered"), "mA"),
    "temperature": (Message("stimulation.temperature"), "°C"),
    "level": (Message("stimulation.level"), ""),
    "clock": (Message("stimulation.clock"), "s"),
    "support": (Message("stimulation.support"), "kg"),
    "support_age": (Message("stimulation.support_age"), "s"),
    "pressure": (Message("stimulation.pressure"), "mmHg"),
    "pressure_age": (Message("stimulation.pressure_age"), "s"),
    "pressure_baseline": (Message("stimulation.pressure_baseline"), "mmHg"),
    "symptom": (Message("stimulation.symptom"), ""),
    "programme": (Message("stimulation.programme"), ""),
    "stopped": (Message("stimulation.stopped"), ""),
}
"""Name and unit of what each rule is about."""

LEAST: frozenset[Quantity] = frozenset(("refractory", "impedance_low", "support", "undelivered", "clock"))
"""Rules whose limit is the least that is allowed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that does not hold.

    Attributes
    ----------
    rule : which.
    value : what was asked for or measured, in the unit of the rule; None where nothing is known.
    limit : what is allowed; None for a rule without a number.
    where : the channel, the contact or the person it is about; ``""`` for all.
    detail : in words, where the rule has no number.
    """

    rule: Quantity
    value: float | None = None
    limit: float | None = None
    where: str = ""
    detail: str = ""

    @property
    def text(self) -> Message:
        """One sentence with rule, value and limit."""
        name, unit = RULES[self.rule]
        where = self.where or Message("stimulation.everywhere")
        if self.limit is None:
            return Message("stimulation.refused", rule=name, where=where, why=self.detail or Message("word.none"))
        limit = f"{shown(self.limit)} {unit}".rstrip()
        if self.value is None:
            return Message("stimulation.unknown", rule=name, where=where, limit=limit)
        value = f"{shown(self.value)} {unit}".rstrip()
        if self.rule == "pressure":
            return Message("stimulation.too_high", rule=name, where=where, value=value, limit=limit)
        if self.rule in LEAST:
            return Message("stimulation.below", rule=name, where=where, value=value, limit=limit)
        return Message("stimulation.above", rule=name, where=where, value=value, limit=limit)


def shown(value: float) -> str:
    """A number as people read it: three digits behind the point at most, none of them empty."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:.4g}"
