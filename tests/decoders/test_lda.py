"""Shrinkage and discriminant against scikit-learn and the formulas."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf as reference

from workbench.errors import BadSignal
from workbench.fitting.lda import ledoit_wolf, shrinkage_lda


@pytest.mark.parametrize(("n", "p"), [(20, 5), (50, 36), (400, 36), (10, 40), (30, 1)])
def test_shrinkage_is_that_of_ledoit_and_wolf(n, p):
    x = np.random.default_rng(n + p).normal(0, np.arange(1, p + 1), (n, p))
    covariance, g = ledoit_wolf(x - x.mean(axis=0))
    expected, shrinkage = reference(x - x.mean(axis=0), assume_centered=True)
    if p > 1:
        assert g == pytest.approx(shrinkage, abs=1e-12)
    np.testing.assert_allclose(covariance, expected, rtol=1e-9, atol=1e-12)


def test_two_classes_give_the_logistic_of_the_definition():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (90, 4)), np.repeat([0, 1, 1], 30)
    x[y == 1] += 0.7
    weights, bias, log_prior = shrinkage_lda(x, y)
    mu = [x[y == k].mean(axis=0) for k in (0, 1)]
    sigma, _ = ledoit_wolf(x - np.array(mu)[y])
    w = np.linalg.inv(sigma) @ (mu[1] - mu[0])
    b = -w @ (mu[1] + mu[0]) / 2 + np.log(60 / 30)
    np.testing.assert_allclose(weights[1] - weights[0], w, rtol=1e-9)
    assert bias[1] - bias[0] == pytest.approx(b, rel=1e-9)
    np.testing.assert_allclose(np.exp(log_prior), [1 / 3, 2 / 3])


def test_features_without_spread_are_refused():
    with pytest.raises(BadSignal, match="do not vary"):
        shrinkage_lda(np.repeat([[1.0, 2.0], [3.0, 4.0]], 5, axis=0), np.repeat([0, 1], 5))


@pytest.mark.parametrize(("n", "p"), [(12, 13), (30, 400), (60, 2080)])
def test_more_features_than_rows_give_the_weights_of_the_whole_covariance(n, p):
    rng = np.random.default_rng(n)
    x, y = rng.normal(1.0, np.linspace(0.5, 2.0, p), (n, p)), np.arange(n) % 3
    weights, bias, log_prior = shrinkage_lda(x, y)
    means = np.array([x[y == k].mean(axis=0) for k in range(3)])
    dense = np.linalg.solve(ledoit_wolf(x - means[y])[0], means.T).T
    np.testing.assert_allclose(weights, dense, rtol=0, atol=1e-12 * np.abs(dense).max())
    np.testing.assert_allclose(bias, -0.5 * (dense * means).sum(axis=1) + log_prior, rtol=1e-12)


def test_more_features_than_rows_that_vary_in_one_direction_are_refused():
    x = np.outer([1.0, -1.0, 1.0, -1.0], np.ones(9)) + np.repeat([[0.0], [3.0]], 2, axis=0)
    with pytest.raises(BadSignal, match="one direction only"):
        shrinkage_lda(x, np.repeat([0, 1], 2))
