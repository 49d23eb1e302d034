"""Latencies as status and record state them."""

from __future__ import annotations

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
    p50, p95, p99, longest = (round(float(value) * 1e3, 3) for value in np.percentile(seconds, [50, 95, 99, 100]))
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": longest}
