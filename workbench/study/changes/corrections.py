"""Corrections of rows that never change: a new row names the one that it replaces, and says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study.applying import Applying

Row = Mapping[str, Any]


def standing(rows: Iterable[Row]) -> list[Row]:
    """The rows that no other one replaces, in their order.

    Parameters
    ----------
    rows : of one table, with all that may correct one another.
    """
    kept = list(rows)
    replaced = {row["corrects"] for row in kept}
    return [row for row in kept if row["id"] not in replaced]


def check_correction(record: Applying, table: str, row_id: str, **same: Any) -> None:
    """Refuse a correction without a reason, of what was corrected already, or of what another row is about.

    Parameters
    ----------
    record : inside the change.
    table, row_id : the row that is replaced; ``""`` for none.
    **same : columns in which both rows agree.

    Raises
    ------
    BadValue, Refused, UnknownName
        No reason; a row that is about something else or was replaced; no such row.
    """
    if not row_id:
        return
    row = record.row(table, row_id)
    differ = [name for name, value in same.items() if row[name] != value]
    if differ:
        raise Refused(Message("fitting.corrects_other", table=table, columns=differ))
    if record.rows(table, corrects=row_id):
        raise Refused(Message("fitting.corrected", table=table))
    if not record.reason.strip():
        raise BadValue(Message("fitting.correction_reason", table=table))
