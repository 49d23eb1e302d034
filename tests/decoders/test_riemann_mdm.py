"""Distances to class means against the formulas written out with SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from workbench import decoders
from workbench.errors import BadSignal
from workbench.fitting.riemann import checked, riemannian_mean

FS, N_CHANNELS = 160.0, 6


def make(**params):
    return decoders.load("riemann_mdm")(**{"fs": FS, "window_s": 0.5, **params})


def epochs(n=24, seed=0, classes=("feet", "hands")):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(0, 1, (N_CHANNELS, N_CHANNELS))
    y = np.array(classes)[np.arange(n) % len(classes)]
    sources = rng.normal(0, 5, (n, N_CHANNELS, 80))
    for k, name in enumerate(classes):
        sources[y == name, k] *= 2
    return np.einsum("cs,nst->nct", mixing, sources), y


def test_scores_are_minus_the_squared_distances():
    x, y = epochs()
    decoder = make().fit(x, y)
    summaries, _ = decoder._epoch_summaries(x, 0.0)
    means = [riemannian_mean(summaries[y == name, 0]) for name in decoder.classes_]
    expected = [[-(np.log(linalg.eigvalsh(c, g)) ** 2).sum() for g in means] for c in summaries[:, 0]]
    np.testing.assert_allclose(decoder.scores_of(summaries), expected, rtol=1e-8)
    assert decoder.log_prior_.tolist() == [0.0, 0.0]


def test_the_mean_is_where_the_tangent_vectors_sum_to_nothing():
    x = np.random.default_rng(1).normal(0, 1, (12, 5, 40)) * np.arange(1, 6)[:, None]
    covariances = np.array([np.cov(one) for one in x])
    mean = riemannian_mean(covariances)
    root = linalg.inv(linalg.sqrtm(mean).real)
    np.testing.assert_allclose(np.mean([linalg.logm(root @ c @ root) for c in covariances], axis=0), 0, atol=1e-8)


def test_more_classes_need_nothing_else():
    names = ("feet", "hands", "tongue")
    decoder = make().fit(*epochs(n=45, classes=names))
    x, y = epochs(n=45, seed=1, classes=names)
    assert decoder.whiteners_.shape == (3, N_CHANNELS, N_CHANNELS)
    assert (decoder.predict(x) == y).mean() > 0.6


def test_a_common_average_and_a_bridge_keep_their_rank_by_shrinkage():
    x, y = epochs()
    x[:, 4] = x[:, 5]
    assert (make(reference="car").fit(x, y).predict(x) == y).mean() > 0.8


def test_a_covariance_without_rank_is_refused():
    with pytest.raises(BadSignal, match="rank 1 of 3"):
        checked(np.ones((2, 3, 3)))


def test_a_window_that_cannot_be_scored_is_refused():
    decoder = make().fit(*epochs())
    with pytest.raises(BadSignal, match="not full rank"):
        decoder.scores_of([np.zeros((1, N_CHANNELS, N_CHANNELS))])
