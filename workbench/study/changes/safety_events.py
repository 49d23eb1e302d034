"""Adverse events and device deficiencies: what somebody states, and when who became aware of it.

Each statement, the first and every revision, leaves a row of ``awareness``; clocks are functions of those rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.errors import BadValue, UnknownName
from workbench.messages import Message
from workbench.study import obligations, reporting_rules, safety, working_days
from workbench.study.applying import Applying, Change
from workbench.study.deadlines import Awareness
from workbench.study.moments import precision_of, text_of, utc_of
from workbench.study.nouns import SHA256
from workbench.study.obligations import KINDS, Source
from workbench.study.protocol import Protocol
from workbench.study.safety import EventFacts, Facts
from workbench.vocabulary import EventOutcome, EventState

REPORTERS = ("investigator", "safety_officer", "coordinator")
LONGEST_TERM, LONGEST_TEXT = 500, 20_000
"""Characters of a verbatim term or device, and of a narrative."""
JUDGED = {"facts", "term"}
"""What a judgement for a stopping rule rests on: once either changes, the event must be judged again."""
STATED = {
    "adverse_event": ("term", "onset", "action", "narrative", "coding"),
    "device_deficiency": ("device", "serial", "text", "onset", "logs_sha256"),
}
"""Columns of which a change has a field."""
CODED = ("dictionary", "version", "code", "term", "coder")


@dataclass(frozen=True, slots=True)
class ReportEvent(Change):
    """An adverse event becomes known.

    Attributes
    ----------
    participant_id : whose.
    term : in the words of who reported it.
    onset : ISO date as far as it is known: ``""``, ``2026``, ``2026-03``, ``2026-03-01`` or with the time.
    facts : fields of :class:`workbench.study.safety.EventFacts`, ``criteria`` as a list.
    aware, zone, person : when somebody became aware (UTC), their time zone, and who (``""``: who enters it).
    country : of the site, ISO 3166-1 alpha-2.
    jurisdictions : whose rules apply; empty for those of the protocol.
    outcome, action, narrative : as far as they are known.
    coding : ``dictionary``, ``version``, ``code``, ``term`` and ``coder`` as text, or nothing.
    """

    participant_id: str
    term: str
    onset: str
    facts: Mapping[str, Any]
    aware: str
    zone: str
    country: str
    person: str = ""
    jurisdictions: tuple[str, ...] = ()
    outcome: EventOutcome = "unknown"
    action: str = ""
    narrative: str = ""
    coding: Mapping[str, Any] | None = None
    ROLES: ClassVar[tuple[str, ...]] = REPORTERS

    def apply(self, record: Applying) -> str:
        """Add the event and its first awareness."""
        return _enter(record, self, "adverse_event", self.participant_id, outcome=self.outcome, stopping={})


@dataclass(frozen=True, slots=True)
class ReviseEvent(Change):
    """Something new is known of an adverse event, or was wrong; needs a reason, and restarts no clock.

    Attributes
    ----------
    event_id : which.
    aware, zone, person : when who became aware of what is stated now, as of :class:`ReportEvent`.
    facts : all of them, as they are known now; None where they stay.
    state : ``"void"`` for an event that was entered in error: what was due stays due.
    term, onset, outcome, action, narrative, coding, jurisdictions, country : None where they stay.
    row_version : that was shown, 0 for any.
    """

    event_id: str
    aware: str
    zone: str
    person: str = ""
    facts: Mapping[str, Any] | None = None
    term: str | None = None
    onset: str | None = None
    outcome: EventOutcome | None = None
    action: str | None = None
    narrative: str | None = None
    coding: Mapping[str, Any] | None = None
    jurisdictions: tuple[str, ...] | None = None
    country: str | None = None
    state: EventState | None = None
    row_version: int = 0
    ROLES: ClassVar[tuple[str, ...]] = REPORTERS

    def apply(self, record: Applying) -> str:
        """Change the event and add an awareness."""
        own = {"outcome": self.outcome} if self.outcome else {}
        return _revise(record, self, ("adverse_event", self.event_id), **own)


@dataclass(frozen=True, slots=True)
class JudgeEvent(Change):
    """Whether an adverse event, as it is known now, counts for a stopping rule; needs a reason.

    Attributes
    ----------
    event_id : which.
    rule : name of the stopping rule in the newest version of the protocol.
    counts : whether it does.
    """

    event_id: str
    rule: str
    counts: bool
    ROLES: ClassVar[tuple[str, ...]] = ("safety_officer",)

    def apply(self, record: Applying) -> str:
        """Keep the judgement with the event."""
        known = [rule.name for rule in obligations.stopping(record)]
        if self.rule not in known:
            raise UnknownName(Message("safety.no_stopping_rule", got=f"{self.rule!r:.60}", known=known))
        row = record.row("adverse_event", self.event_id)
        record.amend("adverse_event", self.event_id, {"stopping": {**row["stopping"], self.rule: self.counts}})
        return self.event_id


@dataclass(frozen=True, slots=True)
class CodeEvent(Change):
    """The term of an adverse event in a dictionary: says nothing new of the event, and moves no clock.

    Attributes
    ----------
    event_id : which.
    dictionary, version : name and version, as ``"MedDRA"`` and ``"28.1"``.
    code, term : of the dictionary.
    row_version : that was shown, 0 for any. A code that there is already is replaced with a reason.
    """

    event_id: str
    dictionary: str
    version: str
    code: str
    term: str
    row_version: int = 0
    ROLES: ClassVar[tuple[str, ...]] = ("data_manager", "safety_officer", "investigator")

    def apply(self, record: Applying) -> str:
        """Keep the code with the event."""
        row = record.row("adverse_event", self.event_id)
        stated = {name: getattr(self, name).strip() for name in CODED[:-1]}
        for name, text in stated.items():
            if not text:
                raise BadValue(Message("safety.coding_lacks", name=name))
            _check_length(name, text, LONGEST_TERM)
        follows = "" if row["coding"].get("code") else Message("safety.coded", code=self.code, term=self.term)
        record.amend(
            "adverse_event", self.event_id, {"coding": {**stated, "coder": record.actor.name}}, follows=follows,
            expected=self.row_version or None,
        )  # fmt: skip
        return self.event_id


@dataclass(frozen=True, slots=True)
class ReportDeficiency(Change):
    """A device deficiency becomes known, also of a device that nobody uses.

    Attributes
    ----------
    device, serial : which.
    text : what is wrong.
    onset : as of :class:`ReportEvent`.
    facts : fields of :class:`workbench.study.safety.DeficiencyFacts`.
    aware, zone, person, country, jurisdictions : as of :class:`ReportEvent`.
    participant_id : whom it concerns, None for nobody.
    logs_sha256 : of the bundle of logs, ``""`` for none.
    """

    device: str
    text: str
    onset: str
    facts: Mapping[str, Any]
    aware: str
    zone: str
    country: str
    person: str = ""
    jurisdictions: tuple[str, ...] = ()
    serial: str = ""
    participant_id: str | None = None
    logs_sha256: str = ""
    ROLES: ClassVar[tuple[str, ...]] = (*REPORTERS, "engineer")

    def apply(self, record: Applying) -> str:
        """Add the deficiency and its first awareness."""
        return _enter(record, self, "device_deficiency", self.participant_id or None)


@dataclass(frozen=True, slots=True)
class ReviseDeficiency(Change):
    """Something new is known of a device deficiency, or was wrong; needs a reason, and restarts no clock.

    Attributes
    ----------
    deficiency_id : which.
    aware, zone, person, facts, state, row_version : as of :class:`ReviseEvent`.
    device, serial, text, onset, logs_sha256, jurisdictions, country : None where they stay.
    """

    deficiency_id: str
    aware: str
    zone: str
    person: str = ""
    facts: Mapping[str, Any] | None = None
    device: str | None = None
    serial: str | None = None
    text: str | None = None
    onset: str | None = None
    logs_sha256: str | None = None
    jurisdictions: tuple[str, ...] | None = None
    country: str | None = None
    state: EventState | None = None
    row_version: int = 0
    ROLES: ClassVar[tuple[str, ...]] = (*REPORTERS, "engineer")

    def apply(self, record: Applying) -> str:
        """Change the deficiency and add an awareness."""
        return _revise(record, self, ("device_deficiency", self.deficiency_id))


# ------------------------------------------------------------------------------ what a statement is
@dataclass(frozen=True, slots=True)
class _Statement:
    """Facts, who became aware of them, and whose rules apply."""

    facts: Facts
    awareness: Awareness
    jurisdictions: tuple[str, ...]
    country: str

    @classmethod
    def of(
        cls, record: Applying, change: Any, facts: Facts, *, before: Mapping[str, Any] | None = None
    ) -> _Statement:
        """What a change states; what it leaves out stays as it was before."""
        before = before or {"country": "", "jurisdictions": ()}
        moment = utc_of(change.aware, latest=utc_of(record.utc))
        country = before["country"] if change.country is None else change.country
        working_days.check_country(country)
        named = tuple(change.jurisdictions or before["jurisdictions"]) or _of_protocol(record, change)
        allowed = reporting_rules.CLOSED["jurisdiction"]
        if not named or set(named) - set(allowed):
            raise BadValue(Message("safety.jurisdictions", allowed=list(allowed), got=f"{list(named)!r:.60}"))
        person = change.person or record.actor.name
        return cls(facts, Awareness(moment, change.zone, person), named, country)

    def leave(self, record: Applying, source: Source, participant_id: str | None) -> None:
        """Add the row of awareness."""
        record.insert(
            "awareness", participant_id=participant_id, table_name=source[0], row_id=source[1],
            facts=safety.as_plain(self.facts), jurisdictions=self.jurisdictions, country=self.country,
            aware_utc=text_of(self.awareness.utc), zone=self.awareness.zone, person=self.awareness.person,
        )  # fmt: skip


def _of_protocol(record: Applying, change: Any) -> tuple[str, ...]:
    """Jurisdictions of the participant's version of the protocol, else of the newest one."""
    enrolled = record.rows("enrolment", participant_id=change.participant_id) if change.participant_id else []
    versions = [record.row("protocol_version", row["protocol_version_id"]) for row in enrolled]
    versions = versions or record.rows("protocol_version")[-1:]
    return Protocol.from_definition(versions[0]["definition"]).about.jurisdictions if versions else ()


