"""Activation: from an intent to the closed effector, its limits while it is closed, and its release."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.control._arming import Arming
from workbench.control._law import ControlLaw
from workbench.control._log import ControllerLog
from workbench.control._machine import Now, StateMachine
from workbench.control._orders import Orders
from workbench.control._phase_gate import PhaseGate
from workbench.control._safe_state import SafeState
from workbench.control._supervisor import Supervisor
from workbench.control._table import ARMED_OR_ENGAGED, ENGAGED, Event
from workbench.messages import Message
from workbench.vocabulary import Command, Decision

REJECTED_S = 1.0
"""Rejected evidence for so long releases a toggle-type effector, s."""


class Activation:
    """Closes the effector on intent and opens it again.

    Parameters
    ----------
    machine, log, orders : state, where it is entered, and commands.
    arming : whether intent may move the effector.
    supervisor : level limit and dose.
    safe_state : entered for a request that is not a level.
    law : which decisions close it, and what opens it again.
    """

    def __init__(
        self,
        machine: StateMachine,
        *,
        log: ControllerLog,
        orders: Orders,
        arming: Arming,
        supervisor: Supervisor,
        safe_state: SafeState,
        law: ControlLaw,
    ) -> None:
        self._machine, self._log, self._orders = machine, log, orders
        self._arming, self._supervisor = arming, supervisor
        self._safe_state, self._law, self._gate = safe_state, law, PhaseGate(law)
        self._effector = orders.effector
        self._began = machine.now
        self._reminded = False
        self._rejected_since: Now | None = None
        self._steered = machine.now
        self._release_ms = self._effector.release_ramp_ms

    @property
    def engaged(self) -> bool:
        """Whether the effector is closed by intent."""
        return self._machine.state in ENGAGED

    @property
    def rests_on_evidence(self) -> bool:
        """Whether evidence keeps it closed, so that its absence is a fault; a trigger ends by itself."""
        return self.engaged and self._law.law != "trigger" and not self._arming.scheduled

    @property
    def duration_s(self) -> float:
        """How long it has been closed, s; 0 while it is not."""
        return self._machine.now.since(self._began) if self.engaged else 0.0

    # ---------------------------------------------------------------------------------- evidence
    def follow(self, decision: Decision, level: Sequence[float] | None) -> list[Command]:
        """Follow a decision; ``level`` is a fraction 0–1 per channel, None for the profile's."""
        # Recorded, and without effect: a schedule moves the effector.
        if self._arming.scheduled:
            return []
        if self._law.windows:
            return self._gated(decision, level)
        commands = self._release_rejected(decision)
        # Before anything else that a decision may say: each one says how fast, and a poor one to stand still.
        steered = self._law.law == "proportional" and self.engaged and decision.change != "release"
        if steered:
            return commands + self._steer(decision)
        if self._law.closes(decision):
            return commands + self._intend(decision, level)
        # Neither age nor quality is asked: opening on old or poor evidence is the safe error, closing on it is
        # not, so that only an activation has obstacles.
        if decision.change == "release" and self.engaged and self._law.law in ("hold", "proportional"):
            return commands + self.release(
                "release", "evidence fell" if decision.label else "evidence was rejected"
            )
        return commands

    def follow_schedule(self, *, close: bool, level: Sequence[float] | None) -> list[Command]:
        """Follow a move of the schedule.

        Parameters
        ----------
        close : whether the effector closes, or opens.
        level : fraction 0–1 per channel, None for the profile's.
        """
        if not self._arming.scheduled:
            return []
        if not close:
            return self.release("release", "schedule") if self.engaged else []
        if self.engaged or self._machine.state not in ("ARMED", "RELEASE", "REFRACTORY"):
            return []
        if reason := self._hindrance():
            self._log.enter("move_left_out", reason, Message("control.did_not_move"), "low")
            return []
        return self._close(level, "schedule")

    def _steer(self, decision: Decision) -> list[Command]:
        """The level that a value asks for, in the bout under way; 0 at once where it cannot be relied on."""
        now, level = self._machine.now, (0.0,) * self._effector.channels
        # At most a heartbeat: after a silence the level rises from where it was, and does not make up for it.
        since_s = min(max(0.0, now.stream - self._steered.stream), self._effector.heartbeat_s)
        self._steered = now
        if self._sound(decision):
            wanted = self._law.levels(self._law.shared(decision), decision.kind, decision.label)
            clip = self._supervisor.clip(wanted)
            if clip.broken:
                why = clip.text or Message("control.level_no_number")
                return self._safe_state.fail("level_broken", Message("control.level_broken", why=why))
            # A rise is held back, a fall never: to slow down is the safe error.
            step = self._law.slew_per_s * since_s
            level = tuple(min(there, here + step) for there, here in zip(clip.level, self._orders.level))
        if level == self._orders.level:
            return []
        action, share = self._effector.activate_action, self._law.share
        # How much of what moved was not decoded stands in each command: without it no result can be compared.
        reason = f"{decision.kind}, {share:g} of it assistance" if share else decision.kind
        return [self._orders.give(action, ramp_ms=0, reason=reason, level=level)]

    def _sound(self, decision: Decision) -> bool:
        """Whether a decision can be relied on: young enough, valid, and not rejected."""
        # An age that is not a number is not young. Evidence without a label was rejected.
        fresh = self._machine.age_s(decision) * 1000.0 <= self._effector.ttl_ms
        return fresh and decision.valid and bool(decision.label)

    def _gated(self, decision: Decision, level: Sequence[float] | None) -> list[Command]:
        """A decision on a phase: an intent passes in a window of the law, and waits outside of it."""
        # The next block of a stride may begin while the one before is released; the next stride comes later.
        ready = not self._law.blocks or self._machine.state not in ("RELEASE", "REFRACTORY")
        passage = self._gate.take(decision, sound=self._sound(decision), ready=ready)
        # What was meant before the effector was armed, or before a fault, must be meant again.
        if self._machine.state not in ARMED_OR_ENGAGED:
            self._gate.forget()
            return []
        if self.engaged:
            # Opening is the safe error, so a phase that nobody knows opens. A trigger ends by itself.
            if passage.open or self._law.law == "trigger":
                return []
            return self.release("release", "outside of the phase window")
        if passage.held_back and self._machine.state == "ARMED":
            window = ", ".join(f"{begin:g} – {end:g}" for _, begin, end in self._law.windows)
            self._log.enter(
                "intent_held_back",
                Message("control.outside_window", window=window),
                Message("control.waits_for_window"),
                "low",
            )
        return self._intend(decision, level, window=passage.window) if passage.begins else []

    def _intend(self, decision: Decision, level: Sequence[float] | None, *, window: str = "") -> list[Command]:
        """A decision to close: followed, or entered in the ledger with the reason.

        ``window`` names the block of a stride, whose pattern is then that of the condition.
        """
        if self.engaged:
            return self.release("release", "second intent") if self._law.law == "toggle" else []
        # While nobody has armed, evidence crosses the threshold all the time: a row for each crossing would bury
        # those that matter.
        if self._machine.state not in ("ARMED", "RELEASE", "REFRACTORY"):
            return []
        if reason := self._obstacle(decision):
            self._log.enter("intent_ignored", reason, Message("control.did_not_move"), "low")
            return []
        causes = {"activate": "evidence rose", "cued": "a cue was decided"}
        cause = causes.get(decision.change, "the phase entered its window")
        return self._close(level, cause, condition=window or decision.label)

    def _close(self, level: Sequence[float] | None, cause: str, *, condition: str = "") -> list[Command]:
        """Close the effector.

        Parameters
        ----------
        level : fraction 0–1 per channel, None for the profile's.
        cause : for the record.
        condition : that was decided, whose pattern says which channels move where nobody asked for a level.
        """
        limits = self._supervisor.limits
        if self._law.law == "proportional":
            # A bout begins at standstill; its level follows with the decisions after this one.
            level, self._steered = (0.0,) * self._effector.channels, self._machine.now
        # The profile's own level yields to a narrower limit without a row; only a level that a caller asked for is
        # entered as clipped.
        full = (min(self._effector.level, limits.level_max),) * self._effector.channels
        shares = self._law.pattern(condition)
        usual = tuple(most * share for most, share in zip(full, shares, strict=True)) if shares else full
        clip = self._supervisor.clip(usual if level is None else level)
        if clip.broken:
            why = clip.text or Message("control.level_no_number")
            return self._safe_state.fail("level_broken", Message("control.level_broken", why=why))
        if clip.text:
            self._log.enter("level_clipped", clip.text, Message("control.limit_sent"), "medium")
        if objection := self._orders.gate.objection(clip.level):
            self._log.enter("intent_ignored", objection, Message("control.did_not_move"), "medium")
            return []
        # The state changes before the order is made, because a command states the state it belongs to.
        self._machine.go("activate")
        self._began, self._reminded = self._machine.now, False
        action, ramp_ms = self._effector.activate_action, self._effector.ramp_ms
        return [self._orders.give(action, ramp_ms=ramp_ms, reason=cause, level=clip.level)]

    def _obstacle(self, decision: Decision) -> Message | None:
        """Why a decision may not close the effector now, or None."""
        if reason := self._hindrance():
            return reason
        if not decision.valid:
            return Message("control.evidence_not_valid")
        age_ms = self._machine.age_s(decision) * 1000.0
        # Not `>`: an age that is not a number must not pass.
        if not age_ms <= self._effector.ttl_ms:
            return Message("control.decision_too_old", n=f"{age_ms:.0f}", limit=self._effector.ttl_ms)
        return None

    def _hindrance(self) -> Message | None:
        """Why nothing may close the effector now, or None."""
        if self._machine.state != "ARMED":
            return Message("control.intent_in_state", state=self._machine.state)
        unmet = self._arming.unmet()
        return unmet[0].text if unmet else None

    def _release_rejected(self, decision: Decision) -> list[Command]:
        """A toggle stays closed without evidence, so rejected evidence must open it."""
        if self._law.law != "toggle" or not self.engaged or decision.label:
            self._rejected_since = None
            return []
        now = self._machine.now
        self._rejected_since = self._rejected_since or now
        if now.since(self._rejected_since) < REJECTED_S:
            return []
        self._rejected_since = None
        extent = Message("control.for_s", n=f"{REJECTED_S:g}")
        self._log.enter("evidence_rejected", extent, Message("control.told_to_release"), "medium")
        return self.release("release", "evidence was rejected")

    # ----------------------------------------------------------------------------------- release
    def release(self, event: Event, reason: str, *, ramp_ms: int | None = None) -> list[Command]:
        """Open the closed effector.

        Parameters
        ----------
        event : of the table.
        reason : for the record.
        ramp_ms : ramp in ms; None for the profile's.
        """
        self._machine.go(event)
        # After a limit, or an operator's act, the next window alone must not close it again.
        if event != "release":
            self._gate.forget()
        self._release_ms = self._effector.release_ramp_ms if ramp_ms is None else ramp_ms
        return [self._orders.give(self._effector.release_action, ramp_ms=self._release_ms, reason=reason)]

    def stand_down(self, reason: str, *, ramp_ms: int | None = None) -> list[Command]:
        """Disarm where that is possible; a closed effector is released first.

        Parameters
        ----------
        reason : for the record.
        ramp_ms : ramp of the release in ms; None for the profile's.
        """
        if not self._machine.allows("disarm"):
            return []
        # Also in RELEASE and REFRACTORY, where the table stays in the state: the ramp under way must end first,
        # and then leads to IDLE_SAFE instead of ARMED.
        self._arming.withdraw()
        if self.engaged:
            return self.release("disarm", reason, ramp_ms=ramp_ms)
        self._machine.go("disarm")
        return []

    # -------------------------------------------------------------------------------------- time
    def progress(self) -> list[Command]:
        """What the passing of time alone leads to."""
        if self.engaged:
            return self._limit()
        here_s, state = self._machine.stream_time_here_s, self._machine.state
        # Stream time alone, unlike the upper limits: these are lower bounds, which a stream that stands still may
        # lengthen but not shorten. Without an acknowledgement the effector may still be closed.
        release_s = self._release_ms / 1000 + self._orders.gate.pause_s
        if state == "RELEASE" and here_s >= release_s and self._orders.link.answered:
            self._machine.go("ramp_done")
        elif state == "REFRACTORY" and here_s >= self._effector.refractory_s:
            self._arming.leave_refractory()
        return []

    def _limit(self) -> list[Command]:
        """Release at a limit or when a trigger is over; else note that the level is reached."""
        duration_s, supervisor = self.duration_s, self._supervisor
        if duration_s >= supervisor.limits.hold_limit_s:
            extent = Message("amount.s", n=f"{duration_s:.1f}")
            self._log.enter("hold_limit", extent, Message("control.told_to_release"), "medium")
            return self.release("limit", "longest activation reached")
        if supervisor.dose_left_s <= 0:
            used = Message("amount.s", n=f"{supervisor.dose_s:.0f}")
            self._log.enter("dose_limit", used, Message("control.told_to_release"), "medium")
            return self.release("limit", "dose of the session used")
        triggered = self._law.law == "trigger" and not self._arming.scheduled
        if triggered and duration_s >= self._law.trigger_s:
            return self.release("release", "trigger over")
        self._remind(duration_s)
        # HOLD claims that the level is reached: the ramp must be over, and the device must have said that it
        # follows.
        ramp_s = self._effector.ramp_ms / 1000 + self._orders.gate.pause_s
        ramped = self._machine.now.stream - self._began.stream >= ramp_s
        # A level that follows the evidence is never reached.
        follows = self._law.law == "proportional"
        if self._machine.state == "ACTIVE" and ramped and self._orders.link.answered and not follows:
            self._machine.go("level_reached")
        return []

    def _remind(self, duration_s: float) -> None:
        """Remind the operator, once each, of the hold limit and of the dose."""
        supervisor = self._supervisor
        if not self._reminded and duration_s >= self._effector.hold_reminder_s:
            self._reminded = True
            left_s = supervisor.limits.hold_limit_s - duration_s
            extent = Message("control.held_s", n=f"{duration_s:.0f}")
            self._log.enter("hold_reminder", extent, Message("control.released_in_s", n=f"{left_s:.0f}"), "low")
        if supervisor.reminder():
            left = f"{supervisor.dose_left_s:.0f}"
            checks_skin = self._effector.skin_check
            advice = Message("control.check_skin", n=left) if checks_skin else Message("control.s_left", n=left)
            used = Message("control.s_used", n=f"{supervisor.dose_s:.0f}")
            self._log.enter("dose_reminder", used, advice, "medium")
