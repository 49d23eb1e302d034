"""The loop of a stimulator that senses what its pulses evoke: it holds the response below a ceiling.

What an engine orders of such a stimulator, and what its supervisor limits, is the ceiling of the current. Below it
the stimulator sets each pulse by :func:`workbench.control.next_pulse`: no link is quick enough to do that from
outside within the interval of two pulses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from workbench.control import EcapLaw, EcapState, next_pulse
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.physiology import SWEEP, SWEEP_FS
from workbench.vocabulary import FloatArray

TITRATION = 50
"""Pulses at the beginning of a bout in which the loop is closed in either mode, so that the current is found."""
AVERAGED = 25
"""The last of them: the mean of their currents is what an open loop goes on with."""
SAMPLE_UV = 3.0
"""Standard deviation of a sample of a sweep without a response, µV."""


@dataclass
class ResponseLoop:
    """Which channels give the pulses, and how. Raises BadValue for one channel in both modes.

    Attributes
    ----------
    closed, open : names of the channels: while current may flow on the first, the response is held; on the second
        the current stays at what the first pulses of the bout have found.
    law : of the loop. titration, averaged : see :data:`TITRATION` and :data:`AVERAGED`.
    """

    closed: str
    open: str
    law: EcapLaw
    titration: int = TITRATION
    averaged: int = AVERAGED
    _state: EcapState = field(default=EcapState(0.0), repr=False)
    _found: list[float] = field(default_factory=list, repr=False)
    _ceiling_ma: float = field(default=0.0, repr=False)
    _given_ma: float = field(default=0.0, repr=False)
    _mode: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.closed == self.open or not 1 <= self.averaged <= self.titration:
            raise BadValue(Message("simulated.loop", got=repr(self)[:120]))

    @property
    def channels(self) -> tuple[str, str]:
        """Names of both channels."""
        return self.closed, self.open

    @property
    def on(self) -> bool:
        """Whether the last pulse was given in a bout."""
        return self._ceiling_ma > 0.0

    def pulse_ma(self, ceilings_ma: Mapping[str, float]) -> float:
        """Current of the next pulse, mA, never above the ceiling.

        Parameters
        ----------
        ceilings_ma : channel → current that may flow now, mA. Of two that may, the loop is closed.
        """
        flowing = [name for name in self.channels if ceilings_ma.get(name, 0.0) > 0.0]
        mode = flowing[0] if flowing else ""
        if mode != self._mode:
            self._mode, self._found, self._state = mode, [], EcapState(self.law.least_ma)
        self._ceiling_ma = ceilings_ma[mode] if mode else 0.0
        wanted = self._state.current_ma
        if mode == self.open and len(self._found) >= self.titration:
            wanted = sum(self._found[-self.averaged :]) / self.averaged
        self._given_ma = min(wanted, self._ceiling_ma, self.law.ceiling_ma)
        return self._given_ma

    def take(self, sweep: FloatArray) -> None:
        """The sweep after the pulse.

        Parameters
        ----------
        sweep : ``(n_times,)``, µV.
        """
        if not self.on or (self._mode == self.open and len(self._found) >= self.titration):
            return
        # What was given is what the loop goes on from: under a low ceiling it winds up nothing.
        given = EcapState(self._given_ma, self._state.lost)
        self._found.append(self._given_ma)
        self._state = next_pulse(self.law, given, _amplitude_uv(sweep))


def _amplitude_uv(sweep: FloatArray) -> float:
    # Readers of the register import every device, and need no kernel.
    from workbench.signals.ecap import amplitude_of

    return amplitude_of(sweep, fs=SWEEP_FS, noise=SAMPLE_UV)


def loop_of(stated: object) -> ResponseLoop:
    """The loop of a player's options: ``closed``, ``open``, and the fields of :class:`workbench.control.EcapLaw`.

    Raises
    ------
    BadValue
        For what is no such table.
    """
    own = dict(stated) if isinstance(stated, Mapping) else {}
    try:
        loop = ResponseLoop(str(own.pop("closed")), str(own.pop("open")), EcapLaw(**own))
    except (KeyError, TypeError) as error:
        raise BadValue(Message("simulated.no_loop", got=repr(stated)[:120], why=str(error))) from None
    # Kernels are loaded now, so that the first pulses are not late.
    _amplitude_uv(np.zeros(SWEEP))
    return loop
