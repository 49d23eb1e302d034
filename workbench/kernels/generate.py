"""Writes ``_sections.py``: ``python -m workbench.kernels.generate``. A test compares the two.

A loop over lanes that takes two sections and two samples at a time keeps the arithmetic units busy: each state
and each coefficient is loaded once for two samples, each intermediate value never leaves its register. More of
either is no faster (measured up to four of each; all sections at once is slower). Written out, that is eight
nearly equal loops, so they are generated. No sum changes its order: the bits are those of one section and one
sample at a time.
"""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("_sections.py")

HEAD = '''"""Second-order sections, two and two samples at a time. Written by ``kernels.generate``; do not edit.

Transposed direct form II, the form of ``scipy.signal.sosfilt``: Oppenheim and Schafer, Discrete-Time Signal
Processing, 3rd ed., section 6.3. States of even and odd sections, and the two states of a section, lie apart, so
that the compiler sees that they do not overlap.
"""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel
'''

BANK = '''

@kernel("void(float64[:,::1], float64[:,:,::1], float64[:,:,:,:,::1], float64[:,:,::1])")
def bank(samples: FloatArray, sections: FloatArray, state: FloatArray, out: FloatArray) -> None:  # noqa: C901
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
'''

CASCADE = '''

@kernel("void(float64[:,::1], float64[:,:,::1], float64[:,:,:,::1], float64[:,::1])")
def cascade(samples: FloatArray, sections: FloatArray, state: FloatArray, out: FloatArray) -> None:  # noqa: C901
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
'''


def lines(depth: int, *text: str) -> str:
    """Lines of code at a depth."""
    return "".join("    " * depth + line + "\n" for line in text)


def lane_loop(depth: int, n_sections: int, n_samples: int, *, lanes: bool) -> str:
    """The loop over lanes that takes some sections, from ``2 * pair`` on, and some samples at a time."""
    out = ""
    for odd in range(n_sections):
        if lanes:
            out += lines(depth, f"c{odd} = sections[2 * pair + {odd}]")
        else:
            values = ", ".join(f"k{odd}{i}" for i in range(5))
            out += lines(depth, f"c{odd} = sections[band, 2 * pair + {odd}]")
            out += lines(depth, f"{values} = " + ", ".join(f"c{odd}[{i}]" for i in range(5)))
    out += lines(depth, "for i in range(n):")
    for u in range(n_samples):
        out += lines(depth + 1, f"y{u} = x{u}[i]")
    for odd in range(n_sections):
        which = "_odd" if odd else ""
        b0, b1, b2, a1, a2 = (f"c{odd}[{k}, i]" if lanes else f"k{odd}{k}" for k in range(5))
        out += lines(depth + 1, f"p = first{which}[pair, i]", f"q = second{which}[pair, i]")
        for u in range(n_samples):
            out += lines(depth + 1, f"x = y{u}", f"y{u} = {b0} * x + p")
            out += lines(depth + 1, f"p = {b1} * x - {a1} * y{u} + q", f"q = {b2} * x - {a2} * y{u}")
        out += lines(depth + 1, f"first{which}[pair, i] = p", f"second{which}[pair, i] = q")
    for u in range(n_samples):
        out += lines(depth + 1, f"x{u}[i] = y{u}")
    return out


def samples_at_a_time(depth: int, n_samples: int, *, lanes: bool) -> str:
    """Read some samples, run them through all sections, write them."""
    if lanes:
        out = lines(depth, "for start in range(0, n, n_in):", "    for i in range(n_in):")
        out += lines(depth + 2, *(f"x{u}[start + i] = samples[t + {u}, i]" for u in range(n_samples)))
    else:
        out = lines(depth, "for i in range(n):")
        out += lines(depth + 1, *(f"x{u}[i] = samples[t + {u}, i]" for u in range(n_samples)))
    out += lines(depth, "for pair in range(n_sections // 2):") + lane_loop(depth + 1, 2, n_samples, lanes=lanes)
    out += lines(depth, "for pair in range(n_sections // 2, (n_sections + 1) // 2):")
    out += lane_loop(depth + 1, 1, n_samples, lanes=lanes)
    at = "" if lanes else "band, "
    return out + lines(
        depth, "for i in range(n):", *(f"    out[t + {u}, {at}i] = x{u}[i]" for u in range(n_samples))
    )


def body(depth: int, *, lanes: bool) -> str:
    """Pairs of samples, then the one that is left."""
    return (
        lines(depth, "for t in range(0, n_times - n_times % 2, 2):")
        + samples_at_a_time(depth + 1, 2, lanes=lanes)
        + lines(depth, "for t in range(n_times - n_times % 2, n_times):")
        + samples_at_a_time(depth + 1, 1, lanes=lanes)
    )


def source() -> str:
    """Text of ``_sections.py``."""
    return HEAD + BANK + body(2, lanes=False) + CASCADE + body(1, lanes=True)


def main() -> None:
    """Write the file."""
    FILE.write_text(source(), encoding="utf-8")


if __name__ == "__main__":  # pragma: no cover
    main()
