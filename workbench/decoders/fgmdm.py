"""Minimum distance to mean after geodesic filtering, which keeps what separates the classes in a covariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands
from workbench.decoding.classifiers import Direct
from workbench.decoding.features import FilteredDistances, TangentVectors
from workbench.decoding.reducers import Covariances
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.riemann import inverse_sqrt, riemannian_mean
from workbench.vocabulary import FloatArray


class Fgmdm(WindowDecoder):
    """Shrunk covariance → tangent vector → projection on the discriminants → back → distance to class means.

    Parameters
    ----------
    fs : rate in Hz.
    band : pass band in Hz.
    window_s : 2.0 s by default. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`. Uncalibrated scores are minus the squared distances; they hold no
        prior.

    Attributes
    ----------
    whitener_ : ``(1, n, n)`` float64, G^(-1/2) of the mean of all windows.
    filters_, patterns_ : ``(n_classes - 1, n (n + 1) / 2)`` float64: a tangent vector s becomes
        ``patternsᵀ filters s``, its orthogonal projection on the discriminants.
    whiteners_ : ``(n_classes, n, n)`` float64, M^(-1/2) of the mean of each class, of covariances that are
        filtered and seen from G.

    Notes
    -----
    Barachant, Bonnet, Congedo and Jutten 2010, Riemannian geometry applied to BCI classification, LVA/ICA,
    629–636. The discriminants are those of a shrinkage LDA. Distances do not change under congruence, so nothing
    is brought back to the mean G before they are taken.
    """

    name: ClassVar[str] = "fgmdm"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=2.0)
    scores_hold_prior: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = ("whitener_", "filters_", "patterns_", "whiteners_")

    whitener_: FloatArray
    filters_: FloatArray
    patterns_: FloatArray
    whiteners_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        band: tuple[float, float] = (8.0, 35.0),
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.band = band
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
        self.whitener_ = inverse_sqrt(riemannian_mean(summaries[:, 0]))[None]
        tangent = TangentVectors(self.whitener_)
        vectors = np.array([tangent.features(summary) for summary in summaries])
        weights, _, _ = shrinkage_lda(vectors, y)
        # Only differences between scores count, so the first class serves as the origin.
        directions = weights[1:] - weights[0]
        # filters = (D Dᵀ)⁻¹ D and patterns = D: together the orthogonal projection on the rows of D.
        self.filters_ = np.ascontiguousarray(np.linalg.solve(directions @ directions.T, directions))
        self.patterns_ = np.ascontiguousarray(directions)
        # Class means are not known yet, and filtering does not use them.
        geodesic_filter = FilteredDistances(self.whitener_, self.filters_, self.patterns_, self.whitener_)
        filtered = np.array([geodesic_filter.filtered(summary) for summary in summaries])
        self.whiteners_ = inverse_sqrt(np.array([riemannian_mean(filtered[y == name]) for name in self.classes_]))

    def reducer(self) -> Covariances:
        """The shrunk covariance of the band."""
        return Covariances(1, shrunk=True)

    def _features(self) -> FilteredDistances:
        return FilteredDistances(self.whitener_, self.filters_, self.patterns_, self.whiteners_)

    def _classifier(self) -> Direct:
        return Direct()


DECODER = Fgmdm
