"""The one decorator of the kernels, typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
FlagArray = NDArray[np.uint8]

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(signature: str) -> Callable[[Function], Function]:
    """Compile a function for one signature, strictly, with a cache on disk and without the GIL.

    One explicit signature a kernel: it is compiled (or read from the cache) when its file is imported, which
    is before any inlet opens, and never during a run.
    """
    decorate = numba.njit(signature, cache=True, nogil=True, error_model="numpy", fastmath=False)

    def apply(function: Function) -> Function:
        return cast(Function, decorate(function))

    return apply
