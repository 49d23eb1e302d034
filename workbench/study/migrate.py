"""Bring a study record to today's schema: on a copy, verified, put in place in one step.

The old file is never changed: a copy is made with today's tables, the audit chain goes over byte for byte, data
rows go through the pure functions of :mod:`workbench.study.migrations`, an entry with the schema's hash before and
after is added, and only a copy that verifies takes the old one's name. Killed at any step, the folder holds the
old record or the new one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from workbench import world
from workbench.errors import RecordFault, Refused
from workbench.messages import Message
from workbench.study import anchors, chain, record_file, schema, stores, verification
from workbench.study.keys import KeyRing
from workbench.study.migrations import NEWEST, OLDEST, approvals_of_2, lift
from workbench.study.stores import Store
from workbench.study.stores.sqlite import SQLite, SQLiteReader
from workbench.study.writer import MIGRATE, Writer, transaction

STEPS = (
    "alone", "old verified", "copy begun", "rows copied", "key stored", "copy written", "copy verified",
    "old kept", "swapped", "synced", "anchored",
)  # fmt: skip
"""Names of the steps, in order; a process may be killed at each."""
COPY = f"{record_file.FILE}.migrating"
KEPT = "study.schema-{}.db"
"""Name under which the record as it was stays beside the new one, by its version."""
MOVED = "study.moved-{}.db"
"""Name under which the file of a record that was moved to a server stays, by the number of its newest entry."""
POINTER_KEPT = "database.moved-{}.toml"
"""Name under which stays what said where the record lay before it was moved into a file."""
BUSY_S = 10.0


@dataclass(frozen=True, slots=True)
class Migration:
    """What a migration did: the versions, the head after it, the old file that was ``kept``, lifted approvals."""

    before: int
    after: int
    head: tuple[int, str]
    kept: Path
    approvals: int

    def text(self) -> str:
        """In words."""
        lifted = f"{self.approvals} approvals taken over from the audit chain; " if self.before == 2 else ""
        return (
            f"schema {self.before} → {self.after}; {lifted}the record as it was is kept as {self.kept.name}\n"
            f"head: {self.head[0]} {self.head[1]}"
        )


def version_of(path: Path) -> int:
    """Schema version of a record.

    Parameters
    ----------
    path : ``study.db`` of the study folder, whether the record is that file or lies in a database.

    Raises
    ------
    RecordFault
        When it cannot be read or is no study record.
    """
    store = stores.at(path.parent)
    store.check()
    if not isinstance(store, SQLite):
        with store.reader() as reader:
            return reader.version()
    try:
        with closing(record_file.read_only(path)) as connection:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            if application != schema.APPLICATION_ID:
                raise RecordFault(Message("study.other_database", path=str(path)))
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise record_file.explain(error, path) from error


def view(store: Store, undo: ExitStack) -> tuple[Store | None, int]:
    """``(store, version)``: a temporary copy of an older record, lifted for reading; None for one of today.

    Parameters
    ----------
    store : where the record lies; only in files there are older ones.
    undo : removes the copy.

    Raises
    ------
    RecordFault
        When the record cannot be read.
    """
    if not isinstance(store, SQLite):
        return None, NEWEST
    path = store.path
    version = version_of(path)
    if not OLDEST <= version < NEWEST:
        return None, version
    folder = world.disk.temporary("workbench-view-")
    undo.callback(world.disk.rmtree, folder)
    lifted = folder / record_file.FILE
    try:
        with closing(record_file.read_only(path)) as source, new_record(lifted) as target, transaction(target):
            source.execute("BEGIN")
            if not source.execute("SELECT 1 FROM sqlite_master WHERE name = 'study'").fetchone():
                raise RecordFault(Message("study.half_created", path=str(path)))
            schema.create_tables(target)
            _copy(source, target, version)
            for row in _approvals(source, version):
                put_row(target, "approval", {**row, "checks": "[]", "limits": "{}", "row_version": 1})
    except (sqlite3.Error, DBAPIError) as error:
        raise record_file.explain(error, path) from error
    return SQLite(path, view=lifted), version


def migrate(
    folder: Path | str, *, actor: str, keyed: bool = True, step: Callable[[str], None] = lambda name: None
) -> Migration:
    """Bring the record in ``folder`` to today's schema.

    Parameters
    ----------
    folder : the study folder, on a local disk; no other process may have the record open.
    actor : who does it, in the audit chain.
    keyed : bring a key into use where there is none, so that entries from now on are keyed and heads are signed.
    step : called with each name of :data:`STEPS` when it is done.

    Raises
    ------
    Refused
        The record has today's schema already, or lies in a database, where there is no older one.
    RecordFault
        It is newer, does not verify, is held by another process, or the disk refuses.
    """
    folder = Path(folder)
    path, copy = folder / record_file.FILE, folder / COPY
    version = version_of(path)
    if not isinstance(store := stores.at(folder), SQLite):
        raise Refused(Message("store.not_migrated", path=str(store.path), version=version))
    if version == NEWEST:
        raise Refused(Message("migrate.newest", path=str(path), version=NEWEST))
    if not OLDEST <= version < NEWEST:
        raise RecordFault(
            Message(
                "migrate.version", path=str(path), version=str(version), oldest=str(OLDEST), newest=str(NEWEST - 1)
            )
        )
    record_file.refuse_network(folder, allow=False)
    try:
        with alone(path) as source:
            step("alone")
            _refuse_broken(source, path, migrated=False)
            step("old verified")
            n = _write_copy(source, copy, version, actor=actor, keyed=keyed, step=step)
            with closing(record_file.read_only(copy)) as written:
                head = _refuse_broken(written, copy, migrated=True)
            step("copy verified")
            kept = _keep_old(source, path, version)
            step("old kept")
            _swap(copy, path)
            step("swapped")
            world.disk.sync_folder(folder)
            step("synced")
    except (sqlite3.Error, DBAPIError) as error:
        raise record_file.explain(error, path) from error
    except OSError as error:
        raise RecordFault(Message("migrate.not_possible", path=str(path), why=str(error.strerror))) from error
    # After the swap and outside the lock: the record is migrated by now, whatever happens to its anchor.
    _leave_anchor(folder, head)
    step("anchored")
    return Migration(version, NEWEST, head, kept, n)


@contextmanager
def alone(path: Path) -> Iterator[sqlite3.Connection]:
    """A record's file, with every other process kept out until the block ends.

    Leaving the write-ahead log needs that nobody else has the file open, and moves all entries into the file
    itself: a log that stayed behind would be read into the new file (sqlite.org/wal.html, 2.3).

    Parameters
    ----------
    path : of the record; the block may put another file in its place, or take it away.

    Raises
    ------
    RecordLocked
        While another process has it open.
    """
    before = path.stat().st_ino
    with closing(world.disk.database(path, isolation_level=None, timeout=BUSY_S)) as connection:
        if connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete":
            raise record_file.locked(path)
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")
            # After the swap the name is that of the new file, which is in that mode already.
            if path.exists() and path.stat().st_ino == before:
                connection.execute("PRAGMA journal_mode=WAL")


def _refuse_broken(connection: sqlite3.Connection, path: Path, *, migrated: bool) -> tuple[int, str]:
    """The head of a record whose chain and tables hold; RecordFault for one whose do not."""
    findings = verification.examine(SQLiteReader(connection, path))
    if findings.problems:
        file, why, folder = path.name, findings.problems[0], str(path.parent)
        raise RecordFault(
            Message("migrate.after_broken", file=file, why=why, folder=folder)
            if migrated
            else Message("migrate.before_broken", file=file, why=why, folder=folder)
        )
    newest = max(findings.hashes)
    return newest, findings.hashes[newest]


@contextmanager
def new_record(path: Path) -> Iterator[Connection]:
    """A new, empty file of today's schema number, without tables, open until the block ends."""
    world.disk.touch(path, exist_ok=False)
    engine = SQLite(path).engine()
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version={schema.SCHEMA_VERSION}")
            yield connection
    finally:
        engine.dispose()


