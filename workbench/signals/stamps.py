"""Faults in the stamps of a stream while it delivers: one episode per cause, never one per sample.

The time base continues with the stamps it gets; the monitor reports that it had to. It looks at raw stamps and at
the time of their arrival, decides nothing, and is no part of the decision path.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray

RATE_WINDOW_S = 5.0
"""How long samples are counted before their rate is judged, s of stream time."""
RATE_SHARE = 0.05
"""Share of the nominal rate by which a rate may differ."""
JUMP_S = 2.0
"""Stamps have jumped when their step differs from the elapsed time by more than this, s."""
REPEATED_SHARE = 0.5
"""Share of equal successive stamps within a second from which stamps are repeated."""
BACK_S = 0.005
"""Size from which even a few steps back of the stamps matter, s."""
BACK_SHARE = 0.25
"""Share of steps back within a second from which they matter at any size."""
QUIET_S = 5.0
"""Stream time without the fault after which an episode is over, s."""


class StampFault(StrEnum):
    """What can be wrong with stamps."""

    NOT_FINITE = "stamps_not_finite"
    REPEATED = "stamps_repeated"
    OUT_OF_ORDER = "stamps_out_of_order"
    JUMPED = "stamps_jumped"
    RATE = "stream_rate"


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode that began or ended: fault, whether it is over, counts, a phrase with them and units."""

    fault: StampFault
    n: int
    of: int
    extent: Message
    over: bool = False


@dataclass(slots=True)
class _Open:
    """An episode under way: samples with the fault, samples in all, largest extent in s, sample of the last
    one."""

    n: int = 0
    of: int = 0
    largest: float = 0.0
    last: int = 0


