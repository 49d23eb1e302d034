"""The driver kit: a device whose author writes how it moves and what it measures, and nothing else.

::

    from workbench.devices import Driver, drive

    class Hand(Driver):
        name = "hand of the laboratory"
        def apply(self, level, ramp_ms, action): self.valve.set(level, ramp_ms)
        def read(self): return self.gauge.pressure() / 0.8

    sys.exit(drive(Hand(), key=sys.argv[1], effector="glove"))

The kit does the last metre: pairing, session keys, verification, time to live, safe state, lock after a stop,
clipping and the report of the level that was measured, signed statuses, the watch for a computer that slept.
``workbench conform effector -- COMMAND`` tests the result. ``workbench/devices/serial_line.py`` is an example.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from workbench import control, world
from workbench.control import Effector, SafeStep
from workbench.devices._device_process import DeviceProcess
from workbench.devices._device_rules import DeviceRules
from workbench.devices._pairing import Pairing
from workbench.errors import BadValue, WorkbenchError
from workbench.messages import Message

READ_EVERY_S = 0.02
"""Time between two readings, s: two for each status."""


class Driver(ABC):
    """What the author of a driver writes. Both methods are called on one thread, each within 20 ms, please.

    Both raise OSError (TimeoutError is one) when the machine does not answer. Then nothing is known of its level,
    the status says 1, and the safe state begins; the last order is given again until the machine answers.

    Attributes
    ----------
    name : of the device, in its statuses.
    version : of the driver and of what it needs beyond its own file, such as the firmware; stands in the statuses
        before the SHA-256 of that file, and a certificate of conformance speaks for both.
    simulated : whether nothing real moves.
    greatest : level above which an order is clipped, 0–1.
    tolerance : a measured level that differs by less from the one ordered counts as it, fraction.
    settle_s : how long after its ramp a move may take to arrive, s; what it reached then is what was applied.
        Engines wait for 1 s.
    """

    name = "driver"
    version = ""
    simulated = False
    greatest = 1.0
    tolerance = 0.02
    settle_s = 0.8

    @abstractmethod
    def apply(self, level: float, ramp_ms: int, action: str) -> None:
        """Begin to move, and return at once.

        Parameters
        ----------
        level : fraction 0–1 to go to, clipped; for ``hold`` the level last measured, for ``stop`` 0.
        ramp_ms : ms the move should take; 0 is as fast as it can.
        action : ``"close"``, ``"open"``, ``"release"``, ``"hold"`` or ``"stop"``: a stop takes no ramp, and
            whatever else is under way ends.
        """

    @abstractmethod
    def read(self) -> float:
        """The level that is really applied now, measured and not remembered, fraction 0–1."""

    def safe_state(self) -> Sequence[SafeStep]:
        """Steps when the link is lost, no later than those of the effector's profile; empty takes those."""
        return ()


class Measured:
    """A driver as rules move it: orders go down, the level that counts is the one that was read.

    Parameters
    ----------
    driver : of the machine.
    """

    def __init__(self, driver: Driver) -> None:
        self.fault = False
        self._driver = driver
        self._order: tuple[int, str] | None = None
        self._target = 0.0
        self._known: float | None = None
        self._level = 1.0
        self._seen_at = self._since = -math.inf
        self._patience_s = 0.0
        self._settled: float | None = None

    def level(self, now: float) -> float:
        """The level that was read, at most :data:`READ_EVERY_S` ago; 1 while the machine does not answer."""
        self._look(now)
        return self._level

    def move(self, target: float, *, action: str, ramp_s: float, seq: int | None, now: float, rate: float) -> None:
        """Pass an order on; see :class:`~workbench.devices._device_rules.Actuator`.

        Parameters
        ----------
        target, action, ramp_s, now : as there.
        seq, rate : do not matter to a machine.
        """
        del seq, rate
        self._target = target
        self._order = (round(ramp_s * 1000), action)
        self._since, self._settled, self._patience_s = now, None, ramp_s + self._driver.settle_s
        self._seen_at = -math.inf
        self._look(now)

    def settled(self, now: float) -> float | None:
        """When the level ordered was read, or the time for it was over; None when it was not by ``now``."""
        self._look(now)
        return self._settled if self._settled is not None and self._settled <= now else None

    def _look(self, now: float) -> None:
        if now - self._seen_at < READ_EVERY_S:
            return
        self._seen_at = now
        try:
            if self._order is not None:
                self._give(*self._order)
                self._order = None
            measured = self._read()
        except OSError as error:
            self._fail(str(error))
            return
        self.fault = False
        near = abs(measured - self._target) <= self._driver.tolerance
        self._known = self._level = self._target if near else min(max(measured, 0.0), 1.0)
        if self._settled is None and (near or now - self._since >= self._patience_s):
            self._settled = now

    def _read(self) -> float:
        measured = float(self._driver.read())
        if not math.isfinite(measured):
            raise OSError(f"it measured {measured}")
        return measured

    def _give(self, ramp_ms: int, action: str) -> None:
        """Give an order. A level that is not known counts as 1, which must never become the level to hold."""
        if action == "hold":
            known = self._read() if self._known is None else self._known
            self._target = min(max(known, 0.0), 1.0)
        self._driver.apply(self._target, ramp_ms, action)

    def _fail(self, why: str) -> None:
        if not self.fault:
            sys.stderr.write(f"{self._driver.name} does not answer: {why}\n")
        self.fault, self._level = True, 1.0


