"""Metrics of a decoder on decided epochs: kappa, area under the curve, information transfer rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import ArrayLike

from workbench.analysis._exact import Interval, wilson
from workbench.errors import BadValue
from workbench.messages import Message

Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa: agreement beyond what the marginals give. ``n`` pairs, ``observed`` share that agrees.

    ``value`` is None when chance agreement is 1 (one class on both sides).
    """

    n: int
    observed: float
    expected: float
    value: float | None
    interval: Interval | None

    def line(self) -> str:
        """One sentence with n and interval."""
        if self.value is None or self.interval is None:
            return f"kappa: not defined, one class only (n = {self.n})"
        low, high = self.interval
        return f"kappa {self.value:.3f} (95 % CI {low:.3f}–{high:.3f}, score; n = {self.n})"


def kappa(truth: Sequence[str], decided: Sequence[str]) -> Kappa:
    """Cohen's kappa of decided against true classes.

    Parameters
    ----------
    truth, decided : ``(n,)`` classes. What was not decided is a class of its own, such as ``""``.

    Raises
    ------
    BadValue
        Without a pair, or lengths that differ.

    Notes
    -----
    Cohen 1960, Educ Psychol Meas 20:37–46. As in his standard error √(po(1−po) / (n(1−pe)²)) the agreement by
    chance pe is taken as known; the interval is the score interval of po (Wilson) carried over, so that it does
    not shrink to a point when all pairs agree. Trials of one run are not independent: it is too short then.
    """
    n = _pairs(truth, decided)
    classes = sorted({*truth, *decided})
    observed = sum(a == b for a, b in zip(truth, decided)) / n
    expected = sum(list(truth).count(c) * list(decided).count(c) for c in classes) / n**2
    if expected == 1.0:
        return Kappa(n, observed, expected, None, None)
    value = (observed - expected) / (1.0 - expected)
    low, high = ((share - expected) / (1.0 - expected) for share in wilson(round(observed * n), n))
    # Kappa is never below -1; Wilson's lower end carried over can be.
    return Kappa(n, observed, expected, value, Interval(max(-1.0, low), high))


@dataclass(frozen=True, slots=True)
class Auc:
    """Area under the receiver operating characteristic, with the interval of Hanley and McNeil."""

    value: float
    interval: Interval
    n_positive: int
    n_negative: int

    def line(self) -> str:
        """One sentence with both counts and the interval."""
        low, high = self.interval
        return (
            f"AUC {self.value:.3f} (95 % CI {low:.3f}–{high:.3f}, Hanley–McNeil; "
            f"{self.n_positive} targets, {self.n_negative} others)"
        )


def auc(evidence: ArrayLike, positive: ArrayLike) -> Auc:
    """Probability that a target has more evidence than another epoch; ties count half.

    Parameters
    ----------
    evidence : ``(n,)`` float64, higher for targets. positive : ``(n,)`` bool.

    Raises
    ------
    BadValue
        Values that are not finite, or one class only.

    Notes
    -----
    Mann–Whitney statistic; interval from the exponential approximation, Hanley and McNeil 1982, Radiology
    143:29–36, doi:10.1148/radiology.143.1.7063747. At an area of 0 or 1 that variance is 0; the other end is
    then the area from which the observed one is 1.96 standard errors away. Epochs of one run are not
    independent: the interval is too short then, and a clustered one belongs beside it.
    """
    scores, target = np.asarray(evidence, dtype=np.float64), np.asarray(positive, dtype=bool)
    if scores.shape != target.shape or scores.ndim != 1 or not np.isfinite(scores).all():
        raise BadValue(Message("rate.auc_values"))
    m, n = int(target.sum()), int((~target).sum())
    if m == 0 or n == 0:
        raise BadValue(Message("rate.auc_classes", targets=str(m), others=str(n)))
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ordered = scores[order]
    edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
    for start, stop in zip(edges[:-1], edges[1:]):
        # Tied values share their mean rank (Mann–Whitney).
        ranks[order[start:stop]] = 0.5 * (start + 1 + stop)
    value = float((ranks[target].sum() - m * (m + 1) / 2) / (m * n))
    return Auc(value, _around(value, m, n), m, n)


def _around(area: float, m: int, n: int) -> Interval:
    """95 % interval of an area from ``m`` targets and ``n`` others."""
    if 0.0 < area < 1.0:
        half = Z95 * _hanley_mcneil(area, m, n)
        return Interval(max(0.0, area - half), min(1.0, area + half))
    accepted, rejected = area, 1.0 - area
    # Bisection: the distance in standard errors grows monotonically away from the observed area.
    for _ in range(60):
        middle = 0.5 * (accepted + rejected)
        if abs(area - middle) > Z95 * _hanley_mcneil(middle, m, n):
            rejected = middle
        else:
            accepted = middle
    return Interval(accepted, 1.0) if area else Interval(0.0, accepted)


def _hanley_mcneil(area: float, m: int, n: int) -> float:
    """Standard error of an area."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (m - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / (m * n)
    return float(max(0.0, variance) ** 0.5)


def itr(accuracy: float, *, classes: int, selection_s: float) -> float:
    """Information transfer rate of Wolpaw, bit/min.

    Parameters
    ----------
    accuracy : 0–1. At or below chance the rate is 0. classes : 2 or more, all equally likely.
    selection_s : time from one selection to the next in s, gaze shifts and pauses included.

    Raises
    ------
    BadValue
        An accuracy outside 0–1, fewer than two classes, or a time that is not above 0.

    Notes
    -----
    Wolpaw et al. 2002, doi:10.1016/S1388-2457(02)00057-3. It assumes equally likely classes, errors spread
    evenly over the others, and independent selections; for a self-paced switch it means nothing, and an
    accuracy from few trials makes it optimistic. Print the accuracy and the time beside it.
    """
    if not 0.0 <= accuracy <= 1.0:
        raise BadValue(Message("rate.accuracy", got=str(accuracy)))
    if classes < 2:
        raise BadValue(Message("rate.itr_classes", got=classes))
    if not selection_s > 0:
        raise BadValue(Message("rate.itr_time", got=str(selection_s)))
    if accuracy <= 1.0 / classes:
        return 0.0
    bits = log2(classes)
    # At 1 the terms with a logarithm of 0 have the limit 0.
    if accuracy < 1.0:
        bits += accuracy * log2(accuracy) + (1 - accuracy) * log2((1 - accuracy) / (classes - 1))
    return 60.0 * bits / selection_s


def _pairs(truth: Sequence[str], decided: Sequence[str]) -> int:
    if len(truth) != len(decided) or not len(truth):
        raise BadValue(Message("rate.pairs", true=len(truth), decided=len(decided)))
    return len(truth)
