"""Why a result is what it is, in words: one step a variable, in English and Chinese.

Exams without untested or tagged cells get the one reason; others get each possible value with the
condition under which it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from workbench.outcomes.isncsci.deciding import Cell, Deciding, Found
from workbench.outcomes.isncsci.exam import Exam, Side
from workbench.outcomes.isncsci.rules import FIRST_BELOW, PlainSide, Result, motor_level, strong_below
from workbench.outcomes.isncsci.sets import Branch, Places, SideSets, muscle_counts
from workbench.outcomes.isncsci.tables import (
    C4,
    DERMATOMES,
    FIELDS,
    INT,
    KEY,
    L1,
    M5,
    MUSCLES,
    NOT_APPLICABLE,
    ORDER,
    S1,
    S3,
    T1,
)
from workbench.outcomes.isncsci.texts import TEXTS, Words, compose, join, say, shown

NAMES: tuple[str, ...] = (*(shown(name) for name in ORDER), "NA")
"""Place → name for a reader; the last one is at -1."""


def plain_steps(
    right: PlainSide, left: PlainSide, result: Result, *, codes: tuple[Side, Side], vac: bool, dap: bool
) -> list[Words]:
    """One step for each field of a result, for an exam of numbers or one substitution of an open one.

    Parameters
    ----------
    right, left, result : the scores of the sides, and what the kernel makes of them.
    codes : the cells as they were entered; a sentence shows these, such as ``3*``.
    vac, dap : the answers.
    """
    both = (right, left)
    levels = (*result.sensory, *result.motor)
    intact = not vac and S3 in result.motor and result.nli != min(levels)
    return [
        *(_plain_sensory(side, level) for side, level in zip(codes, result.sensory)),
        *(_plain_motor(*three, vac=vac) for three in zip(both, codes, result.sensory)),
        say("nli.praxis" if intact else "nli", NAMES[result.nli], *(NAMES[level] for level in levels)),
        _complete(right, left, vac=vac, dap=dap),
        _ais(right, left, result, vac=vac),
        *(_zpp_sensory(side, place) for side, place in zip(codes, result.zpp_sensory)),
        *(_zpp_motor(*four) for four in zip(both, codes, result.motor, result.zpp_motor)),
    ]


def _plain_sensory(codes: Side, level: int) -> Words:
    if level == INT:
        return say("sensory.intact")
    return say("sensory.break", NAMES[level], NAMES[level + 1], codes.light[level], codes.pin[level])


def _plain_motor(side: PlainSide, codes: Side, sensory: int, *, vac: bool) -> Words:
    cell = min(sensory, len(DERMATOMES) - 1)
    level = motor_level(sensory, side.motor, vac=vac)
    muscle = len(side.motor) - len(side.motor.lstrip("5"))
    reached = sensory >= L1 if muscle >= 5 else sensory >= C4
    if muscle < 10 and reached:
        if level == KEY[muscle]:
            return say("motor.strong", NAMES[level], codes.motor[muscle])
        return say("motor.weak", NAMES[level], MUSCLES[muscle], codes.motor[muscle])
    if sensory == INT:
        return say("motor.intact" if vac else "motor.no_vac")
    key = "motor.stop" if level in (T1, S1) and sensory < level else "motor.dermatome"
    return say(key, NAMES[level], NAMES[sensory + 1], codes.light[cell], codes.pin[cell])


def _complete(right: PlainSide, left: PlainSide, *, vac: bool, dap: bool) -> Words:
    present = (
        ("why.vac", vac),
        ("why.dap", dap),
        ("why.right", right.light[-1] != "0" or right.pin[-1] != "0"),
        ("why.left", left.light[-1] != "0" or left.pin[-1] != "0"),
    )
    return _sparing(tuple(key for key, is_there in present if is_there))


@lru_cache(maxsize=64)
def _sparing(keys: tuple[str, ...]) -> Words:
    return say("complete.I", join([say(key) for key in keys], comma=True)) if keys else say("complete.C")


def _ais(right: PlainSide, left: PlainSide, result: Result, *, vac: bool) -> Words:
    if result.ais not in ("C", "D"):
        return say(f"ais.{result.ais}")
    strong = strong_below(right.motor, result.nli) + strong_below(left.motor, result.nli)
    total = 2 * (10 - FIRST_BELOW[result.nli])
    return say(
        f"ais.{result.ais}", _incomplete(result.far, result.motor, vac=vac), strong, total, NAMES[result.nli]
    )


@lru_cache(maxsize=4096)
def _incomplete(far: tuple[bool, bool], motor: tuple[int, int], *, vac: bool) -> Words:
    if vac:
        return say("why.vac")
    sides = zip(("why.far_right", "why.far_left"), far, motor)
    return join([say(key, NAMES[level]) for key, is_far, level in sides if is_far], comma=True)


def _zpp_sensory(codes: Side, place: int) -> Words:
    if place == NOT_APPLICABLE:
        return say("zpp_sensory.NA")
    if place == 0:
        return say("zpp_sensory.none")
    return say("zpp_sensory.level", NAMES[place], codes.light[place - 1], codes.pin[place - 1])


def _zpp_motor(side: PlainSide, codes: Side, level: int, place: int) -> Words:
    if place == NOT_APPLICABLE:
        return say("zpp_motor.NA")
    last = len(side.motor.rstrip("0"))
    lowest = KEY[last - 1] if last else -1
    if place == lowest and place > level:
        return say("zpp_motor.muscle", NAMES[place], codes.motor[last - 1])
    return say("zpp_motor.level" if place == level else "zpp_motor.non_key", NAMES[place])


Extreme = tuple[Sequence[int] | Sequence[str], Words]
"""The one value of a field in one substitution, and its reason."""


def open_steps(
    exam: Exam,
    sides: tuple[SideSets, SideSets],
    values: Sequence[Sequence[int] | Sequence[str]],
    untagged: Sequence[Sequence[int] | Sequence[str]],
    *,
    printed: Sequence[str],
    extremes: tuple[Sequence[Extreme], Sequence[Extreme]],
    deciding: Mapping[str, Found],
) -> list[Words]:
    """One step for each field of a result, for an exam with untested or tagged cells.

    A determined result gets the same reason as in an exam of numbers when the worst and the best substitution give
    that result for that reason. The scores enter every rule monotonically, so that those between them then do so
    too. A zone that is printed by convention (``nonkey_zpp``) is no result of either.

    Parameters
    ----------
    exam, sides : the exam and its two sides as sets.
    values, untagged : possible values of each field, with the tags handled and with the tags ignored.
    printed : the results as text.
    extremes : value and reason of each field in the worst and in the best substitution.
    deciding : field with several possible values → the cells that decide.
    """
    codes = (exam.right, exam.left)
    conditions: list[list[Condition]] = [
        *([_dermatome(side, int(level)) for level in levels] for side, levels in zip(codes, values[:2])),
        *(
            [condition for level in levels for condition in _ways(side, possible, int(level))]
            for side, possible, levels in zip(codes, sides, values[2:4])
        ),
        [("", compose("if.nli", *(_spaced(text) for text in printed[:4])))],
        [(str(value), say(f"if.complete.{value}")) for value in values[5]],
        [(str(value), say(f"if.ais.{value}")) for value in values[6]],
        *([_zone(side, int(place)) for place in places] for side, places in zip(codes, values[7:9])),
        *(_motor_zone(side, places) for side, places in zip(codes, values[9:11])),
    ]
    found = []
    for at, field in enumerate(FIELDS):
        worst, best = extremes[0][at], extremes[1][at]
        alike = worst == best and worst[0] == values[at]
        alike = alike and (field != "ais" or _one_reason(exam, sides, values[at]))
        sentences = [worst[1] if alike else _list(printed[at], conditions[at], single=len(values[at]) == 1)]
        if field in deciding:
            sentences += decide(deciding[field])
        if field == "ais" and not alike and {"C", "D"} & {str(value) for value in values[at]}:
            sentences.append(_counts(sides))
        if tuple(values[at]) != tuple(untagged[at]):
            sentences.append(_without_tags(untagged[at]))
        found.append(Words(" ".join(one.en for one in sentences), "".join(one.zh for one in sentences)))
    return found


def _one_reason(exam: Exam, sides: tuple[SideSets, SideSets], grades: Sequence[int] | Sequence[str]) -> bool:
    """Whether the function far below, which is not monotone in the scores, is the same in every substitution."""
    return tuple(grades) not in (("C",), ("D",)) or exam.vac == "Yes" or all(len(side.far) == 1 for side in sides)


def decide(found: Found) -> list[Words]:
    """What testing each deciding cell would give, one sentence a cell."""
    if found.together:
        return [compose("decide.together", join([_cell(cell) for cell in found.together], comma=True))]
    return [_decides(one) for one in found.alone]


def _cell(cell: Cell) -> Words:
    if not cell.side:
        return say(f"cell.{cell.grid}")
    side = say(cell.side)
    return Words(*(text.format(word, shown(cell.segment)) for text, word in zip(TEXTS[f"cell.{cell.grid}"], side)))


def _decides(one: Deciding) -> Words:
    runs = [
        compose(
            "decide.gives" if len(values) == 1 else "decide.leaves", _scores(one.cell, scores), _either(values)
        )
        for scores, values in one.outcomes
    ]
    told = join(runs, comma=True)
    if one.cell.code == "NT":
        return compose("decide.test", _cell(one.cell), told)
    return compose("decide.tagged", _cell(one.cell), one.cell.code, told)


def _scores(cell: Cell, scores: Sequence[str]) -> Words:
    """A run of scores in words: ``below 3``, ``3 or more``, ``1 or 2``, ``1 to 4``."""
    if len(scores) == 1:
        return say(scores[0]) if scores[0] in TEXTS else Words(scores[0], scores[0])
    if scores[0] == cell.scores[0]:
        return say("decide.below", int(scores[-1]) + 1)
    if scores[-1] == cell.scores[-1]:
        return say("decide.least", scores[0])
    return say("decide.or" if len(scores) == 2 else "decide.between", scores[0], scores[-1])


def _either(values: Sequence[int] | Sequence[str]) -> Words:
    """``C5``, ``C5 or C6``, ``C5, C6 or C7``."""
    names = [NAMES[value] if isinstance(value, int) else value for value in values]
    if len(names) == 1:
        return Words(names[0], names[0])
    return compose("decide.or", Words(", ".join(names[:-1]), "、".join(names[:-1])), names[-1])


def _counts(sides: tuple[SideSets, SideSets]) -> Words:
    """How many strong muscles there can be below each possible NLI, and how many give D."""
    told = []
    for nli, (low, high, below) in sorted(muscle_counts(*sides).items()):
        if not below:
            told.append(say("count.none", NAMES[nli]))
        elif low == high:
            told.append(say("count.one", low, below, NAMES[nli], below // 2))
        else:
            told.append(say("count.range", low, high, below, NAMES[nli], below // 2))
    return compose("count", join(told))


Condition = tuple[str, Words]
"""A possible value (empty: of all values) and when it holds."""


def _spaced(text: str) -> str:
    return shown(text).replace(",", ", ")


def _list(text: str, conditions: list[Condition], *, single: bool) -> Words:
    clauses = [words if single or not value else compose("where", value, words) for value, words in conditions]
    return compose("one" if single else "many", _spaced(text), join(clauses))


def _without_tags(before: Sequence[int] | Sequence[str]) -> Words:
    return compose("untagged", ", ".join(NAMES[value] if isinstance(value, int) else value for value in before))


def _dermatome(codes: Side, level: int) -> Condition:
    if level == INT:
        return NAMES[level], say("if.intact")
    return NAMES[level], say("if.dermatome", NAMES[level + 1], codes.light[level], codes.pin[level])


def _ways(codes: Side, side: SideSets, level: int) -> list[Condition]:
    """Every way in which a motor level can come about."""
    name = NAMES[level]
    if level == INT:
        return [(name, say("if.intact"))]
    branches = [branch for branch in side.branches if min(branch.motor, S3) == level]
    found = [
        say("if.strong" if key == level else "if.weak", muscle, code)
        for index, (key, muscle, code) in enumerate(zip(KEY, MUSCLES, codes.motor))
        if key in (level, level + 1) and any(_stops_at(branch.muscles, index) for branch in branches)
    ]
    if any(level in branch.sensory and branch.motor == level and not _stuck(branch) for branch in branches):
        found.append(_dermatome(codes, level)[1])
    if level in (T1, S1) and any(min(branch.sensory) < level and not _stuck(branch) for branch in branches):
        found.append(say("if.stop", name))
    if any(branch.motor == INT for branch in branches):
        found.append(say("if.no_vac"))
    return [(name, words) for words in found]


def _stops_at(muscles: Places, index: int) -> bool:
    return not muscles[index] & M5 and all(classes == M5 for classes in muscles[:index])


def _stuck(branch: Branch) -> bool:
    """A key muscle and no dermatome sets the level."""
    near = (index for index, key in enumerate(KEY) if key in (branch.motor, branch.motor + 1))
    return branch.motor >= C4 and any(_stops_at(branch.muscles, index) for index in near)


def _zone(codes: Side, place: int) -> Condition:
    if place == NOT_APPLICABLE:
        return NAMES[place], say("if.zpp_sensory.NA")
    if place == 0:
        return NAMES[place], say("if.zpp_sensory.C1")
    cell = codes.light[place - 1], codes.pin[place - 1]
    return NAMES[place], say("if.zpp_sensory", NAMES[place], *cell)


def _motor_zone(codes: Side, places: Sequence[int] | Sequence[str]) -> list[Condition]:
    rule = say("if.zpp_motor.non_key", NAMES[codes.non_key]) if codes.non_key >= 0 else say("if.zpp_motor")
    if NOT_APPLICABLE not in places:
        return [("", rule)]
    first = [("NA", say("if.zpp_motor.NA"))]
    return first if len(places) == 1 else [*first, ("", say("otherwise", rule))]
