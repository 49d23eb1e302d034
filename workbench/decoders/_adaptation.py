"""What an update rule needs of the fit. Fitting only; the updates themselves are in :mod:`._adapt`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._adapt import LEAST_STEP, Adapter, PooledMean, Recentring, Supervised
from workbench.decoders._classifiers import Linear
from workbench.decoders._lda import ledoit_wolf
from workbench.decoders._reducers import Covariances
from workbench.decoders._riemann import inverse_sqrt, riemannian_mean
from workbench.errors import BadValue
from workbench.vocabulary import FloatArray

if TYPE_CHECKING:
    from workbench.decoders._base import WindowDecoder
    from workbench.decoders._scorer import Scorer

BOUNDS = {"recentre": 2.0, "pmean": 3.0, "supervised": 3.0}
"""Bound of each rule where none is given."""
RULES = tuple(BOUNDS)
MEANS = ("riemann", "euclid")


@dataclass(frozen=True)
class AdaptSettings:
    """How a decoder changes while it decides.

    Parameters
    ----------
    rule : ``"recentre"`` (covariances are seen from their running mean), ``"pmean"`` (the pooled mean of a linear
        discriminant follows the features) or ``"supervised"`` (class means and covariance follow labels).
    mean : of covariances, ``"riemann"`` or ``"euclid"``. least : least share of a new window in the mean.
    rate : share of a new window in means of features; 0.05 for pmean, 0.03 for supervised by default.
    longest_rest_s : rules without labels pause after so much rest, s, as they take the classes for balanced.
    bound : distance from the fit at which it goes back to the fit: root mean square of log eigenvalues (2.0 by
        default), or of a shift in standard deviations within the classes (3.0 by default).
    """

    rule: str
    mean: str = "riemann"
    least: float = LEAST_STEP
    rate: float | None = None
    longest_rest_s: float = 10.0
    bound: float | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> AdaptSettings:
        """Settings from a mapping."""
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(given) - set(known))
        if unknown or "rule" not in given:
            raise BadValue(
                f"adapt needs a rule ({', '.join(RULES)}) and knows {', '.join(known)}; got {', '.join(given)}"
            )
        return cls(**given)

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise BadValue(f"the rule must be one of {', '.join(RULES)}, got {self.rule!r}")
        if self.mean not in MEANS:
            raise BadValue(f"mean must be one of {', '.join(MEANS)}, got {self.mean!r}")
        if not 0 < self.least <= 1:
            raise BadValue(f"least must lie above 0 and at most at 1, got {self.least}")
        if self.rate is not None and not 0 < self.rate < 1:
            raise BadValue(f"rate must lie between 0 and 1, got {self.rate}")
        if not 0 < self.longest_rest_s < inf or (self.bound is not None and not 0 < self.bound < inf):
            raise BadValue(
                f"longest_rest_s and bound must be above 0 and finite, got {self.longest_rest_s} and {self.bound}"
            )

    @property
    def limit(self) -> float:
        """The bound in force: the one given, else that of the rule."""
        return BOUNDS[self.rule] if self.bound is None else float(self.bound)


def reference_of(decoder: WindowDecoder, summaries: FloatArray) -> FloatArray:
    """``(n_bands, n, n)`` float64, µV²: mean covariance of the windows of a fit, for recentring.

    Raises
    ------
    BadValue
        When the decoder keeps no covariances.
    """
    if not isinstance(decoder.reducer(), Covariances):
        raise BadValue(f"{decoder.name} keeps no covariances to recentre; use the rule pmean or supervised")
    settings = decoder.adapt_settings
    if settings is not None and settings.mean == "euclid":
        mean: FloatArray = summaries.mean(axis=0)
        return mean
    return np.stack([riemannian_mean(summaries[:, band]) for band in range(summaries.shape[1])])


def whiteners(reference: FloatArray) -> FloatArray:
    """``(n_bands, n, n)`` float64: R^(-1/2) of each band."""
    return np.stack([inverse_sqrt(one) for one in reference])


def learn_adaptation(decoder: WindowDecoder, summaries: FloatArray, y: NDArray[Any]) -> dict[str, FloatArray]:
    """What rules on features start from: class means, their mean, spread, and the inverse covariance.

    Parameters
    ----------
    decoder : fitted. summaries : ``(n, …)`` float64. y : ``(n,)`` classes.

    Raises
    ------
    BadValue
        When the decoder's classifier is not linear.
    """
    scorer = decoder.scorer()
    if not isinstance(scorer.classifier, Linear):
        raise BadValue(f"{decoder.name} has no linear discriminant to adapt; use the rule recentre")
    index = np.searchsorted(decoder.classes_, y)
    taken = np.array([scorer.classifier.normalised(scorer.features(one)) for one in summaries])
    means = np.array([taken[index == k].mean(axis=0) for k in range(len(decoder.classes_))])
    pooled, _ = ledoit_wolf(taken - means[index])
    out = {"mean": means.mean(axis=0), "spread": np.sqrt(np.diag(pooled))}
    if decoder.adapt_settings is not None and decoder.adapt_settings.rule == "supervised":
        precision = np.linalg.inv(pooled)
        out |= {"means": means, "precision": 0.5 * (precision + precision.T)}
    return out


def adapter_of(decoder: WindowDecoder, scorer: Scorer) -> Adapter | None:
    """A fresh adapter for a stream, None where the decoder stays as it was fitted."""
    settings = decoder.adapt_settings
    if settings is None:
        return None
    shared: dict[str, Any] = {
        "head": getattr(decoder, "sha256_", ""),
        "every": decoder.settings.n_window(decoder.fs),
        "longest_rest": round(settings.longest_rest_s * decoder.fs),
        "bound": settings.limit,
    }
    if settings.rule == "recentre":
        return Recentring(
            scorer,
            decoder.adaptation_["reference"],
            least=settings.least,
            euclidean=settings.mean == "euclid",
            **shared,
        )
    fitted = {**decoder.adaptation_, "log_prior": decoder.log_prior_}
    if settings.rule == "pmean":
        return PooledMean(scorer, fitted, rate=settings.rate or 0.05, **shared)
    return Supervised(scorer, fitted, rate=settings.rate or 0.03, **shared)
