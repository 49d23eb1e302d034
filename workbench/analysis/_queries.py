"""Queries to the rater: inconsistencies in a participant's assessments that a person has to look at.

A query accuses nobody and changes nothing. The limits are settings of the data review with the defaults of
:class:`Limits`; they are not thresholds of clinical change.
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
from workbench.messages import Message
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
"""Prefix of the items ``site_reported.nli`` and ``site_reported.ais``, a site's own classification."""


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
    """Limits from which a query is raised.

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
    limits : from which a query is raised.
    injured_at : UTC or ISO date of the injury (``Participant.injured_on``); ``""`` leaves out the rule of spinal
        shock.

    Raises
    ------
    BadValue
        ``injured_at`` is not a date.
    """
    everything = tuple(assessments)
    closed = tuple(record for record in everything if record.state != DRAFT)
    raised = [query for rule in RULES for query in rule(closed, limits)]
    raised += _alerts(everything)
    if injured_at:
        raised += _in_shock(closed, limits, injured_at=injured_at)
    return tuple(sorted(raised, key=lambda query: SEVERITIES.index(query.severity)))


# ----- one rule each


def _alerts(assessments: Sequence[Assessment]) -> Iterator[Query]:
    """A safety alert, also of a draft: it does not wait for the form to be complete."""
    for record in assessments:
        for alert in dict.fromkeys((*record.alerts, *(record.score.get("alerts") or ()))):
            yield Query("safety_alert", (record.id,), "", f"{name_of(record)}: {alert}", "high")


def _jump(assessments: Sequence[Assessment], limits: Limits) -> Iterator[Query]:
    """A score gets better by more than a share of its range, and the rater changed."""
    # Only under one state: a change of device or orthosis explains a jump by itself.
    for before, after in _neighbours(assessments, lambda record: tuple(under(record).values())):
        if before.rater == after.rater or before.visit_id == after.visit_id or not _known(after):
            continue
        # ISNCSCI has no meaningful grand total, so its sums are looked at one by one.
        parts = parts_of(after.score)
        has_total = "total" in parts and after.measure != "isncsci"
        for part in ("total",) if has_total else (part for part in parts if part != "total"):
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
            # 2 is normal sensation; above the lesion it should stay so.
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
        first, second = (str((exam.score.get("classes") or {}).get("ais", "")) for exam in (before, after))
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
    for before, after in _neighbours(
        [record for record in assessments if record.measure == "scim3"], lambda record: record.mode
    ):
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
    exams = [record for record in assessments if record.measure == "isncsci"]
    for grassp in (record for record in assessments if record.measure.startswith("grassp")):
        for exam in (record for record in exams if record.visit_id == grassp.visit_id):
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
    for exam in assessments:
        classes = exam.score.get("classes") or {}
        for name in ("nli", "ais"):
            value, computed = exam.items.get(f"{SITE}.{name}"), plain(str(classes.get(name, "")))
            if value is not None and not same_result(str(value), computed):
                yield Query(
                    "site_reported_differs",
                    (exam.id,),
                    name,
                    f"the site reported {name.upper()} {value}, computed is {computed or 'nothing'}; both are "
                    "kept: check cells and steps",
                    "medium",
                )


def _averaged(assessments: Sequence[Assessment], limits: Limits) -> Iterator[Query]:
    """Ashworth scores were averaged."""
    for record in (record for record in assessments if record.measure == "mas" and not limits.planned_mean):
        if "mean" in parts_of(record.score) and reading(record, "mean").value is not None:
            yield Query(
                "mas_averaged",
                (record.id,),
                "mean",
                "Ashworth scores are ordinal and were averaged; does the protocol plan that mean?",
                "low",
            )


