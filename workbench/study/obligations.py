"""Reports of safety events as the record has them: which are due, which were sent, and who was told.

Every clock is worked out from the whole history of awareness each time that it is asked for; nothing about a clock
is stored, so that no edit, void event or redaction can restart or end one. A report that was sent under a rule is
sent, whichever version of the table the rule stood in then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from workbench.messages import Message
from workbench.study import deadlines, reporting_rules, safety
from workbench.study.deadlines import Awareness, Obligation, Revision
from workbench.study.moments import text_of, utc_of
from workbench.study.protocol import CountUnit
from workbench.study.protocol import Protocol as StudyProtocol
from workbench.study.reporting_rules import Addressee, Reporter, RuleConfirmation, RuleTable
from workbench.study.safety import DeficiencyFacts, EventFacts, Facts
from workbench.study.working_days import Day

State = Literal["overdue", "due_soon", "running", "sent_late", "sent"]
URGENCY: tuple[State, ...] = ("overdue", "due_soon", "running", "sent_late", "sent")
SOON = timedelta(hours=24)
KINDS: Mapping[str, type[Facts]] = {"adverse_event": EventFacts, "device_deficiency": DeficiencyFacts}
"""Tables of what may have to be reported, and what is known of it."""
MEANT = {"adverse_event": "term", "device_deficiency": "device"}
"""Column that names a row to a reader."""
Source = tuple[str, str]
"""A table of :data:`KINDS` and the id of a row."""
Row = Mapping[str, Any]


class Rows(Protocol):
    """What is read of a record: an open study has it, and a change while it is made."""

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows that equal ``where``, in the order of entry."""


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody was told of a report or an event: ``seen_at`` is ``""`` until they have seen it."""

    event_id: str
    person: str
    how: str
    at: str
    seen_at: str
    next_step: str
    by: str


@dataclass(frozen=True, slots=True)
class Retracted:
    """A report that was marked as sent by mistake: its time and reference, and who took it back, when and why."""

    sent_at: str
    reference: str
    at: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class OpenObligation:
    """One report of one event or deficiency, and where it stands.

    Attributes
    ----------
    table, row_id : the event or deficiency.
    participant : pseudonym; ``""`` for a deficiency that concerns nobody.
    what : its term, or the device.
    rule, table_version : the rule.
    reporter, addressees : who reports, and to whom.
    state : ``"due_soon"`` in the last 24 h.
    text : the state as a sentence.
    due : before which it must be sent, UTC; with an extension the later moment.
    due_text : the time of the rule in the time zone of awareness.
    extended_until : UTC text, ``""`` without an extension.
    aware : who became aware, of the awareness that the clock counts from, and when (UTC text).
    zone : time zone of that awareness.
    days : day by day, with what counts; empty for a time in hours.
    counted, of : days that have counted by now, and those of the rule; 0 for a time in hours.
    sent_id, sent_at, reference : row, time and reference of the report, ``""`` until it is sent.
    late_because : the reason that was given for a report that was late when it was sent, else ``""``.
    acknowledged_at : when the addressee confirmed it, ``""`` until then.
    retracted : what was marked as sent by mistake.
    told : who was told, of this report or of the event as a whole.
    warnings : what was assumed, and which calendar is not known.
    kept : why it is due where the facts no longer ask for it, or the event is void; None where they do.
    withheld : rules that would apply to the same event but are off.
    """

    table: str
    row_id: str
    participant: str
    what: str
    rule: str
    table_version: str
    reporter: Reporter
    addressees: tuple[Addressee, ...]
    state: State
    text: Message
    due: datetime
    due_text: Message
    extended_until: str
    aware: tuple[str, str]
    zone: str
    days: tuple[Day, ...]
    counted: int
    of: int
    sent_id: str
    sent_at: str
    reference: str
    late_because: str
    acknowledged_at: str
    retracted: tuple[Retracted, ...]
    told: tuple[Told, ...]
    warnings: tuple[Message, ...]
    kept: Message | None
    withheld: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """Rules that would apply to an event or a deficiency but are off: the list of its reports is not complete."""

    table: str
    row_id: str
    participant: str
    what: str
    rules: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Stopping:
    """Where a stopping rule of the protocol stands.

    Attributes
    ----------
    name, counts, limit, unit : of the rule.
    count : what counts by somebody's judgement.
    pending : what nobody has judged yet, of which each may count.
    met : whether the count has reached the limit.
    may_be_met : whether it would if all that is pending counted.
    """

    name: str
    counts: str
    limit: float
    unit: CountUnit
    count: int
    pending: int
    met: bool
    may_be_met: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """A report that is due, and what was done about it.

    Attributes
    ----------
    obligation : what must be reported, and when.
    due : with the newest extension, UTC.
    extended_until : UTC text, ``""`` without one.
    sent : row of the report, None until it is sent.
    """

    obligation: Obligation
    due: datetime
    extended_until: str
    sent: Row | None

    @property
    def late(self) -> timedelta:
        """By how much it was sent too late; zero or less is in time. Raises ValueError before it was sent."""
        if self.sent is None:
            raise ValueError("not sent")
        return utc_of(self.sent["at"]) - self.due

    def state(self, now: datetime) -> State:
        """Where it stands at a moment."""
        if self.sent is not None:
            return "sent_late" if self.late >= timedelta(0) else "sent"
        if now >= self.due:
            return "overdue"
        return "due_soon" if self.due - now < SOON else "running"


@dataclass(slots=True)
class _History:
    """All that the record says of one event or deficiency."""

    awareness: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)

    def due(self, confirmed: Sequence[RuleConfirmation], table: RuleTable) -> tuple[Obligation, ...]:
        """Obligations, first due first, with those that a rule which was confirmed later made superfluous."""
        found: dict[str, Obligation] = {}
        for n in _before_a_stricter_rule(confirmed, table):
            known = [row for row in self.awareness if utc_of(row["utc"]) <= confirmed[n].utc]
            once = _due_by(known, confirmed[:n], table).keys() | {row["rule"] for row in self.events}
            # With what became known since, which may have brought the clock forward.
            now = _due_by(self.awareness, confirmed[:n], table)
            found |= {rule: _beside_stricter(one) for rule, one in now.items() if rule in once}
        found |= _due_by(self.awareness, confirmed, table)
        return tuple(sorted(found.values(), key=lambda one: (one.due, one.rule)))

    def withheld(self, confirmed: Sequence[RuleConfirmation], table: RuleTable) -> tuple[Message, ...]:
        return deadlines.withheld(*_stated(self.awareness), confirmed, table=table)

    def of_rule(self, rule: str) -> list[Row]:
        return [row for row in self.events if row["rule"] == rule]

    def clock(self, obligation: Obligation) -> Clock:
        rows = self.of_rule(obligation.rule)
        until = next((row["due"] for row in reversed(rows) if row["action"] == "extension"), "")
        taken_back = {row["event_id"] for row in rows if row["action"] == "retracted"}
        sent = next((row for row in rows if row["action"] == "sent" and row["id"] not in taken_back), None)
        return Clock(obligation, utc_of(until) if until else obligation.due, until, sent)


def _stated(awareness: Sequence[Row]) -> tuple[list[Revision], set[Any]]:
    """Statements, and the jurisdictions of all of them: an edit takes none away."""
    return [revision(row) for row in awareness], {name for row in awareness for name in row["jurisdictions"]}


def _due_by(
    awareness: Sequence[Row], confirmed: Sequence[RuleConfirmation], table: RuleTable
) -> dict[str, Obligation]:
    """Obligations by rule; of several countries that were stated the one that asks sooner."""
    found: dict[str, Obligation] = {}
    history, jurisdictions = _stated(awareness)
    for country in dict.fromkeys(row["country"] for row in awareness):
        for one in deadlines.obligations_over(history, jurisdictions, confirmed, country=country, table=table):
            found[one.rule] = min(found.get(one.rule, one), one, key=lambda clock: (clock.due, clock.start))
    return found


def _before_a_stricter_rule(confirmed: Sequence[RuleConfirmation], table: RuleTable) -> list[int]:
    """Places of confirmations by which a rule came to stand in the place of others."""
    stricter = {name for rule in table.rules.values() for name in rule.unless}
    return [n for n, one in enumerate(confirmed) if one.table_version == table.version and one.rule in stricter]


def _beside_stricter(one: Obligation) -> Obligation:
    day = one.awareness.local.date().isoformat()
    return replace(one, kept=one.kept or Message("reporting.kept_beside_stricter", day=day))


# ------------------------------------------------------------------------------ reading
def revision(row: Row) -> Revision:
    """A row of ``awareness`` as a statement of facts."""
    facts = safety.facts_of(KINDS[row["table_name"]], row["facts"])
    # Nobody enters an awareness without a name: an empty one was redacted.
    person = row["person"] if row["person"].strip() else Message("safety.redacted")
    return Revision(facts, Awareness(utc_of(row["aware_utc"]), row["zone"], person))


def confirmations(record: Rows) -> list[RuleConfirmation]:
    """Rules from memory that somebody looked up."""
    return [
        RuleConfirmation(row["rule"], row["table_version"], row["by"], utc_of(row["utc"]))
        for row in record.rows("rule_confirmation")
    ]


def clocks(record: Rows, source: Source, *, table: RuleTable | None = None) -> tuple[Clock, ...]:
    """Reports of one event or deficiency, first due first.

    Parameters
    ----------
    record : a study, or a change while it is made.
    source : the event or deficiency.
    table : the rules; those that come with the workbench unless given.
    """
    where = {"table_name": source[0], "row_id": source[1]}
    history = _History(list(record.rows("awareness", **where)), list(record.rows("obligation_event", **where)))
    rules = table or reporting_rules.shipped()
    return tuple(history.clock(one) for one in history.due(confirmations(record), rules))


def obligations(record: Rows, now: datetime, *, table: RuleTable | None = None) -> tuple[OpenObligation, ...]:
    """Every report of the study, the most urgent first.

    Parameters
    ----------
    record : the open study.
    now : the moment at which clocks are read, UTC. Everything in the record counts, whenever it was entered.
    table : the rules; those that come with the workbench unless given.

    Raises
    ------
    BadValue
        For a moment that is not in UTC, from 1970 to 2999.
    """
    reporting_rules.check_utc(now)
    rules = table or reporting_rules.shipped()
    confirmed, names = confirmations(record), _names(record)
    found = []
    for source, history in _histories(record).items():
        off = history.withheld(confirmed, rules)
        for one in history.due(confirmed, rules):
            found.append(_open(source, names[source], history, one, off, rules, now))
    return tuple(sorted(found, key=lambda one: (URGENCY.index(one.state), one.due, one.rule)))


def withheld(record: Rows, *, table: RuleTable | None = None) -> tuple[Withheld, ...]:
    """Events and deficiencies for which a rule would apply but is off, in the order of entry.

    Parameters
    ----------
    record, table : as of :func:`obligations`.
    """
    rules = table or reporting_rules.shipped()
    confirmed, names = confirmations(record), _names(record)
    off = {source: history.withheld(confirmed, rules) for source, history in _histories(record).items()}
    return tuple(
        Withheld(*source, names[source].participant, names[source].what, sentences)
        for source, sentences in off.items()
        if sentences
    )


def stopping(record: Rows) -> tuple[Stopping, ...]:
    """The stopping rules of the newest version of the protocol, and what counts for each.

    An event counts once somebody has judged that it does; until then it is pending. A void one never counts.

    Parameters
    ----------
    record : the open study.
    """
    versions = record.rows("protocol_version")
    if not versions:
        return ()
    events = [row for row in record.rows("adverse_event") if row["state"] != "void"]
    found = []
    for rule in StudyProtocol.from_definition(versions[-1]["definition"]).stopping_rules:
        unit = "participant_id" if rule.unit == "participants" else "id"
        counted = {row[unit] for row in events if row["stopping"].get(rule.name)}
        pending = {row[unit] for row in events if rule.name not in row["stopping"]} - counted
        n, waiting = len(counted), len(pending)
        found.append(
            Stopping(
                rule.name, rule.counts, rule.limit, rule.unit, n, waiting, met=n >= rule.limit,
                may_be_met=n + waiting >= rule.limit,
            )
        )  # fmt: skip
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Name:
    participant: str
    what: str
    void: bool


def _names(record: Rows) -> dict[Source, _Name]:
    """What an event or a deficiency is called, by where it stands."""
    people = {row["id"]: row["pseudonym"] for row in record.rows("participant")}
    return {
        (table, row["id"]): _Name(people.get(row["participant_id"], ""), row[MEANT[table]], row["state"] == "void")
        for table in KINDS
        for row in record.rows(table)
    }


def _histories(record: Rows) -> dict[Source, _History]:
    found: dict[Source, _History] = defaultdict(_History)
    for row in record.rows("awareness"):
        found[row["table_name"], row["row_id"]].awareness.append(row)
    for row in record.rows("obligation_event"):
        found[row["table_name"], row["row_id"]].events.append(row)
    return found


def _open(
    source: Source, name: _Name, history: _History, obligation: Obligation, off: tuple[Message, ...],
    table: RuleTable, now: datetime,
) -> OpenObligation:  # fmt: skip
    rule, clock, events = table.rules[obligation.rule], history.clock(obligation), history.of_rule(obligation.rule)
    state, sent = clock.state(now), clock.sent or {}
    today = now.astimezone(obligation.awareness.local.tzinfo).date()
    return OpenObligation(
        *source, name.participant, name.what, obligation.rule, obligation.table_version, rule.reporter,
        rule.addressees, state, _sentence(clock, state, now), clock.due, obligation.due_text,
        clock.extended_until, (obligation.awareness.person, text_of(obligation.start)),
        obligation.awareness.zone, obligation.days,
        counted=sum(day.counts for day in obligation.days if day.date <= today),
        of=sum(day.counts for day in obligation.days),
        sent_id=sent.get("id", ""), sent_at=sent.get("at", ""), reference=sent.get("reference", ""),
        late_because=sent["reason"] if sent.get("late_s") else "",
        acknowledged_at=_answer(events, sent.get("id", ""), "acknowledged"),
        retracted=_retracted(events), told=_told(history.events, obligation.rule), warnings=obligation.warnings,
        kept=obligation.kept or (Message("safety.kept_void") if name.void else None), withheld=off,
    )  # fmt: skip


def _told(events: Sequence[Row], rule: str) -> tuple[Told, ...]:
    return tuple(
        Told(
            row["id"],
            row["person"],
            row["how"],
            row["at"],
            _answer(events, row["id"], "seen"),
            row["next_step"],
            row["by"],
        )  # fmt: skip
        for row in events
        if row["action"] == "told" and row["rule"] in ("", rule)
    )


def _retracted(events: Sequence[Row]) -> tuple[Retracted, ...]:
    sent = {row["id"]: row for row in events if row["action"] == "sent"}
    back = [(sent[row["event_id"]], row) for row in events if row["action"] == "retracted"]
    return tuple(
        Retracted(row["at"], row["reference"], taken["at"], taken["reason"], taken["by"]) for row, taken in back
    )


def _answer(events: Iterable[Row], event_id: str, action: str) -> str:
    """When what was sent or told was answered, ``""`` until then."""
    return next((row["at"] for row in events if row["action"] == action and row["event_id"] == event_id), "")


def _sentence(clock: Clock, state: State, now: datetime) -> Message:
    if state == "overdue":
        return Message("safety.overdue_by", time=span(now - clock.due))
    if state == "sent_late":
        return Message("safety.sent_late", time=span(clock.late))
    if state == "sent":
        return Message("safety.sent")
    return Message("safety.left", time=span(clock.due - now))


def span(lasting: timedelta) -> Message:
    """A time in words: days and hours, or hours and minutes below two days."""
    minutes = lasting // timedelta(minutes=1)
    hours = minutes // 60
    if hours >= 48:
        return Message("safety.days", d=hours // 24, h=hours % 24)
    return Message("safety.hours", h=hours, min=minutes % 60) if hours else Message("safety.minutes", min=minutes)
