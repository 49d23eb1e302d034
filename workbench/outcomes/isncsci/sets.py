"""ISNCSCI with untested or tagged cells: every result that any substitution gives, found jointly.

A cell stands for a set of scores; the result of a variable is the set of what the kernel gives for every
combination. Enumerating combinations is not needed, because the rules factorise exactly:

* A motor level depends on the dermatomes only through the first one that is not 2/2, hence through the
  sensory level, and on the muscles only through the first one that is not 5. A *branch* of a side is one
  such pair; the muscles beyond the stop stay free and independent.
* The sides meet only in the neurological level, VAC, DAP, the S4-5 sensation, the motor function more
  than three levels below, and the count of strong muscles below the neurological level. For the count,
  C or D is decided by its smallest and its largest value within a class of branches that agree in the
  rest, and both are attained.

So the work grows with the number of segments and never with the number of combinations.

References
----------
Schuld C, et al. Spinal Cord 2012, PMID 21933016.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from workbench.outcomes.isncsci.rules import FIRST_BELOW, half_or_more
from workbench.outcomes.isncsci.tables import (
    ABSENT,
    ACTIVE,
    C4,
    INT,
    KEY,
    L1,
    M0,
    M5,
    M12,
    M34,
    NORMAL,
    NOT_APPLICABLE,
    PRESENT,
    S1,
    S3,
    SACRAL,
    STRONG,
    T1,
)

Places = tuple[int, ...]
NOT_NORMAL = PRESENT | ABSENT
FELT = NORMAL | PRESENT
Counts = tuple[Places, Places]
"""Smallest and largest number of strong muscles from each muscle on, 11 numbers each."""
Trait = tuple[bool, bool]
"""(motor function more than three levels below, S4-5 felt)."""


class Branch(NamedTuple):
    """Motor level with VAC, muscles (10 sets of classes), and the sensory levels it goes with."""

    motor: int
    muscles: Places
    sensory: list[int]


class Results(NamedTuple):
    """All possible values of every variable, rostral to caudal, NA first.

    ``attained`` are the grades C and D that the count alone gives, whether or not the injury is motor
    incomplete.
    """

    sensory: tuple[Places, Places]
    motor: tuple[Places, Places]
    nli: Places
    complete: tuple[str, ...]
    ais: tuple[str, ...]
    zpp_sensory: tuple[Places, Places]
    zpp_motor: tuple[Places, Places]
    attained: frozenset[str]


@dataclass(frozen=True)
class SideSets:
    """One side: sets of states of 28 dermatomes, sets of classes of 10 muscles, place of the non-key muscle."""

    dermatomes: Places
    muscles: Places
    non_key: int

    @cached_property
    def can_feel(self) -> bool:
        """Some substitution has sensation at S4-5."""
        return bool(self.dermatomes[SACRAL] & FELT)

    @cached_property
    def can_be_numb(self) -> bool:
        """Some substitution has none."""
        return bool(self.dermatomes[SACRAL] & ABSENT)

    @cached_property
    def sensory(self) -> Places:
        """Possible sensory levels."""
        found = []
        for level, states in enumerate(self.dermatomes):
            if states & NOT_NORMAL:
                found.append(level)
            if not states & NORMAL:
                return tuple(found)
        return (*found, INT)

    def felt(self, level: int) -> tuple[bool, ...]:
        """Whether S4-5 can be felt, or not, given the sensory level.

        Only INT binds it: for S3 it is not normal, and a set with normal and absent has present as well.
        """
        return (True,) if level == INT else (True,) * self.can_feel + (False,) * self.can_be_numb

    @cached_property
    def zpp_sensory(self) -> Places:
        """Possible zones of partial preservation where no sacral sensation rules them out."""
        found = []
        for index in range(SACRAL - 1, -1, -1):
            if self.dermatomes[index] & FELT:
                found.append(index + 1)
            if not self.dermatomes[index] & ABSENT:
                return tuple(reversed(found))
        return (0, *reversed(found))

    @cached_property
    def branches(self) -> list[Branch]:
        """Every way of reaching a motor level."""
        rostral = [level for level in self.sensory if level < C4]
        found = [Branch(level, self.muscles, [level]) for level in rostral]
        below_c3 = [level for level in self.sensory if level >= C4]
        from_l1 = [level for level in below_c3 if level >= L1]
        for first in range(11):
            stuck = below_c3 if first < 5 else from_l1
            before = (M5,) * first
            if first == 5 and below_c3:
                found += self._past_the_arm(below_c3)
            if first == 10:
                from_s1 = [level for level in from_l1 if level >= S1]
                found += [Branch(S1, before, [level for level in from_l1 if level < S1])]
                found += [Branch(level, before, [level]) for level in from_s1]
                break
            for classes, level in ((M0 | M12, KEY[first] - 1), (M34, KEY[first])):
                if self.muscles[first] & classes:
                    stopped = (*before, self.muscles[first] & classes, *self.muscles[first + 1 :])
                    found.append(Branch(level, stopped, stuck))
            if not self.muscles[first] & M5:
                break
        return [branch for branch in found if branch.sensory]

    def _past_the_arm(self, below_c3: Sequence[int]) -> list[Branch]:
        """C5 to T1 all 5: T1 where one of their dermatomes is not normal, then the dermatomes T2 to L1."""
        muscles = ((M5,) * 5) + self.muscles[5:]
        trunk = [Branch(level, muscles, [level]) for level in below_c3 if T1 <= level < L1]
        return [Branch(T1, muscles, [level for level in below_c3 if level < T1]), *trunk]

    def motor(self, vacs: Sequence[bool]) -> Places:
        """Possible motor levels for the possible answers to VAC."""
        found = {branch.motor for branch in self.branches}
        if INT in found and False in vacs:
            found.add(S3)
        if True not in vacs:
            found.discard(INT)
        return tuple(sorted(found))

    @cached_property
    def most_rostral(self) -> frozenset[int]:
        """Possible values of the more rostral one of sensory and motor level, with VAC."""
        return frozenset(min(branch.motor, level) for branch in self.branches for level in branch.sensory)

    @cached_property
    def classes(self) -> dict[int, dict[Trait, Counts]]:
        """More rostral level → trait → counts."""
        found: dict[int, dict[Trait, Counts]] = {}
        for branch in self.branches:
            meetings = {(min(branch.motor, level), felt) for level in branch.sensory for felt in self._felt[level]}
            counts = _counts(branch)
            for far in self._far(branch):
                for level, felt in meetings:
                    traits = found.setdefault(level, {})
                    traits[far, felt] = _merge(traits.get((far, felt)), counts)
        return found

    @cached_property
    def _felt(self) -> dict[int, tuple[bool, ...]]:
        return {level: self.felt(level) for level in self.sensory}

    @cached_property
    def far(self) -> frozenset[bool]:
        """Whether there can be, or can not be, motor function more than three levels below, over all branches."""
        return frozenset(answer for branch in self.branches for answer in self._far(branch))

    def _far(self, branch: Branch) -> list[bool]:
        """Whether there can be, or can not be, motor function more than three levels below."""
        below = [classes for key, classes in zip(KEY, branch.muscles) if key > branch.motor + 3]
        non_key = self.non_key > branch.motor + 3
        can = non_key or any(classes & ACTIVE for classes in below)
        can_not = not non_key and all(classes & M0 for classes in below)
        return [True] * can + [False] * can_not

    def zpp_motor(self, branch: Branch) -> set[int]:
        """Possible zones of partial preservation of one branch without VAC; no non-key muscle."""
        found, level = set(), min(branch.motor, S3)
        for key, classes in zip(reversed(KEY), reversed(branch.muscles)):
            if classes & ACTIVE:
                found.add(max(level, key))
            if not classes & M0:
                return found
        return found | {level}


def _counts(branch: Branch) -> Counts:
    """Counts of a branch, whether or not there is motor function more than three levels below.

    With it neither end is bound: a muscle that can be 0 and can be active can be 1. Without it the ends may
    be out of reach; but wherever they then are, function far below is possible on that side as well, and
    every pair of sides that is counted stays counted with it.
    """
    low, high = [0], [0]
    for classes in reversed(branch.muscles):
        low.append(low[-1] + (not classes & ~STRONG))
        high.append(high[-1] + bool(classes & STRONG))
    return tuple(reversed(low)), tuple(reversed(high))


def _merge(one: Counts | None, other: Counts) -> Counts:
    if one is None or one == other:
        return other
    return tuple(map(min, one[0], other[0])), tuple(map(max, one[1], other[1]))


def _at_least(classes: dict[int, dict[Trait, Counts]]) -> dict[int, dict[Trait, Counts]]:
    """Level → trait → counts of all classes at that level or more caudal."""
    found: dict[int, dict[Trait, Counts]] = {}
    running: dict[Trait, Counts] = {}
    for level in range(INT, -1, -1):
        for trait, counts in classes.get(level, {}).items():
            running[trait] = _merge(running.get(trait), counts)
        found[level] = dict(running)
    return found


def _pairs(right: SideSets, left: SideSets) -> Iterable[tuple[int, Trait, Counts, Trait, Counts]]:
    """Every neurological level with every pair of classes that gives it."""
    at_least = _at_least(right.classes), _at_least(left.classes)
    for nli in range(INT + 1):
        for a, b in (
            (right.classes.get(nli, {}), at_least[1][nli]),
            (at_least[0][nli], left.classes.get(nli, {})),
        ):
            for trait_a, counts_a in a.items():
                for trait_b, counts_b in b.items():
                    yield nli, trait_a, counts_a, trait_b, counts_b


def _count_grades(nli: int, a: Counts, b: Counts) -> set[str]:
    first = FIRST_BELOW[nli]
    below = 2 * (10 - first)
    grades = {"D"} if half_or_more(a[1][first] + b[1][first], below) else set()
    return grades if half_or_more(a[0][first] + b[0][first], below) else grades | {"C"}


def _ais(
    right: SideSets, left: SideSets, *, vacs: Sequence[bool], daps: Sequence[bool]
) -> tuple[set[str], frozenset[str]]:
    """``(possible grades other than A, grades that the count gives)``."""
    grades: set[str] = set()
    attained: set[str] = set()
    for nli, (far_a, felt_a), counts_a, (far_b, felt_b), counts_b in _pairs(right, left):
        counted = {"E"} if nli == INT else _count_grades(nli, counts_a, counts_b)
        attained |= counted
        if True in vacs:
            grades |= counted
        if False in vacs and (True in daps or felt_a or felt_b):
            grades |= counted if far_a or far_b else {"B"}
    return grades, frozenset(attained - {"E"})


def classify(
    right: SideSets,
    left: SideSets,
    *,
    vacs: Sequence[bool],
    daps: Sequence[bool],
    nli_vac: str = "praxis",
    nonkey_zpp: str = "praxis",
) -> Results:
    """Classify one exam whose cells are sets.

    Parameters
    ----------
    right, left : the sides.
    vacs, daps : possible answers.
    nli_vac, nonkey_zpp : readings, see :func:`workbench.outcomes.isncsci.rules.classify`. With
        ``nonkey_zpp="praxis"`` and C among several grades, the non-key muscle takes the place of every
        level more than three above it, as the reference software prints it.
    """
    ais, attained = possible_grades(right, left, vacs=vacs, daps=daps)
    return Results(
        (right.sensory, left.sensory),
        (right.motor(vacs), left.motor(vacs)),
        neurological_levels(right, left, vacs=vacs, reading=nli_vac),
        completeness(right, left, vacs=vacs, daps=daps),
        ais,
        (sensory_zones(right, daps), sensory_zones(left, daps)),
        motor_zones(right, left, vacs=vacs, daps=daps, ais=ais, reading=nonkey_zpp),
        attained,
    )


def completeness(
    right: SideSets, left: SideSets, *, vacs: Sequence[bool], daps: Sequence[bool]
) -> tuple[str, ...]:
    """Possible values of completeness: C, I or both."""
    complete = False in vacs and False in daps and right.can_be_numb and left.can_be_numb
    incomplete = True in vacs or True in daps or right.can_feel or left.can_feel
    return ("C",) * complete + ("I",) * incomplete


def possible_grades(
    right: SideSets, left: SideSets, *, vacs: Sequence[bool], daps: Sequence[bool]
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Possible AIS grades, and those of C and D that the count alone gives."""
    grades, attained = _ais(right, left, vacs=vacs, daps=daps)
    complete = "C" in completeness(right, left, vacs=vacs, daps=daps)
    return tuple(sorted(grades | ({"A"} if complete else set()))), attained


