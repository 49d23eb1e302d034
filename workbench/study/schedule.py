"""The visits of a participant: planned days, windows, and where each stands on a day.

A visit is counted from its own anchor, never from whichever visit came last. A visit as the anchor stands for the
day on which it was held; before, for its planned day, and what follows is provisional.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study import windows
from workbench.study.nouns import told
from workbench.study.protocol import ANCHORS, Protocol, ProtocolVisit
from workbench.study.windows import Window

Status = Literal["not_anchored", "ahead", "due", "late", "held", "held_early", "held_late", "missed"]


@dataclass(frozen=True, slots=True)
class Planned:
    """One visit of the schedule.

    Attributes
    ----------
    visit, anchor : names.
    anchored_on : day from which it is counted; None where it is not known yet, and then so are the next three.
    planned, earliest, latest : planned day and window; both ends belong to the window.
    provisional : whether it is counted from the planned day of a visit that was not held yet.
    held : day on which it was held, of a visit that repeats the first one; None before.
    status : ``"not_anchored"``; ``"ahead"`` of its window, ``"due"`` in it, ``"late"`` after it; ``"missed"`` when
        it is late and a visit with a later planned day was held or, if not provisional, has its window open;
        ``"held"`` in its window, ``"held_early"`` or ``"held_late"`` outside it.
    """

    visit: str
    anchor: str
    anchored_on: date | None
    planned: date | None
    earliest: date | None
    latest: date | None
    provisional: bool
    held: date | None
    status: Status


class Days(NamedTuple):
    """Planned day of a visit, and both ends of its window."""

    planned: date | None
    earliest: date | None
    latest: date | None


def schedule(
    protocol: Protocol, anchors: Mapping[str, date], held: Mapping[str, date], on: date
) -> tuple[Planned, ...]:
    """Every visit of the protocol for one participant, in the order of the protocol.

    Parameters
    ----------
    protocol : whose visits are planned.
    anchors : days that are known, by name of :data:`workbench.study.protocol.ANCHORS`.
    held : days on which visits were held, by name of the visit; what was held after ``on`` is not held yet.
    on : the day on which it is asked where each stands.

    Raises
    ------
    BadValue
        For a name that is no anchor or no visit, a value that is no date, or a day outside the calendar.
    """
    visits = {visit.name: visit for visit in protocol.visits}
    _check_days("anchor", anchors, ANCHORS)
    _check_days("held", held, tuple(visits))
    _check_days("on", {"on": on}, ("on",))
    held = {name: day for name, day in held.items() if day <= on}
    placed: dict[str, Planned] = {}
    for visit in _anchors_first(protocol):
        placed[visit.name] = _placed(visit, anchors, held, placed, on)
    begun = max((_later(one, on) for one in placed.values()), default=date.min)
    return tuple(_missed(placed[name], begun) for name in visits)


def sheet(protocol: Protocol, planned: tuple[Planned, ...]) -> tuple[Message, ...]:
    """The schedule as lines to print, one a visit; nothing in it tells the arm.

    Parameters
    ----------
    protocol : of the study.
    planned : its schedule.
    """
    forms = {visit.name: visit.forms for visit in protocol.visits}
    about = protocol.about
    head = Message("protocol.sheet", code=about.code, version=about.version, hash=protocol.sha256[:12])
    return (head, *(_line(one, forms[one.visit]) for one in planned))


def _check_days(what: str, days: Mapping[str, date], allowed: tuple[str, ...]) -> None:
    for name, day in days.items():
        if name not in allowed:
            raise BadValue(Message("protocol.day_of", what=what, got=told(name), allowed=allowed))
        # A moment is a date in Python, but does not compare with one.
        if not isinstance(day, date) or isinstance(day, datetime):
            raise BadValue(Message("protocol.no_day", what=what, name=told(name), got=told(day)))


def _anchors_first(protocol: Protocol) -> Iterator[ProtocolVisit]:
    """Every visit after the one at which it is anchored."""
    below: dict[str, list[ProtocolVisit]] = {}
    for visit in protocol.visits:
        below.setdefault(visit.anchor, []).append(visit)
    waiting = [visit for anchor in ANCHORS for visit in below.get(anchor, ())]
    while waiting:
        visit = waiting.pop()
        yield visit
        waiting += below.get(visit.name, ())


def _placed(
    visit: ProtocolVisit,
    anchors: Mapping[str, date],
    held: Mapping[str, date],
    placed: Mapping[str, Planned],
    on: date,
) -> Planned:
    """A visit with its days; whether it was missed depends on the others."""
    own, before = held.get(visit.name), placed.get(visit.anchor)
    anchored_on = anchors.get(visit.anchor) if before is None else before.held or before.planned
    provisional = before is not None and before.held is None and anchored_on is not None
    days = days_of(visit, anchored_on)
    status = window_status(Window(days.earliest, days.latest), own or on, held=own is not None)
    return Planned(visit.name, visit.anchor, anchored_on, *days, provisional, own, status)


def days_of(visit: ProtocolVisit, anchored_on: date | None) -> Days:
    """Planned day and window of a visit, counted from a day; of None, None each.

    Parameters
    ----------
    visit : of a protocol, or of a system that stands in for one.
    anchored_on : the day of its anchor.

    Raises
    ------
    BadValue
        For a day outside the calendar.
    """
    if anchored_on is None:
        return Days(None, None, None)
    try:
        return Days(*(anchored_on + timedelta(days=days) for days in (visit.day, visit.earliest, visit.latest)))
    except OverflowError as error:
        day = anchored_on.isoformat()
        raise BadValue(Message("protocol.beyond_calendar", visit=told(visit.name), day=day)) from error


def window_status(window: Window, day: date, *, held: bool) -> Status:
    """Where a visit stands by its window alone.

    Parameters
    ----------
    window : of the visit.
    day : on which it was held, or is asked for.
    held : whether it was held.
    """
    return _STATUSES[window.place(day)][held]


_STATUSES: Mapping[windows.Place, tuple[Status, Status]] = {
    "open": ("not_anchored", "held"), "before": ("ahead", "held_early"), "within": ("due", "held"),
    "after": ("late", "held_late"),
}  # fmt: skip
"""Status by where the day lies: of a visit that was not held, and of one that was."""


def _later(one: Planned, on: date) -> date:
    """The planned day of a visit that was held or can be: what is planned before it and was not held is missed."""
    if one.held is not None:
        return one.planned or one.held
    if one.planned is None or one.earliest is None or one.provisional or one.earliest > on:
        return date.min
    return one.planned


def _missed(one: Planned, begun: date) -> Planned:
    if one.status != "late" or one.planned is None or one.planned >= begun:
        return one
    return replace(one, status="missed")


def _line(one: Planned, forms: tuple[str, ...]) -> Message:
    status = _WORDS[one.status]
    asked = Message("protocol.sheet_forms", forms=forms) if forms else ""
    if one.planned is None or one.earliest is None or one.latest is None:
        return Message("protocol.sheet_open", visit=one.visit, anchor=one.anchor, status=status, forms=asked)
    line = Message(
        "protocol.sheet_line",
        visit=one.visit,
        planned=one.planned.isoformat(),
        earliest=one.earliest.isoformat(),
        latest=one.latest.isoformat(),
        status=status if one.held is None else Message("protocol.on", status=status, day=one.held.isoformat()),
        forms=asked,
    )
    return Message("protocol.sheet_provisional", line=line, anchor=one.anchor) if one.provisional else line


_WORDS: Mapping[Status, Message] = {
    "not_anchored": Message("protocol.not_anchored"),
    "ahead": Message("protocol.ahead"),
    "due": Message("protocol.due"),
    "late": Message("protocol.late"),
    "held": Message("protocol.held"),
    "held_early": Message("protocol.held_early"),
    "held_late": Message("protocol.held_late"),
    "missed": Message("protocol.missed"),
}
