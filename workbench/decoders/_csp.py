"""Common spatial patterns. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

import numpy as np

from workbench.errors import BadSignal
from workbench.vocabulary import FloatArray


def common_spatial_patterns(
    first: FloatArray, second: FloatArray, *, n_pairs: int, shrinkage: float
) -> tuple[FloatArray, FloatArray]:
    """Spatial filters that make the variances of two classes differ most.

    Parameters
    ----------
    first, second : ``(n, n_lanes, n_lanes)`` float64, covariances of the windows of each class.
    n_pairs : filters kept from each end; at most half the lanes.
    shrinkage : share of the identity mixed into each class covariance, 0–1.

    Returns
    -------
    filters : ``(2 · pairs, n_lanes)`` float64, those of the first class first.
    eigenvalues : ``(2 · pairs,)`` float64, share of the first class in the variance, 0–1.

    Raises
    ------
    BadSignal
        One lane only, or covariances without full rank and no shrinkage.

    Notes
    -----
    S_k = mean of X Xᵀ / tr(X Xᵀ), shrunk; S₁ w = λ (S₁ + S₂) w. Ramoser et al. 2000,
    doi:10.1109/86.895946; shrinkage as in Lotte and Guan 2011, doi:10.1109/TBME.2010.2082539.
    """
    n_lanes = first.shape[1]
    if n_lanes < 2:
        raise BadSignal("spatial patterns need at least 2 channels, got 1; use bandpower_lda")
    one, two = (_class_covariance(c, shrinkage) for c in (first, second))
    scale, axes = np.linalg.eigh(one + two)
    rank = int((scale > scale[-1] * n_lanes * 1e-12).sum())
    if rank < n_lanes:
        raise BadSignal(
            f"the covariance has rank {rank} of {n_lanes}: channels depend on one another (a common average takes "
            "one rank, a bridge between electrodes another). Set shrinkage above 0 or drop channels"
        )
    whiten = axes / np.sqrt(scale)
    eigenvalues, turned = np.linalg.eigh(whiten.T @ one @ whiten)
    filters = (whiten @ turned).T
    pairs = min(n_pairs, n_lanes // 2)
    keep = [*range(n_lanes - 1, n_lanes - 1 - pairs, -1), *range(pairs)]
    signed = [_signed(filters[k]) for k in keep]
    return np.ascontiguousarray(signed), eigenvalues[keep]


def _class_covariance(covariances: FloatArray, shrinkage: float) -> FloatArray:
    traces = np.trace(covariances, axis1=1, axis2=2)
    mean: FloatArray = (covariances / traces[:, None, None]).mean(axis=0)
    n = len(mean)
    shrunk: FloatArray = (1.0 - shrinkage) * mean + shrinkage * np.trace(mean) / n * np.eye(n)
    return shrunk


def _signed(row: FloatArray) -> FloatArray:
    """A filter's sign means nothing; its largest weight is made positive so that two fits can be compared."""
    return row if row[np.abs(row).argmax()] > 0 else -row
