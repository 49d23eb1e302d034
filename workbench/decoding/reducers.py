"""What is kept of a window: strict arithmetic, kernels only. Nothing here is learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from workbench.kernels.covariance import (
    band_covariances,
    epoch_covariances,
    mean_square,
    neighbour_correlations,
)
from workbench.kernels.linalg import matmul
from workbench.kernels.shrinkage import oas
from workbench.vocabulary import FloatArray


class Reducer(ABC):
    """From a window to what is kept of it."""

    @abstractmethod
    def summarise(self, window: FloatArray) -> FloatArray:
        """What is kept of a window ``(n_window, n_lanes)`` float64, µV."""

    @abstractmethod
    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: power of each lane."""

    def summarise_each(self, windows: FloatArray) -> FloatArray:
        """What is kept of each of ``(n, n_window, n_lanes)`` float64, µV: the bits of :meth:`summarise`."""
        return np.array([self.summarise(window) for window in windows])


class Power(Reducer):
    """The power of each lane."""

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: mean square of a window ``(n_window, n_lanes)`` float64, µV."""
        power = np.empty(window.shape[1])
        mean_square(window, power)
        return power

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: the summary itself."""
        return summary


class PowerAndNeighbours(Reducer):
    """The power of each lane, and how it goes together with the next derivation of its band.

    Parameters
    ----------
    n_bands : lanes are bands × derivations, band after band.
    """

    def __init__(self, n_bands: int) -> None:
        self._n_bands = n_bands

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(2 · n_lanes,)`` float64: power, µV², then correlations, of a window ``(n_window, n_lanes)``, µV."""
        out = np.empty(2 * window.shape[1])
        neighbour_correlations(window, self._n_bands, out)
        return out

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: the first half."""
        return summary[: len(summary) // 2]

    def neighbours(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64: correlation of each lane with the next, 0 for the last of a band."""
        return summary[len(summary) // 2 :]


class StretchPower(Reducer):
    """The power of each lane in equal stretches of a window.

    Parameters
    ----------
    n_stretches : of a window; each has at least a sample.
    """

    def __init__(self, n_stretches: int) -> None:
        self._n_stretches = n_stretches

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_stretches, n_lanes)`` float64, µV², the oldest first, of a window ``(n_window, n_lanes)``, µV."""
        out = np.empty((self._n_stretches, window.shape[1]))
        edges = [k * len(window) // self._n_stretches for k in range(self._n_stretches + 1)]
        for row, first, last in zip(out, edges, edges[1:]):
            mean_square(window[first:last], row)
        return out

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: mean over the stretches."""
        total = np.zeros(summary.shape[1])
        for row in summary:
            total += row
        return total / len(summary)


class QuietPower(Reducer):
    """The power of one lane in the quietest stretches of a window.

    Parameters
    ----------
    lane : whose power it is.
    n_stretches : of a window; each has at least a sample.
    n_quiet : of them that count, the quietest ones.
    """

    def __init__(self, lane: int, *, n_stretches: int, n_quiet: int) -> None:
        self._lane, self._n_quiet = lane, n_quiet
        self._all = StretchPower(n_stretches)

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(1,)`` float64, µV², of a window ``(n_window, n_lanes)`` float64, µV."""
        own = np.ascontiguousarray(window[:, self._lane : self._lane + 1])
        # Order statistics are samples: no way of sorting changes a bit; the sum goes from the smallest up.
        total = 0.0
        for power in np.sort(self._all.summarise(own)[:, 0])[: self._n_quiet].tolist():
            total += power
        return np.array([total / self._n_quiet])

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(1,)`` float64, µV²: the summary itself."""
        return summary


class Covariances(Reducer):
    """The covariance of each band.

    Parameters
    ----------
    n_bands : lanes are bands × derivations, band after band.
    shrunk : shrunk towards a multiple of the identity (oracle approximating shrinkage), normalised by the
        number of samples; else as it is, normalised by that number less one.
    """

    def __init__(self, n_bands: int, *, shrunk: bool = False) -> None:
        self._n_bands, self._shrunk = n_bands, shrunk

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_bands, n, n)`` float64, µV²: centred covariances of a window ``(n_window, n_lanes)``, µV."""
        n = window.shape[1] // self._n_bands
        out = np.empty((self._n_bands, n, n))
        band_covariances(window, out)
        self._shrink(out, len(window))
        return out

    def summarise_each(self, windows: FloatArray) -> FloatArray:
        """``(n, n_bands, n, n)`` float64, µV², of ``(n, n_window, n_lanes)``: one call of the kernel for all."""
        n = windows.shape[2] // self._n_bands
        out = np.empty((len(windows), self._n_bands, n, n))
        epoch_covariances(np.ascontiguousarray(windows), out)
        for covariances in out:
            self._shrink(covariances, windows.shape[1])
        return out

    def _shrink(self, covariances: FloatArray, n_times: int) -> None:
        """Shrink those of one window, where that is asked for."""
        if self._shrunk:
            for covariance in covariances:
                oas(covariance, n_times)

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: the diagonals, band after band."""
        return summary.diagonal(axis1=1, axis2=2).ravel()


class DelayedCovariances(Covariances):
    """The shrunk covariance of each band and of copies of it that are delayed.

    Parameters
    ----------
    n_bands : lanes are bands × derivations, band after band. delays : of the copies, samples, each above 0.
    """

    def __init__(self, n_bands: int, delays: Sequence[int]) -> None:
        super().__init__(n_bands, shrunk=True)
        self._delays = (0, *delays)

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_bands, m, m)`` float64, µV², of ``(n_window, n_lanes)``; m counts derivations × (1 + copies)."""
        return super().summarise(self._with_copies(window))

    def summarise_each(self, windows: FloatArray) -> FloatArray:
        """``(n, n_bands, m, m)`` float64, µV², of ``(n, n_window, n_lanes)``."""
        return super().summarise_each(np.stack([self._with_copies(window) for window in windows]))

    def _with_copies(self, window: FloatArray) -> FloatArray:
        """``(n_window - longest, n_bands · m)`` float64: in each band the derivations, then their copies."""
        longest = max(self._delays)
        # The first samples are only seen delayed: nothing from before the window is needed, and nothing is padded.
        copies = [window[longest - delay : len(window) - delay] for delay in self._delays]
        bands = [copy.reshape(len(copy), self._n_bands, -1) for copy in copies]
        return np.ascontiguousarray(np.concatenate(bands, axis=2).reshape(len(copies[0]), -1))


class Taps(Reducer):
    """Samples at equal steps, the last of the window among them.

    Parameters
    ----------
    n_taps : samples kept of each lane.
    """

    def __init__(self, n_taps: int) -> None:
        self._n_taps = n_taps

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_taps, n_lanes)`` float64, µV: samples of a window ``(n_window, n_lanes)`` float64, µV."""
        n = len(window)
        # The last sample of each stretch, so that the newest is always among them.
        ends = [(tap + 1) * n // self._n_taps - 1 for tap in range(self._n_taps)]
        return np.ascontiguousarray(window[ends])

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: mean square of the taps."""
        power = np.empty(summary.shape[1])
        mean_square(summary, power)
        return power


class Whole(Reducer):
    """Every sample."""

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_window, n_lanes)`` float64, µV: the window itself."""
        return window.copy()

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: mean square of the samples."""
        power = np.empty(summary.shape[1])
        mean_square(summary, power)
        return power


class Means(Reducer):
    """Means of equal stretches of a window: a low rate for slow responses.

    Parameters
    ----------
    n_window : samples of a window. n_means : stretches, at most as many.
    """

    @classmethod
    def at_rate(cls, rate: float, *, n_window: int, fs: float) -> Means:
        """Means at a low rate.

        Parameters
        ----------
        rate : of the means, Hz. n_window : samples of a window. fs : their rate, Hz.
        """
        return cls(n_window, max(1, min(n_window, round(n_window / fs * rate))))

    def __init__(self, n_window: int, n_means: int) -> None:
        edges = [k * n_window // n_means for k in range(n_means + 1)]
        self._weights = np.zeros((n_means, n_window))
        for k in range(n_means):
            self._weights[k, edges[k] : edges[k + 1]] = 1.0 / (edges[k + 1] - edges[k])

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_means, n_lanes)`` float64, µV, of a window ``(n_window, n_lanes)`` float64, µV."""
        out = np.empty((len(self._weights), window.shape[1]))
        # A product of our own, whose order of summation no library can change.
        matmul(self._weights, window, out)
        return out

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: mean square of the means."""
        power = np.empty(summary.shape[1])
        mean_square(summary, power)
        return power
