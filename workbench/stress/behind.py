"""Edit a record behind its back, as whoever owns its database can, and count what ``verify`` finds.

The owner switches the triggers off, edits, and switches them on again. Every field of every row is edited once;
bits of stored values flip; the newest entries of the chain are taken away; and an older state of the record is put
back while the anchors know a newer one. In a file and on a server alike.
"""

from __future__ import annotations

import math
import random
import sqlite3
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from workbench import world
from workbench.errors import RecordFault
from workbench.stress.scenario import DEFINITION, fifty
from workbench.study import anchors, record_file, schema, stores
from workbench.study.changes.protocols import AdoptProtocol
from workbench.study.record import Study
from workbench.study.stores import postgresql_schema
from workbench.study.stores.postgresql import PostgreSQL
from workbench.study.verification import verify
from workbench.vocabulary import LedgerRow, Participant, Run, Session, Trial, Visit

Step = Callable[[], None]
FAR = 1_000_000
"""Added to an integer: a number that no row has."""
EVERY = 4
"""Entries between two states that are kept to be put back."""


class Field(NamedTuple):
    """One column of one row: its table, the number of the row, the column."""

    table: str
    row: int
    column: str


@dataclass(frozen=True, slots=True)
class EditFigures:
    """Fields edited, how many edits ``verify`` found or the database refused, ``missed`` are the others."""

    edits: int
    found: int
    missed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TailFigures:
    """Cases in which the newest entries were ``cut`` from the chain or an older state was put ``back``.

    ``found`` of the cut ones; of those put back, ``shown`` by the anchors, and ``valid`` without them.
    """

    cut: int
    found: int
    back: int
    shown: int
    valid: int


class Owner(Protocol):
    """Whoever owns the database of a record.

    Attributes
    ----------
    folder : of the study, which nobody has open.
    errors : what the database raises where it refuses an edit even from its owner.
    """

    folder: Path
    errors: tuple[type[Exception], ...]

    def fields(self) -> list[Field]:
        """Every column of every row."""

    def value(self, field: Field) -> Any:
        """What stands there."""

    def edit(self, field: Field, value: Any) -> None:
        """Put something else there, with the triggers off."""

    def cut(self, after: int) -> None:
        """Take away every entry of the chain after this one, and leave the tables as they are."""

    def state(self) -> Any:
        """Everything that the database keeps of the record."""

    def put_back(self, state: Any) -> None:
        """Put a state in the place of what is there."""

    def close(self) -> None:
        """Let go of the database."""


def owner_of(folder: Path) -> Owner:
    """The owner of the record in a folder."""
    store = stores.at(folder)
    return _OnServer(folder, store) if isinstance(store, PostgreSQL) else _OfFile(folder)


# ---------------------------------------------------------------------------------------- a file
class _OfFile:
    """Owner of a file."""

    errors: tuple[type[Exception], ...] = (sqlite3.IntegrityError,)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / record_file.FILE

    def fields(self) -> list[Field]:
        with closing(sqlite3.connect(self._path)) as connection:
            found = []
            for name in _tables():
                columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
                for (number,) in connection.execute(f'SELECT rowid FROM "{name}"'):
                    found += [Field(name, number, column) for column in columns]
            return found

    def value(self, field: Field) -> Any:
        with closing(sqlite3.connect(self._path)) as connection:
            query = f'SELECT "{field.column}" FROM "{field.table}" WHERE rowid = ?'
            return connection.execute(query, (field.row,)).fetchone()[0]

    def edit(self, field: Field, value: Any) -> None:
        query = f'UPDATE "{field.table}" SET "{field.column}" = ? WHERE rowid = ?'
        self._past((field.table,), [(query, (value, field.row))])

    def cut(self, after: int) -> None:
        queries = [(f"DELETE FROM {name} WHERE seq > ?", (after,)) for name in reversed(postgresql_schema.OWN)]
        self._past(postgresql_schema.OWN, queries)

    def _past(self, tables: tuple[str, ...], queries: list[tuple[str, tuple[Any, ...]]]) -> None:
        """Run statements without the triggers of these tables, which are there again afterwards, as they were."""
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            marks = ", ".join("?" * len(tables))
            kept = connection.execute(
                f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({marks})", tables
            ).fetchall()
            connection.execute("BEGIN")
            for name, _ in kept:
                connection.execute(f"DROP TRIGGER {name}")
            for query, values in queries:
                connection.execute(query, values)
            for _, sql in kept:
                connection.execute(sql)
            connection.execute("COMMIT")

    def state(self) -> bytes:
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.serialize()

    def put_back(self, state: bytes) -> None:
        for end in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        self._path.write_bytes(state)

    def close(self) -> None:
        """Nothing: each edit opens the file for itself."""


