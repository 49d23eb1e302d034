"""Common spatial patterns and shrinkage LDA: two classes or one against the rest, per cue or at every hop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands
from workbench.decoding.classifiers import Linear
from workbench.decoding.features import SpatialPower
from workbench.decoding.reducers import Covariances
from workbench.fitting.csp import check_patterns, one_against_rest
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.patterns import patterns_of_filters
from workbench.vocabulary import FloatArray


class CspLda(WindowDecoder):
    """Centred covariance → spatial filters → log variance → LDA.

    Parameters
    ----------
    fs : rate in Hz.
    band : pass band in Hz.
    window_s : 2.0 s by default. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    n_pairs : filters kept from each end; with three classes or more, for each class against the rest.
    shrinkage : share of the identity in each class covariance, 0–1; above 0 it also carries the rank that a
        common average takes.
    evidence, adapt : see :class:`WindowDecoder`.

    Attributes
    ----------
    filters_ : ``(n_filters, n_lanes)`` float64. eigenvalues_ : ``(n_filters,)`` float64, 0–1.
    weights_ : ``(n_classes, n_filters)`` float64. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    Ramoser et al. 2000, doi:10.1109/86.895946; one against the rest: Dornhege et al. 2004, IEEE Transactions on
    Biomedical Engineering 51, 993–1002.
    """

    name: ClassVar[str] = "csp_lda"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=2.0)
    learned: ClassVar[tuple[str, ...]] = ("filters_", "eigenvalues_", "weights_", "bias_")

    filters_: FloatArray
    eigenvalues_: FloatArray
    weights_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        band: tuple[float, float] = (8.0, 30.0),
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        n_pairs: int = 3,
        shrinkage: float = 0.05,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.band = band
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.n_pairs = n_pairs
        self.shrinkage = shrinkage
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """The one pass band, Hz."""
        return as_bands([self.band])

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        check_patterns(n_pairs=self.n_pairs, shrinkage=self.shrinkage)
        index = np.searchsorted(self.classes_, y)
        # There is one band, so axis 1 of the summaries has length 1.
        self.filters_, self.eigenvalues_ = one_against_rest(
            summaries[:, 0], index, n_pairs=self.n_pairs, shrinkage=self.shrinkage
        )
        extract = self._features()
        features = np.array([extract.features(summary) for summary in summaries])
        self.weights_, self.bias_, _ = shrinkage_lda(features, y)

    def reducer(self) -> Covariances:
        """The covariance of the band."""
        return Covariances(1)

    def _features(self) -> SpatialPower:
        return SpatialPower(self.filters_[None])

    def _patterns(self, summaries: FloatArray) -> FloatArray:
        return patterns_of_filters(self.filters_, summaries[:, 0].mean(axis=0))

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_)


DECODER = CspLda
