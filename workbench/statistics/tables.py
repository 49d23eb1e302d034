"""Cochran–Mantel–Haenszel statistics of stratified tables, the common odds ratio, and tests of its homogeneity.

References, from memory: Landis, Heyman, Koch 1978; Robins, Breslow, Greenland 1986; Woolf 1955.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from scipy import stats

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.statistics._columns import Columns, Floats, column, is_numeric
from workbench.statistics.proportions import Difference


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """A chi-square test.

    Attributes
    ----------
    value : statistic. df : its degrees of freedom. p : probability of as large a value.
    """

    value: float
    df: int
    p: float

    @classmethod
    def of(cls, value: float, df: int) -> ChiSquare:
        """The test of a statistic with its degrees of freedom."""
        return cls(value, df, float(stats.chi2.sf(value, df)))


@dataclass(frozen=True, slots=True)
class Cmh:
    """The three statistics of Cochran, Mantel and Haenszel.

    Attributes
    ----------
    correlation : both variables ordered. row_means : the second ordered. general : neither.
    strata : that held anything to compare.
    """

    correlation: ChiSquare
    row_means: ChiSquare
    general: ChiSquare
    strata: int


def counts(table: Columns, row: str, answer: str, stratum: str) -> tuple[Floats, tuple[list[str], list[str]]]:
    """Counts ``(strata, rows, answers)`` of a table of people, and the names of rows and answers in order.

    Parameters
    ----------
    table : columns of the people.
    row, answer, stratum : names of columns; numbers are ordered as numbers.
    """
    values = {name: [str(one) for one in column(table, name)] for name in (row, answer, stratum)}
    order = {
        name: sorted(set(own), key=_number if is_numeric(table, name) else str) for name, own in values.items()
    }
    made = np.zeros(tuple(len(order[name]) for name in (stratum, row, answer)))
    for a, b, c in zip(values[stratum], values[row], values[answer], strict=True):
        made[order[stratum].index(a), order[row].index(b), order[answer].index(c)] += 1
    return made, (order[row], order[answer])


def cmh(made: Floats, *, rows: Sequence[float] | None = None, answers: Sequence[float] | None = None) -> Cmh:
    """Test whether rows and answers are independent within strata.

    Parameters
    ----------
    made : counts ``(strata, rows, answers)``.
    rows, answers : scores; 1, 2, 3, … without them.

    Raises
    ------
    BadValue
        When no stratum has two rows and two answers.
    """
    made = np.asarray(made, dtype=np.float64)
    useful = [own for own in made if own.sum() > 1 and (own.sum(0) > 0).sum() > 1 and (own.sum(1) > 0).sum() > 1]
    if not useful:
        raise BadValue(Message("statistics.no_stratum"))
    _, r, c = made.shape
    a = np.arange(1.0, r + 1) if rows is None else np.asarray(rows, dtype=np.float64)
    b = np.arange(1.0, c + 1) if answers is None else np.asarray(answers, dtype=np.float64)
    some_rows, some_answers = np.eye(r)[:-1], np.eye(c)[:-1]
    return Cmh(
        _statistic(useful, a[None], b[None]), _statistic(useful, some_rows, b[None]),
        _statistic(useful, some_rows, some_answers), len(useful),
    )  # fmt: skip


def common_odds_ratio(made: Floats, *, level: float = 0.95) -> Difference:
    """Mantel and Haenszel's odds ratio of ``(strata, 2, 2)`` counts; interval of Robins, Breslow, Greenland."""
    a, b, c, d = np.asarray(made, dtype=np.float64).reshape(len(made), 4).T
    n = a + b + c + d
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    if not (r.sum() > 0 and s.sum() > 0):
        raise BadValue(Message("statistics.empty_cell"))
    variance = (
        (p * r).sum() / (2 * r.sum() ** 2)
        + (p * s + q * r).sum() / (2 * r.sum() * s.sum())
        + (q * s).sum() / (2 * s.sum() ** 2)
    )
    value, half = r.sum() / s.sum(), stats.norm.ppf(0.5 + level / 2) * sqrt(variance)
    return Difference(float(value), exp(log(value) - half), exp(log(value) + half))


def woolf(made: Floats) -> ChiSquare:
    """Woolf's test that the odds ratios of ``(strata, 2, 2)`` counts are one; no cell is 0."""
    cells = np.asarray(made, dtype=np.float64).reshape(len(made), 4)
    if (cells <= 0).any():
        raise BadValue(Message("statistics.empty_cell"))
    logs = np.log(cells) @ np.array([1.0, -1.0, -1.0, 1.0])
    weights = 1 / (1 / cells).sum(axis=1)
    mean = weights @ logs / weights.sum()
    return ChiSquare.of(float(weights @ (logs - mean) ** 2), len(made) - 1)


def _number(text: str) -> float:
    return float(text) if text else -np.inf


def _statistic(strata: Sequence[Floats], rows: Floats, answers: Floats) -> ChiSquare:
    """Sum over strata of scored differences from what is expected, against its hypergeometric covariance."""
    q = len(rows) * len(answers)
    total, spread = np.zeros(q), np.zeros((q, q))
    for own in strata:
        n, down, across = own.sum(), own.sum(axis=1), own.sum(axis=0)
        total += (rows @ (own - np.outer(down, across) / n) @ answers.T).ravel()
        of_rows = rows @ (n * np.diag(down) - np.outer(down, down)) @ rows.T
        of_answers = answers @ (n * np.diag(across) - np.outer(across, across)) @ answers.T
        spread += np.kron(of_rows, of_answers) / (n * n * (n - 1))
    df = int(np.linalg.matrix_rank(spread))
    return ChiSquare.of(float(total @ np.linalg.pinv(spread) @ total), df)
