"""A world with all its doors: computers, processes, clocks, disk, network and the air between them."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from workbench import world
from workbench.devices import _lsl_library
from workbench.devices._playing import play
from workbench.engine import process as engine_process
from workbench.simulation.chance import VirtualChance
from workbench.simulation.clock import VirtualClock
from workbench.simulation.computer import VirtualComputer
from workbench.simulation.disk import VirtualDisk
from workbench.simulation.lsl import Air, Link
from workbench.simulation.network import VirtualNetwork
from workbench.simulation.scheduler import NS, Host, Process, Scheduler

LOCAL_DELAY_S = (20e-6, 400e-6)
"""How long a message takes within a computer, s: least and most."""


class VirtualWorld:
    """One world, drawn from a seed.

    Parameters
    ----------
    seed : of everything that happens in it.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(f"world {seed}")
        self.scheduler = Scheduler(seed)
        self.desk = Host("desk", self._id())
        self.chance = VirtualChance(seed)
        self.clock = VirtualClock(self.scheduler, self.desk)
        self.disk = VirtualDisk(self.scheduler, self.clock.wall_ns)
        self.network = VirtualNetwork(self.scheduler, self._local_delay)
        self.computer = VirtualComputer(
            self.scheduler, self.desk, {"workbench.engine": _engine, "workbench.devices.": _player}
        )
        self.links: dict[frozenset[str], Link] = {}
        self.air = Air(self.scheduler, self.link, self._id, self._lsl_clock)
        self._library = self.air.library()

    def _id(self) -> str:
        text = self.random.randbytes(16).hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _local_delay(self) -> float:
        return self.random.uniform(*LOCAL_DELAY_S)

    def link(self, one: str, other: str) -> Link:
        """What lies between two computers."""
        return self.links.setdefault(frozenset((one, other)), Link(self._local_delay))

    def _lsl_clock(self, process: Process) -> float:
        host = process.host
        return (1000 * NS + round((self.scheduler.now - host.booted_ns - host.slept_ns) * host.rate)) / NS

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Everything in here runs in this world."""
        doors: dict[str, Any] = {
            "clock": self.clock,
            "chance": self.chance,
            "disk": self.disk,
            "network": self.network,
            "computer": self.computer,
        }
        with world.entered(**doors), _lsl_library.standing_in(lambda: self._library):
            try:
                yield
            finally:
                for process in list(self.scheduler.processes.values()):
                    self.scheduler.end(process, -9)

    def start(self, name: str, body: Callable[[], int | None], *, host: Host | None = None) -> Process:
        """A process of the world."""
        return self.scheduler.process(host or self.desk, name, body)


def _engine(_module: str, arguments: Any) -> int:
    return engine_process.main(Path(arguments[0]))


def _player(module: str, arguments: Any) -> int:
    player = import_module(module)
    return play(module.rpartition(".")[2], player.DEVICE, player._body, arguments)
