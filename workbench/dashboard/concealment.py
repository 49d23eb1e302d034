"""What is kept from who looks at a participant: results that may tell the arm, and the entry of another person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import Refused
from workbench.messages import Message
from workbench.study import Study
from workbench.study.changes.entering import ENTRIES
from workbench.study.planned import protocol_of
from workbench.study.safety import RELATED_TO

ABOUT = ("query", "deviation", "obligation_event")
"""Tables whose rows are about another row and tell what stands in it."""
SAFETY = ("adverse_event", "device_deficiency")
KEPT = (*ABOUT, *SAFETY, "assessment", "form", "implant")


def tells_arm(condition: Any) -> bool:
    """Whether something was measured under a condition that may reveal the arm.

    Parameters
    ----------
    condition : has ``device_on`` and ``stimulation_on``, as keys or as attributes.
    """
    if isinstance(condition, Mapping):
        return bool(condition.get("device_on") or condition.get("stimulation_on"))
    return bool(condition.device_on or condition.stimulation_on)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one person may see.

    Attributes
    ----------
    concealed : whether the arm is kept from them.
    reader : their name, ``""`` for nobody in particular.
    """

    concealed: bool
    reader: str

    def hides(self, study: Study, table: str, row: Mapping[str, Any]) -> bool:
        """Whether a row is kept from them.

        Parameters
        ----------
        study : the open record.
        table, row : which row.
        """
        return self._why(study, table, row) is not None

    def check(self, study: Study, table: str, row: Mapping[str, Any]) -> None:
        """Raise Refused for a row that is kept from them.

        Parameters
        ----------
        study : the open record.
        table, row : which row.
        """
        why = self._why(study, table, row)
        if why is not None:
            raise Refused(why)

    def _why(self, study: Study, table: str, row: Mapping[str, Any]) -> Message | None:
        if table in ABOUT:
            about = str(row["table_name"])
            return self._why(study, about, study.get(about, row["row_id"])) if about in KEPT else None
        if table == "assessment" and self.concealed and tells_arm(row):
            return Message("participant.concealed")
        if table in SAFETY and self.concealed and self._of_others(study, table, row):
            return Message("desk.concealed")
        if table == "implant" and self.concealed:
            return Message("desk.concealed")
        if table == "form" and row["by"] != self.reader and _waits(study, row):
            return Message("participant.second_entry", form=row["name"])
        return None

    def _of_others(self, study: Study, table: str, row: Mapping[str, Any]) -> bool:
        """Whether an event or a deficiency tells of the device, and not in the reader's own words alone."""
        stated = study.rows("awareness", table_name=table, row_id=row["id"])
        told = table == "adverse_event" or row["participant_id"] is not None
        return told and any(
            one["by"] != self.reader and (table != "adverse_event" or is_related(one["facts"])) for one in stated
        )


def is_related(facts: Mapping[str, Any]) -> bool:
    """Whether somebody relates an adverse event to the device, its implantation or the stimulation.

    Parameters
    ----------
    facts : of the event, as the record keeps them.
    """
    return any(facts[name] != "not_related" for name in RELATED_TO)


def sight_of(study: Study, person_id: str, name: str) -> Sight:
    """What somebody may see; the arm is kept from who is blinded, or while nobody knows who looks.

    Parameters
    ----------
    study : the open record.
    person_id, name : of who is signed in, ``""`` for nobody.
    """
    newest = {(row["person_id"], row["role"]): row for row in study.rows("role_grant")}
    blinded = {row["person_id"] for row in newest.values() if row["blinded"] and row["action"] == "grant"}
    return Sight(bool(blinded) and (not name or person_id in blinded), name)


def _waits(study: Study, row: Mapping[str, Any]) -> bool:
    """Whether two people enter the form and not both are done: what one entered must not lead the other."""
    place = {name: row[name] for name in ("visit_id", "name", "instance")}
    states = {entry["entry"]: entry["state"] for entry in study.rows("form", **place)}
    protocol, _version = protocol_of(study, study.get("visit", row["visit_id"])["participant_id"])
    twice = {form.name for form in protocol.forms if form.double_entry} if protocol else set[str]()
    if row["name"] not in twice and set(states) == {1}:
        return False
    return any(states.get(entry) != "complete" for entry in ENTRIES)
