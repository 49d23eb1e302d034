"""The safety desk: reports that are due, events, stopping rules and implants.

What could tell the arm of a participant is kept from who is blinded, and is not counted for them either: a number
that grows by one after a visit would tell it too. Through the service the desk is closed to them, and to who is
limited to a site, as rules count over all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from workbench import world
from workbench.clinic.asking import Question, Seen
from workbench.clinic.pages.entries import country_of, whole_row
from workbench.errors import Refused
from workbench.messages import Message
from workbench.study import Study, implants, obligations, reporting_rules, safety_desk
from workbench.study.concealment import SAFETY, Sight
from workbench.study.implants import Finding, Surveillance
from workbench.study.moments import text_of
from workbench.study.obligations import OpenObligation, Source, Stopping, Withheld

SENT = ("sent", "sent_late")
NAMED_DAYS = ("reporting.holiday", "reporting.worked")
"""Reasons why a day counts or does not that a calendar on the wall does not tell."""
MOST, MOST_SENT, MOST_PEOPLE = 200, 60, 2000
"""Rows of each list, reports that were sent, and participants to choose from; the rest are counted."""
ROWS = (*SAFETY, "obligation_event")
"""Tables whose rows the desk is about."""


@dataclass(frozen=True, slots=True)
class SafetyPage(Question):
    """Everything that the safety desk shows of the record (see ``widgets.SafetyDesk``)."""

    BLIND: ClassVar[bool] = False
    POLLED: ClassVar[bool] = True

    def answer(self, seen: Seen) -> dict[str, Any]:
        """The page, without how a change is signed there. Raises Refused for who is limited to a site."""
        _refuse_site(seen)
        study, now = seen.study, world.clock.now()
        shown = _Shown(study, seen.sight)
        due = [one for one in obligations.obligations(study, now) if shown.has((one.table, one.row_id))]
        off = [one for one in obligations.withheld(study) if shown.has((one.table, one.row_id))]
        rules = obligations.stopping(study)
        if shown.sight.concealed:
            # What waits for a judgement is counted in this, and some of it is kept from them.
            rules = tuple(replace(one, may_be_met=one.met) for one in rules)
        return {
            "study": study.code,
            "now": text_of(now),
            "today": seen.today.isoformat(),
            "concealed": shown.sight.concealed,
            "title": _title(due, now),
            "verdict": list(safety_desk.verdict(due, off, rules, now=now)[1:]),
            **_reports(due, now),
            "off": _off(off),
            **shown.events(),
            "stopping": [_rule(one, shown) for one in rules],
            **_implants(study, now.date(), shown.sight),
            "country": country_of(study),
            "participants": [row["pseudonym"] for row in study.rows("participant")][:MOST_PEOPLE],
        }


@dataclass(frozen=True, slots=True)
class SafetyRow(Question):
    """An adverse event, a device deficiency, or a row about a report of one.

    Attributes
    ----------
    table, row_id : which row.
    """

    table: str
    row_id: str
    BLIND: ClassVar[bool] = False

    def answer(self, seen: Seen) -> dict[str, Any]:
        """The row; of an event or deficiency with the pseudonym of whom it is about.

        Raises
        ------
        Refused, UnknownName
            It is of another table, or kept from who looks; there is no such row.
        """
        _refuse_site(seen)
        if self.table not in ROWS:
            raise Refused(Message("participant.table", table=f"{self.table!r:.60}", allowed=list(ROWS)))
        row = seen.study.get(self.table, self.row_id)
        seen.sight.check(seen.study, self.table, row)
        return whole_row(seen.study, row) if self.table in SAFETY else row


def _refuse_site(seen: Seen) -> None:
    if seen.served and seen.reader.sites:
        raise Refused(Message("clinic.all_sites", name=seen.reader.name, sites=list(seen.reader.sites)))


# ------------------------------------------------------------------------------ parts of the page
class _Shown:
    """Events and deficiencies that may be seen, newest first."""

    def __init__(self, study: Study, sight: Sight) -> None:
        self.sight = sight
        self._people = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
        self._rows = {
            table: [row for row in reversed(study.rows(table)) if not sight.hides(study, table, row)]
            for table in SAFETY
        }
        self._ids = {(table, row["id"]) for table, rows in self._rows.items() for row in rows}
        self._aware: dict[Source, str] = {}
        for row in study.rows("awareness"):
            source = row["table_name"], row["row_id"]
            self._aware[source] = min(self._aware.get(source, row["aware_utc"]), row["aware_utc"])

    def has(self, source: Source) -> bool:
        return source in self._ids

    def waiting(self, rule: str) -> list[dict[str, str]]:
        """Adverse events that nobody has judged for a stopping rule."""
        return [
            {"id": row["id"], "participant": self._people[row["participant_id"]], "term": row["term"]}
            for row in self._rows["adverse_event"]
            if row["state"] != "void" and rule not in row["stopping"]
        ]

    def events(self) -> dict[str, Any]:
        events, deficiencies = self._rows["adverse_event"], self._rows["device_deficiency"]
        real = [row for row in events if row["state"] != "void"]
        return {
            "events": [self._one("adverse_event", row, "term", "outcome") for row in events[:MOST]],
            "deficiencies": [self._one("device_deficiency", row, "device", "text") for row in deficiencies[:MOST]],
            "n_events": len(real),
            "n_serious": sum(bool(row["facts"]["serious"]) for row in real),
            "n_deficiencies": sum(row["state"] != "void" for row in deficiencies),
        }

    def _one(self, table: str, row: Mapping[str, Any], *names: str) -> dict[str, Any]:
        told = {name: row[name] for name in ("id", "onset", "facts", "state", *names)}
        return {
            **told,
            "participant": self._people.get(row["participant_id"], ""),
            "aware": self._aware.get((table, row["id"]), ""),
        }


def _title(due: Sequence[OpenObligation], now: datetime) -> Message:
    """The verdict on reports in a few words."""
    late = [now - one.due for one in due if one.state == "overdue"]
    soon = sum(one.state == "due_soon" for one in due)
    week = sum(one.state not in SENT and one.due - now <= safety_desk.WEEK for one in due)
    if late:
        by = obligations.span(max(late))
        told = (
            Message("desk.overdue_one", time=by)
            if len(late) == 1
            else Message("desk.overdue", n=len(late), time=by)
        )
        return Message("desk.overdue_and", overdue=told, n=soon) if soon else told
    if soon:
        return Message("desk.soon_one") if soon == 1 else Message("desk.soon", n=soon)
    if week:
        return Message("desk.week_one") if week == 1 else Message("desk.week", n=week)
    return Message("desk.none_due")


def _reports(due: Sequence[OpenObligation], now: datetime) -> dict[str, Any]:
    """Reports by urgency, and the rules that they are due under, each once."""
    waiting = [one for one in due if one.state not in SENT]
    sent = sorted((one for one in due if one.state in SENT), key=lambda one: one.sent_at, reverse=True)
    shown = [*waiting[:MOST], *sent[:MOST_SENT]]
    return {
        "reports": [_report(one, now) for one in shown],
        "laws": {name: _law(name) for name in {one.rule for one in shown}},
        "n_waiting": len(waiting),
        "n_sent": len(sent),
    }


def _report(one: OpenObligation, now: datetime) -> dict[str, Any]:
    names = (
        "table", "row_id", "participant", "what", "rule", "reporter", "state", "text", "due_text",
        "extended_until", "zone", "counted", "of", "sent_id", "sent_at", "reference", "late_because",
        "acknowledged_at", "kept",
    )  # fmt: skip
    return {
        **{name: getattr(one, name) for name in names},
        "key": f"{one.table} {one.row_id} {one.rule}",
        "addressees": list(one.addressees),
        "due": text_of(one.due),
        "aware": {"by": one.aware[0], "at": one.aware[1]},
        "days": _days(one, now) if one.days and one.state not in SENT else {},
        "told": [asdict(told) for told in one.told],
        "retracted": [asdict(was) for was in one.retracted],
        "warnings": list(one.warnings),
        "no_calendar": any(getattr(said, "code", "") == "reporting.unknown_calendar" for said in one.warnings),
    }


def _law(name: str) -> dict[str, Any]:
    """What a rule says."""
    rule = reporting_rules.shipped().rules[name]
    return {
        "regime": rule.regime, "clause": rule.clause, "year": rule.year, "citation": rule.citation,
        "time": rule.time, "hours": rule.unit == "hours",
    }  # fmt: skip


def _days(one: OpenObligation, now: datetime) -> dict[str, Any]:
    """The days of a clock in few characters, as there may be hundreds of clocks.

    ``counts`` has a ``1`` for each day that counts and a ``0`` for each other, ``today`` is the place of today,
    past the end once all are over, and ``why`` names the days off and the weekend days that are worked.
    """
    today = now.astimezone(ZoneInfo(one.zone)).date()
    return {
        "first": one.days[0].date.isoformat(),
        "counts": "".join("1" if day.counts else "0" for day in one.days),
        "today": sum(day.date < today for day in one.days),
        "why": [
            {"day": day.date.isoformat(), "text": day.why}
            for day in one.days
            if getattr(day.why, "code", "") in NAMED_DAYS
        ],
    }


def _off(off: Sequence[Withheld]) -> list[dict[str, Any]]:
    """Rules that would apply but are off, each with what it would apply to."""
    about: dict[Message, list[str]] = defaultdict(list)
    for one in off:
        for said in one.rules:
            about[said].append(f"{one.participant or '–'} {one.what}")
    return [{"rule": said.arguments["rule"], "text": said, "about": who[:MOST]} for said, who in about.items()]


def _rule(one: Stopping, shown: _Shown) -> dict[str, Any]:
    """A stopping rule; of who is blinded only whether it is met."""
    told = {"name": one.name, "counts": one.counts, "met": one.met, "may_be_met": one.may_be_met}
    if shown.sight.concealed:
        return told
    more = {"limit": one.limit, "unit": one.unit, "count": one.count, "pending": one.pending}
    return {**told, **more, "waiting": shown.waiting(one.name)[:MOST]}


def _implants(study: Study, today: date, sight: Sight) -> dict[str, Any]:
    """Implants with findings first; quiet ones together."""
    if sight.concealed:
        return {"implants": [], "quiet": {}, "implant_days": None}
    days = {one.implant_id: one.days for one in implants.implant_days(study, today)}
    found = implants.surveillance(study, today)
    loud = [_implant(one, days.get(one.implant_id, 0)) for one in found if not one.quiet]
    quiet = [days.get(one.implant_id, 0) for one in found if one.quiet]
    told = {
        "n": len(quiet), "from": min(quiet, default=0), "to": max(quiet, default=0),
        "checks": sum(len(one.findings) for one in found if one.quiet),
        "due": sum(check.state == "due" for one in found if one.quiet for check in one.checks),
    }  # fmt: skip
    return {
        "implants": loud[:MOST],
        "quiet": told if quiet else {},
        "n_implants": len(found),
        "implant_days": sum(days.values()),
    }


def _implant(one: Surveillance, days: int) -> dict[str, Any]:
    start = date.fromisoformat(one.implanted_on)

    def told(found: Finding) -> dict[str, Any]:
        day = (date.fromisoformat(found.found_on) - start).days
        return {"day": day, "on": found.found_on, "kind": found.kind, "notable": found.notable, "text": found.text}

    names = ("participant", "device", "serial", "location", "implanted_on", "explanted_on", "explant_reason")
    return {
        **{name: getattr(one, name) for name in names},
        "days": days,
        "findings": [told(found) for found in one.findings],
        "checks": [
            {**asdict(check), "day": (date.fromisoformat(check.planned) - start).days} for check in one.checks
        ],
    }
