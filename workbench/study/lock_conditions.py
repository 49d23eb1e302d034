"""What must hold before a study is locked, read from the record.

One rule for the lock itself, which refuses, and for the page that lists what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from workbench.messages import Message
from workbench.study import obligations
from workbench.study.changes import entering, queries
from workbench.study.obligations import Rows

ConditionName = Literal["queries", "entries", "unsigned", "unsent", "uncoded", "serious"]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the lock, and what stands in its way.

    Attributes
    ----------
    name : which.
    people : id of the participant whom each of the open points is about; ``""`` for nobody in particular.
    """

    name: ConditionName
    people: tuple[str, ...]

    @property
    def n(self) -> int:
        """How many points are open; 0 where it holds."""
        return len(self.people)

    @property
    def text(self) -> Message:
        """What is missing, as a refusal says it."""
        return _SAID[self.name](self.n)


_SAID: Mapping[ConditionName, Callable[[int], Message]] = {
    "queries": lambda n: Message("lock.queries", n=n),
    "entries": lambda n: Message("lock.entries", n=n),
    "unsigned": lambda n: Message("lock.unsigned", n=n),
    "unsent": lambda n: Message("safety.unsent", n=n),
    "uncoded": lambda n: Message("lock.uncoded", n=n),
    "serious": lambda n: Message("lock.serious", n=n),
}


def conditions(record: Rows, now: datetime, *, signed: Callable[[str, Row], bool]) -> tuple[Condition, ...]:
    """Every condition that the record itself decides, in the order in which they are settled.

    Parameters
    ----------
    record : that is to be locked.
    now : the moment at which clocks are read, UTC.
    signed : whether a row of ``assessment`` or ``form`` carries a signature on what stands in it now.
    """
    owner = {row["id"]: str(row["participant_id"]) for row in record.rows("visit")}
    forms = record.rows("form")
    unsigned = [("assessment", row) for row in record.rows("assessment")]
    unsigned += [("form", dict(row)) for row in entering.holding(forms)]
    events = [row for row in record.rows("adverse_event") if row["state"] != "void"]
    found: dict[ConditionName, Iterable[str]] = {
        "queries": _open_queries(record),
        "entries": (owner[visit] for visit in _undecided(record, forms)),
        "unsigned": (owner[row["visit_id"]] for table, row in unsigned if not signed(table, row)),
        "unsent": _unsent(record, now),
        "uncoded": (str(row["participant_id"]) for row in events if not row["coding"].get("code")),
        "serious": (str(row["participant_id"]) for row in events if _is_open(row)),
    }
    return tuple(Condition(name, tuple(people)) for name, people in found.items())


def _is_open(event: Row) -> bool:
    """Whether a serious event is not reconciled yet: somebody closes it once nothing about it is open."""
    return bool(event["facts"]["serious"]) and event["state"] == "open"


def _open_queries(record: Rows) -> list[str]:
    events: dict[str, list[Row]] = {}
    for row in record.rows("query_event"):
        events.setdefault(row["query_id"], []).append(row)
    rows = record.rows("query")
    return [
        str(row["participant_id"] or "") for row in rows if queries.state(events.get(row["id"], ())) != "closed"
    ]


def _undecided(record: Rows, forms: Iterable[Row]) -> list[str]:
    """Visit of each form that two people enter and of which it is open what holds."""
    twice = {
        (version["sha256"], form["name"])
        for version in record.rows("protocol_version")
        for form in version["definition"].get("form", ())
        if form.get("double_entry")
    }
    entries: dict[tuple[str, str, int], dict[int, Row]] = {}
    for row in forms:
        entries.setdefault((row["visit_id"], row["name"], row["instance"]), {})[row["entry"]] = row
    found = []
    for (visit, name, _instance), by_entry in entries.items():
        asked = any((row["protocol_sha256"], name) in twice for row in by_entry.values())
        if asked and entering.ADJUDICATED not in by_entry and not _agree(by_entry):
            found.append(visit)
    return found


def _agree(entries: Mapping[int, Row]) -> bool:
    first, second = (entries.get(number) for number in entering.ENTRIES)
    if first is None or second is None or {first["state"], second["state"]} != {"complete"}:
        return False
    return not entering.differences(first["values"], second["values"])


def _unsent(record: Rows, now: datetime) -> list[str]:
    """Whom reports of safety events are about that are due, or will be."""
    due = obligations.obligations(record, now)
    people = {
        (table, row["id"]): str(row["participant_id"] or "")
        for table in ("adverse_event", "device_deficiency")
        for row in record.rows(table)
    }
    return [people[one.table, one.row_id] for one in due if not one.sent_at]
