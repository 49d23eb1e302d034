"""Kernels: arrays in, arrays out, compiled by numba. They know nothing of this package.

Strict arithmetic: float64, sequential loops, no ``fastmath``, no parallel reduction, no BLAS, no function
of the C library but the square root; logarithm and exponential are our own. The same input gives the same
bits on every processor. Samples are ``(n_times, n_channels)`` as they arrive; the inner loop runs over
channels (or lanes, or filters), so that it vectorises without changing the order of any sum.

A kernel may call kernels of other files, whose changes its cache notices (``_jit``), but takes constants from
its own file only. Statuses: 0 is success; the output of any other is ``nan`` (``linalg`` lists them).
"""

from __future__ import annotations

# First of all that imports numba.
from workbench.kernels import _numba_start as _numba_start
from workbench.kernels._jit import compile_missing, ready

__all__ = ["compile_missing", "ready"]
