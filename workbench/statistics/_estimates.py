"""Estimates with their intervals and tests, as every model gives them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from scipy import stats


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its test against 0.

    Attributes
    ----------
    value, se : the estimate and its standard error.
    df : degrees of freedom; ``inf`` for a normal reference.
    t, p : statistic and two-sided probability.
    low, high : interval at the level that was asked for.
    """

    value: float
    se: float
    df: float
    t: float
    p: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, se: float, df: float = inf, *, level: float = 0.95) -> Estimate:
        """An estimate with its Student interval.

        Parameters
        ----------
        value, se : the estimate and its standard error.
        df : degrees of freedom.
        level : of confidence.
        """
        reference = stats.norm() if df == inf else stats.t(df)
        t = value / se
        half = float(reference.ppf(0.5 + level / 2)) * se
        return cls(value, se, df, t, 2 * float(reference.sf(abs(t))), value - half, value + half)


@dataclass(frozen=True, slots=True)
class FTest:
    """A test of several contrasts at once.

    Attributes
    ----------
    f : statistic. df, df_error : degrees of freedom. p : probability of as large a value.
    """

    f: float
    df: int
    df_error: float
    p: float
