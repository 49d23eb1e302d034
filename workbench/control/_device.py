"""What the device says, and what it fails to say: acknowledgements, session keys, signed statuses, silence."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.control._arming import Arming
from workbench.control._confirmation import SILENT_S, Confirmation
from workbench.control._inputs import InputLog, is_input
from workbench.control._link import Verdict
from workbench.control._log import ControllerLog, RowKind
from workbench.control._machine import StateMachine
from workbench.control._orders import Orders
from workbench.control._profile import ACTION_WORDS
from workbench.control._safe_state import SafeState
from workbench.control._self_test import NotFollowed, SelfTest
from workbench.control._table import WATCHED
from workbench.messages import Message
from workbench.vocabulary import Acknowledgement, Command, DeviceStatus

_NOTED: dict[Verdict, tuple[RowKind, Message]] = {
    "late": ("ack_late", Message("control.ack_late")),
    "unknown": ("ack_unknown", Message("control.ack_unknown")),
    "clipped": ("ack_clipped", Message("control.ack_clipped")),
}
"""Acknowledgements that are entered and are no fault."""


class DeviceReports:
    """Reports of the device, verified and fresh. ``now_stream`` and ``local`` are stream and local time in s.

    Parameters
    ----------
    machine, log, orders : state, where reports are entered, and commands.
    inputs : where reports are noted.
    arming, confirmation, safe_state, self_test : what the reports concern.
    """

    def __init__(
        self,
        machine: StateMachine,
        *,
        log: ControllerLog,
        inputs: InputLog,
        orders: Orders,
        arming: Arming,
        confirmation: Confirmation,
        safe_state: SafeState,
        self_test: SelfTest,
    ) -> None:
        self._machine, self._log, self._orders = machine, log, orders
        self._inputs = inputs
        self._arming, self._confirmation = arming, confirmation
        self._safe_state, self._self_test = safe_state, self_test
        self.foreign_messages = 0
        self._stop_reported = 0

    # ------------------------------------------------------------------------------------- views
    @property
    def at_rest(self) -> bool:
        """Whether nothing speaks against a new self-test: no pressure is known to be applied or vented."""
        return self._confirmation.at_rest

    @property
    def needs_session(self) -> bool:
        """Whether the self-test waits for a session key to be agreed with the device."""
        return self._self_test.needs_session

    @property
    def stop_unconfirmed(self) -> bool:
        """Whether the device has not confirmed a STOP yet; it needs a session key to hear one and to answer."""
        return self._safe_state.stop_unconfirmed

    @property
    def owes_answer(self) -> bool:
        """Whether the newest order is not acknowledged yet."""
        return self._orders.link.awaits_answer

    # ----------------------------------------------------------------------------------- reports
    @is_input
    def on_session(self, *, now_stream: float | None = None, local: float | None = None) -> list[Command]:
        """A new session key was agreed: an unconfirmed STOP is sent again, a self-test sends its next command."""
        self._machine.advance(now_stream, local)
        return self._orders.repeat() if self.stop_unconfirmed else self._self_test.send_next()

    @is_input
    def on_ack(self, ack: Acknowledgement, *, local: float | None = None) -> list[Command]:
        """Match an acknowledgement; a refusal or a level that was not sent is a fault."""
        self._machine.advance(None, local)
        link, now = self._orders.link, self._machine.now
        verdict = link.acknowledge(ack, now=now)
        if verdict == "locked":
            return self._not_followed("device_lapsed")
        if verdict == "refused":
            sentence = Message("control.command_refused", n=ack.seq, code=ack.code or ack.status)
            return self._safe_state.fail("command_refused", sentence)
        if verdict == "exceeded":
            sentence = Message("control.level_reported", n=ack.seq, levels=str(ack.applied_level))
            return self._safe_state.fail("level_exceeded", sentence)
        if verdict == "timeout":
            return self._check_missed()
        if verdict in _NOTED:
            kind, consequence = _NOTED[verdict]
            self._log.enter(kind, Message("control.ack_of", n=ack.seq), consequence, "low")
        # `answered` is about the newest order: that the stop of a self-test was acknowledged a moment ago says
        # nothing about the operator's.
        elif self._machine.state == "ESTOP" and link.answered:
            took_s = self._confirmation.acknowledge_stop(now)
            if took_s is not None:
                extent = Message("control.after", time=Message("amount.ms", n=f"{took_s * 1000:.0f}"))
                self._log.enter("stop_acknowledged", extent, Message("control.stop_acknowledged"))
        # Whatever was noted above: a clipped acknowledgement answers an order too.
        self._self_test.progress()
        return []

    @is_input
    def on_status(self, status: DeviceStatus, *, follows: bool, local: float | None = None) -> list[Command]:
        """A new signed status of the device.

        Parameters
        ----------
        status : what it says; fresh and verified.
        follows : whether the device follows the session key of this engine.
        local : s, local monotonic time.
        """
        self._machine.advance(None, local)
        gate = self._orders.gate
        # A sham is safe at once; to whoever must not know, it says so no sooner than a ramp would have ended.
        settled = gate.settled or not gate.blinded
        confirmed, took_s = self._confirmation.take(status, self._machine.now, settled=settled)
        if confirmed:
            took = Message("amount.s", n=f"{took_s:.1f}")
            if took_s < 1:
                took = Message("amount.ms", n=f"{took_s * 1000:.0f}")
            extent = Message("control.level_0_after", time=took)
            self._log.enter(confirmed, extent, Message("control.signed_status"))
        # A device that is locked or follows another session key ignores our commands, whatever level it reports.
        lost = self._machine.state in WATCHED and not (follows and not status.locked)
        if self._confirmation.contradicts(lost=lost):
            return self._not_followed("device_lapsed" if follows else "session_lost")
        return []

    def check_silence(self) -> list[Command]:
        """Enter what has become overdue; a fault when acknowledgements or statuses stay away."""
        state = self._machine.state
        for late in self._orders.link.overdue(now=self._machine.now):
            if late.action == "stop":
                self._report_stop_missing()
            elif late.action != "heartbeat" and state in (*WATCHED, "SELFTEST"):
                # A heartbeat is only counted: its successor is answered, or three missing ones are a fault.
                extent = Message("control.command", n=late.seq, action=ACTION_WORDS[late.action])
                self._log.enter("ack_missing", extent, Message("control.order_repeated"), "medium")
        commands = self._check_missed()
        age_s = self._confirmation.age_s(self._machine.now)
        # None before the first status. Agreeing on a session key brings one, so that nothing is armed without.
        if age_s is not None and age_s > SILENT_S and self._machine.state in WATCHED:
            commands += self._safe_state.fail("status_missing")
        return commands

    def _report_stop_missing(self) -> None:
        """One row per STOP: it is repeated every heartbeat, and ten rows a second would bury all others."""
        order = self._orders.link.n_orders
        if self._stop_reported != order:
            self._stop_reported = order
            extent = Message("control.stop_order")
            self._log.enter("ack_missing", extent, Message("control.stop_repeated"), "high")

    def _check_missed(self) -> list[Command]:
        """A fault when too many acknowledgements in a row are missing."""
        many = self._orders.link.missed >= self._orders.effector.missed_limit
        watched = self._machine.state in (*WATCHED, "SELFTEST")
        return self._safe_state.fail("acks_missing") if many and watched else []

    def _not_followed(self, code: NotFollowed) -> list[Command]:
        """The device does not follow: a fault where it may move, a new self-test where it was not armed."""
        state = self._machine.state
        # Not in ESTOP: there the stop is repeated until the device confirms it, under a new session key if need
        # be.
        if state == "FAULT_SAFE":
            self._safe_state.leave_to_device()
        elif state in ("SELFTEST", "IDLE_SAFE"):
            self._self_test.restart(code)
        elif state in WATCHED:
            return self._safe_state.fail(code)
        return []

    # -------------------------------------------------------------------------------- the others
    @is_input
    def set_foreign(self, *, messages: int, streams: Sequence[str]) -> list[str]:
        """What bears this effector's names and is not from it; returns the streams that are new.

        Parameters
        ----------
        messages : foreign or unsigned messages seen so far.
        streams : text of every such stream that is there now; while there is one, arming is blocked.
        """
        self.foreign_messages = messages
        return self._arming.note_foreign(streams)

    @is_input
    def summarise_run(self) -> None:
        """One row for the heartbeats of a run that were not acknowledged themselves; none when all were."""
        link = self._orders.link
        missed, link.heartbeats_missed = link.heartbeats_missed, 0
        if missed:
            extent = Message("control.heartbeats", n=missed, all=link.sent)
            self._log.enter("heartbeats", extent, Message("control.next_acknowledged"))
