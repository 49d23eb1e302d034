"""What a device does with verified orders, whatever it moves: commands and time in, acknowledgements out. Pure.

The same rules hold for a simulated glove and for a driver of real hardware; they differ in the :class:`Actuator`.
All times are the device's own monotonic time in s, given by the caller; the rules read no clock. A device protects
its wearer by itself: without a command or heartbeat within the time to live it goes through the steps of its safe
state, counted from the order to hold where there was one; a stop opens at once. After either it is locked: it
completes its safe state and follows nothing but a stop until a new self-test.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.control import SafeStep
from workbench.vocabulary import Acknowledgement, AcknowledgementStatus, DeviceState

MOVES = ("close", "hold", "open", "release")
ACTIONS = (*MOVES, "heartbeat", "stop")
LONGEST_TTL_S = 2.0
"""A command that would keep the level longer than this without another one is refused."""
REMEMBERED = 256
"""Answers that are kept, for repeated commands."""

REFUSALS: Mapping[str, str] = {
    "wrong_profile": "the command is for another profile",
    "malformed": "a field is missing or has another type",
    "unknown_action": "the action is none of the protocol",
    "locked": "after a stop or a lapsed time to live: only a stop is followed until a new self-test",
    "old_seq": "the sequence number of the command does not rise",
    "bad_ttl": f"the time to live is not above 0 and at most {LONGEST_TTL_S * 1000:g} ms",
    "bad_level": "a level is not finite, or a close has not one for each channel",
    "expired": "the status that the command echoes is older than the command's time to live",
}
"""Code of an acknowledgement with the status ``refused`` → what it means. A refused command changes nothing."""

CODES: Mapping[str, str] = {
    "": "the move took effect",
    "heartbeat": "a heartbeat arrived; the level is the one of now",
    "vented": "a stop was followed",
    "superseded": "another order ended this move; the level is the one it had reached",
    "link_lost": "the time to live lapsed during the move (status `timeout`)",
}
"""Code of every other acknowledgement → what it means."""


class Actuator(Protocol):
    """What moves: air, a motor behind a serial line, a number."""

    fault: bool
    """Whether it cannot be reached: then nothing is known of its level, and it goes to its safe state."""

    def level(self, now: float) -> float:
        """What is really applied at ``now``, fraction 0–1; 1 where it is not known."""
        ...

    def move(self, target: float, *, action: str, ramp_s: float, seq: int | None, now: float, rate: float) -> None:
        """Begin to move to a level from where it is, whatever it did before.

        Parameters
        ----------
        target : fraction 0–1; for a hold the level of now.
        action : of the order, or of the step of the safe state.
        ramp_s : s.
        seq : of the order, None for a step of the safe state.
        now : s.
        rate : how much faster than real time a simulated actuator moves.
        """
        ...

    def settled(self, now: float) -> float | None:
        """Time in s at which the last move was over, None when it was not by ``now``."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An order that has not taken effect yet: what its acknowledgement will say."""

    seq: int
    received: float
    status: AcknowledgementStatus


@dataclass(frozen=True, slots=True)
class _Order:
    """An accepted order on its way to what moves: whatever is about it alone stays with it until it begins."""

    begins: float
    received: float
    seq: int
    action: str
    wanted: list[float]
    ramp_s: float


