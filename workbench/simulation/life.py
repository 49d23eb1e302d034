"""One life: a session or several with their people and their bad luck, then the reckoning."""

from __future__ import annotations

import gc
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from workbench import control, runs, world
from workbench.engine.stimulating import charge_of_today
from workbench.runs.ingesting import SET_ASIDE
from workbench.runs.replaying import replay_study
from workbench.simulation.luck import LUCK, Luck, far_link
from workbench.simulation.people import DRAWN, HASTY, STEADY, Pace, People
from workbench.simulation.scene import OTHER, PERSON, Scene
from workbench.simulation.scheduler import NS, Host, Process, Stuck
from workbench.simulation.virtual_world import VirtualWorld
from workbench.simulation.watcher import Broken, Watcher
from workbench.stimulation import Place
from workbench.study import Study
from workbench.study.keys import kept_in

SHORT_S = 300.0
"""Lives up to this go at a hasty pace, with strokes every few seconds, s."""
STROKES_EVERY_S = 900.0
"""In a longer life, up to four strokes fall in each of these, s."""
FAR = 0.25
"""Share of lives whose device is on a computer of its own."""
PATIENCE_S = 1800.0
"""How long whoever is still busy after the end of a life may take, s."""
QUIET_FROM_S = 8.0
"""A life of at least this long that draws no stroke is one in which nothing goes wrong at all, s."""
MOST_QUEUED = 5000
"""More than this in a queue means that nothing bounds it."""


@dataclass(frozen=True)
class Lived:
    """What came of a life.

    Attributes
    ----------
    seed : that replays it.
    seconds : of world time.
    session_s : of it, for which an engine ran.
    trace : hash of everything that happened.
    broken : rules that did not hold.
    story : world time in s, and what happened.
    orders, events : to the device, and entries in the trace.
    changes : of a trial's record that were acknowledged.
    cpu_s : processor time that it took, reckoning included, s.
    """

    seed: int
    seconds: float
    session_s: float
    trace: str
    broken: tuple[Broken, ...]
    story: tuple[tuple[float, str], ...]
    orders: int
    events: int
    cpu_s: float
    changes: int = 0


