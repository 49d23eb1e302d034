"""Second moments against their twins."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from workbench.kernels.covariance import (
    any_unlike,
    band_covariances,
    covariance,
    epoch_covariances,
    group_variances,
    mean_square,
    neighbour_correlations,
    projected_variance,
    unlikeness,
)
from workbench.kernels.shrinkage import oas, shrink


def test_mean_square_is_the_power_of_each_lane():
    x, out = np.random.default_rng(0).normal(3, 2, (40, 5)), np.empty(5)
    mean_square(x, out)
    np.testing.assert_allclose(out, naive.mean_square(x), rtol=1e-13)


@pytest.mark.parametrize("n_bands", [1, 2, 4, 8])
def test_neighbours_are_those_of_one_band_and_power_keeps_its_bits(n_bands):
    x, out, power = np.random.default_rng(1).normal(0, 2, (50, 8)), np.empty(16), np.empty(8)
    x[:, 5] = 0.0
    neighbour_correlations(x, n_bands, out)
    mean_square(x, power)
    assert np.array_equal(out[:8], power)
    np.testing.assert_allclose(out[8:], naive.neighbour_correlations(x, n_bands), rtol=1e-12)


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


@pytest.mark.parametrize("n_lanes", [1, 2, 7, 8, 9, 11, 13, 15, 16, 22])
@pytest.mark.parametrize("n_times", [2, 8, 17, 67])
def test_groups_of_eight_lanes_and_pieces_in_time_change_no_bit(n_lanes, n_times):
    x = np.random.default_rng(n_lanes).normal(1e4, 10, (n_times, n_lanes))
    out, expected = np.empty((n_lanes, n_lanes)), naive.covariance_in_order(x)
    covariance(x, np.empty_like(x), out)
    assert np.array_equal(out, expected)


def test_projected_variance_is_the_diagonal_after_the_filters():
    rng = np.random.default_rng(6)
    c, w, out = np.cov(rng.normal(size=(5, 50))), rng.normal(size=(4, 5)), np.empty(4)
    projected_variance(c, w, out)
    np.testing.assert_allclose(out, naive.projected_variance(c, w), rtol=1e-12)


def test_variances_of_a_group_of_bands_are_their_mean_summed_in_the_order_of_the_bands():
    rng = np.random.default_rng(8)
    group = np.array([0, 1, 1, 2, 1])
    c = np.stack([np.cov(rng.normal(size=(5, 50))) for _ in group])
    w, out, one = rng.normal(size=(len(group), 4, 5)), np.empty((3, 4)), np.empty(4)
    group_variances(c, w, group, out)
    np.testing.assert_allclose(out, naive.group_variances(c, w, group), rtol=1e-12)
    for row in range(3):
        total = np.zeros(4)
        for band in np.flatnonzero(group == row):
            projected_variance(c[band], w[band], one)
            total = total + one
        assert np.array_equal(out[row], total / (group == row).sum())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the interpreter warns where compiled code does not
def test_one_band_beyond_its_limit_or_nan_is_enough_to_be_unlike():
    rng = np.random.default_rng(9)
    a, b = (np.stack([np.cov(rng.normal(size=(4, 9))) for _ in range(3)]) for _ in range(2))
    found = np.array([unlikeness(x, y) for x, y in zip(a, b)])
    assert any_unlike(a, b, found) is False
    assert any_unlike(a, b, found + 1e-9) is naive.any_unlike(a, b, found + 1e-9) is False
    for band in range(3):
        limits = found.copy()
        limits[band] = np.nextafter(found[band], 0.0)
        assert any_unlike(a, b, limits) is True
        limits = found + 1e-9
        limits[band] = found[band] - 1e-9
        assert any_unlike(a, b, limits) is naive.any_unlike(a, b, limits) is True
        spoilt = a.copy()
        spoilt[band, 0, 0] = np.nan
        assert any_unlike(spoilt, b, found + 9.0) is True


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the interpreter warns where compiled code does not
def test_a_lane_that_is_not_finite_spoils_its_row_and_column_only():
    x = np.random.default_rng(7).normal(0, 1, (20, 3))
    x[4, 1] = np.inf
    out = np.empty((3, 3))
    covariance(x, np.empty_like(x), out)
    assert np.isnan(out[1]).all()
    assert np.isnan(out[:, 1]).all()
    assert np.isfinite(out[np.ix_([0, 2], [0, 2])]).all()


@pytest.mark.parametrize(("n_channels", "n_times"), [(3, 19), (22, 67)])
def test_bands_and_epochs_get_the_bits_of_one_covariance(n_channels, n_times):
    x = np.random.default_rng(8).normal(5, 2, (3, n_times, 2 * n_channels))
    square = (n_channels, n_channels)
    bands, epochs, one = np.empty((2, *square)), np.empty((3, 2, *square)), np.empty(square)
    epoch_covariances(x, epochs)
    for e, epoch in enumerate(x):
        band_covariances(epoch, bands)
        assert np.array_equal(epochs[e], bands)
        for band in range(2):
            part = np.ascontiguousarray(epoch[:, n_channels * band : n_channels * (band + 1)])
            covariance(part, np.empty_like(part), one)
            assert np.array_equal(bands[band], one)
            assert np.array_equal(one, naive.covariance_in_order(part))


@pytest.mark.parametrize("n_times", [5, 40])
def test_oracle_shrinkage_follows_its_twin(n_times):
    x = np.random.default_rng(n_times).normal(0, 3, (n_times, 4)) * [1, 2, 3, 4]
    out = np.empty((4, 4))
    covariance(x, np.empty_like(x), out)
    share = oas(out, n_times)
    expected, exact = naive.oas(x)
    assert share == pytest.approx(exact, rel=1e-12)
    np.testing.assert_allclose(out, expected, rtol=1e-12)


def test_without_variance_everything_is_shrunk():
    out = np.zeros((3, 3))
    assert oas(out, 20) == 1.0
    assert not out.any()


def test_fixed_shrinkage_keeps_the_trace():
    c = np.cov(np.random.default_rng(9).normal(size=(4, 30)))
    out = c.copy()
    shrink(out, 0.1)
    np.testing.assert_allclose(out, 0.9 * c + 0.1 * np.trace(c) / 4 * np.eye(4), rtol=1e-14)


def test_unlikeness_does_not_see_the_size_and_is_that_of_the_definition():
    one, other = (np.cov(np.random.default_rng(seed).normal(size=(5, 40))) for seed in (1, 2))
    assert unlikeness(one, other) == pytest.approx(naive.unlikeness(one, other), rel=1e-12)
    assert unlikeness(one, 7.0 * one) == pytest.approx(0.0, abs=1e-15)
    assert np.isnan(unlikeness(np.zeros((5, 5)), one))
