"""Event-related responses: xDAWN, filtered samples at a low rate, a shrinkage LDA."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._xdawn import XdawnDecoder
from workbench.decoding.classifiers import Linear
from workbench.decoding.evoked import Filtered
from workbench.decoding.reducers import Means
from workbench.fitting.lda import shrinkage_lda
from workbench.vocabulary import FloatArray

RATE = 32.0
"""Rate of the means, Hz."""


class XdawnLda(XdawnDecoder):
    """Means at 32 Hz → xDAWN filters → LDA.

    Parameters
    ----------
    fs, band, n_filters, latency_s, window_s, hop_s, reference, mains_hz, evidence, adapt : see
        :class:`workbench.decoders._xdawn.XdawnDecoder`. 0.5–20 Hz, 0–0.8 s after the event.

    Attributes
    ----------
    filters_ : ``(n_filters, n_lanes)`` float64, those of the first class first.
    weights_ : ``(n_classes, n_means · n_filters)`` float64, mean after mean. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    Rivet et al. 2009, doi:10.1109/TBME.2009.2012869 (filters); means of stretches and a shrunk covariance (Ledoit
    and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4): Blankertz et al. 2011, NeuroImage 56, 814–825.
    """

    name: ClassVar[str] = "xdawn_lda"
    learned: ClassVar[tuple[str, ...]] = ("filters_", "weights_", "bias_")

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self._learn_filters(summaries, y)
        extract = self._features()
        features = np.array([extract.features(window) for window in summaries])
        self.weights_, self.bias_, _ = shrinkage_lda(features, y)

    def reducer(self) -> Means:
        """Means at 32 Hz."""
        n_window = self.settings.n_window(self.fs)
        return Means(n_window, max(1, min(n_window, round(n_window / self.fs * RATE))))

    def _features(self) -> Filtered:
        return Filtered(self.filters_)

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_)


DECODER = XdawnLda