def muscle_counts(right: SideSets, left: SideSets) -> dict[int, tuple[int, int, int]]:
    """Neurological level → fewest and most key muscles of grade 3 or more below it, and how many there are."""
    found: dict[int, tuple[int, int, int]] = {}
    for nli, _, counts_a, _, counts_b in _pairs(right, left):
        if nli == INT:
            continue
        first = FIRST_BELOW[nli]
        low, high = (one[first] + two[first] for one, two in zip(counts_a, counts_b))
        known = found.get(nli, (low, high, 0))
        found[nli] = (min(low, known[0]), max(high, known[1]), 2 * (10 - first))
    return found


def neurological_levels(right: SideSets, left: SideSets, *, vacs: Sequence[bool], reading: str) -> Places:
    """Possible neurological levels; ``reading`` is ``nli_vac``."""
    found = {min(a, b) for a in right.most_rostral for b in left.most_rostral}
    if reading == "strict" and INT in found and False in vacs:
        found.add(S3)
        if True not in vacs:
            found.remove(INT)
    return tuple(sorted(found))


def motor_zones(
    right: SideSets,
    left: SideSets,
    *,
    vacs: Sequence[bool],
    daps: Sequence[bool],
    ais: tuple[str, ...],
    reading: str,
) -> tuple[Places, Places]:
    """Possible motor zones of partial preservation, right and left; ``reading`` is ``nonkey_zpp``."""
    start = (NOT_APPLICABLE,) * (True in vacs)
    if False not in vacs:
        return start, start
    one = _motor_zones(right, left, daps=daps, ais=ais, reading=reading)
    two = _motor_zones(left, right, daps=daps, ais=ais, reading=reading)
    return start + tuple(sorted(one)), start + tuple(sorted(two))


def sensory_zones(side: SideSets, daps: Sequence[bool]) -> Places:
    """Possible sensory zones of partial preservation of one side."""
    applies = side.zpp_sensory if False in daps and side.can_be_numb else ()
    return (NOT_APPLICABLE,) * (True in daps or side.can_feel) + applies


def _motor_zones(
    side: SideSets, other: SideSets, *, daps: Sequence[bool], ais: tuple[str, ...], reading: str
) -> set[int]:
    """The zones of ``side`` without VAC; the other side enters through its S4-5 sensation."""
    found: set[int] = set()
    for branch in side.branches:
        plain = side.zpp_motor(branch)
        if reading == "motor_level" and side.non_key > branch.motor + 3:
            felt = {answer for level in branch.sensory for answer in side.felt(level)}
            if True in daps or True in felt or other.can_feel:
                found |= {max(level, side.non_key) for level in plain}
            if not (False in daps and False in felt and other.can_be_numb):
                continue
        found |= plain
    if reading == "praxis" and side.non_key >= 0 and "C" in ais:
        found = {side.non_key if side.non_key - level > 3 else level for level in found}
    return found
