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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from workbench.outcomes.isncsci.rules import FIRST_BELOW, half_or_more
from workbench.outcomes.isncsci.tables import (
    ABSENT,
    ACTIVE,
    C4,
    COMPLETE,
    INCOMPLETE,
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
    Completeness,
    Grade,
    NliVac,
    NonKeyZpp,
)

Places = tuple[int, ...]
NOT_NORMAL = PRESENT | ABSENT
FELT = NORMAL | PRESENT
Counts = tuple[Places, Places]
"""Smallest and largest number of strong muscles from each muscle on, 11 numbers each."""
Trait = tuple[bool, bool]
"""(motor function more than three levels below, S4-5 felt)."""
ARM, LEG = range(5), range(5, 10)
"""Indices of the key muscles C5–T1 and L2–S1."""


class Branch(NamedTuple):
    """Motor level with VAC, muscles (10 sets of classes), and the sensory levels it goes with."""

    motor: int
    muscles: Places
    sensory: list[int]


class PossibleResults(NamedTuple):
    """All possible values of every variable, rostral to caudal, NA first.

    ``counted`` are the grades C and D that the count alone gives, whether or not the injury is motor
    incomplete.
    """

    sensory: tuple[Places, Places]
    motor: tuple[Places, Places]
    nli: Places
    complete: tuple[Completeness, ...]
    ais: tuple[Grade, ...]
    zpp_sensory: tuple[Places, Places]
    zpp_motor: tuple[Places, Places]
    counted: frozenset[Grade]


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
        levels = []
        for level, states in enumerate(self.dermatomes):
            if states & NOT_NORMAL:
                levels.append(level)
            if not states & NORMAL:
                return tuple(levels)
        return (*levels, INT)

    def sacral_sensation(self, level: int) -> tuple[bool, ...]:
        """Whether S4-5 can be felt, or not, given the sensory level.

        Only INT binds it: for S3 it is not normal, and a set with normal and absent has present as well.
        """
        return (True,) if level == INT else (True,) * self.can_feel + (False,) * self.can_be_numb

    @cached_property
    def zpp_sensory(self) -> Places:
        """Possible zones of partial preservation where no sacral sensation rules them out."""
        zones = []
        for index in range(SACRAL - 1, -1, -1):
            if self.dermatomes[index] & FELT:
                zones.append(index + 1)
            if not self.dermatomes[index] & ABSENT:
                return tuple(reversed(zones))
        return (0, *reversed(zones))

    @cached_property
    def branches(self) -> list[Branch]:
        """Every way of reaching a motor level, rostral to caudal."""
        # Where no key muscle can be tested (C1–C4, T2–L1, S2 and below) the motor level is that of the
        # dermatomes, if everything testable above is normal (ISNCSCI 2019, motor level).
        branches = [Branch(level, self.muscles, [level]) for level in self.sensory if level < C4]
        below_c3 = [level for level in self.sensory if level >= C4]
        if not below_c3:
            return branches
        branches += self._muscle_branches(ARM, below_c3)
        if not all(classes & M5 for classes in self.muscles[: ARM.stop]):
            return branches
        arms_normal = (M5,) * ARM.stop + self.muscles[ARM.stop :]
        branches += _dermatome_branches(T1, arms_normal, [level for level in below_c3 if level < L1])
        from_l1 = [level for level in below_c3 if level >= L1]
        if not from_l1:
            return branches
        branches += self._muscle_branches(LEG, from_l1)
        if all(classes & M5 for classes in self.muscles[LEG.start :]):
            branches += _dermatome_branches(S1, (M5,) * LEG.stop, from_l1)
        return branches

    def _muscle_branches(self, group: range, sensory: list[int]) -> Iterator[Branch]:
        """Branches that end at the first key muscle of a group that is not 5; all before the group are 5."""
        for index in group:
            # The level is the lowest key muscle of at least 3 with all above it 5 (ISNCSCI 2019, motor level).
            for ending, level in ((M0 | M12, KEY[index] - 1), (M34, KEY[index])):
                if classes := self.muscles[index] & ending:
                    muscles = (*(M5,) * index, classes, *self.muscles[index + 1 :])
                    yield Branch(level, muscles, sensory)
            if not self.muscles[index] & M5:
                return

    def motor(self, vacs: Sequence[bool]) -> Places:
        """Possible motor levels for the possible answers to VAC."""
        levels = {branch.motor for branch in self.branches}
        # Everything normal but VAC: sacral motor function is not intact; the level is the segment above S4-5.
        if INT in levels and False in vacs:
            levels.add(S3)
        if True not in vacs:
            levels.discard(INT)
        return tuple(sorted(levels))

    @cached_property
    def most_rostral(self) -> frozenset[int]:
        """Possible values of the more rostral one of sensory and motor level, with VAC."""
        return frozenset(min(branch.motor, level) for branch in self.branches for level in branch.sensory)

    @cached_property
    def classes(self) -> dict[int, dict[Trait, Counts]]:
        """More rostral one of sensory and motor level → trait → counts."""
        classes: dict[int, dict[Trait, Counts]] = {}
        sacral = {level: self.sacral_sensation(level) for level in self.sensory}
        for branch in self.branches:
            meetings = {(min(branch.motor, level), felt) for level in branch.sensory for felt in sacral[level]}
            counts = _strong_counts(branch)
            for far in self._far(branch):
                for level, felt in meetings:
                    traits = classes.setdefault(level, {})
                    traits[far, felt] = _merge(traits.get((far, felt)), counts)
        return classes

    @cached_property
    def classes_from(self) -> dict[int, dict[Trait, Counts]]:
        """Level → trait → counts of all classes at that level or more caudal."""
        classes_from: dict[int, dict[Trait, Counts]] = {}
        running: dict[Trait, Counts] = {}
        for level in range(INT, -1, -1):
            # Levels without a class of their own share the dict of the level below.
            if here := self.classes.get(level):
                running = {**running, **{trait: _merge(running.get(trait), here[trait]) for trait in here}}
            classes_from[level] = running
        return classes_from

    @cached_property
    def far(self) -> frozenset[bool]:
        """Whether there can be, or can not be, motor function more than three levels below, over all branches."""
        return frozenset(answer for branch in self.branches for answer in self._far(branch))

    def _far(self, branch: Branch) -> list[bool]:
        """Whether there can be, or can not be, motor function more than three levels below."""
        # B or C is decided from the motor level of each side, with key and non-key muscles; only C or D is decided
        # from the NLI (ISNCSCI 2019, note to the AIS).
        below = [classes for key, classes in zip(KEY, branch.muscles) if key > branch.motor + 3]
        non_key = self.non_key > branch.motor + 3
        can = non_key or any(classes & ACTIVE for classes in below)
        can_not = not non_key and all(classes & M0 for classes in below)
        return [True] * can + [False] * can_not

    def zpp_motor(self, branch: Branch) -> set[int]:
        """Possible zones of partial preservation of one branch without VAC; no non-key muscle."""
        zones, level = set(), min(branch.motor, S3)
        for key, classes in zip(reversed(KEY), reversed(branch.muscles)):
            if classes & ACTIVE:
                zones.add(max(level, key))
            if not classes & M0:
                return zones
        return zones | {level}


