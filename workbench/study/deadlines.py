"""When a safety event must be reported: obligations as a function of everything that was known, and when.

A clock starts when somebody becomes aware, never at onset. A time in hours is exact. A time in days runs to the
end of the last day in the time zone of awareness, where the local day of awareness is day 0; no day is added where
the last one is a weekend or a holiday. Working days are those of the United States for a rule of the US, of China
for one of CN, and of the country of the site for one of the EU.

An edit never restarts a clock: of every awareness of facts under which a rule applies, the one counts by which the
report is due first; in one time zone that is the earliest. What was due once stays due, also when later facts no
longer ask for it, and says why it was kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study import reporting_rules, safety, working_days
from workbench.study.reporting_rules import Jurisdiction, Rule, RuleConfirmation, RuleTable
from workbench.study.safety import Facts
from workbench.study.working_days import Day

CALENDARS = {"US": "US", "CN": "CN"}
"""Country whose working days count, by jurisdiction; else that of the site."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Awareness:
    """When somebody became aware.

    Parameters
    ----------
    utc : the moment, in UTC.
    zone : time zone of the person then, an IANA name such as ``"Europe/Berlin"``.
    person : who.

    Raises
    ------
    BadValue
        For a time that is not in UTC, an unknown zone, or an empty name.
    """

    utc: datetime
    zone: str
    person: str

    def __post_init__(self) -> None:
        reporting_rules.check_who_and_when(self.person, self.utc)
        _zone(self.zone)

    @property
    def local(self) -> datetime:
        """The moment on the clock of the zone."""
        return self.utc.astimezone(_zone(self.zone))


@dataclass(frozen=True, slots=True)
class Revision:
    """The facts of an event or a deficiency as they were stated, and when somebody became aware of them."""

    facts: Facts
    awareness: Awareness


@dataclass(frozen=True, slots=True)
class Obligation:
    """One report that is due.

    Attributes
    ----------
    rule, table_version : the rule and the version of its table.
    awareness : from which the time counts.
    due : the moment before which it must be sent, UTC; of a time in days the midnight that ends the last one.
    due_text : the same in the time zone of awareness.
    days : day by day from that of awareness to the last one; empty for a time in hours.
    warnings : what was assumed, and which calendar is not known.
    kept : why it is still due where the facts no longer ask for it; None where they do.
    """

    rule: str
    table_version: str
    awareness: Awareness
    due: datetime
    due_text: Message
    days: tuple[Day, ...]
    warnings: tuple[Message, ...]
    kept: Message | None = None

    @property
    def start(self) -> datetime:
        """When the clock started, UTC."""
        return self.awareness.utc.astimezone(UTC)


def obligations(
    facts: Facts,
    jurisdictions: Collection[Jurisdiction],
    awareness: Awareness,
    confirmed: Collection[RuleConfirmation] = (),
    *,
    country: str,
    table: RuleTable | None = None,
) -> tuple[Obligation, ...]:
    """What must be reported of one statement of facts: :func:`obligations_over` of a history of one.

    Parameters
    ----------
    facts : of an event or a deficiency.
    jurisdictions : whose rules the study is under.
    awareness : of the facts.
    confirmed, country, table : as of :func:`obligations_over`.
    """
    history = [Revision(facts, awareness)]
    return obligations_over(history, jurisdictions, confirmed, country=country, table=table)


def obligations_over(
    history: Sequence[Revision],
    jurisdictions: Collection[Jurisdiction],
    confirmed: Collection[RuleConfirmation] = (),
    *,
    country: str,
    table: RuleTable | None = None,
) -> tuple[Obligation, ...]:
    """What must be reported of an event or a deficiency, by everything that was stated of it.

    Parameters
    ----------
    history : its statements in the order in which they were made.
    jurisdictions : whose rules the study is under.
    confirmed : rules from memory that somebody looked up; the others are off, and :func:`withheld` names them.
    country : of the site, ISO 3166-1 alpha-2 (``"DE"``).
    table : the rules; those that come with the workbench unless given.

    Returns
    -------
    tuple
        The obligations, first due first.

    Raises
    ------
    BadValue
        Without a statement, or for a country or jurisdiction that is none.
    UnknownName
        When a confirmation names no rule of the table.
    """
    table = table or reporting_rules.shipped()
    rules = _rules(history, jurisdictions, table)
    working_days.check_country(country)
    on = table.on(confirmed)
    stated = [safety.words(revision.facts) for revision in history]
    due = []
    for rule in rules:
        asking = [_asks(rule, words) for words in stated]
        heard = [_asks(rule, words) and not _stricter(rule, words, table, on) for words in stated]
        if rule.id in on and any(heard):
            clocks = [_clock(rule, table, r.awareness, country) for r, asks in zip(history, asking) if asks]
            # Not the earliest awareness: the day of a zone further east may end later all the same.
            first = min(clocks, key=lambda clock: (clock.due, clock.start))
            kept = None if heard[-1] else _kept(first, asks=asking[-1])
            warnings = (*_assumptions(rule, history[-1].facts), *first.warnings)
            due.append(replace(first, kept=kept, warnings=warnings))
    return tuple(sorted(due, key=lambda one: (one.due, one.rule)))


