"""numba, started without what no kernel uses."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

BLAS, COVERAGE = "scipy.linalg.cython_blas", "coverage"


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause garbage collection: numba allocates many permanent tables, and each collection would walk them all."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def start() -> None:
    """Import numba without ``scipy.linalg`` and ``coverage``, which take 0.3 s.

    numba looks for both when it is first imported, only to know whether there is one. BLAS it imports anyway
    when a function that needs it is compiled; the flag is restored afterwards, so that other numba code in the
    same process finds BLAS. Coverage that is measured was imported earlier and is found.
    """
    if "numba.np.arraymath" in sys.modules:
        return
    absent = [name for name in (BLAS, COVERAGE) if name not in sys.modules]
    # A module that is None in sys.modules cannot be imported, which numba takes as "none here".
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        with uncollected():
            arrays = import_module("numba.np.arraymath")
            # Its tables stay until the process ends; the collections there would take half as long as this import.
            gc.freeze()
    finally:
        for name in absent:
            del sys.modules[name]
    # A private flag of numba; a version without it has nothing to restore.
    if BLAS in absent and hasattr(arrays, "_HAVE_BLAS"):
        vars(arrays)["_HAVE_BLAS"] = "scipy" in sys.modules


start()