def _enter(record: Applying, change: Any, table: str, participant_id: str | None, **own: Any) -> str:
    """Add an event or a deficiency, with its first awareness. Returns its id."""
    statement = _Statement.of(record, change, safety.facts_of(KINDS[table], change.facts))
    columns = _columns(table, statement, change, {"coding": {}})
    row_id = record.insert(table, participant_id=participant_id, **columns, **own, state="open")
    statement.leave(record, (table, row_id), participant_id)
    return row_id


def _revise(record: Applying, change: Any, source: Source, **own: Any) -> str:
    """Change what differs, leave the awareness, and notice reports that it makes late. Returns the id."""
    row = record.row(*source)
    facts = safety.facts_of(KINDS[source[0]], _or(change.facts, row["facts"]))
    statement = _Statement.of(record, change, facts, before=row)
    changes = {**_columns(source[0], statement, change, row), "state": change.state or row["state"], **own}
    if not record.reason.strip():
        raise BadValue(Message("study.change_needs_reason", table=source[0]))
    differing = {name: value for name, value in changes.items() if row[name] != value}
    if row.get("stopping") and differing.keys() & JUDGED:
        differing["stopping"] = {}
    if differing:
        record.amend(*source, differing, expected=change.row_version or None)
    statement.leave(record, source, row["participant_id"])
    _note_late(record, source, row["participant_id"])
    return source[1]


