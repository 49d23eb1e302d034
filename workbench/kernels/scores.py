"""From scores to evidence: support vectors, calibration, outliers, accumulation, fusion, recursive updates."""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel
from workbench.kernels.evidence import exp, log


@kernel("void(float64[::1], float64[:,::1], float64, float64[:,::1], float64[::1], float64[::1])")
def rbf(
    features: FloatArray,
    support: FloatArray,
    gamma: float,
    coefficients: FloatArray,
    bias: FloatArray,
    out: FloatArray,
) -> None:
    """Margins of support vector machines with a Gaussian kernel, ``exp(-gamma |x - s|²)``.

    Parameters
    ----------
    features : ``(n_features,)`` float64. support : ``(n_support, n_features)`` float64. gamma : width.
    coefficients : ``(n_machines, n_support)`` float64. bias : ``(n_machines,)`` float64.
    out : ``(n_machines,)`` float64, written.
    """
    for m in range(bias.shape[0]):
        out[m] = bias[m]
    for s in range(support.shape[0]):
        distance = 0.0
        for i in range(features.shape[0]):
            step = features[i] - support[s, i]
            distance += step * step
        near = exp(-gamma * distance)
        for m in range(bias.shape[0]):
            out[m] += coefficients[m, s] * near


@kernel("void(float64[::1], float64[::1])")
def log_odds(scores: FloatArray, out: FloatArray) -> None:
    """Log odds of each class against all others together; for two classes the difference of the scores.

    Parameters
    ----------
    scores : ``(n_classes,)`` float64, log posterior up to a constant; two classes or more.
    out : ``(n_classes,)`` float64, written.
    """
    n = scores.shape[0]
    for k in range(n):
        # Log-sum-exp about the largest term: no exponential overflows.
        largest = -np.inf
        for j in range(n):
            if j != k and scores[j] > largest:
                largest = scores[j]
        total = 0.0
        for j in range(n):
            if j != k:
                total += exp(scores[j] - largest)
        out[k] = scores[k] - (largest + log(total))


@kernel("void(float64[::1], float64[:,::1], float64[:,::1], float64[::1], float64[::1])")
def mapped(odds: FloatArray, x: FloatArray, y: FloatArray, slope: FloatArray, out: FloatArray) -> None:
    """A map of log odds for each class: straight between knots, and beyond them with the class's slope.

    Parameters
    ----------
    odds : ``(n_classes,)`` float64. x, y : ``(n_classes, n_knots)`` float64, knots, ``x`` not falling.
    slope : ``(n_classes,)`` float64, beyond the first and the last knot. out : ``(n_classes,)``, written.
    """
    n_knots = x.shape[1]
    for k in range(odds.shape[0]):
        value = odds[k]
        # nan compares false with every knot; it is passed on, never mapped.
        if value != value:
            out[k] = value
        elif value <= x[k, 0]:
            out[k] = y[k, 0] + slope[k] * (value - x[k, 0])
        elif value >= x[k, n_knots - 1]:
            out[k] = y[k, n_knots - 1] + slope[k] * (value - x[k, n_knots - 1])
        else:
            i = 1
            while x[k, i] < value:
                i += 1
            share = (value - x[k, i - 1]) / (x[k, i] - x[k, i - 1])
            out[k] = y[k, i - 1] + share * (y[k, i] - y[k, i - 1])


@kernel("void(float64[::1], float64[::1])")
def log_shares(odds: FloatArray, out: FloatArray) -> None:
    """Log probability of each class by its own log odds, ``-log(1 + exp(-odds))``; not normalised over classes.

    Parameters
    ----------
    odds : ``(n_classes,)`` float64. out : ``(n_classes,)`` float64, written.
    """
    for k in range(odds.shape[0]):
        # Two forms of one function, each with an exponent that is not positive: neither overflows.
        if odds[k] >= 0.0:
            out[k] = -log(1.0 + exp(-odds[k]))
        else:
            out[k] = odds[k] - log(1.0 + exp(odds[k]))


@kernel("void(float64[::1], int64, float64, float64[::1])")
def levels(power: FloatArray, n_bands: int, floor: float, out: FloatArray) -> None:
    """Level of each derivation and of each band: means of the log power of their lanes.

    Parameters
    ----------
    power : ``(n_bands · n,)`` float64, µV², band after band. n_bands : 1 or more.
    floor : added to the power before the logarithm, µV².
    out : ``(n + n_bands,)`` float64, written: derivations, then bands; ``(n,)`` where there is one band.
    """
    n = power.shape[0] // n_bands
    for i in range(out.shape[0]):
        out[i] = 0.0
    for band in range(n_bands):
        for i in range(n):
            level = log(power[band * n + i] + floor)
            out[i] += level / n_bands
            if n_bands > 1:
                out[n + band] += level / n


