"""The decorators of the kernels, typed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import numba
import numpy as np
from numba.core.compiler_lock import global_compiler_lock
from numpy.typing import NDArray

from workbench.kernels._numba_start import uncollected

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
FlagArray = NDArray[np.uint8]

Function = TypeVar("Function", bound=Callable[..., Any])

SOURCES: dict[int, frozenset[str]] = {}
"""By the identity of a compiled kernel, which lives as long as the process: the files it is compiled from."""

WAITING: dict[int, Callable[[], None]] = {}
"""By the identity of a kernel that is not loaded yet: what loads it."""

ON_DISK: dict[int, Callable[[], bool]] = {}
"""By the identity of a kernel: what says whether the cache holds it, so that to load it takes milliseconds."""


@cache
def content(file: str) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def sources(function: Callable[..., Any]) -> frozenset[str]:
    """Files that a kernel is compiled from: its own, and those of the kernels that it calls."""
    # co_names lists the globals that the code refers to; kernels among them bring their own sources.
    called = (function.__globals__.get(name) for name in function.__code__.co_names)
    files = (SOURCES.get(id(kernel), frozenset()) for kernel in called)
    return frozenset({function.__code__.co_filename}).union(*files)


def part(function: Function, *, inline: Literal["never", "always"] = "never") -> Function:
    """A kernel that only other kernels call: compiled as a part of them, so that no start has to load it.

    ``inline="always"`` puts it in place of the call before the compiler sees it, where a call would cost much.
    """
    return _decorated(function, "", inline=inline)


def kernel(signature: str) -> Callable[[Function], Function]:
    """Compile a function for one signature, strictly, with a cache on disk and without the GIL.

    One explicit signature per kernel. It is compiled (or read from the cache) at its first call, so that a
    process loads only what it uses; :func:`ready` does so in advance, for callers that cannot wait later. The
    cache is stale as soon as the file of the kernel, or of a kernel that it calls, changes; numba alone would
    look at the kernel's own file only.
    """
    return lambda function: _decorated(function, signature, inline="never")


def ready() -> None:
    """Load every kernel whose file was imported, so that no later call has to wait."""
    for load in list(WAITING.values()):
        load()


def compile_missing(told: Callable[[int], None] = lambda left: None) -> None:
    """Compile every kernel whose file was imported and that the cache does not hold, so that no load takes long.

    Those that it holds are left to their first call, or to :func:`ready`: nobody needs to load what is never used.
    ``told`` is called with the number of those that are left, before the first one, after each one, and so at 0.
    """
    missing = [load for kernel, load in list(WAITING.items()) if not ON_DISK[kernel]()]
    for i, load in enumerate(missing):
        told(len(missing) - i)
        load()
    told(0)


def _decorated(function: Function, signature: str, *, inline: Literal["never", "always"]) -> Function:
    """The compiled function, or the function itself where the compiler is disabled."""
    # A wrapper for callers in C would be compiled too, and has none. numba's types do not know the option.
    without: dict[str, Any] = {"no_cfunc_wrapper": True}
    decorate: Callable[..., Any] = numba.njit(
        nogil=True, error_model="numpy", fastmath=False, inline=inline, **without
    )
    compiled = decorate(function)
    if compiled is not function:
        SOURCES[id(compiled)] = sources(function)
        _postpone(compiled, signature)
    return cast(Function, compiled)


def _postpone(dispatcher: Any, signature: str) -> None:
    """Load a function when numba first asks for its machine code, with a signature for that alone.

    It asks ``_compile_for_args`` for what to call in its place when the call comes from Python, and
    ``get_call_template`` for the types when it comes from a kernel that is being compiled.
    """

    def cache() -> Any:
        dispatcher.enable_caching()
        # numba compares this stamp with its cache's; by itself it would take the time and size of one file.
        dispatcher._cache._cache_file._source_stamp = tuple(
            content(file) for file in sorted(SOURCES[id(dispatcher)])
        )
        return dispatcher._cache

    def on_disk() -> bool:
        # Without a signature it is a part of other kernels, which are cached with it.
        if not signature:
            return True
        with global_compiler_lock:
            kept = cache()
            return kept._index_key(signature, dispatcher.targetctx.codegen()) in kept._cache_file._load_index()

    def load() -> None:
        # Two threads may make the first call at once: the second one waits here and finds the work done.
        with global_compiler_lock:
            if WAITING.pop(id(dispatcher), None) is None:
                return
            cache()
            if signature:
                with uncollected():
                    dispatcher.compile(signature)
                # Arguments of another type or layout must raise, not compile a second version with other bits.
                dispatcher.disable_compile()
            # They shadow the methods of the class: without them, calls go straight to the machine code.
            del dispatcher._compile_for_args, dispatcher.get_call_template

    def called(*_args: Any, **_named: Any) -> Any:
        load()
        return dispatcher

    def typed(*args: Any, **named: Any) -> Any:
        load()
        return dispatcher.get_call_template(*args, **named)

    dispatcher._compile_for_args, dispatcher.get_call_template = called, typed
    WAITING[id(dispatcher)], ON_DISK[id(dispatcher)] = load, on_disk
