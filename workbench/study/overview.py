"""How a study stands on a day: who takes part, which forms are in, what is asked, deviates, is locked, was done.

Read from one state of the record, with a fixed number of queries however many take part; it decides nothing.
How a form stands is told by :mod:`workbench.study.completeness`. That the values of a signed form are those of the
version that was signed is what verifying the chain shows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlalchemy import Connection, select

from workbench.study import reading, schema
from workbench.study.audit_trail import participants_of
from workbench.study.completeness import (
    LEFT,
    NOT_HELD,
    Completeness,
    Entered,
    place_of,
    signed_rows,
    untouched,
)
from workbench.study.concealment import OPEN_ABOUT, OPEN_DEVIATIONS, tells_arm
from workbench.study.forms import HELP
from workbench.study.locks import in_force
from workbench.study.planned import plan
from workbench.study.protocol import Protocol
from workbench.study.schedule import Planned
from workbench.study.verified import LastVerification, newest

if TYPE_CHECKING:
    from workbench.study.record import Study

FormStanding = Literal[
    "verified", "complete", "draft", "missing", "not_due", "not_held", "withdrawn", "not_asked"
]  # fmt: skip
TaskKind = Literal["late", "missing", "closing"]
Owner = Literal["site", "data_manager"]
STANDINGS: Mapping[Completeness, FormStanding] = {
    "verified": "verified", "complete": "complete", "incomplete": "draft", "differ": "draft", "second": "draft",
    "draft": "draft", "missing": "missing", "open": "not_due", "not_due": "not_due", "not_held": "not_held",
    "withdrawn": "withdrawn",
}  # fmt: skip
"""How the overview tells what it has room for: of all that was begun and is not complete that it is a draft."""
GONE = ("withdrawn", "lost")
ENTRIES = 30
"""Newest entries of the chain that are shown."""
SOON_DAYS = 7
"""A window that closes within so many days is named."""


@dataclass(frozen=True, slots=True)
class Flow:
    """How many are where, after CONSORT; ``screened`` is the sum of the next four, ``enrolled`` of the last four.

    Attributes
    ----------
    screened, in_screening, screen_failures, left_before : who entered screening, is in it, failed it, or left
        before being enrolled.
    enrolled, taking_part, completed, withdrawn, lost : who was ever enrolled, and what became of them.
    without : participants of the record who never entered screening.
    """

    screened: int
    in_screening: int
    screen_failures: int
    left_before: int
    enrolled: int
    taking_part: int
    completed: int
    withdrawn: int
    lost: int
    without: int


@dataclass(frozen=True, slots=True)
class VisitForms:
    """A visit of the protocol and the forms that it asks for."""

    visit: str
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A participant's forms.

    Attributes
    ----------
    participant_id, participant, site, status : who, by id and pseudonym, where, and the state of the enrolment.
    visits : for each visit of the overview, one standing for each of its forms.
    """

    participant_id: str
    participant: str
    site: str
    status: str
    visits: tuple[tuple[FormStanding, ...], ...]


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for somebody.

    Attributes
    ----------
    kind : ``"late"``: the window is over, the visit neither held nor given up; ``"missing"``: forms of a visit
        that was held; ``"closing"``: the window closes soon.
    participant_id, participant, visit : whose and which.
    forms : that are missing.
    day : since when it is late or missing, or the last day of the window.
    days : from then to the day of the overview; negative: that many days are left.
    """

    kind: TaskKind
    participant_id: str
    participant: str
    visit: str
    forms: tuple[str, ...]
    day: date
    days: int


@dataclass(frozen=True, slots=True)
class OpenQuery:
    """A query that is not closed.

    Attributes
    ----------
    id, participant, site : which, of whom, where.
    table, row_id, field, text : what is asked about, and the question.
    days : whole days since it was opened.
    owner : who has the next step: ``"site"`` answers, ``"data_manager"`` closes what was answered.
    """

    id: str
    participant: str
    site: str
    table: str
    row_id: str
    field: str
    text: str
    days: int
    owner: Owner


@dataclass(frozen=True, slots=True)
class LockHere:
    """A lock in force: its level, the row, whose it is, and who set it when and why."""

    level: str
    table: str
    participant: str
    by: str
    utc: str
    reason: str


@dataclass(frozen=True, slots=True)
class NewestEntry:
    """An entry of the audit chain, with the participant it is about."""

    seq: int
    utc: str
    actor: str
    action: str
    table: str
    participant: str
    hash: str


@dataclass(frozen=True, slots=True)
class Overview:
    """How a study stands.

    Attributes
    ----------
    code, title, on : the study and the day.
    version : of the newest protocol, ``""`` without one.
    flow, visits, participants : see there; participants in the order of entry.
    titles : what the forms are called, by name.
    tasks : most urgent first.
    queries : oldest first. deviations : number of open ones by category, most first. locks : oldest first.
    entries, head : the newest entries, newest first, and ``(seq, hash)`` of the newest one.
    verification : the newest one, None where none was entered.
    """

    code: str
    title: str
    on: date
    version: str
    flow: Flow
    visits: tuple[VisitForms, ...]
    titles: Mapping[str, str]
    participants: tuple[Standing, ...]
    tasks: tuple[Task, ...]
    queries: tuple[OpenQuery, ...]
    deviations: Mapping[str, int]
    locks: tuple[LockHere, ...]
    entries: tuple[NewestEntry, ...]
    head: tuple[int, str]
    verification: LastVerification | None

    def counts(self) -> dict[FormStanding, int]:
        """Number of forms by how they stand."""
        counts: dict[FormStanding, int] = {}
        for person in self.participants:
            for forms in person.visits:
                for state in forms:
                    counts[state] = counts.get(state, 0) + 1
        return counts


def read(
    study: Study, on: date, *, now: datetime, concealed: bool = False, sites: Collection[str] = ()
) -> Overview:
    """The overview of a study.

    Parameters
    ----------
    study : the open record.
    on : the local day, by which visits are due.
    now : in UTC, from which queries are old.
    concealed : nothing is read that only one arm may have, and no entry of the chain.
    sites : codes of the only sites that are read; empty for all.
    """
    typed = {(draft.visit_id, draft.form) for draft in study.drafts.list()}
    with study.database.connected() as connection, reading.snapshot(connection):
        facts = _Facts(connection, on, typed, concealed=concealed, sites=sites)
        queries = facts.queries(now)
        whole = not (concealed or sites)
        head = reading.head(connection) if whole else (0, "")
        return Overview(
            code=study.code,
            title=study.title,
            on=on,
            version=facts.newest_version,
            flow=facts.flow(),
            visits=facts.columns,
            titles={form.name: form.title for one in facts.protocols.values() for form in one.forms},
            participants=facts.participants(),
            tasks=facts.tasks(),
            queries=queries,
            deviations=facts.deviations(),
            locks=facts.locks(),
            entries=facts.entries() if whole else (),
            head=head,
            verification=newest(connection, study.id) if whole else None,
        )


class _Visit(NamedTuple):
    """A visit of a participant: of the schedule, with the status of its row and how its forms stand."""

    plan: Planned
    status: str
    cells: Mapping[str, FormStanding]


class _Facts:
    """What one overview is made of, each table read once."""

    def __init__(
        self,
        connection: Connection,
        on: date,
        typed: set[tuple[str, str]],
        *,
        concealed: bool = False,
        sites: Collection[str] = (),
    ) -> None:
        self.connection, self.on, self.concealed, self.sites = connection, on, concealed, sites
        self.people: dict[str, str] = dict(reading.stored(connection, "participant", "id", "pseudonym"))
        enrolled = reading.stored(
            connection, "enrolment", "participant_id", "protocol_version_id", "site", "status"
        )
        self.enrolments = {row[0]: row[1:] for row in enrolled if not sites or row[2] in sites}
        if sites:
            self.people = {person: name for person, name in self.people.items() if person in self.enrolments}
        self.protocols, self.newest_version = _protocols(connection)
        self.columns = _columns(self.protocols.values())
        self.visits: dict[str, dict[str, dict[str, Any]]] = {}
        columns = ("participant_id", "name", "status", "started", "planned", "earliest", "latest", "id")
        for visit in _dicts(connection, "visit", *columns):
            self.visits.setdefault(visit["participant_id"], {})[visit["name"]] = visit
        self.anchors = _grouped(reading.stored(connection, "anchor_day", "participant_id", "anchor", "day"))
        self.entered = _entered(
            connection, self.protocols.values(), set() if concealed else typed, concealed=concealed
        )
        self._standing = {person: self._of_person(person) for person in self.enrolments}

    # ------------------------------------------------------------------------------ participants
    def flow(self) -> Flow:
        """Everybody is counted once, by what the enrolment says and whether it ever said enrolled."""
        ever = _ever_enrolled(self.connection)
        now = {person: facts[2] for person, facts in self.enrolments.items()}
        enrolled = [state for person, state in now.items() if person in ever or state in ("enrolled", "completed")]
        before = [state for person, state in now.items() if person not in ever]
        return Flow(
            screened=len(now),
            in_screening=len(now) - len(enrolled) - sum(state in LEFT for state in before),
            screen_failures=before.count("screen_failure"),
            left_before=sum(state in GONE for state in before),
            enrolled=len(enrolled),
            taking_part=sum(state not in ("completed", *GONE) for state in enrolled),
            completed=enrolled.count("completed"),
            withdrawn=enrolled.count("withdrawn"),
            lost=enrolled.count("lost"),
            without=len(set(self.people) - set(now)),
        )

    def participants(self) -> tuple[Standing, ...]:
        """How every form of each participant stands, in the order of entry."""
        found = []
        for person, visits in self._standing.items():
            _version, site, status = self.enrolments[person]
            cells = {one.plan.visit: one.cells for one in visits}
            rows = tuple(
                tuple(cells.get(column.visit, {}).get(form, "not_asked") for form in column.forms)
                for column in self.columns
            )
            found.append(Standing(person, self.people[person], site, status, rows))
        return tuple(found)

    def tasks(self) -> tuple[Task, ...]:
        """What waits for somebody, most urgent first; of the same urgency what waits longest."""
        found = [
            task
            for person, visits in self._standing.items()
            if self.enrolments[person][2] not in LEFT
            for one in visits
            if (task := self._task(person, one)) is not None
        ]
        return tuple(sorted(found, key=lambda task: (_urgency(task), -task.days)))

    def _of_person(self, person: str) -> list[_Visit]:
        """Every visit of a participant with its forms."""
        version, _site, status = self.enrolments[person]
        protocol = self.protocols[version]
        rows = self.visits.get(person, {})
        facts = [(row["name"], row["status"], row["started"]) for row in rows.values()]
        planned = plan(protocol, dict(self.anchors.get(person, [])), facts, self.on)
        asked = {visit.name: visit.forms for visit in protocol.visits}
        found = []
        for one in planned:
            row = rows.get(one.visit)
            nothing = untouched(place_of(row, one), self.on, left=status in LEFT)
            cells = {}
            for form in map(protocol.form, asked[one.visit]):
                # Whether it was assessed with the device on is what is concealed.
                if self.concealed and form.tells_arm:
                    continue
                begun = self.entered.begun(
                    "" if row is None else row["id"], name=form.name, measure=form.measure,
                    twice=form.double_entry, takes=partial(protocol.takes, form),
                )  # fmt: skip
                cells[form.name] = STANDINGS[begun or nothing]
            found.append(_Visit(one, "" if row is None else row["status"], cells))
        return found

    def _task(self, person: str, visit: _Visit) -> Task | None:
        """What waits for somebody at one visit."""
        one = visit.plan
        if visit.status in NOT_HELD:
            return None
        missing = tuple(name for name, state in visit.cells.items() if state == "missing")
        who = person, self.people[person], one.visit
        if one.held is not None:
            return Task("missing", *who, missing, one.held, (self.on - one.held).days) if missing else None
        if one.latest is None or one.earliest is None or one.provisional:
            return None
        days = (self.on - one.latest).days
        if days > 0:
            return Task("late", *who, missing, one.latest, days)
        if days >= -SOON_DAYS and one.earliest <= self.on:
            return Task("closing", *who, (), one.latest, days)
        return None

    # ------------------------------------------------------------------------------ the rest
    def queries(self, now: datetime) -> tuple[OpenQuery, ...]:
        """Queries that are not closed, oldest first."""
        events = dict(reading.stored(self.connection, "query_event", "query_id", "action"))  # the newest stays
        rows = self.connection.execute(select(schema.query).order_by(schema.query.c.utc)).mappings()
        return tuple(
            OpenQuery(
                row["id"], self.people.get(row["participant_id"], ""), self._site(row["participant_id"]),
                row["table_name"], row["row_id"], row["field"], reading.with_messages(dict(row))["text"],
                max(0, (now - datetime.fromisoformat(row["utc"])).days),
                "data_manager" if events.get(row["id"]) == "answered" else "site",
            )
            for row in rows
            if events.get(row["id"]) != "closed" and self._shows(row["participant_id"], row["table_name"])
        )  # fmt: skip

    def deviations(self) -> dict[str, int]:
        """Number of open deviations by category, most first."""
        counts: dict[str, int] = {}
        columns = ("category", "state", "participant_id", "table_name")
        for category, state, person, table in reading.stored(self.connection, "deviation", *columns):
            if state != "open" or not self._shows(person, table):
                continue
            if not self.concealed or category in OPEN_DEVIATIONS:
                counts[category] = counts.get(category, 0) + 1
        return dict(sorted(counts.items(), key=lambda one: -one[1]))

    def _shows(self, person: str | None, table: str) -> bool:
        """Whether something about a row of a participant belongs to what is read."""
        return (not self.sites or person in self.people) and (not self.concealed or table in OPEN_ABOUT)

    def locks(self) -> tuple[LockHere, ...]:
        """Locks that hold now."""
        rows = reading.rows(self.connection, "lock_event", {})
        held = in_force(rows)
        owners = participants_of(self.connection, held)
        return tuple(
            LockHere(
                lock["level"], place[0], self.people.get(owners.get(place, ""), ""), lock["by"], lock["utc"],
                lock["reason"],
            )
            for place, lock in held.items()
            if not (self.concealed or self.sites) or owners.get(place, "") in self.people
        )  # fmt: skip

    def entries(self) -> tuple[NewestEntry, ...]:
        """The newest entries of the chain, newest first."""
        query = select(schema.audit).order_by(schema.audit.c.seq.desc()).limit(ENTRIES)
        rows = self.connection.execute(query).mappings().all()
        owners = participants_of(self.connection, [(row["table_name"], row["row_id"]) for row in rows])
        return tuple(
            NewestEntry(
                row["seq"], row["utc"], row["actor"], row["action"], row["table_name"],
                self.people.get(owners.get((row["table_name"], row["row_id"]), ""), ""), row["hash"],
            )
            for row in rows
        )  # fmt: skip

    def _site(self, person: str) -> str:
        return str(self.enrolments[person][1]) if person in self.enrolments else ""


def _urgency(task: Task) -> int:
    """A window that is over, one that closes today or tomorrow, what is missing, what closes later."""
    if task.kind == "closing":
        return 1 if task.days >= -1 else 3
    return 0 if task.kind == "late" else 2


# ------------------------------------------------------------------------------------- tables
def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for first, *rest in rows:
        grouped.setdefault(first, []).append(tuple(rest))
    return grouped


def _protocols(connection: Connection) -> tuple[dict[str, Protocol], str]:
    rows = reading.rows(connection, "protocol_version", {})
    made = {row["id"]: Protocol.from_definition(row["definition"], where=row["version"]) for row in rows}
    return made, str(rows[-1]["version"]) if rows else ""


def _columns(protocols: Iterable[Protocol]) -> tuple[VisitForms, ...]:
    """Every visit with forms of any version, in the order of the newest."""
    forms: dict[str, dict[str, None]] = {}
    for protocol in reversed(list(protocols)):
        for visit in protocol.visits:
            if visit.forms:
                forms.setdefault(visit.name, {}).update(dict.fromkeys(visit.forms))
    return tuple(VisitForms(visit, tuple(names)) for visit, names in forms.items())


def _ever_enrolled(connection: Connection) -> set[str]:
    """Whose enrolment said so at any time: it tells who left the study from who left the screening."""
    audit, payload = schema.audit, schema.audit_payload
    query = select(payload.c.payload).join(audit, audit.c.seq == payload.c.seq)
    found = set()
    for (text,) in connection.execute(query.where(audit.c.table_name == "enrolment")):
        new = reading.parsed(text).get("new") or {}
        if new.get("status") == "enrolled":
            found.add(str(new["participant_id"]))
    return found


def _entered(
    connection: Connection, protocols: Iterable[Protocol], typed: set[tuple[str, str]], *, concealed: bool
) -> Entered:
    """What was entered of every form."""
    twice = {form.name for protocol in protocols for form in protocol.forms if form.double_entry}
    signatures = reading.stored(connection, "signature", "targets")
    columns = ("visit_id", "name", "instance", "entry", "state", "id", "row_version", "values")
    forms = _dicts(connection, "form", *columns)
    for row in forms:
        row["values"] = reading.parsed(row["values"]) if row["name"] in twice else {}
    about = ("visit_id", "measure", "state", "id", "row_version", *HELP.values())
    assessments = _dicts(connection, "assessment", *about)
    if concealed:
        assessments = [row for row in assessments if not tells_arm(row)]
    signed = signed_rows(reading.parsed(targets) for (targets,) in signatures)
    return Entered(forms, assessments, typed=typed, signed=signed)


def _dicts(connection: Connection, table: str, *columns: str) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in reading.stored(connection, table, *columns)]
