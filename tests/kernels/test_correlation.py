"""Canonical correlation against 60 digits and the textbook; dependent channels add nothing; templates."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from workbench.kernels.correlation import canonical_correlations, canonical_filters, finite, orthonormal
from workbench.kernels.templates import fold, projected_correlations, template_correlations, weighted_sum

N = 24


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 5, shape)


def references(n_classes, n_references, n_times=N):
    made = []
    for k in range(n_classes):
        x = noise(n_times, n_references, seed=50 + k)
        made.append(np.linalg.qr(x - x.mean(axis=0))[0])
    return np.ascontiguousarray(np.concatenate(made, axis=1))


@pytest.mark.parametrize(("n_rows", "n_columns"), [(9, 3), (4, 4), (6, 1), (3, 5)])
def test_an_orthonormal_basis_spans_the_columns(n_rows, n_columns):
    a = noise(n_rows, n_columns)
    before, out = a.copy(), np.empty(a.shape)
    rank = orthonormal(a, out)
    assert rank == min(n_rows, n_columns)
    assert np.array_equal(a, before)
    np.testing.assert_allclose(out[:, :rank].T @ out[:, :rank], np.eye(rank), atol=1e-15)
    np.testing.assert_allclose(out @ (out.T @ a), a, atol=1e-13)
    assert not out[:, rank:].any()


def test_columns_that_depend_on_those_before_them_are_passed_over():
    a = noise(10, 6)
    a[:, 1] = 0.0
    a[:, 3] = 2.0 * a[:, 0] - a[:, 2]
    a[:, 5] = np.eye(10)[0]
    out = np.empty(a.shape)
    assert orthonormal(a, out) == 4
    np.testing.assert_allclose(out @ (out.T @ a), a, atol=1e-13)
    a[:, 4] = np.nan
    assert orthonormal(a[:, :5].copy(), np.empty((10, 5))) == 2


@pytest.mark.parametrize(("n_channels", "n_references"), [(1, 2), (2, 2), (3, 2), (2, 4)])
def test_canonical_correlations_agree_with_60_digits(n_channels, n_references):
    window, q, out = noise(N, 2 * n_channels) + 300, references(3, n_references), np.empty((2, 3))
    window += np.repeat(q[:, :1] * 30, 2 * n_channels, axis=1)
    assert canonical_correlations(window, q, out) == n_channels
    for b in range(2):
        for k in range(3):
            band = window[:, b * n_channels : (b + 1) * n_channels]
            exact = naive.canonical_correlation(band, q[:, k * n_references : (k + 1) * n_references])
            assert out[b, k] == pytest.approx(float(exact), rel=1e-13)


def test_a_flat_or_doubled_channel_changes_no_correlation_and_is_told_by_the_rank():
    q, one, two = references(2, 2), np.empty((1, 2)), np.empty((1, 2))
    window = noise(N, 3)
    worse = np.concatenate([window, window[:, :1], np.full((N, 1), 7.0)], axis=1)
    canonical_correlations(window, q, one)
    assert canonical_correlations(worse, q, two) == 3
    np.testing.assert_allclose(one, two, rtol=1e-12)
    assert canonical_correlations(np.full((N, 2), 7.0), q, two) == 0
    assert not two.any()


def test_a_signal_that_is_a_reference_correlates_by_one():
    q, out = references(2, 2), np.empty((1, 2))
    canonical_correlations(np.ascontiguousarray(q[:, 2:] * 3 + 5), q, out)
    assert out[0, 1] == pytest.approx(1.0, abs=1e-15)
    assert out[0, 1] <= 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_told_and_gives_nan(bad):
    window, q = noise(N, 2), references(2, 2)
    window[3, 1] = bad
    out, first, filters, weights = np.zeros((1, 2)), np.zeros(2), np.zeros((2, 2)), np.zeros((2, 2))
    assert not finite(window)
    assert canonical_correlations(window, q, out) == -1
    assert canonical_filters(window, q, first, filters, weights) == -1
    assert np.isnan([*out.ravel(), *first, *filters.ravel(), *weights.ravel()]).all()
    templates = np.zeros((1, N * 2, 2))
    assert template_correlations(window, noise(1, 2, 2), np.empty((N, 0)), templates, 1, out) == -1
    assert np.isnan(out).all()


@pytest.mark.parametrize("n_references", [2, 4])
def test_canonical_filters_give_the_pair_that_correlates_most(n_references):
    window, q = noise(N, 3) + 100, references(2, n_references)
    out, filters, weights = np.empty(2), np.empty((2, 3)), np.empty((2, n_references))
    assert canonical_filters(window, q, out, filters, weights) == 3
    plain = np.empty((1, 2))
    canonical_correlations(window, q, plain)
    np.testing.assert_allclose(out, plain[0], rtol=1e-13)
    for k in range(2):
        x = (window - window.mean(axis=0)) @ filters[k]
        y = q[:, k * n_references : (k + 1) * n_references] @ weights[k]
        assert np.sum(x**2) == pytest.approx(1.0, rel=1e-12)
        assert np.sum(y**2) == pytest.approx(1.0, rel=1e-12)
        assert np.sum(x * y) == pytest.approx(out[k], rel=1e-12)


def test_canonical_filters_leave_dependent_channels_and_flat_windows_alone():
    q = np.concatenate([references(1, 2), np.zeros((N, 2))], axis=1)
    window = noise(N, 3)
    window[:, 1] = window[:, 0]
    out, filters, weights = np.empty(2), np.empty((2, 3)), np.empty((2, 2))
    assert canonical_filters(window, q, out, filters, weights) == 2
    assert not filters[:, 1].any()
    assert out[1] == 0.0
    assert not weights[1].any()
    assert canonical_filters(np.ones((N, 3)), q, out, filters, weights) == 0
    assert not filters.any()


def scored(window, filters, q, templates, ensemble):
    """Folded templates and the kernel's scores: ``templates[b][k]`` are filtered, ``(rows, n_filters)``."""
    n_bands, n_classes = len(filters), len(templates[0])
    n_channels = window.shape[1] // n_bands
    n_references = q.shape[1] // n_classes
    folded = np.empty((n_bands, N * n_channels, n_classes))
    for b in range(n_bands):
        for k in range(n_classes):
            one, rows = np.empty((N, n_channels)), filters[b] if ensemble else filters[b][k : k + 1]
            columns = np.ascontiguousarray(q[:, k * n_references : (k + 1) * n_references])
            fold(np.ascontiguousarray(templates[b][k]), np.ascontiguousarray(rows), columns, one)
            folded[b, :, k] = one.ravel()
    out = np.empty((n_bands, n_classes))
    assert template_correlations(window, filters, q, folded, int(ensemble), out) == 0
    return out


