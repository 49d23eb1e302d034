"""Concomitant treatment, rehabilitation and assistive devices: entered, revised, ended, and taken back
where they were wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.nouns import told
from workbench.study.protocol_reading import day_of
from workbench.vocabulary import Ongoing, TreatmentKind

WHO = ("investigator", "coordinator", "therapist", "assessor")
MOST_MINUTES = 1440
"""Of a day."""
TREATMENTS: tuple[TreatmentKind, ...] = ("drug", "procedure")
STATED = ("name", "indication", "dose", "minutes", "given_by", "started_on", "ended_on", "ongoing")
"""Columns that people state."""
NOT_OF: Mapping[str, tuple[str, ...]] = {
    "drug": ("minutes", "given_by"), "procedure": ("minutes", "given_by"),
    "rehabilitation": ("indication", "dose"), "device": ("indication", "dose", "minutes", "given_by"),
}  # fmt: skip
"""Columns that a kind of treatment does not have."""


@dataclass(frozen=True, slots=True)
class RecordTreatment(Change):
    """A drug or a procedure that a participant receives beside the study.

    Attributes
    ----------
    participant_id : whose.
    kind : ``"drug"`` or ``"procedure"``.
    name : of the drug or procedure.
    indication : what it is for, ``""`` for not stated.
    dose : in words, as ``"10 mg three times a day"``, ``""`` for not stated.
    started_on, ended_on : ISO dates, ``""`` where not known.
    ongoing : ``"yes"``, ``"no"`` or ``"unknown"``.
    """

    participant_id: str
    kind: TreatmentKind
    name: str
    indication: str = ""
    dose: str = ""
    started_on: str = ""
    ended_on: str = ""
    ongoing: Ongoing = "unknown"
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Add the treatment."""
        if self.kind not in TREATMENTS:
            raise BadValue(Message("treatment.kind", allowed=list(TREATMENTS), got=f"{self.kind!r:.40}"))
        return _added(
            record, self.participant_id, self.kind, self.name, indication=self.indication, dose=self.dose,
            started_on=self.started_on, ended_on=self.ended_on, ongoing=self.ongoing,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordRehabilitation(Change):
    """Rehabilitation that a participant had on one day.

    Attributes
    ----------
    participant_id : whose.
    name : what was trained.
    on : ISO date.
    minutes : on that day.
    given_by : printed name or profession of who gave it, ``""`` for not stated.
    """

    participant_id: str
    name: str
    on: str
    minutes: int
    given_by: str = ""
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Add the day."""
        _check_minutes(self.minutes)
        if not self.on:
            raise BadValue(Message("treatment.day", name="on", got=told(self.on)))
        return _added(
            record, self.participant_id, "rehabilitation", self.name, minutes=self.minutes,
            given_by=self.given_by, started_on=self.on, ended_on=self.on, ongoing="no",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordAssistiveDevice(Change):
    """An assistive device that a participant uses.

    Attributes
    ----------
    participant_id : whose.
    name : of the device.
    started_on, ended_on : ISO dates, ``""`` where not known.
    ongoing : ``"yes"``, ``"no"`` or ``"unknown"``.
    """

    participant_id: str
    name: str
    started_on: str = ""
    ended_on: str = ""
    ongoing: Ongoing = "unknown"
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Add the device."""
        return _added(
            record, self.participant_id, "device", self.name, started_on=self.started_on, ended_on=self.ended_on,
            ongoing=self.ongoing,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReviseTreatment(Change):
    """What stands in a treatment was wrong, or more is known of it; needs a reason.

    Attributes
    ----------
    treatment_id : which; its kind stays.
    name, indication, dose, minutes, given_by, started_on, ended_on, ongoing : all of it as it is from now on, as
        of the change that entered it; what a kind does not have stays empty.
    row_version : that was shown, 0 for any.
    """

    treatment_id: str
    name: str
    indication: str = ""
    dose: str = ""
    minutes: int | None = None
    given_by: str = ""
    started_on: str = ""
    ended_on: str = ""
    ongoing: Ongoing = "unknown"
    row_version: int = 0
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Change what differs."""
        row = _standing(record, self.treatment_id)
        now = {name: getattr(self, name) for name in STATED}
        if row["kind"] == "rehabilitation":
            _check_minutes(self.minutes)
            if not self.started_on or self.started_on != self.ended_on:
                raise BadValue(Message("treatment.one_day", started=self.started_on, ended=self.ended_on))
        others = [name for name in NOT_OF[row["kind"]] if now[name] not in ("", None)]
        if others:
            raise BadValue(Message("treatment.not_of", kind=row["kind"], names=others))
        _check_days(record, self.started_on, self.ended_on, self.ongoing)
        if not record.reason.strip():
            raise BadValue(Message("study.change_needs_reason", table="treatment"))
        differing = {name: value for name, value in now.items() if row[name] != value}
        if not differing:
            raise BadValue(Message("treatment.same", name=row["name"]))
        record.amend("treatment", self.treatment_id, differing, expected=self.row_version or None)
        return self.treatment_id


@dataclass(frozen=True, slots=True)
class EndTreatment(Change):
    """A treatment or a device is used no longer.

    Attributes
    ----------
    treatment_id : which.
    ended_on : ISO date of the last day.
    """

    treatment_id: str
    ended_on: str
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Enter the last day."""
        row = _standing(record, self.treatment_id)
        if row["ended_on"]:
            raise Refused(Message("treatment.ended", name=row["name"], on=row["ended_on"]))
        if not self.ended_on:
            raise BadValue(Message("treatment.day", name="ended_on", got=told(self.ended_on)))
        _check_days(record, row["started_on"], self.ended_on, "no")
        record.amend(
            "treatment", self.treatment_id, {"ended_on": self.ended_on, "ongoing": "no"},
            follows=Message("treatment.ends", on=self.ended_on),
        )  # fmt: skip
        return self.treatment_id


@dataclass(frozen=True, slots=True)
class VoidTreatment(Change):
    """A treatment was entered by mistake; needs the reason.

    Attributes
    ----------
    treatment_id : which.
    """

    treatment_id: str
    ROLES: ClassVar[tuple[str, ...]] = WHO

    def apply(self, record: Applying) -> str:
        """Keep the row as void. Raises BadValue without a reason."""
        _standing(record, self.treatment_id)
        record.amend("treatment", self.treatment_id, {"state": "void"})
        return self.treatment_id


def _standing(record: Applying, row_id: str) -> dict[str, Any]:
    row = record.row("treatment", row_id)
    if row["state"] != "entered":
        raise Refused(Message("treatment.void", name=row["name"]))
    return row


def _added(record: Applying, participant_id: str, kind: TreatmentKind, name: str, **facts: Any) -> str:
    _check_days(record, facts["started_on"], facts["ended_on"], facts["ongoing"])
    stated = {"indication": "", "dose": "", "minutes": None, "given_by": "", **facts}
    return record.insert(
        "treatment", participant_id=participant_id, kind=kind, name=name, state="entered", **stated
    )


def _check_minutes(minutes: int | None) -> None:
    if minutes is None or not 1 <= minutes <= MOST_MINUTES:
        raise BadValue(Message("treatment.minutes", most=MOST_MINUTES, got=told(minutes)))


def _check_days(record: Applying, started: str, ended: str, ongoing: Ongoing) -> None:
    today = record.today.isoformat()
    for name, day in (("started_on", started), ("ended_on", ended)):
        if day and (day_of(day) is None or day > today):
            raise BadValue(Message("treatment.day", name=name, got=f"{day!r:.40}"))
    if started and ended and ended < started:
        raise BadValue(Message("treatment.order", started=started, ended=ended))
    if ended and ongoing == "yes":
        raise BadValue(Message("treatment.both", ended=ended))
