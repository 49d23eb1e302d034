"""Minimisation (Pocock & Simon 1975) with a random element.

For a new participant each arm is tried. At the participant's level of a factor, *x_k* participants have arm
*k*, the new one among them where *k* is the arm that is tried. Divided by the arm's share of the ratio they are
``y_k = x_k · m / r_k``, *m* the mean of the weights *r*; with equal arms that is *x_k* itself. The imbalance of
the factor is the range or the sample variance of the *y_k*. The score of the arm is the sum of the imbalances,
each times the weight of its factor. Scores are exact fractions, so that a tie is a tie.

The arm of the least score is *preferred*; of several, one is drawn by the ratio. Then a biased coin: with
probability ``1 − c`` the preferred arm, else an arm drawn by the ratio; ``c = (1 − p) · R / (R − r_min)``, *R*
the sum of the weights and *r_min* the smallest. With equal arms the preferred one then has exactly probability
p, and each other one an equal part of ``1 − p``, as in Pocock and Simon. With unequal arms, one of the smallest
weight has p where it is preferred, and a larger one more: if each is preferred as often as the ratio says, each
is allocated as often. With p < 1 every arm keeps a probability above 0.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study.chain import canonical
from workbench.study.randomisation.design import Design
from workbench.study.randomisation.draws import GENERATOR_VERSION, SEED_BITS, Draws, check_seed

History = Sequence[tuple[Mapping[str, str], str]]
"""``(covariates, arm)`` of everybody allocated so far, in order."""
MOST_HISTORY = 100_000


@dataclass(frozen=True, slots=True)
class Allocation:
    """One allocation as it was stored.

    Parameters
    ----------
    n : number of the draw.
    covariates : the level of every factor, as they were then.
    arm : that was allocated.
    state : as :func:`minimise` gave it.
    """

    n: int
    covariates: Mapping[str, str]
    arm: str
    state: str


def minimise(
    design: Design, seed: int, history: History, covariates: Mapping[str, str], n: int
) -> tuple[str, str]:
    """``(arm, state)`` of the next participant; the same arguments give the same.

    The state is the HMAC-SHA256, under the seed, of design, history, covariates and draw number. It is keyed: who
    knows all covariates could else try the arms against it, one participant after the other.

    Parameters
    ----------
    design : of kind ``minimisation``.
    seed : of 128 bits.
    history : of everybody allocated so far.
    covariates : of the new participant: the level of every factor, and nothing else.
    n : number of this draw, never used before; at least the length of the history.

    Raises
    ------
    BadValue
        For a design of another kind, a covariate, arm, seed or number that is none. Nothing was drawn then.
    """
    levels, known = _checked(design, history, covariates)
    check_seed(seed)
    if type(n) is not int or n < len(known):
        raise BadValue(Message("randomisation.draw_number", least=len(known), got=f"{n!r:.60}"))
    scores = _scores(design, known, levels)
    draws = Draws(seed, n)
    least = min(scores.values())
    preferred = draws.weighted({arm: design.ratio[arm] for arm in scores if scores[arm] == least})
    arm = preferred if draws.unit() >= _coin(design) else draws.weighted(design.ratio)
    return arm, _state(design, seed, known, levels, n)


def imbalances(design: Design, history: History, covariates: Mapping[str, str]) -> dict[str, Fraction]:
    """The score of each arm, were the new participant to have it; the least one is preferred.

    Parameters
    ----------
    design : of kind ``minimisation``.
    history : of everybody allocated so far.
    covariates : of the new participant.

    Raises
    ------
    BadValue
        As :func:`minimise`.
    """
    levels, known = _checked(design, history, covariates)
    return _scores(design, known, levels)


def _checked(
    design: Design, history: History, covariates: Mapping[str, str]
) -> tuple[dict[str, str], list[tuple[dict[str, str], str]]]:
    """The new participant's levels, and the history with its levels; raises BadValue for what is none."""
    if design.kind != "minimisation":
        raise BadValue(Message("randomisation.no_minimisation", kind=design.kind))
    levels = design.levels(covariates)
    if not isinstance(history, Sequence) or len(history) > MOST_HISTORY:
        raise BadValue(Message("randomisation.history", most=f"{MOST_HISTORY:,}"))
    known = []
    for number, entry in enumerate(history, start=1):
        if not isinstance(entry, tuple | list) or len(entry) != 2 or entry[1] not in list(design.ratio):
            got, arms = f"{entry!r:.60}", sorted(design.ratio)
            raise BadValue(Message("randomisation.history_entry", n=number, got=got, known=arms))
        known.append((design.levels(entry[0]), entry[1]))
    return levels, known


def _scores(design: Design, history: History, levels: Mapping[str, str]) -> dict[str, Fraction]:
    counts = {factor: dict.fromkeys(design.ratio, 0) for factor in design.factors}
    for before, arm in history:
        for factor in design.factors:
            if before[factor] == levels[factor]:
                counts[factor][arm] += 1
    return {tried: _score(design, counts, tried) for tried in sorted(design.ratio)}


def _score(design: Design, counts: Mapping[str, Mapping[str, int]], tried: str) -> Fraction:
    """Weighted imbalance over all factors, were the new participant to have the arm that is tried."""
    mean = Fraction(sum(design.ratio.values()), len(design.ratio))
    measure = _variance if design.measure == "variance" else _range
    score = Fraction(0)
    for factor, weight in design.factors.items():
        shares = [(counts[factor][arm] + (arm == tried)) * mean / part for arm, part in design.ratio.items()]
        score += Fraction(weight) * measure(shares)
    return score


def _range(shares: Sequence[Fraction]) -> Fraction:
    return max(shares) - min(shares)


def _variance(shares: Sequence[Fraction]) -> Fraction:
    """Sample variance."""
    mean = sum(shares, Fraction(0)) / len(shares)
    return sum(((share - mean) ** 2 for share in shares), Fraction(0)) / (len(shares) - 1)


def _coin(design: Design) -> float:
    """Probability that the arm is drawn by the ratio, whichever is preferred."""
    total = sum(design.ratio.values())
    return (1 - design.p) * total / (total - min(design.ratio.values()))


def _state(design: Design, seed: int, history: History, levels: Mapping[str, str], n: int) -> str:
    content: dict[str, Any] = {
        "generator": GENERATOR_VERSION,
        "design": design.to_json(),
        "history": [[before, arm] for before, arm in history],
        "covariates": levels,
        "n": n,
    }
    key = seed.to_bytes(SEED_BITS // 8, "big")
    return hmac.new(key, canonical(content).encode(), hashlib.sha256).hexdigest()
