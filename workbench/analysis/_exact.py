"""Exact binomial and Poisson arithmetic on counts. No SciPy, so that a report opens quickly anywhere.

References
----------
Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc 1927;
22:209–212. doi:10.1080/01621459.1927.10502953
Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial.
Biometrika 1934; 26:404–413. doi:10.1093/biomet/26.4.404
Student. The probable error of a mean. Biometrika 1908; 6:1–25. doi:10.1093/biomet/6.1.1
Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936; 28:437–442.
doi:10.1093/biomet/28.3-4.437
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from math import exp, fsum, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import NamedTuple

from workbench.errors import BadValue
from workbench.messages import Message


class Interval(NamedTuple):
    """Two-sided interval from ``low`` to ``high``."""

    low: float
    high: float


def chance_tail(k: int, n: int, *, classes: int) -> Fraction:
    """Exact probability that guessing is right in ``k`` or more of ``n`` trials.

    The ``classes`` are taken as equally likely.

    Parameters
    ----------
    k, n : right trials, of how many.
    classes : how many there are.
    """
    _counts(k, n)
    _classes(classes)
    if k == 0:
        return Fraction(1)
    return Fraction(next(ways for right, ways in _ways(n, classes) if right == k), classes**n)


def chance_limit(n: int, *, classes: int, alpha: float = 0.05) -> int | None:
    """Smallest number of right trials that guessing reaches with a probability of at most ``alpha``.

    The exact one-sided binomial limit: 12 of 15 trials with two classes. Reaching it is unlikely by
    guessing. None when even ``n`` of ``n`` is not (4 trials, two classes).

    Parameters
    ----------
    n : trials.
    classes : how many there are.
    alpha : largest probability under guessing.
    """
    _counts(0, n)
    _classes(classes)
    _level(alpha, "alpha")
    # From the text: 0.05 means five hundredths, not the nearest binary fraction.
    fraction = Fraction(str(alpha))
    # Compared as integers: ways / classes^n > alpha without a division in every step.
    allowed = fraction.numerator * classes**n // fraction.denominator
    first = next(right for right, ways in _ways(n, classes) if ways > allowed)
    return first + 1 if first < n else None


def chance_limit_of(counts: Iterable[int], *, alpha: float = 0.05) -> int | None:
    """As :func:`chance_limit`, for classes of unequal numbers of trials.

    Who always names the largest class is right as often as it comes, and so is taken for the guesser.

    Parameters
    ----------
    counts : trials of each class that occurred.
    alpha : largest probability under guessing.
    """
    trials = list(counts)
    n, largest = sum(trials), max(trials)
    if largest * len(trials) == n:
        return chance_limit(n, classes=len(trials), alpha=alpha)
    rare = (k for k in range(largest, n + 1) if binomial_tail(k, n, p=largest / n) <= alpha)
    return next(rare, None)


def _ways(n: int, classes: int) -> Iterator[tuple[int, int]]:
    """``(k, in how many of the classes^n sequences k or more guesses are right)`` from ``k = n`` down to 0.

    Each term follows from the one before it, so that the sum stays exact and takes n steps.
    """
    term = ways = 1
    yield n, ways
    for k in range(n, 0, -1):
        # Binomial terms from k to k - 1 in integers; the division leaves no remainder.
        term = term * k * (classes - 1) // (n - k + 1)
        ways += term
        yield k - 1, ways


def wilson(k: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson score interval of a proportion ``k`` of ``n``, ``n`` above 0 (Wilson 1927).

    Parameters
    ----------
    k, n : count, of how many.
    level : of confidence, 0–1.
    """
    _counts(k, n)
    _positive(n)
    _level(level, "level")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p, zz = k / n, z * z
    centre = (p + zz / (2 * n)) / (1 + zz / n)
    half = z / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4 * n * n))
    # Exactly 0 or 1 at the ends, where rounding may leave a last digit.
    low = 0.0 if k == 0 else max(0.0, centre - half)
    high = 1.0 if k == n else min(1.0, centre + half)
    return Interval(low, high)


def clopper_pearson(k: int, n: int, *, level: float = 0.95) -> Interval:
    """Exact interval of a proportion ``k`` of ``n``, ``n`` above 0 (Clopper and Pearson 1934).

    Parameters
    ----------
    k, n : count, of how many.
    level : of confidence, 0–1.
    """
    _counts(k, n)
    _positive(n)
    _level(level, "level")
    alpha = (1 - level) / 2
    low = 0.0 if k == 0 else _solve(lambda p: binomial_tail(k, n, p=p) - alpha, 0.0, k / n)
    high = 1.0 if k == n else _solve(lambda p: alpha - (1 - binomial_tail(k + 1, n, p=p)), k / n, 1.0)
    return Interval(low, high)


