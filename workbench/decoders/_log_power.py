"""Log band power, z-scores and a shrinkage LDA: what tells classes where a decoder's own evidence is another."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoding.classifiers import Linear, Norm
from workbench.decoding.features import LogPower
from workbench.decoding.scorer import Features
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.normalisation import fitted_norm
from workbench.vocabulary import FloatArray


class LogPowerLda(WindowDecoder):
    """The classes of windows, whatever else is kept of them.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power.
    weights_ : ``(n_classes, n_features)`` float64, of z-scores. bias_ : ``(n_classes,)`` float64.
    """

    learned: ClassVar[tuple[str, ...]] = ("mean_", "variance_", "weights_", "bias_")

    mean_: FloatArray
    variance_: FloatArray
    weights_: FloatArray
    bias_: FloatArray

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        logs = self._normalise(summaries)
        self.weights_, self.bias_, _ = shrinkage_lda((logs - self.mean_) / np.sqrt(self.variance_), y)

    def _normalise(self, summaries: FloatArray) -> FloatArray:
        """``(n_windows, n_features)`` float64: log power, to which mean and variance are fitted."""
        extract = self._features()
        logs = np.array([extract.features(summary) for summary in summaries])
        self.mean_, self.variance_ = fitted_norm(logs)
        return logs

    def _features(self) -> Features:
        return LogPower(self.reducer())

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_, Norm(self.mean_, self.variance_))
