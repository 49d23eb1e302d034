"""Statistics of signal quality for each channel: missing, flat, saturated, mains, amplitude."""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel, part

MISSING, STILL, RAIL, RMS, LINE, PEAK = range(6)
"""Columns of the table that :func:`statistics` writes."""

IMPLAUSIBLE = 1e9
"""A magnitude from which a value counts as missing, as in ``kernels.samples``."""


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def statistics(samples: FloatArray, filled: FloatArray, out: FloatArray) -> None:
    """Statistics of each channel over a window; the column of the mains line is left alone.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV; at least one sample.
    filled : ``(n_channels, n_times)`` float64, µV, written: missing values replaced by the last good one (by
        the first good one before it), minus the channel's mean.
    out : ``(n_channels, 6)`` float64, written: share of missing values; longest stretch without change, in
        samples; share of values equal to the smallest or the largest one; root mean square about the mean,
        µV; (mains); largest magnitude, µV. Missing values count in the first two columns and are filled
        in for the others.
    """
    n_times, n_channels = samples.shape
    for channel in range(n_channels):
        # Backwards to the first good value, which stands in for the missing ones before it.
        last = 0.0
        for t in range(n_times - 1, -1, -1):
            if -IMPLAUSIBLE < samples[t, channel] < IMPLAUSIBLE:
                last = samples[t, channel]
        n_missing, still, longest = 0, 0, 0
        low, high, total = last, last, 0.0
        for t in range(n_times):
            value = samples[t, channel]
            if not -IMPLAUSIBLE < value < IMPLAUSIBLE:
                n_missing += 1
                value = last
            still = still + 1 if value == last else 0
            longest = max(longest, still)
            low, high = min(low, value), max(high, value)
            total += value
            filled[channel, t] = value
            last = value
        mean, n_rail, square = total / n_times, 0, 0.0
        for t in range(n_times):
            if filled[channel, t] == low or filled[channel, t] == high:
                n_rail += 1
            filled[channel, t] -= mean
            square += filled[channel, t] * filled[channel, t]
        out[channel, 0] = n_missing / n_times
        out[channel, 1] = longest
        out[channel, 2] = n_rail / n_times
        out[channel, 3] = np.sqrt(square / n_times)
        out[channel, 5] = max(-low, high)


@kernel("void(float64[:,::1], float64, float64[:,::1])")
def mains(centred: FloatArray, cosine: float, out: FloatArray) -> None:
    """Share of each channel's variance that lies in the mains line.

    Parameters
    ----------
    centred : ``(n_channels, n_times)`` float64, µV, about the mean, as :func:`statistics` leaves it.
    cosine : of the mains frequency's angle a sample, 2π f / fs.
    out : ``(n_channels, 6)`` float64; column 4 is written, 0–1; column 3 is read.

    Notes
    -----
    The line's power is that of a Goertzel resonator, Goertzel 1958, doi:10.2307/2310304.
    """
    n_channels, n_times = centred.shape
    for channel in range(n_channels):
        previous, current = 0.0, 0.0
        for t in range(n_times):
            previous, current = current, centred[channel, t] + 2.0 * cosine * current - previous
        power = (
            2.0 * (current * current + previous * previous - 2.0 * cosine * current * previous) / n_times / n_times
        )
        variance = out[channel, 3] * out[channel, 3]
        # Over a window that is not an integer number of periods the estimate can exceed the variance a little.
        out[channel, 4] = min(power / variance, 1.0) if variance > 0.0 else 0.0


@part
def cosine_near_zero(x: float) -> float:
    """Cosine of an angle between 0 and π/4 by its Taylor series."""
    term, total = 1.0, 1.0
    for n in range(1, 21, 2):
        term = -term * x * x / (n * (n + 1))
        total += term
    return total


@kernel("float64(float64)")
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
