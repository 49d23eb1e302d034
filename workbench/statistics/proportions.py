"""Proportions: intervals of one, of differences of two independent and of two paired, and tests of one.

References, from memory unless a year stands in the shared findings: Wilson 1927, Clopper–Pearson 1934,
Agresti–Coull 1998, Newcombe 1998, Miettinen–Nurminen 1985, Mee 1984, Hauck–Anderson 1986, Agresti–Caffo 2000,
Agresti–Min 2005, Tango 1998, Garwood 1936.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import Literal, get_args

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from workbench.analysis import Interval, clopper_pearson, wilson
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.statistics._columns import Floats, chosen

OneMethod = Literal[
    "wald", "wald-cc", "wilson", "wilson-cc", "agresti-coull", "jeffreys", "clopper-pearson", "mid-p", "blaker"
]
TestMethod = Literal["exact", "exact-doubled", "mid-p", "wald", "wilson"]
TwoMethod = Literal[
    "wald", "wald-cc", "agresti-caffo", "newcombe", "newcombe-cc", "miettinen-nurminen", "mee", "hauck-anderson"
]
PairedMethod = Literal["wald", "agresti-min", "newcombe", "newcombe-cc", "tango"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference or ratio with its interval.

    Attributes
    ----------
    value : estimate. low, high : its interval.
    """

    value: float
    low: float
    high: float


def proportion(k: int, n: int, *, method: OneMethod = "wilson", level: float = 0.95) -> Interval:
    """Interval of a proportion ``k`` of ``n``.

    Parameters
    ----------
    k, n : count, of how many.
    method : of the interval.
    level : of confidence.

    Raises
    ------
    BadValue
        For a count outside 0 to n, or n of 0.
    """
    chosen("method", method, get_args(OneMethod))
    _counted(k, n)
    z, p = _z(level), k / n
    alpha = 1 - level
    if method == "wilson":
        return wilson(k, n, level=level)
    if method == "clopper-pearson":
        return clopper_pearson(k, n, level=level)
    if method in ("wald", "wald-cc"):
        half = z * sqrt(p * (1 - p) / n) + (0.5 / n if method == "wald-cc" else 0.0)
        return _within(p - half, p + half)
    if method == "wilson-cc":
        return _wilson_cc(k, n, z)
    if method == "agresti-coull":
        centre, size = (k + z * z / 2) / (n + z * z), n + z * z
        half = z * sqrt(centre * (1 - centre) / size)
        return _within(centre - half, centre + half)
    if method == "jeffreys":
        low, high = (float(stats.beta.ppf(q, k + 0.5, n - k + 0.5)) for q in (alpha / 2, 1 - alpha / 2))
        return Interval(0.0 if k == 0 else low, 1.0 if k == n else high)
    return _inverted(k, n, alpha, _mid_p if method == "mid-p" else _blaker)


def binomial_test(k: int, n: int, p: float, *, method: TestMethod = "exact") -> float:
    """Two-sided probability of a count as unlikely as ``k`` of ``n``, each with probability ``p``.

    Parameters
    ----------
    k, n : count, of how many.
    p : under the null hypothesis.
    method : ``"exact"`` adds all counts that are no likelier (R), ``"exact-doubled"`` doubles a tail (SAS).
    """
    chosen("method", method, get_args(TestMethod))
    _counted(k, n)
    if not 0 < p < 1:
        raise BadValue(Message("statistics.probability", got=str(p)))
    if method == "exact":
        return float(stats.binomtest(k, n, p).pvalue)
    if method in ("wald", "wilson"):
        return 2 * float(stats.norm.sf(abs(k / n - p) / sqrt(p * (1 - p) / n)))
    tails = (stats.binom.cdf(k, n, p), stats.binom.sf(k - 1, n, p))
    half = 0.5 * stats.binom.pmf(k, n, p) if method == "mid-p" else 0.0
    return float(min(1.0, 2 * (min(tails) - half)))


