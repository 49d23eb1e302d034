"""The two halves of the symmetric eigenproblem: Householder reduction and the implicit QL method."""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel, part

EPSILON = 2.220446049250313e-16
TINY = 1e-290
"""Off-diagonals below this are negligible in a matrix whose largest element lies between 1 and 2."""

SWEEPS = 60
"""QL steps for one eigenvalue; two or three are usual."""

NOT_CONVERGED = -3


@kernel("void(float64[:,::1], float64[:,::1])")
def transpose(a: FloatArray, out: FloatArray) -> None:
    """Transpose ``a`` ``(n, m)`` float64 into ``out`` ``(m, n)`` float64, which is written; not ``a``."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[j, i] = a[i, j]


@kernel("void(float64[:,::1])")
def mirror(a: FloatArray) -> None:
    """Copy the upper triangle of ``a`` ``(n, n)`` float64 onto the lower one, in place."""
    for i in range(a.shape[0]):
        for j in range(i):
            a[i, j] = a[j, i]


@part
def scaled(matrix: FloatArray, out: FloatArray) -> float:
    """Symmetric matrix divided by a power of two, so that its largest element lies between 1 and 2.

    Parameters
    ----------
    matrix : ``(n, n)`` float64; only its upper triangle is read. out : ``(n, n)`` float64, written; may be
        ``matrix``.

    Returns
    -------
    float
        The power of two; 0 for a matrix of zeros; nan when a value is not finite (``out`` is then not written).
    """
    n = matrix.shape[0]
    largest = 0.0
    for i in range(n):
        for j in range(i, n):
            size = abs(matrix[i, j])
            if not size < np.inf:
                return np.nan
            largest = max(largest, size)
    if largest == 0.0:
        out[:, :] = 0.0
        return 0.0
    # From the bits of the double: division by a power of two is exact, so scaling costs no digit.
    exponent = int(np.float64(largest).view(np.int64)) >> 52
    # Exponent bits of 0 stand for denormals and 2047 for infinity; neither makes a power of two.
    exponent = min(max(exponent, 1), 2046)
    unit = np.int64(exponent << 52).view(np.float64)
    for i in range(n):
        for j in range(i, n):
            out[i, j] = matrix[i, j] / unit
    mirror(out)
    return float(unit)


@part
def tridiagonalise(a: FloatArray, diagonal: FloatArray, off_diagonal: FloatArray, factors: FloatArray) -> None:
    """Householder reduction of a symmetric matrix to tridiagonal form.

    Parameters
    ----------
    a : ``(n, n)`` float64, symmetric, elements of order 1; overwritten: row ``k`` keeps, from ``k + 1`` on,
        the Householder vector of step ``k``.
    diagonal, off_diagonal : ``(n,)`` float64, written: the diagonal, and what lies right of it (last element 0).
    factors : ``(n,)`` float64, written: β of each step, H = I - β v vᵀ; 0 where nothing had to be done.

    Notes
    -----
    Golub and Van Loan, Matrix Computations, 4th ed., algorithm 8.3.1.
    """
    n = a.shape[0]
    product = np.empty(n)
    for k in range(n):
        diagonal[k] = a[k, k]
        off_diagonal[k] = a[k, k + 1] if k + 1 < n else 0.0
        factors[k] = 0.0
        tail = 0.0
        for j in range(k + 2, n):
            tail += a[k, j] * a[k, j]
        # Already tridiagonal in this row: a reflection would divide by (almost) zero.
        if tail <= TINY:
            continue
        head = a[k, k + 1]
        length = np.sqrt(head * head + tail)
        v = a[k]
        # The sign that adds magnitudes: the other one cancels digits.
        v[k + 1] = head + length if head > 0.0 else head - length
        off_diagonal[k] = -length if head > 0.0 else length
        beta = 2.0 / (v[k + 1] * v[k + 1] + tail)
        factors[k] = beta
        for j in range(k + 1, n):
            product[j] = 0.0
        for i in range(k + 1, n):
            for j in range(k + 1, n):
                product[j] += v[i] * a[i, j]
        half = 0.0
        for j in range(k + 1, n):
            product[j] *= beta
            half += product[j] * v[j]
        # w = p - (β pᵀv / 2) v: then H A H = A - v wᵀ - w vᵀ, one pass over the matrix instead of two.
        half *= 0.5 * beta
        for j in range(k + 1, n):
            product[j] -= half * v[j]
        for i in range(k + 1, n):
            vi, wi = v[i], product[i]
            for j in range(k + 1, n):
                a[i, j] -= vi * product[j] + wi * v[j]


@part
def reflections(a: FloatArray, factors: FloatArray, out: FloatArray) -> None:
    """Product of the Householder reflections that :func:`tridiagonalise` left, transposed.

    Parameters
    ----------
    a, factors : as :func:`tridiagonalise` left them. out : ``(n, n)`` float64, written: Qᵀ with Q T Qᵀ the
        matrix that was reduced.
    """
    n = a.shape[0]
    q, row = np.zeros((n, n)), np.empty(n)
    for i in range(n):
        q[i, i] = 1.0
    # Last reflection first: the rows and columns before it are still those of the identity.
    for k in range(n - 3, -1, -1):
        if factors[k] == 0.0:
            continue
        for j in range(k + 1, n):
            row[j] = 0.0
        for i in range(k + 1, n):
            for j in range(k + 1, n):
                row[j] += a[k, i] * q[i, j]
        for i in range(k + 1, n):
            factor = factors[k] * a[k, i]
            for j in range(k + 1, n):
                q[i, j] -= factor * row[j]
    transpose(q, out)


@part
def ql_step(diagonal: FloatArray, off_diagonal: FloatArray, rows: FloatArray, low: int, high: int) -> None:
    """One implicit QL step of :func:`implicit_ql` on an unreduced block.

    Parameters
    ----------
    diagonal, off_diagonal : ``(n,)`` float64, of the tridiagonal matrix, changed.
    rows : ``(n, n)`` float64, turned along. low, high : first and last index of the block.
    """
    # Wilkinson's shift: the eigenvalue of the leading 2 × 2 block that is nearer to its first element.
    g = (diagonal[low + 1] - diagonal[low]) / (2.0 * off_diagonal[low])
    r = np.sqrt(g * g + 1.0)
    g = diagonal[high] - diagonal[low] + off_diagonal[low] / (g + r if g >= 0.0 else g - r)
    s, c, p = 1.0, 1.0, 0.0
    for i in range(high - 1, low - 1, -1):
        f, b = s * off_diagonal[i], c * off_diagonal[i]
        r = f * f + g * g
        # The rotation is undefined: the block splits at i + 1, and the caller starts over with the parts.
        if r <= TINY:
            diagonal[i + 1] -= p
            off_diagonal[i + 1] = 0.0
            off_diagonal[high] = 0.0
            return
        r = np.sqrt(r)
        off_diagonal[i + 1] = r
        s, c = f / r, g / r
        g = diagonal[i + 1] - p
        r = (diagonal[i] - g) * s + 2.0 * c * b
        p = s * r
        diagonal[i + 1] = g + p
        g = c * r - b
        upper, lower = rows[i], rows[i + 1]
        for j in range(rows.shape[1]):
            x, y = upper[j], lower[j]
            lower[j] = s * x + c * y
            upper[j] = c * x - s * y
    diagonal[low] -= p
    off_diagonal[low] = g
    off_diagonal[high] = 0.0


@part
def implicit_ql(diagonal: FloatArray, off_diagonal: FloatArray, rows: FloatArray) -> int:
    """Eigenvalues of a symmetric tridiagonal matrix by the implicit QL method, not sorted.

    Parameters
    ----------
    diagonal : ``(n,)`` float64, of order 1; eigenvalues on return.
    off_diagonal : ``(n,)`` float64, right of the diagonal, last element 0; destroyed.
    rows : ``(n, m)`` float64, rotated with the rows: Qᵀ becomes the eigenvectors; ``(n, 0)`` for none.

    Returns
    -------
    int
        0, or ``NOT_CONVERGED``.

    Notes
    -----
    Martin and Wilkinson, The implicit QL algorithm, Numerische Mathematik 1968, 12, 377–383.
    """
    n = diagonal.shape[0]
    for low in range(n):
        for sweep in range(SWEEPS + 1):
            high = low
            while high < n - 1:
                size = abs(diagonal[high]) + abs(diagonal[high + 1])
                # Relative to its neighbours; TINY lets a block of zeros split too.
                if abs(off_diagonal[high]) <= EPSILON * size + TINY:
                    break
                high += 1
            if high == low:
                break
            if sweep == SWEEPS:
                return NOT_CONVERGED
            ql_step(diagonal, off_diagonal, rows, low, high)
    return 0


@part
def put_in_order(values: FloatArray, rows: FloatArray) -> None:
    """Sort ascending, and give each row the sign that makes its largest element (the first of them) positive.

    Parameters
    ----------
    values : ``(n,)`` float64, in place. rows : ``(n, m)`` float64, in place, along with the values.
    """
    n, m = rows.shape
    for i in range(n):
        # Selection sort: n is small, and it swaps the fewest rows.
        smallest = i
        for k in range(i + 1, n):
            if values[k] < values[smallest]:
                smallest = k
        values[i], values[smallest] = values[smallest], values[i]
        largest = 0.0
        for j in range(m):
            rows[i, j], rows[smallest, j] = rows[smallest, j], rows[i, j]
            # Strictly larger, so that the first of equal magnitudes sets the sign.
            if abs(rows[i, j]) > abs(largest):
                largest = rows[i, j]
        if largest < 0.0:
            for j in range(m):
                rows[i, j] = -rows[i, j]
