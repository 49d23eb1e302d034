"""A Markov-switching linear model: a gate over states, an expert of velocity for each, learned again every 15 s.

Which state is meant is regressed on the indicators of the states and passed through a hidden Markov gate; within a
state its own expert, which learned from its windows alone, decodes the velocity. An idle state has the velocity
that was shown in it, which is none.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._blockwise import Blockwise
from workbench.decoding.accumulation import EvidenceAccumulator, Gate, Switching, stages_gate
from workbench.decoding.blocks import Part
from workbench.decoding.classifiers import States, Switched
from workbench.decoding.scorer import Scorer
from workbench.errors import BadValue
from workbench.fitting.settings import EvidenceSettings
from workbench.messages import Message
from workbench.vocabulary import FloatArray


class RewMslm(Blockwise):
    """Log power in stretches → z-score → gate and experts of recursive PLS → hidden Markov gate → velocity.

    Parameters
    ----------
    fs : rate in Hz.
    velocities : class → velocity that was shown while it was cued, 1 to 3 values each, of x, y and z, in distances
        to a target a second. None makes a classifier of it: the gate alone, with probabilities as evidence.
    model : as for ``rew_pls``, of the gate and of every expert, and beside them ``states``, class → name of its
        state, such as ``{"rest": "rest", "left": "move", "right": "move"}`` (every class is one by itself),
        ``mixing`` of velocities by the belief in their states, or that of the likeliest alone (True), and
        ``dwell_s``, the expected stay in the state ``rest`` and in any other, s (5, 3). A state whose classes have
        one velocity has it, and needs no expert.
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : 1 s by default. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`. With velocities, memory, calibration, rejection and stopping are
        refused. It adapts by the rule ``blocks`` alone, with velocities too.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power.
    weights_ : ``(n_states + n_states · n_values, n_features)`` float64, of z-scores: gate, then experts. bias_ :
        of each row of the weights.
    points_ : ``(n_classes, n_values)`` float64, velocity or indicator of each class.
    state_of_ : ``(n_classes,)`` float64, state of each class. state_prior_ : ``(n_states,)`` float64, log share.
    error_ : ``(1 + n_states,)`` float64, mean square error of the gate and of each expert on blocks of the fit
        before they were learned.

    Notes
    -----
    Moly et al. 2022, Journal of Neural Engineering 19, 026021, doi:10.48550/arXiv.2201.10449. Chances to leave a
    state are those of the expected stays, as in ``bandpower_lda``, and are not counted from what is cued: that
    would be the schedule of the task.
    """

    name: ClassVar[str] = "rew_mslm"
    learned: ClassVar[tuple[str, ...]] = (*Blockwise.learned, "state_of_", "state_prior_")

    state_of_: FloatArray
    state_prior_: FloatArray

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        own = self._named_states()
        if self.velocities is not None:
            self._dwelling().check_dwell(self.hop_s)
        state_of = np.unique(own, return_inverse=True)[1]
        self.state_of_ = state_of.astype(np.float64)
        self.state_prior_ = np.log(np.bincount(state_of, weights=np.exp(self.log_prior_)))
        super()._learn(summaries, y)

    @property
    def _owners(self) -> tuple[int, ...]:
        """State of each class."""
        return tuple(int(state) for state in self.state_of_.tolist())

    def _parts(self) -> tuple[Part, ...]:
        """The gate, then the expert of each state."""
        owners = self._owners
        n_states = max(owners) + 1
        experts = [
            Part(self.points_, tuple(k for k, owner in enumerate(owners) if owner == state))
            for state in range(n_states)
        ]
        return (Part(np.eye(n_states)[list(owners)], tuple(range(len(owners)))), *experts)

    def _states(self) -> States:
        return States(self._lines(), float(self.error_[0]), self.state_prior_)

    def _classifier(self) -> Switched:
        owners = self._owners
        within = self.log_prior_ - self.state_prior_[list(owners)]
        return Switched(self._states(), owners, self.points_, self.error_[1:], within)

    def _stream_scorer(self) -> Scorer:
        """States and values where the stream gives values."""
        if self.velocities is None:
            return self.scorer()
        return Scorer(self.reducer(), self._features(), self._states())

    def _accumulator(self) -> EvidenceAccumulator | None:
        """The gate over states, and the values that it weighs."""
        if self.velocities is None:
            return super()._accumulator()
        return Switching(
            self._gate(), len(self.state_prior_), self.points_.shape[1], mixing=self.model_settings.mixing
        )

    def _gate(self) -> Gate:
        """The hidden Markov chain of the states."""
        named = dict(zip(self._owners, self._named_states()))
        rest = next((state for state, name in named.items() if name == "rest"), -1)
        stays = self._dwelling().stays(rest=rest, n_classes=len(self.state_prior_))
        return stages_gate(stays, hop_s=self.step_s, log_prior=self.state_prior_, gamma=EvidenceSettings.gamma)

    def _named_states(self) -> list[str]:
        """Name of the state of each class; refuses states that are incomplete, or one."""
        states = self.model_settings.states
        own = [name if states is None else str(states.get(name, "")) for name in self.class_names]
        if "" in own or len(set(own)) < 2:
            raise BadValue(Message("fit.states", classes=list(self.class_names), got=str(states)))
        return own

    def _dwelling(self) -> EvidenceSettings:
        """Expected stays as the gate of every decoder takes them."""
        return EvidenceSettings(dwell_s=self.model_settings.dwell_s)


DECODER = RewMslm
