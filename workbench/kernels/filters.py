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


@kernel("void(float64[:,::1], float64[:,:,::1], float64[:,::1], float64[:,::1], float64[:,::1])")
def cascade(
    samples: FloatArray, sections: FloatArray, first: FloatArray, second: FloatArray, out: FloatArray
) -> None:
    """A filter bank of second-order sections, every lane with its own coefficients: for few channels.

    Parameters
    ----------
    samples : ``(n_times, n_in)`` float64, µV.
    sections : ``(n_sections, 5, n_lanes)`` float64: b0, b1, b2, a1, a2 (a0 = 1). Lane ``i`` filters input
        ``i % n_in``; ``n_lanes`` is a multiple of ``n_in``.
    first, second : ``(n_sections, n_lanes)`` float64, the two states of each section, carried.
    out : ``(n_times, n_lanes)`` float64, µV, written.

    Notes
    -----
    Transposed direct form II, the form of ``scipy.signal.sosfilt``: Oppenheim and Schafer, Discrete-Time
    Signal Processing, 3rd ed., section 6.3. The two states lie apart so that the compiler can vectorise.
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
                y = sections[s, 0, lane] * x + first[s, lane]
                first[s, lane] = sections[s, 1, lane] * x - sections[s, 3, lane] * y + second[s, lane]
                second[s, lane] = sections[s, 2, lane] * x - sections[s, 4, lane] * y
                out[t, lane] = y


@kernel("void(float64[:,::1], float64[:,:,::1], float64[:,:,::1], float64[:,:,::1], float64[:,:,::1])")
def bank(
    samples: FloatArray, sections: FloatArray, first: FloatArray, second: FloatArray, out: FloatArray
) -> None:
    """The filter bank of :func:`cascade`, band after band: for many channels. The same bits.

    Parameters
    ----------
    samples : ``(n_times, n_in)`` float64, µV.
    sections : ``(n_bands, n_sections, 5)`` float64: b0, b1, b2, a1, a2 (a0 = 1).
    first, second : ``(n_bands, n_sections, n_in)`` float64, the two states of each section, carried.
    out : ``(n_times, n_bands, n_in)`` float64, µV, written.
    """
    n_in = samples.shape[1]
    for band in range(sections.shape[0]):
        for t in range(samples.shape[0]):
            for i in range(n_in):
                out[t, band, i] = samples[t, i]
            for s in range(sections.shape[1]):
                b0, b1, b2 = sections[band, s, 0], sections[band, s, 1], sections[band, s, 2]
                a1, a2 = sections[band, s, 3], sections[band, s, 4]
                for i in range(n_in):
                    x = out[t, band, i]
                    y = b0 * x + first[band, s, i]
                    first[band, s, i] = b1 * x - a1 * y + second[band, s, i]
                    second[band, s, i] = b2 * x - a2 * y
                    out[t, band, i] = y
