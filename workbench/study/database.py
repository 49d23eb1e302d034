"""The open record: its connections, which all come through the doors of disk and network."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, StatementError

from workbench import world
from workbench.errors import RecordFault, WorkbenchError
from workbench.messages import Message
from workbench.study.schema import audit
from workbench.study.stores import Store

BUSY_S = 10.0
"""How long a writer waits for another one, in s."""
ASKED_AGAIN_S = 0.5
"""Between two attempts to reach a database again, s."""


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode, which differ between files of the same name; None for a missing file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Database:
    """A record while it is open; closed with :meth:`close`, or with the last reference to it.

    Parameters
    ----------
    store : where it lies.

    Attributes
    ----------
    store : where it lies.
    path : file of the study folder that is the record or says where it lies.
    engine : SQLAlchemy's engine.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.path = store.path
        self.engine = store.engine(busy_s=BUSY_S)
        self._identity = _identity(self.path)
        self._errors: tuple[type[Exception], ...] = (DBAPIError, *store.errors)
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
        except self._errors as error:
            raise self.store.explain(error) from error
        except StatementError as error:
            # A column refused a value, with a sentence of its own; SQLAlchemy wraps it.
            if isinstance(error.orig, WorkbenchError):
                raise error.orig from error
            raise

    def holds(self, seq: int, digest: str) -> bool:
        """Whether an entry stands in the chain, asked after the connection that wrote it broke.

        Asked behind the lock of the writers, which the broken transaction keeps until it has ended one way or the
        other: a server may still be storing it.

        Parameters
        ----------
        seq, digest : number and hash of the entry.

        Raises
        ------
        RecordFault
            When the database cannot be asked within :data:`BUSY_S`.
        """
        until = world.clock.monotonic() + BUSY_S
        while True:
            try:
                with self.engine.connect() as connection:
                    self.store.begin_writing(connection)
                    found = connection.execute(select(audit.c.hash).where(audit.c.seq == seq)).scalar()
                    connection.exec_driver_sql("ROLLBACK")
                    return found is not None and str(found) == digest
            except self._errors as error:
                if world.clock.monotonic() > until:
                    raise RecordFault(Message("store.unknown", path=str(self.path), seq=seq)) from error
            world.clock.sleep(ASKED_AGAIN_S)
