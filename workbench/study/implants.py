"""What is implanted, for how long, and what was found at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from workbench.study.obligations import Rows
from workbench.vocabulary import FindingKind


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at an implant; ``values`` are impedances by contact, Ω, or whatever else was measured."""

    kind: FindingKind
    found_on: str
    notable: bool
    text: str
    values: Mapping[str, Any]
    by: str


@dataclass(frozen=True, slots=True)
class Surveillance:
    """One implant.

    Attributes
    ----------
    implant_id, participant : which, and whose (pseudonym).
    device, serial, location : of the implant.
    implanted_on, explanted_on, explant_reason : ISO dates; ``""`` while it is in place.
    findings : notable ones first, then the newest first.
    quiet : whether nothing notable was found.
    """

    implant_id: str
    participant: str
    device: str
    serial: str
    location: str
    implanted_on: str
    explanted_on: str
    explant_reason: str
    findings: tuple[Finding, ...]
    quiet: bool


@dataclass(frozen=True, slots=True)
class ImplantDays:
    """Days that an implant was in place: from the day of surgery, day 0, to that of explantation."""

    implant_id: str
    participant: str
    device: str
    days: int


@dataclass(frozen=True, slots=True)
class Intercurrent:
    """An intercurrent event of the estimands, by the name that the protocol gives it."""

    participant: str
    event: str
    on: str


def surveillance(record: Rows) -> tuple[Surveillance, ...]:
    """Every implant, those with notable findings first.

    Parameters
    ----------
    record : the open study.
    """
    people = _people(record)
    found: dict[str, list[Finding]] = defaultdict(list)
    for row in record.rows("implant_finding"):
        found[row["implant_id"]].append(
            Finding(row["kind"], row["found_on"], row["notable"], row["text"], row["values"], row["by"])
        )
    listed = [
        Surveillance(
            row["id"],
            people[row["participant_id"]],
            row["device"],
            row["serial"],
            row["location"],
            row["implanted_on"],
            row["explanted_on"],
            row["explant_reason"],
            _ordered(found[row["id"]]),
            quiet=not any(one.notable for one in found[row["id"]]),
        )  # fmt: skip
        for row in record.rows("implant")
    ]
    return tuple(sorted(listed, key=lambda one: one.quiet))


def implant_days(record: Rows, on: date) -> tuple[ImplantDays, ...]:
    """Days that each implant was in place by a day, in the order of entry; later implants are left out.

    Parameters
    ----------
    record : the open study.
    on : the last day that counts.
    """
    people = _people(record)
    ends = {row["id"]: min(on.isoformat(), row["explanted_on"] or "9999") for row in record.rows("implant")}
    return tuple(
        ImplantDays(row["id"], people[row["participant_id"]], row["device"], _days(row["implanted_on"], end))
        for row in record.rows("implant")
        if (end := ends[row["id"]]) >= row["implanted_on"]
    )


def intercurrent_events(record: Rows) -> tuple[Intercurrent, ...]:
    """Explantations as intercurrent events of the estimands.

    Parameters
    ----------
    record : the open study.
    """
    people = _people(record)
    return tuple(
        Intercurrent(people[row["participant_id"]], row["intercurrent"], row["explanted_on"])
        for row in record.rows("implant")
        if row["explanted_on"]
    )


def _people(record: Rows) -> dict[str, str]:
    return {row["id"]: row["pseudonym"] for row in record.rows("participant")}


def _ordered(found: list[Finding]) -> tuple[Finding, ...]:
    newest = sorted(found, key=lambda one: one.found_on, reverse=True)
    return tuple(sorted(newest, key=lambda one: not one.notable))


def _days(start: str, end: str) -> int:
    return (date.fromisoformat(end) - date.fromisoformat(start)).days