@kernel("float64(float64[::1], float64[:,::1], float64[:,::1])")
def nearest(features: FloatArray, whitening: FloatArray, means: FloatArray) -> float:
    """Squared Mahalanobis distance to the nearest class.

    Parameters
    ----------
    features : ``(n_features,)`` float64.
    whitening : ``(n_features, n_features)`` float64, lower triangular: the inverse of the Cholesky factor of
        the covariance within classes.
    means : ``(n_classes, n_features)`` float64, whitened means.
    """
    n = features.shape[0]
    white = np.empty(n)
    for i in range(n):
        total = 0.0
        for j in range(i + 1):
            total += whitening[i, j] * features[j]
        white[i] = total
    smallest = np.inf
    for k in range(means.shape[0]):
        distance = 0.0
        for i in range(n):
            step = white[i] - means[k, i]
            distance += step * step
        # Negated, so that nan reaches the caller: it must not pass for a close match.
        if not distance >= smallest:
            smallest = distance
    return smallest


@kernel("void(float64[::1], float64[::1], float64[::1], float64, float64, float64[::1])")
def accumulate(
    total: FloatArray, scores: FloatArray, log_prior: FloatArray, leak: float, weight: float, out: FloatArray
) -> None:
    """One step of a leaky sum of log likelihoods: ``out = leak · total + weight · (scores - log_prior)``, centred.

    Parameters
    ----------
    total : ``(n_classes,)`` float64, the sum so far. scores : ``(n_classes,)`` float64, log posterior up to a
        constant. log_prior : ``(n_classes,)`` float64. leak : 0–1, 1 for none. weight : hop / window, because
        windows overlap. out : ``(n_classes,)`` float64, written; its mean is 0.

    Notes
    -----
    For two classes the difference of the sums is the statistic of Wald 1945, Annals of Mathematical Statistics
    16, 117–186.
    """
    n, mean = total.shape[0], 0.0
    for k in range(n):
        out[k] = leak * total[k] + weight * (scores[k] - log_prior[k])
        mean += out[k]
    # Only differences between classes decide; centring keeps the sums from growing without bound.
    mean /= n
    for k in range(n):
        out[k] -= mean


@kernel("void(float64[:,::1], float64[::1], float64[::1])")
def fused(probabilities: FloatArray, weights: FloatArray, out: FloatArray) -> None:
    """Late fusion: ``log p = Σ v_m log p_m``, normalised.

    Parameters
    ----------
    probabilities : ``(n_sources, n_classes)`` float64, raised to 1e-300 where smaller.
    weights : ``(n_sources,)`` float64, v. out : ``(n_classes,)`` float64, written, sums to 1.
    """
    n = out.shape[0]
    largest = -np.inf
    for k in range(n):
        total = 0.0
        for m in range(weights.shape[0]):
            # A probability of 0 would veto a class whatever the other sources say.
            total += weights[m] * log(max(probabilities[m, k], 1e-300))
        out[k] = total
        if total > largest:
            largest = total
    norm = 0.0
    for k in range(n):
        out[k] = exp(out[k] - largest)
        norm += out[k]
    for k in range(n):
        out[k] /= norm


@kernel("void(float64[:,::1], float64[::1], float64)")
def forget(precision: FloatArray, step: FloatArray, rate: float) -> None:
    """Inverse of ``(1 - rate) Σ + rate · step stepᵀ`` from that of Σ, in place.

    Parameters
    ----------
    precision : ``(n, n)`` float64, Σ⁻¹, symmetric; written. step : ``(n,)`` float64. rate : 0–1, not 1.

    Notes
    -----
    Sherman and Morrison 1950, Annals of Mathematical Statistics 21, 124–127.
    """
    n = step.shape[0]
    projected = np.empty(n)
    quadratic = 0.0
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += precision[i, j] * step[j]
        projected[i] = total
        quadratic += step[i] * total
    # The denominator stays positive while Σ is positive definite and rate < 1: no division by zero.
    share = rate / (1.0 - rate + rate * quadratic)
    for i in range(n):
        for j in range(i, n):
            precision[i, j] = (precision[i, j] - share * projected[i] * projected[j]) / (1.0 - rate)
            # One triangle is computed and copied: symmetry survives thousands of updates.
            precision[j, i] = precision[i, j]
