"""The data of a whole trial at one data cut, as one reader may see them. No wording and no arithmetic.

A blinded report is read through :class:`workbench.study.concealment.BlindRecord`, which holds nothing that differs
between the arms; no allocation is opened and no arm is in these facts. An unblinded one is for a person who signed
in, and each arm that it reads is an entry of the chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from workbench import reading
from workbench.analysis import Outcome, outcomes_table
from workbench.errors import RecordFault, Refused, UnknownName
from workbench.messages import Message
from workbench.reports._facts import READINGS, Cut, Row, RunFacts, run_facts
from workbench.reports._results import Result, result_of
from workbench.study import (
    allocations,
    costs,
    dispositions,
    listings,
    obligations,
    safety_desk,
    snapshots,
    verified,
)
from workbench.study import protocol as protocols
from workbench.study.completeness import signed_rows
from workbench.study.concealment import OPEN, BlindRecord, Sight, conceals
from workbench.study.dispositions import Step
from workbench.study.lock_conditions import Condition, conditions
from workbench.study.moments import utc_of
from workbench.study.protocol import Protocol as StudyProtocol
from workbench.study.snapshots import SnapshotRow
from workbench.vocabulary import Entry

if TYPE_CHECKING:
    from workbench.study import Signer, Study

Kind = Literal["participant", "interim", "final"]
View = Literal["open", "blinded", "unblinded"]
"""``"open"``: the protocol has no arms that anybody could be kept from."""
LISTED = (
    "participant", "enrolment", "visit", "session", "run", "recording", "assessment", "form", "deviation",
    "adverse_event", "device_deficiency", "implant", "charge", "snapshot",
)  # fmt: skip
"""Tables whose rows a listing names with their entry of the chain."""


class Record(Protocol):
    """What is read of: an open study, a snapshot, or either as a blinded person may see it."""

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows that equal ``where``, in the order of entry."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which report.

    Attributes
    ----------
    kind : of the report.
    participant : pseudonym of whom it is about; of the other kinds ``""``.
    snapshot : name of the snapshot that it is made of; ``""`` is the record as it is now, of a final report the
        newest snapshot of a lock.
    """

    kind: Kind
    participant: str = ""
    snapshot: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A participant; ``arm`` is ``""`` where it is not read, ``days`` are ISO dates by anchor."""

    row: Row
    site: str
    status: str
    steps: tuple[Step, ...]
    arm: str
    days: Mapping[str, str]
    unmet: tuple[str, ...]

    @property
    def id(self) -> str:
        """Id of the participant's row."""
        return str(self.row["id"])

    @property
    def name(self) -> str:
        """Pseudonym."""
        return str(self.row["pseudonym"])

    @property
    def enrolled(self) -> bool:
        """Whether the enrolment ever said so: it tells who left the study from who left the screening."""
        return self.status in ("enrolled", "completed") or any(step.status == "enrolled" for step in self.steps)

    @property
    def randomised(self) -> bool:
        """Whether an arm was drawn, whichever."""
        return "randomisation" in self.days

    @property
    def reason(self) -> str:
        """Why the newest status, ``""`` where nobody said."""
        return self.steps[-1].reason if self.steps else ""


@dataclass(frozen=True, slots=True)
class Group:
    """Participants of one column of a table; ``arm`` is ``""`` for all of them together."""

    arm: str
    title: str
    people: tuple[Person, ...]

    @property
    def ids(self) -> frozenset[str]:
        """Ids of its participants."""
        return frozenset(person.id for person in self.people)


@dataclass(frozen=True, slots=True)
class OnlineRun:
    """An online run with its result; ``visit`` and ``person`` are rows."""

    run: RunFacts
    session: Row
    visit: Row
    person: Row
    result: Result


