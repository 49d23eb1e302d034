"""Endpoints and estimands → results. Every result has ``line()``, one sentence with n and interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.analysis._accuracy import Accuracy, Confusion, accuracy, confusion, confusion_by_run
from workbench.analysis._change import Change, change, condition_words
from workbench.analysis._events import EventMetrics, Spread, event_metrics, f1_of, spread
from workbench.analysis._exact import (
    Interval,
    binomial_tail,
    chance_limit,
    chance_tail,
    clopper_pearson,
    poisson_interval,
    wilson,
)
from workbench.analysis._latency import Latency, latency
from workbench.errors import UnknownName

__all__ = [
    "ENDPOINTS",
    "Accuracy",
    "Change",
    "Confusion",
    "EventMetrics",
    "Interval",
    "Latency",
    "Spread",
    "accuracy",
    "binomial_tail",
    "chance_limit",
    "chance_tail",
    "change",
    "clopper_pearson",
    "condition_words",
    "confusion",
    "confusion_by_run",
    "estimate",
    "event_metrics",
    "f1_of",
    "latency",
    "poisson_interval",
    "spread",
    "wilson",
]

ENDPOINTS: dict[str, Callable[..., Accuracy | EventMetrics | Latency | Change]] = {
    "accuracy": accuracy,
    "event_metrics": event_metrics,
    "latency": latency,
    "change": change,
}
"""What :func:`estimate` can be asked for, by name."""


def estimate(endpoint: str, *data: Any, **definition: Any) -> Accuracy | EventMetrics | Latency | Change:
    """Estimate what the protocol asked.

    Parameters
    ----------
    endpoint : a name of :data:`ENDPOINTS`.
    data, definition : as that function takes them, for example
        ``estimate("event_metrics", trials, onset_window_s=1.5, fs=250.0)``.

    Raises
    ------
    UnknownName
        For another endpoint; the text lists those there are.
    """
    if endpoint not in ENDPOINTS:
        raise UnknownName(f"no endpoint {endpoint!r}; available: {', '.join(ENDPOINTS)}")
    return ENDPOINTS[endpoint](*data, **definition)
