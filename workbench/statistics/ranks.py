"""Rank tests of two samples and of pairs, with Hodges and Lehmann's estimate and its interval.

References, from memory: Wilcoxon 1945, Hodges and Lehmann 1963, Bauer 1972.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.statistics._columns import Floats, finite

MOST_PAIRS, MOST_DIFFERENCES = 500, 2_000
"""Above so many pairs, or differences of two samples, an exact distribution would take too long."""


@dataclass(frozen=True, slots=True)
class RankTest:
    """A rank test.

    Attributes
    ----------
    statistic : V of pairs, W of two samples, as R has them. p : two-sided.
    shift, low, high : Hodges and Lehmann's estimate of the shift and its interval.
    exact : whether probability and interval are exact; with ties they are conditional on them.
    """

    statistic: float
    p: float
    shift: float
    low: float
    high: float
    exact: bool


def signed_rank(
    differences: Sequence[float], *, exact: bool = True, correct: bool = True, level: float = 0.95
) -> RankTest:
    """Wilcoxon's signed-rank test; differences of 0 are left out.

    Parameters
    ----------
    differences : ``(n,)``.
    exact : by enumeration, ties among them; otherwise by the normal distribution.
    correct : with a continuity correction of the normal distribution.
    level : of confidence.
    """
    d = finite(differences, "differences", least=1)
    d = d[d != 0]
    if not len(d):
        raise BadValue(Message("statistics.constant", outcome="differences"))
    ranks = stats.rankdata(np.abs(d))
    v = float(ranks[d > 0].sum())
    i, j = np.triu_indices(len(d))
    walsh = np.sort((d[i] + d[j]) / 2)
    if exact and len(d) <= MOST_PAIRS:
        p = _two_sided(_subset_sums(ranks), v, ranks.sum())
        k = _quantile(_subset_sums(np.arange(1.0, len(d) + 1)), (1 - level) / 2)
        return _result(v, p, walsh, k, exact=True)
    mean, ties = ranks.sum() / 2, np.unique(ranks, return_counts=True)[1]
    n = len(d)
    variance = n * (n + 1) * (2 * n + 1) / 24 - float((ties**3 - ties).sum()) / 48
    return _normal(v, mean, variance, walsh, correct, level)


def rank_sum(
    first: Sequence[float],
    second: Sequence[float],
    *,
    exact: bool = True,
    correct: bool = True,
    level: float = 0.95,
) -> RankTest:
    """Wilcoxon's rank-sum test (Mann and Whitney's); the shift is first less second.

    Parameters
    ----------
    first, second : samples.
    exact : by enumeration given the ties; otherwise by the normal distribution.
    correct : with a continuity correction of the normal distribution.
    level : of confidence.
    """
    a, b = finite(first, "first", least=1), finite(second, "second", least=1)
    m, n = len(a), len(b)
    ranks = stats.rankdata(np.concatenate([a, b]))
    if np.ptp(ranks) == 0:
        raise BadValue(Message("statistics.constant", outcome="first, second"))
    w = float(ranks[:m].sum() - m * (m + 1) / 2)
    shifts = np.sort((a[:, None] - b[None]).ravel())
    if exact and m * n <= MOST_DIFFERENCES:
        whole = _choices(ranks, m)
        p = _two_sided(whole, float(ranks[:m].sum()), float(2 * m * ranks.mean()))
        plain = _choices(np.arange(1.0, m + n + 1), m)
        k = _quantile(plain, (1 - level) / 2, least=m * (m + 1) / 2)
        return _result(w, p, shifts, k, exact=True)
    ties = np.unique(ranks, return_counts=True)[1]
    total = m + n
    variance = m * n / 12 * (total + 1 - float((ties**3 - ties).sum()) / (total * (total - 1)))
    return _normal(w, m * n / 2, variance, shifts, correct, level)


def _normal(value: float, mean: float, variance: float, sorted_: Floats, correct: bool, level: float) -> RankTest:  # noqa: FBT001
    off = value - mean
    z = (abs(off) - (0.5 if correct else 0.0)) / sqrt(variance)
    p = min(1.0, 2 * float(stats.norm.sf(max(z, 0.0) if correct else abs(off) / sqrt(variance))))
    k = int(np.floor(len(sorted_) / 2 - stats.norm.ppf(0.5 + level / 2) * sqrt(variance)))
    return _result(value, p, sorted_, k, exact=False)


def _result(value: float, p: float, sorted_: Floats, k: int, *, exact: bool) -> RankTest:
    k = min(max(k, 1), (len(sorted_) + 1) // 2)
    return RankTest(value, p, float(np.median(sorted_)), float(sorted_[k - 1]), float(sorted_[-k]), exact)


def _subset_sums(ranks: Floats) -> Floats:
    """Probability of every sum of a random subset of ranks, by twice the sum; midranks are halves."""
    whole = np.zeros(int(round(2 * ranks.sum())) + 1)
    whole[0] = 1.0
    for rank in ranks:
        step = int(round(2 * rank))
        moved = np.zeros_like(whole)
        moved[step:] = whole[: len(whole) - step]
        whole = (whole + moved) / 2
    return whole


def _choices(ranks: Floats, m: int) -> Floats:
    """Probability of every sum of ``m`` of the ranks, by twice the sum."""
    doubled = np.round(2 * ranks).astype(np.int64)
    top = int(np.sort(doubled)[-m:].sum())
    ways = np.zeros((m + 1, top + 1))
    ways[0, 0] = 1.0
    for step in doubled:
        for size in range(m, 0, -1):
            if step <= top:
                ways[size, step:] += ways[size - 1, : top + 1 - step]
    return np.asarray(ways[m] / ways[m].sum())


def _two_sided(whole: Floats, value: float, twice_mean: float) -> float:
    """Probability of a sum at least as far from its mean."""
    sums = np.arange(len(whole)) / 2
    far = np.abs(sums - twice_mean / 2) >= abs(value - twice_mean / 2) - 1e-9
    return float(min(1.0, whole[far].sum()))


def _quantile(whole: Floats, share: float, *, least: float = 0.0) -> int:
    """R's quantile of a rank statistic: the smallest value whose distribution function reaches ``share``."""
    reached = int(np.searchsorted(np.cumsum(whole), share - 1e-12))
    return max(1, int(round(reached / 2 - least)))
