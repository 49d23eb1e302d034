"""What a reader of an ISNCSCI result has to know: inconsistent exams, surprising grades, open questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workbench.outcomes.isncsci.exam import Exam, Side
from workbench.outcomes.isncsci.tables import ABSENT, KEY, L4, LEGACY_NON_KEY, ORDER, PAIR_SET, SIDES, examined
from workbench.outcomes.isncsci.texts import Words, say


class Warned(NamedTuple):
    """A warning: a stable code, and the sentence."""

    code: str
    words: Words


def warnings(exam: Exam, *, motor: tuple[Sequence[int], Sequence[int]], ais: Sequence[str]) -> Iterator[Warned]:
    """Warnings that follow from the exam, the possible motor levels (right, left) and the possible grades."""
    sacral = [(side.light[-1], side.pin[-1]) for _, side in exam.sides]
    if exam.vac == "Yes" and exam.dap == "No" and all(PAIR_SET[pair] == ABSENT for pair in sacral):
        yield warn("vac_alone")
    if exam.dap == "No" and any(examined(code) == "2" for pair in sacral for code in pair):
        yield warn("dap_no")
    if "E" in ais:
        yield warn("ais_e")
    if "B" in ais and any(level >= L4 for levels in motor for level in levels):
        yield warn("ais_b_low")
    if "A" in ais and any(_far(side, min(levels)) for (_, side), levels in zip(exam.sides, motor)):
        yield warn("ais_a_far")
    for _, side in exam.sides:
        if side.non_key >= 0 and ORDER[side.non_key] in LEGACY_NON_KEY:
            yield warn("legacy_non_key", ORDER[side.non_key])
    if not exam.plain and any(code in ("NT*", "NT**") for _, code in exam.cells()):
        yield warn("tagged_nt")


def _far(side: Side, level: int) -> bool:
    return any(key > level + 3 and examined(code) not in ("0", "NT") for key, code in zip(KEY, side.motor))


def nli_differs(praxis: str, strict: str) -> Warned:
    """The two readings of a missing VAC give different neurological levels."""
    return warn("nli_vac", praxis, strict)


def non_key_differs(side: int, praxis: str, motor_level: str) -> Warned:
    """The two readings of the non-key muscle give different zones of ``SIDES[side]``."""
    return warn("nonkey_zpp", praxis, motor_level, say(SIDES[side]))


def warn(code: str, *values: object) -> Warned:
    """The warning of that code."""
    return Warned(code, say(f"warn.{code}", *values))
