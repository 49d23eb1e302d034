"""Event-related responses: xDAWN, covariance of prototypes and window, tangent space, a shrinkage LDA."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._xdawn import XdawnDecoder
from workbench.decoding.classifiers import Linear
from workbench.decoding.evoked import ErpCovariance, ErpVector, Filtered
from workbench.decoding.reducers import Whole
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.riemann import inverse_sqrt, riemannian_mean
from workbench.vocabulary import FloatArray


class XdawnTangentSpace(XdawnDecoder):
    """xDAWN filters → covariance with the filtered prototypes → tangent vector → LDA.

    Parameters
    ----------
    fs, band, n_filters, latency_s, window_s, hop_s, reference, mains_hz, evidence, adapt : see
        :class:`workbench.decoders._xdawn.XdawnDecoder`. 0.5–20 Hz, 0–0.8 s after the event.

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
    """

    name: ClassVar[str] = "xdawn_tangent_space"
    learned: ClassVar[tuple[str, ...]] = ("filters_", "prototypes_", "whiteners_", "weights_", "bias_")

    prototypes_: FloatArray
    whiteners_: FloatArray

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        members = self._learn_filters(summaries, y)
        own = self.filters_.reshape(len(members), -1, self.filters_.shape[1])
        made = [Filtered(rows).filtered(summaries[member].mean(axis=0)) for rows, member in zip(own, members)]
        self.prototypes_ = np.ascontiguousarray(np.concatenate(made, axis=1))
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

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_)


DECODER = XdawnTangentSpace
