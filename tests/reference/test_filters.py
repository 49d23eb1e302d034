"""Filters beside SciPy over 20 s with a large offset: every band of the decoders at every rate. Goal: 1e-6 µV."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from workbench.signals import SignalSettings, SignalStream, design

OFFSET_UV = 20000.0
GOAL_UV = 1e-6
RATES = [160.0, 200.0, 250.0, 256.0, 500.0, 512.0, 600.0, 1000.0, 1024.0, 2000.0, 2048.0]
BANDS = {
    "band power, ECoG": ("butterworth", ((8, 13), (13, 20), (20, 30), (30, 45), (55, 95), (105, 145))),
    "band power, ECoG, 60 Hz": ("butterworth", ((65, 115), (125, 175))),
    "band power, EEG": ("butterworth", ((8, 12), (12, 16), (16, 20), (20, 26), (26, 32))),
    "wide": ("butterworth", ((8, 30), (8, 35), (0.5, 40))),
    "evoked": ("butterworth", ((0.5, 20), (1, 10))),
    "slow": ("butterworth", ((0.3, 3),)),
    "filter-bank CSP": ("chebyshev2", tuple((4.0 * k, 4.0 * k + 4.0) for k in range(1, 10))),
    "SSVEP": ("chebyshev1", tuple((max(6.0, 8.0 * n - 2), 90.0 if n < 5 else 88.0) for n in range(1, 6))),
}


def streamed(settings, arrays, x, fs):
    s = SignalStream(settings, arrays, fs=fs, n_channels=x.shape[1])
    parts = []
    for first in range(0, len(x), s.n_window):
        s.step(x[first : first + s.n_window])
        if s.n_seen % s.n_window == 0:
            parts.append(s.window(s.n_seen)[0].copy())
    return np.concatenate(parts)


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("name", BANDS)
def test_filters_agree_with_scipy_over_20_s_with_an_offset(name, fs):
    shape, bands = BANDS[name]
    bands = tuple(band for band in bands if band[1] < 0.49 * fs)
    if not bands:
        pytest.skip(f"no band of {name} fits under half of {fs:g} Hz")
    settings = SignalSettings(bands=bands, window_s=1.0, history_s=1.0, shape=shape)
    arrays = design(settings, fs=fs, n_channels=2)
    x = np.random.default_rng(int(fs)).normal(OFFSET_UV, 10, (int(20 * fs), 2))
    got, worst = streamed(settings, arrays, x, fs), 0.0
    for i in range(len(bands)):
        sos = np.insert(np.concatenate([arrays["notch"], arrays["band"][i]]), 3, 1.0, axis=-1)
        start = signal.sosfilt_zi(sos)[:, :, None] * x[0]
        expected = signal.sosfilt(sos, x, axis=0, zi=start)[0][: len(got)]
        worst = max(worst, float(np.abs(got[:, 2 * i : 2 * i + 2] - expected).max()))
    print(f"{name}, {fs:g} Hz: largest difference {worst:.1e} µV after {OFFSET_UV:g} µV of offset")
    assert worst <= GOAL_UV
