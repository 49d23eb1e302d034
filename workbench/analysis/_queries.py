"""Queries to the rater: what looks wrong in a participant's assessments and has to be looked at by a person.

A query accuses nobody and changes nothing. The limits are settings of the data review with the defaults of
:class:`Limits`; they are no thresholds of clinical change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from workbench import outcomes
from workbench.analysis._change import moment
from workbench.analysis._isncsci import ais_change, plain
from workbench.analysis._scores import DRAFT, direction_of, name_of, parts_of, reading
from workbench.analysis._state import under
from workbench.errors import BadValue, UnknownName
from workbench.outcomes.isncsci.tables import DERMATOMES, LIGHT, MUSCLES, PIN, PLACE, examined, same_result
from workbench.vocabulary import Assessment

SEVERITIES = ("high", "medium", "low")
SHARED: dict[str, str] = {
    "C5": "strength_elbow_flexors",
    "C6": "strength_wrist_extensors",
    "C7": "strength_elbow_extensors",
    "C8": "strength_finger_flexors",
    "T1": "strength_finger_abductors",
}
"""Key muscle of the ISNCSCI → the GRASSP item that tests the same muscle."""
EAST, WEST = timedelta(hours=14), timedelta(hours=12)
"""How much earlier than in UTC a day begins farthest east, and how much later it ends farthest west."""
SITE = "site_reported"
"""Items ``site_reported.nli`` and ``site_reported.ais`` hold a site's own classification."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question to the rater.

    Attributes
    ----------
    rule : code of the rule.
    assessments : ids of the assessments it is about, the earlier first.
    item : item, cell or part of the score, ``""`` for the whole assessment.
    sentence : what was seen and what is asked.
    severity : ``"high"``, ``"medium"`` or ``"low"``.
    """

    rule: str
    assessments: tuple[str, ...]
    item: str
    sentence: str
    severity: str


@dataclass(frozen=True, slots=True)
class Limits:
    """When something is asked.

    Attributes
    ----------
    jump_share : share of a score's range by which it may get better between visits when the rater changes.
    muscle_grades : grades by which a key muscle of the arm changes between examinations.
    scim_drop : points that the SCIM total loses.
    grassp_grades : grades between GRASSP strength and ISNCSCI motor score of one muscle at one visit.
    shock_hours : hours after the injury in which an examination may be made in spinal shock.
    planned_mean : the protocol plans a mean of Ashworth scores.
    """

    jump_share: float = 0.2
    muscle_grades: int = 3
    scim_drop: float = 1.0
    grassp_grades: int = 2
    shock_hours: float = 72.0
    planned_mean: bool = False


DEFAULT = Limits()
Rule = Callable[[Sequence[Assessment], Limits], Iterator[Query]]


def queries(
    assessments: Iterable[Assessment], *, limits: Limits = DEFAULT, injured_at: str = ""
) -> tuple[Query, ...]:
    """Queries about the assessments of one participant, the most severe first.

    Parameters
    ----------
    assessments : all of one participant. They are put in order by when they were administered where all of a
        measure say so, and else kept in the order given.
    limits : when something is asked.
    injured_at : UTC or ISO date of the injury (``Participant.injured_on``); ``""`` leaves out the rule of spinal
        shock.

    Raises
    ------
    BadValue
        ``injured_at`` is no date.
    """
    everything = tuple(assessments)
    closed = tuple(one for one in everything if one.state != DRAFT)
    found = [query for rule in RULES for query in rule(closed, limits)]
    found += _alerts(everything)
    if injured_at:
        found += _in_shock(closed, limits, injured_at=injured_at)
    return tuple(sorted(found, key=lambda query: SEVERITIES.index(query.severity)))


# ----- one rule each


def _alerts(assessments: Sequence[Assessment]) -> Iterator[Query]:
    """A safety alert, also of a draft: it does not wait for the form to be complete."""
    for one in assessments:
        for told in dict.fromkeys((*one.alerts, *(one.score.get("alerts") or ()))):
            yield Query("safety_alert", (one.id,), "", f"{name_of(one)}: {told}", "high")


def _jump(assessments: Sequence[Assessment], limits: Limits) -> Iterator[Query]:
    """A score gets better by more than a share of its range, and the rater changed."""
    for before, after in _neighbours(assessments, lambda one: tuple(under(one).values())):
        if before.rater == after.rater or before.visit_id == after.visit_id or not _known(after):
            continue
        parts = parts_of(after.score)
        whole = "total" in parts and after.measure != "isncsci"
        for part in ("total",) if whole else (part for part in parts if part != "total"):
            gain, scale = _gain(before, after, part)
            if gain is not None and gain > limits.jump_share * scale:
                share = f"{100 * gain / scale:.0f} % of its range"
                yield Query(
                    "jump_with_new_rater",
                    (before.id, after.id),
                    part,
                    f"{name_of(after)} {part} got better by {gain:g} ({share}) while the rater changed from "
                    f"{before.rater} to {after.rater}; was it administered and scored alike?",
                    "medium",
                )


def _muscle(assessments: Sequence[Assessment], limits: Limits) -> Iterator[Query]:
    """A key muscle of the arm changes by several grades."""
    for before, after in _exams(assessments):
        for side in ("right", "left"):
            for muscle in MUSCLES[:5]:
                code = f"{side}.motor.{muscle}"
                old, new = _grade(before, code), _grade(after, code)
                if old is not None and new is not None and abs(new - old) >= limits.muscle_grades:
                    yield Query(
                        "muscle_jump",
                        (before.id, after.id),
                        code,
                        f"{side} {muscle} went from {old} to {new}; is that the right side, muscle and position?",
                        "medium",
                    )


def _sensation(assessments: Sequence[Assessment], _: Limits) -> Iterator[Query]:
    """Normal sensation above the level of injury is lost."""
    for before, after in _exams(assessments):
        nli = plain(str((before.score.get("classes") or {}).get("nli", "")))
        if nli not in PLACE:
            continue
        for code in (
            f"{side}.{grid}.{segment}"
            for side in ("right", "left")
            for grid in (LIGHT, PIN)
            for segment in DERMATOMES
            if PLACE[segment] <= PLACE[nli]
        ):
            new = _grade(after, code)
            if _grade(before, code) == 2 and new is not None and new < 2:
                yield Query(
                    "sensation_lost_above",
                    (before.id, after.id),
                    code,
                    f"{code} was normal and at or above the NLI {nli}, and is {new} now; was it examined against "
                    "the face, and is there another cause?",
                    "medium",
                )


def _grade_worse(assessments: Sequence[Assessment], _: Limits) -> Iterator[Query]:
    """The AIS got worse."""
    for before, after in _exams(assessments):
        first, second = (str((one.score.get("classes") or {}).get("ais", "")) for one in (before, after))
        if ais_change(first, second).kind == "worse":
            yield Query(
                "ais_worse",
                (before.id, after.id),
                "ais",
                f"AIS went from {plain(first)} to {plain(second)}; is there a clinical cause? Else check the "
                "anorectal examination (an NLI that moved down can do it too)",
                "high",
            )


def _scim(assessments: Sequence[Assessment], limits: Limits) -> Iterator[Query]:
    """The SCIM total drops."""
    for before, after in _neighbours([one for one in assessments if one.measure == "scim3"], lambda one: one.mode):
        gain, _ = _gain(before, after, "total") if _known(after) else (None, 0.0)
        if gain is not None and -gain >= limits.scim_drop:
            yield Query(
                "scim_drop",
                (before.id, after.id),
                "total",
                f"SCIM III total dropped by {-gain:g}; is there a reason such as illness, or another rater?",
                "medium",
            )


def _grassp(assessments: Sequence[Assessment], limits: Limits) -> Iterator[Query]:
    """GRASSP strength and motor score of one muscle differ at one visit."""
    exams = [one for one in assessments if one.measure == "isncsci"]
    for grassp in (one for one in assessments if one.measure.startswith("grassp")):
        for exam in (one for one in exams if one.visit_id == grassp.visit_id):
            for side, (muscle, item) in ((s, pair) for s in ("right", "left") for pair in SHARED.items()):
                cell, code = f"{side}.motor.{muscle}", f"{side}_{item}"
                motor, strength = _grade(exam, cell), _grade(grassp, code)
                if motor is None or strength is None or abs(motor - strength) < limits.grassp_grades:
                    continue
                yield Query(
                    "grassp_and_motor_score",
                    (exam.id, grassp.id),
                    code,
                    f"GRASSP {code} is {strength} and ISNCSCI {cell} is {motor} at one visit; the definitions of "
                    "4 and 5 differ, more than that should not",
                    "low",
                )


def _site(assessments: Sequence[Assessment], _: Limits) -> Iterator[Query]:
    """The site's own classification differs from the computed one; both are kept."""
    for one in assessments:
        classes = one.score.get("classes") or {}
        for name in ("nli", "ais"):
            value, computed = one.items.get(f"{SITE}.{name}"), plain(str(classes.get(name, "")))
            if value is not None and not same_result(str(value), computed):
                yield Query(
                    "site_reported_differs",
                    (one.id,),
                    name,
                    f"the site reported {name.upper()} {value}, computed is {computed or 'nothing'}; both are "
                    "kept: check cells and steps",
                    "medium",
                )


