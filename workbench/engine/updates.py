"""The thread on which the decoder of a run learns, beside the loop, which waits for it half a hop and no longer.

It is started through the supervisor as every other: one that ends or hangs is a fault, with safe state, row and
alarm. The loop does not depend on it: where an update is not there in time the decoder stays as it is, from a
sample that the recording holds.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from workbench import world

UPDATE_LIMIT_S = 10.0
"""How long the learning of one model may take, s; eight large ones together take 3 (`workbench bench blocks`)."""
IDLE_S = 0.5
"""How long the thread waits for work between two signs of life, s."""


class _Handed:
    """Work that was handed to an :class:`UpdateWorker`, and what it gave."""

    def __init__(self, work: Callable[[world.Beat], Any], worker: UpdateWorker) -> None:
        self.work, self._worker = work, worker
        self.given: Any = None
        self.done = world.clock.event()

    def result(self, *, at: int) -> Any:
        """See :class:`workbench.vocabulary.Job`."""
        del at  # the loop asks in real time
        self._worker.wait_for(self.done)
        return self.given if self.done.is_set() else None


class UpdateWorker:
    """Learns on a thread of its own, which starts with the first work.

    Parameters
    ----------
    spawn : starts the thread; the engine hands in its supervisor.
    name : of the thread.
    wait_s : longest time in which the loop waits for a result, s.
    """

    def __init__(self, spawn: world.Spawn, *, name: str, wait_s: float) -> None:
        self._spawn, self._name, self._wait_s = spawn, name, wait_s
        self._handed: queue.SimpleQueue[_Handed | None] = world.clock.simple_queue()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[[world.Beat], Any]) -> _Handed:
        """Hand work over; the thread comes to it after what was handed over before.

        Parameters
        ----------
        work : see :class:`workbench.vocabulary.Worker`.
        """
        handed = _Handed(work, self)
        self._handed.put(handed)
        if self._thread is None:
            self._thread = self._spawn(self._name, self._serve, limit_s=UPDATE_LIMIT_S)
        return handed

    def _serve(self, beat: world.Beat) -> None:
        while True:
            beat()
            try:
                handed = self._handed.get(timeout=IDLE_S)
            except queue.Empty:
                continue
            if handed is None:
                return
            beat()
            handed.given = handed.work(beat)
            handed.done.set()

    def wait_for(self, done: threading.Event) -> None:
        """Wait for a result, unless the thread has ended and nobody will give it.

        Parameters
        ----------
        done : set with the result.
        """
        if self._thread is not None and self._thread.is_alive():
            done.wait(self._wait_s)

    def close(self) -> None:
        """The run is over: the thread ends after the work that it is at, which nobody asks for any more."""
        self._handed.put(None)
