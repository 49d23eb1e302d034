"""Inlet threads: one blocking pull a stream, everything into one queue, nothing else on these threads."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Any

from workbench import messages, world
from workbench.devices import lsl
from workbench.errors import StreamFault
from workbench.vocabulary import FloatArray

PULL_S = 0.2
"""How long a pull waits for a sample before it looks whether it is to end, s."""
PULL_LIMIT_S = 5.0
"""How long one pull may take before its thread counts as lost, s."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one pull brought: ``values (n_times, n_channels)`` or texts, raw ``stamps (n_times,)``, local time."""

    name: str
    values: Any
    stamps: FloatArray
    local: float


@dataclass(frozen=True, slots=True)
class Offset:
    """A measured clock offset of a stream."""

    name: str
    measured: lsl.ClockOffset


@dataclass(frozen=True, slots=True)
class Gone:
    """A stream whose source cannot come back."""

    name: str
    sentence: str


Item = Arrival | Offset | Gone


class Inlets:
    """The open inlets of a session, by name of the contract; ``spawn`` starts their threads."""

    def __init__(self, spawn: world.Spawn = world.start_thread) -> None:
        self._spawn = spawn
        self.queue: queue.SimpleQueue[Item] = world.clock.simple_queue()
        self.open: dict[str, lsl.Inlet] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._stop: dict[str, threading.Event] = {}
        self._waited_s = 0.0

    def take(self, timeout: float) -> Item:
        """The next item, waited for at most ``timeout`` s, 0 for what is there; ``queue.Empty`` for none."""
        item = self.queue.get(timeout=timeout) if timeout else self.queue.get_nowait()
        if isinstance(item, Arrival):
            self._waited_s = lsl.local_clock() - item.local
        return item

    @property
    def behind_s(self) -> float:
        """How long the newest samples that were taken had waited here, while more wait behind them, s; else 0."""
        return 0.0 if self.queue.empty() else self._waited_s

    def add(self, name: str, inlet: lsl.Inlet) -> None:
        """Take an opened inlet and start its threads."""
        self.open[name] = inlet
        self._stop[name] = world.clock.event()
        inlet.clock(
            lambda measured: self.queue.put(Offset(name, measured)), spawn=self._spawn, name=f"clock-{name}"
        )
        self._threads[name] = self._spawn(
            f"inlet-{name}", lambda beat: self._pull(name, inlet, beat), limit_s=PULL_LIMIT_S
        )

    def drop(self, name: str) -> None:
        """Close one inlet."""
        if name in self.open:
            self._stop[name].set()
            # The inlet is closed only after its thread, which may be inside a pull.
            self._threads[name].join(5.0)
            self.open.pop(name).close()

    def close(self) -> None:
        """Close all."""
        # All are asked to end before the first is waited for, so that their last pulls run out at the same time.
        for stop in self._stop.values():
            stop.set()
        for name in list(self.open):
            self.drop(name)

    def _pull(self, name: str, inlet: lsl.Inlet, beat: world.Beat) -> None:
        stop = self._stop[name]
        while not stop.is_set():
            beat()
            try:
                values, stamps = inlet.pull(PULL_S)
            except StreamFault as fault:
                self.queue.put(Gone(name, messages.of(fault)))
                return
            if len(stamps):
                self.queue.put(Arrival(name, values, stamps, lsl.local_clock()))
