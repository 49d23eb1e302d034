"""The self-test: a stop and an opening command, each under a session key of its own, must be acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from workbench.control._arming import Arming
from workbench.control._confirmation import Confirmation
from workbench.control._log import ControllerLog
from workbench.control._machine import StateMachine
from workbench.control._orders import Orders
from workbench.control._safe_state import SafeState
from workbench.control._table import FAULTS
from workbench.control._watch import Watch
from workbench.messages import Message
from workbench.vocabulary import Command, LedgerRow

SELF_TEST_ITEMS = ("streams", "clock")
"""Items every self-test must bring: required streams resolved, clock offset steady within 5 ms."""

ITEM_WORDS = {"streams": Message("control.item_streams"), "clock": Message("control.item_clock")}

Stage = Literal["", "first key", "stop", "second key", "open"]
"""What a self-test waits for: a session key, or the acknowledgement of a command; ``""`` for nothing."""


NotFollowed = Literal["device_lapsed", "session_lost"]
"""Codes of a device that does not follow."""


class SelfTest:
    """The way from SELFTEST to IDLE_SAFE.

    Parameters
    ----------
    machine, log, orders : state, where it is entered, and commands.
    arming : learns that the effector is proven.
    safe_state, watch, confirmation : forget what was before.

    Attributes
    ----------
    round_trip_s : the worst of the last self-test that came so far, s; None before.
    """

    def __init__(
        self,
        machine: StateMachine,
        *,
        log: ControllerLog,
        orders: Orders,
        arming: Arming,
        safe_state: SafeState,
        watch: Watch,
        confirmation: Confirmation,
    ) -> None:
        self._machine, self._log, self._orders, self._arming = machine, log, orders, arming
        self._safe_state, self._watch, self._confirmation = safe_state, watch, confirmation
        self._stage: Stage = ""
        self._obstacle: Message | Literal[""] = ""
        self._entered: set[str] = set()
        self.round_trip_s: float | None = None

    def begin(self, results: Mapping[str, bool]) -> LedgerRow:
        """Begin; ``results`` holds what the engine found, :data:`SELF_TEST_ITEMS` at least."""
        state = self._machine.state
        # An item that was not examined has failed.
        failed = [name for name in SELF_TEST_ITEMS if name not in results]
        failed += [name for name, ok in results.items() if not ok]
        if state == "DISCONNECTED" and not set(failed) & set(SELF_TEST_ITEMS):
            self._machine.go("connect")
        elif state == "IDLE_SAFE":
            # Even where items have failed: what an earlier self-test proved is withdrawn before this one is
            # judged.
            self._machine.go("self_test")
        elif state not in ("SELFTEST", "DISCONNECTED"):
            self._log.refuse(Message("control.self_test_from", state=state))
        self.clear()
        if failed:
            text = Message("control.self_test_failed", what=[ITEM_WORDS.get(name, name) for name in failed])
            return self._log.enter(
                "operator", text, Message("control.stays_off", state=self._machine.state), "medium"
            )
        self._stage = "first key"
        return self._log.enter(
            "operator", Message("control.self_test_begun"), Message("control.test_commands_sent")
        )

    def clear(self) -> None:
        """Begin again with nothing proven and nothing sent."""
        self._orders.clear()
        self._watch.clear()
        self._safe_state.clear()
        self._confirmation.clear()
        self._arming.proven = False
        self._stage, self._obstacle = "", ""
        self._entered.clear()

    @property
    def needs_session(self) -> bool:
        """Whether it waits for a session key to be agreed with the device."""
        return self._machine.state == "SELFTEST" and self._stage in ("first key", "second key")

    @property
    def obstacle(self) -> str:
        """Why the self-test was begun again, ``""`` when it was not."""
        return self._obstacle if self._machine.state == "SELFTEST" else ""

    def send_next(self) -> list[Command]:
        """A session key was agreed: the next command."""
        if not self.needs_session:
            return []
        if self._stage == "first key":
            self._stage = "stop"
            return [self._orders.give("stop", ramp_ms=0, reason="self-test of the stop")]
        self._stage = "open"
        ramp_ms = self._orders.effector.release_ramp_ms
        return [self._orders.give("open", ramp_ms=ramp_ms, reason="self-test command")]

    def progress(self) -> None:
        """The next stage, when the command of this one is acknowledged."""
        link = self._orders.link
        if self._machine.state != "SELFTEST" or self._stage not in ("stop", "open") or not link.answered:
            return
        if self._stage == "stop":
            # A stop locks the device, and a recorded one must be dead afterwards: both need a new session key.
            self._stage = "second key"
            return
        worst_ms, ttl_ms = link.round_trip_s * 1000.0, self._orders.effector.ttl_ms
        self.round_trip_s = link.round_trip_s
        # The device judges a command's age by the status that it echoes, which is at least one round trip old. The
        # factor leaves as much again for a slow moment.
        if 2.0 * worst_ms > ttl_ms:
            self._repeat(
                Message("control.link_too_slow", n=f"{worst_ms:.0f}", ttl=ttl_ms, allowed=f"{ttl_ms / 2:g}")
            )
            return
        self._stage, self._obstacle = "", ""
        self._arming.proven = True
        # Only now: the stop of the self-test latched it too.
        self._orders.gate.reset()
        self._machine.go("self_test_passed")
        self._log.enter("effector", Message("control.self_test_passed"), Message("control.can_be_armed"))

    def restart(self, code: NotFollowed) -> None:
        """The device does not follow, and nothing is armed: begin again without being asked."""
        if self._machine.state == "SELFTEST":
            # While a key is awaited nothing was sent that the device could have failed to follow.
            if self._stage in ("stop", "open"):
                self._repeat(FAULTS[code])
            return
        self._machine.go("self_test")
        self.clear()
        self._stage = "first key"
        extent = Message("control.not_armed", what=FAULTS[code])
        self._log.enter(code, extent, Message("control.self_test_repeated"), "low")

    def _repeat(self, reason: Message) -> None:
        """Nothing is armed and nothing moves; one row a reason."""
        # Only the exchange begins again: `clear` would also forget the signal quality and which rows were entered,
        # and this is repeated for as long as the reason lasts.
        self._orders.forget()
        self._stage, self._obstacle = "first key", reason
        self._arming.proven = False
        if reason.code not in self._entered:
            self._entered.add(reason.code)
            self._log.enter("self_test", reason, Message("control.off_and_repeated"), "medium")
