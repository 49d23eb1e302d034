"""The controller: decisions in, commands out. Only this room makes a command; the default is off.

It has no clock and no thread. Its caller passes stream time (corrected LSL time in s, which refractory
time, hold limit and time to live count) and monotonic local time (which heartbeats, missing
acknowledgements and silence count). Upper limits run on whichever of the two went further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from workbench.control._core import ENGAGED, WATCHED, Core
from workbench.control._table import possible
from workbench.control._watch import broken
from workbench.errors import BadValue
from workbench.vocabulary import Acknowledgement, Command, Decision, LedgerRow

SELF_TEST_ITEMS = ("streams", "clock")
"""Items every self-test must bring: required streams resolved, clock offset steady within 5 ms."""


class Act(NamedTuple):
    """What an operator's act led to: its row for the ledger, and commands to send at once."""

    row: LedgerRow
    commands: list[Command]


class Controller(Core):
    """State machine of one effector in one session.

    Parameters
    ----------
    effector : its profile.
    limits : the protocol's limits, None for the profile's own.
    thresholds : for words only.
    hop_s : time between decisions, s.
    speed : how much faster than real time the stream runs; the age of a decision is divided by it, and
        loop overruns do not count unless it is 1.
    simulated : whether the device behind the profile is simulated.
    dose_used_s : activation earlier on the same day, s.

    Every row for the ledger, an operator's included, is handed out once by :meth:`take_rows`.
    """

    # ---------------------------------------------------------------------------------- operator
    def self_test(
        self, results: Mapping[str, bool], *, now_stream: float | None = None, local: float | None = None
    ) -> Act:
        """Begin a self-test, from DISCONNECTED, SELFTEST or IDLE_SAFE.

        ``results`` holds what the engine found, :data:`SELF_TEST_ITEMS` at least. When all are true, a
        stop and then an opening command are sent; their acknowledgements lead to IDLE_SAFE.
        """
        self._tell(now_stream, local)
        failed = [name for name in SELF_TEST_ITEMS if name not in results]
        failed += [name for name, ok in results.items() if not ok]
        if self._state == "DISCONNECTED" and not set(failed) & set(SELF_TEST_ITEMS):
            self._go("connect")
        elif self._state == "IDLE_SAFE":
            self._go("self_test")
        elif self._state not in ("SELFTEST", "DISCONNECTED"):
            self._refuse(f"a self-test starts from SELFTEST or IDLE_SAFE; the state is {self._state}")
        self._renew()
        if failed:
            said = f"self-test not passed: {', '.join(failed)}"
            return Act(self._row("operator", said, f"the effector stays off ({self._state})", "medium"), [])
        self._stage = "stop"
        row = self._row("operator", "self-test begun", "a stop and an opening command are sent")
        return Act(row, [self._order("stop", ramp_ms=0, reason="self-test of the stop")])

    def disconnect(self, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Let the effector go at the end of a session. Refused while it may move or is latched."""
        self._tell(now_stream, local)
        if not possible(self._state, "disconnect"):
            self._refuse(f"the effector cannot be let go in state {self._state}; disarm or reset it first")
        self._go("disconnect")
        self._renew()
        return Act(self._row("operator", "effector disconnected", "it is off"), [])

    def set_decoder(self, sha256: str, *, approved_sha256: str) -> Act:
        """Name the loaded decoder and the one that is approved for this effector and participant."""
        self._decoder, self._approved = sha256, approved_sha256
        same = bool(sha256) and sha256 == approved_sha256
        said = f"decoder {sha256[:8] or 'none'} loaded"
        row = self._row(
            "operator", said, "it is the approved one" if same else "it is not approved; arming is blocked"
        )
        return Act(row, [] if same else self._stand_down("decoder not approved"))

    def set_ready(self, *, ready: bool, by: str) -> Act:
        """Note that the participant is ready, or no longer is; the latter disarms."""
        _named(by)
        self._ready = ready
        row = self._row("operator", f"participant {'ready' if ready else 'not ready'}", f"said by {by}")
        return Act(row, [] if ready else self._stand_down("participant not ready"))

    def arm(self, operator: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Arm.

        Raises
        ------
        Refused
            When the state or an arming condition does not allow it; the text names every one that is not met.
        """
        _named(operator)
        self._tell(now_stream, local)
        if not possible(self._state, "arm"):
            self._refuse(f"arming is not possible in state {self._state}; it is in IDLE_SAFE")
        if unmet := self._unmet():
            self._refuse("arming is not possible: " + " ".join(c.text for c in unmet))
        self._go("arm")
        self._operator, self._leaving = operator, False
        return Act(self._row("operator", f"armed by {operator}", "intent moves the effector"), [])

    def disarm(self, operator: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Disarm; a closed effector is released first."""
        _named(operator)
        self._tell(now_stream, local)
        if not possible(self._state, "disarm"):
            self._refuse(f"there is nothing to disarm in state {self._state}")
        commands = self._stand_down("disarmed")
        return Act(self._row("operator", f"disarmed by {operator}", "intent is not followed"), commands)

    def let_go(self, reason: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Release a closed effector and stay armed (pause, end of a run); elsewhere it changes nothing."""
        self._tell(now_stream, local)
        commands = self._open("release", reason) if self._state in ENGAGED else []
        return Act(
            self._row("operator", reason, "the effector was released" if commands else "it was not closed"),
            commands,
        )

    def estop(self, reason: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Stop at once, from any state; latched until :meth:`reset` and a new self-test."""
        self._tell(now_stream, local)
        self._go("estop")
        self._drop(reason)
        step = self.effector.on_estop[0]
        self._steps = list(self.effector.on_estop[1:])
        row = self._row("estop", reason, "the effector was stopped; the stop is latched", "high")
        return Act(row, [self._order(step.action, ramp_ms=step.ramp_ms, reason=reason)])

    def reset(self, operator: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Leave ESTOP or FAULT_SAFE toward a new self-test. Refused before the safe state is complete."""
        _named(operator)
        self._tell(now_stream, local)
        if not possible(self._state, "reset"):
            self._refuse(f"there is nothing to reset in state {self._state}")
        if self._steps:
            self._refuse("the safe state is not complete yet; reset again in a moment")
        self._go("reset")
        self._renew()
        return Act(self._row("operator", f"reset by {operator}", "a new self-test is needed"), [])

    # -------------------------------------------------------------------------------------- road
    def on_decision(
        self,
        decision: Decision,
        *,
        now_stream: float,
        local: float,
        quality_ok: bool,
        level: Sequence[float] | None = None,
    ) -> list[Command]:
        """Follow one decision.

        Parameters
        ----------
        decision : its ``change`` is ``"activate"`` or ``"release"`` where the paradigm says so.
        now_stream : stamp of the newest sample acquired, s.
        local : monotonic local time, s.
        quality_ok : whether the montage is good enough.
        level : level asked for, fraction 0–1 per channel; None for the profile's.
        """
        commands = self._update(now_stream, local, quality_ok=quality_ok)
        self._decision = decision
        if decision.valid and broken(decision.probabilities):
            return commands + self._fail("evidence_broken")
        self._watch.evidence(self._now, valid=decision.valid)
        if decision.change == "activate":
            return commands + self._intent(decision, level)
        if decision.change == "release" and self._state in ENGAGED and self.effector.grasp == "hold":
            return commands + self._open("release", "evidence fell" if decision.label else "evidence was rejected")
        return commands

    def on_tick(self, now_stream: float, *, local: float, quality_ok: bool | None = None) -> list[Command]:
        """Time went on: limits, safe-state steps, missing acknowledgements, heartbeats.

        To be called at least every ``heartbeat_s``, also when no sample comes.
        """
        commands = self._update(now_stream, local, quality_ok=quality_ok)
        for late in self._link.overdue(now=self._now):
            if self._state in (*WATCHED, "SELFTEST"):
                extent = f"command {late.seq} ({late.action})"
                self._row("ack_missing", extent, "the order is repeated", "medium")
        commands += self._lost()
        commands += self._progress()
        beat = self._link.beat(now=self._now, state=self._state, pulse=self._state in WATCHED)
        return commands if beat is None else [*commands, beat]

    def on_ack(self, ack: Acknowledgement, *, local: float | None = None) -> list[Command]:
        """Match an acknowledgement; a refusal or a level that was not sent is a fault."""
        self._tell(None, local)
        verdict = self._link.acknowledge(ack)
        if verdict == "refused":
            return self._fail("command_refused", f"command {ack.seq} was refused ({ack.code or ack.status})")
        if verdict == "exceeded":
            return self._fail("level_exceeded", f"command {ack.seq}: level {ack.applied_level} was reported")
        if verdict == "timeout":
            return self._lost()
        if verdict in ("late", "unknown", "clipped"):
            said = {"late": "came late", "unknown": "answers no command", "clipped": "the device sent less on"}
            self._row(f"ack_{verdict}", f"acknowledgement of command {ack.seq}", said[verdict], "low")
        return self._tested()

    def on_hop(self, duration_s: float, *, local: float) -> list[Command]:
        """How long one hop of the decode loop took, s; more than 3 overruns within 1 s are a fault."""
        self._tell(None, local)
        over = self._watch.hop(duration_s, local=self._now.local)
        return self._fail("overrun") if over and self._speed == 1.0 and self._state in WATCHED else []

    def on_fault(
        self, reason: str, *, now_stream: float | None = None, local: float | None = None
    ) -> list[Command]:
        """A fault found elsewhere: a code of :data:`FAULTS` or a sentence."""
        self._tell(now_stream, local)
        return self._fail(reason)


def _named(person: str) -> None:
    if not person.strip():
        raise BadValue("a name is needed for the record, got an empty one; say who acts")
