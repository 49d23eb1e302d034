"""What a participant receives beside the study: concomitant treatment, rehabilitation, assistive devices, as a
table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.study.audit_trail import refuse_unknown

if TYPE_CHECKING:
    from workbench.study.record import Study


@dataclass(frozen=True, slots=True)
class TreatmentRow:
    """One treatment.

    Attributes
    ----------
    participant, kind, name : whose; ``"drug"``, ``"procedure"``, ``"rehabilitation"`` or ``"device"``; and what.
    indication, dose, given_by : in words, ``""`` where not stated.
    minutes : of rehabilitation on that day; None otherwise.
    started, ended : ISO dates, ``""`` where not known; of rehabilitation both are its day.
    ongoing : ``"yes"``, ``"no"`` or ``"unknown"``.
    by, utc, id : who entered it, when, and the id of its row.
    """

    participant: str
    kind: str
    name: str
    indication: str
    dose: str
    minutes: int | None
    given_by: str
    started: str
    ended: str
    ongoing: str
    by: str
    utc: str
    id: str


def treatments(study: Study, participant: str = "") -> list[TreatmentRow]:
    """Every treatment that stands, in order of entry.

    Parameters
    ----------
    study : the open record.
    participant : pseudonym; ``""`` for all.

    Raises
    ------
    UnknownName
        No such participant.
    """
    names = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
    refuse_unknown(participant, names.values())
    return [
        TreatmentRow(
            names[row["participant_id"]], row["kind"], row["name"], row["indication"], row["dose"],
            row["minutes"], row["given_by"], row["started_on"], row["ended_on"], row["ongoing"], row["by"],
            row["utc"], row["id"],
        )
        for row in study.rows("treatment", state="entered")
        if participant in ("", names[row["participant_id"]])
    ]  # fmt: skip
