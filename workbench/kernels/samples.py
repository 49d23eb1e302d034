"""What raw samples are worth: hold over missing values, and notice flat channels and fresh starts."""

from __future__ import annotations

from workbench.kernels._jit import FlagArray, FloatArray, IntArray, kernel

IMPLAUSIBLE = 1e9
"""A magnitude from which a value counts as missing: 1 kV in µV. It would poison a filter for minutes."""


@kernel(
    "int64(float64[:,::1], uint8[::1], int64[::1], float64[::1],"
    " int64[::1], float64[:,::1], int64[::1], uint8[::1])"
)
def hold(
    samples: FloatArray, used: FlagArray, limits: IntArray, held: FloatArray,
    run: IntArray, out: FloatArray, clean: IntArray, start: FlagArray,
) -> int:  # fmt: skip
    """Replace missing values by the last good one of their channel, and keep book of what is clean.

    A value is missing when it is not finite or at least 1e9 in magnitude. A channel is flat once it has not
    changed for ``limits[0]`` samples. A row is *clean* when every used channel is neither missing nor flat.
    Filters start afresh at a row where a used channel delivers its first good value or leaves a flat (or
    held) stretch, because its level may have jumped.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV, raw.
    used : ``(n_channels,)`` uint8, 1 where the channel matters.
    limits : ``(3,)`` int64: samples until flat; index of the first row; first clean row so far.
    held : ``(n_channels,)`` float64, µV, last good value, carried.
    run : ``(n_channels,)`` int64, samples since the last change, -1 before the first good value, carried.
    out : ``(n_times, n_channels)`` float64, µV, written: the samples without missing values.
    clean : ``(n_times,)`` int64, written: the stretch of clean rows that ends with this row began there;
        one past the row where the row is not clean.
    start : ``(n_times,)`` uint8, written: 1 where filters start afresh.

    Returns
    -------
    int
        First clean row of the stretch that ends with the last row (``limits[2]`` when there is no row).
    """
    since: int = limits[2]
    for t in range(samples.shape[0]):
        fresh = False
        good = True
        for channel in range(samples.shape[1]):
            value = samples[t, channel]
            matters = used[channel] == 1
            if -IMPLAUSIBLE < value < IMPLAUSIBLE:
                if run[channel] < 0:
                    fresh = fresh or matters
                    run[channel] = 0
                elif value == held[channel]:
                    run[channel] += 1
                else:
                    fresh = fresh or (matters and run[channel] >= limits[0])
                    run[channel] = 0
                held[channel] = value
            else:
                good = good and not matters
                if run[channel] >= 0:
                    run[channel] += 1
            if matters and run[channel] >= limits[0]:
                good = False
            out[t, channel] = held[channel]
        if fresh:
            since = limits[1] + t
        if not good:
            since = limits[1] + t + 1
        clean[t] = since
        start[t] = 1 if fresh else 0
    return since
