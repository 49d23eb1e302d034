"""A simulated glove as an LSL player: reads commands, acknowledges them, and keeps its wearer safe by itself.

Commands and acknowledgements are JSON texts with the fields of ``Command`` and ``Acknowledgement``. Times
are stream time: ``speed`` and ``t0`` come from the options or from the description of the command stream.
"""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.devices._base import Device
from workbench.devices._glove import GloveModel, GloveSettings
from workbench.devices._playing import play, ready
from workbench.errors import BadValue, StreamFault
from workbench.vocabulary import Acknowledgement, StreamSpec

if TYPE_CHECKING:
    from workbench.devices.lsl import Inlet

__all__ = ["DEVICE", "GloveModel", "GloveSettings", "Player", "specs"]

DEVICE = Device(
    "A simulated pneumatic glove: inflates after a delay, acknowledges, vents by itself when nobody commands it.",
    options={
        "command_source_id": "source_id of the command stream to obey; required",
        "ack_source_id": "source_id of the acknowledgements; required",
        "status_source_id": "source_id of the status stream (ack_source_id + '-status')",
        "ack_name": "name of the acknowledgement stream (wb-acks)",
        "status_name": "name of the status stream (wb-glove-status)",
        "seed": "of delays and losses (0)",
        "delay_s": "median time to inflate, s (0.42)",
        "delay_spread": "log standard deviation of it (0.18)",
        "loss": "fraction of commands that never arrive (0.001)",
        "hold_s": "how long it holds without a command, s (1, at most 1)",
        "vent_s": "how long a slow vent from full pressure takes, s (2)",
        "greatest": "level above which it clips (1)",
        "speed": "stream seconds per second (from the command stream)",
        "t0": "LSL time at which stream time and clock agree, s (from the command stream)",
        "faults": "marker_delay and marker_loss for the acknowledgements, see workbench.devices.FaultPlan",
    },
    player=True,
    simulated=True,
)

STATUS_EVERY_S = 0.2
POLL_S = 0.005


def specs(options: Mapping[str, Any]) -> tuple[StreamSpec, StreamSpec]:
    """The acknowledgement and the status stream of a glove with these options.

    Raises
    ------
    BadValue
        Without the source_ids of commands and acknowledgements.
    """
    for name in ("command_source_id", "ack_source_id"):
        if not options.get(name):
            raise BadValue(f"simulated_glove needs the option {name}, got none; give one unique in the session")
    ack_id = str(options["ack_source_id"])
    status_id = str(options.get("status_source_id", f"{ack_id}-status"))
    return (
        StreamSpec(str(options.get("ack_name", "wb-acks")), "Acks", 0.0, source_id=ack_id, role="aux"),
        StreamSpec(
            str(options.get("status_name", "wb-glove-status")),
            "DeviceStatus",
            0.0,
            source_id=status_id,
            role="aux",
            critical=False,
        ),
    )


class Player:
    """One glove in this process."""

    def __init__(self, options: Mapping[str, Any], stop: threading.Event) -> None:
        """Make the device and announce its streams."""
        from workbench.devices import lsl
        from workbench.devices._faults import FaultPlan, FaultyOutlet

        self.options, self.stop = options, stop
        self.clock: Callable[[], float] = lsl.local_clock
        keys = ("delay_s", "delay_spread", "loss", "hold_s", "vent_s", "greatest")
        settings = GloveSettings(**{key: options[key] for key in keys if key in options})
        seed = int(options.get("seed", 0))
        self.model = GloveModel(seed, settings)
        self.t0 = float(options.get("t0", lsl.local_clock()))
        self.speed = float(options.get("speed", 1.0))
        if not (math.isfinite(self.speed) and self.speed > 0):
            raise BadValue(f"speed of simulated_glove must be above 0, got {self.speed}; 1 is usual")
        self.specs = specs(options)
        about = {"simulated": True, "device": "simulated_glove"}
        plan = FaultPlan(options.get("faults", ()), fs=1.0, seed=seed)
        self.acks = FaultyOutlet(lambda: lsl.Outlet(self.specs[0], desc=about), plan, t0=self.t0)
        self.status = lsl.Outlet(self.specs[1], desc=about)
        self._said: tuple[str, float] = ("", -math.inf)

    def now(self) -> float:
        """Stream time, s."""
        return self.t0 + (self.clock() - self.t0) * self.speed

    def run(self) -> None:
        """Obey until stopped."""
        inlet = self._connect()
        while inlet is not None and not self.stop.is_set():
            texts, _ = inlet.pull(POLL_S)
            for text in texts:
                self.answer(self._received(text))
            self.answer(self.model.tick(self.now()))
            self.acks.tend(self.now() - self.t0)
            self.tell()
        if inlet is not None:
            inlet.close()
        self.acks.close()
        self.status.close()

    def _connect(self) -> Inlet | None:
        """Wait for the command stream; None when stopped before it came."""
        from workbench.devices import lsl

        while not self.stop.is_set():
            self.tell()
            try:
                inlet = lsl.connect(str(self.options["command_source_id"]), timeout=0.5)
            except StreamFault:
                continue
            if "speed" not in self.options and "speed" in inlet.seen.extra:
                self.speed, self.t0 = inlet.seen.speed, inlet.seen.t0
                self.acks.t0 = self.t0
            return inlet
        return None

    def _received(self, text: str) -> list[Acknowledgement]:
        """Answers to one text; a text that is no JSON object is written to the log."""
        try:
            command = json.loads(text)
        except json.JSONDecodeError:
            command = None
        if not isinstance(command, dict):
            sys.stderr.write(f"not a command: {text[:200]!r}\n")
            return []
        return self.model.receive(command, self.now())

    def answer(self, answers: list[Acknowledgement]) -> None:
        """Send acknowledgements, stamped with the stream time at which they are sent."""
        for item in answers:
            self.acks.push_text(json.dumps(asdict(item)), self.now())

    def tell(self) -> None:
        """Send the status when it changed, and every 0.2 s by the clock."""
        state, at = self._said
        if self.model.state == state and self.clock() - at < STATUS_EVERY_S:
            return
        self._said = (self.model.state, self.clock())
        now = self.now()
        row = {
            "device": "simulated_glove",
            "simulated": True,
            "state": self.model.state,
            "level": self.model.level(now),
            "target": self.model.target,
            "last_seq": self.model.last_seq,
            "stamp": now,
        }
        self.status.push_text(json.dumps(row), now)


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    player = Player(options, stop)
    ready(player.specs, t0=player.t0, speed=player.speed)
    player.run()


if __name__ == "__main__":
    sys.exit(play("simulated_glove", DEVICE, _body))
