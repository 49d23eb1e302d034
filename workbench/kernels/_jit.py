"""The one decorator of the kernels, typed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
FlagArray = NDArray[np.uint8]

Function = TypeVar("Function", bound=Callable[..., Any])

BLAS = "scipy.linalg.cython_blas"


def start_without_blas() -> None:
    """Let numba start without importing ``scipy.linalg``, which takes 0.2 s and which no kernel uses.

    numba looks for it when its array functions are first imported, only to know whether there is one; it
    imports it anyway when a function that needs it is compiled. What it noted is set back, so numba code of
    others in the same process finds it.
    """
    if BLAS in sys.modules or "numba.np.arraymath" in sys.modules:
        return
    sys.modules[BLAS] = None  # type: ignore[assignment]
    try:
        arrays = import_module("numba.np.arraymath")
    finally:
        del sys.modules[BLAS]
    if hasattr(arrays, "_HAVE_BLAS"):
        vars(arrays)["_HAVE_BLAS"] = "scipy" in sys.modules


start_without_blas()


def kernel(signature: str) -> Callable[[Function], Function]:
    """Compile a function for one signature, strictly, with a cache on disk and without the GIL.

    One explicit signature a kernel: it is compiled (or read from the cache) when its file is imported, which
    is before any inlet opens, and never during a run.
    """
    decorate = numba.njit(signature, cache=True, nogil=True, error_model="numpy", fastmath=False)

    def apply(function: Function) -> Function:
        return cast(Function, decorate(function))

    return apply
