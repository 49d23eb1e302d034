"""How far from the training data is too far, from blocks that are held out in turn. Fitting only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.decoding.novelty import apart_of, levels_of
from workbench.fitting.lda import ledoit_wolf
from workbench.kernels.covariance import unlikeness
from workbench.vocabulary import FloatArray

GAIN, BAND, LANE = 0.4, 0.2, 0.2
"""Standard deviations of log power from day to day: of a derivation, of a band, and of a lane by itself.

A gain that changes by a fifth moves log power by 0.4. Without this allowance the limit would be that of one run:
with windows of 2 s, whose power hardly varies within a run, the same person would be rejected the next day.
"""


UNLIKE = 2.5
"""How much farther than held-out windows of the run another day may be, in how channels go together."""

HALF, FURTHER = 0.5, 1.5
"""Share that may always be missing of what neighbouring channels had in common (noise lacks all of it), and how
much farther than held-out windows another day may be where these vary more."""


def learn_novelty(
    power: FloatArray,
    index: NDArray[np.int64],
    *,
    n_bands: int,
    share: float,
    fold: NDArray[np.int64] | None,
) -> dict[str, FloatArray]:
    """Whitening, means and limit of :class:`workbench.decoding.novelty.Novelty`.

    Parameters
    ----------
    power : ``(n, n_lanes)`` float64, µV², of the training windows. index : ``(n,)`` class of each.
    n_bands : bands of the lanes.
    share : of the held-out windows that may lie beyond the limit, 0–1.
    fold : ``(n,)`` fold in which each window is held out; None where nothing can be held out.

    Returns
    -------
    dict of ``novelty_whitening``, ``novelty_means``, ``novelty_limit`` ``(1,)``, float64.

    Notes
    -----
    The covariance within classes is that of Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, plus the
    allowance for changes from day to day. The limit is the larger of two: what that share of held-out windows
    exceeds, and what the same share exceeds by the chi-square distribution.
    """
    from scipy.special import chdtri

    levels = np.array([levels_of(row, n_bands) for row in power])
    allowance = day_to_day(power.shape[1], n_bands)
    limit = float(chdtri(levels.shape[1], share))
    if fold is not None:
        distances = _held_out(levels, index, fold, allowance)
        # The limit is one of the distances: between two of them more than that share would lie beyond.
        limit = max(limit, float(np.quantile(distances, 1.0 - share, method="higher")))
    white, means = _model(levels, index, allowance)
    return {"novelty_whitening": white, "novelty_means": means, "novelty_limit": np.array([limit])}


def learn_unlikeness(
    covariances: FloatArray, *, share: float, fold: NDArray[np.int64] | None
) -> dict[str, FloatArray]:
    """Mean covariances and the limits of unlikeness to them, of :class:`workbench.decoding.novelty.Novelty`.

    Parameters
    ----------
    covariances : ``(n, n_bands, n_channels, n_channels)`` float64, µV², of the training windows.
    share, fold : as for :func:`learn_novelty`; without folds the windows are compared with their own mean.

    Returns
    -------
    dict of ``novelty_covariances`` ``(n_bands, n_channels, n_channels)``, ``novelty_unlike`` ``(n_bands,)``.
    """
    differences = np.empty(covariances.shape[:2])
    for k in np.unique(fold) if fold is not None else (None,):
        test = np.full(len(covariances), fill_value=True) if k is None else fold == k
        mean = np.ascontiguousarray(covariances[test if k is None else ~test].mean(axis=0))
        for i in np.flatnonzero(test).tolist():
            differences[i] = [unlikeness(a, b) for a, b in zip(covariances[i], mean)]
    return {
        "novelty_covariances": covariances.mean(axis=0),
        "novelty_unlike": UNLIKE * np.quantile(differences, 1.0 - share, axis=0),
    }


def learn_neighbours(
    correlations: FloatArray, *, share: float, fold: NDArray[np.int64] | None
) -> dict[str, FloatArray]:
    """Weights of neighbours' correlations and how far apart they may be, of :class:`Novelty`.

    Parameters
    ----------
    correlations : ``(n, n_lanes)`` float64, each lane with the next of its band, of the training windows.
    share, fold : as for :func:`learn_novelty`; without folds the windows are compared with their own mean.

    Returns
    -------
    dict of ``novelty_neighbours`` ``(1, n_lanes)``, ``novelty_apart`` ``(1,)``; empty where there are none.
    """
    if not correlations.any():
        return {}
    apart = np.empty(len(correlations))
    for k in np.unique(fold) if fold is not None else (None,):
        test = np.full(len(correlations), fill_value=True) if k is None else fold == k
        weights = _weights(correlations[test if k is None else ~test])
        apart[test] = [apart_of(row, weights) for row in correlations[test]]
    # Where channels share little, windows vary by more than what noise lacks, and nothing is far.
    limit = max(HALF, FURTHER * float(np.quantile(apart, 1.0 - share)))
    return {"novelty_neighbours": _weights(correlations), "novelty_apart": np.array([limit])}


def _weights(correlations: FloatArray) -> FloatArray:
    """``(1, n_lanes)`` float64: the mean of correlations over its squared length."""
    mean = correlations.mean(axis=0)
    weights: FloatArray = mean[None] / (mean @ mean)
    return weights


def day_to_day(n_lanes: int, n_bands: int) -> FloatArray:
    """``(n_levels, n_levels)`` float64: covariance of levels that another day may bring."""
    n = n_lanes // n_bands
    lane = np.arange(n_lanes)
    derivation, band = lane % n, lane // n
    lanes = GAIN**2 * (derivation[:, None] == derivation) + BAND**2 * (band[:, None] == band)
    lanes = lanes + LANE**2 * np.eye(n_lanes)
    # Levels are means of lanes, so their covariance follows from that of the lanes by this matrix.
    means = (derivation == np.arange(n)[:, None]) / n_bands
    if n_bands > 1:
        means = np.concatenate([means, (band == np.arange(n_bands)[:, None]) / n])
    levels: FloatArray = means @ lanes @ means.T
    return levels


def _model(levels: FloatArray, index: NDArray[np.int64], allowance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lower triangular whitening of the spread within classes, and whitened means."""
    means = np.array([levels[index == k].mean(axis=0) for k in np.unique(index)])
    residuals = np.concatenate([levels[index == k] - means[i] for i, k in enumerate(np.unique(index))])
    pooled, _ = ledoit_wolf(residuals)
    white = np.ascontiguousarray(np.linalg.inv(np.linalg.cholesky(pooled + allowance)))
    return white, np.ascontiguousarray(means @ white.T)


def _held_out(
    levels: FloatArray, index: NDArray[np.int64], fold: NDArray[np.int64], allowance: FloatArray
) -> FloatArray:
    """``(n,)`` float64: squared distance of each window to the nearest class of the windows of other folds."""
    distances = np.empty(len(levels))
    for k in np.unique(fold):
        test = fold == k
        white, means = _model(levels[~test], index[~test], allowance)
        differences = (levels[test] @ white.T)[:, None] - means
        distances[test] = (differences**2).sum(axis=2).min(axis=1)
    return distances
