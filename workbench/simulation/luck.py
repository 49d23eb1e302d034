"""Strokes of bad luck: each changes the world, never the code."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from workbench import world
from workbench.devices import lsl
from workbench.simulation.disk import WRITEBACK_NS, fault
from workbench.simulation.lsl import Link
from workbench.simulation.scheduler import NS, Host, Process
from workbench.simulation.virtual_world import LOCAL_DELAY_S, VirtualWorld
from workbench.simulation.watcher import MOVED, SLACK_S, UNSYNCED_S, Watcher
from workbench.vocabulary import StreamSpec

LUCK = (
    "kill engine",
    "kill engine when moved",
    "freeze engine when moved",
    "kill source",
    "kill device",
    "freeze engine",
    "freeze source",
    "freeze device",
    "freeze operator",
    "disk full",
    "disk failing",
    "disk slow",
    "disk tearing",
    "disk read-only",
    "record locked",
    "impatient",
    "clock step",
    "stranger",
    "second amplifier",
    "hostile",
    "second operator",
    "sleep",
    "sleep when moved",
    "power loss",
    "power loss when moved",
    "link slow",
    "link cut",
    "link cut when moved",
)
"""What may happen in a life beside what its people do."""
REGIONS = ("/recordings/", "/engine/", "/study.db", "/")
"""Parts of the disk that fail together."""
BUSY_S = 5.0
"""How long a program waits for a record that another one has locked, s: the shortest that the product waits."""


class Luck:
    """What goes wrong.

    Parameters
    ----------
    made : the world.
    watcher : is told.
    draw : how bad it is.
    device : name of the device's process.
    second_operator : body of a process in which somebody else takes part.
    hurry : called with how many acts the operator does without waiting between them.
    restart : called when a computer that lost its power was started again.

    Attributes
    ----------
    regions : parts of the disk of which one fails.
    """

    regions: tuple[str, ...] = REGIONS

    def __init__(
        self,
        made: VirtualWorld,
        watcher: Watcher,
        *,
        draw: random.Random,
        device: str,
        second_operator: Callable[[], int],
        hurry: Callable[[int], None],
        restart: Callable[[], None],
    ) -> None:
        self._world, self._watcher, self._random, self._device = made, watcher, draw, device
        self._second_operator, self._hurry, self._restart = second_operator, hurry, restart
        self._failing = self._region = ""
        self._slow_s = 0.0
        self._locked_ns = 0
        # Until then a sync may have been late for a reason.
        self._disturbed_ns = 0
        made.disk.before = self._disk

    def strike(self, kind: str) -> None:
        """One stroke, of :data:`LUCK`; one that waits until the device has moved is put off until then."""
        kind, _, moved = kind.partition(" when ")
        if moved and self._watcher.level < MOVED:
            self._world.scheduler.after(0.05, partial(self.strike, f"{kind} when moved"))
            return
        act, _, whom = kind.partition(" ")
        if act in ("kill", "freeze"):
            self._process(act, {"source": "simulated_participant", "device": self._device}.get(whom, whom))
        elif act == "disk":
            self._disk_fails(whom)
        elif act == "record":
            self._record_is_locked()
        elif kind == "impatient":
            acts = self._random.randrange(3, 12)
            self._watcher.note(f"the operator clicks {acts} times without waiting")
            self._hurry(acts)
        elif act == "link":
            self._link_fails(whom)
        elif act == "sleep":
            self._sleep()
        elif act == "power":
            self._power_loss()
        elif kind == "clock step":
            step = self._random.choice((-3600.0, -2.0, 0.5, 40.0, 86400.0))
            self._watcher.note(f"the calendar clock steps by {step:g} s")
            self._world.desk.wall_ns += round(step * NS)
        elif kind in ("stranger", "second amplifier"):
            self._watcher.note(f"{kind}: somebody announces a stream of that name")
            self._world.start("stranger", lambda: self._stranger(commands=kind == "stranger"))
        elif kind == "second operator":
            self._world.start("second", self._second_operator)
        else:
            self._watcher.note("garbage is sent to the engine's door")
            self._world.start("hostile", self._hostile)

    # ------------------------------------------------------------------------------- processes
    def _process(self, act: str, whom: str) -> None:
        process = next((p for p in self._world.scheduler.processes.values() if p.alive and p.name == whom), None)
        if process is None:
            return
        if act == "kill":
            self._watcher.note(f"{whom} is killed")
            if whom == "engine":
                self._watcher.disarmed()
                self._disturbs(WRITEBACK_NS / NS)  # nobody syncs what it wrote last
            self._world.scheduler.end(process, -9)
            return
        pause = self._random.choice((0.02, 0.1, 0.4, 1.5, 6.0))
        self._disturbs(pause)
        self._watcher.note(f"{whom} stands still for {pause:g} s")
        self._freeze(process, pause)

    def _disturbs(self, seconds: float) -> None:
        """For so long, and a little after, nobody can sync as he promised."""
        until = self._world.scheduler.now + round((seconds + 2.0 * UNSYNCED_S) * NS)
        self._disturbed_ns = max(self._disturbed_ns, until)

    def _freeze(self, process: Process, seconds: float) -> None:
        """A process gets no turn for a while."""
        scheduler, watcher = self._world.scheduler, self._watcher
        is_device = process.name == self._device
        scheduler.freeze(process)
        watcher.device_frozen = watcher.device_frozen or is_device

        def thaw() -> None:
            scheduler.thaw(process)
            if is_device:
                watcher.device_resumed()

        scheduler.after(seconds, thaw)

    # ------------------------------------------------------------------------------- computers
    def _sleep(self) -> None:
        """The computer sleeps and wakes: its monotonic clock stood still, its boot clock did not."""
        scheduler, watcher, desk = self._world.scheduler, self._watcher, self._world.desk
        if desk.asleep:
            return
        seconds = self._random.choice((0.1, 2.0, 30.0, 600.0))
        self._disturbs(seconds)
        watcher.note(f"the computer sleeps for {seconds:g} s")
        sleeps = self._device_host() is desk
        watcher.device_frozen = watcher.device_frozen or sleeps
        watcher.session_s -= seconds * sum(p.alive and p.name == "engine" for p in scheduler.processes.values())

        def woken() -> None:
            if sleeps:
                watcher.device_resumed()
            if seconds >= 1.0:  # who woke orders nothing until it is armed again
                scheduler.after(SLACK_S, watcher.disarmed)

        scheduler.sleep(desk, seconds, woken)

    def _power_loss(self) -> None:
        """All processes of the computer end, what was not synced is lost in part, and it is started again."""
        scheduler, watcher, desk = self._world.scheduler, self._watcher, self._world.desk
        if desk.asleep:
            return
        waits_s, loses_s = self._world.disk.unsynced_s(".xdf")
        # A recording whose sync failed was told to be unconfirmed, and nothing syncs it again.
        unsynced_s = loses_s if watcher.disk_failed else waits_s
        if scheduler.now > self._disturbed_ns and unsynced_s > UNSYNCED_S:
            watcher.breaks(
                "a power loss takes the last second alone", f"a recording was not synced for {unsynced_s:.2f} s"
            )
        for process in list(scheduler.processes.values()):
            if process.alive and process.host is desk:
                scheduler.end(process, -9)
        watcher.power_lost(device=self._device_host() is desk)
        lost = self._world.disk.lose_power(self._random)
        watcher.note(f"the power fails; of {lost} changes that were not synced some are lost")
        self.disk_is_well()
        desk.restarted(scheduler.now, self._world.new_id())
        scheduler.after(self._random.choice((3.0, 10.0, 40.0)), self._restart)

    def _device_host(self) -> Host:
        return self._world.places.get(self._device, self._world.desk)

    # ------------------------------------------------------------------------------ disk, links
    def _disk(self, what: str, path: str) -> None:
        scheduler = self._world.scheduler
        if self._slow_s and what in ("sync", "write"):
            scheduler.wait(None, self._random.random() * self._slow_s)
        if self._locked_ns > scheduler.now and what == "database" and path.endswith("study.db"):
            scheduler.wait(None, min((self._locked_ns - scheduler.now) / NS, BUSY_S))
            if self._locked_ns > scheduler.now:
                raise fault("locked")
        if self._failing and what in ("write", "open", "sync", "database") and self._region in path:
            raise fault(self._failing)

    def _disk_fails(self, how: str) -> None:
        lasts = self._random.uniform(0.1, 4.0)
        self._disturbs(lasts)
        self._region = self._random.choice(self.regions)
        self._watcher.note(f"the disk is {how} for {lasts:.1f} s ({self._region})")
        self._watcher.disk_fails(lasts)
        if how == "slow":
            self._slow_s = self._random.choice((0.01, 0.1, 0.6))
        elif how == "tearing":
            self._world.disk.tears = self._random
        else:
            self._failing = how

        self._world.scheduler.after(lasts, self.disk_is_well)

    def _record_is_locked(self) -> None:
        """Another program, such as one that makes a backup, holds the record."""
        lasts = self._random.choice((0.5, 3.0, 20.0))
        self._watcher.note(f"another program locks the record for {lasts:g} s")
        self._locked_ns = self._world.scheduler.now + round(lasts * NS)

    def disk_is_well(self) -> None:
        """The disk fails no more, nor is it slow, and nobody holds the record."""
        self._failing, self._slow_s, self._world.disk.tears = "", 0.0, None
        self._locked_ns = 0

    def _link_fails(self, how: str) -> None:
        """The way to a device on another computer: packets that are lost come again later, and nothing passes."""
        far = self._device_host()
        if far is self._world.desk:
            return
        lasts = self._random.choice((0.1, 0.5, 3.0, 12.0))
        self._watcher.note(f"the link to the device is {how} for {lasts:g} s")
        link = self._world.link(self._world.desk.name, far.name)
        before = link.delay_s
        if how == "cut":
            link.cut = True
        else:
            # A lost packet is sent again after at least 200 ms (RFC 6298), and holds up those behind it.
            link.delay_s = lambda: before() + (0.2 if self._random.random() < 0.2 else 0.0)

        def healed() -> None:
            link.cut, link.delay_s = False, before
            self._world.air.healed()

        self._world.scheduler.after(lasts, healed)

    # -------------------------------------------------------------------------------- strangers
    def _stranger(self, *, commands: bool) -> int:
        """A process that uses a name of ours."""
        outlets = [o for o in self._world.air.outlets.values() if o.process.alive]
        fitting = [o for o in outlets if (o.info.name() == "wb-commands") == commands and o.info.type() != "Acks"]
        if not fitting:
            return 0
        info: Any = self._random.choice(fitting).info
        # Somebody else's settings are often those of another day: rate, channels and unit.
        rate = info.nominal_srate() * self._random.choice((1.0, 1.0, 0.5, 2.0))
        n = info.channel_count() if self._random.random() < 0.7 else self._random.randint(1, 20)
        channels = tuple(f"{k}" for k in range(n)) if rate else ()
        unit = self._random.choice(("uV", "uV", "mV"))
        spec = StreamSpec(info.name(), info.type(), rate, channels, unit, source_id=info.source_id())
        outlet = lsl.Outlet(spec)
        end = world.clock.monotonic() + self._random.uniform(0.2, 6.0)
        while world.clock.monotonic() < end:
            if channels:
                stamps = lsl.local_clock() + np.arange(10) / rate
                outlet.push(np.full((10, len(channels)), 1e4), stamps)
            else:
                outlet.push_text('{"action": "close", "level": 5.0}', lsl.local_clock())
            world.clock.sleep(0.05)
        outlet.close()
        return 0

    def _hostile(self) -> int:
        import zmq

        context = world.network.context()
        for endpoint in list(self._world.network.bound):
            socket = context.socket(zmq.REQ)
            socket.connect(endpoint)
            for _ in range(self._random.randrange(1, 30)):
                size = self._random.choice((0, 1, 30, 3000))
                frames = [self._random.randbytes(size) for _ in range(self._random.randrange(1, 4))]
                socket.send_multipart(frames)
        return 0


def far_link(draw: random.Random) -> Link:
    """The way between two computers: some milliseconds, at times many."""
    least = draw.choice((0.0005, 0.002, 0.008))
    return Link(lambda: least + draw.expovariate(1.0 / least) + draw.uniform(*LOCAL_DELAY_S))
