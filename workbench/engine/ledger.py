"""The data-integrity ledger of a session, and the alarms that follow from it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from workbench.engine.alarms import Alarms
from workbench.vocabulary import LedgerRow

LOG = logging.getLogger("workbench.engine")
SHOWN = 50
"""Rows that a status carries."""

_LEVELS = {"high": logging.ERROR, "medium": logging.WARNING, "low": logging.INFO, "info": logging.INFO}


class Ledger:
    """Rows of the session. Any thread may enter one; the engine's loop has them recorded:
    into the recording of the run that is on, otherwise into the session's own file.
    """

    def __init__(self) -> None:
        self.total = 0
        self._lock, self._handing = threading.Lock(), threading.Lock()
        self._shown: deque[dict[str, Any]] = deque(maxlen=SHOWN)
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
            self._shown.appendleft({**asdict(row), "clock": time.strftime("%H:%M:%S")})
            self._unrecorded.append(row)

    def hand_over(self, write: Callable[[LedgerRow], None]) -> int:
        """Have the rows that are in no recording yet written, oldest first. Returns how many were.

        While another thread is at it nothing is done: its row would be written twice.

        Raises
        ------
        RecordingFault
            When a row cannot be written; it and those after it are kept for the next time.
        """
        if not self._handing.acquire(blocking=False):
            return 0
        try:
            with self._lock:
                rows = list(self._unrecorded)
            for row in rows:
                write(row)
                with self._lock:
                    self._unrecorded.popleft()
            return len(rows)
        finally:
            self._handing.release()

    def shown(self) -> list[dict[str, Any]]:
        """The newest rows, newest first."""
        with self._lock:
            return list(self._shown)

    def alarm(
        self, cause: str, *, priority: str, what: str, means: str, do: str, shown: str = "", **args: Any
    ) -> None:
        """Raise or renew an alarm, see :meth:`Alarms.raise_alarm`; ``shown`` is the key of its words."""
        self.alarms.raise_alarm(cause, key=shown, priority=priority, what=what, means=means, do=do, **args)

    def calm(self, cause: str) -> None:
        """The cause of an alarm has gone."""
        self.alarms.clear(cause)
