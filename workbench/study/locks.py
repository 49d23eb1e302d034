"""Rows that may not change any more, and the one place where every route into the record is asked.

A *freeze* of a visit, participant or assessment keeps its values; queries, deviations and signatures go on. A
*soft lock* names the record as it was at one entry and holds nothing back. A *hard lock* of the study keeps
everything but what would end it. Safety goes on under both: what becomes known
after a lock must be reported all the same, and its clock runs. The newest event on a row holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench.errors import Refused
from workbench.messages import Message
from workbench.study.nouns import OF_ANYBODY, PARENTS
from workbench.vocabulary import LockLevel

Place = tuple[str, str]
"""A table and the id of a row in it."""
LOCKABLE = ("study", "participant", "visit", "assessment", "form")
SAFETY = (
    "adverse_event", "device_deficiency", "awareness", "obligation_event", "rule_confirmation", "implant",
    "implant_finding", "deviation",
)  # fmt: skip
"""A report that is sent late leaves a deviation."""
GOES_ON: dict[LockLevel, tuple[str, ...]] = {
    "freeze": ("query", "query_event", "signature", "lock_event", "unblinding", *SAFETY),
    "hard": (
        "lock_event", "snapshot", "signature", "person", "role_grant", "study_key", "report", "unblinding",
        *SAFETY,
    ),
}  # fmt: skip
"""Tables that are still written under a lock of this level."""


def in_force(events: Iterable[Mapping[str, Any]]) -> dict[Place, Mapping[str, Any]]:
    """The lock that holds on each row; a soft one holds none.

    Parameters
    ----------
    events : rows of ``lock_event``, oldest first.
    """
    held = (event for event in events if event["level"] != "soft")
    newest = {(event["table_name"], event["row_id"]): event for event in held}
    return {place: event for place, event in newest.items() if event["action"] == "lock"}


def refuse(locks: Mapping[Place, Mapping[str, Any]], table: str, places: Iterable[Place]) -> None:
    """Refuse to write into a table for a row whose owners, or which itself, are locked.

    Parameters
    ----------
    locks : as of :func:`in_force`.
    table : that is written to.
    places : the row and everything that it belongs to.

    Raises
    ------
    Refused
        Naming what is locked, by whom and since when.
    """
    for place in places:
        lock = locks.get(place)
        if lock is not None and table not in GOES_ON[lock["level"]]:
            raise Refused(
                Message(
                    "lock.locked", what=place[0], by=lock["by"], utc=lock["utc"], why=lock["reason"], table=table
                )
            )


def parent(table: str, row: Mapping[str, Any]) -> Place | None:
    """What a row belongs to; None for a row at the root."""
    if table not in PARENTS:
        return None
    column, above = PARENTS[table]
    if row[column] is None and table in OF_ANYBODY:
        return None
    return above, str(row[column])
