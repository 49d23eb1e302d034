"""Reports of safety events: rules confirmed, reports sent, people told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from workbench.errors import BadValue, Refused, UnknownName
from workbench.messages import Message
from workbench.study import obligations, reporting_rules
from workbench.study.applying import Applying, Change
from workbench.study.changes.safety_events import REPORTERS, source_of
from workbench.study.moments import text_of, utc_of
from workbench.study.obligations import Clock

ANSWERS = {"sent": "acknowledged", "told": "seen"}
"""What answers what was done."""


@dataclass(frozen=True, slots=True)
class ConfirmRule(Change):
    """A reporting rule that was entered from memory was looked up, and is true: it is on from now.

    Attributes
    ----------
    rule : its id in the table of rules.
    source : where it was looked up.
    """

    rule: str
    source: str
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "safety_officer")

    def apply(self, record: Applying) -> str:
        """Add the confirmation, for the present version of the table."""
        table = reporting_rules.shipped()
        if self.rule not in table.rules:
            raise UnknownName(
                Message("reporting.unknown_rule", got=f"{self.rule!r:.60}", allowed=list(table.rules))
            )
        if not self.source.strip():
            raise BadValue(Message("safety.no_source", rule=self.rule))
        if self.rule in table.on(obligations.confirmations(record)):
            raise Refused(Message("safety.on_already", rule=self.rule))
        return record.insert("rule_confirmation", rule=self.rule, table_version=table.version, source=self.source)


@dataclass(frozen=True, slots=True)
class MarkSent(Change):
    """A report was sent; one that was late needs the reason why, and leaves a deviation.

    Attributes
    ----------
    table, row_id : the event or deficiency.
    rule : under which it was due.
    reference : of what was sent.
    at : when, UTC; ``""`` for now.
    """

    table: str
    row_id: str
    rule: str
    reference: str
    at: str = ""
    ROLES: ClassVar[tuple[str, ...]] = REPORTERS

    def apply(self, record: Applying) -> str:
        """Add that it was sent, and how late."""
        source, clock = _due(record, self.table, self.row_id, self.rule)
        if not self.reference.strip():
            raise BadValue(Message("safety.no_reference", rule=self.rule))
        at = utc_of(self.at or record.utc, latest=utc_of(record.utc))
        # Not the awareness of the clock: where the day ends sooner, a later one in another zone may be that.
        told = record.rows("awareness", table_name=self.table, row_id=self.row_id)
        start = min(utc_of(row["aware_utc"]) for row in told)
        if at < start:
            raise BadValue(Message("safety.sent_before", at=text_of(at), start=text_of(start)))
        late = at - clock.due
        is_late = late >= timedelta(0)
        if is_late and not record.reason.strip():
            raise BadValue(Message("safety.late_why", rule=self.rule, time=obligations.span(late)))
        row_id = _add(
            record, self, source, "sent", at=text_of(at), reference=self.reference, due=text_of(clock.due),
            # At least a second: 0 says that it was in time.
            late_s=max(1, int(late.total_seconds())) if is_late else 0,
        )  # fmt: skip
        if is_late:
            text = Message("safety.late", rule=self.rule, time=obligations.span(late), why=record.reason)
            record.deviate("reporting", source["participant_id"], ("obligation_event", row_id), text)
        return row_id


@dataclass(frozen=True, slots=True)
class RetractSent(Change):
    """A report was marked as sent by mistake: its clock runs as before, and both entries stay; needs a reason.

    Attributes
    ----------
    event_id : row that says that it was sent.
    """

    event_id: str
    ROLES: ClassVar[tuple[str, ...]] = REPORTERS

    def apply(self, record: Applying) -> str:
        """Add that it was not sent."""
        sent = record.row("obligation_event", self.event_id)
        if sent["action"] != "sent" or record.rows("obligation_event", event_id=self.event_id, action="retracted"):
            raise Refused(Message("safety.not_to_retract", action=sent["action"]))
        if not record.reason.strip():
            raise BadValue(Message("safety.retract_why", rule=sent["rule"]))
        return _answer(record, sent, "retracted", record.utc)


@dataclass(frozen=True, slots=True)
class ExtendObligation(Change):
    """Whoever a report is due to gave more time; needs a reason. What the rule asks stays on record.

    Attributes
    ----------
    table, row_id, rule : as of :class:`MarkSent`.
    until : before which it is due now, UTC.
    reference : of the permission.
    person : who gave it.
    """

    table: str
    row_id: str
    rule: str
    until: str
    reference: str
    person: str
    ROLES: ClassVar[tuple[str, ...]] = REPORTERS

    def apply(self, record: Applying) -> str:
        """Add the extension, while there is still time."""
        source, clock = _due(record, self.table, self.row_id, self.rule)
        until = utc_of(self.until)
        if not (record.reason.strip() and self.reference.strip() and self.person.strip()):
            raise BadValue(Message("safety.extension_why"))
        if utc_of(record.utc) >= clock.due:
            raise Refused(Message("safety.extension_late", due=text_of(clock.due)))
        if until <= clock.due:
            raise BadValue(Message("safety.extension_no_gain", due=text_of(clock.due), got=text_of(until)))
        return _add(
            record, self, source, "extension", at=record.utc, reference=self.reference, person=self.person,
            due=text_of(until),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TellSomebody(Change):
    """Somebody was told of an event, or of a report that is due.

    Attributes
    ----------
    table, row_id : the event or deficiency.
    person : who was told.
    how : by phone, in person, by mail.
    next_step : what is to happen next.
    rule : of the report, ``""`` for the event as a whole.
    at : when, UTC; ``""`` for now.
    """

    table: str
    row_id: str
    person: str
    how: str
    next_step: str = ""
    rule: str = ""
    at: str = ""
    ROLES: ClassVar[tuple[str, ...]] = (*REPORTERS, "engineer")

    def apply(self, record: Applying) -> str:
        """Add who was told."""
        source = source_of(record, self.table, self.row_id)
        if self.rule:
            _clock(record, self.table, self.row_id, self.rule)
        if not (self.person.strip() and self.how.strip()):
            raise BadValue(Message("safety.told_whom"))
        at = utc_of(self.at or record.utc, latest=utc_of(record.utc))
        return _add(
            record, self, source, "told", at=text_of(at), person=self.person, how=self.how,
            next_step=self.next_step,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class MarkSeen(Change):
    """Who was told has seen it, or who a report went to has confirmed it.

    Attributes
    ----------
    event_id : row of what was told or sent.
    at : when, UTC; ``""`` for now.
    reference : of the answer, ``""`` for none.
    """

    event_id: str
    at: str = ""
    reference: str = ""
    ROLES: ClassVar[tuple[str, ...]] = (*REPORTERS, "engineer")

    def apply(self, record: Applying) -> str:
        """Add that it was seen or acknowledged."""
        told = record.row("obligation_event", self.event_id)
        action = ANSWERS.get(told["action"])
        done = {row["action"] for row in record.rows("obligation_event", event_id=self.event_id)}
        if action is None or done & {action, "retracted"}:
            raise Refused(Message("safety.not_to_answer", action=told["action"]))
        at = utc_of(self.at or record.utc, latest=utc_of(record.utc))
        if at < utc_of(told["at"]):
            raise BadValue(Message("safety.seen_before", at=text_of(at), told=told["at"]))
        return _answer(record, told, action, text_of(at), reference=self.reference)


def _clock(record: Applying, table: str, row_id: str, rule: str) -> Clock:
    """The report of that rule. Raises UnknownName where none is due under it."""
    found = {clock.obligation.rule: clock for clock in obligations.clocks(record, (table, row_id))}
    if rule not in found:
        raise UnknownName(Message("safety.not_due", rule=f"{rule!r:.60}", due=list(found) or Message("word.none")))
    return found[rule]


def _due(record: Applying, table: str, row_id: str, rule: str) -> tuple[dict[str, Any], Clock]:
    """The event or deficiency, and its report that is not sent yet."""
    source, clock = source_of(record, table, row_id), _clock(record, table, row_id, rule)
    if clock.sent is not None:
        raise Refused(
            Message("safety.sent_already", rule=rule, at=clock.sent["at"], reference=clock.sent["reference"])
        )
    return source, clock


def _add(record: Applying, change: Any, source: dict[str, Any], action: str, **values: Any) -> str:
    """A row about a report or an event; columns that are not given are empty."""
    empty = {"event_id": "", "due": "", "late_s": 0, "person": "", "how": "", "reference": "", "next_step": ""}
    version = reporting_rules.shipped().version
    return record.insert(
        "obligation_event", participant_id=source["participant_id"], table_name=change.table, row_id=change.row_id,
        rule=change.rule, table_version=version, action=action, reason=record.reason, **{**empty, **values},
    )  # fmt: skip


def _answer(record: Applying, about: dict[str, Any], action: str, at: str, *, reference: str = "") -> str:
    """A row about something that was done about a report."""
    same = {
        name: about[name] for name in ("participant_id", "table_name", "row_id", "rule", "table_version", "person")
    }
    return record.insert(
        "obligation_event", **same, action=action, event_id=about["id"], at=at, due="", late_s=0, how="",
        reference=reference, reason=record.reason, next_step="",
    )  # fmt: skip
