"""Which untested or tagged cells decide an open ISNCSCI result, and what each of their scores would give.

A cell decides a result when fixing it to one of the scores that it can stand for leaves other possible values than
fixing it to another. Where no single cell does (two of three muscles have to be strong), the cells
that matter in some substitution of the others are named together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from math import prod
from typing import NamedTuple

from workbench.outcomes.isncsci import sets
from workbench.outcomes.isncsci.exam import Exam
from workbench.outcomes.isncsci.sets import SideSets
from workbench.outcomes.isncsci.tables import (
    DAP,
    DERMATOMES,
    LIGHT,
    MOTOR,
    MOTOR_SET,
    MUSCLES,
    PAIR_SET,
    PIN,
    VAC,
    grades_of,
)

MOST_CELLS = 8
"""With more candidates than this the reasons of a classification name the conditions only, to stay quick."""
MOST_TOGETHER = 256
"""Substitutions that are tried to find cells that decide together only."""
Values = tuple[int, ...] | tuple[str, ...]
POSSIBLE = {"Yes": (True,), "No": (False,), "NT": (False, True)}


class State(NamedTuple):
    """An exam as sets: the sides, and the possible answers to VAC and DAP."""

    right: SideSets
    left: SideSets
    vacs: tuple[bool, ...]
    daps: tuple[bool, ...]


class Cell(NamedTuple):
    """One open cell: ``side`` and ``segment`` are ``""`` for VAC and DAP; ``scores`` it can stand for, as text."""

    side: str
    grid: str
    segment: str
    code: str
    scores: tuple[str, ...]

    @property
    def name(self) -> str:
        """As in the items: ``right.motor.L2``."""
        return ".".join(part for part in (self.side, self.grid, self.segment) if part)


@dataclass(frozen=True, slots=True)
class Deciding:
    """A cell that decides, and for each run of neighbouring scores the values that the result can then have."""

    cell: Cell
    outcomes: tuple[tuple[tuple[str, ...], Values], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Cells that decide one by one, and those that do so together only."""

    alone: tuple[Deciding, ...] = ()
    together: tuple[Cell, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The cells, as in the items."""
        return tuple(one.cell.name for one in self.alone) or tuple(cell.name for cell in self.together)


def state_of(exam: Exam, sides: tuple[SideSets, SideSets]) -> State:
    """The exam as sets, its tags handled."""
    return State(*sides, POSSIBLE[exam.vac], POSSIBLE[exam.dap])


class Search:
    """The search for deciding cells of one exam. What is derived of a cell fixed to a score serves every result.

    Parameters
    ----------
    exam, state : the exam as codes and as sets.
    nli_vac, nonkey_zpp : readings.
    most : with more candidate cells than this nothing is searched; None = no limit.
    """

    def __init__(
        self, exam: Exam, state: State, *, nli_vac: str, nonkey_zpp: str, most: int | None = MOST_CELLS
    ) -> None:
        self._exam, self._state = exam, state
        self._nli_vac, self._nonkey_zpp, self._most = nli_vac, nonkey_zpp, most
        self._cells = tuple(open_cells(exam))
        self._non_key = max(exam.right.non_key, exam.left.non_key) >= 0
        self._fixed: dict[tuple[Cell, object], State] = {}

    def deciding(self, field: str) -> Found:
        """The cells that decide one result, by its name."""
        cells = [cell for cell in self._cells if _can_matter(cell, field, non_key=self._non_key)]
        if self._most is not None and len(cells) > self._most:
            return Found()
        alone = []
        for cell in cells:
            runs = self._runs(cell, field)
            if len(runs) > 1:
                alone.append(Deciding(cell, runs))
        return Found(tuple(alone)) if alone else Found(together=self._together(cells, field))

    def _runs(self, cell: Cell, field: str) -> tuple[tuple[tuple[str, ...], Values], ...]:
        """Neighbouring scores of a cell that give the same values, with these."""
        found = []
        for score in cell.scores:
            # Grades of one class (1 and 2, 3 and 4) cannot give different results.
            key = (cell, MOTOR_SET[score] if cell.grid == MOTOR else score)
            if key not in self._fixed:
                self._fixed[key] = fixed(self._exam, self._state, cell, score)
            found.append((score, self._value(self._fixed[key], field)))
        return tuple(
            (tuple(score for score, _ in run), values)
            for values, group in groupby(found, key=lambda pair: pair[1])
            for run in [list(group)]
        )

    def _together(self, cells: Sequence[Cell], field: str) -> tuple[Cell, ...]:
        """Cells that matter in some substitution of the others; empty when there are too many substitutions."""
        if not cells or prod(len(cell.scores) for cell in cells) > MOST_TOGETHER:
            return ()
        results = {
            scores: self._value(_all_fixed(self._exam, self._state, cells, scores), field)
            for scores in product(*(cell.scores for cell in cells))
        }
        return tuple(
            cell
            for at, cell in enumerate(cells)
            if any(
                value != results[(*scores[:at], other, *scores[at + 1 :])]
                for scores, value in results.items()
                for other in cell.scores
            )
        )

    def _value(self, now: State, field: str) -> Values:
        """The possible values of one result; only what it needs is computed."""
        kind, _, side = field.rpartition("_")
        mine = now.left if side == "left" else now.right
        if kind == "sensory":
            return mine.sensory
        if kind == "motor":
            return mine.motor(now.vacs)
        if kind == "zpp_sensory":
            return sets.sensory_zones(mine, now.daps)
        if field == "nli":
            return sets.neurological_levels(now.right, now.left, vacs=now.vacs, reading=self._nli_vac)
        if field == "complete":
            return sets.completeness(now.right, now.left, vacs=now.vacs, daps=now.daps)
        grades: tuple[str, ...] = ()
        if field == "ais" or self._non_key:
            grades, _ = sets.possible_grades(now.right, now.left, vacs=now.vacs, daps=now.daps)
        if field == "ais":
            return grades
        zones = sets.motor_zones(
            now.right, now.left, vacs=now.vacs, daps=now.daps, ais=grades, reading=self._nonkey_zpp
        )
        return zones[side == "left"]


def open_cells(exam: Exam) -> Iterator[Cell]:
    """Untested and tagged cells with the scores that they can stand for, in the order of the exam."""
    for answer, code in ((VAC, exam.vac), (DAP, exam.dap)):
        if code == "NT":
            yield Cell("", answer, "", code, ("No", "Yes"))
    for side, codes in exam.sides:
        for grid, segments, highest, row in (
            (MOTOR, MUSCLES, 5, codes.motor),
            (LIGHT, DERMATOMES, 2, codes.light),
            (PIN, DERMATOMES, 2, codes.pin),
        ):
            for segment, code in zip(segments, row):
                if not code.isdigit():
                    yield Cell(side, grid, segment, code, tuple(map(str, grades_of(code, highest))))


def _can_matter(cell: Cell, field: str, *, non_key: bool) -> bool:
    """Whether the result looks at the cell at all."""
    side = field.rpartition("_")[2]
    if field.startswith("sensory_"):
        return cell.side == side and cell.grid != MOTOR
    if field.startswith("motor_"):
        return cell.side == side or cell.grid == VAC
    if field.startswith("zpp_sensory_"):
        return (cell.side == side and cell.grid != MOTOR) or cell.grid == DAP
    if field == "complete":
        return cell.segment == DERMATOMES[-1] or not cell.side
    if field.startswith("zpp_motor_") and not non_key:
        # Without a non-key muscle a motor zone looks at its own side and VAC alone.
        return cell.side == side or cell.grid == VAC
    return field != "nli" or cell.grid != DAP


def fixed(exam: Exam, state: State, cell: Cell, score: str) -> State:
    """The state with one cell fixed to a score."""
    if not cell.side:
        answer = (score == "Yes",)
        return state._replace(vacs=answer) if cell.grid == VAC else state._replace(daps=answer)
    now, codes = (state.left, exam.left) if cell.side == "left" else (state.right, exam.right)
    if cell.grid == MOTOR:
        at = MUSCLES.index(cell.segment)
        muscles = (*now.muscles[:at], MOTOR_SET[score], *now.muscles[at + 1 :])
        changed = replace(now, muscles=muscles)
    else:
        at = DERMATOMES.index(cell.segment)
        light, pin = (score, codes.pin[at]) if cell.grid == LIGHT else (codes.light[at], score)
        dermatomes = (*now.dermatomes[:at], PAIR_SET[light, pin], *now.dermatomes[at + 1 :])
        changed = replace(now, dermatomes=dermatomes)
    return state._replace(left=changed) if cell.side == "left" else state._replace(right=changed)


def _all_fixed(exam: Exam, state: State, cells: Sequence[Cell], scores: Sequence[str]) -> State:
    """The state with several cells fixed; light touch and pin prick of one dermatome are fixed as a pair."""
    given = {cell.name: score for cell, score in zip(cells, scores)}
    sides = []
    for side, codes in exam.sides:
        row = {
            grid: [given.get(f"{side}.{grid}.{segment}", code) for segment, code in zip(segments, codes_of)]
            for grid, segments, codes_of in (
                (MOTOR, MUSCLES, codes.motor),
                (LIGHT, DERMATOMES, codes.light),
                (PIN, DERMATOMES, codes.pin),
            )
        }
        pairs = tuple(PAIR_SET[pair] for pair in zip(row[LIGHT], row[PIN]))
        sides.append(SideSets(pairs, tuple(MOTOR_SET[code] for code in row[MOTOR]), codes.non_key))
    vacs = (given[VAC] == "Yes",) if VAC in given else state.vacs
    daps = (given[DAP] == "Yes",) if DAP in given else state.daps
    return State(sides[0], sides[1], vacs, daps)
