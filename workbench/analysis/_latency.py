"""Latency from sample to decision, as percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in ms (linear between order statistics) of ``n`` latencies.

    ``representative`` is False for a run that did not play at real time.
    """

    n: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    representative: bool = True

    def line(self, *, span: str = "acquire to emit") -> str:
        """One sentence."""
        note = "" if self.representative else "; latency not representative, the run did not play at real time"
        return (
            f"latency {span}: p50 {self.p50_ms:.1f} ms, p95 {self.p95_ms:.1f} ms, p99 {self.p99_ms:.1f} ms, "
            f"max {self.max_ms:.1f} ms (n = {self.n}{note})"
        )


def latency(seconds: Sequence[float] | FloatArray, *, speed: float = 1.0) -> Latency:
    """Percentiles of latencies given in s.

    Raises
    ------
    BadValue
        Without a value, or when one is not a number.
    """
    values = np.asarray(seconds, dtype=np.float64) * 1000.0
    if values.size == 0 or not np.isfinite(values).all():
        bad = int(values.size - np.isfinite(values).sum())
        raise BadValue(Message("rate.latencies", n=str(values.size), bad=str(bad)))
    p50, p95, p99 = (float(q) for q in np.quantile(values, (0.5, 0.95, 0.99)))
    return Latency(int(values.size), p50, p95, p99, float(values.max()), representative=speed == 1.0)
