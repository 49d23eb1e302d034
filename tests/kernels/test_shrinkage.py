"""Shrinkage of a covariance against its twin and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import OAS

from tests import naive
from workbench.kernels.shrinkage import oas


@pytest.mark.parametrize(("n_times", "n"), [(40, 5), (320, 22), (10, 30), (2, 3), (50, 1)])
def test_the_shrunk_covariance_is_that_of_scikit_learn(n_times, n):
    x = np.random.default_rng(n).normal(0, np.arange(1, n + 1), (n_times, n)) + 100.0
    covariance = np.ascontiguousarray(np.cov(x.T).reshape(n, n))
    expected, share = naive.oas(covariance, n_times) if n > 1 else (covariance * (n_times - 1) / n_times, None)
    got = oas(covariance, n_times)
    np.testing.assert_allclose(covariance, expected, rtol=1e-12, atol=1e-12)
    if n > 1:
        assert got == pytest.approx(share, rel=1e-12)
        np.testing.assert_allclose(covariance, OAS().fit(x).covariance_, rtol=1e-8, atol=1e-9)


def test_a_multiple_of_the_identity_stays_what_it_is():
    covariance = 4.0 * np.eye(3)
    oas(covariance, 101)
    np.testing.assert_allclose(covariance, 4.0 * np.eye(3) * 100 / 101)


def test_the_lost_rank_of_a_common_average_comes_back():
    x = np.random.default_rng(0).normal(size=(60, 6))
    covariance = np.ascontiguousarray(np.cov((x - x.mean(axis=1, keepdims=True)).T))
    oas(covariance, 60)
    assert np.linalg.eigvalsh(covariance)[0] > 0
