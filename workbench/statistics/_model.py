"""What every fitted model says of its coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.statistics._estimates import Estimate

if TYPE_CHECKING:
    from workbench.statistics._columns import Floats
    from workbench.statistics.design import Design


class Model:
    """Contrasts of the coefficients of a fit: a model adds its fields and the degrees of freedom of a contrast."""

    __slots__ = ()
    if TYPE_CHECKING:
        design: Design
        covariance: Floats

        @property
        def beta(self) -> Floats: ...

    def _df(self, weights: Floats) -> float:
        """Degrees of freedom of a contrast; ``inf`` for a normal reference."""
        raise NotImplementedError

    def contrast(self, row: Sequence[float] | Floats, *, level: float = 0.95) -> Estimate:
        """A linear combination of the coefficients, tested against 0.

        Parameters
        ----------
        row : ``(p,)``.
        level : of confidence.

        Raises
        ------
        BadValue
            For another number of weights than there are coefficients, or for zeros alone.
        """
        weights = np.asarray(row, dtype=np.float64)
        if weights.shape != self.beta.shape or not weights.any():
            raise BadValue(Message("statistics.contrast", n=len(self.beta)))
        se = sqrt(float(weights @ self.covariance @ weights))
        return Estimate.of(float(weights @ self.beta), se, self._df(weights), level=level)

    def coefficients(self, *, level: float = 0.95) -> dict[str, Estimate]:
        """Every coefficient by name."""
        rows = np.eye(len(self.beta))
        return {name: self.contrast(row, level=level) for name, row in zip(self.design.names, rows, strict=True)}

    def means(
        self, *factors: str, at: Mapping[str, str | float] | None = None, level: float = 0.95
    ) -> dict[tuple[str, ...], Estimate]:
        """Least-squares means of every combination of levels of some factors, on the scale of the link.

        Parameters
        ----------
        *factors : such as ``"arm", "visit"``.
        at : values that are held: factor → level, covariate → value.
        level : of confidence.
        """
        rows = self.design.mean_rows(factors, at or {})
        return {key: self.contrast(row, level=level) for key, row in rows.items()}

    def differences(
        self, factor: str, *, at: Mapping[str, str | float] | None = None, level: float = 0.95
    ) -> dict[tuple[str, str], Estimate]:
        """Differences of the least-squares means of a factor, ``(level, other)`` being level minus other.

        Parameters
        ----------
        factor : such as ``"arm"``.
        at : values that are held, such as the visit.
        level : of confidence.
        """
        rows = self.design.mean_rows((factor,), at or {})
        return {(b, a): self.contrast(rows[b,] - rows[a,], level=level) for (a,), (b,) in combinations(rows, 2)}
