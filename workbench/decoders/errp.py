"""Error-related potentials: the response to feedback that was not what was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoders.xdawn_lda import RATE
from workbench.decoding.classifiers import Linear
from workbench.decoding.evoked import Filtered
from workbench.decoding.reducers import Means
from workbench.fitting.patterns import mean_covariance, patterns_of_filters
from workbench.fitting.xdawn import xdawn_lda
from workbench.vocabulary import FloatArray


class Errp(WindowDecoder):
    """Means at 32 Hz → xDAWN filters → LDA, of 1–10 Hz and 0.2–0.8 s after the feedback.

    Parameters
    ----------
    fs : rate in Hz.
    band : pass band in Hz, 1–10 Hz by default. The high-pass takes seconds to settle: windows are valid
        only after it, and epochs need a lead-in.
    n_filters : xDAWN filters of each class.
    latency_s : from the feedback to the start of the window, s. The response is largest at FCz and Cz.
    window_s : 0.6 s by default. hop_s : s.
    reference : ``"auto"`` takes none, as the filters learn their own; ``"none"``, ``"car"``, or bipolar pairs of
        channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`.

    Attributes
    ----------
    filters_ : ``(n_filters, n_lanes)`` float64, those of the first class first.
    weights_ : ``(n_classes, n_means · n_filters)`` float64, mean after mean. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    Review of the response: Chavarriaga, Sobolewski and Millán 2014, doi:10.3389/fnins.2014.00208. Filters and
    classifier are those of ``xdawn_lda``. Before it gates labels, its own AUC on held-out feedback should be 0.7
    or more.
    """

    name: ClassVar[str] = "errp"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.6, reference=no_reference)
    time_locked: ClassVar[bool] = True
    learned: ClassVar[tuple[str, ...]] = ("filters_", "weights_", "bias_")

    filters_: FloatArray
    weights_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        band: tuple[float, float] = (1.0, 10.0),
        n_filters: int = 4,
        latency_s: float = 0.2,
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
        self.filters_, self.weights_, self.bias_ = xdawn_lda(
            summaries, y, classes=self.classes_, n_filters=self.n_filters
        )

    def reducer(self) -> Means:
        """Means at 32 Hz."""
        return Means.at_rate(RATE, n_window=self.settings.n_window(self.fs), fs=self.fs)

    def _features(self) -> Filtered:
        return Filtered(self.filters_)

    def _patterns(self, summaries: FloatArray) -> FloatArray:
        return patterns_of_filters(self.filters_, mean_covariance(summaries))

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_)


DECODER = Errp
