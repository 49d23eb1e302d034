"""The audit trail as a table: one row for each entry of the chain, with the participant whose data it is about.

What was redacted is shown as such; secrets are veiled. Every entry is there or the reading fails: the rows are
counted against the chain in the same state of the record.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from workbench.errors import RecordFault, UnknownName
from workbench.messages import Message
from workbench.study import chain, reading, schema
from workbench.study.locks import Place
from workbench.study.nouns import PARENTS
from workbench.study.writer import BY_NAME

if TYPE_CHECKING:
    from workbench.study.record import Study

VEILED = "(veiled)"
OF_THE_ROW = ("id", "row_version")
"""Columns that every row has, which say nothing of what was entered."""
AT_ONCE = 500
"""Ids of one query; SQLite takes a limited number of values."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry of the chain.

    Attributes
    ----------
    entry : its number in the chain, from 1.
    utc, who, what : when, by whom, and what was done.
    table, row : the row it is about.
    participant : pseudonym of whose data it is, ``""`` for nobody's.
    field : columns that were entered or changed, separated by commas.
    old, new : their values as a JSON object, ``""`` where there is none.
    reason : why.
    redacted : whether the values of this entry were taken out later.
    hash : of the entry.
    """

    entry: int
    utc: str
    who: str
    what: str
    table: str
    row: str
    participant: str
    field: str
    old: str
    new: str
    reason: str
    redacted: bool
    hash: str


def read(study: Study, participant: str = "") -> Iterator[AuditRow]:
    """Every entry of the chain, or those about one participant, oldest first.

    Parameters
    ----------
    study : the open record.
    participant : pseudonym; ``""`` for the whole chain.

    Raises
    ------
    UnknownName
        For a pseudonym that the record does not know.
    RecordFault
        When not every entry could be read.
    """
    with study.database.connected() as connection, reading.snapshot(connection):
        names = dict(reading.stored(connection, "participant", "id", "pseudonym"))
        refuse_unknown(participant, names.values())
        audit, counts = schema.audit, func.count()
        query = select(audit.c.table_name, audit.c.row_id, counts).group_by(audit.c.table_name, audit.c.row_id)
        places = {(table, row_id): n for table, row_id, n in connection.execute(query)}
        owners = {place: names.get(owner, "") for place, owner in participants_of(connection, places).items()}
        wanted = sum(n for place, n in places.items() if participant in ("", owners.get(place)))
        n = 0
        for row in _entries(connection):
            owner = owners.get((row["table_name"], row["row_id"]), "")
            if participant in ("", owner):
                n += 1
                yield _told(row, owner)
        if n != wanted:
            raise RecordFault(Message("overview.entries_missing", n=n, wanted=wanted))


def refuse_unknown(participant: str, known: Collection[str]) -> None:
    """Refuse a pseudonym that is not in the record; ``""`` means everybody. Raises UnknownName."""
    if participant and participant not in known:
        some = list(known)[:20]
        raise UnknownName(Message("change.nobody", table="participant", got=f"{participant!r:.60}", known=some))


def participants_of(connection: Connection, places: Iterable[Place]) -> dict[Place, str]:
    """Id of the participant that each row belongs to; rows of nobody are left out.

    Asks once for each level and table, not once for each row.

    Parameters
    ----------
    connection : to the record.
    places : rows, as table and id.
    """
    asked = list(places)
    above: dict[Place, Place] = {}
    frontier = set(asked)
    while frontier:
        found = dict(_parents(connection, frontier))
        above |= found
        frontier = set(found.values()) - set(above)
    return {place: owner for place in asked if (owner := _top(place, above))}


def _top(place: Place, above: Mapping[Place, Place]) -> str:
    seen = {place}
    while place in above and above[place] not in seen:
        place = above[place]
        seen.add(place)
    return place[1] if place[0] == "participant" else ""


def _parents(connection: Connection, places: Iterable[Place]) -> Iterator[tuple[Place, Place]]:
    """What each row belongs to; a lock and a signature belong to the row that they stand on."""
    by_table: dict[str, list[str]] = {}
    for table, row_id in places:
        by_table.setdefault(table, []).append(row_id)
    for table, ids in by_table.items():
        if table not in (*PARENTS, "lock_event", "signature"):
            continue
        columns = BY_NAME[table].c
        for first in range(0, len(ids), AT_ONCE):
            query = select(BY_NAME[table]).where(columns.id.in_(ids[first : first + AT_ONCE]))
            if table in PARENTS:
                query = query.with_only_columns(columns.id, columns[PARENTS[table][0]])
                yield from (
                    ((table, own), (PARENTS[table][1], parent)) for own, parent in connection.execute(query)
                )
            else:
                yield from (((table, row["id"]), _target(row)) for row in connection.execute(query).mappings())


def _target(row: Mapping[Any, Any]) -> Place:
    """The row that a lock or a signature stands on, of several the first."""
    if "targets" in row:
        return (row["targets"][0][0], row["targets"][0][1]) if row["targets"] else ("", "")
    return row["table_name"], row["row_id"]


def _entries(connection: Connection) -> Iterator[Mapping[Any, Any]]:
    audit, payload = schema.audit, schema.audit_payload
    query = select(audit, payload.c.payload).outerjoin(payload, payload.c.seq == audit.c.seq).order_by(audit.c.seq)
    yield from connection.execute(query).mappings()


def _told(row: Mapping[Any, Any], owner: str) -> AuditRow:
    event = reading.event(reading.table_of(row["table_name"]), row)
    old, new = event["old"], event["new"] or {}
    changed = [name for name in (new if old is None else old) if name not in OF_THE_ROW]
    veil = dict.fromkeys(_hidden(row), VEILED)
    return AuditRow(
        entry=event["seq"],
        utc=event["utc"],
        who=event["actor"],
        what=event["action"],
        table=row["table_name"],
        row=row["row_id"],
        participant=owner,
        field=", ".join([*changed, *veil]),
        old="" if old is None else _json({name: old[name] for name in changed} | veil),
        new=_json({name: new.get(name) for name in changed} | veil),
        reason=event["reason"] or "",
        redacted=event["redacted"],
        hash=row["hash"],
    )


def _hidden(row: Mapping[Any, Any]) -> list[str]:
    """Secret columns that an entry entered or changed."""
    secret = chain.SECRET.get(row["table_name"], ())
    if not secret or row["payload"] is None:
        return []
    payload = reading.parsed(row["payload"])
    touched = (payload["new"] if payload["old"] is None else payload["old"]) or {}
    return [name for name in secret if name in touched]


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False) if values else ""
