"""Second moments of a window."""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel, part


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


@kernel("void(float64[:,::1], float64[::1], float64[:,::1])")
def centre(window: FloatArray, mean: FloatArray, out: FloatArray) -> None:
    """Take the mean of each lane away.

    Parameters
    ----------
    window, out : ``(n_times, n_lanes)`` float64, µV; ``out`` is written. mean : ``(n_lanes,)``, written.
    """
    n_times, n_lanes = window.shape
    for lane in range(n_lanes):
        mean[lane] = 0.0
    for t in range(n_times):
        for lane in range(n_lanes):
            mean[lane] += window[t, lane]
    for lane in range(n_lanes):
        mean[lane] /= n_times
    for t in range(n_times):
        for lane in range(n_lanes):
            out[t, lane] = window[t, lane] - mean[lane]


@part
def scatter(centred: FloatArray, divisor: float, out: FloatArray) -> None:
    """Sum of the products of every two lanes, divided; symmetric to the bit.

    Parameters
    ----------
    centred : ``(n_times, n_lanes)`` float64, µV. divisor : what the sums are divided by.
    out : ``(n_lanes, n_lanes)`` float64, µV², written.

    Notes
    -----
    Eight samples are taken at a time, which keeps the order of every sum and cuts the traffic.
    """
    n_times, n_lanes = centred.shape
    for i in range(n_lanes):
        for j in range(i, n_lanes):
            out[i, j] = 0.0
    whole = n_times - n_times % 8
    for t in range(0, whole, 8):
        for i in range(n_lanes):
            a, b, c, d = centred[t, i], centred[t + 1, i], centred[t + 2, i], centred[t + 3, i]
            e, f, g, h = centred[t + 4, i], centred[t + 5, i], centred[t + 6, i], centred[t + 7, i]
            for j in range(i, n_lanes):
                total = out[i, j] + a * centred[t, j]
                total = total + b * centred[t + 1, j]
                total = total + c * centred[t + 2, j]
                total = total + d * centred[t + 3, j]
                total = total + e * centred[t + 4, j]
                total = total + f * centred[t + 5, j]
                total = total + g * centred[t + 6, j]
                out[i, j] = total + h * centred[t + 7, j]
    for t in range(whole, n_times):
        for i in range(n_lanes):
            for j in range(i, n_lanes):
                out[i, j] += centred[t, i] * centred[t, j]
    for i in range(n_lanes):
        for j in range(i, n_lanes):
            out[i, j] /= divisor
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
    centre(window, out[0], centred)
    scatter(centred, window.shape[0] - 1.0, out)


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
    band, centred = np.empty((n_times, n_channels)), np.empty((n_times, n_channels))
    for b in range(n_bands):
        for t in range(n_times):
            for c in range(n_channels):
                band[t, c] = window[t, b * n_channels + c]
        covariance(band, centred, out[b])


@kernel("void(float64[:,:,::1], float64[:,:,::1])")
def epoch_covariances(epochs: FloatArray, out: FloatArray) -> None:
    """The :func:`covariance` of each epoch: the same bits.

    Parameters
    ----------
    epochs : ``(n_epochs, n_times, n_lanes)`` float64, µV: samples as they arrive, not channels first.
    out : ``(n_epochs, n_lanes, n_lanes)`` float64, µV², written.
    """
    centred = np.empty(epochs.shape[1:])
    for e in range(epochs.shape[0]):
        covariance(epochs[e], centred, out[e])


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
