"""The state machine: the state an effector is in, since when, and by which clocks. It follows the one table."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Literal, NamedTuple

from workbench.control._table import Event, State, Transition, follow, possible
from workbench.vocabulary import Decision


class Now(NamedTuple):
    """Now, by two clocks, both only going forward.

    ``stream`` counts stream time in s (a stream clock that jumps back adds nothing); ``local`` is
    monotonic time of this computer in s; ``stamp`` is the corrected LSL time that goes into records.
    """

    stream: float
    local: float
    stamp: float

    def since(self, earlier: Now) -> float:
        """Seconds since ``earlier`` by whichever clock ran further.

        Upper limits use this: a stream that stops cannot stretch them.
        """
        return max(self.stream - earlier.stream, self.local - earlier.local)


class StateMachine:
    """State and time of one effector, and the newest decision, which commands and ledger rows cite.

    Parameters
    ----------
    speed : how much faster than real time the stream runs.
    on_time : called with each new time.
    """

    def __init__(self, *, speed: float, on_time: Callable[[Now], None]) -> None:
        self.speed = speed
        self.state: State = "DISCONNECTED"
        self.previous: State | Literal[""] = ""
        self.now = self.entered = Now(0.0, 0.0, 0.0)
        self.decision: Decision | None = None
        self._on_time, self._started = on_time, False

    def advance(self, stream: float | None, local: float | None) -> bool:
        """Set the clocks forward, s; False when one given is not a number, which changes nothing."""
        stream = self.now.stamp if stream is None else stream
        local = self.now.local if local is None else local
        if not (isfinite(stream) and isfinite(local)):
            return False
        # A stamp that jumps back adds nothing and one that jumps forward adds all of it: an upper limit may come
        # early, never late. The first time only sets the origin.
        forward = max(0.0, stream - self.now.stamp) if self._started else 0.0
        later = max(local, self.now.local) if self._started else local
        self.now = Now(self.now.stream + forward, later, stream)
        if not self._started:
            self._started, self.entered = True, self.now
        self._on_time(self.now)
        return True

    def go(self, event: Event) -> Transition:
        """Follow the table; raises :class:`Refused` for an event that it does not allow in this state."""
        row = follow(self.state, event)
        # An event that leaves the state as it is (a fault in ESTOP, a disarm in RELEASE) must not restart the time
        # spent in it, on which ramps and steps depend.
        if row.target != self.state:
            self.previous, self.state, self.entered = self.state, row.target, self.now
        return row

    def allows(self, event: Event) -> bool:
        """Whether the table allows an event in this state."""
        return possible(self.state, event)

    @property
    def stream_time_here_s(self) -> float:
        """Stream time spent in this state, s."""
        return self.now.stream - self.entered.stream

    def age_s(self, decision: Decision) -> float:
        """Real time since a decision's stamp, s."""
        # Divided by the speed: the device judges a time to live in real time, and a replay at tenfold speed must
        # not look ten times older.
        return (self.now.stamp - decision.stamp) / self.speed