@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize("n_copies", [1, 3])
@pytest.mark.parametrize("n_references", [0, 2])
def test_scores_are_pearsons_correlation_with_the_filtered_template(ensemble, n_copies, n_references):
    n_bands, n_classes, n_channels = 2, 3, 2
    window = noise(N, n_bands * n_channels) + 3
    filters = noise(n_bands, n_classes, n_copies * n_channels, seed=1)
    q = references(n_classes, n_references) if n_references else np.empty((N, 0))
    templates, expected = [], np.empty((n_bands, n_classes))
    for b in range(n_bands):
        band = window[:, b * n_channels : (b + 1) * n_channels]
        templates.append([])
        for k in range(n_classes):
            rows = filters[b] if ensemble else filters[b][k : k + 1]
            columns = q[:, k * n_references : (k + 1) * n_references]
            template = naive.filtered(noise(N, n_channels, seed=10 + k) + 0.3 * band, rows, columns)
            templates[b].append(template)
            expected[b, k] = naive.pearson(template, naive.filtered(band, rows, columns))
    np.testing.assert_allclose(scored(window, filters, q, templates, ensemble), expected, rtol=0, atol=1e-13)


def test_what_does_not_vary_scores_nothing():
    filters, q = noise(1, 2, 2), np.empty((N, 0))
    flat = [[np.ones((N, 2)), np.zeros((N, 2))]]
    assert not scored(noise(N, 2), filters, q, flat, ensemble=True).any()
    assert not scored(np.zeros((N, 2)), filters, q, [[noise(N, 2), noise(N, 2)]], ensemble=True).any()


@pytest.mark.parametrize("power", [1, 2])
def test_sub_bands_are_summed_with_their_weights_and_keep_their_sign(power):
    r, w, out = np.array([[0.5, -0.5], [0.2, 0.1]]), np.array([1.0, 2.0]), np.empty(2)
    weighted_sum(r, w, power, out)
    np.testing.assert_allclose(out, w @ (np.sign(r) * np.abs(r) ** power), rtol=1e-15)


def test_projected_correlations_are_pearsons():
    a, b, filters, out = noise(N, 3) + 9, noise(N, 3, seed=1), noise(4, 3), np.empty(4)
    filters[3] = 0.0
    projected_correlations(a, b, filters, out)
    expected = [naive.pearson(a @ w, b @ w) for w in filters[:3]]
    np.testing.assert_allclose(out[:3], expected, rtol=1e-12)
    assert out[3] == 0.0
    a[0, 0] = np.nan
    projected_correlations(a, b, filters[:3].copy(), out[:3])
    assert np.isnan(out[:3]).all()
