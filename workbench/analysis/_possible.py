"""The possible values of a score that is not a single number, and of a change.

A sum with an untested item lies between the sums with the worst and with the best value of that item; a time
that ended at the protocol's cap is at least the cap. A responder rule is judged over all these possibilities: a
participant who responds in all of them is a responder, in none is not, and is otherwise not determinable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf
from statistics import fmean

from workbench import outcomes
from workbench.analysis._change import reaches
from workbench.analysis._scores import Undetermined, definition_of, name_of, number_of, reading
from workbench.outcomes import Definition, Item, Threshold
from workbench.outcomes.isncsci.tables import examined
from workbench.vocabulary import Assessment


@dataclass(frozen=True, slots=True)
class Possible:
    """Least and greatest value that a part of a stored score can have, and what leaves it open (``""`` = nothing).

    ``high`` is infinite for a time that ended at the cap.
    """

    low: float
    high: float
    why: str = ""

    def words(self) -> str:
        """``12``, ``12 to 17`` or ``60 or more``."""
        if self.low == self.high:
            return f"{self.low:g}"
        return f"{self.low:g} or more" if self.high == inf else f"{self.low:g} to {self.high:g}"


def possible(assessment: Assessment, part: str = "total") -> Possible:
    """The values that one part of a score can have.

    Raises
    ------
    Refused
        A draft, or a score that is invalid or missing by design.
    Undetermined
        A score that is not determinable and no plain sum of its items, so that it has no known bounds.
    """
    try:
        value = number_of(assessment, part)
    except Undetermined:
        stored = reading(assessment, part)
        if stored.status == outcomes.CENSORED and stored.value is not None:
            return Possible(
                stored.value, inf, f"{name_of(assessment)} {part} ended at the cap of {stored.value:g}"
            )
        bounds = _sum_bounds(assessment, part)
        if bounds is None:
            raise
        return bounds
    return Possible(value, value)


def additive(definition: Definition, part: str) -> bool:
    """Whether a part is the plain sum of items that each have a list of numbers, as its range shows."""
    items, low, high = _items(definition, part)
    lists = [_numbers(item) for item in items]
    if not lists or not all(lists):
        return False
    # A scale that is weighted, or has a maximum below the sum of its items, fails this check.
    return (sum(map(min, lists)), sum(map(max, lists))) == (low, high)


def _sum_bounds(assessment: Assessment, part: str) -> Possible | None:
    """Bounds of a sum: scored once with the least and once with the greatest value of each untested item."""
    definition = definition_of(assessment.measure, assessment.version)
    if not additive(definition, part):
        return None
    items, *_ = _items(definition, part)
    untested = [item for item in items if not _tested(assessment.items.get(item.code))]
    low, high = (
        _scored(assessment, {item.code: pick(_numbers(item)) for item in untested}, definition, part)
        for pick in (min, max)
    )
    if low is None or high is None:
        return None
    names = ", ".join(item.code for item in untested[:5])
    others = f" and {len(untested) - 5} more" if len(untested) > 5 else ""
    return Possible(low, high, f"{names}{others} not tested")


def _scored(
    assessment: Assessment, filled: Mapping[str, float], definition: Definition, part: str
) -> float | None:
    """The part with these values filled in, by the options that enter the score; None where it still has none."""
    entering = {option.name for option in definition.options if option.agree}
    scored = outcomes.score(
        assessment.measure,
        {**assessment.items, **filled},
        version=assessment.version,
        **{name: value for name, value in assessment.options.items() if name in entering},
    )
    sub = scored.total if part == "total" else scored.subscores[part]
    return None if sub is None or sub.value is None else float(sub.value)


def _items(definition: Definition, part: str) -> tuple[tuple[Item, ...], float | None, float | None]:
    """Items of a part and the range of their sum."""
    for scale in definition.subscales:
        if scale.code == part:
            return tuple(definition.item(code) for code in scale.items), scale.low, scale.high
    if part == "total":
        return definition.items, definition.low, definition.high
    return (), None, None


def _numbers(item: Item) -> list[int | float]:
    """The allowed numbers of an item; empty when one of its values is not a number, such as the label 1+."""
    numbers = [value for value in item.allowed if not isinstance(value, str)]
    return numbers if len(numbers) == len(item.allowed) else []


def _tested(stored: object) -> bool:
    """Whether an item has an examined number, its tag ignored."""
    return examined(stored).isdigit() if isinstance(stored, str) else stored is not None


@dataclass(frozen=True, slots=True)
class ChangeRange:
    """Possible values of a change where one of the two scores is not a single number.

    Attributes
    ----------
    part, direction : of the score, and of better.
    before, after : what the two can be.
    """

    part: str
    direction: str
    before: Possible
    after: Possible

    def reached(self, threshold: Threshold) -> bool | None:
        """Whether every possibility reaches the threshold, or none; None when it depends.

        A difference, and a percentage of a baseline above 0, are monotone in both scores, so that their extremes
        lie at the ends of the ranges.
        """
        # A percentage is not monotone where the baseline may pass 0.
        if threshold.unit == "%" and self.before.low <= 0:
            return None
        verdicts = {
            self._reaches(before, after, threshold)
            for before, after in product({self.before.low, self.before.high}, {self.after.low, self.after.high})
            # Two open ends say nothing about their difference; the corners with one open end bound it.
            if not before == after == inf
        }
        return verdicts.pop() if len(verdicts) == 1 else None

    def _reaches(self, before: float, after: float, threshold: Threshold) -> bool | None:
        improvement = after - before if self.direction == "up" else before - after
        if before == inf and threshold.unit == "%":
            return improvement > 0 and threshold.size <= 100  # the share of a growing baseline tends to all of it
        return reaches(improvement, threshold, before=before)

    def words(self, threshold: Threshold) -> str:
        """The known range, and the verdict with what leaves it open."""
        verdict = {
            True: "reached in every possibility",
            False: "reached in no possibility",
            None: "not determinable, it depends on what is open",
        }[self.reached(threshold)]
        why = "; ".join(dict.fromkeys(score.why for score in (self.before, self.after) if score.why))
        return (
            f"{self.part} {self.before.words()} → {self.after.words()}: {threshold.describe()} {verdict} ({why})"
        )


def change_range(before: Sequence[Assessment], after: Assessment, *, part: str, direction: str) -> ChangeRange:
    """Possible values of a change.

    Parameters
    ----------
    before : the baseline records that count; several are averaged.
    after : the later assessment, comparable with each of them.
    part : ``"total"`` or the code of a subscore.
    direction : of better, ``"up"`` or ``"down"``.

    Raises
    ------
    Refused, Undetermined
        As :func:`possible`.
    """
    scores = [possible(record, part) for record in before]
    why = "; ".join(dict.fromkeys(score.why for score in scores if score.why))
    first = Possible(fmean(score.low for score in scores), fmean(score.high for score in scores), why)
    return ChangeRange(part, direction, first, possible(after, part))