def device(driver: Driver, paired: Pairing, *, stop: threading.Event, idle_s: float = math.inf) -> DeviceProcess:
    """The device of a driver, announced on LSL; its ``run`` obeys until it is stopped.

    Parameters
    ----------
    driver : of the machine.
    paired : the pairing with its engine.
    stop : set by whoever ends it.
    idle_s : how long it waits for an engine before it ends, s; with infinity it stays.

    Raises
    ------
    BadValue
        For an effector of several channels, and for a safe state that contradicts itself or is later than the
        profile's.
    UnknownName
        For an effector without a profile.
    EngineFault
        When the key cannot be read, or another device runs with this pairing.
    """
    profile = _profile(driver, paired.effector)
    rules = DeviceRules(
        Measured(driver), profile=profile.profile, safe_state=lambda: profile.on_fault, greatest=driver.greatest
    )
    process = DeviceProcess(rules, paired, name=driver.name, stop=stop, simulated=driver.simulated, idle_s=idle_s)
    process.driver = identity(driver)
    return process


def identity(driver: Driver) -> str:
    """Version of a driver and SHA-256 of the file that defines it; the version alone where there is no file."""
    try:
        digest = hashlib.sha256(Path(inspect.getfile(type(driver))).read_bytes()).hexdigest()
    except (OSError, TypeError):
        digest = ""  # a class that was typed in has no file
    return " ".join(filter(None, (driver.version, digest)))


def _profile(driver: Driver, effector: str) -> Effector:
    """The profile with the safe state of the driver."""
    profile = control.load(effector)
    if profile.channels != 1:
        raise BadValue(Message("driver.channels", effector=effector, n=profile.channels))
    if not 0 < driver.greatest <= 1:
        raise BadValue(Message("driver.greatest", driver=driver.name, got=str(driver.greatest)))
    steps = tuple(driver.safe_state()) or profile.on_fault
    latest = profile.on_fault[-1].after_s
    if steps[-1].after_s > latest:
        raise BadValue(
            Message(
                "driver.safe_state_late",
                driver=driver.name,
                n=f"{steps[-1].after_s:g}",
                effector=effector,
                latest=f"{latest:g}",
            )
        )
    return replace(profile, on_fault=steps)


def drive(driver: Driver, *, key: Path | str, effector: str = "glove") -> int:
    """Run a driver as a process until SIGTERM or Ctrl+C; its exit code.

    Parameters
    ----------
    driver : of the machine.
    key : path of the key file that ``workbench pair device`` names.
    effector : name of the effector profile.

    Returns
    -------
    int
        0 after an end in good order; 2 with a sentence on standard error when it cannot begin, or ends and is not
        known to be at rest.
    """
    stop = world.clock.event()
    for name in ("SIGTERM", "SIGINT"):
        world.computer.on_signal(name, lambda *_: stop.set())
    try:
        device(driver, Pairing(Path(key), effector), stop=stop).run()
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
