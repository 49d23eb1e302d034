"""Implants: in, out, and what was found at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.moments import day_of, utc_of
from workbench.study.protocol import Protocol
from workbench.vocabulary import FindingKind

WHO = ("investigator", "safety_officer", "coordinator")
MOST_VALUES, LONGEST_KEY = 4096, 100
FOUND = ("kind", "found_on", "notable", "text", "values")
"""Measured values of one finding, and characters of their names; what is stated of a finding."""


@dataclass(frozen=True, slots=True)
class Implant(Change):
    """A device was implanted.

    Attributes
    ----------
    participant_id : in whom.
    device : model.
    implanted_on : ISO date of the surgery.
    location : where in the body.
    udi, serial : of the device, ``""`` where they are not known.
    """

    participant_id: str
    device: str
    implanted_on: str
    location: str
    udi: str = ""
    serial: str = ""
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Add the implant; a serial number is in one body at a time."""
        day_of(self.implanted_on, now=utc_of(record.utc))
        if self.serial:
            for row in record.rows("implant", device=self.device, serial=self.serial):
                if not row["explanted_on"]:
                    raise Refused(Message("safety.implanted_already", device=self.device, serial=self.serial))
        return record.insert(
            "implant", participant_id=self.participant_id, device=self.device, udi=self.udi, serial=self.serial,
            location=self.location, implanted_on=self.implanted_on, explanted_on="", explant_reason="",
            intercurrent="",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explant(Change):
    """An implant was taken out, which is an intercurrent event of the estimands; needs a reason.

    Attributes
    ----------
    implant_id : which.
    explanted_on : ISO date.
    event : its name among the intercurrent events of the participant's protocol.
    correct : whether it replaces a removal that was entered before.
    """

    implant_id: str
    explanted_on: str
    event: str
    correct: bool = False
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Close the implant."""
        row = record.row("implant", self.implant_id)
        day_of(self.explanted_on, now=utc_of(record.utc))
        if row["explanted_on"] and not self.correct:
            raise Refused(Message("safety.explanted_already", day=row["explanted_on"]))
        if self.explanted_on < row["implanted_on"]:
            raise BadValue(Message("safety.explanted_before", got=self.explanted_on, day=row["implanted_on"]))
        known = _intercurrent_events(record, row["participant_id"])
        if not self.event.strip() or (known and self.event not in known):
            allowed = known or Message("word.none")
            raise BadValue(Message("safety.intercurrent", allowed=allowed, got=f"{self.event!r:.60}"))
        changes = {"explanted_on": self.explanted_on, "explant_reason": record.reason, "intercurrent": self.event}
        record.amend("implant", self.implant_id, changes)
        return self.implant_id


@dataclass(frozen=True, slots=True)
class RecordFinding(Change):
    """Something was looked at or measured at an implant.

    Attributes
    ----------
    implant_id : at which.
    kind : what was looked at.
    found_on : ISO date.
    text : what was found.
    notable : whether somebody must look at it again.
    values : of a measurement, as impedances in Ω by contact.
    """

    implant_id: str
    kind: FindingKind
    found_on: str
    text: str
    notable: bool = False
    values: Mapping[str, Any] | None = None
    ROLES: ClassVar[tuple[str, ...]] = (*WHO, "engineer")

    def apply(self, record: Applying) -> str:
        """Add the finding."""
        stated = _stated(record, self.implant_id, self)
        return record.insert("implant_finding", implant_id=self.implant_id, state="entered", **stated)


@dataclass(frozen=True, slots=True)
class ReviseFinding(Change):
    """What stands in a finding was wrong; needs a reason.

    Attributes
    ----------
    finding_id : which; it stays at its implant.
    kind, found_on, text, notable, values : all of it as it is from now on, as of the change that entered it.
    row_version : that was shown, 0 for any.
    """

    finding_id: str
    kind: FindingKind
    found_on: str
    text: str
    notable: bool = False
    values: Mapping[str, Any] | None = None
    row_version: int = 0
    ROLES: ClassVar[tuple[str, ...]] = RecordFinding.ROLES

    def apply(self, record: Applying) -> str:
        """Change what differs; what stood there stays in the history."""
        row = _standing(record, self.finding_id)
        now = _stated(record, row["implant_id"], self)
        if not record.reason.strip():
            raise BadValue(Message("study.change_needs_reason", table="implant_finding"))
        differing = {name: value for name, value in now.items() if row[name] != value}
        if not differing:
            raise BadValue(Message("safety.finding_same", day=row["found_on"]))
        record.amend("implant_finding", self.finding_id, differing, expected=self.row_version or None)
        return self.finding_id


@dataclass(frozen=True, slots=True)
class VoidFinding(Change):
    """A finding was entered by mistake, as one at another implant; needs the reason.

    Attributes
    ----------
    finding_id : which.
    """

    finding_id: str
    ROLES: ClassVar[tuple[str, ...]] = RecordFinding.ROLES

    def apply(self, record: Applying) -> str:
        """Keep the row as void: a check that it was is to be done again. Raises BadValue without a reason."""
        _standing(record, self.finding_id)
        record.amend("implant_finding", self.finding_id, {"state": "void"})
        return self.finding_id


def _standing(record: Applying, row_id: str) -> dict[str, Any]:
    row = record.row("implant_finding", row_id)
    if row["state"] != "entered":
        raise Refused(Message("safety.finding_void", day=row["found_on"]))
    return row


def _stated(record: Applying, implant_id: str, stated: RecordFinding | ReviseFinding) -> dict[str, Any]:
    """What is stated of a finding, once it may be."""
    row, values = record.row("implant", implant_id), stated.values or {}
    day_of(stated.found_on, now=utc_of(record.utc))
    if stated.found_on < row["implanted_on"]:
        raise BadValue(Message("safety.found_before", got=stated.found_on, day=row["implanted_on"]))
    if not _are_values(values) or (stated.kind == "impedance" and not values):
        raise BadValue(Message("safety.values", kind=stated.kind, got=f"{values!r:.80}"))
    return {**{name: getattr(stated, name) for name in FOUND}, "values": dict(values)}


def _are_values(values: object) -> bool:
    """Whether they are numbers by name, neither too many nor under names that are too long."""
    if not isinstance(values, Mapping) or len(values) > MOST_VALUES:
        return False
    names = all(isinstance(name, str) and len(name) <= LONGEST_KEY for name in values)
    return names and all(_is_number(value) for value in values.values())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _intercurrent_events(record: Applying, participant_id: str) -> list[str]:
    """Names that the participant's version of the protocol gives to intercurrent events."""
    enrolled = record.rows("enrolment", participant_id=participant_id)
    if not enrolled:
        return []
    version = record.row("protocol_version", enrolled[0]["protocol_version_id"])
    return Protocol.from_definition(version["definition"]).intercurrent_events()
