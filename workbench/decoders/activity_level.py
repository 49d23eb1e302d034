"""How far a muscle, the eyes or the load is above what was usual in the calibration: a gate for another stream.

The level is 1 where the measure lies as far above its usual value as it must for its source to count as active.
Without a measure the decoder tells classes by log band power.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._log_power import LogPowerLda
from workbench.decoders._shown import refuse_settings_of_classes
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.accumulation import EvidenceAccumulator
from workbench.decoding.activity import BandRatio, Level, Measured, MuscleEnergy, Newest, Swing
from workbench.decoding.classifiers import Direct
from workbench.decoding.reducers import Power, Reducer
from workbench.decoding.scorer import Scorer
from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.vocabulary import EvidenceType, FloatArray

MAD_TO_SD = 1.4826
"""A standard deviation over the median absolute deviation, of normal values."""


@dataclass(frozen=True)
class Measure:
    """One way to tell how active a source is.

    Attributes
    ----------
    reducer : computes it, made with the number of lanes.
    bands : pass bands in Hz. window_s : s. n_sd : deviations above the usual at which the level is 1.
    """

    reducer: type[Measured]
    bands: tuple[tuple[float, float], ...]
    window_s: float
    n_sd: float


MEASURES: Mapping[str, Measure] = {
    "muscle": Measure(MuscleEnergy, ((20.0, 450.0),), 0.1, 15.0),
    "eyes": Measure(Swing, ((0.5, 10.0),), 0.5, 6.0),
    "workload": Measure(BandRatio, ((4.0, 8.0), (8.0, 12.0)), 4.0, 2.0),
}
"""Measure by its name, with its defaults."""
USUAL = MEASURES["muscle"]
"""Bands and window of the classifier too."""


class ActivityLevel(LogPowerLda):
    """One measure of a window → distance above its usual value, in units of the distance that counts as active.

    Parameters
    ----------
    fs : rate in Hz.
    measure : ``"muscle"``, the Teager-Kaiser energy of EMG; ``"eyes"``, the swing of EOG, as of a blink or a
        saccade; ``"workload"``, the ratio of theta to alpha power of EEG. None makes a classifier of it, with
        probabilities as evidence.
    baseline : class in whose windows the source is as usual, such as rest; None for all windows.
    n_sd : standard deviations above the usual at which the level is 1; None for 15 of a muscle, 6 of the eyes, and
        2 of the workload. A muscle whose EMG is less than twice that of rest needs fewer, such as 6.
    bands : pass bands in Hz, two for the workload; by default 20–450 Hz for a muscle (at most 0.45 of the rate),
        0.5–10 Hz for the eyes, 4–8 and 8–12 Hz for the workload.
    window_s : s; by default 0.1, 0.5 and 4. hop_s : s.
    reference : ``"auto"`` for none, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`. Memory, calibration, rejection and stopping are for classes, and refused
        with a measure; what is far from the training data is rejected as everywhere.

    Attributes
    ----------
    usual_, distance_ : ``(n_measures,)`` float64, in the unit of the measure: median of the baseline, and how far
        above it the level is 1. One for each derivation, one in all for the workload, none without a measure.
    mean_, variance_, weights_, bias_ : of the classifier by log band power.

    Notes
    -----
    The level is that of the derivation that is furthest above its usual value, never below 0. Usual value and
    standard deviation are the median and the median absolute deviation times 1.4826, so that a few contractions or
    blinks in the baseline move neither.

    Muscle: Solnik et al. 2010, doi:10.1007/s00421-010-1521-8, whose threshold is 15 standard deviations above the
    baseline after conditioning by the operator; here the operator is averaged over the window first, which varies
    less, so that weaker contractions pass. Eyes: blinks
    and eye movements as a swing above those of the calibration, a threshold of amplitude as in the survey of
    Fatourechi et al. 2007, doi:10.1016/j.clinph.2006.10.019. Workload: frontal theta rises and alpha falls with
    the load, Smith et al. 2001, Human Factors 43, 366–380, whose index is fitted to each person; here it is
    the plain ratio, in terms of that person's own calibration.
    """

    name: ClassVar[str] = "activity_level"
    has_centre: ClassVar[bool] = True
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.5, reference=no_reference, order=2)
    learned: ClassVar[tuple[str, ...]] = ("usual_", "distance_", *LogPowerLda.learned)

    usual_: FloatArray
    distance_: FloatArray

    def __init__(
        self,
        fs: float = 1000.0,
        *,
        measure: str | None = None,
        baseline: str | None = None,
        n_sd: float | None = None,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.measure = measure
        self.baseline = baseline
        self.n_sd = n_sd
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence

    @property
    def _measure(self) -> Measure:
        if self.measure is None:
            return USUAL
        if self.measure not in MEASURES:
            raise BadValue(Message("fit.measure", allowed=list(MEASURES), got=repr(self.measure)))
        return MEASURES[self.measure]

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz: those given, or those of the measure as far as the rate reaches."""
        if self.bands is None:
            return tuple((low, min(high, 0.45 * self.fs)) for low, high in self._measure.bands)
        bands = as_bands(self.bands)
        if self.measure == "workload" and len(bands) != 2:
            raise BadValue(Message("fit.workload_bands", n=len(bands)))
        return bands

    def defaults_for(self, n_channels: int) -> SignalDefaults:
        """With the window of the measure."""
        own = super().defaults_for(n_channels)
        return own if self.measure is None else replace(own, window_s=self._measure.window_s)

    @property
    def evidence_type(self) -> EvidenceType:
        """A level, in units of the distance that counts; without a measure a probability of each class."""
        return EvidenceType() if self.measure is None else EvidenceType("amplitude", ("level",), "threshold")

    @property
    def remembers(self) -> bool:
        """A level is followed at every hop; probabilities rest on what the evidence settings say."""
        return self.measure is not None or super().remembers

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        super()._learn(summaries, y)
        self.usual_ = self.distance_ = np.zeros(0)
        if self.measure is not None:
            refuse_settings_of_classes(self, name="a measure")
            self._move_centre(summaries, y)

    def _move_centre(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """What is usual, and the distance that counts, from other windows."""
        if self.measure is None:
            self._normalise(summaries)
            return
        n_sd = self._measure.n_sd if self.n_sd is None else self.n_sd
        if not n_sd > 0:
            raise BadValue(Message("fit.n_sd", got=str(n_sd)))
        if self.baseline is not None and self.baseline not in self.class_names:
            raise BadValue(Message("fit.baseline", allowed=list(self.class_names), got=repr(self.baseline)))
        known = slice(None) if self.baseline is None else y.astype(str) == self.baseline
        measures = summaries[known][:, self._n_lanes :]
        self.usual_ = np.median(measures, axis=0)
        self.distance_ = n_sd * MAD_TO_SD * np.median(np.abs(measures - self.usual_), axis=0)
        if not (self.distance_ > 0).all():
            raise BadSignal(Message("fit.measure_constant", measure=str(self.measure)))

    @property
    def _n_lanes(self) -> int:
        return len(self.settings.bands) * self.settings.n_derivations(self.n_channels_in_)

    def reducer(self) -> Reducer:
        """The power of each lane, and the measure after it."""
        return Power() if self.measure is None else self._measure.reducer(self._n_lanes)

    def _stream_scorer(self) -> Scorer:
        """The level where the stream gives it."""
        if self.measure is None:
            return self.scorer()
        return Scorer(self.reducer(), Level(self.usual_, self.distance_), Direct())

    def _accumulator(self) -> EvidenceAccumulator | None:
        """The newest window alone."""
        return super()._accumulator() if self.measure is None else Newest(np.zeros(1))


DECODER = ActivityLevel