class Life:
    """Sessions in a world of their own.

    Parameters
    ----------
    seed : of everything.
    seconds : of the life, s of world time.
    template : a study with an approved decoder, see :func:`template`.
    strokes : world time in s and kind of each stroke of bad luck; drawn by default.
    """

    def __init__(
        self,
        seed: int,
        *,
        seconds: float,
        template: Scene,
        strokes: Sequence[tuple[float, str]] | None = None,
    ) -> None:
        self.seed, self.seconds, self._scene = seed, seconds, template
        self.random = random.Random(f"life {seed}")
        self.strokes = self._drawn() if strokes is None else strokes
        self.quiet = strokes is None and not self.strokes and seconds >= QUIET_FROM_S
        self.folder = Path(tempfile.mkdtemp(prefix="life-", dir=_memory()))
        self.study_folder = self.folder / "study"
        shutil.copytree(template.folder / "study", self.study_folder)
        shutil.copytree(template.folder / "keys", self.folder / "keys")
        self.world = VirtualWorld(seed)
        self.device = f"simulated_{template.effector}"
        self.watcher = self._watching()
        self.world.air.heard = self.watcher.heard
        pace = HASTY if seconds <= SHORT_S else DRAWN if template.depth == "evidence" else STEADY
        self.world.desk.tick_ns = round(self.random.choice(pace.tick_s) * NS)
        if self.random.random() < FAR:
            self._put_device_far(pace)
        self.people = People(
            self.world, self.watcher, template, study_folder=self.study_folder, draw=self.random, pace=pace
        )
        self.luck = self._misfortune()

    def _watching(self) -> Watcher:
        """Who sees what does not hold."""
        scene = self._scene
        return Watcher(
            self.world.scheduler,
            device=self.device,
            effector=control.load(scene.effector),
            stimulation=scene.stimulation,
        )

    def _misfortune(self) -> Luck:
        """What goes wrong."""
        return Luck(
            self.world,
            self.watcher,
            draw=self.random,
            device=self.device,
            second_operator=self.people.second_operator,
            hurry=self.people.hurry,
            restart=self._begin,
        )

    def _drawn(self) -> list[tuple[float, str]]:
        n = self.random.randrange(0, 5)
        if self.seconds > SHORT_S:
            n = sum(self.random.randrange(0, 5) for _ in range(max(1, round(self.seconds / STROKES_EVERY_S))))
        return [(self.random.uniform(0.5, self.seconds), self.random.choice(LUCK)) for _ in range(n)]

    def _put_device_far(self, pace: Pace) -> None:
        """The device runs on a computer of its own, with its own timer, whose clock began before and drifts."""
        drift, ago_s = self.random.uniform(-50e-6, 50e-6), self.random.uniform(0.0, 86400.0)
        tick_ns = round(self.random.choice(pace.tick_s) * NS)
        booted_ns = -round(ago_s * NS)
        far = Host("bedside", self.world.new_id(), booted_ns=booted_ns, rate=1.0 + drift, tick_ns=tick_ns)
        self.world.places[self.device] = far
        self.world.links[frozenset((far.name, self.world.desk.name))] = far_link(self.random)

    # ------------------------------------------------------------------------------- living
    def live(self) -> Lived:
        """Live it to its end, and reckon."""
        began = time.process_time()
        # Garbage is collected between lives: what it closes would else be closed at another moment each time.
        collects = gc.isenabled()
        gc.collect()
        gc.disable()
        try:
            with kept_in(self.folder / "keys"), self.world.entered():
                self._begin()
                for at_s, kind in self.strokes:
                    self.world.scheduler.after(at_s, partial(self.luck.strike, kind))
                self.world.scheduler.after(self.seconds, self._end)
                self._run()
                self._settle()
                self._reckon()
        finally:
            if collects:
                gc.enable()
            shutil.rmtree(self.folder, ignore_errors=True)
        scheduler, watcher = self.world.scheduler, self.watcher
        return Lived(
            self.seed,
            scheduler.now / NS,
            watcher.session_s,
            watcher.trace,
            tuple(watcher.broken),
            tuple(watcher.story),
            watcher.orders,
            watcher.n_events,
            time.process_time() - began,
        )

    def _begin(self) -> None:
        """The people sit down, at first and after a power loss."""
        self.world.start("operator", self.people.quiet_operator if self.quiet else self.people.operator)
        self.world.start("page", self.people.page)

    def _end(self) -> None:
        self.people.over = True

    def _gone(self) -> bool:
        """Whether everybody has left."""
        return self.people.gone

    def _run(self) -> None:
        scheduler, watcher = self.world.scheduler, self.watcher
        try:
            scheduler.run(until_s=self.seconds + PATIENCE_S, done=self._gone)
        except Stuck as stuck:
            watcher.breaks("somebody always has a turn", str(stuck))
        if not self._gone():
            watcher.breaks("every act of the operator comes to an end", "the operator still waits")
        # The device goes on for as long as it needs to become safe.
        if self._device():
            scheduler.run(until_s=scheduler.now / NS + 5.0, done=lambda: False)
        # A second operator may still wait for the record, and an engine may have stood still while everybody left:
        # it is told to end, as somebody does who finds it.
        self._wait_for(lambda: not self._alive("second"))
        if self._alive("second"):
            watcher.breaks("every act of the operator comes to an end", "the second operator still waits")
        self._wait_for(lambda: not any(engine.frozen for engine in self._alive("engine")))
        for engine in self._alive("engine"):
            world.computer.send_signal(engine.pid, "SIGTERM")
        self._wait_for(lambda: not self._alive("engine"))
        if self._alive("engine"):
            watcher.breaks("an engine that is told to end ends", "it was told by SIGTERM")

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        scheduler = self.world.scheduler
        scheduler.run(until_s=scheduler.now / NS + PATIENCE_S, done=condition)

    def _alive(self, name: str) -> list[Process]:
        return [p for p in self.world.scheduler.processes.values() if p.alive and p.name == name]

    def _device(self) -> list[Process]:
        return self._alive(self.device)

    def _settle(self) -> None:
        """What must hold once everybody has left."""
        scheduler, watcher = self.world.scheduler, self.watcher
        for process, thread, error in scheduler.defects:
            what = f"{process.name} {thread.name}: {type(error).__name__}: {error}"
            watcher.breaks("no thread ends by a defect", what)
        for process in scheduler.processes.values():
            if process.name == "engine":
                watcher.session_s += ((process.ended_ns or scheduler.now) - process.started_ns) / NS
                if process.code == 1 and not watcher.disk_failed:
                    outcome = self.study_folder / "engine" / "outcome.json"
                    said = outcome.read_text()[:300] if outcome.exists() else "it left no word"
                    watcher.breaks("no engine ends by a defect", said)
        if watcher.level > 1e-6 and self._device():
            watcher.breaks("a device is safe in the end", f"level {watcher.level:.3f}")
        if scheduler.longest_queue > MOST_QUEUED:
            watcher.breaks("queues are bounded", f"{scheduler.longest_queue} waited in one queue")

    def _reckon(self) -> None:
        """After everything is over: the record takes in what is there, the chain verifies, every run replays."""
        # Somebody may have left while the disk still failed; a record that cannot be written cannot be reckoned.
        self.luck.disk_is_well()
        process = self.world.start("reckoning", self._reckoning)
        scheduler = self.world.scheduler
        scheduler.run(until_s=scheduler.now / NS + 1000.0, done=lambda: not process.alive)
        for ended, _thread, error in scheduler.defects:
            if ended.name == "reckoning":
                self.watcher.breaks("the record can be reckoned", f"{type(error).__name__}: {error}")

    def _reckoning(self) -> int:
        breaks = self.watcher.breaks
        with Study.open(self.study_folder, actor="reckoning") as study:
            said = runs.ingest_pending(study)
            found = study.verify()
            if not found.ok:
                breaks("the chain verifies", str(found)[:400])
            listed = {Path(str(row["path"])).name for row in study.rows("recording")}
            for path in sorted((self.study_folder / "recordings").glob("*.xdf")):
                if path.name not in listed:
                    breaks("no recording is forgotten", f"{path.name}: {said}")
            for path in sorted((self.study_folder / "recordings" / SET_ASIDE).glob("*.xdf")):
                if path.stem in self.watcher.runs_shown:
                    breaks("a run that a screen showed has its beginning", path.name)
            kept = {str(row["extent"]) for noun in ("ledger", "session_ledger") for row in study.rows(noun)}
            for note, at_s in self.watcher.notes:
                if note not in kept:
                    breaks("no confirmed note is lost", f"{note!r}, confirmed at {at_s:.3f} s")
            self._reckon_owners(study)
            if (current := self.watcher.current) is not None:
                for why in current.forgotten(self._counted_uc()):
                    breaks("every charge is counted", why)
            # The calibration, with which a life begins, needs no second look.
            lived = [row for row in study.rows("run") if row["kind"] == self._scene.kind]
        self._reckon_replays(lived)
        return 0

    def _counted_uc(self) -> dict[Place, float]:
        """Charge of the day by contact, µC, as the next session of each person would count it."""
        counted: dict[Place, float] = {}
        for person in (PERSON, OTHER):
            for place, charge in charge_of_today(self.study_folder, participant=person).items():
                counted[place] = counted.get(place, 0.0) + charge
        return counted

    def _reckon_replays(self, lived: Sequence[Mapping[str, Any]]) -> None:
        """Every run replays equal: it did as it was taken in, and it does once more."""
        for row in lived:
            # A run that was cut off before its first decision has not been replayed.
            found = row["summary"].get("replay", {"equal": True})
            if not found["equal"]:
                self.watcher.breaks("replay equals", str(found["sentence"]))
            for result in replay_study(self.study_folder, run_id=str(row["id"])):
                if not result.equal:
                    self.watcher.breaks("replay equals", str(result.sentence))

    def _reckon_owners(self, study: Study) -> None:
        """Every run belongs to whose session it was."""
        visits = {row["id"]: row["participant_id"] for row in study.rows("visit")}
        names = {row["id"]: str(row["pseudonym"]) for row in study.rows("participant")}
        owners = {str(row["id"]): names[visits[row["visit_id"]]] for row in study.rows("session")}
        for row in study.rows("run"):
            session = str(row["session_id"])
            if owners[session] != self.watcher.persons.get(session, owners[session]):
                self.watcher.breaks(
                    "nobody's data enters another's record", f"run {row['id']} is of {owners[session]}"
                )


def _memory() -> str | None:
    """Where files cost the least."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
