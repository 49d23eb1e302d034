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
def _longest(blocks: FloatArray, channel: int, newest: int) -> float:
    """Most values of a channel in a row that equal the one before."""
    n_blocks, longest, run = blocks.shape[0], 0.0, 0.0
    for k in range(max(0, n_blocks - 1 - newest), n_blocks):
        block = blocks[(newest + 1 + k) % n_blocks, channel]
        begun = run + block[9]
        longest = max(longest, begun, block[10])
        run = begun if block[9] == block[1] else block[11]
    return longest


@part
def _line(
    blocks: FloatArray,
    channel: int,
    newest: int,
    mean: float,
    turn: FloatArray,
    whole_sums: FloatArray,
    newest_sums: FloatArray,
) -> float:
    """2 |X|² of a channel, with X the Fourier coefficient at the mains line, about the mean."""
    n_blocks = blocks.shape[0]
    first_kept = max(0, n_blocks - 1 - newest)
    real, imaginary, c, s = 0.0, 0.0, 1.0, 0.0
    for k in range(n_blocks):
        # The part of each block is turned by as much as the block lies later.
        c, s = c * turn[0] - s * turn[1], s * turn[0] + c * turn[1]
        if k < first_kept:
            continue
        block = blocks[(newest + 1 + k) % n_blocks, channel]
        sums = newest_sums if k == n_blocks - 1 else whole_sums
        x = block[12] + (block[2] - mean) * sums[0]
        y = block[13] + (block[2] - mean) * sums[1]
        # (c − i s) (x − i y)
        real += c * x - s * y
        imaginary -= c * y + s * x
    return 2.0 * (real * real + imaginary * imaginary)


@kernel("void(float64[:,:,::1], int64, int64, int64, float64[::1], float64[:,::1], float64[:,::1])")
def combine(
    blocks: FloatArray,
    newest: int,
    n_newest: int,
    n_block: int,
    turn: FloatArray,
    sums: FloatArray,
    out: FloatArray,
) -> None:
    """Statistics of a whole window from those of its blocks.

    Parameters
    ----------
    blocks : ``(n_blocks, n_channels, 14)`` float64, a ring of blocks of :func:`gather`.
    newest : running number of the newest block; its slot is that number modulo ``n_blocks``.
    n_newest, n_block : samples of the newest block and of every other one, missing ones among them.
    turn : ``(2,)`` float64: cosine and sine by which the mains line turns from one block to the next.
    sums : ``(n_block + 1, 2)`` float64: row n holds the sums of cosine and sine over the first n of a block.
    out : ``(n_channels, 6)`` float64, written: share of missing values; longest stretch without change, samples;
        share of values equal to the smallest or the largest one; root mean square about the mean; share of the
        variance in the mains line, 0–1; largest magnitude.
    """
    n_blocks, n_channels = blocks.shape[0], blocks.shape[1]
    first_kept = max(0, n_blocks - 1 - newest)
    n_all = float((n_blocks - 1 - first_kept) * n_block + n_newest)
    for channel in range(n_channels):
        missing, n, total = 0.0, 0.0, 0.0
        low, high = np.inf, -np.inf
        for k in range(first_kept, n_blocks):
            block = blocks[(newest + 1 + k) % n_blocks, channel]
            missing += block[0]
            used = block[1]
            if used > 0.0:
                n += used
                total += used * (block[2] + block[3] / used)
                low, high = min(low, block[5]), max(high, block[6])
        mean = total / n if n > 0.0 else 0.0
        squares, at_low, at_high = 0.0, 0.0, 0.0
        for k in range(first_kept, n_blocks):
            block = blocks[(newest + 1 + k) % n_blocks, channel]
            used, first = block[1], block[2]
            # Squares about the mean of each block come together as in Chan, Golub and LeVeque 1983,
            # doi:10.1080/00031305.1983.10483115.
            own = block[3] / used if used > 0.0 else 0.0
            squares += block[4] - used * own * own + used * (first + own - mean) ** 2
            if used > 0.0 and block[5] == low:
                at_low += block[7]
            if used > 0.0 and block[6] == high:
                at_high += block[8]
        # Of a constant, rounding may leave less than nothing.
        variance = max(squares / n, 0.0) if n > 0.0 else 0.0
        line, whole = _line(blocks, channel, newest, mean, turn, sums[n_block], sums[n_newest]), n * n * variance
        out[channel, 0] = missing / n_all
        out[channel, 1] = _longest(blocks, channel, newest)
        out[channel, 2] = 0.0 if n == 0.0 else 1.0 if low == high else (at_low + at_high) / n
        out[channel, 3] = np.sqrt(variance)
        out[channel, 4] = min(line / whole, 1.0) if whole > 0.0 else 0.0
        out[channel, 5] = max(-low, high) if n > 0.0 else 0.0


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
