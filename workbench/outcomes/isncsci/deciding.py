"""Which untested or tagged cells decide an open ISNCSCI result, and the result for each of their scores.

A cell decides a result when fixing it to one of the scores that it can stand for leaves other possible values than
fixing it to another. Where no single cell does (two of three muscles have to be strong), the cells
that matter in some substitution of the others are named together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    MOTOR_GRADES,
    MOTOR_SET,
    MUSCLES,
    PAIR_SET,
    PIN,
    SENSORY_GRADES,
    VAC,
    Field,
    Grade,
    NliVac,
    NonKeyZpp,
)

MAX_CELLS = 8
"""With more candidates than this the reasons of a classification name the conditions only, to stay fast."""
MAX_SUBSTITUTIONS = 256
"""Substitutions that are tried to find cells that decide together only."""
Values = tuple[int, ...] | tuple[str, ...]
POSSIBLE_ANSWERS = {"Yes": (True,), "No": (False,), "NT": (False, True)}


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
class DecidingCell:
    """A cell that decides, and for each run of neighbouring scores the values that the result can then have."""

    cell: Cell
    outcomes: tuple[tuple[tuple[str, ...], Values], ...]


@dataclass(frozen=True, slots=True)
class DecidingCells:
    """Cells that decide one by one, and those that do so together only."""

    single: tuple[DecidingCell, ...] = ()
    joint: tuple[Cell, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The cells, as in the items."""
        return tuple(deciding.cell.name for deciding in self.single) or tuple(cell.name for cell in self.joint)


def state_of(exam: Exam, sides: tuple[SideSets, SideSets]) -> State:
    """The exam as sets, its tags handled."""
    return State(*sides, POSSIBLE_ANSWERS[exam.vac], POSSIBLE_ANSWERS[exam.dap])


