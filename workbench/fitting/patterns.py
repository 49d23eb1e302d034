"""Activation patterns of linear models: which source a filter extracts, as opposed to how it weighs channels.

A filter must also cancel what disturbs it, so its weights may be large where there is no signal of interest; only
the pattern can be drawn on a head. Haufe et al. 2014, doi:10.1016/j.neuroimage.2013.10.067.
"""

from __future__ import annotations

import numpy as np

from workbench.vocabulary import FloatArray


def patterns_of_filters(filters: FloatArray, covariance: FloatArray) -> FloatArray:
    """Patterns of spatial filters.

    Parameters
    ----------
    filters : ``(n_filters, n_lanes)`` float64. covariance : ``(n_lanes, n_lanes)`` float64, µV², of the windows.

    Returns
    -------
    ``(n_filters, n_lanes)`` float64, Σ Wᵀ (W Σ Wᵀ)⁻¹ by rows: µV in each lane for a unit of each filter's output.
    """
    shared = filters @ covariance
    # The pseudo-inverse, since several classes may share a filter.
    patterns: FloatArray = np.linalg.pinv(shared @ filters.T, hermitian=True) @ shared
    return patterns


def patterns_of_scores(weights: FloatArray, features: FloatArray) -> FloatArray:
    """Patterns of the scores of a linear discriminant.

    Parameters
    ----------
    weights : ``(n_classes, n_features)`` float64. features : ``(n, n_features)`` float64, of the training windows.

    Returns
    -------
    ``(n_classes, n_features)`` float64: change of each feature for a unit of each class's score.
    """
    # Softmax ignores what all scores share, so that part of the weights is arbitrary and is left out.
    contrast = weights - weights.mean(axis=0)
    centred = features - features.mean(axis=0)
    scores = centred @ contrast.T
    # The scores of k classes have rank k - 1: an inverse does not exist, the pseudo-inverse is what is wanted.
    patterns: FloatArray = np.linalg.pinv(scores.T @ scores, hermitian=True) @ (scores.T @ centred)
    return patterns


def mean_covariance(windows: FloatArray) -> FloatArray:
    """``(n_lanes, n_lanes)`` float64, µV²: of every sample of windows ``(n, n_times, n_lanes)`` together."""
    samples = windows.reshape(-1, windows.shape[2])
    centred = samples - samples.mean(axis=0)
    covariance: FloatArray = centred.T @ centred / len(centred)
    return covariance
