"""Time stamps: causal loops that remove jitter and find gaps.

:func:`follow` separates jitter from loss. :func:`dejitter` is the rule of earlier recordings and stays, so that
they are always read as they were.
"""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, IntArray, kernel, part

GAIN, DRIFT, TOLERANCE, SHORTEST, LONGEST, JITTER, CONFIRM, FIRST, STEP = range(9)
"""Places in the constants of :func:`follow`: phase gain; period gain; tolerance, s; shortest and longest period,
s; longest lateness that can be jitter, s; samples after which a difference that stays is a jump; samples of the
first averaging; step above which a stamp begins a burst, s."""

PHASE, PERIOD, AGE, OPEN, LINE, PACE, SUM, SIDE, BURSTS, SINCE, USUAL, LAST, KNOWN, ROW, LOST = range(15)
"""Places in the state of :func:`follow`: last smoothed stamp, s; period, s; samples since the start or the last
jump at once, 0 before the start; samples of the open candidate, 0 without one; its line, where the stamps would be
without it, s, and the period of that, s; sum of its differences, s; its side, 1 or −1; bursts in it; samples since
the last burst; usual samples of a burst; last stamp, s; a jump that is already known, s; bursts in a row; time
of samples that are counted as lost, s."""

ENOUGH_BURSTS = 16.0
"""Bursts that must all lie on one side before their difference is a jump: where late and early are equally likely,
that happens by chance in 1 of 65,536 cases."""

LONGEST_WAIT = 8.0
"""The samples of confirmation times this are enough, however long the bursts are."""

SETTLED = 1e18
"""Age after the first averaging, which bursts that begin later do not bring back."""

FIRST_BURSTS = 4.0
"""Bursts in a row that make a stream one that comes in bursts; the first averaging takes in as many."""


@kernel("int64(float64[::1], float64, float64[::1], float64[::1], float64[::1], float64[::1])")
def dejitter(
    raw: FloatArray,
    offset: float,
    constants: FloatArray,
    loop: FloatArray,
    out: FloatArray,
    missing: FloatArray,
) -> int:
    """Follow raw stamps with a second-order loop; restart where they jump.

    Parameters
    ----------
    raw : ``(n,)`` float64, s. offset : s, added to each stamp.
    constants : ``(5,)`` float64: phase gain, period gain, tolerance in s, shortest and longest period in s.
    loop : ``(3,)`` float64, carried: last stamp in s, period in s, 1 once started.
    out : ``(n,)`` float64, s, written: smoothed stamps, increasing between jumps.
    missing : ``(n,)`` float64, s, written: 0, or by how much the row comes later (negative: earlier) than the
        loop expected, where that is more than the tolerance.

    Returns
    -------
    int
        Number of jumps.

    Notes
    -----
    A phase-locked loop of second order, Gardner, Phaselock Techniques, 3rd ed., chapter 2; with period gain =
    phase gain²/4 it is critically damped.
    """
    jumps = 0
    for i in range(raw.shape[0]):
        stamp = raw[i] + offset
        missing[i] = 0.0
        if loop[2] == 0.0:
            loop[2] = 1.0
            loop[0] = stamp
        else:
            expected = loop[0] + loop[1]
            error = stamp - expected
            if -constants[2] <= error <= constants[2]:
                loop[0] = expected + constants[0] * error
                loop[1] = min(max(loop[1] + constants[1] * error, constants[3]), constants[4])
            else:
                missing[i] = error
                jumps += 1
                loop[0] = stamp
        out[i] = loop[0]
    return jumps


@part
def _note_burst(loop: FloatArray, constants: FloatArray, stamp: float) -> float:
    """1 where a stamp begins a burst, not following the last one by a period, else 0. Keeps the usual length."""
    loop[SINCE] += 1.0
    burst = 1.0 if abs(stamp - loop[LAST] - loop[PERIOD]) > constants[STEP] else 0.0
    loop[LAST] = stamp
    if burst > 0.0:
        loop[ROW] += 1.0
        # After so long a regular stretch the length of the earlier bursts says nothing about the next.
        if loop[SINCE] > LONGEST_WAIT * constants[CONFIRM]:
            loop[USUAL], loop[ROW] = 0.0, 0.0
        elif loop[USUAL] == 0.0:
            loop[USUAL] = loop[SINCE]
        else:
            # An exponential mean over about five bursts.
            loop[USUAL] += 0.2 * (loop[SINCE] - loop[USUAL])
        loop[SINCE] = 0.0
    return burst