def _dermatome_branches(last_muscle: int, muscles: Places, sensory: Sequence[int]) -> Iterator[Branch]:
    """Branches with every key muscle down to ``last_muscle`` 5, so that the dermatomes set the level."""
    # Dermatomes rostral to a normal muscle do not lower the motor level, which stays at the muscle's own segment.
    if passed := [level for level in sensory if level < last_muscle]:
        yield Branch(last_muscle, muscles, passed)
    yield from (Branch(level, muscles, [level]) for level in sensory if level >= last_muscle)


def _strong_counts(branch: Branch) -> Counts:
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


def _merge(counts: Counts | None, other: Counts) -> Counts:
    if counts is None or counts == other:
        return other
    return tuple(map(min, counts[0], other[0])), tuple(map(max, counts[1], other[1]))


def _class_pairs(right: SideSets, left: SideSets) -> Iterator[tuple[int, Trait, Counts, Trait, Counts]]:
    """Every neurological level with every pair of classes that gives it."""
    # The NLI is the most rostral of the four levels: one side is at it, the other at it or more caudal.
    for nli in sorted(right.classes.keys() | left.classes.keys()):
        for right_classes, left_classes in (
            (right.classes.get(nli, {}), left.classes_from[nli]),
            (right.classes_from[nli], left.classes.get(nli, {})),
        ):
            for right_trait, right_counts in right_classes.items():
                for left_trait, left_counts in left_classes.items():
                    yield nli, right_trait, right_counts, left_trait, left_counts


