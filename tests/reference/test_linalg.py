"""Accuracy of the linear algebra: relative to 60 digits on small matrices, beside LAPACK on larger ones."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tests import naive
from workbench.kernels import linalg, riemann

EPSILON = 2.0**-52


def spd(n, seed, condition):
    """Eigenvalues from 1 to ``condition``, evenly on a logarithmic scale."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))
    return q @ np.diag(np.geomspace(1, condition, n)) @ q.T


def upper(matrix):
    """Symmetric to the bit, as the kernels read it."""
    return np.triu(matrix) + np.triu(matrix, 1).T


def error(got, exact):
    """Largest error in units of ε times the largest element, against numbers with 60 digits."""
    difference = [abs(Decimal(float(a)) - b) for a, b in zip(np.ravel(got), np.ravel(exact), strict=True)]
    return float(max(difference) / max(abs(b) for b in np.ravel(exact))) / EPSILON


def run(name, a, b):
    """The kernel's result and the exact one."""
    n = len(a)
    values, vectors, out = np.empty(n), np.empty((n, n)), np.empty((n, n))
    if name == "cholesky":
        linalg.cholesky(a, out)
        return out, naive.cholesky(a)
    if name == "eigenvalues":
        linalg.symmetric_eigen(a, values, vectors)
        return values, naive.symmetric_eigen(a)[0]
    if name == "generalised eigenvalues":
        linalg.generalised_eigen(b, a, values, vectors)
        return values, naive.generalised_eigen(b, a)[0]
    if name == "distance":
        return [riemann.distance(a, b)], [naive.distance(a, b)]
    if name == "geodesic":
        riemann.geodesic(a, b, 0.25, out)
        return out, naive.geodesic(a, b, 0.25)
    function, exact = {
        "logarithm": (riemann.matrix_log, Decimal.ln),
        "square root": (riemann.matrix_sqrt, Decimal.sqrt),
        "inverse square root": (riemann.matrix_inverse_sqrt, lambda x: 1 / x.sqrt()),
    }[name]
    function(a, out)
    return out, naive.spectral(a, exact)


LIMITS = {
    "cholesky": (4, 40),
    "eigenvalues": (16, 16),
    "generalised eigenvalues": (32, 1e4),
    "logarithm": (32, 1e4),
    "square root": (32, 1e3),
    "inverse square root": (32, 1e5),
    "distance": (32, 1e6),
    "geodesic": (32, 1e6),
}
"""The statement, in ε (2.2e-16) times the largest element, at a condition number of 10, and of 1e4 of each matrix.

Where two matrices meet, what counts is the condition of one seen from the other, here up to 1e8.
"""


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("which", [0, 1], ids=["condition 10", "condition 1e4"])
def test_the_error_against_60_digits_stays_within_its_statement(name, which):
    condition = (10.0, 1e4)[which]
    worst = 0.0
    for seed in range(4):
        a, b = upper(spd(5, seed, condition)), upper(spd(5, seed + 50, condition))
        worst = max(worst, error(*run(name, a, b)))
    print(f"{name}, condition {condition:g}: error {worst:.1f} ε of the largest element")
    assert worst <= LIMITS[name][which]


@pytest.mark.parametrize("n", [8, 22, 64])
def test_eigenvalues_and_vectors_beside_lapack(n):
    a = upper(spd(n, n, 1e3))
    values, vectors = np.empty(n), np.empty((n, n))
    assert linalg.symmetric_eigen(a, values, vectors) == 0
    value = np.abs(values - np.linalg.eigvalsh(a)).max() / values[-1] / EPSILON
    residual = np.abs(vectors @ a - values[:, None] * vectors).max() / values[-1] / EPSILON
    square = np.abs(vectors @ vectors.T - np.eye(n)).max() / EPSILON
    print(f"n = {n}: values differ by {value:.1f} ε, residual {residual:.1f} ε, orthogonal to {square:.1f} ε")
    assert max(value, residual, square) <= 4 * n


@pytest.mark.parametrize("n", [4, 8, 22])
def test_the_geometry_agrees_with_pyriemann(n):
    tangent_space = pytest.importorskip("pyriemann.tangentspace", reason="pyriemann is not installed")
    distance = pytest.importorskip("pyriemann.utils.distance").distance_riemann
    geodesic = pytest.importorskip("pyriemann.utils.geodesic").geodesic_riemann
    a, b = upper(spd(n, 1, 100)), upper(spd(n, 2, 100))
    root, vector, out = np.empty((n, n)), np.empty(n * (n + 1) // 2), np.empty((n, n))
    riemann.matrix_inverse_sqrt(a, root)
    riemann.tangent_vector(b, root, vector)
    space = tangent_space.TangentSpace()
    space.reference_ = a
    np.testing.assert_allclose(vector, space.transform(b[None])[0], rtol=0, atol=1e-11)
    assert riemann.distance(a, b) == pytest.approx(distance(a, b), rel=1e-12)
    riemann.geodesic(a, b, 0.3, out)
    np.testing.assert_allclose(out, geodesic(a, b, 0.3), rtol=0, atol=1e-10)
