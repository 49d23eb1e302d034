"""The decision path: samples → evidence. Strict arithmetic, kernels only; nothing here is learned."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from workbench.kernels.evidence import gate as gate_step
from workbench.kernels.evidence import softmax, track
from workbench.signals import SignalStream
from workbench.vocabulary import Evidence, FloatArray


class Norm(NamedTuple):
    """Running normalisation of features: ``(n_features,)`` float64 each."""

    mean: FloatArray
    variance: FloatArray


class Reducer(Protocol):
    """From a window to what is kept of it, in strict arithmetic; nothing here is learned."""

    def summarise(self, window: FloatArray) -> FloatArray:
        """What is kept of a window ``(n_window, n_lanes)`` float64, µV."""

    def lane_power(self, summary: FloatArray) -> FloatArray:
        """``(n_lanes,)`` float64, µV²: power of each lane."""


class Scorer(Reducer, Protocol):
    """From a window to scores, in strict arithmetic."""

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_features,)`` float64."""

    def scores(self, features: FloatArray, norm: Norm | None = None) -> FloatArray:
        """``(n_classes,)`` float64: log posterior up to a constant; ``norm`` replaces that of the fit."""


@dataclass(frozen=True)
class Gate:
    """A hidden Markov gate and the normalisation that it freezes.

    Attributes
    ----------
    transition : ``(n_states, n_states)`` float64. initial : ``(n_states,)`` float64.
    owner : class of each state; a class may pass through several.
    log_prior : ``(n_states,)`` float64, that of the state's class. gamma : exponent of the likelihood.
    rest : index of the rest class. rate : hop / time constant of the normalisation, 0 to freeze it.
    norm : normalisation at the start.
    """

    transition: FloatArray
    initial: FloatArray
    owner: tuple[int, ...]
    log_prior: FloatArray
    gamma: float
    rest: int
    rate: float
    norm: Norm

    def by_class(self, belief: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64: belief ``(n_states,)`` in each class."""
        out = np.zeros(max(self.owner) + 1)
        for state, name in enumerate(self.owner):
            out[name] += belief[state]
        return out


class _State(NamedTuple):
    """Gate and normalisation from sample ``at`` on."""

    at: int
    belief: FloatArray
    norm: Norm | None


class DecoderStream:
    """Evidence from samples; a function of the samples and of ``reset`` only.

    Attributes
    ----------
    classes : names, in the order of the probabilities. fs : Hz. n_channels : of the raw stream.
    hop, window : samples. n_seen : samples taken so far.

    Notes
    -----
    A gate steps at every multiple of ``hop`` on the sample axis, whether or not evidence is asked for. An end
    that is no multiple gets a step of its own from the gate's state at the multiple before. A window that
    is not valid moves neither gate nor normalisation; its evidence is the gate's belief so far (without a
    gate: what the window says, or equal probabilities where it is incomplete), marked not valid. After a gap
    the gate starts at its initial belief.
    """

    def __init__(
        self,
        signal: SignalStream,
        scorer: Scorer,
        *,
        classes: tuple[str, ...],
        limits: tuple[FloatArray, FloatArray],
        gate: Gate | None,
    ) -> None:
        self.classes, self.fs, self.n_channels = classes, signal.fs, signal.n_channels
        self.hop, self.window = signal.n_hop, signal.n_window
        self._signal, self._scorer, self._gate = signal, scorer, gate
        self._low, self._high = limits
        self._even = np.full(len(classes), 1.0 / len(classes))
        self._step_max = max(1, round(signal.settings.history_s * signal.fs))
        start = _State(0, self._even, None) if gate is None else _State(0, gate.initial, gate.norm)
        self._states = deque([start])
        self._answers: dict[int, Evidence] = {}
        self._next = self.hop

    @property
    def n_seen(self) -> int:
        """Samples taken so far."""
        return self._signal.n_seen

    def step(self, samples: FloatArray) -> None:
        """Take ``(n_times, n_channels)`` float64 samples, µV, raw. No sample changes nothing."""
        for first in range(0, len(samples), self._step_max):
            self._signal.step(samples[first : first + self._step_max])
            if self._gate is not None:
                self._catch_up(self._gate)
        if len(samples) == 0:
            self._signal.step(samples)

    def reset(self) -> None:
        """A gap follows: filters and gate start afresh; the normalisation stays."""
        self._signal.reset()
        if self._gate is not None:
            self._states.append(_State(self.n_seen, self._gate.initial, self._states[-1].norm))

    def evidence(self, end: int) -> Evidence:
        """Evidence of the window that ends before sample ``end``.

        Raises
        ------
        BadValue
            When the window has left the history or is still to come.
        """
        self._signal.check_end(end)
        if end in self._answers:
            return self._answers[end]
        return self._answer(end)[0]

    def _catch_up(self, gate: Gate) -> None:
        """Step the gate at every multiple of the hop that has been reached."""
        while self._next <= self.n_seen:
            end = self._next
            answer, belief, features = self._answer(end)
            norm = self._states[-1].norm
            if answer.valid and features is not None and gate.rate > 0.0 and _largest(answer) == gate.rest:
                norm = _moved(gate, norm, features)
            self._states.append(_State(end, belief, norm))
            self._answers[end] = answer
            self._next = end + self.hop
        oldest = self.n_seen - self._step_max - self.hop
        while len(self._states) > 1 and self._states[1].at < oldest:
            self._states.popleft()
        for old in [at for at in self._answers if at < oldest]:
            del self._answers[old]

    def _answer(self, end: int) -> tuple[Evidence, FloatArray, FloatArray | None]:
        """Evidence at ``end``, the gate's belief after it, and the features behind it."""
        window, valid = self._signal.window(end)
        state = next(s for s in reversed(self._states) if s.at < end or s.at == 0)
        if not self._signal.complete(end):
            return Evidence(end, self._held(state), valid=False), state.belief, None
        summary = self._scorer.summarise(window)
        power = self._scorer.lane_power(summary)
        valid = valid and bool((self._low <= power).all()) and bool((power <= self._high).all())
        features = self._scorer.features(summary)
        scores = self._scorer.scores(features, state.norm)
        sound = bool(np.isfinite(scores).all())
        if not sound or (self._gate is not None and not valid):
            return Evidence(end, self._held(state), valid=False), state.belief, None
        if self._gate is None:
            out = np.empty_like(scores)
            softmax(scores, out)
            return Evidence(end, _tuple(out), valid=valid), self._even, None
        gate = self._gate
        out, spread = np.empty_like(state.belief), np.empty_like(state.belief)
        for i, name in enumerate(gate.owner):
            spread[i] = scores[name]
        gate_step(state.belief, spread, gate.transition, gate.gamma, gate.log_prior, out)
        return Evidence(end, _tuple(gate.by_class(out)), valid=True), out, features

    def _held(self, state: _State) -> tuple[float, ...]:
        """Probabilities of the classes in a state that nothing was added to."""
        return _tuple(state.belief if self._gate is None else self._gate.by_class(state.belief))


def _moved(gate: Gate, norm: Norm | None, features: FloatArray) -> Norm:
    start = gate.norm if norm is None else norm
    mean, variance = start.mean.copy(), start.variance.copy()
    track(features, gate.rate, mean, variance)
    return Norm(mean, variance)


def _largest(answer: Evidence) -> int:
    return answer.probabilities.index(max(answer.probabilities))


def _tuple(values: FloatArray) -> tuple[float, ...]:
    return tuple(values.tolist())
