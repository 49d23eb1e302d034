"""From features to evidence: logarithm and exponential of our own, linear scores, the HMM gate.

The logarithm and the exponential are good to one unit in the last place (tested against 50 digits) and give
the same bits on every processor, which those of the C library do not.
"""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel

LN2_HIGH = 6.93147180369123816490e-01  # ln 2 to 32 bits: its product with an exponent is exact
LN2_LOW = 1.90821492927058770002e-10  # ln 2 - LN2_HIGH
LN2_INVERSE = 1.44269504088896338700
SQRT_HALF_TOP = 0x3FE6A09E  # top half of the bits of sqrt(1/2)
TWO_54 = 18014398509481984.0


@kernel("float64(float64)")
def log(x: float) -> float:
    """Natural logarithm; -inf at 0, nan below and at nan.

    Notes
    -----
    x = 2^k m with m in [sqrt(1/2), sqrt(2)); s = (m-1)/(m+1); log m = 2 artanh s by its Taylor series, summed
    so that the leading term m-1 stays exact.
    """
    if not x > 0.0:
        return -np.inf if x == 0.0 else np.nan
    if x == np.inf:
        return x
    k = 0
    # A denormal has no implicit leading bit: scaled into the normal range first.
    if x < 2.2250738585072014e-308:
        x = x * TWO_54
        k = -54
    bits = np.float64(x).view(np.int64)
    # Counted from sqrt(1/2), so that m lies around 1 and log m does not cancel with k ln 2 near x = 1.
    carry = ((bits >> 32) - SQRT_HALF_TOP) >> 20
    m = np.int64(bits - (carry << 52)).view(np.float64)
    k += int(carry)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    # |s| ≤ 0.172: the terms after s²³ are below the rounding error. Horner's scheme adds the smallest first.
    r = 2.0 / 23.0
    for odd in range(21, 1, -2):
        r = r * z + 2.0 / odd
    r = r * z
    # Combined as in fdlibm's e_log.c: small corrections first, the exact product last.
    half = 0.5 * f * f
    return k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f)


@kernel("float64(float64)")
def exp(x: float) -> float:
    """Exponential; 0 below -745.2, inf above 709.78, nan at nan.

    Notes
    -----
    x = k ln 2 + r with |r| ≤ ln 2 / 2; exp r by its Taylor series to the 13th power; 2^k by its bits.
    """
    # Negated, so that nan enters here as well.
    if not -745.2 < x < 709.782712893384:
        if x != x:
            return x
        return 0.0 if x < 0.0 else np.inf
    # Rounded to the nearest integer without a function of the C library.
    k = int(x * LN2_INVERSE + (0.5 if x >= 0.0 else -0.5))
    # ln 2 in two pieces (Cody and Waite 1980): k · LN2_HIGH is exact, so the difference loses no digit.
    high = x - k * LN2_HIGH
    low = k * LN2_LOW
    r = high - low
    p = 1.0
    for n in range(13, 2, -1):
        p = p * (r / n) + 1.0
    # The series gives the terms from r² on; r itself enters as its two exact pieces.
    y = 1.0 + (high - (low - 0.5 * r * r * p))
    # The result is denormal: built 2⁵⁴ times too large, so that one division rounds it once.
    if k < -1021:
        return y * np.int64((k + 1023 + 54) << 52).view(np.float64) / TWO_54
    # 2¹⁰²⁴ is not a double: two factors make it.
    if k == 1024:
        return y * 2.0 * np.int64((k + 1022) << 52).view(np.float64)
    return y * np.int64((k + 1023) << 52).view(np.float64)


@kernel("void(float64[::1], float64, float64[::1])")
def logarithms(power: FloatArray, floor: float, out: FloatArray) -> None:
    """``log(power + floor)`` of each lane.

    Parameters
    ----------
    power : ``(n_lanes,)`` float64, µV². floor : µV². out : ``(n_lanes,)`` float64, written.
    """
    for lane in range(power.shape[0]):
        out[lane] = log(power[lane] + floor)


