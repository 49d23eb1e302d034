"""The data-integrity ledger of a session, and the alarms that follow from it. One cause, one alarm."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

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
        self._lock = threading.Lock()
        self._shown: deque[dict[str, Any]] = deque(maxlen=SHOWN)
        self._unrecorded: deque[LedgerRow] = deque()
        self.alarms: dict[str, dict[str, Any]] = {}

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

        Raises
        ------
        RecordingFault
            When a row cannot be written; it and those after it are kept for the next time.
        """
        with self._lock:
            rows = list(self._unrecorded)
        for row in rows:
            write(row)
            with self._lock:
                self._unrecorded.popleft()
        return len(rows)

    def shown(self) -> list[dict[str, Any]]:
        """The newest rows, newest first."""
        with self._lock:
            return list(self._shown)

    def alarm(
        self, key: str, *, priority: str, what: str, means: str, do: str, shown: str = "", **args: Any
    ) -> None:
        """Raise an alarm, or renew the one with the same key; ``shown`` is the key of its words."""
        self.alarms[key] = {
            "key": shown or key,
            "priority": priority,
            "what": what,
            "means": means,
            "do": do,
            "args": args,
        }

    def calm(self, key: str) -> None:
        """The cause of an alarm is gone."""
        self.alarms.pop(key, None)

    def alarms_shown(self) -> list[dict[str, Any]]:
        """Alarms, the highest first."""
        order = {"high": 0, "medium": 1, "low": 2}
        return sorted(list(self.alarms.values()), key=lambda a: order.get(a["priority"], 3))
