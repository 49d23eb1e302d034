"""Which channels correlate with a decoder's evidence: patterns, not filters."""

from __future__ import annotations

import numpy as np

from workbench.errors import BadValue
from workbench.vocabulary import FloatArray


def activation_pattern(features: FloatArray, scores: FloatArray) -> FloatArray:
    """Correlation of each feature with a score, from -1 to 1.

    The weights of a decoder reflect how it cancels noise as well as where its signal is; only the pattern may be
    interpreted anatomically. For a linear decoder the pattern of a feature is its covariance with the score over
    the score's variance (Haufe et al. 2014, doi:10.1016/j.neuroimage.2013.10.067, equation 7 for one score). Here
    it is also divided by the feature's spread, as a correlation, so that channels and bands can be compared. It
    shows where the evidence correlates with the signal, for a decoder of any kind.

    Parameters
    ----------
    features : ``(n_epochs, n_features)`` float64, such as log band power.
    scores : ``(n_epochs,)`` float64, evidence of one class.

    Returns
    -------
    ``(n_features,)`` float64, 0 for a feature or a score that does not vary.

    Raises
    ------
    BadValue
        When there is not one score for each epoch.
    """
    if features.ndim != 2 or len(features) != len(scores) or not len(scores):
        raise BadValue(f"a pattern needs one score for each epoch, got {features.shape} and {scores.shape}")
    x, s = features - features.mean(axis=0), scores - scores.mean()
    spread = np.sqrt((x**2).sum(axis=0) * (s**2).sum())
    covariance: FloatArray = (x * s[:, None]).sum(axis=0)
    # A feature that does not vary, such as a flat channel, has no correlation: 0, not nan.
    pattern: FloatArray = np.divide(covariance, spread, out=np.zeros_like(covariance), where=spread > 0.0)
    return pattern
