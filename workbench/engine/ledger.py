"""The data-integrity ledger of a session, and the alarms that follow from it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from workbench import world
from workbench.engine.alarms import Alarms
from workbench.live.status import LedgerStatus
from workbench.vocabulary import LedgerRow

LOG = logging.getLogger("workbench.engine")
SHOWN = 50
"""Rows that a status carries."""

_LEVELS: dict[str, int] = {
    "high": logging.ERROR,
    "medium": logging.WARNING,
    "low": logging.INFO,
    "info": logging.INFO,
}


class Ledger:
    """Rows and alarms of the session. Any thread may enter one; the engine's loop has the rows recorded,
    into the recording of the run under way, otherwise into the session's own file.
    """

    def __init__(self) -> None:
        self.total = 0
        # `_lock` is never held while the disk is waited for, because the STOP path enters rows; `_writing` lets
        # one thread at a time write them.
        self._lock, self._writing = world.clock.lock(), world.clock.lock()
        self._shown: deque[LedgerStatus] = deque(maxlen=SHOWN)
        self._unrecorded: deque[LedgerRow] = deque()
        self.alarms = Alarms()

    def enter(self, row: LedgerRow) -> None:
        """Add a row."""
        LOG.log(
            _LEVELS.get(row.priority, logging.INFO),
            "%s %s: %s; %s",
            row.kind,
            row.stream,
            row.extent,
            row.consequence,
        )
        with self._lock:
            self.total += 1
            self._shown.appendleft(_status(row))
            self._unrecorded.append(row)

    def hand_over(self, write: Callable[[LedgerRow], None]) -> int:
        """Have the rows that are in no recording yet written, oldest first. Returns how many were.

        While another thread is at it nothing is done: its row would be written twice.

        Raises
        ------
        RecordingFault
            When a row cannot be written; it and those after it are kept for the next time.
        """
        if not self._writing.acquire(blocking=False):
            return 0
        try:
            with self._lock:
                rows = list(self._unrecorded)
            for row in rows:
                write(row)
                with self._lock:
                    # One by one, after each is written: where the disk fails, none is lost and none is written
                    # twice.
                    self._unrecorded.popleft()
            return len(rows)
        finally:
            self._writing.release()

    def shown(self) -> list[LedgerStatus]:
        """The newest rows, newest first."""
        with self._lock:
            return list(self._shown)


def _status(row: LedgerRow) -> LedgerStatus:
    return {
        "kind": row.kind,
        "stamp": row.stamp,
        "local": row.local,
        "sample": row.sample,
        "stream": row.stream,
        "extent": row.extent,
        "consequence": row.consequence,
        "priority": row.priority,
        "clock": f"{world.clock.local():%H:%M:%S}",
    }
