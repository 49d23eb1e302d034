"""STOP: the effector at once, from any thread; then the latch, the alarm and the end of the run."""

from __future__ import annotations

from workbench import world
from workbench.engine.effector import SessionEffector
from workbench.engine.events import EventLog
from workbench.engine.run_control import RunControl
from workbench.errors import Refused
from workbench.messages import Message


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
        """STOP, on the thread of the door or of the stop file: the effector at once, the rest on the loop."""
        # The request is set last: as soon as the loop sees it, it ends the run, in which the stop command must be
        # recorded. In `finally`: also where the link fails, the run ends and the alarm is raised.
        try:
            if self._effector.link is not None:
                self._effector.link.estop(reason)
        finally:
            with self._lock:
                self._requested = reason or Message("action.stop")

    def settle(self) -> None:
        """On the loop: what a STOP means beside the effector. It is latched, and the run ends."""
        # The lock covers the exchange only: a second STOP must not wait while the first one ends the run.
        with self._lock:
            reason, self._requested = self._requested, ""
        if not reason:
            return
        self.reason = reason
        self._events.mark("stop", reason=reason)
        if self._effector.link is None:
            # With an effector, its controller has entered the row already.
            latched = Message("engine.stop_latched")
            self._events.enter("estop", extent=reason, consequence=latched, priority="high")
        self.show()
        self._runs.end("stopped", Message("run.stopped_because", why=reason))

    def show(self) -> None:
        """The alarm of a latched stop: it says what the device confirmed, and nothing more."""
        if not self.reason:
            return
        do = Message("alarm.stop_do")
        if self._effector.link is None:
            what = Message("alarm.stop", reason=self.reason)
        elif self._effector.link.snapshot()["stop"]["confirmed"]:
            what = Message("alarm.stop_confirmed", reason=self.reason)
        else:
            what = Message("alarm.stop_unacknowledged", reason=self.reason)
            do = Message("alarm.stop_unacknowledged_do")
        self._events.ledger.alarms.raise_alarm(
            "estop",
            priority="high",
            what=what,
            means=Message("alarm.stop_means"),
            do=do,
        )

    def reset(self, by: str) -> None:
        """An operator leaves a latched stop or a fault; a new self-test follows."""
        if self._effector.link is not None:
            # May be refused, as while the device still vents: then everything stays latched.
            self._effector.link.reset(by)
            self._effector.self_test()
        elif not self.reason:
            raise Refused(Message("engine.no_stop_latched"))
        self.reason = ""
        ledger = self._events.ledger
        for cause in ("estop", "effector_fault"):
            ledger.alarms.acknowledge_cause(cause, by=by)
            ledger.alarms.clear(cause)
        self._events.enter("operator", extent=Message("engine.stop_reset"), consequence=by)
        self._events.mark("stop_reset", by=by)
