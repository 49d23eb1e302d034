"""The controller: decisions in, commands out. Only this room makes a command; the default is off.

It has no clock and no thread. Its caller passes stream time (corrected LSL time in s, which refractory
time, hold limit and time to live count) and monotonic local time (which heartbeats, missing
acknowledgements and silence count). Upper limits run on whichever of the two went further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from workbench.control._confirmation import SILENT_S
from workbench.control._core import ENGAGED, WATCHED, Core
from workbench.control._grant import Grant
from workbench.control._table import possible
from workbench.control._watch import broken
from workbench.errors import BadValue, Refused
from workbench.vocabulary import Acknowledgement, Command, Decision, DeviceStatus, LedgerRow

SELF_TEST_ITEMS = ("streams", "clock")
"""Items every self-test must bring: required streams resolved, clock offset steady within 5 ms."""


ABSENT_S = 2.0
"""Without an operator's answer for longer than this, no activation begins, s."""

LONGEST_ABSENCE_S = 60.0
"""The effector is released and disarmed after an absence of at most this, whatever the plan says, s."""


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

        ``results`` holds what the engine found, :data:`SELF_TEST_ITEMS` at least. When all are true, a session
        key is agreed (:attr:`needs_session`, :meth:`on_session`) and a stop is sent; when that is acknowledged,
        another key is agreed and an opening command is sent. Its acknowledgement leads to IDLE_SAFE.
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
        self._stage = "agree"
        return Act(self._row("operator", "self-test begun", "a stop and an opening command are sent"), [])

    def disconnect(self, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Release the effector at the end of a session. Refused while it may move or is latched."""
        self._tell(now_stream, local)
        if not possible(self._state, "disconnect"):
            self._refuse(f"the effector cannot be disconnected in state {self._state}; disarm or reset it first")
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

    def arm(
        self,
        operator: str,
        *,
        grant: Grant | None = None,
        now_stream: float | None = None,
        local: float | None = None,
    ) -> Act:
        """Arm.

        Parameters
        ----------
        operator : who arms.
        grant : of the study record, its signature verified; its limits and dose hold from here on. Only a
            simulated effector is armed without one.
        now_stream, local : s, stream time and local monotonic time.

        Raises
        ------
        Refused
            When the state, the grant or an arming condition does not allow it; the text names every condition
            that is not met.
        BadValue
            When a limit of the grant is wider than the profile's.
        """
        _named(operator)
        self._tell(now_stream, local)
        if not possible(self._state, "arm"):
            self._refuse(f"arming is not possible in state {self._state}; it is in IDLE_SAFE")
        if grant is None and not self.simulated:
            self._refuse("arming is not possible: the record has granted nothing; ask for a grant")
        if grant is not None:
            self._apply(grant)
        if unmet := self._unmet():
            self._refuse("arming is not possible: " + " ".join(c.text for c in unmet))
        self._go("arm")
        self._operator, self._leaving = operator, False
        return Act(self._row("operator", f"armed by {operator}", "intent moves the effector"), [])

    def _apply(self, grant: Grant) -> None:
        """Take limits and used dose from a grant; what this session counted is never forgotten."""
        try:
            self.limits = grant.limits(self.effector, decoder_sha256=self._decoder, now=self._now)
        except Refused as refusal:
            self._refuse(str(refusal))
        self._supervisor.limits = self.limits
        self._supervisor.state_earlier(grant.dose_used_s)

    def operator_absent(
        self,
        since_s: float,
        *,
        limit_s: float = 20.0,
        now_stream: float | None = None,
        local: float | None = None,
    ) -> list[Command]:
        """Nobody's screen has answered for ``since_s`` s; to be called again and again, with 0 when one does.

        Parameters
        ----------
        since_s : s since an operator's screen last answered. Above :data:`ABSENT_S` no activation begins, and a
            running one ends by its own rule.
        limit_s : s after which the effector is released by the ramp of lost commands and disarmed.
        now_stream, local : s, stream time and local monotonic time.
        """
        self._tell(now_stream, local)
        if since_s <= ABSENT_S:
            if self._absent:
                self._row("operator_back", "an operator's screen answers again", "activations are possible again")
            self._absent = self._absence_over = False
            return []
        if not self._absent:
            self._absent = True
            extent = f"no operator's screen has answered for {ABSENT_S:g} s"
            rule = "no activation begins; a running one ends by its own rule"
            self._row("operator_absent", extent, rule, "high")
        limit_s = min(limit_s, LONGEST_ABSENCE_S) if isfinite(limit_s) else LONGEST_ABSENCE_S
        if since_s < limit_s or self._absence_over or not possible(self._state, "disarm"):
            return []
        self._absence_over = True
        self._row("operator_absent", f"{since_s:.0f} s", "the effector was told to release; disarmed", "high")
        ramps = [step.ramp_ms for step in self.effector.on_fault if step.action in ("release", "open")]
        return self._stand_down("no operator", ramp_ms=ramps[-1] if ramps else None)

    def set_foreign(self, *, messages: int, streams: Sequence[str]) -> list[str]:
        """What bears this effector's names and is not from it; returns the streams that are new.

        Parameters
        ----------
        messages : foreign or unsigned messages seen so far.
        streams : words of every such stream that is there now; while there is one, arming is blocked.
        """
        new = [words for words in streams if words not in self._foreign_streams]
        self._foreign_messages, self._foreign_streams = messages, tuple(streams)
        for words in new:
            self._row("foreign_stream", words, "it is refused and moves nothing; arming is blocked", "high")
        return new

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
            self._row("operator", reason, "the effector was told to release" if commands else "it was not closed"),
            commands,
        )

    def estop(self, reason: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Stop at once, from any state; latched until :meth:`reset` and a new self-test."""
        self._tell(now_stream, local)
        self._go("estop")
        self._drop(reason)
        step = self.effector.on_estop[0]
        self._steps = list(self.effector.on_estop[1:])
        self._confirmation.ask_stop(self._now)
        row = self._row("estop", reason, "STOP sent, not acknowledged; the stop is latched", "high")
        return Act(row, [self._order(step.action, ramp_ms=step.ramp_ms, reason=reason)])

    def reset(self, operator: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Leave ESTOP or FAULT_SAFE toward a new self-test. Refused before the safe state is complete."""
        _named(operator)
        self._tell(now_stream, local)
        if not possible(self._state, "reset"):
            self._refuse(f"there is nothing to reset in state {self._state}")
        age_s = self._confirmation.age_s(self._now)
        venting = age_s is not None and age_s < SILENT_S and not self._confirmation.at_rest
        if self._steps or venting:
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
        commands += self._rejecting(decision)
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
            if late.action == "stop":
                self._row("ack_missing", "STOP sent, not acknowledged", "it is repeated", "high")
            elif late.action != "heartbeat" and self._state in (*WATCHED, "SELFTEST"):
                # A heartbeat is only counted: its successor is answered, or three missing ones are a fault.
                self._row("ack_missing", f"command {late.seq} ({late.action})", "the order is repeated", "medium")
        commands += self._lost()
        age_s = self._confirmation.age_s(self._now)
        if age_s is not None and age_s > SILENT_S and self._state in WATCHED:
            commands += self._fail("status_missing")
        commands += self._progress()
        # Between two steps of a safe state the device must not lapse, or it would follow its own and refuse ours.
        pulse = self._state in WATCHED or (self._state == "FAULT_SAFE" and bool(self._steps))
        beat = self._link.beat(now=self._now, state=self._state, pulse=pulse)
        return commands if beat is None else [*commands, beat]

    def on_ack(self, ack: Acknowledgement, *, local: float | None = None) -> list[Command]:
        """Match an acknowledgement; a refusal or a level that was not sent is a fault."""
        self._tell(None, local)
        verdict = self._link.acknowledge(ack, now=self._now)
        if verdict == "locked":
            return self._unfollowed("device_lapsed")
        if verdict == "refused":
            return self._fail("command_refused", f"command {ack.seq} was refused ({ack.code or ack.status})")
        if verdict == "exceeded":
            return self._fail("level_exceeded", f"command {ack.seq}: level {ack.applied_level} was reported")
        if verdict == "timeout":
            return self._lost()
        if verdict in ("late", "unknown", "clipped"):
            said = {"late": "came late", "unknown": "answers no command", "clipped": "the device sent less on"}
            self._row(f"ack_{verdict}", f"acknowledgement of command {ack.seq}", said[verdict], "low")
        # Answered is the newest order: the stop of a self-test a moment ago says nothing of the operator's.
        if verdict == "ok" and self._state == "ESTOP" and self._link.answered:
            took = self._confirmation.acknowledge_stop(self._now)
            if took is not None:
                self._row("stop_acknowledged", f"after {took * 1000:.0f} ms", "the effector acknowledged the stop")
        return self._tested()

    @property
    def needs_session(self) -> bool:
        """Whether the self-test waits for a session key to be agreed with the device."""
        return self._stage in ("agree", "agree again")

    @property
    def stop_unconfirmed(self) -> bool:
        """Whether the device has not confirmed a STOP yet; it needs a session key to hear one and to answer."""
        return self._state == "ESTOP" and not self._confirmation.stop_confirmed

    def on_session(self, *, now_stream: float | None = None, local: float | None = None) -> list[Command]:
        """A new session key was agreed: an unconfirmed STOP is sent again, a self-test sends its next command."""
        self._tell(now_stream, local)
        if self.stop_unconfirmed:
            again = self._link.again(now=self._now, state=self._state)
            return [] if again is None else [again]
        if self._state != "SELFTEST" or not self.needs_session:
            return []
        if self._stage == "agree":
            self._stage = "stop"
            return [self._order("stop", ramp_ms=0, reason="self-test of the stop")]
        self._stage = "open"
        return [self._order("open", ramp_ms=self.effector.release_ramp_ms, reason="self-test command")]

    def on_status(self, status: DeviceStatus, *, follows: bool, local: float | None = None) -> list[Command]:
        """A new signed status of the device.

        Parameters
        ----------
        status : what it says; fresh and verified.
        follows : whether the device follows the session key of this engine.
        local : s, local monotonic time.
        """
        self._tell(None, local)
        what, took = self._confirmation.take(status, self._now)
        if what:
            extent = f"level 0 after {took * 1000:.0f} ms" if took < 1 else f"level 0 after {took:.1f} s"
            self._row(f"{what}_confirmed", extent, "the effector's signed status says so")
        lost = self._state in WATCHED and not (follows and not status.locked)
        if self._confirmation.contrary(found=lost):
            return self._unfollowed("device_lapsed" if follows else "session_lost")
        return []

    def summarise_run(self) -> None:
        """One row for the heartbeats of a run that were not acknowledged themselves; none when all were."""
        missed, self._link.heartbeats_missed = self._link.heartbeats_missed, 0
        if missed:
            extent = f"{missed} of {self._link.sent} commands and heartbeats of the session"
            self._row("heartbeats", extent, "not acknowledged themselves; the next one was")

    def on_hop(self, duration_s: float, *, local: float) -> list[Command]:
        """How long one hop of the decode loop took, s; more than 3 overruns within 1 s are a fault."""
        self._tell(None, local)
        over = self._watch.hop(duration_s, local=self._now.local)
        return self._fail("overrun") if over and self._speed == 1.0 and self._state in WATCHED else []

    def on_fault(
        self, reason: str, *, words: str = "", now_stream: float | None = None, local: float | None = None
    ) -> list[Command]:
        """A fault found elsewhere.

        Parameters
        ----------
        reason : a code of :data:`FAULTS`, or a sentence.
        words : a sentence that says more than that of the code.
        now_stream, local : s, stream time and local monotonic time.
        """
        self._tell(now_stream, local)
        return self._fail(reason, words)


def _named(person: str) -> None:
    if not person.strip():
        raise BadValue("a name is needed for the record, got an empty one; say who acts")
