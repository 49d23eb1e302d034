"""Change variables of the neurological examination (ISNCSCI 2019): sums, levels, AIS, zones.

A level that is not determined (ND: several are possible) or intact (INT) gives no number of segments, and
segments T2–L1 are no motor recovery: there is no key muscle, the motor level follows sensation there.
Conversion A → B (sensation came back) is told apart from conversion to C or D (movement did).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench import outcomes
from workbench.analysis._change import NONE, Change, change
from workbench.analysis._scores import number_of
from workbench.analysis._state import Across, check_comparable, effect_words, state_words
from workbench.errors import BadValue, Refused
from workbench.outcomes import Threshold
from workbench.outcomes._isncsci_tables import ORDER, PLACE
from workbench.vocabulary import Assessment

SUMS = ("uems", "lems", "light_touch", "pin_prick")
SIDES = ("right", "left")
GRADES = tuple("ABCDE")
NO_KEY_MUSCLE = range(PLACE["T2"], PLACE["L1"] + 1)
"""Places T2–L1 in the order of levels: a step to one of them is no motor recovery."""


@dataclass(frozen=True, slots=True)
class LevelChange:
    """Change of one level, caudal = better.

    Attributes
    ----------
    variable, before, after : as ``"motor_right"``; the levels as classified, tags left out.
    segments : difference in segments, None when undefined.
    motor_segments : of them, those that are motor recovery; None for a level that is not motor.
    reason : why it is undefined, else ``""``.
    """

    variable: str
    before: str
    after: str
    segments: int | None
    motor_segments: int | None
    reason: str = ""

    def line(self) -> str:
        """One phrase."""
        if self.segments is None:
            return f"{self.variable} {self.before} → {self.after}, undefined: {self.reason}"
        motor = ""
        if self.motor_segments is not None and self.motor_segments != self.segments:
            motor = f", of which {self.motor_segments:+d} with key muscles"
        return f"{self.variable} {self.before} → {self.after}, {self.segments:+d} segments{motor}"


@dataclass(frozen=True, slots=True)
class AisChange:
    """Change of the AIS grade.

    Attributes
    ----------
    before, after : grades as classified, tags left out; several possible ones joined by commas.
    grades : difference, above 0 = better; None when one of the two is not determined.
    kind : ``"none"``, ``"sensory"`` (A → B), ``"motor"`` (to C or D), ``"normal"`` (to E), ``"worse"`` or
        ``"undefined"``.
    """

    before: str
    after: str
    grades: int | None
    kind: str

    def line(self) -> str:
        """One phrase."""
        words = {
            "none": "no conversion",
            "sensory": "sensory conversion (A → B)",
            "motor": "motor conversion",
            "normal": "conversion to normal",
            "worse": "worse",
            "undefined": "undefined, a grade is not determined",
        }[self.kind]
        return f"AIS {self.before} → {self.after}: {words}"


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
    state, effect : under what it was made; what a declared difference is the effect of.
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
        told = [
            f"{name.upper()} {found.value:+g}" if found else f"{name.upper()} undefined"
            for name, found in self.sums.items()
        ]
        told += [level.line() for level in self.motor.values()]
        told += [f"NLI{self.nli.line().removeprefix('nli')}", self.ais.line()]
        kind = f"{self.effect}: " if self.effect else ""
        return f"ISNCSCI {kind}{'; '.join(told)} ({self.state}; rules {self.rules})"

    @property
    def best_motor_segments(self) -> int | None:
        """The better side's motor recovery in segments; None when neither side is defined."""
        found = [one.motor_segments for one in self.motor.values() if one.motor_segments is not None]
        return max(found) if found else None


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
            number_of(before, name), number_of(after, name)
        except Refused as error:
            sums[name], undefined[name] = None, str(error)
        else:
            sums[name] = change(before, after, part=name, across=across, thresholds=rows)
    first, second = state_words(before), state_words(after)
    return IsncsciChange(
        sums=sums,
        undefined=undefined,
        motor={side: level_change(f"motor_{side}", old, new) for side in SIDES},
        nli=level_change("nli", old, new),
        ais=ais_change(str(old["ais"]), str(new["ais"])),
        zones={
            name: level_change(name, old, new)
            for name in (f"zpp_{kind}_{side}" for kind in ("sensory", "motor") for side in SIDES)
        },
        state=second if first == second else f"{first} → {second}",
        effect=effect_words(across),
        before_id=before.id,
        after_id=after.id,
        rules=str(new["rules"]),
    )


def level_change(variable: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> LevelChange:
    """Change of one level between two classifications (the ``classes`` of a stored score)."""
    first, second = plain(str(before[variable])), plain(str(after[variable]))
    reason = _undefined(first) or _undefined(second)
    if reason:
        return LevelChange(variable, first, second, None, None, reason)
    start, end = PLACE[first], PLACE[second]
    low, high = sorted((start, end))
    counted = sum(place not in NO_KEY_MUSCLE for place in range(low + 1, high + 1))
    motor = variable.startswith("motor_")
    sign = 1 if end >= start else -1
    return LevelChange(variable, first, second, end - start, sign * counted if motor else None)


def ais_change(before: str, after: str) -> AisChange:
    """Change of the AIS grade: A → B told apart from conversion to C or D."""
    first, second = plain(before), plain(after)
    if first not in GRADES or second not in GRADES:
        return AisChange(first, second, None, "undefined")
    grades = GRADES.index(second) - GRADES.index(first)
    if grades <= 0:
        return AisChange(first, second, grades, "worse" if grades < 0 else "none")
    kind = {"B": "sensory", "E": "normal"}.get(second, "motor")
    return AisChange(first, second, grades, kind)


def plain(text: str) -> str:
    """A result without its tags: stars of tagged scores stay out of analysis variables."""
    return text.replace("*", "")


def _undefined(level: str) -> str:
    if "," in level:
        return f"not determined ({level})"
    if level == "NA":
        return "not applicable (NA)"
    if level == "INT":
        return "intact (INT)"
    if level not in ORDER:
        return f"no level ({level or 'empty'})"
    return ""


def _readings(assessment: Assessment) -> dict[str, Any]:
    """The readings in force, a default where none was given. Reasons and notes of cells are no reading."""
    known = {one.name: one.default for one in outcomes.load("isncsci").definition.options if one.allowed}
    return {name: assessment.options.get(name, default) for name, default in known.items()}


def classes_of(assessment: Assessment) -> Mapping[str, Any]:
    """The stored classification. Raises Refused for a draft and for an examination without one."""
    if assessment.state == "draft":
        raise Refused(f"examination {assessment.id} is still a draft; complete it before it enters a result")
    found: Mapping[str, Any] = assessment.score.get("classes") or {}
    if "ais" not in found:
        told = "; ".join(map(str, assessment.score.get("warnings") or ())) or "no classification is stored"
        raise Refused(f"examination {assessment.id} has no classification: {told}")
    return found
