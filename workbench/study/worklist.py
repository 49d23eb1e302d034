"""The day's visits: who is due, in which window, and what stands in the way.

A row says who, which visit, where in its window, what is open and whether a session can start. It decides nothing
and starts nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlalchemy import select

from workbench.study import approvals, reading, schema, windows
from workbench.study.drafts import Draft
from workbench.study.windows import window_of

if TYPE_CHECKING:
    from workbench.study.record import Study

VisitWindow = Literal["due", "early", "late", "unscheduled"]
Readiness = Literal["hold", "check", "ready", "not_due", "done"]
Obstacle = Literal["hold", "awaiting", "late", "early", "draft"]
CLOSED = ("done", "missed", "not_applicable")
_WORDS: Mapping[windows.Place, VisitWindow] = {
    "open": "unscheduled", "before": "early", "within": "due", "after": "late",
}  # fmt: skip
MANY = 10_000
"""Ids of one query; SQLite takes a limited number of values."""


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One visit on the worklist of a day.

    Attributes
    ----------
    participant, visit : their rows of the record.
    window : ``"due"`` (the day lies in the window, or is the planned one), ``"early"``, ``"late"``, or
        ``"unscheduled"`` (no date was planned).
    day, days : day of the window counted from 1 and its length; 0 where there is no window or outside it.
    sessions, last_session : sessions of this visit, and the participant's newest one (None when there is none).
    last_runs : number of runs of that session.
    drafts : forms with a draft for this visit.
    awaiting : decoders of the participant that wait for a decision.
    state : ``"hold"``, ``"check"``, ``"ready"``, ``"not_due"`` or ``"done"``.
    reasons : why it is not simply ready: ``"hold"``, ``"awaiting"``, ``"late"``, ``"early"``, ``"draft"``.
    """

    participant: Mapping[str, Any]
    visit: Mapping[str, Any]
    window: VisitWindow
    day: int
    days: int
    sessions: int
    last_session: Mapping[str, Any] | None
    last_runs: int
    drafts: tuple[str, ...]
    awaiting: tuple[Mapping[str, Any], ...]
    state: Readiness
    reasons: tuple[Obstacle, ...]


def rows(study: Study, drafts: Sequence[Draft], on: date, *, concealed: bool = False) -> list[WorklistRow]:
    """The worklist of a day, planned moments first, then as they were entered.

    Open visits without a date are on every day's list; done ones on the day that they were planned for.

    Parameters
    ----------
    study : the open record.
    drafts : of all visits.
    on : the day.
    concealed : neither sessions nor decoders are read, which only one arm may have.
    """
    people = {row["id"]: row for row in study.rows("participant")}
    visits = study.rows("visit")
    owners = {visit["id"]: visit["participant_id"] for visit in visits}
    sessions = _Sessions({}, {}, {}) if concealed else _sessions(study, owners)
    awaiting = {} if concealed else approvals.all_awaiting(study)
    drafted: dict[str, set[str]] = {}
    for draft in drafts:
        drafted.setdefault(draft.visit_id, set()).add(draft.form)
    entries = []
    for visit in visits:
        # `planned` may carry a time of day after the date.
        if visit["status"] in CLOSED and visit["planned"][:10] != on.isoformat():
            continue
        person = people[visit["participant_id"]]
        window, day, days = _window(visit, on)
        open_forms = tuple(sorted(drafted.get(visit["id"], ())))
        waiting = tuple(awaiting.get(person["id"], ()))
        state, reasons = _state(person, visit, window, awaiting=bool(waiting), drafted=bool(open_forms))
        entries.append(
            WorklistRow(
                participant=person,
                visit=visit,
                window=window,
                day=day,
                days=days,
                sessions=sessions.of_visit.get(visit["id"], 0),
                last_session=sessions.newest.get(person["id"]),
                last_runs=sessions.runs.get(person["id"], 0),
                drafts=open_forms,
                awaiting=waiting,
                state=state,
                reasons=reasons,
            )
        )
    return sorted(entries, key=lambda row: (not row.visit["planned"], row.visit["planned"]))


class _Sessions(NamedTuple):
    of_visit: Mapping[str, int]
    newest: Mapping[str, Mapping[str, Any]]
    runs: Mapping[str, int]


def _sessions(study: Study, people: Mapping[str, str]) -> _Sessions:
    """Sessions by visit, and by participant the newest one with the number of its runs.

    Parameters
    ----------
    study : the open record.
    people : participant by visit.
    """
    table = schema.session
    with study.database.connected() as connection:
        visits = reading.stored(connection, "session", "id", "visit_id")
        last = {people[visit]: session for session, visit in visits}
        # Only of the newest ones: the plan of a session is long.
        query = select(table).where(table.c.id.in_(last.values())) if len(last) < MANY else select(table)
        rows = {row["id"]: dict(row) for row in connection.execute(query).mappings()} if last else {}
        runs = Counter(session for (session,) in reading.stored(connection, "run", "session_id"))
    return _Sessions(
        Counter(visit for _, visit in visits),
        {person: rows[session] for person, session in last.items()},
        {person: runs[session] for person, session in last.items()},
    )


def _window(visit: Mapping[str, Any], on: date) -> tuple[VisitWindow, int, int]:
    """``(window, day, days)`` of a visit on a day; a visit without a window has the planned day for one."""
    window = window_of(visit)
    word = _WORDS[window.place(on)]
    if word != "due" or window.earliest is None or window.latest is None:
        return word, 0, 0
    return word, (on - window.earliest).days + 1, (window.latest - window.earliest).days + 1


def _state(
    person: Mapping[str, Any], visit: Mapping[str, Any], window: VisitWindow, *, awaiting: bool, drafted: bool
) -> tuple[Readiness, tuple[Obstacle, ...]]:
    """Whether a session can start, and why not simply so. An open draft is no reason to wait."""
    if visit["status"] in CLOSED:
        return "done", ()
    facts: dict[Obstacle, bool] = {
        "hold": bool(person["hold"]), "awaiting": awaiting, "late": window == "late", "early": window == "early",
        "draft": drafted,
    }  # fmt: skip
    reasons = tuple(name for name, holds in facts.items() if holds)
    if facts["hold"]:
        return "hold", reasons
    if facts["early"]:
        return "not_due", reasons
    return ("check" if facts["awaiting"] or facts["late"] else "ready"), reasons
