"""A regression that is learned block by block and forgets: recursive exponentially weighted PLS and N-PLS.

Strict arithmetic, kernels only, so that a replay that updates again gets the same bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.errors import BadSignal
from workbench.kernels.evidence import linear
from workbench.kernels.linalg import matmul, matmul_at_b, symmetric_eigen
from workbench.kernels.moments import add_products, times_symmetric
from workbench.messages import Message
from workbench.vocabulary import FloatArray

ERROR_MEMORY = 0.95
"""Share of the error of earlier blocks that is kept, in the choice of the number of components."""

SWEEPS = 10
"""Alternating least squares steps of a rank-one weight."""

EXHAUSTED = 1e-12
"""Share of the first component's covariance below which a further one is rounding."""


class Line(NamedTuple):
    """A linear map from features to targets: ``(n_targets, n_features)`` weights, ``(n_targets,)`` bias."""

    weights: FloatArray
    bias: FloatArray


class RecursivePls:
    """Partial least squares on moments that forget.

    Parameters
    ----------
    n_features, n_targets : of a row.
    n_components : most components; the number in use is the one that predicted the blocks best before each was
        learned (recursive validation), and all of them before there was any such block.
    shape : ``(time, frequency, space)`` of the features, whose weights then have rank one (N-PLS); None for plain
        PLS.

    Attributes
    ----------
    weight : rows, those that were forgotten in part.
    errors : ``(n_components,)`` float64, forgetting mean of the squared error in standard deviations of a target.

    Notes
    -----
    Eliseyev et al. 2017, doi:10.1038/s41598-017-16579-9 (REW-NPLS and recursive validation); moments in place of
    rows: Dayal and MacGregor 1997, doi:10.1002/(SICI)1099-128X(199701)11:1<73::AID-CEM435>3.0.CO;2-#. Features and
    targets are centred and scaled by the moments, so that a rate of forgetting of 0 gives the batch regression.
    Memory is that of half of ``n_features²`` numbers; an update costs as many products a row, and twice as many a
    component.
    """

    def __init__(
        self, n_features: int, n_targets: int, *, n_components: int, shape: tuple[int, ...] | None = None
    ) -> None:
        self.n_components, self.shape = n_components, shape
        self.weight, self.errors, self._judged = 0.0, np.zeros(n_components), 0.0
        self._x, self._y = np.zeros(n_features), np.zeros(n_targets)
        # The lower triangle, row after row; the diagonal ends each row.
        self._xx = np.zeros(n_features * (n_features + 1) // 2)
        self._diagonal = np.cumsum(np.arange(1, n_features + 1)) - 1
        self._yx = np.zeros((n_targets, n_features))
        self._yy = np.zeros(n_targets)
        self._lines: tuple[FloatArray, FloatArray] | None = None

    def validate(self, rows: FloatArray, targets: FloatArray) -> None:
        """Judge every number of components by rows that are not learned yet; without lines nothing happens.

        Parameters
        ----------
        rows : ``(n, n_features)`` float64. targets : ``(n, n_targets)`` float64.
        """
        if self._lines is None or not len(rows):
            return
        weights, bias = self._lines
        _, spread = _centre(self.weight, self._y, self._yy, constant=1.0)
        flat, said = weights.reshape(-1, weights.shape[2]), np.empty(bias.size)
        errors = np.zeros(len(weights))
        for row, target in zip(rows, targets):
            linear(row, flat, bias.ravel(), said)
            left = (said.reshape(bias.shape) - target) / spread
            for k in range(left.shape[1]):
                errors += left[:, k] * left[:, k]
        errors /= len(rows) * targets.shape[1]
        self._judged = ERROR_MEMORY * self._judged + 1.0
        self.errors += (errors - self.errors) / self._judged

    def learn(self, rows: FloatArray, targets: FloatArray, *, keep: float = 1.0) -> None:
        """Take in a block, whose rows count alike.

        Parameters
        ----------
        rows : ``(n, n_features)`` float64. targets : ``(n, n_targets)`` float64.
        keep : share of everything earlier that each row leaves.
        """
        faded = 1.0
        for _ in rows:
            # Products, as a power goes through libm.
            faded *= keep
        rows, targets = np.ascontiguousarray(rows), np.ascontiguousarray(targets)
        ones = np.ones((len(rows), 1))
        add_products(rows, faded, self._xx)
        self._yx = faded * self._yx + _products(targets, rows)
        self._x = faded * self._x + _products(ones, rows)[0]
        self._y = faded * self._y + _products(ones, targets)[0]
        self._yy = faded * self._yy + _products(ones, targets * targets)[0]
        self.weight = faded * self.weight + len(rows)
        self._lines = None

    def fade(self, share: float) -> None:
        """Let everything that was learned count as only this share of it, 0–1; no line changes."""
        self.weight *= share
        for moment in (self._x, self._y, self._xx, self._yx, self._yy):
            moment *= share

    @property
    def judged(self) -> float:
        """Blocks that the errors are from, those long ago in part."""
        return self._judged

    def resume(self, errors: FloatArray, *, judged: float) -> None:
        """Go on from errors ``(n_components,)`` of as many blocks as ``judged`` says."""
        self.errors, self._judged = errors.copy(), judged

    @property
    def best(self) -> int:
        """Number of components in use, 1 or more."""
        return int(np.argmin(self.errors)) + 1 if self._judged > 0.0 else self.n_components

    def line(self) -> Line:
        """The map with the components in use.

        Raises
        ------
        BadSignal
            When what was learned does not vary, or is not finite.
        """
        weights, bias = self._all_lines()
        return Line(weights[self.best - 1], bias[self.best - 1])

    def _all_lines(self) -> tuple[FloatArray, FloatArray]:
        """Weights ``(n_components, n_targets, n_features)`` and bias ``(n_components, n_targets)``."""
        if self._lines is None:
            self._lines = self._solved()
        return self._lines

    def prepare(self) -> None:
        """Make the lines of every number of components, by which the next block is judged before it is learned."""
        self._all_lines()

    def _solved(self) -> tuple[FloatArray, FloatArray]:
        n = self.weight
        # Infinite for a constant feature, which then has no part in anything; 1 for a constant target, which has
        # no line.
        mean_x, spread_x = _centre(n, self._x, self._xx[self._diagonal], constant=np.inf)
        mean_y, spread_y = _centre(n, self._y, self._yy, constant=1.0)
        left = (self._yx - n * mean_y[:, None] * mean_x) / (spread_y[:, None] * spread_x)
        if not np.isfinite(left).all():
            raise BadSignal(Message("fit.features_constant"))
        n_targets, n_features = left.shape
        weights = np.zeros((self.n_components, n_targets, n_features))
        loadings, rotations = np.empty((2, self.n_components, n_features))
        first = 0.0
        for f in range(self.n_components):
            weights[f] = weights[f - 1] if f else 0.0
            direction = self._direction(left)
            size = 0.0 if direction is None else _square(direction)
            first = size if f == 0 else first
            if direction is None or not size > EXHAUSTED * EXHAUSTED * first:
                # What is left is rounding: more components would be made of it.
                weights[f:] = weights[f]
                break
            direction = direction / np.sqrt(size)
            rotation = direction
            if f:
                rotation = direction - _mixed(_each(direction, loadings[:f]), rotations[:f])
            product = self._times_covariance(rotation / spread_x, mean_x) / spread_x
            variance = _each(rotation, product[None])[0]
            loadings[f], rotations[f] = product / variance, rotation
            slopes = _each(rotation, left) / variance
            left = left - variance * slopes[:, None] * loadings[f]
            weights[f] += slopes[:, None] * rotation
        weights *= spread_y[:, None]
        weights /= spread_x
        bias = np.array([mean_y - _each(mean_x, one) for one in weights])
        return weights, bias

    def _direction(self, left: FloatArray) -> FloatArray | None:
        """``(n_features,)``: the features' part of the largest covariance left, None where there is none."""
        gram, values = np.empty((len(left), len(left))), np.empty(len(left))
        for k, row in enumerate(left):
            gram[k] = _each(row, left)
        vectors = np.empty_like(gram)
        if symmetric_eigen(gram, values, vectors) != 0 or not values[-1] > 0.0:
            return None
        direction = _mixed(vectors[-1], left)
        return direction if self.shape is None else _rank_one(direction.reshape(self.shape))

    def _times_covariance(self, vector: FloatArray, mean: FloatArray) -> FloatArray:
        """``(n_features,)``: the centred sums of squares and products, times a vector; never formed as a whole."""
        out = np.empty_like(vector)
        times_symmetric(self._xx, vector, out)
        centred: FloatArray = out - self.weight * _each(vector, mean[None])[0] * mean
        return centred


def _centre(n: float, total: FloatArray, squares: FloatArray, *, constant: float) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of sums; ``constant`` in place of a deviation that is 0 or rounding."""
    mean = total / n
    variance = (squares - n * mean * mean) / max(n - 1.0, 1e-9)
    # Negated, so that nan stays nan.
    still = variance <= 1e-14 * squares / n
    return mean, np.where(still, constant, np.sqrt(np.where(still, 1.0, variance)))


def _rank_one(tensor: FloatArray) -> FloatArray:
    """The rank-one tensor nearest to ``(time, frequency, space)``, flattened: alternating least squares."""
    n_times, n_bands, n_places = tensor.shape
    by_time = np.ascontiguousarray(tensor.reshape(n_times, -1))
    by_band = np.ascontiguousarray(tensor.transpose(1, 0, 2).reshape(n_bands, -1))
    by_place = np.ascontiguousarray(tensor.transpose(2, 0, 1).reshape(n_places, -1))
    # From the largest row of the largest slice, which no rounding can make orthogonal to the answer.
    start = tensor[int(np.argmax([_square(row) for row in by_time]))]
    place = _unit(start[int(np.argmax([_square(row) for row in start]))])
    band = _unit(_each(place, np.ascontiguousarray(start)))
    time = np.zeros(n_times)
    for _ in range(SWEEPS):
        time = _unit(_each(_outer(band, place), by_time))
        band = _unit(_each(_outer(time, place), by_band))
        place = _unit(_each(_outer(time, band), by_place))
    size = _each(_outer(time, band), by_place)
    return _outer(_outer(time, band), size)


def _outer(a: FloatArray, b: FloatArray) -> FloatArray:
    """``(len(a) · len(b),)``: every product, those of the first element first."""
    flat: FloatArray = (a[:, None] * b).ravel()
    return flat


def _unit(vector: FloatArray) -> FloatArray:
    """A vector of length 1; one of zeros stays."""
    size = _square(vector)
    unit: FloatArray = vector / np.sqrt(size) if size > 0.0 else vector
    return unit


def _square(vector: FloatArray) -> float:
    """Squared length, summed in order."""
    vector = np.ascontiguousarray(vector)
    return float(_each(vector, vector[None])[0])


def _each(vector: FloatArray, rows: FloatArray) -> FloatArray:
    """``(n,)``: the product of a vector with each of ``(n, …)`` rows, summed in order."""
    out = np.empty(len(rows))
    linear(np.ascontiguousarray(vector), np.ascontiguousarray(rows), np.zeros(len(rows)), out)
    return out


def _mixed(shares: FloatArray, rows: FloatArray) -> FloatArray:
    """``(n_features,)``: the sum of rows, each by its share, in order."""
    out = np.empty((1, rows.shape[1]))
    matmul(np.ascontiguousarray(shares)[None], np.ascontiguousarray(rows), out)
    mixed: FloatArray = out[0]
    return mixed


def _products(a: FloatArray, b: FloatArray) -> FloatArray:
    """``(n_a, n_b)``: AᵀB, summed over rows in order."""
    out = np.empty((a.shape[1], b.shape[1]))
    matmul_at_b(np.ascontiguousarray(a), np.ascontiguousarray(b), out)
    return out
