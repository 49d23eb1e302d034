"""A device as a process: its streams, its keys, its statuses; it keeps its wearer safe whatever happens around it.

It speaks the messages of :mod:`workbench.devices._last_metre` (``docs/effector_protocol.md``); what an order does
is up to its :class:`~workbench.devices._device_rules.DeviceRules`. It outlives the engine: when an engine dies,
its signed status shows how it completes its safe state, and the next engine of the study finds it again.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench import world
from workbench.devices import lsl
from workbench.devices._device_rules import DeviceRules
from workbench.devices._faults import FaultPlan, FaultyOutlet
from workbench.devices._last_metre import DeviceEnd
from workbench.devices._listening import Inbox, Listener
from workbench.devices._pairing import Pairing, forget_device, note_device
from workbench.errors import BadValue, EngineFault
from workbench.messages import Message
from workbench.vocabulary import Acknowledgement, StreamSpec, contents

STATUS_EVERY_S = 0.04
"""Time between two statuses, s: at least five within a time to live of 250 ms."""
POLL_S = 0.005
BOOT_EVERY_S = 0.05
UNSAFE_S = 10.0
"""How long a device that is to end waits until it is at rest, s: longer than any safe state takes."""
SLEPT_S = 0.1
"""A boot clock that ran this much further than the monotonic one means that the computer slept, s."""


def specs(paired: Pairing) -> tuple[StreamSpec, StreamSpec]:
    """The acknowledgement and the status stream of the device of a pairing.

    Raises
    ------
    EngineFault
        When the key cannot be read.
    """
    return (
        StreamSpec("wb-acks", "Acks", 0.0, source_id=paired.source_id("acks"), role="aux"),
        StreamSpec(
            "wb-status", "DeviceStatus", 0.0, source_id=paired.source_id("status"), role="aux", critical=False
        ),
    )


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
        """Seconds of sleep since the last look, 0 where the system has no boot clock and no file stands in."""
        now = self._difference()
        slept, self._before = now - self._before, now
        return slept

    def _difference(self) -> float:
        stated = 0.0
        if self._file is not None:
            try:
                stated = float(self._file.read_text(encoding="ascii")[:50])
            except (OSError, ValueError):
                stated = 0.0
        if not hasattr(time, "CLOCK_BOOTTIME"):
            return stated
        return world.clock.boottime() - world.clock.monotonic() + stated


class DeviceProcess:
    """One device in this process.

    Parameters
    ----------
    rules : what it does with orders.
    paired : the pairing with its engine.
    name : of the device, for its statuses.
    stop : set by whoever ends the process; the device completes its safe state first.
    simulated : whether nothing real moves.
    idle_s : how long it stays where no engine is to be seen before it ends, s; with infinity it stays, and
        an engine's farewell only makes it safe.
    time_base : ``speed`` and ``t0`` of the stream time, until an engine states them; real time by default.
    faults : of the acknowledgements, to rehearse them; see :class:`~workbench.devices._faults.FaultPlan`.
    seed : of the faults.
    boot_file : stands in for the boot clock, see :class:`BootClock`.

    Attributes
    ----------
    end : verifies and signs.
    driver : version and hash of what moves it, for its statuses; ``""`` states none.
    specs : its two streams.

    Raises
    ------
    BadValue
        For a speed that is not above 0.
    EngineFault
        When the key cannot be read, or another device runs with this pairing on this computer.
    """

    def __init__(
        self,
        rules: DeviceRules,
        paired: Pairing,
        *,
        name: str,
        stop: threading.Event,
        simulated: bool = False,
        idle_s: float = math.inf,
        time_base: Mapping[str, Any] | None = None,
        faults: Sequence[Mapping[str, Any]] = (),
        seed: int = 0,
        boot_file: Path | None = None,
    ) -> None:
        self.rules, self.paired, self.name, self.stop = rules, paired, name, stop
        self.simulated, self.idle_s = simulated, idle_s
        self.driver = ""
        stream = {"speed": 1.0, "t0": lsl.local_clock(), **(time_base or {})}
        if not _is_time(stream):
            raise BadValue(Message("device.speed", stream=name, got=str(stream["speed"])))
        self._run_at(stream["speed"], stream["t0"])
        self.end = DeviceEnd(paired.key(), paired.effector)
        note_device(paired)
        self.specs = specs(paired)
        about = {"simulated": simulated, "device": name}
        outlet = lsl.Outlet(self.specs[0], desc=about)
        self._acks = FaultyOutlet(lambda: outlet, FaultPlan(faults, fs=1.0, seed=seed), t0=self.t0)
        self._status = lsl.Outlet(self.specs[1], desc=about)
        self._uids = {"acks": outlet.uid, "status": self._status.uid}
        self._inbox = Inbox()
        self._engine_seen, self._ending_since, self._ends_at = lsl.local_clock(), math.inf, 0.0
        self._said: tuple[str, float] = ("", -math.inf)
        self._boot, self._boot_seen = BootClock(boot_file), -math.inf
        self._slept_s = 0.0
        self._listener = Listener([paired.source_id("commands"), paired.source_id("watch")], self._inbox.put)

    def stream_time(self, device_time: float) -> float:
        """Stream time of a time of this device, s."""
        return self.t0 + (device_time - self.t0) * self.speed

    def run(self) -> None:
        """Obey until stopped, ended by the engine, or alone for too long; completes its safe state first.

        Raises
        ------
        EngineFault
            When it is not at rest :data:`UNSAFE_S` after it should have ended, or nobody knows: it ends then.
        """
        self.rules.start(lsl.local_clock())
        while not self._is_over():
            texts = self._inbox.take(POLL_S)
            self._look_at_boot_clock()
            for uid, text in texts:
                self._receive(uid, text)
            self._answer(self.rules.tick(lsl.local_clock()))
            self._acks.tend(self.stream_time(lsl.local_clock()) - self.t0)
            self._tell()
        self._tell(always=True)
        self._listener.close()
        forget_device(self.paired)
        world.clock.sleep(STATUS_EVERY_S)  # the last status leaves before its outlet does
        self._acks.close()
        self._status.close()
        if self._ends_at > 0.0:
            level = f"{self._ends_at:.2f}"
            raise EngineFault(Message("device.not_at_rest", device=self.name, n=f"{UNSAFE_S:g}", level=level))

    def _is_over(self) -> bool:
        """Whether to end now: stopped, or without an engine for the idle time, and the safe state complete."""
        now = lsl.local_clock()
        # An engine that has not agreed on a key yet counts too: a fault may delay its self-test for minutes. That
        # anybody could publish under its name does no harm: a device that stays follows nobody without the key.
        if self._listener.uids:
            self._engine_seen = now
        if not self.stop.is_set() and now - self._engine_seen <= self.idle_s:
            self._ending_since = math.inf
            return False
        self._ending_since = min(self._ending_since, now)
        self._answer(self.rules.lose_link(now))
        self._ends_at = self.rules.level(now)
        return self._ends_at == 0.0 or now - self._ending_since > UNSAFE_S

    def _look_at_boot_clock(self) -> None:
        now = lsl.local_clock()
        if now - self._boot_seen < BOOT_EVERY_S:
            return
        self._boot_seen = now
        slept = self._boot.slept()
        if slept > SLEPT_S:
            self._slept_s += slept
            self._answer(self.rules.lose_link(now, slept_s=slept))

    def _receive(self, uid: str, text: str) -> None:
        """One text: what is not from the engine is counted by :class:`DeviceEnd` and has no effect."""
        now = lsl.local_clock()
        self._answer(self.rules.tick(now))
        received = self.end.receive(text, now=now, status=lambda: self._content(now))
        if received is None:
            return
        self._listener.trust(uid)
        for reply in received.replies:
            outlet = self._status if received.kind == "query" else self._acks
            outlet.push_text(reply, self.stream_time(now))
        if received.begins_session:
            self.rules.begin(now)
        if received.kind == "hello" and _is_time(received.content):
            self._run_at(received.content["speed"], received.content["t0"])
        elif received.kind == "command":
            self._answer(self.rules.receive(received.content, now, echo_age_s=received.echo_age_s))
        elif received.kind == "end":
            self._part(now)

    def _part(self, now: float) -> None:
        """The engine said that none follows."""
        if math.isfinite(self.idle_s):
            self.stop.set()
        else:
            self._answer(self.rules.lose_link(now))

    def _run_at(self, speed: float, t0: float) -> None:
        """Take up speed and origin of the stream time."""
        self.speed, self.t0 = float(speed), float(t0)
        self.rules.rate = self.speed

    def _answer(self, answers: list[Acknowledgement]) -> None:
        """Send acknowledgements, signed, in stream time."""
        for item in answers:
            times = {"received": self.stream_time(item.received), "effective": self.stream_time(item.effective)}
            text = self.end.acknowledge({**contents(item), **times})
            if text is not None:
                self._acks.push_text(text, self.stream_time(lsl.local_clock()))

    def _tell(self, *, always: bool = False) -> None:
        """Send the signed status when the state changed, and every :data:`STATUS_EVERY_S`."""
        state, at = self._said
        now = lsl.local_clock()
        if self.rules.state == state and now - at < STATUS_EVERY_S and not always:
            return
        self._said = (self.rules.state, now)
        self._status.push_text(self.end.status(self._content(now), now=now), self.stream_time(now))

    def _content(self, now: float) -> dict[str, Any]:
        """What a status says."""
        return {
            "device": self.name,
            "simulated": self.simulated,
            "driver": self.driver,
            "state": self.rules.state,
            "level": self.rules.level(now),
            "target": self.rules.target,
            "locked": self.rules.locked,
            "last_seq": self.rules.last_seq,
            "stamp": self.stream_time(now),
            "slept_s": round(self._slept_s, 3),
            "uids": self._uids,
            **self.rules.telemetry(now),
        }


def _is_time(content: Mapping[str, Any]) -> bool:
    """Whether ``speed`` and ``t0`` are numbers, the speed above 0."""
    numbers = (content.get("speed"), content.get("t0"))
    finite = all(isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in numbers)
    return finite and content["speed"] > 0
