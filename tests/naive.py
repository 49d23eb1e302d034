"""Slow, obvious twins of the kernels: what each kernel should compute, written to be read."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from functools import wraps

import numpy as np


def bipolar(samples, pairs):
    return np.stack([samples[:, plus] - samples[:, minus] for plus, minus in pairs], axis=1)


def common_average(samples):
    return samples - samples.mean(axis=1, keepdims=True)


def laplacian(samples, lists):
    """``lists``: neighbours of each centre."""
    return np.stack([samples[:, c] - samples[:, near].mean(axis=1) for c, near in lists.items()], axis=1)


def cascade(samples, sections, state):
    """Direct form, one lane and one section after the other; returns the output and the new state."""
    state = state.copy()
    n_lanes = sections.shape[2]
    out = np.empty((len(samples), n_lanes))
    for lane in range(n_lanes):
        for t, row in enumerate(samples):
            x = row[lane % samples.shape[1]]
            for s in range(len(sections)):
                b0, b1, b2, a1, a2 = sections[s, :, lane]
                y = b0 * x + state[s, 0, lane]
                state[s, 0, lane] = b1 * x - a1 * y + state[s, 1, lane]
                state[s, 1, lane] = b2 * x - a2 * y
                x = y
            out[t, lane] = x
    return out, state


def resampled(samples, low_pass, up, down):
    """Zeros between the samples, the whole low-pass, every ``down``-th; before the first sample, it again."""
    n = len(low_pass)
    spread = np.zeros(((n + len(samples)) * up, samples.shape[1]))
    spread[::up] = np.concatenate([np.repeat(samples[:1], n, axis=0), samples])
    dense = np.stack([np.convolve(channel, low_pass) for channel in spread.T], axis=1)
    return dense[n * up : len(spread) : down]


def missing(value):
    return not (math.isfinite(value) and abs(value) < 1e9)


def hold(samples, used, flat):
    """From the start of a stream: samples without missing values, first clean row, fresh starts."""
    n_times, n_channels = samples.shape
    whole, clean, start = np.zeros(samples.shape), np.zeros(n_times, int), np.zeros(n_times, int)
    since = 0
    for t in range(n_times):
        good = True
        for c in range(n_channels):
            known = [k for k in range(t + 1) if not missing(samples[k, c])]
            whole[t, c] = samples[known[-1], c] if known else 0.0
            if not used[c]:
                continue
            before = unchanged(whole[:t, c], bool(known) and known[0] < t, known[0] if known else 0)
            now = unchanged(whole[: t + 1, c], bool(known), known[0] if known else 0)
            if known and known[0] == t:
                start[t] = 1
            if now == 0 and before >= flat:
                start[t] = 1
            good = good and not missing(samples[t, c]) and now < flat
        if start[t]:
            since = t
        if not good:
            since = t + 1
        clean[t] = since
    return whole, clean, start


def unchanged(values, known, first):
    """How many samples at the end equal the one before them, since the first good value."""
    count = 0
    while known and len(values) - count - 2 >= first and values[-1 - count] == values[-2 - count]:
        count += 1
    return count


def neighbour_correlations(window, n_bands):
    n_lanes = window.shape[1]
    n = n_lanes // n_bands
    out = np.zeros(n_lanes)
    for band in range(n_bands):
        for i in range(band * n, (band + 1) * n - 1):
            size = np.linalg.norm(window[:, i]) * np.linalg.norm(window[:, i + 1])
            out[i] = window[:, i] @ window[:, i + 1] / size if size > 0 else 0.0
    return out


def mean_square(window):
    return (window**2).mean(axis=0)


def covariance(window):
    return np.cov(window.T).reshape(window.shape[1], window.shape[1])


def covariance_in_order(window):
    """Every sum sample after sample, a product and an addition apart."""
    n_times, n = window.shape
    mean, out = np.zeros(n), np.zeros((n, n))
    for row in window:
        mean = mean + row
    for row in window - mean / n_times:
        out = out + row[:, None] * row
    return out / (n_times - 1.0)


def oas(window):
    """Chen et al. 2010, in the form of scikit-learn."""
    n_times, n = window.shape
    s = np.cov(window.T, bias=True)
    mean, alpha = np.trace(s) / n, np.mean(s**2)
    share = min((alpha + mean**2) / ((n_times + 1) * (alpha - mean**2 / n)), 1.0)
    return (1 - share) * s + share * mean * np.eye(n), share


def projected_variance(covariance, filters):
    return np.diag(filters @ covariance @ filters.T)


def any_unlike(covariances, others, limits):
    return any(not unlikeness(a, b) <= limit for a, b, limit in zip(covariances, others, limits))


def group_variances(covariances, filters, group):
    bands = np.array([projected_variance(c, w) for c, w in zip(covariances, filters)])
    return np.array([bands[group == row].mean(axis=0) for row in range(group.max() + 1)])


def matmul(a, b):
    """Each element summed in the order of its index, from 0."""
    out = np.zeros((len(a), b.shape[1]))
    for i in range(len(a)):
        for j in range(b.shape[1]):
            for k in range(len(b)):
                out[i, j] = out[i, j] + a[i, k] * b[k, j]
    return out


def exactly(matrix):
    """The same numbers as Decimal, for reckoning with 60 digits."""
    return np.vectorize(lambda x: Decimal(float(x)), otypes=[object])(np.asarray(matrix))


def with_60_digits(function):
    """Run a function under a context of 60 digits."""

    @wraps(function)
    def run(*args):
        with localcontext() as context:
            context.prec, context.Emin, context.Emax = 60, -99999, 99999
            return function(*args)

    return run


@with_60_digits
def cholesky(matrix):
    """Column by column, with 60 digits."""
    return cholesky_exactly(exactly(matrix))


def cholesky_exactly(a):
    n = len(a)
    out = exactly(np.zeros((n, n)))
    for j in range(n):
        out[j, j] = (a[j, j] - sum(out[j, k] ** 2 for k in range(j))).sqrt()
        for i in range(j + 1, n):
            out[i, j] = (a[i, j] - sum(out[i, k] * out[j, k] for k in range(j))) / out[j, j]
    return out


@with_60_digits
def solve(matrix, right):
    """Gauss elimination with pivots, with 60 digits."""
    a = np.concatenate([exactly(matrix), exactly(right)], axis=1)
    n = len(a)
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(a[i, k]))
        a[[k, pivot]] = a[[pivot, k]]
        for i in range(n):
            if i != k:
                a[i] = a[i] - a[k] * (a[i, k] / a[k, k])
    return np.stack([a[i, n:] / a[i, i] for i in range(n)])


@with_60_digits
def symmetric_eigen(matrix):
    """Cyclic Jacobi rotations with 60 digits: eigenvalues ascending, eigenvectors in rows."""
    a = np.array(matrix, dtype=object) if isinstance(matrix[0][0], Decimal) else exactly(matrix)
    n = len(a)
    v = exactly(np.eye(n))
    while True:
        rest = max((abs(a[i, j]) for i in range(n) for j in range(i)), default=Decimal(0))
        if rest <= Decimal("1e-50") * max(abs(a[i, i]) for i in range(n)):
            break
        for p in range(n):
            for q in range(p + 1, n):
                if a[p, q] != 0:
                    theta = (a[q, q] - a[p, p]) / (2 * a[p, q])
                    t = (1 if theta >= 0 else -1) / (abs(theta) + (theta * theta + 1).sqrt())
                    c = 1 / (t * t + 1).sqrt()
                    turn(a.T, p, q, c, t * c)
                    turn(a, p, q, c, t * c)
                    turn(v, p, q, c, t * c)
    order = sorted(range(n), key=lambda i: a[i, i])
    rows = [v[i] * (1 if max(v[i], key=abs) > 0 else -1) for i in order]
    return np.array([a[i, i] for i in order]), np.array(rows)


def turn(a, p, q, c, s):
    """Rotate rows p and q."""
    a[p], a[q] = c * a[p] - s * a[q], s * a[p] + c * a[q]


@with_60_digits
def generalised_eigen(a, b):
    """Through the Cholesky factor of b, with 60 digits: eigenvalues ascending, eigenvectors in rows."""
    lower = cholesky(b)
    half = solve_exactly(lower, exactly(a))
    values, rows = symmetric_eigen(solve_exactly(lower, half.T))
    vectors = solve_exactly(lower[::-1, ::-1].T, rows.T[::-1])[::-1].T
    return values, np.array([v * (1 if max(v, key=abs) > 0 else -1) for v in vectors])


def solve_exactly(lower, right):
    """Forward substitution with Decimal."""
    out = right.copy()
    for i in range(len(lower)):
        for k in range(i):
            out[i] = out[i] - lower[i, k] * out[k]
        out[i] = out[i] / lower[i, i]
    return out


@with_60_digits
def spectral(matrix, function):
    """A function of the eigenvalues of a symmetric matrix, with 60 digits."""
    values, rows = symmetric_eigen(matrix)
    return sum((function(value) * np.outer(row, row) for value, row in zip(values, rows)), 0)


@with_60_digits
def distance(a, b):
    """Affine-invariant, with 60 digits."""
    return sum(value.ln() ** 2 for value in generalised_eigen(b, a)[0]).sqrt()


@with_60_digits
def tangent_vector(matrix, whitener):
    """Upper triangle of the logarithm of W C Wᵀ, with 60 digits."""
    w = exactly(whitener)
    inner = spectral(w.dot(exactly(matrix)).dot(w.T), Decimal.ln)
    n = len(inner)
    return np.array([inner[i, j] * (1 if i == j else Decimal(2).sqrt()) for i in range(n) for j in range(i, n)])


@with_60_digits
def geodesic(a, b, share):
    """Through square roots, with 60 digits."""
    root = spectral(a, Decimal.sqrt)
    back = spectral(a, lambda x: 1 / x.sqrt())
    power = spectral(back.dot(exactly(b)).dot(back), lambda x: (Decimal(share) * x.ln()).exp())
    return root.dot(power).dot(root)


@with_60_digits
def canonical_correlation(window, references):
    """Largest one of centred columns with orthonormal columns, with 60 digits."""
    x, q = exactly(window), exactly(references)
    x = x - x.sum(axis=0) / len(x)
    half = solve_exactly(cholesky_exactly(x.T.dot(x)), x.T.dot(q))
    return symmetric_eigen(half.dot(half.T))[0][-1].sqrt()


def copies(window, n_copies):
    """The window beside itself, one sample later each time, zeros past its end."""
    parts = [np.concatenate([window[lag:], np.zeros((lag, window.shape[1]))]) for lag in range(n_copies)]
    return np.concatenate(parts, axis=1)


def filtered(window, filters, references):
    """Spatially filtered window, with its projection on the references behind it in time."""
    y = copies(window, filters.shape[1] // window.shape[1]) @ filters.T
    return np.concatenate([y, references @ (references.T @ y)]) if references.shape[1] else y


def pearson(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def log(x):
    with localcontext() as context:
        context.prec = 50
        return Decimal(float(x)).ln()


def exp(x):
    with localcontext() as context:
        context.prec = 50
        return Decimal(float(x)).exp()


def ulps(got, exact):
    """Distance in units in the last place of the nearest float."""
    with localcontext() as context:
        context.prec = 60
        return float(abs(Decimal(float(got)) - exact) / Decimal(math.ulp(float(exact))))


def standardise(features, mean, variance):
    return (features - mean) / np.sqrt(variance)


def track(features, rate, mean, variance):
    """West 1979: exponentially weighted mean and variance."""
    new = (1 - rate) * mean + rate * features
    return new, (1 - rate) * (variance + rate * (features - mean) ** 2)


def linear(features, weights, bias):
    return weights @ features + bias


def softmax(scores):
    total = sum(math.exp(s - max(scores)) for s in scores)
    return np.array([math.exp(s - max(scores)) / total for s in scores])


def gate(belief, scores, transition, gamma, log_prior):
    likelihood = softmax(scores) / np.exp(log_prior)
    out = (belief @ transition) * likelihood**gamma
    return out / out.sum()


def dejitter(raw, period, gain, tolerance, limits):
    """A second-order loop, one stamp after the other."""
    stamps, jumps, nominal = [raw[0]], [], period
    for i, seen in enumerate(raw[1:], start=1):
        error = seen - (stamps[-1] + period)
        if abs(error) > tolerance:
            jumps.append((i, error))
            stamps.append(seen)
            continue
        stamps.append(stamps[-1] + period + gain * error)
        period = float(np.clip(period + gain**2 / 4 * error, nominal * limits[0], nominal * limits[1]))
    return np.array(stamps), jumps


class Follower:
    """Stamps, one after the other: averaged at first, then followed; late ones wait until they come back or
    stay."""

    def __init__(self, period, gain, tolerance, *, limits, jitter, confirm, first, step):
        self.period, self.gain, self.tolerance, self.limits = period, gain, tolerance, limits
        self.nominal, self.jitter, self.confirm, self.first, self.burst_step = period, jitter, confirm, first, step
        self.phase, self.age, self.aside, self.line, self.pace = None, 0, [], 0.0, 0.0
        self.since, self.usual, self.last, self.bursts, self.in_a_row = 0, 0.0, None, 0, 0

    def take(self, now):
        """Smoothed stamp and size of the jump before it."""
        if self.phase is None:
            self.phase, self.last, self.age = now, now, 1
            return now, 0.0
        self.since += 1
        burst = abs(now - self.last - self.period) > self.burst_step
        self.last = now
        if burst:
            usual = self.since if self.usual == 0.0 else self.usual + 0.2 * (self.since - self.usual)
            rare = self.since > 8.0 * self.confirm
            self.usual, self.in_a_row = (0.0, 0) if rare else (usual, self.in_a_row + 1)
            self.since = 0
        error = now - (self.phase + self.period)
        self.line += self.pace
        aside = now - self.line if self.aside else error
        if abs(aside) > self.jitter:
            self.phase, self.age, self.aside = now, 1, []
            return now, aside
        if self.age < self.first or self.age < 4.0 * self.usual:
            self._move(error, max(self.gain, 1.0 / (self.age + 1.0)))
            self.age += 1
            return self.phase, 0.0
        self.age = np.inf
        jump = self._judge(error, aside, burst)
        if jump:
            self.phase, self.period, self.aside = self.line + jump, self.pace, []
            return self.phase, jump
        clipped = float(np.clip(error, -self.tolerance, self.tolerance))
        self._move(clipped, self.gain)
        low, high = (limit * self.nominal for limit in self.limits)
        self.period = float(np.clip(self.period + self.gain**2 / 4 * clipped, low, high))
        return self.phase, 0.0

    def _move(self, error, gain):
        self.phase = max(self.phase + self.period + gain * error, self.phase + 0.1 * self.period)

    def _judge(self, error, aside, burst):
        if self.aside and aside * np.sign(self.aside[0]) <= self.tolerance:
            self.aside = []
        if not self.aside:
            if abs(error) > self.tolerance:
                self.aside, self.bursts = [error], 0
                self.line, self.pace = self.phase + self.period, self.period
            return 0.0
        self.aside.append(aside)
        self.bursts += burst
        n = len(self.aside)
        usual = self.usual if self.in_a_row >= 4 else 0.0
        long = self.bursts >= 16 or n >= 16 * usual or n >= 8 * self.confirm
        return float(np.mean(self.aside)) if n >= self.confirm and long else 0.0


def rms_and_line(samples, mains_angle):
    """Root mean square about the mean and share of mains of each channel; a missing value is the last good one."""
    rows = []
    for column in samples.T:
        filled = [v for v in column if not missing(v)][:1]
        for value in column:
            filled.append(filled[-1] if missing(value) else value)
        x = np.array(filled[1:]) - np.mean(filled[1:])
        line = 2 * abs(np.sum(x * np.exp(-1j * mains_angle * np.arange(len(x))))) ** 2 / len(x) ** 2
        rows.append([x.std(), min(line / x.var(), 1.0) if x.var() > 0 else 0.0])
    return np.array(rows)


def combined(column, first, angle):
    """Statistics of one channel from sample ``first`` on; what was missing is as the last good one before it."""
    filled, before = [], None
    for value in column:
        before = before if missing(value) else value
        filled.append(before)
    window = [value for value in filled[first:] if value is not None]
    share = sum(map(missing, column[first:])) / len(column[first:])
    if not window:
        return np.array([share, 0, 0, 0, 0, 0])
    longest = run = 0
    for place in range(first, len(filled)):
        same = place > 0 and filled[place] is not None and filled[place] == filled[place - 1]
        run = run + 1 if same else 0
        longest = max(longest, run)
    x = np.array(window)
    rail = np.mean((x == x.min()) | (x == x.max()))
    wave = np.exp(-1j * angle * np.arange(len(x)))
    line = 2 * abs(np.sum((x - x.mean()) * wave)) ** 2 / len(x) ** 2
    varies = x.max() > x.min()
    return np.array(
        [share, longest, rail, x.std() if varies else 0, min(line / x.var(), 1) if varies else 0, abs(x).max()]
    )


def gathered(column, before, waves):
    """The block of one channel after ``column``; ``before`` is the last good value, or None."""
    used, n_missing, same = [], 0, []
    for value in column:
        n_missing += missing(value)
        if missing(value) and before is None:
            continue
        now = before if missing(value) else value
        same.append(now == before)
        used.append(now)
        before = now
    if not used:
        return np.array([n_missing] + [0] * 13)
    runs = [len(run) for run in "".join("x" if one else " " for one in same).split()]
    begun = len(same) - len("".join("x" if one else " " for one in same).lstrip("x"))
    ending = len(same) - len("".join("x" if one else " " for one in same).rstrip("x"))
    difference = np.array(used) - used[0]
    # Values before the first good one have no wave either.
    own = waves[len(column) - len(used) : len(column)]
    return np.array(
        [
            n_missing, len(used), used[0], difference.sum(), (difference**2).sum(), min(used), max(used),
            used.count(min(used)), used.count(max(used)), begun, max(runs, default=0), ending,
            difference @ own[:, 0], difference @ own[:, 1],
        ]
    )  # fmt: skip


def rbf(features, support, gamma, coefficients, bias):
    near = np.array([math.exp(-gamma * ((features - one) ** 2).sum()) for one in support])
    return coefficients @ near + bias


def log_odds(scores):
    p = softmax(scores)
    return np.array([math.log(own) - math.log(sum(p) - own) for own in p])


def mapped(odds, x, y, slope):
    """Straight between knots, one class after the other."""
    out = []
    for value, kx, ky, beyond in zip(odds, x, y, slope, strict=True):
        inside = float(np.interp(value, kx, ky))
        out.append(inside + beyond * (value - np.clip(value, kx[0], kx[-1])))
    return np.array(out)


def log_shares(odds):
    return np.array([math.log(1 / (1 + math.exp(-one))) for one in odds])


def unlikeness(covariance, other):
    return 1.0 - np.trace(covariance @ other) / (np.linalg.norm(covariance) * np.linalg.norm(other))


def levels(power, n_bands, floor):
    logs = np.log(power.reshape(n_bands, -1) + floor)
    bands = [] if n_bands == 1 else logs.mean(axis=1)
    return np.concatenate([logs.mean(axis=0), bands])


def nearest(features, covariance, means):
    inverse = np.linalg.inv(covariance)
    return min(float((features - mean) @ inverse @ (features - mean)) for mean in means)


def accumulate(total, scores, log_prior, leak, weight):
    out = leak * total + weight * (scores - log_prior)
    return out - out.mean()


def fused(probabilities, weights):
    return softmax((weights[:, None] * np.log(np.maximum(probabilities, 1e-300))).sum(axis=0))


def forget(precision, step, rate):
    return np.linalg.inv((1 - rate) * np.linalg.inv(precision) + rate * np.outer(step, step))


def last_cycles(wave, threshold):
    """Places where a wave goes up through zero after it was below the threshold: the last, and the one before."""
    ups = [t for t in range(1, len(wave)) if wave[t - 1] < 0.0 <= wave[t]]
    begun, since = [], 0
    for t in ups:
        if min(wave[since:t]) < -threshold:
            begun.append(t - 1 + wave[t - 1] / (wave[t - 1] - wave[t]))
            since = t
    return ([-1.0, -1.0] + begun)[:-3:-1]


def teager_kaiser(window):
    """Mean of ``x[t]² - x[t-1] x[t+1]`` of each lane, one product after the other."""
    lanes = list(zip(*window))
    energies = [[lane[t] ** 2 - lane[t - 1] * lane[t + 1] for t in range(1, len(lane) - 1)] for lane in lanes]
    return [sum(energy) / len(energy) if energy else 0.0 for energy in energies]


def add_products(rows, keep, sums):
    """Every sum takes the rows one after the other."""
    out = sums * keep
    for row in rows:
        out += np.outer(row, row)
    return out


def times_symmetric(lower, vector):
    """In each row eight sums by place, added in pairs; then what lies right of the diagonal, row after row."""
    out = np.zeros(len(vector))
    for i in range(len(vector)):
        sums = [0.0] * 8
        for j in range(i):
            sums[j % 8 if j < i - i % 8 else 0] += lower[i, j] * vector[j]
            out[j] += lower[i, j] * vector[i]
        a, b, c, d, e, f, g, h = sums
        out[i] += ((a + b) + (c + d)) + ((e + f) + (g + h)) + lower[i, i] * vector[i]
    return out


def partial_least_squares(rows, targets, ages, *, n_components, shape=None):
    """PLS by deflation of weighted rows (Wold's NIPALS with the singular vector), N-way by a rank-one weight."""
    n = ages.sum()
    mean_x, mean_y = ages @ rows / n, ages @ targets / n
    spread_x = np.sqrt(ages @ (rows - mean_x) ** 2 / (n - 1))
    spread_y = np.sqrt(ages @ (targets - mean_y) ** 2 / (n - 1))
    x = np.sqrt(ages)[:, None] * (rows - mean_x) / spread_x
    y = np.sqrt(ages)[:, None] * (targets - mean_y) / spread_y
    weights, loadings, slopes = [], [], []
    for _ in range(n_components):
        w = np.linalg.svd(x.T @ y, full_matrices=False)[0][:, 0]
        if shape is not None:
            w = rank_one(w.reshape(shape)).ravel()
        w = w / np.linalg.norm(w)
        t = x @ w
        weights.append(w)
        loadings.append(x.T @ t / (t @ t))
        slopes.append(y.T @ t / (t @ t))
        x = x - np.outer(t, loadings[-1])
        y = y - np.outer(t, slopes[-1])
    w, p, q = np.array(weights).T, np.array(loadings).T, np.array(slopes).T
    b = (w @ np.linalg.inv(p.T @ w) @ q.T).T
    b = b * spread_y[:, None] / spread_x
    return b, mean_y - b @ mean_x


def rank_one(tensor, sweeps=10):
    """The nearest tensor of rank one, by alternating least squares from the largest row of the largest slice."""
    start = tensor[np.argmax((tensor**2).sum(axis=(1, 2)))]
    c = start[np.argmax((start**2).sum(axis=1))]
    b = start @ c
    for _ in range(sweeps):
        a = np.einsum("ijk,j,k->i", tensor, b, c)
        a /= np.linalg.norm(a)
        b = np.einsum("ijk,i,k->j", tensor, a, c)
        b /= np.linalg.norm(b)
        c = np.einsum("ijk,i,j->k", tensor, a, b)
        c /= np.linalg.norm(c)
    return np.einsum("ijk,i,j,k->", tensor, a, b, c) * np.einsum("i,j,k->ijk", a, b, c)


def time_domain(column, threshold):
    """Hudgins' features of one channel: mean absolute value, mean step, crossings and turns a sample."""
    n = len(column)
    steps = [column[t + 1] - column[t] for t in range(n - 1)]
    crossings = sum(
        column[t] * column[t + 1] < 0 and abs(column[t + 1] - column[t]) > threshold for t in range(n - 1)
    )
    turns = sum(
        steps[t] * steps[t + 1] < 0 and max(abs(steps[t]), abs(steps[t + 1])) > threshold for t in range(n - 2)
    )
    sizes = sum(abs(x) for x in column) / n, sum(abs(x) for x in steps) / (n - 1)
    return [*sizes, crossings / (n - 1), turns / (n - 2)]
