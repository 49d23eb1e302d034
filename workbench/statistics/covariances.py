"""Covariance structures of repeated measures, with first and second derivatives in the parameters that SAS prints.

A structure is linear in its parameters, or a correlation that is scaled by one variance or one for each visit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workbench.statistics._columns import Floats, Ints


class Structure(StrEnum):
    """How the outcomes of a participant vary together."""

    UNSTRUCTURED = "unstructured"
    COMPOUND = "compound symmetry"
    COMPOUND_HETEROGENEOUS = "heterogeneous compound symmetry"
    AUTOREGRESSIVE = "autoregressive"
    AUTOREGRESSIVE_HETEROGENEOUS = "heterogeneous autoregressive"
    TOEPLITZ = "toeplitz"
    TOEPLITZ_HETEROGENEOUS = "heterogeneous toeplitz"
    ANTE = "ante-dependence"
    ANTE_HETEROGENEOUS = "heterogeneous ante-dependence"
    SPATIAL = "spatial exponential"
    GAUSSIAN = "spatial gaussian"
    RANDOM = "random effects"
    GROUPED = "nested groups"


SPATIAL = (Structure.SPATIAL, Structure.GAUSSIAN)
"""Structures of distances between coordinates."""
BY_COLUMNS = (Structure.RANDOM, Structure.GROUPED)
"""Structures with a parameter, or more, for each column that they are told of."""
BY_ROW = (*SPATIAL, *BY_COLUMNS)
"""Structures that depend on what stands in a participant's rows."""
LINEAR = (Structure.UNSTRUCTURED, Structure.COMPOUND, Structure.TOEPLITZ, *BY_COLUMNS)
"""Structures whose every parameter is a variance or covariance."""
PROFILED = (Structure.COMPOUND,)
"""Those of them whose residual variance SAS takes out of its iterations, and from where those begin is known."""


@dataclass(frozen=True, slots=True)
class Covariance:
    """Σ of one participant and its derivatives.

    Attributes
    ----------
    value : ``(m, m)``.
    first : ``(k, m, m)`` by parameter.
    second : ``(k, k, m, m)``.
    """

    value: Floats
    first: Floats
    second: Floats


def parameter_names(structure: Structure, m: int) -> tuple[str, ...]:
    """Names of the parameters for ``m`` visits, random effects or groupings, as SAS names them."""
    if structure is Structure.GROUPED:
        return *(f"Group({i + 1})" for i in range(m)), "Residual"
    if structure in (Structure.UNSTRUCTURED, Structure.RANDOM):
        own = tuple(f"UN({i + 1},{j + 1})" for i in range(m) for j in range(i + 1))
        return (*own, "Residual") if structure is Structure.RANDOM else own
    if structure is Structure.COMPOUND:
        return "CS", "Residual"
    if structure is Structure.TOEPLITZ:
        return *(f"TOEP({k + 1})" for k in range(1, m)), "Residual"
    kind = structure.removeprefix("heterogeneous ")
    own = {
        "compound symmetry": ("CSH",),
        "autoregressive": ("AR(1)",) if structure is Structure.AUTOREGRESSIVE else ("ARH(1)",),
        "toeplitz": tuple(f"TOEPH({k})" for k in range(1, m)),
        "ante-dependence": tuple(f"Rho({k})" for k in range(1, m)),
        "spatial exponential": ("SP(EXP)",),
        "spatial gaussian": ("SP(GAU)",),
    }[kind]
    if structure in HOMOGENEOUS:
        return *own, "Residual"
    return *(f"Var({i + 1})" for i in range(m)), *own


HOMOGENEOUS = (Structure.AUTOREGRESSIVE, Structure.ANTE, *SPATIAL)
"""Correlations that one variance scales."""


def is_variance(name: str) -> bool:
    """Whether a parameter is bound to be above 0, so that its interval is that of a variance."""
    if name.startswith("UN("):
        row, column = name[3:-1].split(",")
        return row == column
    return name.startswith(("Var(", "Residual", "SP(", "Group("))


