"""The table of reporting rules: who reports which safety event to whom, within what time, by which text.

The table is a file with a version and a date, ``reporting_rules.json``, and no part of the code. A rule whose time
was entered from memory is off until somebody has looked it up and confirmed it for the version of the table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from workbench import reading
from workbench.errors import BadValue, UnknownName
from workbench.messages import Message
from workbench.study.safety import WORDS

Jurisdiction = Literal["US", "EU", "CN"]
Unit = Literal["hours", "calendar_days", "working_days"]
Mark = Literal["found", "memory"]
Reporter = Literal["investigator", "sponsor", "manufacturer"]
Addressee = Literal["authority", "FDA", "IRB", "investigators", "sponsor"]

FILE = Path(__file__).with_suffix(".json")
LARGEST, MOST_RULES, LONGEST = 1_000_000, 1_000, 400
"""Bytes of a table, rules in it, and hours or days of a rule."""
CLOSED = {
    "jurisdiction": get_args(Jurisdiction),
    "reporter": get_args(Reporter),
    "unit": get_args(Unit),
    "mark": get_args(Mark),
}
TEXTS = ("id", "regime", "clause", "citation")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table.

    Attributes
    ----------
    id : names it.
    jurisdiction, regime, clause, year : which text asks for it; None where the source names no edition.
    reporter, addressees : who reports, and to whom.
    applies_to : words of :mod:`workbench.study.safety`: it applies where all of any one tuple are true.
    unless : ids of stricter rules, in the place of which it stands where none of them is on and applies.
    amount, unit : time allowed from awareness.
    mark : ``"found"`` in a public source, or entered from ``"memory"``: off until it is confirmed.
    citation : where the time comes from.
    """

    id: str
    jurisdiction: Jurisdiction
    regime: str
    clause: str
    year: int | None
    reporter: Reporter
    addressees: tuple[Addressee, ...]
    applies_to: tuple[tuple[str, ...], ...]
    unless: tuple[str, ...]
    amount: int
    unit: Unit
    mark: Mark
    citation: str

    @property
    def time(self) -> Message:
        """The time allowed, in words."""
        if self.unit == "hours":
            return Message("reporting.hours", n=self.amount)
        if self.unit == "calendar_days":
            return Message("reporting.calendar_days", n=self.amount)
        return Message("reporting.working_days", n=self.amount)


@dataclass(frozen=True, slots=True)
class RuleConfirmation:
    """Somebody looked up a rule that was entered from memory, and found it true.

    Parameters
    ----------
    rule : its id.
    table_version : of the table in which they saw it; no other version is confirmed.
    person : who.
    utc : when, in UTC.

    Raises
    ------
    BadValue
        Without a name, or for a time that is not in UTC.
    """

    rule: str
    table_version: str
    person: str
    utc: datetime

    def __post_init__(self) -> None:
        check_who_and_when(self.person, self.utc)


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The rules of one version: ``version``, ``date`` (ISO), ``rules`` by id in the order of the file."""

    version: str
    date: str
    rules: Mapping[str, Rule]

    def on(self, confirmed: Collection[RuleConfirmation]) -> frozenset[str]:
        """Ids of the rules that are on: the found ones, and those confirmed for this version.

        Raises
        ------
        UnknownName
            When a confirmation for this version names no rule of the table.
        """
        named = {one.rule for one in confirmed if one.table_version == self.version}
        for name in sorted(named - set(self.rules)):
            raise UnknownName(Message("reporting.unknown_rule", got=repr(name), allowed=list(self.rules)))
        return frozenset(named | {rule.id for rule in self.rules.values() if rule.mark == "found"})


def check_who_and_when(person: str, utc: datetime) -> None:
    """Refuse an empty name, and what :func:`check_utc` refuses. Raises BadValue."""
    if not person.strip():
        raise BadValue(Message("reporting.nobody"))
    check_utc(utc)


def check_utc(utc: datetime) -> None:
    """Refuse a time that is not in UTC or no year of our time. Raises BadValue."""
    if utc.utcoffset() != timedelta(0) or not 1970 <= utc.year < 3000:
        raise BadValue(Message("reporting.utc", got=utc.isoformat()))


@cache
def shipped() -> RuleTable:
    """The table that comes with the workbench."""
    return read(FILE)


def read(path: Path) -> RuleTable:
    """A table of rules, checked.

    Raises
    ------
    BadValue
        When the file is no such table: the sentence names the rule and what is wrong.
    """
    what = Message("reporting.table")
    content = reading.parse_json(reading.read_text(path, what, largest=LARGEST), what)
    try:
        rows, version, day = content["rules"], content["version"], content["date"]
        if not (isinstance(version, str) and version and isinstance(rows, list) and len(rows) <= MOST_RULES):
            raise ValueError(version)
        date.fromisoformat(day)
        rules = [_rule(row) for row in rows]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, BadValue):
            raise
        raise BadValue(Message("reporting.no_table", path=reading.shown(path), why=f"{error!r:.200}")) from error
    table = RuleTable(version, day, {rule.id: rule for rule in rules})
    if len(table.rules) < len(rules):
        raise BadValue(Message("reporting.rule_twice", path=reading.shown(path)))
    for rule in rules:
        _check_unless(rule, table.rules)
    return table


def _rule(row: Mapping[str, Any]) -> Rule:
    rule = Rule(
        **{
            **row,
            "addressees": tuple(row["addressees"]),
            "applies_to": tuple(tuple(words) for words in row["applies_to"]),
            "unless": tuple(row["unless"]),
        }
    )
    for name in TEXTS:
        _check(rule, name, bool(isinstance(getattr(rule, name), str) and getattr(rule, name)))
    for name, allowed in CLOSED.items():
        _check(rule, name, getattr(rule, name) in allowed)
    _check(rule, "year", rule.year is None or type(rule.year) is int)
    _check(rule, "amount", type(rule.amount) is int and 1 <= rule.amount <= LONGEST)
    _check(rule, "addressees", bool(rule.addressees) and set(rule.addressees) <= set(get_args(Addressee)))
    # A misspelt word would never be true, and its rule never due.
    _check(rule, "applies_to", all(words and set(words) <= set(WORDS) for words in rule.applies_to or ((),)))
    return rule


def _check_unless(rule: Rule, rules: Mapping[str, Rule]) -> None:
    """A rule may give way only to one that asks the same people for more."""
    for name in rule.unless:
        other = rules.get(name)
        same = other is not None and (
            (other.jurisdiction, other.reporter, other.unit) == (rule.jurisdiction, rule.reporter, rule.unit)
            and other.amount < rule.amount
            and set(other.addressees) >= set(rule.addressees)
        )
        _check(rule, "unless", same)


def _check(rule: Rule, name: str, holds: bool) -> None:  # noqa: FBT001 - says what was found
    if not holds:
        got = f"{getattr(rule, name)!r:.80}"
        raise BadValue(Message("reporting.rule_field", rule=str(rule.id)[:80], name=name, got=got))