def _or(value: Any, before: Any) -> Any:
    return before if value is None else value


def _columns(table: str, statement: _Statement, change: Any, before: Mapping[str, Any]) -> dict[str, Any]:
    """Columns that a statement decides, checked; what the change leaves out stays as it was before."""
    now = {name: _or(getattr(change, name), before.get(name)) for name in STATED[table]}
    return _event_columns(statement, **now) if table == "adverse_event" else _deficiency_columns(statement, **now)


def _event_columns(
    statement: _Statement, *, term: str, onset: str, action: str, narrative: str, coding: Mapping[str, Any]
) -> dict[str, Any]:
    """Columns of an adverse event that a statement decides, checked."""
    assert isinstance(statement.facts, EventFacts)
    _check_length("term", term, LONGEST_TERM)
    _check_length("action", action, LONGEST_TEXT)
    _check_length("narrative", narrative, LONGEST_TEXT)
    if (
        not isinstance(coding, Mapping)
        or set(coding) - set(CODED)
        or not all(isinstance(one, str) and len(one) <= LONGEST_TERM for one in coding.values())
    ):
        raise BadValue(Message("safety.coding", allowed=list(CODED), got=f"{coding!r:.80}"))
    return {
        **_common_columns(statement, onset), "term": term, "action": action, "narrative": narrative,
        "coding": dict(coding), "classification": safety.classify(statement.facts).term,
    }  # fmt: skip


