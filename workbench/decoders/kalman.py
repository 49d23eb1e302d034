"""Band power and a Kalman filter: a velocity in named dimensions at every hop, or the class of a window.

The velocity is a state that persists from hop to hop and that log band power observes with noise. How long it
persists, how it changes, what each lane shows of it and with what noise are fitted by least squares on the windows
of a calibration. The gain is that of the filter once it has settled, so that a step in the stream is a product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._shown import evidence_of, points_of
from workbench.decoders._signal import SignalDefaults, as_bands
from workbench.decoders.bandpower_lda import plain_bands
from workbench.decoding.accumulation import EvidenceAccumulator, SteadyKalman
from workbench.decoding.classifiers import Linear, Norm
from workbench.decoding.features import LogPower
from workbench.decoding.reducers import PowerAndNeighbours
from workbench.decoding.scorer import Scorer
from workbench.errors import BadSignal, BadValue
from workbench.fitting.kalman import StateSpace, fitted_state_space, intended, reobserved, steady_gain
from workbench.fitting.normalisation import fitted_norm
from workbench.messages import Message
from workbench.vocabulary import EvidenceType, FloatArray


class Kalman(WindowDecoder):
    """Log band power → z-score → Kalman filter with its steady gain.

    Parameters
    ----------
    fs : rate in Hz.
    velocities : class → velocity that was shown while it was cued, 1 to 3 values each, of x, y and z, in distances
        to a target a second. None makes a classifier of it, with probabilities as evidence.
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : 0.5 s by default; a cursor needs a shorter one. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`. Memory, calibration, rejection, stopping and adaptation are for
        classes, and refused with velocities; what is far from the training data is rejected as everywhere.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power.
    weights_ : ``(n_classes, n_features)`` float64, of z-scores. bias_ : ``(n_classes,)`` float64. Of the class of
        one window.
    transition_ : ``(n_values, n_values)`` float64, from the velocity of a hop to that of the next, before what the
        next window says is added.
    gain_ : ``(n_values, n_features)`` float64, of z-scores. offset_ : ``(n_values,)`` float64. What a window adds.

    Notes
    -----
    Wu et al. 2006, doi:10.1162/089976606774841585, with the velocity alone as the state: where the cursor is
    follows from the decisions and need not be estimated, which Gilja et al. 2012, doi:10.1038/nn.3265, reach by
    leaving out the uncertainty of the place. The steady gain is that of Malik et al. 2011,
    doi:10.1109/TNSRE.2010.2092443. The covariance of the noise is shrunk as in Ledoit and Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4. The persistence is one number for all dimensions, between none and full: a
    calibration holds too few changes of direction for more. It is learned from the order of the windows, which is
    that of the recording. Windows that overlap count in the stream as so many fewer.
    """

    name: ClassVar[str] = "kalman"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.5, order=2)
    learned: ClassVar[tuple[str, ...]] = (
        *("mean_", "variance_", "weights_", "bias_"),
        *("transition_", "gain_", "offset_"),
    )

    mean_: FloatArray
    variance_: FloatArray
    weights_: FloatArray
    bias_: FloatArray
    transition_: FloatArray
    gain_: FloatArray
    offset_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        velocities: Mapping[str, Sequence[float]] | None = None,
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
    def evidence_type(self) -> EvidenceType:
        """A velocity in the named dimensions; without velocities a probability of each class."""
        return evidence_of(self.velocities)

    @property
    def remembers(self) -> bool:
        """A velocity rests on the windows before it; probabilities on what the evidence settings say."""
        return self.velocities is not None or super().remembers

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        if self.velocities is None:
            points = np.eye(len(self.classes_))
        else:
            points = points_of(self, self.velocities, name="velocities", most=3)
        extract = self._features()
        logs = np.array([extract.features(summary) for summary in summaries])
        self.mean_, self.variance_ = fitted_norm(logs)
        z = (logs - self.mean_) / np.sqrt(self.variance_)
        shown = points[np.searchsorted(self.classes_, y)]
        space = fitted_state_space(shown, z)
        self._settle(space, shown)
        about = points - shown.mean(axis=0)
        # The class whose velocity explains a window best, under the same noise.
        self.weights_ = np.ascontiguousarray(about @ space.speaks)
        self.bias_ = -0.5 * ((about @ space.information) * about).sum(axis=1) + self.log_prior_

    def _settle(self, space: StateSpace, shown: FloatArray) -> None:
        """The gain of a model once it has settled, about the mean ``(n, n_values)`` of what was shown."""
        # Windows that overlap say the same again; taken for independent, they would be believed too much.
        overlap = max(1.0, self.settings.n_window(self.fs) / (self.step_s * self.fs))
        self.gain_, self.transition_ = steady_gain(space, overlap=overlap)
        self.offset_ = self.gain_ @ space.observation @ shown.mean(axis=0)

    def refit(
        self,
        summaries: FloatArray,
        y: ArrayLike,
        *,
        used: FloatArray,
        decoded: FloatArray,
        places: FloatArray,
        targets: FloatArray,
        radius: float,
    ) -> Self:
        """A copy of a fitted decoder of velocities that observes what was meant while it was used (ReFIT).

        Parameters
        ----------
        summaries : ``(n, …)`` float64, of the calibration, in its order. y : ``(n,)`` class of each: how a
            velocity persists is that of the calibration.
        used : ``(m, …)`` float64, what :meth:`summarise` kept of the windows in use, in their order.
        decoded : ``(m, n_values)`` float64, the velocities that were decoded from them, 1/s.
        places, targets : ``(m, n_values)`` float64, where the cursor was and where it was to go, in one unit.
        radius : within which a place is on its target, in that unit.

        Raises
        ------
        BadValue
            For a decoder of classes.
        BadSignal
            For windows in use that have no noise, or in which nothing was to move.

        Notes
        -----
        Gilja et al. 2012, doi:10.1038/nn.3265. Features are normalised as at the fit, and the class of one window
        is told as at the fit; limits of what is far from the training data stay.
        """
        self.require_fitted()
        if self.velocities is None:
            raise BadValue(Message("fit.refit_velocities", decoder=self.name))
        points = points_of(self, self.velocities, name="velocities", most=3)
        shown = points[np.searchsorted(self.classes_, np.asarray(y))]
        meant = intended(decoded, places, targets, radius=radius)
        if not meant.any():
            raise BadSignal(Message("fit.nothing_meant"))
        space = fitted_state_space(shown, self._z(summaries))
        z = self._z(used)
        twin = copy(self)
        for stale in ("sha256_", "patterns_"):
            twin.__dict__.pop(stale, None)
        middle = z.mean(axis=0)
        twin._settle(reobserved(space, meant, z - middle), meant)
        # Features in use have another mean than those of the calibration, about which the model is fitted.
        twin.offset_ = twin.offset_ - twin.gain_ @ middle
        return twin

    def _z(self, summaries: FloatArray) -> FloatArray:
        """``(n, n_features)`` float64: z-scores of log power, normalised as at the fit."""
        extract = self._features()
        logs = np.array([extract.features(summary) for summary in summaries])
        return (logs - self.mean_) / np.sqrt(self.variance_)

    def reducer(self) -> PowerAndNeighbours:
        """The power of each lane, and how it goes together with its neighbour."""
        return PowerAndNeighbours(len(self.settings.bands))

    def _features(self) -> LogPower:
        return LogPower(self.reducer())

    def _norm(self) -> Norm:
        return Norm(self.mean_, self.variance_)

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_, self._norm())

    def _stream_scorer(self) -> Scorer:
        """What a window adds to the velocity, where the stream gives velocities."""
        if self.velocities is None:
            return self.scorer()
        return Scorer(self.reducer(), self._features(), Linear(self.gain_, self.offset_, self._norm()))

    def _accumulator(self) -> EvidenceAccumulator | None:
        """The filter, which starts at standstill."""
        if self.velocities is None:
            return super()._accumulator()
        return SteadyKalman(np.zeros(len(self.transition_)), self.transition_)


DECODER = Kalman
