"""From a window to scores: reducer → recentring → features → classifier → calibration. Strict arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from workbench.decoding.classifiers import Classifier
from workbench.decoding.reducers import Reducer
from workbench.kernels.linalg import congruence
from workbench.kernels.scores import log_odds, log_shares, mapped
from workbench.vocabulary import FloatArray


class Features(Protocol):
    """From what is kept of a window to features."""

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_features,)`` float64."""


@dataclass(frozen=True)
class Calibration:
    """Maps of log odds that were learned from held-out windows, one per class.

    Attributes
    ----------
    x, y : ``(n_classes, n_knots)`` float64. slope : ``(n_classes,)`` float64, beyond the knots.
    """

    x: FloatArray
    y: FloatArray
    slope: FloatArray

    def scores(self, scores: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: calibrated scores; softmax makes probabilities of them.

        Two classes share the map of the second. More are mapped each against the rest and normalised, as in
        Zadrozny and Elkan 2002, doi:10.1145/775047.775151.
        """
        odds, out = np.empty_like(scores), np.empty_like(scores)
        log_odds(scores, odds)
        mapped(odds, self.x, self.y, self.slope, out)
        if len(scores) == 2:
            return np.array([0.0, out[1]])
        # Maps of single classes do not add up to one probability; shares do.
        log_shares(out, odds)
        return odds


@dataclass(frozen=True)
class Temperature:
    """One factor for the scores of all classes, learned from held-out windows; it never changes the best class.

    Attributes
    ----------
    factor : above 0; the inverse of the temperature.
    """

    factor: float

    def scores(self, scores: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: calibrated scores; softmax makes probabilities of them."""
        return scores * self.factor


@dataclass(frozen=True)
class Scorer:
    """Everything between a filtered window and the score of each class.

    Attributes
    ----------
    reducer, extract, classifier : the decoder's.
    calibration : None for scores as they are.
    recentring : ``(n_bands, n, n)`` float64, R^(-1/2) of each band: covariances C become R^(-1/2) C R^(-1/2)
        before anything else is made of them; None leaves them.
    """

    reducer: Reducer
    extract: Features
    classifier: Classifier
    calibration: Calibration | Temperature | None = None
    recentring: FloatArray | None = None

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_features,)`` float64, not normalised."""
        return self.extract.features(recentred(summary, self.recentring))

    def scores(self, features: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: log posterior up to a constant."""
        scores = self.classifier.scores(features)
        return scores if self.calibration is None else self.calibration.scores(scores)


def recentred(summary: FloatArray, recentring: FloatArray | None) -> FloatArray:
    """Covariances ``(n_bands, n, n)`` float64, µV², seen from their reference; as they are without one."""
    if recentring is None:
        return summary
    out = np.empty_like(summary)
    for band in range(len(summary)):
        congruence(recentring[band], summary[band], out[band])
    return out
