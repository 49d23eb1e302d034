"""Evidence from hop to hop: a Markov gate, a leaky sum, a mean or a filter of values, a trigger, a detector.

Strict arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from workbench.decoding.classifiers import subtract_distances
from workbench.kernels.evidence import gate as gate_step
from workbench.kernels.evidence import linear, softmax
from workbench.kernels.scores import accumulate, log_odds
from workbench.vocabulary import FloatArray


class EvidenceAccumulator(Protocol):
    """State from hop to hop; a state is an array and is never changed in place."""

    @property
    def initial(self) -> FloatArray:
        """State at the start and after a gap."""

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """The state after a window with these scores ``(n_classes,)``."""

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64, sums to 1."""

    def undecided(self, state: FloatArray) -> bool:
        """Whether the state does not yet allow a decision."""


@dataclass(frozen=True)
class Gate:
    """A hidden Markov gate.

    Attributes
    ----------
    transition : ``(n_states, n_states)`` float64. initial : ``(n_states,)`` float64.
    owner : class of each state; a class may pass through several.
    log_prior : ``(n_states,)`` float64, that of the state's class. gamma : exponent of the likelihood.
    """

    transition: FloatArray
    initial: FloatArray
    owner: tuple[int, ...]
    log_prior: FloatArray
    gamma: float

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """The forward step of the chain."""
        out, spread = np.empty_like(state), np.empty_like(state)
        for i, name in enumerate(self.owner):
            # All states of a class share its likelihood.
            spread[i] = scores[name]
        gate_step(state, spread, self.transition, self.gamma, self.log_prior, out)
        return out

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: belief ``(n_states,)`` in each class."""
        out = np.zeros(max(self.owner) + 1)
        for i, name in enumerate(self.owner):
            out[name] += state[i]
        return out

    def undecided(self, state: FloatArray) -> bool:
        """Never: the paradigm's threshold and dwell decide."""
        return False


@dataclass(frozen=True)
class LeakySum:
    """A leaky sum of log likelihoods, with or without the bounds of a sequential test.

    Attributes
    ----------
    initial : ``(n_classes,)`` float64, zeros. log_prior : ``(n_classes,)`` float64, that of the scores.
    leak : share of the sum that stays from hop to hop. weight : hop / window.
    bounds : ``(n_classes,)`` float64: by how much the sum of a class must exceed the next largest for a
        decision; all 0 where the sum is only accumulated.
    """

    initial: FloatArray
    log_prior: FloatArray
    leak: float
    weight: float
    bounds: FloatArray

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """Add the window."""
        out = np.empty_like(state)
        accumulate(state, scores, self.log_prior, self.leak, self.weight, out)
        return out

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: softmax of the sums."""
        out = np.empty_like(state)
        softmax(state, out)
        return out

    def undecided(self, state: FloatArray) -> bool:
        """Whether no class has reached its bound."""
        first = int(np.argmax(state))
        # Below its bound, not at it: as in Wald's test, a sum that reaches the bound decides.
        rivals = [value for k, value in enumerate(state.tolist()) if k != first]
        return bool(float(state[first]) - max(rivals) < float(self.bounds[first]))


@dataclass(frozen=True)
class Smoothing:
    """An exponential mean of what each window says, for values in place of classes.

    Attributes
    ----------
    initial : ``(n_values,)`` float64, zeros. rate : share of a new window, hop / time constant, 0–1.
    least : no value is said to be below it.
    """

    initial: FloatArray
    rate: float
    least: float = -np.inf

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """Move towards the values of the window."""
        out: FloatArray = state + self.rate * (scores - state)
        return out

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_values,)`` float64: the mean, in the unit of the values; these are no probabilities."""
        return np.maximum(state, self.least)

    def undecided(self, state: FloatArray) -> bool:
        """Never: a value is no decision."""
        return False


