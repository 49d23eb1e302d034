"""A simulated glove as an LSL player: it verifies and acknowledges commands, and keeps its wearer safe by itself.

It speaks the messages of :mod:`workbench.devices._last_metre`; the bodies of commands and acknowledgements are
those of ``Command`` and ``Acknowledgement``. It is a process that outlives the engine: when an engine dies, its
signed status shows how it completes its safe state, and the next engine of the study finds it again.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from workbench import world
from workbench.devices._base import Device
from workbench.devices._glove import GloveModel, GloveSettings
from workbench.devices._last_metre import DeviceEnd
from workbench.devices._pairing import Pairing, forget_device, note_device
from workbench.devices._playing import play, ready
from workbench.errors import BadValue
from workbench.vocabulary import Acknowledgement, StreamSpec

__all__ = ["DEVICE", "GloveModel", "GloveSettings", "Player", "specs"]

DEVICE = Device(
    "A simulated pneumatic glove: inflates after a delay, acknowledges, vents by itself when nobody commands it.",
    options={
        "pairing": "path of the key file that it shares with its engine; required",
        "effector": "name of the effector profile (glove)",
        "seed": "of delays and losses (0)",
        "delay_s": "median time to inflate, s (0.42)",
        "delay_spread": "log standard deviation of it (0.18)",
        "loss": "fraction of commands that never arrive (0.001)",
        "hold_s": "how long it holds without a command, s (1, at most 1)",
        "vent_s": "how long a slow vent from full pressure takes, s (2)",
        "greatest": "level above which it clips (1)",
        "idle_s": "how long it waits for an engine, or for the next one, before it ends, s (60)",
        "speed": "how much faster than real time it moves (1); its time to live stays in real seconds",
        "t0": "LSL time at which stream time and clock agree, s (now)",
        "faults": "marker_delay and marker_loss for the acknowledgements, see workbench.devices.FaultPlan",
        "boot_clock": "file with s to add to the boot clock, to rehearse a suspend of the computer (none)",
    },
    player=True,
    simulated=True,
)

STATUS_EVERY_S = 0.04
"""Time between two statuses, s: at least five within a time to live of 250 ms."""
POLL_S = 0.005
BOOT_EVERY_S = 0.05
SLEPT_S = 0.1
"""A boot clock that ran this much further than the monotonic one means that the computer slept, s."""


def specs(options: Mapping[str, Any]) -> tuple[StreamSpec, StreamSpec]:
    """The acknowledgement and the status stream of a glove with these options.

    Raises
    ------
    BadValue
        Without the path of the pairing key.
    EngineFault
        When the key cannot be read.
    """
    paired = _paired(options)
    return (
        StreamSpec("wb-acks", "Acks", 0.0, source_id=paired.source_id("acks"), role="aux"),
        StreamSpec(
            "wb-status", "DeviceStatus", 0.0, source_id=paired.source_id("status"), role="aux", critical=False
        ),
    )


def _paired(options: Mapping[str, Any]) -> Pairing:
    if not options.get("pairing"):
        raise BadValue("simulated_glove needs the option pairing, got none; give the path of its key file")
    return Pairing(Path(str(options["pairing"])), str(options.get("effector", "glove")))


class BootClock:
    """How long the computer slept: the boot clock counts sleep, the monotonic one does not.

    Parameters
    ----------
    offset_file : file with s to add to the boot clock, read at every look; None for the clock as it is.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._file = offset_file
        self._before = self._difference()

    def slept(self) -> float:
        """Seconds of sleep since the last look, 0 on a system without a boot clock and without the file."""
        now = self._difference()
        slept, self._before = now - self._before, now
        return slept

    def _difference(self) -> float:
        offset = 0.0
        if self._file is not None:
            try:
                offset = float(self._file.read_text(encoding="ascii")[:50])
            except (OSError, ValueError):
                offset = 0.0
        if not hasattr(time, "CLOCK_BOOTTIME"):
            return offset
        return world.clock.boottime() - world.clock.monotonic() + offset


