"""How a thread is started: by whoever may watch it.

A room that needs a thread takes a :class:`Spawn` and is given :func:`start_thread` by default. The engine hands in
its supervisor instead (``engine/supervision.py``), so that no thread of the process that moves an effector can
end, or stand still, unnoticed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import inf
from typing import Protocol

from workbench import world

Beat = Callable[[], None]
"""Called by a thread each time it comes round: it is alive."""

Body = Callable[[Beat], None]
"""What a thread does. It returns when it was asked to end, or after it has reported why it ended."""


class Spawn(Protocol):
    """Starts a thread."""

    def __call__(self, name: str, body: Body, *, limit_s: float = inf) -> threading.Thread:
        """Start ``body`` as the thread ``name``; it beats at least every ``limit_s`` s."""


def start_thread(name: str, body: Body, *, limit_s: float = inf) -> threading.Thread:
    """A daemon thread that nobody watches: for players, notebooks and tests.

    Parameters
    ----------
    name : of the thread.
    body : what it does; its beats lead nowhere.
    limit_s : s between two beats that a supervisor would allow.
    """
    del limit_s
    thread = world.clock.thread(lambda: body(lambda: None), name=name)
    thread.start()
    return thread
