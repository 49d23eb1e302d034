"""Missing data: reference-based imputation by conditional means, the jackknife, tipping points, Rubin's rules.

References, from memory: Carpenter, Roger and Kenward 2013; Wolbers and others 2022 (conditional mean imputation);
Rubin 1987; Barnard and Rubin 1999.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Literal, get_args

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.statistics._columns import Bools, Columns, Floats, chosen, finite, labels, numbers
from workbench.statistics._estimates import Estimate
from workbench.statistics.linear import ancova
from workbench.statistics.mmrm import Mmrm, mmrm

Strategy = Literal["missing at random", "jump to reference", "copy reference", "copy increments in reference"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is imputed, and how it is analysed.

    Attributes
    ----------
    outcome, participant, visit, arm : names of columns; every participant has a row at every visit.
    terms : of the imputation model. covariates : of the analysis at each visit, beside the arm.
    reference : arm that missing participants of the other arms are taken to resemble.
    strategy : for visits after a participant's last one; others are missing at random.
    at_random : participants whose missing visits are missing at random whatever the strategy.
    delta : added to imputed values of the arms other than the reference, of the reference.
    """

    outcome: str
    participant: str
    visit: str
    arm: str
    terms: tuple[str, ...]
    covariates: tuple[str, ...]
    reference: str
    strategy: Strategy = "missing at random"
    at_random: tuple[str, ...] = ()
    delta: tuple[float, float] = (0.0, 0.0)


def imputed(table: Columns, plan: Plan, fit: Mmrm | None = None) -> dict[str, list[object]]:
    """The table with every missing outcome in the place of its conditional mean.

    Parameters
    ----------
    table : a row a visit of a participant.
    plan : what is imputed.
    fit : of the imputation model; without it, it is fitted.

    Raises
    ------
    BadValue
        When a participant lacks a row of a visit.
    """
    chosen("strategy", plan.strategy, get_args(Strategy))
    model = fit or _model(table, plan)
    y, who, when, arm = (
        numbers(table, plan.outcome), labels(table, plan.participant), labels(table, plan.visit),
        labels(table, plan.arm),
    )  # fmt: skip
    own = model.design.matrix(table) @ model.beta
    swapped = {**table, plan.arm: [plan.reference] * len(y)}
    other = model.design.matrix(swapped) @ model.beta
    sigma, filled = model.sigma(), y.copy()
    for rows in _by_participant(who, when, model.visits):
        gone = ~np.isfinite(y[rows])
        if not gone.any():
            continue
        strategy = plan.strategy
        if arm[rows[0]] == plan.reference or who[rows[0]] in plan.at_random or not _dropped(gone):
            strategy = "missing at random"
        mean = _mean(own[rows], other[rows], gone, strategy)
        seen = ~gone
        part = sigma[np.ix_(gone, seen)] @ np.linalg.solve(sigma[np.ix_(seen, seen)], y[rows][seen] - mean[seen])
        added = plan.delta[1] if arm[rows[0]] == plan.reference else plan.delta[0]
        filled[rows[gone]] = mean[gone] + part + added
    return {**{name: list(values) for name, values in table.items()}, plan.outcome: list(filled)}


def reference_based(table: Columns, plan: Plan, *, level: float = 0.95) -> dict[str, dict[str, Estimate]]:
    """Difference of each arm from the reference at each visit, its standard error by the jackknife.

    Parameters
    ----------
    table : a row a visit of a participant.
    plan : what is imputed and analysed.
    level : of confidence.

    Returns
    -------
    dict
        visit → arm → estimate with a normal reference.
    """
    whole_fit = _model(table, plan)
    whole = _effects(table, plan, whole_fit)
    who = labels(table, plan.participant)
    people = list(dict.fromkeys(who))
    rows_of: dict[str, list[int]] = {}
    for i, one in enumerate(who):
        rows_of.setdefault(one, []).append(i)
    left = []
    for one in people:
        gone = set(rows_of[one])
        rest = {name: [v for i, v in enumerate(values) if i not in gone] for name, values in table.items()}
        left.append(_effects(rest, plan, None))
    n = len(people)
    made: dict[str, dict[str, Estimate]] = {}
    for (visit, arm), value in whole.items():
        each = np.array([one[visit, arm] for one in left])
        se = sqrt((n - 1) / n * float(((each - each.mean()) ** 2).sum()))
        made.setdefault(visit, {})[arm] = Estimate.of(value, se, level=level)
    return made