# ---------------------------------------------------------------------------------------- a server
class _OnServer:
    """Owner of a schema."""

    def __init__(self, folder: Path, store: PostgreSQL) -> None:
        self.folder = folder
        self._store = store
        self.errors: tuple[type[Exception], ...] = store.errors
        self._connection = world.network.database(store.pointer.url, autocommit=True)
        self._connection.execute(f"SET search_path = {postgresql_schema.search_path(store.pointer.schema)}")
        self._connection.execute("SET session_replication_role = replica")
        self._now: Mapping[str, bytes] = self.state()

    def fields(self) -> list[Field]:
        found = []
        for name in _tables():
            order = postgresql_schema.order_of(name)
            answer = self._connection.execute(f'SELECT * FROM "{name}" LIMIT 0')
            columns = [column.name for column in answer.description or ()]
            for (number,) in self._connection.execute(f'SELECT {order} FROM "{name}"').fetchall():
                found += [Field(name, number, column) for column in columns]
        return found

    def value(self, field: Field) -> Any:
        order = postgresql_schema.order_of(field.table)
        query = f'SELECT "{field.column}" FROM "{field.table}" WHERE {order} = %s'
        ((value,),) = self._connection.execute(query, (field.row,), binary=True).fetchall()
        return value

    def edit(self, field: Field, value: Any) -> None:
        order = postgresql_schema.order_of(field.table)
        query = f'UPDATE "{field.table}" SET "{field.column}" = %s WHERE {order} = %s'
        self._connection.execute(query, (value, field.row))
        self._now = {**self._now, field.table: b"edited"}

    def cut(self, after: int) -> None:
        for name in reversed(postgresql_schema.OWN):
            self._connection.execute(f"DELETE FROM {name} WHERE seq > %s", (after,))
        self._now = {**self._now, **dict.fromkeys(postgresql_schema.OWN, b"edited")}

    def state(self) -> Mapping[str, bytes]:
        with self._store.reader() as reader:
            return {name: b"".join(reader.copy(name)) for name in _tables()}

    def put_back(self, state: Mapping[str, bytes]) -> None:
        with self._connection.transaction():
            for name in _tables():
                if state[name] == self._now[name]:
                    continue
                self._connection.execute(f'DELETE FROM "{name}"')
                with self._connection.cursor().copy(f'COPY "{name}" FROM STDIN') as copy:
                    copy.write(state[name])
        self._now = state

    def close(self) -> None:
        self._connection.close()


def _tables() -> list[str]:
    return postgresql_schema.names()


# ---------------------------------------------------------------------------------------- the record
def filled(folder: Path, database: str) -> list[Any]:
    """A study with a protocol, its fifty changes, and sessions; states of it while it grew, the newest last.

    Parameters
    ----------
    folder : of the study, new.
    database : URL of a PostgreSQL database that holds it, ``""`` for a file.
    """
    states = []
    made = Study.create(folder, code="stress", title="edited", actor="stress", database=database)
    with made as study, closing(owner_of(folder)) as owner:
        for number, _ in enumerate(_grown(study)):
            if number % EVERY == 0:
                states.append(owner.state())
    with closing(owner_of(folder)) as owner:
        return [*states, owner.state()]


def _grown(study: Study) -> Iterator[None]:
    signers = [study.script_signer(name).confirm() for name in ("one", "two")]
    study.apply(AdoptProtocol(DEFINITION), signers)
    yield from fifty(study)
    yield from fill(study)


def fill(study: Study) -> Iterator[None]:
    """Enter runs, trials and ledgers of four participants, one at each step."""
    for number in range(4):
        person = study.append(Participant(pseudonym=f"P{number}"))
        visit = study.append(Visit(participant_id=person, name="baseline"))
        session = study.append(Session(visit_id=visit, operator="op", plan={"speed": 1.0}))
        trials = [
            Trial(i, "grasp", 100 * i, 0.1 * i, 100 * i + 90, "correct", "grasp", latency_s=i / 7)
            for i in range(5)
        ]
        run = Run(session, 1, "online", "grasp_rest", "finished", summary={"latency_ms": {"p99": 12.5}})
        study.append_run(run, trials=trials, ledger=[LedgerRow("gap", 1.5, 2.5, extent="3 samples")])
        study.amend("participant", person, {"ais": "B"}, reason="classified again")
        yield


