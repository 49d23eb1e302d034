"""What is asked of a study record: rows, head, entries, history. Each function reads over an open connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, func, select, type_coerce
from sqlalchemy.types import NullType

from workbench import reading as texts
from workbench.errors import RecordFault, UnknownName
from workbench.messages import SAID, Message, restored
from workbench.study import chain, schema, stores
from workbench.study.columns import JSON_COLUMN
from workbench.study.migrations import lift
from workbench.study.nouns import told
from workbench.study.writer import BY_NAME, in_order
from workbench.vocabulary import Entry

TABLES = {**BY_NAME, "audit": schema.audit, "signed_head": schema.signed_head}


def table_of(name: str) -> Table:
    """A table by its name. Raises UnknownName, with the names there are."""
    if name not in TABLES:
        raise UnknownName(Message("study.no_table", table=told(name), known=list(TABLES)))
    return TABLES[name]


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """One state of the record for every query of the block, while others may write."""
    stores.of(connection).begin_reading(connection)
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql("ROLLBACK")


def stored(connection: Connection, name: str, *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of all rows of a table in the order of entry, as they are kept; for what reads whole tables.

    Parameters
    ----------
    connection : to the record.
    name : of the table.
    *columns : their names; JSON stays text.
    """
    table = table_of(name)
    query = select(*(type_coerce(table.columns[column], NullType()) for column in columns))
    query = query.order_by(schema.order_of(table))
    return [tuple(row) for row in connection.execute(query)]


def parsed(text: str) -> Any:
    """A text of JSON that the record holds. Raises RecordFault for one that somebody else put there."""
    return texts.parse_json(text, JSON_COLUMN, error=RecordFault)


def rows(connection: Connection, name: str, where: Mapping[str, Any]) -> list[dict[str, Any]]:
    """See :meth:`workbench.study.Study.rows`.

    Parameters
    ----------
    connection : to the record.
    name : of the table.
    where : column → value that it must equal.
    """
    table = table_of(name)
    query = in_order(table)
    for column, value in where.items():
        if column not in table.columns:
            raise UnknownName(
                Message("study.no_column", table=name, column=told(column), known=list(table.columns.keys()))
            )
        query = query.where(table.columns[column] == value)
    found = connection.execute(query)
    columns, hidden = tuple(found.keys()), set(chain.SECRET.get(name, ()))
    made = [dict(zip(columns, row, strict=True)) for row in found.all()]
    for row in made if hidden else ():
        for column in hidden & row.keys():
            del row[column]
    return [with_messages(row) for row in made]


def with_messages(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose texts are messages where they were written as such; the column of their codes is gone."""
    codes = {name: code for name, code in row.pop(SAID, {}).items() if name in row}
    return row | restored({name: row[name] for name in codes} | {SAID: codes}) if codes else row


def head(connection: Connection) -> tuple[int, str]:
    """``(seq, hash)`` of the newest audit row."""
    newest = select(schema.audit.c.seq, schema.audit.c.hash).order_by(schema.audit.c.seq.desc()).limit(1)
    row = connection.execute(newest).one()
    return int(row.seq), str(row.hash)


def entries(connection: Connection, *, after: int) -> list[Entry]:
    """The audit chain from row ``after + 1`` on."""
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
        for row in connection.execute(query).all()
    ]


def history(connection: Connection, name: str, row_id: str) -> list[dict[str, Any]]:
    """See :meth:`workbench.study.Study.history`.

    Parameters
    ----------
    connection : to the record.
    name, row_id : table and id of the row.
    """
    table, audit, payload = table_of(name), schema.audit, schema.audit_payload
    query = select(audit, payload.c.payload).outerjoin(payload, payload.c.seq == audit.c.seq)
    query = query.where(audit.c.table_name == name, audit.c.row_id == row_id).order_by(audit.c.seq)
    return [event(table, row._mapping) for row in connection.execute(query)]


def count(connection: Connection, name: str) -> int:
    """Number of rows of a table."""
    return int(connection.execute(select(func.count()).select_from(table_of(name))).scalar_one())


def event(table: Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    """One entry as :meth:`workbench.study.Study.history` gives it.

    Parameters
    ----------
    table : that the entry is about.
    row : its columns, with those of its payload.
    """
    text = row["payload"]
    payload = {"new": None, "old": None, "reason": ""} if text is None else parsed(text)
    version = int(row["schema_version"])
    return {
        **{name: row[name] for name in ("seq", "utc", "actor", "action", "row_version")},
        "reason": restored({name: payload.get(name) for name in ("reason", SAID)})["reason"],
        "new": _as_python(table, payload["new"], version, whole=True),
        "old": _as_python(table, payload["old"], version, whole=False),
        "redacted": text is None,
    }


def _as_python(table: Table, values: Any, version: int, *, whole: bool) -> dict[str, Any] | None:
    """Values of an entry as Python has them, lifted from the schema they were written under."""
    if values is None:
        return None
    # The chain is never rewritten, so that an entry stays in the schema it was written under.
    lifted = lift(table.name, values, version, whole=whole)
    hidden = chain.SECRET.get(table.name, ())
    types: dict[str, Any] = {name: table.columns[name].type for name in lifted if name not in hidden}
    return with_messages(
        {name: None if lifted[name] is None else kind.seen(lifted[name]) for name, kind in types.items()}
    )
