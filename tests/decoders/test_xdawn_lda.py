"""``xdawn_lda``: means at a low rate, the definition, rare targets."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from workbench import decoders
from workbench.decoding.reducers import Means

FS = 100.0


def flashes(n=80, seed=0):
    """Epochs of 1.9 s with the flash at 1.0 s, every fifth a target, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 5 == 0, "target", "nontarget")
    t = np.arange(190) / FS - 1.0
    x = rng.normal(0, 10, (n, 4, 190))
    x[y == "target"] += 9.0 * np.exp(-0.5 * ((t - 0.3) / 0.06) ** 2) * np.array([1.0, 1.0, 0.5, 0.0])[:, None]
    return x, y


def test_a_rare_response_is_told_from_noise_it_was_not_fitted_on():
    decoder = decoders.load("xdawn_lda")(FS).fit(*flashes(200), lead_in=1.0)
    x, y = flashes(200, seed=1)
    assert roc_auc_score(y == "target", decoder.decision_function(x)) > 0.9


def test_means_are_of_equal_stretches():
    window = np.random.default_rng(0).normal(size=(10, 3))
    means = Means(10, 4).summarise(window)
    np.testing.assert_allclose(means[1], window[2:5].mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(Means(10, 10).summarise(window), window)
    np.testing.assert_allclose(Means(10, 4).lane_power(means), (means**2).mean(axis=0), rtol=1e-14)


@pytest.mark.parametrize(("window_s", "n_means"), [(0.8, 26), (0.05, 2), (0.02, 1)])
def test_there_are_32_means_a_second(window_s, n_means):
    decoder = decoders.load("xdawn_lda")(FS, window_s=window_s).prepare(4)
    window = np.ones((decoder.settings.n_window(FS), 4))
    assert decoder.summarise(window).shape == (n_means, 4)


def test_the_score_is_linear_in_the_filtered_means():
    x, y = flashes()
    decoder = decoders.load("xdawn_lda")(FS, n_filters=2).fit(x, y, lead_in=1.0)
    summaries, _ = decoder._epoch_summaries(x, 1.0)
    features = (summaries @ decoder.filters_.T).reshape(len(x), -1)
    scores = features @ decoder.weights_.T + decoder.bias_
    np.testing.assert_allclose(decoder.decision_function(x), scores[:, 1] - scores[:, 0], atol=1e-9)


def test_it_can_adapt_as_other_discriminants_do():
    x, y = flashes()
    decoder = decoders.load("xdawn_lda")(FS, adapt={"rule": "supervised"}).fit(x, y, lead_in=1.0)
    stream = decoder.start()
    stream.step(np.ascontiguousarray(x[0].T))
    before = stream.evidence(180)
    assert stream.learn("target", end=180)
    stream.step(np.ascontiguousarray(x[1].T))
    assert len(stream.snapshots()) == 1
    assert before.valid
