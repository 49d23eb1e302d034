"""What may be asked of the record through the service: an explicit list, each answered for who asks.

What pages show as a whole is asked by the questions of :mod:`workbench.clinic.pages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, ClassVar

from workbench import world
from workbench.clinic.asking import HISTORY, HISTORY_UNBLINDED, Question, Seen, blind_event
from workbench.clinic.pages.forms import Assessments, DiscardDraft, KeepDraft
from workbench.clinic.pages.overview import OverviewPage, VerifyRecord
from workbench.clinic.pages.participant import PersonHistory, PersonPage, PersonRow, PersonValues
from workbench.clinic.pages.safety import SafetyPage, SafetyRow
from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study import allocations, audit_trail, overview, people, worklist
from workbench.study.applying import bound_now
from workbench.study.changes import queries
from workbench.study.participant_visits import visits_of
from workbench.study.planned import protocol_of

MOST_ROWS = 1000
"""Rows of one answer."""
NEVER = ("rand_list", "allocation", "study_key", "signed_head", "audit")
"""Tables that no question reads: ciphertexts of arms, and what the record is verified with."""
TABLE_READERS = ("data_manager", "monitor", "statistician", "investigator", "safety_officer")


# ------------------------------------------------------------------------------------ who and what
@dataclass(frozen=True, slots=True)
class WhoAmI(Question):
    """The person whose token it is, and the study."""

    POLLED: ClassVar[bool] = True

    def answer(self, seen: Seen) -> dict[str, Any]:
        """Name, roles, blinding and sites."""
        reader = seen.reader
        about = {name: getattr(reader, name) for name in ("person_id", "login", "name", "blinded")}
        code, title = seen.study.code, seen.study.title
        return {**about, "roles": list(reader.roles), "sites": list(reader.sites), "study": code, "title": title}


@dataclass(frozen=True, slots=True)
class People(Question):
    """Everybody who may sign or once could."""

    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "data_manager", "monitor")

    def answer(self, seen: Seen) -> list[dict[str, Any]]:
        """``id``, ``login``, ``name``, ``roles``, ``state`` each."""
        return people.listed(seen.study)


@dataclass(frozen=True, slots=True)
class Head(Question):
    """The newest entry of the chain; its number grows with what happens in every arm."""

    BLIND: ClassVar[bool] = False

    def answer(self, seen: Seen) -> list[Any]:
        """``[seq, hash]``."""
        return list(seen.study.head())


@dataclass(frozen=True, slots=True)
class Arm(Question):
    """The arm of a participant, for who may learn it; every reading, and every refused one, is in the chain.

    Attributes
    ----------
    participant_id : whose.
    reason : why, for the chain.
    """

    participant_id: str
    reason: str = ""
    WRITES: ClassVar[bool] = True

    def answer(self, seen: Seen) -> str:
        """The name of the arm."""
        seen.participant(self.participant_id)
        return allocations.arm_of(seen.study, self.participant_id, seen.reader.signer(seen.study), self.reason)


# ------------------------------------------------------------------------------------ lists
@dataclass(frozen=True, slots=True)
class Worklist(Question):
    """Visits that are due, early, late or open on a day.

    Attributes
    ----------
    on : ISO date; ``""`` for today.
    """

    on: str = ""
    POLLED: ClassVar[bool] = True

    def answer(self, seen: Seen) -> list[dict[str, Any]]:
        """Rows as of :class:`workbench.study.worklist.WorklistRow`."""
        concealed = seen.reader.blinded
        drafts = seen.page.drafts.list()
        rows = worklist.rows(seen.study, drafts, _day(self.on, seen.today), concealed=concealed)
        shown = {row["id"]: row for row in seen.record.rows("participant") if seen.shows(row["id"])}
        visits = {row["id"]: row for row in seen.record.rows("visit")}
        # Not `asdict`, which copies what stands in each of thousands of rows only for it to be written as text.
        names = [one.name for one in fields(worklist.WorklistRow)]
        return [
            {name: getattr(row, name) for name in names}
            | {"participant": shown[row.participant["id"]], "visit": visits[row.visit["id"]]}
            for row in rows
            if row.participant["id"] in shown
        ]


@dataclass(frozen=True, slots=True)
class Visits(Question):
    """Every visit of whom the person sees, with whose it is."""

    POLLED: ClassVar[bool] = True

    def answer(self, seen: Seen) -> list[dict[str, Any]]:
        """``{"id", "name", "participant_id", "participant"}`` each, in the order of entry."""
        shown = {row["id"]: row["pseudonym"] for row in seen.record.rows("participant") if seen.shows(row["id"])}
        return [
            {name: row[name] for name in ("id", "name", "participant_id")}
            | {"participant": shown[row["participant_id"]]}
            for row in seen.record.rows("visit")
            if row["participant_id"] in shown
        ]


@dataclass(frozen=True, slots=True)
class StudyOverview(Question):
    """How the study stands, or the part of it that the person sees.

    Attributes
    ----------
    on : ISO date; ``""`` for today.
    """

    on: str = ""

    def answer(self, seen: Seen) -> dict[str, Any]:
        """As :class:`workbench.study.overview.Overview`; that of somebody blinded or of a site has no entries."""
        made = overview.read(
            seen.study, _day(self.on, seen.today), now=world.clock.now(), concealed=seen.reader.blinded,
            sites=seen.reader.sites,
        )  # fmt: skip
        about = asdict(made) | {"on": made.on.isoformat()}
        about["tasks"] = [task | {"day": task["day"].isoformat()} for task in about["tasks"]]
        about["queries"] = [one for one in about["queries"] if _shows_query(seen, one["id"])]
        return about


@dataclass(frozen=True, slots=True)
class Participants(Question):
    """Everybody who takes part, of the sites that the person sees."""

    POLLED: ClassVar[bool] = True

    def answer(self, seen: Seen) -> list[dict[str, Any]]:
        """Rows of the record in the order of entry."""
        return [row for row in seen.record.rows("participant") if seen.shows(row["id"])]


# ------------------------------------------------------------------------------------ one participant
@dataclass(frozen=True, slots=True)
class Participant(Question):
    """What the record holds of one participant.

    Attributes
    ----------
    participant_id : whose.
    """

    participant_id: str

    def answer(self, seen: Seen) -> dict[str, Any]:
        """Person, enrolment, consents, visits with their forms, open queries, deviations."""
        person, record, of = seen.participant(self.participant_id), seen.record, self.participant_id
        protocol, version = protocol_of(record, of)
        visits = visits_of(record, of, protocol=protocol, on=seen.today, concealed=seen.reader.blinded)
        consents = {row["purpose"]: row for row in record.rows("consent", participant_id=of)}
        return {
            "person": person,
            "enrolment": (record.rows("enrolment", participant_id=of) or [{}])[0],
            "protocol": version,
            "anchors": {row["anchor"]: row["day"] for row in record.rows("anchor_day", participant_id=of)},
            "consents": list(consents.values()),
            "visits": visits,
            "queries": _open_queries(seen, of),
            "deviations": [
                row for row in record.rows("deviation", participant_id=of) if not _hides(seen, "deviation", row)
            ],
        }


@dataclass(frozen=True, slots=True)
class FormToEnter(Question):
    """A form of a visit as the protocol has it, and what was entered of it that the person may see.

    Attributes
    ----------
    visit_id, form : which visit, and the name of the form.
    instance : number of the form at this visit.
    """

    visit_id: str
    form: str
    instance: int = 1

    def answer(self, seen: Seen) -> dict[str, Any]:
        """``{"form", "entries"}``; the version of an entry is what its next saving is made for."""
        visit = seen.row("visit", self.visit_id)
        protocol, _version = protocol_of(seen.record, visit["participant_id"])
        if protocol is None:
            raise Refused(Message("change.no_protocol"))
        form = protocol.form(self.form)
        place = {"visit_id": self.visit_id, "name": form.name, "instance": self.instance}
        entries = [row for row in seen.record.rows("form", **place) if not _hides(seen, "form", row)]
        return {"form": _definition(seen, visit["participant_id"], form.name), "entries": entries}


@dataclass(frozen=True, slots=True)
class Values(Question):
    """A form or an assessment as it was entered.

    Attributes
    ----------
    table, row_id : ``"form"`` or ``"assessment"``, and which.
    """

    table: str
    row_id: str

    def answer(self, seen: Seen) -> dict[str, Any]:
        """The row."""
        if self.table not in ("form", "assessment"):
            raise Refused(
                Message("participant.table", table=f"{self.table!r:.60}", allowed=["form", "assessment"])
            )
        return seen.row(self.table, self.row_id)


@dataclass(frozen=True, slots=True)
class History(Question):
    """What happened to one row, oldest first.

    Attributes
    ----------
    table, row_id : which row.
    """

    table: str
    row_id: str

    def answer(self, seen: Seen) -> list[dict[str, Any]]:
        """As :meth:`workbench.study.Study.history`; somebody blinded gets no numbers of entries."""
        _refuse_table(seen, self.table)
        shown = seen.row(self.table, self.row_id)
        events = seen.study.history(self.table, self.row_id)
        return [blind_event(event, shown) for event in events] if seen.reader.blinded else events


@dataclass(frozen=True, slots=True)
class Bound(Question):
    """Rows as a signature would hold them now, and the hash that a signature of them takes.

    Attributes
    ----------
    targets : table and id of each.
    """

    targets: tuple[tuple[str, str], ...]

    def answer(self, seen: Seen) -> dict[str, Any]:
        """``{"rows", "bound", "sha256"}``."""
        for table, _row_id in self.targets:
            _refuse_table(seen, table)
        rows = [seen.row(*target) for target in self.targets]
        bound, digest = bound_now(seen.study, self.targets)
        return {"rows": rows, "bound": bound, "sha256": digest}


@dataclass(frozen=True, slots=True)
class Rows(Question):
    """Rows of a table in the order of entry, of the sites that the person sees.

    Attributes
    ----------
    table : its name.
    where : column → value that it must equal.
    first, most : number of the first row from 0, and how many at most.
    """

    table: str
    where: Mapping[str, Any] = field(default_factory=dict)
    first: int = 0
    most: int = MOST_ROWS
    ROLES: ClassVar[tuple[str, ...]] = TABLE_READERS
    BLIND: ClassVar[bool] = False

    def answer(self, seen: Seen) -> dict[str, Any]:
        """``{"rows", "all"}``: those that were asked for and are not kept, and how many there are of any."""
        if self.table in NEVER:
            raise Refused(Message("clinic.table", table=self.table))
        if self.first < 0 or not 1 <= self.most <= MOST_ROWS:
            raise BadValue(Message("clinic.rows", most=MOST_ROWS, first=self.first, got=self.most))
        if not all(isinstance(value, str | float) or _fits_a_column(value) for value in self.where.values()):
            raise BadValue(Message("clinic.where"))
        rows = seen.study.rows(self.table, **self.where)
        if seen.reader.sites:
            rows = _of_sites(seen, self.table, rows)
        page = rows[self.first : self.first + self.most]
        return {"rows": [row for row in page if not _hides(seen, self.table, row)], "all": len(rows)}


_KINDS: tuple[type[Question], ...] = (
    Arm, Assessments, Bound, DiscardDraft, FormToEnter, Head, History, KeepDraft, OverviewPage, Participant,
    Participants, People, PersonHistory, PersonPage, PersonRow, PersonValues, Rows, SafetyPage, SafetyRow,
    StudyOverview, Values, VerifyRecord, Visits, WhoAmI, Worklist,
)  # fmt: skip
QUESTIONS: Mapping[str, type[Question]] = {kind.__name__: kind for kind in _KINDS}
"""Every question by its name; there is no other way to read through the service."""


# ------------------------------------------------------------------------------------ parts of answers
def _day(text: str, today: date) -> date:
    try:
        return date.fromisoformat(text) if text else today
    except ValueError:
        raise BadValue(Message("visit.no_day", got=f"{text!r:.40}")) from None


def _refuse_table(seen: Seen, table: str) -> None:
    """Refuse a table whose rows, or their versions, may tell the arm to somebody blinded."""
    allowed = HISTORY if seen.reader.blinded else HISTORY_UNBLINDED
    if table not in allowed:
        raise Refused(Message("participant.table", table=f"{table!r:.60}", allowed=list(allowed)))


def _fits_a_column(value: Any) -> bool:
    """Whether a value is an integer of at most 64 bits, or a truth value."""
    return isinstance(value, int) and abs(value) < 2**63


def _hides(seen: Seen, table: str, row: Mapping[str, Any]) -> bool:
    return seen.sight.hides(seen.study, table, row)


def _shows_query(seen: Seen, query_id: str) -> bool:
    """Whether a query is shown: one may tell what stands in the row that it is about."""
    rows = seen.record.rows("query", id=query_id)
    return bool(rows) and not _hides(seen, "query", rows[0])


def _open_queries(seen: Seen, participant_id: str) -> list[dict[str, Any]]:
    """Queries of a participant that are not closed, with what came of each."""
    found = []
    for row in seen.record.rows("query", participant_id=participant_id):
        events = seen.record.rows("query_event", query_id=row["id"])
        if queries.state(events) != "closed" and not _hides(seen, "query", row):
            found.append(row | {"events": events})
    return found


def _definition(seen: Seen, participant_id: str, form: str) -> Any:
    """A form as the participant's version of the protocol writes it."""
    enrolled = seen.record.rows("enrolment", participant_id=participant_id)
    versions = seen.record.rows("protocol_version")
    of = enrolled[0]["protocol_version_id"] if enrolled else versions[-1]["id"]
    definition = next(row["definition"] for row in versions if row["id"] == of)
    return next(one for one in definition["form"] if one["name"] == form)


def _of_sites(seen: Seen, table: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that belong to participants of the person's sites."""
    with seen.study.database.connected() as connection:
        owners = audit_trail.participants_of(connection, [(table, row["id"]) for row in rows])
    return [row for row in rows if (owner := owners.get((table, row["id"]), "")) and seen.shows(owner)]
