"""Fixed effects of a linear model as data: terms, levels, model matrices, rows of means.

Factors are coded against a reference level, the first unless one is named. A covariate enters as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from workbench.errors import BadValue, UnknownName
from workbench.messages import Message
from workbench.statistics._columns import Columns, Floats, is_numeric, labels, numbers

INTERCEPT = "(Intercept)"
RANK_TOLERANCE = 1e-9
"""Share of the largest diagonal of R of a QR decomposition below which a column depends on the others."""


@dataclass(frozen=True, slots=True)
class Design:
    """Terms and levels of a model.

    Attributes
    ----------
    terms : such as ``("arm", "visit", "arm:visit")``.
    levels : factor → its levels, the reference first.
    centres : covariate → its mean over the rows of the fit, where means of an arm are estimated.
    """

    terms: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    centres: Mapping[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients, as R writes them: ``ARMTRT``, ``ARMTRT:VISIT2``."""
        return INTERCEPT, *(name for term in self.terms for name in self._names(term))

    def columns_of(self, term: str) -> range:
        """Places of a term among the coefficients. Raises UnknownName for another."""
        if term not in self.terms:
            raise UnknownName(Message("statistics.term", name=term, known=list(self.terms)))
        start = 1
        for one in self.terms:
            n = len(self._names(one))
            if one == term:
                break
            start += n
        return range(start, start + n)

    def matrix(self, table: Columns, *, sums_to_zero: bool = False) -> Floats:
        """Model matrix ``(n, p)`` of rows.

        Parameters
        ----------
        table : columns of every variable of the model.
        sums_to_zero : code factors so that their effects sum to 0, instead of against the reference.
        """
        return self._matrix(table, len(next(iter(table.values()))), sums_to_zero=sums_to_zero)

    def _matrix(self, table: Columns, n: int, *, sums_to_zero: bool = False) -> Floats:
        parts = {name: self._coded(table, name, sums_to_zero=sums_to_zero) for name in self._variables()}
        blocks = [np.ones((n, 1))]
        for term in self.terms:
            block = np.ones((n, 1))
            for name in term.split(":"):
                block = (parts[name][:, :, None] * block[:, None, :]).reshape(n, -1)
            blocks.append(block)
        return np.hstack(blocks)

    def mean_row(self, at: Mapping[str, str | float]) -> Floats:
        """Row ``(p,)`` of a least-squares mean: other factors averaged evenly, covariates at their mean.

        ``at`` : factor → level, covariate → value.
        """
        free = [name for name in self.levels if name not in at]
        self._known(at)
        rows = [
            dict(zip(free, combination, strict=True))
            for combination in product(*(self.levels[name] for name in free))
        ]
        table: dict[str, list[str | float]] = {}
        for name in self._variables():
            fixed = at.get(name, self.centres.get(name))
            table[name] = [row.get(name, fixed) for row in rows]  # type: ignore[misc]
        return np.asarray(self._matrix(table, len(rows)).mean(axis=0))

    def mean_rows(self, factors: Sequence[str], at: Mapping[str, str | float]) -> dict[tuple[str, ...], Floats]:
        """Rows of the least-squares means of every combination of levels of some factors.

        Parameters
        ----------
        factors : such as ``("arm", "visit")``.
        at : values that are held.

        Raises
        ------
        BadValue
            For a name that is no factor of the model.
        """
        for factor in factors:
            if factor not in self.levels:
                raise BadValue(Message("statistics.no_factor", name=factor, known=list(self.levels)))
        grid = product(*(self.levels[factor] for factor in factors))
        return {key: self.mean_row({**at, **dict(zip(factors, key, strict=True))}) for key in grid}

    def type_three(self, term: str) -> Floats:
        """Rows ``(q, p)`` of the hypothesis that a term has no effect, others averaged evenly (type III)."""
        # Every cell several times, with any values of the covariates that tell their columns apart.
        grid = list(product(*self.levels.values())) * (2 + 2 * len(self.centres))
        draw = np.random.default_rng(1)
        table: dict[str, list[str | float]] = {
            name: [row[i] for row in grid] for i, name in enumerate(self.levels)
        }
        table |= {name: list(draw.normal(size=len(grid))) for name in self.centres}
        ours, zero = self._matrix(table, len(grid)), self._matrix(table, len(grid), sums_to_zero=True)
        own = list(self.columns_of(term))
        rows = np.linalg.lstsq(zero, ours, rcond=None)[0][own]
        # Differences from the reference, as SAS writes them: degrees of freedom depend on the basis.
        return np.asarray(np.linalg.solve(rows[:, own], rows))

    def _variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for term in self.terms for name in term.split(":")))

    def _names(self, term: str) -> list[str]:
        parts = [
            [name + level for level in self.levels[name][1:]] if name in self.levels else [name]
            for name in term.split(":")
        ]
        # The first factor runs fastest, as in R.
        return [":".join(reversed(one)) for one in product(*reversed(parts))]

    def _coded(self, table: Columns, name: str, *, sums_to_zero: bool) -> Floats:
        if name not in self.levels:
            return numbers(table, name)[:, None]
        own = self.levels[name]
        place = {level: i for i, level in enumerate(own)}
        eye = np.eye(len(own))[:, 1:]
        if sums_to_zero:
            eye[0] = -1.0
        values = labels(table, name)
        if unknown := sorted(set(values) - set(own)):
            raise UnknownName(Message("statistics.level", name=unknown[0], factor=name, known=list(own)))
        return np.asarray(eye[[place[value] for value in values]])

    def _known(self, at: Mapping[str, str | float]) -> None:
        for name, value in at.items():
            if name in self.levels:
                if value not in self.levels[name]:
                    known = list(self.levels[name])
                    raise UnknownName(Message("statistics.level", name=str(value), factor=name, known=known))
            elif name not in self.centres:
                known = [*self.levels, *self.centres]
                raise UnknownName(Message("statistics.column", name=name, known=known))


