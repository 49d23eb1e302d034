"""What must hold of a stimulator in every world: no current above what was signed, none that is not counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from workbench.stimulation import Place
from workbench.systems import Stimulation

ROUNDING_MA = 0.001
"""To which a stimulator says what it delivers, mA."""
SILENT_S = 1.0
"""Longest time between two statuses in which it is known what flowed, s."""


class Current:
    """What a stimulator delivers, held against what two people signed and what somebody set.

    The charge is not reckoned by the supervisor's arithmetic, and of those contacts alone that carry the whole
    current of a channel: how several share it is an assumption.

    Parameters
    ----------
    stimulation : programme, and the limits of its electrodes that are signed.

    Attributes
    ----------
    least_uc : charge that each contact has borne at least, µC.
    """

    def __init__(self, stimulation: Stimulation) -> None:
        programme, limits = stimulation.programme, {one.electrode: one.limits for one in stimulation.example}
        self._channels = programme.channels
        self._signed = tuple(min(one.approved_ma, limits[one.electrode]["current_ma"]) for one in self._channels)
        self._late_s = programme.latency_s + programme.release_s
        self.least_uc: dict[Place, float] = {}
        self._ceilings = [(most, -1e9) for most in self._signed]
        self._at, self._flowed = -1e9, (0.0,) * len(self._channels)

    def begins(self) -> None:
        """Another engine begins: ceilings are the approved currents."""
        self._ceilings = [(most, -1e9) for most in self._signed]

    def ceiling(self, channel: int, current_ma: float, *, at_s: float) -> None:
        """Somebody has set a ceiling, and the engine has confirmed it.

        Parameters
        ----------
        channel : its number in the programme. current_ma : mA. at_s : when it was confirmed, s of world time.
        """
        self._ceilings[channel] = (current_ma, at_s)

    def flows(self, delivered_ma: Sequence[float], *, at_s: float) -> Iterator[tuple[str, str]]:
        """Take what the stimulator says that it delivers, mA; every rule that it breaks, with what was seen."""
        flows = tuple(map(float, delivered_ma))
        for channel, current, most, (ceiling, since) in zip(
            self._channels, flows, self._signed, self._ceilings, strict=True
        ):
            if current > most + ROUNDING_MA:
                yield (
                    "no current above what two people signed",
                    f"{channel.name}: {current:g} mA, signed are {most:g}",
                )
            elif current > ceiling + ROUNDING_MA and at_s > since + self._late_s:
                yield "a ceiling holds", f"{channel.name}: {current:g} mA, {at_s - since:.2f} s after {ceiling:g}"
        seconds = at_s - self._at
        if seconds <= SILENT_S:
            for channel, before, now in zip(self._channels, self._flowed, flows, strict=True):
                # Between two statuses at least the lesser of both flowed, in one phase of each pulse.
                least_uc = min(before, now) * channel.width_us / 1000.0 * channel.rate_hz * seconds
                for contacts in (channel.cathodes, channel.anodes):
                    if len(contacts) == 1:
                        place = (channel.lead, contacts[0])
                        self.least_uc[place] = self.least_uc.get(place, 0.0) + least_uc
        self._at, self._flowed = at_s, flows

    def forgotten(self, counted_uc: Mapping[Place, float]) -> list[str]:
        """Contacts of which less was counted than they have borne, with both, µC."""
        return [
            f"{lead} {contact}: {borne:.1f} µC flowed, {counted_uc.get((lead, contact), 0.0):.1f} are counted"
            for (lead, contact), borne in sorted(self.least_uc.items())
            if borne > counted_uc.get((lead, contact), 0.0) + 1e-6
        ]
