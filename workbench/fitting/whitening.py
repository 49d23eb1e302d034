"""Learning of rest against movements: whitening, effective numbers, shrunk means. Fitting only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadSignal
from workbench.fitting.lda import ledoit_wolf
from workbench.messages import Message
from workbench.vocabulary import FloatArray

FLOOR = 1e-6
"""Eigenvalues are raised to this share of their mean, so that a missing rank is not amplified."""

FOLDS = 8
"""Contiguous folds whose held-out scores set scale and offset."""

FEWEST = 4
"""Windows of a class in each fold, without which scores are left as fitted."""

MIN_SCALE = 1e-3
"""Least scale of a score: one that says nothing about held-out windows is not trusted, and never inverted."""

FARTHEST = 40
"""Windows up to which correlation in time is summed."""


def whitening(covariances: FloatArray) -> FloatArray:
    """Symmetric spatial whitening of each band.

    Parameters
    ----------
    covariances : ``(n_bands, n, n)`` float64, µV².

    Returns
    -------
    filters : ``(n_bands, n, n)`` float64, C^(-1/2): the whitening that stays closest to the channels.

    Notes
    -----
    Kessy, Lewin and Strimmer 2018, doi:10.1080/00031305.2016.1277159 (ZCA).
    """
    filters = np.empty_like(covariances)
    for band, covariance in enumerate(covariances):
        values, vectors = np.linalg.eigh(covariance)
        # A common average leaves a direction without power, which whitening would amplify without limit.
        values = np.maximum(values, FLOOR * values.mean())
        filters[band] = (vectors / np.sqrt(values)) @ vectors.T
    return filters


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


def pulled(differences: FloatArray, variance: FloatArray) -> FloatArray:
    """Differences of means, shrunk towards the mean of their band.

    Parameters
    ----------
    differences : ``(n_bands, n)`` float64. variance : ``(n_bands,)`` float64, of their errors.

    Notes
    -----
    The positive-part estimator of James and Stein about the mean: Efron and Morris 1973,
    doi:10.1080/01621459.1973.10481350. Three derivations or fewer are left as they are.
    """
    centre = differences.mean(axis=1, keepdims=True)
    deviation = differences - centre
    spread = np.maximum((deviation**2).sum(axis=1), np.finfo(np.float64).tiny)
    share = np.minimum(1.0, variance * max(0, differences.shape[1] - 3) / spread)
    shrunk: FloatArray = centre + (1.0 - share[:, None]) * deviation
    return shrunk


def rest_lda(
    z: FloatArray, index: NDArray[np.int64], *, rest: int, n_bands: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Linear discriminant of features that are z-scored by rest, with held-out scale and offset.

    Parameters
    ----------
    z : ``(n, n_features)`` float64, bands × derivations, band after band, in the order of time.
    index : ``(n,)`` class of each window. rest : the class of rest. n_bands : groups of features.

    Returns
    -------
    weights, bias, log_prior : as :func:`workbench.fitting.lda.shrinkage_lda`. The weights of rest are 0.

    Raises
    ------
    BadSignal
        Features without any spread within the classes.

    Notes
    -----
    Overlapping windows are counted by their information in the shrinkage of Ledoit and Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4, and of the means. Each class is calibrated against rest by the
    discriminant of its scores in contiguous folds that were held out (Platt's idea with normal scores).
    """
    n_classes = int(index.max()) + 1
    weights, offset = _discriminants(z, index, rest=rest, n_bands=n_bands)
    scale, middle = np.ones(n_classes), -offset
    counts = np.bincount(index)
    if counts.min() >= FEWEST * FOLDS:
        scale, middle = _calibrated(z, index, rest=rest, n_bands=n_bands, offsets=offset)
    log_prior = np.log(counts / counts.sum())
    bias = log_prior - scale * middle
    return np.ascontiguousarray(scale[:, None] * weights), bias, log_prior


def _discriminants(
    z: FloatArray, index: NDArray[np.int64], *, rest: int, n_bands: int
) -> tuple[FloatArray, FloatArray]:
    """``(n_classes, n_features)`` directions from rest and ``(n_classes,)`` offsets; 0 for rest."""
    counts = np.bincount(index)
    means = np.array([z[index == k].mean(axis=0) for k in range(len(counts))])
    residuals = z - means[index]
    if not (residuals != 0.0).any():
        raise BadSignal(Message("fit.features_constant"))
    windows_per_independent = overlap(residuals, index)
    pooled, _ = ledoit_wolf(residuals, overlap=windows_per_independent)
    # The variance of a mean falls with the number of independent windows, not of overlapping ones.
    error = residuals.var(axis=0).reshape(n_bands, -1).mean(axis=1) * windows_per_independent
    weights, offset = np.zeros_like(means), np.zeros(len(counts))
    for k in range(len(counts)):
        if k == rest:
            continue
        differences = (means[k] - means[rest]).reshape(n_bands, -1)
        weights[k] = np.linalg.solve(
            pooled, pulled(differences, error * (1 / counts[k] + 1 / counts[rest])).ravel()
        )
        offset[k] = -0.5 * weights[k] @ (means[k] + means[rest])
    return weights, offset


def _calibrated(
    z: FloatArray, index: NDArray[np.int64], *, rest: int, n_bands: int, offsets: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Scale and middle of each class's score against rest, from held-out folds."""
    fold = np.empty(len(index), dtype=np.int64)
    for k in range(len(offsets)):
        members = np.flatnonzero(index == k)
        fold[members] = np.arange(len(members)) * FOLDS // len(members)
    scores = np.empty((len(index), len(offsets)))
    for i in range(FOLDS):
        train, test = fold != i, fold == i
        weights, offset = _discriminants(z[train], index[train], rest=rest, n_bands=n_bands)
        scores[test] = z[test] @ weights.T + offset
    scale, middle = np.ones(len(offsets)), np.zeros(len(offsets))
    for k in range(len(offsets)):
        if k == rest:
            continue
        moving, resting = scores[index == k, k], scores[index == rest, k]
        variance = (moving.var() * len(moving) + resting.var() * len(resting)) / (len(moving) + len(resting))
        # The scale of a normal discriminant: difference of the means over the variance.
        scale[k] = max(moving.mean() - resting.mean(), MIN_SCALE * variance) / variance
        middle[k] = 0.5 * (moving.mean() + resting.mean()) - offsets[k]
    return scale, middle
