"""What a run records of the effector: commands, answers, and all that the controller was given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from workbench import control
from workbench.vocabulary import Acknowledgement, Command, DeviceStatus

INPUTS_AT_ONCE = 16
"""Inputs that wait until they are recorded together; before a command they never wait."""

EffectorEvent = Command | Acknowledgement | DeviceStatus | list[control.Entry]
"""What is recorded; the entries are what the controller was given."""


class EffectorRecording:
    """Records one controller, a run at a time: first its state, then each input before the commands it led to.

    Parameters
    ----------
    controller : is recorded.
    record : called with what there is to record.
    lock : reentrant; held by whoever changes the controller, until what it led to is recorded.
    """

    def __init__(
        self, controller: control.Controller, *, record: Callable[[EffectorEvent], None], lock: threading.RLock
    ) -> None:
        self._controller, self._record, self._lock = controller, record, lock
        self._recording = False
        self._inputs: list[control.Input] = []

    def begin(self, *, stamp: float) -> None:
        """A run begins; ``stamp`` is stream time in s."""
        with self._lock:
            self._inputs = []
            self._controller.take_inputs()
            self._recording = True
            self._record([control.state_entry(self._controller, stamp=stamp)])

    def end(self) -> None:
        """The recording of the run is about to be closed: no command gets into it without its input."""
        with self._lock:
            self._write_inputs()
            self._recording = False

    def enter(self, event: Acknowledgement | DeviceStatus) -> None:
        """Something that the device said."""
        if self._recording:
            self._record(event)

    def follow(self, commands: Sequence[Command]) -> None:
        """What the controller was given since the last call, and the commands that it led to."""
        self._inputs += self._controller.take_inputs()
        # Inputs before their commands: a recording that is cut here gives back every command that it holds.
        if commands or len(self._inputs) >= INPUTS_AT_ONCE:
            self._write_inputs()
        if self._recording:
            for command in commands:
                self._record(command)

    @property
    def awaited_s(self) -> float:
        """How long the acknowledgement of the newest order may still take, s; 0 when it is there."""
        effector = self._controller.effector
        with self._lock:
            if not self._controller.device.owes_answer:
                return 0.0
        # A device may acknowledge when a move has taken effect.
        return effector.ack_timeout_s + effector.release_ramp_ms / 1000.0

    def _write_inputs(self) -> None:
        inputs, self._inputs = [*self._inputs, *self._controller.take_inputs()], []
        if inputs and self._recording:
            self._record([taken.entry() for taken in inputs])
