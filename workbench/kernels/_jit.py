"""The one decorator of the kernels, typed."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
FlagArray = NDArray[np.uint8]

Function = TypeVar("Function", bound=Callable[..., Any])

BLAS = "scipy.linalg.cython_blas"

SOURCES: dict[int, frozenset[str]] = {}
"""By the identity of a compiled kernel, which lives as long as the process: the files it is compiled from."""


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


@cache
def content(file: str) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def sources(function: Callable[..., Any]) -> frozenset[str]:
    """Files that a kernel is compiled from: its own, and those of the kernels that it calls."""
    called = (function.__globals__.get(name) for name in function.__code__.co_names)
    known = (SOURCES.get(id(kernel), frozenset()) for kernel in called)
    return frozenset({function.__code__.co_filename}).union(*known)


def part(function: Function, *, inline: Literal["never", "always"] = "never") -> Function:
    """A kernel that only other kernels call: compiled as a part of them, so that no start has to load it.

    ``inline="always"`` puts it in place of the call before the compiler sees it, where a call would cost much.
    """
    decorate: Callable[..., Any] = numba.njit(
        cache=True, nogil=True, error_model="numpy", fastmath=False, inline=inline
    )
    made = decorate(function)
    if made is not function:
        SOURCES[id(made)] = sources(function)
        made._cache._cache_file._source_stamp = tuple(content(file) for file in sorted(SOURCES[id(made)]))
    return cast(Function, made)


def kernel(signature: str) -> Callable[[Function], Function]:
    """Compile a function for one signature, strictly, with a cache on disk and without the GIL.

    One explicit signature a kernel: it is compiled (or read from the cache) when its file is imported, which
    is before any inlet opens, and never during a run. The cache is stale as soon as the content of a file
    changes that holds the kernel or one that it calls; numba alone would look at the kernel's own file only.
    """

    def apply(function: Function) -> Function:
        made: Any = part(function)
        if made is not function:
            made.compile(signature)
            made.disable_compile()
        return cast(Function, made)

    return apply
