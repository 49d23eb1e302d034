"""Visits of one participant, planned and held, and how complete the forms of each are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from workbench import outcomes
from workbench.study.completeness import (
    LEFT,
    Completeness,
    Entered,
    place_of,
    signed_rows,
    untouched,
)
from workbench.study.concealment import tells_arm
from workbench.study.forms import Form, state_of
from workbench.study.planned import plan
from workbench.study.protocol import Protocol
from workbench.study.schedule import window_status
from workbench.study.windows import Window, window_of

if TYPE_CHECKING:
    from workbench.study.record import Study

VisitState = Literal[
    "held", "held_early", "held_late", "missed", "not_applicable", "ahead", "due", "late", "open", "not_anchored"
]
"""Where a visit stands on a day; ``"open"`` has no date, ``"not_anchored"`` no day from which it is counted."""


class _Shown(NamedTuple):
    """What was entered of the participant's forms.

    Attributes
    ----------
    forms, assessments : rows of the record by visit; of assessments those that may be seen.
    drafts : ``(visit, measure)`` of what is typed, not saved, and may be seen.
    entered : all of it, from which it is told how complete the forms are.
    """

    forms: Mapping[str, Sequence[Mapping[str, Any]]]
    assessments: Mapping[str, Sequence[Mapping[str, Any]]]
    drafts: frozenset[tuple[str, str]]
    entered: Entered


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
    left = any(row["status"] in LEFT for row in study.rows("enrolment", participant_id=participant_id))
    rows = study.rows("visit", participant_id=participant_id)
    shown = _shown(study, [row["id"] for row in rows], concealed=concealed)
    asked = {visit.name: visit for visit in protocol.visits} if protocol else {}
    anchors = {row["anchor"]: row["day"] for row in study.rows("anchor_day", participant_id=participant_id)}
    facts = [(row["name"], row["status"], row["started"]) for row in rows]
    planned = {one.visit: one for one in plan(protocol, anchors, facts, on)} if protocol else {}
    found = []
    for row in rows:
        visit = _visit(row, on)
        named = asked.get(row["name"])
        nothing = untouched(place_of(row, planned.get(row["name"])), on, left=left)
        forms = _told(protocol, named.forms if named else (), concealed=concealed)
        visit["forms"] = _forms(protocol, forms, row["id"], shown, nothing)
        found.append(visit)
    known = {row["name"] for row in rows}
    found += [_without_day(visit.name, visit.anchor) for visit in asked.values() if visit.name not in known]
    return sorted(found, key=lambda visit: visit["held"] or visit["planned"] or visit["earliest"] or "9999")


def _without_day(name: str, anchor: str) -> dict[str, Any]:
    empty = dict.fromkeys(("id", "planned", "earliest", "latest", "held"), "")
    return {**empty, "name": name, "state": "not_anchored", "anchor": anchor, "forms": []}


def _visit(row: Mapping[str, Any], on: date) -> dict[str, Any]:
    """One row as the page shows it."""
    window = window_of(row)
    earliest, latest = ("" if day is None else day.isoformat() for day in window)
    held = str(row["started"])[:10] if row["status"] == "done" else ""
    return {
        "id": row["id"], "name": row["name"], "planned": str(row["planned"])[:10], "earliest": earliest,
        "latest": latest, "held": held, "state": _state(str(row["status"]), held, window, on), "anchor": "",
    }  # fmt: skip


def _state(status: str, held: str, window: Window, on: date) -> VisitState:
    if status == "missed":
        return "missed"
    if status == "not_applicable":
        return "not_applicable"
    if status == "done":
        # A visit of before there were protocols may be held without a day.
        return window_status(window, date.fromisoformat(held), held=True) if held else "held"
    return "open" if window == (None, None) else window_status(window, on, held=False)


# ------------------------------------------------------------------------------ forms
def _shown(study: Study, ids: Sequence[str], *, concealed: bool) -> _Shown:
    forms = {one: study.rows("form", visit_id=one) for one in ids}
    assessments = {one: study.rows("assessment", visit_id=one) for one in ids}
    drafts = [draft for one in ids for draft in study.drafts.list(visit_id=one)]
    seen = {one: [row for row in rows if not (concealed and tells_arm(row))] for one, rows in assessments.items()}
    return _Shown(
        forms,
        seen,
        frozenset(
            (draft.visit_id, draft.form) for draft in drafts if not (concealed and tells_arm(draft.condition))
        ),
        Entered(
            (row for rows in forms.values() for row in rows),
            (row for rows in assessments.values() for row in rows),
            typed={(draft.visit_id, draft.form) for draft in drafts},
            signed=signed_rows(signature["targets"] for signature in study.rows("signature")),
        ),
    )


def _told(protocol: Protocol | None, asked: Sequence[str], *, concealed: bool) -> list[str]:
    """Forms that may be told: whether something was assessed with the device on is what is concealed."""
    return [one for one in asked if not (concealed and protocol and protocol.form(one).tells_arm)]


def _forms(
    protocol: Protocol | None, asked: Sequence[str], visit_id: str, shown: _Shown, nothing: Completeness
) -> list[dict[str, Any]]:
    """Forms of a visit: those that the protocol asks for, then what was entered beside them.

    Each is ``{"name", "title", "measure", "state", "help", "rows"}``; ``state`` is ``nothing`` where nothing was
    entered, ``help`` in which state of help it is done (:func:`~workbench.study.forms.state_of`), ``rows`` are
    ``{"table", "id", "about"}`` of what stands in the record.
    """
    forms = [protocol.form(name) if protocol else Form(name, name) for name in asked]
    found = [_asked(protocol, form, visit_id, shown, nothing) for form in forms]
    return found + _beside(
        forms, visit_id, shown, nothing, there={row["id"] for one in found for row in one["rows"]}
    )


def _beside(
    forms: Sequence[Form], visit_id: str, shown: _Shown, nothing: Completeness, *, there: Collection[str]
) -> list[dict[str, Any]]:
    """What was entered beside the forms that are asked for, none of whose rows are ``there``."""
    found = []
    # What was assessed in a state that no form here asks for stands beside them.
    others = [row for row in shown.assessments[visit_id] if row["id"] not in there]
    seen = {name for form in forms for name in (form.name, form.measure)} - {row["measure"] for row in others}
    beside = [row["name"] for row in shown.forms[visit_id]] + [row["measure"] for row in others]
    beside += sorted(form for one, form in shown.drafts if one == visit_id)
    for name in dict.fromkeys(beside):
        if name not in seen:
            states = {state_of(row) for row in others if row["measure"] == name}
            state = shown.entered.begun(visit_id, name=name, measure=name, twice=False, takes=states.__contains__)
            title = outcomes.load(name).definition.title if name in outcomes.available() else name
            one = _form(visit_id, shown, name=name, title=title, measure=name, there=there)
            found.append({**one, "state": state or nothing, "help": ""})
    return found


def _asked(
    protocol: Protocol | None, form: Form, visit_id: str, shown: _Shown, nothing: Completeness
) -> dict[str, Any]:
    """One form that the protocol asks for at a visit."""
    takes = partial(protocol.takes, form) if protocol else _anything
    state = shown.entered.begun(
        visit_id, name=form.name, measure=form.measure, twice=form.double_entry, takes=takes
    )
    one = _form(visit_id, shown, name=form.name, title=form.title, measure=form.measure, takes=takes)
    return {**one, "state": state or nothing, "help": form.state}


def _anything(state: str) -> bool:
    return True


def _form(
    visit_id: str, shown: _Shown, *, name: str, title: str, measure: str,
    takes: Callable[[str], bool] = _anything, there: Collection[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """One form of a visit, without how complete it is; its rows are those that are not ``there`` already."""
    forms = [row for row in shown.forms[visit_id] if row["name"] == name]
    assessed = [row for row in shown.assessments[visit_id] if measure and row["measure"] == measure]
    rows = [{"table": "form", "id": row["id"], "about": _entry_of(row)} for row in forms]
    rows += [
        {"table": "assessment", "id": row["id"], "about": _condition_of(row)}
        for row in assessed
        if takes(state_of(row))
    ]
    rows = [row for row in rows if row["id"] not in there]
    return {"name": name, "title": title, "measure": measure, "rows": rows}


def _entry_of(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("instance", "entry", "state", "by")}


def _condition_of(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("assisted", "device_on", "stimulation_on", "side", "state", "rater")}