def _grades_by_count(nli: int, right: Counts, left: Counts) -> set[Grade]:
    # C or D: at least half of the key muscles below the single NLI, both sides together, have grade 3 or
    # more (ISNCSCI 2019, AIS). The smallest and the largest count decide which of the two can be.
    first = FIRST_BELOW[nli]
    below = 2 * (len(KEY) - first)
    grades: set[Grade] = {"D"} if half_or_more(right[1][first] + left[1][first], below) else set()
    return grades if half_or_more(right[0][first] + left[0][first], below) else grades | {"C"}


def _incomplete_grades(
    right: SideSets, left: SideSets, *, vacs: Sequence[bool], daps: Sequence[bool]
) -> tuple[set[Grade], frozenset[Grade]]:
    """``(possible grades other than A, grades that the count gives)``."""
    grades: set[Grade] = set()
    counted: set[Grade] = set()
    for nli, right_trait, right_counts, left_trait, left_counts in _class_pairs(right, left):
        far, felt = (any(pair) for pair in zip(right_trait, left_trait))
        with_function: set[Grade] = {"E"} if nli == INT else _grades_by_count(nli, right_counts, left_counts)
        counted |= with_function
        if True in vacs:
            grades |= with_function
        if False in vacs and (True in daps or felt):
            grades |= with_function if far else {"B"}
    return grades, frozenset(counted - {"E"})


def classify(
    right: SideSets,
    left: SideSets,
    *,
    vacs: Sequence[bool],
    daps: Sequence[bool],
    nli_vac: NliVac = "praxis",
    nonkey_zpp: NonKeyZpp = "praxis",
) -> PossibleResults:
    """Classify one exam whose cells are sets.

    Parameters
    ----------
    right, left : the sides.
    vacs, daps : possible answers.
    nli_vac, nonkey_zpp : readings, see :func:`workbench.outcomes.isncsci.rules.classify`. With
        ``nonkey_zpp="praxis"`` and C among several grades, the non-key muscle takes the place of every
        level more than three above it, as the reference software prints it.
    """
    ais, counted = possible_grades(right, left, vacs=vacs, daps=daps)
    return PossibleResults(
        (right.sensory, left.sensory),
        (right.motor(vacs), left.motor(vacs)),
        neurological_levels(right, left, vacs=vacs, reading=nli_vac),
        completeness(right, left, vacs=vacs, daps=daps),
        ais,
        (sensory_zones(right, daps), sensory_zones(left, daps)),
        motor_zones(right, left, vacs=vacs, daps=daps, ais=ais, reading=nonkey_zpp),
        counted,
    )


def completeness(
    right: SideSets, left: SideSets, *, vacs: Sequence[bool], daps: Sequence[bool]
) -> tuple[Completeness, ...]:
    """Possible values of completeness: C, I or both.

    Parameters
    ----------
    right, left : the sides.
    vacs, daps : possible answers.
    """
    # Sacral sparing, at S4-5 on either side, DAP or VAC, makes an injury incomplete (ISNCSCI 2019, AIS).
    can_be_complete = False in vacs and False in daps and right.can_be_numb and left.can_be_numb
    can_be_incomplete = True in vacs or True in daps or right.can_feel or left.can_feel
    if can_be_complete and can_be_incomplete:
        return COMPLETE, INCOMPLETE
    return (COMPLETE,) if can_be_complete else (INCOMPLETE,)


