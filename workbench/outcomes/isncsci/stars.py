"""The star of ISNCSCI 2019: a result that the handling of tagged scores changed.

A variable is affected when its possible values differ from those of the untagged scores; that follows from the
rules. Which value of a list carries the star is convention, and follows the reference software where it is
consistent: a single value carries it; in a list, levels and motor zones carry it on the values that the
handling adds, sensory zones on every value reached past a cell whose handling matters, completeness on
both, and a grade where its own criterion rests on a tag (A and B the sacral exam, B the muscles far below,
C and D their own count, E the normality). So a C that the untagged muscles alone give carries no star beside
a D that only the tags add. A key muscle ``NT*`` stars the value that lies on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.outcomes.isncsci.exam import Exam, Side
from workbench.outcomes.isncsci.rules import FIRST_BELOW
from workbench.outcomes.isncsci.sets import FELT, NOT_NORMAL, Places, PossibleResults, SideSets
from workbench.outcomes.isncsci.tables import (
    ABSENT,
    ACTIVE,
    C4,
    INT,
    KEY,
    L1,
    M0,
    M5,
    NORMAL,
    NOT_APPLICABLE,
    S1,
    SACRAL,
    T1,
)


@dataclass(frozen=True, slots=True)
class TaggedSide:
    """One side with the tags handled and with the tags ignored."""

    codes: Side
    handled: SideSets
    untagged: SideSets


def affected(handled: Sequence[object], untagged: Sequence[object]) -> bool:
    """The handling changed the possible values."""
    return tuple(handled) != tuple(untagged)


def _in_list(handled: Places, untagged: Places, *, extra: frozenset[int]) -> frozenset[int]:
    """Stars of a list of levels: what the handling adds, and ``extra`` where the list changed."""
    if handled == untagged:
        return frozenset()
    # A result that the handling changed has a star somewhere; of a single value there is only one place.
    if len(handled) == 1:
        return frozenset(handled)
    return (frozenset(handled) - frozenset(untagged)) | (frozenset(handled) & extra)


def _from(place: int) -> frozenset[int]:
    return frozenset(range(place, INT + 1))


def _normal_by_tag(side: TaggedSide) -> list[int]:
    """Places of the dermatomes that only their tags make normal."""
    return [
        index + 1
        for index, (handled, untagged) in enumerate(zip(side.handled.dermatomes, side.untagged.dermatomes))
        if untagged & NOT_NORMAL and not handled & NOT_NORMAL
    ]


def sensory(side: TaggedSide) -> frozenset[int]:
    """Starred sensory levels."""
    abnormal_by_tag = (
        index
        for index, (handled, untagged) in enumerate(zip(side.handled.dermatomes, side.untagged.dermatomes))
        if untagged & NORMAL and not handled & NORMAL
    )
    # Past a dermatome that only its tag makes normal, every level rests on that tag.
    extra = frozenset(abnormal_by_tag).union(*map(_from, _normal_by_tag(side)))
    return _in_list(side.handled.sensory, side.untagged.sensory, extra=extra)


def _past_muscles(side: TaggedSide) -> frozenset[int]:
    """Levels that are only reached past a muscle that its tag makes normal."""
    muscles = zip(KEY, side.handled.muscles, side.untagged.muscles)
    return frozenset[int]().union(
        *(_from(key + 1) for key, handled, untagged in muscles if untagged & ~M5 and handled == M5)
    )


def _past_dermatomes(side: TaggedSide) -> frozenset[int]:
    """Motor levels that are only reached past a dermatome that its tag makes normal."""
    # A dermatome between key muscles (C5–T1, L2–S1) opens the way past the last of them only.
    gates = (
        T1 + 1 if C4 < place <= T1 else S1 + 1 if L1 < place <= S1 else place for place in _normal_by_tag(side)
    )
    return frozenset[int]().union(*map(_from, gates))


def motor(side: TaggedSide, handled: Places, untagged: Places) -> frozenset[int]:
    """Starred motor levels.

    Parameters
    ----------
    side : with the tags handled and ignored.
    handled, untagged : its possible motor levels.
    """
    # The reference software stars the value on an ``NT*`` muscle even where the list of values did not change.
    on_the_cell = frozenset(key for key, code in zip(KEY, side.codes.motor) if code == "NT*")
    passed = _past_muscles(side) | _past_dermatomes(side)
    return _in_list(handled, untagged, extra=passed) | (on_the_cell & frozenset(handled))


def nli(sides: tuple[TaggedSide, TaggedSide], handled: Places, untagged: Places) -> frozenset[int]:
    """Starred neurological levels.

    Parameters
    ----------
    sides : with the tags handled and ignored.
    handled, untagged : possible neurological levels.
    """
    passed = frozenset[int]().union(
        *(_past_muscles(side) for side in sides),
        *(_from(place) for side in sides for place in _normal_by_tag(side)),
    )
    return _in_list(handled, untagged, extra=passed)


def zpp_sensory(side: TaggedSide, handled: Places, untagged: Places) -> frozenset[int]:
    """Starred sensory zones; NA is no level and carries a star only where nothing else does.

    Parameters
    ----------
    side : with the tags handled and ignored.
    handled, untagged : its possible sensory zones.
    """
    if handled == untagged or len(handled) == 1:
        return frozenset(handled) if handled != untagged else frozenset()
    for index in range(SACRAL - 1, -1, -1):
        states, ignored = side.handled.dermatomes[index], side.untagged.dermatomes[index]
        if (bool(states & FELT), bool(states & ABSENT)) != (bool(ignored & FELT), bool(ignored & ABSENT)):
            reached = frozenset(place for place in handled if NOT_APPLICABLE < place <= index + 1)
            if reached:
                return reached
    return frozenset(handled) - frozenset(untagged)


def zpp_motor(handled: Places, untagged: Places) -> frozenset[int]:
    """Starred motor zones."""
    return _in_list(handled, untagged, extra=frozenset())


def complete(handled: PossibleResults, untagged: PossibleResults) -> frozenset[str]:
    """Starred values of completeness."""
    return frozenset(handled.complete) if affected(handled.complete, untagged.complete) else frozenset()


def ais(
    exam: Exam, sides: tuple[TaggedSide, TaggedSide], handled: PossibleResults, untagged: PossibleResults
) -> frozenset[str]:
    """Starred grades.

    Parameters
    ----------
    exam : as codes.
    sides : with the tags handled and ignored.
    handled, untagged : possible results.
    """
    grades = frozenset(handled.ais)
    if not affected(handled.ais, untagged.ais) or len(grades) == 1:
        return grades if affected(handled.ais, untagged.ais) else frozenset()
    changed = {
        "A": affected(handled.complete, untagged.complete),
        "B": _sacral_changed(exam, sides) or any(_far_changed(side) for side in sides),
        "C": _weak_by_tag(exam, handled.nli) or "C" not in untagged.counted or _far_by_tag(exam, sides),
        "D": _strong_by_tag(exam, handled.nli) or _far_by_tag(exam, sides),
        "E": affected(handled.nli, untagged.nli),
    }
    by_criterion = frozenset(grade for grade in grades if changed[grade])
    # Where no criterion of a grade rests on a tag, the grades that the handling adds carry the star.
    return by_criterion or (grades - frozenset(untagged.ais))


WEAK, WEAK_TAGGED = frozenset(("0", "1", "2", "NT", "NT*")), frozenset(("0*", "1*", "2*"))
"""Codes that can be below 3 with no tag on a number, and those that are only considered not normal."""
STRONG_TAGGED = WEAK_TAGGED | {"0**", "1**", "2**"}
"""Codes below 3 that their tag lets count as 3 or more."""


def _below(exam: Exam, nli: int) -> list[str]:
    """Codes of the key muscles below a neurological level, both sides."""
    return [code for _, side in exam.sides for code in side.motor[FIRST_BELOW[nli] :]]


def _weak_by_tag(exam: Exam, nlis: Places) -> bool:
    """Less than half strong only because tagged muscles count as weak, at the first NLI where it is possible."""
    for nli in nlis:
        codes = _below(exam, nli)
        untagged_weak, tagged = (sum(code in kind for code in codes) for kind in (WEAK, WEAK_TAGGED))
        if 2 * (untagged_weak + tagged) > len(codes):
            return 2 * untagged_weak <= len(codes)
    return False


def _strong_by_tag(exam: Exam, nlis: Places) -> bool:
    """At least half strong only because tagged muscles count as strong, at every NLI where it is possible."""
    rests = False
    for nli in nlis:
        codes = _below(exam, nli)
        strong = sum(code not in ("0", "1", "2") for code in codes)
        tagged = sum(code in STRONG_TAGGED for code in codes)
        if 2 * (strong - tagged) >= len(codes):
            return False
        rests = rests or 2 * strong >= len(codes)
    return rests


def _far_by_tag(exam: Exam, sides: tuple[TaggedSide, TaggedSide]) -> bool:
    """Without VAC: the first muscle far below that can be active is one that its tag makes normal (``0**``)."""
    return exam.vac == "No" and any(_first_far(side) == "0**" for side in sides)


def _first_far(side: TaggedSide) -> str:
    """Code of the first muscle that is not 0, more than three levels below a possible motor level."""
    # Needed without VAC only: with VAC the injury is motor incomplete whatever lies far below.
    for level in side.handled.motor((False,)):
        for key, code in zip(KEY, side.codes.motor):
            if key > level + 3 and (code != "0" or key == side.codes.non_key):
                return code
    return ""


def _sacral_changed(exam: Exam, sides: tuple[TaggedSide, TaggedSide]) -> bool:
    # With DAP there is sacral sensation in any case, and no tag at S4-5 can change that.
    return exam.dap != "Yes" and any(
        (side.handled.can_feel, side.handled.can_be_numb) != (side.untagged.can_feel, side.untagged.can_be_numb)
        for side in sides
    )


def _far_changed(side: TaggedSide) -> bool:
    """A muscle more than three levels below the most rostral motor level, active or not by its tag."""
    level = min(branch.motor for branch in side.handled.branches)
    return any(
        key > level + 3
        and (bool(handled & ACTIVE), bool(handled & M0)) != (bool(untagged & ACTIVE), bool(untagged & M0))
        for key, handled, untagged in zip(KEY, side.handled.muscles, side.untagged.muscles)
    )