# ---------------------------------------------------------------------------------------- edits
def chosen(owner: Owner, *, most: int, seed: int) -> list[Field]:
    """Fields in the order in which they are edited.

    Parameters
    ----------
    owner : of the record.
    most : where there are no more fields than that, every one, else as many at random.
    seed : of which, and in which order: of two studies filled in the same way the same ones.
    """
    # In an order of its own: a database may give rows in any.
    fields = sorted(owner.fields())
    return random.Random(seed).sample(fields, min(most, len(fields)))


def edited(owner: Owner, whole: Any, fields: Sequence[Field], *, step: Step) -> EditFigures:
    """Edit fields one at a time.

    Parameters
    ----------
    owner : of the record.
    whole : the state that is put back after each edit.
    fields : which.
    step : called after each.
    """
    missed = []
    for field in fields:
        if not _found(owner, whole, field, _other(field, owner.value(field))):
            missed.append(".".join(map(str, field)))
        step()
    return EditFigures(len(fields), len(fields) - len(missed), tuple(missed))


def flipped(owner: Owner, whole: Any, *, flips: int, seed: int, step: Step) -> EditFigures:
    """Flip one bit of one stored value at a time.

    Parameters
    ----------
    owner : of the record.
    whole : the state that is put back after each.
    flips : how many.
    seed : of the values and bits.
    step : called after each.
    """
    chance, fields, missed = random.Random(seed), owner.fields(), []
    for _ in range(flips):
        changed = None
        while changed is None:
            field = chance.choice(fields)
            changed = _flipped(owner.value(field), chance)
        if not _found(owner, whole, field, changed):
            missed.append(".".join(map(str, field)))
        step()
    return EditFigures(flips, flips - len(missed), tuple(missed))


def _found(owner: Owner, whole: Any, field: Field, value: Any) -> bool:
    """Whether an edit is refused by the database or found; the record is whole again afterwards."""
    try:
        owner.edit(field, value)
        return not _holds(owner.folder)
    except owner.errors:
        return True
    finally:
        owner.put_back(whole)


def _holds(folder: Path) -> bool:
    # A record that is no longer told to be one is found too.
    try:
        return verify(folder).ok
    except RecordFault:
        return False


def _other(field: Field, value: Any) -> Any:
    """Another value that the column takes."""
    if value is None:
        kind = schema.metadata.tables[field.table].columns[field.column].type.python_type
        return {int: 0, float: 0.5}.get(kind, "x")
    if isinstance(value, int):
        return value + FAR
    if isinstance(value, float):
        return math.nextafter(value, math.inf)
    return value + (b"x" if isinstance(value, bytes) else "x")


def _flipped(value: Any, chance: random.Random) -> Any:
    """The value with one bit of what is stored flipped; None where that is no value of its kind any more."""
    if isinstance(value, int):
        return value ^ 1 << chance.randrange(63)
    if isinstance(value, float):
        (bits,) = struct.unpack(">Q", struct.pack(">d", value))
        return struct.unpack(">d", struct.pack(">Q", bits ^ 1 << chance.randrange(64)))[0]
    if not value:
        return None
    stored = bytearray(value if isinstance(value, bytes) else value.encode())
    stored[chance.randrange(len(stored))] ^= 1 << chance.randrange(8)
    if isinstance(value, bytes):
        return bytes(stored)
    with suppress(UnicodeDecodeError):
        text = stored.decode()
        return text if "\0" not in text else None
    return None


# ---------------------------------------------------------------------------------------- tails
def tails(owner: Owner, states: list[Any], *, cases: int, seed: int, step: Step) -> TailFigures:
    """Cut the newest entries from the chain, and put older states back: as many of each.

    Parameters
    ----------
    owner : of the record.
    states : of the record while it grew; the newest one, which the anchors know, is the last.
    cases : of each kind.
    seed : of where.
    step : called after each.
    """
    chance, found, shown, valid = random.Random(seed), 0, 0, 0
    owner.put_back(states[-1])
    head = verify(owner.folder).head[0]
    for _ in range(cases):
        owner.cut(chance.randrange(1, head))
        found += not _holds(owner.folder)
        owner.put_back(chance.choice(states[:-1]))
        shown += not _holds(owner.folder)
        valid += _holds_without_anchors(owner.folder)
        owner.put_back(states[-1])
        step()
    return TailFigures(cases, found, cases, shown, valid)


def _holds_without_anchors(folder: Path) -> bool:
    """An older state by itself is a whole record: only something outside it can tell."""
    aside = folder.with_name(f"{folder.name}-anchors")
    (folder / anchors.FILE).rename(aside)
    try:
        return _holds(folder)
    finally:
        aside.rename(folder / anchors.FILE)