@dataclass(frozen=True)
class TrialFacts:
    """One trial at one data cut.

    Attributes
    ----------
    wanted, view, reader : which report, and for whom; ``reader`` is ``""`` unless it is unblinded.
    study, protocol, version : of the study, and its newest protocol; None without one.
    cut, snapshot : where the data end, and the snapshot that they are of; None for the record as it was.
    people : everybody, or the one participant.
    tables : rows of the tables that a listing prints, by name; none of a table that is kept from the reader.
    outcomes : scores and performance, one number each.
    online : online runs with their results.
    deviations, queries : all of them.
    events : adverse events; of a blinded report without what tells of the device, and none about one participant.
    desk : clocks, stopping rules and implants; None where they are kept from the reader.
    sheets : costs; empty where they are kept.
    entries : ``(number, hash)`` of the newest entry of a row, by table and id; empty where they are kept.
    verification : the newest one before the cut.
    signatures : on the snapshot.
    signed : rows that carry a signature, in the version that was signed.
    obstacles : what stands in the way of a lock.
    """

    wanted: Wanted
    view: View
    reader: str
    study: Row
    protocol: StudyProtocol | None
    version: str
    cut: Cut
    snapshot: SnapshotRow | None
    people: tuple[Person, ...]
    tables: Mapping[str, Sequence[Row]]
    outcomes: tuple[Outcome, ...]
    online: tuple[OnlineRun, ...]
    deviations: tuple[listings.DeviationRow, ...]
    queries: tuple[listings.QueryRow, ...]
    events: tuple[Row, ...]
    desk: safety_desk.Desk | None
    sheets: tuple[costs.CostSheet, ...]
    entries: Mapping[tuple[str, str], tuple[int, str]]
    verification: verified.LastVerification | None
    signatures: tuple[Row, ...]
    signed: frozenset[tuple[str, str, int]]
    obstacles: tuple[Condition, ...]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Pseudonym by id."""
        return {person.id: person.name for person in self.people}

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Columns of a table: one for each arm that is known, then all; of those who were enrolled.

        Of a report about one participant the one column of that participant, whether enrolled or not.
        """
        if self.wanted.participant:
            return (Group("", self.wanted.participant, self.people),)
        enrolled = tuple(person for person in self.people if person.enrolled)
        arms = self.protocol.arms if self.protocol and self.view == "unblinded" else ()
        columns = [Group(arm.name, arm.title, tuple(p for p in enrolled if p.arm == arm.name)) for arm in arms]
        return (*columns, Group("", "", enrolled))

    @cached_property
    def everybody(self) -> tuple[Group, ...]:
        """The same with everybody of the record in the last column: events happen before enrolment too."""
        return (*self.groups[:-1], replace(self.groups[-1], people=self.people))

    @cached_property
    def simulated(self) -> bool:
        """Whether anybody is simulated."""
        return any(person.row["simulated"] for person in self.people)

    @property
    def blinded(self) -> bool:
        """Whether what differs between the arms is kept from the reader."""
        return self.view == "blinded"


def read(study: Study, wanted: Wanted, *, reader: Signer | None = None, reason: str = "") -> TrialFacts:
    """The facts of a trial.

    Parameters
    ----------
    study : the open record.
    wanted : which report.
    reader : who reads it unblinded; None makes a blinded report where the protocol randomises.
    reason : why it is unblinded, for the chain.

    Raises
    ------
    UnknownName
        No such participant or snapshot.
    Refused
        A final report without a lock, a snapshot that is not what it was, or a reader who may not learn the arms.
    RecordFault
        Other programs write into the record without a pause.
    """
    with ExitStack() as undo:
        snapshot = _snapshot(study, wanted)
        source = study if snapshot is None else undo.enter_context(_opened(study, snapshot))
        arms: dict[str, str] = {}
        if reader is not None:
            about = {
                row["id"] for row in source.rows("participant") if wanted.participant in ("", row["pseudonym"])
            }
            only = {row["id"] for row in source.rows("allocation") if row["participant_id"] in about}
            arms = allocations.arms(study, reader, reason, only=only)
        name = reader.name if reader is not None else ""
        for _ in range(READINGS):
            head = study.head()
            facts = _read(study, source, wanted, snapshot, arms, reader=name)
            # Equal before and after: nothing was written while the tables were read one by one.
            if snapshot is not None or study.head() == head:
                return facts
    raise RecordFault(Message("report.record_busy", n=READINGS))


def _snapshot(study: Study, wanted: Wanted) -> SnapshotRow | None:
    made = snapshots.listed(study)
    if wanted.snapshot:
        chosen = next((one for one in made if one.name == wanted.snapshot), None)
        if chosen is None:
            known = [one.name for one in made] or [Message("word.none")]
            raise UnknownName(Message("report.no_snapshot", got=f"{wanted.snapshot!r:.80}", known=known))
    elif wanted.kind == "final":
        chosen = next((one for one in reversed(made) if one.level == "hard"), None)
        if chosen is None:
            raise Refused(Message("report.not_locked"))
    else:
        return None
    if wanted.kind == "final" and chosen.level != "hard":
        raise Refused(Message("report.not_of_lock", name=chosen.name))
    return chosen


def _opened(study: Study, snapshot: SnapshotRow) -> Study:
    """A snapshot for reading, once its file was compared with the record."""
    path = study.folder / snapshot.path
    if not snapshot.there or reading.sha256(path, Message("snapshot.noun"), error=RecordFault) != snapshot.sha256:
        raise Refused(Message("report.snapshot_changed", name=snapshot.name, path=snapshot.path))
    return type(study).open(path, actor=study.actor)


