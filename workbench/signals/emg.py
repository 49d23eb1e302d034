"""EMG of a recording: when a muscle contracts, and how strongly, also between the pulses of a stimulator.

For recordings that are looked at afterwards: onsets are told in samples, and a level of contraction at every
sample. What a decoder tells live of a muscle is ``activity_level``, ``emg_envelope`` and ``emg_lda``.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadSignal, BadValue
from workbench.kernels.evidence import exp, log
from workbench.messages import Message
from workbench.vocabulary import FloatArray

MOST_BLANKED = 0.5
"""Share of blanked samples above which an envelope rests on little."""

BISECTIONS = 60


@dataclass(frozen=True)
class Envelope:
    """How strongly a muscle contracts.

    Attributes
    ----------
    values : ``(n_times,)`` float64, in the unit of the wave; nan before the first sample that is not blanked.
    blanked : share of the samples that were blanked.
    """

    values: FloatArray
    blanked: float


def energy_contractions(
    wave: FloatArray,
    *,
    fs: float,
    baseline: tuple[int, int],
    n_sd: float = 15.0,
    smooth_s: float = 0.025,
    least_s: float = 0.025,
    off_s: float = 0.05,
) -> list[tuple[int, int]]:
    """Contractions by the Teager-Kaiser energy: begin and end, in samples.

    Parameters
    ----------
    wave : ``(n_times,)`` float64, µV, band-passed. fs : rate in Hz.
    baseline : first and last sample of a stretch at rest, the last exclusive.
    n_sd : standard deviations of the energy above its mean at rest that begin a contraction.
    smooth_s : over which the energy is averaged, about each sample, s.
    least_s : a contraction begins where at least 0.9 of so long after it lie above, s.
    off_s : it ends where nothing lies above for so long, s.

    Raises
    ------
    BadSignal
        For samples that are not finite, or rest without variation.
    BadValue
        For a baseline outside of the wave.

    Notes
    -----
    Solnik et al. 2010, doi:10.1007/s00421-010-1521-8: conditioning by the operator makes onsets that a threshold
    on the rectified EMG finds much later, or not at all.
    """
    level = _smoothed(np.abs(teager_kaiser_of(_checked(wave))), max(1, round(smooth_s * fs)))
    rest = _rest(level, baseline)
    spread = float(rest.std())
    if not spread > 0.0:
        raise BadSignal(Message("emg.rest_constant"))
    above = level > float(rest.mean()) + n_sd * spread
    n = max(1, round(least_s * fs))
    counts = np.concatenate([[0], np.cumsum(above)])
    ahead = np.minimum(np.arange(len(above)) + n, len(above))
    lasting = above & (counts[ahead] - counts[:-1] >= 0.9 * n)
    found: list[tuple[int, int]] = []
    for begin, end in _joined(above, max(1, round(off_s * fs))):
        onsets = np.flatnonzero(lasting[begin:end])
        if len(onsets):
            found.append((begin + int(onsets[0]), end))
    return found


def double_threshold_contractions(
    wave: FloatArray,
    *,
    fs: float,
    baseline: tuple[int, int],
    of: int = 5,
    least: int = 1,
    false_share: float = 0.05,
    order: int = 4,
    on_s: float = 0.03,
    off_s: float = 0.05,
) -> list[tuple[int, int]]:
    """Contractions by Bonato's double threshold: begin and end, in samples.

    Parameters
    ----------
    wave : ``(n_times,)`` float64, µV. fs : rate in Hz.
    baseline : first and last sample of a stretch at rest, the last exclusive.
    of, least : a pair of samples is active where at least ``least`` of the last ``of`` pairs exceed the threshold.
    false_share : of windows of ``of`` pairs at rest that may be active.
    order : of the model of rest that whitens the wave; 0 takes it as white.
    on_s, off_s : shorter contractions are left out, shorter breaks are bridged, s.

    Raises
    ------
    BadSignal
        For samples that are not finite, or rest without variation.
    BadValue
        For a baseline outside of the wave, or counts that cannot be.

    Notes
    -----
    Bonato, D'Alessio and Knaflitz 1998, doi:10.1109/10.661154. Of white noise of variance σ² the sum of two
    squares exceeds ζ with the probability exp(-ζ / 2σ²); that ``least`` of ``of`` do is binomial, which gives ζ.
    """
    if not 1 <= least <= of or not 0.0 < false_share < 1.0 or order < 0:
        raise BadValue(Message("emg.double_threshold", got=f"{least}, {of}, {false_share}, {order}"))
    wave = _checked(wave)
    white = _whitened(wave, _rest(wave, baseline), order)
    pairs = white[: len(white) // 2 * 2].reshape(-1, 2) ** 2
    sums = pairs[:, 0] + pairs[:, 1]
    variance = float((_rest(white, baseline) ** 2).mean())
    if not variance > 0.0:
        raise BadSignal(Message("emg.rest_constant"))
    threshold = -2.0 * variance * log(_single(false_share, least=least, of=of))
    counts = np.concatenate([[0], np.cumsum(sums > threshold)])
    first = np.maximum(np.arange(len(sums)) + 1 - of, 0)
    active = np.repeat(counts[1:] - counts[first] >= least, 2)
    least_n = max(1, round(on_s * fs))
    return [(a, b) for a, b in _joined(active, max(1, round(off_s * fs))) if b - a >= least_n]


def envelope(
    wave: FloatArray,
    *,
    fs: float,
    band: tuple[float, float] = (20.0, 450.0),
    cutoff_hz: float = 6.0,
    pulses: Sequence[int] = (),
    blank_s: tuple[float, float] = (-0.0005, 0.010),
) -> Envelope:
    """The rectified EMG, low-passed, without what lies about the pulses of a stimulator. Causal.

    Parameters
    ----------
    wave : ``(n_times,)`` float64, raw, µV. fs : rate in Hz.
    band : pass band in Hz; near a stimulator 30–300. It must end below half of the rate.
    cutoff_hz : of the low-pass, Hz; about 3 for gait.
    pulses : samples at which a pulse was given.
    blank_s : from and to where about each pulse the wave is blanked, s.

    Raises
    ------
    BadSignal
        For samples that are not finite.
    BadValue
        For a band that the rate does not have, or a blank that ends before it begins.

    Notes
    -----
    A blanked stretch holds the sample before it while the band-pass goes on, so that no artefact rings on after
    it; its samples have no weight in the low-pass. Where more than half is blanked, it warns.
    """
    from scipy.signal import butter, lfilter, sosfilt

    if not 0.0 < band[0] < band[1] < fs / 2 or not blank_s[0] < blank_s[1]:
        raise BadValue(Message("emg.envelope", got=f"{band}, {blank_s}", most=f"{fs / 2:g}"))
    kept = _not_blanked(len(wave), pulses, fs=fs, blank_s=blank_s)
    held = _held(_checked(wave), kept)
    rectified = np.abs(sosfilt(butter(2, band, "bandpass", fs=fs, output="sos"), held))
    # Two poles at one place: its response is never negative, as a weight must be.
    pole = exp(-2.0 * np.pi * cutoff_hz / fs)
    smooth = ([(1.0 - pole) ** 2], [1.0, -2.0 * pole, pole * pole])
    weight = lfilter(*smooth, kept.astype(np.float64))
    weighted = lfilter(*smooth, rectified * kept)
    blanked = 1.0 - float(kept.mean())
    if blanked > MOST_BLANKED:
        warnings.warn(
            f"{blanked:.0%} of the EMG lies about pulses and is blanked; the envelope rests on the rest of it",
            stacklevel=2,
        )
    # Only after a sample that counts is there anything to weigh.
    known = np.maximum.accumulate(kept)
    values = np.full(len(wave), np.nan)
    np.divide(weighted, weight, out=values, where=known & (weight > 0.0))
    return Envelope(values, blanked)


def without_template(wave: FloatArray, *, pulses: Sequence[int], n_samples: int, most: int = 20) -> FloatArray:
    """The wave, from which behind every pulse the mean of what followed the pulses before it is taken. Causal.

    Parameters
    ----------
    wave : ``(n_times,)`` float64, µV. pulses : samples at which a pulse was given, rising.
    n_samples : behind a pulse that are its artefact. most : pulses before it that make the template.

    Returns
    -------
    ``(n_times,)`` float64; what follows the first pulse is blank (0), as it has no template.
    """
    out = _checked(wave).copy()
    before: list[FloatArray] = []
    for at in pulses:
        stretch = out[at : at + n_samples]
        raw = wave[at : at + n_samples].copy()
        if len(raw) < n_samples:
            break
        stretch[:] = raw - np.mean(before[-most:], axis=0) if before else 0.0
        before.append(raw)
    return out


def teager_kaiser_of(wave: FloatArray) -> FloatArray:
    """``(n_times,)`` float64: ``x[t]² - x[t-1] x[t+1]``, 0 at both ends.

    Parameters
    ----------
    wave : ``(n_times,)`` float64.
    """
    out = np.zeros(len(wave))
    out[1:-1] = wave[1:-1] ** 2 - wave[:-2] * wave[2:]
    return out


def _checked(wave: FloatArray) -> FloatArray:
    wave = np.asarray(wave, dtype=np.float64)
    if wave.ndim != 1 or not np.isfinite(wave).all():
        raise BadSignal(Message("emg.wave", shape=str(wave.shape)))
    return wave


def _rest(values: FloatArray, baseline: tuple[int, int]) -> FloatArray:
    first, last = baseline
    if not 0 <= first < last <= len(values):
        raise BadValue(Message("emg.baseline", got=str(baseline), n=len(values)))
    return values[first:last]


def _smoothed(values: FloatArray, n: int) -> FloatArray:
    """Mean over ``n`` samples about each; at the ends over those there are."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    first, last = np.maximum(at - n // 2, 0), np.minimum(at - n // 2 + n, len(values))
    mean: FloatArray = (total[last] - total[first]) / (last - first)
    return mean


