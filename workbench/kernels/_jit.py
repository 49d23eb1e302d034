"""The one decorator of the kernels, typed."""

from __future__ import annotations

import gc
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import numba
import numpy as np
from numba.core.compiler_lock import global_compiler_lock
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
FlagArray = NDArray[np.uint8]

Function = TypeVar("Function", bound=Callable[..., Any])

BLAS = "scipy.linalg.cython_blas"

SOURCES: dict[int, frozenset[str]] = {}
"""By the identity of a compiled kernel, which lives as long as the process: the files it is compiled from."""

WAITING: dict[int, Callable[[], None]] = {}
"""By the identity of a kernel that is not loaded yet: what loads it."""


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: numba makes its many tables for good, and each collection walks them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


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
        with uncollected():
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
    return _decorated(function, "", inline=inline)


def kernel(signature: str) -> Callable[[Function], Function]:
    """Compile a function for one signature, strictly, with a cache on disk and without the GIL.

    One explicit signature a kernel. It is compiled (or read from the cache) when it is first called, so that a
    start loads what it uses; :func:`ready` does it before, for those who may not wait later. The cache is stale as
    soon as the content of a file changes that holds the kernel or one that it calls; numba alone would look at the
    kernel's own file only.
    """
    return lambda function: _decorated(function, signature, inline="never")


def ready() -> None:
    """Load every kernel whose file was imported, so that no later call has to wait."""
    for load in list(WAITING.values()):
        load()


def _decorated(function: Function, signature: str, *, inline: Literal["never", "always"]) -> Function:
    """What numba makes of a function; the function itself where nothing is compiled."""
    decorate: Callable[..., Any] = numba.njit(nogil=True, error_model="numpy", fastmath=False, inline=inline)
    made = decorate(function)
    if made is not function:
        SOURCES[id(made)] = sources(function)
        _postpone(made, signature)
    return cast(Function, made)


def _postpone(made: Any, signature: str) -> None:
    """Load a function when numba first asks for its machine code, with a signature for that alone.

    It asks ``_compile_for_args`` for what to call in its place when the call comes from Python, and
    ``get_call_template`` for the types when it comes from a kernel that is being compiled.
    """

    def load() -> None:
        with global_compiler_lock:
            if WAITING.pop(id(made), None) is None:
                return
            made.enable_caching()
            made._cache._cache_file._source_stamp = tuple(content(file) for file in sorted(SOURCES[id(made)]))
            if signature:
                with uncollected():
                    made.compile(signature)
                made.disable_compile()
            del made._compile_for_args, made.get_call_template

    def called(*_args: Any, **_named: Any) -> Any:
        load()
        return made

    def typed(*args: Any, **named: Any) -> Any:
        load()
        return made.get_call_template(*args, **named)

    made._compile_for_args, made.get_call_template = called, typed
    WAITING[id(made)] = load
