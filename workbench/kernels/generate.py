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

from functools import partial

import numpy as np

from workbench.kernels._jit import FloatArray, kernel, part

loop = partial(part, inline="always")
'''

BANK = '''

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
'''

CASCADE = '''

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
'''


def lines(depth: int, *text: str) -> str:
    """Lines of code at a depth."""
    return "".join("    " * depth + line + "\n" for line in text)


def name(n_sections: int, n_samples: int, *, lanes: bool) -> str:
    """Name of a loop over lanes.

    Parameters
    ----------
    n_sections, n_samples : that it takes at a time. lanes : whether every lane has coefficients of its own.
    """
    return f"{'lanes' if lanes else 'band'}_{n_sections}_{n_samples}"


def argument_names(n_sections: int, n_samples: int) -> list[str]:
    """Arguments of a loop: samples, coefficients, states."""
    states = ["first", "second", "first_odd", "second_odd"][: 2 * n_sections]
    return [*(f"x{u}" for u in range(n_samples)), *(f"c{odd}" for odd in range(n_sections)), *states]


def lane_loop(n_sections: int, n_samples: int, *, lanes: bool) -> str:
    """Code of a loop over lanes.

    Parameters
    ----------
    n_sections, n_samples : that it takes at a time. lanes : whether every lane has coefficients of its own.
    """
    names = argument_names(n_sections, n_samples)
    arguments = [f"{argument}: FloatArray" for argument in names]
    out = f"\n\n@loop\ndef {name(n_sections, n_samples, lanes=lanes)}(\n"
    out += lines(1, *(f"{argument}," for argument in arguments)) + ") -> None:\n"
    description = "every lane with its own coefficients" if lanes else "the same coefficients for every lane"
    samples, coefficients, states = (
        ", ".join(name for name in names if name[0] in kind) for kind in ("x", "c", "fs")
    )
    out += lines(1, f'"""Sections: {n_sections}; samples: {n_samples}; {description}.') + "\n"
    out += lines(1, "Parameters", "----------")
    out += lines(1, f"{samples} : ``(n_lanes,)`` float64, a sample of each lane; overwritten by the output.")
    out += lines(1, f"{coefficients} : ``{'(5, n_lanes)' if lanes else '(5,)'}`` float64: b0, b1, b2, a1, a2.")
    out += lines(1, f"{states} : ``(n_lanes,)`` float64, carried.", '"""')
    if not lanes:
        for odd in range(n_sections):
            values = ", ".join(f"k{odd}{i}" for i in range(5))
            out += lines(1, f"{values} = " + ", ".join(f"c{odd}[{i}]" for i in range(5)))
    out += lines(1, "for i in range(x0.shape[0]):")
    out += lines(2, *(f"y{u} = x{u}[i]" for u in range(n_samples)))
    for odd in range(n_sections):
        suffix = "_odd" if odd else ""
        # Transposed direct form II: y = b0 x + p, p' = b1 x - a1 y + q, q' = b2 x - a2 y. The state is read
        # once, passes all samples in registers and is written once.
        b0, b1, b2, a1, a2 = (f"c{odd}[{k}, i]" if lanes else f"k{odd}{k}" for k in range(5))
        out += lines(2, f"p, q = first{suffix}[i], second{suffix}[i]")
        for u in range(n_samples):
            out += lines(2, f"x = y{u}", f"y{u} = {b0} * x + p")
            out += lines(2, f"p = {b1} * x - {a1} * y{u} + q", f"q = {b2} * x - {a2} * y{u}")
        out += lines(2, f"first{suffix}[i], second{suffix}[i] = p, q")
    return out + lines(2, *(f"x{u}[i] = y{u}" for u in range(n_samples)))


def samples_at_a_time(depth: int, n_samples: int, *, lanes: bool) -> str:
    """Code that reads some samples, runs them through all sections and writes them.

    Parameters
    ----------
    depth : of indentation. n_samples : taken at a time.
    lanes : whether every lane has coefficients of its own.
    """
    out_index, section = ("", "sections[") if lanes else ("band, ", "sections[band, ")
    samples = ", ".join(f"x{u}" for u in range(n_samples))
    if lanes:
        out = lines(depth, "for start in range(0, n, n_in):", "    for i in range(n_in):")
        out += lines(depth + 2, *(f"x{u}[start + i] = samples[t + {u}, i]" for u in range(n_samples)))
    else:
        out = lines(depth, "for i in range(n):")
        out += lines(depth + 1, *(f"x{u}[i] = samples[t + {u}, i]" for u in range(n_samples)))
    out += lines(depth, "for k in range(n_sections // 2):", f"    c0, c1 = {section}2 * k], {section}2 * k + 1]")
    pair, single = (name(n, n_samples, lanes=lanes) for n in (2, 1))
    out += lines(depth + 1, f"{pair}({samples}, c0, c1, first[k], second[k], first_odd[k], second_odd[k])")
    out += lines(depth, "for k in range(n_sections // 2, (n_sections + 1) // 2):")
    out += lines(depth + 1, f"{single}({samples}, {section}2 * k], first[k], second[k])")
    writes = (f"    out[t + {u}, {out_index}i] = x{u}[i]" for u in range(n_samples))
    return out + lines(depth, "for i in range(n):", *writes)


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
    loops = {
        lanes: "".join(lane_loop(n, u, lanes=lanes) for n in (2, 1) for u in (2, 1)) for lanes in (False, True)
    }
    return HEAD + loops[False] + BANK + body(2, lanes=False) + loops[True] + CASCADE + body(1, lanes=True)


def main() -> None:
    """Write the file."""
    FILE.write_text(source(), encoding="utf-8")


if __name__ == "__main__":  # pragma: no cover
    main()
