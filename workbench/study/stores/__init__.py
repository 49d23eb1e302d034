"""Where the record of a study lies: in SQLite's file ``study.db``, or in a schema of a PostgreSQL database.

A :class:`Store` holds everything in which the two differ; the writer, the readers and the verification know only
it. Needs neither SQLAlchemy nor a driver until a record is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.errors import RecordFault
from workbench.messages import Message
from workbench.study import record_file
from workbench.study.stores import pointer

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


Asked = tuple[str, Sequence[Any]]
"""A query that both databases understand, with a question mark for each of its values."""
Answer = list[tuple[Any, ...]]
"""Its rows, as the database keeps them."""


@dataclass(frozen=True, slots=True)
class TableRows(Collection[dict[str, Any]]):
    """Rows of a table in the order of entry, as the database keeps them; each is made a dictionary when asked for.

    Attributes
    ----------
    columns : names of the columns.
    values : of each row, in that order.
    """

    columns: tuple[str, ...]
    values: list[tuple[Any, ...]]

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, row: object) -> bool:
        return any(row == one for one in self)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self.named(row) for row in self.values)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return self.named(self.values[place])

    def named(self, row: tuple[Any, ...]) -> dict[str, Any]:
        """One row by column name.

        Parameters
        ----------
        row : of ``values``.
        """
        return dict(zip(self.columns, row, strict=True))


class Reader(Protocol):
    """One state of a record, read past the writer and SQLAlchemy: what verifying looks at.

    Attributes
    ----------
    path : file of the study folder that is the record or says where it lies.
    """

    @property
    def path(self) -> Path: ...

    def version(self) -> int:
        """Schema version of the record. Raises RecordFault where it is none."""

    def faults(self) -> Iterator[Message]:
        """What the database's own checks find, and rows whose parent is not there."""

    def rows(self, query: str) -> Iterable[Any]:
        """Rows of a query that both databases understand, by column name."""

    def values(self, query: str) -> Iterable[tuple[Any, ...]]:
        """As :meth:`rows`, in the order of the query's columns: for what reads a whole chain."""

    def tables(self) -> list[str]:
        """Names of the tables that are there, sorted."""

    def table(self, name: str) -> TableRows:
        """All rows of a table."""

    def numbers(self, name: str) -> list[int]:
        """Of each row of :meth:`table` the audit row that entered it; none where there is an order only."""

    def schema_hash(self) -> str:
        """Hash of tables, constraints, indexes and triggers as they are now."""


class Store(Protocol):
    """A database that holds one study record.

    Attributes
    ----------
    path : file of the study folder that is the record or says where it lies.
    errors : what its driver raises.
    """

    @property
    def path(self) -> Path: ...

    @property
    def errors(self) -> tuple[type[Exception], ...]: ...

    def claim(self, undo: ExitStack) -> None:
        """Take the study folder for a new record; ``undo`` gives it back. Raises OSError, RecordFault."""

    def check(self) -> None:
        """Tell a missing record from one that can be opened. Raises RecordFault."""

    def engine(self, *, busy_s: float) -> Engine:
        """SQLAlchemy's engine; a writer waits ``busy_s`` seconds for another one."""

    def prepare(self, connection: Connection) -> None:
        """What a new record needs before the transaction that creates its tables."""

    def create(self, connection: Connection) -> None:
        """Create tables, indexes and triggers inside the caller's transaction."""

    def version(self, connection: Connection) -> int:
        """Schema version of an open record. Raises RecordFault where it is none."""

    def has_tables(self, connection: Connection) -> bool:
        """Whether its creation went so far that it has tables."""

    def schema_hash(self, connection: Connection) -> str:
        """As :meth:`Reader.schema_hash`."""

    def begin_writing(self, connection: Connection, asked: Sequence[Asked] = ()) -> list[Answer]:
        """Begin a transaction that no other writer can begin before it ends; as :meth:`answers` inside it.

        Whoever waits for the record does not wait for the answers one after the other.
        """

    def answers(self, connection: Connection, asked: Sequence[Asked]) -> list[Answer]:
        """Rows of queries inside a transaction, as the database keeps them; a server answers them all at once."""

    def sending(self, connection: Connection) -> AbstractContextManager[object]:
        """Inside the block statements that answer nothing are sent one after the other, without waiting for each.

        What one of them raises is raised at the latest where the block ends.
        """

    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction that sees one state of the record, whatever others write."""

    def in_transaction(self, dbapi: Any) -> bool:
        """Whether a connection of the driver has a transaction open."""

    def overwrite(self, connection: Connection, *tables: str) -> bool:
        """Remove what a redaction took from these tables from where the database still keeps it.

        False while somebody else still reads the old state.
        """

    def reader(self) -> AbstractContextManager[Reader]:
        """The record for verifying it; one state of it."""

    def state(self) -> Hashable:
        """What a commit changes: while it stays equal, nothing new stands in the record."""

    def explain(self, error: Exception) -> RecordFault:
        """An error of the driver as what, why and remedy."""

    def refusal(self, error: Exception) -> RecordFault | None:
        """Why nothing can be verified now; None for an error that is a finding of its own."""


def at(folder: Path | str) -> Store:
    """The store of the record in a study folder; that of ``study.db`` where there is none.

    Raises
    ------
    RecordFault
        When the file that names a database cannot be read, or two records lie there.
    """
    folder = Path(folder)
    if not pointer.is_there(folder):
        return _sqlite(folder)
    there = pointer.read(folder)
    # While a record is moved, and after a move that was interrupted, the file that names the database holds.
    if (folder / record_file.FILE).exists() and not there.moving:
        files = [record_file.FILE, pointer.FILE]
        raise RecordFault(Message("store.two_records", folder=str(folder), files=files))
    from workbench.study.stores.postgresql import PostgreSQL

    return PostgreSQL(folder / pointer.FILE, there)


def new(folder: Path, *, database: str, code: str) -> Store:
    """The store of a record that is still to be created.

    Parameters
    ----------
    folder : the study folder.
    database : URL of a PostgreSQL database, ``""`` for a file in the folder.
    code : of the study, after which its schema is named.

    Raises
    ------
    BadValue
        For a URL that is none, or that holds a password.
    """
    if not database:
        return _sqlite(folder)
    from workbench.study.stores.postgresql import PostgreSQL

    return PostgreSQL(folder / pointer.FILE, pointer.new(database, code=code))


def of(connection: Connection) -> Store:
    """The store that a connection leads to."""
    options: Mapping[str, Any] = connection.get_execution_options()
    store: Store = options["store"]
    return store


def holds_record(folder: Path | str) -> bool:
    """Whether there is a record in a folder, of either kind. Raises OSError."""
    folder = Path(folder)
    return any((folder / name).is_file() for name in (record_file.FILE, pointer.FILE))


def state(folder: Path | str) -> Hashable:
    """See :meth:`Store.state`. Raises RecordFault when the database cannot be asked."""
    return at(folder).state()


def _sqlite(folder: Path) -> Store:
    from workbench.study.stores.sqlite import SQLite

    return SQLite(folder / record_file.FILE)
