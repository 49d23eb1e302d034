"""Covariances beside NumPy, scikit-learn and pyRiemann; canonical correlation beside scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import oas as sklearn_oas
from sklearn.cross_decomposition import CCA

from workbench.kernels.correlation import canonical_correlations, orthonormal
from workbench.kernels.covariance import covariance
from workbench.kernels.shrinkage import oas


def window(n_times, n_channels, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(20000, 10, (n_times, n_channels)) @ rng.normal(size=(n_channels, n_channels))


@pytest.mark.parametrize(("n_times", "n_channels"), [(100, 8), (500, 22), (1000, 64)])
def test_a_covariance_agrees_with_numpy_in_spite_of_an_offset(n_times, n_channels):
    x = window(n_times, n_channels)
    out = np.empty((n_channels, n_channels))
    covariance(x, np.empty_like(x), out)
    expected = np.cov(x.T)
    worst = np.abs(out - expected).max() / np.abs(expected).max()
    print(f"{n_channels} channels × {n_times}: relative difference {worst:.1e}")
    assert worst <= 1e-12


@pytest.mark.parametrize(("n_times", "n_channels"), [(10, 8), (125, 22)])
def test_oracle_shrinkage_agrees_with_scikit_learn_and_pyriemann(n_times, n_channels):
    x = np.ascontiguousarray(window(n_times, n_channels) - 20000)
    out = np.empty((n_channels, n_channels))
    covariance(x, np.empty_like(x), out)
    share = oas(out, n_times)
    expected, exact = sklearn_oas(x)
    assert share == pytest.approx(exact, rel=1e-9)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    covariances = pytest.importorskip(
        "pyriemann.utils.covariance", reason="pyriemann is not installed"
    ).covariances
    theirs = covariances(x.T[None], estimator="oas")[0]
    np.testing.assert_allclose(out, theirs, rtol=0, atol=1e-9 * np.abs(theirs).max())


def test_canonical_correlation_agrees_with_scikit_learn():
    rng = np.random.default_rng(3)
    t = np.arange(250) / 250
    reference = np.stack([f(2 * np.pi * k * 10 * t) for k in (1, 2) for f in (np.sin, np.cos)], axis=1)
    x = rng.normal(0, 3, (250, 4)) + np.outer(np.sin(2 * np.pi * 10 * t + 0.4), [1, 2, 0.5, 1])
    basis, out = np.empty(reference.shape), np.empty((1, 1))
    orthonormal(reference - reference.mean(axis=0), basis)
    assert canonical_correlations(x, basis, out) == 4
    u, v = CCA(n_components=1, max_iter=5000, tol=1e-14).fit_transform(x, reference)
    assert out[0, 0] == pytest.approx(np.corrcoef(u[:, 0], v[:, 0])[0, 1], rel=1e-8)
