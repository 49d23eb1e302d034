"""Which days are working days: Monday to Friday without public holidays, and the weekend days that are worked.

Of a country's calendar the days off of the whole country count; a holiday of one of its regions is a working day
here, so that a deadline never comes later for it. Where the calendar of a year is not known, every day from Monday
to Friday is a working day: the earliest date that days off can lead to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays

from workbench.errors import BadValue
from workbench.messages import Message

COUNTRY = re.compile("[A-Z]{2}")
ANNOUNCED = ("CN",)
"""Countries that announce each year's days off, and the weekend days worked for them, in the autumn before."""
AHEAD = timedelta(days=14)
"""How long before 1 January a weekend day may be worked for the new year's days off."""
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a deadline: its date, whether it counts, and why where it is not an ordinary one (else None)."""

    date: date
    counts: bool
    why: Message | None = None


@dataclass(frozen=True, slots=True)
class _Year:
    """Days off of a year by date, with their names, and weekend days that are worked."""

    off: Mapping[date, str]
    worked: frozenset[date]


def check_country(country: str) -> None:
    """Refuse what is no country code. Raises BadValue."""
    if not COUNTRY.fullmatch(country):
        raise BadValue(Message("reporting.country", got=f"{country!r:.40}"))


def knows(country: str, day: date) -> bool:
    """Whether the calendar of a country says all that there is to say of a day."""
    known = _year(country, day.year) is not None
    return known and (country not in ANNOUNCED or _year(country, (day + AHEAD).year) is not None)


def judge(country: str, day: date) -> Day:
    """Whether a day is a working day in a country, and why."""
    year = _year(country, day.year)
    if day.weekday() >= SATURDAY:
        worked = year is not None and day in year.worked
        return Day(day, worked, Message("reporting.worked") if worked else Message("reporting.weekend"))
    if year is not None and day in year.off:
        return Day(day, counts=False, why=Message("reporting.holiday", name=year.off[day]))
    return Day(day, counts=True)


@cache
def _year(country: str, year: int) -> _Year | None:
    """The calendar of a year; None where it is not known."""
    try:
        # The days off of a January may have been worked for in the December before.
        found = holidays.country_holidays(country, years=(year, year + 1), expand=False, language="en_US")
    except NotImplementedError:
        return None
    worked = frozenset(day for day in found.weekend_workdays if day.year == year)
    unannounced = country in ANNOUNCED and not worked
    if unannounced or not found.start_year <= year <= found.end_year:
        return None
    return _Year({day: name for day, name in found.items() if day.year == year}, worked)
