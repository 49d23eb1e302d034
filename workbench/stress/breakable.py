"""The real engine in a process that takes orders to break one of its parts: for stress tests and tests of its own.

``python -m workbench.stress.breakable STUDY ORDER [BOOT]``. SIGUSR1 reads one JSON object from the file ORDER:
``{"thread": name, "how": "raise"}`` has that thread raise at its next instruction, ``"hang"`` has it stand still
from its next beat for as long as the file ``ORDER.hang`` is there. ``{"how": "cut"}`` closes the command stream,
as a broken network does; ``"full"`` has every further write to the open recording fail with ENOSPC, from the
kernel's ``/dev/full``;
``"reserve"`` raises the disk reserve above what is free, as other programs that fill the disk would.
BOOT is a file of seconds that are added to the boot clock, as a sleeping computer does.
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


class Injected(Exception):
    """What a broken thread raises: nothing that anybody expects."""


def _cut(session: Session) -> None:
    if session.effector.link is not None:
        session.effector.link.channel.close()


def _fill(_session: Session) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that reads this folder
            if entry.readlink().suffix == ".xdf":
                os.dup2(full, int(entry.name))


def _keep_more(session: Session) -> None:
    session.plan = replace(session.plan, reserve_mb=1e12)


PARTS = {"cut": _cut, "full": _fill, "reserve": _keep_more}
"""What is broken without a thread."""


class Breaker:
    """Carries out the orders, on the main thread."""

    def __init__(self, order: Path) -> None:
        self._order, self._hang = order, order.with_suffix(".hang")
        self._hangs: set[int] = set()
        self.engine: engine.Engine | None = None

    def stand_still(self) -> None:
        """Wait for as long as the file is there."""
        while self._hang.exists():
            time.sleep(0.02)

    def trace(self, frame: FrameType, _event: str, _arg: Any) -> None:
        """Run by every thread at its calls; the one that is to hang does so here."""
        # At its beat it holds no lock: a lock of the interpreter or of logging would take others down with it, as
        # no hang of one thread does. By number: current_thread() in a thread that is just starting makes a dummy.
        if threading.get_ident() in self._hangs and frame.f_code is Supervisor.beat.__code__:
            self._hangs.discard(threading.get_ident())
            self.stand_still()

    def take_order(self, _number: int, _frame: FrameType | None) -> None:
        """Break what the order names."""
        order = json.loads(self._order.read_text())
        self._order.unlink()
        if "thread" not in order:
            if self.engine is not None:
                PARTS[order["how"]](self.engine.session)
            return
        names = (order["thread"], "MainThread")
        ident = [thread.ident for thread in threading.enumerate() if thread.name in names][-1]
        if order["how"] == "raise":
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident or 0), ctypes.py_object(Injected))
        elif ident == threading.get_ident():
            self.stand_still()
        elif ident is not None:
            self._hangs.add(ident)


def main(study: Path, order: Path, boot: Path | None = None) -> int:
    """Run the engine of a study; returns its exit code."""
    breaker = Breaker(order)
    threading.setprofile(breaker.trace)
    signal.signal(signal.SIGUSR1, breaker.take_order)

    def keep(created: engine.Engine) -> None:
        breaker.engine = created

    return engine.main(study, boot_offset=boot, on_created=keep)


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:])))
