"""Inlet threads: one blocking pull a stream, everything into one queue, nothing else on these threads."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Any

from workbench.devices import lsl
from workbench.errors import StreamFault
from workbench.vocabulary import FloatArray, StreamSpec

PULL_S = 0.2
"""How long a pull waits for a sample before it looks whether it is to end, s."""


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
    """The open inlets of a session, by name of the contract."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.open: dict[str, lsl.Inlet] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._stop: dict[str, threading.Event] = {}

    def add(self, name: str, inlet: lsl.Inlet) -> None:
        """Take an opened inlet and start its threads."""
        self.open[name] = inlet
        self._stop[name] = threading.Event()
        thread = threading.Thread(target=self._pull, args=(name, inlet), name=f"inlet-{name}", daemon=True)
        self._threads[name] = thread
        inlet.clock(lambda measured: self.queue.put(Offset(name, measured)))
        thread.start()

    def find(self, spec: StreamSpec, *, timeout: float) -> None:
        """Resolve one stream and take it; :class:`StreamFault` with what was seen instead."""
        self.add(spec.name, lsl.resolve([spec], timeout=timeout)[spec.name])

    def drop(self, name: str) -> None:
        """Close one inlet."""
        if name in self.open:
            self._stop[name].set()
            self._threads[name].join(5.0)
            self.open.pop(name).close()

    def close(self) -> None:
        """Close all."""
        for stop in self._stop.values():
            stop.set()
        for name in list(self.open):
            self.drop(name)

    def _pull(self, name: str, inlet: lsl.Inlet) -> None:
        stop = self._stop[name]
        while not stop.is_set():
            try:
                values, stamps = inlet.pull(PULL_S)
            except StreamFault as fault:
                self.queue.put(Gone(name, str(fault)))
                return
            if len(stamps):
                self.queue.put(Arrival(name, values, stamps, lsl.local_clock()))
