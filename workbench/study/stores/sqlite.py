"""The record in SQLite's file ``study.db``."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Hashable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import world
from workbench.errors import RecordFault
from workbench.messages import Message
from workbench.study import chain, record_file
from workbench.study.stores import Answer, Asked, TableRows, pointer

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

PRAGMAS = (
    "foreign_keys=ON",
    # What was reported as stored survives a power cut: the write-ahead log is synced at each commit.
    "synchronous=FULL",
    # Without it REPLACE deletes rows past the delete triggers (sqlite.org/lang_conflict.html).
    "recursive_triggers=ON",
    # A file from elsewhere may hold triggers and views: they call no function with side effects.
    "trusted_schema=OFF",
    "secure_delete=ON",
)
"""Of every connection; ``secure_delete`` overwrites what a redaction removes."""
STATEMENTS = 2000
"""Compiled statements that are kept."""
BUSY_S = 10.0
"""How long a writer waits for another one unless told otherwise, s."""


@cache
def _common() -> tuple[Engine, MutableMapping[Any, Any]]:
    """What all records of this process share: the dialect, of an engine of an empty database, and the statements
    that were compiled for it. To compile them again takes longer than to open a record.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.util import LRUCache

    engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    # The first connection tells the dialect what this SQLite can do.
    engine.connect().close()
    return engine, LRUCache(STATEMENTS)


@dataclass(frozen=True, slots=True)
class SQLite:
    """See :class:`workbench.study.stores.Store`.

    Parameters
    ----------
    path : the record's file.
    view : the file that is read in its place: a lifted copy of a record of an older schema.
    """

    path: Path
    view: Path | None = None

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What SQLite raises."""
        return (sqlite3.Error,)

    def claim(self, undo: ExitStack) -> None:
        """Of two processes that create at once, one makes the empty file; it stays when the rest fails."""
        if (self.path.parent / pointer.FILE).exists():
            raise RecordFault(Message("study.holds_record", folder=str(self.path.parent), file=pointer.FILE))
        world.disk.touch(self.path, exist_ok=False)

    def check(self) -> None:
        """Tell a missing or empty file."""
        record_file.check_file(self.path)

    def engine(self, *, busy_s: float = BUSY_S) -> Engine:
        """An engine with the pragmas that every connection needs."""
        from sqlalchemy import Engine, QueuePool

        file = os.path.abspath(self.view or self.path)

        def connect() -> Any:
            # The pool hands a connection to one thread at a time, which SQLite's own check cannot know.
            connection = world.disk.database(file, timeout=busy_s, check_same_thread=False, isolation_level=None)
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            return connection

        common, compiled = _common()
        return Engine(
            QueuePool(connect, dialect=common.dialect),
            common.dialect,
            common.url.set(database=file),
            hide_parameters=True,
            execution_options={"store": self, "compiled_cache": compiled},
        )

    def prepare(self, connection: Connection) -> None:
        """Say in the file's header what it is; outside a transaction, inside which SQLite changes no mode."""
        from workbench.study import schema

        connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={schema.SCHEMA_VERSION}")
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")

    def create(self, connection: Connection) -> None:
        """Create all tables, indexes and triggers."""
        from workbench.study import schema

        schema.create(connection)

    def version(self, connection: Connection) -> int:
        """``user_version`` of a file whose ``application_id`` is ours."""
        from workbench.study import schema

        # Before the version: the number of another program's file says nothing.
        if connection.exec_driver_sql("PRAGMA application_id").scalar() != schema.APPLICATION_ID:
            raise RecordFault(Message("study.other_database", path=str(self.path)))
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    def has_tables(self, connection: Connection) -> bool:
        """Whether the table of the study is there."""
        query = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'study'"
        return bool(connection.exec_driver_sql(query).scalar())

    def schema_hash(self, connection: Connection) -> str:
        """Over the SQL that SQLite keeps."""
        return chain.schema_hash(tuple(row) for row in connection.exec_driver_sql(chain.MASTER))

    def begin_writing(self, connection: Connection, asked: Sequence[Asked] = ()) -> list[Answer]:
        """The write lock at once: a transaction that reads first and writes later can fail half-way, on a snapshot
        that is no longer the newest.
        """
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return self.answers(connection, asked)

    def answers(self, connection: Connection, asked: Sequence[Asked]) -> list[Answer]:
        """One after the other: an answer is a call."""
        return [
            [tuple(row) for row in connection.exec_driver_sql(query, tuple(values) or None)]
            for query, values in asked
        ]

    def sending(self, connection: Connection) -> AbstractContextManager[object]:
        """Nothing: a statement is a call."""
        return nullcontext()

    def begin_reading(self, connection: Connection) -> None:
        """In a write-ahead log a reader sees what was there when it began."""
        connection.exec_driver_sql("BEGIN")

    def in_transaction(self, dbapi: Any) -> bool:
        """As SQLite says."""
        return bool(dbapi.in_transaction)

    def overwrite(self, connection: Connection, *tables: str) -> bool:
        """The write-ahead log still contains the text: it is moved into the file and emptied."""
        busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        return not busy

    @contextmanager
    def reader(self) -> Iterator[SQLiteReader]:
        """One snapshot of all tables, while others may still write."""
        with closing(record_file.read_only(self.path)) as connection:
            connection.execute("BEGIN")
            yield SQLiteReader(connection, self.path)

    def state(self) -> Hashable:
        """Of the file and its write-ahead log."""
        return record_file.state(self.path.parent)

    def explain(self, error: Exception) -> RecordFault:
        """SQLite's words as a sentence."""
        return record_file.explain(error, self.path)

    def refusal(self, error: Exception) -> RecordFault | None:
        """A file that is held, or is none of SQLite's at all."""
        text = str(error)
        held = isinstance(error, sqlite3.OperationalError) and ("locked" in text or "busy" in text)
        if held or (isinstance(error, sqlite3.Error) and record_file.NO_DATABASE in text):
            return record_file.explain(error, self.path)
        return None


