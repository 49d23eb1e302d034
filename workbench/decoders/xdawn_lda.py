"""Event-related responses: xDAWN, filtered samples at a low rate, a shrinkage LDA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.classifiers import Linear
from workbench.decoding.evoked import Filtered
from workbench.decoding.reducers import Means
from workbench.fitting.patterns import mean_covariance, patterns_of_filters
from workbench.fitting.xdawn import xdawn_lda
from workbench.vocabulary import FloatArray

RATE = 32.0
"""Rate of the means, Hz."""


class XdawnLda(WindowDecoder):
    """Means at 32 Hz → xDAWN filters → LDA.

    Parameters
    ----------
    fs : rate in Hz.
    band : pass band in Hz, 0.5–20 Hz by default. The high-pass takes seconds to settle: windows are valid
        only after it, and epochs need a lead-in.
    n_filters : xDAWN filters of each class.
    latency_s : from the event to the start of the window, s.
    window_s : 0.8 s by default. hop_s : s.
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
    Rivet et al. 2009, doi:10.1109/TBME.2009.2012869 (filters); means of stretches and a shrunk covariance (Ledoit
    and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4): Blankertz et al. 2011, NeuroImage 56, 814–825.

    Classes may be rare: priors are by count, so that probabilities are right for the recording. Where evidence is
    summed over flashes the prior is removed again (:class:`workbench.decoders.Flashes`).
    """

    name: ClassVar[str] = "xdawn_lda"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.8, reference=no_reference)
    time_locked: ClassVar[bool] = True
    learned: ClassVar[tuple[str, ...]] = ("filters_", "weights_", "bias_")

    filters_: FloatArray
    weights_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        band: tuple[float, float] = (0.5, 20.0),
        n_filters: int = 4,
        latency_s: float = 0.0,
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


DECODER = XdawnLda