def _write_copy(
    source: sqlite3.Connection,
    copy: Path,
    version: int,
    *,
    actor: str,
    keyed: bool,
    step: Callable[[str], None],
) -> int:
    """Today's record from the old one, in one transaction; how many approvals were lifted."""
    # Left by a migration that was killed: nothing of it may get into this one.
    for suffix in ("", "-journal", "-wal", "-shm"):
        world.disk.unlink(copy.with_name(copy.name + suffix), missing_ok=True)
    before = chain.schema_hash(tuple(row) for row in source.execute(chain.MASTER))
    row = source.execute("SELECT id, row_version FROM study").fetchone()
    with new_record(copy) as target:
        with transaction(target):
            schema.create_tables(target)
            step("copy begun")
            _copy(source, target, version)
            # After the rows, which the triggers would refuse: they demand an audit row that is the newest.
            schema.create_triggers(target)
            step("rows copied")
            after = chain.schema_hash(tuple(line) for line in target.exec_driver_sql(chain.MASTER))
            ring = KeyRing(str(row["id"]))
            writer = Writer(target, actor=actor, ring=ring)
            facts = {"from": version, "to": NEWEST, "before": before, "after": after}
            payload = {
                "new": None, "old": None, "reason": f"schema {version} to {NEWEST}", "migration": facts,
            }  # fmt: skip
            writer.log(MIGRATE, "study", row["id"], version=row["row_version"], payload=payload)
            lifted = list(_approvals(source, version))
            for values in lifted:
                writer.insert(schema.approval, values, reason="taken over from the audit chain of schema 2")
            if keyed and writer.key is None:
                writer.enter_key(ring, reason=f"keys made with the migration to schema {NEWEST}")
            writer.sign_head(why="migrate")
            step("key stored")
        # Only after the transaction: SQLite does not change the mode inside one.
        target.exec_driver_sql("PRAGMA journal_mode=WAL")
    written = world.disk.descriptor(copy, os.O_RDONLY)
    try:
        world.disk.sync(written)
    finally:
        world.disk.close(written)
    step("copy written")
    return len(lifted)


