"""Why a result is what it is, in words: one step a variable, in English and Chinese.

Exams without untested or tagged cells get the one reason; others get each possible value with the
condition under which it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from workbench.outcomes._isncsci_exam import Exam, Side
from workbench.outcomes._isncsci_rules import FIRST_BELOW, PlainSide, Result, motor_level, strong_below
from workbench.outcomes._isncsci_sets import Branch, Places, SideSets
from workbench.outcomes._isncsci_tables import (
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
)
from workbench.outcomes._isncsci_texts import Words, join, say, shown

NAMES: tuple[str, ...] = (*(shown(name) for name in ORDER), "NA")
"""Place → name for a reader; the last one is at -1."""


def plain_steps(right: PlainSide, left: PlainSide, result: Result, *, vac: bool, dap: bool) -> list[Words]:
    """One step for each field of a result, for an exam of numbers only."""
    both = (right, left)
    levels = (*result.sensory, *result.motor)
    intact = not vac and S3 in result.motor and result.nli != min(levels)
    return [
        *(_plain_sensory(side, level) for side, level in zip(both, result.sensory)),
        *(_plain_motor(side, sensory, vac=vac) for side, sensory in zip(both, result.sensory)),
        say("nli.praxis" if intact else "nli", NAMES[result.nli], *(NAMES[level] for level in levels)),
        _complete(right, left, vac=vac, dap=dap),
        _ais(right, left, result, vac=vac),
        *(_zpp_sensory(side, place) for side, place in zip(both, result.zpp_sensory)),
        *(_zpp_motor(side, level, place) for side, level, place in zip(both, result.motor, result.zpp_motor)),
    ]


def _plain_sensory(side: PlainSide, level: int) -> Words:
    if level == INT:
        return say("sensory.intact")
    return say("sensory.break", NAMES[level], NAMES[level + 1], side.light[level], side.pin[level])


def _plain_motor(side: PlainSide, sensory: int, *, vac: bool) -> Words:
    cell = min(sensory, len(DERMATOMES) - 1)
    return _motor(sensory, side.motor, side.light[cell], side.pin[cell], vac=vac)


@lru_cache(maxsize=65536)
def _motor(sensory: int, motor: str, light: str, pin: str, *, vac: bool) -> Words:
    level = motor_level(sensory, motor, vac=vac)
    muscle = len(motor) - len(motor.lstrip("5"))
    reached = sensory >= L1 if muscle >= 5 else sensory >= C4
    if muscle < 10 and reached:
        if level == KEY[muscle]:
            return say("motor.strong", NAMES[level], motor[muscle])
        return say("motor.weak", NAMES[level], MUSCLES[muscle], motor[muscle])
    if sensory == INT:
        return say("motor.intact" if vac else "motor.no_vac")
    stopped = level in (T1, S1) and sensory < level
    return say("motor.stop" if stopped else "motor.dermatome", NAMES[level], NAMES[sensory + 1], light, pin)


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


def _zpp_sensory(side: PlainSide, place: int) -> Words:
    if place == NOT_APPLICABLE:
        return say("zpp_sensory.NA")
    if place == 0:
        return say("zpp_sensory.none")
    return say("zpp_sensory.level", NAMES[place], side.light[place - 1], side.pin[place - 1])


def _zpp_motor(side: PlainSide, level: int, place: int) -> Words:
    if place == NOT_APPLICABLE:
        return say("zpp_motor.NA")
    last = len(side.motor.rstrip("0"))
    lowest = KEY[last - 1] if last else -1
    if place == lowest and place > level:
        return say("zpp_motor.muscle", NAMES[place], side.motor[last - 1])
    return say("zpp_motor.level" if place == level else "zpp_motor.non_key", NAMES[place])


def open_steps(
    exam: Exam,
    sides: tuple[SideSets, SideSets],
    values: Sequence[Sequence[int] | Sequence[str]],
    untagged: Sequence[Sequence[int] | Sequence[str]],
    printed: Sequence[str],
) -> list[Words]:
    """One step for each field of a result, for an exam with untested or tagged cells.

    Parameters
    ----------
    exam, sides : the exam and its two sides as sets.
    values, untagged : possible values of each field, with the tags handled and with the tags ignored.
    printed : the results as text.
    """
    both = tuple(zip((exam.right, exam.left), sides))
    clauses: list[list[Words]] = [
        *(_if_sensory(codes, places) for (codes, _), places in zip(both, (values[0], values[1]))),
        *(_if_motor(codes, side, places) for (codes, side), places in zip(both, (values[2], values[3]))),
        [say("if.nli", *(shown(text) for text in printed[:4]))],
        [say(f"if.{value}") for value in values[5]],
        [say(f"if.ais.{value}") for value in values[6]],
        *(_if_zpp_sensory(codes, places) for (codes, _), places in zip(both, (values[7], values[8]))),
        *(_if_zpp_motor(codes, places) for (codes, _), places in zip(both, (values[9], values[10]))),
    ]
    return [
        _list(text, clause, now, before) for text, clause, now, before in zip(printed, clauses, values, untagged)
    ]


def _list(
    text: str, clauses: list[Words], now: Sequence[int] | Sequence[str], before: Sequence[int] | Sequence[str]
) -> Words:
    sentence = say("one" if len(now) == 1 else "many", shown(text), join(clauses))
    if tuple(now) == tuple(before):
        return sentence
    names = ", ".join(NAMES[value] if isinstance(value, int) else value for value in before)
    more = say("untagged", names)
    return Words(f"{sentence.en} {more.en}", sentence.zh + more.zh)


def _if_sensory(codes: Side, levels: Sequence[int] | Sequence[str]) -> list[Words]:
    return [
        say("if.intact", NAMES[level])
        if level == INT
        else say("if.dermatome", NAMES[level], NAMES[level + 1], codes.light[level], codes.pin[level])
        for level in map(int, levels)
    ]


def _if_motor(codes: Side, side: SideSets, levels: Sequence[int] | Sequence[str]) -> list[Words]:
    return [clause for level in map(int, levels) for clause in _ways(codes, side, level)]


def _ways(codes: Side, side: SideSets, level: int) -> list[Words]:
    """Every way in which a motor level can come about."""
    if level == INT:
        return [say("if.intact", NAMES[level])]
    branches = [branch for branch in side.branches if min(branch.motor, S3) == level]
    stops = [
        (key, muscle, code)
        for index, (key, muscle, code) in enumerate(zip(KEY, MUSCLES, codes.motor))
        if key in (level, level + 1) and any(_stops_at(branch.muscles, index) for branch in branches)
    ]
    found = [
        say("if.strong", NAMES[key], code) if key == level else say("if.weak", NAMES[level], muscle, code)
        for key, muscle, code in stops
    ]
    if any(level in branch.sensory and branch.motor == level and not _stuck(branch) for branch in branches):
        found.append(say("if.dermatome", NAMES[level], NAMES[level + 1], codes.light[level], codes.pin[level]))
    if level in (T1, S1) and any(min(branch.sensory) < level and not _stuck(branch) for branch in branches):
        found.append(say("if.stop", NAMES[level]))
    if any(branch.motor == INT for branch in branches):
        found.append(say("if.no_vac"))
    return found


def _stops_at(muscles: Places, index: int) -> bool:
    return not muscles[index] & M5 and all(classes == M5 for classes in muscles[:index])


def _stuck(branch: Branch) -> bool:
    """A key muscle and no dermatome sets the level."""
    near = (index for index, key in enumerate(KEY) if key in (branch.motor, branch.motor + 1))
    return branch.motor >= C4 and any(_stops_at(branch.muscles, index) for index in near)


def _if_zpp_sensory(codes: Side, places: Sequence[int] | Sequence[str]) -> list[Words]:
    return [_zone(codes, place) for place in map(int, places)]


def _zone(codes: Side, place: int) -> Words:
    if place == NOT_APPLICABLE:
        return say("if.zpp_sensory.NA")
    if place == 0:
        return say("if.zpp_sensory.C1")
    return say("if.zpp_sensory", NAMES[place], codes.light[place - 1], codes.pin[place - 1])


def _if_zpp_motor(codes: Side, places: Sequence[int] | Sequence[str]) -> list[Words]:
    found = [say("if.zpp_motor.NA")] if NOT_APPLICABLE in places else []
    if any(place != NOT_APPLICABLE for place in places):
        non_key = say("if.zpp_motor.non_key", NAMES[codes.non_key]) if codes.non_key >= 0 else say("if.zpp_motor")
        found.append(non_key)
    return found
