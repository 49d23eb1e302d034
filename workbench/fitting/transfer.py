"""Covariances of several runs or people aligned before fitting. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadSignal, BadValue
from workbench.fitting.riemann import checked, inverse_sqrt, of_eigenvalues, riemannian_mean
from workbench.messages import Message
from workbench.vocabulary import FloatArray

STILL = 1e-3
"""Share of the identity in the cross product of class means: what they do not determine is not rotated."""


def recentre(covariances: FloatArray, domains: ArrayLike, *, mean: str = "riemann") -> FloatArray:
    """Covariances seen from the mean of their domain: ``R^(-1/2) C R^(-1/2)``, with mean the identity.

    Parameters
    ----------
    covariances : ``(n_windows, n, n)`` or ``(n_windows, n_bands, n, n)`` float64, µV².
    domains : ``(n_windows,)`` run, session or person of each.
    mean : ``"riemann"``, or ``"euclid"`` for Euclidean alignment.

    Returns
    -------
    float64, same shape, without unit.

    Raises
    ------
    BadValue
        Another mean. BadSignal: covariances without full rank.

    Notes
    -----
    Euclidean: He and Wu 2020, IEEE Transactions on Biomedical Engineering 67, 399–410. Riemannian: Zanini et
    al. 2018, the same journal 65, 1107–1116.
    """
    if mean not in ("riemann", "euclid"):
        raise BadValue(Message("fit.domain_mean", got=repr(mean)))
    out = np.empty_like(covariances)
    for rows in _domains(covariances, domains):
        if covariances.ndim == 4:
            for band in range(covariances.shape[1]):
                out[rows, band] = _seen(covariances[rows, band], mean)
        else:
            out[rows] = _seen(covariances[rows], mean)
    return out


def rescale(covariances: FloatArray, domains: ArrayLike) -> FloatArray:
    """Recentred covariances ``(n_windows, n, n)`` scaled to the same dispersion: mean squared distance 1.

    ``domains`` ``(n_windows,)`` as in :func:`recentre`. Rodrigues, Jutten and Congedo 2019, IEEE Transactions on
    Biomedical Engineering 66, 2390–2401, section III B.
    """
    out = np.empty_like(covariances)
    for rows in _domains(covariances, domains):
        logs = of_eigenvalues(checked(covariances[rows]), np.log)
        dispersion = float((logs**2).sum(axis=(1, 2)).mean())
        # Negated, so that nan is refused as well.
        if not dispersion > 0:
            raise BadSignal(Message("fit.domain_constant"))
        out[rows] = of_eigenvalues(logs / np.sqrt(dispersion), np.exp)
    return out


def procrustes(covariances: FloatArray, y: ArrayLike, target: FloatArray, target_y: ArrayLike) -> FloatArray:
    """Recentred and rescaled covariances of one domain, turned so that class means meet those of a target.

    Parameters
    ----------
    covariances : ``(n_windows, n, n)`` float64. y : ``(n_windows,)`` classes; few labels are enough.
    target, target_y : those of the domain that is met, of the same classes.

    Returns
    -------
    ``(n_windows, n, n)`` float64.

    Raises
    ------
    BadSignal
        When the two domains have other classes.

    Notes
    -----
    After :func:`recentre` and :func:`rescale`, the third step of Riemannian Procrustes analysis (Rodrigues, Jutten
    and Congedo 2019, IEEE Transactions on Biomedical Engineering 66, 2390–2401), in the tangent space at the
    identity, where it has a closed form: Bleuzé, Mattout and Congedo 2022, doi:10.3389/fnhum.2022.1049985. Of all
    rotations that bring the class means together, the one that leaves most else as it is.
    """
    labels, target_labels = np.asarray(y), np.asarray(target_y)
    if set(labels.tolist()) != set(target_labels.tolist()):
        raise BadSignal(Message("fit.domain_classes"))
    vectors, target_vectors = _vectors(covariances), _vectors(target)
    cross = np.zeros((vectors.shape[1], vectors.shape[1]))
    for name in np.unique(labels):
        cross += np.outer(target_vectors[target_labels == name].mean(axis=0), vectors[labels == name].mean(axis=0))
    # With few classes most of the rotation is undetermined; a little of the identity keeps that part in place.
    left, _, right = np.linalg.svd(cross + STILL * np.linalg.norm(cross) * np.eye(len(cross)))
    return _matrices(vectors @ (left @ right).T, covariances.shape[1])


def _domains(covariances: FloatArray, domains: ArrayLike) -> list[NDArray[np.bool_]]:
    names = np.asarray(domains)
    if names.shape != (len(covariances),):
        raise BadSignal(Message("fit.domains_shape", n=len(covariances), got=str(names.shape)))
    return [names == name for name in np.unique(names)]


def _seen(covariances: FloatArray, mean: str) -> FloatArray:
    middle = riemannian_mean(covariances) if mean == "riemann" else covariances.mean(axis=0)
    white = inverse_sqrt(middle)
    recentred: FloatArray = white @ covariances @ white
    return recentred


def _vectors(covariances: FloatArray) -> FloatArray:
    """``(n_windows, n (n + 1) / 2)``: upper triangles of the logarithms, off-diagonal elements times √2."""
    logs = of_eigenvalues(checked(covariances), np.log)
    rows, columns = np.triu_indices(covariances.shape[1])
    vectors: FloatArray = logs[:, rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2.0))
    return vectors


def _matrices(vectors: FloatArray, n: int) -> FloatArray:
    """The matrices of :func:`_vectors`."""
    rows, columns = np.triu_indices(n)
    logs = np.zeros((len(vectors), n, n))
    # The inverse of the √2 of _vectors.
    logs[:, rows, columns] = vectors * np.where(rows == columns, 1.0, np.sqrt(0.5))
    logs[:, columns, rows] = logs[:, rows, columns]
    return of_eigenvalues(logs, np.exp)
