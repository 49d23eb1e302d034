"""Work on many epochs, shared among the processors: for fits only, a decision runs on one thread.

Kernels run without the interpreter's lock, so threads are enough and nothing is copied. Every epoch is processed
separately and the results are in the order of the epochs, so no bit depends on the number of processors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from workbench.vocabulary import FloatArray

Result = TypeVar("Result")

FEWEST = 16
"""Least number of epochs per thread: fewer are done sooner than a thread is started."""


def processors() -> int:
    """Number of processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def by_stretches(work: Callable[[FloatArray], Result], items: FloatArray, *, n: int = 0) -> list[Result]:
    """What ``work`` makes of each stretch of neighbours, in their order; all stretches at the same time.

    Parameters
    ----------
    work : called with some of ``items``: the first stretch on this thread, each other one on a thread of its own.
    items : ``(n_items, …)`` float64, at least one.
    n : stretches, at most one an item; 0 for one a processor with at least 16 items each.
    """
    n = min(len(items), n) if n else min(processors(), len(items) // FEWEST)
    if n <= 1:
        return [work(items)]
    edges = [k * len(items) // n for k in range(n + 1)]
    with ThreadPoolExecutor(n - 1) as pool:
        others = [pool.submit(work, items[edges[k] : edges[k + 1]]) for k in range(1, n)]
        # The first on this thread: it has a processor already, and would only wait.
        return [work(items[: edges[1]]), *(other.result() for other in others)]
