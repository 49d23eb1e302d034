"""Queries on what was entered: opened, answered, closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.errors import Refused, UnknownName
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.nouns import told


@dataclass(frozen=True, slots=True)
class OpenQuery(Change):
    """Ask about one field of a row.

    Attributes
    ----------
    table, row_id, field : what is asked about.
    text : the question.
    """

    table: str
    row_id: str
    field: str
    text: str
    ROLES: ClassVar[tuple[str, ...]] = ("data_manager", "monitor", "investigator", "statistician")

    def apply(self, record: Applying) -> str:
        """Add the query."""
        row = record.row(self.table, self.row_id)
        if self.field not in row:
            raise UnknownName(
                Message("study.no_column", table=self.table, column=told(self.field), known=list(row))
            )
        return record.insert(
            "query", participant_id=record.participant_of(self.table, self.row_id), table_name=self.table,
            row_id=self.row_id, field=self.field, automatic=False, text=self.text,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnswerQuery(Change):
    """Answer a query; it stays open until who manages the data closes it.

    Attributes
    ----------
    query_id : which.
    text : the answer.
    """

    query_id: str
    text: str
    ROLES: ClassVar[tuple[str, ...]] = ("operator", "therapist", "assessor", "investigator", "coordinator")

    def apply(self, record: Applying) -> str:
        """Add the answer."""
        _refuse_closed(record, self.query_id)
        return record.insert("query_event", query_id=self.query_id, action="answered", text=self.text)


@dataclass(frozen=True, slots=True)
class CloseQuery(Change):
    """End a query.

    Attributes
    ----------
    query_id : which.
    text : what was found.
    """

    query_id: str
    text: str
    ROLES: ClassVar[tuple[str, ...]] = ("data_manager", "monitor")

    def apply(self, record: Applying) -> str:
        """Add its end."""
        _refuse_closed(record, self.query_id)
        return record.insert("query_event", query_id=self.query_id, action="closed", text=self.text)


def state(events: Sequence[Mapping[str, Any]]) -> str:
    """``"open"``, ``"answered"`` or ``"closed"``.

    Parameters
    ----------
    events : rows of ``query_event`` of one query, oldest first.
    """
    return str(events[-1]["action"]) if events else "open"


def _refuse_closed(record: Applying, query_id: str) -> None:
    record.row("query", query_id)
    if state(record.rows("query_event", query_id=query_id)) == "closed":
        raise Refused(Message("query.closed"))