@part
def _judge(loop: FloatArray, constants: FloatArray, error: float, deviation: float, burst: float) -> float:
    """Open, keep or close the candidate; the size of the jump when it is one by now, else 0."""
    # Back within the tolerance or on the other side: it was jitter.
    if loop[OPEN] > 0.0 and deviation * loop[SIDE] <= constants[TOLERANCE]:
        loop[OPEN] = 0.0
    if loop[OPEN] == 0.0:
        if abs(error) > constants[TOLERANCE]:
            loop[OPEN], loop[SUM], loop[BURSTS] = 1.0, error, 0.0
            loop[SIDE] = 1.0 if error > 0.0 else -1.0
            # The line continues without the candidate's samples, which pull the loop towards them meanwhile.
            loop[LINE], loop[PACE] = loop[PHASE] + loop[PERIOD], loop[PERIOD]
        return 0.0
    loop[OPEN] += 1.0
    loop[SUM] += deviation
    loop[BURSTS] += burst
    # A stream that is regular but for a step or two does not come in bursts.
    usual = loop[USUAL] if loop[ROW] >= FIRST_BURSTS else 0.0
    long_enough = loop[OPEN] >= ENOUGH_BURSTS * usual or loop[OPEN] >= LONGEST_WAIT * constants[CONFIRM]
    if loop[OPEN] < constants[CONFIRM] or not (loop[BURSTS] >= ENOUGH_BURSTS or long_enough):
        return 0.0
    return float(loop[SUM] / loop[OPEN])


@part
def _advance(loop: FloatArray, constants: FloatArray, stamp: float) -> float:
    """Take one stamp; the size of the jump before it, s, 0 for none."""
    burst = _note_burst(loop, constants, stamp)
    expected = loop[PHASE] + loop[PERIOD]
    error = stamp - expected
    loop[LINE] += loop[PACE]
    deviation = stamp - loop[LINE] if loop[OPEN] > 0.0 else error
    # Too far for any jitter: no confirmation is awaited.
    if abs(deviation) > constants[JITTER]:
        loop[PHASE], loop[AGE], loop[OPEN] = stamp, 1.0, 0.0
        return float(deviation)
    if loop[AGE] < constants[FIRST] or loop[AGE] < FIRST_BURSTS * loop[USUAL]:
        # The first stamps are averaged: one that comes late would otherwise be taken for the truth.
        gain = max(constants[GAIN], 1.0 / (loop[AGE] + 1.0))
        loop[AGE] += 1.0
        loop[PHASE] = max(expected + gain * error, loop[PHASE] + 0.1 * loop[PERIOD])
        return 0.0
    loop[AGE] = SETTLED
    jump = _judge(loop, constants, error, deviation, burst)
    if jump != 0.0:
        # From the line before the candidate: the loop itself has been pulled towards it.
        loop[PHASE], loop[PERIOD], loop[OPEN] = loop[LINE] + jump, loop[PACE], 0.0
        return jump
    # Clipped (Huber), so that the loop settles at the middle of the jitter and no burst pulls it away.
    clipped = min(max(error, -constants[TOLERANCE]), constants[TOLERANCE])
    loop[PHASE] = max(expected + constants[GAIN] * clipped, loop[PHASE] + 0.1 * loop[PERIOD])
    loop[PERIOD] = min(max(loop[PERIOD] + constants[DRIFT] * clipped, constants[SHORTEST]), constants[LONGEST])
    return 0.0


@part
def _pass_over(loop: FloatArray) -> None:
    """A sample without a usable stamp: everything moves by a period."""
    if loop[AGE] > 0.0:
        loop[PHASE] += loop[PERIOD]
        loop[LINE] += loop[PACE]
        loop[LAST] += loop[PERIOD]
        loop[SINCE] += 1.0


