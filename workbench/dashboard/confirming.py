"""Whether the code that was read is that of the participant of a visit, and under which version they consented."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench import world
from workbench.errors import Refused
from workbench.messages import Message


def confirmation(
    person: Mapping[str, Any], visit: Mapping[str, Any], everybody: Iterable[Mapping[str, Any]], code: str
) -> dict[str, str]:
    """What is known once the code that was read is that of the participant of a visit.

    Parameters
    ----------
    person, visit : rows of the participant and the visit.
    everybody : rows of all participants, who may have the same code.
    code : as it was read or typed.

    Raises
    ------
    Refused
        The code belongs to somebody else, to nobody, or to more than one.
    """
    owners = [row for row in everybody if _code(row) == code.strip().casefold()]
    if not owners:
        raise Refused(Message("visit.code_unknown"))
    if len(owners) > 1:
        *others, last = [str(row["pseudonym"]) for row in owners]
        several = Message("visit.and", first=others, second=last)
        raise Refused(Message("visit.code_of_several", names=several))
    if person["id"] != owners[0]["id"]:
        owner = owners[0]["pseudonym"]
        raise Refused(Message("visit.code_of_other", owner=owner, person=person["pseudonym"]))
    return {
        "visit": visit["id"], "clock": world.clock.local().strftime("%H:%M"),
        "by": "wristband" if person["wristband"] else "participant code", "participant": person["pseudonym"],
        "name": visit["name"],
    }  # fmt: skip


def _code(person: Mapping[str, Any]) -> str:
    # Who has a wristband is confirmed by it alone: a pseudonym can be read off a list.
    return str(person["wristband"] or person["pseudonym"]).strip().casefold()


def consent_fact(person: Mapping[str, Any]) -> dict[str, Any]:
    """Under which version somebody consented, for the facts of a page."""
    if not person["consent"]:
        return {"name": "consent", "key": "worklist.no_consent", "args": {}}
    args = {"version": person["consent"], "date": person["consented_on"] or "—"}
    return {"name": "consent", "key": "worklist.consent", "args": args}
