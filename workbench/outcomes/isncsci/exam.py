"""Reading an ISNCSCI exam: every cell present, every code known. Nothing is coerced or filled in.

An exam is a mapping ``{"voluntaryAnalContraction", "deepAnalPressure": "Yes|No|NT", "right", "left":
{"motor": {C5 … S1}, "lightTouch": {C2 … S4_5}, "pinPrick": {…}, "lowestNonKeyMuscleWithMotorFunction"?}}``
whose scores are text. A missing cell is an error and never "not testable"; so is an exam of the
expedited form (E-ISNCSCI), which leaves cells and the anorectal exam out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import itemgetter
from typing import Any, Literal, get_args

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes.isncsci.tables import (
    ANSWERS,
    DAP,
    DERMATOMES,
    LEGACY_NON_KEY,
    LIGHT,
    MOTOR,
    MOTOR_CODES,
    MUSCLES,
    NON_KEY,
    PIN,
    PLACE,
    PLAIN_MOTOR,
    PLAIN_SENSORY,
    SENSORY_CODES,
    SIDES,
    TAGGED,
    VAC,
    Answer,
)

GRIDS = ((MOTOR, MUSCLES, MOTOR_CODES), (LIGHT, DERMATOMES, SENSORY_CODES), (PIN, DERMATOMES, SENSORY_CODES))
NAMED_CELLS = 5
"""How many faulty cells an error names before it only counts them."""

_muscles = itemgetter(*MUSCLES)
_dermatomes = itemgetter(*DERMATOMES)
_motor_codes = frozenset(MOTOR_CODES)
_sensory_codes = frozenset(SENSORY_CODES)
_side_keys = frozenset((MOTOR, LIGHT, PIN))
_side_keys_non_key = _side_keys | {NON_KEY}
_exam_keys = frozenset((*SIDES, VAC, DAP))
_non_key_codes = frozenset((*MUSCLES, *LEGACY_NON_KEY, None))


@dataclass(frozen=True, slots=True)
class Side:
    """One side: codes rostral to caudal, 10 key muscles and 28 dermatomes; ``non_key`` place or -1."""

    motor: tuple[str, ...]
    light: tuple[str, ...]
    pin: tuple[str, ...]
    non_key: int

    @property
    def grids(self) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
        """``(grid, segments, codes)`` of the key muscles, light touch and pin prick."""
        return (MOTOR, MUSCLES, self.motor), (LIGHT, DERMATOMES, self.light), (PIN, DERMATOMES, self.pin)

    @property
    def plain(self) -> bool:
        """Every cell is a number: nothing untested, nothing tagged."""
        sensory = PLAIN_SENSORY.issuperset(self.light) and PLAIN_SENSORY.issuperset(self.pin)
        return sensory and PLAIN_MOTOR.issuperset(self.motor)


@dataclass(frozen=True, slots=True)
class Exam:
    """A validated exam."""

    right: Side
    left: Side
    vac: Answer
    dap: Answer

    @property
    def plain(self) -> bool:
        """Nothing untested, nothing tagged."""
        return self.vac != "NT" and self.dap != "NT" and self.right.plain and self.left.plain

    @property
    def sides(self) -> tuple[tuple[str, Side], tuple[str, Side]]:
        """``(("right", …), ("left", …))``."""
        return ("right", self.right), ("left", self.left)

    def cells(self) -> Iterator[tuple[str, str]]:
        """``(name, code)`` of every cell, such as ``("right.motor.C5", "4*")``."""
        for name, side in self.sides:
            for grid, segments, codes in side.grids:
                yield from ((f"{name}.{grid}.{segment}", code) for segment, code in zip(segments, codes))
        yield from ((VAC, self.vac), (DAP, self.dap))

    def open_cells(self) -> Iterator[tuple[str, str]]:
        """``(name, code)`` of the untested and tagged cells."""
        for name, side in self.sides:
            for grid, segments, codes in side.grids:
                for segment, code in zip(segments, codes):
                    if not code.isdigit():
                        yield f"{name}.{grid}.{segment}", code
        yield from ((name, code) for name, code in ((VAC, self.vac), (DAP, self.dap)) if code == "NT")

    def contains_any(self, codes: frozenset[str]) -> bool:
        """Whether a cell of either side has one of the codes."""
        return not all(codes.isdisjoint(row) for _, side in self.sides for _, _, row in side.grids)


def read_exam(exam: Mapping[str, Any]) -> Exam:
    """Validate one exam.

    Raises
    ------
    BadValue
        A cell is missing, unknown, or has a code outside its list; the text names the cells.
    """
    try:
        read = Exam(
            right=_side(exam["right"]),
            left=_side(exam["left"]),
            vac=exam[VAC],
            dap=exam[DAP],
        )
        sound = exam.keys() == _exam_keys and read.vac in ANSWERS and read.dap in ANSWERS
    except (KeyError, TypeError, AttributeError, _Unsound):
        sound = False
    if not sound:
        raise BadValue(_complaint(exam))
    return read


class _Unsound(Exception):
    """A side with a fault; :func:`_complaint` then names its cells."""


def _side(side: Mapping[str, Any]) -> Side:
    # Most exams are valid, so a few set operations decide; the cell-by-cell check runs only to name the faults.
    motor, light, pin = _muscles(side[MOTOR]), _dermatomes(side[LIGHT]), _dermatomes(side[PIN])
    non_key = side.get(NON_KEY)
    # Lengths first: the getters above take the known segments and would not see one too many.
    sound = (
        len(side[MOTOR]) == len(MUSCLES)
        and len(side[LIGHT]) == len(side[PIN]) == len(DERMATOMES)
        and _motor_codes.issuperset(motor)
        and _sensory_codes.issuperset(light)
        and _sensory_codes.issuperset(pin)
        and (side.keys() == _side_keys or side.keys() == _side_keys_non_key)
        and non_key in _non_key_codes
    )
    if not sound:
        raise _Unsound
    return Side(motor, light, pin, -1 if non_key is None else PLACE[non_key])


def _complaint(exam: Any) -> str:
    problems = list(_problems(exam))
    named = reduce(_both, problems[:NAMED_CELLS])
    if len(problems) > NAMED_CELLS:
        return Message("isncsci.exam_more", problems=named, n=len(problems) - NAMED_CELLS)
    return Message("isncsci.exam", problems=named)


def _both(first: str, second: str) -> str:
    return Message("isncsci.both", first=first, second=second)


def _problems(exam: Any) -> Iterator[str]:
    if not isinstance(exam, Mapping):
        yield Message("isncsci.no_exam", vac=VAC, dap=DAP, got=type(exam).__name__)
        return
    for cell in (VAC, DAP):
        if cell not in exam:
            yield Message("isncsci.no_answer", cell=cell)
        elif not isinstance(exam[cell], str) or exam[cell] not in ANSWERS:
            yield Message("isncsci.one_of", cell=cell, allowed=list(ANSWERS), got=repr(exam[cell]))
    for name in SIDES:
        yield from _side_problems(exam.get(name), name)
    yield from (Message("isncsci.unknown_cell", cell=str(key)) for key in exam if key not in _exam_keys)


def _side_problems(side: Any, name: str) -> Iterator[str]:
    if not isinstance(side, Mapping):
        yield Message("isncsci.no_side", side=name, first=MOTOR, second=LIGHT, third=PIN)
        return
    for grid, segments, codes in GRIDS:
        cells = side.get(grid)
        if not isinstance(cells, Mapping):
            yield Message("isncsci.no_mapping", cell=f"{name}.{grid}", needed=list(segments))
            continue
        for segment in segments:
            if segment not in cells:
                yield Message("isncsci.no_score", cell=f"{name}.{grid}.{segment}")
            elif not isinstance(cells[segment], str) or cells[segment] not in codes:
                yield _bad_code(f"{name}.{grid}.{segment}", cells[segment], codes)
        yield from (
            Message("isncsci.unknown_cell", cell=f"{name}.{grid}.{key}") for key in cells if key not in segments
        )
    non_key = side.get(NON_KEY)
    if non_key is not None and non_key not in (*MUSCLES, *LEGACY_NON_KEY):
        yield Message("isncsci.non_key", cell=f"{name}.{NON_KEY}", allowed=list(MUSCLES), got=repr(non_key))
    yield from (
        Message("isncsci.unknown_cell", cell=f"{name}.{key}") for key in side if key not in _side_keys_non_key
    )


def _bad_code(cell: str, got: Any, codes: tuple[str, ...]) -> str:
    highest = max(code for code in codes if code.isdigit())
    # A tag means that a score is below normal for another reason than the injury (ISNCSCI 2019, "*").
    if isinstance(got, str) and got in (f"{highest}*", f"{highest}**"):
        return Message("isncsci.tagged_normal", cell=cell, got=repr(got), highest=repr(highest))
    return Message("isncsci.code", cell=cell, allowed=list(codes), got=repr(got))


Reason = Literal[
    "plexopathy",
    "peripheral neuropathy",
    "pre-existing myoneuronal disease",
    "burn",
    "cast",
    "amputation",
    "pain",
    "weakness",
    "other",
]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why a score is tagged as not, or not only, caused by the spinal cord injury."""


def tagged_cells(exam: Exam) -> tuple[str, ...]:
    """Names of the cells with a tag, in the order of the worksheet."""
    return tuple(name for name, code in exam.open_cells() if code in TAGGED)


def check_reasons(exam: Exam, reasons: Mapping[str, str]) -> None:
    """Check that every tagged cell, and no other, has one reason out of :data:`REASONS`.

    Raises
    ------
    BadValue
        A tagged cell without a reason, an unknown reason, or a reason for a cell without a tag.
    """
    if not isinstance(reasons, Mapping):
        raise BadValue(Message("isncsci.reasons", got=type(reasons).__name__))
    tagged = tagged_cells(exam)
    for cell in tagged:
        got = reasons.get(cell)
        if got not in REASONS:
            raise BadValue(Message("isncsci.needs_reason", cell=cell, allowed=list(REASONS), got=repr(got)))
    for cell in reasons:
        if cell not in tagged:
            raise BadValue(Message("isncsci.no_tag", cell=cell, got=repr(reasons[cell])))
