"""G1 to G3: the filters of the loop beside SciPy's sections with carried state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.bench._items import Item, Result, race
from workbench.signals import SignalSettings, SignalStream, design
from workbench.signals._filter import filters
from workbench.vocabulary import FloatArray

FS = 1000.0
Bands = tuple[tuple[float, float], ...]
ONE = ((8.0, 30.0),)
NINE = tuple((low, low + 4.0) for low in np.arange(4.0, 40.0, 4.0))
RATES = (128.0, 160.0, 250.0, 256.0, 500.0, 512.0, 1000.0, 2000.0)
BANDS = ((0.5, 4.0), (4.0, 8.0), (8.0, 13.0), (13.0, 20.0), (8.0, 30.0), (20.0, 30.0), (30.0, 45.0), (55.0, 95.0))


def _settings(bands: Bands) -> SignalSettings:
    return SignalSettings(bands=bands, window_s=0.5, reference="none", mains_hz=50.0)


def _stream(bands: Bands, n_channels: int) -> SignalStream:
    settings = _settings(bands)
    return SignalStream(settings, design(settings, fs=FS, n_channels=n_channels), fs=FS, n_channels=n_channels)


def _scipy(bands: Bands, n_channels: int, fs: float = FS) -> Callable[[FloatArray], FloatArray]:
    """SciPy's cascade of notch and each band over the same samples, its state carried and started at rest."""
    from scipy import signal

    arrays = design(_settings(bands), fs=fs, n_channels=n_channels)
    cascades = [np.insert(np.concatenate([arrays["notch"], band]), 3, 1.0, axis=1) for band in arrays["band"]]
    states: list[FloatArray] = []

    def run(samples: FloatArray) -> FloatArray:
        if not states:
            # As our stream starts: in the steady state of the first sample.
            states.extend(signal.sosfilt_zi(sos)[..., None] * samples[0] for sos in cascades)
        lanes = []
        for i, sos in enumerate(cascades):
            filtered, states[i] = signal.sosfilt(sos, samples, axis=0, zi=states[i])
            lanes.append(filtered)
        return np.concatenate(lanes, axis=1)

    return run


def _banks(bands: Bands, n_channels: int, first: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """The filter stages alone, as the stream runs them."""
    settings = _settings(bands)
    stages, n_in = filters(design(settings, fs=FS, n_channels=n_channels), n_channels), n_channels
    for stage in stages:
        stage.start(first)
    n_out = len(bands) * n_in

    def run(samples: FloatArray) -> FloatArray:
        for stage in stages[:-1]:
            combed = np.empty_like(samples)
            stage.step(samples, combed)
            samples = combed
        out = np.empty((len(samples), n_out))
        stages[-1].step(samples, out)
        return out

    return run


def _contest(bands: Bands, n_channels: int, n_times: int, *, full_stream: bool, rounds: int) -> Result:
    rng = np.random.Generator(np.random.PCG64(3))
    samples = rng.normal(0.0, 20.0, (n_times, n_channels))
    ours = _stream(bands, n_channels).step if full_stream else _banks(bands, n_channels, samples[0])
    peer = _scipy(bands, n_channels)
    return race(lambda: ours(samples), lambda: peer(samples), rounds=rounds, name="scipy.signal.sosfilt")


def _error(_rounds: int) -> Result:
    """Largest difference over 20 s with an offset of 5 mV, as a share of the band's own standard deviation."""
    worst, at_band, n = 0.0, "", 0
    for fs in RATES:
        for band in BANDS:
            # Near half the rate both designs are limited by the bilinear transform.
            if band[1] >= 0.45 * fs:
                continue
            rng = np.random.Generator(np.random.PCG64(4))
            samples = 5000.0 + rng.normal(0.0, 20.0, (round(20 * fs), 2))
            settings = SignalSettings(bands=(band,), window_s=20.0, reference="none", mains_hz=50.0, history_s=1.0)
            stream = SignalStream(settings, design(settings, fs=fs, n_channels=2), fs=fs, n_channels=2)
            # Chunks of a prime length: state is carried across every alignment.
            for start in range(0, len(samples), 37):
                stream.step(samples[start : start + 37])
            actual, _ = stream.window(len(samples))
            expected = _scipy((band,), 2, fs)(samples)
            error = float(np.abs(actual - expected).max() / expected.std())
            n += 1
            # Negated, so that nan is reported as the worst.
            if not error <= worst:
                worst, at_band = error, f", {band[0]:g}–{band[1]:g} Hz at {fs:g} Hz"
    detail = f"worst of {n} bands and rates{at_band}; 20 s, offset 5 mV, chunks of 37"
    return Result(worst, worst, worst, detail if worst else f"{detail}; no bit differs")


def _item(key: str, bands: Bands, n_channels: int, n_times: int, goal: float | None) -> Item:
    title = "band-pass and notch" if len(bands) == 1 else f"{len(bands)}-band filter bank and notch"
    full_stream = goal is None
    size = f"{n_channels} channels × {n_times} samples" + (
        ", with checks, reference and history" if full_stream else ""
    )

    def run(rounds: int) -> Result:
        return _contest(bands, n_channels, n_times, full_stream=full_stream, rounds=rounds)

    return Item(key, title, size, "×", ">=", goal, run, 4.0)


ITEMS = (
    _item("G1", ONE, 64, 16, 12.0),
    _item("G1", ONE, 256, 64, 6.0),
    _item("G1", ONE, 64, 16, None),
    _item("G1", ONE, 256, 64, None),
    _item("G2", NINE, 8, 16, 50.0),
    _item("G2", NINE, 64, 16, 15.0),
    _item("G2", NINE, 256, 64, 5.0),
    Item("G3", "difference from SciPy", "every band and rate", "of the band's SD", "<=", 1e-6, _error, 15.0),
)
