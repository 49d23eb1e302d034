"""Resampling by a ratio of integers."""

from __future__ import annotations

from workbench.kernels._jit import FloatArray, kernel


@kernel("void(float64[:,::1], float64[:,::1], int64, int64, float64[:,::1])")
def polyphase(samples: FloatArray, taps: FloatArray, start: int, step: int, out: FloatArray) -> None:
    """Weighted sums of the rows up to each output's position, with the taps of its phase.

    Parameters
    ----------
    samples : ``(n_rows, n_channels)`` float64, any unit.
    taps : ``(n_phases, n_taps)`` float64: a row for each phase between two samples, oldest sample first.
    start, step : position of the first output, and step to the next, in ``n_phases``-ths of a row. Each output
        needs the row at or before its position and the ``n_taps - 1`` before that, which the caller provides.
    out : ``(n_out, n_channels)`` float64, written.

    Notes
    -----
    Crochiere and Rabiner 1981, Proceedings of the IEEE 69, 300–331. Each sum runs from the oldest sample to the
    newest.
    """
    n_phases, n_taps = taps.shape
    for k in range(out.shape[0]):
        position = start + k * step
        row, weights, y = position // n_phases - n_taps + 1, taps[position % n_phases], out[k]
        for channel in range(y.shape[0]):
            y[channel] = 0.0
        for i in range(n_taps):
            weight, x = weights[i], samples[row + i]
            for channel in range(y.shape[0]):
                y[channel] += weight * x[channel]
