"""Cycles of a filtered signal: where the last two began."""

from __future__ import annotations

from workbench.kernels._jit import FloatArray, kernel


@kernel("void(float64[::1], float64, float64[::1])")
def last_cycles(wave: FloatArray, threshold: float, out: FloatArray) -> None:
    """Where a wave last went up through zero, and where before that, in samples between samples.

    Parameters
    ----------
    wave : ``(n_times,)`` float64.
    threshold : a cycle only begins where the wave has been below minus this since the last one, so that noise
        about zero begins none.
    out : ``(2,)`` float64, written: place of the last beginning and of the one before; -1 for none.
    """
    out[0] = -1.0
    out[1] = -1.0
    was_below = False
    for t in range(1, wave.shape[0]):
        before, now = wave[t - 1], wave[t]
        was_below = was_below or before < -threshold
        if was_below and before < 0.0 and now >= 0.0:
            out[1] = out[0]
            out[0] = t - 1 + before / (before - now)
            was_below = False
