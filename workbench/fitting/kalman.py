"""A linear model of a state and of what is observed of it, by least squares, and the gain of its Kalman filter."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.errors import BadSignal
from workbench.fitting.lda import ROUNDING, ledoit_wolf
from workbench.messages import Message
from workbench.vocabulary import FloatArray

SETTLED = 1e-12
"""Relative change of the uncertainty from step to step below which a filter has settled."""

MOST_STEPS = 10_000

LEAST_NOISE = 1e-3
"""Share of the mean variance that the noise of the state has in every direction."""


class StateSpace(NamedTuple):
    """State and observation of a step, ``n_values`` and ``n_features``.

    Attributes
    ----------
    persistence : share of a state that is left in the next, 0 to below 1.
    noise : ``(n_values, n_values)`` float64, covariance of what is new in a state.
    observation : ``(n_features, n_values)`` float64, what features show of a state.
    speaks : ``(n_values, n_features)`` float64, observationᵀ Q⁻¹, with Q the covariance of a feature's noise.
    information : ``(n_values, n_values)`` float64, observationᵀ Q⁻¹ observation.
    """

    persistence: float
    noise: FloatArray
    observation: FloatArray
    speaks: FloatArray
    information: FloatArray


def fitted_state_space(states: FloatArray, features: FloatArray) -> StateSpace:
    """The model that fits states and features best.

    Parameters
    ----------
    states : ``(n, n_values)`` float64, in the order of the recording.
    features : ``(n, n_features)`` float64, of mean 0.

    Raises
    ------
    BadSignal
        When the features have no noise.

    Notes
    -----
    The persistence is the estimate of Yule and Walker, which is below 1 whatever the states are. States that only
    alternate, as those of epochs in turn, persist not at all.
    """
    persistence = max(0.0, float((states[1:] * states[:-1]).sum() / (states**2).sum()))
    new = states[1:] - persistence * states[:-1]
    noise = new.T @ new / len(new)
    noise += LEAST_NOISE * np.trace(noise) / len(noise) * np.eye(len(noise))
    return StateSpace(persistence, noise, *_observed(states, features))


def _observed(states: FloatArray, features: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What features show of states: observation, observationᵀ Q⁻¹, and observationᵀ Q⁻¹ observation."""
    centred = states - states.mean(axis=0)
    # Where the values of classes lie on a line or a plane, as indicators do, there is no plain inverse.
    observation = features.T @ centred @ np.linalg.pinv(centred.T @ centred, hermitian=True)
    left = features - centred @ observation.T
    if not (left**2).sum() > ROUNDING * (features**2).sum():
        raise BadSignal(Message("fit.features_constant"))
    speaks = np.linalg.solve(ledoit_wolf(left)[0], observation).T
    return observation, speaks, speaks @ observation


def intended(velocities: FloatArray, places: FloatArray, targets: FloatArray, *, radius: float) -> FloatArray:
    """What was meant while a decoder moved: straight to the target at the decoded speed, and nothing on it.

    Parameters
    ----------
    velocities : ``(n, n_values)`` float64, decoded. places, targets : ``(n, n_values)`` float64, where the cursor
        was and where it was to go, both in one unit.
    radius : within which a place is on its target, in that unit.

    Returns
    -------
    ``(n, n_values)`` float64, in the unit of the velocities.

    Notes
    -----
    Gilja et al. 2012, doi:10.1038/nn.3265: the intention estimate of the ReFIT Kalman filter.
    """
    way = targets - places
    distance = np.sqrt((way**2).sum(axis=1))
    speed = np.sqrt((velocities**2).sum(axis=1))
    there = distance <= radius
    return way * (np.where(there, 0.0, speed) / np.where(there | (distance == 0.0), 1.0, distance))[:, None]


def reobserved(space: StateSpace, states: FloatArray, features: FloatArray) -> StateSpace:
    """The model with another observation; how a state persists and changes stays, as in ReFIT.

    Parameters
    ----------
    space : of a calibration. states : ``(n, n_values)`` float64, such as :func:`intended` ones.
    features : ``(n, n_features)`` float64, of mean 0.

    Raises
    ------
    BadSignal
        When the features have no noise.
    """
    return StateSpace(space.persistence, space.noise, *_observed(states, features))


def steady_gain(space: StateSpace, *, overlap: float = 1.0) -> tuple[FloatArray, FloatArray]:
    """Gain and transition of the filter once its uncertainty no longer changes.

    Parameters
    ----------
    space : of the states and features.
    overlap : features that carry the information of one independent set, 1 or more.

    Returns
    -------
    gain : ``(n_values, n_features)`` float64, from features to what they add to the state.
    transition : ``(n_values, n_values)`` float64, from a state to its share in the next.
    """
    one = np.eye(len(space.noise))
    uncertainty: FloatArray = space.noise
    for _ in range(MOST_STEPS):
        before = uncertainty
        predicted = space.persistence**2 * before + space.noise
        precision = np.linalg.inv(predicted) + space.information / overlap
        uncertainty = np.linalg.inv(precision).astype(np.float64)
        if np.abs(uncertainty - before).max() <= SETTLED * np.abs(uncertainty).max():
            break
    gain = uncertainty @ space.speaks / overlap
    transition = space.persistence * (one - gain @ space.observation)
    return np.ascontiguousarray(gain), np.ascontiguousarray(transition)