def design(
    table: Columns, terms: Sequence[str], *, factors: Sequence[str] = (), levels: Levels | None = None
) -> Design:
    """The design of a model.

    Parameters
    ----------
    table : columns; rows without an outcome are left out already.
    terms : names of columns and their products, ``"arm:visit"``.
    factors : columns that are factors although they hold numbers.
    levels : factor → its levels in order, the reference first; without it they are sorted.

    Raises
    ------
    BadValue
        For a factor of one level, or an absent value of a covariate.
    """
    given = levels or {}
    found: dict[str, tuple[str, ...]] = {}
    centres: dict[str, float] = {}
    for name in dict.fromkeys(name for term in terms for name in term.split(":")):
        if name in factors or name in given or not is_numeric(table, name):
            there = sorted(set(labels(table, name)))
            own = tuple(given.get(name, there))
            if len(there) < 2 or set(own) - set(there):
                lacking = sorted(set(own) - set(there)) or there
                raise BadValue(Message("statistics.one_level", factor=name, levels=lacking))
            found[name] = own
        else:
            values = numbers(table, name)
            if not np.isfinite(values).all():
                raise BadValue(Message("statistics.covariate_absent", name=name))
            centres[name] = float(values.mean())
    return Design(tuple(terms), found, centres)


Levels = Mapping[str, Sequence[str]]


def require_rank(matrix: Floats, names: Sequence[str]) -> None:
    """Refuse a model matrix whose columns depend on one another, or that has too few rows.

    Raises
    ------
    BadValue
        Naming the first coefficient that cannot be estimated.
    """
    n, p = matrix.shape
    if n <= p:
        raise BadValue(Message("statistics.too_few_rows", n=n, p=p))
    scale = np.linalg.norm(matrix, axis=0)
    scale[scale == 0] = 1.0
    diagonal = np.abs(np.diag(np.linalg.qr(matrix / scale, mode="r")))
    low = np.flatnonzero(diagonal < RANK_TOLERANCE * diagonal.max())
    if len(low):
        raise BadValue(Message("statistics.singular", name=names[int(low[0])]))
