"""What is implanted, for how long, and what was found at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from workbench.study.obligations import Rows
from workbench.study.protocol import ImplantCheck, Protocol
from workbench.vocabulary import FindingKind


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at an implant; ``values`` are impedances by contact, Ω, or whatever else was measured.

    ``row_id`` is that of its row.
    """

    row_id: str
    kind: FindingKind
    found_on: str
    notable: bool
    text: str
    values: Mapping[str, Any]
    by: str


CheckState = Literal["done", "due", "missed", "ahead"]
"""Where a planned check stands: a finding of its kind in its window, its window open, over, or still to come."""


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """A check that the protocol plans of an implant.

    Attributes
    ----------
    name, kind : of the check.
    planned, earliest, latest : ISO dates; both ends belong to the window.
    found_on : ISO date of the finding that is the check, ``""`` without one.
    state : on the day that was asked about.
    """

    name: str
    kind: FindingKind
    planned: str
    earliest: str
    latest: str
    found_on: str
    state: CheckState


@dataclass(frozen=True, slots=True)
class Surveillance:
    """One implant.

    Attributes
    ----------
    implant_id, participant_id, participant : which, and whose (id and pseudonym).
    device, serial, location : of the implant.
    implanted_on, explanted_on, explant_reason : ISO dates; ``""`` while it is in place.
    findings : notable ones first, then the newest first.
    checks : planned ones by day: each that was done, missed or is due, and the next one of each kind.
    quiet : whether nothing notable was found and no check was missed.
    """

    implant_id: str
    participant_id: str
    participant: str
    device: str
    serial: str
    location: str
    implanted_on: str
    explanted_on: str
    explant_reason: str
    findings: tuple[Finding, ...]
    checks: tuple[PlannedCheck, ...]
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


def surveillance(record: Rows, on: date) -> tuple[Surveillance, ...]:
    """Every implant, those with notable findings or missed checks first.

    Parameters
    ----------
    record : the open study.
    on : the day on which it is asked where each planned check stands.
    """
    people, asked = _people(record), _asked(record)
    found: dict[str, list[Finding]] = defaultdict(list)
    for row in record.rows("implant_finding"):
        # What was entered by mistake is no finding, and no check that was done.
        if row["state"] == "entered":
            own = (row[name] for name in ("id", "kind", "found_on", "notable", "text", "values", "by"))
            found[row["implant_id"]].append(Finding(*own))
    listed = []
    for row in record.rows("implant"):
        person, findings = row["participant_id"], found[row["id"]]
        checks = planned_checks(row, findings, asked(person), on)
        loud = any(one.notable for one in findings) or any(one.state == "missed" for one in checks)
        listed.append(
            Surveillance(
                row["id"], person, people[person], row["device"], row["serial"], row["location"],
                row["implanted_on"], row["explanted_on"], row["explant_reason"], _ordered(findings), checks,
                quiet=not loud,
            )
        )  # fmt: skip
    return tuple(sorted(listed, key=lambda one: one.quiet))


def planned_checks(
    implant: Mapping[str, Any], findings: Iterable[Finding], asked: Iterable[ImplantCheck], on: date
) -> tuple[PlannedCheck, ...]:
    """The checks of one implant by their planned day; what its removal came before is not asked for.

    Parameters
    ----------
    implant : row of the implant.
    findings : at it.
    asked : checks of the participant's protocol.
    on : the day.
    """
    start, out = date.fromisoformat(implant["implanted_on"]), implant["explanted_on"]
    found = [(one.kind, one.found_on) for one in findings]
    checks = []
    for check in asked:
        own = [day for kind, day in found if kind == check.kind]
        for planned, earliest, latest in _days_of(check, start, on):
            done = min((day for day in own if earliest <= day <= latest), default="")
            if done or not out or latest < out:
                state = _state(earliest, latest, done, on)
                checks.append(PlannedCheck(check.name, check.kind, planned, earliest, latest, done, state))
    return tuple(sorted(checks, key=lambda one: one.planned))


def _days_of(check: ImplantCheck, start: date, on: date) -> Iterator[tuple[str, str, str]]:
    """Planned day and window of each time that has begun, and of the next one."""
    after = 0
    while True:
        try:
            days = [start + timedelta(days=day + after) for day in (check.day, check.earliest, check.latest)]
        except OverflowError:  # the calendar is over before the implant is
            return
        planned, earliest, latest = (day.isoformat() for day in days)
        yield planned, earliest, latest
        if not check.every or days[1] > on:
            return
        after += check.every


def _state(earliest: str, latest: str, done: str, on: date) -> CheckState:
    day = on.isoformat()
    if done and done <= day:
        return "done"
    return "ahead" if day < earliest else "missed" if latest < day else "due"


def _asked(record: Rows) -> Callable[[str], tuple[ImplantCheck, ...]]:
    """What the protocol of a participant asks for, by their id; the newest version for who is not enrolled."""
    versions = {row["id"]: row for row in record.rows("protocol_version")}
    of = {row["participant_id"]: row["protocol_version_id"] for row in record.rows("enrolment")}
    newest, read = next(reversed(versions), ""), dict[str, tuple[ImplantCheck, ...]]()

    def checks(participant_id: str) -> tuple[ImplantCheck, ...]:
        version = of.get(participant_id, newest)
        if version and version not in read:
            row = versions[version]
            read[version] = Protocol.from_definition(row["definition"], where=row["version"]).implant_checks
        return read.get(version, ())

    return checks


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
