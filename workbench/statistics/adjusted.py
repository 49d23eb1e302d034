"""Difference of two proportions, adjusted for covariates by standardisation of a logistic model.

References, from memory: Ge and others 2011 on the marginal difference; Ye and others 2023 on its variance, which
holds whether or not the logistic model is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.statistics._columns import Columns, labels, numbers
from workbench.statistics._estimates import Estimate
from workbench.statistics.gee import gee

LEAST = 2
"""People that each arm needs."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A marginal difference of two proportions.

    Attributes
    ----------
    difference : first arm less the reference, Student's interval with as many degrees of freedom as are left.
    first, reference : standardised proportions.
    n : people.
    """

    difference: Estimate
    first: float
    reference: float
    n: int


def adjusted_difference(
    table: Columns, *, outcome: str, arm: str, arms: tuple[str, str], covariates: Sequence[str],
    participant: str, level: float = 0.95,
) -> Adjusted:  # fmt: skip
    """The difference that there would be had everybody been in the one arm, and everybody in the other.

    Parameters
    ----------
    table : columns, a row a person.
    outcome : 0 or 1. arm : of two levels. arms : the first, and the reference.
    covariates : names of columns that the logistic model has beside the arm.
    participant : names the person of a row.
    level : of confidence.

    Raises
    ------
    BadValue
        For an absent or constant outcome, an arm of fewer than 2, a singular design.
    Refused
        For perfect separation.
    """
    y, who = numbers(table, outcome), labels(table, arm)
    inside = np.array([one == arms[0] for one in who])
    for name, n in ((arms[0], int(inside.sum())), (arms[1], int((~inside).sum()))):
        if n < LEAST:
            raise BadValue(Message("statistics.few", name=name, got=n, least=LEAST))
    levels = {arm: (arms[1], arms[0])}
    fit = gee(
        table, outcome=outcome, terms=(arm, *covariates), participant=participant, family="binomial", levels=levels
    )
    made = [1 / (1 + np.exp(-(fit.design.matrix({**table, arm: [one] * len(y)}) @ fit.beta))) for one in arms]
    first, other = (float(one.mean()) for one in made)
    # Influence of each person on the difference: residuals weighted by the share of the arm, and own prediction.
    share = float(inside.mean())
    influence = (
        np.where(inside, (y - made[0]) / share, -(y - made[1]) / (1 - share))
        + (made[0] - made[1])
        - (first - other)
    )
    n, df = len(y), float(len(y) - len(fit.beta))
    se = sqrt(float(influence @ influence) / n / df)
    if se == 0:
        raise BadValue(Message("statistics.constant", outcome=outcome))
    return Adjusted(Estimate.of(first - other, se, df, level=level), first, other, n)