def start(structure: Structure, m: int, variance: float, spacing: float) -> Floats:
    """Where a fit starts: independent visits of one variance.

    Parameters
    ----------
    structure : of the covariance.
    m : visits.
    variance : residual, of a fit by least squares.
    spacing : between coordinates, of the spatial structure.
    """
    names = parameter_names(structure, m)
    values = [variance if is_variance(name) else 0.0 for name in names]
    if structure in BY_COLUMNS:
        values[:-1] = [value / 10 for value in values[:-1]]
    if structure in SPATIAL:
        values[0] = spacing / 2
    return np.array(values)


def evaluate(structure: Structure, theta: Floats, m: int, at: Floats | None = None) -> Covariance | None:
    """Σ at ``theta``; None outside the space of its parameters.

    Parameters
    ----------
    structure : of the covariance.
    theta : ``(k,)``, in the order of :func:`parameter_names`.
    m : visits.
    at : ``(m, c)`` coordinates, columns of random effects, or numbers of the groups that rows belong to.
    """
    if structure is Structure.RANDOM:
        assert at is not None
        return _linear(_random(at), theta)
    if structure is Structure.GROUPED:
        assert at is not None
        return _linear(_grouped(at), theta)
    if structure in _LINEAR:
        return _linear(_LINEAR[structure](m), theta)
    if structure in HOMOGENEOUS:
        rho, variances = theta[:-1], theta[-1:]
    else:
        variances, rho = theta[:m], theta[m:]
    if (variances <= 0).any() or not _inside(structure, rho):
        return None
    distance = None if at is None else np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2))
    correlation = _correlation(structure, rho, m, distance)
    if structure in HOMOGENEOUS:
        return _scaled_by_one(correlation, float(variances[0]))
    return _scaled_by_visit(correlation, variances)


def _inside(structure: Structure, rho: Floats) -> bool:
    if structure in SPATIAL:
        return bool(rho[0] > 0)
    return bool((np.abs(rho) < 1).all())


