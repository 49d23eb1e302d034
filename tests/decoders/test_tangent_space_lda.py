"""Tangent vectors against the formula written out with SciPy, and the discriminant on them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from workbench import decoders
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.riemann import riemannian_mean

FS, N_CHANNELS = 160.0, 5


def make(**params):
    return decoders.load("tangent_space_lda")(**{"fs": FS, "window_s": 0.5, **params})


def epochs(n=30, seed=0):
    rng = np.random.default_rng(seed)
    y = np.array(["feet", "hands"])[np.arange(n) % 2]
    x = rng.normal(0, 10, (n, N_CHANNELS, 80))
    x[y == "hands", 0] += 0.8 * x[y == "hands", 1]
    return x, y


def test_scores_are_the_definition_written_out():
    bands = ((8, 14), (14, 30))
    x, y = epochs()
    decoder = make(bands=bands).fit(x, y)
    summaries, _ = decoder._epoch_summaries(x, 0.0)
    rows, columns = np.triu_indices(N_CHANNELS)
    stacked = []
    for band in range(2):
        root = linalg.inv(linalg.sqrtm(riemannian_mean(summaries[:, band])).real)
        logs = np.array([linalg.logm(root @ c @ root) for c in summaries[:, band]])
        stacked.append(logs[:, rows, columns] * np.where(rows == columns, 1, np.sqrt(2)))
    vectors = np.concatenate(stacked, axis=1)
    weights, bias, _ = shrinkage_lda(vectors, y)
    scores = decoder.evidence_["factor"] * (vectors @ weights.T + bias)
    np.testing.assert_allclose(decoder.scores_of(summaries), scores, rtol=1e-6, atol=1e-8)
    assert decoder.whiteners_.shape == (2, N_CHANNELS, N_CHANNELS)


def test_it_sees_what_channels_share_and_not_only_their_power():
    decoder = make().fit(*epochs(n=60))
    x, y = epochs(n=60, seed=1)
    assert (decoder.predict(x) == y).mean() > 0.8


@pytest.mark.parametrize("gain", [0.01, 300.0])
def test_the_gain_of_the_amplifier_changes_no_decision(gain):
    x, y = epochs()
    new = epochs(seed=2)[0]
    assert np.array_equal(make().fit(x, y).predict(new), make().fit(x * gain, y).predict(new * gain))


def test_probabilities_of_many_features_are_not_all_certain():
    x, y = epochs(n=40)
    new, truth = epochs(n=200, seed=3)
    params = {"bands": ((8, 12), (12, 16), (16, 24), (24, 32))}  # 60 features of 40 windows
    certain = [(make(evidence=evidence, **params).fit(x, y).predict_proba(new).max(axis=1) > 0.99).mean()
               for evidence in (None, {"calibrate": None})]  # fmt: skip
    decided = make(**params).fit(x, y).predict(new)
    assert certain[0] < 0.5 < certain[1]
    assert np.array_equal(decided, make(evidence={"calibrate": None}, **params).fit(x, y).predict(new))
    assert (decided == truth).mean() > 0.6


def test_a_class_of_one_block_is_fitted_without_a_factor():
    x, y = epochs(n=12)
    assert make().fit(x, y, blocks=y).evidence_.keys().isdisjoint({"factor", "calibration_x"})


def test_defaults_are_those_of_the_definition():
    settings = decoders.load("tangent_space_lda")(fs=160.0).settings_for(64)
    assert (settings.bands, settings.window_s, settings.order) == (((8.0, 35.0),), 2.0, 4)
