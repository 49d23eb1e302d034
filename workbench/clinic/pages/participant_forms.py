"""What stands beside the forms of a participant: who signed them as they are, and what is locked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench.study import locks
from workbench.study.changes import signing


def signatures_of(record: Any, visits: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Signatures on the forms and assessments of a page, oldest first.

    Parameters
    ----------
    record : as a page reads it.
    visits : of the page; rows that it does not show are left out, with the signatures on nothing else.

    Returns
    -------
    list
        ``{"id", "signer", "meaning", "utc", "state", "rows"}`` each: ``state`` is ``"valid"``, or ``"stale"`` once
        a row has changed since; ``rows`` are ``"TABLE:ID"``.
    """
    shown = {f"{row['table']}:{row['id']}" for visit in visits for form in visit["forms"] for row in form["rows"]}
    found = []
    for signature in record.rows("signature"):
        rows = [f"{table}:{row_id}" for table, row_id, *_ in signature["targets"]]
        if shown.isdisjoint(rows):
            continue
        told = {name: signature[name] for name in ("id", "signer", "meaning", "utc")}
        on = [row for row in rows if row in shown]
        found.append({**told, "state": signing.state(record, signature), "rows": on})
    return found


def locks_on(record: Any, participant_id: str, visits: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is locked of a participant: the study, they themselves, or one of their visits.

    Parameters
    ----------
    record : as a page reads it.
    participant_id : whose.
    visits : of the page.

    Returns
    -------
    list
        ``{"table", "row", "name", "level", "by", "utc", "reason"}`` each; ``name`` is that of a visit.
    """
    names = {visit["id"]: visit["name"] for visit in visits if visit["id"]}
    places = {("study", ""): "", ("participant", participant_id): ""}
    places |= {("visit", row_id): name for row_id, name in names.items()}
    held = locks.in_force(record.rows("lock_event"))
    return [
        {
            "table": place[0], "row": place[1], "name": name,
            **{key: held[place][key] for key in ("level", "by", "utc", "reason")},
        }
        for place, name in places.items()
        if place in held
    ]  # fmt: skip
