"""Looks at a trial while it runs: boundaries by a spent share of the level, and what is reported when it stops.

Two-sided and symmetric. The statistic of a look is normal, its increments independent and as large as the
information that came in between; probabilities are found by integrating from look to look. There is no boundary
for futility.

References
----------
Armitage, McPherson and Rowe 1969, doi:10.2307/2343787 (recursion); Lan and DeMets 1983, doi:10.2307/2336502
(spending); Tsiatis, Rosner and Mehta 1984, doi:10.2307/2530924 (stagewise order); Jennison and Turnbull 1989,
doi:10.1111/j.2517-6161.1989.tb01433.x (repeated intervals).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from math import e, isfinite, log, log1p, pi, sqrt
from typing import Literal, get_args

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import t as student

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.statistics._columns import Floats, chosen
from workbench.statistics._estimates import Estimate

Spending = Literal["obrien-fleming", "pocock"]
MOST_LOOKS = 20
FARTHEST = 8.0
"""Statistic beyond which nothing is integrated: its probability is 1e-15."""
NODES = 320
"""Of the quadrature over what goes on from one look to the next."""
CLOSEST = 0.005
"""Share of information that at least comes in between two looks; the quadrature would not see less."""


@dataclass(frozen=True, slots=True)
class Look:
    """The boundary of one look.

    Attributes
    ----------
    fraction : of the planned information. spent : level used up by then, two-sided.
    z : the statistic from which the trial stops. p : the two-sided probability that belongs to it.
    """

    fraction: float
    spent: float
    z: float
    p: float


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found.

    Attributes
    ----------
    look : its boundary. number : of the look, from 1. z : the statistic.
    crossed : whether the boundary was reached. final : whether it was the last look that is planned.
    low, high : repeated interval, which holds at every look, whether or not the trial stops.
    p, value, adjusted : stagewise two-sided probability, median-unbiased estimate and its interval; None while
        the trial goes on, as they depend on when it stops.
    """

    look: Look
    number: int
    z: float
    crossed: bool
    final: bool
    low: float
    high: float
    p: float | None
    value: float | None
    adjusted: tuple[float, float] | None


def spent(fraction: float, *, alpha: float = 0.05, spending: Spending = "obrien-fleming") -> float:
    """Level that may be used up at a share of the information, two-sided.

    Parameters
    ----------
    fraction : of the planned information, above 0; from 1 on it is all of alpha.
    alpha : of the whole trial.
    spending : Lan and DeMets' function like O'Brien and Fleming's boundary, or like Pocock's.
    """
    t = min(1.0, fraction)
    if spending == "pocock":
        return alpha * log1p((e - 1) * t)
    return 4 * float(ndtr(ndtri(alpha / 4) / sqrt(t)))


def boundaries(
    fractions: Sequence[float], *, alpha: float = 0.05, spending: Spending = "obrien-fleming"
) -> tuple[Look, ...]:
    """Boundaries of looks that were made, or are planned.

    Parameters
    ----------
    fractions : ``(k,)`` of the planned information at each look, ascending; 1 spends what is left.
    alpha : of the whole trial, two-sided.
    spending : how the level is spent.

    Raises
    ------
    BadValue
        For fractions that do not ascend from above 0 to at most 1, more than 20 looks, or a level that is none.
    """
    chosen("spending function", spending, get_args(Spending))
    if not 0 < alpha < 1:
        raise BadValue(Message("statistics.probability", got=str(alpha)))
    return _boundaries(_checked(fractions), alpha, spending)


def exits(fractions: Sequence[float], z: Sequence[float], *, drift: float = 0.0) -> Floats:
    """Probabilities ``(k, 2)`` that the upper and the lower boundary are first crossed at each look.

    Parameters
    ----------
    fractions : ``(k,)`` of the planned information. z : ``(k,)`` boundaries of the statistic, above 0.
    drift : mean of the statistic at the full information.

    Raises
    ------
    BadValue
        As :func:`boundaries` does, or for another number of boundaries.
    """
    times = _checked(fractions)
    if len(z) != len(times) or not all(one > 0 for one in z):
        raise BadValue(Message("statistics.looks", got=_listed(z), least=f"{CLOSEST:g}", most=MOST_LOOKS))
    steps = [_upper_and_lower(times[: k + 1], tuple(z[:k]), z[k], drift) for k in range(len(times))]
    return np.array(steps)


def looked(
    fractions: Sequence[float], estimate: Estimate, *, alpha: float = 0.05, spending: Spending = "obrien-fleming",
    final: bool = False,
) -> Looked:  # fmt: skip
    """Judge the newest look of a trial that no earlier look has stopped.

    A Student statistic becomes the normal one of the same probability, and the repeated interval has the Student
    quantile of the boundary's probability (Jennison and Turnbull's significance-level approach).

    Parameters
    ----------
    fractions : ``(k,)`` of the planned information at each look so far, the newest last.
    estimate : of the newest look.
    alpha, spending : of the whole trial.
    final : whether no further look follows: what is left of alpha is spent.

    Raises
    ------
    BadValue
        As :func:`boundaries` does.
    """
    times = _checked(fractions)
    bounds = _final(times, alpha, spending) if final else boundaries(times, alpha=alpha, spending=spending)
    last = bounds[-1]
    z = float(np.copysign(-ndtri(max(estimate.p, 1e-300) / 2), estimate.value))
    crossed = abs(z) >= last.z
    quantile = last.z if not isfinite(estimate.df) else float(student.isf(last.p / 2, estimate.df))
    low, high = estimate.value - quantile * estimate.se, estimate.value + quantile * estimate.se
    p = value = adjusted = None
    if crossed or final:
        before = tuple(one.z for one in bounds[:-1])
        p, value, adjusted = _stagewise(times, before, z, estimate, alpha)
    return Looked(last, len(times), z, crossed, final, low, high, p, value, adjusted)


