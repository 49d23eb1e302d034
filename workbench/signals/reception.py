"""What a stream delivers, counted while somebody listens to it: rate, jitter, losses, steps of a counter.

The time base and the stamp monitor are those of the live road, so that a test of a stream, a set-up and a session
tell jitter from loss by one rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.signals.stamps import StampMonitor
from workbench.signals.timebase import Jitter, Timebase
from workbench.vocabulary import FloatArray

RATE_SHARE = 0.01
"""Share of the announced rate by which the measured one may differ."""
JITTER_S = 0.02
"""Jitter of 95 % of the stamps, s; what a session tolerates without a word (at low rates half a period)."""


def allowed_jitter_s(fs: float) -> float:
    """Jitter that 95 % of the stamps of a stream of ``fs`` Hz may have, s."""
    return max(JITTER_S, 0.5 / fs)


@dataclass(frozen=True, slots=True)
class CounterSteps:
    """Steps of a sample counter.

    Attributes
    ----------
    n, odd : how many, and how many of them are not one and no beginning again.
    n_lost : samples that were skipped.
    again : how often it went from its highest value back to 0 or 1.
    """

    n: int
    odd: int
    n_lost: int
    again: int

    @classmethod
    def of(cls, counts: FloatArray) -> CounterSteps:
        """The steps between counts, ``(n_times,)``."""
        steps = np.diff(counts)
        # A step back to another value may hide samples that were lost around the beginning.
        again = int(((steps < 0) & (counts[1:] <= 1) & (counts[:-1] == counts.max())).sum()) if len(steps) else 0
        lost = int(np.maximum(steps - 1, 0).sum())
        return cls(len(steps), int((steps != 1).sum()) - again, lost, again)


class Reception:
    """Counts what arrives of one regular stream.

    Parameters
    ----------
    fs : nominal rate in Hz.
    counter : index of a channel that counts samples, None for none.

    Attributes
    ----------
    n, n_not_finite : samples, and how many of them hold a value that is no finite number.
    faults : of the stamps, a phrase each.
    gaps_s : length of each gap, s; negative where the stamps step back.
    """

    def __init__(self, fs: float, *, counter: int | None = None) -> None:
        self.fs, self._counter = float(fs), counter
        self.n = self.n_not_finite = 0
        self.gaps_s: list[float] = []
        self._phrases: list[str] = []
        self._base, self._monitor = Timebase(fs), StampMonitor(fs)
        self._counts: list[FloatArray] = []
        self._first, self._last = math.inf, -math.inf

    def step(self, samples: Any, stamps: FloatArray, *, local: float) -> None:
        """Count a chunk.

        Parameters
        ----------
        samples : ``(n_times, n_channels)``, any number type.
        stamps : ``(n_times,)`` float64, s, raw.
        local : local time at which it arrived, s.
        """
        if not len(stamps):
            return
        values = np.asarray(samples, dtype=np.float64)
        self.n += len(stamps)
        self.n_not_finite += int((~np.isfinite(values)).any(axis=1).sum())
        if self._counter is not None:
            self._counts.append(values[:, self._counter])
        finite = stamps[np.isfinite(stamps)]
        if len(finite):
            self._first, self._last = min(self._first, finite.min()), max(self._last, finite.max())
        self._phrases += [f"{e.fault}: {e.extent}" for e in self._monitor.step(stamps, local=local) if not e.over]
        self.gaps_s += [missing for _, missing in self._base.step(stamps)[1]]

    @property
    def measured_fs(self) -> float:
        """Samples between the first and the last stamp a second, Hz; infinite where no time passed."""
        span = self._last - self._first
        return float((self.n - 1) / span) if span > 0 else math.inf

    @property
    def jitter(self) -> Jitter:
        """How far the stamps lie from the rate."""
        return self._base.jitter

    @property
    def n_lost(self) -> int:
        """Samples that are missing by the stamps."""
        return round(sum(gap for gap in self.gaps_s if gap > 0) * self.fs)

    @property
    def faults(self) -> list[str]:
        """What is wrong with the stamps."""
        bad = self._base.not_finite
        return [*self._phrases, *([f"{bad} stamps are not finite"] if bad else [])]

    @property
    def counter(self) -> CounterSteps | None:
        """Steps of the counter, None without one or before it came twice."""
        counts = np.concatenate(self._counts) if self._counts else np.empty(0)
        return CounterSteps.of(counts) if len(counts) > 1 else None
