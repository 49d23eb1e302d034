"""How far a window is from what was usual in the calibration: one number. Strict arithmetic."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from workbench.decoding.features import FLOOR
from workbench.decoding.reducers import Reducer
from workbench.kernels.activity import teager_kaiser
from workbench.kernels.covariance import mean_square
from workbench.kernels.evidence import logarithms
from workbench.kernels.linalg import matmul
from workbench.vocabulary import FloatArray


class Measured(Reducer):
    """The power of each lane, and after it one or more measures of the window.

    Parameters
    ----------
    n_lanes : of a window.
    """

    def __init__(self, n_lanes: int) -> None:
        self._n_lanes = n_lanes

    @abstractmethod
    def measure(self, window: FloatArray, power: FloatArray) -> FloatArray:
        """``(n_measures,)`` float64 of a window ``(n_window, n_lanes)``, µV, with the power of its lanes, µV²."""

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_lanes + n_measures,)`` float64: power, µV², then the measures."""
        power = np.empty(window.shape[1])
        mean_square(window, power)
        return np.concatenate([power, self.measure(window, power)])

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: the summary without the measures."""
        return summary[: self._n_lanes]


class MuscleEnergy(Measured):
    """The mean Teager-Kaiser energy of each lane, µV²."""

    def measure(self, window: FloatArray, power: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²."""
        energy = np.empty(window.shape[1])
        teager_kaiser(window, energy)
        return energy


class Swing(Measured):
    """From the lowest to the highest sample of each lane, µV."""

    def measure(self, window: FloatArray, power: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV."""
        # Extremes are samples: no order of comparing them changes a bit.
        swing: FloatArray = window.max(axis=0) - window.min(axis=0)
        return swing


class BandRatio(Measured):
    """The power of the first of two bands over that of the second, each summed over the derivations."""

    def measure(self, window: FloatArray, power: FloatArray) -> FloatArray:
        """``(1,)`` float64; 0 where the second band has no power."""
        half = len(power) // 2
        above = below = 0.0
        for first, second in zip(power[:half].tolist(), power[half:].tolist(), strict=True):
            above, below = above + first, below + second
        return np.array([above / below if below > 0.0 else 0.0])


class TimeDomain(Measured):
    """Mean absolute value, waveform length, zero crossings and slope sign changes of each lane.

    Parameters
    ----------
    n_lanes : of a window.
    threshold : least difference of neighbouring samples, µV, at which a crossing or a change counts.
    """

    def __init__(self, n_lanes: int, *, threshold: float) -> None:
        super().__init__(n_lanes)
        self._threshold = threshold

    def measure(self, window: FloatArray, power: FloatArray) -> FloatArray:
        """``(4 · n_lanes,)`` float64: µV, then µV and counts a sample."""
        steps = window[1:] - window[:-1]
        large = np.abs(steps) > self._threshold
        crossed = (window[1:] * window[:-1] < 0.0) & large
        # As Hudgins has it, one of the two slopes must be steep enough.
        turned = (steps[1:] * steps[:-1] < 0.0) & (large[1:] | large[:-1])
        measures = np.empty((4, window.shape[1]))
        for out, values in zip(measures, (np.abs(window), np.abs(steps), crossed, turned)):
            # A product with ones sums in order, which NumPy's sum does not.
            ones, rows = np.full((1, len(values)), 1.0), np.ascontiguousarray(values, dtype=np.float64)
            matmul(ones, rows, out[None])
            out /= len(values)
        return measures.ravel()


class TimeDomainFeatures:
    """The measures of :class:`TimeDomain`, those of a size as logarithms."""

    def features(self, summary: FloatArray) -> FloatArray:
        """``(4 · n_lanes,)`` float64 from ``(5 · n_lanes,)``: power, then the measures."""
        n = len(summary) // 5
        out = summary[n:].copy()
        logarithms(summary[n : 3 * n].copy(), FLOOR, out[: 2 * n])
        return out


@dataclass(frozen=True)
class Level:
    """The measure that is furthest above what is usual, over the distance at which it counts.

    Attributes
    ----------
    usual, distance : ``(n_measures,)`` float64, both in the unit of the measures; the distance is above 0.
    """

    usual: FloatArray
    distance: FloatArray

    def features(self, summary: FloatArray) -> FloatArray:
        """``(1,)`` float64, 0 or above; 1 where a measure is just as far above the usual as it must be."""
        measures = summary[len(summary) - len(self.usual) :]
        # The greatest of several is one of them, whatever the order.
        level: FloatArray = np.maximum(((measures - self.usual) / self.distance).max(keepdims=True), 0.0)
        return level


@dataclass(frozen=True)
class Newest:
    """What the newest window says, and nothing of those before it.

    Attributes
    ----------
    initial : ``(n_values,)`` float64, before the first window.
    """

    initial: FloatArray

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """The values of this window ``(n_values,)``."""
        return scores

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_values,)`` float64: the values; these are no probabilities."""
        return state

    def undecided(self, state: FloatArray) -> bool:
        """Never: a window that is sound has a value."""
        return False
