"""Visits of one participant, planned and held, and how complete the forms of each are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

from workbench import outcomes
from workbench.dashboard.concealment import tells_arm
from workbench.study import Study
from workbench.study.changes.entering import ADJUDICATED, ENTRIES, differences
from workbench.study.protocol import Protocol

VisitState = Literal[
    "held", "held_early", "held_late", "missed", "not_applicable", "ahead", "due", "late", "open", "not_anchored"
]
"""Where a visit stands on a day; ``"open"`` has no date, ``"not_anchored"`` no day from which it is counted."""
FormCompleteness = Literal[
    "verified", "complete", "incomplete", "draft", "second", "differ", "missing", "open", "not_due"
]
"""``"verified"`` is complete and signed as it stands; ``"second"`` waits for the second of two entries, which
``"differ"`` in the next; ``"open"`` is to be entered at a visit whose time it is."""
OVER = ("held", "held_early", "held_late", "late", "missed")
"""States of a visit after which a form that is not there is missing."""
NOT_YET = ("ahead", "not_anchored")


class Entered(NamedTuple):
    """What was entered of the participant's forms, by visit.

    Attributes
    ----------
    forms, assessments : rows of the record.
    drafts : ``(visit, measure)`` of what is typed and not saved.
    concealed : ids of assessments, and ``(visit, measure)`` of drafts of nothing else, that are not shown.
    signed : table, id and version of rows that a signature stands on.
    """

    forms: Mapping[str, Sequence[Mapping[str, Any]]]
    assessments: Mapping[str, Sequence[Mapping[str, Any]]]
    drafts: frozenset[tuple[str, str]]
    concealed: frozenset[str | tuple[str, str]]
    signed: frozenset[tuple[str, str, int]]


def visits_of(
    study: Study, participant_id: str, *, protocol: Protocol | None, on: date, concealed: bool
) -> list[dict[str, Any]]:
    """Every visit of a participant by its day, those without one last.

    Parameters
    ----------
    study : the open record.
    participant_id : whose.
    protocol : that they take part under, None without one.
    on : the day on which it is asked where each stands.
    concealed : leaves out the assessments that may reveal the arm. How complete a form is, which every page
        tells, stays that of the record.

    Returns
    -------
    list
        ``{"id", "name", "planned", "earliest", "latest", "held", "state", "anchor", "forms"}`` each; the days are
        ISO dates or ``""``, ``forms`` as :func:`_forms` gives them.
    """
    rows = study.rows("visit", participant_id=participant_id)
    entered = _entered(study, [row["id"] for row in rows], concealed=concealed)
    asked = {visit.name: visit for visit in protocol.visits} if protocol else {}
    found = []
    for row in rows:
        visit = _visit(row, on)
        named = asked.get(row["name"])
        visit["forms"] = _forms(protocol, named.forms if named else (), visit, entered)
        found.append(visit)
    known = {row["name"] for row in rows}
    found += [_without_day(visit.name, visit.anchor) for visit in asked.values() if visit.name not in known]
    return sorted(found, key=lambda visit: visit["held"] or visit["planned"] or visit["earliest"] or "9999")


def _without_day(name: str, anchor: str) -> dict[str, Any]:
    empty = dict.fromkeys(("id", "planned", "earliest", "latest", "held"), "")
    return {**empty, "name": name, "state": "not_anchored", "anchor": anchor, "forms": []}


def _visit(row: Mapping[str, Any], on: date) -> dict[str, Any]:
    """One row as the page shows it."""
    planned = str(row["planned"])[:10]
    earliest, latest = row["earliest"] or planned, row["latest"] or planned
    held = str(row["started"])[:10] if row["status"] == "done" else ""
    return {
        "id": row["id"], "name": row["name"], "planned": planned, "earliest": earliest, "latest": latest,
        "held": held, "state": _state(str(row["status"]), held, earliest, latest, on.isoformat()), "anchor": "",
    }  # fmt: skip


def _state(status: str, held: str, earliest: str, latest: str, today: str) -> VisitState:
    # ISO dates compare as text.
    if status == "done":
        early, late = held and earliest and held < earliest, held and latest and held > latest
        return "held_early" if early else "held_late" if late else "held"
    if status == "missed":
        return "missed"
    if status == "not_applicable":
        return "not_applicable"
    if not (earliest or latest):
        return "open"
    return "ahead" if today < earliest else "late" if latest and today > latest else "due"


# ------------------------------------------------------------------------------ forms
def _entered(study: Study, ids: Sequence[str], *, concealed: bool) -> Entered:
    assessments = {one: study.rows("assessment", visit_id=one) for one in ids}
    drafts = [draft for one in ids for draft in study.drafts.list(visit_id=one)]
    typed = frozenset((draft.visit_id, draft.form) for draft in drafts)
    shown = frozenset((draft.visit_id, draft.form) for draft in drafts if not tells_arm(draft.condition))
    hidden = {row["id"] for rows in assessments.values() for row in rows if tells_arm(row)} | (typed - shown)
    return Entered(
        {one: study.rows("form", visit_id=one) for one in ids},
        assessments,
        typed,
        frozenset(hidden) if concealed else frozenset(),
        frozenset(
            (table, row_id, version)
            for signature in study.rows("signature")
            for table, row_id, version, _hash in signature["targets"]
        ),
    )


def _forms(
    protocol: Protocol | None, asked: Sequence[str], visit: Mapping[str, Any], entered: Entered
) -> list[dict[str, Any]]:
    """Forms of a visit: those that the protocol asks for, then what was entered beside them.

    Each is ``{"name", "title", "state", "rows"}``; ``rows`` are ``{"table", "id", "about"}`` of what stands in the
    record.
    """
    found, seen = [], set[str]()
    for name in asked:
        form = protocol.form(name) if protocol else None
        measure = form.measure if form else ""
        seen |= {name, measure}
        found.append(
            _form(
                visit, entered, name=name, title=form.title if form else name, measure=measure,
                twice=bool(form and form.double_entry),
            )
        )  # fmt: skip
    beside = [row["name"] for row in entered.forms[visit["id"]]]
    beside += [row["measure"] for row in entered.assessments[visit["id"]] if row["id"] not in entered.concealed]
    beside += sorted(form for one, form in entered.drafts - entered.concealed if one == visit["id"])
    for name in dict.fromkeys(beside):
        if name not in seen:
            title = outcomes.load(name).definition.title if name in outcomes.available() else name
            found.append(_form(visit, entered, name=name, title=title, measure=name, twice=False))
    return found


def _form(
    visit: Mapping[str, Any], entered: Entered, *, name: str, title: str, measure: str, twice: bool
) -> dict[str, Any]:
    """One form of a visit."""
    forms = [row for row in entered.forms[visit["id"]] if row["name"] == name]
    assessed = [row for row in entered.assessments[visit["id"]] if measure and row["measure"] == measure]
    drafted = bool({(visit["id"], name), (visit["id"], measure)} & entered.drafts)
    rows = [{"table": "form", "id": row["id"], "about": _entry_of(row)} for row in forms]
    rows += [
        {"table": "assessment", "id": row["id"], "about": _condition_of(row)}
        for row in assessed
        if row["id"] not in entered.concealed
    ]
    states = {_state_of_entries(forms, entered, twice=twice)} if forms else set()
    states |= {_state_of_assessment(row, entered) for row in assessed}
    state: FormCompleteness
    order: tuple[FormCompleteness, ...] = ("verified", "complete", "differ", "second", "incomplete", "draft")
    if found := [one for one in order if one in states]:
        state = found[0]
    elif drafted:
        state = "draft"
    else:
        state = "missing" if visit["state"] in OVER else "not_due" if visit["state"] in NOT_YET else "open"
    return {"name": name, "title": title, "measure": measure, "state": state, "rows": rows}


def _state_of_entries(rows: Sequence[Mapping[str, Any]], entered: Entered, *, twice: bool) -> FormCompleteness:
    """How complete the entries of one form are; of a form that is entered twice, what holds is what counts."""
    complete = {row["entry"]: row for row in rows if row["state"] == "complete"}
    if not complete:
        return "draft"
    holds: Iterable[Mapping[str, Any]] = complete.values()
    if twice and ADJUDICATED not in complete:
        if any(entry not in complete for entry in ENTRIES):
            return "second"
        first, second = (complete[entry]["values"] for entry in ENTRIES)
        if differences(first, second):
            return "differ"
    elif twice:
        holds = [complete[ADJUDICATED]]
    return "verified" if all(_is_signed("form", row, entered) for row in holds) else "complete"


def _state_of_assessment(row: Mapping[str, Any], entered: Entered) -> FormCompleteness:
    if row["state"] == "draft":
        return "draft"
    if row["state"] == "incomplete":
        return "incomplete"
    return "verified" if _is_signed("assessment", row, entered) else "complete"


def _is_signed(table: str, row: Mapping[str, Any], entered: Entered) -> bool:
    """Whether a signature stands on the row as it is now; a later version makes it stale."""
    return (table, row["id"], row["row_version"]) in entered.signed


def _entry_of(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("instance", "entry", "state", "by")}


def _condition_of(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("assisted", "device_on", "stimulation_on", "side", "state", "rater")}
