"""What a reader of an ISNCSCI result has to know: inconsistent exams, surprising grades, open questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workbench.outcomes.isncsci.exam import Exam, Side
from workbench.outcomes.isncsci.tables import (
    ABSENT,
    KEY,
    L4,
    LEGACY_NON_KEY,
    ORDER,
    PAIR_SET,
    SIDES,
    TAGGED_UNTESTED,
    Grade,
    examined,
)
from workbench.outcomes.isncsci.texts import Text, text_of


class ExamWarning(NamedTuple):
    """A warning: a stable code, and the sentence."""

    code: str
    text: Text


def warnings(
    exam: Exam, *, motor: tuple[Sequence[int], Sequence[int]], ais: Sequence[Grade]
) -> Iterator[ExamWarning]:
    """Warnings that follow from the exam and its result.

    Parameters
    ----------
    exam : the exam.
    motor : possible motor levels, right and left.
    ais : possible grades.
    """
    yield from _anorectal_warnings(exam)
    yield from _grade_warnings(exam, motor, ais)
    yield from _cell_warnings(exam)


def _anorectal_warnings(exam: Exam) -> Iterator[ExamWarning]:
    """Answers to VAC and DAP that do not go with each other or with S4-5."""
    sacral = [(side.light[-1], side.pin[-1]) for _, side in exam.sides]
    # Who contracts at will around a finger mostly feels it press as well.
    if exam.vac == "Yes" and exam.dap == "No" and all(PAIR_SET[pair] == ABSENT for pair in sacral):
        yield warn("vac_alone")
    if exam.dap == "No" and any(examined(code) == "2" for pair in sacral for code in pair):
        yield warn("dap_no")


def _grade_warnings(
    exam: Exam, motor: tuple[Sequence[int], Sequence[int]], ais: Sequence[Grade]
) -> Iterator[ExamWarning]:
    """Grades that are right by the letter and misread easily."""
    # E needs a documented earlier deficit; who never had one has no AIS (ISNCSCI 2019, AIS). An exam cannot know.
    if "E" in ais:
        yield warn("ais_e")
    # No key muscle is more than three levels below such a motor level, so legs that move cannot raise the grade.
    if "B" in ais and any(level >= L4 for levels in motor for level in levels):
        yield warn("ais_b_low")
    if "A" in ais and any(_active_far_below(side, min(levels)) for (_, side), levels in zip(exam.sides, motor)):
        yield warn("ais_a_far")


def _active_far_below(side: Side, level: int) -> bool:
    return any(key > level + 3 and examined(code) not in ("0", "NT") for key, code in zip(KEY, side.motor))


def _cell_warnings(exam: Exam) -> Iterator[ExamWarning]:
    """Entries that are accepted although they are unusual."""
    for _, side in exam.sides:
        if side.non_key >= 0 and ORDER[side.non_key] in LEGACY_NON_KEY:
            yield warn("legacy_non_key", ORDER[side.non_key])
    if exam.contains_any(TAGGED_UNTESTED):
        yield warn("tagged_nt")


def nli_differs(praxis: str, strict: str) -> ExamWarning:
    """The two readings of a missing VAC give different neurological levels."""
    return warn("nli_vac", praxis, strict)


def non_key_differs(side: int, praxis: str, motor_level: str) -> ExamWarning:
    """The two readings of the non-key muscle give different motor zones.

    Parameters
    ----------
    side : index in ``SIDES``.
    praxis, motor_level : the zone under each reading, as text.
    """
    return warn("nonkey_zpp", praxis, motor_level, text_of(SIDES[side]))


def warn(code: str, *values: object) -> ExamWarning:
    """The warning of that code."""
    return ExamWarning(code, text_of(f"warn.{code}", *values))
