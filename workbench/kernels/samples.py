"""Validity of raw samples: missing values are held over, flat channels and restarts detected."""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FlagArray, FloatArray, IntArray, kernel, part

IMPLAUSIBLE = 1e9
"""A magnitude from which a value counts as missing: 1 kV in µV. It would poison a filter for minutes."""


@part
def plain(samples: FloatArray, held: FloatArray, run: IntArray, flat: int) -> bool:
    """Whether there is a row, every value is good and differs from the one before it, and no channel was flat.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV. held : ``(n_channels,)`` float64, the last good row.
    run : ``(n_channels,)`` int64, samples for which each channel has not changed, negative while it is missing.
    flat : samples after which a channel counts as flat.
    """
    flagged = np.int64(1 if samples.shape[0] == 0 else 0)
    for channel in range(samples.shape[1]):
        flagged |= np.int64((run[channel] < 0) | (run[channel] >= flat))
    before = held
    for t in range(samples.shape[0]):
        if flagged != 0:
            return False
        row = samples[t]
        for channel in range(samples.shape[1]):
            value = row[channel]
            # Gathered with | instead of leaving the loop, so that it vectorises. Negated, so that nan is flagged.
            flagged |= np.int64((not abs(value) < IMPLAUSIBLE) | (value == before[channel]))
        before = row
    return bool(flagged == 0)


@kernel(
    "int64(float64[:,::1], uint8[::1], int64[::1], float64[::1],"
    " int64[::1], float64[:,::1], int64[::1], int64[::1])"
)
def hold(
    samples: FloatArray, used: FlagArray, counters: IntArray, held: FloatArray,
    run: IntArray, out: FloatArray, clean: IntArray, start: IntArray,
) -> int:  # fmt: skip
    """Replace missing values by the last good one of their channel, and track which rows are clean.

    A value is missing when it is not finite or at least 1e9 in magnitude. A channel is flat once it has not
    changed for ``counters[0]`` samples. A row is *clean* when every used channel is neither missing nor flat.
    Filters restart at a row where a used channel delivers its first good value or leaves a flat (or
    held) stretch, because its level may have jumped.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV, raw.
    used : ``(n_channels,)`` uint8, 1 where the channel matters.
    counters : ``(3,)`` int64, carried: samples until flat, at least 1; index of the next row; first clean row of
        the stretch that ends before it.
    held : ``(n_channels,)`` float64, µV, last good value, carried.
    run : ``(n_channels,)`` int64, samples since the last change, -1 before the first good value, carried.
    out : ``(n_times, n_channels)`` float64, µV, written unless -1 is returned: the samples without missing values.
    clean : ``(n_times,)`` int64, written: the stretch of clean rows that ends with this row began there;
        one past the row where the row is not clean.
    start : ``(n_times,)`` int64, written as far as is returned: rows at which filters restart, ascending.

    Returns
    -------
    int
        Number of rows at which filters restart; -1 when there are none and the samples can be used as they are.
    """
    flat, since, n_times = counters[0], counters[2], samples.shape[0]
    if plain(samples, held, run, flat):
        for channel in range(samples.shape[1]):
            held[channel], run[channel] = samples[n_times - 1, channel], 0
        clean[:] = since
        counters[1] += n_times
        return -1  # nearly every chunk of a good recording: nothing is copied
    count = 0
    for t in range(n_times):
        fresh, bad = 0, 0
        row, filled = samples[t], out[t]
        for channel in range(samples.shape[1]):
            value, last, length = row[channel], held[channel], run[channel]
            good = abs(value) < IMPLAUSIBLE
            changed = good and value != last
            # -1 stays -1 until the first good value, so that this value is recognised as a start.
            unchanged = 0 if changed else length + (1 if good or length >= 0 else 0)
            fresh |= used[channel] & np.int64(good & ((length < 0) | (changed & (length >= flat))))
            bad |= used[channel] & np.int64((not good) | (unchanged >= flat))
            # A short dropout is held over without a restart: the level cannot have moved far in the meantime.
            last = value if good else last
            held[channel], filled[channel], run[channel] = last, last, unchanged
        if fresh != 0:
            since = counters[1] + t
            start[count] = t
            count += 1
        if bad != 0:
            since = counters[1] + t + 1
        clean[t] = since
    counters[1] += n_times
    counters[2] = since
    return count