# ------------------------------------------------------------------------------------ one reading
_UNTOLD: Mapping[str, Mapping[str, Any]] = {
    "assessment": {"since_session_h": None, "washout_h": None},
    "deviation": {"impact": "", "correction": "", "automatic": False, "by": ""},
}
"""What stands in the place of columns that a blinded record keeps."""


class _Blind:
    """A blinded record that gives nothing of the tables that it keeps, so that a report says so and is made."""

    def __init__(self, record: BlindRecord) -> None:
        self._record, self.drafts = record, record.drafts

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows that may be seen."""
        if table not in OPEN:
            return []
        return [{**_UNTOLD.get(table, {}), **row} for row in self._record.rows(table, **where)]

    def head(self) -> tuple[int, str]:
        """No head: who is blinded is told none of a row."""
        return 0, ""


def _read(
    study: Study, source: Study, wanted: Wanted, snapshot: SnapshotRow | None, arms: Mapping[str, str], *,
    reader: str,
) -> TrialFacts:  # fmt: skip
    protocol, version = _protocol(source)
    view: View = "unblinded" if reader else "blinded" if conceals(source, protocol) else "open"
    hidden = view == "blinded"
    record: Any = _Blind(BlindRecord(source, Sight(concealed=True, reader=""))) if hidden else source
    entries = study.entries()
    cut = _cut(entries, snapshot)
    people = _people(study, record, protocol, cut, arms, free_text=not hidden)
    people = _chosen(people, wanted)
    ids = {person.id for person in people}
    everybody = wanted.kind != "participant"
    tables = {name: _of(record, name, ids, everybody=everybody) for name in LISTED}
    names = {person.name for person in people}
    signed = frozenset(signed_rows(row["targets"] for row in source.rows("signature")))
    return TrialFacts(
        wanted=wanted, view=view, reader=reader, study=source.rows("study")[0], protocol=protocol,
        version=version, cut=cut, snapshot=snapshot, people=people, tables=tables,
        outcomes=tuple(row for row in outcomes_table(record).rows if row.participant in names),
        deviations=tuple(row for row in listings.deviations(record) if row.participant in names),
        queries=tuple(row for row in listings.queries(record) if row.participant in names),
        # Of one participant even the number of events may tell the arm.
        events=() if hidden and not everybody else tuple(_events(source, ids, blinded=hidden)),
        verification=verified.last(study, up_to=cut.seq),
        signatures=_of_snapshot(study, snapshot),
        signed=signed,
        **(_KEPT if hidden else _told(source, tables, cut, names, signed, entries)),
    )  # fmt: skip


_KEPT: Mapping[str, Any] = {"online": (), "desk": None, "sheets": (), "entries": {}, "obstacles": ()}
"""What a blinded report has in the place of what differs between the arms."""


def _told(
    source: Study, tables: Mapping[str, Sequence[Row]], cut: Cut, names: set[str],
    signed: frozenset[tuple[str, str, int]], entries: Iterable[Entry],
) -> dict[str, Any]:  # fmt: skip
    """The facts that are kept from a blinded reader."""
    now = datetime.fromisoformat(cut.utc.replace("Z", "+00:00")) if cut.utc else utc_of("1970-01-01T00:00:00Z")
    return {
        "online": tuple(_online(source, tables)),
        "desk": _desk(source, now, names),
        "sheets": tuple(sheet for sheet in costs.sheets(source) if sheet.participant in names),
        "entries": {
            (one.table, one.row_id): (one.seq, one.hash)
            for one in entries
            if one.seq <= cut.seq and one.table in LISTED
        },
        "obstacles": conditions(
            source, now, signed=lambda table, row: (table, row["id"], row["row_version"]) in signed
        ),
    }


def _protocol(source: Record) -> tuple[StudyProtocol | None, str]:
    versions = source.rows("protocol_version")
    if not versions:
        return None, ""
    newest = versions[-1]
    return protocols.Protocol.from_definition(newest["definition"], where=newest["version"]), newest["version"]


def _cut(entries: Sequence[Entry], snapshot: SnapshotRow | None) -> Cut:
    """The head of the snapshot, else the newest entry that is not the registration of a report."""
    if snapshot is not None:
        seq, digest = snapshot.head
        utc = next((entry.utc for entry in entries if entry.seq == seq), "")
        return Cut(seq, digest, utc)
    newest = next((entry for entry in reversed(entries) if entry.table != "report"), None)
    return Cut(newest.seq, newest.hash, newest.utc) if newest else Cut(0, "", "")


def _people(
    study: Study, record: Record, protocol: StudyProtocol | None, cut: Cut, arms: Mapping[str, str], *,
    free_text: bool,
) -> tuple[Person, ...]:  # fmt: skip
    steps = dispositions.dispositions(study, up_to=cut.seq)
    if not free_text:
        # What somebody wrote may tell an arm; which status it was does not.
        steps = {who: tuple(replace(one, reason="", by="") for one in those) for who, those in steps.items()}
    enrolments = {row["participant_id"]: row for row in record.rows("enrolment")}
    days: dict[str, dict[str, str]] = {}
    for row in record.rows("anchor_day"):
        days.setdefault(row["participant_id"], {})[row["anchor"]] = str(row["day"])
    answers: dict[str, dict[str, str]] = {}
    for row in record.rows("eligibility"):
        answers.setdefault(row["participant_id"], {})[row["criterion"]] = row["answer"]
    wanted = {one.id: "yes" if one.kind == "inclusion" else "no" for one in protocol.criteria} if protocol else {}
    found = []
    for row in record.rows("participant"):
        who, enrolment = row["id"], enrolments.get(row["id"], {"site": "", "status": ""})
        unmet = tuple(name for name, right in wanted.items() if answers.get(who, {}).get(name, right) != right)
        found.append(
            Person(
                row, enrolment["site"], enrolment["status"], steps.get(who, ()), arms.get(who, ""),
                days.get(who, {}), unmet,
            )
        )  # fmt: skip
    return tuple(found)


def _chosen(people: tuple[Person, ...], wanted: Wanted) -> tuple[Person, ...]:
    if wanted.kind != "participant":
        return people
    chosen = tuple(person for person in people if person.name == wanted.participant)
    if not chosen:
        known = [person.name for person in people][:20] or [Message("word.none")]
        raise UnknownName(Message("report.no_participant", got=f"{wanted.participant!r:.80}", known=known))
    return chosen


def _of(record: Record, table: str, ids: set[str], *, everybody: bool) -> list[Row]:
    """Rows of a table that belong to these participants, and where all are asked for those that are nobody's."""
    above = {"session": "visit", "run": "session", "recording": "run", "assessment": "visit", "form": "visit",
             "charge": "visit"}  # fmt: skip
    rows = record.rows(table)
    if table == "participant":
        return [row for row in rows if row["id"] in ids]
    if table in above:
        parents = {row["id"] for row in _of(record, above[table], ids, everybody=everybody)}
        return [row for row in rows if row[f"{above[table]}_id"] in parents]
    return [
        row for row in rows if row.get("participant_id") in ids or (everybody and not row.get("participant_id"))
    ]


