"""A filter bank with carried state; which of two kernels runs it changes the speed and no bit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.kernels.filters import bank, cascade
from workbench.vocabulary import FloatArray

WIDE = 16
"""From this many inputs on, one band at a time is faster than all lanes at once."""


class FilterBank:
    """Second-order sections of several bands over the same inputs.

    Parameters
    ----------
    sections : ``(n_bands, n_sections, 5)`` float64: b0, b1, b2, a1, a2.
    rest : ``(n_bands, n_sections, 2)`` float64, states for a constant input of 1.
    n_in : inputs.
    """

    def __init__(self, sections: FloatArray, rest: FloatArray, n_in: int) -> None:
        self._n_bands, self._n_in = len(sections), n_in
        self._wide = n_in >= WIDE or self._n_bands == 1
        self._sections = np.ascontiguousarray(sections if self._wide else _lanes(sections, n_in), dtype=np.float64)
        self._rest = _states(rest, n_in)
        if not self._wide:
            # The cascade runs over all lanes at once: bands and inputs become one axis, band after band.
            self._rest = self._rest.transpose(0, 1, 3, 2, 4).reshape(2, 2, -1, self._n_bands * n_in)
        self._rest = np.ascontiguousarray(self._rest)
        self._state = np.zeros_like(self._rest)

    def start(self, first: FloatArray) -> None:
        """Begin in the steady state of the constant input ``first`` ``(n_in,)`` float64, µV: no transient."""
        np.multiply(self._rest, first if self._wide else np.tile(first, self._n_bands), out=self._state)

    def step(self, samples: FloatArray, out: FloatArray) -> None:
        """Filter ``(n_times, n_in)`` float64, µV, into ``out`` ``(n_times, n_bands · n_in)``, band after band."""
        if self._wide:
            bank(samples, self._sections, self._state, out.reshape(len(out), self._n_bands, self._n_in))
        else:
            cascade(samples, self._sections, self._state, out)


def filters(arrays: Mapping[str, FloatArray], n_in: int) -> list[FilterBank]:
    """The stages of a design: the comb once before several bands, or in one cascade with a single band."""
    notch, notch_rest = arrays["notch"][None], arrays["notch_rest"][None]
    if len(arrays["band"]) > 1:
        return [FilterBank(notch, notch_rest, n_in), FilterBank(arrays["band"], arrays["band_rest"], n_in)]
    sections = np.concatenate([notch, arrays["band"]], axis=1)
    rest = np.concatenate([notch_rest, arrays["band_rest"]], axis=1)
    return [FilterBank(sections, rest, n_in)]


def _lanes(sections: FloatArray, n_in: int) -> FloatArray:
    """``(n_bands, n_sections, k)`` for each lane: ``(n_sections, k, n_bands · n_in)``."""
    return np.ascontiguousarray(np.repeat(sections.transpose(1, 2, 0), n_in, axis=2))


def _states(rest: FloatArray, n_in: int) -> FloatArray:
    """``(n_bands, n_sections, 2)`` for each input: ``(2, 2, n_bands, n_pairs, n_in)``, even before odd."""
    n_bands, n_sections, _ = rest.shape
    # Of an odd number of sections the slot behind the last stays 0; no kernel reads it.
    pairs = np.zeros((n_bands, (n_sections + 1) // 2, 2, 2))
    pairs.reshape(n_bands, -1, 2)[:, :n_sections] = rest
    return np.repeat(pairs.transpose(3, 2, 0, 1)[..., None], n_in, axis=4)
