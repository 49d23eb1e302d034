"""Second moments against their twins."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from workbench.kernels.covariance import covariance, mean_square, projected_variance


def test_mean_square_is_the_power_of_each_lane():
    x, out = np.random.default_rng(0).normal(3, 2, (40, 5)), np.empty(5)
    mean_square(x, out)
    np.testing.assert_allclose(out, naive.mean_square(x), rtol=1e-13)


@pytest.mark.parametrize("n_times", [2, 7, 8, 41])
@pytest.mark.parametrize("n_lanes", [1, 4])
def test_the_covariance_is_centred_and_symmetric_to_the_bit(n_times, n_lanes):
    x = np.random.default_rng(n_times).normal(1000, 2, (n_times, n_lanes))
    centred, out = np.empty_like(x), np.empty((n_lanes, n_lanes))
    covariance(x, centred, out)
    np.testing.assert_allclose(out, naive.covariance(x), rtol=1e-9)
    np.testing.assert_allclose(centred, x - x.mean(axis=0), atol=1e-10)
    assert np.array_equal(out, out.T)


def test_sums_run_in_the_order_of_the_samples():
    x = np.random.default_rng(5).normal(0, 1, (11, 3))
    centred, out = np.empty_like(x), np.empty((3, 3))
    covariance(x, centred, out)
    for i in range(3):
        for j in range(3):
            total = 0.0
            for t in range(11):
                total = total + centred[t, min(i, j)] * centred[t, max(i, j)]
            assert out[i, j] == total / 10


def test_projected_variance_is_the_diagonal_after_the_filters():
    rng = np.random.default_rng(6)
    c, w, out = np.cov(rng.normal(size=(5, 50))), rng.normal(size=(4, 5)), np.empty(4)
    projected_variance(c, w, out)
    np.testing.assert_allclose(out, naive.projected_variance(c, w), rtol=1e-12)
