"""The controller's memory and its inner steps; :mod:`_machine` is what others call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any, NoReturn

from workbench.control._conditions import Condition, condition
from workbench.control._confirmation import Confirmation
from workbench.control._link import Link
from workbench.control._profile import Effector, SafeStep
from workbench.control._supervisor import Limits, Now, Supervisor, check_limits, profile_limits
from workbench.control._table import FAULTS, Thresholds, Transition, follow, onward, possible
from workbench.control._watch import Watch
from workbench.errors import BadValue, Refused
from workbench.vocabulary import Command, Decision, LedgerRow

ENGAGED = ("ACTIVE", "HOLD")
"""States in which the effector is closed by intent."""

WATCHED = ("IDLE_SAFE", "ARMED", "ACTIVE", "HOLD", "RELEASE", "REFRACTORY")
"""States in which heartbeats go out and a watchdog raises a fault by itself."""

SAFE = ("FAULT_SAFE", "ESTOP")
"""States that only an operator's reset leaves."""

LONGEST_REASON = 200
"""Characters of the reason that a command states: a message has a limit, and no STOP may fail because of it."""

REJECTED_S = 1.0
"""Rejected evidence for so long releases a toggle-type effector, s."""


class Core:
    """Memory, views and inner steps of :class:`Controller`, which documents the parameters."""

    def __init__(
        self,
        effector: Effector,
        *,
        limits: Limits | None = None,
        thresholds: Thresholds | None = None,
        hop_s: float = 0.05,
        speed: float = 1.0,
        simulated: bool = True,
        dose_used_s: float = 0.0,
    ) -> None:
        if not (isfinite(hop_s) and hop_s > 0 and isfinite(speed) and speed > 0):
            raise BadValue(f"hop_s and speed must be above 0, got {hop_s} and {speed}")
        self.effector, self.simulated = effector, simulated
        self.limits = profile_limits(effector) if limits is None else check_limits(limits, effector)
        self._thresholds, self._speed = thresholds or Thresholds(), speed
        self._supervisor = Supervisor(self.limits, channels=effector.channels, dose_used_s=dose_used_s)
        self._link, self._watch = Link(effector), Watch(hop_s=hop_s)
        self._state, self._previous = "DISCONNECTED", ""
        self._now = self._entered = self._activated = Now(0.0, 0.0, 0.0)
        self._started = False
        self._rows: list[LedgerRow] = []
        self._decision: Decision | None = None
        self._level = (0.0,) * effector.channels
        self._steps: list[SafeStep] = []
        self._stage = ""
        self._operator, self._ready, self._leaving, self._reminded = "", False, False, False
        self._decoder, self._approved = "", ""
        self._proven = False
        self._fault, self._cause = "", ""
        self._known: set[str] = set()
        self._confirmation = Confirmation()
        self._round_trip_s: float | None = None
        self._foreign_messages = 0
        self._foreign_streams: tuple[str, ...] = ()
        self._absent = self._absence_over = False
        self._rejected: Now | None = None
        self._release_ms = effector.release_ramp_ms

    # ------------------------------------------------------------------------------------- views
    @property
    def state(self) -> str:
        """One of :data:`STATES`."""
        return self._state

    @property
    def previous(self) -> str:
        """The state before, ``""`` at the start."""
        return self._previous

    @property
    def level(self) -> tuple[float, ...]:
        """Level last commanded, a fraction 0–1 per channel."""
        return self._level

    @property
    def dose_s(self) -> float:
        """Activation counted so far, s."""
        return self._supervisor.dose_s

    @property
    def device_at_rest(self) -> bool:
        """Whether nothing is known against a new self-test: the device holds no pressure and vents none."""
        return self._confirmation.at_rest

    @property
    def next_state(self) -> str:
        """The ordinary next state."""
        if self._state in ("RELEASE", "REFRACTORY") and self._leaving:
            return "IDLE_SAFE"
        return onward(self._state).target

    @property
    def why(self) -> str:
        """The rule between this state and the next, or what is missing, in one or two sentences."""
        if self._state == "IDLE_SAFE" and (unmet := self._unmet()):
            return f"Arming is not possible: {unmet[0].text}"
        dwell = self._thresholds.dwell
        hops = "1 hop" if dwell == 1 else f"{dwell} hops"
        words = onward(self._state).why.format(**self._words(), hops=hops)
        return f"{self._cause[:1].upper()}{self._cause[1:]}. {words}" if self._cause else words

    def conditions(self) -> tuple[Condition, ...]:
        """The arming conditions, each met or not, with its reason."""
        approved = bool(self._decoder) and self._decoder == self._approved
        other = f"The decoder loaded is {self._decoder[:8]}, approved is {self._approved[:8] or 'none'}."
        return (
            condition("participant_ready", ok=self._ready),
            condition("decoder_approved", ok=approved, instead=other if self._decoder else ""),
            condition("montage_good", ok=self._watch.quality_ok is True),
            condition("estop_tested", ok=self._proven),
            condition("command_acknowledged", ok=self._proven),
            condition("link_authenticated", ok=not self._foreign_streams, instead=self._foreign_words()),
            condition("operator_present", ok=not self._absent),
            condition("dose_left", ok=self._supervisor.dose_left_s > 0),
            condition("operator", ok=bool(self._operator)),
        )

    def snapshot(self) -> dict[str, Any]:
        """The ``effector`` part of the engine's status: plain strings, numbers and lists.

        ``level`` is what was commanded; ``confirmed`` and ``stop`` are what the device's signed status says.
        """
        return {
            **self._confirmation.snapshot(self._now),
            "foreign": self._foreign_messages,
            "foreign_streams": list(self._foreign_streams),
            "heartbeats_missed": self._link.heartbeats_missed,
            "absent": self._absent,
            "round_trip_ms": None if self._round_trip_s is None else round(self._round_trip_s * 1000.0, 1),
            "name": self.effector.name,
            "simulated": self.simulated,
            "state": self._state,
            "previous": self._previous,
            "next": self.next_state,
            "why": self.why,
            "why_key": f"control.next.{self._state}",
            "why_args": self._words(),
            "fault": self._fault,
            "level": max(self._level),
            "acknowledged": self._link.acknowledged,
            "sent": self._link.sent,
            "dose_s": round(self._supervisor.dose_s, 3),
            "dose_limit_s": self.limits.dose_s,
            "held_s": round(self._now.since(self._activated), 3) if self._state in ENGAGED else 0.0,
            "conditions": [{"text_key": c.text_key, "ok": c.ok, "text": c.text} for c in self.conditions()],
        }

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """The rule of the run that begins; for the words on the screen only."""
        self._thresholds = thresholds

    def take_rows(self) -> list[LedgerRow]:
        """Rows for the ledger since the last call, oldest first; each is given once."""
        rows, self._rows = self._rows, []
        return rows

    # ------------------------------------------------------------------------------------- clocks
    def _tell(self, stream: float | None, local: float | None) -> bool:
        """Set the clocks forward; False when one given is not a number, which changes nothing."""
        stream = self._now.stamp if stream is None else stream
        local = self._now.local if local is None else local
        if not (isfinite(stream) and isfinite(local)):
            return False
        forward = max(0.0, stream - self._now.stamp) if self._started else 0.0
        onward_local = max(local, self._now.local) if self._started else local
        self._now = Now(self._now.stream + forward, onward_local, stream)
        if not self._started:
            self._started, self._entered = True, self._now
        self._supervisor.count(self._now, moving=any(self._level))
        return True

    def _update(self, stream: float, local: float, *, quality_ok: bool | None) -> list[Command]:
        """Clocks and watchdogs; the commands are those of a fault."""
        if not self._tell(stream, local):
            return self._fail("clock")
        if quality_ok is not None:
            self._watch.quality(self._now, ok=quality_ok)
        if self._state not in WATCHED or self._state == "IDLE_SAFE":
            return []
        code = self._watch.fault(self._now, active=self._state in ENGAGED)
        return self._fail(code) if code else []

    # ------------------------------------------------------------------------------------ changes
    def _go(self, event: str) -> Transition:
        row = follow(self._state, event)
        if row.target != self._state:
            self._previous, self._state, self._entered = self._state, row.target, self._now
        return row

    def _order(self, action: str, *, ramp_ms: int, reason: str, level: tuple[float, ...] | None = None) -> Command:
        """A new order to the effector; without a level, level 0."""
        self._level = level or (0.0,) * self.effector.channels
        decision = self._decision
        template = Command(
            seq=0,
            stamp=self._now.stamp,
            window_end=self._now.stamp if decision is None else decision.stamp,
            sample=-1 if decision is None else decision.sample,
            device=self.effector.name,
            profile=self.effector.profile,
            action=action,
            level=self._level,
            ramp_ms=ramp_ms,
            ttl_ms=self.effector.ttl_ms,
            state=self._state,
            decoder_sha256=self._decoder,
            reason=reason[:LONGEST_REASON],
        )
        return self._link.order(template, now=self._now)

    def _intent(self, decision: Decision, asked: Sequence[float] | None) -> list[Command]:
        """An activation by the paradigm: followed, or entered in the ledger with the reason."""
        if self._state in ENGAGED:
            return self._open("release", "second intent") if self.effector.grasp == "toggle" else []
        if self._state not in ("ARMED", "RELEASE", "REFRACTORY"):
            return []
        if reason := self._hindrance(decision):
            self._row("intent_ignored", reason, "the effector did not move", "low")
            return []
        usual = (min(self.effector.level, self.limits.level_max),) * self.effector.channels
        clip = self._supervisor.clip(usual if asked is None else asked)
        if clip.broken:
            return self._fail("level_broken", f"the level asked for was broken: {clip.words}")
        if clip.words:
            self._row("level_clipped", clip.words, "the supervisor's limit was sent", "medium")
        self._go("activate")
        self._activated, self._reminded = self._now, False
        self._watch.begin(self._now)
        action, ramp_ms = self.effector.activate_action, self.effector.ramp_ms
        return [self._order(action, ramp_ms=ramp_ms, reason="evidence rose", level=clip.level)]

    def _hindrance(self, decision: Decision) -> str:
        """Why an activation is not followed now, or ``""``."""
        if self._state != "ARMED":
            return f"intent in state {self._state}"
        if not decision.valid:
            return "the evidence is not valid"
        age_ms = (self._now.stamp - decision.stamp) / self._speed * 1000.0
        if not age_ms <= self.effector.ttl_ms:
            return f"the decision is {age_ms:.0f} ms old, allowed are {self.effector.ttl_ms} ms"
        unmet = self._unmet()
        return unmet[0].text if unmet else ""

    def _open(self, event: str, reason: str, *, ramp_ms: int | None = None) -> list[Command]:
        """Release a closed effector; with the profile's ramp unless another is given."""
        self._go(event)
        self._release_ms = self.effector.release_ramp_ms if ramp_ms is None else ramp_ms
        return [self._order(self.effector.release_action, ramp_ms=self._release_ms, reason=reason)]

    def _stand_down(self, reason: str, *, ramp_ms: int | None = None) -> list[Command]:
        """Disarm where that is possible; a closed effector is released first."""
        if not possible(self._state, "disarm"):
            return []
        self._operator, self._leaving = "", True
        if self._state in ENGAGED:
            return self._open("disarm", reason, ramp_ms=ramp_ms)
        self._go("disarm")
        return []

    def _fail(self, reason: str, words: str = "") -> list[Command]:
        """Go to the profile's safe state; ESTOP stays latched, and a second fault restarts nothing."""
        said = words or FAULTS.get(reason, reason)
        entered = self._state not in SAFE
        self._go("fault")
        if reason not in self._known:
            self._known.add(reason)
            what = "safe state commanded, not confirmed yet" if entered else f"the state stays {self._state}"
            self._row("fault", said, what, "high")
        if not entered:
            return []
        level = self._level
        self._confirmation.ask_safe(self._now)
        self._drop(said)
        self._fault = reason if reason in FAULTS else "other"
        self._steps = list(self.effector.on_fault)
        return self._step(level)

    def _step(self, level: tuple[float, ...]) -> list[Command]:
        """The next step of the safe state, with the level that a keeping step keeps."""
        step = self._steps.pop(0)
        kept = level if step.keep_level else None
        return [self._order(step.action, ramp_ms=step.ramp_ms, reason=self._cause, level=kept)]

    def _drop(self, reason: str) -> None:
        """Forget whatever allowed the effector to move."""
        self._cause, self._fault = reason, ""
        self._operator, self._stage = "", ""
        self._ready = self._leaving = self._proven = False

    def _renew(self) -> None:
        """Begin again with nothing proven and nothing sent."""
        self._link.forget()
        self._link.silence()
        self._watch.clear()
        self._level = (0.0,) * self.effector.channels
        self._cause, self._fault, self._stage = "", "", ""
        self._proven = False
        self._known.clear()
        self._confirmation.clear()

    # --------------------------------------------------------------------------------------- time
    def _progress(self) -> list[Command]:
        """What the passing of time alone leads to."""
        here = self._now.stream - self._entered.stream
        if self._state in ENGAGED:
            return self._engaged()
        if self._state == "RELEASE" and here >= self._release_ms / 1000 and self._link.answered:
            self._go("ramp_done")
        elif self._state == "REFRACTORY" and here >= self.effector.refractory_s:
            self._leaving = self._leaving or self._supervisor.dose_left_s <= 0
            self._go("stand_down" if self._leaving else "refractory_over")
            self._operator = "" if self._leaving else self._operator
            self._leaving = False
        elif self._steps and self._now.since(self._entered) >= self._steps[0].after_s:
            return self._step(self._level)
        return []

    def _engaged(self) -> list[Command]:
        held = self._now.since(self._activated)
        if held >= self.limits.hold_limit_s:
            self._row("hold_limit", f"{held:.1f} s", "the effector was told to release", "medium")
            return self._open("limit", "longest activation reached")
        if self._supervisor.dose_left_s <= 0:
            used = f"{self._supervisor.dose_s:.0f} s"
            self._row("dose_limit", used, "the effector was told to release", "medium")
            return self._open("limit", "dose of the session used")
        self._remind(held)
        ramped = self._now.stream - self._activated.stream >= self.effector.ramp_ms / 1000
        if self._state == "ACTIVE" and ramped and self._link.answered:
            self._go("level_reached")
        return []

    def _remind(self, held: float) -> None:
        if not self._reminded and held >= self.effector.hold_reminder_s:
            self._reminded = True
            left = self.limits.hold_limit_s - held
            self._row("hold_reminder", f"held {held:.0f} s", f"released in {left:.0f} s at the latest", "low")
        if self._supervisor.reminder():
            unused = f"{self._supervisor.dose_left_s:.0f} s left"
            advice = f"{unused}; look at the skin of the hand" if self.effector.skin_check else unused
            self._row("dose_reminder", f"{self._supervisor.dose_s:.0f} s used", advice, "medium")

    def _lost(self) -> list[Command]:
        """A fault when too many acknowledgements in a row are missing."""
        many = self._link.missed >= self.effector.missed_limit
        return self._fail("acks_missing") if many and self._state in (*WATCHED, "SELFTEST") else []

    def _tested(self) -> list[Command]:
        """The next part of a self-test when the one before it is acknowledged."""
        if self._state != "SELFTEST" or self._stage not in ("stop", "open") or not self._link.answered:
            return []
        if self._stage == "stop":
            # A stop locks the device, and a recorded one must be dead afterwards: both need a new session key.
            self._stage = "agree again"
            return []
        worst_ms, ttl_ms = self._link.round_trip_s * 1000.0, self.effector.ttl_ms
        self._round_trip_s = self._link.round_trip_s
        if 2.0 * worst_ms > ttl_ms:
            allowed = f"a time to live of {ttl_ms} ms allows {ttl_ms / 2:g} ms"
            self._repeat_self_test(f"the link's worst round trip is {worst_ms:.0f} ms, {allowed}")
            return []
        self._stage, self._proven, self._cause = "", True, ""
        self._go("self_test_passed")
        self._row("effector", "self-test passed", "the effector can be armed")
        return []

    def _repeat_self_test(self, reason: str) -> None:
        """Begin the self-test again by itself: nothing is armed and nothing moves; one row a reason."""
        self._link.forget()
        self._link.silence()
        self._stage, self._proven, self._cause = "agree", False, reason
        kind = reason.split(" is ")[0]
        if kind not in self._known:
            self._known.add(kind)
            self._row("self_test", reason, "the effector stays off; the self-test is repeated", "medium")

    def _unfollowed(self, code: str) -> list[Command]:
        """The device does not follow: a fault where it may move, a new self-test where it was not armed."""
        if self._state == "FAULT_SAFE":
            # It completes its own safe state: what is left of ours would only be refused, for ever.
            self._steps.clear()
            self._link.silence()
            return []
        if self._state == "SELFTEST":
            if self._stage in ("stop", "open"):
                self._repeat_self_test(FAULTS[code])
            return []
        if self._state != "IDLE_SAFE":
            return self._fail(code) if self._state in WATCHED else []
        self._go("self_test")
        self._renew()
        self._stage = "agree"
        self._row(code, f"{FAULTS[code]} (not armed)", "the self-test is repeated", "low")
        return []

    def _rejecting(self, decision: Decision) -> list[Command]:
        """A toggle stays closed without evidence, so rejected evidence must open it by itself."""
        if self.effector.grasp != "toggle" or self._state not in ENGAGED or decision.label:
            self._rejected = None
            return []
        self._rejected = self._rejected or self._now
        if self._now.since(self._rejected) < REJECTED_S:
            return []
        self._rejected = None
        self._row("evidence_rejected", f"for {REJECTED_S:g} s", "the effector was told to release", "medium")
        return self._open("release", "evidence was rejected")

    # -------------------------------------------------------------------------------------- words
    def _unmet(self) -> list[Condition]:
        """Arming conditions that are not met, but for the operator's own act."""
        return [c for c in self.conditions() if not c.ok and c.key != "operator"]

    def _foreign_words(self) -> str:
        """Sentence that names the streams in the way, ``""`` when there are none."""
        named = ", ".join(self._foreign_streams)
        return f"A stream of another program bears a name of this session: {named}." if named else ""

    def _words(self) -> dict[str, Any]:
        limits = {"hold_limit_s": self.limits.hold_limit_s, "refractory_s": self.effector.refractory_s}
        return asdict(self._thresholds) | limits

    def _row(self, kind: str, extent: str, consequence: str, priority: str = "info") -> LedgerRow:
        """Enter a row for the ledger."""
        row = LedgerRow(
            kind,
            self._now.stamp,
            self._now.local,
            sample=-1 if self._decision is None else self._decision.sample,
            stream=self.effector.name,
            extent=extent,
            consequence=consequence,
            priority=priority,
        )
        self._rows.append(row)
        return row

    def _refuse(self, words: str) -> NoReturn:
        """Enter the refusal in the ledger and raise it."""
        self._row("refused", words, "nothing was changed", "low")
        raise Refused(words)
