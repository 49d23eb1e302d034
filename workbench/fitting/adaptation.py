"""What an update rule needs from the fit. Fitting only; updates are in :mod:`workbench.decoding.adapt`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.decoding.adapt import Adapter, PooledMean, Recentring, Supervised
from workbench.decoding.blocks import Blocks
from workbench.decoding.classifiers import Linear
from workbench.decoding.reducers import Covariances
from workbench.decoding.scorer import Scorer
from workbench.errors import BadValue
from workbench.fitting.lda import ledoit_wolf
from workbench.fitting.learnable import Learnable
from workbench.fitting.riemann import inverse_sqrt, of_eigenvalues, riemannian_mean
from workbench.messages import Message
from workbench.vocabulary import FloatArray


def reference_of(decoder: Learnable, summaries: FloatArray, y: NDArray[Any]) -> FloatArray:
    """``(n_bands, n, n)`` float64, µV²: mean covariance of the windows of a fit, for recentring.

    Parameters
    ----------
    decoder : says how it adapts. summaries : ``(n, …)`` float64. y : ``(n,)`` classes.

    Raises
    ------
    BadValue
        When the decoder keeps no covariances.
    """
    if not isinstance(decoder.reducer(), Covariances):
        raise BadValue(Message("fit.recentre_needs_covariances", decoder=decoder.name))
    settings = decoder.adapt_settings
    if settings is not None and settings.balanced:
        summaries = summaries[_balanced(y)]
    if settings is not None and settings.mean == "euclid":
        mean: FloatArray = summaries.mean(axis=0)
        return mean
    return np.stack([riemannian_mean(summaries[:, band]) for band in range(summaries.shape[1])])


def _balanced(y: NDArray[Any]) -> NDArray[np.int64]:
    """``(n_classes · n_fewest,)`` int64, rising: as many windows of each class, evenly spaced among its own."""
    owned = [np.flatnonzero(y == name) for name in np.unique(y)]
    fewest = min(map(len, owned))
    # As the stream will see the classes: a reference that leans to one of them would move without a change.
    return np.sort(np.concatenate([own[np.arange(fewest) * len(own) // fewest] for own in owned]))


def whiteners(reference: FloatArray) -> FloatArray:
    """``(n_bands, n, n)`` float64: R^(-1/2) of each band."""
    return np.stack([inverse_sqrt(matrix) for matrix in reference])


def aligned(decoder: Learnable, summaries: FloatArray, y: NDArray[Any], runs: NDArray[Any]) -> FloatArray:
    """Summaries with the mean covariance of each run moved to that of all runs, as recentring moves it online.

    What differs from run to run (electrodes, the day) then widens no class. One run stays as it is.

    Parameters
    ----------
    decoder : that recentres. summaries : ``(n, n_bands, k, k)`` float64, µV². y : ``(n,)`` classes.
    runs : ``(n,)`` run of each.
    """
    names = np.unique(runs)
    if len(names) < 2:
        return summaries
    root = np.stack([of_eigenvalues(matrix, np.sqrt) for matrix in reference_of(decoder, summaries, y)])
    moved = np.empty_like(summaries)
    for name in names:
        own = runs == name
        way = root @ whiteners(reference_of(decoder, summaries[own], y[own]))
        there = way @ summaries[own] @ way.swapaxes(1, 2)
        # Symmetric but for rounding, and exactly so afterwards.
        moved[own] = 0.5 * (there + there.swapaxes(2, 3))
    return moved


def learn_adaptation(decoder: Learnable, summaries: FloatArray, y: NDArray[Any]) -> dict[str, FloatArray]:
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
        raise BadValue(Message("fit.adapts_discriminant", decoder=decoder.name))
    index = np.searchsorted(decoder.classes_, y)
    features = np.array([scorer.classifier.normalised(scorer.features(summary)) for summary in summaries])
    means = np.array([features[index == k].mean(axis=0) for k in range(len(decoder.classes_))])
    # Shrunk, so that the spread by which a shift is judged exists even for few windows.
    pooled, _ = ledoit_wolf(features - means[index])
    out = {"mean": means.mean(axis=0), "spread": np.sqrt(np.diag(pooled))}
    if decoder.adapt_settings is not None and decoder.adapt_settings.rule == "supervised":
        # The rule updates the inverse itself, which stays symmetric only if it begins so.
        precision = np.linalg.inv(pooled)
        out |= {"means": means, "precision": 0.5 * (precision + precision.T)}
    return out


def adapter_of(decoder: Learnable, scorer: Scorer) -> Adapter | None:
    """A fresh adapter for a stream, None where the decoder stays as it was fitted."""
    settings = decoder.adapt_settings
    if settings is None:
        return None
    shared: dict[str, Any] = {
        "head": getattr(decoder, "sha256_", ""),
        "every": decoder.settings.n_window(decoder.fs),
        "longest_rest": round(settings.longest_rest_s * decoder.fs),
        "bound": settings.limit,
        # Not from the settings: a decoder that was fitted before there were rounds adapts as it did.
        "classes": len(decoder.classes_) if "balanced" in decoder.adaptation_ else 0,
    }
    if settings.rule == "recentre":
        return Recentring(
            scorer,
            decoder.adaptation_["reference"],
            least=settings.least,
            euclidean=settings.mean == "euclid",
            **shared,
        )
    if settings.rule == "blocks":
        block, delay = round(settings.block_s * decoder.fs), round(settings.delay_s * decoder.fs)
        return Blocks(scorer, decoder.lesson(), block=max(1, block), delay=max(1, delay), **shared)
    fitted = {**decoder.adaptation_, "log_prior": decoder.log_prior_}
    if settings.rule == "pmean":
        return PooledMean(scorer, fitted, rate=settings.rate or 0.05, **shared)
    return Supervised(scorer, fitted, rate=settings.rate or 0.03, **shared)
