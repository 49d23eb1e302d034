"""Linear discriminants with a shrunk covariance. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadSignal
from workbench.messages import Message
from workbench.vocabulary import FloatArray

ROUNDING = 1e-20
"""A spread below this share of the mean square is rounding."""


def shrinkage_lda(features: FloatArray, y: NDArray[Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fit a linear discriminant.

    Parameters
    ----------
    features : ``(n, n_features)`` float64.
    y : ``(n,)`` classes.

    Returns
    -------
    weights : ``(n_classes, n_features)`` float64, Σ⁻¹ μ_k.
    bias : ``(n_classes,)`` float64, -½ μ_kᵀ Σ⁻¹ μ_k + log π_k.
    log_prior : ``(n_classes,)`` float64, log π_k, the share of each class.

    Raises
    ------
    BadSignal
        Features without any spread within the classes.

    Notes
    -----
    The posterior is the softmax of ``weights · x + bias``; for two classes, the logistic of A2. Σ is the
    pooled covariance within classes, shrunk as in Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4.
    """
    classes, index, counts = np.unique(y, return_inverse=True, return_counts=True)
    means = np.array([features[index == k].mean(axis=0) for k in range(len(classes))])
    centred = features - means[index]
    # A spread that is rounding would give weights without limit, and no error.
    if not (centred**2).sum() > ROUNDING * len(features) * (features**2).mean():
        raise BadSignal(Message("fit.features_constant"))
    n, p = centred.shape
    if p > n:
        weights = _solved_in_sample_space(centred, means)
    else:
        weights = np.linalg.solve(ledoit_wolf(centred)[0], means.T).T
    log_prior = np.log(counts / counts.sum())
    # The term in xᵀ Σ⁻¹ x is the same for all classes and drops out.
    bias = -0.5 * (weights * means).sum(axis=1) + log_prior
    return np.ascontiguousarray(weights), bias, log_prior


def ledoit_wolf(centred: FloatArray, *, overlap: float = 1.0) -> tuple[FloatArray, float]:
    """Covariance shrunk towards a multiple of the identity, and how much.

    Parameters
    ----------
    centred : ``(n, p)`` float64, about the mean (within classes).
    overlap : rows that carry the information of one independent row, 1 or more.

    Returns
    -------
    covariance : ``(p, p)`` float64, ``(1 - g) S + g tr(S)/p I``.
    shrinkage : g, 0–1.

    Notes
    -----
    Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, section 3.2; the error of the covariance is
    ``overlap`` times as large as for independent rows.
    """
    n, p = centred.shape
    s = centred.T @ centred / n
    size = np.trace(s) / p
    # Both are Frobenius norms: g is the share of the distance from the target that is estimation error.
    distance = ((s - size * np.eye(p)) ** 2).sum()
    spread = ((centred**2).sum(axis=1) ** 2).sum() / n**2 - (s**2).sum() / n
    # At distance 0 the covariance is its own target, and any share gives the same.
    g = 1.0 if distance <= 0 else float(min(max(overlap * spread / distance, 0.0), 1.0))
    return (1.0 - g) * s + g * size * np.eye(p), g


def _solved_in_sample_space(centred: FloatArray, means: FloatArray) -> FloatArray:
    """``(n_classes, p)`` float64, Σ⁻¹ μ_k, without a matrix of p × p: fast where features outnumber rows.

    Parameters
    ----------
    centred : ``(n, p)`` float64, about the mean within classes. means : ``(n_classes, p)`` float64.

    Notes
    -----
    The same covariance as of :func:`ledoit_wolf`, whose norms are those of the Gram matrix of the rows; its
    inverse by the identity of Woodbury (Hager 1989, doi:10.1137/1031049).
    """
    n, p = centred.shape
    gram = centred @ centred.T / n
    size = np.trace(gram) / p
    squares = (gram**2).sum()
    distance = squares - p * size**2
    spread = (np.diag(gram) ** 2).sum() - squares / n
    g = 1.0 if distance <= 0 else float(min(max(spread / distance, 0.0), 1.0))
    ridge, share = g * size, (1.0 - g) / n
    # Rows that are all one direction estimate themselves without error, and leave every other without a spread.
    if not ridge > 0.0:
        raise BadSignal(Message("fit.features_one_direction"))
    inner = ridge * np.eye(n) + (1.0 - g) * gram
    solved = np.linalg.solve(inner, centred @ means.T)
    weights: FloatArray = (means - share * (centred.T @ solved).T) / ridge
    return weights