class DeviceRules:
    """One device: link, lock, safe state, and what it answers.

    Parameters
    ----------
    actuator : what moves.
    profile : commands of another profile are refused, but for a stop.
    safe_state : gives the steps of the safe state when the link is lost; the first has ``after_s`` 0.
    greatest : level above which it clips, 0–1.
    channels : values in a level; the actuator moves by the largest, and the others are shares of it.
    delay : s that an order with this number takes to what moves; orders begin in the order in which they arrived.

    Attributes
    ----------
    state : ``"safe"`` (nothing applied, no link), ``"following"``, ``"holding"`` or ``"venting"`` (link lost), or
        ``"stopped"``.
    target : level it moves to, 0–1.
    last_seq : highest sequence number accepted.
    locked : whether only a stop is followed, until :meth:`begin`.
    rate : how much faster than real time a simulated actuator moves; the time to live is in real seconds at any.
    """

    def __init__(
        self,
        actuator: Actuator,
        *,
        profile: str,
        safe_state: Callable[[], Sequence[SafeStep]],
        greatest: float = 1.0,
        channels: int = 1,
        delay: Callable[[int], float] = lambda seq: 0.0,
    ) -> None:
        self.state: DeviceState = "safe"
        self.target = 0.0
        self.last_seq = 0
        self.locked = True
        self.rate = 1.0
        self._actuator, self._profile, self._safe_state, self._greatest = actuator, profile, safe_state, greatest
        self._deadline = -math.inf
        self._held_since = math.inf
        self._steps: list[tuple[float, SafeStep]] = []
        self._delay = delay
        self._on_the_way: deque[_Order] = deque()
        self._waiting: list[_Waiting] = []
        self._answers: dict[int, Acknowledgement] = {}
        self._shares = (1.0,) * channels

    def applied(self, now: float) -> tuple[float, ...]:
        """Level of each channel that is really applied at ``now``, 0–1."""
        level = self._actuator.level(now)
        return tuple(share * level for share in self._shares)

    def level(self, now: float) -> float:
        """Level 0–1 that is really applied at ``now``, of several channels the largest."""
        return self._actuator.level(now)

    def telemetry(self, now: float) -> dict[str, Any]:
        """What a status of this device says beyond that of every device, measured by ``now``, s."""
        del now
        return {}

    def start(self, now: float) -> None:
        """The device begins: what an earlier process left applied goes through the safe state first."""
        if self.level(now) > 0:
            self._lapse(now)

    def begin(self, now: float) -> bool:
        """A new session of commands begins (a self-test): unlock, if the safe state is complete.

        Returns whether it is unlocked. While it holds or vents it stays locked: that is completed first.
        """
        self.tick(now)
        self.last_seq = 0
        self._answers.clear()
        self._waiting = []
        self._on_the_way.clear()
        self._held_since = math.inf
        self.locked = self.state in ("holding", "venting") or self.level(now) > 0
        return not self.locked

    def receive(self, command: Mapping[str, Any], now: float, *, echo_age_s: float = 0.0) -> list[Acknowledgement]:
        """Take one command that arrived at ``now``.

        Parameters
        ----------
        command : fields of :class:`~workbench.vocabulary.Command`.
        now : s.
        echo_age_s : s since the device published the status counter that the command echoes; older than the
            command's time to live, it is refused as expired. The stamps of the engine's clock are not looked at.

        Returns
        -------
        list of Acknowledgement
            Those that are due at once: a move is answered by :meth:`tick` when it has taken effect. A repeated
            sequence number is applied once and answered again as before.
        """
        due = self.tick(now)
        seq = _whole(command.get("seq"))
        # Before every other check: a stop is followed from any profile, at any age and in any order.
        if command.get("action") == "stop":
            return [*due, *self._stop(seq, now)]
        # Repeated, because its acknowledgement was lost: answered again, never applied twice.
        if seq > 0 and seq in self._answers:
            return [*due, self._answers[seq]]
        # Still moving, or on its way: its acknowledgement comes when the move has taken effect.
        if seq in {waiting.seq for waiting in self._waiting} | {order.seq for order in self._on_the_way}:
            return due
        if command.get("profile") != self._profile:
            return [*due, self._refuse(seq, now, "wrong_profile")]
        try:
            action = str(command["action"])
            ttl, ramp = float(command["ttl_ms"]) / 1000.0, float(command.get("ramp_ms", 0)) / 1000.0
            wanted = [float(x) for x in command["level"]]
        except (KeyError, TypeError, ValueError):
            return [*due, self._refuse(seq, now, "malformed")]
        code = self._objection(seq, action, wanted, ttl) or ("" if echo_age_s <= ttl else "expired")
        if code:
            return [*due, self._refuse(seq, now, code)]
        self.last_seq = seq
        self._deadline = now + ttl
        if action == "heartbeat":
            self.state = "following"
            return [*due, self._keep(self._answer(seq, now, now, "ok", "heartbeat"))]
        self.state = "following"
        return [*due, *self._take(seq, action, wanted, ramp, now)]

    def tick(self, now: float) -> list[Acknowledgement]:
        """Let time pass to ``now``: answers of moves that took effect, and the safe state without a link."""
        # What would have begun or taken effect after the link was lost did not: the lapse below answers it.
        until = min(now, self._deadline)
        due: list[Acknowledgement] = []
        while self._on_the_way and self._on_the_way[0].begins <= until:
            order = self._on_the_way.popleft()
            due += self._look(order.begins) + self._move(order)
        due += self._look(until)
        if self.state == "following" and (now > self._deadline or self._actuator.fault):
            # The safe state counts from the deadline, not from this call: a late tick must not lengthen it.
            due += self._lapse(min(now, self._deadline))
        self._continue_safe_state(now)
        return due

    def lose_link(self, now: float, *, slept_s: float = 0.0) -> list[Acknowledgement]:
        """The link is lost at ``now``; the ``slept_s`` s that the device slept until then count as time held."""
        due = self.tick(now)
        if self.state == "following":
            self._deadline = min(self._deadline, now)
            due += self._lapse(now)
        # Sleep stopped the monotonic clock, not the wearer's time: it shortens the hold.
        self._steps = [(max(now, at - slept_s), step) for at, step in self._steps]
        return due + self.tick(now)

    def _look(self, now: float) -> list[Acknowledgement]:
        """Answer the move under way if it has taken effect by ``now``."""
        at = self._actuator.settled(now) if self._waiting else None
        return [] if at is None else self._take_effect(at)

    # ------------------------------------------------------------------------------------- safe state
    def _lapse(self, lost_at: float) -> list[Acknowledgement]:
        """The link was lost at ``lost_at``: lock, and begin the safe state."""
        due = self._settle(lost_at, "timeout", "link_lost") + self._drop(lost_at, "timeout", "link_lost")
        # An engine that ordered a hold and then fell silent gets no second hold.
        began = min(lost_at, self._held_since)
        self._steps = [(max(lost_at, began + step.after_s), step) for step in self._safe_state()]
        self.locked = True
        self._next_step(lost_at)
        return due

    def _next_step(self, at: float) -> None:
        _, step = self._steps.pop(0)
        keeps = step.keep_level or step.action == "hold"
        self.state = "holding" if keeps else "venting"
        if not keeps:
            self.target = 0.0
        target = self.level(at) if keeps else 0.0
        ramp_s = step.ramp_ms / 1000.0
        self._actuator.move(target, action=step.action, ramp_s=ramp_s, seq=None, now=at, rate=self.rate)

    def _continue_safe_state(self, now: float) -> None:
        while self._steps and (now > self._steps[0][0] or self.level(now) == 0):
            self._next_step(min(now, self._steps[0][0]))
        if self.state in ("holding", "venting") and not self._steps and self.level(now) == 0:
            self.state = "safe"

    def _stop(self, seq: int, now: float) -> list[Acknowledgement]:
        """Open at once, whatever else the command says, how old it is, and in whatever order it came."""
        due = self._settle(now, "ok", "superseded")
        self.last_seq = max(self.last_seq, seq)
        self.state, self.target, self.locked = "stopped", 0.0, True
        self._steps = []
        self._actuator.move(0.0, action="stop", ramp_s=0.0, seq=seq, now=now, rate=self.rate)
        due += self._drop(now, "ok", "superseded")
        return [*due, self._keep(self._answer(seq, now, now, "ok", "vented"))]

    # ----------------------------------------------------------------------------------------- orders
    def _objection(self, seq: int, action: str, wanted: list[float], ttl: float) -> str:
        """Code of the reason to refuse, or ``""``."""
        if action not in ACTIONS:
            return "unknown_action"
        if self.locked:
            return "locked"
        # <=: an equal number that is not remembered is a replay.
        if seq <= self.last_seq:
            return "old_seq"
        if not 0 < ttl <= LONGEST_TTL_S:
            return "bad_ttl"
        if not all(math.isfinite(x) for x in wanted) or (action == "close" and len(wanted) != len(self._shares)):
            return "bad_level"
        return ""

    def _take(
        self, seq: int, action: str, wanted: list[float], ramp_s: float, now: float
    ) -> list[Acknowledgement]:
        """An accepted order: on its way, or followed at once where it takes no time or changes nothing."""
        target, _ = self._target(action, wanted, now)
        changes = target != self._actuator.level(now) or not self._keeps_shares(action, wanted, target)
        delay_s = self._delay(seq) / self.rate if changes or self._on_the_way else 0.0
        # Never before the one that arrived before it: the last word must stay the last.
        begins = max([now + delay_s, *(order.begins for order in self._on_the_way)])
        order = _Order(begins, now, seq, action, wanted, ramp_s)
        if begins <= now:
            return self._move(order)
        self._on_the_way.append(order)
        return []

    def _target(self, action: str, wanted: list[float], now: float) -> tuple[float, AcknowledgementStatus]:
        """Level that an order goes to at ``now``, and whether it is the one that was asked for."""
        # "open" and "release" carry no level of their own: both mean 0.
        level = {"close": max(wanted, default=0.0), "hold": self.level(now)}.get(action, 0.0)
        target = min(max(level, 0.0), self._greatest)
        return target, "ok" if target == level else "clipped"

    def _move(self, order: _Order) -> list[Acknowledgement]:
        """Begin a move. The same order again joins the move under way; another one supersedes it."""
        now, action = order.begins, order.action
        here = self.level(now)
        # A hold that is ordered again is the same hold: nothing restarts its second.
        self._held_since = min(now, self._held_since) if action == "hold" else math.inf
        target, status = self._target(action, order.wanted, now)
        waiting = _Waiting(order.seq, order.received, status)
        same = target == self.target and self._keeps_shares(action, order.wanted, target)
        if self._waiting and action != "hold" and same:
            self._waiting.append(waiting)
            return []
        due = self._settle(now, "ok", "superseded")
        self.target = target
        if action == "close" and target > 0:
            self._shares = self._shared(order.wanted)
        self._actuator.move(target, action=action, ramp_s=order.ramp_s, seq=order.seq, now=now, rate=self.rate)
        self._waiting = [waiting]
        return [*due, *(self._take_effect(now) if target == here else [])]

    def _keeps_shares(self, action: str, wanted: list[float], target: float) -> bool:
        """Whether an order leaves each channel its share of the level."""
        return action != "close" or target == 0 or self._shared(wanted) == self._shares

    def _shared(self, wanted: list[float]) -> tuple[float, ...]:
        """Each channel of a level as a share of the largest; one channel is all of it."""
        largest = max(wanted)
        return tuple(max(value, 0.0) / largest for value in wanted) if largest > 0 else (1.0,) * len(wanted)

    def _take_effect(self, at: float) -> list[Acknowledgement]:
        """Answer what was under way: the move is over. A level that was not reached is reported as clipped."""
        status: AcknowledgementStatus | None = "clipped" if self.level(at) < self.target else None
        settled = [
            Acknowledgement(w.seq, w.received, at, status or w.status, self.applied(at)) for w in self._waiting
        ]
        self._waiting = []
        return [self._keep(answer) for answer in settled]

    def _settle(self, now: float, status: AcknowledgementStatus, code: str) -> list[Acknowledgement]:
        """Answer what was under way with the level it reached."""
        reached = self.applied(now)
        settled = [Acknowledgement(w.seq, w.received, now, status, reached, code) for w in self._waiting]
        self._waiting = []
        return [self._keep(answer) for answer in settled]

    def _drop(self, now: float, status: AcknowledgementStatus, code: str) -> list[Acknowledgement]:
        """Answer what was on its way with the level of ``now``: it never begins."""
        dropped = [self._answer(order.seq, order.received, now, status, code) for order in self._on_the_way]
        self._on_the_way.clear()
        return [self._keep(answer) for answer in dropped]

    def _answer(
        self, seq: int, received: float, effective: float, status: AcknowledgementStatus, code: str
    ) -> Acknowledgement:
        return Acknowledgement(seq, received, effective, status, self.applied(effective), code)

    def _refuse(self, seq: int, now: float, code: str) -> Acknowledgement:
        return self._keep(self._answer(seq, now, now, "refused", code))

    def _keep(self, answer: Acknowledgement) -> Acknowledgement:
        """Remember the last answers, for repeated commands."""
        self._answers[answer.seq] = answer
        while len(self._answers) > REMEMBERED:
            self._answers.pop(next(iter(self._answers)))
        return answer


def _whole(seq: object) -> int:
    """A sequence number, 0 when it is none."""
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq > 0 else 0