class SQLiteReader:
    """See :class:`workbench.study.stores.Reader`.

    Parameters
    ----------
    connection : to the record.
    path : its file.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self.path = path

    def version(self) -> int:
        """A database without a single table of ours is no damaged record, it is another program's."""
        tables = set(self.tables())
        if tables and not tables & {"study", "audit", "run", "trial"}:
            raise RecordFault(Message("study.other_database", path=str(self.path)))
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def faults(self) -> Iterator[Message]:
        """Pages, indexes and foreign keys."""
        for (line,) in self._connection.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield Message("verify.integrity", line=line)
        for row in self._connection.execute("PRAGMA foreign_key_check"):
            yield Message("verify.no_parent", table=row[0], parent=row[2])

    def rows(self, query: str) -> Iterable[Any]:
        """The cursor itself, which costs nothing more."""
        return self._connection.execute(query)

    def values(self, query: str) -> Iterable[tuple[Any, ...]]:
        """A cursor that makes plain tuples."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return cursor.execute(query)

    def tables(self) -> list[str]:
        """As ``sqlite_master`` lists them."""
        query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        return [name for (name,) in self._connection.execute(query).fetchall()]

    def table(self, name: str) -> TableRows:
        """All columns."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        cursor.execute(f'SELECT * FROM "{name}" ORDER BY rowid')
        return TableRows(tuple(column[0] for column in cursor.description), cursor.fetchall())

    def numbers(self, name: str) -> list[int]:
        """None: SQLite numbers rows as it likes, and gives them in their order."""
        return []

    def schema_hash(self) -> str:
        """Over the SQL that SQLite keeps."""
        return chain.schema_hash(tuple(line) for line in self._connection.execute(chain.MASTER))
