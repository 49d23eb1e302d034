"""Covariances as points of a curved space: functions of positive definite matrices, distance, tangent vector.

The affine-invariant geometry: Pennec, Fillard and Ayache 2006, International Journal of Computer Vision 66,
41–66; tangent space of covariances for classification: Barachant, Bonnet, Congedo and Jutten 2012, IEEE
Transactions on Biomedical Engineering 59, 920–928.

A matrix counts as positive definite when its smallest eigenvalue exceeds ``n ε`` times the largest one: below
that the logarithm would be one of rounding errors. A status of 0 means success, any other is one of
``kernels.linalg``, and what was to be written is then ``nan``.
"""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel, part
from workbench.kernels.evidence import exp, log
from workbench.kernels.linalg import (
    cholesky,
    congruence,
    matmul,
    matmul_at_b,
    mirror,
    symmetric_eigen,
    symmetric_eigenvalues,
    transpose,
    whiten,
)

EPSILON = 2.220446049250313e-16
SQRT_2 = 1.4142135623730951
NOT_DEFINITE = -2
LOG, EXP, SQRT, INVERSE_SQRT, POWER = range(5)
"""The functions that :func:`spectral` knows."""


@part
def definite(values: FloatArray) -> int:
    """0 when ascending eigenvalues ``(n,)`` float64 are those of a positive definite matrix, else -2."""
    n = values.shape[0]
    # A strict comparison, so that nan and a matrix of zeros are refused.
    return 0 if values[0] > n * EPSILON * values[n - 1] else NOT_DEFINITE


@kernel("int64(float64[:,::1], int64, float64, float64[:,::1])")
def spectral(matrix: FloatArray, function: int, exponent: float, out: FloatArray) -> int:
    """A function of the eigenvalues of a symmetric matrix.

    Parameters
    ----------
    matrix : ``(n, n)`` float64, symmetric; positive definite, but for ``EXP``.
    function : one of ``LOG``, ``EXP``, ``SQRT``, ``INVERSE_SQRT``, ``POWER``. exponent : that of ``POWER``.
    out : ``(n, n)`` float64, written, symmetric to the bit; may be ``matrix``.

    Returns
    -------
    int
        0, or -1 not finite, -2 not positive definite, -3 not converged.
    """
    n = matrix.shape[0]
    values, vectors, weighted = np.empty(n), np.empty((n, n)), np.empty((n, n))
    status = symmetric_eigen(matrix, values, vectors)
    if status == 0 and function != EXP:
        status = definite(values)
    if status != 0:
        out[:, :] = np.nan
        return status
    for k in range(n):
        if function == LOG:
            weight = log(values[k])
        elif function == EXP:
            weight = exp(values[k])
        elif function == SQRT:
            weight = np.sqrt(values[k])
        elif function == INVERSE_SQRT:
            weight = 1.0 / np.sqrt(values[k])
        else:
            # Our own exp and log: the power function of the C library differs between processors.
            weight = exp(exponent * log(values[k]))
        for j in range(n):
            weighted[k, j] = weight * vectors[k, j]
    # Eigenvectors are rows, so Vᵀ diag(w) V is one product; its triangles round differently, hence mirror.
    matmul_at_b(vectors, weighted, out)
    mirror(out)
    return 0


def matrix_log(matrix: FloatArray, out: FloatArray) -> int:
    """Logarithm of a positive definite matrix ``(n, n)`` float64 into ``out``; returns a status."""
    return spectral(matrix, LOG, 0.0, out)


def matrix_exp(matrix: FloatArray, out: FloatArray) -> int:
    """Exponential of a symmetric matrix ``(n, n)`` float64 into ``out``; returns a status."""
    return spectral(matrix, EXP, 0.0, out)


def matrix_sqrt(matrix: FloatArray, out: FloatArray) -> int:
    """Square root of a positive definite matrix ``(n, n)`` float64 into ``out``; returns a status."""
    return spectral(matrix, SQRT, 0.0, out)


def matrix_inverse_sqrt(matrix: FloatArray, out: FloatArray) -> int:
    """Inverse square root of a positive definite matrix ``(n, n)`` float64 into ``out``; returns a status."""
    return spectral(matrix, INVERSE_SQRT, 0.0, out)


@part
def norm_of_logarithms(values: FloatArray) -> float:
    """``sqrt(Σ log² λ)`` of ascending eigenvalues ``(n,)`` float64, or nan when one is not positive."""
    if definite(values) != 0:
        return np.nan
    total = 0.0
    for k in range(values.shape[0]):
        size = log(values[k])
        total += size * size
    return float(np.sqrt(total))


