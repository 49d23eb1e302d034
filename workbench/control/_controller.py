"""The controller: decisions in, commands out. Only this room makes a command; the default is off.

It has no clock and no thread. Its caller passes stream time (corrected LSL time in s, which refractory
time, hold limit and time to live count) and monotonic local time (which heartbeats, missing
acknowledgements and silence count). Upper limits run on whichever of the two went further.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TypedDict

from workbench.control._activation import Activation
from workbench.control._arming import Arming
from workbench.control._conditions import Condition
from workbench.control._confirmation import Confirmation
from workbench.control._device import DeviceReports
from workbench.control._inputs import Input, InputLog, is_input
from workbench.control._law import ControlLaw, check_law
from workbench.control._log import ControllerLog
from workbench.control._machine import StateMachine
from workbench.control._operator import OperatorActs
from workbench.control._orders import Orders
from workbench.control._profile import Effector
from workbench.control._safe_state import SafeState
from workbench.control._self_test import SelfTest
from workbench.control._snapshot import EffectorStatus, RuleValues
from workbench.control._stimulation import StimulationGate
from workbench.control._stimulation_reports import StimulationReports
from workbench.control._supervisor import Limits, Supervisor, check_limits, profile_limits
from workbench.control._table import ARMED_OR_ENGAGED, BY_LAW, WATCHED, State, Thresholds, Way, onward
from workbench.control._watch import Watch, broken
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.stimulation import Setup
from workbench.vocabulary import Command, Decision, LedgerRow


class _Common(TypedDict):
    """Parts that most parts above them are made of."""

    log: ControllerLog
    orders: Orders
    arming: Arming
    safe_state: SafeState


class Controller:
    """State machine of one effector in one session, with its supervisor.

    Parameters
    ----------
    effector : its profile.
    limits : the protocol's limits, None for the profile's own.
    law : which decisions close the effector and what opens it, None for ``hold``.
    thresholds : for words only.
    hop_s : time between decisions, s.
    speed : how much faster than real time the stream runs; the age of a decision is divided by it, and
        loop overruns do not count unless it is 1.
    simulated : whether the device behind the profile is simulated.
    dose_used_s : activation earlier on the same day, s.
    stimulation : programme, signed limits and person, of an effector that stimulates; without it that stays off.

    Attributes
    ----------
    operator : :class:`OperatorActs`, what people do.
    device : :class:`DeviceReports`, what the device says.
    stimulation : :class:`StimulationReports`, what becomes known of a person who is stimulated.

    Every row for the ledger, an operator's included, is handed out once by :meth:`take_rows`, and every call that
    may have changed anything by :meth:`take_inputs`. From a :func:`state_entry`, the inputs since then give the
    same commands.
    """

    def __init__(
        self,
        effector: Effector,
        *,
        limits: Limits | None = None,
        law: ControlLaw | None = None,
        thresholds: Thresholds | None = None,
        hop_s: float = 0.05,
        speed: float = 1.0,
        simulated: bool = True,
        dose_used_s: float = 0.0,
        stimulation: Setup | None = None,
    ) -> None:
        if not (isfinite(hop_s) and hop_s > 0 and isfinite(speed) and speed > 0):
            raise BadValue(Message("control.hop_and_speed", hop=f"{hop_s}", speed=f"{speed}"))
        checked = profile_limits(effector) if limits is None else check_limits(limits, effector)
        self._law = check_law(law or ControlLaw(), checked, effector)
        self.effector, self.simulated = effector, simulated
        self._thresholds = thresholds or Thresholds()
        # Each part is made of those above it. The dose is counted at each new time, before anything that happens
        # at that time changes the level: the time just past counts with the level commanded during it.
        supervisor = Supervisor(checked, channels=effector.channels, dose_used_s=dose_used_s)
        # What is asked for counts: a sham, whose level is 0, uses its dose up like the other.
        machine = StateMachine(
            speed=speed, on_time=lambda now: supervisor.count(now, moving=any(self.level) or any(gate.asked))
        )
        watch, confirmation = Watch(hop_s=hop_s, young_s=effector.ttl_ms / 1000.0), Confirmation()
        log, inputs = ControllerLog(effector.name, machine), InputLog(machine)
        self.setup = stimulation
        gate = StimulationGate(effector, machine, log=log, setup=stimulation)
        orders = Orders(effector, machine, gate=gate)
        arming = Arming(
            effector, simulated=simulated, machine=machine, log=log, supervisor=supervisor, watch=watch, gate=gate
        )
        safe_state = SafeState(machine, log=log, orders=orders, arming=arming, confirmation=confirmation)
        activation = Activation(
            machine,
            log=log,
            orders=orders,
            arming=arming,
            supervisor=supervisor,
            safe_state=safe_state,
            law=self._law,
        )
        common: _Common = {"log": log, "orders": orders, "arming": arming, "safe_state": safe_state}
        self_test = SelfTest(machine, **common, watch=watch, confirmation=confirmation)
        self.operator = OperatorActs(machine, **common, inputs=inputs, activation=activation, self_test=self_test)
        self.device = DeviceReports(
            machine, **common, inputs=inputs, confirmation=confirmation, self_test=self_test
        )
        self.stimulation = StimulationReports(
            machine, log=log, orders=orders, inputs=inputs, gate=gate, safe_state=safe_state
        )
        self._machine, self._log, self._inputs, self._orders = machine, log, inputs, orders
        self._supervisor, self._watch, self._confirmation = supervisor, watch, confirmation
        self._arming, self._activation = arming, activation
        self._safe_state, self._self_test = safe_state, self_test

    # ------------------------------------------------------------------------------------ events
    @is_input
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
        # Before it is judged: the rows and commands of a fault cite the decision that caused it.
        self._machine.decision = decision
        # What is marked invalid (a window with a gap) may contain anything; what claims to be valid must be what
        # its kind allows.
        if decision.valid and broken(decision):
            return commands + self._safe_state.fail("evidence_broken")
        self._watch.evidence(self._machine.now, valid=decision.valid, age_s=self._machine.age_s(decision))
        return commands + self._activation.follow(decision, level)

    @is_input
    def on_schedule(
        self,
        *,
        close: bool,
        now_stream: float,
        local: float,
        quality_ok: bool,
        level: Sequence[float] | None = None,
    ) -> list[Command]:
        """Follow a move of the schedule; without effect unless a schedule moves the effector in this run.

        Parameters
        ----------
        close : whether the effector closes, or opens.
        now_stream : stamp of the newest sample acquired, s.
        local : monotonic local time, s.
        quality_ok : whether the montage is good enough.
        level : level asked for, fraction 0–1 per channel; None for the profile's.
        """
        commands = self._update(now_stream, local, quality_ok=quality_ok)
        # Commands of a schedule rest on no decision, and must not cite one of an earlier run.
        self._machine.decision = None
        return commands + self._activation.follow_schedule(close=close, level=level)

    @is_input
    def on_tick(self, now_stream: float, *, local: float, quality_ok: bool | None = None) -> list[Command]:
        """Time has passed: limits, safe-state steps, missing acknowledgements, heartbeats.

        To be called at least every ``heartbeat_s``, also when no sample comes.

        Parameters
        ----------
        now_stream, local : s, stream time and local monotonic time.
        quality_ok : whether the montage is good enough; None while it is not known.
        """
        commands = self._update(now_stream, local, quality_ok=quality_ok)
        # Silence is judged before time moves the state on: a device that no longer answers is a fault, not a level
        # reached. The heartbeat comes last and carries the state and level of this tick.
        commands += self.device.check_silence()
        commands += self._end_stimulation()
        commands += self._activation.progress()
        commands += self._safe_state.progress()
        # Between two steps of a safe state heartbeats continue: a device that lapsed would follow its own safe
        # state and refuse ours.
        pulse = self.state in WATCHED or (self.state == "FAULT_SAFE" and self._safe_state.has_steps_left)
        return commands + self._orders.renew_heartbeat(pulse=pulse)

    @is_input
    def on_hop(self, duration_s: float, *, local: float) -> list[Command]:
        """How long one hop of the decode loop took, s; more than 3 overruns within 1 s are a fault."""
        self._machine.advance(None, local)
        overrun = self._watch.hop(duration_s, local=self._machine.now.local)
        # Faster than real time a hop has less time than at the bedside, so an overrun proves nothing there.
        counts = self._machine.speed == 1.0 and self.state in WATCHED
        return self._safe_state.fail("overrun") if overrun and counts else []

    @is_input
    def on_fault(
        self, reason: str, *, sentence: str = "", now_stream: float | None = None, local: float | None = None
    ) -> list[Command]:
        """A fault found elsewhere.

        Parameters
        ----------
        reason : a code of :data:`FAULTS`, or a sentence.
        sentence : says more than that of the code.
        now_stream, local : s, stream time and local monotonic time.
        """
        self._machine.advance(now_stream, local)
        return self._safe_state.fail(reason, sentence)

    def _end_stimulation(self) -> list[Command]:
        """What the supervisor of stimulation ends: by a release, a fault or a stop."""
        commands: list[Command] = []
        for ending, why in (self.stimulation.take_ending(), self._orders.gate.progress()):
            if ending == "stop":
                commands.append(self._safe_state.stop(why)[1])
            elif ending == "fault":
                commands += self._safe_state.fail("stimulation", why)
            elif ending == "release" and self._activation.engaged:
                commands += self._activation.release("limit", why)
        return commands

    def _update(self, stream: float, local: float, *, quality_ok: bool | None) -> list[Command]:
        """Clocks and watchdogs; the commands are those of a fault."""
        if not self._machine.advance(stream, local):
            # The clocks stay as they were, so no limit can be relied on any longer.
            return self._safe_state.fail("clock")
        now = self._machine.now
        if quality_ok is not None:
            self._watch.quality(now, ok=quality_ok)
        # Elsewhere bad signals only keep the operator from arming; as a fault they would ask for a reset and a new
        # self-test each time an electrode is adjusted.
        if self.state not in ARMED_OR_ENGAGED:
            return []
        code = self._watch.fault(now, active=self._activation.rests_on_evidence)
        return self._safe_state.fail(code) if code else []

    # ------------------------------------------------------------------------------------- views
    @property
    def state(self) -> State:
        """One of :data:`STATES`."""
        return self._machine.state

    @property
    def level(self) -> tuple[float, ...]:
        """Level last commanded, a fraction 0–1 per channel."""
        return self._orders.level

    @property
    def dose_s(self) -> float:
        """Activation counted so far, s."""
        return self._supervisor.dose_s

    @property
    def limits(self) -> Limits:
        """The limits that hold now."""
        return self._supervisor.limits

    @property
    def next_state(self) -> State:
        """The ordinary next state."""
        if self.state in ("RELEASE", "REFRACTORY") and self._arming.disarms_after_release:
            return "IDLE_SAFE"
        return onward(self.state, self._way).target

    @property
    def why(self) -> str:
        """The rule between this state and the next, or what is missing, in one or two English sentences."""
        if self.state == "IDLE_SAFE" and (unmet := self._arming.unmet()):
            return f"Arming is not possible: {unmet[0].text}"
        dwell = self._thresholds.dwell
        hops = "1 hop" if dwell == 1 else f"{dwell} hops"
        conditions = ", ".join(self._law.conditions) or "an intent"
        rule = onward(self.state, self._way).why
        rule = rule.format(**self._rule_values(), hops=hops, conditions=conditions)
        cause = self._cause
        return f"{cause[:1].upper()}{cause[1:]}. {rule}" if cause else rule

    @property
    def _way(self) -> Way:
        """What moves the effector, for the words on the way on."""
        return "schedule" if self._arming.scheduled else self._law.law

    @property
    def _cause(self) -> str:
        """What led to this state where that is not its ordinary way: a fault, a stop, a failed self-test."""
        return self._safe_state.cause or self._self_test.obstacle

    def conditions(self) -> tuple[Condition, ...]:
        """The arming conditions, each met or not, with its reason."""
        return self._arming.conditions()

    @is_input
    def set_thresholds(self, thresholds: Thresholds) -> None:
        """The rule of the run that begins; for the words on the screen only."""
        self._thresholds = thresholds

    def take_rows(self) -> list[LedgerRow]:
        """Rows for the ledger since the last call, oldest first; each is given once."""
        return self._log.take()

    def take_inputs(self) -> list[Input]:
        """Inputs since the last call, oldest first; each is given once."""
        return self._inputs.take()

    def snapshot(self) -> EffectorStatus:
        """The ``effector`` part of the engine's status: plain strings, numbers and lists."""
        way = self._way
        link, round_trip_s = self._orders.link, self._self_test.round_trip_s
        gate = self._orders.gate
        confirmed = self._confirmation.confirmed(self._machine.now)
        if gate.blinded:
            # What the device reports would tell a sham; that it is at rest is said once a ramp would be over.
            confirmed |= {"level": None, "state": "", "at_rest": confirmed["at_rest"] and gate.settled}
        return {
            "confirmed": confirmed,
            "stop": self._confirmation.stop(self._machine.now),
            "foreign": self.device.foreign_messages,
            "foreign_streams": list(self._arming.foreign_streams),
            "heartbeats_missed": link.heartbeats_missed,
            "absent": self._arming.absent,
            "round_trip_ms": None if round_trip_s is None else round(round_trip_s * 1000.0, 1),
            "name": self.effector.name,
            "simulated": self.simulated,
            "mover": self._arming.decoder_sha256,
            "state": self.state,
            "previous": self._machine.previous,
            "next": self.next_state,
            "why": self.why,
            "why_key": f"control.next.{self.state}{'.' + way if (self.state, way) in BY_LAW else ''}",
            "why_args": self._rule_values(),
            "fault": self._safe_state.fault,
            "cause": self._cause,
            "level": max(gate.asked if gate.blinded else self.level),
            "stimulation": self.stimulation.status(),
            # A sham is acknowledged sooner, and repeated less.
            "acknowledged": 0 if gate.blinded else link.acknowledged,
            "sent": 0 if gate.blinded else link.sent,
            "dose_s": round(self.dose_s, 3),
            "dose_limit_s": self.limits.dose_s,
            "held_s": round(self._activation.duration_s, 3),
            "conditions": [{"text_key": c.text_key, "ok": c.ok, "text": c.text} for c in self.conditions()],
        }

    def _rule_values(self) -> RuleValues:
        return {
            "activate": self._thresholds.activate,
            "release": self._thresholds.release,
            "dwell": self._thresholds.dwell,
            "hold_limit_s": self.limits.hold_limit_s,
            "refractory_s": self.effector.refractory_s,
            "trigger_s": self._law.trigger_s,
        }
