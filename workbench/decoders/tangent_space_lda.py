"""Covariances as vectors in the tangent space at their mean, and a shrinkage LDA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands
from workbench.decoding.classifiers import Linear
from workbench.decoding.features import TangentVectors
from workbench.decoding.reducers import Covariances, DelayedCovariances
from workbench.errors import BadValue
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.riemann import inverse_sqrt, riemannian_mean
from workbench.messages import Message
from workbench.vocabulary import FloatArray


class TangentSpaceLda(WindowDecoder):
    """Shrunk covariance of each band → tangent vector → LDA.

    Parameters
    ----------
    fs : rate in Hz.
    bands : pass bands in Hz; the vectors of several are stacked (a filter bank).
    delays_s : of copies of the channels that join the covariance, s, such as ``(0.02, 0.04)``; none by default.
        For few channels: the covariance has as many rows as channels and copies together.
    window_s : 2.0 s by default. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`. By default one factor, learned from held-out blocks, makes
        probabilities of the scores: with so many features they would else be 0 or 1. It changes no decision.

    Attributes
    ----------
    whiteners_ : ``(n_bands, n, n)`` float64, G^(-1/2) of the mean of each band; n counts copies too.
    weights_ : ``(n_classes, n_bands · n (n + 1) / 2)`` float64. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    Barachant, Bonnet, Congedo and Jutten 2012, IEEE Transactions on Biomedical Engineering 59, 920–928. The
    covariance of the vectors is shrunk (Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4): there are more
    of their elements than windows. Delayed copies: the augmented covariance matrix of Carrara and
    Papadopoulo 2024, IEEE Transactions on Biomedical Engineering. No sample is wrapped around, so the longest
    delay shortens what is averaged.
    """

    name: ClassVar[str] = "tangent_space_lda"
    has_centre: ClassVar[bool] = True
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=2.0)
    evidence_defaults: ClassVar[Mapping[str, Any]] = {"calibrate": "temperature"}
    learned: ClassVar[tuple[str, ...]] = ("whiteners_", "weights_", "bias_")

    whiteners_: FloatArray
    weights_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        bands: Sequence[tuple[float, float]] = ((8.0, 35.0),),
        delays_s: Sequence[float] = (),
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.bands = bands
        self.delays_s = delays_s
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands, Hz."""
        return as_bands(self.bands)

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self._move_centre(summaries, y)
        extract = self._features()
        features = np.array([extract.features(summary) for summary in summaries])
        self.weights_, self.bias_, _ = shrinkage_lda(features, y)

    def _move_centre(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """Tangent vectors are taken at the mean of the windows, whatever their classes."""
        # Each band by itself: band powers differ by orders of magnitude, and so do their means.
        means = [riemannian_mean(summaries[:, band]) for band in range(summaries.shape[1])]
        self.whiteners_ = inverse_sqrt(np.array(means))

    def reducer(self) -> Covariances:
        """The shrunk covariance of each band, and of the delayed copies where there are any."""
        n_bands = len(self.settings.bands)
        if not self.delays_s:
            return Covariances(n_bands, shrunk=True)
        delays = [round(delay_s * self.fs) for delay_s in self.delays_s]
        if min(delays) < 1 or len(set(delays)) < len(delays) or 2 * max(delays) > self.settings.n_window(self.fs):
            raise BadValue(
                Message(
                    "fit.delays",
                    window=f"{self.settings.window_s:g}",
                    got=str(tuple(self.delays_s)),
                    fs=f"{self.fs:g}",
                )
            )
        return DelayedCovariances(n_bands, delays)

    def _features(self) -> TangentVectors:
        return TangentVectors(self.whiteners_)

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_)


DECODER = TangentSpaceLda
