"""The open file of a record: its connections, which all come through the disk's door."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, StatementError

from workbench import world
from workbench.errors import RecordFault, WorkbenchError
from workbench.messages import Message
from workbench.study import record_file

BUSY_S = 10.0
"""How long a writer waits for another one, in s."""

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


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def engine_of(path: Path) -> Engine:
    """SQLAlchemy's engine for a record's file, with the pragmas that every connection needs."""
    file = os.path.abspath(path)

    def connect() -> sqlite3.Connection:
        # The pool hands a connection to one thread at a time, which SQLite's own check cannot know.
        return world.disk.database(file, timeout=BUSY_S, check_same_thread=False)

    # The URL is never opened; from it SQLAlchemy takes that this is a file, and the pool that files need.
    engine = create_engine(
        URL.create("sqlite", database=file), creator=connect, isolation_level="AUTOCOMMIT", hide_parameters=True
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode, which differ between files of the same name; None for a missing file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Database:
    """A record's file while it is open; closed with :meth:`close`, or with the last reference to it.

    Parameters
    ----------
    path : the record's file.
    view : the file that is read in its place: a lifted copy of a record of an older schema.

    Attributes
    ----------
    path : the record's file.
    engine : SQLAlchemy's engine.
    """

    def __init__(self, path: Path, *, view: Path | None = None) -> None:
        self.path = path
        self.engine = engine_of(view or path)
        self._identity = _identity(path)
        self._undo = ExitStack()
        self._closer = weakref.finalize(self, self._undo.close)
        self._undo.callback(self.engine.dispose)

    @property
    def is_open(self) -> bool:
        """Whether it was not closed yet."""
        return self._closer.alive

    def close(self) -> None:
        """Close the file and undo what was kept. Closing twice is harmless."""
        self._closer()

    def keep_until_closed(self, kept: ExitStack) -> None:
        """What is undone when the file is closed, such as a temporary view."""
        self._undo.callback(kept.close)

    def refuse_replaced(self) -> None:
        """Refuse a file that was put in another one's place while it was open.

        Raises
        ------
        RecordFault
            After a migration or a restored backup.
        """
        if _identity(self.path) != self._identity:
            raise RecordFault(Message("study.replaced", path=str(self.path)))

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection, for as long as the block lasts.

        Raises
        ------
        RecordFault
            When the record is closed or was replaced, and for every error of the database, in words.
        """
        if not self.is_open:
            raise RecordFault(Message("study.closed", path=str(self.path)))
        self.refuse_replaced()
        try:
            with self.engine.connect() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            raise record_file.explain(error, self.path) from error
        except StatementError as error:
            # A column refused a value, with a sentence of its own; SQLAlchemy wraps it.
            if isinstance(error.orig, WorkbenchError):
                raise error.orig from error
            raise