@dataclass(frozen=True)
class StateLevel:
    """A state and its level in two stages: how likely any level above 0 is, times the level.

    Attributes
    ----------
    mean : of the level, which is one value.
    points : ``(n_classes, 1)`` float64, level of each class. variance : of the error of a level.
    log_prior : ``(n_classes,)`` float64.
    """

    mean: Smoothing
    points: FloatArray
    variance: float
    log_prior: FloatArray

    @property
    def initial(self) -> FloatArray:
        """``(1,)`` float64: level 0."""
        return self.mean.initial

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """Move towards the level of the window."""
        return self.mean.step(state, scores)

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_classes + 1,)`` float64: probability of each class, then the level within 0–1."""
        scores, out = self.log_prior.copy(), np.empty(len(self.points) + 1)
        subtract_distances(state, self.points, self.variance, scores)
        softmax(scores, out[:-1])
        above = 0.0
        for p, level in zip(out[:-1].tolist(), self.points[:, 0].tolist()):
            above += p if level > 0.0 else 0.0
        out[-1] = min(1.0, above * min(max(float(state[0]), 0.0), 1.0))
        return out

    def undecided(self, state: FloatArray) -> bool:
        """Never: the paradigm decides."""
        return False


@dataclass(frozen=True)
class SteadyKalman:
    """A Kalman filter with its steady gain; the scores of a window are what it adds to the state.

    Attributes
    ----------
    initial : ``(n_values,)`` float64, zeros.
    transition : ``(n_values, n_values)`` float64, share of a state in the next, before anything is added.
    """

    initial: FloatArray
    transition: FloatArray

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """Predict, and add what the window says."""
        out = np.empty_like(state)
        linear(state, self.transition, scores, out)
        return out

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_values,)`` float64: the state, in the unit of the values; these are no probabilities."""
        return state

    def undecided(self, state: FloatArray) -> bool:
        """Never: a value is no decision."""
        return False


@dataclass(frozen=True)
class Switching:
    """A hidden Markov gate over states, each of which has a value of its own from every window.

    Attributes
    ----------
    gate : over the states. n_states : of the gate. n_values : of each state.
    mixing : the values are weighed by the belief in their states; else they are those of the likeliest state.
    """

    gate: Gate
    n_states: int
    n_values: int
    mixing: bool

    @property
    def initial(self) -> FloatArray:
        """``(n_beliefs + n_values,)`` float64: the gate's start, and values of 0."""
        return np.concatenate([self.gate.initial, np.zeros(self.n_values)])

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """The gate's forward step with the first ``n_states`` scores; the others are the values of the states."""
        out = np.empty_like(state)
        belief = self.gate.step(state[: len(state) - self.n_values].copy(), scores[: self.n_states])
        shares = self.gate.probabilities(belief)
        values = scores[self.n_states :].reshape(self.n_states, self.n_values)
        out[: len(belief)] = belief
        if self.mixing:
            linear(shares, np.ascontiguousarray(values.T), np.zeros(self.n_values), out[len(belief) :])
        else:
            out[len(belief) :] = values[int(np.argmax(shares))]
        return out

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_values,)`` float64: the values, in their unit; these are no probabilities."""
        return state[len(state) - self.n_values :].copy()

    def undecided(self, state: FloatArray) -> bool:
        """Never: a value is no decision."""
        return False


@dataclass(frozen=True)
class Trigger:
    """Self-paced detection: a movement whose log odds rise above the threshold is held for a while.

    A detection holds its probabilities for ``refractory`` hops, in which there is no other; after them the log
    odds must have fallen below the threshold once before the next. Between detections the evidence is rest.

    Attributes
    ----------
    threshold : log odds of any movement against rest. rest : index of the rest class. refractory : hops.
    n_classes : classes.
    """

    threshold: float
    rest: int
    refractory: int
    n_classes: int

    @property
    def initial(self) -> FloatArray:
        """``(2 + n_classes,)`` float64: hops that a detection still holds, armed or not, probabilities."""
        state = np.zeros(2 + self.n_classes)
        state[1] = 1.0
        state[2 + self.rest] = 1.0
        return state

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """Count down, re-arm, detect."""
        odds, out = np.empty_like(scores), state.copy()
        log_odds(scores, odds)
        above = -float(odds[self.rest]) >= self.threshold
        out[0] = max(float(state[0]) - 1.0, 0.0)
        if out[0] > 0.0:
            return out
        if above and state[1] > 0.0:
            out[0], out[1] = float(self.refractory), 0.0
            moving = scores.copy()
            # Rest has already lost: the movements compete among themselves.
            moving[self.rest] = -np.inf
            softmax(moving, out[2:])
            return out
        # Armed again only from below the threshold: one long movement is one detection.
        out[1] = 0.0 if above else 1.0
        out[2:] = 0.0
        out[2 + self.rest] = 1.0
        return out

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: the movement that is held, or rest."""
        return state[2:]

    def undecided(self, state: FloatArray) -> bool:
        """Never."""
        return False