@part
def _known(loop: FloatArray, stamp: float) -> float:
    """Make a jump that is already known: it needs no candidate. Its size, s, 0 for none.

    Samples that are counted as lost are a jump where the stamps are nearer to it than to none: some drivers stamp
    by counting what they have.
    """
    jump = loop[KNOWN]
    error = stamp - (loop[PHASE] + loop[PERIOD] + jump)
    if loop[LOST] != 0.0 and abs(error - loop[LOST]) < abs(error):
        jump += loop[LOST]
    loop[LOST] = 0.0
    if jump != 0.0:
        loop[PHASE] += jump
        loop[LINE] += jump
        loop[LAST] += jump
        loop[KNOWN] = 0.0
    return float(jump)


@kernel("float64(float64[::1], float64[::1], float64[::1], int64[::1])")
def tally(stamps: FloatArray, jitter: FloatArray, edges: FloatArray, counts: IntArray) -> float:
    """Enter the size of jitter in a histogram.

    Parameters
    ----------
    stamps : ``(n,)`` float64, s; where one is not finite nothing was received, and nothing is entered.
    jitter : ``(n,)`` float64, s, of :func:`follow`.
    edges : ``(n_bins,)`` float64, s, increasing from 0: the lower edge of each bin; the last bin is open.
    counts : ``(n_bins,)`` int64, changed: stamps in each bin.

    Returns
    -------
    float
        Largest size entered, s; 0 without any.
    """
    largest = 0.0
    for i in range(stamps.shape[0]):
        if not np.isfinite(stamps[i]):
            continue
        size = abs(jitter[i])
        low, high = 0, edges.shape[0]
        while high - low > 1:
            middle = (low + high) // 2
            if size < edges[middle]:
                high = middle
            else:
                low = middle
        counts[low] += 1
        largest = max(largest, size)
    return largest


@kernel("int64(float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1])")
def follow(
    stamps: FloatArray,
    constants: FloatArray,
    loop: FloatArray,
    out: FloatArray,
    missing: FloatArray,
    jitter: FloatArray,
) -> int:
    """Follow stamps with a second-order loop; jitter is smoothed, what cannot be jitter is a jump.

    Parameters
    ----------
    stamps : ``(n,)`` float64, s; a value that is not finite counts as not received.
    constants : ``(9,)`` float64, see :data:`GAIN`. loop : ``(15,)`` float64, carried, see :data:`PHASE`.
    out : ``(n,)`` float64, s, written: smoothed stamps, increasing between jumps.
    missing : ``(n,)`` float64, s, written: 0, or by how much the stream comes later (negative: earlier) from here
        on than the loop expected.
    jitter : ``(n,)`` float64, s, written: stamp minus smoothed stamp; 0 where no stamp was received.

    Returns
    -------
    int
        Number of jumps.

    Notes
    -----
    A stamp that differs by more than the tolerance opens a candidate. Stamps that come back to the candidate's
    line close it: that was jitter. A difference that stays on one side for the samples of confirmation and for
    ``ENOUGH_BURSTS`` bursts is a jump of its mean; one that is longer than any jitter is a jump at once.

    A phase-locked loop of second order, Gardner, Phaselock Techniques, 3rd ed., chapter 2; the clipping is
    Huber's, doi:10.1214/aoms/1177703732.
    """
    jumps = 0
    for i in range(stamps.shape[0]):
        stamp, jump = stamps[i], 0.0
        missing[i], jitter[i] = 0.0, 0.0
        if not np.isfinite(stamp):
            _pass_over(loop)
        elif loop[AGE] == 0.0:
            loop[AGE], loop[PHASE], loop[LAST], loop[KNOWN] = 1.0, stamp, stamp, 0.0
        else:
            # Known jumps first, so that _advance judges only what they leave unexplained.
            jump = _known(loop, stamp) + _advance(loop, constants, stamp)
            jitter[i] = stamp - loop[PHASE]
        if jump != 0.0:
            missing[i] = jump
            jumps += 1
        out[i] = loop[PHASE]
    return jumps
