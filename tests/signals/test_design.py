"""Designed filters are those of SciPy and do what the settings say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from workbench.errors import BadValue
from workbench.signals import SignalSettings, SignalStream, design


def settings(**changes):
    return SignalSettings(**{"bands": ((8, 13), (55, 95)), "window_s": 0.5, **changes})


def six(five):
    """Sections with a0 put back."""
    return np.insert(five, 3, 1.0, axis=-1)


def test_bands_are_butterworth_and_notches_a_comb():
    arrays = design(settings(), fs=1000.0, n_channels=8)
    assert arrays["notch"].shape == (2, 5)
    assert arrays["band"].shape == (2, 4, 5)
    np.testing.assert_array_equal(
        six(arrays["band"][0]), signal.butter(4, (8, 13), "bandpass", fs=1000, output="sos")
    )
    f, h = signal.sosfreqz(six(arrays["notch"]), worN=[50, 100, 47, 75], fs=1000)
    assert np.all(np.abs(h[:2]) < 1e-9)
    assert np.all(np.abs(h[2:]) > 0.9)


@pytest.mark.parametrize(
    ("fs", "mains", "top", "expected"),
    [
        (1000.0, 50.0, 145.0, [50, 100, 150, 200]),
        (1000.0, 60.0, 175.0, [60, 120, 180, 240]),
        (250.0, 50.0, 32.0, [50]),
        (160.0, 60.0, 30.0, [60]),
        (100.0, 50.0, 30.0, []),
        (1000.0, 0.0, 145.0, []),
    ],
)
def test_the_comb_holds_the_mains_and_the_harmonics_that_reach_a_band(fs, mains, top, expected):
    arrays = design(settings(bands=((8, top),), mains_hz=mains), fs=fs, n_channels=2)
    angles = np.arccos(-arrays["notch"][:, 1] / 2 / arrays["notch"][:, 0]) * fs / 2 / np.pi
    np.testing.assert_allclose(angles, expected, atol=1e-6)


def test_the_group_delay_is_that_of_the_filter_as_simulated():
    fs, (low, high) = 1000.0, (8, 13)
    arrays = design(settings(bands=((low, high),)), fs=fs, n_channels=1)
    t = np.arange(int(4 * fs)) / fs
    burst = np.exp(-(((t - 1.5) / 0.4) ** 2)) * np.sin(2 * np.pi * np.sqrt(low * high) * t)
    out = signal.sosfilt(six(np.concatenate([arrays["notch"], arrays["band"][0]])), burst)
    envelope = np.abs(signal.hilbert(out)) ** 2
    measured = (envelope * t).sum() / envelope.sum() - 1.5
    assert arrays["delay"][0] == pytest.approx(measured, abs=0.01)


def test_a_filter_has_settled_when_its_impulse_response_is_out():
    arrays = design(settings(bands=((8, 13),), mains_hz=0.0), fs=1000.0, n_channels=1)
    impulse = signal.sosfilt(six(arrays["band"][0]), np.eye(1, 5000)[0]) ** 2
    settle = int(arrays["settle"][0])
    assert impulse[:settle].sum() >= 0.99 * impulse.sum()
    assert impulse[: settle - 2].sum() < 0.99 * impulse.sum()


@pytest.mark.parametrize(
    ("changes", "fs", "n", "words"),
    [
        ({"bands": ((8, 95),)}, 190.0, 8, "needs a rate above 190 Hz, got 190"),
        ({}, 0.0, 8, "fs must be a rate"),
        ({}, float("nan"), 8, "fs must be a rate"),
        ({}, 1000.0, 0, "n_channels"),
        ({"reference": "bipolar", "pairs": ((0, 8),)}, 1000.0, 8, "pairs name channel 8"),
        ({"reference": "laplacian", "neighbours": ((0, 1, 8),)}, 1000.0, 8, "neighbours name channel 8"),
        ({"reference": "car"}, 1000.0, 1, "at least 2 channels"),
    ],
)
def test_what_cannot_be_designed_is_refused(changes, fs, n, words):
    with pytest.raises(BadValue, match=words):
        design(settings(**changes), fs=fs, n_channels=n)


@pytest.mark.parametrize("band", [(6.0, 90.0), (14.0, 90.0), (38.0, 88.0)])
def test_chebyshev_1_is_that_of_scipy_with_half_a_decibel_of_ripple(band):
    made = settings(bands=(band,), shape="chebyshev1", mains_hz=0.0)
    sos = six(design(made, fs=250.0, n_channels=2)["band"][0])
    np.testing.assert_array_equal(sos, signal.cheby1(4, 0.5, band, "bandpass", fs=250, output="sos"))
    _, h = signal.sosfreqz(sos, worN=np.linspace(*band, 500), fs=250)
    assert -20 * np.log10(np.abs(h)).min() == pytest.approx(0.5, abs=0.01)
    assert np.abs(h).max() <= 1 + 1e-9


@pytest.mark.parametrize("fs", [160.0, 1000.0])
def test_chebyshev_edges_are_3_db_down_and_the_stop_band_40(fs):
    bands = ((4.0, 8.0), (36.0, 40.0))
    settings = SignalSettings(bands=bands, window_s=1.0, shape="chebyshev2", mains_hz=0)
    for band, five in zip(bands, design(settings, fs=fs, n_channels=1)["band"], strict=True):
        _, response = signal.freqz_sos(
            np.insert(five, 3, 1.0, axis=1), worN=[*band, band[0] / 4, band[1] + 10], fs=fs
        )
        gain = 20 * np.log10(np.abs(response))
        np.testing.assert_allclose(gain[:2], -3.01, atol=0.01)
        assert (gain[2:] < -39.9).all()


def test_another_shape_is_refused():
    with pytest.raises(BadValue, match="shape must be one of butterworth.*got 'bessel'"):
        SignalSettings(bands=((8, 13),), window_s=1.0, shape="bessel")


def test_a_band_from_zero_is_a_low_pass_beside_band_passes():
    chosen = settings(bands=((0.0, 3.0), (8.0, 30.0)), window_s=1.0, mains_hz=0.0)
    arrays = design(chosen, fs=256.0, n_channels=1)
    _, gain = signal.freqz_sos(six(arrays["band"][0]), worN=[0.0, 1.0, 3.0, 30.0], fs=256.0)
    assert np.abs(gain) == pytest.approx([1.0, 1.0, 0.5**0.5, 0.0], abs=1e-3)
    alone = design(settings(bands=((8.0, 30.0),), mains_hz=0.0), fs=256.0, n_channels=1)
    assert np.array_equal(arrays["band"][1], alone["band"][0])
    assert 0.0 < arrays["delay"][0] < 0.5
    stream = SignalStream(chosen, arrays, fs=256.0, n_channels=1)
    stream.step(np.full((512, 1), 40.0))
    window, _ = stream.window(512)
    assert window[:, 0] == pytest.approx(40.0)
    assert window[:, 1] == pytest.approx(0.0, abs=1e-9)


def test_what_is_done_to_designed_filters_reaches_no_later_design():
    settings = SignalSettings(bands=((8, 30),), window_s=0.5)
    first = design(settings, fs=250.0, n_channels=2)
    kept = {name: array.copy() for name, array in first.items()}
    for array in first.values():
        array[...] = 0.0
    again = design(settings, fs=250.0, n_channels=2)
    assert all(np.array_equal(again[name], kept[name]) for name in kept)
