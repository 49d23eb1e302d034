"""Slow potentials: taps, discriminant, self-paced detection."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import signal

from workbench import decoders
from workbench.decoders import _store
from workbench.decoding.reducers import Taps
from workbench.errors import BadValue
from workbench.vocabulary import Chunk, Montage

FS, N_CHANNELS = 160.0, 4
PERIOD = 8 * 160


def make(**params):
    return decoders.load("mrcp_lda")(**{"fs": FS, **params})


def recording(n_trials=30, seed=0):
    """Every 8 s a slow negative wave of 1.5 s and 30 µV in channel 0; onset at 6 s."""
    x = np.random.default_rng(seed).normal(0, 4, (n_trials * PERIOD, N_CHANNELS))
    for trial in range(n_trials):
        at = trial * PERIOD + 6 * 160 - 160
        x[at : at + 240, 0] -= 30 * np.sin(np.pi * np.arange(240) / 240)
    return x


def fitted(**params):
    decoder, x = make(**params), recording()
    wanted = [(t * PERIOD + 6 * 160 + 40, "move", t) for t in range(1, 30)]
    wanted += [(t * PERIOD + k, "rest", t) for t in range(1, 30) for k in range(0, 4 * 160, 10)]
    training = decoders.collect(decoder, [Chunk(0, x, np.arange(len(x)) / FS)], wanted, n_channels=N_CHANNELS)
    return decoder.fit_summaries(training.summaries, training.labels, blocks=training.blocks)


def detections(decoder, x):
    stream, on = decoder.start(), []
    for end in range(stream.hop, len(x) + 1, stream.hop):
        stream.step(x[end - stream.hop : end])
        on.append(stream.evidence(end).probabilities[0] > 0.5)
    on = np.array(on)
    return (np.flatnonzero(on[1:] & ~on[:-1]) + 2) * stream.hop, on


def test_taps_are_samples_at_16_hz_that_end_with_the_window():
    window = np.arange(160.0)[:, None] * np.ones(2)
    assert Taps(16).summarise(window)[:, 0].tolist() == list(range(9, 160, 10))
    assert Taps(3).summarise(window[:10])[:, 1].tolist() == [2.0, 5.0, 9.0]


def test_features_are_the_definition_written_out():
    decoder, x = fitted(band=(0.3, 3.0), means=False), recording(n_trials=4, seed=3) + 500.0
    sos = np.concatenate(
        [
            signal.tf2sos(*signal.iirnotch(50, 30, fs=FS)),
            signal.butter(4, (0.3, 3), "bandpass", fs=FS, output="sos"),
        ]
    )
    car = x - x.mean(axis=1, keepdims=True)
    filtered = signal.sosfilt(sos, car, axis=0, zi=signal.sosfilt_zi(sos)[:, :, None] * car[0])[0]
    stream = decoder.signal()
    stream.step(x)
    taps = filtered[len(x) - 160 + 9 :: 10]
    np.testing.assert_allclose(decoder.summarise(stream.window(len(x))[0]), taps, rtol=1e-6, atol=1e-6)


def test_movements_are_found_and_rest_is_left_alone():
    found, on = detections(fitted(), recording(n_trials=20, seed=1))
    onsets = np.arange(1, 20) * PERIOD + 6 * 160
    hits = sum(((found > onset - 160) & (found < onset + 160)).any() for onset in onsets)
    assert hits >= 17
    false = sum(not ((onsets > at - 240) & (onsets < at + 240)).any() for at in found)
    assert false <= 20 * 8 / 60 * 2
    held = np.diff(np.flatnonzero(np.diff(on.astype(int))))[::2]
    assert (held == round(2.0 / 0.0625)).all()


def test_without_rest_there_is_no_trigger():
    x = np.random.default_rng(0).normal(0, 5, (20, N_CHANNELS, 320))
    decoder = make(n_taps=8).fit(x, ["left", "right"] * 10)
    assert decoder.start()._finish.accumulator is None
    assert decoder.settings.window_s == 0.5


def test_values_are_means_of_sixteenths_of_a_second_unless_it_was_stored_before_there_were_any(tmp_path):
    window = np.random.default_rng(2).normal(0, 5, (160, N_CHANNELS))
    now = fitted()
    np.testing.assert_allclose(now.summarise(window), window.reshape(16, 10, N_CHANNELS).mean(axis=1), rtol=1e-12)
    decoders.save(fitted(band=(0.3, 3.0), means=False), tmp_path, montage=Montage(tuple("abcd"), FS))
    whole = json.loads((tmp_path / "decoder.json").read_text())
    del whole["decoder"]["params"]["means"]
    with np.load(tmp_path / "arrays.npz") as archive:
        whole["sha256"] = _store._hash(whole["decoder"], dict(archive))
    (tmp_path / "decoder.json").write_text(json.dumps(whole))
    before = decoders.read(tmp_path)
    assert np.array_equal(before.summarise(window), window[9::10])


def test_an_edge_of_7_hz_delays_a_potential_by_less_than_half_of_what_3_hz_do():
    delays = [make(band=(0.0, edge)).prepare(N_CHANNELS).delay_s[0] for edge in (3.0, 7.0)]
    assert delays == pytest.approx([0.158, 0.067], abs=0.003)


def test_defaults_are_those_of_the_definition():
    settings = make().settings_for(4)
    assert (settings.bands, settings.order, settings.hop_s) == (((0.3, 7.0),), 4, 0.0625)
    assert (settings.window_s, settings.reference, make().settings_for(1).reference) == (1.0, "car", "none")


def test_taps_must_fit_in_the_window():
    x = np.random.default_rng(0).normal(0, 5, (8, N_CHANNELS, 320))
    with pytest.raises(BadValue, match="n_taps must be at least 2 and at most 80"):
        make(n_taps=100, window_s=0.5).fit(x, ["left", "right"] * 4)