def difference(
    k1: int, n1: int, k2: int, n2: int, *, method: TwoMethod = "miettinen-nurminen", level: float = 0.95
) -> Difference:
    """Difference of two independent proportions, the first less the second.

    Parameters
    ----------
    k1, n1, k2, n2 : count, of how many, of each group.
    method : of the interval.
    level : of confidence.
    """
    chosen("method", method, get_args(TwoMethod))
    _counted(k1, n1)
    _counted(k2, n2)
    p1, p2, z = k1 / n1, k2 / n2, _z(level)
    value = p1 - p2
    if method in ("miettinen-nurminen", "mee"):
        factor = (n1 + n2) / (n1 + n2 - 1) if method == "miettinen-nurminen" else 1.0
        low, high = _score_interval(np.array([[k1, n1, k2, n2]]), np.ones(1), factor, z)
        return Difference(value, low, high)
    if method in ("newcombe", "newcombe-cc"):
        own: OneMethod = "wilson" if method == "newcombe" else "wilson-cc"
        a, b = (proportion(k, n, method=own, level=level) for k, n in ((k1, n1), (k2, n2)))
        low = value - sqrt((p1 - a.low) ** 2 + (b.high - p2) ** 2)
        return Difference(value, low, value + sqrt((a.high - p1) ** 2 + (p2 - b.low) ** 2))
    centre = value
    if method == "agresti-caffo":
        p1, n1, p2, n2 = (k1 + 1) / (n1 + 2), n1 + 2, (k2 + 1) / (n2 + 2), n2 + 2
        centre = p1 - p2
    less = 1 if method == "hauck-anderson" else 0
    half = z * sqrt(p1 * (1 - p1) / (n1 - less) + p2 * (1 - p2) / (n2 - less))
    half += {"wald-cc": (1 / n1 + 1 / n2) / 2, "hauck-anderson": 1 / (2 * min(n1, n2))}.get(method, 0.0)
    return Difference(value, max(-1.0, centre - half), min(1.0, centre + half))


def stratified_difference(tables: Sequence[tuple[int, int, int, int]], *, level: float = 0.95) -> Difference:
    """Difference of two proportions over strata by Miettinen and Nurminen's score, with Mantel–Haenszel's weights.

    Parameters
    ----------
    tables : ``(k1, n1, k2, n2)`` of each stratum.
    level : of confidence.
    """
    made = np.array(tables, dtype=np.float64)
    for k1, n1, k2, n2 in tables:
        _counted(k1, n1)
        _counted(k2, n2)
    weights = made[:, 1] * made[:, 3] / (made[:, 1] + made[:, 3])
    value = float(weights @ (made[:, 0] / made[:, 1] - made[:, 2] / made[:, 3]) / weights.sum())
    sizes = made[:, 1] + made[:, 3]
    return Difference(value, *_score_interval(made, weights, sizes / (sizes - 1), _z(level)))


def ratio(k1: int, n1: int, k2: int, n2: int, *, level: float = 0.95) -> Difference:
    """Ratio of two independent proportions with Katz's interval on the logarithm.

    Parameters
    ----------
    k1, n1, k2, n2 : count, of how many, of each group; no count is 0.
    level : of confidence.
    """
    _nonzero(k1, k2)
    return _of_log(k1 / n1 * n2 / k2, sqrt(1 / k1 - 1 / n1 + 1 / k2 - 1 / n2), level)


def odds_ratio(k1: int, n1: int, k2: int, n2: int, *, level: float = 0.95) -> Difference:
    """Odds ratio with Woolf's interval.

    Parameters
    ----------
    k1, n1, k2, n2 : count, of how many, of each group; no cell of the table is 0.
    level : of confidence.
    """
    cells = (k1, n1 - k1, k2, n2 - k2)
    _nonzero(*cells)
    return _of_log(k1 * (n2 - k2) / ((n1 - k1) * k2), sqrt(sum(1 / one for one in cells)), level)


