"""Time to event: Kaplan and Meier's curve, the log-rank test, and Cox's model with ties.

References, from memory: Kaplan and Meier 1958; Breslow 1974 and Efron 1977 on ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, nan, sqrt
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import stats

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.statistics._columns import Bools, Floats, Ints, chosen, finite
from workbench.statistics._estimates import Estimate
from workbench.statistics.tables import ChiSquare

Strings = npt.NDArray[np.str_]
Scale = Literal["log", "log-log", "plain"]
Ties = Literal["efron", "breslow"]
LARGEST = 15.0
"""Logarithm of a hazard ratio beyond which an arm without events, not an effect, is what was found."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Kaplan and Meier's estimate.

    Attributes
    ----------
    times : ``(k,)`` of events. at_risk, events : ``(k,)`` at each.
    survival, variance : ``(k,)`` right after each; Greenwood's variance of the logarithm.
    last : longest time seen.
    """

    times: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    variance: Floats
    last: float

    def at(self, time: float, *, scale: Scale = "log-log", level: float = 0.95) -> tuple[float, float, float]:
        """Survival at a time with its interval; NaN beyond the longest time while somebody survives.

        Parameters
        ----------
        time : in the unit of the times.
        scale : on which the interval is symmetric: log-log as SAS has it, log as R has it.
        level : of confidence.
        """
        if time > self.last and (not len(self.survival) or self.survival[-1] > 0):
            return nan, nan, nan
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        if place < 0:
            return 1.0, 1.0, 1.0
        return self._interval(place, scale, level)

    def quantile(
        self, share: float, *, scale: Scale = "log-log", level: float = 0.95
    ) -> tuple[float, float, float]:
        """Time by which a share has had the event, with its interval; NaN where it is not reached.

        Where the curve is level at that share, the middle of the level, as R and SAS have it.

        Parameters
        ----------
        share : such as 0.5.
        scale : of the interval.
        level : of confidence.
        """
        bounds = np.array([self._interval(i, scale, level) for i in range(len(self.times))]).reshape(-1, 3)
        return (
            self._crossing(bounds[:, 0], 1 - share), self._crossing(bounds[:, 1], 1 - share),
            self._crossing(bounds[:, 2], 1 - share),
        )  # fmt: skip

    def _crossing(self, heights: Floats, at: float) -> float:
        below = np.flatnonzero(heights <= at + 1e-12)
        if not len(below):
            return nan
        first = int(below[0])
        if abs(heights[first] - at) > 1e-12:
            return float(self.times[first])
        end = self.times[first + 1] if first + 1 < len(self.times) else self.last
        return float((self.times[first] + end) / 2)

    def _interval(self, place: int, scale: Scale, level: float) -> tuple[float, float, float]:
        s, z = float(self.survival[place]), float(stats.norm.ppf(0.5 + level / 2))
        if s == 0:
            return 0.0, nan, nan
        spread = z * sqrt(float(self.variance[place]))
        if scale == "plain":
            return s, max(0.0, s - s * spread), min(1.0, s + s * spread)
        if scale == "log":
            return s, s * exp(-spread), min(1.0, s * exp(spread))
        if s == 1:
            return 1.0, 1.0, 1.0
        half = spread / abs(log(s))
        return s, s ** exp(half), s ** exp(-half)


def kaplan_meier(times: Sequence[float], events: Sequence[bool]) -> Curve:
    """The curve of a group.

    Parameters
    ----------
    times : ``(n,)``, 0 or more. events : whether the event was seen at that time.
    """
    t, e = _checked(times, events)
    own = np.unique(t[e])
    at_risk = np.array([(t >= one).sum() for one in own], dtype=np.float64)
    deaths = np.array([((t == one) & e).sum() for one in own], dtype=np.float64)
    with np.errstate(divide="ignore"):
        variance = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
    return Curve(
        own, at_risk, deaths, np.asarray(np.cumprod(1 - deaths / at_risk)), np.asarray(variance), float(t.max())
    )


def log_rank(
    times: Sequence[float], events: Sequence[bool], groups: Sequence[str], strata: Sequence[str] | None = None
) -> ChiSquare:
    """Log-rank test of two or more groups, within strata where there are any.

    Parameters
    ----------
    times, events : as for :func:`kaplan_meier`.
    groups, strata : ``(n,)``.
    """
    t, e = _checked(times, events)
    names = sorted(set(groups))
    if len(names) < 2:
        raise BadValue(Message("statistics.one_level", factor="group", levels=names))
    own = np.array([names.index(one) for one in groups])
    layer = np.array([str(one) for one in strata]) if strata is not None else np.zeros(len(t), dtype=str)
    off, spread = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for one in np.unique(layer):
        here = layer == one
        for time in np.unique(t[here & e]):
            at_risk = np.bincount(own[here & (t >= time)], minlength=len(names)).astype(np.float64)
            seen = np.bincount(own[here & e & (t == time)], minlength=len(names)).astype(np.float64)
            n, d = at_risk.sum(), seen.sum()
            share = at_risk / n
            off += seen - d * share
            if n > 1:
                spread += d * (n - d) / (n - 1) * (np.diag(share) - np.outer(share, share))
    off, spread = off[:-1], spread[:-1, :-1]
    return ChiSquare.of(float(off @ np.linalg.pinv(spread) @ off), len(names) - 1)


@dataclass(frozen=True, slots=True)
class Cox:
    """A fitted model of proportional hazards.

    Attributes
    ----------
    estimates : logarithms of hazard ratios, with a normal reference.
    log_likelihood, null : partial, at the maximum and without covariates.
    """

    estimates: tuple[Estimate, ...]
    log_likelihood: float
    null: float


def cox(
    times: Sequence[float],
    events: Sequence[bool],
    covariates: Floats,
    *,
    strata: Sequence[str] | None = None,
    ties: Ties = "efron",
    level: float = 0.95,
) -> Cox:
    """Cox's model by Newton's method.

    Parameters
    ----------
    times, events : as for :func:`kaplan_meier`.
    covariates : ``(n, p)``; an arm is a column of 0 and 1.
    strata : ``(n,)`` with hazards of their own.
    ties : ``"efron"`` as R has it, ``"breslow"`` as SAS has it.
    level : of confidence.

    Raises
    ------
    Refused
        When an effect grows without bound, as when an arm has no events, or no maximum is reached.
    """
    chosen("way with ties", ties, get_args(Ties))
    t, e = _checked(times, events)
    x = np.asarray(covariates, dtype=np.float64).reshape(len(t), -1)
    scale = x.std(axis=0)
    if (scale == 0).any():
        raise BadValue(Message("statistics.singular", name=f"covariate {int(np.flatnonzero(scale == 0)[0]) + 1}"))
    z = (x - x.mean(axis=0)) / scale
    layer = np.array([str(one) for one in strata]) if strata is not None else np.zeros(len(t), dtype=str)
    sets = _risk_sets(t, e, layer)
    beta = np.zeros(z.shape[1])
    null = here = _partial(sets, z, beta, ties)
    for _ in range(60):
        if np.linalg.matrix_rank(here[2]) < len(beta) or np.abs(beta / scale).max() > LARGEST:
            break
        step = np.linalg.solve(here[2], here[1])
        if float(here[1] @ step) < 1e-20 * max(1.0, abs(here[0])):
            return _fitted_cox(here, beta, null[0], scale, level)
        there = _partial(sets, z, beta + step, ties)
        while there[0] < here[0] - 1e-12 * abs(here[0]):
            step = step / 2
            there = _partial(sets, z, beta + step, ties)
        beta, here = beta + step, there
    raise Refused(Message("statistics.cox_unbounded"))


def _fitted_cox(here: tuple[float, Floats, Floats], beta: Floats, null: float, scale: Floats, level: float) -> Cox:
    spread = np.sqrt(np.diag(np.linalg.inv(here[2]))) / scale
    rows = zip(beta / scale, spread, strict=True)
    return Cox(tuple(Estimate.of(float(b), float(se), level=level) for b, se in rows), here[0], null)


def _risk_sets(t: Floats, e: Bools, layer: Strings) -> list[tuple[Ints, Ints]]:
    """For each time of events: who was at risk, and who had the event."""
    return [
        (
            np.flatnonzero((layer == one) & (t >= time)),
            np.flatnonzero((layer == one) & e & (t == time)),
        )
        for one in np.unique(layer)
        for time in np.unique(t[(layer == one) & e])
    ]


def _partial(sets: list[tuple[Ints, Ints]], z: Floats, beta: Floats, ties: Ties) -> tuple[float, Floats, Floats]:
    """Partial log likelihood, its gradient and information."""
    weight = np.exp(np.clip(z @ beta, -500, 500))
    p = z.shape[1]
    value, slope, information = 0.0, np.zeros(p), np.zeros((p, p))
    for at_risk, seen in sets:
        w, own = weight[at_risk], weight[seen]
        s0, s1 = w.sum(), w @ z[at_risk]
        s2 = (z[at_risk] * w[:, None]).T @ z[at_risk]
        d0, d1 = own.sum(), own @ z[seen]
        d2 = (z[seen] * own[:, None]).T @ z[seen]
        value += float((z[seen] @ beta).sum())
        slope += z[seen].sum(axis=0)
        for k in range(len(seen)):
            # Efron: of d who have the event at once, a share of k/d is taken to be gone already.
            gone = k / len(seen) if ties == "efron" else 0.0
            a0, a1, a2 = s0 - gone * d0, s1 - gone * d1, s2 - gone * d2
            value -= log(a0)
            slope -= a1 / a0
            information += a2 / a0 - np.outer(a1, a1) / a0**2
    return value, slope, information


def _checked(times: Sequence[float], events: Sequence[bool]) -> tuple[Floats, Bools]:
    t, e = finite(times, "times", least=1), np.asarray(events, dtype=bool)
    if len(e) != len(t) or (t < 0).any():
        raise BadValue(Message("statistics.times", times=len(t), events=len(e)))
    if not e.any():
        raise BadValue(Message("statistics.no_event"))
    return t, e
