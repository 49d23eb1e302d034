"""The real engine in a process that takes orders to break one of its parts: for stress tests and tests of its own.

``python -m workbench.stress.breakable STUDY ORDER [BOOT]``. SIGUSR1 reads one JSON object from the file ORDER:
``{"thread": name, "how": "raise"}`` makes that thread raise at its next instruction, ``"hang"`` makes it hang
from its next beat for as long as the file ``ORDER.hang`` exists. ``{"how": "cut"}`` closes the command stream,
as a broken network does; ``"full"`` makes every further write to the open recording fail with ENOSPC, from the
kernel's ``/dev/full``; ``"reserve"`` raises the disk reserve above the free space, as other programs that fill
the disk would. BOOT is a file with seconds that are added to the boot clock, as sleep of the computer does.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from workbench.engine import process as engine
from workbench.engine.session import Session
from workbench.engine.supervision import Supervisor


class Injected(BaseException):
    """Raised in a broken thread: what no code expects, nor takes for the fault of one message or of one row."""


def _cut(session: Session) -> None:
    if session.effector.link is not None:
        session.effector.link.channel.close()


def _fill(_session: Session) -> None:
    # The descriptor is replaced under the journal: the error comes from the kernel, as on a disk that is full.
    full = os.open("/dev/full", os.O_WRONLY)
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # The descriptor that lists this folder is closed by now.
            if entry.readlink().suffix == ".xdf":
                os.dup2(full, int(entry.name))


def _keep_more(session: Session) -> None:
    session.plan = replace(session.plan, reserve_mb=1e12)


PARTS = {"cut": _cut, "full": _fill, "reserve": _keep_more}
"""Orders that concern no thread."""


class Breaker:
    """Carries out the orders, on the main thread."""

    def __init__(self, order: Path) -> None:
        self._order, self._hang = order, order.with_suffix(".hang")
        self._hangs: set[int] = set()
        self.engine: engine.Engine | None = None

    def hang(self) -> None:
        """Wait for as long as the file exists."""
        while self._hang.exists():
            time.sleep(0.02)

    def trace(self, frame: FrameType, _event: str, _arg: Any) -> None:
        """Profile hook of every thread; the one that is to hang does so here.

        Parameters
        ----------
        frame : of the call.
        """
        # At its beat a thread has no lock: hanging with one, such as that of logging, would stop other threads
        # too. By id: current_thread() in a thread that is just starting creates a dummy object.
        if threading.get_ident() in self._hangs and frame.f_code is Supervisor.beat.__code__:
            self._hangs.discard(threading.get_ident())
            self.hang()

    def take_order(self, _number: int, _frame: FrameType | None) -> None:
        """Break what the order names."""
        order = json.loads(self._order.read_text())
        self._order.unlink()
        if "thread" not in order:
            if self.engine is not None:
                PARTS[order["how"]](self.engine.session)
            return
        # A thread that does not exist, such as one not started yet, stands for the main thread.
        names = (order["thread"], "MainThread")
        ident = [thread.ident for thread in threading.enumerate() if thread.name in names][-1]
        if order["how"] == "raise":
            # The only way to raise in another thread; it takes effect at that thread's next bytecode.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident or 0), ctypes.py_object(Injected))
        elif ident == threading.get_ident():
            self.hang()
        elif ident is not None:
            self._hangs.add(ident)


def main(study: Path, order: Path, boot: Path | None = None) -> int:
    """Run the engine of a study; returns its exit code.

    Parameters
    ----------
    study : its folder.
    order : file with the next order.
    boot : file with s to add to the boot clock, None for the clock as it is.
    """
    breaker = Breaker(order)
    threading.setprofile(breaker.trace)
    signal.signal(signal.SIGUSR1, breaker.take_order)

    def keep(created: engine.Engine) -> None:
        breaker.engine = created

    return engine.main(study, boot_offset=boot, on_created=keep)


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:])))
