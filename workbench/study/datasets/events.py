"""A row an event: what happened to a participant on which day, and by what name the estimands call it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from workbench.study.concealment import is_related
from workbench.study.datasets._material import LEFT, Material, Row

EventKind = Literal[
    "adverse_event", "consent_withdrawn", "deviation", "explanted", "implanted", "left", "randomised", "treatment",
    "unblinded", "visit_missed",
]  # fmt: skip
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
BLIND: tuple[EventKind, ...] = ("consent_withdrawn", "deviation", "left", "randomised", "visit_missed")
"""Kinds that are the same whatever arm a participant is in, and told to everybody."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of one participant.

    Attributes are the columns of the dataset, each explained in :mod:`workbench.study.datasets.dictionary`.
    """

    key: str
    participant: str
    participant_id: str
    arm: str
    kind: str
    name: str
    on: str
    until: str
    serious: bool | None
    related: bool | None
    severity: str
    intercurrent: str
    state: str
    source_table: str
    source_id: str
    entry_seq: int | None
    entry_hash: str


def events(made: Material) -> tuple[EventRow, ...]:
    """Every event, by participant and day; those of which no day is known come first.

    Parameters
    ----------
    made : record, arms and settings.
    """
    place = {one: n for n, one in enumerate(made.people)}
    rows = [*_of_everybody(made), *(() if made.concealed else _of_unblinded(made))]
    return tuple(sorted(rows, key=lambda row: (place[row.participant_id], row.on, row.kind, row.key)))


def _of_everybody(made: Material) -> Iterator[EventRow]:
    names = {row["id"]: row for row in made.record.rows("visit")}
    for row in made.record.rows("deviation"):
        if row["participant_id"]:
            on = str(row["utc"])[:10]
            yield _event(made, "deviation", row, row["participant_id"], row["category"], on, state=row["state"])
    for row in names.values():
        if row["status"] == "missed":
            on = str(row["planned"])[:10]
            yield _event(made, "visit_missed", row, row["participant_id"], row["name"], on, table="visit")
    for row in made.record.rows("enrolment"):
        if row["status"] in LEFT:
            # The day on which the record was told; a blinded reader, or a snapshot alone, has none.
            on = made.trail.of_row("enrolment", row["id"]).utc[:10]
            yield _event(made, "left", row, row["participant_id"], row["status"], on, table="enrolment")
    for row in made.record.rows("consent"):
        if row["action"] == "withdrawn":
            on = str(row["consented_on"])[:10]
            yield _event(
                made, "consent_withdrawn", row, row["participant_id"], row["purpose"], on, table="consent"
            )
    for person, allocated in made.allocated.items():
        yield _event(made, "randomised", allocated, person, "", allocated["day"], table="allocation")


def _of_unblinded(made: Material) -> Iterator[EventRow]:
    for row in made.record.rows("adverse_event"):
        if row["state"] != "void":
            facts = row["facts"]
            yield _event(
                made, "adverse_event", row, row["participant_id"], row["term"], row["onset"], state=row["state"],
                more={
                    "serious": bool(facts["serious"]), "related": is_related(facts),
                    "severity": str(facts["severity"]),
                },
            )  # fmt: skip
    for row in made.record.rows("implant"):
        person, device = row["participant_id"], row["device"]
        yield _event(
            made, "implanted", row, person, device, row["implanted_on"], table="implant",
            until=row["explanted_on"],
        )  # fmt: skip
        if row["explanted_on"]:
            yield _event(
                made, "explanted", row, person, device, row["explanted_on"], table="implant",
                more={"intercurrent": row["intercurrent"]},
            )  # fmt: skip
    for row in made.record.rows("treatment"):
        yield _event(
            made, "treatment", row, row["participant_id"], row["name"], row["started_on"], state=row["state"],
            until=row["ended_on"],
        )  # fmt: skip
    for row in made.record.rows("unblinding"):
        yield _event(made, "unblinded", row, row["participant_id"], "", str(row["utc"])[:10], table="unblinding")


def _event(
    made: Material, kind: EventKind, row: Row, participant_id: str, name: str, on: str, *, table: str = "",
    until: str = "", state: str = "", more: dict[str, Any] | None = None,
) -> EventRow:  # fmt: skip
    person = made.people[participant_id]
    source = table or kind
    written = made.trail.of_row(source, row["id"])
    facts: dict[str, Any] = {"serious": None, "related": None, "severity": "", "intercurrent": "", **(more or {})}
    return EventRow(
        key=f"{person['pseudonym']}/{kind}/{row['id']}", participant=person["pseudonym"],
        participant_id=participant_id, arm=made.arms.get(participant_id, ""), kind=kind, name=name, on=on,
        until=until, state=state, source_table=source, source_id=row["id"], entry_seq=written.seq,
        entry_hash=written.hash, **facts,
    )  # fmt: skip
