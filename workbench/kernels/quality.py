"""Statistics of signal quality for each channel: missing, flat, saturated, mains, amplitude."""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel, part

N_MISSING, USED, FIRST, SUM, SQUARES, LOW, HIGH, N_LOW, N_HIGH, BEGUN, LONGEST, RUN, COSINES, SINES = range(14)
"""Columns of a block of :func:`gather`."""
N_STATISTICS = 14

IMPLAUSIBLE = 1e9
"""A magnitude from which a value counts as missing, as in ``kernels.samples``."""


@kernel("void(float64[:,::1], float64[::1], float64[:,::1], float64[:,::1], float64[:,::1])")
def gather(
    samples: FloatArray, factors: FloatArray, waves: FloatArray, last: FloatArray, block: FloatArray
) -> None:
    """Add samples to the statistics of a block: every sample is read once, and none is kept.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, in the unit of the stream; they follow those before.
    factors : ``(n_channels,)`` float64, from the unit of each channel to the one that it is judged in.
    waves : ``(n_times, 2)`` float64: cosine and sine of the mains line, from the beginning of the block on.
    last : ``(n_channels, 2)`` float64, changed: the last good value, and 1 once there is one.
    block : ``(n_channels, 14)`` float64, changed, zeros at first. In the order of its columns: missing values;
        values used, a missing one as the last good one before it (one before any good value is left out); the
        first of them; the sum of their differences from it, and of the squares of these; the smallest and the
        largest value and how often each came; how many values from the beginning on, how many in a row at most and
        how many at the end were equal to the one before; and the sums of the differences times ``waves``.
    """
    n_times, n_channels = samples.shape
    for channel in range(n_channels):
        factor, before, known = factors[channel], last[channel, 0], last[channel, 1]
        missing, used, first = block[channel, 0], block[channel, 1], block[channel, 2]
        total, squares = block[channel, 3], block[channel, 4]
        low, high, n_low, n_high = block[channel, 5], block[channel, 6], block[channel, 7], block[channel, 8]
        begun, longest, run = block[channel, 9], block[channel, 10], block[channel, 11]
        cosines, sines = block[channel, 12], block[channel, 13]
        for t in range(n_times):
            value = samples[t, channel] * factor
            if not -IMPLAUSIBLE < value < IMPLAUSIBLE:
                missing += 1.0
                if known == 0.0:
                    continue
                value = before
            run = run + 1.0 if known == 1.0 and value == before else 0.0
            before, known = value, 1.0
            if used == 0.0:
                first, low, high = value, value, value
            used += 1.0
            longest = max(longest, run)
            if run == used:
                begun = run
            if value == low:
                n_low += 1.0
            elif value < low:
                low, n_low = value, 1.0
            if value == high:
                n_high += 1.0
            elif value > high:
                high, n_high = value, 1.0
            difference = value - first
            total += difference
            squares += difference * difference
            cosines += difference * waves[t, 0]
            sines += difference * waves[t, 1]
        last[channel, 0], last[channel, 1] = before, known
        block[channel, 0], block[channel, 1], block[channel, 2] = missing, used, first
        block[channel, 3], block[channel, 4] = total, squares
        block[channel, 5], block[channel, 6], block[channel, 7], block[channel, 8] = low, high, n_low, n_high
        block[channel, 9], block[channel, 10], block[channel, 11] = begun, longest, run
        block[channel, 12], block[channel, 13] = cosines, sines


@part
def cosine_near_zero(x: float) -> float:
    """Cosine of an angle between 0 and π/4 by its Taylor series."""
    term, total = 1.0, 1.0
    for n in range(1, 21, 2):
        term = -term * x * x / (n * (n + 1))
        total += term
    return total


@part
def cosine(angle: float) -> float:
    """Cosine of an angle between 0 and π by its Taylor series, about the nearer of 0, π/2 and π."""
    # Own series in place of the C library's cosine, whose last bit differs between processors; each of the
    # three expansions stays within π/4 of its centre, where ten terms reach the rounding error.
    quarter = 1.5707963267948966
    if angle > 1.5 * quarter:
        return -cosine_near_zero(2.0 * quarter - angle)
    if angle < 0.5 * quarter:
        return cosine_near_zero(angle)
    x = quarter - angle
    term, total = x, x
    for n in range(2, 22, 2):
        term = -term * x * x / (n * (n + 1))
        total += term
    return total


@kernel("void(float64, float64[:,::1])")
def turning(angle: float, out: FloatArray) -> None:
    """Cosine and sine of 0, 1, 2 … times an angle, each turned on from the one before.

    Parameters
    ----------
    angle : above 0 and below π.
    out : ``(n, 2)`` float64, written; right to 1e-8 for thousands of them.
    """
    cosine_of, c, s = cosine(angle), 1.0, 0.0
    sine_of = np.sqrt(1.0 - cosine_of * cosine_of)
    for t in range(len(out)):
        out[t, 0], out[t, 1] = c, s
        c, s = c * cosine_of - s * sine_of, s * cosine_of + c * sine_of
