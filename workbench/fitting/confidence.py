"""Confidence of scores: one temperature for all classes, and the threshold for a decision. Fitting only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.kernels.evidence import softmax
from workbench.vocabulary import FloatArray

LEAST_FACTOR = 1e-6
"""Least factor, for scores without information: probabilities are then nearly equal, and the best class stays."""

GRID = 256
"""Points at which densities are compared."""


def temperature(scores: FloatArray, index: NDArray[np.int64]) -> float:
    """The factor that makes the softmax of scores the likeliest, above 0.

    Parameters
    ----------
    scores : ``(n, n_classes)`` float64, held out. index : ``(n,)`` true class of each.

    Notes
    -----
    The temperature of Guo et al. 2017, Proceedings of Machine Learning Research 70, 1321–1330, with targets kept
    away from 0 and 1 as Platt's are, so that scores without an error give a finite factor. The likelihood is
    concave in the factor: Newton steps, halved where they would lower it.
    """
    n, n_classes = scores.shape
    target = np.full(scores.shape, 1.0 / (n + n_classes))
    target[np.arange(n), index] += n / (n + n_classes)
    centred = scores - scores.mean(axis=1, keepdims=True)
    scale = float(np.sqrt((centred**2).mean())) or 1.0
    # In units of their spread, so that steps and tolerance do not depend on the scale of the scores.
    centred = centred / scale
    factor = 1.0
    for _ in range(100):
        p = _shares(factor * centred)
        mean = (p * centred).sum(axis=1)
        slope = float(((target * centred).sum(axis=1) - mean).sum())
        curvature = float(((p * centred**2).sum(axis=1) - mean**2).sum())
        step = slope / max(curvature, 1e-300)
        # At most half of the factor: the likelihood is flat far from its top, and steps there are huge.
        step = min(max(step, -0.5 * abs(factor) - 0.5), 0.5 * abs(factor) + 0.5)
        factor += step
        if abs(step) < 1e-12 * max(1.0, abs(factor)):
            break
    return max(factor / scale, LEAST_FACTOR)


def confidence_threshold(scores: FloatArray, index: NDArray[np.int64], stop: float) -> FloatArray:
    """The least probability of the likeliest class from which it is right with probability ``stop``.

    Parameters
    ----------
    scores : ``(n, n_classes)`` float64, held out and calibrated. index : ``(n,)`` true class of each.
    stop : probability of being right, 0–1.

    Returns
    -------
    ``(1,)`` float64; infinite where no window is confident enough.

    Notes
    -----
    Bayes' rule on two densities of the log odds of the likeliest class, of windows that were right and of windows
    that were wrong: kernel density estimates with Gaussian windows of Silverman's width (of both together, as
    the wrong are few), and shares of right and wrong with one added to each. P(right) is made not to fall with the
    log odds by pooling, each point with its density as weight. Without a wrong window the share alone decides.
    """
    from sklearn.isotonic import IsotonicRegression

    p = _shares(scores)
    best = p.argmax(axis=1)
    rest = np.where(np.arange(p.shape[1]) == best[:, None], 0.0, p).sum(axis=1)
    odds = np.log(p.max(axis=1) / np.maximum(rest, 1e-300))
    right = best == index
    # One added to each, as no finite number of windows shows certainty.
    share = (right.sum() + 1.0) / (len(right) + 2.0)
    grid = np.linspace(odds.min(), odds.max(), GRID)
    if right.all():
        return np.array([_probability(grid[0]) if share >= stop else np.inf])
    spread = float(odds.std()) or 1.0
    of_right = share * _density(odds[right], grid, spread) if right.any() else np.zeros(GRID)
    of_wrong = (1.0 - share) * _density(odds[~right], grid, spread)
    mixture = of_right + of_wrong
    # Where neither kind has windows the ratio of the two densities is rounding.
    supported = mixture > 1e-12 * mixture.max()
    points, weight = grid[supported], mixture[supported]
    share_right = of_right[supported] / weight
    rising = IsotonicRegression().fit(points, share_right, sample_weight=weight).predict(points)
    good = np.flatnonzero(rising >= stop)
    return np.array([_probability(points[good[0]]) if len(good) else np.inf])


def _density(values: FloatArray, grid: FloatArray, spread: float) -> FloatArray:
    # Silverman's rule of thumb for Gaussian windows.
    width = 1.06 * spread * len(values) ** -0.2
    deviation = (grid[:, None] - values) / width
    density: FloatArray = np.exp(-0.5 * deviation**2).mean(axis=1) / width
    return density


def _probability(odds: float) -> float:
    return float(1.0 / (1.0 + np.exp(-odds)))


def _shares(scores: FloatArray) -> FloatArray:
    out = np.empty(scores.shape)
    for row, target in zip(np.ascontiguousarray(scores), out):
        softmax(row, target)
    return out