class StampMonitor:
    """Watches the raw stamps of one regular stream.

    Parameters
    ----------
    fs : nominal rate in Hz.
    speed : stream seconds per second of the clock.
    """

    def __init__(self, fs: float, *, speed: float = 1.0) -> None:
        if not 0 < fs < float("inf") or not 0 < speed < float("inf"):
            raise BadValue(Message("signal.stamps", fs=str(fs), speed=str(speed)))
        self._fs, self._speed = float(fs), float(speed)
        self._second = max(4, round(fs))
        self._open: dict[StampFault, _Open] = {}
        self._n = 0
        self._last = float("nan")
        self._local = 0.0
        self._top = -float("inf")
        self._reached = True
        self._window = [0, 0, 0, 0.0]
        self._rate_from = (0, 0.0, 0.0)
        self._judged = 0
        self.measured_fs = 0.0

    @property
    def open(self) -> tuple[StampFault, ...]:
        """Faults under way."""
        return tuple(self._open)

    def step(self, stamps: FloatArray, *, local: float) -> list[Episode]:
        """Take the raw stamps of one arrival; the episodes that began or ended with it.

        Parameters
        ----------
        stamps : ``(n,)`` float64, s, raw.
        local : local time of their arrival, s.
        """
        n = len(stamps)
        if n == 0:
            return []
        episodes: list[Episode] = []
        good = stamps[np.isfinite(stamps)]
        self._n += n
        if len(good) < n:
            episodes += self._seen(StampFault.NOT_FINITE, n - len(good), n, 0.0)
        if len(good):
            episodes += self._jump(good, n, local)
            self._order(good)
            self._local = local
        episodes += self._second_over()
        episodes += self._rate(good, n, local)
        return episodes + self._quiet()

    # ------------------------------------------------------------------------------------ faults
    def _jump(self, good: FloatArray, n: int, local: float) -> list[Episode]:
        """Stamps that moved forward or back by more than the elapsed time allows."""
        if not np.isfinite(self._last):
            return []
        # A replay faster than real time delivers more stream time per second of clock jitter.
        limit = JUMP_S * max(1.0, self._speed)
        passed = (local - self._local) * self._speed
        ahead = float(good.max()) - self._last - passed
        behind = self._last - float(good.min())
        if max(ahead, behind) <= limit:
            return []
        self._top = -float("inf")
        self._rate_from = (0, 0.0, 0.0)
        return self._seen(StampFault.JUMPED, 1, n, ahead if ahead > limit else -behind)

    def _order(self, good: FloatArray) -> None:
        """Count equal stamps, steps back, and steps back from where the stamps had not caught up yet.

        A sound source stamps its blocks when it sends them, so that each block, however late, ends later than
        the one before. Stamps that turn back below the latest one, or leap on from below it, are out of order.
        """
        before = self._last if np.isfinite(self._last) else good[0] - 1.0 / self._fs
        steps = np.empty(len(good))
        steps[0] = good[0] - before
        np.subtract(good[1:], good[:-1], out=steps[1:])
        window = self._window
        window[0] += int((steps == 0.0).sum())
        leap = 0.5 / self._fs + BACK_S
        for row in np.flatnonzero((steps < 0.0) | (steps > 1.0 / self._fs + leap)).tolist():
            start = float(good[row - 1]) if row else before
            top = max(self._top, float(good[:row].max()) if row else -float("inf"))
            # A nanosecond of tolerance: stamps are seconds since boot, whose last digits are rounding.
            caught_up = start >= top - 1e-9
            if steps[row] < 0.0:
                window[1] += 1
                window[3] = max(float(window[3]), float(-steps[row]))
            if not caught_up:
                window[2] += 1
        self._top = max(self._top, float(good.max()))
        self._last = float(good[-1])

    def _second_over(self) -> list[Episode]:
        """Judge what was counted, once a second of samples, or all seconds that came at once after a stall."""
        of = (self._n // self._second - self._judged) * self._second
        if not of:
            return []
        self._judged = self._n // self._second
        equal, back, below, largest = self._window
        self._window = [0, 0, 0, 0.0]
        episodes: list[Episode] = []
        if equal >= REPEATED_SHARE * of:
            episodes += self._seen(StampFault.REPEATED, int(equal), of, 0.0)
        # Few steps back count only if at least half of them turn below the latest stamp: late blocks do not.
        frequent = back >= BACK_SHARE * of
        if frequent or (back >= 5 and below >= 0.5 * back and largest > BACK_S):
            episodes += self._seen(StampFault.OUT_OF_ORDER, int(back), of, float(largest))
        return episodes

    def _rate(self, good: FloatArray, n: int, local: float) -> list[Episode]:
        """Samples that arrived, compared with those that the nominal rate promises."""
        n_start, stamp, began = self._rate_from
        # The first arrival is the origin only: it may have waited in a buffer.
        if not n_start:
            self._rate_from = (self._n, float(good[-1]) if len(good) else 0.0, local)
            return []
        passed = (local - began) * self._speed
        if passed < RATE_WINDOW_S:
            return []
        span = float(good[-1]) - stamp if len(good) else passed
        # Stamps are steadier than arrivals; where they contradict the clock, the clock counts.
        seconds = span if 0.5 * passed < span < 2.0 * passed else passed
        samples = self._n - n_start
        self.measured_fs = samples / seconds
        self._rate_from = (self._n, float(good[-1]) if len(good) else 0.0, local)
        if abs(self.measured_fs - self._fs) <= RATE_SHARE * self._fs:
            return []
        return self._seen(StampFault.RATE, samples, round(seconds * self._fs), self.measured_fs)

    # ---------------------------------------------------------------------------------- episodes
    def _seen(self, fault: StampFault, n: int, of: int, largest: float) -> list[Episode]:
        """The fault was seen; an episode when it is new."""
        new = fault not in self._open
        episode = self._open.setdefault(fault, _Open())
        episode.n, episode.of, episode.last = episode.n + n, episode.of + of, self._n
        if fault is StampFault.RATE or abs(largest) > abs(episode.largest):
            episode.largest = largest
        return [Episode(fault, episode.n, episode.of, self._extent(fault, episode))] if new else []

    def _quiet(self) -> list[Episode]:
        """Episodes whose fault was not seen for a while are over."""
        episodes = []
        for fault, episode in list(self._open.items()):
            # The rate is judged once per window, so its episode needs more than one window without the fault.
            patience = QUIET_S if fault is not StampFault.RATE else 1.5 * RATE_WINDOW_S
            if (self._n - episode.last) / self._fs > patience:
                del self._open[fault]
                episodes.append(Episode(fault, episode.n, episode.of, self._extent(fault, episode), over=True))
        return episodes

    def _extent(self, fault: StampFault, episode: _Open) -> Message:
        if fault is StampFault.RATE:
            return Message("stamps.of_rate", n=f"{episode.largest:.1f}", fs=f"{self._fs:g}")
        if fault is StampFault.JUMPED:
            jump = f"{episode.largest:+,.1f}"
            if episode.n == 1:
                return Message("stamps.jumped_once", n=jump)
            return Message("stamps.jumped_times", times=episode.n, n=jump)
        if fault is StampFault.NOT_FINITE:
            return Message("stamps.n_not_finite", n=episode.n, of=episode.of)
        if fault is StampFault.REPEATED:
            return Message("stamps.n_repeated", n=episode.n, of=episode.of)
        back_ms = f"{episode.largest * 1000:.0f}"
        return Message("stamps.n_back", n=episode.n, of=episode.of, back=back_ms)
