"""Linear discriminants with a shrunk covariance. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadSignal
from workbench.vocabulary import FloatArray

ROUNDING = 1e-20
"""A spread below this share of the mean square is rounding."""

FARTHEST = 40
"""Windows up to which correlation in time is summed."""


def shrinkage_lda(
    features: FloatArray, y: NDArray[Any], *, overlapping: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fit a linear discriminant.

    Parameters
    ----------
    features : ``(n, n_features)`` float64.
    y : ``(n,)`` classes.
    overlapping : whether rows are windows in the order of time that may overlap: the covariance is then shrunk as
        their number of independent ones demands.

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
        raise BadSignal("the features do not vary within the classes; the recording repeats itself")
    n, p = centred.shape
    repeats = overlap(centred, index) if overlapping else 1.0
    if p > n:
        weights = _solved_in_sample_space(centred, means, repeats=repeats)
    else:
        weights = np.linalg.solve(ledoit_wolf(centred, repeats=repeats)[0], means.T).T
    log_prior = np.log(counts / counts.sum())
    # The term in xᵀ Σ⁻¹ x is the same for all classes and drops out.
    bias = -0.5 * (weights * means).sum(axis=1) + log_prior
    return np.ascontiguousarray(weights), bias, log_prior


def overlap(residuals: FloatArray, index: NDArray[np.int64]) -> float:
    """How many windows, in the order given, carry the information of one independent window.

    Parameters
    ----------
    residuals : ``(n, n_features)`` float64, about the mean of their class.
    index : ``(n,)`` class of each; correlation is taken between windows of the same class only.

    Returns
    -------
    float
        1 + 2 Σ r(l), summed up to the first lag without correlation; at least 1.

    Notes
    -----
    Bayley and Hammersley 1946, doi:10.2307/2983560. Windows in another order than that of time are taken for
    independent.
    """
    power, total = float((residuals**2).mean()), 1.0
    for lag in range(1, min(FARTHEST, len(residuals) - 1) + 1):
        same_class = index[lag:] == index[:-lag]
        if not same_class.any() or power <= 0.0:
            break
        r = float((residuals[lag:] * residuals[:-lag])[same_class].mean()) / power
        # Past the first lag without correlation only noise would be summed.
        if r <= 0.05:
            break
        total += 2.0 * r
    return total


def ledoit_wolf(centred: FloatArray, *, repeats: float = 1.0) -> tuple[FloatArray, float]:
    """Covariance shrunk towards a multiple of the identity, and how much.

    Parameters
    ----------
    centred : ``(n, p)`` float64, about the mean (within classes).
    repeats : rows that carry the information of one independent row, 1 or more.

    Returns
    -------
    covariance : ``(p, p)`` float64, ``(1 - g) S + g tr(S)/p I``.
    shrinkage : g, 0–1.

    Notes
    -----
    Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, section 3.2; the error of the covariance is
    ``repeats`` times as large as for independent rows.
    """
    n, p = centred.shape
    s = centred.T @ centred / n
    size = np.trace(s) / p
    # Both are Frobenius norms: g is the share of the distance from the target that is estimation error.
    distance = ((s - size * np.eye(p)) ** 2).sum()
    spread = ((centred**2).sum(axis=1) ** 2).sum() / n**2 - (s**2).sum() / n
    # At distance 0 the covariance is its own target, and any share gives the same.
    g = 1.0 if distance <= 0 else float(min(max(repeats * spread / distance, 0.0), 1.0))
    return (1.0 - g) * s + g * size * np.eye(p), g


def _solved_in_sample_space(centred: FloatArray, means: FloatArray, *, repeats: float) -> FloatArray:
    """``(n_classes, p)`` float64, Σ⁻¹ μ_k, without a matrix of p × p: fast where features outnumber rows.

    Parameters
    ----------
    centred : ``(n, p)`` float64, about the mean within classes. means : ``(n_classes, p)`` float64.
    repeats : rows that carry the information of one independent row.

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
    g = 1.0 if distance <= 0 else float(min(max(repeats * spread / distance, 0.0), 1.0))
    ridge, share = g * size, (1.0 - g) / n
    # Rows that are all one direction estimate themselves without error, and leave every other without a spread.
    if not ridge > 0.0:
        raise BadSignal("the features vary in one direction only; the recording repeats itself")
    inner = ridge * np.eye(n) + (1.0 - g) * gram
    solved = np.linalg.solve(inner, centred @ means.T)
    weights: FloatArray = (means - share * (centred.T @ solved).T) / ridge
    return weights
