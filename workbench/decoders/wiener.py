"""Band power of the last moments and a Wiener filter: a velocity in named dimensions, or the class of a window.

The window is cut into lags of its newest and older moments, and the log power of every lane in every lag is a
feature. Their weights are those of a ridge regression whose penalty predicts held-out blocks best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders.bandpower_ridge import BandpowerRidge
from workbench.decoding.accumulation import EvidenceAccumulator, Smoothing
from workbench.decoding.features import LogStretches
from workbench.decoding.reducers import StretchPower
from workbench.errors import BadValue
from workbench.fitting.wiener import wiener_filter
from workbench.messages import Message
from workbench.vocabulary import FloatArray


class Wiener(BandpowerRidge):
    """Log power in lags → z-score → ridge regression.

    Parameters
    ----------
    fs : rate in Hz.
    velocities : class → velocity that was shown while it was cued, 1 to 3 values each, of x, y and z, in distances
        to a target a second. None makes a classifier of it: regression on the indicator of each class, and
        probabilities as evidence.
    lags : into which a window is cut, 1 or more.
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : 0.5 s by default. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`. Memory, calibration, rejection, stopping and adaptation are for
        classes, and refused with velocities; what is far from the training data is rejected as everywhere.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power.
    weights_ : ``(n_values, n_features)`` float64, of z-scores. bias_ : ``(n_values,)`` float64.
    points_ : ``(n_classes, n_values)`` float64, velocity or indicator of each class.
    error_ : ``(1,)`` float64, mean square error of a value on blocks that were held out.
    penalty_ : ``(1,)`` float64, of the squared weights.

    Notes
    -----
    Carmena et al. 2003, doi:10.1371/journal.pbio.0000042, decode a hand's velocity by a linear filter of ten lags
    of firing rates; here the rates are log band powers. The penalty is one of nine from 0.01 to a million, by five
    contiguous folds: lags that resemble one another would else be weighed against one another.
    """

    name: ClassVar[str] = "wiener"
    learned: ClassVar[tuple[str, ...]] = (*BandpowerRidge.learned, "penalty_")

    penalty_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        velocities: Mapping[str, Sequence[float]] | None = None,
        lags: int = 10,
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
        self.lags = lags
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence
        self.adapt = adapt

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self.points_ = self._points()
        z = (self._normalise(summaries) - self.mean_) / np.sqrt(self.variance_)
        shown = self.points_[np.searchsorted(self.classes_, y)]
        self.weights_, self.bias_, penalty, error = wiener_filter(z, shown)
        # Few blocks show no smaller error, and one of 0 would make every class certain.
        least = 0.01 * float(((shown - shown.mean(axis=0)) ** 2).mean())
        self.error_, self.penalty_ = np.array([max(error, least)]), np.array([penalty])

    def _points(self) -> FloatArray:
        return np.eye(len(self.classes_)) if self.velocities is None else self._points_of(self.velocities)

    def reducer(self) -> StretchPower:
        """The power of each lane in each lag."""
        n_window = self.settings.n_window(self.fs)
        if not 1 <= self.lags <= n_window:
            raise BadValue(Message("fit.lags", most=n_window, got=str(self.lags)))
        return StretchPower(self.lags)

    def _features(self) -> LogStretches:
        return LogStretches()

    def _accumulator(self) -> EvidenceAccumulator | None:
        """Each window's value as it is: the lags are its memory."""
        return super()._accumulator() if self.velocities is None else Smoothing(np.zeros(len(self.weights_)), 1.0)


DECODER = Wiener
