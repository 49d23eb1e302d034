"""Band power over time and recursive PLS: a velocity or a class, learned again every 15 s while it decides.

The window is cut into stretches; the log power of each band of each derivation in each stretch is a feature. Their
regression on what was shown is recursive exponentially weighted partial least squares, so that the decoder goes on
learning from what is cued while it is in use, and forgets what is long ago.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from workbench.decoders._blockwise import Blockwise
from workbench.decoding.accumulation import EvidenceAccumulator, Smoothing
from workbench.decoding.blocks import Part
from workbench.decoding.classifiers import Nearest
from workbench.decoding.scorer import Scorer
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray


class RewPls(Blockwise):
    """Log power in stretches → z-score → recursive PLS → exponential mean.

    Parameters
    ----------
    fs : rate in Hz.
    velocities : class → velocity that was shown while it was cued, 1 to 3 values each, of x, y and z, in distances
        to a target a second. None makes a classifier of it: regression on the indicator of each class, and
        probabilities as evidence.
    model : a mapping with the names of :class:`workbench.fitting.recursive.ModelSettings`: ``stretches`` into
        which a window is cut (5), most ``n_components`` (20), ``n_way`` (False), ``smoothing_s`` of the mean over
        hops (0.3).
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : 1 s by default. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`. With velocities, memory, calibration, rejection and stopping are
        refused. It adapts by the rule ``blocks`` alone, with velocities too.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power.
    weights_ : ``(n_values, n_features)`` float64, of z-scores. bias_ : ``(n_values,)`` float64.
    points_ : ``(n_classes, n_values)`` float64, velocity or indicator of each class.
    error_ : ``(1,)`` float64, mean square error of a value on blocks of the fit before they were learned.

    Notes
    -----
    Eliseyev et al. 2017, doi:10.1038/s41598-017-16579-9: REW-NPLS and recursive validation. Theirs takes complex
    Morlet wavelets of ECoG, 15 frequencies in 10 stretches of a second; here the bands are those of the filters of
    every decoder. An update is made beside the loop from the windows of 15 s and takes effect 15 s after them, at
    a recorded sample. Forgetting is by windows that were taught: half of them after ``half_life_s`` of them.
    """

    name: ClassVar[str] = "rew_pls"

    def _points(self) -> FloatArray:
        mean_s = self.model_settings.smoothing_s
        if self.velocities is not None and not mean_s >= self.hop_s:
            raise BadValue(Message("fit.smoothing", hop=f"{self.hop_s:g}", got=str(mean_s)))
        return super()._points()

    def _parts(self) -> tuple[Part, ...]:
        """The one model: of the value of every class."""
        return (Part(self.points_, tuple(range(len(self.classes_)))),)

    def _classifier(self) -> Nearest:
        return Nearest(self._lines(), self.points_, float(self.error_[0]), self.log_prior_)

    def _stream_scorer(self) -> Scorer:
        """The regression itself where the stream gives values."""
        if self.velocities is None:
            return self.scorer()
        return Scorer(self.reducer(), self._features(), self._lines())

    def _accumulator(self) -> EvidenceAccumulator | None:
        """An exponential mean of the values."""
        if self.velocities is None:
            return super()._accumulator()
        rate = min(1.0, self.step_s / self.model_settings.smoothing_s)
        return Smoothing(np.zeros(len(self.weights_)), rate)


DECODER = RewPls
