"""Linear mixed model with random effects of participants, by the same likelihood as the MMRM.

The covariance of the random effects is not held at its boundary: what must be positive definite is the covariance
of the outcomes (NOBOUND of SAS). Small trials, in which a variance of 0 is often the best one, so keep their
inference; ``singular`` tells of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.statistics._columns import Columns, Floats, column
from workbench.statistics._likelihood import Method
from workbench.statistics.covariances import Structure
from workbench.statistics.design import Levels
from workbench.statistics.mmrm import Inference, Mmrm, Options, mmrm

ROW, ONE = "row of a participant", "one"
"""Columns that are made: numbers of rows, and the random intercept."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """A fitted mixed model.

    Attributes
    ----------
    model : fixed effects, inference and likelihood.
    random : names of the random effects, the intercept first.
    """

    model: Mmrm
    random: tuple[str, ...]

    @property
    def effects(self) -> Floats:
        """Covariance ``(c, c)`` of the random effects."""
        c = len(self.random)
        made = np.zeros((c, c))
        rows, columns = np.tril_indices(c)
        made[rows, columns] = made[columns, rows] = self.model.point.theta[:-1]
        return made

    @property
    def residual(self) -> float:
        """Residual variance."""
        return float(self.model.point.theta[-1])

    @property
    def singular(self) -> bool:
        """Whether the covariance of the random effects is at or beyond its boundary."""
        values = np.linalg.eigvalsh(self.effects)
        return bool(values[0] <= 1e-8 * max(values[-1], self.residual))


def mixed(
    table: Columns,
    *,
    outcome: str,
    terms: Sequence[str],
    participant: str,
    random: Sequence[str] = (),
    method: Method = "reml",
    inference: Inference = "satterthwaite",
    levels: Levels | None = None,
) -> Mixed:
    """Fit a linear mixed model with a random intercept and random slopes that are correlated with it.

    Parameters
    ----------
    table : columns of the rows, in any order.
    outcome, participant : names of columns. terms : of the fixed effects.
    random : columns whose slopes differ between participants.
    method, inference, levels : as for :func:`workbench.statistics.mmrm.mmrm`.

    Raises
    ------
    BadValue
        As for :func:`workbench.statistics.mmrm.mmrm`.
    Refused
        When the fit does not converge; a likelihood without bound ends so too.
    """
    seen: dict[str, int] = {}
    numbers = []
    for who in column(table, participant):
        seen[str(who)] = seen.get(str(who), -1) + 1
        numbers.append(f"{seen[str(who)]:09d}")
    made = {**table, ROW: numbers, ONE: [1.0] * len(numbers)}
    model = mmrm(
        made, outcome=outcome, terms=terms, participant=participant, visit=ROW, structure=Structure.RANDOM,
        method=method, inference=inference, levels=levels, options=Options(coordinates=(ONE, *random)),
    )  # fmt: skip
    return Mixed(model, ("(Intercept)", *random))
