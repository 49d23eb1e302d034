"""Mixed model for repeated measures: fit, inference, least-squares means, type-III tests.

The parameters of the covariance are those of SAS PROC MIXED, and the information is the observed one, so that
Kenward–Roger tables agree with it. Conventions where SAS and R differ stand in ``docs/statistics.md``.

References
----------
Kenward MG, Roger JH. Small sample inference for fixed effects from restricted maximum likelihood. Biometrics 1997
(from memory). Satterthwaite FE. Biometrics Bulletin 1946 (from memory).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, log, sqrt
from typing import Literal, get_args

import numpy as np
from scipy import stats

from workbench.errors import BadValue, Refused, UnknownName
from workbench.messages import Message
from workbench.statistics._columns import Columns, Floats, Ints, chosen, labels, numbers, picked
from workbench.statistics._estimates import FTest
from workbench.statistics._likelihood import Cell, Method, Point, Problem, at, cells, maximise, maximise_ratios
from workbench.statistics._model import Model
from workbench.statistics.covariances import (
    BY_COLUMNS,
    BY_ROW,
    LINEAR,
    PROFILED,
    Structure,
    evaluate,
    is_variance,
    parameter_names,
    start,
)
from workbench.statistics.design import Design, Levels, design, require_rank

Inference = Literal[
    "satterthwaite", "kenward-roger", "kenward-roger-linear", "empirical", "empirical-jackknife", "between-within",
    "residual", "normal",
]  # fmt: skip
"""How standard errors and degrees of freedom are made; those that begin with *empirical* are between-within."""
MOST_VISITS = 60
"""An unstructured covariance of more has more parameters than any trial tells."""


@dataclass(frozen=True, slots=True)
class CovarianceParameter:
    """A parameter of the covariance.

    Attributes
    ----------
    name : as SAS names it. value, se : from the observed information.
    low, high : Satterthwaite's chi-square interval of a variance, Wald's of a covariance or correlation.
    """

    name: str
    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mmrm(Model):
    """A fitted model; it converged, or there would be none.

    Attributes
    ----------
    design : of the fixed effects.
    structure, method, inference : as they were asked for.
    visits, groups : in their order; ``groups`` is ``("",)`` where all share one covariance.
    n, participants : rows with an outcome, and participants among all rows.
    deviance : −2 log likelihood, restricted for REML.
    point : the likelihood at its maximum. problem : what was fitted.
    covariance : ``(p, p)`` of the coefficients, as the inference has it.
    matrix, outcome : ``(n, p)`` and ``(n,)`` of the rows used. members : participant of each.
    """

    design: Design
    structure: Structure
    method: Method
    inference: Inference
    visits: tuple[str, ...]
    groups: tuple[str, ...]
    n: int
    participants: int
    deviance: float
    point: Point
    problem: Problem
    covariance: Floats
    matrix: Floats
    outcome: Floats
    members: tuple[str, ...]

    @property
    def beta(self) -> Floats:
        """Coefficients ``(p,)``."""
        return self.point.beta

    @property
    def aic(self) -> float:
        """Akaike's criterion: of the covariance's parameters for REML, of all for ML."""
        return self.deviance + 2 * self._counted

    @property
    def aicc(self) -> float:
        """Akaike's criterion corrected for few rows, as SAS has it."""
        n = self.n - (self.problem.p if self.method == "reml" else 0)
        return self.deviance + 2 * self._counted * n / (n - self._counted - 1)

    @property
    def bic(self) -> float:
        """Bayes' criterion on the number of participants, those without any outcome among them, as SAS has it."""
        return self.deviance + self._counted * log(self.participants)

    @property
    def _counted(self) -> int:
        return len(self.point.theta) + (self.problem.p if self.method == "ml" else 0)

    def sigma(self, group: str = "") -> Floats:
        """Covariance ``(m, m)`` of the visits of a group; a spatial one has no single matrix and is refused."""
        if self.structure in BY_ROW:
            raise BadValue(Message("statistics.spatial_sigma"))
        size, at = self.problem.size, self.groups.index(group)
        shape = evaluate(self.structure, self.point.theta[at * size : (at + 1) * size], self.problem.m)
        assert shape is not None
        return shape.value

    def covariance_parameters(self, *, level: float = 0.95) -> tuple[CovarianceParameter, ...]:
        """Parameters of the covariance with their intervals, group after group."""
        names = parameter_names(self.structure, self.problem.m)
        spread = np.sqrt(np.diag(_covariance_of_theta(self.point)))
        made = []
        for i, (value, se) in enumerate(zip(self.point.theta, spread, strict=True)):
            name, group = names[i % len(names)], self.groups[i // len(names)]
            if is_variance(name):
                df = 2 * (value / se) ** 2
                low, high = (df * value / stats.chi2.ppf(0.5 + side * level / 2, df) for side in (1, -1))
            else:
                half = stats.norm.ppf(0.5 + level / 2) * se
                low, high = value - half, value + half
            made.append(
                CovarianceParameter(f"{name} {group}".strip(), float(value), float(se), float(low), float(high))
            )
        return tuple(made)

    def type_three(self) -> dict[str, FTest]:
        """Each term tested with the others averaged evenly."""
        return {term: self.test(self.design.type_three(term)) for term in self.design.terms}

    def test(self, rows: Floats) -> FTest:
        """Contrasts ``(q, p)``, none a combination of the others, tested together."""
        q = len(rows)
        if q == 1:
            one = self.contrast(rows[0])
            return FTest(one.t**2, 1, one.df, one.p)
        middle = rows @ self.covariance @ rows.T
        f = float((rows @ self.beta) @ np.linalg.solve(middle, rows @ self.beta)) / q
        scale, df = self._df_of_many(rows, middle)
        p = float(stats.chi2.sf(f * q, q)) if df == inf else float(stats.f.sf(scale * f, q, df))
        return FTest(scale * f, q, df, p)

    # -------------------------------------------------------------- degrees of freedom
    def _df(self, row: Floats) -> float:
        if self.inference == "normal":
            return inf
        if self.inference == "residual":
            return float(self.n - self.problem.p)
        if self.inference in ("between-within", "empirical", "empirical-jackknife"):
            return self._between_within(row)
        turned = self.point.phi @ row
        slope = -np.einsum("a,kab,b->k", turned, self.point.p_i, turned)
        variance = float(row @ turned)
        return 2 * variance**2 / float(slope @ _covariance_of_theta(self.point) @ slope)

    def _between_within(self, row: Floats) -> float:
        """SAS's BETWITHIN: participants for what is constant within them, rows within them for the rest."""
        first = {member: i for i, member in reversed(list(enumerate(self.members)))}
        own = np.array([first[member] for member in self.members])
        between = (self.matrix == self.matrix[own]).all(axis=0)
        n, p_between = len(first), int(np.linalg.matrix_rank(self.matrix[:, between]))
        if between[row != 0].all():
            return float(n - p_between)
        return float(self.n - n - (self.problem.p - p_between))

    def _df_of_many(self, rows: Floats, middle: Floats) -> tuple[float, float]:
        """Factor of F and its degrees of freedom."""
        if self.inference in ("kenward-roger", "kenward-roger-linear"):
            return _kenward_roger_f(self.point, rows)
        if self.inference != "satterthwaite":
            dfs = [self._df(row) for row in rows]
            return 1.0, min(dfs)
        _, vectors = np.linalg.eigh(middle)
        each = np.array([self._df(vector @ rows) for vector in vectors.T])
        if (each <= 2).any():
            return 1.0, 2.0
        share = float((each / (each - 2)).sum())
        return 1.0, 2 * share / (share - len(rows))


@dataclass(frozen=True, slots=True)
class Options:
    """What few models need.

    Attributes
    ----------
    visits : in their order; without it that of the levels, or sorted.
    group : column whose values have covariances of their own; ``""`` for one of all.
    coordinates : columns of numbers between which distances are taken, for the spatial structure.
    tolerance : where to stop before the maximum: 1e-8 is the rule of SAS PROC MIXED, which leaves the fourth digit
        of a standard error open; 0 goes on as far as the arithmetic does.
    """

    visits: tuple[str, ...] = ()
    group: str = ""
    coordinates: tuple[str, ...] = ()
    tolerance: float = 0.0


def mmrm(
    table: Columns,
    *,
    outcome: str,
    terms: Sequence[str],
    participant: str,
    visit: str,
    structure: Structure | str = Structure.UNSTRUCTURED,
    method: Method = "reml",
    inference: Inference = "kenward-roger",
    levels: Levels | None = None,
    options: Options | None = None,
) -> Mmrm:
    """Fit a mixed model for repeated measures. Rows in any order; those without an outcome are left out.

    Parameters
    ----------
    table : columns of the rows, one row a visit of a participant.
    outcome, participant, visit : names of columns.
    terms : of the fixed effects: names of columns and products such as ``"arm:visit"``; the intercept is there.
    structure : of the covariance of a participant's visits. method : ``"reml"`` or ``"ml"``.
    inference : how standard errors and degrees of freedom are made.
    levels : factor → its levels in order, the reference first; without it they are sorted.
    options : columns of groups with covariances of their own, and of coordinates of the spatial structure.

    Raises
    ------
    BadValue
        For duplicate visits, a constant or absent outcome, a factor of one level, a singular design.
    Refused
        When the fit does not converge.
    """
    chosen("covariance structure", structure, list(Structure))
    chosen("method", method, get_args(Method))
    chosen("inference", inference, get_args(Inference))
    shape, more = Structure(structure), options or Options()
    rows = _rows(table, (outcome, participant, visit), terms, levels, more)
    matrix, values = rows.matrix, rows.values

    def problem_of(z: Floats) -> Problem:
        made = cells(z, rows.places, rows.members, rows.group, rows.coordinates)
        m = len(more.coordinates) if shape in BY_COLUMNS else len(rows.visits)
        return Problem(made, shape, method, m, len(rows.groups), len(z), z.shape[1] - 1)

    point, problem = _fitted(problem_of, matrix, values, more.tolerance)
    covariance = _inferred(point, problem, inference, matrix, values)
    return Mmrm(
        rows.plan, shape, method, inference, rows.visits, rows.groups, len(values), rows.participants,
        point.deviance, point, problem, covariance, matrix, values, rows.members,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows with an outcome: design, values, and to whom and when they belong."""

    plan: Design
    matrix: Floats
    values: Floats
    members: tuple[str, ...]
    participants: int
    visits: tuple[str, ...]
    places: Ints
    groups: tuple[str, ...]
    group: Ints
    coordinates: Floats | None


def _rows(
    table: Columns, names: tuple[str, str, str], terms: Sequence[str], levels: Levels | None, more: Options
) -> _Rows:
    outcome, participant, visit = names
    y = numbers(table, outcome)
    used = np.flatnonzero(np.isfinite(y))
    if not len(used):
        raise BadValue(Message("statistics.all_missing", outcome=outcome))
    everyone = labels(table, participant)
    kept = picked(table, _needed(terms, visit, more), used)
    _require_arms(table, kept, terms)
    members, at_visit = tuple(everyone[i] for i in used), labels(kept, visit)
    there = set(at_visit)
    given = more.visits or (levels or {}).get(visit, sorted(there))
    order = tuple(one for one in given if one in there)
    if unknown := sorted(there - set(order)):
        raise UnknownName(Message("statistics.level", name=unknown[0], factor=visit, known=list(given)))
    _require_single(members, at_visit, order, more)
    plan = design(kept, terms, factors=(visit,) if visit in _names(terms) else (), levels=levels)
    matrix, values = plan.matrix({**kept, outcome: y[used]}), y[used]
    require_rank(matrix, plan.names)
    _require_variable(matrix, values, outcome)
    groups = tuple(sorted(set(labels(kept, more.group)))) if more.group else ("",)
    own = [groups.index(one) for one in labels(kept, more.group)] if more.group else [0] * len(used)
    where = np.stack([numbers(kept, name) for name in more.coordinates], axis=1) if more.coordinates else None
    return _Rows(
        plan, matrix, values, members, len(set(everyone)), order, np.array([order.index(one) for one in at_visit]),
        groups, np.array(own), where,
    )  # fmt: skip


def _names(terms: Sequence[str]) -> set[str]:
    return {name for term in terms for name in term.split(":")}


def _needed(terms: Sequence[str], visit: str, options: Options) -> list[str]:
    return list(
        dict.fromkeys([visit, *sorted(_names(terms)), *filter(None, [options.group]), *options.coordinates])
    )


def _require_arms(table: Columns, kept: Columns, terms: Sequence[str]) -> None:
    """Refuse a factor whose level has lost all its rows, which would leave the model without saying so."""
    for name in sorted(_names(terms)):
        try:
            before, after = set(labels(table, name)), set(labels(kept, name))
        except BadValue:
            continue
        if len(before) <= len(kept[name]) / 2 and len(after) < len(before) <= 20:
            raise BadValue(Message("statistics.no_data", factor=name, level=sorted(before - after)[0]))


def _require_single(members: Sequence[str], visits: Sequence[str], order: Sequence[str], options: Options) -> None:
    seen: set[tuple[str, str]] = set()
    for key in zip(members, visits, strict=True):
        if key in seen:
            raise BadValue(Message("statistics.duplicate", participant=key[0], visit=key[1]))
        seen.add(key)
    if not 2 <= len(order) <= MOST_VISITS and not options.coordinates:
        raise BadValue(Message("statistics.visits", got=len(order), most=MOST_VISITS))


def _require_variable(matrix: Floats, values: Floats, outcome: str) -> None:
    """Refuse an outcome that is constant, or that the fixed effects tell exactly."""
    rest = values - matrix @ np.linalg.lstsq(matrix, values, rcond=None)[0]
    if float(np.abs(rest).max()) <= 1e-10 * max(float(np.abs(values).max()), 1e-300):
        raise BadValue(Message("statistics.constant", outcome=outcome))


def _fitted(
    problem_of: Callable[[Floats], Problem], matrix: Floats, values: Floats, tolerance: float
) -> tuple[Point, Problem]:
    """Fit on an orthonormal design and an outcome of unit variance; the result is on the scale of the rows.

    What is fitted is what least squares leave over: an outcome that lies far from zero would lose its digits.
    """
    n, p = matrix.shape
    q, _ = np.linalg.qr(matrix)
    least = np.linalg.lstsq(matrix, values, rcond=None)[0]
    rest = values - matrix @ least
    unit = sqrt(float(rest @ rest) / (n - p))
    scaled = problem_of(np.column_stack([q * sqrt(n), rest / unit]))
    spread = max(
        (float(np.ptp(one.coordinates)) for one in scaled.cells if one.coordinates is not None), default=1.0
    )
    begin = np.tile(start(scaled.structure, scaled.m, 1.0, spread), scaled.groups)
    own, scale = problem_of(np.column_stack([matrix, rest])), np.tile(_scale(scaled, unit), scaled.groups)
    here, there = at(scaled, begin, derivatives=False), at(own, begin * scale, derivatives=False)
    shift = there.deviance - here.deviance if here is not None and there is not None else 0.0
    ends = maximise_ratios if tolerance and scaled.structure in PROFILED and scaled.groups == 1 else maximise
    best = ends(scaled, begin, tolerance=tolerance, shift=shift)
    point = at(own, best.theta * scale)
    if point is None:
        raise Refused(Message("statistics.not_converged", structure=str(own.structure)))
    return replace(point, beta=point.beta + least), own


def _scale(problem: Problem, unit: float) -> Floats:
    """Factors of the parameters when outcomes are multiplied by ``unit``."""
    linear = problem.structure in LINEAR
    names = parameter_names(problem.structure, problem.m)
    return np.array([unit**2 if linear or name.startswith(("Var(", "Residual")) else 1.0 for name in names])


# ------------------------------------------------------------------ inference
def _covariance_of_theta(point: Point) -> Floats:
    """Twice the inverse Hessian of the deviance: the inverse of the observed information."""
    return np.asarray(2 * np.linalg.inv(point.hessian))


def _inferred(point: Point, problem: Problem, inference: Inference, matrix: Floats, values: Floats) -> Floats:
    if inference in ("kenward-roger", "kenward-roger-linear"):
        return _kenward_roger(point, linear=inference.endswith("linear"))
    if inference in ("empirical", "empirical-jackknife"):
        return _sandwich(point, problem.cells, matrix, values, leverage=inference.endswith("jackknife"))
    return point.phi


def _kenward_roger(point: Point, *, linear: bool) -> Floats:
    phi, w = point.phi, _covariance_of_theta(point)
    middle = point.q_ij - np.einsum("iab,bc,jcd->ijad", point.p_i, phi, point.p_i, optimize=True)
    if not linear:
        middle = middle - point.r_ij / 4
    inner = np.tensordot(w, middle, axes=2)
    adjusted = phi + 2 * phi @ inner @ phi
    return np.asarray((adjusted + adjusted.T) / 2)


def _kenward_roger_f(point: Point, rows: Floats) -> tuple[float, float]:
    """Kenward and Roger's factor of F and its degrees of freedom, of ``q`` contrasts."""
    q, phi, w = len(rows), point.phi, _covariance_of_theta(point)
    theta = rows.T @ np.linalg.solve(rows @ phi @ rows.T, rows)
    parts = theta @ phi @ point.p_i @ phi
    traces = np.trace(parts, axis1=1, axis2=2)
    a1 = float(traces @ w @ traces)
    a2 = float((w * np.einsum("iab,jba->ij", parts, parts)).sum())
    b = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c = np.array([g, q - g, q + 2 - g]) / (3 * q + 2 * (1 - g))
    expected = 1 / (1 - a2 / q)
    variance = 2 / q * (1 + c[0] * b) / ((1 - c[1] * b) ** 2 * (1 - c[2] * b))
    ratio = variance / (2 * expected**2)
    df = 4 + (q + 2) / (q * ratio - 1)
    return df / (expected * (df - 2)), df


def _sandwich(point: Point, parts: Sequence[Cell], matrix: Floats, values: Floats, *, leverage: bool) -> Floats:
    """Empirical covariance; with ``leverage``, residuals are blown up as if each participant had been left out."""
    phi, middle = point.phi, np.zeros_like(point.phi)
    for cell, weight in zip(parts, point.weights, strict=True):
        x = matrix[cell.rows]
        rest = values[cell.rows] - x @ point.beta
        if leverage:
            hat = np.einsum("nap,pq,nbq,bc->nac", x, phi, x, weight, optimize=True)
            rest = np.linalg.solve(np.eye(len(weight)) - hat, rest[:, :, None])[:, :, 0]
        score = np.einsum("nap,ab,nb->np", x, weight, rest, optimize=True)
        middle += score.T @ score
    return np.asarray(phi @ middle @ phi)
