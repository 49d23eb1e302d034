"""Learning of rest against movements: effective numbers, shrunk means, held-out scale."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf as reference

from workbench.errors import BadSignal
from workbench.fitting.lda import ledoit_wolf
from workbench.fitting.whitening import overlap, pulled, rest_lda, whitening


def smoothed(n, p, k, seed=0):
    """Running means of ``k`` independent rows."""
    x = np.random.default_rng(seed).normal(0, 1, (n + k, p)).cumsum(axis=0)
    return (x[k:] - x[:-k]) / k


@pytest.mark.parametrize("k", [1, 4, 10])
def test_overlapping_windows_count_by_what_they_are_worth(k):
    x = smoothed(4000, 6, k)
    assert overlap(x - x.mean(axis=0), np.zeros(4000, dtype=np.int64)) == pytest.approx(k, rel=0.1)


def test_windows_of_different_classes_are_not_compared():
    assert overlap(smoothed(400, 6, 10), np.arange(400)) == 1.0
    assert overlap(np.zeros((5, 2)), np.zeros(5, dtype=np.int64)) == 1.0


def test_shrinkage_grows_with_the_overlap():
    x = np.random.default_rng(1).normal(0, np.arange(1, 9), (60, 8))
    centred = x - x.mean(axis=0)
    _, expected = reference(centred, assume_centered=True)
    assert ledoit_wolf(centred, overlap=4.0)[1] == pytest.approx(min(1.0, 4 * expected), abs=1e-12)


def test_differences_are_pulled_to_the_mean_of_their_band_by_the_formula():
    differences = np.array([[1.0, 2.0, 3.0, 4.0, 5.0], [0.1, 0.2, 0.1, 0.2, 0.1], [0.0] * 5])
    shrunk = pulled(differences, np.full(3, 0.5))
    share = 0.5 * 2 / 10.0
    np.testing.assert_allclose(shrunk[0], 3.0 + (1 - share) * (differences[0] - 3.0))
    np.testing.assert_allclose(shrunk[1], 0.14)
    np.testing.assert_allclose(shrunk[2], 0.0)
    np.testing.assert_allclose(pulled(differences[:, :3], np.full(3, 0.5)), differences[:, :3])


def test_pulling_brings_means_of_alike_channels_nearer_to_the_truth():
    rng = np.random.default_rng(2)
    truth = rng.normal(0.5, 0.1, (200, 8))
    seen = truth + rng.normal(0, 0.5, truth.shape)
    assert ((pulled(seen, np.full(200, 0.25)) - truth) ** 2).sum() < 0.5 * ((seen - truth) ** 2).sum()


def test_whitening_gives_the_identity_and_is_symmetric():
    x = np.random.default_rng(3).normal(0, 1, (2, 50, 5)) @ np.random.default_rng(4).normal(0, 1, (5, 5))
    covariances = np.array([np.cov(one.T) for one in x])
    for w, c in zip(whitening(covariances), covariances, strict=True):
        np.testing.assert_allclose(w @ c @ w.T, np.eye(5), atol=1e-9)
        np.testing.assert_allclose(w, w.T, atol=1e-9)


def test_a_lost_rank_is_not_blown_up():
    assert np.abs(whitening(np.ones((1, 3, 3)))).max() <= 1e3


def trials(*, n_trials=20, distance=1.0, seed=0, classes=2, p=24, k=8):
    """Runs of 20 overlapping windows, classes in turn; the last class is rest, which lies at 0."""
    index = np.repeat(np.arange(n_trials * classes) % classes, 20)
    z = smoothed(len(index), p, k, seed) * np.sqrt(k)
    for name in range(classes - 1):
        z[index == name, name * 4 : name * 4 + 4] += distance
    return z - z[index == classes - 1].mean(axis=0), index


def test_scores_of_new_windows_are_calibrated_although_the_windows_overlap():
    weights, bias, log_prior = rest_lda(*trials(), rest=1, n_bands=3)
    assert (weights[1] == 0.0).all()
    assert bias[1] == log_prior[1] == np.log(0.5)
    unseen, truth = trials(n_trials=300, seed=8)
    odds = (unseen @ weights.T + bias) @ [1.0, -1.0]
    slope = (odds[truth == 0].mean() - odds[truth == 1].mean()) / odds[truth == 0].var()
    assert 0.7 < slope < 1.4
    assert ((odds > 0) == (truth == 0)).mean() > 0.75


def test_each_movement_is_set_against_rest():
    weights, bias, _ = rest_lda(*trials(classes=3, distance=1.5), rest=2, n_bands=3)
    unseen, truth = trials(classes=3, distance=1.5, n_trials=100, seed=5)
    assert ((unseen @ weights.T + bias).argmax(axis=1) == truth).mean() > 0.75


def test_few_windows_keep_the_scores_as_fitted():
    z, index = trials(n_trials=1)
    weights, bias, log_prior = rest_lda(z, index, rest=1, n_bands=3)
    middle = -0.5 * weights[0] @ (z[index == 0].mean(axis=0) + z[index == 1].mean(axis=0))
    assert bias[0] - log_prior[0] == pytest.approx(middle)


def test_a_difference_that_does_not_repeat_is_not_trusted_and_never_turned_round():
    z, index = trials(distance=0.0, seed=3)
    weights, _, _ = rest_lda(z, index, rest=1, n_bands=3)
    assert 0 <= weights[0] @ (z[index == 0].mean(axis=0) - z[index == 1].mean(axis=0)) < 0.5


def test_features_without_spread_are_refused():
    with pytest.raises(BadSignal, match="do not vary"):
        rest_lda(np.repeat([[1.0, 2.0], [3.0, 4.0]], 5, axis=0), np.repeat([0, 1], 5), rest=0, n_bands=1)
