"""Means of covariances on their manifold. Fitting only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.errors import BadSignal
from workbench.kernels.linalg import symmetric_eigen
from workbench.kernels.riemann import tangent_vector
from workbench.messages import Message
from workbench.vocabulary import FloatArray

TOLERANCE = 1e-8
"""Norm of the mean tangent vector below which the iteration stops."""

ITERATIONS = 50

MANY = 128
"""Covariances beyond which a mean is taken of evenly spaced ones: windows that overlap say the same again."""


def eigen(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues ``(…, n)``, ascending, and eigenvectors as rows ``(…, n, n)`` of symmetric matrices.

    The loop's own kernel: for small matrices it is no slower than LAPACK, and on a busy machine, where LAPACK's
    threads wait for one another, it was a hundred times faster. What is not finite gives nan.
    """
    vectors = np.empty(matrix.shape)
    values = np.empty(matrix.shape[:-1])
    for position in np.ndindex(matrix.shape[:-2]):
        symmetric_eigen(np.ascontiguousarray(matrix[position]), values[position], vectors[position])
    return values, vectors


def of_eigenvalues(matrix: FloatArray, function: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """A function of a symmetric matrix ``(…, n, n)``, through its eigenvalues."""
    values, vectors = eigen(matrix)
    result: FloatArray = np.swapaxes(vectors * function(values)[..., None], -1, -2) @ vectors
    return result


def inverse_sqrt(matrix: FloatArray) -> FloatArray:
    """C^(-1/2) of positive definite matrices ``(…, n, n)`` float64."""
    return np.ascontiguousarray(of_eigenvalues(checked(matrix), _inverse_root))


def checked(covariances: FloatArray) -> FloatArray:
    """Covariances ``(…, n, n)`` float64 as they are, or :class:`BadSignal` where one is not of full rank."""
    values = np.linalg.eigvalsh(covariances)
    n = values.shape[-1]
    # The same limit as in the kernels, so that a fit does not accept what a decision refuses.
    rank = int((values > n * np.finfo(np.float64).eps * values[..., -1:]).sum(axis=-1).min())
    if rank < n:
        raise BadSignal(Message("fit.riemann_rank", rank=rank, n=str(n)))
    return covariances


def riemannian_mean(covariances: FloatArray) -> FloatArray:
    """The Karcher mean of covariances.

    Parameters
    ----------
    covariances : ``(n_windows, n, n)`` float64, µV², positive definite, in the order of time. Of more than
        :data:`MANY` so many are taken, evenly spaced.

    Returns
    -------
    ``(n, n)`` float64, µV².

    Raises
    ------
    BadSignal
        When a covariance is not of full rank.

    Notes
    -----
    Fixed step: ``G ← G^½ exp(mean log(G^-½ C G^-½)) G^½`` until the norm of the mean is below 1e-8, or 50
    times. Moakher 2005, SIAM Journal on Matrix Analysis and Applications 26, 735–747.
    """
    # The arithmetic mean is the usual start: for covariances of one recording it lies near the Karcher mean.
    taken = min(len(covariances), MANY)
    contiguous = np.ascontiguousarray(checked(covariances)[np.arange(taken) * len(covariances) // taken])
    mean: FloatArray = contiguous.mean(axis=0)
    n = len(mean)
    upper = np.triu_indices(n)
    tangents, step = np.empty((taken, len(upper[0]))), np.empty((n, n))
    for _ in range(ITERATIONS):
        values, vectors = eigen(mean)
        root = (vectors.T * np.sqrt(values)) @ vectors
        white = (vectors.T / np.sqrt(values)) @ vectors
        for covariance, tangent in zip(contiguous, tangents, strict=True):
            tangent_vector(covariance, white, tangent)
        step[upper] = tangents.mean(axis=0) / np.where(upper[0] == upper[1], 1.0, np.sqrt(2.0))
        step.T[upper] = step[upper]
        mean = root @ of_eigenvalues(step, np.exp) @ root
        # Rounding makes it unsymmetric, and the eigensolver reads one triangle only.
        mean = 0.5 * (mean + mean.T)
        # The mean tangent vector is 0 at the mean, whatever the unit of the signal.
        if np.linalg.norm(step) < TOLERANCE:
            break
    return mean


def _inverse_root(values: FloatArray) -> FloatArray:
    roots: FloatArray = 1.0 / np.sqrt(values)
    return roots
