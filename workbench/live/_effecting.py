"""The engine's hand on the effector: controller, command outlet, acknowledgements.

Behind one lock, because STOP comes from the server's thread and must not wait for the engine's loop.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from workbench import control
from workbench.devices import lsl
from workbench.errors import BadValue, Refused
from workbench.live._ledger import Ledger
from workbench.vocabulary import Acknowledgement, Command, Decision

SAFE = ("FAULT_SAFE", "ESTOP")
ENGAGED_OR_ARMED = ("ARMED", "ACTIVE", "HOLD", "RELEASE", "REFRACTORY")


class Effecting:
    """One effector in one session.

    Parameters
    ----------
    name : of the effector profile. outlet : LSL text stream of commands.
    record : called with every command and acknowledgement (any thread) while a run is recorded.
    stream_now : stream time now, s.
    """

    def __init__(
        self,
        name: str,
        *,
        outlet: lsl.Outlet,
        ledger: Ledger,
        record: Callable[[Command | Acknowledgement], None],
        stream_now: Callable[[], float],
        speed: float,
        simulated: bool,
    ) -> None:
        self.controller = control.Controller(control.load(name), speed=speed, simulated=simulated)
        self._outlet, self._ledger, self._record = outlet, ledger, record
        self._stream_now = stream_now
        self._lock = threading.RLock()

    @property
    def state(self) -> str:
        """State of the controller."""
        return self.controller.state

    def self_test(self, *, streams: bool, clock: bool) -> None:
        """Begin a self-test."""
        with self._lock:
            self._act(self.controller.self_test({"streams": streams, "clock": clock}, **self._now()))

    def decoder(self, sha256: str, *, approved: str, rule: Mapping[str, Any]) -> None:
        """Name the loaded and the approved decoder, and the paradigm's ``rule`` for the words on the screen."""
        usual = control.Thresholds()
        with self._lock:
            self.controller.set_thresholds(
                control.Thresholds(
                    float(rule.get("activate", usual.activate)),
                    float(rule.get("release", usual.release)),
                    int(rule.get("dwell", usual.dwell)),
                )
            )
            self._act(self.controller.set_decoder(sha256, approved_sha256=approved))

    def arm(self, operator: str) -> None:
        """Arm; the operator states that the participant is ready. ``Refused`` names what is missing."""
        with self._lock:
            try:
                self._act(self.controller.set_ready(ready=True, by=operator))
                self._act(self.controller.arm(operator, **self._now()))
            finally:
                self._rows()

    def disarm(self, operator: str) -> None:
        """Disarm."""
        with self._lock:
            try:
                self._act(self.controller.disarm(operator, **self._now()))
            finally:
                self._rows()

    def let_go(self, reason: str) -> None:
        """Release a closed effector, stay armed."""
        with self._lock:
            self._act(self.controller.let_go(reason, **self._now()))

    def stand_down(self, reason: str) -> None:
        """Release and disarm where that is possible."""
        with self._lock:
            if self.controller.state in ENGAGED_OR_ARMED:
                self._act(self.controller.disarm(f"engine ({reason})", **self._now()))

    def estop(self, reason: str) -> None:
        """Stop at once. Any thread."""
        with self._lock:
            self._act(self.controller.estop(reason, **self._now()))

    def fault(self, reason: str) -> None:
        """A fault found by the engine: to the safe state."""
        with self._lock:
            if self.controller.state != "DISCONNECTED":
                self._send(self.controller.on_fault(reason, **self._now()))

    def reset(self, operator: str) -> None:
        """Leave a latched stop or a fault."""
        with self._lock:
            try:
                self._act(self.controller.reset(operator, **self._now()))
            finally:
                self._rows()

    def decided(self, decision: Decision, *, quality_ok: bool) -> None:
        """Follow a decision."""
        with self._lock:
            now = self._now()
            commands = self.controller.on_decision(
                decision, quality_ok=quality_ok, now_stream=now["now_stream"], local=now["local"]
            )
            self._send(commands)

    def hop(self, duration_s: float) -> None:
        """How long a hop took, s."""
        with self._lock:
            self._send(self.controller.on_hop(duration_s, local=lsl.local_clock()))

    def tick(self, *, quality_ok: bool | None) -> None:
        """Time went on."""
        with self._lock:
            now = self._now()
            self._send(self.controller.on_tick(now["now_stream"], local=now["local"], quality_ok=quality_ok))

    def acknowledged(self, text: str) -> None:
        """A text of the acknowledgement stream."""
        try:
            content = json.loads(text)
            ack = Acknowledgement(**{**content, "applied_level": tuple(content["applied_level"])})
        except (ValueError, TypeError, KeyError) as error:
            raise BadValue(f"the effector sent what is no acknowledgement ({error}): {text[:80]!r}") from error
        with self._lock:
            self._record(ack)
            self._send(self.controller.on_ack(ack, local=lsl.local_clock()))

    def disconnect(self) -> None:
        """End of the session: disarm and let go; a latched or faulted effector is left in its safe state."""
        with self._lock:
            self.stand_down("the session ended")
            try:
                self._act(self.controller.disconnect(**self._now()))
            except Refused:
                self._rows()

    def snapshot(self) -> dict[str, Any]:
        """The effector's part of the status."""
        with self._lock:
            return self.controller.snapshot()

    def _now(self) -> dict[str, float]:
        return {"now_stream": self._stream_now(), "local": lsl.local_clock()}

    def _act(self, act: control.Act) -> None:
        self._send(act.commands)

    def _send(self, commands: list[Command]) -> None:
        for command in commands:
            self._outlet.push_text(json.dumps(asdict(command)), command.stamp)
            self._record(command)
        self._rows()

    def _rows(self) -> None:
        for row in self.controller.take_rows():
            self._ledger.enter(row)
