"""Minimum distance to Riemannian mean: the class whose mean covariance is nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands
from workbench.decoding.classifiers import Direct
from workbench.decoding.features import Distances
from workbench.decoding.reducers import Covariances
from workbench.fitting.riemann import inverse_sqrt, riemannian_mean
from workbench.vocabulary import FloatArray


class RiemannMdm(WindowDecoder):
    """Shrunk covariance → distance to the mean of each class.

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
    whiteners_ : ``(n_classes, n, n)`` float64, G^(-1/2) of each class.

    Notes
    -----
    Barachant, Bonnet, Congedo and Jutten 2012, IEEE Transactions on Biomedical Engineering 59, 920–928.
    Covariances are shrunk (OAS), so a common average or a bridge between electrodes does not lose them their rank.
    """

    name: ClassVar[str] = "riemann_mdm"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=2.0)
    scores_hold_prior: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = ("whiteners_",)

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
        means = [riemannian_mean(summaries[y == name, 0]) for name in self.classes_]
        # Inverse roots, so that the stream needs one congruence per class and no inverse.
        self.whiteners_ = inverse_sqrt(np.array(means))

    def reducer(self) -> Covariances:
        """The shrunk covariance of the band."""
        return Covariances(1, shrunk=True)

    def _features(self) -> Distances:
        return Distances(self.whiteners_)

    def _classifier(self) -> Direct:
        return Direct()


DECODER = RiemannMdm
