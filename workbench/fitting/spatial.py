"""Spatial filters that make one power greatest against another. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

import numpy as np

from workbench.errors import BadSignal
from workbench.messages import Message
from workbench.vocabulary import FloatArray

RANK = 1e-12
"""Directions with a smaller share of the greatest variance have no signal."""


def top_filters(signal: FloatArray, total: FloatArray, n_filters: int) -> FloatArray:
    """Filters w that make ``wᵀ signal w / wᵀ total w`` greatest.

    Parameters
    ----------
    signal, total : ``(n, n)`` float64, symmetric; ``total`` positive semidefinite.
    n_filters : how many, at most the rank of ``total``.

    Returns
    -------
    ``(n_filters, n)`` float64: the best first, of unit length, their largest weight positive. Directions in which
    ``total`` has no power (a common average, a bridge between electrodes) get no weight.

    Raises
    ------
    BadSignal
        When ``total`` is zero or not finite.
    """
    if not np.isfinite(total).all() or not np.isfinite(signal).all() or not np.trace(total) > 0:
        raise BadSignal(Message("fit.no_signal"))
    scale, axes = np.linalg.eigh(total)
    # A direction without power cannot be whitened: any noise in it would win.
    powered = scale > RANK * len(total) * scale[-1]
    whiten = axes[:, powered] / np.sqrt(scale[powered])
    _, rotation = np.linalg.eigh(whiten.T @ signal @ whiten)
    # eigh sorts ascending; the filters that separate best come first.
    rows = (whiten @ rotation[:, ::-1]).T[:n_filters]
    rows = rows / np.sqrt((rows**2).sum(axis=1, keepdims=True))
    largest = rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
    # The sign of a filter is arbitrary; fixed, two fits can be compared.
    return np.ascontiguousarray(rows * np.sign(largest)[:, None])
