"""Arming: everything that must hold before intent may move the effector, and who allowed it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from workbench import messages
from workbench.control._conditions import Condition, condition
from workbench.control._grant import Grant
from workbench.control._log import ControllerLog
from workbench.control._machine import StateMachine
from workbench.control._profile import Effector
from workbench.control._schedule import SCHEDULE
from workbench.control._stimulation import StimulationGate
from workbench.control._supervisor import Supervisor
from workbench.control._watch import Watch
from workbench.errors import BadValue, Refused
from workbench.messages import Message

ABSENT_S = 2.0
"""Without an operator's answer for longer than this, no activation begins, s."""

LONGEST_ABSENCE_S = 60.0
"""The effector is released and disarmed after an absence of at most this, whatever the plan says, s."""


class Arming:
    """The arming conditions of one effector, and the operator who armed.

    Parameters
    ----------
    effector, simulated : its profile, and whether the device behind it is simulated.
    machine, log : state, and where acts are entered.
    supervisor : limits and dose.
    watch : signal quality.
    gate : what forbids current, of an effector that stimulates.

    Attributes
    ----------
    operator : who armed, ``""`` while nobody has.
    ready : whether the participant is.
    proven : whether a self-test has shown that the effector obeys a stop and a command.
    disarms_after_release : whether the state after the present release is IDLE_SAFE.
    decoder_sha256, approved_sha256 : the loaded decoder and the approved one, or :data:`SCHEDULE`.
    absent : whether no operator's screen answers.
    foreign_streams : other programs' streams that bear this effector's names.
    """

    def __init__(
        self,
        effector: Effector,
        *,
        simulated: bool,
        machine: StateMachine,
        log: ControllerLog,
        supervisor: Supervisor,
        watch: Watch,
        gate: StimulationGate,
    ) -> None:
        self._effector, self._simulated, self._gate = effector, simulated, gate
        self._machine, self._log = machine, log
        self._supervisor, self._watch = supervisor, watch
        self.operator = ""
        self.ready = self.proven = self.disarms_after_release = False
        self.decoder_sha256 = self.approved_sha256 = ""
        self.absent = self._absence_over = False
        self.foreign_streams: tuple[str, ...] = ()

    # -------------------------------------------------------------------------------- conditions
    def conditions(self) -> tuple[Condition, ...]:
        """The arming conditions, each met or not, with its reason."""
        strangers = self.foreign_streams
        foreign = Message("condition.foreign_stream", streams=strangers) if strangers else None
        return (
            condition("participant_ready", ok=self.ready),
            Condition("decoder_approved", ok=True, text=Message("condition.by_schedule"))
            if self.scheduled
            else condition("decoder_approved", ok=self.decoder_approved, instead=self._other_decoder()),
            # `is True`: a quality that is not known yet does not arm.
            condition("montage_good", ok=self._watch.quality_ok is True),
            # Two conditions with one proof: a self-test passes only when its stop and its opening command were
            # both acknowledged. They are named apart because the operator looks for each.
            condition("estop_tested", ok=self.proven),
            condition("command_acknowledged", ok=self.proven),
            condition("link_authenticated", ok=not strangers, instead=foreign),
            condition("operator_present", ok=not self.absent),
            condition("dose_left", ok=self._supervisor.dose_left_s > 0),
            *self._stimulation(),
            condition("operator", ok=bool(self.operator)),
        )

    def _stimulation(self) -> list[Condition]:
        """Whether current may flow; no condition of an effector that does not stimulate."""
        if not self._gate.needed:
            return []
        lacking = self._gate.lacking()
        # Without limits there is nothing else to say.
        limited = self._gate.supervisor is not None
        instead = Message("condition.stimulation_not", why=lacking) if lacking and limited else None
        return [condition("stimulation_allowed", ok=not lacking, instead=instead)]

    def _other_decoder(self) -> Message | None:
        """That another decoder is loaded than the approved one, None where none or the approved one is."""
        if not self.decoder_sha256 or self.decoder_approved:
            return None
        approved = self.approved_sha256[:8] or Message("word.none")
        return Message("condition.other_decoder", hash=self.decoder_sha256[:8], approved=approved)

    def unmet(self) -> list[Condition]:
        """Arming conditions that are not met, but for the operator's own act."""
        return [c for c in self.conditions() if not c.ok and c.key != "operator"]

    @property
    def scheduled(self) -> bool:
        """Whether a schedule moves the effector, whatever a decoder says."""
        return self.decoder_sha256.startswith(SCHEDULE) and self.decoder_approved

    @property
    def decoder_approved(self) -> bool:
        """Whether a decoder is loaded and is the approved one."""
        return bool(self.decoder_sha256) and self.decoder_sha256 == self.approved_sha256

    # -------------------------------------------------------------------------------------- acts
    def arm(self, operator: str, grant: Grant | None) -> None:
        """Arm; see :meth:`OperatorActs.arm`."""
        if not self._machine.allows("arm"):
            self._log.refuse(Message("control.cannot_arm_in_state", state=self._machine.state))
        if grant is None and not self._simulated:
            self._log.refuse(Message("control.nothing_granted"))
        if grant is not None:
            # Before the conditions are judged: the grant brings the dose of the day, on which `dose_left` depends.
            # Its limits stay in force when arming is refused after all; they are never wider than the profile's.
            self._apply(grant)
        if unmet := self.unmet():
            self._log.refuse(Message("control.cannot_arm", why=[c.text for c in unmet]))
        self._machine.go("arm")
        self.operator, self.disarms_after_release = operator, False

    def _apply(self, grant: Grant) -> None:
        """Take limits and used dose from a grant; what this session counted is never forgotten."""
        try:
            limits = grant.limits(self._effector, decoder_sha256=self.decoder_sha256, now=self._machine.now)
        except (Refused, BadValue) as refusal:
            self._log.refuse(messages.of(refusal))
        self._supervisor.narrow(limits)
        self._supervisor.state_earlier(grant.dose_used_s)

    def withdraw(self) -> None:
        """The operator's permission ends; where the effector is closed, with its release."""
        self.operator, self.disarms_after_release = "", True

    def leave_refractory(self) -> None:
        """After the refractory time: to ARMED, or to IDLE_SAFE when disarmed or the dose is used."""
        # A used dose is judged here as well: it may have been used up by the very activation that has just been
        # released.
        disarms = self.disarms_after_release or self._supervisor.dose_left_s <= 0
        self._machine.go("stand_down" if disarms else "refractory_over")
        self.operator = "" if disarms else self.operator
        self.disarms_after_release = False

    def revoke(self) -> None:
        """After a fault or a stop: nobody is ready, nothing is proven, nobody has armed."""
        self.operator = ""
        self.ready = self.disarms_after_release = self.proven = False

    # ---------------------------------------------------------------------------------- presence
    def note_presence(self) -> None:
        """An operator's screen answers."""
        if self.absent:
            self._log.enter(
                "operator_back", Message("control.screen_answers"), Message("control.activations_possible")
            )
        self.absent = self._absence_over = False

    def note_absence(self, since_s: float, *, limit_s: float) -> bool:
        """No operator's screen has answered for ``since_s`` s; True once, when the effector must be released."""
        if not self.absent:
            self.absent = True
            extent = Message("control.no_screen_answers", n=f"{ABSENT_S:g}")
            self._log.enter("operator_absent", extent, Message("control.no_activation_begins"), "high")
        # A plan that states no finite limit must not keep an unwatched effector armed for ever.
        limit_s = min(limit_s, LONGEST_ABSENCE_S) if isfinite(limit_s) else LONGEST_ABSENCE_S
        if since_s < limit_s or self._absence_over or not self._machine.allows("disarm"):
            return False
        # Once: a release that is ordered again with every report would begin its ramp again.
        self._absence_over = True
        extent = Message("amount.s", n=f"{since_s:.0f}")
        self._log.enter("operator_absent", extent, Message("control.released_and_disarmed"), "high")
        return True

    def note_foreign(self, streams: Sequence[str]) -> list[str]:
        """Streams of other programs that are there now; returns those that are new."""
        new = [stream for stream in streams if stream not in self.foreign_streams]
        self.foreign_streams = tuple(streams)
        for stream in new:
            self._log.enter("foreign_stream", stream, Message("control.foreign_refused"), "high")
        return new
