"""Simulated trials are randomised: each list and draw within its bounds, and the same when it is done again.

Seeds follow one another, so that a run is the same on every machine. A share counts as even when it lies within
:data:`SIGMAS` standard deviations of what the ratio says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from workbench.study.randomisation import (
    Allocation,
    Design,
    Secret,
    generate,
    imbalances,
    minimise,
    next_slot,
    open_slot,
    prove,
    replay_minimisation,
    seal,
)

SIGMAS = 4.5
ARMS = ("stimulation", "sham")
PARTICIPANTS = 40
"""Of each simulated trial."""
STRATA = {"site": ["01", "02"], "ais": ["A", "B"]}
BLOCKS = {"kind": "blocks", "blocks": [2, 4, 6], "strata": STRATA, "slots": 24}
SIMPLE = {"kind": "simple", "slots": PARTICIPANTS}
FACTORS = {"sex": ["F", "M"], "injury": ["C5", "C6"], "site": ["1", "2"]}
MINIMISATION = {"kind": "minimisation", "strata": FACTORS}
LARGEST_LEAD = 3
"""Of an arm within a stratum at any moment: half of the largest block."""
CLOSE, APART = 1.7, 3.0
"""Mean difference of two arms on a level: minimised below the first, simply randomised above the second. By simple
randomisation a level of 20 participants differs by 0.8 · √20 = 3.6 on average."""
FAR_APART = 12
"""Participants of a level of a factor by which no two minimised arms may differ; of simple ones 4 in 1000 do."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one kind of randomisation.

    Attributes
    ----------
    kind : of the design.
    trials, again : how many were simulated, and how many came out the same from their seed.
    faults : what was out of bounds, in words.
    said : what was measured.
    """

    kind: str
    trials: int
    again: int
    faults: tuple[str, ...]
    said: str

    @property
    def passed(self) -> bool:
        """Everything within its bounds, and the same when it is done again."""
        return not self.faults and self.again == self.trials

    def text(self) -> str:
        """The figures as one line."""
        found = "within bounds" if not self.faults else "; ".join(self.faults[:5])
        return (
            f"{self.kind}: {self.trials:,} trials, {found}; {self.again:,} the same from their seed; {self.said}"
        )


def randomised(n: int, seed: int, step: Callable[[], object] = lambda: None) -> tuple[Figures, ...]:
    """Randomise ``n`` simulated trials of 40 participants by each kind of design.

    Parameters
    ----------
    n : trials of each kind.
    seed : of the first; the others follow it.
    step : called after each trial.
    """
    return _lists(n, seed, step), _minimised(n, seed, step), _simple(n, seed, step)


def is_even(count: int, n: int, share: float) -> bool:
    """Whether a count is what chance gives.

    Parameters
    ----------
    count : of the draws that came out so.
    n : draws.
    share : of them that is expected.
    """
    return abs(count - n * share) <= SIGMAS * sqrt(n * share * (1 - share))


def arrivals(seed: int, n: int, levels: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Levels of ``n`` participants of a trial, in the order in which they arrive.

    Parameters
    ----------
    seed : of the trial.
    n : how many.
    levels : of every factor.
    """
    chance = np.random.default_rng(seed)
    return [{factor: str(chance.choice(some)) for factor, some in levels.items()} for _ in range(n)]


