"""The geometry of covariances against 60 digits, and what singular or missing input does."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tests import naive
from workbench.kernels import riemann

SIZES = [1, 2, 4]
NOT_FINITE, NOT_DEFINITE = -1, -2


def spd(n, seed=0):
    x = np.random.default_rng(seed).normal(0, 5, (n, 4 * n))
    return x @ x.T / x.shape[1]


def close(got, exact, rtol=1e-13):
    exact = np.array(exact, dtype=float)
    np.testing.assert_allclose(got, exact, rtol=0, atol=rtol * np.abs(exact).max())


FUNCTIONS = {
    "matrix_log": Decimal.ln,
    "matrix_exp": lambda x: x.exp(),
    "matrix_sqrt": Decimal.sqrt,
    "matrix_inverse_sqrt": lambda x: 1 / x.sqrt(),
}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_a_matrix_agree_with_60_digits(name, n):
    matrix, out = spd(n, n) / 10, np.empty((n, n))
    assert getattr(riemann, name)(matrix, out) == 0
    close(out, naive.spectral(matrix, FUNCTIONS[name]))
    assert np.array_equal(out, out.T)


def test_the_exponential_undoes_the_logarithm_and_takes_any_symmetric_matrix():
    matrix, out = spd(3), np.empty((3, 3))
    assert riemann.matrix_log(matrix, out) == riemann.matrix_exp(out, out) == 0
    close(out, matrix)
    assert riemann.matrix_exp(-matrix, out) == 0


SINGULAR = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
MISSING = np.array([[1.0, np.nan, 0.0], [np.nan, 1.0, 0.0], [0.0, 0.0, 1.0]])
NEARLY = np.diag([1.0, 1.0, 1e-17])


@pytest.mark.parametrize(
    ("matrix", "status"),
    [(SINGULAR, NOT_DEFINITE), (MISSING, NOT_FINITE), (NEARLY, NOT_DEFINITE), (-np.eye(3), NOT_DEFINITE)],
    ids=["singular", "missing", "nearly", "negative"],
)
def test_what_is_not_positive_definite_gives_a_status_and_nan(matrix, status):
    out, vector, two = np.zeros((3, 3)), np.zeros(6), np.zeros(2)
    whiteners = np.stack([np.eye(3)] * 2)
    for name in ("matrix_log", "matrix_sqrt", "matrix_inverse_sqrt"):
        out[:] = 0
        assert getattr(riemann, name)(matrix, out) == status
        assert np.isnan(out).all()
    assert riemann.tangent_vector(matrix, np.eye(3), vector) == status
    assert np.isnan(vector).all()
    assert riemann.distances(matrix, whiteners, two) == status
    assert np.isnan(two).all()
    assert np.isnan(riemann.distance(np.eye(3), matrix))
    assert np.isnan(riemann.distance(-np.eye(3), matrix))
    assert riemann.geodesic(np.eye(3), matrix, 0.5, out) == status
    assert np.isnan(out).all()
    assert riemann.geodesic(-np.eye(3), matrix, 0.5, out) == NOT_DEFINITE


@pytest.mark.parametrize("n", SIZES)
def test_the_distance_agrees_with_60_digits_and_with_whiteners(n):
    a, b, out = spd(n, n), spd(n, n + 1), np.empty(2)
    exact = float(naive.distance(a, b))
    assert riemann.distance(a, b) == pytest.approx(exact, rel=1e-13)
    root, lower = np.empty((n, n)), np.linalg.inv(np.linalg.cholesky(a))
    riemann.matrix_inverse_sqrt(a, root)
    assert riemann.distances(b, np.stack([root, lower]), out) == 0
    assert out.tolist() == pytest.approx([exact, exact], rel=1e-12)


def test_the_distance_is_affine_invariant():
    a, b, w = spd(3), spd(3, 1), np.random.default_rng(2).normal(size=(3, 3))
    far = riemann.distance(np.ascontiguousarray(w @ a @ w.T), np.ascontiguousarray(w @ b @ w.T))
    assert far == pytest.approx(riemann.distance(a, b), rel=1e-11)


@pytest.mark.parametrize("n", SIZES)
def test_a_tangent_vector_agrees_with_60_digits_and_is_as_long_as_the_distance(n):
    a, b = spd(n, n), spd(n, n + 1)
    root, out = np.empty((n, n)), np.empty(n * (n + 1) // 2)
    riemann.matrix_inverse_sqrt(a, root)
    assert riemann.tangent_vector(b, root, out) == 0
    close(out, naive.tangent_vector(b, root))
    assert np.sqrt(np.sum(out**2)) == pytest.approx(riemann.distance(a, b), rel=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_a_geodesic_step_agrees_with_60_digits(share):
    a, b, out = spd(3), spd(3, 1), np.empty((3, 3))
    assert riemann.geodesic(a, b, share, out) == 0
    close(out, naive.geodesic(a, b, share))
    assert np.array_equal(out, out.T)
    gone = riemann.distance(a, out)
    assert gone == pytest.approx(share * riemann.distance(a, b), abs=1e-12)
    assert riemann.geodesic(a, b, share, a) == 0
    assert np.array_equal(a, out)
