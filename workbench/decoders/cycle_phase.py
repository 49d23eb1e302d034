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

from workbench.decoders._log_power import LogPowerLda
from workbench.decoders._shown import refuse_settings_of_classes
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.accumulation import EvidenceAccumulator
from workbench.decoding.classifiers import Direct
from workbench.decoding.cycles import DEPTH, CyclePhase, Cycles, Latest
from workbench.decoding.scorer import Scorer
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import EvidenceType, FloatArray


class CyclePhaseDecoder(LogPowerLda):
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
    depth_ : ``(1,)`` float64, µV: how far below zero a wave must have been before a cycle begins, where that is
        more than half of its own root mean square.

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

    learned: ClassVar[tuple[str, ...]] = (*LogPowerLda.learned, "depth_")

    depth_: FloatArray

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
        super()._learn(summaries, y)
        # Half-way, in decibels, between windows with a cycle and without: what is weaker is no cycle.
        middle = np.exp(self.mean_[self.channel or 0])
        self.depth_ = np.array([0.0 if self.channel is None else DEPTH * np.sqrt(middle)])

    def reducer(self) -> Cycles:
        """The power of each lane, and the last two beginnings of a cycle."""
        channel, n = self.channel or 0, self.settings.n_derivations(self.n_channels_in_)
        if not 0 <= channel < n:
            raise BadValue(Message("fit.channel", last=str(n - 1), got=str(channel)))
        return Cycles(channel, least=float(self.depth_[0]) if hasattr(self, "depth_") else 0.0)

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
