"""The simulated glove as a pure device model: commands and time in, pressure and acknowledgements out.

All times are the device's own monotonic time in s, given by the caller; the model reads no clock. The device
protects its wearer by itself: without a command or heartbeat within the time to live it holds its pressure for
up to 1 s (letting go at once could drop a hot cup, holding on could trap a finger), counted from the order to hold
where there was one, and then vents slowly; a stop vents at once. After either it is locked: it completes its safe
state and follows nothing but a stop until a new self-test has begun.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench import world
from workbench.errors import BadValue
from workbench.vocabulary import Acknowledgement, AcknowledgementStatus, DeviceState

MOVES = {"close", "open", "release", "hold"}
ACTIONS = (*sorted(MOVES), "heartbeat", "stop")
LONGEST_TTL_S = 2.0
"""Longest time to live, s; a command that would keep the pressure longer than this is refused."""
REMEMBERED = 256
"""Answers that are remembered for repeated commands."""


@dataclass(frozen=True, slots=True)
class GloveSettings:
    """Properties of the device.

    Attributes
    ----------
    profile : commands of another profile are refused, except a stop.
    delay_s, delay_spread : median of the lognormal time to inflate in s, and its log standard deviation;
        300 to 600 ms covers 95 %.
    loss : fraction of commands that never arrive.
    hold_s, vent_s : how long it holds without a command, and how long a slow vent takes, s.
    greatest : level above which it clips, 0–1.
    """

    profile: str = "glove"
    delay_s: float = 0.42
    delay_spread: float = 0.18
    loss: float = 0.001
    hold_s: float = 1.0
    vent_s: float = 2.0
    greatest: float = 1.0

    def __post_init__(self) -> None:
        """Refuse impossible settings.

        Raises
        ------
        BadValue
            For a negative or non-finite number, a loss or greatest level above 1, a hold above 1 s.
        """
        limits = {
            "delay_s": 10.0,
            "delay_spread": 2.0,
            "loss": 1.0,
            "hold_s": 1.0,
            "vent_s": 10.0,
            "greatest": 1.0,
        }
        for name, limit in limits.items():
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= limit):
                raise BadValue(f"{name} of the simulated glove must be 0 to {limit:g}, got {value!r}; correct it")


class GloveModel:
    """One glove: pressure, link, and what it answers.

    Attributes
    ----------
    state : ``"safe"`` (no pressure, no link), ``"following"``, ``"holding"`` or ``"venting"`` (link lost), or
        ``"stopped"`` (vented by a stop).
    target : level it moves to, 0–1.
    last_seq : highest sequence number accepted.
    locked : whether only a stop is followed, until :meth:`begin`.
    rate : how much faster than real time its movements are (a simulation at more than real time); the time to
        live is in real seconds at any rate.
    """

    def __init__(self, seed: int = 0, settings: GloveSettings | None = None) -> None:
        """A vented glove without a link."""
        self.settings = settings or GloveSettings()
        self.state: DeviceState = "safe"
        self.target = 0.0
        self.last_seq = 0
        self.locked = True
        self.rate = 1.0
        self._seed = seed
        self._path = (0.0, 0.0, 0.0, 0.0)  # from time, from level, to time, to level
        self._deadline = self._vent_at = -math.inf
        self._held_since = math.inf
        self._pending: list[Acknowledgement] = []
        self._n_received = 0
        self._answers: dict[int, Acknowledgement] = {}

    def level(self, now: float) -> float:
        """Pressure fraction 0–1 at ``now``."""
        begin, low, end, high = self._path
        if now >= end:
            return high
        return low + (high - low) * (now - begin) / (end - begin)

    def begin(self, now: float) -> bool:
        """A new session of commands begins (a self-test): unlock, if the safe state is complete.

        Returns whether it is unlocked. While it holds or vents it stays locked: that is completed first.
        """
        self.tick(now)
        self.last_seq = 0
        self._answers.clear()
        self._pending = []
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
        self._n_received += 1
        # Seeded by the number of the command: the same commands are lost in every repetition.
        if world.chance.generator([self._seed, 1, self._n_received]).random() < self.settings.loss:
            return due
        seq = _whole(command.get("seq"))
        # Before every other check: a stop is followed from any profile, at any age and in any order.
        if command.get("action") == "stop":
            return [*due, *self._stop(seq, now)]
        # Repeated, because its acknowledgement was lost: answered again, never applied twice.
        if seq > 0 and seq in self._answers:
            return [*due, self._answers[seq]]
        # Still moving: its acknowledgement comes when the move has taken effect.
        if any(waiting.seq == seq for waiting in self._pending):
            return due
        if command.get("profile") != self.settings.profile:
            return [*due, self._keep(self._refusal(seq, now, "wrong_profile"))]
        try:
            action = str(command["action"])
            ttl, ramp = float(command["ttl_ms"]) / 1000.0, float(command.get("ramp_ms", 0)) / 1000.0
            levels = [float(x) for x in command["level"]]
        except (KeyError, TypeError, ValueError):
            return [*due, self._keep(self._refusal(seq, now, "malformed"))]
        code = self._objection(seq, action, levels, ttl) or ("" if echo_age_s <= ttl else "expired")
        if code:
            return [*due, self._keep(self._refusal(seq, now, code))]
        self.last_seq = seq
        self._deadline = now + ttl
        if action == "heartbeat":
            self.state = "following"
            return [*due, self._keep(self._answer(seq, now, now, "ok", "heartbeat"))]
        return [*due, *self._move(seq, action, levels, max(self.delay(seq), ramp) / self.rate, now)]

    def tick(self, now: float) -> list[Acknowledgement]:
        """Let time pass to ``now``: answers of moves that took effect, and the safe state without a link."""
        due: list[Acknowledgement] = []
        # A move that would have taken effect after the link was lost did not: the hold below answers it.
        if self._pending and self._pending[0].effective <= min(now, self._deadline):
            due.extend(self._keep(answer) for answer in self._pending)
            self._pending = []
        if self.state == "following" and now > self._deadline:
            # The hold counts from the deadline, not from this call: a late tick must not lengthen it.
            lost_at = self._deadline
            due.extend(self._hold(lost_at))
        # At level 0 there is nothing to hold: the safe state completes at once.
        if self.state == "holding" and (now > self._vent_at or self.level(now) == 0):
            begin = min(now, self._vent_at)
            level = self.level(begin)
            self._path = (begin, level, begin + self.settings.vent_s / self.rate * level, 0.0)
            self.target = 0.0
            self.state = "venting"
        if self.state == "venting" and now >= self._path[2]:
            self.state = "safe"
        return due

    def lose_link(self, now: float, *, slept_s: float = 0.0) -> list[Acknowledgement]:
        """The link is lost at ``now``; the ``slept_s`` seconds that the device slept before count as holding."""
        due = self.tick(now)
        if self.state == "following":
            self._deadline = min(self._deadline, now)
            due += self._hold(now)
        if self.state == "holding":
            # Sleep stopped the monotonic clock, not the wearer's time: it shortens the hold.
            self._vent_at = max(now, self._vent_at - slept_s)
        return due + self.tick(now)

    def _hold(self, lost_at: float) -> list[Acknowledgement]:
        """The link was lost at ``lost_at``: hold, and vent 1 s after that or after the engine's order to hold."""
        due = self._settle(lost_at, "timeout", "link_lost")
        self._rest_at(lost_at, self.level(lost_at))
        self.state, self.locked = "holding", True
        self._vent_at = max(lost_at, min(lost_at, self._held_since) + self.settings.hold_s / self.rate)
        return due

    def _objection(self, seq: int, action: str, levels: list[float], ttl: float) -> str:
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
        if not all(math.isfinite(x) for x in levels) or (action == "close" and not levels):
            return "bad_level"
        return ""

    def _stop(self, seq: int, now: float) -> list[Acknowledgement]:
        """Vent at once, whatever else the command says, at any age and in any order."""
        due = self._settle(now, "ok", "superseded")
        self.last_seq = max(self.last_seq, seq)
        self.state, self.target, self.locked = "stopped", 0.0, True
        self._rest_at(now, 0.0)
        return [*due, self._keep(self._answer(seq, now, now, "ok", "vented"))]

    def _move(self, seq: int, action: str, levels: list[float], delay: float, now: float) -> list[Acknowledgement]:
        """Begin a move. The same order again joins the move in progress; another one supersedes it."""
        here = self.level(now)
        # A repeated order to hold is the same hold: its second does not start again.
        self._held_since = min(now, self._held_since) if action == "hold" else math.inf
        # "open" and "release" carry no level of their own: both mean 0.
        level = {"close": levels[0] if levels else 0.0, "hold": here}.get(action, 0.0)
        target = min(max(level, 0.0), self.settings.greatest)
        status: AcknowledgementStatus = "ok" if target == level else "clipped"
        if self._pending and action != "hold" and target == self.target:
            self._pending.append(Acknowledgement(seq, now, self._path[2], status, (target,)))
            return []
        due = self._settle(now, "ok", "superseded")
        self.state, self.target = "following", target
        if target == here:
            self._rest_at(now, here)
            return [*due, self._keep(self._answer(seq, now, now, status, ""))]
        effective = now + delay
        self._path = (now, here, effective, target)
        self._pending = [Acknowledgement(seq, now, effective, status, (target,))]
        return due

    def _settle(self, now: float, status: AcknowledgementStatus, code: str) -> list[Acknowledgement]:
        """Answer the moves in progress with the level they reached."""
        reached = (self.level(now),)
        settled = [
            replace(answer, effective=now, status=status, code=code, applied_level=reached)
            for answer in self._pending
        ]
        self._pending = []
        return [self._keep(answer) for answer in settled]

    def delay(self, seq: int) -> float:
        """Time this command takes to have effect, s; drawn from the seed and the sequence number."""
        draw = world.chance.generator([self._seed, 2, seq])
        return float(self.settings.delay_s * math.exp(self.settings.delay_spread * draw.standard_normal()))

    def _rest_at(self, now: float, level: float) -> None:
        self._path = (now, level, now, level)

    def _answer(
        self, seq: int, received: float, effective: float, status: AcknowledgementStatus, code: str
    ) -> Acknowledgement:
        return Acknowledgement(seq, received, effective, status, (self.level(effective),), code)

    def _refusal(self, seq: int, now: float, code: str) -> Acknowledgement:
        return self._answer(seq, now, now, "refused", code)

    def _keep(self, answer: Acknowledgement) -> Acknowledgement:
        """Remember the last answers, for repeated commands."""
        self._answers[answer.seq] = answer
        while len(self._answers) > REMEMBERED:
            self._answers.pop(next(iter(self._answers)))
        return answer


def _whole(seq: object) -> int:
    """A sequence number, 0 for anything else."""
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq > 0 else 0
