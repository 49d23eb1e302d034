"""The safe state of an effector: entered by a fault or a stop, step by step, and left by a reset alone."""

from __future__ import annotations

from workbench.control._arming import Arming
from workbench.control._confirmation import SILENT_S, Confirmation
from workbench.control._log import ControllerLog
from workbench.control._machine import StateMachine
from workbench.control._orders import Orders
from workbench.control._profile import SafeStep
from workbench.control._table import FAULTS, SAFE
from workbench.messages import Message
from workbench.vocabulary import Command, LedgerRow


class SafeState:
    """Why the effector is in its safe state, and the steps that are still to come.

    Parameters
    ----------
    machine, log, orders : state, where faults are entered, and commands.
    arming : is revoked.
    confirmation : what the device says of it.

    Attributes
    ----------
    cause : the fault or the reason of the stop in words, ``""`` without one.
    fault : code of the fault, ``"other"`` for a sentence of the caller, ``""`` without one.
    """

    def __init__(
        self,
        machine: StateMachine,
        *,
        log: ControllerLog,
        orders: Orders,
        arming: Arming,
        confirmation: Confirmation,
    ) -> None:
        self._machine, self._log, self._orders = machine, log, orders
        self._arming, self._confirmation = arming, confirmation
        self.cause = self.fault = ""
        self._steps: list[SafeStep] = []
        self._entered: set[str] = set()

    def fail(self, reason: str, sentence: str = "") -> list[Command]:
        """Go to the profile's safe state; ESTOP stays latched, and a second fault restarts nothing.

        Parameters
        ----------
        reason : a code of :data:`FAULTS`, or a sentence.
        sentence : says more than that of the code.
        """
        text = sentence or FAULTS.get(reason) or reason
        # Asked before the transition, which makes it false.
        begins = self._machine.state not in SAFE
        self._machine.go("fault")
        # A watchdog stays due and reports at every tick: one row per reason until the next self-test.
        if reason not in self._entered:
            self._entered.add(reason)
            stays = Message("control.state_stays", state=self._machine.state)
            self._log.enter("fault", text, Message("control.safe_state_commanded") if begins else stays, "high")
        if not begins:
            return []
        level = self._orders.level
        self._confirmation.ask_safe(self._machine.now)
        self._arming.revoke()
        self.cause, self.fault = text, reason if reason in FAULTS else "other"
        self._steps = list(self._orders.effector.on_fault)
        return [self._step(level)]

    def stop(self, reason: str) -> tuple[LedgerRow, Command]:
        """Stop at once, from any state."""
        self._machine.go("estop")
        self._arming.revoke()
        self.cause, self.fault = reason, ""
        # These replace the steps of a fault that may be under way: a stop is never slower than the fault before
        # it.
        step, *self._steps = self._orders.effector.on_estop
        self._confirmation.ask_stop(self._machine.now)
        row = self._log.enter("estop", reason, Message("control.stop_sent"), "high")
        return row, self._orders.give(step.action, ramp_ms=step.ramp_ms, reason=reason)

    def progress(self) -> list[Command]:
        """The next step, when its time has come."""
        machine = self._machine
        # By whichever clock ran further: a stream that has stopped, often the fault itself, must not keep a hand
        # closed.
        if not self._steps or machine.now.since(machine.entered) < self._steps[0].after_s:
            return []
        return [self._step(self._orders.level)]

    def _step(self, level: tuple[float, ...]) -> Command:
        """The next step, with the level that a keeping step keeps."""
        step = self._steps.pop(0)
        kept_level = level if step.keep_level else None
        return self._orders.give(step.action, ramp_ms=step.ramp_ms, reason=self.cause, level=kept_level)

    @property
    def has_steps_left(self) -> bool:
        """Whether a step is still to come."""
        return bool(self._steps)

    @property
    def complete(self) -> bool:
        """Whether every step was ordered, and the device is not known to hold or vent pressure still."""
        age_s = self._confirmation.age_s(self._machine.now)
        # A status older than that proves nothing: a device that was unplugged must not block the reset for ever.
        venting = age_s is not None and age_s < SILENT_S and not self._confirmation.at_rest
        return not self._steps and not venting

    @property
    def stop_unconfirmed(self) -> bool:
        """Whether the device has not confirmed a STOP yet."""
        return self._machine.state == "ESTOP" and not self._confirmation.stop_confirmed

    def leave_to_device(self) -> None:
        """The device completes its own safe state: what is left of ours would only be refused, for ever."""
        self._steps.clear()
        self._orders.link.silence()

    def clear(self) -> None:
        """A new self-test begins: forget the causes."""
        self.cause = self.fault = ""
        self._entered.clear()