@kernel("float64(float64[:,::1], float64[:,::1])")
def distance(a: FloatArray, b: FloatArray) -> float:
    """Affine-invariant distance of two positive definite matrices, nan when one is not.

    Parameters
    ----------
    a, b : ``(n, n)`` float64, symmetric, of the same unit.
    """
    n = a.shape[0]
    lower, inner, values = np.empty((n, n)), np.empty((n, n)), np.empty(n)
    # The eigenvalues of L⁻¹ B L⁻ᵀ are those of A⁻¹ B, and the matrix stays symmetric.
    if cholesky(a, lower) != 0:
        return np.nan
    whiten(lower, b, inner)
    if symmetric_eigenvalues(inner, values) != 0:
        return np.nan
    return norm_of_logarithms(values)


@kernel("int64(float64[:,::1], float64[:,:,::1], float64[::1])")
def distances(matrix: FloatArray, whiteners: FloatArray, out: FloatArray) -> int:
    """Affine-invariant distance of a matrix to several references: one call per decision.

    Parameters
    ----------
    matrix : ``(n, n)`` float64, positive definite.
    whiteners : ``(n_references, n, n)`` float64, W with W G Wᵀ = I: the inverse square root of each reference
        G, or the inverse of its Cholesky factor.
    out : ``(n_references,)`` float64, written; all nan unless the status is 0.

    Returns
    -------
    int
        0, or -1 not finite, -2 not positive definite, -3 not converged.
    """
    n = matrix.shape[0]
    inner, values = np.empty((n, n)), np.empty(n)
    for k in range(whiteners.shape[0]):
        # The whiteners are computed at the fit: a decision factorises only its own matrix.
        congruence(whiteners[k], matrix, inner)
        status = symmetric_eigenvalues(inner, values)
        if status == 0:
            status = definite(values)
        if status != 0:
            out[:] = np.nan
            return status
        out[k] = norm_of_logarithms(values)
    return 0


@kernel("int64(float64[:,::1], float64[:,::1], float64[::1])")
def tangent_vector(matrix: FloatArray, whitener: FloatArray, out: FloatArray) -> int:
    """Tangent vector of a matrix at a reference: one call per decision.

    Parameters
    ----------
    matrix : ``(n, n)`` float64, positive definite.
    whitener : ``(n, n)`` float64, inverse square root of the reference.
    out : ``(n (n + 1) / 2,)`` float64, written: rows of the upper triangle of ``log(W C Wᵀ)``, off-diagonal
        elements times √2, so that the norm of the vector is the distance to the reference.

    Returns
    -------
    int
        0, or -1 not finite, -2 not positive definite, -3 not converged.
    """
    n = matrix.shape[0]
    inner = np.empty((n, n))
    congruence(whitener, matrix, inner)
    status = spectral(inner, LOG, 0.0, inner)
    position = 0
    for i in range(n):
        for j in range(i, n):
            # √2, because an off-diagonal element stands in the matrix twice but in the vector once.
            out[position] = inner[i, j] if i == j else SQRT_2 * inner[i, j]
            position += 1
    return status


@kernel("int64(float64[:,::1], float64[:,::1], float64, float64[:,::1])")
def geodesic(a: FloatArray, b: FloatArray, share: float, out: FloatArray) -> int:
    """Point on the way from A to B: ``A #ₜ B = A^½ (A^-½ B A^-½)^t A^½``, symmetric to the bit.

    Parameters
    ----------
    a, b : ``(n, n)`` float64, positive definite. share : t, 0 gives A, 1 gives B.
    out : ``(n, n)`` float64, written; may be ``a`` or ``b``.

    Returns
    -------
    int
        0, or -1 when B is not finite, -2 when one is not positive definite, -3 not converged.

    Notes
    -----
    Through the Cholesky factor of A in place of its square root: the same point for any factor.
    """
    n = a.shape[0]
    lower, inner, transposed = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    status = NOT_DEFINITE
    if cholesky(a, lower) == 0:
        whiten(lower, b, inner)
        status = spectral(inner, POWER, share, inner)
    if status != 0:
        out[:, :] = np.nan
        return status
    matmul(lower, inner, transposed)
    transpose(lower, inner)
    matmul(transposed, inner, out)
    mirror(out)
    return 0
