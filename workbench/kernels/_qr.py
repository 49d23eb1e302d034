"""Householder QR of a window, which also determines its rank."""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, IntArray, kernel, part

DEPENDENT = 1e-10
"""A column whose part outside the span of the columns before it is smaller than this share of it adds nothing."""


@part
def householder(a: FloatArray, factors: FloatArray, columns: IntArray) -> int:
    """Householder QR of a tall matrix, in place; columns that depend on those before them are passed over.

    Parameters
    ----------
    a : ``(n_rows, n_columns)`` float64; overwritten: R above and on the diagonal of the chosen columns, the
        Householder vectors below it (their first element is 1).
    factors : ``(n_columns,)`` float64, written: β of each reflection I - β v vᵀ.
    columns : ``(n_columns,)`` int64, written: the chosen columns, ascending.

    Returns
    -------
    int
        The rank: how many columns were chosen. A column of zeros, or one that is not finite, is never chosen;
        one that is not finite spoils those after it.

    Notes
    -----
    Golub and Van Loan, Matrix Computations, 4th ed., algorithms 5.1.1 and 5.2.1.
    """
    n_rows, n_columns = a.shape
    row = np.empty(n_columns)
    rank = 0
    for c in range(n_columns):
        if rank == n_rows:
            break
        above, tail = 0.0, 0.0
        for t in range(rank):
            above += a[t, c] * a[t, c]
        head = a[rank, c]
        for t in range(rank + 1, n_rows):
            tail += a[t, c] * a[t, c]
        # Relative to the whole column, so the unit does not matter. Negated, so that nan is passed over as well.
        remaining = head * head + tail
        if not (remaining > DEPENDENT * DEPENDENT * (above + remaining) and remaining < np.inf):
            continue
        length = np.sqrt(remaining)
        # The sign that adds magnitudes: the other one cancels digits (Golub and Van Loan, section 5.1.3).
        v0 = head + length if head > 0.0 else head - length
        factors[rank] = 2.0 * v0 * v0 / (v0 * v0 + tail)
        columns[rank] = c
        a[rank, c] = -length if head > 0.0 else length
        for j in range(c + 1, n_columns):
            row[j] = a[rank, j]
        for t in range(rank + 1, n_rows):
            a[t, c] /= v0
            for j in range(c + 1, n_columns):
                row[j] += a[t, c] * a[t, j]
        for j in range(c + 1, n_columns):
            row[j] *= factors[rank]
            a[rank, j] -= row[j]
        for t in range(rank + 1, n_rows):
            for j in range(c + 1, n_columns):
                a[t, j] -= a[t, c] * row[j]
        rank += 1
    return rank


@part
def basis(a: FloatArray, factors: FloatArray, columns: IntArray, rank: int, out: FloatArray) -> None:
    """Orthonormal columns from what :func:`householder` left.

    Parameters
    ----------
    a, factors, columns, rank : as :func:`householder` left and returned them.
    out : ``(n_rows, n_columns)`` float64, written: Q in the first ``rank`` columns, then zeros.
    """
    n_rows = a.shape[0]
    row = np.empty(rank)
    out[:, :] = 0.0
    for k in range(rank):
        out[k, k] = 1.0
    # Last reflection first: columns before it are still those of the identity and need no work.
    for k in range(rank - 1, -1, -1):
        c = columns[k]
        for j in range(k, rank):
            row[j] = out[k, j]
        for t in range(k + 1, n_rows):
            for j in range(k, rank):
                row[j] += a[t, c] * out[t, j]
        for j in range(k, rank):
            row[j] *= factors[k]
            out[k, j] -= row[j]
        for t in range(k + 1, n_rows):
            for j in range(k, rank):
                out[t, j] -= a[t, c] * row[j]


@kernel("int64(float64[:,::1], float64[:,::1])")
def orthonormal(a: FloatArray, out: FloatArray) -> int:
    """Orthonormal basis of the columns of a matrix; returns the rank.

    Parameters
    ----------
    a : ``(n_rows, n_columns)`` float64, not changed.
    out : ``(n_rows, n_columns)`` float64, written: the basis in the first columns, then zeros; not ``a``.
    """
    work, factors = a.copy(), np.empty(a.shape[1])
    columns = np.empty(a.shape[1], dtype=np.int64)
    rank = householder(work, factors, columns)
    basis(work, factors, columns, rank, out)
    return rank
