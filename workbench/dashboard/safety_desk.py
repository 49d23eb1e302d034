"""The safety desk of a page: reports that are due, events, stopping rules and implants, and what is changed there.

What could tell the arm of a participant is kept from who is blinded, and is not counted for them either: a number
that grows by one after a visit would tell it too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from workbench import world
from workbench.dashboard.entries import country_of, typed, whole_row
from workbench.dashboard.visits import VisitService
from workbench.errors import Refused, UnknownName
from workbench.messages import Message
from workbench.study import Signer, Study, implants, obligations, record_file, reporting_rules, safety_desk
from workbench.study.applying import Change
from workbench.study.changes import from_text
from workbench.study.changes.reporting import (
    ConfirmRule,
    ExtendObligation,
    MarkSeen,
    MarkSent,
    RetractSent,
    TellSomebody,
)
from workbench.study.changes.safety_events import (
    JudgeEvent,
    ReportDeficiency,
    ReportEvent,
    ReviseDeficiency,
    ReviseEvent,
)
from workbench.study.concealment import SAFETY, Sight, sight_of
from workbench.study.implants import Finding, Surveillance
from workbench.study.moments import text_of
from workbench.study.obligations import OpenObligation, Source, Stopping, Withheld

OFFERED: dict[str, type[Change]] = {
    kind.__name__: kind
    for kind in (
        MarkSent, RetractSent, ExtendObligation, TellSomebody, MarkSeen, ConfirmRule, JudgeEvent, ReportEvent,
        ReviseEvent, ReportDeficiency, ReviseDeficiency,
    )
}  # fmt: skip
"""Changes that the page makes, by name."""
ANSWERING = (MarkSeen.__name__, RetractSent.__name__)
"""Changes whose ``event_id`` is a row about a report, and not an adverse event."""
SENT = ("sent", "sent_late")
NAMED_DAYS = ("reporting.holiday", "reporting.worked")
"""Reasons why a day counts or does not that a calendar on the wall does not tell."""
MOST, MOST_SENT, MOST_PEOPLE = 200, 60, 2000
"""Rows of each list, reports that were sent, and participants to choose from; the rest are counted."""
LONGEST_TEXT = 20_000
"""Characters of what is typed into one field."""


class DeskService:
    """What the safety desk of a page may ask of the record.

    Parameters
    ----------
    visits : of the same page: opens the record, and knows who is signed in.
    """

    def __init__(self, visits: VisitService) -> None:
        self._visits = visits
        self._read: tuple[Any, dict[str, Any]] = (None, {})

    # ------------------------------------------------------------------------------ reading
    def page(self) -> dict[str, Any]:
        """What the page shows (see ``widgets.SafetyDesk``); read again when the record changed, or the minute."""
        local = world.clock.local()
        who = (self._visits.person_id, self._visits.signed_in)
        state = (record_file.state(self._visits.folder), local.strftime("%Y-%m-%d %H:%M"), who)
        if self._read[0] != state:
            with self._visits.record() as study:
                self._read = (state, self._page(study, world.clock.now()))
        return {**self._read[1], "read_at": local.strftime("%H:%M")}

    def _page(self, study: Study, now: datetime) -> dict[str, Any]:
        shown = _Shown(study, self._sight(study))
        due = [one for one in obligations.obligations(study, now) if shown.has((one.table, one.row_id))]
        off = [one for one in obligations.withheld(study) if shown.has((one.table, one.row_id))]
        rules = obligations.stopping(study)
        if shown.sight.concealed:
            # What waits for a judgement is counted in this, and some of it is kept from them.
            rules = tuple(replace(one, may_be_met=one.met) for one in rules)
        return {
            "study": study.code,
            "now": text_of(now),
            "today": world.clock.local().date().isoformat(),
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
            "signing": self._signing(study),
            "roles": {name: list(kind.ROLES) for name, kind in OFFERED.items()},
        }

    def row(self, table: str, row_id: str) -> dict[str, Any]:
        """All of an adverse event or a device deficiency, for a form that revises it.

        Parameters
        ----------
        table, row_id : which row.

        Raises
        ------
        Refused
            It is of another table, or kept from who looks.
        UnknownName
            There is no such row.
        """
        if table not in SAFETY:
            raise Refused(Message("participant.table", table=f"{table!r:.60}", allowed=list(SAFETY)))
        with self._visits.record() as study:
            row = study.get(table, str(row_id))
            self._sight(study).check(study, table, row)
            return whole_row(study, row)

    def _sight(self, study: Study) -> Sight:
        return sight_of(study, self._visits.person_id, self._visits.signed_in)

    def _signing(self, study: Study) -> dict[str, str]:
        """How a change is signed, and the name and sign-in name of who is signed in."""
        how = "signed_in" if self._visits.signed_in else "password" if study.people() else "script"
        return {"how": how, "login": self._visits.login, "name": self._visits.signed_in}

    # ------------------------------------------------------------------------------ changing
    def make(
        self, change: str, fields: Mapping[str, str], *, reason: str = "", login: str = "", password: str = ""
    ) -> None:
        """Make one change in the name of who is signed in, else of who signs it there and then.

        Parameters
        ----------
        change : name of one of :data:`OFFERED`.
        fields : of the change, as text.
        reason : for it, ``""`` for none.
        login, password : of who makes it while nobody is signed in; the password is checked and forgotten.

        Raises
        ------
        Refused, BadValue, UnknownName
            Whatever is not right, in one sentence. Nothing is written.
        """
        if change not in OFFERED:
            raise UnknownName(Message("participant.change", got=f"{change!r:.60}", known=list(OFFERED)))
        given = typed(fields, longest=LONGEST_TEXT)
        with self._visits.record() as study:
            sight = self._sight(study)
            for table, row_id in _named(change, given):
                sight.check(study, table, study.get(table, row_id))
            made = from_text(study, OFFERED[change], given)
            signer = self._signer(study, str(login), str(password))
            study.apply(made, signer, str(reason)[:LONGEST_TEXT])

    def _signer(self, study: Study, login: str, password: str) -> Signer:
        if self._visits.signed_in or not study.people():
            # Where nobody can sign in a script does; the record takes it where all participants are simulated.
            return self._visits.signer(study, {"simulated": True})
        return study.sign_in(login, password)


def _named(change: str, given: Mapping[str, str]) -> list[Source]:
    """Rows that a change is about; a table that is none is refused by the change itself."""
    found = []
    if given.get("table") in SAFETY:
        found.append((given["table"], given.get("row_id", "")))
    if "event_id" in given:
        found.append(("obligation_event" if change in ANSWERING else "adverse_event", given["event_id"]))
    if "deficiency_id" in given:
        found.append(("device_deficiency", given["deficiency_id"]))
    return found


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
    found = implants.surveillance(study)
    loud = [_implant(one, days.get(one.implant_id, 0)) for one in found if not one.quiet]
    quiet = [days.get(one.implant_id, 0) for one in found if one.quiet]
    told = {
        "n": len(quiet), "from": min(quiet, default=0), "to": max(quiet, default=0),
        "checks": sum(len(one.findings) for one in found if one.quiet),
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
    }
