"""Second-order sections, two and two samples at a time. Written by ``kernels.generate``; do not edit.

Transposed direct form II, the form of ``scipy.signal.sosfilt``: Oppenheim and Schafer, Discrete-Time Signal
Processing, 3rd ed., section 6.3. States of even and odd sections, and the two states of a section, lie apart, so
that the compiler sees that they do not overlap.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from workbench.kernels._jit import FloatArray, kernel, part

loop = partial(part, inline="always")


@loop
def band_2_2(
    x0: FloatArray,
    x1: FloatArray,
    c0: FloatArray,
    c1: FloatArray,
    first: FloatArray,
    second: FloatArray,
    first_odd: FloatArray,
    second_odd: FloatArray,
) -> None:
    """Sections: 2; samples: 2; the same coefficients for every lane.

    Parameters
    ----------
    x0, x1 : ``(n_lanes,)`` float64, a sample of each lane; overwritten by the output.
    c0, c1 : ``(5,)`` float64: b0, b1, b2, a1, a2.
    first, second, first_odd, second_odd : ``(n_lanes,)`` float64, carried.
    """
    k00, k01, k02, k03, k04 = c0[0], c0[1], c0[2], c0[3], c0[4]
    k10, k11, k12, k13, k14 = c1[0], c1[1], c1[2], c1[3], c1[4]
    for i in range(x0.shape[0]):
        y0 = x0[i]
        y1 = x1[i]
        p, q = first[i], second[i]
        x = y0
        y0 = k00 * x + p
        p = k01 * x - k03 * y0 + q
        q = k02 * x - k04 * y0
        x = y1
        y1 = k00 * x + p
        p = k01 * x - k03 * y1 + q
        q = k02 * x - k04 * y1
        first[i], second[i] = p, q
        p, q = first_odd[i], second_odd[i]
        x = y0
        y0 = k10 * x + p
        p = k11 * x - k13 * y0 + q
        q = k12 * x - k14 * y0
        x = y1
        y1 = k10 * x + p
        p = k11 * x - k13 * y1 + q
        q = k12 * x - k14 * y1
        first_odd[i], second_odd[i] = p, q
        x0[i] = y0
        x1[i] = y1


@loop
def band_2_1(
    x0: FloatArray,
    c0: FloatArray,
    c1: FloatArray,
    first: FloatArray,
    second: FloatArray,
    first_odd: FloatArray,
    second_odd: FloatArray,
) -> None:
    """Sections: 2; samples: 1; the same coefficients for every lane.

    Parameters
    ----------
    x0 : ``(n_lanes,)`` float64, a sample of each lane; overwritten by the output.
    c0, c1 : ``(5,)`` float64: b0, b1, b2, a1, a2.
    first, second, first_odd, second_odd : ``(n_lanes,)`` float64, carried.
    """
    k00, k01, k02, k03, k04 = c0[0], c0[1], c0[2], c0[3], c0[4]
    k10, k11, k12, k13, k14 = c1[0], c1[1], c1[2], c1[3], c1[4]
    for i in range(x0.shape[0]):
        y0 = x0[i]
        p, q = first[i], second[i]
        x = y0
        y0 = k00 * x + p
        p = k01 * x - k03 * y0 + q
        q = k02 * x - k04 * y0
        first[i], second[i] = p, q
        p, q = first_odd[i], second_odd[i]
        x = y0
        y0 = k10 * x + p
        p = k11 * x - k13 * y0 + q
        q = k12 * x - k14 * y0
        first_odd[i], second_odd[i] = p, q
        x0[i] = y0


@loop
def band_1_2(
    x0: FloatArray,
    x1: FloatArray,
    c0: FloatArray,
    first: FloatArray,
    second: FloatArray,
) -> None:
    """Sections: 1; samples: 2; the same coefficients for every lane.

    Parameters
    ----------
    x0, x1 : ``(n_lanes,)`` float64, a sample of each lane; overwritten by the output.
    c0 : ``(5,)`` float64: b0, b1, b2, a1, a2.
    first, second : ``(n_lanes,)`` float64, carried.
    """
    k00, k01, k02, k03, k04 = c0[0], c0[1], c0[2], c0[3], c0[4]
    for i in range(x0.shape[0]):
        y0 = x0[i]
        y1 = x1[i]
        p, q = first[i], second[i]
        x = y0
        y0 = k00 * x + p
        p = k01 * x - k03 * y0 + q
        q = k02 * x - k04 * y0
        x = y1
        y1 = k00 * x + p
        p = k01 * x - k03 * y1 + q
        q = k02 * x - k04 * y1
        first[i], second[i] = p, q
        x0[i] = y0
        x1[i] = y1


@loop
def band_1_1(
    x0: FloatArray,
    c0: FloatArray,
    first: FloatArray,
    second: FloatArray,
) -> None:
    """Sections: 1; samples: 1; the same coefficients for every lane.

    Parameters
    ----------
    x0 : ``(n_lanes,)`` float64, a sample of each lane; overwritten by the output.
    c0 : ``(5,)`` float64: b0, b1, b2, a1, a2.
    first, second : ``(n_lanes,)`` float64, carried.
    """
    k00, k01, k02, k03, k04 = c0[0], c0[1], c0[2], c0[3], c0[4]
    for i in range(x0.shape[0]):
        y0 = x0[i]
        p, q = first[i], second[i]
        x = y0
        y0 = k00 * x + p
        p = k01 * x - k03 * y0 + q
        q = k02 * x - k04 * y0
        first[i], second[i] = p, q
        x0[i] = y0


@kernel("void(float64[:,::1], float64[:,:,::1], float64[:,:,:,:,::1], float64[:,:,::1])")
def bank(samples: FloatArray, sections: FloatArray, state: FloatArray, out: FloatArray) -> None:
    """A filter bank, band after band: for one band or many channels. The same bits as :func:`cascade`.

    Parameters
    ----------
    samples : ``(n_times, n_in)`` float64, µV.
    sections : ``(n_bands, n_sections, 5)`` float64: b0, b1, b2, a1, a2 (a0 = 1).
    state : ``(2, 2, n_bands, (n_sections + 1) // 2, n_in)`` float64, carried: first and second state of
        section ``s`` at ``[:, s % 2, band, s // 2]``.
    out : ``(n_times, n_bands, n_in)`` float64, µV, written.
    """
    n_times, n = samples.shape
    n_sections = sections.shape[1]
    x0, x1 = np.empty(n), np.empty(n)
    for band in range(sections.shape[0]):
        first, second = state[0, 0, band], state[1, 0, band]
        first_odd, second_odd = state[0, 1, band], state[1, 1, band]
        for t in range(0, n_times - n_times % 2, 2):
            for i in range(n):
                x0[i] = samples[t + 0, i]
                x1[i] = samples[t + 1, i]
            for k in range(n_sections // 2):
                c0, c1 = sections[band, 2 * k], sections[band, 2 * k + 1]
                band_2_2(x0, x1, c0, c1, first[k], second[k], first_odd[k], second_odd[k])
            for k in range(n_sections // 2, (n_sections + 1) // 2):
                band_1_2(x0, x1, sections[band, 2 * k], first[k], second[k])
            for i in range(n):
                out[t + 0, band, i] = x0[i]
                out[t + 1, band, i] = x1[i]
        for t in range(n_times - n_times % 2, n_times):
            for i in range(n):
                x0[i] = samples[t + 0, i]
            for k in range(n_sections // 2):
                c0, c1 = sections[band, 2 * k], sections[band, 2 * k + 1]
                band_2_1(x0, c0, c1, first[k], second[k], first_odd[k], second_odd[k])
            for k in range(n_sections // 2, (n_sections + 1) // 2):
                band_1_1(x0, sections[band, 2 * k], first[k], second[k])
            for i in range(n):
                out[t + 0, band, i] = x0[i]


@loop
def lanes_2_2(
    x0: FloatArray,
    x1: FloatArray,
    c0: FloatArray,
    c1: FloatArray,
    first: FloatArray,
    second: FloatArray,
    first_odd: FloatArray,
    second_odd: FloatArray,
) -> None:
    """Sections: 2; samples: 2; every lane with its own coefficients.

    Parameters
    ----------
    x0, x1 : ``(n_lanes,)`` float64, a sample of each lane; overwritten by the output.
    c0, c1 : ``(5, n_lanes)`` float64: b0, b1, b2, a1, a2.
    first, second, first_odd, second_odd : ``(n_lanes,)`` float64, carried.
    """
    for i in range(x0.shape[0]):
        y0 = x0[i]
        y1 = x1[i]
        p, q = first[i], second[i]
        x = y0
        y0 = c0[0, i] * x + p
        p = c0[1, i] * x - c0[3, i] * y0 + q
        q = c0[2, i] * x - c0[4, i] * y0
        x = y1
        y1 = c0[0, i] * x + p
        p = c0[1, i] * x - c0[3, i] * y1 + q
        q = c0[2, i] * x - c0[4, i] * y1
        first[i], second[i] = p, q
        p, q = first_odd[i], second_odd[i]
        x = y0
        y0 = c1[0, i] * x + p
        p = c1[1, i] * x - c1[3, i] * y0 + q
        q = c1[2, i] * x - c1[4, i] * y0
        x = y1
        y1 = c1[0, i] * x + p
        p = c1[1, i] * x - c1[3, i] * y1 + q
        q = c1[2, i] * x - c1[4, i] * y1
        first_odd[i], second_odd[i] = p, q
        x0[i] = y0
        x1[i] = y1


@loop
def lanes_2_1(
    x0: FloatArray,
    c0: FloatArray,
    c1: FloatArray,
    first: FloatArray,
    second: FloatArray,
    first_odd: FloatArray,
    second_odd: FloatArray,
) -> None:
    """Sections: 2; samples: 1; every lane with its own coefficients.

    Parameters
    ----------
    x0 : ``(n_lanes,)`` float64, a sample of each lane; overwritten by the output.
    c0, c1 : ``(5, n_lanes)`` float64: b0, b1, b2, a1, a2.
    first, second, first_odd, second_odd : ``(n_lanes,)`` float64, carried.
    """
    for i in range(x0.shape[0]):
        y0 = x0[i]
        p, q = first[i], second[i]
        x = y0
        y0 = c0[0, i] * x + p
        p = c0[1, i] * x - c0[3, i] * y0 + q
        q = c0[2, i] * x - c0[4, i] * y0
        first[i], second[i] = p, q
        p, q = first_odd[i], second_odd[i]
        x = y0
        y0 = c1[0, i] * x + p
        p = c1[1, i] * x - c1[3, i] * y0 + q
        q = c1[2, i] * x - c1[4, i] * y0
        first_odd[i], second_odd[i] = p, q
        x0[i] = y0


@loop
def lanes_1_2(
    x0: FloatArray,
    x1: FloatArray,
    c0: FloatArray,
    first: FloatArray,
    second: FloatArray,
) -> None:
    """Sections: 1; samples: 2; every lane with its own coefficients.

    Parameters
    ----------
    x0, x1 : ``(n_lanes,)`` float64, a sample of each lane; overwritten by the output.
    c0 : ``(5, n_lanes)`` float64: b0, b1, b2, a1, a2.
    first, second : ``(n_lanes,)`` float64, carried.
    """
    for i in range(x0.shape[0]):
        y0 = x0[i]
        y1 = x1[i]
        p, q = first[i], second[i]
        x = y0
        y0 = c0[0, i] * x + p
        p = c0[1, i] * x - c0[3, i] * y0 + q
        q = c0[2, i] * x - c0[4, i] * y0
        x = y1
        y1 = c0[0, i] * x + p
        p = c0[1, i] * x - c0[3, i] * y1 + q
        q = c0[2, i] * x - c0[4, i] * y1
        first[i], second[i] = p, q
        x0[i] = y0
        x1[i] = y1


@loop
def lanes_1_1(
    x0: FloatArray,
    c0: FloatArray,
    first: FloatArray,
    second: FloatArray,
) -> None:
    """Sections: 1; samples: 1; every lane with its own coefficients.

    Parameters
    ----------
    x0 : ``(n_lanes,)`` float64, a sample of each lane; overwritten by the output.
    c0 : ``(5, n_lanes)`` float64: b0, b1, b2, a1, a2.
    first, second : ``(n_lanes,)`` float64, carried.
    """
    for i in range(x0.shape[0]):
        y0 = x0[i]
        p, q = first[i], second[i]
        x = y0
        y0 = c0[0, i] * x + p
        p = c0[1, i] * x - c0[3, i] * y0 + q
        q = c0[2, i] * x - c0[4, i] * y0
        first[i], second[i] = p, q
        x0[i] = y0


@kernel("void(float64[:,::1], float64[:,:,::1], float64[:,:,:,::1], float64[:,::1])")
def cascade(samples: FloatArray, sections: FloatArray, state: FloatArray, out: FloatArray) -> None:
    """A filter bank of which every lane has its own coefficients: for few channels.

    Parameters
    ----------
    samples : ``(n_times, n_in)`` float64, µV.
    sections : ``(n_sections, 5, n_lanes)`` float64: b0, b1, b2, a1, a2 (a0 = 1). Lane ``i`` filters input
        ``i % n_in``; ``n_lanes`` is a multiple of ``n_in``.
    state : ``(2, 2, (n_sections + 1) // 2, n_lanes)`` float64, carried: first and second state of section
        ``s`` at ``[:, s % 2, s // 2]``.
    out : ``(n_times, n_lanes)`` float64, µV, written.
    """
    n_times, n_in = samples.shape
    n_sections, n = sections.shape[0], out.shape[1]
    x0, x1 = np.empty(n), np.empty(n)
    first, second = state[0, 0], state[1, 0]
    first_odd, second_odd = state[0, 1], state[1, 1]
    for t in range(0, n_times - n_times % 2, 2):
        for start in range(0, n, n_in):
            for i in range(n_in):
                x0[start + i] = samples[t + 0, i]
                x1[start + i] = samples[t + 1, i]
        for k in range(n_sections // 2):
            c0, c1 = sections[2 * k], sections[2 * k + 1]
            lanes_2_2(x0, x1, c0, c1, first[k], second[k], first_odd[k], second_odd[k])
        for k in range(n_sections // 2, (n_sections + 1) // 2):
            lanes_1_2(x0, x1, sections[2 * k], first[k], second[k])
        for i in range(n):
            out[t + 0, i] = x0[i]
            out[t + 1, i] = x1[i]
    for t in range(n_times - n_times % 2, n_times):
        for start in range(0, n, n_in):
            for i in range(n_in):
                x0[start + i] = samples[t + 0, i]
        for k in range(n_sections // 2):
            c0, c1 = sections[2 * k], sections[2 * k + 1]
            lanes_2_1(x0, c0, c1, first[k], second[k], first_odd[k], second_odd[k])
        for k in range(n_sections // 2, (n_sections + 1) // 2):
            lanes_1_1(x0, sections[2 * k], first[k], second[k])
        for i in range(n):
            out[t + 0, i] = x0[i]
