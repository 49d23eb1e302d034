"""How active a signal is: the energy that its amplitude and its frequency make together."""

from __future__ import annotations

from workbench.kernels._jit import FloatArray, kernel


@kernel("void(float64[:,::1], float64[::1])")
def teager_kaiser(window: FloatArray, out: FloatArray) -> None:
    """Mean Teager-Kaiser energy of each lane: ``x[t]² - x[t-1] x[t+1]`` over samples with both neighbours.

    Parameters
    ----------
    window : ``(n_times, n_lanes)`` float64; with fewer than 3 samples the energy is 0.
    out : ``(n_lanes,)`` float64, written, in the squared unit of the window.
    """
    n_times, n_lanes = window.shape
    for lane in range(n_lanes):
        out[lane] = 0.0
    if n_times < 3:
        return
    for t in range(1, n_times - 1):
        for lane in range(n_lanes):
            out[lane] += window[t, lane] * window[t, lane] - window[t - 1, lane] * window[t + 1, lane]
    for lane in range(n_lanes):
        out[lane] /= n_times - 2
