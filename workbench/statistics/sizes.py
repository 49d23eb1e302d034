"""Sizes of trials that compare two means: superiority, non-inferiority, equivalence."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, sqrt

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from workbench.errors import BadValue
from workbench.messages import Message

LARGEST = 1e7
"""Participants beyond which no trial is planned."""


def superiority(
    delta: float, sd: float, *, power: float = 0.8, alpha: float = 0.05, paired: bool = False
) -> float:
    """Participants a group, or pairs, as a number that is still to be rounded up; Student's t, two-sided.

    Parameters
    ----------
    delta, sd : difference to find, and the standard deviation (of a difference, when ``paired``).
    power, alpha : of the test.
    paired : one group of differences.
    """
    _asked(sd, power, alpha)
    if delta == 0:
        raise BadValue(Message("statistics.no_effect"))

    def reached(n: float) -> float:
        df, root = (n - 1, sqrt(n)) if paired else (2 * (n - 1), sqrt(n / 2))
        critical = stats.t.ppf(1 - alpha / 2, df)
        away = abs(delta) / sd * root
        # Far from 0 the other tail underflows to NaN.
        tails = np.nan_to_num([stats.nct.sf(critical, df, away), stats.nct.cdf(-critical, df, away)])
        return float(tails.sum()) - power

    return _smallest(reached, most=10 + 4 * (sd / delta) ** 2 * _z_sum(power, alpha))


def noninferiority(
    margin: float, sd: float, *, difference: float = 0.0, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Participants a group for non-inferiority of two means, to be rounded up; Student's t, one-sided.

    Parameters
    ----------
    margin : above 0, how much worse is still accepted.
    sd : standard deviation of a group.
    difference : true one, new less standard.
    power, alpha : of the test, alpha one-sided.
    """
    _asked(sd, power, alpha)
    room = margin + difference
    if room <= 0:
        raise BadValue(Message("statistics.no_effect"))

    def reached(n: float) -> float:
        df = 2 * (n - 1)
        return float(np.nan_to_num(stats.nct.sf(stats.t.ppf(1 - alpha, df), df, room / sd * sqrt(n / 2)))) - power

    return _smallest(reached, most=10 + 4 * (sd / room) ** 2 * _z_sum(power, alpha))


def equivalence(
    margin: float, sd: float, *, difference: float = 0.0, power: float = 0.8, alpha: float = 0.05
) -> int:
    """Participants a group for equivalence of two means by two one-sided tests, by the normal distribution.

    Parameters
    ----------
    margin : above 0, how far apart is still the same.
    sd : standard deviation of a group.
    difference : true one.
    power, alpha : of the tests, alpha of each.
    """
    _asked(sd, power, alpha)
    room = margin - abs(difference)
    if room <= 0:
        raise BadValue(Message("statistics.no_effect"))
    z = stats.norm.ppf(1 - alpha) + stats.norm.ppf((1 + power) / 2)
    return ceil(2 * float(z * sd / room) ** 2)


def _smallest(reached: Callable[[float], float], *, most: float) -> float:
    """Size of a group, 2 at the least, from which ``reached``, the power less what was asked, is not below 0."""
    least = 2.0 + 1e-6
    if reached(least) >= 0:
        return 2.0
    return float(brentq(reached, least, most, xtol=1e-9))


def _z_sum(power: float, alpha: float) -> float:
    return float((stats.norm.ppf(1 - alpha / 2) + abs(stats.norm.ppf(power))) ** 2)


def _asked(sd: float, power: float, alpha: float) -> None:
    if not 0 < sd < LARGEST:
        raise BadValue(Message("statistics.sd", got=str(sd)))
    for share in (power, alpha):
        if not 0 < share < 1:
            raise BadValue(Message("statistics.probability", got=str(share)))