def paired_difference(
    both: int, first: int, second: int, neither: int, *, method: PairedMethod = "newcombe", level: float = 0.95
) -> Difference:
    """Difference of two proportions of the same people.

    Parameters
    ----------
    both, first, second, neither : people who respond to both, to the first alone, to the second alone, to none.
    method : of the interval.
    level : of confidence.
    """
    chosen("method", method, get_args(PairedMethod))
    n = both + first + second + neither
    _counted(min(both, first, second, neither), n)
    z, value = _z(level), (first - second) / n
    if method in ("wald", "agresti-min"):
        more = 0.5 if method == "agresti-min" else 0.0
        b, c, size = first + more, second + more, n + 4 * more
        half = z * sqrt(b + c - (b - c) ** 2 / size) / size
        return Difference(value, (b - c) / size - half, (b - c) / size + half)
    if method == "tango":
        return Difference(value, *_tango(first, second, n, z))
    own: OneMethod = "wilson" if method == "newcombe" else "wilson-cc"
    p1, p2 = (both + first) / n, (both + second) / n
    one, two = (proportion(both + k, n, method=own, level=level) for k in (first, second))
    correlation = _phi(both, first, second, neither)
    a, b = p1 - one.low, two.high - p2
    c, d = one.high - p1, p2 - two.low
    low = value - sqrt(a * a - 2 * correlation * a * b + b * b)
    return Difference(value, low, value + sqrt(c * c - 2 * correlation * c * d + d * d))


def rate_difference(
    events1: int, exposure1: float, events2: int, exposure2: float, *, level: float = 0.95
) -> Difference:
    """Difference of two Poisson rates by the score of Miettinen and Nurminen.

    Parameters
    ----------
    events1, exposure1, events2, exposure2 : events and exposure of each group, its unit the rate's.
    level : of confidence.
    """
    if min(events1, events2) < 0 or min(exposure1, exposure2) <= 0:
        raise BadValue(Message("statistics.exposure", got=str((events1, exposure1, events2, exposure2))))
    r1, r2, z = events1 / exposure1, events2 / exposure2, _z(level)

    def score(delta: float) -> float:
        # The restricted rate of the second group solves a quadratic.
        total = exposure1 + exposure2
        b = total * delta - events1 - events2
        mle = (-b + sqrt(b * b + 4 * total * events2 * delta)) / (2 * total) if delta >= 0 else None
        if mle is None:
            b = -total * delta - events1 - events2
            mle = (-b + sqrt(b * b - 4 * total * events1 * delta)) / (2 * total) - delta
        variance = (mle + delta) / exposure1 + mle / exposure2
        return (r1 - r2 - delta) / sqrt(max(variance, 1e-300))

    reach = 10 * (r1 + r2 + 10 / exposure1 + 10 / exposure2)
    return Difference(r1 - r2, *_ends(score, r1 - r2, z, -reach, reach))


# ------------------------------------------------------------------ parts
def _counted(k: int, n: int) -> None:
    if n < 1 or not 0 <= k <= n:
        raise BadValue(Message("statistics.count", k=str(k), n=str(n)))


def _nonzero(*cells: int) -> None:
    if min(cells) < 1:
        raise BadValue(Message("statistics.empty_cell"))


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise BadValue(Message("statistics.probability", got=str(level)))
    return float(stats.norm.ppf(0.5 + level / 2))


def _within(low: float, high: float) -> Interval:
    return Interval(max(0.0, low), min(1.0, high))


def _of_log(value: float, se: float, level: float) -> Difference:
    half = _z(level) * se
    return Difference(value, exp(log(value) - half), exp(log(value) + half))


def _wilson_cc(k: int, n: int, z: float) -> Interval:
    p, zz = k / n, z * z
    below = zz - 2 - 1 / n + 4 * p * (n * (1 - p) + 1)
    above = zz + 2 - 1 / n + 4 * p * (n * (1 - p) - 1)
    low = 0.0 if k == 0 else (2 * n * p + zz - 1 - z * sqrt(below)) / (2 * (n + zz))
    high = 1.0 if k == n else (2 * n * p + zz + 1 + z * sqrt(above)) / (2 * (n + zz))
    return _within(low, high)


def _mid_p(k: int, n: int, p: float) -> float:
    half = 0.5 * stats.binom.pmf(k, n, p)
    return float(2 * min(stats.binom.cdf(k, n, p) - half, stats.binom.sf(k - 1, n, p) - half))


