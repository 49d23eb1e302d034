"""Filter coefficients from settings. Done once, at fit time; the arrays are stored and hashed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.signals.settings import SignalSettings
from workbench.vocabulary import FloatArray

NOTCH_TOP = 1.5
"""Harmonics of the mains are notched up to this multiple of the highest band edge."""

NYQUIST_SHARE = 0.95
"""No notch above this share of half the rate: its shape would be distorted."""

RIPPLE_DB = 0.5
"""Ripple in the pass band of a Chebyshev filter of the first kind, dB."""

STOP_DB = 40.0
"""Attenuation in the stop band of a Chebyshev filter of the second kind, dB."""

SETTLED = 0.99
"""A filter has settled when this share of the energy of its impulse response has passed."""


def design(settings: SignalSettings, *, fs: float, n_channels: int) -> dict[str, FloatArray]:
    """Design every filter of the settings.

    Parameters
    ----------
    settings : bands, mains and kind of filter.
    fs : rate in Hz.
    n_channels : channels of the raw stream.

    Returns
    -------
    dict of float64 arrays
        ``notch`` ``(n_notches, 5)`` and ``band`` ``(n_bands, n_sections, 5)``: b0, b1, b2, a1, a2 of each
        section; ``notch_rest`` ``(n_notches, 2)`` and ``band_rest`` ``(n_bands, n_sections, 2)``: states for
        a constant input of 1; ``settle`` ``(1,)``: samples until the slowest filter has settled; ``delay``
        ``(n_bands,)``: group delay at the middle of each band, s.

    Raises
    ------
    BadValue
        A band that does not fit under half the rate, or pairs or neighbours that name a channel that is not there.

    Notes
    -----
    A band from 0 Hz is a Butterworth low-pass. Band-pass: Butterworth, or Chebyshev of the first kind with its
    edges 0.5 dB down, or of the second kind with its edges 3 dB down; notch: second-order resonator, Orfanidis
    1996 (all as in SciPy).
    """
    check_design(settings, fs=fs, n_channels=n_channels)
    return {name: array.copy() for name, array in _designed(settings, fs).items()}


@lru_cache(maxsize=64, typed=True)
def _designed(settings: SignalSettings, fs: float) -> dict[str, FloatArray]:
    """The arrays of :func:`design`, once: a cross-validation and its held-out fits ask for the same filters."""
    from scipy import signal

    notch = np.array([_notch(signal, f, settings.notch_q, fs) for f in _mains(settings, fs)]).reshape(-1, 6)
    bands = _same_length([_band(signal, settings, band, fs) for band in settings.bands])
    # The notches come first: the bands see a constant input multiplied by the notches' gain at 0 Hz.
    notch_rest = signal.sosfilt_zi(notch) if len(notch) else np.empty((0, 2))
    gain = float(np.prod(notch[:, :3].sum(axis=1) / notch[:, 3:].sum(axis=1)))
    return {
        "notch": _five(notch),
        "notch_rest": np.ascontiguousarray(notch_rest, dtype=np.float64),
        "band": np.stack([_five(sos) for sos in bands]),
        "band_rest": np.stack([gain * signal.sosfilt_zi(sos) for sos in bands]),
        "settle": np.array([max(_settle(signal, np.concatenate([notch, sos]), fs) for sos in bands)], float),
        "delay": np.array([_delay(notch, sos, band, fs) for sos, band in zip(bands, settings.bands)]),
    }


def check_design(settings: SignalSettings, *, fs: float, n_channels: int) -> None:
    """Raise what :func:`design` would raise, without SciPy, whose import takes a second.

    Parameters
    ----------
    settings, fs, n_channels : as for :func:`design`.

    Raises
    ------
    BadValue
        As :func:`design`.
    """
    if not 0 < fs < float("inf"):
        raise BadValue(Message("signal.fs", got=str(fs)))
    if n_channels < 1:
        raise BadValue(Message("signal.n_channels", got=n_channels))
    top = max(high for _, high in settings.bands)
    if top >= fs / 2:
        raise BadValue(Message("signal.band_above_rate", top=f"{top:g}", needed=f"{2 * top:g}", got=f"{fs:g}"))
    for name in ("pairs", "neighbours"):
        outside = [i for group in getattr(settings, name) for i in group if not 0 <= i < n_channels]
        if outside:
            raise BadValue(Message("signal.channel_unknown", name=name, got=str(outside[0]), last=n_channels - 1))
    if settings.reference == "car" and n_channels < 2:
        raise BadValue(Message("signal.average_of_one"))


def _mains(settings: SignalSettings, fs: float) -> list[float]:
    """The mains frequency and those of its harmonics that can reach a band."""
    if settings.mains_hz == 0:
        return []
    # The mains frequency itself is notched even above the bands: it is the largest disturbance there is.
    top = min(NYQUIST_SHARE * fs / 2, max(settings.mains_hz, NOTCH_TOP * max(h for _, h in settings.bands)))
    # A harmonic exactly at the top counts, whatever the division rounds to.
    return [k * settings.mains_hz for k in range(1, int(top / settings.mains_hz + 1e-9) + 1)]


def _band(signal: Any, settings: SignalSettings, band: tuple[float, float], fs: float) -> FloatArray:
    """Sections of one band-pass, or of a Butterworth low-pass for a band from 0 Hz.

    SciPy takes the edges of a stop band: they follow from those 3 dB down.
    """
    if band[0] == 0.0:
        low_pass: FloatArray = signal.butter(settings.order, band[1], "lowpass", fs=fs, output="sos")
        return low_pass
    if settings.shape == "chebyshev2":
        # From the edges 3 dB down to those of the stop band, in the frequencies of the analogue prototype: the
        # bilinear transform maps f to tan(π f / fs), and the geometric middle of the band stays where it is.
        wider = float(np.cosh(np.arccosh(np.sqrt(10 ** (STOP_DB / 10) - 1)) / settings.order))
        low, high = (float(np.tan(np.pi * edge / fs)) for edge in band)
        half = 0.5 * wider * (high - low)
        middle = float(np.sqrt(half * half + low * high))
        edges = [float(np.arctan(edge)) * fs / np.pi for edge in (middle - half, middle + half)]
        sos: FloatArray = signal.cheby2(settings.order, STOP_DB, edges, "bandpass", fs=fs, output="sos")
    elif settings.shape == "chebyshev1":
        sos = signal.cheby1(settings.order, RIPPLE_DB, band, "bandpass", fs=fs, output="sos")
    else:
        sos = signal.butter(settings.order, band, "bandpass", fs=fs, output="sos")
    return sos


def _same_length(bands: list[FloatArray]) -> list[FloatArray]:
    """The shorter ones, which are low-passes, followed by sections that pass everything."""
    n_sections = max(len(sos) for sos in bands)
    # Bands are stored in one array, so all need the same number of sections.
    through = np.array([[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]])
    return [np.concatenate([sos, np.repeat(through, n_sections - len(sos), axis=0)]) for sos in bands]


def _notch(signal: Any, frequency: float, q: float, fs: float) -> FloatArray:
    b, a = signal.iirnotch(frequency, q, fs=fs)
    return np.concatenate([b, a])


def _five(sos: FloatArray) -> FloatArray:
    """Drop a0, which is 1."""
    return np.ascontiguousarray(sos[:, [0, 1, 2, 4, 5]], dtype=np.float64)


def _settle(signal: Any, sos: FloatArray, fs: float) -> int:
    impulse = np.zeros(int(10 * fs))
    impulse[0] = 1.0
    energy = np.cumsum(signal.sosfilt(sos, impulse) ** 2)
    return int(np.searchsorted(energy, SETTLED * energy[-1])) + 1


def _delay(notch: FloatArray, sos: FloatArray, band: tuple[float, float], fs: float) -> float:
    """Group delay in s at the geometric middle of the band (of a low-pass at half its edge), notches included."""
    middle = 2 * np.pi * (float(np.sqrt(band[0] * band[1])) or 0.5 * band[1]) / fs
    # The derivative of the phase as a central difference, far below any feature of the response.
    step = 1e-4 * middle
    turn = np.exp(-1j * np.array([[middle - step], [middle + step]]) * np.arange(3))
    phase = np.zeros(2)
    for section in np.concatenate([notch, sos]):
        phase += np.angle((turn * section[:3]).sum(axis=1) / (turn * section[3:]).sum(axis=1))
    # Phases are known up to a whole turn; across so small a step the true difference is far less than one.
    turned = (phase[0] - phase[1] + np.pi) % (2 * np.pi) - np.pi
    return float(turned / (2 * step) / fs)