def stages_gate(stays: list[list[float]], *, hop_s: float, log_prior: FloatArray, gamma: float) -> Gate:
    """A gate in which a class is left through all its stages.

    Parameters
    ----------
    stays : for each class the expected stay in each of its stages, s.
    hop_s : s. log_prior : ``(n_classes,)`` float64. gamma : exponent of the likelihood.
    """
    flat = [(k, stay) for k, stages in enumerate(stays) for stay in stages]
    owner = tuple(k for k, _ in flat)
    transition = np.zeros((len(flat), len(flat)))
    for i, (k, stay) in enumerate(flat):
        # A geometric stay with this mean.
        transition[i, i] = 1.0 - hop_s / stay
        # Only the last stage of a class leads out of it, so that leaving is unlikely before the hold is over.
        last = i + 1 == len(flat) or owner[i + 1] != k
        # index finds the first stage of a class, where it is entered.
        following = [owner.index(target) for target in range(len(stays)) if target != k] if last else [i + 1]
        transition[i, following] = hop_s / stay / len(following)
    return Gate(
        transition=transition,
        initial=np.array([stay for _, stay in flat]) / sum(sum(stages) for stages in stays),
        owner=owner,
        log_prior=log_prior[list(owner)],
        gamma=gamma,
    )


ONSET_ODDS, RELEASE_ODDS = 0.6190392084062235, -1.3862943611198906
"""Log odds that a detector gives to a movement at its onset and release thresholds: those of 0.65 and 0.20."""


@dataclass(frozen=True)
class Detector:
    """Self-paced detection with graded evidence: a running mean of log odds, seen from two thresholds.

    At the onset threshold the probability of a movement is 0.65, at the release threshold 0.20, where a paradigm
    activates and releases unless told otherwise; between and beyond them the log odds are straight. A release
    therefore waits for evidence to fall below a level of its own, and not for certainty of rest.

    Attributes
    ----------
    onset, release : thresholds on the running mean, ``release < onset``.
    share : of a new window in the running mean, 0–1.
    rest : index of the rest class. n_classes : classes.
    """

    onset: float
    release: float
    share: float
    rest: int
    n_classes: int

    @property
    def initial(self) -> FloatArray:
        """``(1 + n_classes,)`` float64: the running mean, and that of the log odds of each class."""
        state = np.zeros(1 + self.n_classes)
        # As far below the release as that is below the onset: the middle of rest, where it was learned.
        state[0] = 2.0 * self.release - self.onset
        return state

    def step(self, state: FloatArray, scores: FloatArray) -> FloatArray:
        """Move the running means towards the window."""
        odds = np.empty_like(scores)
        log_odds(scores, odds)
        now = np.empty_like(state)
        now[0], now[1:] = -odds[self.rest], odds
        out: FloatArray = state + self.share * (now - state)
        return out

    def probabilities(self, state: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: that of any movement, shared among the movements by their log odds."""
        slope = (ONSET_ODDS - RELEASE_ODDS) / (self.onset - self.release)
        either, out = np.empty(2), np.empty(self.n_classes)
        softmax(np.array([0.0, RELEASE_ODDS + slope * (float(state[0]) - self.release)]), either)
        moving = state[1:].copy()
        # Rest has its share already: the movements divide what is left.
        moving[self.rest] = -np.inf
        softmax(moving, out)
        out *= either[1]
        out[self.rest] = either[0]
        return out

    def undecided(self, state: FloatArray) -> bool:
        """Never: the paradigm's thresholds decide."""
        return False
