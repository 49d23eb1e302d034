"""Spatial filters that make one power greatest against another. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

import numpy as np

from workbench.errors import BadSignal
from workbench.vocabulary import FloatArray

RANK = 1e-12
"""Directions with a smaller share of the greatest variance hold no signal."""


def top_filters(signal: FloatArray, whole: FloatArray, n_filters: int) -> FloatArray:
    """Filters w that make ``wᵀ signal w / wᵀ whole w`` greatest.

    Parameters
    ----------
    signal, whole : ``(n, n)`` float64, symmetric; ``whole`` not negative. n_filters : how many, at most its rank.

    Returns
    -------
    ``(n_filters, n)`` float64: the best first, of unit length, their largest weight positive. Directions in which
    ``whole`` holds nothing (a common average, a bridge between electrodes) get no weight.

    Raises
    ------
    BadSignal
        When ``whole`` is zero or not finite.
    """
    if not np.isfinite(whole).all() or not np.isfinite(signal).all() or not np.trace(whole) > 0:
        raise BadSignal("the training windows hold no signal that could be filtered; check the channels")
    scale, axes = np.linalg.eigh(whole)
    # What holds no signal cannot be whitened, and would win with any noise.
    kept = scale > RANK * len(whole) * scale[-1]
    whiten = axes[:, kept] / np.sqrt(scale[kept])
    _, turned = np.linalg.eigh(whiten.T @ signal @ whiten)
    rows = (whiten @ turned[:, ::-1]).T[:n_filters]
    rows = rows / np.sqrt((rows**2).sum(axis=1, keepdims=True))
    largest = rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
    # The sign of a filter means nothing; fixed, two fits can be compared.
    return np.ascontiguousarray(rows * np.sign(largest)[:, None])
