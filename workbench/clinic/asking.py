"""Who asks what of the record, and what of it they may see: the base of every question.

A question is a frozen dataclass; its fields are what is asked for. In the service, whoever the arm is kept from is
answered from a :class:`workbench.study.concealment.BlindRecord`, in which everything that could differ between
arms is missing. In Desk mode the record lies under the account of who looks, and rows are only left out of pages.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.clinic.readers import Reader
from workbench.errors import Refused, UnknownName
from workbench.messages import Message
from workbench.study.concealment import OPEN, BlindRecord, Sight
from workbench.study.drafts import Draft, Drafts

if TYPE_CHECKING:
    from workbench.study.record import Study


HISTORY = ("form", "assessment", "consent", "enrolment", "query", "deviation")
"""Tables whose history anybody may ask for who may see the row."""
HISTORY_UNBLINDED = (
    *HISTORY,
    "participant",
    "visit",
    "anchor_day",
    "adverse_event",
    "device_deficiency",
    "implant",
)
"""Those of somebody to whom an arm may be told."""
OF_SESSIONS = ("since_session_h", "washout_h")
"""Columns of an assessment that tell whether there was a session, which who is blinded sees empty."""
SINCE_SEQ = "seq"
"""Number of an entry in the chain: from the gaps between two, somebody could count what happened elsewhere."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The record as one person sees it.

    Attributes
    ----------
    study : the open record.
    reader : who asks.
    today : the local day.
    served : by the service of another account, where roles, sites and concealment are enforced; not in Desk mode.
    """

    study: Study
    reader: Reader
    today: date
    served: bool = True

    @property
    def sight(self) -> Sight:
        """What is kept from them."""
        return Sight(self.reader.blinded, self.reader.name)

    @property
    def record(self) -> Any:
        """The record, or what is left of it for somebody blinded."""
        return BlindRecord(self.study, self.sight) if self.blind else self.study

    @property
    def blind(self) -> bool:
        """Whether the answer may be made of nothing but what every arm has."""
        return self.served and self.reader.blinded

    @property
    def page(self) -> Any:
        """The record as a page reads it: what is kept from who is blinded is empty there, and not refused."""
        return BlindPage(self.record, OwnDrafts(self)) if self.blind else self.study

    def shows(self, participant_id: str) -> bool:
        """Whether a participant is of a site that the person sees, or of none yet."""
        if not self.reader.sites:
            return True
        rows = self.study.rows("enrolment", participant_id=participant_id)
        return all(row["site"] in self.reader.sites for row in rows)

    def participant(self, participant_id: str) -> dict[str, Any]:
        """A participant whom the person may see. Raises UnknownName, for one of another site too."""
        row: dict[str, Any] = self.record.get("participant", participant_id)
        if not self.shows(participant_id):
            raise UnknownName(Message("study.no_row", table="participant", id=repr(participant_id)))
        return row

    def row(self, table: str, row_id: str) -> dict[str, Any]:
        """A row whose participant the person may see. Raises UnknownName or Refused."""
        row: dict[str, Any] = self.record.get(table, row_id)
        owner = row["id"] if table == "participant" else row.get("participant_id")
        if owner is None and "visit_id" in row:
            owner = self.record.get("visit", row["visit_id"])["participant_id"]
        if owner is not None:
            self.participant(owner)
        elif self.reader.sites:
            raise UnknownName(Message("study.no_row", table=table, id=repr(row_id)))
        self.sight.check(self.study, table, row)
        return row


class OwnDrafts:
    """What somebody typed themselves and did not save.

    Parameters
    ----------
    seen : the record as they see it.
    """

    def __init__(self, seen: Seen) -> None:
        self._drafts: Drafts = seen.study.drafts
        self.person = seen.reader.person_id

    def list(self, visit_id: str | None = None) -> Sequence[Draft]:
        """Drafts of theirs, oldest first, of a visit or of all."""
        return self._drafts.list(visit_id=visit_id, person=self.person)


class BlindPage:
    """A record for somebody blinded whose kept tables have no rows: pages show those parts empty.

    Parameters
    ----------
    record : of what every arm has.
    drafts : that are shown.
    """

    def __init__(self, record: BlindRecord, drafts: OwnDrafts) -> None:
        self._record, self.drafts = record, drafts
        self.get = record.get

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of a table that may be seen."""
        rows = self._record.rows(table, **where) if table in OPEN else []
        return [dict.fromkeys(OF_SESSIONS) | row for row in rows] if table == "assessment" else rows

    def head(self) -> tuple[int, str]:
        """Nothing: the number of entries grows with what happens in every arm."""
        return 0, ""


class Question(ABC):
    """One question: the base of the dataclasses of this module.

    Attributes
    ----------
    ROLES : who may ask it, any of them; empty for everybody who signed in.
    BLIND : whether somebody may ask it from whom the arm is kept.
    WRITES : whether answering writes: an entry in the chain, or a draft.
    POLLED : whether pages ask it by themselves every few seconds, so that it says nothing of somebody being there.
    """

    __slots__ = ()
    ROLES: ClassVar[tuple[str, ...]] = ()
    BLIND: ClassVar[bool] = True
    WRITES: ClassVar[bool] = False
    POLLED: ClassVar[bool] = False

    @abstractmethod
    def answer(self, seen: Seen) -> Any:
        """The answer, as JSON has it. Raises Refused, UnknownName or BadValue."""


def asked(question: Question, seen: Seen) -> Any:
    """The answer to a question, where the person may ask it.

    Parameters
    ----------
    question : what is asked.
    seen : the record as the person sees it.

    Raises
    ------
    Refused
        A role is missing, or an arm could be told from the answer.
    """
    kind, reader = type(question), seen.reader
    # On one account roles would be a promise: there they are asked of changes alone, which leave evidence.
    if not seen.served:
        return question.answer(seen)
    if kind.ROLES and not set(kind.ROLES) & set(reader.roles):
        raise Refused(
            Message(
                "change.role",
                name=reader.name,
                change=kind.__name__,
                roles=list(kind.ROLES),
                has=list(reader.roles),
            )
        )
    if reader.blinded and not kind.BLIND:
        raise Refused(Message("clinic.blinded", name=reader.name, question=kind.__name__))
    return question.answer(seen)


def blind_event(event: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """An entry without its number, and without the columns that are kept."""
    kept = {name: value for name, value in event.items() if name not in (SINCE_SEQ, "new", "old")}
    for part in ("new", "old"):
        values = event[part]
        kept[part] = None if values is None else {name: value for name, value in values.items() if name in shown}
    return kept
