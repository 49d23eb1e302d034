"""Moments and days as they are typed: UTC times, ISO dates, and dates of which only a part is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study.reporting_rules import check_utc
from workbench.vocabulary import DatePrecision

FARTHEST_EAST = timedelta(hours=14)
"""No time zone is further ahead of UTC: a day that has begun there has begun."""
FORMS: Mapping[DatePrecision, re.Pattern[str]] = {
    "unknown": re.compile(""),
    "year": re.compile(r"\d{4}"),
    "month": re.compile(r"\d{4}-\d\d"),
    "day": re.compile(r"\d{4}-\d\d-\d\d"),
    "minute": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d"),
}
FIRST = "0000-01-01T00:00"
"""What completes a date of which only a part is known."""


def utc_of(text: str, *, latest: datetime | None = None) -> datetime:
    """A moment in UTC.

    Parameters
    ----------
    text : ISO 8601 with its offset, as ``"2026-03-01T09:30Z"``.
    latest : moment that it must not lie after.

    Raises
    ------
    BadValue
        For a text that is no such moment, or one that lies ahead.
    """
    try:
        moment = datetime.fromisoformat(text)
        check_utc(moment)
    except (ValueError, TypeError) as error:
        raise BadValue(Message("safety.moment", got=f"{text!r:.40}")) from error
    if latest is not None and moment > latest:
        raise BadValue(Message("safety.ahead", got=text_of(moment), now=text_of(latest)))
    return moment.astimezone(UTC)


def text_of(moment: datetime) -> str:
    """A moment as the record keeps it: ``2026-03-01T09:30:00.000Z``."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def day_of(text: str, *, now: datetime) -> date:
    """A day that has begun somewhere on earth.

    Parameters
    ----------
    text : ISO date.
    now : the present moment, UTC.

    Raises
    ------
    BadValue
        For a text that is no date, or a day to come.
    """
    try:
        day = date.fromisoformat(text) if FORMS["day"].fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise BadValue(Message("visit.no_day", got=f"{text!r:.40}"))
    if day > (now + FARTHEST_EAST).date():
        raise BadValue(Message("safety.day_ahead", got=text))
    return day


def precision_of(text: str, *, latest: datetime) -> DatePrecision:
    """How much of a date is known, from the date itself.

    Parameters
    ----------
    text : ``""``, ``2026``, ``2026-03``, ``2026-03-01`` or ``2026-03-01T09:30``, on the clock of the place.
    latest : moment, UTC, before which it began.

    Raises
    ------
    BadValue
        For any other text, or a date that had begun nowhere on earth.
    """
    found = next((name for name, form in FORMS.items() if form.fullmatch(text)), None)
    try:
        start = datetime.fromisoformat(text + FIRST[len(text) :]) if found and text else None
    except ValueError:
        found, start = None, None
    if found is None:
        raise BadValue(Message("safety.onset", got=f"{text!r:.40}"))
    if start is not None and start > (latest + FARTHEST_EAST).replace(tzinfo=None):
        raise BadValue(Message("safety.onset_ahead", got=text, latest=text_of(latest)))
    return found
