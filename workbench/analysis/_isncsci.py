"""Change variables of the neurological examination (ISNCSCI 2019): sums, levels, AIS, zones.

A level or grade of which several values are possible (ND) is compared over all of them: what all possibilities
have in common is stated, the rest is not determinable and names the cells that decide. INT (intact) lies below
every key muscle. Motor recovery counts key-muscle segments only (C5–T1, L2–S1): elsewhere the motor level follows
sensation. Conversion A → B (return of sensation) is reported separately from conversion to C or D (return of
movement).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from workbench import outcomes
from workbench.analysis._change import NONE, Change, change
from workbench.analysis._scores import number_of
from workbench.analysis._state import Across, check_comparable, effect_words, state_words
from workbench.errors import BadValue, Refused
from workbench.outcomes import Threshold
from workbench.outcomes import isncsci as examination
from workbench.outcomes.isncsci.tables import KEY, ORDER, PLACE
from workbench.vocabulary import Assessment

SUMS = ("uems", "lems", "light_touch", "pin_prick")
SIDES = ("right", "left")
GRADES = tuple("ABCDE")
Steps = tuple[int, int]
"""Least and greatest number of steps over all possibilities, above 0 = better."""


@dataclass(frozen=True, slots=True)
class LevelChange:
    """Change of one level, caudal = better.

    Attributes
    ----------
    variable, before, after : as ``"motor_right"``; the levels as classified, tags left out, several possible ones
        joined by commas.
    segments : difference in segments, None when it is not the same in every possibility.
    motor_segments : of them, those that are motor recovery; None also for a level that is not motor.
    steps : least and greatest difference over all possibilities, in motor segments for a motor level and else in
        segments; None when undefined.
    reason : why it is undefined, or which cells decide, else ``""``.
    """

    variable: str
    before: str
    after: str
    segments: int | None
    motor_segments: int | None
    steps: Steps | None
    reason: str = ""

    def line(self) -> str:
        """One phrase."""
        change = f"{self.variable} {self.before} → {self.after}"
        if self.steps is None:
            return f"{change}, undefined: {self.reason}"
        lowest, highest = self.steps
        if self.motor_segments is not None and (self.segments is None or self.segments != self.motor_segments):
            total = "" if self.segments is None else f"{self.segments:+d} segments, of which "
            return f"{change}, {total}{self.motor_segments:+d} with key muscles"
        if self.segments is not None:
            return f"{change}, {self.segments:+d} segments"
        kind = "segments with key muscles" if self.variable.startswith("motor_") else "segments"
        verdict = "" if lowest > 0 or highest < 0 else "not determinable, "
        return f"{change}, {verdict}{lowest:+d} to {highest:+d} {kind} ({self.reason})"


@dataclass(frozen=True, slots=True)
class AisChange:
    """Change of the AIS grade.

    Attributes
    ----------
    before, after : grades as classified, tags left out; several possible ones joined by commas.
    grades : difference, above 0 = better; None when it is not the same in every possibility.
    steps : least and greatest difference over all possibilities; None without a grade.
    kind : ``"none"``, ``"sensory"`` (A → B), ``"motor"`` (to C or D), ``"normal"`` (to E), ``"worse"`` or, where
        the possibilities differ, ``"undefined"``.
    reason : which cells decide, else ``""``.
    """

    before: str
    after: str
    grades: int | None
    kind: str
    steps: Steps | None
    reason: str = ""

    def line(self) -> str:
        """One phrase."""
        verdict = {
            "none": "no conversion",
            "sensory": "sensory conversion (A → B)",
            "motor": "motor conversion",
            "normal": "conversion to normal",
            "worse": "worse",
            "undefined": "undefined, a grade is not determined",
        }[self.kind]
        if self.steps is not None and self.grades is None:
            lowest, highest = self.steps
            sure = lowest > 0 or highest < 0
            verdict = verdict if self.kind != "undefined" else "conversion" if sure else "not determinable"
            verdict += f", {lowest:+d} to {highest:+d} grades ({self.reason})"
        return f"AIS {self.before} → {self.after}: {verdict}"


@dataclass(frozen=True, slots=True)
class IsncsciChange:
    """Change variables between two examinations.

    Attributes
    ----------
    sums : ``"uems"``, ``"lems"``, ``"light_touch"``, ``"pin_prick"`` → change, None where a sum is ND.
    undefined : sum → why it has no change.
    motor : side → motor level.
    nli : neurological level of injury.
    ais : grade.
    zones : ``"zpp_sensory_right"`` … → zone of partial preservation.
    state, effect : the conditions; the name of the effect of a declared difference.
    before_id, after_id, rules : the assessments, and the rule book behind both.
    """

    sums: Mapping[str, Change | None]
    undefined: Mapping[str, str]
    motor: Mapping[str, LevelChange]
    nli: LevelChange
    ais: AisChange
    zones: Mapping[str, LevelChange]
    state: str
    effect: str
    before_id: str
    after_id: str
    rules: str

    def line(self) -> str:
        """One sentence with all of it."""
        phrases = [
            f"{name.upper()} {difference.value:+g}" if difference else f"{name.upper()} undefined"
            for name, difference in self.sums.items()
        ]
        phrases += [level.line() for level in self.motor.values()]
        phrases += [f"NLI{self.nli.line().removeprefix('nli')}", self.ais.line()]
        kind = f"{self.effect}: " if self.effect else ""
        return f"ISNCSCI {kind}{'; '.join(phrases)} ({self.state}; rules {self.rules})"

    @property
    def best_motor_steps(self) -> Steps | None:
        """Least and greatest motor recovery of the better side over all possibilities; None without a motor level.

        The sides are taken as independent. They meet only in an untested VAC, whose worst answer is the worst of
        both sides at once, so that the ends are attained.
        """
        steps = [level.steps for level in self.motor.values() if level.steps is not None]
        if not steps:
            return None
        lowest = max(low for low, _ in steps)
        # A side without a level at all could have recovered by any number of segments.
        highest = max(high for _, high in steps) if len(steps) == len(self.motor) else len(KEY)
        return lowest, highest


def isncsci_change(
    before: Assessment, after: Assessment, *, across: Across = NONE, thresholds: Iterable[Threshold] = ()
) -> IsncsciChange:
    """Change variables between two examinations.

    Parameters
    ----------
    before, after : assessments of ``isncsci``, classified by the same rule book.
    across : declared differences in device state, as for :func:`workbench.analysis.change`.
    thresholds : rows about the sums, for flags.

    Raises
    ------
    Refused
        Other states than declared, a draft, an examination that could not be classified, or another rule book.
    BadValue
        Not two ISNCSCI examinations of one version.
    """
    check_comparable(before, after, across)
    if after.measure != "isncsci":
        raise BadValue(f"change variables of the ISNCSCI need two of its examinations, got {after.measure!r}")
    old, new = classes_of(before), classes_of(after)
    first_reading, second_reading = _readings(before), _readings(after)
    if old["rules"] != new["rules"] or first_reading != second_reading:
        raise Refused(
            f"examination {before.id} was classified by {old['rules']} {first_reading}, {after.id} by "
            f"{new['rules']} {second_reading}; classify both again by one rule book and one reading"
        )
    chosen = tuple(thresholds)
    sums: dict[str, Change | None] = {}
    undefined: dict[str, str] = {}
    for name in SUMS:
        rows = [row for row in chosen if row.subscore == name]
        try:
            # A sum is ND as soon as one cell is; the other sums of the examination still have a change.
            number_of(before, name), number_of(after, name)
        except Refused as error:
            sums[name], undefined[name] = None, str(error)
        else:
            sums[name] = change(before, after, part=name, across=across, thresholds=rows)
    first, second = state_words(before), state_words(after)

    def level(name: str) -> LevelChange:
        return level_change(name, old, new, deciding=_deciding(name, before, after, old, new))

    return IsncsciChange(
        sums=sums,
        undefined=undefined,
        motor={side: level(f"motor_{side}") for side in SIDES},
        nli=level("nli"),
        ais=ais_change(str(old["ais"]), str(new["ais"]), deciding=_deciding("ais", before, after, old, new)),
        zones={
            name: level(name) for name in (f"zpp_{kind}_{side}" for kind in ("sensory", "motor") for side in SIDES)
        },
        state=second if first == second else f"{first} → {second}",
        effect=effect_words(across),
        before_id=before.id,
        after_id=after.id,
        rules=str(new["rules"]),
    )


def level_change(
    variable: str, before: Mapping[str, Any], after: Mapping[str, Any], *, deciding: str = ""
) -> LevelChange:
    """Change of one level between two classifications (the ``classes`` of a stored score).

    Parameters
    ----------
    variable : name of the level in ``classes``.
    before, after : the classifications.
    deciding : the cells that decide where several levels are possible, as text.
    """
    first, second = plain(str(before[variable])), plain(str(after[variable]))
    reason = _undefined(first) or _undefined(second)
    if reason:
        return LevelChange(variable, first, second, None, None, None, reason)
    pairs = list(product(first.split(","), second.split(",")))
    # Over all pairs: which possible value before goes with which after is unknown.
    segments = [_place(new) - _place(old) for old, new in pairs]
    motor = [_key_muscles(old, new) for old, new in pairs] if variable.startswith("motor_") else None
    steps = (min(motor), max(motor)) if motor else (min(segments), max(segments))
    return LevelChange(
        variable,
        first,
        second,
        segments[0] if min(segments) == max(segments) else None,
        motor[0] if motor and min(motor) == max(motor) else None,
        steps,
        deciding,
    )


def _place(level: str) -> int:
    """Place of the most caudal normal segment: INT is normal down to S4-5."""
    return min(PLACE[level], PLACE["S4_5"])


def _key_muscles(before: str, after: str) -> int:
    """Key-muscle segments between two motor levels, below 0 when the level rose."""
    low, high = sorted((PLACE[before], PLACE[after]))
    # Half open, so that two successive changes add up.
    passed = sum(low < segment <= high for segment in KEY)
    return passed if PLACE[after] >= PLACE[before] else -passed


def ais_change(before: str, after: str, *, deciding: str = "") -> AisChange:
    """Change of the AIS grade: A → B apart from conversion to C or D.

    Parameters
    ----------
    before, after : grades as classified, several possible ones joined by commas.
    deciding : the cells that decide where several grades are possible, as text.
    """
    first, second = plain(before), plain(after)
    olds, news = first.split(","), second.split(",")
    if not {*olds, *news} <= set(GRADES):
        return AisChange(first, second, None, "undefined", None)
    pairs = list(product(olds, news))
    grades = [GRADES.index(new) - GRADES.index(old) for old, new in pairs]
    kinds = {_kind(new, step) for (_, new), step in zip(pairs, grades)}
    # The same number of grades may still be of different kinds, such as A → B and B → C.
    alike = min(grades) == max(grades)
    kind = kinds.pop() if len(kinds) == 1 else "undefined"
    return AisChange(first, second, grades[0] if alike else None, kind, (min(grades), max(grades)), deciding)


def _kind(grade: str, step: int) -> str:
    if step <= 0:
        return "worse" if step < 0 else "none"
    return {"B": "sensory", "E": "normal"}.get(grade, "motor")


def _deciding(
    variable: str, before: Assessment, after: Assessment, old: Mapping[str, Any], new: Mapping[str, Any]
) -> str:
    """A phrase with the deciding cells where one of the two results has several possible values."""
    phrases = []
    for record, classes in ((before, old), (after, new)):
        if "," in str(classes[variable]):
            cells = examination.deciding_cells(record.items, variable, **_readings(record))
            phrases.append(
                f"decided by {', '.join(cells) or 'several cells together'} of {record.id or 'the examination'}"
            )
    return "; ".join(phrases)


def plain(text: str) -> str:
    """A result without its tags: stars of tagged scores stay out of analysis variables."""
    return text.replace("*", "")


def _undefined(levels: str) -> str:
    for level in levels.split(","):
        # A level that is not applicable in one possibility only (zones of partial preservation) is not a number.
        if level == "NA":
            return "not applicable (NA)" if levels == "NA" else f"not determined, or not applicable ({levels})"
        if level not in ORDER:
            return f"no level ({level or 'empty'})"
    return ""


def _readings(assessment: Assessment) -> dict[str, Any]:
    """The readings in force, defaults included. Reasons and notes of cells are not readings."""
    defaults = {
        option.name: option.default for option in outcomes.load("isncsci").definition.options if option.allowed
    }
    return {name: assessment.options.get(name, default) for name, default in defaults.items()}


def classes_of(assessment: Assessment) -> Mapping[str, Any]:
    """The stored classification. Raises Refused for a draft and for an examination without one."""
    if assessment.state == "draft":
        raise Refused(f"examination {assessment.id} is still a draft; complete it before it enters a result")
    classes: Mapping[str, Any] = assessment.score.get("classes") or {}
    if "ais" not in classes:
        warnings = "; ".join(map(str, assessment.score.get("warnings") or ())) or "no classification is stored"
        raise Refused(f"examination {assessment.id} has no classification: {warnings}")
    return classes
