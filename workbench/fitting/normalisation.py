"""The normalisation of features by the windows of a calibration."""

from __future__ import annotations

from workbench.decoding.classifiers import Norm
from workbench.errors import BadSignal
from workbench.messages import Message
from workbench.vocabulary import FloatArray


def fitted_norm(features: FloatArray) -> Norm:
    """Mean and variance of ``(n_windows, n_features)`` float64 features, here the logarithm of power in µV².

    Raises
    ------
    BadSignal
        When a feature does not vary: what repeats itself teaches nothing, and cannot be divided by its spread.
    """
    norm = Norm(features.mean(axis=0), features.var(axis=0))
    if not (norm.variance > 0).all():
        raise BadSignal(Message("fit.power_constant"))
    return norm
