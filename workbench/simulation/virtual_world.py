"""A world with all its doors: computers, processes, clocks, disk, network and the air between them."""

from __future__ import annotations

import contextlib
import random
import sys
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
from workbench.simulation.scheduler import Host, Killed, Process, Scheduler

LOCAL_DELAY_S = (20e-6, 400e-6)
"""How long a message takes within a computer, s: least and most."""


class VirtualWorld:
    """One world, drawn from a seed.

    Parameters
    ----------
    seed : of everything that happens in it.

    Attributes
    ----------
    desk : the computer of the study.
    places : by its module's last name, the other computer on which a process runs.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(f"world {seed}")
        self.scheduler = Scheduler(seed)
        self.desk = Host("desk", self.new_id())
        self.chance = VirtualChance(seed)
        self.clock = VirtualClock(self.scheduler, self.desk)
        self.disk = VirtualDisk(self.scheduler, self.clock.wall_ns)
        self.network = VirtualNetwork(self.scheduler, self._local_delay)
        self.places: dict[str, Host] = {}
        self.computer = VirtualComputer(
            self.scheduler, self.desk, {"workbench.engine": _engine, "workbench.devices.": _player}, self.places
        )
        self.links: dict[frozenset[str], Link] = {}
        self.air = Air(self.scheduler, self.link, self.new_id)
        self._library = self.air.library()

    def new_id(self) -> str:
        """A random identifier."""
        text = self.random.randbytes(16).hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _local_delay(self) -> float:
        return self.random.uniform(*LOCAL_DELAY_S)

    def link(self, one: str, other: str) -> Link:
        """What lies between two computers."""
        ends = frozenset((one, other))
        if ends not in self.links:
            self.links[ends] = Link(self._local_delay)
        return self.links[ends]

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
        before = sys.unraisablehook
        # What a killed process still deletes meets closed doors; nobody is told of it.
        sys.unraisablehook = lambda seen: None if seen.exc_type is Killed else before(seen)
        with world.entered(**doors), _lsl_library.standing_in(self._library):
            try:
                yield
            finally:
                for process in list(self.scheduler.processes.values()):
                    self.scheduler.end(process, -9)
                sys.unraisablehook = before

    def start(self, name: str, body: Callable[[], int | None], *, host: Host | None = None) -> Process:
        """A process of the world.

        Parameters
        ----------
        name : for the story.
        body : what it does; gives its exit code, None for 0.
        host : where it runs; the computer of the study by default.
        """
        return self.scheduler.process(host or self.desk, name, body)


def _engine(_module: str, arguments: Any) -> int:
    return engine_process.main(Path(arguments[0]))


def _player(module: str, arguments: Any) -> int:
    player = import_module(module)
    return play(module.rpartition(".")[2], player.DEVICE, player._body, arguments)
