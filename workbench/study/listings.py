"""Queries, deviations and values of forms as tables, with the participant they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.study.audit_trail import refuse_unknown
from workbench.study.changes.entering import holding

if TYPE_CHECKING:
    from workbench.study.record import Study

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class QueryRow:
    """A query with all that came of it.

    Attributes
    ----------
    participant, table, row, field, text : of whom, what is asked about, and the question.
    automatic, by, utc : whether the record asked by itself; who asked, when.
    state : ``"open"``, ``"answered"`` or ``"closed"``.
    answer, answered_by, answered_utc : the newest answer, ``""`` for none.
    outcome, closed_by, closed_utc : what was found in the end.
    id : of the query.
    """

    participant: str
    table: str
    row: str
    field: str
    text: str
    automatic: bool
    by: str
    utc: str
    state: str
    answer: str
    answered_by: str
    answered_utc: str
    outcome: str
    closed_by: str
    closed_utc: str
    id: str


@dataclass(frozen=True, slots=True)
class DeviationRow:
    """A deviation from the protocol; ``state`` is ``"open"`` or ``"closed"``."""

    participant: str
    category: str
    text: str
    impact: str
    correction: str
    state: str
    automatic: bool
    table: str
    row: str
    by: str
    utc: str
    id: str


@dataclass(frozen=True, slots=True)
class FormItemRow:
    """One value of a form.

    Attributes
    ----------
    participant, visit, form, instance, entry : where it was entered; ``entry`` is 1 or 2 of two people, 0 what a
        third decided.
    holds : whether this entry is the one that holds.
    item, value, unit, missing : value as it was entered, its unit where one was given, or why there is none.
    state, by, utc : of the entry.
    form_id : id of its row.
    """

    participant: str
    visit: str
    form: str
    instance: int
    entry: int
    holds: bool
    item: str
    value: object
    unit: str
    missing: str
    state: str
    by: str
    utc: str
    form_id: str


def form_items(study: Study, participant: str = "") -> list[FormItemRow]:
    """Every value of every form, form by form in order of entry.

    Parameters
    ----------
    study : the open record.
    participant : pseudonym; ``""`` for all.
    """
    names = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
    refuse_unknown(participant, names.values())
    visits = {row["id"]: (names[row["participant_id"]], row["name"]) for row in study.rows("visit")}
    rows = study.rows("form")
    holds = {row["id"] for row in holding(rows)}
    return [
        FormItemRow(
            *visits[row["visit_id"]], row["name"], row["instance"], row["entry"], row["id"] in holds, item, bare,
            unit, missing, row["state"], row["by"], row["utc"], row["id"],
        )
        for row in rows
        if participant in ("", visits[row["visit_id"]][0])
        for item, value in row["values"].items()
        for bare, unit, missing in [_bare(value)]
    ]  # fmt: skip


def _bare(value: Any) -> tuple[object, str, str]:
    """Value, unit, and reason why there is none."""
    if not isinstance(value, Mapping):
        return value, "", ""
    return value.get("value"), str(value.get("unit", "")), str(value.get("missing", ""))


def queries(study: Study, participant: str = "") -> list[QueryRow]:
    """Every query, oldest first.

    Parameters
    ----------
    study : the open record.
    participant : pseudonym; ``""`` for all.
    """
    events: dict[str, dict[str, Row]] = {}
    state: dict[str, str] = {}
    for event in study.rows("query_event"):
        events.setdefault(event["query_id"], {})[event["action"]] = event
        state[event["query_id"]] = event["action"]
    return [
        QueryRow(
            name, row["table_name"], row["row_id"], row["field"], row["text"], row["automatic"], row["by"],
            row["utc"], state.get(row["id"], "open"), *_told(events.get(row["id"], {}).get("answered")),
            *_told(events.get(row["id"], {}).get("closed")), row["id"],
        )
        for row, name in _named(study, "query", participant)
    ]  # fmt: skip


def deviations(study: Study, participant: str = "") -> list[DeviationRow]:
    """Every deviation, oldest first.

    Parameters
    ----------
    study : the open record.
    participant : pseudonym; ``""`` for all.
    """
    return [
        DeviationRow(
            name, row["category"], row["text"], row["impact"], row["correction"], row["state"], row["automatic"],
            row["table_name"], row["row_id"], row["by"], row["utc"], row["id"],
        )
        for row, name in _named(study, "deviation", participant)
    ]  # fmt: skip


def _named(study: Study, table: str, participant: str) -> Iterable[tuple[Row, str]]:
    """Rows with the pseudonym of whose they are."""
    names = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
    refuse_unknown(participant, names.values())
    for row in study.rows(table):
        name = names.get(row["participant_id"], "")
        if participant in ("", name):
            yield row, name


def _told(event: Row | None) -> tuple[str, str, str]:
    return ("", "", "") if event is None else (event["text"], event["by"], event["utc"])
