"""Commands out, acknowledgements in: sequence numbers, heartbeats, repetition, time to live."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any, Literal

from workbench.control._machine import Now
from workbench.control._profile import Effector
from workbench.vocabulary import Acknowledgement, Command

TOLERANCE = 1e-6
"""How much the applied level may differ upward from the one sent, as a fraction."""


Verdict = Literal["ok", "clipped", "refused", "timeout", "locked", "exceeded", "late", "unknown"]
"""What an acknowledgement means; see :meth:`Link.acknowledge`."""


def expired(command: Command, *, now_stream: float) -> bool:
    """Whether a command's time to live has passed; a device must not follow it then."""
    return (now_stream - command.stamp) * 1000.0 > command.ttl_ms


@dataclass(slots=True)
class Sent:
    """A command that waits for its acknowledgement, when it was sent, and for which order."""

    command: Command
    at: Now
    order: int


class Link:
    """The exchange with one effector.

    An *order* (close, release, hold, stop, open) is repeated at every heartbeat, with a new sequence
    number, until one of its commands is acknowledged; after that plain heartbeats carry its level.
    """

    def __init__(self, effector: Effector) -> None:
        self._effector = effector
        self._seq = 0
        self._order = 0
        self._template: Command | None = None
        self._last: Now | None = None
        self._waiting: dict[int, Sent] = {}
        # Bounded: an acknowledgement that comes a thousand commands late may as well be unknown.
        self._overdue: deque[int] = deque(maxlen=1000)
        self._lapsed = -inf
        self.answered = False
        self.missed = 0
        self.sent = 0
        self.acknowledged = 0
        self.latest: Command | None = None
        self.heartbeats_missed = 0
        # Longest so far. It is read when a self-test passes, whose commands a device answers at once.
        self.round_trip_s = 0.0

    def order(self, template: Command, *, now: Now) -> Command:
        """Issue a new order; what the one before it still waits for no longer matters to ``answered``."""
        self._order += 1
        self._template, self.answered = template, False
        return self._issue(template, now)

    @property
    def awaits_answer(self) -> bool:
        """Whether the newest order is not acknowledged yet, and repeated until it is."""
        return self._template is not None and not self.answered

    @property
    def n_orders(self) -> int:
        """Orders so far; a repetition is the same order."""
        return self._order

    def silence(self) -> None:
        """Send nothing more until the next order."""
        self._template = None

    def beat(self, *, now: Now, state: str, pulse: bool) -> Command | None:
        """The command that is due by now: the order again, a heartbeat, or None.

        Parameters
        ----------
        now, state : of the controller.
        pulse : whether a heartbeat is wanted once the order is answered.
        """
        template, last = self._template, self._last
        if template is None or last is None or now.since(last) < self._effector.heartbeat_s:
            return None
        if not self.answered:
            return self.again(now=now, state=state)
        if not pulse:
            return None
        beat = {"action": "heartbeat", "ramp_ms": 0, "reason": "heartbeat"}
        return self._issue(template, now, stamp=now.stamp, state=state, **beat)

    def again(self, *, now: Now, state: str) -> Command | None:
        """The order once more, None without one."""
        template = self._template
        # A new stamp, because the old one would let the repetition expire; the same order, so that an
        # acknowledgement of any repetition answers it.
        return None if template is None else self._issue(template, now, stamp=now.stamp, state=state)

    def overdue(self, *, now: Now) -> list[Command]:
        """Commands whose acknowledgement has just become overdue; each counts as one missed.

        A device may acknowledge when a move has taken effect, so the ramp is added to the time it has.
        """
        patience_s = self._effector.ack_timeout_s
        # Local time alone: a device acknowledges in real time, however fast the stream runs, and a stream that
        # jumps must not make its answers late.
        late = [
            sent
            for sent in self._waiting.values()
            if now.local - sent.at.local > patience_s + sent.command.ramp_ms / 1000.0
        ]
        for sent in late:
            del self._waiting[sent.command.seq]
            self._overdue.append(sent.command.seq)
            self.missed += 1
            self.heartbeats_missed += sent.command.action == "heartbeat"
        return [sent.command for sent in late]

    def acknowledge(self, ack: Acknowledgement, *, now: Now) -> Verdict:
        """Match an acknowledgement.

        Returns
        -------
        Verdict
            ``"ok"``, ``"clipped"``, ``"refused"`` (so is a status that is not in the schema),
            ``"timeout"`` (it expired on the way or while the link was lost; commands that lapse at one
            moment count as one missed), ``"locked"`` (the device waits for a new self-test), ``"exceeded"``
            (another level than sent), ``"late"`` (counted as missed before) or ``"unknown"``.
        """
        sent = self._waiting.pop(ack.seq, None)
        if sent is None:
            # It was counted as missed and stays so: a device whose answers are always late is not in control of
            # the effector.
            return "late" if ack.seq in self._overdue else "unknown"
        return self._judge(ack, sent, now)

    def _judge(self, ack: Acknowledgement, sent: Sent, now: Now) -> Verdict:
        self.round_trip_s = max(self.round_trip_s, now.local - sent.at.local)
        if (ack.status, ack.code) == ("refused", "locked"):
            return "locked"
        if ack.status == "timeout" or (ack.status, ack.code) == ("refused", "expired"):
            # Commands that wait in one queue expire together. That is one failure of the link; counted singly,
            # three of them would be a fault at once.
            self.missed += ack.effective != self._lapsed
            self._lapsed = ack.effective
            return "timeout"
        if ack.status not in ("ok", "clipped"):
            return "refused"
        if not _within(ack.applied_level, sent.command):
            return "exceeded"
        # Only what is missing in a row counts.
        self.missed = 0
        self.acknowledged += 1
        self.answered = self.answered or sent.order == self._order
        return "ok" if ack.status == "ok" else "clipped"

    def forget(self) -> None:
        """Drop what is waiting and the missed count: a new self-test begins."""
        # Their acknowledgements may still come: late ones, not unknown ones.
        self._overdue.extend(self._waiting)
        self._waiting.clear()
        self.missed, self.round_trip_s = 0, 0.0

    def _issue(self, template: Command, now: Now, **other: Any) -> Command:
        """Number and send a command; ``other`` are the fields in which it differs from the order."""
        self._seq += 1
        command = replace(template, seq=self._seq, **other)
        self._waiting[command.seq] = Sent(command, now, self._order)
        self._last, self.latest = now, command
        self.sent += 1
        return command


def _within(applied: tuple[float, ...], command: Command) -> bool:
    """Whether every applied value is a fraction, one a channel, and no higher than sent.

    A device that is ramping down or vents slowly reports what it still has, so only a rise is judged:
    stop, release and open may report any fraction up to 1.
    """
    if len(applied) != len(command.level):
        return False
    if not all(isfinite(value) and -TOLERANCE <= value <= 1 + TOLERANCE for value in applied):
        return False
    if command.action not in ("close", "hold", "heartbeat") or not any(command.level):
        return True
    return all(a <= s + TOLERANCE for a, s in zip(applied, command.level))
