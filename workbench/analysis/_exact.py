"""Exact binomial and Poisson arithmetic on counts. No SciPy, so that a report opens quickly anywhere.

References
----------
Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc 1927;
22:209–212. doi:10.1080/01621459.1927.10502953
Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial.
Biometrika 1934; 26:404–413. doi:10.1093/biomet/26.4.404
Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936; 28:437–442.
doi:10.1093/biomet/28.3-4.437
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb, exp, fsum, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import NamedTuple

from workbench.errors import BadValue


class Interval(NamedTuple):
    """Two-sided interval from ``low`` to ``high``."""

    low: float
    high: float


def chance_tail(k: int, n: int, *, classes: int) -> Fraction:
    """Exact probability that guessing is right in ``k`` or more of ``n`` trials.

    The ``classes`` are taken as equally likely.
    """
    _counts(k, n)
    _classes(classes)
    ways = sum(comb(n, j) * (classes - 1) ** (n - j) for j in range(k, n + 1))
    return Fraction(ways, classes**n)


def chance_limit(n: int, *, classes: int, alpha: float = 0.05) -> int | None:
    """Smallest number of right trials that guessing reaches with a probability of at most ``alpha``.

    The exact one-sided binomial limit: 12 of 15 trials with two classes. Reaching it is unlikely by
    guessing. None when even ``n`` of ``n`` is not (4 trials, two classes).
    """
    _counts(0, n)
    _classes(classes)
    _level(alpha, "alpha")
    allowed = Fraction(str(alpha)) * classes**n
    ways = 0
    for k in range(n, -1, -1):
        ways += comb(n, k) * (classes - 1) ** (n - k)
        if ways > allowed:
            return k + 1 if k < n else None
    raise AssertionError("the whole distribution has probability 1")  # pragma: no cover


def wilson(k: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson score interval of a proportion ``k`` of ``n``, ``n`` above 0 (Wilson 1927)."""
    _counts(k, n)
    _positive(n)
    _level(level, "level")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p, zz = k / n, z * z
    centre = (p + zz / (2 * n)) / (1 + zz / n)
    half = z / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4 * n * n))
    low = 0.0 if k == 0 else max(0.0, centre - half)
    high = 1.0 if k == n else min(1.0, centre + half)
    return Interval(low, high)


def clopper_pearson(k: int, n: int, *, level: float = 0.95) -> Interval:
    """Exact interval of a proportion ``k`` of ``n``, ``n`` above 0 (Clopper and Pearson 1934)."""
    _counts(k, n)
    _positive(n)
    _level(level, "level")
    alpha = (1 - level) / 2
    low = 0.0 if k == 0 else _solve(lambda p: binomial_tail(k, n, p=p) - alpha, 0.0, k / n)
    high = 1.0 if k == n else _solve(lambda p: alpha - (1 - binomial_tail(k + 1, n, p=p)), k / n, 1.0)
    return Interval(low, high)


def binomial_tail(k: int, n: int, *, p: float) -> float:
    """Probability of ``k`` or more of ``n``, each with probability ``p``."""
    if not 0 <= p <= 1:
        raise BadValue(f"p must lie in 0–1, got {p}")
    if k <= 0:
        return 1.0
    if k > n or p == 0:
        return 0.0
    if p == 1:
        return 1.0
    return min(1.0, fsum(exp(_log_term(j, n, p)) for j in range(k, n + 1)))


def poisson_interval(count: int, *, exposure: float = 1.0, level: float = 0.95) -> Interval:
    """Exact interval of a rate: ``count`` in ``exposure`` (its unit is the rate's), Garwood 1936."""
    if count < 0 or int(count) != count:
        raise BadValue(f"a count must be a whole number of 0 or more, got {count}")
    if not 0 < exposure < float("inf"):
        raise BadValue(f"exposure must be above 0, got {exposure}; without it there is no rate")
    _level(level, "level")
    alpha = (1 - level) / 2
    top = count + 20 * sqrt(count + 1) + 20
    low = 0.0 if count == 0 else _solve(lambda m: (1 - _poisson_up_to(count - 1, m)) - alpha, 0.0, float(count))
    high = _solve(lambda m: alpha - _poisson_up_to(count, m), float(count), top)
    return Interval(low / exposure, high / exposure)


def chi_square_factors(df: int, *, level: float = 0.95) -> Interval:
    """What a standard deviation with ``df`` degrees of freedom is multiplied by for its interval: √(df / χ²)."""
    if df < 1:
        raise BadValue(f"a standard deviation needs at least 1 degree of freedom, got {df}")
    _level(level, "level")
    top = df + 20 * sqrt(2 * df) + 40
    alpha = (1 - level) / 2
    upper = _solve(lambda x: _chi_square_up_to(x, df) - (1 - alpha), 0.0, top)
    lower = _solve(lambda x: _chi_square_up_to(x, df) - alpha, 0.0, top)
    return Interval(sqrt(df / upper), sqrt(df / lower))


def _chi_square_up_to(x: float, df: int) -> float:
    """Distribution function: the series of the lower incomplete gamma function."""
    a, half = df / 2, x / 2
    term = exp(a * log(half) - half - lgamma(a + 1))
    found, k = term, 0
    while term > 1e-17 * found:
        k += 1
        term *= half / (a + k)
        found += term
    return min(1.0, found)


def _poisson_up_to(k: int, mean: float) -> float:
    return min(1.0, fsum(exp(j * log(mean) - mean - lgamma(j + 1)) for j in range(k + 1)))


def _log_term(j: int, n: int, p: float) -> float:
    ways = lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1)
    return ways + j * log(p) + (n - j) * log1p(-p)


def _solve(rising: Callable[[float], float], low: float, high: float) -> float:
    """Root of a rising function by halving, until the bounds are neighbouring numbers."""
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return middle
        if rising(middle) < 0:
            low = middle
        else:
            high = middle


def _counts(k: int, n: int) -> None:
    if not 0 <= k <= n:
        raise BadValue(f"a count must lie between 0 and the number of trials, got {k} of {n}")


def _positive(n: int) -> None:
    if n < 1:
        raise BadValue("an interval needs at least 1 trial, got 0")


def _classes(classes: int) -> None:
    if classes < 2:
        raise BadValue(f"guessing needs at least 2 classes, got {classes}")


def _level(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise BadValue(f"{name} must lie between 0 and 1, got {value}")
