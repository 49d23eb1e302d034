"""STOP: the effector at once, from any thread; then the latch, the alarm and the end of the run."""

from __future__ import annotations

from workbench import world
from workbench.engine.effector import SessionEffector
from workbench.engine.events import EventLog
from workbench.engine.run_control import RunControl
from workbench.errors import Refused


class StopLatch:
    """A STOP holds until an operator resets it.

    Parameters
    ----------
    events, effector, runs : parts of the session.

    Attributes
    ----------
    reason : of the latched STOP, ``""`` while there is none.
    """

    def __init__(self, *, events: EventLog, effector: SessionEffector, runs: RunControl) -> None:
        self._events, self._effector, self._runs = events, effector, runs
        self._lock = world.clock.lock()
        self._requested = ""
        self.reason = ""

    def stop_now(self, reason: str) -> None:
        """STOP, on the server's thread: the effector first, everything else when the loop comes by.

        In this order: the loop ends the run when it sees the request, and the stop command stands in the run.
        """
        try:
            if self._effector.link is not None:
                self._effector.link.estop(reason)
        finally:
            with self._lock:
                self._requested = reason or "stop"

    def settle(self) -> None:
        """On the loop: what a STOP means beside the effector. It is latched, and the run ends."""
        with self._lock:
            reason, self._requested = self._requested, ""
        if not reason:
            return
        self.reason = reason
        self._events.mark("stop", reason=reason)
        if self._effector.link is None:
            self._events.enter("estop", extent=reason, consequence="the stop is latched", priority="high")
        self.show()
        self._runs.end("stopped", f"stopped: {reason}")

    def show(self) -> None:
        """The alarm of a latched stop: it says what the device confirmed, and nothing more."""
        if not self.reason:
            return
        what, confirmed = f"STOP: {self.reason}.", False
        if self._effector.link is not None:
            confirmed = bool(self._effector.link.snapshot()["stop"]["confirmed"])
            what = f"STOP sent, not acknowledged: {self.reason}."
        if confirmed:
            what = f"STOP, confirmed by the device: {self.reason}."
        self._events.ledger.alarms.raise_alarm(
            "estop",
            priority="high",
            what=what,
            means="The run ended. Everything up to here is recorded.",
            do="See to the participant. While the device has not confirmed, use the hardware stop. Then reset "
            "the stop; a new self-test follows.",
            reason=self.reason,
            confirmed=confirmed,
        )

    def reset(self, by: str) -> None:
        """An operator leaves a latched stop or a fault; a new self-test follows."""
        if self._effector.link is not None:
            self._effector.link.reset(by)
            self._effector.self_test()
        elif not self.reason:
            raise Refused("no stop is latched, so there is nothing to reset")
        self.reason = ""
        ledger = self._events.ledger
        ledger.alarms.acknowledge_cause("estop", by=by)
        ledger.alarms.clear("estop")
        self._events.enter("operator", extent="stop reset", consequence=by)
        self._events.mark("stop_reset", by=by)
