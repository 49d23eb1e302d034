"""Noise that depends on the person, a tag and the sample's number alone, whatever the blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.physiology._person import Person
from workbench.vocabulary import FloatArray

Power = Callable[[FloatArray], FloatArray]
"""Frequencies ``(n,)`` in Hz → power of each, in any unit."""
FRAME = 512
"""Samples of a frame; two neighbours overlap by half."""


class Noise:
    """Gaussian noise of unit variance with a spectrum, in any stretch.

    Parameters
    ----------
    person, tag : of the draws. fs : rate in Hz. n_channels : drawn independently.
    power : its spectrum; None for white noise.
    """

    def __init__(
        self,
        person: Person,
        tag: tuple[int, ...],
        *,
        fs: float,
        n_channels: int,
        power: Power | None = None,
    ) -> None:
        self._person, self._tag, self._n = person, tag, n_channels
        # sin² + cos² = 1: half-overlapping frames of independent noise keep their power when added.
        self._window = np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME)[:, None]
        f = np.arange(FRAME // 2 + 1) * (fs / FRAME)
        shape = np.ones(len(f)) if power is None else power(f.astype(np.float64))
        shape[[0, -1]] = 0.0
        self._shape = np.sqrt(shape / shape.sum())[:, None] * (FRAME / 2)
        self._frames: dict[int, FloatArray] = {}
        self._segment: tuple[int, FloatArray] = (-1, np.zeros((0, n_channels)))

    def at(self, first: int, n: int) -> FloatArray:
        """Samples from ``first`` on, ``(n, n_channels)`` float64."""
        half, parts = FRAME // 2, []
        while n > 0:
            index, offset = divmod(first, half)
            take = min(half - offset, n)
            parts.append(self._half(index)[offset : offset + take])
            first, n = first + take, n - take
        return np.concatenate(parts) if parts else np.zeros((0, self._n))

    def _half(self, index: int) -> FloatArray:
        """Half a frame: the end of one and the beginning of the next."""
        if self._segment[0] != index:
            before, after = self._frame(index), self._frame(index + 1)
            self._frames = {index + 1: after}
            self._segment = (index, before[FRAME // 2 :] + after[: FRAME // 2])
        return self._segment[1]

    def _frame(self, index: int) -> FloatArray:
        made = self._frames.get(index)
        if made is None:
            parts = self._person.chance(*self._tag, index).standard_normal((2, len(self._shape), self._n))
            spectrum = np.empty(parts.shape[1:], dtype=np.complex128)
            np.multiply(parts[0], self._shape, out=spectrum.real)
            np.multiply(parts[1], self._shape, out=spectrum.imag)
            made = np.fft.irfft(spectrum, FRAME, axis=0) * self._window
        return made


def surface_emg(low: float, high: float, *, rises_hz: float, falls_hz: float) -> Power:
    """Power of an interference pattern, cut like a band.

    Parameters
    ----------
    low, high : of the band, Hz. rises_hz, falls_hz : to where it rises, and from where it falls, Hz.
    """
    cut = band(low, high)

    def power(f: FloatArray) -> FloatArray:
        shape: FloatArray = cut(f) * f**2 / ((f**2 + rises_hz**2) * (f**2 + falls_hz**2) ** 2)
        return shape

    return power


def band(low: float, high: float) -> Power:
    """Even power from ``low`` to ``high`` Hz with soft edges, so that nothing rings."""

    def power(f: FloatArray) -> FloatArray:
        rise = 1.0 / (1.0 + (low / np.maximum(f, 1e-9)) ** 8) if low > 0 else np.ones(len(f))
        shape: FloatArray = rise / (1.0 + (f / high) ** 8)
        return shape

    return power
