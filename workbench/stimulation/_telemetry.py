"""What the stimulator measures: impedances, delivered and direct currents, temperature. It is never assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from workbench.messages import Message
from workbench.stimulation._findings import Finding
from workbench.stimulation._loads import Loads, share_ma
from workbench.stimulation._programme import Place, Programme, name_of
from workbench.stimulation._quantities import above, voltage_v

PATIENCE_S = 0.25
"""How long less than was sent may be delivered, s."""

RESOLUTION_MA = 0.05
"""Difference of a delivered current that is none, mA."""

IMPEDANCE_AGE_S = 24 * 3600.0
"""An impedance that was measured longer ago than this is not known, s."""


class Telemetry:
    """What was last measured.

    Parameters
    ----------
    programme : what is stimulated.
    loads : its contacts, with their limits.
    references_ohm : impedance of each contact at its last accepted measurement, Ω; a contact that is not named has
        none to be compared with.
    """

    def __init__(self, programme: Programme, loads: Loads, *, references_ohm: Mapping[Place, float]) -> None:
        self._programme, self._loads = programme, loads
        self._references = dict(references_ohm)
        self._ohm: dict[Place, tuple[float, float]] = {}
        self._net_dc: dict[str, float] = {}
        self._temperature: dict[str, float] = {}
        self._states = ""
        self._short_since: float | None = None

    # ----------------------------------------------------------------------------------- what is noted
    def take_impedances(self, ohm: Mapping[Place, float], *, now: float) -> None:
        """Impedances, Ω, by contact; s."""
        self._ohm |= {place: (value, now) for place, value in ohm.items()}

    def take_state(self, lead: str, *, net_dc_na: float | None, temperature_c: float | None) -> None:
        """What a stimulator measures of a lead.

        Parameters
        ----------
        lead : which.
        net_dc_na, temperature_c : nA and °C; None where nobody measures it.
        """
        if net_dc_na is not None:
            self._net_dc[lead] = net_dc_na
        if temperature_c is not None:
            self._temperature[lead] = temperature_c

    def take_programme(self, sha256: str) -> None:
        """The programme that the stimulator says it holds."""
        self._states = sha256

    def compare(
        self, delivered_ma: Sequence[float], *, least: Sequence[float], most: Sequence[float], now: float
    ) -> list[Finding]:
        """Delivered currents against those that were sent.

        Parameters
        ----------
        delivered_ma : of each channel, as the stimulator measures them.
        least, most : bounds of what was sent, over its ramp, mA.
        now : s.
        """
        found, short = [], []
        channels = self._programme.channels
        for n, channel in enumerate(channels):
            share = self._loads.of(channel).limits["delivery_tolerance"]
            # What is not stated was not measured, and counts as nothing.
            value = delivered_ma[n] if n < len(delivered_ma) else 0.0
            highest = most[n] * (1.0 + share) + RESOLUTION_MA
            lowest = least[n] * (1.0 - share) - RESOLUTION_MA
            if above(value, highest):
                found.append(Finding("delivered", value, highest, channel.name))
            elif value < lowest:
                short.append(Finding("undelivered", value, lowest, channel.name))
        if not short:
            self._short_since = None
            return found
        since = self._short_since = now if self._short_since is None else self._short_since
        return found + (short if now - since > PATIENCE_S else [])

    # ------------------------------------------------------------------------------------ what is found
    def dangers(self) -> list[Finding]:
        """What stops stimulation at once."""
        found = []
        for name, values, rule in (("net_dc_na", self._net_dc, "net_dc"),
                                   ("temperature_c", self._temperature, "temperature")):  # fmt: skip
            for lead, value in values.items():
                limit = self._loads.limits[lead][name] if lead in self._loads.limits else None
                size = abs(value) if name == "net_dc_na" else value
                if limit is not None and above(size, limit):
                    found.append(Finding("net_dc" if rule == "net_dc" else "temperature", size, limit, lead))
        return found

    @property
    def unverified(self) -> tuple[str, ...]:
        """Leads whose direct current nobody measures: it cannot be verified, which is said and not hidden."""
        return tuple(lead for lead in self._loads.limits if lead not in self._net_dc)

    @property
    def net_dc_na(self) -> dict[str, float]:
        """Direct current of each lead of which it is measured, nA."""
        return dict(self._net_dc)

    def lacking(self, ceilings_ma: Sequence[float], *, now: float) -> list[Finding]:
        """What forbids current: impedances that are unknown, out of range or changed, too little voltage, a
        direct current that must be measured and is not, and another programme in the stimulator."""
        found = []
        for lead in self.unverified:
            if self._loads.limits[lead].verifies_dc:
                found.append(Finding("net_dc", limit=self._loads.limits[lead]["net_dc_na"], where=lead))
        if self._states and self._states != self._programme.sha256:
            found.append(Finding("programme", where=self._states[:12], detail=Message("stimulation.other_held")))
        for place in self._loads.places:
            found += self._contact(place, ceilings_ma, now=now)
        return found

    def _contact(self, place: Place, ceilings_ma: Sequence[float], *, now: float) -> list[Finding]:
        """What is wrong with one contact."""
        limits, where = self._loads.limits[place[0]], name_of(place)
        if place not in self._ohm:
            return [Finding("impedance_age", limit=IMPEDANCE_AGE_S, where=where)]
        ohm, measured_at = self._ohm[place]
        high, low = limits.limits["impedance_most_ohm"], limits.limits["impedance_least_ohm"]
        if now - measured_at > IMPEDANCE_AGE_S:
            return [Finding("impedance_age", now - measured_at, IMPEDANCE_AGE_S, where)]
        # Not `>`: a number that is none is too high.
        if not isfinite(ohm) or above(ohm, high):
            return [Finding("impedance_high", ohm, high, where)]
        if ohm < low:
            return [Finding("impedance_low", ohm, low, where)]
        reference = self._references.get(place)
        if reference:
            change, most = abs(ohm - reference) / reference, limits.limits["impedance_change"]
            if above(change, most):
                return [Finding("impedance_change", change, most, where)]
        needed = max(
            (
                voltage_v(share_ma(channel, place[1], ceilings_ma[n], limits=limits), ohm)
                for n, channel in enumerate(self._programme.channels)
                if channel.lead == place[0] and place[1] in channel.contacts
            ),
            default=0.0,
        )
        volts = limits.limits["compliance_v"]
        return [Finding("compliance", needed, volts, where)] if above(needed, volts) else []
