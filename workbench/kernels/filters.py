"""Streaming filters: reference, second-order sections with carried state."""

from __future__ import annotations

from workbench.kernels._jit import FloatArray, IntArray, kernel


@kernel("void(float64[:,::1], int64[::1], int64[::1], float64[:,::1])")
def bipolar(samples: FloatArray, plus: IntArray, minus: IntArray, out: FloatArray) -> None:
    """Differences of channels.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV.
    plus, minus : ``(n_lanes,)`` int64, channel indices; lane ``i`` is ``plus[i]`` minus ``minus[i]``.
    out : ``(n_times, n_lanes)`` float64, µV, written.
    """
    for t in range(samples.shape[0]):
        for lane in range(out.shape[1]):
            out[t, lane] = samples[t, plus[lane]] - samples[t, minus[lane]]


@kernel("void(float64[:,::1], float64[:,::1])")
def common_average(samples: FloatArray, out: FloatArray) -> None:
    """Each channel minus the mean of all channels of the same sample.

    Parameters
    ----------
    samples, out : ``(n_times, n_channels)`` float64, µV; ``out`` is written.
    """
    n_channels = samples.shape[1]
    for t in range(samples.shape[0]):
        total = 0.0
        for channel in range(n_channels):
            total += samples[t, channel]
        mean = total / n_channels
        for channel in range(n_channels):
            out[t, channel] = samples[t, channel] - mean


@kernel("void(float64[::1], float64[:,:,::1], float64[:,:,::1])")
def steady(first: FloatArray, rest: FloatArray, state: FloatArray) -> None:
    """State of a cascade that has seen a constant input for ever, so that an offset makes no transient.

    Parameters
    ----------
    first : ``(n_in,)`` float64, µV, the constant.
    rest : ``(n_sections, 2, n_lanes)`` float64, state for a constant input of 1.
    state : same shape, written. Lane ``i`` takes input ``i % n_in``.
    """
    n_in = first.shape[0]
    for section in range(state.shape[0]):
        for k in range(2):
            for lane in range(state.shape[2]):
                state[section, k, lane] = rest[section, k, lane] * first[lane % n_in]


@kernel("void(float64[:,::1], float64[:,:,::1], float64[:,:,::1], float64[:,::1])")
def cascade(samples: FloatArray, sections: FloatArray, state: FloatArray, out: FloatArray) -> None:
    """Second-order sections in transposed direct form II, every lane with its own coefficients.

    Parameters
    ----------
    samples : ``(n_times, n_in)`` float64, µV.
    sections : ``(n_sections, 5, n_lanes)`` float64: b0, b1, b2, a1, a2 (a0 = 1). ``n_lanes`` is a multiple
        of ``n_in``: lane ``i`` filters input ``i % n_in``, so a filter bank is one cascade.
    state : ``(n_sections, 2, n_lanes)`` float64, carried from call to call.
    out : ``(n_times, n_lanes)`` float64, µV, written.

    Notes
    -----
    Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd ed., section 6.3; the form of
    ``scipy.signal.sosfilt``.
    """
    n_in = samples.shape[1]
    n_lanes = out.shape[1]
    for t in range(samples.shape[0]):
        for start in range(0, n_lanes, n_in):
            for i in range(n_in):
                out[t, start + i] = samples[t, i]
        for s in range(sections.shape[0]):
            for lane in range(n_lanes):
                x = out[t, lane]
                y = sections[s, 0, lane] * x + state[s, 0, lane]
                state[s, 0, lane] = sections[s, 1, lane] * x - sections[s, 3, lane] * y + state[s, 1, lane]
                state[s, 1, lane] = sections[s, 2, lane] * x - sections[s, 4, lane] * y
                out[t, lane] = y