# ------------------------------------------------------------------ linear structures
def _unstructured(m: int) -> Floats:
    basis = np.zeros((m * (m + 1) // 2, m, m))
    for k, (row, column) in enumerate(zip(*np.tril_indices(m), strict=True)):
        basis[k, row, column] = basis[k, column, row] = 1.0
    return basis


def _random(z: Floats) -> Floats:
    """Z D Zᵀ + σ² I, by parameter."""
    n, c = z.shape
    pairs = [np.outer(z[:, i], z[:, j]) for i in range(c) for j in range(i + 1)]
    halves = [1.0 if i == j else 2.0 for i in range(c) for j in range(i + 1)]
    return np.stack([*(h * (one + one.T) / 2 for h, one in zip(halves, pairs, strict=True)), np.eye(n)])


def _grouped(at: Floats) -> Floats:
    """A variance that rows of one group share, by grouping, then the residual one."""
    same = (at[:, None, :] == at[None, :, :]).astype(np.float64)
    return np.concatenate([np.moveaxis(same, 2, 0), np.eye(len(at))[None]])


def _compound(m: int) -> Floats:
    return np.stack([np.ones((m, m)), np.eye(m)])


def _toeplitz(m: int) -> Floats:
    lag = _lags(m)
    return np.stack([*((lag == k).astype(np.float64) for k in range(1, m)), np.eye(m)])


_LINEAR: dict[Structure, Callable[[int], Floats]] = {
    Structure.UNSTRUCTURED: _unstructured,
    Structure.COMPOUND: _compound,
    Structure.TOEPLITZ: _toeplitz,
}


def _linear(basis: Floats, theta: Floats) -> Covariance | None:
    value = np.tensordot(theta, basis, axes=1)
    if (np.diag(value) <= 0).any():
        return None
    k, m, _ = basis.shape
    return Covariance(value, basis, np.zeros((k, k, m, m)))


# ------------------------------------------------------------------ correlations
def _lags(m: int) -> Ints:
    at = np.arange(m)
    return np.asarray(np.abs(at[:, None] - at[None, :]))


def _correlation(structure: Structure, rho: Floats, m: int, distance: Floats | None) -> Covariance:
    if structure in SPATIAL:
        assert distance is not None
        return (_exponential if structure is Structure.SPATIAL else _gaussian)(float(rho[0]), distance)
    if structure in (Structure.ANTE, Structure.ANTE_HETEROGENEOUS):
        return _ante(rho, m)
    lag = _lags(m)
    if structure in (Structure.AUTOREGRESSIVE, Structure.AUTOREGRESSIVE_HETEROGENEOUS):
        return _powers(float(rho[0]), lag)
    # Compound symmetry and Toeplitz are linear in their correlations.
    groups = [lag > 0] if structure is Structure.COMPOUND_HETEROGENEOUS else [lag == k for k in range(1, m)]
    basis = np.stack([group.astype(np.float64) for group in groups])
    k = len(basis)
    return Covariance(np.eye(m) + np.tensordot(rho, basis, axes=1), basis, np.zeros((k, k, m, m)))


def _powers(rho: float, lag: Ints) -> Covariance:
    # Exponents are cut at 0, where the factor before them is 0 as well.
    first = lag * rho ** np.maximum(lag - 1, 0)
    second = lag * (lag - 1) * rho ** np.maximum(lag - 2, 0)
    value = np.asarray(rho**lag, dtype=np.float64)
    return Covariance(value, np.asarray(first, dtype=np.float64)[None], np.asarray(second)[None, None] * 1.0)


def _exponential(scale: float, distance: Floats) -> Covariance:
    value = np.exp(-distance / scale)
    rate = distance / scale**2
    return Covariance(value, (value * rate)[None], (value * (rate**2 - 2 * rate / scale))[None, None])


def _gaussian(scale: float, distance: Floats) -> Covariance:
    square = (distance / scale) ** 2
    value = np.exp(-square)
    first, second = value * 2 * square / scale, value * (4 * square**2 - 6 * square) / scale**2
    return Covariance(np.asarray(value), first[None], second[None, None])


def _ante(rho: Floats, m: int) -> Covariance:
    k = m - 1
    value, first, second = np.eye(m), np.zeros((k, m, m)), np.zeros((k, k, m, m))
    for i in range(m):
        for j in range(i):
            between = range(j, i)
            value[i, j] = value[j, i] = np.prod(rho[list(between)])
            for a in between:
                rest = [c for c in between if c != a]
                first[a, i, j] = first[a, j, i] = np.prod(rho[rest])
                for b in rest:
                    second[a, b, i, j] = second[a, b, j, i] = np.prod(rho[[c for c in rest if c != b]])
    return Covariance(value, first, second)


# ------------------------------------------------------------------ scales
def _scaled_by_one(correlation: Covariance, variance: float) -> Covariance:
    k, m = len(correlation.first), len(correlation.value)
    first = np.concatenate([variance * correlation.first, correlation.value[None]])
    second = np.zeros((k + 1, k + 1, m, m))
    second[:k, :k] = variance * correlation.second
    second[:k, k] = second[k, :k] = correlation.first
    return Covariance(variance * correlation.value, first, second)


def _scaled_by_visit(correlation: Covariance, variances: Floats) -> Covariance:
    """σ_i σ_j ρ_ij with a parameter σ² for each visit, before those of the correlation."""
    m, k = len(variances), len(correlation.first)
    sd = np.sqrt(variances)
    scale, first, second = np.outer(sd, sd), np.zeros((m + k, m, m)), np.zeros((m + k, m + k, m, m))
    # ∂(σ_i σ_j)/∂σ_a² is σ_i σ_j (δ_ia + δ_ja) / 2σ_a²; its own derivative loses δ_ia + δ_ja once more, less 2.
    hits = np.eye(m)[:, :, None] + np.eye(m)[:, None, :]
    share = hits / (2 * variances[:, None, None])
    value = scale * correlation.value
    first[:m] = share * value
    first[m:] = scale * correlation.first
    second[:m, :m] = share[:, None] * share[None, :] * value
    for a in range(m):
        second[a, a] = hits[a] * (hits[a] - 2) / (4 * variances[a] ** 2) * value
    mixed = share[:, None] * (scale * correlation.first)[None, :]
    second[:m, m:] = mixed
    second[m:, :m] = mixed.transpose(1, 0, 2, 3)
    second[m:, m:] = scale * correlation.second
    return Covariance(value, first, second)
