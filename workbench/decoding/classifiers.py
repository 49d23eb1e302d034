"""From features to scores: strict arithmetic, kernels only. Nothing here is learned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from workbench.kernels.evidence import linear, standardise, track
from workbench.kernels.scores import rbf
from workbench.vocabulary import FloatArray


class Norm(NamedTuple):
    """Normalisation of features: ``(n_features,)`` float64 each."""

    mean: FloatArray
    variance: FloatArray

    def standardised(self, features: FloatArray) -> FloatArray:
        """``(n_features,)`` float64: features as z-scores."""
        z = np.empty_like(features)
        standardise(features, self.mean, self.variance, z)
        return z

    def moved(self, features: FloatArray, rate: float) -> Norm:
        """A step towards ``(n_features,)`` features; ``rate`` is the hop over the time constant."""
        mean, variance = self.mean.copy(), self.variance.copy()
        track(features, rate, mean, variance)
        return Norm(mean, variance)


class Classifier(Protocol):
    """From features to scores."""

    def normalised(self, features: FloatArray) -> FloatArray:
        """``(n_features,)`` float64: features as the classifier takes them."""

    def scores(self, features: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: log posterior up to a constant, before calibration."""


@dataclass(frozen=True)
class Direct:
    """Features that are scores already."""

    def normalised(self, features: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: the features."""
        return features

    def scores(self, features: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: the features."""
        return features


@dataclass(frozen=True)
class Linear:
    """A linear score of each class.

    Attributes
    ----------
    weights : ``(n_classes, n_features)`` float64. bias : ``(n_classes,)`` float64.
    norm : the features are z-scored by it first; None leaves them as they are.
    """

    weights: FloatArray
    bias: FloatArray
    norm: Norm | None = None

    def normalised(self, features: FloatArray) -> FloatArray:
        """``(n_features,)`` float64: features as z-scores, where there is a normalisation."""
        return features if self.norm is None else self.norm.standardised(features)

    def scores(self, features: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64."""
        out = np.empty(len(self.bias))
        linear(self.normalised(features), self.weights, self.bias, out)
        return out

    def tracked(self, features: FloatArray, rate: float) -> Linear:
        """With a normalisation that has moved towards the features."""
        return self if self.norm is None else replace(self, norm=self.norm.moved(features, rate))


@dataclass(frozen=True)
class Nearest:
    """Classes by a point each: the nearer a value that was decoded lies to it, the likelier the class.

    Attributes
    ----------
    decoded : from features to ``(n_values,)`` values.
    points : ``(n_classes, n_values)`` float64, what each class stands for, in the unit of the values.
    variance : of the error of a value, the same in each dimension. log_prior : ``(n_classes,)`` float64.
    """

    decoded: Linear
    points: FloatArray
    variance: float
    log_prior: FloatArray

    def normalised(self, features: FloatArray) -> FloatArray:
        """``(n_features,)`` float64: features as z-scores."""
        return self.decoded.normalised(features)

    def scores(self, features: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: log posterior of a Gaussian about each point, up to a constant."""
        out = self.log_prior.copy()
        subtract_distances(self.decoded.scores(features), self.points, self.variance, out)
        return out


@dataclass(frozen=True)
class States:
    """What a gate of linear models says of each state, and what each state's expert says of the values.

    Attributes
    ----------
    decoded : from features to ``(n_states,)`` indicators, then ``(n_states · n_values,)`` values, state after
        state.
    variance : of the error of an indicator. log_prior : ``(n_states,)`` float64.
    """

    decoded: Linear
    variance: float
    log_prior: FloatArray

    def normalised(self, features: FloatArray) -> FloatArray:
        """``(n_features,)`` float64: features as z-scores."""
        return self.decoded.normalised(features)

    def scores(self, features: FloatArray) -> FloatArray:
        """``(n_states · (1 + n_values),)`` float64: log posterior of each state, up to a constant, then values."""
        out, n = self.decoded.scores(features), len(self.log_prior)
        states = self.log_prior.copy()
        subtract_distances(out[:n], np.eye(n), self.variance, states)
        out[:n] = states
        return out


@dataclass(frozen=True)
class Switched:
    """Classes by the state that each belongs to and, where a state has several, by the value of its expert.

    Attributes
    ----------
    decoded : the states. state_of : of each class.
    points : ``(n_classes, n_values)`` float64, what each class stands for. variance : ``(n_states,)`` float64, of
        the error of a value in each state. log_prior : ``(n_classes,)`` float64, of a class within its state.
    """

    decoded: States
    state_of: tuple[int, ...]
    points: FloatArray
    variance: FloatArray
    log_prior: FloatArray

    def normalised(self, features: FloatArray) -> FloatArray:
        """``(n_features,)`` float64: features as z-scores."""
        return self.decoded.normalised(features)

    def scores(self, features: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: log posterior up to a constant."""
        said, n = self.decoded.scores(features), len(self.variance)
        values, out = said[n:].reshape(n, -1), self.log_prior.copy()
        for k, state in enumerate(self.state_of):
            out[k] += said[state]
            if self.state_of.count(state) > 1:
                point, one = self.points[k : k + 1], out[k : k + 1]
                subtract_distances(values[state], point, float(self.variance[state]), one)
        return out


def subtract_distances(values: FloatArray, points: FloatArray, variance: float, scores: FloatArray) -> None:
    """Take half the squared distance to each point, in standard deviations, from its score.

    Parameters
    ----------
    values : ``(n_values,)`` float64. points : ``(n_classes, n_values)`` float64.
    variance : of the error of a value.
    scores : ``(n_classes,)`` float64, log priors; changed in place to log posteriors up to a constant.
    """
    for k, point in enumerate(points.tolist()):
        distance = 0.0
        # In order, for the same bits everywhere.
        for value, place in zip(values.tolist(), point):
            distance += (value - place) * (value - place)
        scores[k] -= 0.5 * distance / variance


@dataclass(frozen=True)
class Rbf:
    """Support vector machines with a Gaussian kernel, one against the rest.

    Attributes
    ----------
    support : ``(n_support, n_features)`` float64, z-scores. coefficients : ``(n_machines, n_support)``
    float64. bias : ``(n_machines,)`` float64; one machine for two classes (the second against the first).
    gamma : width of the kernel. norm : of the features.
    """

    support: FloatArray
    coefficients: FloatArray
    bias: FloatArray
    gamma: float
    norm: Norm

    def normalised(self, features: FloatArray) -> FloatArray:
        """``(n_features,)`` float64: features as z-scores."""
        return self.norm.standardised(features)

    def scores(self, features: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: margins, that of the first of two classes 0."""
        margins = np.empty(len(self.bias))
        rbf(self.normalised(features), self.support, self.gamma, self.coefficients, self.bias, margins)
        return np.array([0.0, margins[0]]) if len(margins) == 1 else margins
