"""Second moments of a window."""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel, part
from workbench.kernels._tile import tile

SIDE = 8
"""Lanes of a tile in either direction, as in ``kernels._tile``."""


@kernel("void(float64[:,::1], float64[::1])")
def mean_square(window: FloatArray, out: FloatArray) -> None:
    """Power of each lane.

    Parameters
    ----------
    window : ``(n_times, n_lanes)`` float64, µV.
    out : ``(n_lanes,)`` float64, µV², written.
    """
    n_times, n_lanes = window.shape
    for lane in range(n_lanes):
        out[lane] = 0.0
    for t in range(n_times):
        for lane in range(n_lanes):
            out[lane] += window[t, lane] * window[t, lane]
    for lane in range(n_lanes):
        out[lane] /= n_times


@part
def padded(n_lanes: int) -> int:
    """Lanes of whole tiles that hold so many."""
    return (n_lanes + SIDE - 1) // SIDE * SIDE


@part
def centre(window: FloatArray, first: int, n_lanes: int, mean: FloatArray, out: FloatArray) -> None:
    """Some lanes without their mean, and lanes of zeros behind them.

    Parameters
    ----------
    window : ``(n_times, n)`` float64, µV. first, n_lanes : those lanes that are taken.
    mean : ``(n_lanes,)`` float64, µV, written.
    out : ``(n_times, padded(n_lanes))`` float64, µV, written.
    """
    n_times = window.shape[0]
    for lane in range(n_lanes):
        mean[lane] = 0.0
    whole = n_times - n_times % 4
    for t in range(0, whole, 4):
        a, b = window[t, first : first + n_lanes], window[t + 1, first : first + n_lanes]
        c, d = window[t + 2, first : first + n_lanes], window[t + 3, first : first + n_lanes]
        for lane in range(n_lanes):
            mean[lane] = mean[lane] + a[lane] + b[lane] + c[lane] + d[lane]
    for t in range(whole, n_times):
        for lane in range(n_lanes):
            mean[lane] += window[t, first + lane]
    for lane in range(n_lanes):
        mean[lane] /= n_times
    for t in range(n_times):
        row = window[t, first : first + n_lanes]
        for lane in range(n_lanes):
            out[t, lane] = row[lane] - mean[lane]
        for lane in range(n_lanes, out.shape[1]):
            out[t, lane] = 0.0


@part
def scatter(centred: FloatArray, divisor: float, sums: FloatArray, out: FloatArray) -> None:
    """Sum of the products of every two lanes, divided; symmetric to the bit.

    Parameters
    ----------
    centred : ``(n_times, padded(n_lanes))`` float64, µV. divisor : what the sums are divided by.
    sums : ``(padded(n_lanes), padded(n_lanes))`` float64, overwritten.
    out : ``(n_lanes, n_lanes)`` float64, µV², written.
    """
    n_lanes = out.shape[0]
    for j in range(0, n_lanes, SIDE):
        for i in range(0, j + 1, SIDE):
            tile(centred, i, j, sums)
    for i in range(n_lanes):
        for j in range(i, n_lanes):
            out[i, j] = sums[i, j] / divisor
            out[j, i] = out[i, j]


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def covariance(window: FloatArray, centred: FloatArray, out: FloatArray) -> None:
    """Centred covariance, normalised by the number of samples less one.

    Parameters
    ----------
    window : ``(n_times, n_lanes)`` float64, µV; at least two samples (one gives nan).
    centred : same shape, written: the window less its mean.
    out : ``(n_lanes, n_lanes)`` float64, µV², written, symmetric to the bit. A lane with a value that is not
        finite gives nan in its row and column, and nowhere else.
    """
    n_times, n_lanes = window.shape
    wide = padded(n_lanes)
    whole, sums = np.empty((n_times, wide)), np.empty((wide, wide))
    centre(window, 0, n_lanes, out[0], whole)
    scatter(whole, n_times - 1.0, sums, out)
    for t in range(n_times):
        for lane in range(n_lanes):
            centred[t, lane] = whole[t, lane]


@kernel("void(float64[:,::1], float64[:,:,::1])")
def band_covariances(window: FloatArray, out: FloatArray) -> None:
    """The :func:`covariance` of each band of a window: the same bits.

    Parameters
    ----------
    window : ``(n_times, n_bands · n_channels)`` float64, µV, band after band.
    out : ``(n_bands, n_channels, n_channels)`` float64, µV², written.
    """
    n_times = window.shape[0]
    n_bands, n_channels, _ = out.shape
    wide = padded(n_channels)
    centred, sums = np.empty((n_times, wide)), np.empty((wide, wide))
    for band in range(n_bands):
        centre(window, band * n_channels, n_channels, out[band, 0], centred)
        scatter(centred, n_times - 1.0, sums, out[band])


@kernel("void(float64[:,:,::1], float64[:,:,::1])")
def epoch_covariances(epochs: FloatArray, out: FloatArray) -> None:
    """The :func:`covariance` of each epoch: the same bits.

    Parameters
    ----------
    epochs : ``(n_epochs, n_times, n_lanes)`` float64, µV: samples as they arrive, not channels first.
    out : ``(n_epochs, n_lanes, n_lanes)`` float64, µV², written.
    """
    n_epochs, n_times, n_lanes = epochs.shape
    wide = padded(n_lanes)
    centred, sums = np.empty((n_times, wide)), np.empty((wide, wide))
    for e in range(n_epochs):
        centre(epochs[e], 0, n_lanes, out[e, 0], centred)
        scatter(centred, n_times - 1.0, sums, out[e])


@kernel("void(float64[:,::1], float64[:,::1], float64[::1])")
def projected_variance(covariance: FloatArray, filters: FloatArray, out: FloatArray) -> None:
    """Variance after spatial filters: the diagonal of W C Wᵀ.

    Parameters
    ----------
    covariance : ``(n_lanes, n_lanes)`` float64, µV².
    filters : ``(n_filters, n_lanes)`` float64, rows are spatial filters.
    out : ``(n_filters,)`` float64, written.
    """
    n_filters, n_lanes = filters.shape
    for f in range(n_filters):
        total = 0.0
        for i in range(n_lanes):
            inner = 0.0
            for j in range(n_lanes):
                inner += covariance[i, j] * filters[f, j]
            total += filters[f, i] * inner
        out[f] = total


@kernel("float64(float64[:,::1], float64[:,::1])")
def unlikeness(covariance: FloatArray, other: FloatArray) -> float:
    """One minus the cosine between two covariances, whatever their size: 0 where one is a multiple of the other.

    ``nan`` where either is zero or not finite.

    Parameters
    ----------
    covariance, other : ``(n, n)`` float64, µV².

    Notes
    -----
    The RV coefficient of Robert and Escoufier 1976, doi:10.2307/2347233, taken from 1.
    """
    n = covariance.shape[0]
    both, own, others = 0.0, 0.0, 0.0
    for i in range(n):
        for j in range(n):
            both += covariance[i, j] * other[i, j]
            own += covariance[i, j] * covariance[i, j]
            others += other[i, j] * other[i, j]
    size = np.sqrt(own * others)
    if not size > 0.0:
        return np.nan
    found: float = 1.0 - both / size
    return found