class Search:
    """The search for deciding cells of one exam. The state of a cell fixed to a score is shared by all results.

    Parameters
    ----------
    exam, state : the exam as codes and as sets.
    nli_vac, nonkey_zpp : readings.
    max_cells : with more candidate cells than this nothing is searched; None = no limit.
    """

    def __init__(
        self,
        exam: Exam,
        state: State,
        *,
        nli_vac: NliVac,
        nonkey_zpp: NonKeyZpp,
        max_cells: int | None = MAX_CELLS,
    ) -> None:
        self._exam, self._state = exam, state
        self._nli_vac, self._nonkey_zpp, self._max_cells = nli_vac, nonkey_zpp, max_cells
        self._cells = tuple(open_cells(exam))
        self._has_non_key = max(exam.right.non_key, exam.left.non_key) >= 0
        self._fixed: dict[tuple[Cell, object], State] = {}

    def deciding(self, field: Field) -> DecidingCells:
        """The cells that decide one result."""
        # Each candidate costs a classification for each of its scores; leaving out those that cannot enter the
        # result keeps the search to a few.
        cells = [cell for cell in self._cells if _can_matter(cell, field, has_non_key=self._has_non_key)]
        if self._max_cells is not None and len(cells) > self._max_cells:
            return DecidingCells()
        single = []
        for cell in cells:
            runs = self._runs(cell, field)
            if len(runs) > 1:
                single.append(DecidingCell(cell, runs))
        return DecidingCells(tuple(single)) if single else DecidingCells(joint=self._joint_cells(cells, field))

    def _runs(self, cell: Cell, field: Field) -> tuple[tuple[tuple[str, ...], Values], ...]:
        """Neighbouring scores of a cell that give the same values, with these."""
        values_by_score = []
        for score in cell.scores:
            # Grades of one class (1 and 2, 3 and 4) cannot give different results.
            key = (cell, MOTOR_SET[score] if cell.grid == MOTOR else score)
            if key not in self._fixed:
                self._fixed[key] = fix_cell(self._exam, self._state, cell, score)
            values_by_score.append((score, self._values(self._fixed[key], field)))
        return tuple(
            (tuple(score for score, _ in run), values)
            for values, group in groupby(values_by_score, key=lambda pair: pair[1])
            for run in [list(group)]
        )

    def _joint_cells(self, cells: Sequence[Cell], field: Field) -> tuple[Cell, ...]:
        """Cells that matter in some substitution of the others; empty when there are too many substitutions."""
        # The number of substitutions is a product over the cells; beyond the limit none is named rather than some.
        if not cells or prod(len(cell.scores) for cell in cells) > MAX_SUBSTITUTIONS:
            return ()
        results = {
            scores: self._values(_fix_cells(self._exam, self._state, cells, scores), field)
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

    def _values(self, state: State, field: Field) -> Values:
        """The possible values of one result; only what it needs is computed."""
        kind, _, side = field.rpartition("_")
        own_side = state.left if side == "left" else state.right
        if kind == "sensory":
            return own_side.sensory
        if kind == "motor":
            return own_side.motor(state.vacs)
        if kind == "zpp_sensory":
            return sets.sensory_zones(own_side, state.daps)
        if field == "nli":
            return sets.neurological_levels(state.right, state.left, vacs=state.vacs, reading=self._nli_vac)
        if field == "complete":
            return sets.completeness(state.right, state.left, vacs=state.vacs, daps=state.daps)
        # Of a motor zone the grade matters only where a non-key muscle may count.
        grades: tuple[Grade, ...] = ()
        if field == "ais" or self._has_non_key:
            grades, _ = sets.possible_grades(state.right, state.left, vacs=state.vacs, daps=state.daps)
        if field == "ais":
            return grades
        zones = sets.motor_zones(
            state.right, state.left, vacs=state.vacs, daps=state.daps, ais=grades, reading=self._nonkey_zpp
        )
        return zones[side == "left"]


def open_cells(exam: Exam) -> Iterator[Cell]:
    """Untested and tagged cells with the scores that they can stand for, in the order of the exam."""
    for name, answer in ((VAC, exam.vac), (DAP, exam.dap)):
        if answer == "NT":
            yield Cell("", name, "", answer, ("No", "Yes"))
    for side, codes in exam.sides:
        for grid, segments, row in codes.grids:
            grades = MOTOR_GRADES if grid == MOTOR else SENSORY_GRADES
            for segment, code in zip(segments, row):
                if not code.isdigit():
                    yield Cell(side, grid, segment, code, grades[code])


def _can_matter(cell: Cell, field: Field, *, has_non_key: bool) -> bool:
    """Whether the result can depend on the cell."""
    side = field.rpartition("_")[2]
    if field.startswith("sensory_"):
        return cell.side == side and cell.grid != MOTOR
    if field.startswith("motor_"):
        return cell.side == side or cell.grid == VAC
    if field.startswith("zpp_sensory_"):
        return (cell.side == side and cell.grid != MOTOR) or cell.grid == DAP
    if field == "complete":
        return cell.segment == DERMATOMES[-1] or not cell.side
    if field.startswith("zpp_motor_") and not has_non_key:
        # Without a non-key muscle a motor zone depends on its own side and VAC alone.
        return cell.side == side or cell.grid == VAC
    # The NLI is made of four levels, and DAP enters none of them.
    return field != "nli" or cell.grid != DAP


def fix_cell(exam: Exam, state: State, cell: Cell, score: str) -> State:
    """The state with one cell fixed to a score.

    Parameters
    ----------
    exam, state : the exam as codes and as sets.
    cell : to be fixed.
    score : one that the cell can stand for.
    """
    if not cell.side:
        answer = (score == "Yes",)
        return state._replace(vacs=answer) if cell.grid == VAC else state._replace(daps=answer)
    side, codes = (state.left, exam.left) if cell.side == "left" else (state.right, exam.right)
    if cell.grid == MOTOR:
        at = MUSCLES.index(cell.segment)
        muscles = (*side.muscles[:at], MOTOR_SET[score], *side.muscles[at + 1 :])
        fixed = SideSets(side.dermatomes, muscles, side.non_key)
    else:
        at = DERMATOMES.index(cell.segment)
        light, pin = (score, codes.pin[at]) if cell.grid == LIGHT else (codes.light[at], score)
        dermatomes = (*side.dermatomes[:at], PAIR_SET[light, pin], *side.dermatomes[at + 1 :])
        fixed = SideSets(dermatomes, side.muscles, side.non_key)
    return state._replace(left=fixed) if cell.side == "left" else state._replace(right=fixed)


def _fix_cells(exam: Exam, state: State, cells: Sequence[Cell], scores: Sequence[str]) -> State:
    """The state with several cells fixed; light touch and pin prick of one dermatome are fixed as a pair."""
    fixed = {cell.name: score for cell, score in zip(cells, scores)}
    sides = []
    for side, codes in exam.sides:
        row = {
            grid: [fixed.get(f"{side}.{grid}.{segment}", code) for segment, code in zip(segments, grid_codes)]
            for grid, segments, grid_codes in codes.grids
        }
        pairs = tuple(PAIR_SET[pair] for pair in zip(row[LIGHT], row[PIN]))
        sides.append(SideSets(pairs, tuple(MOTOR_SET[code] for code in row[MOTOR]), codes.non_key))
    vacs = (fixed[VAC] == "Yes",) if VAC in fixed else state.vacs
    daps = (fixed[DAP] == "Yes",) if DAP in fixed else state.daps
    return State(sides[0], sides[1], vacs, daps)
