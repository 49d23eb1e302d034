"""Scores and what becomes of them against their twins."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from workbench.kernels import scores as kernels


def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("machines", [1, 3])
def test_margins_are_those_of_the_definition(machines):
    x, support, out = rng().normal(size=4), rng().normal(size=(7, 4)), np.empty(machines)
    coefficients, bias = rng().normal(size=(machines, 7)), rng().normal(size=machines)
    kernels.rbf(x, support, 0.3, coefficients, bias, out)
    np.testing.assert_allclose(out, naive.rbf(x, support, 0.3, coefficients, bias), rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_log_odds_set_each_class_against_all_others(n):
    values, out = rng().normal(0, 3, n), np.empty(n)
    kernels.log_odds(values, out)
    np.testing.assert_allclose(out, naive.log_odds(values), rtol=1e-10, atol=1e-12)


def test_log_odds_of_two_classes_are_the_difference_to_the_bit_however_far_apart():
    for values in (np.array([1.5, -800.25]), np.array([0.0, 3.3])):
        out = np.empty(2)
        kernels.log_odds(values, out)
        assert out.tolist() == [values[0] - values[1], values[1] - values[0]]


def test_maps_are_straight_between_knots_and_go_on_with_their_slope():
    x = np.array([[-1.0, 0.0, 0.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
    y = np.array([[-3.0, -1.0, 0.5, 1.0], [0.2, 0.2, 0.2, 0.2]])
    slope = np.array([0.0, 2.0])
    for odds in ([-5.0, -4.0], [-0.5, 1.0], [0.5, 3.0], [2.0, 0.0], [9.0, 9.0]):
        out = np.empty(2)
        kernels.mapped(np.array(odds), x, y, slope, out)
        np.testing.assert_allclose(out, naive.mapped(odds, x, y, slope), rtol=1e-12)
    kernels.mapped(np.array([np.nan, 0.0]), x, y, slope, out)
    assert np.isnan(out[0])


def test_log_shares_hold_for_large_odds_of_either_sign():
    odds, out = np.array([-700.0, -2.0, 0.0, 3.0, 700.0]), np.empty(5)
    kernels.log_shares(odds, out)
    np.testing.assert_allclose(out[1:4], naive.log_shares(odds[1:4]), rtol=1e-12)
    assert out[[0, 4]].tolist() == pytest.approx([-700.0, 0.0], abs=1e-12)


@pytest.mark.parametrize("n_bands", [1, 3])
def test_levels_are_means_of_log_power_over_bands_and_over_derivations(n_bands):
    power = rng().uniform(0.0, 20.0, n_bands * 4)
    power[0] = 0.0
    out = np.empty(4 + (n_bands if n_bands > 1 else 0))
    kernels.levels(power, n_bands, 1e-9, out)
    np.testing.assert_allclose(out, naive.levels(power, n_bands, 1e-9), rtol=1e-12)


def test_the_distance_is_that_to_the_nearest_class():
    covariance = np.cov(rng().normal(size=(4, 30)))
    whitening = np.ascontiguousarray(np.linalg.inv(np.linalg.cholesky(covariance)))
    means = rng().normal(0, 2, (3, 4))
    for x in rng().normal(0, 3, (10, 4)):
        got = kernels.nearest(x, whitening, means @ whitening.T)
        assert got == pytest.approx(naive.nearest(x, covariance, means), rel=1e-9)
    assert np.isnan(kernels.nearest(np.full(4, np.nan), whitening, means))


def test_sums_leak_and_are_centred():
    total, values = np.array([1.0, -1.0, 0.0]), np.array([0.3, 0.1, -2.0])
    prior, out = np.log([0.5, 0.3, 0.2]), np.empty(3)
    kernels.accumulate(total, values, prior, 0.97, 0.1, out)
    np.testing.assert_allclose(out, naive.accumulate(total, values, prior, 0.97, 0.1), rtol=1e-12)
    assert out.sum() == pytest.approx(0.0, abs=1e-15)


def test_fusion_is_a_weighted_sum_of_logarithms():
    p, weights, out = np.array([[0.7, 0.2, 0.1], [0.1, 0.9, 0.0]]), np.array([0.6, 0.3]), np.empty(3)
    kernels.fused(p, weights, out)
    np.testing.assert_allclose(out, naive.fused(p, weights), rtol=1e-10)


@pytest.mark.parametrize("rate", [0.02, 0.5])
def test_the_inverse_follows_a_step_and_stays_symmetric_to_the_bit(rate):
    precision = np.linalg.inv(np.cov(rng().normal(size=(5, 40))))
    precision = 0.5 * (precision + precision.T)
    step = rng().normal(size=5)
    expected = naive.forget(precision, step, rate)
    kernels.forget(precision, step, rate)
    np.testing.assert_allclose(precision, expected, rtol=1e-9, atol=1e-12)
    assert np.array_equal(precision, precision.T)