def _deficiency_columns(
    statement: _Statement, *, device: str, serial: str, text: str, onset: str, logs_sha256: str
) -> dict[str, Any]:
    """Columns of a deficiency that a statement decides, checked."""
    for name, value in (("device", device), ("serial", serial)):
        _check_length(name, value, LONGEST_TERM)
    _check_length("text", text, LONGEST_TEXT)
    if logs_sha256 and not SHA256.fullmatch(logs_sha256):
        raise BadValue(Message("study.digest", name="logs_sha256", got=f"{logs_sha256!r:.80}"))
    return {
        **_common_columns(statement, onset), "device": device, "serial": serial, "text": text,
        "logs_sha256": logs_sha256,
    }  # fmt: skip


def _common_columns(statement: _Statement, onset: str) -> dict[str, Any]:
    return {
        "onset": onset, "precision": precision_of(onset, latest=statement.awareness.utc),
        "facts": safety.as_plain(statement.facts), "jurisdictions": list(statement.jurisdictions),
        "country": statement.country,
    }  # fmt: skip


def _check_length(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise BadValue(Message("safety.long", name=name, most=most, n=len(text)))


def _note_late(record: Applying, source: Source, participant_id: str | None) -> None:
    """A report that was in time by what was known then may be late by an awareness that was entered since."""
    for clock in obligations.clocks(record, source):
        if clock.sent is None or clock.state(clock.due) != "sent_late" or clock.sent["late_s"]:
            continue
        target = ("obligation_event", clock.sent["id"])
        if not record.rows("deviation", table_name=target[0], row_id=target[1]):
            text = Message("safety.late_after_all", rule=clock.obligation.rule, time=obligations.span(clock.late))
            record.deviate("reporting", participant_id, target, text)


def source_of(record: Applying, table: str, row_id: str) -> dict[str, Any]:
    """The event or deficiency that a change is about. Raises BadValue for another table, UnknownName for no row.

    Parameters
    ----------
    record : while a change is made.
    table, row_id : which.
    """
    if table not in KINDS:
        raise BadValue(Message("safety.source", allowed=list(KINDS), got=f"{table!r:.40}"))
    return record.row(table, row_id)
