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
    errors = np.zeros(len(penalties))
    # Contiguous, as neighbouring windows overlap and resemble one another.
    for held in np.array_split(np.arange(len(rows)), folds):
        train = np.setdiff1d(np.arange(len(rows)), held, assume_unique=True)
        for k, (weights, bias) in enumerate(_ridges(rows[train], targets[train], penalties)):
            errors[k] += float(((targets[held] - rows[held] @ weights.T - bias) ** 2).sum())
    best = int(np.flatnonzero(errors <= errors.min() * (1.0 + 1e-12))[-1])
    weights, bias = _ridges(rows, targets, penalties[best : best + 1])[0]
    error = errors[best] / targets.size
    return Filter(np.ascontiguousarray(weights), bias, float(penalties[best]), float(error))


def _ridges(
    rows: FloatArray, targets: FloatArray, penalties: Sequence[float]
) -> list[tuple[FloatArray, FloatArray]]:
    """Weights and bias for each penalty, from one decomposition; the bias is not penalised."""
    mean, middle = rows.mean(axis=0), targets.mean(axis=0)
    left, values, right = np.linalg.svd(rows - mean, full_matrices=False)
    shown = left.T @ (targets - middle)
    found = []
    for penalty in penalties:
        weights = (right.T @ (shown * (values / (values**2 + penalty))[:, None])).T
        found.append((weights, middle - weights @ mean))
    return found


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
