"""Windows far from the training data, regardless of the decoder's answer. Strict arithmetic, kernels only.

A classifier is forced to choose: shown white noise, it names the class that happens to lie on that side. So the
power of a window, which every decoder has, is compared with that of the training windows first: the level of
each derivation and of each band, in logarithms. Noise may have any power, so how channels go together is compared
too: covariances where a decoder keeps them, else the correlations of channels that stand next to each other in the
montage. What the comparison needs is learned in :mod:`workbench.fitting.novelty_limit`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.decoding.features import FLOOR
from workbench.kernels.covariance import any_unlike
from workbench.kernels.evidence import linear
from workbench.kernels.scores import levels, nearest
from workbench.vocabulary import FloatArray

MEMORY_S = 1.0
"""Time constant of the running share of windows that were far, s."""

DOUBTFUL = 0.25
"""Share of far windows above which those between them are rejected too: they are of the same signal."""


def levels_of(power: FloatArray, n_bands: int) -> FloatArray:
    """Mean log power of each derivation and, where there are several, of each band.

    Parameters
    ----------
    power : ``(n_bands · n,)`` float64, µV², of each lane, band after band. n_bands : bands of the lanes.

    Returns
    -------
    ``(n + n_bands,)`` float64, log µV²; ``(n,)`` with one band.
    """
    out = np.empty(len(power) // n_bands + (n_bands if n_bands > 1 else 0))
    levels(np.ascontiguousarray(power), n_bands, FLOOR, out)
    return out


def apart_of(correlations: FloatArray, neighbours: FloatArray) -> float:
    """How much is missing of what neighbouring channels shared in training: 0 nothing, 1 all of it.

    Parameters
    ----------
    correlations : ``(n_lanes,)`` float64, each lane with the next of its band.
    neighbours : ``(1, n_lanes)`` float64, as of :class:`Novelty`.
    """
    shared = np.empty(1)
    linear(correlations, neighbours, np.zeros(1), shared)
    return 1.0 - float(shared[0])


@dataclass(frozen=True)
class Novelty:
    """The training data as seen from a new window.

    Attributes
    ----------
    n_bands : bands of the lanes.
    whitening : ``(n_levels, n_levels)`` float64, lower triangular. means : ``(n_classes, n_levels)`` float64,
        whitened. limit : greatest squared Mahalanobis distance to the nearest class.
    rate : hop / :data:`MEMORY_S`.
    covariances : ``(n_bands, n, n)`` float64, µV², mean of the training windows. unlike : ``(n_bands,)`` float64,
        greatest unlikeness to them. None where the decoder keeps no covariances.
    neighbours : ``(1, n_lanes)`` float64, weights of the correlations with the next derivation, whose weighted sum
        is 1 for the mean of the training windows. apart : ``(1,)`` float64, how far below 1 that sum may lie. None
        where the decoder keeps no such correlations, or the training windows had none.
    """

    n_bands: int
    whitening: FloatArray
    means: FloatArray
    limit: float
    rate: float
    covariances: FloatArray | None = None
    unlike: FloatArray | None = None
    neighbours: FloatArray | None = None
    apart: FloatArray | None = None

    def far(self, power: FloatArray, summary: FloatArray) -> bool:
        """Whether a window is far from every class, in power ``(n_lanes,)``, µV², or in what was kept of it."""
        # Negated, here and below, so that nan counts as far.
        if not nearest(levels_of(power, self.n_bands), self.whitening, self.means) <= self.limit:
            return True
        if self.covariances is not None and self.unlike is not None:
            return bool(any_unlike(summary, self.covariances, self.unlike))
        if self.neighbours is not None and self.apart is not None:
            return not apart_of(summary[len(power) :], self.neighbours) <= self.apart[0]
        return False

    def share(self, before: float, *, far: bool) -> float:
        """Running share of far windows, 0–1, after one more hop."""
        return before + self.rate * ((1.0 if far else 0.0) - before)
