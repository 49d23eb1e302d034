"""From what is kept of a window to features: strict arithmetic, kernels only. Nothing here is learned."""

from __future__ import annotations

import numpy as np

from workbench.kernels.covariance import projected_variance
from workbench.kernels.evidence import logarithms
from workbench.vocabulary import FloatArray

FLOOR = 1e-9
"""Added to band power before the logarithm, µV²."""


class LogPower:
    """Log power of each lane."""

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64 from the power ``(n_lanes,)``, µV²."""
        out = np.empty_like(summary)
        logarithms(summary, FLOOR, out)
        return out


class WhitenedPower:
    """Log of whitened power, averaged over the bands of a group.

    Parameters
    ----------
    filters : ``(n_bands, n, n)`` float64, spatial filters of each band. group : ``(n_bands,)``, that of each band.
    """

    def __init__(self, filters: FloatArray, group: FloatArray) -> None:
        self._filters = filters
        self._group = [int(one) for one in group.tolist()]

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_groups · n,)`` float64 from covariances ``(n_bands, n, n)``, µV²."""
        n = summary.shape[1]
        power, total = np.empty(n), np.zeros((max(self._group) + 1, n))
        for band, group in enumerate(self._group):
            projected_variance(summary[band], self._filters[band], power)
            total[group] += power
        for group in range(len(total)):
            total[group] /= self._group.count(group)
        out = np.empty(total.size)
        logarithms(total.ravel(), FLOOR, out)
        return out


class SpatialPower:
    """Log variance after spatial filters.

    Parameters
    ----------
    filters : ``(n_bands, n_filters, n)`` float64.
    chosen : features kept, as places in bands × filters; None keeps all.
    groups : groups into which the filters of a band fall: each variance is then a share of its group's sum;
        0 leaves variances as they are.
    """

    def __init__(self, filters: FloatArray, *, chosen: FloatArray | None = None, groups: int = 0) -> None:
        self._filters, self._groups = filters, groups
        n = filters.shape[0] * filters.shape[1]
        self._chosen = list(range(n)) if chosen is None else [int(one) for one in chosen.tolist()]
        self._bands = sorted({one // filters.shape[1] for one in self._chosen})

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_chosen,)`` float64 from covariances ``(n_bands, n, n)``, µV²."""
        variance = np.ones((self._filters.shape[0], self._filters.shape[1]))
        for band in self._bands:
            projected_variance(summary[band], self._filters[band], variance[band])
            if self._groups:
                _share(variance[band].reshape(self._groups, -1))
        flat = variance.ravel()
        out = np.empty(len(self._chosen))
        logarithms(flat[self._chosen], 0.0, out)
        return out


class Taps:
    """The taps themselves."""

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_taps · n_lanes,)`` float64, µV, tap after tap."""
        return summary.ravel()


def _share(variance: FloatArray) -> None:
    """Divide each row by its sum, in place, summed in order."""
    for row in variance:
        total = 0.0
        for value in row.tolist():
            total += value
        row /= total
