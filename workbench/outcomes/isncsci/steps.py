"""The reason of each result as a sentence: one step per variable, in English and Chinese.

Exams without untested or tagged cells get the one reason; others get each possible value with the
condition under which it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from workbench.outcomes.isncsci.deciding import Cell, DecidingCell, DecidingCells
from workbench.outcomes.isncsci.exam import Exam, Side
from workbench.outcomes.isncsci.rules import FIRST_BELOW, PlainSide, Result, motor_level, strong_below
from workbench.outcomes.isncsci.sets import Branch, Places, SideSets, muscle_counts
from workbench.outcomes.isncsci.tables import (
    C4,
    DERMATOMES,
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
    Field,
)
from workbench.outcomes.isncsci.texts import TEXTS, Text, compose, display_name, join_clauses, text_of

NAMES: tuple[str, ...] = (*(display_name(name) for name in ORDER), "NA")
"""Place → name for a reader; the last one is at -1."""


def plain_steps(
    right: PlainSide, left: PlainSide, result: Result, *, codes: tuple[Side, Side], vac: bool, dap: bool
) -> list[Text]:
    """One step for each field of a result, for an exam of numbers or one substitution of an open one.

    Parameters
    ----------
    right, left, result : the scores of the sides, and their classification.
    codes : the cells as they were entered; a sentence shows these, such as ``3*``.
    vac, dap : the answers.
    """
    both = (right, left)
    levels = (*result.sensory, *result.motor)
    # Only the reading "praxis" gives an NLI that none of the four levels has.
    intact = not vac and S3 in result.motor and result.nli != min(levels)
    return [
        *(_sensory_step(side, level) for side, level in zip(codes, result.sensory)),
        *(_motor_step(side, cells, level, vac=vac) for side, cells, level in zip(both, codes, result.sensory)),
        text_of("nli.praxis" if intact else "nli", NAMES[result.nli], *(NAMES[level] for level in levels)),
        _completeness_step(right, left, vac=vac, dap=dap),
        _ais_step(right, left, result, vac=vac),
        *(_zpp_sensory_step(side, place) for side, place in zip(codes, result.zpp_sensory)),
        *(_zpp_motor_step(*of_side) for of_side in zip(both, codes, result.motor, result.zpp_motor)),
    ]


def _sensory_step(codes: Side, level: int) -> Text:
    if level == INT:
        return text_of("sensory.intact")
    return text_of("sensory.break", NAMES[level], NAMES[level + 1], codes.light[level], codes.pin[level])


def _motor_step(side: PlainSide, codes: Side, sensory: int, *, vac: bool) -> Text:
    cell = min(sensory, len(DERMATOMES) - 1)
    level = motor_level(sensory, side.motor, vac=vac)
    muscle = len(side.motor) - len(side.motor.lstrip("5"))
    # A key muscle sets the level only once the dermatomes above its group are normal.
    reached = sensory >= L1 if muscle >= 5 else sensory >= C4
    if muscle < 10 and reached:
        if level == KEY[muscle]:
            return text_of("motor.strong", NAMES[level], codes.motor[muscle])
        return text_of("motor.weak", NAMES[level], MUSCLES[muscle], codes.motor[muscle])
    if sensory == INT:
        return text_of("motor.intact" if vac else "motor.no_vac")
    key = "motor.stop" if level in (T1, S1) and sensory < level else "motor.dermatome"
    return text_of(key, NAMES[level], NAMES[sensory + 1], codes.light[cell], codes.pin[cell])


def _completeness_step(right: PlainSide, left: PlainSide, *, vac: bool, dap: bool) -> Text:
    sparing = (
        ("why.vac", vac),
        ("why.dap", dap),
        ("why.right", right.light[-1] != "0" or right.pin[-1] != "0"),
        ("why.left", left.light[-1] != "0" or left.pin[-1] != "0"),
    )
    return _sacral_sparing(tuple(key for key, is_spared in sparing if is_spared))


@lru_cache(maxsize=64)
def _sacral_sparing(keys: tuple[str, ...]) -> Text:
    return (
        text_of("complete.I", join_clauses([text_of(key) for key in keys], comma=True))
        if keys
        else text_of("complete.C")
    )


def _ais_step(right: PlainSide, left: PlainSide, result: Result, *, vac: bool) -> Text:
    if result.ais not in ("C", "D"):
        return text_of(f"ais.{result.ais}")
    strong = strong_below(right.motor, result.nli) + strong_below(left.motor, result.nli)
    total = 2 * (10 - FIRST_BELOW[result.nli])
    return text_of(
        f"ais.{result.ais}", _motor_sparing(result.far, result.motor, vac=vac), strong, total, NAMES[result.nli]
    )


@lru_cache(maxsize=4096)
def _motor_sparing(far: tuple[bool, bool], motor: tuple[int, int], *, vac: bool) -> Text:
    if vac:
        return text_of("why.vac")
    sides = zip(("why.far_right", "why.far_left"), far, motor)
    return join_clauses([text_of(key, NAMES[level]) for key, is_far, level in sides if is_far], comma=True)


def _zpp_sensory_step(codes: Side, place: int) -> Text:
    if place == NOT_APPLICABLE:
        return text_of("zpp_sensory.NA")
    if place == 0:
        return text_of("zpp_sensory.none")
    return text_of("zpp_sensory.level", NAMES[place], codes.light[place - 1], codes.pin[place - 1])


def _zpp_motor_step(side: PlainSide, codes: Side, level: int, place: int) -> Text:
    if place == NOT_APPLICABLE:
        return text_of("zpp_motor.NA")
    last = len(side.motor.rstrip("0"))
    lowest = KEY[last - 1] if last else -1
    if place == lowest and place > level:
        return text_of("zpp_motor.muscle", NAMES[place], codes.motor[last - 1])
    return text_of("zpp_motor.level" if place == level else "zpp_motor.non_key", NAMES[place])


Values = Sequence[int] | Sequence[str]
Extreme = tuple[Values, Text]
"""The one value of a field in one substitution, and its reason."""


class OpenResult(NamedTuple):
    """One result of an exam with untested or tagged cells, and what explains it.

    Attributes
    ----------
    field : its name.
    values, untagged : possible values, with the tags handled and with the tags ignored.
    printed : the values as text.
    worst, best : value and reason in the worst and in the best substitution.
    deciding : cells that decide it; None when it is determined.
    """

    field: Field
    values: Values
    untagged: Values
    printed: str
    worst: Extreme
    best: Extreme
    deciding: DecidingCells | None


def open_steps(exam: Exam, sides: tuple[SideSets, SideSets], results: Sequence[OpenResult]) -> list[Text]:
    """One step for each result of an exam with untested or tagged cells.

    Parameters
    ----------
    exam, sides : the exam and its two sides as sets.
    results : one for each field, in the order of ``FIELDS``.
    """
    conditions = _conditions(exam, sides, results)
    return [_open_step(exam, sides, result, holds) for result, holds in zip(results, conditions)]


def _open_step(
    exam: Exam, sides: tuple[SideSets, SideSets], result: OpenResult, conditions: list[Condition]
) -> Text:
    """The reason of one result, the cells that decide it, and what it would be without the tags."""
    # A determined result gets the same reason as in an exam of numbers when the worst and the best substitution
    # give that result for that reason. The scores enter every rule monotonically, so that those between them then
    # do so too. A zone that is printed by convention (``nonkey_zpp``) is no result of either.
    one_reason = result.worst == result.best and result.worst[0] == result.values
    if result.field == "ais":
        one_reason = one_reason and _same_far_function(exam, sides, result.values)
    single = len(result.values) == 1
    sentences = [result.worst[1] if one_reason else _list_values(result.printed, conditions, single=single)]
    if result.deciding is not None:
        sentences += deciding_sentences(result.deciding)
    if result.field == "ais" and not one_reason and not {"C", "D"}.isdisjoint(map(str, result.values)):
        sentences.append(_muscle_count_sentence(sides))
    if tuple(result.values) != tuple(result.untagged):
        sentences.append(_without_tags(result.untagged))
    return Text(" ".join(text.en for text in sentences), "".join(text.zh for text in sentences))


def _conditions(
    exam: Exam, sides: tuple[SideSets, SideSets], results: Sequence[OpenResult]
) -> list[list[Condition]]:
    """For each result, in the order of ``FIELDS``, when each of its values holds."""
    codes = (exam.right, exam.left)
    values = [result.values for result in results]
    levels = (_spaced(result.printed) for result in results[:4])
    return [
        *([_dermatome(side, int(level)) for level in places] for side, places in zip(codes, values[:2])),
        *(
            [condition for level in places for condition in _motor_conditions(side, possible, int(level))]
            for side, possible, places in zip(codes, sides, values[2:4])
        ),
        [("", compose("if.nli", *levels))],
        [(str(value), text_of(f"if.complete.{value}")) for value in values[5]],
        [(str(value), text_of(f"if.ais.{value}")) for value in values[6]],
        *([_zone(side, int(place)) for place in places] for side, places in zip(codes, values[7:9])),
        *(_motor_zone(side, places) for side, places in zip(codes, values[9:11])),
    ]


def _same_far_function(exam: Exam, sides: tuple[SideSets, SideSets], grades: Values) -> bool:
    """Whether the function far below, which is not monotone in the scores, is the same in every substitution."""
    return tuple(grades) not in (("C",), ("D",)) or exam.vac == "Yes" or all(len(side.far) == 1 for side in sides)


def deciding_sentences(cells: DecidingCells) -> list[Text]:
    """What testing each deciding cell would give, one sentence per cell."""
    if cells.joint:
        return [compose("decide.together", join_clauses([_cell_name(cell) for cell in cells.joint], comma=True))]
    return [_deciding_sentence(deciding) for deciding in cells.single]


def _cell_name(cell: Cell) -> Text:
    if not cell.side:
        return text_of(f"cell.{cell.grid}")
    side = text_of(cell.side)
    templates = zip(TEXTS[f"cell.{cell.grid}"], side)
    return Text(*(template.format(side_name, display_name(cell.segment)) for template, side_name in templates))


def _deciding_sentence(deciding: DecidingCell) -> Text:
    cell = deciding.cell
    runs = [
        compose("decide.gives" if len(values) == 1 else "decide.leaves", _scores(cell, scores), _either(values))
        for scores, values in deciding.outcomes
    ]
    outcomes = join_clauses(runs, comma=True)
    if cell.code == "NT":
        return compose("decide.test", _cell_name(cell), outcomes)
    return compose("decide.tagged", _cell_name(cell), cell.code, outcomes)


def _scores(cell: Cell, scores: Sequence[str]) -> Text:
    """A run of scores in words: ``below 3``, ``3 or more``, ``1 or 2``, ``1 to 4``."""
    if len(scores) == 1:
        return text_of(scores[0]) if scores[0] in TEXTS else Text(scores[0], scores[0])
    # Runs at an end of the possible scores read best as a bound: "below 3", "3 or more".
    if scores[0] == cell.scores[0]:
        return text_of("decide.below", int(scores[-1]) + 1)
    if scores[-1] == cell.scores[-1]:
        return text_of("decide.least", scores[0])
    return text_of("decide.or" if len(scores) == 2 else "decide.between", scores[0], scores[-1])


def _either(values: Values) -> Text:
    """``C5``, ``C5 or C6``, ``C5, C6 or C7``."""
    names = [NAMES[value] if isinstance(value, int) else value for value in values]
    if len(names) == 1:
        return Text(names[0], names[0])
    return compose("decide.or", Text(", ".join(names[:-1]), "、".join(names[:-1])), names[-1])


def _muscle_count_sentence(sides: tuple[SideSets, SideSets]) -> Text:
    """How many strong muscles there can be below each possible NLI, and how many give D."""
    counts = []
    for nli, (low, high, below) in sorted(muscle_counts(*sides).items()):
        if not below:
            counts.append(text_of("count.none", NAMES[nli]))
        elif low == high:
            counts.append(text_of("count.one", low, below, NAMES[nli], below // 2))
        else:
            counts.append(text_of("count.range", low, high, below, NAMES[nli], below // 2))
    return compose("count", join_clauses(counts))


Condition = tuple[str, Text]
"""A possible value (empty: of all values) and when it holds."""


def _spaced(text: str) -> str:
    return display_name(text).replace(",", ", ")


def _list_values(printed: str, conditions: list[Condition], *, single: bool) -> Text:
    clauses = [text if single or not value else compose("where", value, text) for value, text in conditions]
    return compose("one" if single else "many", _spaced(printed), join_clauses(clauses))


def _without_tags(before: Values) -> Text:
    return compose("untagged", ", ".join(NAMES[value] if isinstance(value, int) else value for value in before))


def _dermatome(codes: Side, level: int) -> Condition:
    if level == INT:
        return NAMES[level], text_of("if.intact")
    return NAMES[level], text_of("if.dermatome", NAMES[level + 1], codes.light[level], codes.pin[level])


def _motor_conditions(codes: Side, side: SideSets, level: int) -> list[Condition]:
    """Ways in which a motor level can come about."""
    name = NAMES[level]
    if level == INT:
        return [(name, text_of("if.intact"))]
    branches = [branch for branch in side.branches if min(branch.motor, S3) == level]
    texts = [
        text_of("if.strong" if key == level else "if.weak", muscle, code)
        for index, (key, muscle, code) in enumerate(zip(KEY, MUSCLES, codes.motor))
        if key in (level, level + 1) and any(_stops_at(branch.muscles, index) for branch in branches)
    ]
    if any(
        level in branch.sensory and branch.motor == level and not _set_by_muscle(branch) for branch in branches
    ):
        texts.append(_dermatome(codes, level)[1])
    if level in (T1, S1) and any(
        min(branch.sensory) < level and not _set_by_muscle(branch) for branch in branches
    ):
        texts.append(text_of("if.stop", name))
    if any(branch.motor == INT for branch in branches):
        texts.append(text_of("if.no_vac"))
    return [(name, text) for text in texts]


def _stops_at(muscles: Places, index: int) -> bool:
    return not muscles[index] & M5 and all(classes == M5 for classes in muscles[:index])


def _set_by_muscle(branch: Branch) -> bool:
    """A key muscle and no dermatome sets the level."""
    near = (index for index, key in enumerate(KEY) if key in (branch.motor, branch.motor + 1))
    return branch.motor >= C4 and any(_stops_at(branch.muscles, index) for index in near)


def _zone(codes: Side, place: int) -> Condition:
    if place == NOT_APPLICABLE:
        return NAMES[place], text_of("if.zpp_sensory.NA")
    if place == 0:
        return NAMES[place], text_of("if.zpp_sensory.C1")
    cell = codes.light[place - 1], codes.pin[place - 1]
    return NAMES[place], text_of("if.zpp_sensory", NAMES[place], *cell)


def _motor_zone(codes: Side, places: Values) -> list[Condition]:
    rule = text_of("if.zpp_motor.non_key", NAMES[codes.non_key]) if codes.non_key >= 0 else text_of("if.zpp_motor")
    # One rule serves all values: which level and which muscle give each of them would be a list of branches.
    if NOT_APPLICABLE not in places:
        return [("", rule)]
    first = [("NA", text_of("if.zpp_motor.NA"))]
    return first if len(places) == 1 else [*first, ("", text_of("otherwise", rule))]
