"""One life of a trial: a clinic's people over weeks, and what befalls the record while they work."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from workbench.simulation.clinic import STAFF
from workbench.simulation.life import Life, Lived
from workbench.simulation.luck import Luck
from workbench.simulation.people import HASTY, People
from workbench.simulation.record_watcher import RecordWatcher
from workbench.simulation.scene import Scene
from workbench.simulation.staff import Staff
from workbench.simulation.virtual_world import VirtualWorld
from workbench.study import Study, allocations, restore

BEFALLS = (
    "rush", "rush", "backup", "disk full", "disk failing", "disk slow", "disk tearing", "disk read-only",
    "record locked", "clock step", "time zone", "sleep", "kill at a write", "kill at a write", "power loss",
    "power loss at a write", "power loss at a write", "disk full at a write", "disk failing at a write",
    "freeze", "closing", "closing", "session",
)  # fmt: skip
"""What may befall a trial; all of it while everybody is busy at once."""
REGIONS = ("/study.db", "/keys/", "/anchors.jsonl", "/")
"""Parts of the disk that fail together."""
ACTS = (10, 80)
"""Acts of a rush, least and most."""
WRITES = ("write", "open", "sync", "rename", "database", "truncate", "unlink", "touch")
WITHIN = (1, 120)
"""Writes within which something strikes that is to strike at one."""
ZONES_S = (-8 * 3600, -5 * 3600, 0, 3600, 2 * 3600, 8 * 3600, 34200, 14 * 3600)
"""Local time ahead of UTC, s."""
STATEMENT_S = 0.03
"""How long a statement may take where everybody is busy, s: in between others have their turn."""
SLOW = 0.3
"""Share of statements that take so long."""
DAYS_FOR_ONE = 3.0
"""Days of a life for which one stroke is drawn."""
SESSION_S = 8.0
"""Length of a session with an engine amid all that, s."""


class TrialLife(Life):
    """Weeks of a trial in a world of their own.

    Parameters
    ----------
    seed, seconds, template, strokes : as of :class:`Life`; a template without a decoder has no sessions.
    """

    watcher: RecordWatcher

    def __init__(
        self,
        seed: int,
        *,
        seconds: float,
        template: Scene,
        strokes: Sequence[tuple[float, str]] | None = None,
    ) -> None:
        super().__init__(seed, seconds=seconds, template=template, strokes=strokes)
        self.quiet = False
        self.world.desk.tick_ns = 0
        self.world.desk.zone_s = self.random.choice(ZONES_S)
        # A session is short, whatever the weeks around it are.
        self.people = People(
            self.world, self.watcher, replace(template, depth="signals"), study_folder=self.study_folder,
            draw=self.random, pace=HASTY,
        )  # fmt: skip
        self.people.over = self.people.gone = True

    def _watching(self) -> RecordWatcher:
        watcher = RecordWatcher(self.world.scheduler, device=self.device, folder=self.study_folder)
        self.staff = Staff(self.world, watcher, study_folder=self.study_folder, draw=self.random)
        return watcher

    def _misfortune(self) -> TrialLuck:
        return TrialLuck(
            self.world, self.watcher, staff=self.staff, draw=self.random, restart=self._begin,
            session=self._session if self._scene.calibrated else None,
        )  # fmt: skip

    def _drawn(self) -> list[tuple[float, str]]:
        n = max(1, round(self.seconds / 86400.0 / DAYS_FOR_ONE))
        n = self.random.randrange(1, 2 * n + 1)
        return [(self.random.uniform(60.0, self.seconds), self.random.choice(BEFALLS)) for _ in range(n)]

    def live(self) -> Lived:
        try:
            return replace(super().live(), changes=self.watcher.changes)
        finally:
            self.watcher.shadow.close()

    # ------------------------------------------------------------------------------- living
    def _begin(self) -> None:
        if self.watcher.shadow.seq == 0:
            self.watcher.begin()
        self.staff.come()

    def _end(self) -> None:
        self.people.over = True
        self.staff.leave()

    def _gone(self) -> bool:
        return self.staff.gone and self._no_session

    @property
    def _no_session(self) -> bool:
        """Whether nobody holds a session: it was ended, or its program was."""
        return self.people.gone or not self._alive("operator")

    def _session(self) -> None:
        """A session of the simulated participant, in the same record."""
        if not self._no_session or self.staff.over:
            return
        self.people.over = self.people.gone = False
        self.world.start("operator", self.people.operator)
        self.world.start("page", self.people.page)

        def over() -> None:
            self.people.over = True

        self.world.scheduler.after(SESSION_S, over)

    # ------------------------------------------------------------------------------- reckoning
    def _reckoning(self) -> int:
        with Study.open(self.study_folder, actor="reckoning") as study:
            # What is to be taken in cannot be while the study is locked.
            self.staff.reopen(study)
            self.watcher.look()
            self.watcher.consents(study)
            self.watcher.signatures(study, study.rows("signature"))
            self.watcher.implants(study, self.watcher.utc.date())
            self._prove(study)
        super()._reckoning()
        for folder in self.staff.backups[-1:]:
            restored = restore.drill(folder)
            if restored.problems:
                self.watcher.breaks(
                    "a backup that was made while all worked is whole", str(restored.problems)[:300]
                )
        return 0

    def _prove(self, study: Study) -> None:
        """Every list and every allocation follows from its secret."""
        prover = next((one for one in STAFF if self.watcher.may_learn(one, "")), None)
        if prover is None:
            return
        for proof in allocations.prove(study, prover.signer(study)):
            if not proof.holds:
                self.watcher.breaks("allocations follow from their list", str(proof.differences)[:300])


class TrialLuck(Luck):
    """What befalls the record, always while everybody is busy at once.

    Parameters
    ----------
    made, watcher, draw, restart : as of :class:`Luck`.
    staff : who works.
    session : begins a session with an engine; None where none can be.
    """

    regions = REGIONS

    def __init__(
        self,
        made: VirtualWorld,
        watcher: RecordWatcher,
        *,
        staff: Staff,
        draw: random.Random,
        restart: Callable[[], None],
        session: Callable[[], None] | None,
    ) -> None:
        super().__init__(
            made, watcher, draw=draw, device="", second_operator=lambda: 0, hurry=staff.rush, restart=restart
        )
        self._staff, self._session = staff, session
        self._writes_left, self._waiting = 0, ""

    def strike(self, kind: str) -> None:
        self._watcher.note(f"everybody is busy at once, and then: {kind}")
        self._staff.rush(self._random.randrange(*ACTS))
        what, at_a_write, _ = kind.partition(" at a write")
        if at_a_write:
            self._writes_left, self._waiting = self._random.randrange(*WITHIN), what
        else:
            self._world.scheduler.after(self._random.random(), partial(self._befall, what))

    def _befall(self, what: str) -> None:
        if what == "backup":
            self._world.start("backup", self._staff.make_backup)
        elif what == "closing":
            self._world.start("closing", self._staff.close_study)
        elif what == "session":
            if self._session is not None:
                self._session()
        elif what == "time zone":
            self._world.desk.zone_s = self._random.choice(ZONES_S)
            self._watcher.note(f"local time is {self._world.desk.zone_s / 3600:+g} h from UTC now")
        elif what in ("kill", "freeze"):
            self._one(what)
        elif what != "rush":
            super().strike(what)

    def _one(self, act: str) -> None:
        """Somebody's program is killed, or stands still: that of whoever writes, else anybody's."""
        current = self._world.scheduler.current
        alive = [process for process in self._world.scheduler.processes.values() if process.alive]
        process = self._random.choice(alive) if current is None else current.process
        self._watcher.note(f"the program of {process.name} {'is killed' if act == 'kill' else 'stands still'}")
        if act == "freeze":
            self._freeze(process, self._random.choice((0.1, 5.0, 40.0)))
            return
        self._world.scheduler.after(self._random.choice((1.0, 60.0)), self._staff.come)
        self._world.scheduler.end(process, -9)

    def _disk(self, what: str, path: str) -> None:
        if what in WRITES and self._waiting:
            self._writes_left -= 1
            if self._writes_left <= 0:
                struck, self._waiting = self._waiting, ""
                self._befall(struck)
        if what == "database" and self._staff.hurry and self._random.random() < SLOW:
            self._world.scheduler.wait(None, self._random.random() * STATEMENT_S)
        super()._disk(what, path)
