"""Band power and a support vector machine with a Gaussian kernel, its margins calibrated on held-out blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands
from workbench.decoders.bandpower_lda import plain_bands
from workbench.decoding.classifiers import Norm, Rbf
from workbench.decoding.features import LogPower
from workbench.decoding.reducers import PowerAndNeighbours
from workbench.errors import BadValue
from workbench.fitting.normalisation import fitted_norm
from workbench.messages import Message
from workbench.vocabulary import FloatArray


class BandpowerSvm(WindowDecoder):
    """Log band power → z-score → support vectors → logistic of held-out margins.

    Parameters
    ----------
    fs : rate in Hz.
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : 0.5 s by default. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    C : what a window on the wrong side costs. The kernel is ``exp(-|x - s|² / (p var))`` of p features with
        variance var.
    evidence, adapt : see :class:`WindowDecoder`. By default margins are calibrated by a logistic; without any
        calibration they are not log odds, and probabilities mean little.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power. gamma_ : ``(1,)`` float64, width of the kernel.
    support_ : ``(n_support, n_features)`` float64, z-scores. coefficients_ : ``(n_machines, n_support)`` float64.
    bias_ : ``(n_machines,)`` float64: one machine for two classes, else one for each class against the rest.

    Notes
    -----
    Cortes and Vapnik 1995, Machine Learning 20, 273–297; Platt 1999, Advances in Large Margin Classifiers, 61–74.
    """

    name: ClassVar[str] = "bandpower_svm"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.5)
    evidence_defaults: ClassVar[Mapping[str, Any]] = {"calibrate": "platt"}
    scores_hold_prior: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = ("mean_", "variance_", "gamma_", "support_", "coefficients_", "bias_")

    mean_: FloatArray
    variance_: FloatArray
    gamma_: FloatArray
    support_: FloatArray
    coefficients_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        C: float = 1.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.C = C
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz: those given, or the default for the rate and the mains."""
        return plain_bands(self.fs, self.mains_hz) if self.bands is None else as_bands(self.bands)

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        from sklearn.svm import SVC

        if not self.C > 0:
            raise BadValue(Message("fit.c", got=str(self.C)))
        extract = self._features()
        logs = np.array([extract.features(summary) for summary in summaries])
        self.mean_, self.variance_ = fitted_norm(logs)
        z = (logs - self.mean_) / np.sqrt(self.variance_)
        # The width that scikit-learn calls gamma="scale".
        self.gamma_ = np.array([1.0 / (z.shape[1] * z.var())])
        positive = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        weight = np.zeros((len(positive), len(z)))
        self.bias_ = np.zeros(len(positive))
        for m, name in enumerate(positive):
            # Binary machines only: scikit-learn's multiclass scheme votes pairwise and has no margin per class.
            machine = SVC(C=self.C, kernel="rbf", gamma=float(self.gamma_[0])).fit(z, y == name)
            weight[m, machine.support_] = machine.dual_coef_[0]
            self.bias_[m] = machine.intercept_[0]
        # Machines share one list of support vectors, so that each distance is taken once.
        used = (weight != 0.0).any(axis=0)
        self.support_ = np.ascontiguousarray(z[used])
        self.coefficients_ = np.ascontiguousarray(weight[:, used])

    def reducer(self) -> PowerAndNeighbours:
        """The power of each lane, and how it goes together with its neighbour."""
        return PowerAndNeighbours(len(self.settings.bands))

    def _features(self) -> LogPower:
        return LogPower(self.reducer())

    def _classifier(self) -> Rbf:
        norm = Norm(self.mean_, self.variance_)
        return Rbf(self.support_, self.coefficients_, self.bias_, float(self.gamma_[0]), norm)


DECODER = BandpowerSvm