def _blaker(k: int, n: int, p: float) -> float:
    below, above = float(stats.binom.cdf(k, n, p)), float(stats.binom.sf(k - 1, n, p))
    if below < above:
        other = stats.binom.isf(below * (1 + 1e-12), n, p) + 1
        return min(1.0, below + float(stats.binom.sf(other - 1, n, p)))
    other = stats.binom.ppf(above * (1 + 1e-12), n, p) - 1
    return min(1.0, above + float(stats.binom.cdf(other, n, p)))


def _inverted(k: int, n: int, alpha: float, probability: Callable[[int, int, float], float]) -> Interval:
    """Ends of the values of p whose probability is above ``alpha``."""

    def over(p: float) -> float:
        return probability(k, n, p) - alpha

    centre, outer = k / n, clopper_pearson(k, n, level=1 - alpha / 4)
    low = 0.0 if k == 0 else _bisected(over, outer.low, centre)
    high = 1.0 if k == n else _bisected(over, outer.high, centre)
    return Interval(low, high)


def _bisected(over: Callable[[float], float], outside: float, inside: float) -> float:
    for _ in range(200):
        middle = (outside + inside) / 2
        if over(middle) > 0:
            inside = middle
        else:
            outside = middle
    return (outside + inside) / 2


def _restricted(made: Floats, delta: float) -> tuple[Floats, Floats]:
    """Maximum-likelihood proportions whose difference is ``delta`` (closed form of Miettinen and Nurminen)."""
    k1, n1, k2, n2 = made.T
    n, k = n1 + n2, k1 + k2
    l2 = (n1 + 2 * n2) * delta - n - k
    l1 = (n2 * delta - n - 2 * k2) * delta + k
    l0 = k2 * delta * (1 - delta)
    q = (l2 / (3 * n)) ** 3 - l1 * l2 / (6 * n * n) + l0 / (2 * n)
    p = np.sign(q) * np.sqrt(np.maximum((l2 / (3 * n)) ** 2 - l1 / (3 * n), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.where(p == 0, 0.0, np.clip(q / p**3, -1, 1))
    second = np.clip(2 * p * np.cos((np.pi + np.arccos(cosine)) / 3) - l2 / (3 * n), 0.0, 1.0)
    return np.clip(second + delta, 0.0, 1.0), second


def _score_interval(made: Floats, weights: Floats, factor: float | Floats, z: float) -> tuple[float, float]:
    made = np.asarray(made, dtype=np.float64)
    k1, n1, k2, n2 = made.T
    share = weights / weights.sum()
    value = float(share @ (k1 / n1 - k2 / n2))

    def score(delta: float) -> float:
        p1, p2 = _restricted(made, delta)
        variance = factor * (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
        spread = sqrt(max(float(share**2 @ variance), 0.0))
        return (value - delta) / spread if spread > 0 else inf * np.sign(value - delta)

    return _ends(score, value, z, -1.0, 1.0)


def _ends(score: Callable[[float], float], value: float, z: float, low: float, high: float) -> tuple[float, float]:
    """Where a falling score passes z and −z, within bounds."""
    below, above = low + 1e-12, high - 1e-12
    first = (
        low
        if score(below) < z
        else float(brentq(lambda d: min(score(d), 1e9) - z, below, value + 1e-13, xtol=1e-14))
    )
    last = (
        high
        if score(above) > -z
        else float(brentq(lambda d: max(score(d), -1e9) + z, value - 1e-13, above, xtol=1e-14))
    )
    return first, last


def _tango(first: int, second: int, n: int, z: float) -> tuple[float, float]:
    def score(delta: float) -> float:
        a, b = 2 * n, -first - second + (2 * n - first + second) * delta
        c = -second * delta * (1 - delta)
        q = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
        spread = sqrt(max(n * (2 * q + delta * (1 - delta)), 1e-300))
        return (first - second - n * delta) / spread

    return _ends(score, (first - second) / n, z, -1.0, 1.0)


def _phi(both: int, first: int, second: int, neither: int) -> float:
    """Correlation of the two outcomes, with Newcombe's correction where it is above 0 (his method 10)."""
    product = float(both + first) * (second + neither) * (both + second) * (first + neither)
    if product == 0:
        return 0.0
    over = float(both * neither - first * second)
    if over > 0:
        over = max(over - (both + first + second + neither) / 2, 0.0)
    return over / sqrt(product)
