"""The phase of a cycle, such as a stride, at every hop, or the class of a window by its band power.

A cycle begins where the filtered signal of one channel goes up through zero. The phase is the time since the last
beginning over the length of the cycle before; while none is known the evidence is rejected. Without a channel it
tells classes, such as walking and standing, by log band power.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._shown import refuse_settings_of_classes
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.accumulation import EvidenceAccumulator
from workbench.decoding.classifiers import Direct, Linear, Norm
from workbench.decoding.cycles import CyclePhase, CyclePower, Cycles, Latest
from workbench.decoding.scorer import Scorer
from workbench.errors import BadSignal, BadValue
from workbench.fitting.lda import shrinkage_lda
from workbench.vocabulary import EvidenceType, FloatArray


class CyclePhaseDecoder(WindowDecoder):
    """Band-pass → last two beginnings of a cycle → phase and rate; or log band power → z-score → LDA.

    Parameters
    ----------
    fs : rate in Hz.
    channel : whose cycle it is, counted from 0 among the derivations. None makes a classifier of it, with
        probabilities as evidence.
    bands : pass bands in Hz, the first of which holds the cycle; 0.5 to 3 Hz by default, as of strides.
    window_s : 4 s by default: it must hold two beginnings, so the slowest cycle is half as long. hop_s : s.
    reference : ``"auto"`` for none, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`. Memory, calibration, rejection, stopping and adaptation are for
        classes, and refused with a channel; what is far from the training data is rejected as everywhere.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power.
    weights_ : ``(n_classes, n_features)`` float64, of z-scores. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    The phase is that of a gait detector by events, as that of Pappas et al. 2001, doi:10.1109/7333.928571: time
    since an event over the length of a cycle, unknown when no event has come for one and a half cycles. Where in
    the cycle the event lies depends on the signal and its polarity, and belongs to the window of the control law.
    A band-pass shifts the phase of its middle not at all, and with the default band by less than a tenth of a
    cycle from 0.7 to 1.3 Hz; its group delay is that of a change of rate.
    """

    name: ClassVar[str] = "cycle_phase"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=4.0, reference=no_reference, order=2)
    learned: ClassVar[tuple[str, ...]] = ("mean_", "variance_", "weights_", "bias_")

    mean_: FloatArray
    variance_: FloatArray
    weights_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        channel: int | None = None,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.channel = channel
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz: those given, or that of strides."""
        return ((0.5, 3.0),) if self.bands is None else as_bands(self.bands)

    @property
    def evidence_type(self) -> EvidenceType:
        """A phase 0–1 with the rate of the cycle; without a channel a probability of each class."""
        return EvidenceType() if self.channel is None else EvidenceType("phase", ("phase", "rate"), "cycle, Hz")

    @property
    def remembers(self) -> bool:
        """A phase is followed at every hop; probabilities rest on what the evidence settings say."""
        return self.channel is not None or super().remembers

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        if self.channel is not None:
            refuse_settings_of_classes(self, name="a channel")
        extract = self._features()
        logs = np.array([extract.features(summary) for summary in summaries])
        self.mean_, self.variance_ = logs.mean(axis=0), logs.var(axis=0)
        if not (self.variance_ > 0).all():
            raise BadSignal("band power does not vary between the windows; the recording repeats itself")
        self.weights_, self.bias_, _ = shrinkage_lda((logs - self.mean_) / np.sqrt(self.variance_), y)

    def reducer(self) -> Cycles:
        """The power of each lane, and the last two beginnings of a cycle."""
        channel, n = self.channel or 0, self.settings.n_derivations(self.n_channels_in_)
        if not 0 <= channel < n:
            raise BadValue(f"channel must be 0 to {n - 1}, got {channel}")
        return Cycles(channel)

    def _features(self) -> CyclePower:
        return CyclePower()

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_, Norm(self.mean_, self.variance_))

    def _stream_scorer(self) -> Scorer:
        """Phase and rate where the stream gives them."""
        if self.channel is None:
            return self.scorer()
        return Scorer(self.reducer(), CyclePhase(self.settings.n_window(self.fs), self.fs), Direct())

    def _accumulator(self) -> EvidenceAccumulator | None:
        """The newest window alone; until one holds a cycle the phase is unknown."""
        if self.channel is None:
            return super()._accumulator()
        low, high = self.settings.bands[0]
        return Latest(np.array([0.0, 0.5 * (low + high), 0.0]))


DECODER = CyclePhaseDecoder