def binomial_tail(k: int, n: int, *, p: float) -> float:
    """Probability of ``k`` or more of ``n``, each with probability ``p``.

    Parameters
    ----------
    k, n : count, of how many.
    p : probability of each, 0–1.
    """
    if not 0 <= p <= 1:
        raise BadValue(Message("rate.p", got=str(p)))
    if k <= 0:
        return 1.0
    if k > n or p == 0:
        return 0.0
    if p == 1:
        return 1.0
    # Logarithms and fsum: single terms may underflow or span many magnitudes.
    return min(1.0, fsum(exp(_log_term(j, n, p)) for j in range(k, n + 1)))


def poisson_interval(count: int, *, exposure: float = 1.0, level: float = 0.95) -> Interval:
    """Exact interval of a rate: ``count`` in ``exposure`` (its unit is the rate's), Garwood 1936.

    Parameters
    ----------
    count : events.
    exposure : over how much, above 0.
    level : of confidence, 0–1.
    """
    if count < 0 or int(count) != count:
        raise BadValue(Message("rate.count", got=count))
    if not 0 < exposure < float("inf"):
        raise BadValue(Message("rate.exposure", got=str(exposure)))
    _level(level, "level")
    alpha = (1 - level) / 2
    # Far above any bound in use: twenty standard deviations.
    top = count + 20 * sqrt(count + 1) + 20
    low = 0.0 if count == 0 else _solve(lambda m: (1 - _poisson_up_to(count - 1, m)) - alpha, 0.0, float(count))
    high = _solve(lambda m: alpha - _poisson_up_to(count, m), float(count), top)
    return Interval(low / exposure, high / exposure)


def chi_square_factors(df: int, *, level: float = 0.95) -> Interval:
    """Factors of a standard deviation with ``df`` degrees of freedom for its interval: √(df / χ²)."""
    if df < 1:
        raise BadValue(Message("rate.freedom_of_sd", got=df))
    _level(level, "level")
    top = df + 20 * sqrt(2 * df) + 40
    alpha = (1 - level) / 2
    upper = _solve(lambda x: _chi_square_up_to(x, df) - (1 - alpha), 0.0, top)
    lower = _solve(lambda x: _chi_square_up_to(x, df) - alpha, 0.0, top)
    return Interval(sqrt(df / upper), sqrt(df / lower))


def student_t_tail(t: float, df: int) -> float:
    """Probability that Student's t with ``df`` degrees of freedom is above ``t``."""
    if df < 1:
        raise BadValue(Message("rate.freedom_of_t", got=df))
    half = 0.5 * _incomplete_beta(df / (df + t * t), df / 2, 0.5)
    return half if t >= 0 else 1 - half


@lru_cache(maxsize=256)
def student_t_quantile(p: float, df: int) -> float:
    """The value below which Student's t with ``df`` degrees of freedom lies with probability ``p``."""
    _level(p, "p")
    if p < 0.5:
        return -student_t_quantile(1 - p, df)
    top = 2.0
    # With one degree of freedom the tail is so long that no fixed bound serves.
    while student_t_tail(top, df) > 1 - p:
        top *= 2
    return _solve(lambda t: (1 - p) - student_t_tail(t, df), 0.0, top)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function, by Lentz's continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)  # the fraction converges quickly on this side only
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    # Lentz's method without its guard against zeros: on this side of the mean they do not occur.
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / (1 + step * d)
            c = 1 + step / c
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction


def _chi_square_up_to(x: float, df: int) -> float:
    """Distribution function: the series of the lower incomplete gamma function."""
    a, half = df / 2, x / 2
    # The first term in logarithms, as half^a overflows for many degrees of freedom.
    term = exp(a * log(half) - half - lgamma(a + 1))
    total, k = term, 0
    while term > 1e-17 * total:
        k += 1
        term *= half / (a + k)
        total += term
    return min(1.0, total)


def _poisson_up_to(k: int, mean: float) -> float:
    return min(1.0, fsum(exp(j * log(mean) - mean - lgamma(j + 1)) for j in range(k + 1)))


def _log_term(j: int, n: int, p: float) -> float:
    ways = lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1)
    return ways + j * log(p) + (n - j) * log1p(-p)


def _solve(rising: Callable[[float], float], low: float, high: float) -> float:
    """Root of a rising function by bisection, until the bounds are neighbouring doubles."""
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
        raise BadValue(Message("rate.count_of_trials", k=str(k), n=str(n)))


def _positive(n: int) -> None:
    if n < 1:
        raise BadValue(Message("rate.no_trial"))


def _classes(classes: int) -> None:
    if classes < 2:
        raise BadValue(Message("rate.guessing", got=classes))


def _level(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise BadValue(Message("rate.share", name=name, got=str(value)))