def withheld(
    history: Sequence[Revision],
    jurisdictions: Collection[Jurisdiction],
    confirmed: Collection[RuleConfirmation] = (),
    *,
    table: RuleTable | None = None,
) -> tuple[Message, ...]:
    """Sentences about rules that would apply but are off, so that no list of obligations is taken for complete.

    Parameters
    ----------
    history, jurisdictions, confirmed, table : as of :func:`obligations_over`, whose errors it raises.
    """
    table = table or reporting_rules.shipped()
    on = table.on(confirmed)
    stated = [safety.words(revision.facts) for revision in history]
    return tuple(
        Message("reporting.withheld", rule=rule.id, time=rule.time, version=table.version)
        for rule in _rules(history, jurisdictions, table)
        if rule.id not in on and any(_asks(rule, words) for words in stated)
    )


def _rules(
    history: Sequence[Revision], jurisdictions: Collection[Jurisdiction], table: RuleTable
) -> tuple[Rule, ...]:
    """Rules of some jurisdictions, once the question makes sense."""
    if not history:
        raise BadValue(Message("reporting.no_history"))
    allowed = reporting_rules.CLOSED["jurisdiction"]
    for name in jurisdictions:
        if name not in allowed:
            got = f"{name!r:.40}"
            raise BadValue(Message("reporting.word", name="jurisdictions", allowed=list(allowed), got=got))
    return tuple(rule for rule in table.rules.values() if rule.jurisdiction in jurisdictions)


def _asks(rule: Rule, words: Collection[str]) -> bool:
    return any(set(needed) <= set(words) for needed in rule.applies_to)


def _stricter(rule: Rule, words: Collection[str], table: RuleTable, on: Collection[str]) -> bool:
    """Whether a stricter rule stands in the place of this one; one that is off stands nowhere."""
    return any(name in on and _asks(table.rules[name], words) for name in rule.unless)


def _kept(clock: Obligation, *, asks: bool) -> Message:
    day = clock.awareness.local.date().isoformat()
    if asks:
        return Message("reporting.kept_beside_stricter", day=day)
    return Message("reporting.kept_after_downgrade", day=day)


def _clock(rule: Rule, table: RuleTable, awareness: Awareness, country: str) -> Obligation:
    """When a report is due by one awareness."""
    zone = _zone(awareness.zone)
    country = CALENDARS.get(rule.jurisdiction, country)
    days = _days(rule, awareness.local.date(), country)
    if days:
        due = datetime.combine(days[-1].date + ONE_DAY, time(), tzinfo=zone).astimezone(UTC)
        text = Message("reporting.due_day", day=days[-1].date.isoformat(), zone=awareness.zone)
    else:
        # In UTC: on the clock of a zone an hour may be missing or come twice.
        due = awareness.utc.astimezone(UTC) + timedelta(hours=rule.amount)
        moment = due.astimezone(zone).isoformat(sep=" ", timespec="minutes")
        text = Message("reporting.due_moment", moment=moment, zone=awareness.zone)
    warnings = _unknown_calendar(rule, days, country)
    return Obligation(rule.id, table.version, awareness, due, text, days, warnings)


def _days(rule: Rule, aware_on: date, country: str) -> tuple[Day, ...]:
    """Every day from that of awareness to the last one of a time in days; none for a time in hours."""
    if rule.unit == "hours":
        return ()
    days, counted, day = [Day(aware_on, counts=False, why=Message("reporting.day_of_awareness"))], 0, aware_on
    while counted < rule.amount:
        day += ONE_DAY
        judged = working_days.judge(country, day) if rule.unit == "working_days" else Day(day, counts=True)
        days.append(judged)
        counted += judged.counts
    return tuple(days)


def _assumptions(rule: Rule, facts: Facts) -> tuple[Message, ...]:
    needed = {word for words in rule.applies_to for word in words}
    return tuple(sentence for word, sentence in safety.assumed(facts).items() if word in needed)


def _unknown_calendar(rule: Rule, days: Sequence[Day], country: str) -> tuple[Message, ...]:
    if rule.unit != "working_days":
        return ()
    years = sorted({day.date.year for day in days if not working_days.knows(country, day.date)})
    listed = [str(year) for year in years]
    return (Message("reporting.unknown_calendar", country=country, years=listed),) if years else ()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError) as error:
        raise BadValue(Message("reporting.zone", got=f"{name!r:.60}")) from error