def _no_time(assessments: Sequence[Assessment], _: Limits) -> Iterator[Query]:
    """A time of 0 s."""
    for record in assessments:
        timed = _timed(record)
        for code, value in record.items.items():
            if code in timed and isinstance(value, int | float) and value == 0:
                yield Query(
                    "time_zero",
                    (record.id,),
                    code,
                    f"{name_of(record)} {code} is 0 s; who was unable has no time: enter unable, or the time",
                    "high",
                )


def _in_shock(assessments: Sequence[Assessment], limits: Limits, *, injured_at: str) -> Iterator[Query]:
    """A neurological examination within hours of the injury."""
    earliest, latest = _span(injured_at, what="injured_at")
    for exam in assessments:
        if exam.measure != "isncsci" or not exam.administered_at:
            continue
        examined_at = _utc(exam.administered_at, what=f"administered_at of {exam.id}")
        if examined_at - latest < timedelta(hours=limits.shock_hours):
            shortest, longest = ((examined_at - end).total_seconds() / 3600 for end in (latest, earliest))
            # A date without a time may begin before the examination: a negative interval is then only imprecision.
            shortest = max(shortest, 0.0) if longest >= 0 else shortest
            interval = f"{longest:.0f} h" if shortest == longest else f"{shortest:.0f} to {longest:.0f} h"
            within = "inside" if longest < limits.shock_hours else "perhaps inside"
            yield Query(
                "within_spinal_shock",
                (exam.id,),
                "administered_at",
                f"the examination was made {interval} after the injury, {within} the first "
                f"{limits.shock_hours:g} h: is the date right, and is it a baseline?",
                # Certainly before the injury: one of the two dates is wrong.
                "high" if longest < 0 else "medium",
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
    for record in assessments:
        series.setdefault((record.measure, record.version, record.side, key(record)), []).append(record)
    for records in series.values():
        timed = all(record.administered_at for record in records)
        yield from pairwise(
            sorted(records, key=lambda record: moment(record.administered_at)) if timed else records
        )


def _exams(assessments: Sequence[Assessment]) -> Iterator[tuple[Assessment, Assessment]]:
    return _neighbours([record for record in assessments if record.measure == "isncsci"], lambda _: None)


def _gain(before: Assessment, after: Assessment, part: str) -> tuple[float | None, float]:
    """``(improvement, range)``; None where one of the two is not a number."""
    if part not in parts_of(before.score):
        return None, 0.0
    first, second = reading(before, part), reading(after, part)
    scale = None if second.high is None or second.low is None else second.high - second.low
    number = first.status == second.status == outcomes.OK
    if not number or not scale or first.value is None or second.value is None:
        return None, 0.0
    up = direction_of(after.measure, after.version, part) == "up"
    return (second.value - first.value) * (1 if up else -1), scale


def _grade(assessment: Assessment, code: str) -> int | None:
    """Examined number of an item, its tag ignored; None when missing or not testable."""
    value = assessment.items.get(code)
    text = examined(value) if isinstance(value, str) else str(value)
    return int(text) if text.isdigit() else None


def _known(assessment: Assessment) -> bool:
    return _definition(assessment) is not None


def _definition(assessment: Assessment) -> outcomes.Definition | None:
    try:
        versions = outcomes.load(assessment.measure).definitions
    except UnknownName:
        return None
    return next((definition for definition in versions if definition.version == assessment.version), None)


def _timed(assessment: Assessment) -> set[str]:
    """Codes of the items that are times."""
    definition = _definition(assessment)
    return (
        {item.code for item in (*definition.items, *definition.extras) if item.unit == "s"}
        if definition
        else set()
    )


def _span(text: str, *, what: str) -> tuple[datetime, datetime]:
    """First and last moment that a text can mean; a date states neither the hour nor the time zone of its day."""
    start = _utc(text, what=what)
    try:
        date.fromisoformat(text)
    except ValueError:
        return start, start
    return start - EAST, start + timedelta(days=1) + WEST


def _utc(text: str, *, what: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadValue(Message("rate.date", what=what, got=repr(text))) from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)
