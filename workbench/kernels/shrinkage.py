"""Shrinking a covariance on the decision path."""

from __future__ import annotations

from workbench.kernels._jit import FloatArray, kernel


@kernel("float64(float64[:,::1], int64)")
def oas(covariance: FloatArray, n_times: int) -> float:
    """Shrink a covariance towards a multiple of the identity, in place, and say by how much.

    Parameters
    ----------
    covariance : ``(n, n)`` float64, µV², normalised by ``n_times - 1``; written: normalised by ``n_times``
        and shrunk, ``(1 - r) S + r tr(S)/n I``.
    n_times : samples behind it.

    Returns
    -------
    float
        r, 0–1.

    Notes
    -----
    Oracle approximating shrinkage, in the form that scikit-learn and pyRiemann use: Chen, Wiesel, Eldar and
    Hero 2010, IEEE Transactions on Signal Processing 58, 5016–5029, equation 23.
    """
    n = covariance.shape[0]
    # The estimator is defined for the covariance divided by n, not n - 1.
    biased = (n_times - 1) / n_times
    trace, squares = 0.0, 0.0
    for i in range(n):
        for j in range(n):
            covariance[i, j] *= biased
            squares += covariance[i, j] * covariance[i, j]
        trace += covariance[i, i]
    mean = trace / n
    alpha = squares / (n * n)
    numerator = alpha + mean * mean
    denominator = (n_times + 1.0) * (alpha - mean * mean / n)
    r = 1.0
    # Otherwise r is capped at 1; the case of a multiple of the identity, 0 / 0, ends there too.
    if numerator < denominator:
        r = numerator / denominator
    for i in range(n):
        for j in range(n):
            covariance[i, j] *= 1.0 - r
        covariance[i, i] += r * mean
    return r


@kernel("void(float64[:,::1], float64)")
def shrink(covariance: FloatArray, share: float) -> None:
    """Shrink a covariance towards a multiple of the identity by a fixed share, in place.

    Parameters
    ----------
    covariance : ``(n, n)`` float64, µV²; written: ``(1 - r) S + r tr(S)/n I``. share : r, 0–1.
    """
    n = covariance.shape[0]
    trace = 0.0
    for i in range(n):
        trace += covariance[i, i]
    for i in range(n):
        for j in range(n):
            covariance[i, j] *= 1.0 - share
        covariance[i, i] += share * (trace / n)
