"""Restricted and full likelihood of repeated measures: value, gradient and Hessian, all in closed form.

Participants whose visits, coordinates and group agree share one covariance matrix, so that their outcomes enter by
sums of products alone and a fit does not grow with their number.

References
----------
Lindstrom MJ, Bates DM. Newton–Raphson and EM algorithms for linear mixed-effects models. J Am Stat Assoc 1988
(from memory).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Literal

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from workbench.errors import Refused
from workbench.messages import Message
from workbench.statistics._columns import Floats, Ints
from workbench.statistics.covariances import Covariance, Structure, evaluate, parameter_names

Method = Literal["reml", "ml"]
STEPS = 200
CLOSE = 1e-15
"""Of the squared Newton decrement, beside the likelihood, below which a fit has arrived."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Participants who share a covariance matrix.

    Attributes
    ----------
    visits : ``(k,)`` places of their visits. group : place of their group.
    rows : ``(n, k)`` places of their rows in the table.
    products : ``(k, k, q, q)`` sums over participants of ``z zᵀ``, z the columns of the design and the outcome.
    coordinates : ``(k, c)`` of their rows, of the structures that need them.
    """

    visits: Ints
    group: int
    rows: Ints
    products: Floats
    coordinates: Floats | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What a fit needs to know.

    Attributes
    ----------
    cells : of participants. structure, method : of the fit.
    m, groups : number of visits, and of groups with covariances of their own.
    n, p : rows and coefficients.
    """

    cells: tuple[Cell, ...]
    structure: Structure
    method: Method
    m: int
    groups: int
    n: int
    p: int

    @property
    def size(self) -> int:
        """Parameters of the covariance of one group."""
        return len(parameter_names(self.structure, self.m))


@dataclass(frozen=True, slots=True)
class Point:
    """The likelihood at one place.

    Attributes
    ----------
    theta : ``(k,)`` parameters of the covariance.
    deviance : −2 log likelihood (restricted, for REML).
    beta : ``(p,)``. phi : ``(p, p)``, the inverse of X′V⁻¹X.
    weights : inverse covariance of each cell.
    gradient, hessian : of the deviance. average : expected instead of observed, positive definite.
    p_i : ``(k, p, p)``. q_ij, r_ij : ``(k, k, p, p)``, as in Kenward and Roger 1997.
    """

    theta: Floats
    deviance: float
    beta: Floats
    phi: Floats
    weights: tuple[Floats, ...]
    gradient: Floats
    hessian: Floats
    average: Floats
    p_i: Floats
    q_ij: Floats
    r_ij: Floats


def cells(
    z: Floats, visit: Ints, participant: Sequence[str], group: Ints, coordinates: Floats | None
) -> tuple[Cell, ...]:
    """Participants sorted into cells.

    Parameters
    ----------
    z : ``(n, q)`` columns of the design, then the outcome.
    visit, participant, group : ``(n,)`` of each row; no participant has a visit twice.
    coordinates : ``(n, c)`` of each row, for the structures that need them.
    """
    rows_of: dict[str, list[int]] = {}
    for row in np.argsort(visit, kind="stable"):
        rows_of.setdefault(participant[row], []).append(int(row))
    found: dict[tuple[tuple[int, ...], int, tuple[tuple[float, ...], ...]], list[list[int]]] = {}
    for rows in rows_of.values():
        where = () if coordinates is None else tuple(map(tuple, coordinates[rows].tolist()))
        found.setdefault((tuple(visit[rows].tolist()), int(group[rows[0]]), where), []).append(rows)
    made = []
    for (visits, own, _), members in sorted(found.items(), key=lambda item: str(item[0])):
        rows_at = np.array(members)
        block = z[rows_at]
        at = None if coordinates is None else coordinates[rows_at[0]]
        products = np.einsum("nax,nby->abxy", block, block, optimize=True)
        made.append(Cell(np.array(visits), own, rows_at, products, at))
    return tuple(made)


