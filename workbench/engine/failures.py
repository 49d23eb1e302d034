"""What follows when a part of the engine, or the whole computer, failed: safe state, row, alarm."""

from __future__ import annotations

from workbench import world
from workbench.engine.effector import SessionEffector
from workbench.engine.events import EventLog
from workbench.engine.standstill import Standstill
from workbench.messages import Message

SAFE_STATE = "safe-state-"
"""How the names of threads that order a safe state begin; one that is lost itself is not ordered another one."""
SAFE_STATE_LIMIT_S = 5.0
"""Longest time in which an order of the safe state may wait for the effector's lock, s."""


class FailureResponse:
    """Reacts to failures. Any thread.

    Parameters
    ----------
    events, effector : parts of the session.
    spawn : starts the thread that orders the safe state.
    """

    def __init__(self, *, events: EventLog, effector: SessionEffector, spawn: world.Spawn) -> None:
        self._events, self._effector, self._spawn = events, effector, spawn

    def thread_lost(self, name: str, sentence: Message) -> None:
        """A thread of the engine ended or stands still.

        The effector's lock may be held by the very thread that is lost, so that the order is given on a thread
        of its own; while that waits nobody can send, and the device goes to its safe state by itself.
        """
        # The safe state before row and alarm, which wait for the disk.
        if not name.startswith(SAFE_STATE):
            self._order_safe_state("thread_lost", thread=name)
        consequence = Message("engine.to_safe_state")
        self._events.enter("thread_lost", stream=name, extent=sentence, consequence=consequence, priority="high")
        # One that stood still and then ends is news also to whoever has acknowledged the first.
        self.thread_back(name)
        self._events.ledger.alarms.raise_alarm(
            f"thread_lost:{name}",
            key="thread_lost",
            priority="high",
            what=Message("alarm.thread_lost", why=sentence),
            means=Message("alarm.thread_lost_means"),
            do=Message("alarm.thread_lost_do"),
        )

    def thread_back(self, name: str) -> None:
        """A thread that stood still reports again, or another serves in its place."""
        self._events.ledger.alarms.clear(f"thread_lost:{name}")

    def stood_still(self, code: Standstill, sentence: Message) -> None:
        """The engine or the computer stood still and woke."""
        self._order_safe_state(code, thread=code)
        consequence = Message("engine.to_safe_state")
        self._events.enter(code, extent=sentence, consequence=consequence, priority="high")
        self._events.ledger.alarms.raise_alarm(
            code,
            priority="high",
            what=Message("alarm.standstill", why=sentence),
            means=Message("alarm.standstill_means"),
            do=Message("alarm.standstill_do"),
        )
        # It was over when it was noticed. The alarm stays on the screen until somebody has seen it.
        self._events.ledger.alarms.clear(code)

    def _order_safe_state(self, code: str, *, thread: str) -> None:
        link = self._effector.link
        if link is not None:
            self._spawn(f"{SAFE_STATE}{thread}", lambda beat: link.fault(code), limit_s=SAFE_STATE_LIMIT_S)
