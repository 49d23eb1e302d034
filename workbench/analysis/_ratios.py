"""Intervals of a share or a rate that is a ratio of sums over clusters: trials of a run, runs of a session.

The share ``R = Σa / Σb`` over k clusters is given the interval of its linearised cluster variance
``k/(k−1) · Σ (a_i − R b_i)² / (Σb)²`` on the logit scale (a rate: on the log scale) with Student's t of k − 1
degrees of freedom. It is joined with the interval that applies when clusters do not differ, so that few
clusters that happen to be alike do not give false certainty.

References
----------
Cochran WG. Sampling Techniques. 3rd ed. Wiley 1977, chapter 6.
Wilson EB. J Am Stat Assoc 1927; 22:209–212. doi:10.1080/01621459.1927.10502953
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import numpy as np

from workbench.analysis._exact import Interval, student_t_quantile
from workbench.vocabulary import FloatArray


def share_interval(a: FloatArray, b: FloatArray, *, alike: Interval, level: float = 0.95) -> Interval:
    """Interval of the share ``Σa / Σb``.

    Parameters
    ----------
    a, b : ``(k,)`` float64, numerator and denominator of each cluster, ``0 ≤ a ≤ b``.
    alike : the interval when clusters do not differ.
    level : confidence level.

    Returns
    -------
    Interval
        The hull of both; ``alike`` itself with one cluster, or where the clusters show no spread.
    """
    share, se = _linearised(a, b)
    if se == 0.0 or not 0.0 < share < 1.0:
        return alike
    # Delta method: the derivative of the logit at R is 1 / (R (1 - R)).
    half = student_t_quantile(0.5 + level / 2, len(a) - 1) * se / (share * (1 - share))
    centre = log(share / (1 - share))
    return _hull(Interval(_logistic(centre - half), _logistic(centre + half)), alike)


def rate_interval(count: FloatArray, exposure: FloatArray, *, alike: Interval, level: float = 0.95) -> Interval:
    """Interval of the rate ``Σcount / Σexposure``, in 1 over the unit of ``exposure``; as :func:`share_interval`.

    Parameters
    ----------
    count, exposure : ``(k,)`` float64 of each cluster, none negative.
    alike : the interval when clusters do not differ.
    level : confidence level.
    """
    rate, se = _linearised(count, exposure)
    if se == 0.0 or rate == 0.0:
        return alike
    # Delta method: the derivative of the logarithm at R is 1 / R.
    half = student_t_quantile(0.5 + level / 2, len(count) - 1) * se / rate
    # One cluster more or less of so few can be a factor of thousands; exp() of it must not overflow.
    factor = exp(min(half, 50.0))
    return _hull(Interval(rate / factor, rate * factor), alike)


def totals(values: Sequence[float] | FloatArray, clusters: Sequence[str]) -> FloatArray:
    """``(k,)`` float64 sums of ``(n,)`` values by cluster, in the order in which the clusters appear."""
    names = list(dict.fromkeys(clusters))
    index = np.array([names.index(name) for name in clusters], dtype=np.int64)
    sums = np.zeros(len(names), dtype=np.float64)
    # Unbuffered: an index that occurs several times is added each time.
    np.add.at(sums, index, np.asarray(values, dtype=np.float64))
    return sums


def _linearised(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    """The ratio and its standard error; 0 with one cluster."""
    total, k = float(b.sum()), len(a)
    ratio = float(a.sum()) / total
    if k < 2:
        return ratio, 0.0
    residual = a - ratio * b
    return ratio, float((k / (k - 1) * (residual**2).sum()) ** 0.5 / total)


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))  # exp() of what is not above 0 cannot overflow


def _hull(first: Interval, second: Interval) -> Interval:
    return Interval(min(first.low, second.low), max(first.high, second.high))
