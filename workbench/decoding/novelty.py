"""Windows far from the training data, regardless of the decoder's answer. Strict arithmetic, kernels only.

A classifier is forced to choose: shown white noise, it names the class that happens to lie on that side. So the
power of a window, which every decoder has, is compared with that of the training windows first: the level of
each derivation and of each band, in logarithms. A decoder that keeps covariances also compares how channels go
together, since a single band has no spectrum. What the comparison needs is learned in
:mod:`workbench.fitting.novelty_limit`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.decoding.features import FLOOR
from workbench.kernels.covariance import any_unlike
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
    """

    n_bands: int
    whitening: FloatArray
    means: FloatArray
    limit: float
    rate: float
    covariances: FloatArray | None = None
    unlike: FloatArray | None = None

    def far(self, power: FloatArray, summary: FloatArray) -> bool:
        """Whether a window is far from every class, in power ``(n_lanes,)``, µV², or in what was kept of it."""
        # Negated, here and below, so that nan counts as far.
        if not nearest(levels_of(power, self.n_bands), self.whitening, self.means) <= self.limit:
            return True
        if self.covariances is None or self.unlike is None:
            return False
        return bool(any_unlike(summary, self.covariances, self.unlike))

    def share(self, before: float, *, far: bool) -> float:
        """Running share of far windows, 0–1, after one more hop."""
        return before + self.rate * ((1.0 if far else 0.0) - before)
