"""From windows to scores: the strict arithmetic of each decoder, in kernels. Nothing here is learned."""

from __future__ import annotations

import numpy as np

from workbench.decoders._stream import Norm
from workbench.kernels.covariance import covariance, mean_square, projected_variance
from workbench.kernels.evidence import linear, logarithms, standardise
from workbench.vocabulary import FloatArray

FLOOR = 1e-9
"""Added to band power before the logarithm, µV²."""


class BandpowerScorer:
    """Log band power of each lane, z-scored, linear.

    Parameters
    ----------
    weights : ``(n_classes, n_lanes)`` float64. bias : ``(n_classes,)`` float64. norm : of the fit.
    """

    def __init__(self, weights: FloatArray, bias: FloatArray, norm: Norm) -> None:
        self._weights, self._bias, self._norm = weights, bias, norm

    @staticmethod
    def summarise(window: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: mean square of a window ``(n_window, n_lanes)`` float64, µV."""
        power = np.empty(window.shape[1])
        mean_square(window, power)
        return power

    @staticmethod
    def lane_power(summary: FloatArray) -> FloatArray:
        """The summary itself."""
        return summary

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64: log power, not normalised."""
        out = np.empty_like(summary)
        logarithms(summary, FLOOR, out)
        return out

    def scores(self, features: FloatArray, norm: Norm | None = None) -> FloatArray:
        """``(n_classes,)`` float64."""
        mean, variance = self._norm if norm is None else norm
        z, out = np.empty_like(features), np.empty(len(self._bias))
        standardise(features, mean, variance, z)
        linear(z, self._weights, self._bias, out)
        return out


class BandCovariance:
    """The covariance of each band.

    Parameters
    ----------
    n_bands : lanes are bands × derivations, band after band.
    """

    def __init__(self, n_bands: int) -> None:
        self._n_bands = n_bands

    def summarise(self, window: FloatArray) -> FloatArray:
        """``(n_bands, n, n)`` float64, µV²: centred covariances of a window ``(n_window, n_lanes)``, µV."""
        n = window.shape[1] // self._n_bands
        out = np.empty((self._n_bands, n, n))
        centred = np.empty((len(window), n))
        for band in range(self._n_bands):
            lanes = np.ascontiguousarray(window[:, band * n : (band + 1) * n])
            covariance(lanes, centred, out[band])
        return out

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """The diagonals, band after band."""
        return summary.diagonal(axis1=1, axis2=2).ravel()


class WhitenedScorer(BandCovariance):
    """Log of whitened power, averaged over the bands of a group, z-scored, linear.

    Parameters
    ----------
    filters : ``(n_bands, n, n)`` float64, spatial filters of each band. group : ``(n_bands,)``, that of each band.
    weights : ``(n_classes, n_groups · n)`` float64. bias : ``(n_classes,)`` float64. norm : of the fit.
    """

    def __init__(
        self, filters: FloatArray, group: FloatArray, weights: FloatArray, bias: FloatArray, norm: Norm
    ) -> None:
        super().__init__(len(filters))
        self._filters = filters
        self._group = [int(one) for one in group.tolist()]
        self._linear = BandpowerScorer(weights, bias, norm)

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_groups · n,)`` float64: log power, not normalised."""
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

    def scores(self, features: FloatArray, norm: Norm | None = None) -> FloatArray:
        """``(n_classes,)`` float64."""
        return self._linear.scores(features, norm)


class CspScorer:
    """Log variance after spatial filters, linear.

    Parameters
    ----------
    filters : ``(n_filters, n_lanes)`` float64. weights : ``(n_classes, n_filters)`` float64.
    bias : ``(n_classes,)`` float64.
    """

    def __init__(self, filters: FloatArray, weights: FloatArray, bias: FloatArray) -> None:
        self._filters, self._weights, self._bias = filters, weights, bias

    @staticmethod
    def summarise(window: FloatArray) -> FloatArray:
        """``(n_lanes, n_lanes)`` float64, µV²: centred covariance of a window ``(n_window, n_lanes)``, µV."""
        n_lanes = window.shape[1]
        centred, out = np.empty_like(window), np.empty((n_lanes, n_lanes))
        covariance(window, centred, out)
        return out

    @staticmethod
    def lane_power(summary: FloatArray) -> FloatArray:
        """The diagonal."""
        return summary.diagonal()

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_filters,)`` float64: log variance."""
        variance = np.empty(len(self._filters))
        projected_variance(summary, self._filters, variance)
        out = np.empty_like(variance)
        logarithms(variance, 0.0, out)
        return out

    def scores(self, features: FloatArray, norm: Norm | None = None) -> FloatArray:
        """``(n_classes,)`` float64; there is no running normalisation."""
        out = np.empty(len(self._bias))
        linear(features, self._weights, self._bias, out)
        return out
