"""Generalised estimating equations: marginal models of repeated outcomes, with sandwich standard errors.

References, from memory: Liang and Zeger 1986; on few participants Mancl and DeRouen 2001, Kauermann and Carroll
2001, doi:10.1198/016214501753382309, and Li and Redden 2015, doi:10.1002/sim.6344, who find the latter to hold the
level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

import numpy as np

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.statistics._columns import Columns, Floats, chosen, labels, numbers, picked
from workbench.statistics._model import Model
from workbench.statistics.design import Design, Levels, design, require_rank

Family = Literal["gaussian", "binomial", "poisson"]
Working = Literal["independence", "exchangeable"]
Small = Literal["none", "kauermann-carroll", "mancl-derouen"]
"""Correction of the sandwich for few participants; with either one the reference is Student's."""
CLOSEST = 1e-9
"""To 1, of the leverage of a participant."""
LARGEST = 15.0
"""Linear predictor, on a logarithmic scale, beyond which a cell without events, not an effect, was found."""


@dataclass(frozen=True, slots=True)
class Gee(Model):
    """A fitted marginal model.

    Attributes
    ----------
    design : of the model. beta : ``(p,)``.
    covariance, naive : ``(p, p)``, of the sandwich and of the working model.
    correlation : exchangeable, 0 for independence. scale : dispersion.
    n, participants : rows used and participants.
    df : of the reference; ``inf`` for a normal one.
    """

    design: Design
    beta: Floats
    covariance: Floats
    naive: Floats
    correlation: float
    scale: float
    n: int
    participants: int
    df: float

    def _df(self, weights: Floats) -> float:
        return self.df


def gee(
    table: Columns,
    *,
    outcome: str,
    terms: Sequence[str],
    participant: str,
    family: Family = "binomial",
    working: Working = "independence",
    levels: Levels | None = None,
    small: Small = "none",
) -> Gee:
    """Fit a marginal model with the family's own link.

    Parameters
    ----------
    table : columns of the rows, in any order; those without an outcome are left out.
    outcome, participant : names of columns; a binary outcome is 0 or 1. terms : of the model.
    family : of the outcome. working : correlation of a participant's rows.
    levels : factor → its levels in order, the reference first.
    small : correction for few participants, with a Student reference: Kauermann and Carroll's holds the level,
        Mancl and DeRouen's is more cautious.

    Raises
    ------
    BadValue
        For an absent or constant outcome, one that does not suit the family, a singular design.
    Refused
        When an effect grows without bound (perfect separation) or the fit does not converge.
    """
    chosen("family", family, get_args(Family))
    chosen("working correlation", working, get_args(Working))
    chosen("correction", small, get_args(Small))
    y = numbers(table, outcome)
    used = np.flatnonzero(np.isfinite(y))
    if not len(used):
        raise BadValue(Message("statistics.all_missing", outcome=outcome))
    names = sorted({name for term in terms for name in term.split(":")})
    kept = picked(table, names, used)
    plan, values = design(kept, terms, levels=levels), y[used]
    _suits(values, family, outcome)
    x = plan.matrix({**kept, outcome: values})
    require_rank(x, plan.names)
    who = labels(picked(table, [participant], used), participant)
    clusters = _clusters(who)
    beta, correlation, scale = _solved(x, values, clusters, family, working)
    bread, meat = _sandwich(x, values, clusters, (beta, correlation, family), small=small)
    naive = np.asarray(np.linalg.inv(bread), dtype=np.float64)
    df = inf if small == "none" else float(len(clusters) - x.shape[1])
    return Gee(plan, beta, naive @ meat @ naive, naive * scale, correlation, scale, len(values), len(clusters), df)


def _suits(values: Floats, family: Family, outcome: str) -> None:
    if np.ptp(values) == 0:
        raise BadValue(Message("statistics.constant", outcome=outcome))
    if (family == "binomial" and not np.isin(values, (0, 1)).all()) or (
        family == "poisson" and (values < 0).any()
    ):
        raise BadValue(Message("statistics.family", outcome=outcome, family=family))


def _clusters(who: Sequence[str]) -> list[Floats]:
    rows: dict[str, list[int]] = {}
    for i, one in enumerate(who):
        rows.setdefault(one, []).append(i)
    return [np.array(own) for own in rows.values()]


