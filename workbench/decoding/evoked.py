"""From a window to features of an event-related response: strict arithmetic, kernels only. Nothing is learned."""

from __future__ import annotations

import numpy as np

from workbench.kernels.covariance import covariance
from workbench.kernels.linalg import matmul
from workbench.kernels.riemann import tangent_vector
from workbench.kernels.shrinkage import oas
from workbench.vocabulary import FloatArray


class Filtered:
    """Spatially filtered samples.

    Parameters
    ----------
    filters : ``(n_filters, n_lanes)`` float64.
    """

    def __init__(self, filters: FloatArray) -> None:
        self._transposed = np.ascontiguousarray(filters.T)

    def filtered(self, window: FloatArray) -> FloatArray:
        """``(n_times, n_filters)`` float64 from samples ``(n_times, n_lanes)`` float64, µV."""
        out = np.empty((len(window), self._transposed.shape[1]))
        matmul(window, self._transposed, out)
        return out

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_times · n_filters,)`` float64, sample after sample."""
        return self.filtered(summary).ravel()


class ErpCovariance:
    """Shrunk covariance of the prototypes and the filtered window beside each other.

    Parameters
    ----------
    filters : ``(n_filters, n_lanes)`` float64. prototypes : ``(n_window, n_filters)`` float64, filtered.
    """

    def __init__(self, filters: FloatArray, prototypes: FloatArray) -> None:
        self._filters, self._prototypes = Filtered(filters), prototypes

    def matrix(self, window: FloatArray) -> FloatArray:
        """``(2 · n_filters, 2 · n_filters)`` float64 of a window ``(n_window, n_lanes)`` float64, µV."""
        # The block between prototypes and window carries the class; that of the prototypes never changes.
        joint = np.ascontiguousarray(np.concatenate([self._prototypes, self._filters.filtered(window)], axis=1))
        out = np.empty((joint.shape[1], joint.shape[1]))
        covariance(joint, np.empty_like(joint), out)
        oas(out, len(joint))
        return out


class ErpVector:
    """Tangent vector of the covariance of prototypes and window.

    Parameters
    ----------
    covariances : what makes the matrix. whitener : ``(n, n)`` float64, G^(-1/2) of the mean.
    """

    def __init__(self, covariances: ErpCovariance, whitener: FloatArray) -> None:
        self._covariances, self._whitener = covariances, whitener

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n (n + 1) / 2,)`` float64 from a window ``(n_window, n_lanes)`` float64, µV; nan without rank."""
        n = len(self._whitener)
        out = np.empty(n * (n + 1) // 2)
        tangent_vector(self._covariances.matrix(summary), self._whitener, out)
        return out
