"""How complete a form of a visit is: the one rule that every page, table and list of forms tells.

A form counts as verified while a signature stands on the row as it is now: the same version of it, which is what a
change of any of its values moves. Of several instances or conditions the one that is least far says how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import date
from typing import Any, Literal, NamedTuple

from workbench.study.changes.entering import ADJUDICATED, ENTRIES, differences
from workbench.study.forms import state_of
from workbench.study.planned import HELD
from workbench.study.schedule import Planned
from workbench.study.windows import Window, window_of

Completeness = Literal[
    "verified", "complete", "incomplete", "differ", "second", "draft", "missing", "open", "not_due", "not_held",
    "withdrawn",
]  # fmt: skip
"""``"verified"`` is complete, or closed with items missing, and signed as it stands; ``"second"`` waits for the
second of two entries, which ``"differ"`` in the next; ``"open"`` is to be entered at a visit whose time it is;
``"withdrawn"`` will not be entered, since the participant left."""
LEAST_FIRST: tuple[Completeness, ...] = ("draft", "second", "differ", "incomplete", "complete", "verified")
LEFT = ("screen_failure", "withdrawn", "lost")
"""States of the enrolment of who is followed no longer."""
NOT_HELD = ("missed", "not_applicable")
"""Statuses of a visit that will not be held."""
Row = Mapping[str, Any]
Version = tuple[str, str, int]
"""Table, id and version of a row."""


class Place(NamedTuple):
    """Where a visit stands.

    Attributes
    ----------
    status : of its row, ``""`` without one.
    held : day on which it was held, None before or where it is not known.
    earliest, latest : window; None where it is not known.
    """

    status: str
    held: date | None
    earliest: date | None
    latest: date | None


class Entered:
    """What was entered of the forms of some visits.

    Parameters
    ----------
    forms : rows with ``visit_id, name, instance, entry, state, id, row_version``, and of a form that two people
        enter ``values``.
    assessments : rows with ``visit_id, measure, state, id, row_version`` and their condition.
    typed : visit, and form or measure, of what is typed and not saved.
    signed : rows that carry a signature (:func:`signed_rows`).
    """

    def __init__(
        self,
        forms: Iterable[Row],
        assessments: Iterable[Row],
        *,
        typed: Set[tuple[str, str]],
        signed: Set[Version],
    ) -> None:
        self._forms: dict[tuple[str, str], dict[int, list[Row]]] = {}
        self._measures: dict[tuple[str, str], list[Row]] = {}
        self._typed, self._signed = typed, signed
        for row in forms:
            instances = self._forms.setdefault((row["visit_id"], row["name"]), {})
            instances.setdefault(row["instance"], []).append(row)
        for row in assessments:
            self._measures.setdefault((row["visit_id"], row["measure"]), []).append(row)

    def begun(
        self,
        visit_id: str,
        *,
        name: str,
        measure: str,
        twice: bool,
        takes: Callable[[str], bool] = lambda state: True,
    ) -> Completeness | None:
        """How far a form is of which something was entered; None where nothing was.

        Parameters
        ----------
        visit_id, name, measure : which form; ``measure`` is ``""`` for a form with items of its own.
        twice : whether two people enter it.
        takes : whether an assessment in a state is one that it asks for.
        """
        parts = [self._of_entries(rows, twice=twice) for rows in self._forms.get((visit_id, name), {}).values()]
        if measure:
            assessed = self._measures.get((visit_id, measure), ())
            parts += [self._of_row("assessment", row) for row in assessed if takes(state_of(row))]
        if parts:
            return min(parts, key=LEAST_FIRST.index)
        return "draft" if {(visit_id, name), (visit_id, measure)} & self._typed else None

    def _of_row(self, table: str, row: Row) -> Completeness:
        # Who signs an examination that lacks items says that it stays as it is.
        if row["state"] != "draft" and (table, row["id"], row["row_version"]) in self._signed:
            return "verified"
        return row["state"] if row["state"] in ("complete", "incomplete") else "draft"

    def _of_entries(self, rows: Sequence[Row], *, twice: bool) -> Completeness:
        """How one instance stands; what two people enter is complete once they agree or a third decides."""
        holds = [row for row in rows if row["entry"] == ADJUDICATED]
        if twice and not holds:
            complete = {row["entry"]: row["values"] for row in rows if row["state"] == "complete"}
            if not complete:
                return "draft"
            if any(entry not in complete for entry in ENTRIES):
                return "second"
            if differences(*(complete[entry] for entry in ENTRIES)):
                return "differ"
        return min((self._of_row("form", row) for row in holds or rows), key=LEAST_FIRST.index)


def untouched(place: Place, on: date, *, left: bool) -> Completeness:
    """How a form stands of which nothing was entered.

    Parameters
    ----------
    place : of its visit.
    on : the day on which it is asked.
    left : whether the participant is followed no longer.
    """
    if place.status in NOT_HELD:
        return "not_held"
    if place.status == HELD:
        # On the day of the visit itself its forms are still being written.
        return "open" if place.held is not None and place.held >= on else "missing"
    if left:
        return "withdrawn"
    if place.latest is not None and place.latest < on:
        return "missing"
    return "open" if place.earliest is not None and place.earliest <= on else "not_due"


def place_of(row: Row | None, planned: Planned | None) -> Place:
    """Where a visit stands: as its row says, and where that says nothing as the schedule does.

    Parameters
    ----------
    row : has ``status, started, planned, earliest, latest``; None for a visit that the record does not have.
    planned : of the schedule; None for a visit that it does not have.
    """
    status, held = ("", None) if row is None else (str(row["status"]), _day(row["started"]))
    days = Window(None, None) if row is None else window_of(row)
    if planned is not None:
        days = Window(days.earliest or planned.earliest, days.latest or planned.latest)
    return Place(status, held if status == HELD else None, *days)


def signed_rows(targets: Iterable[Iterable[Sequence[Any]]]) -> set[Version]:
    """Every row that carries a signature, in the version that was signed.

    Parameters
    ----------
    targets : of each signature, as its row has them.
    """
    return {(str(target[0]), str(target[1]), int(target[2])) for one in targets for target in one}


def _day(text: str) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
