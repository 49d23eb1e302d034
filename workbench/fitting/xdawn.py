"""xDAWN filters of evoked responses. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.decoding.evoked import Filtered
from workbench.errors import BadValue
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.spatial import top_filters
from workbench.messages import Message
from workbench.vocabulary import FloatArray


def xdawn(windows: FloatArray, members: Sequence[NDArray[np.bool_]], *, n_filters: int) -> FloatArray:
    """xDAWN filters of each of several classes.

    Parameters
    ----------
    windows : ``(n, n_times, n_lanes)`` float64, µV. members : of each class, ``(n,)``, which windows belong to it.
    n_filters : of each class; fewer where there are fewer channels.

    Returns
    -------
    ``(n_classes · n_filters, n_lanes)`` float64: those of the first class first, the best of each first.

    Raises
    ------
    BadValue
        Fewer than one filter.

    Notes
    -----
    Rivet, Souloumiac, Attina and Gibert 2009, doi:10.1109/TBME.2009.2012869: filters that make the evoked response
    greatest against everything recorded. The response is the plain average of the windows. The paper takes least
    squares on the whole recording, so that responses which overlap are separated; of separate epochs, each with
    one event, least squares is that average.
    """
    if n_filters < 1:
        raise BadValue(Message("fit.n_filters", got=n_filters))
    samples = windows.reshape(-1, windows.shape[2])
    samples = samples - samples.mean(axis=0)
    total = samples.T @ samples / len(samples)
    filters = []
    for member in members:
        # Averaging cancels what is not locked to the event; an offset is no response.
        evoked = windows[member].mean(axis=0)
        evoked = evoked - evoked.mean(axis=0)
        filters.append(top_filters(evoked.T @ evoked / len(evoked), total, n_filters))
    return np.concatenate(filters)


def xdawn_lda(
    summaries: FloatArray, y: NDArray[Any], *, classes: NDArray[Any], n_filters: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """xDAWN filters of each class, and a linear discriminant of what passes them.

    Parameters
    ----------
    summaries : ``(n, n_means, n_lanes)`` float64, µV. y : ``(n,)`` class of each. classes : sorted.
    n_filters : of each class.

    Returns
    -------
    filters : ``(n_classes · n_filters, n_lanes)`` float64.
    weights : ``(n_classes, n_means · n_filters)`` float64, mean after mean. bias : ``(n_classes,)`` float64.
    """
    filters = xdawn(summaries, [y == name for name in classes], n_filters=n_filters)
    extract = Filtered(filters)
    features = np.array([extract.features(summary) for summary in summaries])
    weights, bias, _ = shrinkage_lda(features, y)
    return filters, weights, bias