@kernel("void(float64[::1], float64[::1], float64[::1], float64[::1])")
def standardise(features: FloatArray, mean: FloatArray, variance: FloatArray, out: FloatArray) -> None:
    """``(features - mean) / sqrt(variance)``.

    Parameters
    ----------
    features, mean, variance : ``(n_features,)`` float64. out : same shape, written.
    """
    for i in range(features.shape[0]):
        out[i] = (features[i] - mean[i]) / np.sqrt(variance[i])


@kernel("void(float64[::1], float64, float64[::1], float64[::1])")
def track(features: FloatArray, rate: float, mean: FloatArray, variance: FloatArray) -> None:
    """Move a running mean and variance towards the features, exponentially.

    Parameters
    ----------
    features : ``(n_features,)`` float64. rate : hop / time constant.
    mean, variance : ``(n_features,)`` float64, carried.
    """
    for i in range(features.shape[0]):
        step = features[i] - mean[i]
        mean[i] += rate * step
        # Exponentially weighted variance: Finch 2009, Incremental calculation of weighted mean and variance, 9.
        variance[i] = (1.0 - rate) * (variance[i] + rate * step * step)


@kernel("void(float64[::1], float64[:,::1], float64[::1], float64[::1])")
def linear(features: FloatArray, weights: FloatArray, bias: FloatArray, out: FloatArray) -> None:
    """Linear score of each class.

    Parameters
    ----------
    features : ``(n_features,)`` float64. weights : ``(n_classes, n_features)`` float64.
    bias : ``(n_classes,)`` float64. out : ``(n_classes,)`` float64, written.
    """
    for k in range(weights.shape[0]):
        total = bias[k]
        for i in range(features.shape[0]):
            total += weights[k, i] * features[i]
        out[k] = total


@kernel("void(float64[::1], float64[::1])")
def softmax(scores: FloatArray, out: FloatArray) -> None:
    """Posterior probabilities from scores that are logarithms up to a constant (logistic for two classes).

    Parameters
    ----------
    scores : ``(n_classes,)`` float64. out : ``(n_classes,)`` float64, written, sums to 1.
    """
    # The largest score is subtracted: no exponential overflows, and the quotients stay the same.
    largest = scores[0]
    for k in range(1, scores.shape[0]):
        if scores[k] > largest:
            largest = scores[k]
    total = 0.0
    for k in range(scores.shape[0]):
        out[k] = exp(scores[k] - largest)
        total += out[k]
    for k in range(scores.shape[0]):
        out[k] /= total


@kernel("void(float64[::1], float64[::1], float64[:,::1], float64, float64[::1], float64[::1])")
def gate(
    belief: FloatArray,
    scores: FloatArray,
    transition: FloatArray,
    gamma: float,
    log_prior: FloatArray,
    out: FloatArray,
) -> None:
    """One forward step of a hidden Markov gate: ``out ∝ (belief · A) ⊙ (p(z|x) / π)^γ``.

    Parameters
    ----------
    belief : ``(n_states,)`` float64, sums to 1. scores : ``(n_states,)`` float64, log posterior up to a constant.
    transition : ``(n_states, n_states)`` float64, rows sum to 1. gamma : exponent, below 1 because windows
        overlap. log_prior : ``(n_states,)`` float64, log π of the scores. out : ``(n_states,)`` float64, written.

    Notes
    -----
    Rabiner 1989, doi:10.1109/5.18626, equation 20, with a tempered likelihood.
    """
    n = belief.shape[0]
    # As in a softmax: the largest exponent is subtracted, so that none overflows.
    largest = scores[0] - log_prior[0]
    for k in range(1, n):
        if scores[k] - log_prior[k] > largest:
            largest = scores[k] - log_prior[k]
    total = 0.0
    for k in range(n):
        predicted = 0.0
        for j in range(n):
            predicted += belief[j] * transition[j, k]
        out[k] = predicted * exp(gamma * (scores[k] - log_prior[k] - largest))
        total += out[k]
    for k in range(n):
        out[k] /= total
