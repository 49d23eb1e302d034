"""Filter-bank common spatial patterns: the most informative patterns of nine bands, and an LDA."""

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
from workbench.errors import BadValue
from workbench.fitting.csp import best_individual_features, check_patterns, one_against_rest
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.patterns import patterns_of_filters
from workbench.messages import Message
from workbench.vocabulary import FloatArray

BANDS = tuple((low, low + 4.0) for low in range(4, 40, 4))
"""Pass bands: 4–8, 8–12 … 36–40 Hz."""

SHRINKAGE = 0.05
"""Share of the identity in each class covariance: a common average takes one rank."""


class Fbcsp(WindowDecoder):
    """Covariance of each band → spatial filters → log share of the variance → best features → LDA.

    Parameters
    ----------
    fs : rate in Hz.
    bands : pass bands in Hz, each a Chebyshev filter of the second kind.
    window_s : 2.0 s by default, for the window from 0.5 to 2.5 s after the cue. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    n_pairs : filters kept from each end, in each band.
    n_best : features taken for what they say about the class; the other filter of each one's pair is added. With
        three classes or more, for each class against the rest.
    evidence, adapt : see :class:`WindowDecoder`.

    Attributes
    ----------
    filters_ : ``(n_bands, n_problems · 2 · n_pairs, n)`` float64.
    chosen_ : ``(n_chosen,)`` float64, features kept, as places in bands × filters.
    groups_ : ``(1,)`` float64, problems: 1 for two classes, else one per class.
    weights_ : ``(n_classes, n_chosen)`` float64. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    Ang, Chin, Wang, Guan and Zhang 2012, Frontiers in Neuroscience 6, 39: variances as shares of their band's,
    features chosen by their mutual information with the class (MIBIF). Theirs is a naive Bayesian Parzen window
    classifier, and their filters have zero phase; here an LDA and causal filters, so that the loop can use them.
    """

    name: ClassVar[str] = "fbcsp"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=2.0, shape="chebyshev2")
    learned: ClassVar[tuple[str, ...]] = ("filters_", "chosen_", "groups_", "weights_", "bias_")

    filters_: FloatArray
    chosen_: FloatArray
    groups_: FloatArray
    weights_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        bands: Sequence[tuple[float, float]] = BANDS,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        n_pairs: int = 2,
        n_best: int = 4,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.n_pairs = n_pairs
        self.n_best = n_best
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands, Hz."""
        return as_bands(self.bands)

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        check_patterns(n_pairs=self.n_pairs, shrinkage=SHRINKAGE)
        if self.n_best < 1:
            raise BadValue(Message("fit.n_best", got=self.n_best))
        index = np.searchsorted(self.classes_, y)
        bands = range(summaries.shape[1])
        self.filters_ = np.array(
            [one_against_rest(summaries[:, b], index, n_pairs=self.n_pairs, shrinkage=SHRINKAGE)[0] for b in bands]
        )
        # Two classes are one problem: the filters against the first class are those for the second.
        problems = 1 if len(self.classes_) == 2 else len(self.classes_)
        self.groups_ = np.array([float(problems)])
        extract = SpatialPower(self.filters_, groups=problems)
        features = np.array([extract.features(summary) for summary in summaries])
        self.chosen_ = best_individual_features(features, index, problems=problems, shape=self.filters_.shape[:2],
                                                n_best=self.n_best)  # fmt: skip
        self.weights_, self.bias_, _ = shrinkage_lda(features[:, self.chosen_.astype(np.int64)], y)

    def reducer(self) -> Covariances:
        """The covariance of each band."""
        return Covariances(len(self.settings.bands))

    def _features(self) -> SpatialPower:
        return SpatialPower(self.filters_, chosen=self.chosen_, groups=int(self.groups_[0]))

    def _patterns(self, summaries: FloatArray) -> FloatArray:
        means = summaries.mean(axis=0)
        return np.array([patterns_of_filters(filters, mean) for filters, mean in zip(self.filters_, means)])

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_)


DECODER = Fbcsp
