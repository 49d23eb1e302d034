"""Band power and ridge regression: a velocity in named dimensions at every hop, or the class of a window.

Log band power, z-scored, is mapped to the velocity that was shown for each cue of a calibration. The map is linear
and shrunk; an exponential mean from hop to hop takes out what no hand could have meant. A window is also the class
whose velocity is nearest to the decoded one, by which a fit is validated like that of every other decoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._shown import AXES, evidence_of, points_of
from workbench.decoders._signal import SignalDefaults, as_bands
from workbench.decoders.bandpower_lda import plain_bands
from workbench.decoding.accumulation import EvidenceAccumulator, Smoothing
from workbench.decoding.classifiers import Linear, Nearest, Norm
from workbench.decoding.features import LogPower
from workbench.decoding.reducers import PowerAndNeighbours, Reducer
from workbench.decoding.scorer import Features, Scorer
from workbench.errors import BadValue
from workbench.fitting.lda import ledoit_wolf
from workbench.fitting.normalisation import fitted_norm
from workbench.fitting.whitening import overlap
from workbench.messages import Message
from workbench.vocabulary import EvidenceType, FloatArray


class BandpowerRidge(WindowDecoder):
    """Log band power → z-score → shrunk regression → exponential mean.

    Parameters
    ----------
    fs : rate in Hz.
    velocities : class → velocity that was shown while it was cued, 1 to 3 values each, of x, y and z, in distances
        to a target a second. None makes a classifier of it: regression on the indicator of each class, and
        probabilities as evidence.
    smoothing_s : time constant of the mean over hops, s; at least the hop.
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : 0.5 s by default; a cursor needs a shorter one. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`. Memory, calibration, rejection, stopping and adaptation are for
        classes, and refused with velocities; what is far from the training data is rejected as everywhere.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power.
    weights_ : ``(n_values, n_features)`` float64, of z-scores. bias_ : ``(n_values,)`` float64.
    points_ : ``(n_classes, n_values)`` float64, velocity or indicator of each class.
    error_ : ``(1,)`` float64, mean square error of a value on the windows of the fit.

    Notes
    -----
    Schalk et al. 2007, doi:10.1088/1741-2560/4/3/012, regress two-dimensional movement on band power of ECoG. The
    covariance of the features is shrunk as in Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, which is
    ridge regression with a penalty that needs no search; windows that overlap are counted by their information. A
    regression on noisy features falls short of the speed that was shown: what is not known is not moved. The gain
    of the task makes up for it, where anything has to.
    """

    name: ClassVar[str] = "bandpower_ridge"
    has_centre: ClassVar[bool] = True
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.5, order=2)
    learned: ClassVar[tuple[str, ...]] = ("mean_", "variance_", "weights_", "bias_", "points_", "error_")

    mean_: FloatArray
    variance_: FloatArray
    weights_: FloatArray
    bias_: FloatArray
    points_: FloatArray
    error_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        velocities: Mapping[str, Sequence[float]] | None = None,
        smoothing_s: float = 0.3,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.velocities = velocities
        self.smoothing_s = smoothing_s
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz: those given, or the default for the rate and the mains."""
        return plain_bands(self.fs, self.mains_hz) if self.bands is None else as_bands(self.bands)

    @property
    def _shown(self) -> Mapping[str, Sequence[float]] | None:
        """Class → values that it is fitted on; None for a classifier."""
        return self.velocities

    @property
    def evidence_type(self) -> EvidenceType:
        """A velocity in the named dimensions; without velocities a probability of each class."""
        return evidence_of(self.velocities)

    @property
    def remembers(self) -> bool:
        """A value rests on the windows before it; probabilities on what the evidence settings say."""
        return self._shown is not None or super().remembers

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self.points_ = self._points()
        logs = self._normalise(summaries)
        z = (logs - self.mean_) / np.sqrt(self.variance_)
        index = np.searchsorted(self.classes_, y)
        shown = self.points_[index]
        self.bias_ = shown.mean(axis=0)
        # Windows that overlap say the same again; taken for independent, they would be shrunk too little.
        within = z - np.array([z[index == k].mean(axis=0) for k in range(len(self.classes_))])[index]
        covariance, _ = ledoit_wolf(z, overlap=overlap(within, index))
        weights = np.linalg.solve(covariance, z.T @ (shown - self.bias_) / len(z)).T
        self.weights_ = np.ascontiguousarray(weights)
        left = shown - self.bias_ - z @ weights.T
        # A fit with as many features as windows leaves no error, and would make every class certain.
        self.error_ = np.array([max(float((left**2).mean()), 0.01 * float(((shown - self.bias_) ** 2).mean()))])

    def _normalise(self, summaries: FloatArray) -> FloatArray:
        """Log power of the windows, ``(n, n_features)``; normalised by them from now on."""
        extract = self._features()
        logs = np.array([extract.features(summary) for summary in summaries])
        self.mean_, self.variance_ = fitted_norm(logs)
        return logs

    def _move_centre(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """The normalisation of log power."""
        self._normalise(summaries)

    def _points(self) -> FloatArray:
        """``(n_classes, n_values)`` float64: what is regressed on."""
        if self._shown is None:
            return np.eye(len(self.classes_))
        if not self.smoothing_s >= self.hop_s:
            raise BadValue(Message("fit.smoothing", hop=f"{self.hop_s:g}", got=str(self.smoothing_s)))
        return self._points_of(self._shown)

    def _points_of(self, shown: Mapping[str, Sequence[float]]) -> FloatArray:
        """The same of values; raises BadValue for those that no evidence could be."""
        return points_of(self, shown, name="velocities", most=len(AXES))

    def reducer(self) -> Reducer:
        """The power of each lane, and how it goes together with its neighbour."""
        return PowerAndNeighbours(len(self.settings.bands))

    def _features(self) -> Features:
        return LogPower(self.reducer())

    def _regression(self) -> Linear:
        return Linear(self.weights_, self.bias_, Norm(self.mean_, self.variance_))

    def _classifier(self) -> Nearest:
        return Nearest(self._regression(), self.points_, float(self.error_[0]), self.log_prior_)

    def _stream_scorer(self) -> Scorer:
        """The regression itself where the stream gives values."""
        if self._shown is None:
            return self.scorer()
        return Scorer(self.reducer(), self._features(), self._regression())

    def _accumulator(self) -> EvidenceAccumulator | None:
        """An exponential mean of the values."""
        return super()._accumulator() if self._shown is None else self._mean()

    def _mean(self, *, least: float = -inf) -> Smoothing:
        """That mean, never said to be below ``least``."""
        return Smoothing(np.zeros(len(self.weights_)), min(1.0, self.step_s / self.smoothing_s), least)


DECODER = BandpowerRidge
