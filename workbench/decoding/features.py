"""From what is kept of a window to features: strict arithmetic, kernels only. Nothing here is learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.decoding.reducers import Reducer
from workbench.kernels.covariance import group_variances, projected_variance
from workbench.kernels.evidence import linear, logarithms
from workbench.kernels.riemann import distances, matrix_exp, tangent_vector
from workbench.vocabulary import FloatArray

FLOOR = 1e-9
"""Added to band power before the logarithm, µV²."""


@dataclass(frozen=True)
class LogPower:
    """Log power of each lane.

    Attributes
    ----------
    reducer : made the summaries.
    """

    reducer: Reducer

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64."""
        power = self.reducer.lane_power(summary)
        out = np.empty_like(power)
        logarithms(power, FLOOR, out)
        return out


class Size:
    """Root mean square of each lane."""

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV, from power ``(n_lanes,)``, µV²."""
        # A root is rounded exactly everywhere.
        return np.sqrt(summary)


class LogStretches:
    """Log power of each lane in each stretch of a window."""

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_stretches · n_lanes,)`` float64, the oldest first, from power ``(n_stretches, n_lanes)``, µV²."""
        out = np.empty(summary.size)
        logarithms(summary.ravel(), FLOOR, out)
        return out


class WhitenedPower:
    """Log of whitened power, averaged over the bands of a group.

    Parameters
    ----------
    filters : ``(n_bands, n, n)`` float64, spatial filters of each band. group : ``(n_bands,)``, that of each band.
    """

    def __init__(self, filters: FloatArray, group: FloatArray) -> None:
        self._filters, self._group = filters, group.astype(np.int64)
        self._n_groups = int(self._group.max()) + 1

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_groups · n,)`` float64 from covariances ``(n_bands, n, n)``, µV²."""
        mean = np.empty((self._n_groups, summary.shape[1]))
        group_variances(summary, self._filters, self._group, mean)
        out = np.empty(mean.size)
        logarithms(mean.ravel(), FLOOR, out)
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
        self._chosen = list(range(n)) if chosen is None else [int(index) for index in chosen.tolist()]
        self._bands = sorted({index // filters.shape[1] for index in self._chosen})

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_chosen,)`` float64 from covariances ``(n_bands, n, n)``, µV²."""
        # Bands without a chosen feature are not computed; 1 keeps their logarithm finite.
        variance = np.ones((self._filters.shape[0], self._filters.shape[1]))
        for band in self._bands:
            projected_variance(summary[band], self._filters[band], variance[band])
            if self._groups:
                _share(variance[band].reshape(self._groups, -1))
        flat = variance.ravel()
        out = np.empty(len(self._chosen))
        logarithms(flat[self._chosen], 0.0, out)
        return out


class Distances:
    """Minus the squared affine-invariant distance to each class.

    Parameters
    ----------
    whiteners : ``(n_classes, n, n)`` float64, G^(-1/2) of each class.
    """

    def __init__(self, whiteners: FloatArray) -> None:
        self._whiteners = whiteners

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64 from the covariance ``(1, n, n)``, µV²; nan where it has not full rank."""
        return _nearness(summary[0], self._whiteners)


class TangentVectors:
    """Tangent vector of each band at its mean.

    Parameters
    ----------
    whiteners : ``(n_bands, n, n)`` float64, G^(-1/2) of each band.
    """

    def __init__(self, whiteners: FloatArray) -> None:
        self._whiteners = whiteners

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_bands · n (n + 1) / 2,)`` float64 from covariances ``(n_bands, n, n)``, µV²; nan without rank."""
        n = summary.shape[1]
        out = np.empty((len(summary), n * (n + 1) // 2))
        for band, covariance in enumerate(summary):
            tangent_vector(covariance, self._whiteners[band], out[band])
        return out.ravel()


class FilteredDistances:
    """Minus the squared distance to each class after geodesic filtering.

    Parameters
    ----------
    whitener : ``(1, n, n)`` float64, G^(-1/2). filters, patterns : ``(n_filters, n (n + 1) / 2)`` float64.
    whiteners : ``(n_classes, n, n)`` float64, of the filtered classes as G sees them.
    """

    def __init__(
        self, whitener: FloatArray, filters: FloatArray, patterns: FloatArray, whiteners: FloatArray
    ) -> None:
        self._tangent, self._filters, self._whiteners = TangentVectors(whitener), filters, whiteners
        self._back = np.ascontiguousarray(patterns.T)
        rows, columns = np.triu_indices(whitener.shape[1])
        self._rows, self._columns = rows, columns
        # Off the diagonal a tangent vector carries √2, so that its norm is that of the matrix.
        self._weight = np.where(rows == columns, 1.0, np.sqrt(0.5))

    def filtered(self, summary: FloatArray) -> FloatArray:
        """``(n, n)`` float64: what separates the classes in the covariance ``(1, n, n)``, µV², seen from G."""
        vector = self._tangent.features(summary)
        coordinates, vector_back = np.empty(len(self._filters)), np.empty_like(vector)
        linear(vector, self._filters, np.zeros(len(coordinates)), coordinates)
        linear(coordinates, self._back, np.zeros(len(vector_back)), vector_back)
        out: FloatArray = np.empty(summary[0].shape)
        out[self._rows, self._columns] = vector_back * self._weight
        out[self._columns, self._rows] = out[self._rows, self._columns]
        matrix_exp(out, out)
        return out

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64 from the covariance ``(1, n, n)``, µV²; nan where it has not full rank."""
        return _nearness(self.filtered(summary), self._whiteners)


def _nearness(covariance: FloatArray, whiteners: FloatArray) -> FloatArray:
    out = np.empty(len(whiteners))
    distances(covariance, whiteners, out)
    # -d²: the log density of a Gaussian on the manifold, up to scale, and larger for the nearer class.
    out *= -out
    return out


class Flat:
    """The summary itself, flattened."""

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_taps · n_lanes,)`` float64, µV, tap after tap, from taps ``(n_taps, n_lanes)``."""
        return summary.ravel()


def _share(variance: FloatArray) -> None:
    """Divide each row by its sum, in place, summed in order."""
    for row in variance:
        # In order: NumPy sums by pairs, in an order of its own.
        total = 0.0
        for value in row.tolist():
            total += value
        row /= total
