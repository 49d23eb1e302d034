"""What became of each participant, step by step, with the reason that was given: read from the chain.

A row of ``enrolment`` holds the newest status alone. When it changed, by whom and why stands in its entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from workbench.messages import SAID, restored
from workbench.study import reading, schema
from workbench.vocabulary import EnrolmentStatus

if TYPE_CHECKING:
    from workbench.study.record import Study


@dataclass(frozen=True, slots=True)
class Step:
    """A participant comes to a status.

    Attributes
    ----------
    status : from then on.
    utc, by, reason : when, entered by whom, and why; the reason as a message where it was written as one.
    seq, hash : of the entry.
    """

    status: EnrolmentStatus
    utc: str
    by: str
    reason: str
    seq: int
    hash: str


def dispositions(study: Study, *, up_to: int | None = None) -> dict[str, tuple[Step, ...]]:
    """Steps of every participant who entered screening, by participant, oldest first.

    Parameters
    ----------
    study : the open record; a snapshot has no chain, so that its study is asked.
    up_to : number of the last entry that counts; None for all.
    """
    audit, payload = schema.audit, schema.audit_payload
    query = select(audit, payload.c.payload).join(payload, payload.c.seq == audit.c.seq)
    query = query.where(audit.c.table_name == "enrolment").order_by(audit.c.seq)
    if up_to is not None:
        query = query.where(audit.c.seq <= up_to)
    found: dict[str, list[Step]] = {}
    with study.database.connected() as connection:
        for row in connection.execute(query).mappings():
            told = reading.parsed(row["payload"])
            new = told.get("new") or {}
            if "status" not in new:
                continue
            steps = found.setdefault(str(new["participant_id"]), [])
            # A change of site or protocol is no step.
            if not steps or steps[-1].status != new["status"]:
                reason = restored({name: told.get(name) for name in ("reason", SAID)})["reason"]
                steps.append(Step(new["status"], row["utc"], row["actor"], reason, row["seq"], row["hash"]))
    return {person: tuple(steps) for person, steps in found.items()}