def _averaged(assessments: Sequence[Assessment], limits: Limits) -> Iterator[Query]:
    """Ashworth scores were averaged."""
    for one in (one for one in assessments if one.measure == "mas" and not limits.planned_mean):
        if "mean" in parts_of(one.score) and reading(one, "mean").value is not None:
            yield Query(
                "mas_averaged",
                (one.id,),
                "mean",
                "Ashworth scores are ordinal and were averaged; does the protocol plan that mean?",
                "low",
            )


def _no_time(assessments: Sequence[Assessment], _: Limits) -> Iterator[Query]:
    """A time of 0 s."""
    for one in assessments:
        timed = _timed(one)
        for code, value in one.items.items():
            if code in timed and isinstance(value, int | float) and value == 0:
                yield Query(
                    "time_zero",
                    (one.id,),
                    code,
                    f"{name_of(one)} {code} is 0 s; who was unable has no time: enter unable, or the time",
                    "high",
                )


def _in_shock(assessments: Sequence[Assessment], limits: Limits, *, injured_at: str) -> Iterator[Query]:
    """A neurological examination within hours of the injury."""
    earliest, latest = _span(injured_at, what="injured_at")
    for one in assessments:
        if one.measure != "isncsci" or not one.administered_at:
            continue
        examined_at = _utc(one.administered_at, what=f"administered_at of {one.id}")
        if examined_at - latest < timedelta(hours=limits.shock_hours):
            least, most = ((examined_at - end).total_seconds() / 3600 for end in (latest, earliest))
            least = max(least, 0.0) if most >= 0 else least
            told = f"{most:.0f} h" if least == most else f"{least:.0f} to {most:.0f} h"
            within = "inside" if most < limits.shock_hours else "perhaps inside"
            yield Query(
                "within_spinal_shock",
                (one.id,),
                "administered_at",
                f"the examination was made {told} after the injury, {within} the first {limits.shock_hours:g} h: "
                "is the date right, and is it a baseline?",
                "high" if most < 0 else "medium",
            )


