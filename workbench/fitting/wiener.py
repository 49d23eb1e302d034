"""A Wiener filter: ridge regression on features of the last moments, its penalty by blocks that are held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from workbench.errors import BadSignal
from workbench.messages import Message
from workbench.vocabulary import FloatArray

PENALTIES: tuple[float, ...] = tuple(10.0**power for power in range(-2, 7))
"""From which the penalty is chosen, in squares of a standardised feature."""

FOLDS = 5


class Filter(NamedTuple):
    """A linear map from features to targets.

    Attributes
    ----------
    weights : ``(n_targets, n_features)`` float64. bias : ``(n_targets,)`` float64.
    penalty : of the squared weights. error : mean square error of a target on blocks that were held out.
    """

    weights: FloatArray
    bias: FloatArray
    penalty: float
    error: float


def wiener_filter(
    rows: FloatArray, targets: FloatArray, *, penalties: Sequence[float] = PENALTIES, folds: int = FOLDS
) -> Filter:
    """The regression with the penalty that predicts held-out blocks best; the larger of two that are as good.

    Parameters
    ----------
    rows : ``(n, n_features)`` float64, in the order of time, of about one size (z-scores).
    targets : ``(n, n_targets)`` float64.
    penalties : of the squared weights. folds : contiguous blocks, each held out once.

    Raises
    ------
    BadSignal
        For fewer rows than folds, or targets that do not vary.
    """
    if len(rows) < folds or not (targets != targets[0]).any():
        raise BadSignal(Message("fit.features_constant"))
    mean, middle = rows.mean(axis=0), targets.mean(axis=0)
    scores, values, back = _decomposed(rows - mean)
    shown = scores.T @ (targets - middle)
    errors = np.zeros(len(penalties))
    for k, penalty in enumerate(penalties):
        shrunk = scores / (values + penalty)
        left = targets - middle - shrunk @ shown
        # Contiguous, as neighbouring windows overlap and resemble one another. What a fit without a block leaves
        # of it follows from the fit of all: with H the block's part of the hat matrix, (I - H) e = r.
        for block in np.array_split(np.arange(len(rows)), folds):
            hat = shrunk[block] @ scores[block].T + 1.0 / len(rows)
            errors[k] += float((np.linalg.solve(np.eye(len(block)) - hat, left[block]) ** 2).sum())
    best = int(np.flatnonzero(errors <= errors.min() * (1.0 + 1e-9))[-1])
    weights = (back @ (shown / (values + penalties[best])[:, None])).T
    error = float(errors[best] / targets.size)
    return Filter(np.ascontiguousarray(weights), middle - weights @ mean, float(penalties[best]), error)


def _decomposed(centred: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scores ``(n, k)``, their squared sizes ``(k,)``, and ``(n_features, k)``: how features make them.

    Of the smaller of the two matrices of products: to decompose the rows themselves takes many times as long.
    """
    n, n_features = centred.shape
    if n_features <= n:
        values, back = np.linalg.eigh(centred.T @ centred)
        return centred @ back, np.maximum(values, 0.0), back
    values, left = np.linalg.eigh(centred @ centred.T)
    # What is rounding belongs to no score.
    kept = values > values[-1] * n * np.finfo(np.float64).eps
    sizes = np.sqrt(values[kept])
    return left[:, kept] * sizes, values[kept], centred.T @ (left[:, kept] / sizes)


def lagged(features: FloatArray, n_lags: int) -> FloatArray:
    """Features of a moment and of those before it, side by side, for :func:`wiener_filter`.

    Parameters
    ----------
    features : ``(n, n_features)`` float64, moment after moment. n_lags : 1 takes the moment alone.

    Returns
    -------
    ``(n - n_lags + 1, n_lags · n_features)`` float64, the oldest first; the first moments only lie before others.
    """
    n = len(features) - n_lags + 1
    return np.hstack([features[lag : lag + n] for lag in range(n_lags)])
