"""Phase and rate of a cycle from the window that holds its last two beginnings. Strict arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from workbench.decoding.reducers import Power
from workbench.kernels.cycles import last_cycles
from workbench.vocabulary import FloatArray

DEPTH = 0.5
"""How far below zero a wave must have been before a cycle begins, in root mean squares of the window."""

LONGEST = 1.5
"""Cycles since the last beginning from which on the phase is unknown."""


class Cycles(Power):
    """The power of each lane, and where the last two cycles of one of them began.

    Parameters
    ----------
    lane : whose cycle it is.
    least : how far below zero a wave must have been, whatever its window is like, µV: noise at rest has beginnings
        too, at any scale of its own.
    """

    def __init__(self, lane: int, *, least: float = 0.0) -> None:
        self._lane, self._least = lane, least

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_lanes + 2,)`` float64: power, µV², then places in samples, -1 for none."""
        power, places = super().summarise(window), np.empty(2)
        wave = np.ascontiguousarray(window[:, self._lane])
        last_cycles(wave, max(DEPTH * sqrt(float(power[self._lane])), self._least), places)
        return np.concatenate([power, places])

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: the summary without the places."""
        return summary[:-2]


@dataclass(frozen=True)
class CyclePhase:
    """Phase and rate at the end of a window.

    Attributes
    ----------
    n_window : samples of a window. fs : Hz.
    """

    n_window: int
    fs: float

    def features(self, summary: FloatArray) -> FloatArray:
        """``(3,)`` float64: phase 0–1, rate in Hz, and 1 where both are known, else 0."""
        last, before = summary[-2:].tolist()
        since, length = self.n_window - 1 - last, last - before
        # A cycle that is overdue has stopped, and nobody knows when the next one begins.
        if before < 0.0 or since > LONGEST * length:
            return np.zeros(3)
        turns = since / length
        return np.array([turns - int(turns), self.fs / length, 1.0])


@dataclass(frozen=True)
class Latest:
    """What the newest window says of a phase; what was known before it is kept while it says nothing.

    Attributes
    ----------
    initial : ``(3,)`` float64: phase, rate in Hz, and 0, as they are not known yet.
    """

    initial: FloatArray

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """Take the window's phase and rate, or that they are unknown."""
        return scores if float(scores[2]) > 0.0 else np.array([state[0], state[1], 0.0])

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(2,)`` float64: phase 0–1 and rate in Hz; these are no probabilities."""
        return state[:2]

    def undecided(self, state: FloatArray) -> bool:
        """Whether phase and rate are unknown."""
        return not float(state[2]) > 0.0
