"""Tangent vectors against the formula written out with SciPy, and the discriminant on them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from workbench import decoders
from workbench.errors import BadValue
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


def test_delayed_copies_join_the_covariance_as_pyriemann_stacks_them():
    rng = np.random.default_rng(4)
    window = rng.normal(0, 10, (100, 2 * N_CHANNELS))
    decoder = make(bands=((8, 14), (14, 30)), delays_s=(2 / FS, 5 / FS)).prepare(N_CHANNELS)
    ours = decoder.reducer().summarise(window)
    assert ours.shape == (2, 3 * N_CHANNELS, 3 * N_CHANNELS)
    for band in range(2):
        lanes = window[:, band * N_CHANNELS : (band + 1) * N_CHANNELS]
        stacked = np.concatenate([lanes[5 - delay : 100 - delay] for delay in (0, 2, 5)], axis=1)
        estimation = pytest.importorskip("pyriemann.estimation", reason="pyriemann is not installed")
        theirs = estimation.Covariances(estimator="oas").transform(stacked.T[None])[0]
        np.testing.assert_allclose(ours[band], theirs, rtol=1e-9, atol=1e-9)
    windows = np.stack([window, 2 * window])
    each = decoder.reducer().summarise_each(windows)
    assert np.array_equal(each, [decoder.summarise(one) for one in windows])


def test_delays_tell_apart_what_only_time_tells_apart():
    rng = np.random.default_rng(6)
    y = np.array(["feet", "hands"])[np.arange(120) % 2]
    noise = rng.normal(0, 10, (120, 2, 170))
    # The second channel leads or lags the first by four samples: equal power, no covariance at lag 0.
    x = noise[:, :, 5:165].copy()
    x[y == "feet", 1] += noise[y == "feet", 0, 1:161]
    x[y == "hands", 1] += noise[y == "hands", 0, 9:169]
    params = {"bands": ((8, 60),), "window_s": 1.0, "reference": "none"}
    right = [
        (make(delays_s=delays, **params).fit(x[:60], y[:60]).predict(x[60:]) == y[60:]).mean()
        for delays in ((), (4 / FS,))
    ]
    assert right[0] < 0.75 < 0.9 < right[1]


@pytest.mark.parametrize("delays_s", [(0.0,), (0.1, 0.1), (0.3,), (-0.1,)])
def test_delays_that_no_window_has_are_refused(delays_s):
    with pytest.raises(BadValue, match="delays_s must differ"):
        make(delays_s=delays_s).fit(*epochs())


def test_defaults_are_those_of_the_definition():
    settings = decoders.load("tangent_space_lda")(fs=160.0).settings_for(64)
    assert (settings.bands, settings.window_s, settings.order) == (((8.0, 35.0),), 2.0, 4)
