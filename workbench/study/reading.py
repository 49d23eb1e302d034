"""Reading a study record: rows, nouns, history, head."""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError, StatementError

from workbench.errors import RecordFault, UnknownName, WorkbenchError
from workbench.study import chain, place, schema
from workbench.study.migrations import lift
from workbench.study.nouns import Noun, noun_of
from workbench.study.writer import BY_NAME, in_order
from workbench.vocabulary import Entry

BUSY_S = 10.0
"""How long a writer waits for another one, in s."""

PRAGMAS = (
    "foreign_keys=ON",
    "synchronous=FULL",
    "recursive_triggers=ON",
    "trusted_schema=OFF",
    "secure_delete=ON",
)
"""Of every connection; ``secure_delete`` overwrites what a redaction removes."""

TABLES = {**BY_NAME, "audit": schema.audit, "signed_head": schema.signed_head}


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def engine_of(path: Path) -> Engine:
    """SQLAlchemy's engine for a record's file, with the pragmas that every connection needs."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": BUSY_S},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one of the same name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Reader:
    """The reading half of a :class:`~workbench.study.Study`.

    Attributes
    ----------
    path : the record's file.
    """

    def __init__(self, path: Path, *, view: Path | None = None) -> None:
        self.path = path
        self._engine = engine_of(view or path)
        self._file = _identity(path)
        self._undo = ExitStack()
        self._closer = weakref.finalize(self, self._undo.close)
        self._undo.callback(self._engine.dispose)

    def _keep_until_closed(self, kept: ExitStack) -> None:
        """What is undone when the file is closed, such as a temporary view."""
        self._undo.callback(kept.close)

    def _refuse_replaced(self) -> None:
        """Refuse a file that was put in another one's place, by a migration or a restored backup, while it was
        open.
        """
        if _identity(self.path) != self._file:
            raise RecordFault(
                f"{self.path} was replaced while it was open (a migration, or a restored backup); nothing was "
                f"stored, "
                "open the study again"
            )

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if not self._closer.alive:
            raise RecordFault(f"the study record {self.path} is closed; open it again")
        self._refuse_replaced()
        try:
            with self._engine.connect() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            raise place.explain(error, self.path) from error
        except StatementError as error:
            # A column refused a value, with a sentence of its own; SQLAlchemy wraps it.
            if isinstance(error.orig, WorkbenchError):
                raise error.orig from error
            raise

    def _table(self, name: str) -> Table:
        if name not in TABLES:
            raise UnknownName(f"the record has no table {name!r}; it has {', '.join(TABLES)}")
        return TABLES[name]

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of a table in the order they were entered, those that equal ``where`` in its columns.

        Raises
        ------
        UnknownName
            No such table or column; the text lists those there are.
        """
        found = self._table(table)
        query = in_order(found)
        for name, value in where.items():
            if name not in found.columns:
                raise UnknownName(f"{table} has no column {name!r}; it has {', '.join(found.columns.keys())}")
            query = query.where(found.columns[name] == value)
        with self._connected() as connection:
            found_rows = [dict(row) for row in connection.execute(query).mappings()]
        hidden = chain.SECRET.get(table, ())
        return [{name: value for name, value in row.items() if name not in hidden} for row in found_rows]

    def get(self, table: str, row_id: str) -> dict[str, Any]:
        """One row by its id. Raises UnknownName when there is none."""
        found = self.rows(table, id=row_id)
        if not found:
            raise UnknownName(f"there is no {table} {row_id!r} in the record")
        return found[0]

    def nouns(self, table: str, **where: Any) -> list[Noun]:
        """Like :meth:`rows`, as nouns of the vocabulary."""
        return [noun_of(table, row) for row in self.rows(table, **where)]

    def has_run(self, run_id: str) -> bool:
        """Whether the run is in the record."""
        return bool(self.rows("run", id=run_id))

    def head(self) -> tuple[int, str]:
        """``(seq, hash)`` of the newest audit row: print it on every report."""
        with self._connected() as connection:
            newest = select(schema.audit.c.seq, schema.audit.c.hash).order_by(schema.audit.c.seq.desc()).limit(1)
            row = connection.execute(newest).one()
            return int(row.seq), str(row.hash)

    def entries(self, *, after: int = 0) -> list[Entry]:
        """The audit chain from row ``after + 1`` on."""
        with self._connected() as connection:
            query = select(schema.audit).where(schema.audit.c.seq > after).order_by(schema.audit.c.seq)
            return [
                Entry(
                    seq=row.seq,
                    utc=row.utc,
                    actor=row.actor,
                    action=row.action,
                    table=row.table_name,
                    row_id=row.row_id,
                    commit=row.commitment,
                    hash=row.hash,
                )
                for row in connection.execute(query)
            ]

    def history(self, table: str, row_id: str) -> list[dict[str, Any]]:
        """What happened to one row, oldest first.

        Each is ``{"seq", "utc", "actor", "action", "row_version", "reason", "new", "old", "redacted"}``:
        ``new`` the whole row afterwards, ``old`` the columns that changed as they were before, both by
        column as Python values; None when redacted, for ``old`` also at creation.
        """
        found = self._table(table)
        audit, payload = schema.audit, schema.audit_payload
        query = select(audit, payload.c.payload).outerjoin(payload, payload.c.seq == audit.c.seq)
        query = query.where(audit.c.table_name == table, audit.c.row_id == row_id).order_by(audit.c.seq)
        with self._connected() as connection:
            return [_told(found, row._mapping) for row in connection.execute(query)]

    def count(self, table: str) -> int:
        """Number of rows of a table."""
        with self._connected() as connection:
            return int(connection.execute(select(func.count()).select_from(self._table(table))).scalar_one())


def _told(table: Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    text = row["payload"]
    payload = {"new": None, "old": None, "reason": ""} if text is None else json.loads(text)
    version = int(row["schema_version"])
    return {
        **{name: row[name] for name in ("seq", "utc", "actor", "action", "row_version")},
        "reason": payload["reason"],
        "new": _seen(table, payload["new"], version, whole=True),
        "old": _seen(table, payload["old"], version, whole=False),
        "redacted": text is None,
    }


def _seen(table: Table, values: Any, version: int, *, whole: bool) -> dict[str, Any] | None:
    """Values of an entry as Python has them, lifted from the schema they were written under."""
    if values is None:
        return None
    lifted = lift(table.name, values, version, whole=whole)
    hidden = chain.SECRET.get(table.name, ())
    types: dict[str, Any] = {name: table.columns[name].type for name in lifted if name not in hidden}
    return {name: None if lifted[name] is None else kind.seen(lifted[name]) for name, kind in types.items()}
