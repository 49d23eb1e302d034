"""The schedule of a participant as the record has it: version of the protocol, anchors, visits that were held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from workbench.errors import Refused
from workbench.messages import Message
from workbench.study.protocol import Protocol
from workbench.study.schedule import Planned, schedule

if TYPE_CHECKING:
    from workbench.study.record import Study

HELD = "done"
VisitFacts = tuple[str, str, str]
"""Name, status and start of a visit, as its row has them."""


def protocol_of(study: Study, participant_id: str) -> tuple[Protocol | None, str]:
    """The version of the protocol that somebody takes part under, else the newest, and its number.

    Parameters
    ----------
    study : the open record.
    participant_id : whose.

    Returns
    -------
    tuple
        ``(None, "")`` in a study without a protocol.
    """
    enrolled = study.rows("enrolment", participant_id=participant_id)
    if enrolled:
        version = study.get("protocol_version", enrolled[0]["protocol_version_id"])
    elif versions := study.rows("protocol_version"):
        version = versions[-1]
    else:
        return None, ""
    return Protocol.from_definition(version["definition"], where=version["version"]), str(version["version"])


def systems_at(study: Study, visit_id: str) -> tuple[str, ...]:
    """Names of the systems whose sessions the participant's protocol plans at a visit; none where it says nothing.

    Parameters
    ----------
    study : the open record.
    visit_id : of the visit.
    """
    visit = study.get("visit", visit_id)
    protocol, _version = protocol_of(study, visit["participant_id"])
    planned = [one for one in protocol.visits if one.name == visit["name"]] if protocol is not None else []
    return tuple(dict.fromkeys(session.system for one in planned for session in one.sessions if session.system))


def of_participant(study: Study, participant_id: str, on: date) -> tuple[Protocol, tuple[Planned, ...]]:
    """The protocol that a participant takes part under, and every visit of it.

    Parameters
    ----------
    study : the open record.
    participant_id : whose.
    on : the day on which it is asked where each visit stands.

    Raises
    ------
    Refused
        For a participant who is not in the study.
    """
    protocol, _version = protocol_of(study, participant_id)
    if protocol is None or not study.rows("enrolment", participant_id=participant_id):
        raise Refused(Message("change.not_enrolled"))
    anchors = {row["anchor"]: row["day"] for row in study.rows("anchor_day", participant_id=participant_id)}
    rows = study.rows("visit", participant_id=participant_id)
    return protocol, plan(protocol, anchors, [(row["name"], row["status"], row["started"]) for row in rows], on)


def plan(
    protocol: Protocol, anchors: Mapping[str, str], visits: Iterable[VisitFacts], on: date
) -> tuple[Planned, ...]:
    """Every visit of the protocol for one participant (:func:`workbench.study.schedule.schedule`).

    Parameters
    ----------
    protocol : of the participant.
    anchors : ISO dates by anchor.
    visits : of the participant; those that no protocol planned are passed over.
    on : the day.
    """
    own = {visit.name for visit in protocol.visits}
    # A visit of before there were protocols may be held without a day.
    held = {name: begun for name, status, begun in visits if status == HELD and name in own and begun}
    days = {name: date.fromisoformat(day) for name, day in anchors.items()}
    return schedule(protocol, days, {name: date.fromisoformat(begun[:10]) for name, begun in held.items()}, on)