def _lists(n: int, seed: int, step: Callable[[], object]) -> Figures:
    first: Counter[str] = Counter()
    faults, again, largest = [], 0, 0
    for trial in range(seed, seed + n):
        secret = Secret("main", Design.of(BLOCKS, ARMS), trial, bytes(range(32)))
        sealed, arms = seal(secret), generate(secret.design, secret.seed)
        used: list[tuple[str, int]] = []
        lead: Counter[str] = Counter()
        for covariates in arrivals(trial, PARTICIPANTS, STRATA):
            stratum = secret.design.stratum(covariates)
            seq = next_slot(sealed, set(used), stratum)
            used.append((stratum, seq))
            lead[stratum] += 1 if arms[stratum][seq - 1] == "sham" else -1
            largest = max(largest, abs(lead[stratum]))
        if len(set(used)) < len(used):
            faults.append(f"seed {trial}: a slot twice")
        if open_slot(sealed, secret, *used[-1]) != arms[used[-1][0]][used[-1][1] - 1]:
            faults.append(f"seed {trial}: a slot holds another arm")
        again += prove(sealed, secret).holds
        first.update(drawn[0] for drawn in arms.values())
        step()
    if largest > LARGEST_LEAD:
        faults.append(f"an arm led by {largest} in a stratum")
    if not is_even(first["sham"], first.total(), 1 / 2):
        faults.append("strata begin with sham more or less often than chance has it")
    begin = f"{first['sham']:,} of {first.total():,} strata begin with sham"
    said = f"largest lead of an arm in a stratum {largest}; {begin}"
    return Figures("permuted blocks", n, again, tuple(faults), said)


def _minimised(n: int, seed: int, step: Callable[[], object]) -> Figures:
    design = Design.of(MINIMISATION, ARMS)
    apart, apart_simple = [], []
    again = preferred = drawn = 0
    for trial in range(seed, seed + n):
        history: list[tuple[Mapping[str, str], str]] = []
        made, came = [], arrivals(trial, PARTICIPANTS, FACTORS)
        for number, covariates in enumerate(came):
            scores = imbalances(design, history, covariates)
            arm, state = minimise(design, trial, history, covariates, number)
            if scores[ARMS[0]] != scores[ARMS[1]]:
                drawn += 1
                preferred += scores[arm] == min(scores.values())
            history.append((covariates, arm))
            made.append(Allocation(number, covariates, arm, state))
        again += replay_minimisation(design, trial, made).holds
        apart.append(_apart(history))
        tossed = generate(Design.of(SIMPLE, ARMS), trial)["{}"]
        apart_simple.append(_apart(list(zip(came, tossed, strict=True))))
        step()
    mean, most, simple = float(np.mean(apart)), int(np.max(apart)), float(np.mean(apart_simple))
    faults = []
    if most > FAR_APART:
        faults.append(f"arms differ by {most} on a level")
    if not mean < CLOSE < APART < simple:
        faults.append(f"arms differ on a level by {mean:.2f} on average, by simple randomisation by {simple:.2f}")
    if not is_even(preferred, drawn, design.p):
        faults.append(f"{preferred} of {drawn} draws took the preferred arm")
    said = (
        f"arms differ on a level by {mean:.2f} on average, {most} at most (simple: {simple:.2f}); "
        f"the preferred arm in {preferred / drawn:.4f} of draws, {design.p:g} by design"
    )
    return Figures("minimisation", n, again, tuple(faults), said)


def _simple(n: int, seed: int, step: Callable[[], object]) -> Figures:
    design = Design.of(SIMPLE | {"ratio": {"a": 2, "b": 1, "c": 1}}, ("a", "b", "c"))
    counts: Counter[str] = Counter()
    again = 0
    for trial in range(seed, seed + n):
        drawn = generate(design, trial)
        again += drawn == generate(design, trial)
        counts.update(drawn["{}"])
        step()
    shares = {arm: weight / 4 for arm, weight in (("a", 2), ("b", 1), ("c", 1))}
    faults = [
        f"{counts[arm]} of {counts.total()} in arm {arm}"
        for arm, share in shares.items()
        if not is_even(counts[arm], PARTICIPANTS * n, share)
    ]
    said = ", ".join(f"{arm} {counts[arm] / counts.total():.4f} of {share:g}" for arm, share in shares.items())
    return Figures("simple 2:1:1", n, again, tuple(faults), said)


def _apart(history: Sequence[tuple[Mapping[str, str], str]]) -> list[int]:
    """Difference between the two arms on every level of every factor."""
    counts = Counter((factor, level, arm) for covariates, arm in history for factor, level in covariates.items())
    levels = [(factor, level) for factor, some in FACTORS.items() for level in some]
    return [abs(counts[*level, ARMS[0]] - counts[*level, ARMS[1]]) for level in levels]
