"""What is kept from who looks at a participant: results that may tell the arm, and the entry of another person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import Refused, UnknownName
from workbench.messages import Message
from workbench.study.changes.entering import ENTRIES
from workbench.study.nouns import told
from workbench.study.planned import protocol_of
from workbench.study.safety import RELATED_TO

if TYPE_CHECKING:
    from workbench.study.drafts import Draft
    from workbench.study.protocol import Protocol
    from workbench.study.record import Study

ABOUT = ("query", "deviation", "obligation_event")
"""Tables whose rows are about another row and tell what stands in it."""
SAFETY = ("adverse_event", "device_deficiency")
KEPT = (*ABOUT, *SAFETY, "assessment", "form", "implant", "treatment")
OPEN: Mapping[str, tuple[str, ...]] = {
    "study": ("id", "code", "title"),
    "participant": (
        "id", "pseudonym", "simulated", "injury_level", "ais", "injured_on", "trained_side", "wristband", "hold",
        "consent", "consented_on",
    ),
    "visit": ("id", "participant_id", "name", "started", "planned", "earliest", "latest", "status"),
    "enrolment": ("id", "participant_id", "protocol_version_id", "site", "screening_number", "status"),
    "anchor_day": ("id", "participant_id", "anchor", "day"),
    "eligibility": ("id", "participant_id", "criterion", "answer"),
    "protocol_version": ("id", "version", "definition", "sha256"),
    "consent": (
        "id", "participant_id", "purpose", "action", "document_version", "given_by", "witness", "consented_on",
        "by",
    ),
    "form": (
        "id", "visit_id", "name", "instance", "entry", "values", "state", "by", "utc", "row_version",
    ),
    "assessment": (
        "id", "visit_id", "measure", "version", "assisted", "device_on", "stimulation_on", "side", "items",
        "score", "rater", "state", "orthosis", "mode", "repeat", "row_version", "options", "implied", "alerts",
        "blinded", "administered_at",
    ),
    "query": (
        "id", "participant_id", "table_name", "row_id", "field", "automatic", "text", "by", "utc",
    ),
    "query_event": ("id", "query_id", "action", "text", "by", "utc"),
    "deviation": (
        "id", "participant_id", "category", "table_name", "row_id", "text", "state", "utc",
    ),
    "signature": ("id", "targets"),
}  # fmt: skip
"""Tables and columns that are the same whatever arm a participant is in; all others are kept from who is blinded.
Versions of participants and visits are not among them: they count changes that only one arm may bring."""
OPEN_ABOUT = ("visit", "form", "assessment", "enrolment", "consent")
"""Tables that a query or deviation may be about to be shown to who is blinded."""
OPEN_DEVIATIONS = ("visit_window", "visit_missed", "consent", "eligibility")
"""Categories of deviations that both arms have; a decoder, a limit or an unblinded rater tells of one."""
OFF: Mapping[str, bool] = {"device_on": False, "stimulation_on": False}
"""Conditions under which everybody can be assessed, in whatever arm."""
ON_HOLD = "on hold"
"""What stands for the words in which somebody says why a participant is on hold."""


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
        if table in ("implant", "implant_finding") and self.concealed:
            return Message("desk.concealed")
        if table == "treatment" and self.concealed and row["by"] != self.reader:
            return Message("participant.treatment_concealed")
        if table == "form" and row["by"] != self.reader and _waits(study, row):
            return Message("participant.second_entry", form=row["name"])
        return None

    def _of_others(self, study: Study, table: str, row: Mapping[str, Any]) -> bool:
        """Whether an event or a deficiency tells of the device, and not in the reader's own words alone."""
        stated = study.rows("awareness", table_name=table, row_id=row["id"])
        tells = table == "adverse_event" or row["participant_id"] is not None
        return tells and any(
            one["by"] != self.reader and (table != "adverse_event" or is_related(one["facts"])) for one in stated
        )


def is_related(facts: Mapping[str, Any]) -> bool:
    """Whether somebody relates an adverse event to the device, its implantation or the stimulation.

    Parameters
    ----------
    facts : of the event, as the record keeps them.
    """
    return any(facts[name] != "not_related" for name in RELATED_TO)


class _NoDrafts:
    """What was typed in Desk mode and not saved, of which a blinded person sees nothing."""

    def list(self, visit_id: str | None = None, person: str | None = None) -> Sequence[Draft]:
        """None."""
        return []


class BlindRecord:
    """The record for somebody from whom the arm is kept: what is computed from it cannot depend on an arm.

    It is asked as a :class:`workbench.study.Study` is, and reads nothing but the tables, columns and rows that are
    the same in every arm, so that neither an answer, nor its size, nor the work that it takes tells one.

    Parameters
    ----------
    study : the open record.
    sight : of who asks.
    """

    def __init__(self, study: Study, sight: Sight) -> None:
        self._study, self._sight = study, sight
        self.drafts = _NoDrafts()

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of a table that may be seen, as :meth:`workbench.study.Study.rows` gives them.

        Raises
        ------
        Refused
            A table that is kept from who is blinded.
        """
        if table not in OPEN:
            raise Refused(Message("clinic.kept_table", table=f"{table:.60}", allowed=list(OPEN)))
        found = self._study.rows(table, **where, **(OFF if table == "assessment" else {}))
        seen = [{name: row[name] for name in OPEN[table]} for row in found]
        return [_veiled(row) if table == "participant" else row for row in seen if self._shows(table, row)]

    def get(self, table: str, row_id: str) -> dict[str, Any]:
        """One row by its id. Raises UnknownName for one that there is not or that is kept."""
        rows = self.rows(table, id=row_id)
        if not rows:
            raise UnknownName(Message("study.no_row", table=table, id=told(row_id)))
        return rows[0]

    def _shows(self, table: str, row: Mapping[str, Any]) -> bool:
        if table == "query_event":
            return bool(self.rows("query", id=row["query_id"]))
        if table not in ABOUT:
            return True
        if row["table_name"] not in OPEN_ABOUT or row.get("category", "consent") not in OPEN_DEVIATIONS:
            return False
        return not self._sight.hides(self._study, table, row)


def _veiled(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"hold": ON_HOLD if row["hold"] else ""}


def conceals(study: Any, protocol: Protocol | None) -> bool:
    """Whether there are arms that somebody could be kept from: the protocol randomises, or a role is blinded.

    Parameters
    ----------
    study : open record or snapshot.
    protocol : the newest one, None without one.
    """
    randomises = bool(protocol and protocol.randomisation) or bool(study.rows("rand_list"))
    return randomises or any(row["blinded"] for row in study.rows("role_grant"))


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
