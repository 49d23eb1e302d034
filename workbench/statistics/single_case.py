"""One participant, or a few, under two conditions in turn: N-of-1 trials, alternating treatments, ABAB.

The test deals the conditions again in every way that the design permits and asks how often the effect is as large.
Who is measured again and again is like himself from one session to the next; as the outcomes stay where they are
and only the conditions are dealt again, the test holds whatever that autocorrelation is. What it needs is that the
conditions were really drawn from the assignments that the design permits.

References
----------
Edgington and Onghena, Randomization Tests, 4th ed. 2007 (from memory); Onghena 1992, Behavioral Assessment
14:153–171 (phases); Onghena and Edgington 1994, doi:10.1016/0005-7967(94)90036-1 (alternation with a longest run).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import combinations, product
from math import comb, floor, inf, isfinite, prod
from typing import Literal, get_args

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.statistics._columns import Bools, Floats, chosen, finite

Drawn = Literal["blocks", "phases", "alternating", "complete"]
"""How conditions were drawn: half of each block; the moments at which phases change; in turn, with a longest run;
any sessions, as many as there were."""
ENUMERATED = 20_000
"""Assignments up to which every one of them is dealt."""
MOST_SESSIONS = 400
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Design:
    """Which assignments of the two conditions to sessions could have been drawn.

    Attributes
    ----------
    drawn : kind of design.
    block : sessions of a block of ``"blocks"``, half of them under each condition.
    least : sessions that each of the ``"phases"`` has at least; their order is that which was seen.
    longest : sessions in a row under one condition at most, of ``"alternating"``.
    """

    drawn: Drawn = "blocks"
    block: int = 2
    least: int = 3
    longest: int = 2

    def __post_init__(self) -> None:
        chosen("design of sessions", self.drawn, get_args(Drawn))
        if self.block < 2 or self.block % 2 or self.least < 1 or self.longest < 1:
            got = f"block {self.block}, least {self.least}, longest {self.longest}"
            raise BadValue(Message("statistics.sessions", got=got))

    def permits(self, active: Sequence[bool]) -> bool:
        """Whether an assignment is one of those that could have been drawn.

        Parameters
        ----------
        active : ``(n,)`` of each session, in order.
        """
        n, runs = len(active), _runs(active)
        if not 0 < sum(active) < n:
            return False
        if self.drawn == "blocks":
            parts = [active[i : i + self.block] for i in range(0, n, self.block)]
            return all(len(one) == self.block and 2 * sum(one) == self.block for one in parts)
        if self.drawn == "phases":
            return min(runs) >= self.least
        return self.drawn == "complete" or max(runs) <= self.longest

    def count(self, active: Sequence[bool]) -> int:
        """Number of assignments that could have been drawn in place of one of them."""
        n, k, phases = len(active), sum(active), len(_runs(active))
        if self.drawn == "blocks":
            return int(comb(self.block, self.block // 2) ** (n // self.block))
        if self.drawn == "phases":
            return comb(n - phases * self.least + phases - 1, phases - 1)
        return comb(n, k) if self.drawn == "complete" else _ways(n - k, k, self.longest, -1, 0)

    def every(self, active: Sequence[bool]) -> Bools:
        """All those assignments ``(count, n)``."""
        return np.array(list(self._every(active)), dtype=np.bool_)

    def _every(self, active: Sequence[bool]) -> Iterator[Sequence[bool]]:
        n, k = len(active), sum(active)
        if self.drawn == "blocks":
            half = list(_choices(self.block, self.block // 2))
            for parts in product(half, repeat=n // self.block):
                yield [one for part in parts for one in part]
        elif self.drawn == "phases":
            phases = len(_runs(active))
            spare = n - phases * self.least
            for cuts in combinations(range(spare + phases - 1), phases - 1):
                ends = [-1, *cuts, spare + phases - 1]
                yield _phases([b - a - 1 + self.least for a, b in zip(ends, ends[1:], strict=False)], active[0])
        elif self.drawn == "complete":
            yield from _choices(n, k)
        else:
            yield from _alternating(n - k, k, self.longest)

    def draw(self, active: Sequence[bool], chance: np.random.Generator) -> Sequence[bool]:
        """One of those assignments, each with the same probability."""
        n, k = len(active), sum(active)
        if self.drawn == "blocks":
            half = np.arange(self.block) < self.block // 2
            return [bool(one) for _ in range(n // self.block) for one in chance.permutation(half)]
        if self.drawn == "phases":
            phases = len(_runs(active))
            spare = n - phases * self.least
            cuts = np.sort(chance.choice(spare + phases - 1, phases - 1, replace=False)).tolist()
            ends = [-1, *cuts, spare + phases - 1]
            return _phases([b - a - 1 + self.least for a, b in zip(ends, ends[1:], strict=False)], active[0])
        if self.drawn == "complete":
            return [bool(one) for one in chance.permutation(np.arange(n) < k)]
        return _drawn_in_turn(n - k, k, self.longest, chance)


@dataclass(frozen=True, slots=True)
class Series:
    """Sessions of one participant.

    Attributes
    ----------
    values : ``(n,)`` outcomes in the order of time. active : ``(n,)`` whether the condition of interest was on.
    """

    values: Floats
    active: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class SingleCase:
    """What a randomisation test of sessions gives.

    Attributes
    ----------
    value : mean under the condition of interest less the other, beside a trend where one was asked for.
    low, high : of an effect that is the same in each session; None where assignments are too few for the level.
    p : two-sided. least : the smallest that so many assignments can give.
    permitted : assignments that the design permits. dealt : of which so many were dealt.
    autocorrelation : of neighbouring sessions, of what the model leaves; told, and not needed by the test.
    """

    value: float
    low: float | None
    high: float | None
    p: float
    least: float
    permitted: int
    dealt: int
    autocorrelation: float

    @property
    def exact(self) -> bool:
        """Whether every assignment was dealt."""
        return self.dealt == self.permitted


def single_case(
    series: Sequence[Series],
    design: Design,
    *,
    trend: bool = False,
    replications: int = 10_000,
    seed: int = 1,
    level: float = 0.95,
) -> SingleCase:
    """Test that the condition makes no difference to anybody, and say by how much it does.

    The statistic is the slope of the outcomes on the condition, each participant with a mean, or a line, of his
    own. The interval holds the effects that the same test does not reject: of a shift that is the same in each
    session and ends with the condition.

    Parameters
    ----------
    series : of each participant, whose conditions were drawn apart from one another.
    design : from which they were drawn.
    trend : take a line in the order of sessions out of the outcomes of each participant.
    replications : deals where the assignments are more than 20,000. seed : of those deals.
    level : of confidence.

    Raises
    ------
    BadValue
        For fewer than 4 sessions, conditions that the design does not permit, or outcomes that do not vary.
    """
    for one in series:
        _check(one, design)
    if not series or not 0 < level < 1:
        raise BadValue(Message("statistics.empty") if not series else _level(level))
    permitted = prod(design.count(one.active) for one in series)
    made = [_sums(one, _deals(one, design, permitted, replications, seed + n), trend=trend)
            for n, one in enumerate(series)]  # fmt: skip
    join = _all_together if permitted <= ENUMERATED else _one_by_one
    size, effect, overlap = (reduce(join, part) for part in zip(*(own[:3] for own in made), strict=True))
    observed = [own[3] for own in made]
    length, top = sum(one[0] for one in observed), sum(one[1] for one in observed)
    if length <= ROUNDING:
        raise BadValue(Message("statistics.constant", outcome="condition"))
    # By the length of the dealt column: |T| is then largest where it lies along what was seen, whatever the deal.
    root = np.sqrt(np.maximum(size, ROUNDING))
    t, c = effect / root, overlap / root
    t_seen, c_seen = top / np.sqrt(length), np.sqrt(length)
    p = float(np.mean(np.abs(t) >= abs(t_seen) * (1 - ROUNDING)))
    low, high = _inverted(t, c, float(t_seen), float(c_seen), 1 - level)
    always = int(np.sum(np.abs(c) >= c_seen * (1 - ROUNDING)))
    left = _autocorrelation(series, trend=trend)
    return SingleCase(float(top / length), low, high, p, always / len(t), permitted, len(t), left)


# ------------------------------------------------------------------------------ the test
def _check(one: Series, design: Design) -> None:
    values = finite(one.values, "sessions", least=4)
    if len(values) != len(one.active) or len(values) > MOST_SESSIONS:
        raise BadValue(Message("statistics.pairs", first=len(values), second=len(one.active)))
    if not design.permits(one.active):
        raise BadValue(Message("statistics.not_permitted", got=_letters(one.active), design=design.drawn))
    if np.ptp(values) == 0:
        raise BadValue(Message("statistics.constant", outcome="sessions"))


def _level(level: float) -> Message:
    return Message("statistics.probability", got=str(level))


def _letters(active: Sequence[bool]) -> str:
    text = "".join("A" if one else "B" for one in active)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _deals(one: Series, design: Design, permitted: int, replications: int, seed: int) -> Bools:
    """Assignments ``(deals, n)`` of one participant; drawn ones begin with what was seen."""
    if permitted <= ENUMERATED:
        return design.every(one.active)
    chance = np.random.default_rng(seed)
    rows = [one.active, *(design.draw(one.active, chance) for _ in range(replications))]
    return np.array(rows, dtype=np.bool_)


def _sums(
    one: Series, deals: Bools, *, trend: bool
) -> tuple[Floats, Floats, Floats, tuple[float, float]]:  # fmt: skip
    """Of each deal its length, and its products with outcomes and conditions; then those of what was seen."""
    seen = _centred(np.array([one.active], dtype=np.float64), trend=trend)[0]
    dealt, values = _centred(deals.astype(np.float64), trend=trend), np.asarray(one.values, dtype=np.float64)
    size = np.einsum("an,an->a", dealt, dealt)
    return size, dealt @ values, dealt @ seen, (float(seen @ seen), float(seen @ values))


def _centred(rows: Floats, *, trend: bool) -> Floats:
    left = rows - rows.mean(axis=1, keepdims=True)
    if trend:
        line = np.arange(rows.shape[1]) - (rows.shape[1] - 1) / 2
        left = left - np.outer(left @ line / (line @ line), line)
    return np.asarray(left)


def _all_together(first: Floats, second: Floats) -> Floats:
    return np.add.outer(first, second).ravel()


def _one_by_one(first: Floats, second: Floats) -> Floats:
    return first + second


def _inverted(
    t: Floats, c: Floats, t_seen: float, c_seen: float, alpha: float
) -> tuple[float | None, float | None]:
    """Effects that are not rejected: a deal counts between the two at which it is as far out as what was seen."""
    less, more = c_seen - c, c_seen + c
    both = np.stack([
        np.divide(t_seen - t, less, out=np.full_like(t, -inf), where=less > ROUNDING * c_seen),
        np.divide(t_seen + t, more, out=np.full_like(t, inf), where=more > ROUNDING * c_seen),
    ])  # fmt: skip
    everywhere = (less <= ROUNDING * c_seen) | (more <= ROUNDING * c_seen)
    low = np.sort(np.where(everywhere, -inf, both.min(axis=0)))
    high = np.sort(np.where(everywhere, inf, both.max(axis=0)))
    k = floor(alpha * len(t) + ROUNDING)
    if k >= len(t):
        return None, None
    ends = float(low[k]), float(high[len(t) - 1 - k])
    return (ends[0] if isfinite(ends[0]) else None), (ends[1] if isfinite(ends[1]) else None)


def _autocorrelation(series: Sequence[Series], *, trend: bool) -> float:
    above = below = 0.0
    for one in series:
        seen = _centred(np.array([one.active], dtype=np.float64), trend=trend)[0]
        left = _centred(np.array([one.values], dtype=np.float64), trend=trend)[0]
        length = float(seen @ seen)
        rest = left - seen * (float(seen @ left) / length if length > ROUNDING else 0.0)
        above, below = above + float(rest[1:] @ rest[:-1]), below + float(rest @ rest)
    return above / below if below > 0 else 0.0


# ------------------------------------------------------------------------------ assignments
def _runs(active: Sequence[bool]) -> list[int]:
    """Lengths of the stretches under one condition."""
    made = [1]
    for before, after in zip(active, active[1:], strict=False):
        if before == after:
            made[-1] += 1
        else:
            made.append(1)
    return made


def _choices(n: int, k: int) -> Iterator[list[bool]]:
    for places in combinations(range(n), k):
        yield [i in places for i in range(n)]


def _phases(lengths: Sequence[int], first: bool) -> list[bool]:  # noqa: FBT001
    return [first == (number % 2 == 0) for number, length in enumerate(lengths) for _ in range(length)]


@cache
def _ways(zeros: int, ones: int, longest: int, last: int, run: int) -> int:
    """Sequences that can follow ``run`` of ``last`` (−1 for nothing yet) with what is left of both."""
    if zeros == ones == 0:
        return 1
    found = 0
    if zeros and (last != 0 or run < longest):
        found += _ways(zeros - 1, ones, longest, 0, run + 1 if last == 0 else 1)
    if ones and (last != 1 or run < longest):
        found += _ways(zeros, ones - 1, longest, 1, run + 1 if last == 1 else 1)
    return found


def _alternating(zeros: int, ones: int, longest: int, last: int = -1, run: int = 0) -> Iterator[list[bool]]:
    if zeros == ones == 0:
        yield []
    for one, left in ((0, zeros), (1, ones)):
        again = run + 1 if last == one else 1
        if left and again <= longest:
            rest = (zeros - 1, ones) if one == 0 else (zeros, ones - 1)
            for tail in _alternating(*rest, longest, one, again):
                yield [bool(one), *tail]


def _drawn_in_turn(zeros: int, ones: int, longest: int, chance: np.random.Generator) -> list[bool]:
    made: list[bool] = []
    last, run = -1, 0
    while zeros or ones:
        whole = _ways(zeros, ones, longest, last, run)
        again = run + 1 if last == 1 else 1
        up = _ways(zeros, ones - 1, longest, 1, again) if ones and again <= longest else 0
        one = int(chance.random() * whole < up)
        run, last = (run + 1 if last == one else 1), one
        zeros, ones = (zeros, ones - 1) if one else (zeros - 1, ones)
        made.append(bool(one))
    return made
