"""Move a study between a file and a server: the same chain, verified there before the old place is retired.

Every entry keeps its number and its hash; one is added, which says that the record was moved and how the two
databases' schemas hash. The step that decides is one renaming in the study folder: of ``database.toml`` into its
place, or away from it. Whatever a killed move left, the record is whole in one of both places, every command finds
it there, and moving again goes on from it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from workbench import reading, world
from workbench.errors import BadValue, RecordFault, Refused
from workbench.messages import Message
from workbench.study import anchors, files, migrate, record_file, schema, stores, verification
from workbench.study.keys import KeyRing
from workbench.study.migrations import NEWEST
from workbench.study.stores import Reader, Store, pointer, postgresql_schema
from workbench.study.stores.pointer import Pointer
from workbench.study.stores.postgresql import RETIRED, PostgreSQL, PostgreSQLReader
from workbench.study.stores.sqlite import SQLite, SQLiteReader
from workbench.study.verification import Findings
from workbench.study.writer import MOVE, Writer, transaction

TO_SERVER = ("alone", "old verified", "begun", "copy verified", "copy stored", "in force", "old kept", "anchored")
TO_FILE = (
    "alone", "old verified", "copy written", "copy verified", "begun", "in place", "server retired", "in force",
    "anchored",
)  # fmt: skip
"""Names of the steps in both directions, in order; a process may be killed at each."""
UNFINISHED = ".moving"
"""End of the names of what is not in its place yet."""
BUSY_S = 10.0
"""How long a writer on the server is waited for, s."""

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """A study that was moved.

    Attributes
    ----------
    folder : of the study.
    where : the record's place now: its file, or the database with its schema.
    before : ``(seq, hash)`` of the newest entry before it was moved, which is in both places.
    head : ``(seq, hash)`` of the entry that says so.
    kept : file beside the record that stays of the old place.
    retired : name that the schema on the server has now, ``""`` after a move to a server.
    """

    folder: Path
    where: str
    before: tuple[int, str]
    head: tuple[int, str]
    kept: str
    retired: str = ""

    def text(self) -> str:
        """The result in words."""
        old = f"; the schema on the server is now {self.retired}, which nobody writes" if self.retired else ""
        return "\n".join(
            [
                f"moved: the study record of {reading.shown(self.folder)} lies in {self.where}",
                f"verified there: audit rows 1 to {self.before[0]} with the same hashes, and every row of data",
                f"kept of the old place: {self.kept}{old}; it holds the record as it was and is never changed",
                f"head: {self.head[0]} {self.head[1]}",
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """The result as plain data, for ``workbench move --json``."""
        heads = {name: {"seq": seq, "hash": digest} for name, (seq, digest) in self._heads().items()}
        return {**asdict(self), "folder": str(self.folder), **heads}

    def _heads(self) -> Mapping[str, tuple[int, str]]:
        return {"before": self.before, "head": self.head}


def move(
    folder: Path | str, *, actor: str, database: str = "", reason: str = "", step: Step = lambda name: None
) -> Moved:
    """Move the record of a study to a server, or from a server into the study folder.

    Parameters
    ----------
    folder : the study folder, on a local disk; no other process may have the record open.
    actor : who does it, in the audit chain; the keys of a keyed record must be on this computer.
    database : URL of the PostgreSQL database that gets it, in a schema of its own; ``""`` is a file in the folder.
    reason : why, in the audit chain.
    step : called with each name of :data:`TO_SERVER` or :data:`TO_FILE` when it is done.

    Raises
    ------
    BadValue
        For a URL that is none or holds a password.
    Refused
        The record lies there already, a session runs, it has an older schema, or a file is in the way.
    RecordFault
        It does not verify, another process holds it, or disk or server refuse; nothing was changed.
    """
    folder = Path(folder)
    if not actor.strip():
        raise BadValue(Message("study.no_actor"))
    if database:
        pointer.checked(database)
    record_file.refuse_network(folder, allow=False)
    if session := files.running_session(folder):
        raise Refused(Message("move.recording", session=session, folder=reading.shown(folder)))
    store = stores.at(folder)
    store.check()
    try:
        with _explained(store):
            finished = _gone_on(folder)
            store = stores.at(folder)
            moving = _Move(folder, actor, reason.strip() or Message("move.reason"), step)
            if isinstance(store, SQLite) and database:
                return moving.to_server(store, database)
            if isinstance(store, PostgreSQL) and not database:
                return moving.to_file(store)
            if finished is not None:
                return finished
            raise Refused(Message("move.there", folder=reading.shown(folder), path=_place(store)))
    except OSError as error:
        why = str(error.strerror)
        raise RecordFault(Message("move.not_possible", folder=reading.shown(folder), why=why)) from error


@contextmanager
def _explained(store: Store) -> Iterator[None]:
    """Errors of the database in words."""
    errors: tuple[type[Exception], ...] = (DBAPIError, sqlite3.Error, *store.errors)
    try:
        yield
    except errors as error:
        origin = getattr(error, "orig", None) or error
        if isinstance(origin, sqlite3.Error):
            raise record_file.explain(error, store.path.with_name(record_file.FILE)) from error
        raise store.explain(error) from error


def _place(store: Store) -> str:
    return str(store.pointer) if isinstance(store, PostgreSQL) else record_file.FILE


@dataclass(frozen=True, slots=True)
class _Move:
    """A move under way: of the study in ``folder``, by ``actor``, for a ``reason``."""

    folder: Path
    actor: str
    reason: str
    step: Step

    # ------------------------------------------------------------------------------ to a server
    def to_server(self, source: SQLite, database: str) -> Moved:
        """Put every row into a new schema; the file stays beside under another name."""
        _refuse_older(source)
        with migrate.alone(source.path) as connection:
            self.step("alone")
            old = _whole(SQLiteReader(connection, source.path), source)
            self.step("old verified")
            code = old.tables["study"][0]["code"]
            there = pointer.new(database, code=code)
            target = PostgreSQL(self.folder / pointer.FILE, Pointer(there.url, there.schema, moving=True))
            with ExitStack() as undo:
                begun = target.path.with_name(f"{target.path.name}{UNFINISHED}")
                undo.callback(world.disk.unlink, begun, missing_ok=True)
                world.disk.save(begun, target.pointer.text().encode())
                world.disk.sync_folder(self.folder)
                self.step("begun")
                with target.filled(
                    lambda made: _fill_server(made, SQLiteReader(connection, source.path), old)
                ) as made:
                    head = self._enter(made, target, old)
                    raw: Any = made.connection.dbapi_connection
                    _refuse_other(old, PostgreSQLReader(raw, target), head)
                    self.step("copy verified")
                    # Where the connection breaks in the commit, the next move looks whether it was stored.
                    undo.pop_all()
            self.step("copy stored")
            # From here the record lies on the server, whatever becomes of the file beside it.
            world.disk.replace(begun, target.path)
            world.disk.sync_folder(self.folder)
            self.step("in force")
            kept = _put_aside(source.path, migrate.MOVED.format(max(old.hashes)))
        self._settle(target)
        self.step("old kept")
        self._leave_anchor(old.study_id, head)
        self.step("anchored")
        return Moved(self.folder, str(target.pointer), _head_of(old), head, kept)

    def _settle(self, target: PostgreSQL) -> None:
        """Say no longer that the record is being moved."""
        settled = Pointer(target.pointer.url, target.pointer.schema)
        world.disk.save(target.path, settled.text().encode())
        world.disk.sync_folder(self.folder)

    # ------------------------------------------------------------------------------ to a file
    def to_file(self, source: PostgreSQL) -> Moved:
        """Write every row into a new file; the schema on the server gets a name under which nobody finds it."""
        path = self.folder / record_file.FILE
        copy = path.with_name(f"{path.name}{UNFINISHED}")
        engine = source.engine(busy_s=BUSY_S)
        with ExitStack() as undo:
            undo.callback(engine.dispose)
            connection = undo.enter_context(engine.connect())
            # Writers of other computers wait from here, and find no record when they have waited.
            source.begin_writing(connection)
            self.step("alone")
            raw: Any = connection.connection.dbapi_connection
            reader = PostgreSQLReader(raw, source)
            old = _whole(reader, source)
            if reader.version() != NEWEST:
                raise Refused(Message("move.older", path=_place(source), version=reader.version(), newest=NEWEST))
            self.step("old verified")
            undo_copy = undo.enter_context(ExitStack())
            undo_copy.callback(_remove_file, copy)
            head = self._write_file(copy, reader, old)
            self.step("copy written")
            with closing(record_file.read_only(copy)) as written:
                _refuse_other(old, SQLiteReader(written, copy), head)
            _remove_log(copy)
            self.step("copy verified")
            undo_pointer = undo_copy.enter_context(ExitStack())
            undo_pointer.callback(self._settle, source)
            moving = Pointer(source.pointer.url, source.pointer.schema, moving=True)
            world.disk.save(source.path, moving.text().encode())
            self.step("begun")
            # Before its file is in place: where the role may not do it, nothing has happened yet.
            retired = source.retire(connection)
            world.disk.replace(copy, path)
            undo_pointer.callback(world.disk.unlink, path, missing_ok=True)
            world.disk.sync_folder(self.folder)
            self.step("in place")
            # Where the connection breaks in the commit, the next move looks on which side the record is.
            undo_pointer.pop_all()
            undo_copy.pop_all()
            connection.exec_driver_sql("COMMIT")
            self.step("server retired")
        kept = _put_aside(source.path, migrate.POINTER_KEPT.format(max(old.hashes)))
        self.step("in force")
        self._leave_anchor(old.study_id, head)
        self.step("anchored")
        return Moved(self.folder, record_file.FILE, _head_of(old), head, kept, retired)

    def _write_file(self, copy: Path, reader: PostgreSQLReader, old: Findings) -> tuple[int, str]:
        """The record as a file, in one transaction; its head."""
        _remove_file(copy)
        with migrate.new_record(copy) as target:
            with transaction(target):
                schema.create_tables(target)
                for name in postgresql_schema.names():
                    for row in _rows(reader, old, name):
                        migrate.put_row(target, name, row)
                schema.create_triggers(target)
                head = self._enter(target, SQLite(copy), old)
            # Only after the transaction: SQLite does not change the mode inside one.
            target.exec_driver_sql("PRAGMA journal_mode=WAL")
        handle = world.disk.descriptor(copy, os.O_RDONLY)
        try:
            world.disk.sync(handle)
        finally:
            world.disk.close(handle)
        return head

    # ------------------------------------------------------------------------------ both
    def _enter(self, target: Connection, store: Store, old: Findings) -> tuple[int, str]:
        """The entry that says that the record was moved, with the hashes of both schemas; the head."""
        (study,) = old.tables["study"]
        writer = Writer(target, actor=self.actor, ring=KeyRing(old.study_id))
        facts = {
            "from": NEWEST, "to": NEWEST, "before": old.schema, "after": store.schema_hash(target),
            "moved": "server" if isinstance(store, PostgreSQL) else "file",
        }  # fmt: skip
        payload = {"new": None, "old": None, "reason": self.reason, "migration": facts}
        writer.log(MOVE, "study", study["id"], version=study["row_version"], payload=payload)
        writer.sign_head(why=MOVE)
        return writer.seq, writer.hash

    def _leave_anchor(self, study_id: str, head: tuple[int, str]) -> None:
        anchors.append(
            self.folder / anchors.FILE, study=study_id, seq=head[0], hash=head[1], why=MOVE, durable=True
        )


# ------------------------------------------------------------------------------------ rows
def _rows(reader: Reader, old: Findings, name: str) -> Iterable[Mapping[str, Any]]:
    """Rows of a table as a database keeps them, in the order of entry."""
    return old.tables[name] if name in old.tables else reader.table(name)


def _fill_server(target: Connection, reader: SQLiteReader, old: Findings) -> None:
    """Every row of a file, each row of data with the number of the entry that made it."""
    raw: Any = target.connection.dbapi_connection
    for name in postgresql_schema.names():
        columns, numbered = schema.metadata.tables[name].columns.keys(), name not in postgresql_schema.OWN
        listed = ", ".join(
            f'"{column}"' for column in (*columns, *([postgresql_schema.ORDER] if numbered else ()))
        )
        entered = old.entered.get(name, {})
        with raw.cursor() as cursor, cursor.copy(f'COPY "{name}" ({listed}) FROM STDIN') as copy:
            for row in _rows(reader, old, name):
                copy.write_row((*(row[column] for column in columns), *([entered[row["id"]]] if numbered else ())))


def _refuse_older(source: SQLite) -> None:
    if (version := migrate.version_of(source.path)) != NEWEST:
        raise Refused(Message("move.older", path=str(source.path), version=version, newest=NEWEST))


def _whole(reader: Reader, store: Store) -> Findings:
    """What a record says that holds. Raises RecordFault for one that does not."""
    findings = verification.examine(reader)
    if findings.problems:
        raise RecordFault(Message("move.broken", path=_place(store), why=findings.problems[0]))
    return findings


def _refuse_other(old: Findings, reader: Reader, head: tuple[int, str]) -> None:
    """Refuse a copy that is not what it was copied from, and the entry that says so."""
    new = verification.examine(reader)
    same = new.hashes == {**old.hashes, head[0]: head[1]} and new.tables == old.tables
    if new.problems or not same:
        why = new.problems[0] if new.problems else Message("move.differs")
        raise RecordFault(Message("move.copy_broken", why=why))


def _head_of(findings: Findings) -> tuple[int, str]:
    newest = max(findings.hashes)
    return newest, findings.hashes[newest]


# ------------------------------------------------------------------------------------ files
def _put_aside(path: Path, name: str) -> str:
    world.disk.replace(path, path.with_name(name))
    world.disk.sync_folder(path.parent)
    return name


def _remove_file(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        world.disk.unlink(path.with_name(path.name + end), missing_ok=True)


def _remove_log(path: Path) -> None:
    """The log of a file that nobody writes is empty; left behind it would be read into another file."""
    for end in ("-wal", "-shm"):
        world.disk.unlink(path.with_name(path.name + end), missing_ok=True)


# ------------------------------------------------------------------------------------ what was interrupted
def _gone_on(folder: Path) -> Moved | None:
    """Bring what an interrupted move left to one of its ends; the move where it had been decided."""
    begun = folder / f"{pointer.FILE}{UNFINISHED}"
    if reading.is_there(begun, Message("file.noun_pointer"), error=RecordFault):
        _drop_unused(PostgreSQL(begun, pointer.read(folder, begun.name)), folder)
        world.disk.unlink(begun)
    store = stores.at(folder)
    if not isinstance(store, PostgreSQL) or not store.pointer.moving:
        return None
    path = folder / record_file.FILE
    retired = RETIRED.format(store.pointer.schema[:57])
    if store.holds_schema():
        return _on_server(folder, store, path)
    if not path.exists() or not store.holds_schema(retired):
        raise RecordFault(Message("store.no_schema", path=str(store.pointer)))
    # The server had given the record up.
    head = _newest(SQLite(path))
    kept = _put_aside(store.path, migrate.POINTER_KEPT.format(head[0] - 1))
    return Moved(folder, record_file.FILE, _entry(SQLite(path), head[0] - 1), head, kept, retired)


def _on_server(folder: Path, store: PostgreSQL, path: Path) -> Moved | None:
    """The server holds the record; a file beside it is the one that it came from, or was to go into."""
    head, kept = _newest(store), ""
    if path.exists():
        number, digest = _newest(SQLite(path))
        if _entry(store, number) == (number, digest):
            kept = _put_aside(path, migrate.MOVED.format(number))
        else:
            _remove_file(path)
    world.disk.save(store.path, Pointer(store.pointer.url, store.pointer.schema).text().encode())
    world.disk.sync_folder(folder)
    return Moved(folder, str(store.pointer), _entry(store, head[0] - 1), head, kept) if kept else None


def _drop_unused(target: PostgreSQL, folder: Path) -> None:
    """Remove the schema that a killed move filled and that no folder names; one that was written to stays."""
    if not target.holds_schema():
        return
    with target.reader() as reader:
        newest = next(iter(reader.rows("SELECT action FROM audit ORDER BY seq DESC LIMIT 1")), {"action": ""})
    if newest["action"] != MOVE:
        raise Refused(Message("move.in_use", path=str(target.pointer), file=target.path.name, folder=str(folder)))
    target.drop()


def _newest(store: Store) -> tuple[int, str]:
    return _entry(store, None)


def _entry(store: Store, seq: int | None) -> tuple[int, str]:
    """Number and hash of an entry, of the newest without a number; ``(0, "")`` where there is none."""
    where = "" if seq is None else f" WHERE seq = {seq:d}"
    with store.reader() as reader:
        rows = list(reader.rows(f"SELECT seq, hash FROM audit{where} ORDER BY seq DESC LIMIT 1"))
    return (int(rows[0]["seq"]), str(rows[0]["hash"])) if rows else (0, "")