class Player:
    """One glove in this process."""

    def __init__(self, options: Mapping[str, Any], stop: threading.Event) -> None:
        """Create the device and announce its streams."""
        from workbench.devices import lsl
        from workbench.devices._faults import FaultPlan, FaultyOutlet
        from workbench.devices._listening import Inbox, Listener

        self.options, self.stop = options, stop
        self.clock: Callable[[], float] = lsl.local_clock
        keys = ("delay_s", "delay_spread", "loss", "hold_s", "vent_s", "greatest")
        settings = GloveSettings(**{key: options[key] for key in keys if key in options})
        seed = int(options.get("seed", 0))
        self.model = GloveModel(seed, settings)
        stream = {"speed": options.get("speed", 1.0), "t0": options.get("t0", lsl.local_clock())}
        if not _is_time(stream):
            raise BadValue(f"speed of simulated_glove must be above 0, got {stream['speed']}; 1 is usual")
        self._run_at(stream["speed"], stream["t0"])
        self.idle_s = float(options.get("idle_s", 60.0))
        self.paired = _paired(options)
        self.end = DeviceEnd(self.paired.key(), self.paired.effector)
        # Before any stream is announced: two gloves with one key would both follow commands.
        note_device(self.paired)
        self.specs = specs(options)
        about = {"simulated": True, "device": "simulated_glove"}
        self.plan = FaultPlan(options.get("faults", ()), fs=1.0, seed=seed)
        outlet = lsl.Outlet(self.specs[0], desc=about)
        self.acks = FaultyOutlet(lambda: outlet, self.plan, t0=self.t0)
        self.status = lsl.Outlet(self.specs[1], desc=about)
        self.uids = {"acks": outlet.uid, "status": self.status.uid}
        self.inbox = Inbox()
        self._engine = ""
        self._engine_seen = self.clock()
        self._said: tuple[str, float] = ("", -math.inf)
        boot = options.get("boot_clock")
        self._boot, self._boot_seen = BootClock(Path(str(boot)) if boot else None), -math.inf
        self.slept_s = 0.0
        ids = [self.paired.source_id("commands"), self.paired.source_id("watch")]
        self.listener = Listener(ids, self.inbox.put)

    def stream_time(self, device_time: float) -> float:
        """Stream time of a time of this device, s."""
        return self.t0 + (device_time - self.t0) * self.speed

    def run(self) -> None:
        """Follow commands until stopped, ended by the engine, or alone too long; then complete the safe state."""
        while not self._is_over():
            texts = self.inbox.take(POLL_S)
            self._look_at_boot_clock()
            for uid, text in texts:
                self._receive(uid, text)
            self.answer(self.model.tick(self.clock()))
            self.acks.tend(self.stream_time(self.clock()) - self.t0)
            self.tell()
        self.tell(always=True)
        self.listener.close()
        forget_device(self.paired)
        world.clock.sleep(STATUS_EVERY_S)  # The last status must leave before its outlet closes.
        self.acks.close()
        self.status.close()

    def _is_over(self) -> bool:
        """Whether to end now: stopped, or without an engine for the idle time, and the safe state complete."""
        now = self.clock()
        # Presence of the engine's outlet, not commands: an engine between two runs sends none.
        if self._engine and self._engine in self.listener.uids:
            self._engine_seen = now
        if not self.stop.is_set() and now - self._engine_seen <= self.idle_s:
            return False
        self.answer(self.model.lose_link(now))
        return self.model.level(now) == 0.0

    def _look_at_boot_clock(self) -> None:
        now = self.clock()
        if now - self._boot_seen < BOOT_EVERY_S:
            return
        self._boot_seen = now
        slept = self._boot.slept()
        if slept > SLEPT_S:
            self.slept_s += slept
            self.answer(self.model.lose_link(now, slept_s=slept))

    def _receive(self, uid: str, text: str) -> None:
        """One text: what is not from the engine is counted by :class:`DeviceEnd` and has no effect."""
        now = self.clock()
        # Time first, then the command: one that arrives after the deadline finds the link lost.
        self.answer(self.model.tick(now))
        received = self.end.receive(text, now=now, status=lambda: self._content(now))
        if received is None:
            return
        self.listener.trust(uid)
        for reply in received.replies:
            # A watcher without a session listens to the status stream only.
            outlet = self.status if received.kind == "query" else self.acks
            outlet.push_text(reply, self.stream_time(now))
        if received.begins_session:
            self._engine, self._engine_seen = uid, now
            self.model.begin(now)
        if received.kind == "hello" and _is_time(received.content):
            self._run_at(received.content["speed"], received.content["t0"])
        elif received.kind == "command":
            self.answer(self.model.receive(received.content, now, echo_age_s=received.echo_age_s))
        elif received.kind == "end":
            self.stop.set()

    def _run_at(self, speed: float, t0: float) -> None:
        """Set speed and origin of the stream time."""
        self.speed, self.t0 = float(speed), float(t0)
        self.model.rate = self.speed

    def answer(self, answers: list[Acknowledgement]) -> None:
        """Send acknowledgements, signed, in stream time."""
        for item in answers:
            received, effective = self.stream_time(item.received), self.stream_time(item.effective)
            text = self.end.acknowledge(asdict(replace(item, received=received, effective=effective)))
            if text is not None:
                self.acks.push_text(text, self.stream_time(self.clock()))

    def tell(self, *, always: bool = False) -> None:
        """Send the signed status when the state changed, and every :data:`STATUS_EVERY_S`."""
        state, at = self._said
        now = self.clock()
        if self.model.state == state and now - at < STATUS_EVERY_S and not always:
            return
        self._said = (self.model.state, now)
        self.status.push_text(self.end.status(self._content(now), now=now), self.stream_time(now))

    def _content(self, now: float) -> dict[str, Any]:
        """Content of a status."""
        return {
            "device": "simulated_glove",
            "simulated": True,
            "state": self.model.state,
            "level": self.model.level(now),
            "target": self.model.target,
            "locked": self.model.locked,
            "last_seq": self.model.last_seq,
            "stamp": self.stream_time(now),
            "slept_s": round(self.slept_s, 3),
            "uids": self.uids,
        }


def _is_time(content: Mapping[str, Any]) -> bool:
    """Whether ``speed`` and ``t0`` are numbers, the speed above 0."""
    numbers = (content.get("speed"), content.get("t0"))
    finite = all(isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in numbers)
    return finite and content["speed"] > 0


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    player = Player(options, stop)
    ready(player.specs, t0=player.t0, speed=player.speed)
    player.run()


if __name__ == "__main__":
    sys.exit(play("simulated_glove", DEVICE, _body))
