"""Visits: days from which they are counted, what was held and missed; deviations are noticed by the record.

The rows of planned visits follow the schedule of the protocol (:mod:`workbench.study.schedule`): they move with
their anchor as long as they were not held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.changes.protocols import protocol_of
from workbench.study.nouns import told
from workbench.study.protocol import ANCHORS, Protocol
from workbench.study.schedule import Planned, schedule

HELD, MISSED = "done", "missed"
WHO = ("investigator", "coordinator", "therapist", "assessor", "operator")


@dataclass(frozen=True, slots=True)
class SetAnchor(Change):
    """The day from which visits are counted is known, or was wrong.

    Attributes
    ----------
    participant_id : whose.
    anchor : of :data:`workbench.study.protocol.ANCHORS`.
    day : ISO date.
    """

    participant_id: str
    anchor: str
    day: str
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "coordinator")

    def apply(self, record: Applying) -> str:
        """Keep the day and plan what follows from it."""
        protocol = protocol_of(record, self.participant_id)
        if self.anchor not in ANCHORS:
            raise BadValue(Message("visit.anchor", allowed=list(ANCHORS), got=told(self.anchor)))
        _day(self.day)
        kept = record.rows("anchor_day", participant_id=self.participant_id, anchor=self.anchor)
        if kept:
            record.amend("anchor_day", kept[0]["id"], {"day": self.day})
            row_id = str(kept[0]["id"])
        else:
            row_id = record.insert(
                "anchor_day", participant_id=self.participant_id, anchor=self.anchor, day=self.day
            )
        _plan(record, self.participant_id, protocol)
        return row_id


def randomised(record: Applying, participant_id: str, day: str) -> None:
    """Count visits from the day of randomisation, also where another day was entered by hand.

    Parameters
    ----------
    record : while a change is made.
    participant_id : who was randomised.
    day : ISO date.
    """
    kept = record.rows("anchor_day", participant_id=participant_id, anchor="randomisation")
    if not kept:
        record.insert("anchor_day", participant_id=participant_id, anchor="randomisation", day=day)
    elif kept[0]["day"] != day:
        record.amend("anchor_day", kept[0]["id"], {"day": day}, follows=Message("allocation.day"))
    _plan(record, participant_id, protocol_of(record, participant_id))


def replan(record: Applying, participant_id: str) -> None:
    """Plan the visits that were not held by the version of the protocol under which somebody takes part now.

    Parameters
    ----------
    record : while a change is made.
    participant_id : who moved to that version.
    """
    _plan(record, participant_id, protocol_of(record, participant_id))


@dataclass(frozen=True, slots=True)
class HoldVisit(Change):
    """A visit was held.

    Attributes
    ----------
    visit_id : which.
    on : ISO date.
    """

    visit_id: str
    on: str
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Close the visit, note where it lies outside its window, and plan what is counted from it."""
        visit, day = _open(record, self.visit_id), _day(self.on)
        if day > record.today:
            raise BadValue(Message("visit.ahead", got=self.on))
        follows = Message("visit.held", day=self.on)
        record.amend("visit", visit["id"], {"status": HELD, "started": self.on}, follows=follows)
        protocol, planned = _plan(record, visit["participant_id"], protocol_of(record, visit["participant_id"]))
        own = next((one for one in planned if one.visit == visit["name"]), None)
        if own and own.status in ("held_early", "held_late") and own.earliest and own.latest:
            record.deviate(
                "visit_window", visit["participant_id"], ("visit", visit["id"]),
                Message(
                    "visit.outside", visit=visit["name"], day=day.isoformat(), earliest=own.earliest.isoformat(),
                    latest=own.latest.isoformat(),
                ),
            )  # fmt: skip
        return str(visit["id"])


@dataclass(frozen=True, slots=True)
class MissVisit(Change):
    """A visit will not be held; needs the reason.

    Attributes
    ----------
    visit_id : which.
    """

    visit_id: str
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Close the visit and note the deviation."""
        visit = _open(record, self.visit_id)
        record.amend("visit", visit["id"], {"status": MISSED})
        record.deviate(
            "visit_missed", visit["participant_id"], ("visit", visit["id"]),
            Message("visit.missed", visit=visit["name"], why=record.reason),
        )  # fmt: skip
        return str(visit["id"])


@dataclass(frozen=True, slots=True)
class AddVisit(Change):
    """A visit that no protocol planned, or one more of a kind that may be repeated.

    Attributes
    ----------
    participant_id : whose.
    name : unique among the participant's.
    on : ISO date on which it is held.
    """

    participant_id: str
    name: str
    on: str
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Add the visit."""
        _day(self.on)
        if record.rows("visit", participant_id=self.participant_id, name=self.name):
            raise Refused(Message("visit.there", visit=self.name))
        return record.insert(
            "visit", participant_id=self.participant_id, name=self.name, started="", planned=self.on, earliest="",
            latest="", status="unscheduled", room="",
        )  # fmt: skip


def anchors_of(record: Applying, participant_id: str) -> dict[str, date]:
    """Days from which the visits of a participant are counted."""
    rows = record.rows("anchor_day", participant_id=participant_id)
    return {row["anchor"]: date.fromisoformat(row["day"]) for row in rows}


def _plan(record: Applying, participant_id: str, protocol: Protocol) -> tuple[Protocol, tuple[Planned, ...]]:
    """Bring the rows of visits that were not held to the schedule."""
    rows = {row["name"]: row for row in record.rows("visit", participant_id=participant_id)}
    held = {name: date.fromisoformat(row["started"][:10]) for name, row in rows.items() if row["status"] == HELD}
    own = {visit.name for visit in protocol.visits}
    planned = schedule(
        protocol, anchors_of(record, participant_id), {name: day for name, day in held.items() if name in own},
        record.today,
    )  # fmt: skip
    for one in planned:
        _follow(record, participant_id, rows.get(one.visit), one)
    return protocol, planned


def _follow(record: Applying, participant_id: str, row: Mapping[str, Any] | None, planned: Planned) -> None:
    """One row as the schedule has it."""
    if planned.planned is None or planned.earliest is None or planned.latest is None:
        return
    days = {name: getattr(planned, name).isoformat() for name in ("planned", "earliest", "latest")}
    if row is None:
        record.insert(
            "visit",
            participant_id=participant_id,
            name=planned.visit,
            started="",
            status="planned",
            room="",
            **days,
        )
    elif row["status"] not in (HELD, MISSED) and any(row[name] != value for name, value in days.items()):
        follows = Message("visit.follows", anchor=planned.anchor)
        record.amend("visit", row["id"], days, follows=follows)


def _open(record: Applying, visit_id: str) -> dict[str, Any]:
    visit = record.row("visit", visit_id)
    if visit["status"] in (HELD, MISSED):
        raise Refused(Message("visit.closed", visit=visit["name"], status=visit["status"]))
    return visit


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadValue(Message("visit.no_day", got=f"{text!r:.40}")) from None