def possible_grades(
    right: SideSets, left: SideSets, *, vacs: Sequence[bool], daps: Sequence[bool]
) -> tuple[tuple[Grade, ...], frozenset[Grade]]:
    """Possible AIS grades, and those of C and D that the count alone gives.

    Parameters
    ----------
    right, left : the sides.
    vacs, daps : possible answers.
    """
    grades, counted = _incomplete_grades(right, left, vacs=vacs, daps=daps)
    if COMPLETE in completeness(right, left, vacs=vacs, daps=daps):
        grades.add("A")
    return tuple(sorted(grades)), counted


def muscle_counts(right: SideSets, left: SideSets) -> dict[int, tuple[int, int, int]]:
    """Neurological level → fewest and most key muscles of grade 3 or more below it, and how many there are."""
    by_level: dict[int, tuple[int, int, int]] = {}
    for nli, _, right_counts, _, left_counts in _class_pairs(right, left):
        if nli == INT:
            continue
        first = FIRST_BELOW[nli]
        low, high = (right_end[first] + left_end[first] for right_end, left_end in zip(right_counts, left_counts))
        fewest, most, _ = by_level.get(nli, (low, high, 0))
        by_level[nli] = (min(low, fewest), max(high, most), 2 * (len(KEY) - first))
    return by_level


def neurological_levels(right: SideSets, left: SideSets, *, vacs: Sequence[bool], reading: NliVac) -> Places:
    """Possible neurological levels.

    Parameters
    ----------
    right, left : the sides.
    vacs : possible answers to VAC.
    reading : ``nli_vac``.
    """
    levels = {min(a, b) for a in right.most_rostral for b in left.most_rostral}
    if reading == "strict" and INT in levels and False in vacs:
        levels.add(S3)
        if True not in vacs:
            levels.remove(INT)
    return tuple(sorted(levels))


def motor_zones(
    right: SideSets,
    left: SideSets,
    *,
    vacs: Sequence[bool],
    daps: Sequence[bool],
    ais: tuple[Grade, ...],
    reading: NonKeyZpp,
) -> tuple[Places, Places]:
    """Possible motor zones of partial preservation, right and left.

    Parameters
    ----------
    right, left : the sides.
    vacs, daps : possible answers.
    ais : possible grades.
    reading : ``nonkey_zpp``.
    """
    # Since 2019 a motor zone is defined by the missing VAC alone, whatever the grade (Rupp et al. 2021).
    not_applicable = (NOT_APPLICABLE,) * (True in vacs)
    if False not in vacs:
        return not_applicable, not_applicable
    right_zones = _zones_without_vac(right, left, daps=daps, ais=ais, reading=reading)
    left_zones = _zones_without_vac(left, right, daps=daps, ais=ais, reading=reading)
    return not_applicable + tuple(sorted(right_zones)), not_applicable + tuple(sorted(left_zones))


def sensory_zones(side: SideSets, daps: Sequence[bool]) -> Places:
    """Possible sensory zones of partial preservation of one side."""
    # Since 2019 a sensory zone needs no DAP and no S4-5 sensation on its own side only (Rupp et al. 2021).
    zones = side.zpp_sensory if False in daps and side.can_be_numb else ()
    return (NOT_APPLICABLE,) * (True in daps or side.can_feel) + zones


def _zones_without_vac(
    side: SideSets, other: SideSets, *, daps: Sequence[bool], ais: tuple[Grade, ...], reading: NonKeyZpp
) -> set[int]:
    """The zones of ``side`` without VAC; the other side enters through its S4-5 sensation."""
    zones: set[int] = set()
    for branch in side.branches:
        by_key_muscles = side.zpp_motor(branch)
        if reading == "motor_level" and side.non_key > branch.motor + 3:
            # Function that far below with sacral sensation is AIS C or D, where the non-key muscle counts.
            felt = {answer for level in branch.sensory for answer in side.sacral_sensation(level)}
            if True in daps or True in felt or other.can_feel:
                zones |= {max(level, side.non_key) for level in by_key_muscles}
            if not (False in daps and False in felt and other.can_be_numb):
                continue
        zones |= by_key_muscles
    if reading == "praxis" and side.non_key >= 0 and "C" in ais:
        zones = {side.non_key if side.non_key - level > 3 else level for level in zones}
    return zones
