"""The real engine in a process that takes orders to break one of its threads: for tests of its supervision.

SIGUSR1 reads ``{"thread": name, "how": "raise" | "hang"}`` from the file named as the second argument. "raise" has
the thread raise at its next instruction; "hang" has it wait, as long as the file ``<order>.hang`` is there.
"""

from __future__ import annotations

import ctypes
import json
import signal
import sys
import threading
import time
from pathlib import Path

from workbench.live import engine

ORDER = Path(sys.argv[2])
HANG = ORDER.with_suffix(".hang")
HANGS: set[int] = set()


class Injected(RuntimeError):
    """What a broken thread raises."""


def stand_still() -> None:
    while HANG.exists():
        time.sleep(0.02)


def traced(frame, event, arg):
    """Runs in the thread that is to hang, at its next call."""
    # By number: current_thread() in a thread that is just starting would make a dummy of it.
    if threading.get_ident() in HANGS:
        HANGS.discard(threading.get_ident())
        stand_still()
    return


def break_thread(_number, _frame) -> None:
    order = json.loads(ORDER.read_text())
    (ident,) = [t.ident for t in threading.enumerate() if t.name in (order["thread"], "MainThread")][-1:]
    if order["how"] == "hang" and ident == threading.get_ident():
        stand_still()
    elif order["how"] == "hang":
        HANGS.add(ident)
    else:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Injected))
    ORDER.unlink()


threading.setprofile(traced)
signal.signal(signal.SIGUSR1, break_thread)
sys.exit(engine.main(Path(sys.argv[1])))