def tipping_point(
    table: Columns, plan: Plan, deltas: Sequence[float], *, visit: str, arm: str, alpha: float = 0.05
) -> tuple[dict[float, Estimate], float | None]:
    """Estimates as imputed values of an arm are made worse by delta, and the first delta that is not significant.

    Parameters
    ----------
    table, plan : as for :func:`reference_based`.
    deltas : in the order in which they are tried.
    visit, arm : of the estimate.
    alpha : at which a difference is called one.
    """
    made = {
        float(delta): reference_based(table, replace(plan, delta=(float(delta), plan.delta[1])))[visit][arm]
        for delta in deltas
    }
    return made, next((delta for delta, one in made.items() if one.p >= alpha), None)


def pooled(values: Sequence[float], errors: Sequence[float], *, df: float = inf, level: float = 0.95) -> Estimate:
    """Estimates of imputed data sets in one, by Rubin's rules with Barnard and Rubin's degrees of freedom.

    Parameters
    ----------
    values, errors : ``(m,)`` estimates and their standard errors, m at least 2.
    df : of the analysis of complete data.
    level : of confidence.
    """
    q, u = finite(values, "values", least=2), finite(errors, "errors", least=2) ** 2
    if len(q) != len(u):
        raise BadValue(Message("statistics.pairs", first=len(q), second=len(u)))
    m, within, between = len(q), float(u.mean()), float(q.var(ddof=1))
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    old = (m - 1) / share**2 if share > 0 else inf
    if df == inf:
        own = old
    else:
        seen = (df + 1) / (df + 3) * df * (1 - share)
        own = seen if old == inf else 1 / (1 / old + 1 / seen)
    return Estimate.of(float(q.mean()), sqrt(total), own, level=level)


# ------------------------------------------------------------------ parts
def _model(table: Columns, plan: Plan) -> Mmrm:
    arms = sorted(set(labels(table, plan.arm)) - {plan.reference})
    return mmrm(
        table, outcome=plan.outcome, terms=plan.terms, participant=plan.participant, visit=plan.visit,
        inference="normal", levels={plan.arm: (plan.reference, *arms)},
    )  # fmt: skip


def _by_participant(who: Sequence[str], when: Sequence[str], visits: Sequence[str]) -> list[np.ndarray]:  # type: ignore[type-arg]
    rows: dict[str, dict[str, int]] = {}
    for i, (one, visit) in enumerate(zip(who, when, strict=True)):
        rows.setdefault(one, {})[visit] = i
    for one, own in rows.items():
        if lacking := [visit for visit in visits if visit not in own]:
            raise BadValue(Message("statistics.visit_row", participant=one, visit=lacking[0]))
    return [np.array([own[visit] for visit in visits]) for own in rows.values()]


def _dropped(gone: Bools) -> bool:
    """Whether the last visit is missing: what lies between seen visits is missing at random."""
    return bool(gone[-1])


def _mean(own: Floats, other: Floats, gone: Bools, strategy: Strategy) -> Floats:
    """Marginal mean of a participant's visits; after the last seen one it may be that of the reference."""
    if strategy == "missing at random":
        return own
    if strategy == "copy reference":
        return other
    # The first visit of the final stretch of missing ones.
    seen = np.flatnonzero(~gone)
    first = int(seen[-1]) + 1 if len(seen) else 0
    made = own.copy()
    if strategy == "jump to reference" or first == 0:
        made[first:] = other[first:]
    else:
        made[first:] = own[first - 1] + other[first:] - other[first - 1]
    return made


def _effects(table: Columns, plan: Plan, fit: Mmrm | None) -> dict[tuple[str, str], float]:
    filled = imputed(table, plan, fit)
    when = labels(filled, plan.visit)
    made: dict[tuple[str, str], float] = {}
    arms = sorted(set(labels(table, plan.arm)) - {plan.reference})
    for visit in sorted(set(when)):
        rows = [i for i, one in enumerate(when) if one == visit]
        own = {name: [values[i] for i in rows] for name, values in filled.items()}
        model = ancova(
            own, outcome=plan.outcome, terms=(plan.arm, *plan.covariates),
            levels={plan.arm: (plan.reference, *arms)},
        )  # fmt: skip
        for at, arm in enumerate(arms):
            made[visit, arm] = float(model.beta[1 + at])
    return made
