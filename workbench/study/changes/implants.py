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
"""Measured values of one finding, and characters of their names."""


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
        row, values = record.row("implant", self.implant_id), dict(self.values or {})
        day_of(self.found_on, now=utc_of(record.utc))
        if self.found_on < row["implanted_on"]:
            raise BadValue(Message("safety.found_before", got=self.found_on, day=row["implanted_on"]))
        each = all(_is_number(value) and len(name) <= LONGEST_KEY for name, value in values.items())
        if not each or len(values) > MOST_VALUES or (self.kind == "impedance" and not values):
            raise BadValue(Message("safety.values", kind=self.kind, got=f"{values!r:.80}"))
        return record.insert(
            "implant_finding", implant_id=self.implant_id, kind=self.kind, found_on=self.found_on,
            notable=self.notable, text=self.text, values=values,
        )  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _intercurrent_events(record: Applying, participant_id: str) -> list[str]:
    """Names that the participant's version of the protocol gives to intercurrent events."""
    enrolled = record.rows("enrolment", participant_id=participant_id)
    if not enrolled:
        return []
    version = record.row("protocol_version", enrolled[0]["protocol_version_id"])
    return Protocol.from_definition(version["definition"]).intercurrent_events()
