"""Comparisons of means: analysis of covariance with least-squares means, and t tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
from scipy import stats

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.statistics._columns import Columns, Floats, finite, numbers, picked
from workbench.statistics._estimates import Estimate, FTest
from workbench.statistics._model import Model
from workbench.statistics.design import Design, Levels, design, require_rank


@dataclass(frozen=True, slots=True)
class SumOfSquares:
    """A row of an analysis of variance.

    Attributes
    ----------
    value : sum of squares. test : of the term.
    """

    value: float
    test: FTest


@dataclass(frozen=True, slots=True)
class Ancova(Model):
    """A fitted linear model.

    Attributes
    ----------
    design : of the model.
    beta : ``(p,)``. covariance : ``(p, p)``, robust where that was asked for.
    n, df, variance : rows used, residual degrees of freedom and variance.
    matrix, outcome : ``(n, p)``, ``(n,)``.
    """

    design: Design
    beta: Floats
    covariance: Floats
    n: int
    df: float
    variance: float
    matrix: Floats
    outcome: Floats

    def _df(self, weights: Floats) -> float:
        return self.df

    def type_one(self) -> dict[str, SumOfSquares]:
        """Sums of squares of the terms, each beside those before it."""
        made, before = {}, 1
        for term in self.design.terms:
            after = self.design.columns_of(term).stop
            gained = self._rest(before) - self._rest(after)
            made[term] = self._squares(gained, after - before)
            before = after
        return made

    def type_three(self) -> dict[str, SumOfSquares]:
        """Sums of squares of the terms, each beside all others."""
        made, inverse = {}, np.linalg.inv(self.matrix.T @ self.matrix)
        for term in self.design.terms:
            rows = self.design.type_three(term)
            effect = rows @ self.beta
            made[term] = self._squares(float(effect @ np.linalg.solve(rows @ inverse @ rows.T, effect)), len(rows))
        return made

    def _rest(self, columns: int) -> float:
        x = self.matrix[:, :columns]
        left = self.outcome - x @ np.linalg.lstsq(x, self.outcome, rcond=None)[0]
        return float(left @ left)

    def _squares(self, value: float, df: int) -> SumOfSquares:
        f = value / df / self.variance
        return SumOfSquares(value, FTest(f, df, self.df, float(stats.f.sf(f, df, self.df))))


def ancova(
    table: Columns, *, outcome: str, terms: Sequence[str], levels: Levels | None = None, robust: bool = False
) -> Ancova:
    """Fit a linear model by least squares; rows without an outcome are left out.

    Parameters
    ----------
    table : columns of the rows, one a participant.
    outcome : name of its column. terms : of the model.
    levels : factor → its levels in order, the reference first.
    robust : standard errors that hold for unequal variances (HC3).

    Raises
    ------
    BadValue
        For a constant or absent outcome, a factor of one level, a singular design.
    """
    y = numbers(table, outcome)
    used = np.flatnonzero(np.isfinite(y))
    if not len(used):
        raise BadValue(Message("statistics.all_missing", outcome=outcome))
    names = sorted({name for term in terms for name in term.split(":")})
    kept = picked(table, names, used)
    plan, values = design(kept, terms, levels=levels), y[used]
    matrix = plan.matrix({**kept, outcome: values})
    require_rank(matrix, plan.names)
    beta = np.asarray(np.linalg.lstsq(matrix, values, rcond=None)[0], dtype=np.float64)
    rest = values - matrix @ beta
    if float(np.abs(rest).max()) <= 1e-10 * max(float(np.abs(values).max()), 1e-300):
        raise BadValue(Message("statistics.constant", outcome=outcome))
    df = float(len(values) - matrix.shape[1])
    variance, inverse = float(rest @ rest) / df, np.linalg.inv(matrix.T @ matrix)
    covariance = np.asarray(variance * inverse, dtype=np.float64)
    if robust:
        leverage = np.einsum("ij,jk,ik->i", matrix, inverse, matrix)
        scores = matrix * (rest / (1 - leverage))[:, None]
        covariance = inverse @ scores.T @ scores @ inverse
    return Ancova(plan, beta, covariance, len(values), df, variance, matrix, values)


def t_test(
    first: Sequence[float], second: Sequence[float], *, pooled: bool = False, level: float = 0.95
) -> Estimate:
    """Mean of the first sample less that of the second: Welch's test, or Student's with ``pooled``.

    Parameters
    ----------
    first, second : samples of at least 2.
    pooled : take the variances as one.
    level : of confidence.
    """
    a, b = finite(first, "first", least=2), finite(second, "second", least=2)
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if va + vb == 0:
        raise BadValue(Message("statistics.constant", outcome="first, second"))
    if pooled:
        df = float(len(a) + len(b) - 2)
        both = (a.var(ddof=1) * (len(a) - 1) + b.var(ddof=1) * (len(b) - 1)) / df
        se = sqrt(both * (1 / len(a) + 1 / len(b)))
    else:
        se, df = sqrt(va + vb), float((va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)))
    return Estimate.of(float(a.mean() - b.mean()), se, df, level=level)


def paired_t_test(first: Sequence[float], second: Sequence[float], *, level: float = 0.95) -> Estimate:
    """Mean of the differences of pairs, first less second.

    Parameters
    ----------
    first, second : ``(n,)`` in the same order, n at least 2.
    level : of confidence.
    """
    a, b = finite(first, "first", least=2), finite(second, "second", least=2)
    if len(a) != len(b):
        raise BadValue(Message("statistics.pairs", first=len(a), second=len(b)))
    rest = a - b
    if np.ptp(rest) == 0:
        raise BadValue(Message("statistics.constant", outcome="first − second"))
    return Estimate.of(float(rest.mean()), float(rest.std(ddof=1)) / sqrt(len(rest)), len(rest) - 1.0, level=level)


def as_ratio(one: Estimate) -> Estimate:
    """A difference of logarithms as a ratio with its interval; the test stays, SE by the delta method."""
    return Estimate(exp(one.value), exp(one.value) * one.se, one.df, one.t, one.p, exp(one.low), exp(one.high))
