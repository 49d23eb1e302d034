"""Filter bank, mutual information, and the chosen patterns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from workbench import decoders
from workbench.errors import BadValue
from workbench.fitting.csp import best_individual_features, mutual_information

FS, N_CHANNELS = 160.0, 6


def make(**params):
    return decoders.load("fbcsp")(**{"fs": FS, "window_s": 2.0, "reference": "none", **params})


def epochs(n=40, seed=0, classes=("feet", "hands"), hz=(22.0, 22.0, 30.0)):
    """A rhythm of each class's own pattern, in noise."""
    rng = np.random.default_rng(seed)
    patterns = np.random.default_rng(5).normal(0, 1, (len(classes), N_CHANNELS))
    y = np.array(classes)[np.arange(n) % len(classes)]
    x = rng.normal(0, 5, (n, N_CHANNELS, 320))
    times = np.arange(320) / FS
    for i in range(n):
        k = i % len(classes)
        x[i] += 4 * patterns[k][:, None] * np.sin(2 * np.pi * (hz[k] * times + rng.random()))
    return x, y


def test_the_band_that_tells_the_classes_apart_is_chosen():
    decoder = make().fit(*epochs())
    bands = decoder.chosen_ // 4
    assert 4 in bands.tolist()
    assert decoder.pass_bands()[4] == (20.0, 24.0)
    assert 4 <= len(decoder.chosen_) <= 8
    chosen = decoder.chosen_.astype(int).tolist()
    assert {one // 4 * 4 + (one % 4 + 2) % 4 for one in chosen} == set(chosen)
    x, y = epochs(seed=1)
    assert (decoder.predict(x) == y).mean() > 0.9


def test_three_classes_choose_for_each_against_the_rest():
    names = ("feet", "hands", "tongue")
    decoder = make().fit(*epochs(n=60, classes=names))
    assert decoder.filters_.shape == (9, 12, N_CHANNELS)
    assert decoder.groups_.tolist() == [3.0]
    x, y = epochs(n=60, seed=1, classes=names)
    assert (decoder.predict(x) == y).mean() > 0.9


def test_features_are_log_shares_of_their_band():
    decoder = make().fit(*epochs())
    summaries, _ = decoder._epoch_summaries(epochs()[0][:1], 0.0)
    shares = []
    for band in range(9):
        variance = np.diag(decoder.filters_[band] @ summaries[0, band] @ decoder.filters_[band].T)
        shares.append(np.log(variance / variance.sum()))
    expected = np.concatenate(shares)[decoder.chosen_.astype(int)]
    np.testing.assert_allclose(decoder._features().features(summaries[0]), expected, rtol=1e-9)


def test_filters_are_chebyshev_of_the_second_kind_with_their_edges_3_db_down():
    decoder = make().prepare(N_CHANNELS)
    for band, five in zip(decoder.pass_bands(), decoder.design_["band"], strict=True):
        sos = np.insert(five, 3, 1.0, axis=1)
        far = [band[0] / 4, band[1] + 10]
        _, response = signal.freqz_sos(sos, worN=[*band, *far], fs=FS)
        gain = 20 * np.log10(np.abs(response))
        np.testing.assert_allclose(gain[:2], -3.01, atol=0.05)
        assert (gain[2:] < -39).all()


def test_information_is_that_of_a_coin_or_none():
    rng = np.random.default_rng(0)
    member = np.arange(2000) % 2 == 0
    assert mutual_information(rng.normal(0, 1, 2000) + 100 * member, member) == pytest.approx(np.log(2), abs=0.01)
    assert mutual_information(rng.normal(0, 1, 2000), member) == pytest.approx(0.0, abs=0.01)


def test_each_chosen_feature_brings_its_partner():
    index = np.arange(100) % 2
    features = np.random.default_rng(1).normal(0, 1, (100, 8))
    features[:, 5] += 10 * index
    assert best_individual_features(features, index, problems=1, shape=(2, 4), n_best=1).tolist() == [5, 7]


def test_parameters_outside_what_is_allowed_are_refused():
    for params in ({"n_pairs": 0}, {"n_best": 0}):
        with pytest.raises(BadValue, match=next(iter(params))):
            make(**params).fit(*epochs())
