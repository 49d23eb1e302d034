"""Latencies as status and record state them."""

from __future__ import annotations

import math
from typing import TypedDict

import numpy as np

from workbench.vocabulary import FloatArray


class Percentiles(TypedDict):
    """Latencies in ms; None where there are none."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None


def percentiles(seconds: FloatArray) -> Percentiles:
    """p50, p95, p99 and maximum in ms of ``(n,)`` float64 latencies in s; None where there are none."""
    if not len(seconds):
        return {"p50_ms": None, "p95_ms": None, "p99_ms": None, "max_ms": None}
    ordered = np.sort(seconds)
    if math.isnan(ordered[-1]):
        ordered[:] = math.nan  # one that is no number says nothing about any of them
    p50, p95, p99, longest = (round(_quantile(ordered, q) * 1e3, 3) for q in (0.5, 0.95, 0.99, 1.0))
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": longest}


def _quantile(ordered: FloatArray, q: float) -> float:
    """As :func:`numpy.quantile` to the bit, without all that it asks: a status is made ten times a second.

    Parameters
    ----------
    ordered : ``(n,)`` float64, from the smallest; at least one.
    q : 0 to 1.
    """
    place = q * (len(ordered) - 1)
    below = int(place)
    share = place - below
    lower, upper = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    # From the nearer end, as NumPy does it.
    return lower + (upper - lower) * share if share < 0.5 else upper - (upper - lower) * (1.0 - share)
