"""Time stamps: a causal loop that removes jitter and finds gaps."""

from __future__ import annotations

from workbench.kernels._jit import FloatArray, kernel


@kernel("int64(float64[::1], float64, float64[::1], float64[::1], float64[::1], float64[::1])")
def dejitter(
    raw: FloatArray,
    offset: float,
    constants: FloatArray,
    loop: FloatArray,
    out: FloatArray,
    missing: FloatArray,
) -> int:
    """Follow raw stamps with a second-order loop; start anew where they jump.

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
        seen = raw[i] + offset
        missing[i] = 0.0
        if loop[2] == 0.0:
            loop[2] = 1.0
            loop[0] = seen
        else:
            expected = loop[0] + loop[1]
            error = seen - expected
            if -constants[2] <= error <= constants[2]:
                loop[0] = expected + constants[0] * error
                loop[1] = min(max(loop[1] + constants[1] * error, constants[3]), constants[4])
            else:
                missing[i] = error
                jumps += 1
                loop[0] = seen
        out[i] = loop[0]
    return jumps