def _copy(source: sqlite3.Connection, target: Connection, version: int) -> None:
    """Every row: the chain as it is, data lifted to today's schema."""
    source.row_factory = sqlite3.Row
    tables = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in (*schema.DATA, *schema.OWN):
        if table.name not in tables:
            continue
        data = table not in schema.OWN
        for row in source.execute(f'SELECT * FROM "{table.name}" ORDER BY rowid'):
            put_row(target, table.name, lift(table.name, dict(row), version) if data else dict(row))


def put_row(target: Connection, table: str, row: Mapping[str, Any]) -> None:
    """Insert a row as SQLite keeps it.

    Parameters
    ----------
    target : before it has its triggers.
    table : its table.
    row : all columns; table and columns go into the SQL as they are.
    """
    names = ", ".join(f'"{name}"' for name in row)
    places = ", ".join("?" * len(row))
    target.exec_driver_sql(f'INSERT INTO "{table}" ({names}) VALUES ({places})', tuple(row.values()))


def _approvals(source: sqlite3.Connection, version: int) -> Iterator[dict[str, Any]]:
    """Approvals that stand in the chain alone; from schema 3 on they are rows."""
    if version > 2:
        return iter(())
    source.row_factory = sqlite3.Row
    entries = source.execute(
        "SELECT a.seq, a.utc, a.actor, p.payload FROM audit a LEFT JOIN audit_payload p ON p.seq = a.seq "
        "WHERE a.table_name = 'decoder' ORDER BY a.seq"
    )
    people = {row["id"] for row in source.execute("SELECT id FROM participant")}
    return (row for row in approvals_of_2([dict(e) for e in entries]) if row["participant_id"] in people)


def _keep_old(source: sqlite3.Connection, path: Path, version: int) -> Path:
    """Give the old file a second name, under which it stays."""
    kept = path.with_name(KEPT.format(version))
    # Left by a migration that was killed before the swap: the record itself is still that file.
    world.disk.unlink(kept, missing_ok=True)
    try:
        # A second name costs no room and cannot be half made; some file systems have none.
        world.disk.link(path, kept)
    except OSError:
        # By the connection and not by the file: whoever closes that file gives up the locks that are held on it.
        world.disk.save(kept, source.serialize())
    return kept


def kept_beside(path: Path) -> list[Path]:
    """What lies beside a record and holds it as it was: before a migration, or before it was moved."""
    return sorted(
        file for pattern in (KEPT, MOVED, POINTER_KEPT) for file in path.parent.glob(pattern.format("*"))
    )


def _swap(copy: Path, path: Path) -> None:
    for suffix in ("-wal", "-journal"):
        for file in (path, copy):
            left = file.with_name(file.name + suffix)
            if left.exists() and left.stat().st_size:
                raise RecordFault(Message("migrate.still_open", file=left.name))
            world.disk.unlink(left, missing_ok=True)
    world.disk.replace(copy, path)


def _leave_anchor(folder: Path, head: tuple[int, str]) -> None:
    with closing(record_file.read_only(folder / record_file.FILE)) as connection:
        study_id = connection.execute("SELECT id FROM study").fetchone()[0]
        entered = connection.execute(
            "SELECT k.epoch, a.seq, a.hash FROM study_key k JOIN audit a ON a.table_name = 'study_key' "
            "AND a.row_id = k.id"
        ).fetchall()
    try:
        ring = KeyRing(str(study_id))
        for epoch, seq, digest in entered:
            ring.pin(int(epoch), int(seq), str(digest))
        anchors.append(
            folder / anchors.FILE, study=study_id, seq=head[0], hash=head[1], why="migrate", durable=True
        )
    except OSError as error:
        raise RecordFault(Message("migrate.no_anchor", why=str(error.strerror), folder=str(folder))) from error
