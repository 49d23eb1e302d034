"""Event-related responses: xDAWN, covariance of prototypes and window, tangent space, a shrinkage LDA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.classifiers import Linear
from workbench.decoding.evoked import ErpCovariance, ErpVector, Filtered
from workbench.decoding.reducers import Whole
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.patterns import mean_covariance, patterns_of_filters
from workbench.fitting.riemann import inverse_sqrt, riemannian_mean
from workbench.fitting.xdawn import xdawn
from workbench.vocabulary import FloatArray


class XdawnTangentSpace(WindowDecoder):
    """xDAWN filters → covariance with the filtered prototypes → tangent vector → LDA.

    Parameters
    ----------
    fs : rate in Hz.
    band : pass band in Hz, 0.5–20 Hz by default. The high-pass takes seconds to settle: windows are valid
        only after it, and epochs need a lead-in.
    n_filters : xDAWN filters of each class.
    latency_s : from the event to the start of the window, s.
    window_s : 0.8 s by default. hop_s : s.
    reference : ``"auto"`` takes none, as the filters learn their own; ``"none"``, ``"car"``, or bipolar pairs of
        channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`.

    Attributes
    ----------
    filters_ : ``(n_filters, n_lanes)`` float64, those of the first class first.
    prototypes_ : ``(n_window, n_filters)`` float64: mean window of each class through its own filters.
    whiteners_ : ``(n, n)`` float64, G^(-1/2) of the mean; n is twice ``n_filters``.
    weights_ : ``(n_classes, n (n + 1) / 2)`` float64. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    Rivet et al. 2009, doi:10.1109/TBME.2009.2012869 (filters); Barachant and Congedo 2014, arXiv:1409.0107
    (covariance of the prototype and the window). Covariances are shrunk (OAS), the LDA by Ledoit and Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4.

    Classes may be rare: priors are by count, so that probabilities are right for the recording. Where evidence is
    summed over flashes the prior is removed again (:class:`workbench.decoders.Flashes`).
    """

    name: ClassVar[str] = "xdawn_tangent_space"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.8, reference=no_reference)
    time_locked: ClassVar[bool] = True
    learned: ClassVar[tuple[str, ...]] = ("filters_", "prototypes_", "whiteners_", "weights_", "bias_")

    filters_: FloatArray
    prototypes_: FloatArray
    whiteners_: FloatArray
    weights_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        band: tuple[float, float] = (0.5, 20.0),
        n_filters: int = 4,
        latency_s: float = 0.0,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.band = band
        self.n_filters = n_filters
        self.latency_s = latency_s
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """The one pass band, Hz."""
        return as_bands([self.band])

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        members = [y == name for name in self.classes_]
        self.filters_ = xdawn(summaries, members, n_filters=self.n_filters)
        class_filters = self.filters_.reshape(len(members), -1, self.filters_.shape[1])
        prototypes = [
            Filtered(rows).filtered(summaries[member].mean(axis=0)) for rows, member in zip(class_filters, members)
        ]
        self.prototypes_ = np.ascontiguousarray(np.concatenate(prototypes, axis=1))
        # The prototype of a class through its own filters, but every filter over the window.
        covariances = ErpCovariance(self.filters_, self.prototypes_)
        mean = riemannian_mean(np.array([covariances.matrix(window) for window in summaries]))
        self.whiteners_ = inverse_sqrt(mean)
        extract = self._features()
        features = np.array([extract.features(window) for window in summaries])
        self.weights_, self.bias_, _ = shrinkage_lda(features, y)

    def reducer(self) -> Whole:
        """Every sample."""
        return Whole()

    def _features(self) -> ErpVector:
        return ErpVector(ErpCovariance(self.filters_, self.prototypes_), self.whiteners_)

    def _patterns(self, summaries: FloatArray) -> FloatArray:
        return patterns_of_filters(self.filters_, mean_covariance(summaries))

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_)


DECODER = XdawnTangentSpace
