"""Common spatial patterns. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray


def check_patterns(*, n_pairs: int, shrinkage: float) -> None:
    """Raise :class:`BadValue` for parameters that give no spatial patterns."""
    if not 0 <= shrinkage < 1:
        raise BadValue(Message("fit.shrinkage", got=str(shrinkage)))
    if n_pairs < 1:
        raise BadValue(Message("fit.n_pairs", got=n_pairs))


def common_spatial_patterns(
    first: FloatArray, second: FloatArray, *, n_pairs: int, shrinkage: float
) -> tuple[FloatArray, FloatArray]:
    """Spatial filters that make the variances of two classes differ most.

    Parameters
    ----------
    first, second : ``(n, n_lanes, n_lanes)`` float64, covariances of the windows of each class.
    n_pairs : filters kept from each end; at most half the lanes, and none of a direction without any signal, such
        as the one that a common average takes.
    shrinkage : share of the identity mixed into each class covariance, 0–1.

    Returns
    -------
    filters : ``(2 · pairs, n_lanes)`` float64, those of the first class first.
    eigenvalues : ``(2 · pairs,)`` float64, share of the first class in the variance, 0–1.

    Raises
    ------
    BadSignal
        One lane or one direction with signal only, or covariances without full rank and no shrinkage.

    Notes
    -----
    S_k = mean of X Xᵀ / tr(X Xᵀ), shrunk; S₁ w = λ (S₁ + S₂) w. Ramoser et al. 2000,
    doi:10.1109/86.895946; shrinkage as in Lotte and Guan 2011, doi:10.1109/TBME.2010.2082539.
    """
    n_lanes = first.shape[1]
    if n_lanes < 2:
        raise BadSignal(Message("fit.patterns_channels"))
    means = _mean_share(first), _mean_share(second)
    shrunk_first, shrunk_second = (_shrunk(mean, shrinkage) for mean in means)
    scale, axes = np.linalg.eigh(shrunk_first + shrunk_second)
    # Relative to the largest eigenvalue, so that the unit does not matter; below it, whitening divides by noise.
    rank = int((scale > scale[-1] * n_lanes * 1e-12).sum())
    if rank < n_lanes:
        raise BadSignal(Message("fit.csp_rank", rank=rank, n=str(n_lanes)))
    whiten = axes / np.sqrt(scale)
    eigenvalues, rotation = np.linalg.eigh(whiten.T @ shrunk_first @ whiten)
    filters = (whiten @ rotation).T
    # Shrinkage gives power to directions that have none, so they are determined without it.
    power = np.einsum("fi,ij,fj->f", filters, means[0] + means[1], filters)
    active = np.flatnonzero(power > n_lanes * 1e-12 * power.max()).tolist()
    pairs = min(n_pairs, len(active) // 2)
    if pairs == 0:
        raise BadSignal(Message("fit.patterns_directions", n=str(n_lanes)))
    # Both ends: filters with high variance for one class, then those for the other.
    keep = [*active[::-1][:pairs], *active[:pairs]]
    signed = [_signed(filters[k]) for k in keep]
    return np.ascontiguousarray(signed), eigenvalues[keep]


def one_against_rest(
    covariances: FloatArray, index: NDArray[np.int64], *, n_pairs: int, shrinkage: float
) -> tuple[FloatArray, FloatArray]:
    """Spatial patterns of each class against all others together; of two classes, the first against the second.

    Parameters
    ----------
    covariances : ``(n_windows, n_lanes, n_lanes)`` float64, µV². index : ``(n_windows,)`` class of each.
    n_pairs, shrinkage : as in :func:`common_spatial_patterns`.

    Returns
    -------
    filters : ``(n_problems · 2 · pairs, n_lanes)`` float64. eigenvalues : ``(n_problems · 2 · pairs,)`` float64.
    """
    n_classes = int(index.max()) + 1
    solutions = [
        common_spatial_patterns(
            covariances[index == k], covariances[index != k], n_pairs=n_pairs, shrinkage=shrinkage
        )
        for k in range(1 if n_classes == 2 else n_classes)
    ]
    filters, eigenvalues = zip(*solutions, strict=True)
    return np.concatenate(filters), np.concatenate(eigenvalues)


def _mean_share(covariances: FloatArray) -> FloatArray:
    """Mean over the windows of a class, each divided by its trace."""
    traces = np.trace(covariances, axis1=1, axis2=2)
    mean: FloatArray = (covariances / traces[:, None, None]).mean(axis=0)
    return mean


def _shrunk(mean: FloatArray, shrinkage: float) -> FloatArray:
    n = len(mean)
    shrunk: FloatArray = (1.0 - shrinkage) * mean + shrinkage * np.trace(mean) / n * np.eye(n)
    return shrunk


def _signed(row: FloatArray) -> FloatArray:
    """A filter with its largest weight positive: the sign is arbitrary, and so two fits can be compared."""
    return row if row[np.abs(row).argmax()] > 0 else -row


def best_individual_features(
    features: FloatArray, index: NDArray[np.int64], *, problems: int, shape: tuple[int, int], n_best: int
) -> FloatArray:
    """The features that are individually most informative about the class, and the partners in their pairs.

    Parameters
    ----------
    features : ``(n_windows, n_bands · n_filters)`` float64. index : ``(n_windows,)`` class of each.
    problems : 1 for two classes, else one for each class against the rest, in this order among the filters.
    shape : bands and filters. n_best : features chosen for each problem.

    Returns
    -------
    ``(n_chosen,)`` float64, indices of the features, ascending.

    Notes
    -----
    MIBIF of Ang et al. 2012, Frontiers in Neuroscience 6, 39.
    """
    n_bands, n_filters = shape
    per_problem = n_filters // problems
    selected: set[int] = set()
    for k in range(problems):
        positions = [band * n_filters + k * per_problem + f for band in range(n_bands) for f in range(per_problem)]
        information = np.array([mutual_information(features[:, position], index == k) for position in positions])
        # Stable: of equally informative features the first is taken, on every machine.
        for best in np.argsort(-information, kind="stable")[:n_best]:
            band, f = divmod(int(best), per_problem)
            # Alone, a filter cannot tell a rise of its own source from a rise of the whole band; its partner can.
            partner = (f + per_problem // 2) % per_problem
            selected |= {positions[int(best)], positions[band * per_problem + partner]}
    return np.array(sorted(selected), dtype=np.float64)


def mutual_information(feature: FloatArray, member: NDArray[np.bool_]) -> float:
    """Information, nats, that a feature has about membership, by Parzen windows.

    Parameters
    ----------
    feature : ``(n,)`` float64. member : ``(n,)``, whether a window is of the class.

    Notes
    -----
    I = H(class) - H(class | feature), with Gaussian windows of width ``(4 / 3n)^(1/5)`` standard deviations of
    each class. Ang et al. 2012, Frontiers in Neuroscience 6, 39.
    """
    joint = np.empty((2, len(feature)))
    for k, rows in enumerate((member, ~member)):
        members = feature[rows]
        width = max(float(members.std()), 1e-12) * (4.0 / (3.0 * len(members))) ** 0.2
        deviation = (feature[:, None] - members[None, :]) / width
        # Constants that both classes share cancel in the posterior.
        density = np.exp(-0.5 * deviation**2).mean(axis=1) / width
        joint[k] = np.maximum(density, 1e-300) * rows.mean()
    posterior = joint / joint.sum(axis=0)
    prior = np.array([member.mean(), (~member).mean()])
    conditional = -(posterior * np.log(np.maximum(posterior, 1e-300))).sum(axis=0).mean()
    return float(-(prior * np.log(prior)).sum() - conditional)