def _joined(active: NDArray[np.bool_], gap: int) -> list[tuple[int, int]]:
    """Begin and end of active stretches; breaks shorter than ``gap`` samples are bridged."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(np.int8), [0]])))
    found: list[tuple[int, int]] = []
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist()):
        if found and begin - found[-1][1] < gap:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _single(share: float, *, least: int, of: int) -> float:
    """Probability of one, such that at least ``least`` of ``of`` have the probability ``share``."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        p = 0.5 * (low + high)
        tail = sum(comb(of, k) * p**k * (1.0 - p) ** (of - k) for k in range(least, of + 1))
        low, high = (p, high) if tail < share else (low, p)
    return low


def _whitened(wave: FloatArray, rest: FloatArray, order: int) -> FloatArray:
    """The wave without what an autoregressive model of rest foretells (Yule and Walker, by Levinson)."""
    if order == 0:
        return wave
    centred = rest - rest.mean()
    lags = [float((centred[lag:] * centred[: len(centred) - lag]).sum()) for lag in range(order + 1)]
    if not lags[0] > 0.0:
        raise BadSignal(Message("emg.rest_constant"))
    model: list[float] = []
    error = lags[0]
    for k in range(order):
        reflection = (lags[k + 1] - sum(a * lags[k - i] for i, a in enumerate(model))) / error
        model = [a - reflection * b for a, b in zip(model, reversed(model))] + [reflection]
        error *= 1.0 - reflection * reflection
    white = wave - rest.mean()
    foretold = np.zeros(len(white))
    for lag, a in enumerate(model, start=1):
        foretold[lag:] += a * white[:-lag]
    left: FloatArray = white - foretold
    return left


def _not_blanked(n: int, pulses: Sequence[int], *, fs: float, blank_s: tuple[float, float]) -> NDArray[np.bool_]:
    kept = np.full(n, fill_value=True)
    # Up to whole samples that hold both ends: none of the artefact is left.
    first, last = int(np.floor(blank_s[0] * fs)), int(np.ceil(blank_s[1] * fs))
    for at in pulses:
        kept[max(0, at + first) : max(0, at + last + 1)] = False
    return kept


def _held(wave: FloatArray, kept: NDArray[np.bool_]) -> FloatArray:
    """The wave with the last sample that is kept in place of those that are not; 0 before the first."""
    last = np.maximum.accumulate(np.where(kept, np.arange(len(wave)), -1))
    return np.where(last < 0, 0.0, wave[np.maximum(last, 0)])