def _mean(eta: Floats, family: Family) -> tuple[Floats, Floats]:
    """Mean and variance function; under the canonical link the latter is the mean's slope as well."""
    if family == "binomial":
        mu = 1 / (1 + np.exp(-eta))
        return mu, mu * (1 - mu)
    if family == "poisson":
        mu = np.exp(eta)
        return mu, mu
    return eta, np.ones_like(eta)


def _solved(
    x: Floats, y: Floats, clusters: list[Floats], family: Family, working: Working
) -> tuple[Floats, float, float]:
    beta, correlation, scale = np.zeros(x.shape[1]), 0.0, 1.0
    for _ in range(200):
        eta = x @ beta
        if family != "gaussian" and np.abs(eta).max() > LARGEST:
            raise Refused(Message("statistics.separation"))
        mu, v = _mean(eta, family)
        pearson = (y - mu) / np.sqrt(v)
        scale = float(pearson @ pearson) / (len(y) - x.shape[1])
        if working == "exchangeable":
            correlation = _exchangeable(pearson, clusters, scale, x.shape[1])
        left, right = np.zeros((x.shape[1], x.shape[1])), np.zeros(x.shape[1])
        for own in clusters:
            d, weight = _parts(x[own], v[own], correlation)
            left += d.T @ weight @ d
            right += d.T @ weight @ (y[own] - mu[own])
        step = np.linalg.solve(left, right)
        beta = beta + step
        if np.abs(step).max() <= 1e-12 * max(1.0, np.abs(beta).max()):
            return beta, correlation, scale
    raise Refused(Message("statistics.not_converged", structure=working))


def _exchangeable(pearson: Floats, clusters: list[Floats], scale: float, p: int) -> float:
    products = pairs = 0.0
    for own in clusters:
        e, n = pearson[own], len(own)
        products += (float(e.sum()) ** 2 - float(e @ e)) / 2
        pairs += n * (n - 1) / 2
    return products / scale / (pairs - p) if pairs > p else 0.0


def _parts(x: Floats, v: Floats, correlation: float) -> tuple[Floats, Floats]:
    """Slope of the means, and the inverse of the working covariance, of a participant."""
    n = len(v)
    root = np.sqrt(v)
    inside = np.linalg.inv((1 - correlation) * np.eye(n) + correlation) if correlation else np.eye(n)
    return x * v[:, None], inside / np.outer(root, root)


def _sandwich(
    x: Floats, y: Floats, clusters: list[Floats], fit: tuple[Floats, float, Family], *, small: Small
) -> tuple[Floats, Floats]:
    beta, correlation, family = fit
    mu, v = _mean(x @ beta, family)
    parts = [_parts(x[own], v[own], correlation) for own in clusters]
    bread = sum((d.T @ weight @ d for d, weight in parts), np.zeros((x.shape[1], x.shape[1])))
    inverse, meat = np.asarray(np.linalg.inv(bread), dtype=np.float64), np.zeros_like(bread)
    for own, (d, weight) in zip(clusters, parts, strict=True):
        rest = y[own] - mu[own]
        score = d.T @ weight @ rest
        if small != "none":
            score = _blown_up(score, d.T @ weight @ d, inverse, power=1.0 if small == "mancl-derouen" else 0.5)
        meat += np.outer(score, score)
    return bread, meat


def _blown_up(score: Floats, own: Floats, inverse: Floats, *, power: float) -> Floats:
    """The score of residuals times (I − H)⁻¹, or its root, H being the leverage of a participant.

    H = D B Dᵀ W has the eigenvalues of B^½ Dᵀ W D B^½, of as many rows as there are coefficients.
    """
    values, vectors = np.linalg.eigh(inverse)
    root = vectors * np.sqrt(values) @ vectors.T
    leverage, turned = np.linalg.eigh(root @ own @ root)
    left = np.maximum(1 - leverage, CLOSEST) ** -power
    # (left − 1) / leverage, which is the power itself where there is no leverage.
    gain = np.divide(left - 1, leverage, out=np.full_like(left, power), where=np.abs(leverage) > CLOSEST)
    side = root @ turned
    return np.asarray(score + own @ (side * gain) @ side.T @ score)
