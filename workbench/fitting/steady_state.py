"""Steady-state responses: sub-bands and their weights, references of frequencies. Fitting only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import BadValue
from workbench.kernels.correlation import orthonormal
from workbench.messages import Message
from workbench.signals import SignalSettings
from workbench.vocabulary import FloatArray

N_BANDS = 5
"""Sub-bands of a filter bank."""

STEP_HZ, TOP_HZ = 8.0, 90.0
"""Sub-band n begins 2 Hz below n times the step, and no lower than 6 Hz; all end at the top."""

RATE_SHARE = 0.45
"""At low rates the sub-bands end at this share of the rate, and those that would be narrower than a step go."""

LATENCY_S = 0.14
"""From the retina to the response, s; Chen et al. 2015, doi:10.1073/pnas.1508080112."""

CORRELATION_EVIDENCE: Mapping[str, Any] = {"calibrate": "temperature"}
"""Evidence of scores that are sums of correlations: one factor for all classes, learned from held-out epochs,
makes probabilities of them, so that the class with the best score stays the decision."""


def sub_bands(fs: float, n_bands: int = N_BANDS) -> tuple[tuple[float, float], ...]:
    """Sub-bands in Hz at a rate of ``fs`` Hz: [8 n - 2, 90], n from 1, as far as the rate allows.

    Notes
    -----
    The third bank (M3) of Chen et al. 2015, doi:10.1088/1741-2560/12/4/046008.
    """
    # A band-pass cannot end at half the rate.
    top = min(TOP_HZ, RATE_SHARE * fs)
    bands = [(STEP_HZ * n - 2.0, top) for n in range(1, n_bands + 1)]
    return tuple([bands[0], *(band for band in bands[1:] if band[1] - band[0] >= STEP_HZ)])


def band_weights(n_bands: int) -> FloatArray:
    """``(n_bands,)`` float64: n^-1.25 + 0.25, n from 1; Chen et al. 2015, doi:10.1088/1741-2560/12/4/046008."""
    weights: FloatArray = np.arange(1.0, n_bands + 1.0) ** -1.25 + 0.25
    return weights


def by_band(windows: FloatArray, n_bands: int) -> FloatArray:
    """``(n_bands, n, n_window, n_channels)`` float64: windows ``(n, n_window, n_lanes)``, band by band."""
    separated = windows.reshape(*windows.shape[:2], n_bands, -1)
    return np.ascontiguousarray(np.moveaxis(separated, 2, 0))


def sinusoids(frequency: float, *, harmonics: int, top: float, fs: float, n: int) -> FloatArray:
    """Orthonormal references of a frequency: sines and cosines of it and of its harmonics.

    Parameters
    ----------
    frequency : Hz. harmonics : of it, the frequency itself among them; those above ``top`` Hz are left out.
    fs : rate in Hz. n : samples.

    Returns
    -------
    ``(n, 2 · harmonics)`` float64: centred columns made orthonormal; zeros where a harmonic was left out.
    """
    t = np.arange(n) / fs
    columns = np.zeros((n, 2 * harmonics))
    # A harmonic exactly at the top counts, whatever the division rounds to.
    for h in range(1, min(harmonics, int(top / frequency + 1e-9)) + 1):
        columns[:, 2 * h - 2] = np.sin(2 * np.pi * h * frequency * t)
        columns[:, 2 * h - 1] = np.cos(2 * np.pi * h * frequency * t)
    out = np.empty_like(columns)
    # An integer number of periods is rarely in a window: without its mean a column would correlate with an offset.
    orthonormal(np.ascontiguousarray(columns - columns.mean(axis=0)), out)
    return out


def references(
    classes: Sequence[str],
    frequencies: Mapping[str, float] | None,
    *,
    harmonics: int,
    settings: SignalSettings,
    fs: float,
) -> FloatArray:
    """References of every class, side by side.

    Parameters
    ----------
    classes : names, in the order of the decoder's classes.
    frequencies : frequency of each class by name, Hz.
    harmonics : sines and cosines of so many multiples of each frequency; those above the pass band are left out.
    settings : bands and window of the decoder. fs : rate in Hz.

    Returns
    -------
    ``(n_window, n_classes · 2 · harmonics)`` float64, orthonormal for each class.

    Raises
    ------
    BadValue
        When a class has no frequency, one lies outside the pass band, or there is no harmonic.
    """
    top, n = max(high for _, high in settings.bands), settings.n_window(fs)
    hertz = _hertz(classes, frequencies, harmonics=harmonics, top=top)
    return np.concatenate([sinusoids(hz, harmonics=harmonics, top=top, fs=fs, n=n) for hz in hertz], axis=1)


def _hertz(
    classes: Sequence[str], frequencies: Mapping[str, float] | None, *, harmonics: int, top: float
) -> list[float]:
    """Frequency of each class, Hz; ``top`` ends the pass band."""
    by_name = {str(name): float(hz) for name, hz in (frequencies or {}).items()}
    if harmonics < 1:
        raise BadValue(Message("fit.harmonics", got=harmonics))
    lacking = [name for name in classes if name not in by_name]
    if lacking:
        raise BadValue(Message("fit.frequencies_every", given=", ".join(by_name) or "none", lacking=list(lacking)))
    for name in classes:
        if not 0 < by_name[name] <= top:
            raise BadValue(Message("fit.frequency", name=name, top=f"{top:g}", got=f"{by_name[name]:g}"))
    return [by_name[name] for name in classes]
