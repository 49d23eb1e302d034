"""Latencies as status and record state them."""

from __future__ import annotations

import numpy as np

from workbench.vocabulary import FloatArray


def percentiles(seconds: FloatArray) -> dict[str, float | None]:
    """p50, p95, p99 and maximum in ms of ``(n,)`` float64 latencies in s; None where there are none."""
    names = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
    if not len(seconds):
        return dict.fromkeys(names)
    found = np.percentile(seconds, [50, 95, 99, 100]) * 1e3
    return {name: round(float(value), 3) for name, value in zip(names, found)}
