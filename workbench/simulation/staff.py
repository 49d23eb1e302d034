"""The people of a clinic over weeks: each at a desk of their own, all in one record."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from workbench import world
from workbench.errors import Refused, WorkbenchError
from workbench.simulation import acts
from workbench.simulation.acts import Asked
from workbench.simulation.clinic import BY_ROLE, SECRET, STAFF, Person
from workbench.simulation.record_watcher import Flight, RecordWatcher
from workbench.simulation.scheduler import Process
from workbench.simulation.virtual_world import VirtualWorld
from workbench.study import (
    Study,
    allocations,
    audit_trail,
    backup,
    listings,
    obligations,
    people,
    pseudonyms,
    safety_desk,
)
from workbench.study.applying import Change, bound_now
from workbench.study.changes import (
    CloseQuery,
    CodeEvent,
    GrantRole,
    LockStudy,
    MarkSent,
    ReviseEvent,
    Sign,
    UnlockStudy,
)
from workbench.study.moments import text_of
from workbench.study.people import Confirmation
from workbench.vocabulary import Participant, PersonState

RESTS_S = (20.0, 3600.0, 4 * 3600.0, 24 * 3600.0, 48 * 3600.0)
"""Times between two acts of somebody, of which one is drawn, s."""
HURRIED_S = (0.0, 0.0, 0.02, 0.2)
"""The same where everybody is busy at once, s."""
IMPATIENT, READS, ARRIVES, LETS_IN, TYPES = 0.07, 0.12, 0.08, 0.04, 0.004
"""Share of acts that are clicked twice, that only read, in which a participant comes (of a coordinator's), in
which somebody's access is closed or opened (of who manages the data), and for which a password is typed indeed."""
COME_AND_GO = tuple(person for person in STAFF if person.login in ("diaz", "ito", "meyer", "silva"))
"""Whose access is closed at times."""
LOCKED_S = (60.0, 6 * 3600.0, 48 * 3600.0)
"""How long a study stays locked, s."""
TRIES_AGAIN_S = 1.0
"""After which somebody who could not open the record tries again, s."""


class Staff:
    """Who works in a trial.

    Parameters
    ----------
    made : their world.
    watcher : is told what they did.
    study_folder : of their study.
    draw : what they do.

    Attributes
    ----------
    over : whether they are to leave.
    """

    def __init__(
        self, made: VirtualWorld, watcher: RecordWatcher, *, study_folder: Path, draw: random.Random
    ) -> None:
        self._world, self._watcher, self._folder, self._draw = made, watcher, study_folder, draw
        self._desks: list[Process] = []
        self._hurried = 0
        self._call: Any = None
        self.backups: list[Path] = []
        self.over = False

    @property
    def gone(self) -> bool:
        """Whether everybody has left."""
        return self.over and not any(process.alive for process in self._desks)

    @property
    def hurry(self) -> bool:
        """Whether everybody is busy at once."""
        return self._hurried > 0

    def come(self) -> None:
        """Everybody sits down who does not sit there already."""
        self._call = self._call or world.clock.event()
        sitting = {process.name for process in self._desks if process.alive}
        for person in STAFF:
            if person.login not in sitting:
                self._desks.append(self._world.start(person.login, partial(self._desk, person)))

    def leave(self) -> None:
        """Everybody finishes what they do."""
        self.over = True
        self._rouse()

    def rush(self, n: int) -> None:
        """Everybody is called, and the next acts follow at once."""
        self._hurried = n
        self._rouse()

    def _rouse(self) -> None:
        self._call.set()
        self._call.clear()

    # ------------------------------------------------------------------------------- one person
    def _desk(self, person: Person) -> int:
        """Somebody who opens the record and does what is next, until it is time to leave."""
        while not self.over:
            try:
                with Study.open(self._folder, actor=person.name) as study:
                    self._works(study, person)
            except WorkbenchError as error:
                self._reads(person, error)
                world.clock.sleep(TRIES_AGAIN_S)
        return 0

    def _works(self, study: Study, person: Person) -> None:
        while not self.over:
            self._rests()
            try:
                self._act(study, person)
            except WorkbenchError as error:
                # What somebody only looked at could not be read.
                self._reads(person, error)

    def _rests(self) -> None:
        if self.hurry:
            self._hurried -= 1
            world.clock.sleep(self._draw.choice(HURRIED_S))
        else:
            self._call.wait(self._draw.choice(RESTS_S))

    def _act(self, study: Study, person: Person) -> None:
        chance = self._draw.random()
        if chance < READS:
            self._look(study, person)
        elif person.role == "coordinator" and chance < READS + ARRIVES:
            self._arrive(study, person)
        elif person.role == "data_manager" and chance < READS + LETS_IN:
            self._let_in(study, person)
        elif (asked := acts.draw(study, person, self._draw)) is not None:
            again = self._draw.random() < IMPATIENT
            if again:
                self._world.start(f"{person.login} again", partial(self._again, asked))
            self._ask(study, asked)
            if again and self._draw.random() < 0.5:
                self._ask(study, asked)

    def _again(self, asked: Asked) -> int:
        """The second click of somebody who did not wait for the first."""
        try:
            with Study.open(self._folder, actor=asked.signers[0].name) as study:
                self._ask(study, asked)
        except WorkbenchError as error:
            self._reads(asked.signers[0], error)
        return 0

    def _ask(self, study: Study, asked: Asked) -> None:
        name = type(asked.change).__name__
        who = asked.signers[0].name
        flight = self._watcher.asks(asked)

        def done() -> str:
            actor = [self._confirmed(study, one) for one in asked.signers] if asked.signed else None
            return study.apply(asked.change, actor or asked.signers[0].signer(study), asked.reason)

        self._watcher.note(f"{who} asks for {name}: {self._answered(flight, done)}")

    def _answered(self, flight: Flight, done: Callable[[], str]) -> str:
        """What somebody is told."""
        process = self._world.scheduler.current.process  # type: ignore[union-attr]
        process.on_end.append(lost := partial(self._watcher.gone, flight))
        try:
            row_id = done()
        except WorkbenchError as error:
            self._watcher.refused(flight, error)
            return _short(error)
        finally:
            if lost in process.on_end:
                process.on_end.remove(lost)
        self._watcher.acknowledged(flight, row_id)
        return "done"

    def _confirmed(self, study: Study, person: Person) -> Confirmation:
        if self._draw.random() >= TYPES:
            return person.confirmed(study)
        return person.signer(study).confirm(self._draw.choice((SECRET, SECRET, "wrong horse")))

    def _arrive(self, study: Study, person: Person) -> None:
        """A participant comes; at times somebody types a pseudonym that is taken."""
        taken = [row["pseudonym"] for row in study.rows("participant")]
        pseudonym = pseudonyms.new("S", taken, world.chance)
        if self._draw.random() < 0.1:
            pseudonym = self._draw.choice(taken)
        flight = self._watcher.asks(person)
        said = self._answered(flight, lambda: study.append(Participant(pseudonym)))
        self._watcher.note(f"{person.name} enters {pseudonym}: {said}")

    def _let_in(self, study: Study, person: Person) -> None:
        """The access of somebody is closed, or opened again."""
        whose = self._draw.choice(COME_AND_GO)
        row = study.rows("person", login=whose.login)[0]
        state: PersonState = "closed" if row["state"] == "active" else "active"
        flight = self._watcher.asks(person)

        def done() -> str:
            people.set_state(study, whose.login, state, reason="comes and goes")
            return str(row["id"])

        said = self._answered(flight, done)
        self._watcher.note(f"the access of {whose.name} is to be {state}: {said}")

    def _reads(self, person: Person, error: WorkbenchError) -> None:
        self._watcher.sentence(error)
        self._watcher.note(f"{person.name} reads: {_short(error)}")

    # ------------------------------------------------------------------------------- what is looked at
    def _look(self, study: Study, person: Person) -> None:
        """Somebody reads a page, asks for an arm, or wonders who withdrew."""
        look = self._draw.choice((self._page, self._page, self._arm, self._checks))
        look(study, person)

    def _page(self, study: Study, person: Person) -> None:
        pages: tuple[Callable[[], object], ...] = (
            study.overview,
            study.worklist,
            lambda: safety_desk.desk(study, world.clock.now()),
            lambda: list(listings.queries(study)) + list(listings.deviations(study)),
            lambda: allocations.lists(study) + allocations.slots(study),
            lambda: [row for row in audit_trail.read(study) if row.table in ("allocation", "unblinding", "visit")],
        )
        self._watcher.saw(person, self._draw.choice(pages)())

    def _arm(self, study: Study, person: Person) -> None:
        rows = study.rows("allocation")
        if not rows:
            return
        row, arm = self._draw.choice(rows), ""
        self._watcher.look()
        before = self._watcher.may_learn(person, row["participant_id"])
        try:
            arm = allocations.arm_of(study, row["participant_id"], person.signer(study), "to plan a visit")
        except Refused as error:
            self._watcher.sentence(error)
        self._watcher.look()
        self._watcher.told_arm(person, row, arm, before=before)

    def _checks(self, study: Study, person: Person) -> None:
        self._watcher.look()
        self._watcher.consents(study)
        rows = study.rows("signature")
        self._watcher.signatures(study, self._draw.sample(rows, min(3, len(rows))))

    # ------------------------------------------------------------------------------- the end of a study
    def close_study(self) -> int:
        """Those who manage the data settle everything that is open, lock the study, and open it again later."""
        manager, doctor = BY_ROLE["data_manager"], BY_ROLE["investigator"]
        try:
            with Study.open(self._folder, actor=manager.name) as study:
                for change in self._open_ends(study):
                    by = doctor if isinstance(change, MarkSent | ReviseEvent) else manager
                    self._ask(study, Asked(change, (by,), "the study is closed"))
                self._ask(study, Asked(LockStudy(), self._three(), "the study is closed"))
                world.clock.sleep(self._draw.choice(LOCKED_S))
                self.reopen(study)
        except WorkbenchError as error:
            self._reads(manager, error)
        return 0

    def _open_ends(self, study: Study) -> Iterator[Change]:
        """Every change that an obstacle to the lock asks for."""
        closed = {row["query_id"] for row in study.rows("query_event", action="closed")}
        for row in study.rows("query"):
            if row["id"] not in closed:
                yield CloseQuery(row["id"], "settled")
        for row in study.rows("form"):
            targets = (("form", row["id"]),)
            yield Sign(targets, "I reviewed these entries", bound_now(study, targets)[1])
        for row in study.rows("adverse_event"):
            if row["state"] == "void":
                continue
            if not row["coding"]:
                yield CodeEvent(row["id"], "MedDRA", "28.1", "10048038", "Wound infection")
            if row["state"] == "open":
                yield ReviseEvent(row["id"], text_of(world.clock.now()), "UTC", state="closed")
        for due in obligations.obligations(study, world.clock.now()):
            if not due.sent_at:
                yield MarkSent(due.table, due.row_id, due.rule, "letter 3")

    def _three(self) -> tuple[Person, ...]:
        return tuple(BY_ROLE[roles[0]] for roles in LockStudy.SIGNED_BY)

    def reopen(self, study: Study) -> None:
        """Lift the lock of the study, where one is in force.

        Parameters
        ----------
        study : the open record.
        """
        newest = [row for row in study.rows("lock_event") if row["table_name"] == "study"][-1:]
        if not newest or newest[0]["action"] != "lock":
            return
        for person in self._three():
            row = study.rows("person", login=person.login)[0]
            if person.role not in row["roles"]:
                granted = GrantRole(row["id"], person.role, "training", blinded=bool(person.blinded))
                self._ask(study, Asked(granted, (BY_ROLE["data_manager"],), "the study is opened again"))
        self._ask(study, Asked(UnlockStudy(), self._three(), "the study is opened again"))

    # ------------------------------------------------------------------------------- a backup
    def make_backup(self) -> int:
        """Somebody backs the study up while everybody works."""
        target = self._folder.parent / "backups"
        try:
            made = backup.backup(self._folder, target)
            self.backups.append(made.folder)
            self._watcher.note(f"a backup ends with entry {made.head[0]}")
        except WorkbenchError as error:
            self._watcher.sentence(error)
            self._watcher.note(f"no backup: {_short(error)}")
        return 0


def _short(error: WorkbenchError) -> str:
    """The code of a sentence, which names no file and no process of this computer."""
    said = error.args[0] if error.args else ""
    return f"{type(error).__name__} {getattr(said, 'code', said)}"
