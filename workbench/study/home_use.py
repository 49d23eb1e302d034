"""What a participant did at home, from the record alone: days, minutes, STOPs, faults, implant-days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from workbench.study import implants, planned
from workbench.vocabulary import HomeRule

if TYPE_CHECKING:
    from workbench.study.record import Study

PLACE = "home"
"""Place of a session whose use counts here."""


@dataclass(frozen=True, slots=True)
class HomeDay:
    """One day of use.

    Attributes
    ----------
    day : ISO date by the clock of the computer that reads. minutes : of recorded runs.
    runs, stops, faults : how many; a fault is a row of high priority that is no STOP.
    """

    day: str
    minutes: float
    runs: int
    stops: int
    faults: int


@dataclass(frozen=True, slots=True)
class HomeUse:
    """Use at home of one participant.

    Attributes
    ----------
    days : on which the device was used, in order. implant_days : of all implants together.
    """

    days: tuple[HomeDay, ...]
    implant_days: int

    def minutes_of(self, day: date) -> float:
        """Minutes of use of a day."""
        return sum(one.minutes for one in self.days if one.day == day.isoformat())


def rule_of(study: Study, participant_id: str) -> HomeRule | None:
    """The rule for use at home of the protocol that a participant takes part under, None where it has none.

    Parameters
    ----------
    study : the open record.
    participant_id : whose.
    """
    protocol, _version = planned.protocol_of(study, participant_id)
    return None if protocol is None else protocol.home_use


def of_participant(study: Study, participant_id: str, on: date) -> HomeUse:
    """Use at home up to a day.

    Parameters
    ----------
    study : the open record.
    participant_id : whose.
    on : the last day that counts.
    """
    days: dict[str, list[float]] = {}
    for visit in study.rows("visit", participant_id=participant_id):
        for session in study.rows("session", visit_id=visit["id"]):
            if session["plan"].get("place") == PLACE:
                _count_session(study, session, days)
    counted = [(day, counts) for day, counts in sorted(days.items()) if day <= on.isoformat()]
    used = tuple(
        HomeDay(day, minutes, int(runs), int(stops), int(faults))
        for day, (minutes, runs, stops, faults) in counted
    )
    pseudonym = study.get("participant", participant_id)["pseudonym"]
    in_place = [one.days for one in implants.implant_days(study, on) if one.participant == pseudonym]
    return HomeUse(used, sum(in_place))


def _count_session(study: Study, session: Mapping[str, Any], days: dict[str, list[float]]) -> None:
    """Add what a session holds to its days: minutes, runs, STOPs and faults."""
    if not session["started"]:  # planned
        return
    between = study.rows("session_ledger", session_id=session["id"])
    _add(days, _day(session["started"]), 0.0, 0, between)
    for run in study.rows("run", session_id=session["id"]):
        recorded = study.rows("recording", run_id=run["id"])
        minutes = sum(row["n_samples"] / row["fs"] for row in recorded if row["fs"] > 0) / 60.0
        began = str(run["summary"].get("started") or session["started"])
        _add(days, _day(began), minutes, 1, study.rows("ledger", run_id=run["id"]))


def _add(
    days: dict[str, list[float]], day: str, minutes: float, runs: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    stops = sum(row["kind"] == "estop" for row in rows)
    faults = sum(row["priority"] == "high" and row["kind"] != "estop" for row in rows)
    # A session in which nothing ran and nothing happened is no use.
    if runs or stops or faults:
        counts = days.setdefault(day, [0.0, 0, 0, 0])
        for i, value in enumerate((minutes, runs, stops, faults)):
            counts[i] += value


def _day(utc: str) -> str:
    """Local day of a moment in UTC."""
    return datetime.fromisoformat(utc).astimezone().date().isoformat()
