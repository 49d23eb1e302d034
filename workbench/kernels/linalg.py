"""Strict linear algebra of small matrices: products, Cholesky, triangular solutions, symmetric eigenproblems.

Every sum runs in the order of its index, whatever the processor; inner loops run along rows, so that they
vectorise without changing it. Matrices are C-ordered float64. **Eigenvectors are rows**, as spatial filters are.

A status of 0 means success. With any other status the output is ``nan`` throughout, so that nobody can use
it by mistake.
"""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel
from workbench.kernels._tridiagonal import (
    implicit_ql,
    mirror,
    put_in_order,
    reflections,
    scaled,
    transpose,
    tridiagonalise,
)

NOT_FINITE, NOT_DEFINITE, NOT_CONVERGED = -1, -2, -3
"""Status of the eigenproblems."""

__all__ = [
    "NOT_CONVERGED",
    "NOT_DEFINITE",
    "NOT_FINITE",
    "cholesky",
    "congruence",
    "generalised_eigen",
    "matmul",
    "matmul_at_b",
    "mirror",
    "solve_lower",
    "solve_upper",
    "symmetric_eigen",
    "symmetric_eigenvalues",
    "transpose",
    "whiten",
]


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def matmul(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    """Product of two matrices; ``out[i, j]`` is summed over ``k`` in ascending order, from 0.

    Parameters
    ----------
    a : ``(n, m)`` float64. b : ``(m, p)`` float64. out : ``(n, p)`` float64, written; neither a nor b.

    Notes
    -----
    Four terms are taken at a time, which keeps the order of every sum and quarters the traffic.
    """
    n, m = a.shape
    p = b.shape[1]
    n_blocked = m - m % 4
    for i in range(n):
        for j in range(p):
            out[i, j] = 0.0
        for k in range(0, n_blocked, 4):
            a0, a1, a2, a3 = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3]
            for j in range(p):
                total = out[i, j] + a0 * b[k, j]
                total = total + a1 * b[k + 1, j]
                total = total + a2 * b[k + 2, j]
                out[i, j] = total + a3 * b[k + 3, j]
        for k in range(n_blocked, m):
            for j in range(p):
                out[i, j] += a[i, k] * b[k, j]


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def matmul_at_b(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    """Product AᵀB; ``out[i, j]`` is summed over the rows in ascending order, from 0.

    Parameters
    ----------
    a : ``(m, n)`` float64. b : ``(m, p)`` float64. out : ``(n, p)`` float64, written; neither a nor b.
    """
    m, n = a.shape
    p = b.shape[1]
    n_blocked = m - m % 4
    for i in range(n):
        for j in range(p):
            out[i, j] = 0.0
    for k in range(0, n_blocked, 4):
        for i in range(n):
            a0, a1, a2, a3 = a[k, i], a[k + 1, i], a[k + 2, i], a[k + 3, i]
            for j in range(p):
                total = out[i, j] + a0 * b[k, j]
                total = total + a1 * b[k + 1, j]
                total = total + a2 * b[k + 2, j]
                out[i, j] = total + a3 * b[k + 3, j]
    for k in range(n_blocked, m):
        for i in range(n):
            for j in range(p):
                out[i, j] += a[k, i] * b[k, j]


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def congruence(w: FloatArray, c: FloatArray, out: FloatArray) -> None:
    """``W C Wᵀ`` of a symmetric C, symmetric to the bit.

    Parameters
    ----------
    w : ``(m, n)`` float64. c : ``(n, n)`` float64, symmetric. out : ``(m, m)`` float64, written; may be ``c``.
    """
    m, n = w.shape
    product, transposed = np.empty((m, n)), np.empty((n, m))
    matmul(w, c, product)
    transpose(w, transposed)
    matmul(product, transposed, out)
    # Symmetric in exact arithmetic; the two triangles round differently, so one is copied.
    mirror(out)


@kernel("int64(float64[:,::1], float64[:,::1])")
def cholesky(matrix: FloatArray, out: FloatArray) -> int:
    """Lower triangular L with L Lᵀ = matrix.

    Parameters
    ----------
    matrix : ``(n, n)`` float64, symmetric; only its upper triangle is read.
    out : ``(n, n)`` float64, written, zero above the diagonal; may be ``matrix``.

    Returns
    -------
    int
        0, or the number (from 1) of the first pivot that is not positive and finite: the matrix is not
        positive definite, or contains a value that is not finite. ``out`` is then ``nan``.

    Notes
    -----
    Golub and Van Loan, Matrix Computations, 4th ed., algorithm 4.2.2 (outer product form).
    """
    n = matrix.shape[0]
    for i in range(n):
        for j in range(i, n):
            out[i, j] = matrix[i, j]
    for k in range(n):
        # Negated, so that nan ends here as well.
        if not 0.0 < out[k, k] < np.inf:
            out[:, :] = np.nan
            return k + 1
        out[k, k] = np.sqrt(out[k, k])
        for j in range(k + 1, n):
            out[k, j] /= out[k, k]
        for i in range(k + 1, n):
            factor = out[k, i]
            for j in range(i, n):
                out[i, j] -= factor * out[k, j]
    for i in range(n):
        for j in range(i):
            out[i, j] = out[j, i]
            out[j, i] = 0.0
    return 0


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def solve_lower(lower: FloatArray, right: FloatArray, out: FloatArray) -> None:
    """X with L X = right, for a lower triangular L; a zero on its diagonal gives inf or nan.

    Parameters
    ----------
    lower : ``(n, n)`` float64; only its lower triangle is read. right : ``(n, m)`` float64.
    out : ``(n, m)`` float64, written; may be ``right``.
    """
    n, m = right.shape
    for i in range(n):
        for j in range(m):
            out[i, j] = right[i, j]
        for k in range(i):
            factor = lower[i, k]
            for j in range(m):
                out[i, j] -= factor * out[k, j]
        for j in range(m):
            out[i, j] /= lower[i, i]


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def solve_upper(upper: FloatArray, right: FloatArray, out: FloatArray) -> None:
    """X with U X = right, for an upper triangular U; a zero on its diagonal gives inf or nan.

    Parameters
    ----------
    upper : ``(n, n)`` float64; only its upper triangle is read. right : ``(n, m)`` float64.
    out : ``(n, m)`` float64, written; may be ``right``.
    """
    n, m = right.shape
    for i in range(n - 1, -1, -1):
        for j in range(m):
            out[i, j] = right[i, j]
        for k in range(i + 1, n):
            factor = upper[i, k]
            for j in range(m):
                out[i, j] -= factor * out[k, j]
        for j in range(m):
            out[i, j] /= upper[i, i]


@kernel("int64(float64[:,::1], float64[::1], float64[:,::1])")
def symmetric_eigen(matrix: FloatArray, values: FloatArray, vectors: FloatArray) -> int:
    """Eigenvalues and eigenvectors of a symmetric matrix: ``matrix = vectorsᵀ · diag(values) · vectors``.

    Parameters
    ----------
    matrix : ``(n, n)`` float64, symmetric; only its upper triangle is read; not changed.
    values : ``(n,)`` float64, written, ascending.
    vectors : ``(n, n)`` float64, written: **row** ``k`` is the unit eigenvector of ``values[k]``; its largest
        element (the first of them) is positive.

    Returns
    -------
    int
        0; ``NOT_FINITE`` (-1) when a value is not finite; ``NOT_CONVERGED`` (-3), which no matrix is known to
        cause. Values and vectors are ``nan`` unless 0. A singular matrix is nothing special.

    Notes
    -----
    Householder reduction and implicit QL. Backward stable: values are good to a few ε·max|values|.
    """
    n = matrix.shape[0]
    work, off_diagonal, factors = np.empty((n, n)), np.empty(n), np.empty(n)
    # Scaled to order 1, so that no square over- or underflows; nan is the only value unequal to itself.
    unit = scaled(matrix, work)
    status = 0 if unit == unit else NOT_FINITE
    if status == 0:
        tridiagonalise(work, values, off_diagonal, factors)
        reflections(work, factors, vectors)
        status = implicit_ql(values, off_diagonal, vectors)
    if status != 0:
        values[:] = np.nan
        vectors[:, :] = np.nan
        return status
    put_in_order(values, vectors)
    for i in range(n):
        values[i] *= unit
    return 0


@kernel("int64(float64[:,::1], float64[::1])")
def symmetric_eigenvalues(matrix: FloatArray, values: FloatArray) -> int:
    """The eigenvalues of :func:`symmetric_eigen` alone, ascending: the same bits, in a third of the time.

    Parameters
    ----------
    matrix : ``(n, n)`` float64, symmetric; only its upper triangle is read; not changed.
    values : ``(n,)`` float64, written.

    Returns
    -------
    int
        As :func:`symmetric_eigen`.
    """
    n = matrix.shape[0]
    work, off_diagonal, factors, no_vectors = np.empty((n, n)), np.empty(n), np.empty(n), np.empty((n, 0))
    unit = scaled(matrix, work)
    status = 0 if unit == unit else NOT_FINITE
    if status == 0:
        tridiagonalise(work, values, off_diagonal, factors)
        # Rows without columns: the rotations of the vectors cost nothing.
        status = implicit_ql(values, off_diagonal, no_vectors)
    if status != 0:
        values[:] = np.nan
        return status
    put_in_order(values, no_vectors)
    for i in range(n):
        values[i] *= unit
    return 0


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def whiten(lower: FloatArray, a: FloatArray, out: FloatArray) -> None:
    """``L⁻¹ A L⁻ᵀ`` of a symmetric A, symmetric to the bit.

    Parameters
    ----------
    lower : ``(n, n)`` float64, lower triangular. a : ``(n, n)`` float64, symmetric.
    out : ``(n, n)`` float64, written; not ``lower``; may be ``a``.
    """
    transposed = np.empty(a.shape)
    # From the left, then from the right as a second solve of the transpose: no inverse is formed.
    solve_lower(lower, a, out)
    transpose(out, transposed)
    solve_lower(lower, transposed, out)
    mirror(out)


@kernel("int64(float64[:,::1], float64[:,::1], float64[::1], float64[:,::1])")
def generalised_eigen(a: FloatArray, b: FloatArray, values: FloatArray, vectors: FloatArray) -> int:
    """Solve ``A v = λ B v`` for symmetric A and positive definite B, through the Cholesky factor of B.

    Parameters
    ----------
    a, b : ``(n, n)`` float64, symmetric; not changed.
    values : ``(n,)`` float64, written, ascending.
    vectors : ``(n, n)`` float64, written: **row** ``k`` belongs to ``values[k]``; ``vectors B vectorsᵀ = I``
        and ``vectors A vectorsᵀ = diag(values)``; the largest element of each row is positive.

    Returns
    -------
    int
        0; ``NOT_FINITE`` (-1) when A contains a value that is not finite; ``NOT_DEFINITE`` (-2) when B is not
        positive definite or not finite; ``NOT_CONVERGED`` (-3). Values and vectors are ``nan`` unless 0.

    Notes
    -----
    Golub and Van Loan, Matrix Computations, 4th ed., algorithm 8.7.1. Good as long as B is well conditioned:
    the error grows with the condition number of B.
    """
    n = a.shape[0]
    lower, inner, transposed = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    status = 0
    if cholesky(b, lower) != 0:
        status = NOT_DEFINITE
    else:
        whiten(lower, a, inner)
        status = symmetric_eigen(inner, values, vectors)
    if status != 0:
        values[:] = np.nan
        vectors[:, :] = np.nan
        return status
    transpose(vectors, inner)
    transpose(lower, transposed)
    # Back from the whitened coordinates: v = L⁻ᵀ u. The largest element may change, so signs are set again.
    solve_upper(transposed, inner, inner)
    transpose(inner, vectors)
    put_in_order(values, vectors)
    return 0
