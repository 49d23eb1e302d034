"""When current flowed, and how much charge each contact has borne. Seconds of one clock, given by the caller."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.stimulation._findings import Finding
from workbench.stimulation._limits import ElectrodeLimits
from workbench.stimulation._programme import Place, name_of
from workbench.stimulation._quantities import above

TOUCHING_S = 1e-9
"""Intervals that lie no further apart are one, s."""


class OnTimes:
    """Intervals in which current flowed through each lead.

    Parameters
    ----------
    limits : of each lead.
    """

    def __init__(self, limits: Mapping[str, ElectrodeLimits]) -> None:
        self._limits = dict(limits)
        self._intervals: dict[str, list[tuple[float, float]]] = {lead: [] for lead in limits}

    def add(self, lead: str, start: float, end: float) -> None:
        """Current flowed.

        Parameters
        ----------
        lead : through which.
        start, end : s, not before what was added last.
        """
        intervals = self._intervals[lead]
        if intervals and start - intervals[-1][1] <= TOUCHING_S:
            intervals[-1] = (intervals[-1][0], end)
        else:
            intervals.append((start, end))
        horizon = end - self._limits[lead].window_s
        while len(intervals) > 1 and intervals[0][1] < horizon:
            intervals.pop(0)

    def since(self, lead: str, start: float) -> float:
        """How long current flowed after ``start``, s."""
        return sum(end - max(begin, start) for begin, end in self._intervals[lead] if end > start)

    def findings(self, lead: str, now: float, *, on: bool, ahead_s: float) -> list[Finding]:
        """What would be passed if current went on.

        Parameters
        ----------
        lead : which.
        now : s.
        on : whether current flows through it; otherwise, whether it may begin.
        ahead_s : how long it would flow for, if it were ordered off with the next look, or never again, s.
        """
        limits, intervals = self._limits[lead], self._intervals[lead]
        found = []
        # Current that was let through a moment ago has left no interval yet.
        touches = bool(intervals) and now - intervals[-1][1] <= TOUCHING_S
        began = intervals[-1][0] if on and touches else now
        burst, most = now + ahead_s - began, limits.limits["burst_s"]
        if above(burst, most):
            found.append(Finding("burst", burst, most, lead))
        share = (self.since(lead, now + ahead_s - limits.window_s) + ahead_s) / limits.window_s
        if above(share, limits.limits["duty"]):
            found.append(Finding("duty", share, limits.limits["duty"], lead))
        rest = now - intervals[-1][1] if intervals else inf
        least = limits.limits["refractory_s"]
        # A time that is just over in decimal may be just short of it in float64.
        if not on and above(least, rest):
            found.append(Finding("refractory", rest, least, lead))
        return found


class Dose:
    """Charge that each contact has borne, µC: counted as if every ramp were at its higher end until it is over.

    Parameters
    ----------
    limits : of each lead.
    earlier_uc : borne earlier on the same day, over all sessions.

    Raises
    ------
    BadValue
        For a charge that is not a number from 0.
    """

    def __init__(self, limits: Mapping[str, ElectrodeLimits], *, earlier_uc: Mapping[Place, float]) -> None:
        for place, charge in earlier_uc.items():
            # Not `<`: a number that is none is refused too.
            if not 0 <= charge < inf:
                raise BadValue(Message("stimulation.dose_wrong", contact=name_of(place), got=f"{charge}"))
        self._limits = dict(limits)
        self._earlier = dict(earlier_uc)
        self._session: dict[Place, float] = {}

    def add(self, per_s: Mapping[Place, float], seconds: float) -> None:
        """Charge a second of each contact, µC/s, flowed for so long."""
        for place, charge in per_s.items():
            if charge:
                self._session[place] = self._session.get(place, 0.0) + charge * seconds

    def session_uc(self, place: Place) -> float:
        """Charge of this session, µC."""
        return self._session.get(place, 0.0)

    def day_uc(self, place: Place) -> float:
        """Charge of the day, over all sessions, µC."""
        return self._earlier.get(place, 0.0) + self.session_uc(place)

    def state_earlier(self, earlier_uc: Mapping[Place, float]) -> None:
        """Charge of the day outside of this session, µC; what was counted is never given back."""
        for place, charge in earlier_uc.items():
            self._earlier[place] = max(charge, self._earlier.get(place, 0.0))

    def findings(self, per_s: Mapping[Place, float], *, ahead_s: float) -> list[Finding]:
        """What would be passed if current went on, with charge a second by contact, for ``ahead_s`` s."""
        found = []
        for place, charge in per_s.items():
            if not charge:
                continue
            limits, more = self._limits[place[0]].limits, charge * ahead_s
            session, day = self.session_uc(place) + more, self.day_uc(place) + more
            if above(session, limits["dose_session_uc"]):
                found.append(Finding("dose_session", session, limits["dose_session_uc"], name_of(place)))
            if above(day, limits["dose_day_uc"]):
                found.append(Finding("dose_day", day, limits["dose_day_uc"], name_of(place)))
        return found