def at(problem: Problem, theta: Floats, *, derivatives: bool = True) -> Point | None:
    """The likelihood at ``theta``; None where a covariance matrix is not positive definite.

    Parameters
    ----------
    problem : what is fitted.
    theta : ``(groups × k,)``.
    derivatives : False leaves gradient and Hessian at 0.
    """
    shapes = _covariances(problem, theta)
    if shapes is None:
        return None
    p, total = problem.p, 0.0
    inverses, cross = [], np.zeros((p + 1, p + 1))
    for cell, shape in zip(problem.cells, shapes, strict=True):
        try:
            factor = cho_factor(shape.value, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return None
        inverse = cho_solve(factor, np.eye(len(shape.value)), check_finite=False)
        inverses.append(inverse)
        total += 2 * len(cell.rows) * float(np.log(np.diag(factor[0])).sum())
        cross += np.tensordot(inverse, cell.products, axes=2)
    try:
        factor = cho_factor(cross[:p, :p], lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    phi = cho_solve(factor, np.eye(p), check_finite=False)
    beta = phi @ cross[:p, p]
    deviance = total + float(cross[p, p] - cross[:p, p] @ beta)
    if problem.method == "reml":
        deviance += 2 * float(np.log(np.diag(factor[0])).sum()) + (problem.n - p) * log(2 * pi)
    else:
        deviance += problem.n * log(2 * pi)
    if not np.isfinite(deviance):
        return None
    k = len(theta)
    none, flat = np.zeros((k, k)), np.zeros((k, k, p, p))
    if not derivatives:
        return Point(theta, deviance, beta, phi, tuple(inverses), np.zeros(k), none, none, flat[0], flat, flat)
    return _differentiated(problem, theta, deviance, (beta, phi, inverses), shapes)


def _covariances(problem: Problem, theta: Floats) -> list[Covariance] | None:
    """Covariance of each cell, its derivatives in the parameters of its own group."""
    size, made = problem.size, []
    whole: dict[int, Covariance | None] = {}
    for cell in problem.cells:
        own = theta[cell.group * size : (cell.group + 1) * size]
        if cell.coordinates is not None:
            full = evaluate(problem.structure, own, len(cell.visits), cell.coordinates)
            part = full
        else:
            if cell.group not in whole:
                whole[cell.group] = evaluate(problem.structure, own, problem.m)
            full = whole[cell.group]
            part = full and _part(full, cell.visits)
        if part is None:
            return None
        made.append(part)
    return made


def _part(full: Covariance, visits: Ints) -> Covariance:
    rows, columns = visits[:, None], visits[None, :]
    return Covariance(full.value[rows, columns], full.first[:, rows, columns], full.second[:, :, rows, columns])


def _differentiated(
    problem: Problem,
    theta: Floats,
    deviance: float,
    solved: tuple[Floats, Floats, list[Floats]],
    shapes: Sequence[Covariance],
) -> Point:
    """Sums over cells of the traces and quadratic forms that the derivatives are made of."""
    beta, phi, inverses = solved
    size, k, p = problem.size, len(theta), problem.p
    gradient, hessian, average = np.zeros(k), np.zeros((k, k)), np.zeros((k, k))
    first = np.zeros((k, p + 1, p + 1))
    second, curved = np.zeros((k, k, p + 1, p + 1)), np.zeros((k, k, p + 1, p + 1))
    for cell, shape, inverse in zip(problem.cells, shapes, inverses, strict=True):
        own, n = slice(cell.group * size, (cell.group + 1) * size), len(cell.rows)
        left = inverse @ shape.first  # (k, m, m): W dΣ
        bent = np.einsum("ab,ijbc->ijac", inverse, shape.second)
        product = left[:, None] @ left[None]  # W dΣ_i W dΣ_j
        trace_two = np.trace(product, axis1=2, axis2=3)
        gradient[own] += n * np.trace(left, axis1=1, axis2=2)
        hessian[own, own] += n * (np.trace(bent, axis1=2, axis2=3) - trace_two)
        average[own, own] += n * trace_two
        first[own] += np.tensordot(left @ inverse, cell.products, axes=2)
        second[own, own] += np.tensordot(product @ inverse, cell.products, axes=2)
        if shape.second.any():
            curved[own, own] += np.tensordot(bent @ inverse, cell.products, axes=2)
    # Forms in the residual: u = (−β, 1) turns z into y − Xβ.
    u = np.append(-beta, 1.0)
    p_i, q_ij, r_ij = -first[:, :p, :p], second[:, :, :p, :p], curved[:, :, :p, :p]
    gradient += -np.einsum("x,kxy,y->k", u, first, u)
    twice = np.einsum("x,ijxy,y->ij", u, second, u)
    hessian += 2 * twice - np.einsum("x,ijxy,y->ij", u, curved, u)
    slope = first[:, :p] @ u
    hessian -= 2 * slope @ phi @ slope.T
    if problem.method == "reml":
        turned = phi @ p_i
        both = np.einsum("iab,jba->ij", turned, turned)
        of_q = np.einsum("ab,ijba->ij", phi, q_ij)
        gradient += np.trace(turned, axis1=1, axis2=2)
        hessian += of_q + of_q.T - np.einsum("ab,ijba->ij", phi, r_ij) - both
        average += both - of_q - of_q.T
    hessian = (hessian + hessian.T) / 2
    average = (average + average.T) / 2
    return Point(theta, deviance, beta, phi, tuple(inverses), gradient, hessian, average, p_i, q_ij, r_ij)


def maximise(problem: Problem, theta: Floats, *, tolerance: float = 0.0, shift: float = 0.0) -> Point:
    """A step of Fisher scoring, then Newton's, with the expected information where the observed has a wrong sign.

    With an unstructured covariance these are, to their printed digits, the iterations of SAS PROC MIXED.

    Parameters
    ----------
    problem : what is fitted.
    theta : where to start.
    tolerance : of the squared Newton decrement beside the deviance, at which to stop; 0 goes on to the maximum.
    shift : of the deviance on the scale of the rows beside this one.

    Raises
    ------
    Refused
        When no maximum is reached.
    """
    here = at(problem, theta)
    for number in range(STEPS):
        if here is None:
            break
        step = _step(here, scoring=number == 0)
        decrement = float(-here.gradient @ step)
        close = max(tolerance * abs(here.deviance + shift), CLOSE * max(1.0, abs(here.deviance)))
        if number and decrement <= close and _curved_upward(here.hessian):
            return here
        there = _searched(problem, here, step, decrement)
        if there is None:
            # No step improves the deviance within its rounding: at the top if the slope is nothing beside it.
            if decrement < 1e-9 * max(1.0, abs(here.deviance)) and _curved_upward(here.hessian):
                return here
            break
        here = there
    raise Refused(Message("statistics.not_converged", structure=str(problem.structure)))


def maximise_ratios(problem: Problem, theta: Floats, *, tolerance: float, shift: float = 0.0) -> Point:
    """The iterations of SAS PROC MIXED for a structure with one residual variance, which it profiles out.

    A step of Fisher scoring in all parameters, then Newton's in their ratios to the residual variance, the last
    parameter, which has its best value after each. It stops after a step of Newton's at the earliest.

    Parameters
    ----------
    problem : what is fitted; its covariance is linear in the parameters.
    theta : where to start. tolerance, shift : as for :func:`maximise`.

    Raises
    ------
    Refused
        When no maximum is reached.
    """
    here = at(problem, theta)
    there = None if here is None else at(problem, theta + _step(here, scoring=True))
    here = there and _rescaled(problem, there)
    for number in range(STEPS):
        if here is None:
            break
        step, decrement, curved = _ratio_step(here)
        if number and curved and decrement <= tolerance * abs(here.deviance + shift):
            return here
        here = _searched_ratios(problem, here, step) if curved else None
    raise Refused(Message("statistics.not_converged", structure=str(problem.structure)))


def _rescaled(problem: Problem, here: Point) -> Point | None:
    """The same ratios with the best residual variance: the covariance scales with the parameters."""
    free = problem.n - (problem.p if problem.method == "reml" else 0)
    return at(problem, here.theta * (1 - float(here.theta @ here.gradient) / free))


def _ratio_step(here: Point) -> tuple[Floats, float, bool]:
    """Newton's step in the ratios, as one of the parameters, its decrement, and whether it leads to a minimum."""
    residual, k = float(here.theta[-1]), len(here.theta) - 1
    turned = np.diag([residual] * k + [1.0])
    turned[:k, k] = here.theta[:k] / residual
    slope, bent = turned.T @ here.gradient, turned.T @ here.hessian @ turned
    bent[:k, k] += here.gradient[:k]
    bent[k, :k] += here.gradient[:k]
    inner = bent[:k, :k] - np.outer(bent[:k, k], bent[k, :k]) / bent[k, k]
    curved = bent[k, k] > 0 and _curved_upward(inner)
    step = -np.linalg.solve(inner, slope[:k]) if curved else np.zeros(k)
    return np.append(residual * step, 0.0), float(-slope[:k] @ step), curved


def _searched_ratios(problem: Problem, here: Point, step: Floats) -> Point | None:
    share = 1.0
    for _ in range(40):
        there = at(problem, here.theta + share * step)
        there = there and _rescaled(problem, there)
        if there is not None and there.deviance < here.deviance + CLOSE * abs(here.deviance):
            return there
        share /= 2
    return None


def _step(here: Point, *, scoring: bool) -> Floats:
    information = here.average if scoring or not _curved_upward(here.hessian) else here.hessian
    if not _curved_upward(information):
        information = np.diag(np.maximum(np.abs(np.diag(here.hessian)), 1e-12))
    return np.asarray(-np.linalg.solve(information, here.gradient), dtype=np.float64)


def _searched(problem: Problem, here: Point, step: Floats, decrement: float) -> Point | None:
    share = 1.0
    for _ in range(40):
        there = at(problem, here.theta + share * step, derivatives=False)
        if there is not None and there.deviance < here.deviance - 1e-4 * share * decrement:
            return at(problem, there.theta)
        # Close to the top the deviance no longer tells, but its slope does.
        if there is not None and share == 1.0 and decrement < 1e-6:
            full = at(problem, there.theta)
            if full is not None and np.abs(full.gradient @ step) < 0.1 * decrement:
                return full
        share /= 2
    return None


def _curved_upward(matrix: Floats) -> bool:
    scale = np.sqrt(np.abs(np.diag(matrix)))
    if (np.diag(matrix) <= 0).any():
        return False
    return bool(np.linalg.eigvalsh(matrix / np.outer(scale, scale))[0] > 1e-9)