def _online(source: Study, tables: Mapping[str, Sequence[Row]]) -> Iterable[OnlineRun]:
    people = {row["id"]: row for row in tables["participant"]}
    visits = {row["id"]: row for row in tables["visit"]}
    sessions = {row["id"]: row for row in tables["session"]}
    for row in tables["run"]:
        if row["kind"] != "online":
            continue
        session = sessions[row["session_id"]]
        visit = visits[session["visit_id"]]
        facts = run_facts(source, row)
        if facts.trials:
            yield OnlineRun(facts, session, visit, people[visit["participant_id"]], result_of(facts))


def _events(source: Record, ids: set[str], *, blinded: bool) -> Iterable[Row]:
    """Adverse events that stand; of a blinded report seriousness, severity and outcome alone."""
    for row in source.rows("adverse_event"):
        if row["participant_id"] not in ids or row["state"] == "void":
            continue
        if blinded:
            facts = {name: row["facts"][name] for name in ("serious", "severity")}
            yield {"participant_id": row["participant_id"], "facts": facts, "outcome": row["outcome"]}
        else:
            yield row


def _desk(source: Study, now: datetime, names: set[str]) -> safety_desk.Desk:
    desk = safety_desk.desk(source, now)
    keep: Any = lambda rows: tuple(one for one in rows if one.participant in names)  # noqa: E731
    return replace(
        desk, obligations=keep(desk.obligations), surveillance=keep(desk.surveillance),
        implant_days=keep(desk.implant_days),
    )  # fmt: skip


def _of_snapshot(study: Study, snapshot: SnapshotRow | None) -> tuple[Row, ...]:
    """Signatures on the row of a snapshot, which stand in the record behind its head."""
    if snapshot is None:
        return ()
    ids = {row["id"] for row in study.rows("snapshot", name=snapshot.name)}

    def stands_on(row: Row) -> bool:
        return any(place[0] == "snapshot" and place[1] in ids for place in row["targets"])

    return tuple(row for row in study.rows("signature") if stands_on(row))


def overdue(desk: safety_desk.Desk) -> tuple[obligations.OpenObligation, ...]:
    """Reports that should have been sent by the cut."""
    return tuple(one for one in desk.obligations if one.state == "overdue")
