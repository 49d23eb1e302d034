"""What people do: test, arm, disarm, stop, reset; and what the engine does in their name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from workbench.control._activation import Activation
from workbench.control._arming import ABSENT_S, Arming
from workbench.control._grant import Grant
from workbench.control._inputs import InputLog, is_input
from workbench.control._log import ControllerLog
from workbench.control._machine import StateMachine
from workbench.control._orders import Orders
from workbench.control._safe_state import SafeState
from workbench.control._schedule import SCHEDULE, SCHEDULED
from workbench.control._self_test import SelfTest
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import Command, LedgerRow


class Act(NamedTuple):
    """What an operator's act led to: its row for the ledger, and commands to send at once."""

    row: LedgerRow
    commands: list[Command]


class OperatorActs:
    """Acts of people, each a row of the ledger. ``now_stream`` and ``local`` are stream and local time in s.

    Parameters
    ----------
    machine, log, orders : state, where acts are entered, and commands.
    inputs : where acts are noted.
    arming, activation, safe_state, self_test : what the acts concern.
    """

    def __init__(
        self,
        machine: StateMachine,
        *,
        log: ControllerLog,
        inputs: InputLog,
        orders: Orders,
        arming: Arming,
        activation: Activation,
        safe_state: SafeState,
        self_test: SelfTest,
    ) -> None:
        self._machine, self._log, self._orders = machine, log, orders
        self._inputs = inputs
        self._arming, self._activation = arming, activation
        self._safe_state, self._self_test = safe_state, self_test

    @is_input
    def self_test(
        self, results: Mapping[str, bool], *, now_stream: float | None = None, local: float | None = None
    ) -> Act:
        """Begin a self-test, from DISCONNECTED, SELFTEST or IDLE_SAFE.

        When all results are true, a session key is agreed (:attr:`DeviceReports.needs_session`,
        :meth:`DeviceReports.on_session`) and a stop is sent; when that is acknowledged, another key is agreed and
        an opening command is sent. Its acknowledgement leads to IDLE_SAFE.

        Parameters
        ----------
        results : what the engine found, :data:`SELF_TEST_ITEMS` at least.
        now_stream, local : s, stream time and local monotonic time.
        """
        self._machine.advance(now_stream, local)
        return Act(self._self_test.begin(results), [])

    @is_input
    def disconnect(self, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Release the effector at the end of a session. Refused while it may move or is latched."""
        self._machine.advance(now_stream, local)
        if not self._machine.allows("disconnect"):
            self._log.refuse(Message("control.cannot_disconnect", state=self._machine.state))
        self._machine.go("disconnect")
        self._self_test.clear()
        row = self._log.enter("operator", Message("control.disconnected"), Message("control.effector_off"))
        return Act(row, [])

    @is_input
    def set_decoder(self, sha256: str, *, approved_sha256: str) -> Act:
        """Name the loaded decoder and the one that is approved for this effector and participant.

        Both are :data:`SCHEDULE` and the procedure where a schedule moves the effector.
        """
        self._arming.decoder_sha256, self._arming.approved_sha256 = sha256, approved_sha256
        self._orders.decoder_sha256 = sha256
        approved = self._arming.decoder_approved
        if self._arming.scheduled:
            procedure = SCHEDULED[sha256.removeprefix(SCHEDULE)]
            row = self._log.enter(
                "operator", Message("control.by_schedule", procedure=procedure), Message("control.nothing_decides")
            )
            return Act(row, self._activation.stand_down("another run"))
        blocked = Message("control.decoder_not_approved") if sha256 else Message("control.no_decoder")
        loaded = Message("control.decoder_loaded", hash=sha256[:8])
        row = self._log.enter(
            "operator",
            loaded if sha256 else Message("control.no_decoder_loaded"),
            Message("control.decoder_is_approved") if approved else blocked,
        )
        # A decoder that is not approved must not continue to move what another one was armed for.
        return Act(row, [] if approved else self._activation.stand_down("decoder not approved"))

    @is_input
    def set_ready(self, *, ready: bool, by: str) -> Act:
        """Note that the participant is ready, or no longer is; the latter disarms."""
        _check_name(by)
        self._arming.ready = ready
        extent = Message("control.participant_ready") if ready else Message("control.participant_not_ready")
        row = self._log.enter("operator", extent, Message("control.stated_by", who=by))
        return Act(row, [] if ready else self._activation.stand_down("participant not ready"))

    @is_input
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
            When the state, the grant (wider than the profile, expired, for another decoder) or an arming condition
            does not allow it; the text names every condition that is not met.
        """
        _check_name(operator)
        self._machine.advance(now_stream, local)
        self._arming.arm(operator, grant)
        extent = Message("control.armed_by", who=operator)
        return Act(self._log.enter("operator", extent, Message("control.intent_moves")), [])

    @is_input
    def disarm(self, operator: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Disarm; a closed effector is released first.

        Parameters
        ----------
        operator : who disarms.
        now_stream, local : s, stream time and local monotonic time.
        """
        _check_name(operator)
        self._machine.advance(now_stream, local)
        if not self._machine.allows("disarm"):
            self._log.refuse(Message("control.nothing_to_disarm", state=self._machine.state))
        commands = self._activation.stand_down("disarmed")
        extent = Message("control.disarmed_by", who=operator)
        return Act(self._log.enter("operator", extent, Message("control.intent_ignored")), commands)

    @is_input
    def release(self, reason: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Release a closed effector and stay armed (pause, end of a run); elsewhere it changes nothing.

        Parameters
        ----------
        reason : for the record.
        now_stream, local : s, stream time and local monotonic time.
        """
        self._machine.advance(now_stream, local)
        commands = self._activation.release("release", reason) if self._activation.engaged else []
        consequence = Message("control.told_to_release") if commands else Message("control.was_not_closed")
        return Act(self._log.enter("operator", reason, consequence), commands)

    @is_input
    def estop(self, reason: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Stop at once, from any state; latched until :meth:`reset` and a new self-test.

        Parameters
        ----------
        reason : for the record.
        now_stream, local : s, stream time and local monotonic time.
        """
        self._machine.advance(now_stream, local)
        # Neither state nor name is checked: nothing may stand between a STOP and its command.
        row, command = self._safe_state.stop(reason)
        return Act(row, [command])

    @is_input
    def reset(self, operator: str, *, now_stream: float | None = None, local: float | None = None) -> Act:
        """Leave ESTOP or FAULT_SAFE toward a new self-test. Refused before the safe state is complete.

        Parameters
        ----------
        operator : who resets.
        now_stream, local : s, stream time and local monotonic time.
        """
        _check_name(operator)
        self._machine.advance(now_stream, local)
        if not self._machine.allows("reset"):
            self._log.refuse(Message("control.nothing_to_reset", state=self._machine.state))
        # A self-test sends commands. It must not begin while steps of the safe state are still to come or the
        # device still vents.
        if not self._safe_state.complete:
            self._log.refuse(Message("control.safe_state_incomplete"))
        self._machine.go("reset")
        self._self_test.clear()
        self._orders.gate.symptom_is_over()
        extent = Message("control.reset_by", who=operator)
        return Act(self._log.enter("operator", extent, Message("control.self_test_needed")), [])

    @is_input
    def report_absence(
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
        self._machine.advance(now_stream, local)
        if since_s <= ABSENT_S:
            self._arming.note_presence()
            return []
        if not self._arming.note_absence(since_s, limit_s=limit_s):
            return []
        # The ramp with which the profile opens after lost commands, usually slower than an intended release:
        # nobody is there to see what is dropped.
        ramps = [step.ramp_ms for step in self._orders.effector.on_fault if step.action in ("release", "open")]
        return self._activation.stand_down("no operator", ramp_ms=ramps[-1] if ramps else None)


def _check_name(person: str) -> None:
    if not person.strip():
        raise BadValue(Message("control.name_needed"))
