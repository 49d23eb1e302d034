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
def covariance(window: FloatArray, mean: FloatArray, out: FloatArray) -> None:
    """Centred covariance, normalised by the number of samples less one.

    Parameters
    ----------
    window : ``(n_times, n_lanes)`` float64, µV; at least two samples.
    mean : ``(n_lanes,)`` float64, µV, written.
    out : ``(n_lanes, n_lanes)`` float64, µV², written, symmetric to the bit.
    """
    n_times, n_lanes = window.shape
    for i in range(n_lanes):
        mean[i] = 0.0
        for j in range(n_lanes):
            out[i, j] = 0.0
    for t in range(n_times):
        for i in range(n_lanes):
            mean[i] += window[t, i]
    for i in range(n_lanes):
        mean[i] /= n_times
    for t in range(n_times):
        for i in range(n_lanes):
            left = window[t, i] - mean[i]
            for j in range(i, n_lanes):
                out[i, j] += left * (window[t, j] - mean[j])
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
