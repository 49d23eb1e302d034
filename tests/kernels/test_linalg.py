"""Products in the order of their index; factors and eigenproblems against 60 digits; what singular input does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from tests import naive
from tests.shares import examples
from workbench.kernels import linalg
from workbench.kernels._tridiagonal import implicit_ql, ql_step
from workbench.kernels.linalg import NOT_CONVERGED, NOT_DEFINITE, NOT_FINITE

SIZES = [1, 2, 3, 5, 6]


def spd(n, seed=0, n_times=None):
    x = np.random.default_rng(seed).normal(0, 5, (n, n_times or 3 * n))
    return x @ x.T / x.shape[1]


def symmetric(n, seed=0):
    x = np.random.default_rng(seed).normal(0, 5, (n, n))
    return x + x.T


def eigen(matrix):
    matrix = np.ascontiguousarray(matrix, dtype=float)
    values, vectors = np.empty(len(matrix)), np.empty(matrix.shape)
    status = linalg.symmetric_eigen(matrix, values, vectors)
    return status, values, vectors


def close(got, exact, rtol):
    exact = np.array(exact, dtype=float)
    np.testing.assert_allclose(got, exact, rtol=0, atol=rtol * np.abs(exact).max())


@pytest.mark.parametrize(("n", "m", "p"), [(1, 1, 1), (2, 4, 3), (3, 5, 2), (4, 9, 4), (2, 0, 3)])
def test_a_product_is_summed_in_the_order_of_its_index(n, m, p):
    rng = np.random.default_rng(n)
    a, b, out = rng.normal(size=(n, m)), rng.normal(size=(m, p)), np.full((n, p), np.nan)
    linalg.matmul(a, b, out)
    assert np.array_equal(out, naive.matmul(a, b))
    out[:] = np.nan
    linalg.matmul_at_b(np.ascontiguousarray(a.T), b, out)
    assert np.array_equal(out, naive.matmul(a, b))


def test_a_congruence_is_two_products_and_symmetric_to_the_bit():
    w, c, out = np.random.default_rng(0).normal(size=(3, 5)), spd(5), np.empty((3, 3))
    linalg.congruence(w, c, out)
    expected = naive.matmul(naive.matmul(w, c), w.T)
    assert np.array_equal(np.triu(out), np.triu(expected))
    assert np.array_equal(out, out.T)
    w, out = spd(5, 1), c.copy()
    linalg.congruence(w, out, out)
    np.testing.assert_allclose(out, w @ c @ w, rtol=1e-12)


@pytest.mark.parametrize("n", SIZES)
def test_the_cholesky_factor_agrees_with_60_digits(n):
    c, out = spd(n, n), np.full((n, n), np.nan)
    assert linalg.cholesky(c, out) == 0
    close(out, naive.cholesky(c), 1e-15)
    assert not np.triu(out, 1).any()
    assert linalg.cholesky(c, c) == 0
    assert np.array_equal(c, out)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the interpreter warns where compiled code does not
@pytest.mark.parametrize(
    ("matrix", "pivot"),
    [
        ([[0.0]], 1),
        ([[-1.0]], 1),
        ([[np.nan]], 1),
        ([[np.inf]], 1),
        ([[1.0, 1.0], [1.0, 1.0]], 2),
        ([[1.0, 2.0], [2.0, 1.0]], 2),
        ([[1.0, np.nan], [np.nan, 1.0]], 2),
        ([[1.0, 0.0, np.inf], [0.0, 1.0, 0.0], [np.inf, 0.0, 1.0]], 3),
    ],
)
def test_the_failing_pivot_is_named_and_nothing_usable_is_left(matrix, pivot):
    out = np.zeros((len(matrix), len(matrix)))
    assert linalg.cholesky(np.array(matrix), out) == pivot
    assert np.isnan(out).all()


@pytest.mark.parametrize("n", SIZES)
def test_triangular_solutions_agree_with_60_digits(n):
    rng = np.random.default_rng(n)
    lower = np.tril(rng.normal(size=(n, n))) + 3 * np.eye(n)
    noise = np.triu(np.full((n, n), np.nan), 1)
    right, out = rng.normal(size=(n, 2)), np.empty((n, 2))
    linalg.solve_lower(lower + np.nan_to_num(noise), right, out)
    close(out, naive.solve(lower, right), 1e-15)
    linalg.solve_upper(np.ascontiguousarray(lower.T), right, out)
    close(out, naive.solve(lower.T, right), 1e-15)
    linalg.solve_upper(np.ascontiguousarray(lower.T), right, right)
    assert np.array_equal(right, out)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the interpreter warns where compiled code does not
def test_a_zero_on_the_diagonal_makes_the_solution_not_finite():
    out = np.empty((2, 1))
    linalg.solve_lower(np.array([[0.0, 0.0], [1.0, 1.0]]), np.ones((2, 1)), out)
    assert not np.isfinite(out).any()


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("make", [spd, symmetric])
def test_eigenvalues_and_vectors_agree_with_60_digits(n, make):
    matrix = make(n, n)
    status, values, vectors = eigen(matrix)
    exact, rows = naive.symmetric_eigen(matrix)
    assert status == 0
    close(values, exact, 2e-15)
    close(vectors, rows, 1e-13)
    alone = np.empty(n)
    assert linalg.symmetric_eigenvalues(matrix, alone) == 0
    close(alone, exact, 2e-15)


HARD = {
    "zeros": np.zeros((4, 4)),
    "identity": np.eye(5),
    "diagonal, unsorted": np.diag([3.0, -1.0, 2.0, 0.0]),
    "one": np.ones((6, 6)),
    "rank two": np.outer([1, 2, 3, 4], [1, 2, 3, 4.0]) + np.outer([1, -1, 1, -1], [1, -1, 1, -1]),
    "two blocks": np.kron(np.eye(2), np.array([[2.0, 1.0], [1.0, 2.0]])),
    "graded": np.diag(10.0 ** np.arange(0, -20, -5)) + 1e-18,
    "wilkinson": np.diag([2.0, 1, 0, 1, 2]) + np.eye(5, k=1) + np.eye(5, k=-1),
    "tiny": 1e-300 * symmetric(4),
    "subnormal": 5e-324 * np.array([[2.0, 1.0], [1.0, 2.0]]),
    "huge": 1e306 * symmetric(4) / 50,
    "small beside large": np.array([[1.0, 1e-200, 1e-160], [1e-200, 1.0, 1e-170], [1e-160, 1e-170, 1.0]]),
    "no diagonal": np.array([[0.0, 1.0, 0], [1, 0, 1], [0, 1, 0]]),
}


@pytest.mark.parametrize("name", HARD)
def test_matrices_that_break_careless_solvers(name):
    matrix = HARD[name]
    status, values, vectors = eigen(matrix)
    size = np.abs(matrix).max() or 1.0
    assert status == 0
    close(values / size, np.linalg.eigvalsh(matrix / size), 1e-14)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(len(matrix)), atol=5e-15)
    np.testing.assert_allclose(vectors.T * (values / size) @ vectors, matrix / size, atol=5e-15)
    assert (np.diff(values) >= 0).all()
    assert all(row[np.abs(row).argmax()] > 0 for row in vectors)


@budget(max_examples=examples(60))
@given(st.integers(0, 10**6), st.integers(1, 7), st.floats(-140, 140))
def test_any_symmetric_matrix_is_put_together_again_by_its_eigenvectors(seed, n, exponent):
    matrix = symmetric(n, seed) * 10.0**exponent
    _, values, vectors = eigen(matrix)
    np.testing.assert_allclose(vectors.T * values @ vectors, matrix, atol=1e-14 * np.abs(matrix).max())
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(n), atol=1e-14)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_gives_a_status_and_nan(bad):
    matrix = spd(3)
    matrix[0, 2] = matrix[2, 0] = bad
    status, values, vectors = eigen(matrix)
    assert status == linalg.symmetric_eigenvalues(matrix, values) == NOT_FINITE
    assert np.isnan(values).all()
    assert np.isnan(vectors).all()


def test_only_the_upper_triangle_is_read_and_the_matrix_is_not_changed():
    matrix = symmetric(5)
    half = np.triu(matrix)
    before = half.copy()
    assert all(np.array_equal(a, b) for a, b in zip(eigen(half), eigen(matrix), strict=True))
    assert np.array_equal(half, before)


@pytest.mark.parametrize("n", SIZES)
def test_the_generalised_problem_agrees_with_60_digits(n):
    a, b = symmetric(n, n), spd(n, n + 1)
    values, vectors = np.empty(n), np.empty((n, n))
    assert linalg.generalised_eigen(a, b, values, vectors) == 0
    exact, rows = naive.generalised_eigen(a, b)
    condition = np.linalg.cond(b)
    close(values, exact, 1e-15 * condition)
    close(vectors, rows, 1e-13 * condition)
    np.testing.assert_allclose(vectors @ b @ vectors.T, np.eye(n), atol=1e-14 * condition)


@pytest.mark.parametrize(
    ("a", "b", "status"),
    [
        (np.eye(2), np.ones((2, 2)), NOT_DEFINITE),
        (np.eye(2), np.full((2, 2), np.nan), NOT_DEFINITE),
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), np.eye(2), NOT_FINITE),
    ],
)
def test_a_generalised_problem_without_an_answer_says_so(a, b, status):
    values, vectors = np.zeros(2), np.zeros((2, 2))
    assert linalg.generalised_eigen(a, b, values, vectors) == status
    assert np.isnan(values).all()
    assert np.isnan(vectors).all()


def test_steps_that_never_end_are_given_up():
    diagonal, beside, rows = np.array([1.0, np.nan, 2.0]), np.array([1.0, 1.0, 0.0]), np.eye(3)
    assert implicit_ql(diagonal, beside, rows) == NOT_CONVERGED


def test_a_step_that_underflows_splits_the_matrix():
    diagonal, beside, rows = np.array([0.0, 0.0, 0.0]), np.array([1e-200, 1e-200, 0.0]), np.eye(3)
    ql_step(diagonal, beside, rows, 0, 2)
    assert beside[2] == 0.0
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-15)
