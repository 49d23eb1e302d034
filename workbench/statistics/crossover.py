"""People under two conditions in turn: crossover trials, conditions paired within a session, stepped wedges.

All three are linear mixed models by REML, so that who misses a period still counts with the others.

References
----------
Jones and Kenward, Design and Analysis of Cross-Over Trials, 3rd ed. 2014 (from memory); Freeman 1989,
doi:10.1002/sim.4780081202 (why a test of carry-over never decides which estimate is taken); Hussey and Hughes
2007, doi:10.1016/j.cct.2006.05.007 (stepped wedge); Hooper et al. 2016, doi:10.1002/sim.7028 (cluster by period).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.statistics._columns import Columns, labels, numbers, picked
from workbench.statistics._estimates import Estimate
from workbench.statistics.covariances import Structure
from workbench.statistics.linear import paired_t_test
from workbench.statistics.mixed import mixed
from workbench.statistics.mmrm import Inference, Mmrm, Options, mmrm

Shared = Literal["cluster and period", "cluster"]
"""Whether what a cluster shares differs from period to period as well."""
CONDITION, PERIOD, CARRIED, ROW = "condition", "period", "carried over", "row of a cluster"
"""Names of the columns of a design, as they are made here."""
MOST_ROWS = 240
"""Rows of one cluster, whose covariance is inverted as a whole."""
FEWEST_CLUSTERS = 3


@dataclass(frozen=True, slots=True)
class Crossed:
    """Conditions of participants over periods.

    Attributes
    ----------
    participant, period, condition : ``(n,)`` of each row.
    values : ``(n,)`` outcomes; NaN where there is none.
    conditions : the two, the control first.
    periods : in their order.
    cluster : ``(n,)`` of each row, of a stepped wedge.
    covariates : further columns of the rows, which enter as terms of the model.
    """

    participant: Sequence[str]
    period: Sequence[str]
    condition: Sequence[str]
    values: Sequence[float]
    conditions: tuple[str, str]
    periods: tuple[str, ...]
    cluster: Sequence[str] = ()
    covariates: Columns | None = None

    def table(self) -> dict[str, Any]:
        """The rows as a table. Raises BadValue for another condition than the two, or one of them alone."""
        if len(set(self.condition)) != 2 or set(self.condition) != set(self.conditions):
            got = ", ".join(sorted(set(self.condition))) or "–"
            raise BadValue(Message("statistics.conditions", known=list(self.conditions), got=got))
        return {
            **dict(self.covariates or {}), "participant": list(self.participant), PERIOD: list(self.period),
            CONDITION: list(self.condition), "outcome": list(self.values), "cluster": list(self.cluster),
        }  # fmt: skip

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """Levels of condition and period, in order."""
        there = set(self.period)
        return {CONDITION: self.conditions, PERIOD: tuple(one for one in self.periods if one in there)}


@dataclass(frozen=True, slots=True)
class Crossover:
    """A fitted crossover trial.

    Attributes
    ----------
    model : of the outcomes. effect : of the condition of interest less the control.
    carried : what the condition of interest leaves for the next period; None where the design cannot tell.
    adjusted : whether the effect is that beside what is carried over.
    """

    model: Mmrm
    effect: Estimate
    carried: Estimate | None
    adjusted: bool


def crossover(
    rows: Crossed,
    *,
    carried: bool = False,
    structure: Structure | str = Structure.COMPOUND,
    inference: Inference = "kenward-roger",
    level: float = 0.95,
) -> Crossover:
    """Fit periods and conditions within participants.

    The effect is that of the model without carry-over, and what may be carried over is told beside it. With two
    periods and two sequences it is a difference between the sequences and has little power; with ``carried`` the
    effect then rests on the first period alone.

    Parameters
    ----------
    rows : of participants, at most one a period.
    carried : take the effect from the model with what the condition before leaves.
    structure, inference : as for :func:`workbench.statistics.mmrm.mmrm`.
    level : of confidence.

    Raises
    ------
    BadValue
        For one condition alone, a period twice, a design that cannot tell conditions from periods.
    Refused
        When the fit does not converge.
    """
    table = rows.table()
    table[CARRIED] = _carried(rows)
    terms = (*(rows.covariates or {}), PERIOD, CONDITION)

    def fitted(own: Sequence[str]) -> Mmrm:
        return mmrm(
            table, outcome="outcome", terms=tuple(own), participant="participant", visit=PERIOD,
            structure=structure, inference=inference, levels=rows.levels,
        )  # fmt: skip

    plain = fitted(terms)
    try:
        beside = fitted((*terms, CARRIED))
    except (BadValue, Refused):
        if carried:
            raise
        beside = None
    model = beside if carried and beside is not None else plain
    (effect,) = model.differences(CONDITION, level=level).values()
    left = None if beside is None else beside.coefficients(level=level)[CARRIED]
    return Crossover(model, effect, left, carried)


def _carried(rows: Crossed) -> list[float]:
    """1 for each row whose participant was under the condition of interest in the period before."""
    place = {period: n for n, period in enumerate(rows.periods)}
    was = {
        (who, place[period]): condition
        for who, period, condition in zip(rows.participant, rows.period, rows.condition, strict=True)
    }
    active = rows.conditions[1]
    return [
        float(was.get((who, place[period] - 1)) == active)
        for who, period in zip(rows.participant, rows.period, strict=True)
    ]


# ------------------------------------------------------------------------------ paired within a session
@dataclass(frozen=True, slots=True)
class Paired:
    """Two conditions within each session.

    Attributes
    ----------
    effect : mean of the differences, each session with the same weight.
    by_session : mean difference of each session.
    n : participants.
    """

    effect: Estimate
    by_session: dict[str, Estimate]
    n: int


def paired(
    table: Columns, *, difference: str, participant: str, session: str, sessions: Sequence[str],
    inference: Inference = "kenward-roger", level: float = 0.95,
) -> Paired:  # fmt: skip
    """Mean difference of two conditions that were both tried in each session.

    Each participant has an effect of his own (a random intercept of the differences), so that the error counts
    people and not sessions; sessions have means of their own.

    Parameters
    ----------
    table : a row a participant and session. difference : column of the condition of interest less the control.
    participant, session : names of columns. sessions : in their order.
    inference : as for :func:`workbench.statistics.mmrm.mmrm`. level : of confidence.

    Raises
    ------
    BadValue, Refused
        For fewer than 2 participants, differences that do not vary, a fit that does not converge.
    """
    d = numbers(table, difference)
    used = np.flatnonzero(np.isfinite(d))
    kept = picked(table, (difference, participant, session), used)
    n = len(set(labels(kept, participant))) if len(used) else 0
    if n < 2:
        raise BadValue(Message("statistics.few", name=participant, got=n, least=2))
    there = tuple(one for one in sessions if one in set(labels(kept, session)))
    if len(used) == n:
        # Nobody has two: what differs between people and between sessions is one thing.
        one = paired_t_test(list(d[used]), [0.0] * n, level=level)
        return Paired(one, {}, n)
    terms = (session,) if len(there) > 1 else ()
    fit = mixed(
        kept, outcome=difference, terms=terms, participant=participant, inference=inference,
        levels={session: there} if terms else None,
    ).model  # fmt: skip
    effect = fit.contrast(fit.design.mean_row({}), level=level)
    means = fit.means(session, level=level) if terms else {}
    return Paired(effect, {key[0]: one for key, one in means.items()}, n)


# ------------------------------------------------------------------------------ stepped wedge
@dataclass(frozen=True, slots=True)
class Wedge:
    """A fitted stepped wedge.

    Attributes
    ----------
    model : of the outcomes. effect : of the condition of interest less the control.
    variances : by what rows share: cluster, cluster and period, participant; then what is left.
    clusters : how many.
    """

    model: Mmrm
    effect: Estimate
    variances: dict[str, float]
    clusters: int


def stepped_wedge(
    rows: Crossed, *, shared: Shared = "cluster and period", inference: Inference = "kenward-roger",
    level: float = 0.95,
) -> Wedge:  # fmt: skip
    """Fit clusters that change to the condition of interest one after the other.

    Fixed effects of condition and period; random ones of the cluster, of the cluster in a period, and of the
    participant where somebody was seen in several periods. Variances may fall below 0, as for
    :func:`workbench.statistics.mixed.mixed`.

    Parameters
    ----------
    rows : with their clusters.
    shared : what a cluster shares. inference : as for :func:`workbench.statistics.mmrm.mmrm`.
    level : of confidence.

    Raises
    ------
    BadValue
        For fewer than 3 clusters, more than 240 rows of one, or conditions that cannot be told from periods.
    Refused
        When the fit does not converge.
    """
    table = rows.table()
    clusters = labels(table, "cluster")
    counted = {name: clusters.count(name) for name in dict.fromkeys(clusters)}
    if len(counted) < FEWEST_CLUSTERS or max(counted.values()) > MOST_ROWS:
        got = f"{len(counted)}, {max(counted.values())}"
        raise BadValue(Message("statistics.clusters", got=got, least=FEWEST_CLUSTERS, most=MOST_ROWS))
    groups = {"cluster": clusters}
    per_period = len(set(zip(clusters, rows.period, strict=True)))
    if shared == "cluster and period" and per_period < len(clusters):
        groups["cluster and period"] = [f"{a}|{b}" for a, b in zip(clusters, rows.period, strict=True)]
    if len(set(rows.participant)) < len(clusters):
        groups["participant"] = list(rows.participant)
    for name, own in groups.items():
        place = {one: float(n) for n, one in enumerate(dict.fromkeys(own))}
        table[f"group {name}"] = [place[one] for one in own]
    seen: dict[str, int] = {}
    table[ROW] = [_numbered(seen, one) for one in clusters]
    model = mmrm(
        table, outcome="outcome", terms=(*(rows.covariates or {}), PERIOD, CONDITION), participant="cluster",
        visit=ROW, structure=Structure.GROUPED, inference=inference, levels=rows.levels,
        options=Options(coordinates=tuple(f"group {name}" for name in groups)),
    )  # fmt: skip
    (effect,) = model.differences(CONDITION, level=level).values()
    variances = dict(zip((*groups, "residual"), map(float, model.point.theta), strict=True))
    return Wedge(model, effect, variances, len(counted))


def _numbered(seen: dict[str, int], cluster: str) -> str:
    seen[cluster] = seen.get(cluster, -1) + 1
    return f"{seen[cluster]:09d}"
