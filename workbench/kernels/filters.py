"""References, and the filter banks of ``kernels._sections``."""

from __future__ import annotations

from workbench.kernels._jit import FloatArray, IntArray, kernel
from workbench.kernels._sections import bank, cascade

__all__ = ["bank", "bipolar", "cascade", "common_average", "laplacian"]


@kernel("void(float64[:,::1], int64[::1], int64[::1], float64[:,::1])")
def bipolar(samples: FloatArray, plus: IntArray, minus: IntArray, out: FloatArray) -> None:
    """Differences of channels.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV.
    plus, minus : ``(n_lanes,)`` int64, channel indices; lane ``i`` is ``plus[i]`` minus ``minus[i]``.
    out : ``(n_times, n_lanes)`` float64, µV, written.
    """
    for t in range(samples.shape[0]):
        for lane in range(out.shape[1]):
            out[t, lane] = samples[t, plus[lane]] - samples[t, minus[lane]]


@kernel("void(float64[:,::1], float64[:,::1])")
def common_average(samples: FloatArray, out: FloatArray) -> None:
    """Each channel minus the mean of all channels of the same sample.

    Parameters
    ----------
    samples, out : ``(n_times, n_channels)`` float64, µV; ``out`` is written.

    Notes
    -----
    Four samples are summed side by side, each in the order of its channels, and no sum waits for another.
    """
    n_times, n_channels = samples.shape
    n_blocked = n_times - n_times % 4
    for t in range(0, n_blocked, 4):
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for channel in range(n_channels):
            a += samples[t, channel]
            b += samples[t + 1, channel]
            c += samples[t + 2, channel]
            d += samples[t + 3, channel]
        a, b, c, d = a / n_channels, b / n_channels, c / n_channels, d / n_channels
        for channel in range(n_channels):
            out[t, channel] = samples[t, channel] - a
            out[t + 1, channel] = samples[t + 1, channel] - b
            out[t + 2, channel] = samples[t + 2, channel] - c
            out[t + 3, channel] = samples[t + 3, channel] - d
    for t in range(n_blocked, n_times):
        total = 0.0
        for channel in range(n_channels):
            total += samples[t, channel]
        mean = total / n_channels
        for channel in range(n_channels):
            out[t, channel] = samples[t, channel] - mean


@kernel("void(float64[:,::1], int64[::1], int64[::1], int64[::1], float64[:,::1])")
def laplacian(
    samples: FloatArray, centres: IntArray, first: IntArray, neighbours: IntArray, out: FloatArray
) -> None:
    """Each centre minus the mean of its neighbours: the small surface Laplacian.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV.
    centres : ``(n_lanes,)`` int64, channel indices.
    first : ``(n_lanes + 1,)`` int64: the neighbours of lane ``i`` are ``neighbours[first[i]:first[i + 1]]``, at
        least one.
    neighbours : ``(n,)`` int64, channel indices.
    out : ``(n_times, n_lanes)`` float64, µV, written.

    Notes
    -----
    Hjorth 1975, Electroencephalography and Clinical Neurophysiology 39, 526–530; for imagined movement:
    McFarland, McCane, David and Wolpaw 1997, the same journal, 103, 386–394.
    """
    for t in range(samples.shape[0]):
        for lane in range(out.shape[1]):
            total = 0.0
            for i in range(first[lane], first[lane + 1]):
                total += samples[t, neighbours[i]]
            out[t, lane] = samples[t, centres[lane]] - total / (first[lane + 1] - first[lane])
