"""Implant-days: how long devices were in place, and events per exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from workbench.analysis._exact import Interval, poisson_interval
from workbench.errors import BadValue

PER = 1000.0
"""Implant-days per which events are given."""


@dataclass(frozen=True, slots=True)
class ImplantDays:
    """Exposure to an implant.

    Attributes
    ----------
    n : participants with an implant.
    days : of all of them together; ``by_participant`` of each.
    longest, middle : longest and median, days.
    cut : the data cut, ISO date.
    events, rate, interval : number of events, events per 1000 implant-days with the exact Poisson 95 % interval;
        None when no events were given, or no day has passed.
    """

    n: int
    days: int
    by_participant: Mapping[str, int]
    longest: int
    middle: float
    cut: str
    events: int | None
    rate: float | None
    interval: Interval | None

    def line(self) -> str:
        """One sentence."""
        exposure = (
            f"{self.days} implant-days in {self.n} participants (median {self.middle:g}, longest {self.longest}; "
            f"cut {self.cut})"
        )
        if self.events is None or self.rate is None or self.interval is None:
            return exposure
        low, high = self.interval
        return (
            f"{exposure}; {self.events} events = {self.rate:.2f} per {PER:g} implant-days "
            f"(95 % CI {low:.2f}–{high:.2f}, Poisson)"
        )


def implant_days(
    implanted: Mapping[str, str],
    *,
    cut: str,
    ended: Mapping[str, str] | None = None,
    events: int | None = None,
) -> ImplantDays:
    """Implant-days up to the data cut.

    Parameters
    ----------
    implanted : participant → day of implantation, ISO date (a UTC time is read by its date).
    cut : day of the data cut. The day of implantation counts as day 0.
    ended : participant → day of explantation or death, for those whose exposure has ended.
    events : number of events to give a rate for.

    Raises
    ------
    BadValue
        Nobody, a text that is not a date, an end or cut before the implantation, an end without an implantation.
    """
    if not implanted:
        raise BadValue("implant-days need at least one implanted participant, got none")
    stops = ended or {}
    strangers = sorted(set(stops) - set(implanted))
    if strangers:
        raise BadValue(f"{', '.join(strangers)} have an end of exposure and no implantation; give both")
    last = _day(cut, what="cut")
    days = {}
    for name, text in implanted.items():
        start = _day(text, what=f"implantation of {name}")
        end = min(last, _day(stops[name], what=f"end of {name}")) if name in stops else last
        # The end of exposure counts up to the cut: what happened later is not known to this analysis.
        if end < start:
            raise BadValue(f"{name} was implanted on {start}, after {end}; correct it, or choose a later cut")
        days[name] = (end - start).days
    total = sum(days.values())
    has_rate = events is not None and total > 0
    return ImplantDays(
        n=len(days),
        days=total,
        by_participant=days,
        longest=max(days.values()),
        middle=float(median(days.values())),
        cut=last.isoformat(),
        events=events,
        rate=PER * (events or 0) / total if has_rate else None,
        interval=poisson_interval(events or 0, exposure=total / PER) if has_rate else None,
    )


def _day(text: str, *, what: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except (TypeError, ValueError) as error:
        raise BadValue(f"the {what} must be an ISO date such as 2026-03-01, got {text!r}") from error
