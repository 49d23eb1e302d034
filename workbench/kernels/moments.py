"""Sums of squares and products of rows, as they come: the memory of a recursive regression.

They are symmetric, and kept as their lower triangle, row after row in one array: element ``(i, j)`` stands at
``i (i + 1) / 2 + j``. A large one takes half the memory and half the time.
"""

from __future__ import annotations

from workbench.kernels._jit import FloatArray, kernel

ROWS = 64  # of the sums that are held together: with COLUMNS they fit in the second cache
COLUMNS = 512


@kernel("void(float64[:,::1], float64, float64[::1])")
def add_products(rows: FloatArray, keep: float, sums: FloatArray) -> None:
    """``sums ← keep · sums + rowsᵀ rows``; each sum takes the rows in ascending order.

    Parameters
    ----------
    rows : ``(n, p)`` float64. keep : share of the sums that is kept.
    sums : ``(p (p + 1) / 2,)`` float64, lower triangle, changed in place.

    Notes
    -----
    In tiles, eight rows at a time, which keeps the order of every sum.
    """
    n, p = rows.shape
    n_blocked = n - n % 8
    for top in range(0, p, ROWS):
        bottom = min(top + ROWS, p)
        for left in range(0, bottom, COLUMNS):
            right = min(left + COLUMNS, bottom)
            for i in range(top, bottom):
                at = i * (i + 1) // 2
                for j in range(left, min(right, i + 1)):
                    sums[at + j] *= keep
            for k in range(0, n_blocked, 8):
                for i in range(top, bottom):
                    at = i * (i + 1) // 2
                    a0, a1, a2, a3 = rows[k, i], rows[k + 1, i], rows[k + 2, i], rows[k + 3, i]
                    a4, a5, a6, a7 = rows[k + 4, i], rows[k + 5, i], rows[k + 6, i], rows[k + 7, i]
                    for j in range(left, min(right, i + 1)):
                        total = sums[at + j] + a0 * rows[k, j]
                        total = total + a1 * rows[k + 1, j]
                        total = total + a2 * rows[k + 2, j]
                        total = total + a3 * rows[k + 3, j]
                        total = total + a4 * rows[k + 4, j]
                        total = total + a5 * rows[k + 5, j]
                        total = total + a6 * rows[k + 6, j]
                        sums[at + j] = total + a7 * rows[k + 7, j]
            for k in range(n_blocked, n):
                for i in range(top, bottom):
                    at = i * (i + 1) // 2
                    for j in range(left, min(right, i + 1)):
                        sums[at + j] += rows[k, i] * rows[k, j]


@kernel("void(float64[::1], float64[::1], float64[::1])")
def times_symmetric(lower: FloatArray, vector: FloatArray, out: FloatArray) -> None:
    """The product of a symmetric matrix and a vector, from its lower triangle.

    Parameters
    ----------
    lower : ``(p (p + 1) / 2,)`` float64. vector : ``(p,)`` float64. out : ``(p,)`` float64, written; not the
        vector.

    Notes
    -----
    Below the diagonal, element ``j`` of a row goes to the sum ``j mod 8`` of the row, and these eight are added in
    pairs at its end: an order of its own, and the same everywhere. What lies right of the diagonal follows from
    the rows below, one after the other.
    """
    p = len(vector)
    for i in range(p):
        out[i] = 0.0
    for i in range(p):
        v, at = vector[i], i * (i + 1) // 2
        t0, t1, t2, t3, t4, t5, t6, t7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        n_blocked = i - i % 8
        for j in range(0, n_blocked, 8):
            t0 += lower[at + j] * vector[j]
            t1 += lower[at + j + 1] * vector[j + 1]
            t2 += lower[at + j + 2] * vector[j + 2]
            t3 += lower[at + j + 3] * vector[j + 3]
            t4 += lower[at + j + 4] * vector[j + 4]
            t5 += lower[at + j + 5] * vector[j + 5]
            t6 += lower[at + j + 6] * vector[j + 6]
            t7 += lower[at + j + 7] * vector[j + 7]
        for j in range(i):
            out[j] += lower[at + j] * v
        for j in range(n_blocked, i):
            t0 += lower[at + j] * vector[j]
        out[i] += ((t0 + t1) + (t2 + t3)) + ((t4 + t5) + (t6 + t7)) + lower[at + i] * v
