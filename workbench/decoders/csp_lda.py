"""Common spatial patterns and shrinkage LDA: two classes, decided once a cue or at every hop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._csp import common_spatial_patterns
from workbench.decoders._lda import shrinkage_lda
from workbench.decoders._scorers import CspScorer
from workbench.decoders._stream import Reducer, Scorer
from workbench.errors import BadSignal, BadValue
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
    n_pairs : filters kept from each end.
    shrinkage : share of the identity in each class covariance, 0–1; above 0 it also carries the rank that a
        common average takes.

    Attributes
    ----------
    filters_ : ``(n_filters, n_lanes)`` float64. eigenvalues_ : ``(n_filters,)`` float64, 0–1.
    weights_ : ``(2, n_filters)`` float64. bias_, log_prior_ : ``(2,)`` float64.

    Notes
    -----
    Ramoser et al. 2000, doi:10.1109/86.895946.
    """

    name: ClassVar[str] = "csp_lda"
    default_window_s: ClassVar[float] = 2.0
    learned: ClassVar[tuple[str, ...]] = ("filters_", "eigenvalues_", "weights_", "bias_", "log_prior_")

    filters_: FloatArray
    eigenvalues_: FloatArray
    weights_: FloatArray
    bias_: FloatArray
    log_prior_: FloatArray

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
    ) -> None:
        self.fs = fs
        self.band = band
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.n_pairs = n_pairs
        self.shrinkage = shrinkage

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """The one pass band, Hz."""
        return ((float(self.band[0]), float(self.band[1])),)

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        if not 0 <= self.shrinkage < 1:
            raise BadValue(f"shrinkage must be at least 0 and below 1, got {self.shrinkage}")
        if self.n_pairs < 1:
            raise BadValue(f"n_pairs must be at least 1, got {self.n_pairs}")
        if len(self.classes_) != 2:
            raise BadSignal(
                f"csp_lda tells two classes apart, got {len(self.classes_)}: "
                f"{', '.join(map(str, self.classes_))}. Leave epochs of the others out"
            )
        first, second = (summaries[y == name] for name in self.classes_)
        self.filters_, self.eigenvalues_ = common_spatial_patterns(
            first, second, n_pairs=self.n_pairs, shrinkage=self.shrinkage
        )
        nothing = np.zeros((2, len(self.filters_)))
        plain = CspScorer(self.filters_, nothing, nothing[:, 0])
        features = np.array([plain.features(summary) for summary in summaries])
        self.weights_, self.bias_, self.log_prior_ = shrinkage_lda(features, y)

    def _reducer(self) -> Reducer:
        return CspScorer

    def _scorer(self) -> Scorer:
        return CspScorer(self.filters_, self.weights_, self.bias_)


DECODER = CspLda
