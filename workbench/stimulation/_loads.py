"""What the contacts bear at given currents, and which limits that passes. No time, no state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from workbench.errors import Refused
from workbench.messages import Message
from workbench.stimulation._findings import Finding, Quantity
from workbench.stimulation._limits import BOUNDS, ElectrodeLimits
from workbench.stimulation._programme import Channel, Place, Programme, name_of, places
from workbench.stimulation._quantities import (
    BIPHASIC,
    above,
    charge_uc,
    density_uc_cm2,
    net_dc_na,
    rms_ma,
    shannon_k,
)


class Load(NamedTuple):
    """What one contact bears.

    Attributes
    ----------
    charge, density : of a phase, µC and µC/cm².
    shannon, rms : Shannon's k, and rms current density in mA/cm².
    pulses, net_dc, charge_per_s : 1/s, nA and µC/s.
    """

    charge: float
    density: float
    shannon: float
    rms: float
    pulses: float
    net_dc: float
    charge_per_s: float


class Loads:
    """The contacts of a programme and their limits.

    Parameters
    ----------
    programme : what is stimulated.
    limits : of each electrode model that it names.

    Raises
    ------
    Refused
        When a model has no limits, a lead is named with two models, or a contact is none of its model.
    """

    def __init__(self, programme: Programme, limits: Mapping[str, ElectrodeLimits]) -> None:
        self.channels = programme.channels
        models: dict[str, str] = {}
        for channel in self.channels:
            known = limits.get(channel.electrode)
            if known is None:
                raise Refused(Message("stimulation.no_limits", channel=channel.name, electrode=channel.electrode))
            if models.setdefault(channel.lead, channel.electrode) != channel.electrode:
                raise Refused(Message("stimulation.two_models", lead=channel.lead))
            if max(channel.contacts) >= known.contacts:
                raise Refused(
                    Message("stimulation.no_contact", channel=channel.name, n=max(channel.contacts),
                            most=known.contacts - 1)
                )  # fmt: skip
        self.limits = {lead: limits[model] for lead, model in models.items()}
        self._places = places(self.channels)

    def of(self, channel: Channel) -> ElectrodeLimits:
        """The limits of a channel's electrode."""
        return self.limits[channel.lead]

    @property
    def places(self) -> tuple[Place, ...]:
        """Every contact in use."""
        return tuple(self._places)

    def at(self, place: Place, currents_ma: Sequence[float]) -> Load:
        """What a contact bears at the currents of the channels, mA."""
        limits, numbers = self.limits[place[0]], self._places[place]
        charge = squares = pulses = net_dc = per_s = 0.0
        for number in numbers:
            channel = self.channels[number]
            current = share_ma(channel, place[1], currents_ma[number], limits=limits)
            if current <= 0:
                continue
            own = charge_uc(current, channel.width_us)
            phases = 1.0 if channel.balance == "none" else BIPHASIC
            # Of channels that share a contact pulses may fall on one another, and then their charges add.
            charge += own
            squares += rms_ma(current, channel.width_us, channel.rate_hz, phases=phases) ** 2
            pulses += channel.rate_hz
            net_dc += net_dc_na(own, channel.mismatch, channel.rate_hz)
            per_s += own * channel.rate_hz
        area = limits.area_cm2
        density, k = density_uc_cm2(charge, area), shannon_k(charge, area)
        return Load(charge, density, k, squares**0.5 / area, pulses, net_dc, per_s)

    def charge_per_s(self, currents_ma: Sequence[float]) -> dict[Place, float]:
        """Charge that each contact bears a second, µC/s, at the currents of the channels in mA."""
        return {place: self.at(place, currents_ma).charge_per_s for place in self._places}

    def findings(self, currents_ma: Sequence[float]) -> list[Finding]:
        """Every limit that the currents pass, mA. None of them falls when a current rises."""
        found: list[Finding] = []
        for channel, current in zip(self.channels, currents_ma, strict=True):
            if current == 0:
                continue
            limits = self.of(channel)
            found += _passed(
                limits,
                channel.name,
                {"current_ma": current, "width_us": channel.width_us, "rate_hz": channel.rate_hz},
            )
            if channel.balance == "none":
                found.append(Finding("balance", where=channel.name, detail=Message("stimulation.one_phase")))
        for place in self._places:
            load = self.at(place, currents_ma)
            bears = {
                "charge_uc": load.charge,
                "density_uc_cm2": load.density,
                "shannon_k": load.shannon,
                "rms_ma_cm2": load.rms,
                "pulses_per_s": load.pulses,
                "net_dc_na": load.net_dc,
            }
            found += _passed(self.limits[place[0]], name_of(place), bears)
        return found


def share_ma(channel: Channel, contact: int, current_ma: float, *, limits: ElectrodeLimits) -> float:
    """Current that one contact carries of a channel's, mA.

    Parameters
    ----------
    channel : with its cathodes and anodes.
    contact : one of them.
    current_ma : of the channel.
    limits : of its electrode: without a source for each contact, the one of the least impedance may carry all.
    """
    if not limits.independent_sources:
        return current_ma
    side = channel.cathodes if contact in channel.cathodes else channel.anodes
    return current_ma / len(side)


def _passed(limits: ElectrodeLimits, where: str, values: Mapping[str, float]) -> list[Finding]:
    """Findings of values, by the name of their limit, that lie above it."""
    found = []
    for name, value in values.items():
        limit = limits[name]
        if limit is not None and above(value, limit):
            quantity: Quantity = BOUNDS[name].quantity
            found.append(Finding(quantity, value, limit, where))
    return found