RULES: tuple[Rule, ...] = (
    _jump, _muscle, _sensation, _grade_worse, _scim, _grassp, _site, _averaged, _no_time,
)  # fmt: skip
"""In the order of the specification; alerts and spinal shock come beside them."""


# ----- what the rules share


def _neighbours(
    assessments: Sequence[Assessment], key: Callable[[Assessment], Any]
) -> Iterator[tuple[Assessment, Assessment]]:
    """Pairs that follow each other, of one measure, version and side, and alike in ``key``."""
    series: dict[Any, list[Assessment]] = {}
    for one in assessments:
        series.setdefault((one.measure, one.version, one.side, key(one)), []).append(one)
    for records in series.values():
        timed = all(one.administered_at for one in records)
        yield from pairwise(sorted(records, key=lambda one: moment(one.administered_at)) if timed else records)


def _exams(assessments: Sequence[Assessment]) -> Iterator[tuple[Assessment, Assessment]]:
    return _neighbours([one for one in assessments if one.measure == "isncsci"], lambda _: None)


def _gain(before: Assessment, after: Assessment, part: str) -> tuple[float | None, float]:
    """``(improvement, range)``; None where one of the two has no number."""
    if part not in parts_of(before.score):
        return None, 0.0
    first, second = reading(before, part), reading(after, part)
    scale = None if second.high is None or second.low is None else second.high - second.low
    number = first.status == second.status == outcomes.OK
    if not number or not scale or first.value is None or second.value is None:
        return None, 0.0
    up = direction_of(after.measure, after.version, part) == "up"
    return (second.value - first.value) * (1 if up else -1), scale


def _grade(one: Assessment, code: str) -> int | None:
    """Examined number of an item, its tag ignored; None when missing or not testable."""
    value = one.items.get(code)
    text = examined(value) if isinstance(value, str) else str(value)
    return int(text) if text.isdigit() else None


def _known(one: Assessment) -> bool:
    return _definition(one) is not None


def _definition(one: Assessment) -> outcomes.Definition | None:
    try:
        versions = outcomes.load(one.measure).definitions
    except UnknownName:
        return None
    return next((found for found in versions if found.version == one.version), None)


def _timed(one: Assessment) -> set[str]:
    """Codes of the items that are times."""
    found = _definition(one)
    return {item.code for item in (*found.items, *found.extras) if item.unit == "s"} if found else set()


def _span(text: str, *, what: str) -> tuple[datetime, datetime]:
    """First and last moment that a text can mean; a date leaves open the hour, and the time zone of its day."""
    start = _utc(text, what=what)
    try:
        date.fromisoformat(text)
    except ValueError:
        return start, start
    return start - EAST, start + timedelta(days=1) + WEST


def _utc(text: str, *, what: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadValue(f"{what} must be UTC or an ISO date such as 2026-03-01, got {text!r}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
