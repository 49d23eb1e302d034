"""Second moments of a window."""

from __future__ import annotations

from workbench.kernels._jit import FloatArray, kernel


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


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def covariance(window: FloatArray, centred: FloatArray, out: FloatArray) -> None:
    """Centred covariance, normalised by the number of samples less one.

    Parameters
    ----------
    window : ``(n_times, n_lanes)`` float64, µV; at least two samples.
    centred : same shape, written: the window less its mean.
    out : ``(n_lanes, n_lanes)`` float64, µV², written, symmetric to the bit.

    Notes
    -----
    Four samples are taken at a time, which keeps the order of every sum and halves the traffic.
    """
    n_times, n_lanes = window.shape
    centre(window, out[0], centred)
    for i in range(n_lanes):
        for j in range(n_lanes):
            out[i, j] = 0.0
    whole = n_times - n_times % 4
    for t in range(0, whole, 4):
        for i in range(n_lanes):
            a, b, c, d = centred[t, i], centred[t + 1, i], centred[t + 2, i], centred[t + 3, i]
            for j in range(i, n_lanes):
                total = out[i, j] + a * centred[t, j]
                total = total + b * centred[t + 1, j]
                total = total + c * centred[t + 2, j]
                out[i, j] = total + d * centred[t + 3, j]
    for t in range(whole, n_times):
        for i in range(n_lanes):
            for j in range(i, n_lanes):
                out[i, j] += centred[t, i] * centred[t, j]
    for i in range(n_lanes):
        for j in range(i, n_lanes):
            out[i, j] /= n_times - 1
            out[j, i] = out[i, j]


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