# ------------------------------------------------------------------------------ stagewise order
def _stagewise(
    times: tuple[float, ...], before: tuple[float, ...], z: float, estimate: Estimate, alpha: float
) -> tuple[float, float, tuple[float, float]]:
    """Probability, median-unbiased estimate and interval, by the order in which a trial can stop."""

    def above(drift: float) -> float:
        """Of a stop as far up as this one, or further: earlier over the upper boundary, or now beyond z."""
        return _up_to(times, before, z, drift)

    least, most = above(0.0), 1 - above(0.0)
    # The scale of the estimate: the drift is the mean of the statistic at full information.
    unit = (estimate.value / z if abs(z) > 1e-6 else estimate.se) * sqrt(times[-1])

    def drift_of(share: float) -> float:
        ends = [z / sqrt(times[-1]) - 1, z / sqrt(times[-1]) + 1]
        while above(ends[0]) > share:
            ends[0] -= 2
        while above(ends[1]) < share:
            ends[1] += 2
        return float(brentq(lambda drift: above(drift) - share, *ends, xtol=1e-8))

    adjusted = (drift_of(alpha / 2) * unit, drift_of(1 - alpha / 2) * unit)
    return min(1.0, 2 * min(least, most)), drift_of(0.5) * unit, adjusted


def _up_to(times: tuple[float, ...], before: tuple[float, ...], z: float, drift: float) -> float:
    total = 0.0
    for k, bound in enumerate(before):
        total += _upper_and_lower(times[: k + 1], before[:k], bound, drift)[0]
    return total + _upper(times, before, z, drift)


# ------------------------------------------------------------------------------ integration
def _checked(fractions: Sequence[float]) -> tuple[float, ...]:
    times = tuple(float(one) for one in fractions)
    steps = [after - before for before, after in zip((0.0, *times), times, strict=False)]
    fits = all(isfinite(one) and one >= CLOSEST - 1e-12 for one in steps)
    if not 1 <= len(times) <= MOST_LOOKS or not fits or times[-1] > 1 + 1e-9:
        raise BadValue(Message("statistics.looks", got=_listed(fractions), least=f"{CLOSEST:g}", most=MOST_LOOKS))
    return times


def _listed(values: Sequence[float]) -> str:
    return f"{[float(f'{one:.4g}') for one in values]}"[:80]


@lru_cache(maxsize=256)
def _boundaries(times: tuple[float, ...], alpha: float, spending: Spending) -> tuple[Look, ...]:
    return _solved(times, [spent(one, alpha=alpha, spending=spending) for one in times])


def _final(times: tuple[float, ...], alpha: float, spending: Spending) -> tuple[Look, ...]:
    """Boundaries whose last one spends all that is left."""
    return _solved(times, [*(spent(one, alpha=alpha, spending=spending) for one in times[:-1]), alpha])


def _solved(times: tuple[float, ...], levels: Sequence[float]) -> tuple[Look, ...]:
    made: list[Look] = []
    for k, level in enumerate(levels):
        gain = level - (levels[k - 1] if k else 0.0)
        before = tuple(one.z for one in made)
        z = _solve(partial(_upper, times[: k + 1], before, drift=0.0), gain / 2)
        made.append(Look(times[k], level, z, 2 * float(ndtr(-z))))
    return tuple(made)


def _solve(upper: Callable[[float], float], gain: float) -> float:
    """The boundary over which as much is spent; the farthest one where next to nothing is."""
    if upper(FARTHEST) >= gain:
        return FARTHEST
    return float(brentq(lambda bound: log(upper(bound) / gain), 1e-6, FARTHEST, xtol=1e-10))


def _upper(times: tuple[float, ...], before: tuple[float, ...], z: float, drift: float) -> float:
    """Probability that the trial goes on until the last look and its statistic is then beyond ``z``."""
    return _upper_and_lower(times, before, z, drift)[0]


def _upper_and_lower(
    times: tuple[float, ...], before: tuple[float, ...], z: float, drift: float
) -> tuple[float, float]:
    t = times[-1]
    high, low = z * sqrt(t), -z * sqrt(t)
    if not before:
        return float(ndtr(drift * sqrt(t) - z)), float(ndtr(-z - drift * sqrt(t)))
    places, mass = _going_on(times[:-1], before, drift)
    step = t - times[-2]
    mean, sd = places + drift * step, sqrt(step)
    return float(mass @ ndtr((mean - high) / sd)), float(mass @ ndtr((low - mean) / sd))


@lru_cache(maxsize=256)
def _going_on(times: tuple[float, ...], bounds: tuple[float, ...], drift: float) -> tuple[Floats, Floats]:
    """Places ``(n,)`` of the sum at the last of some looks, and the mass there of trials that go on."""
    half = min(bounds[-1], FARTHEST + abs(drift) * sqrt(times[-1])) * sqrt(times[-1])
    places, weights = _nodes()
    places, weights = places * half, weights * half
    step = times[-1] - (times[-2] if len(times) > 1 else 0.0)
    if len(times) == 1:
        density = np.exp(-((places - drift * step) ** 2) / (2 * step)) / sqrt(2 * pi * step)
        return places, weights * density
    earlier, mass = _going_on(times[:-1], bounds[:-1], drift)
    away = places[:, None] - earlier[None, :] - drift * step
    density = np.exp(-(away**2) / (2 * step)) @ mass / sqrt(2 * pi * step)
    return places, weights * density


@cache
def _nodes() -> tuple[Floats, Floats]:
    places, weights = np.polynomial.legendre.leggauss(NODES)
    return np.asarray(places), np.asarray(weights)
