"""Task-related component analysis of steady-state responses that are locked to the stimulus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.classifiers import Direct
from workbench.decoding.correlations import Template
from workbench.decoding.reducers import Whole
from workbench.fitting.steady_state import CORRELATION_EVIDENCE, LATENCY_S, band_weights, sub_bands
from workbench.fitting.templates import no_references, task_related_templates
from workbench.vocabulary import FloatArray


class Trca(WindowDecoder):
    """Correlation with the mean trial of each class, through the filter of that class.

    Parameters
    ----------
    fs : rate in Hz.
    bands : pass bands in Hz; the sub-bands [8 n - 2, 90] by default, lower at low rates.
    latency_s : from the stimulus to the start of the window, s.
    window_s : 1.0 s by default. hop_s : s.
    reference : ``"auto"`` takes none; ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`.

    Attributes
    ----------
    filters_ : ``(n_bands, n_classes, n_channels)`` float64.
    templates_ : ``(n_bands, n_window · n_channels, n_classes)`` float64: mean trials, filtered and folded.

    Notes
    -----
    Nakanishi, Wang, Chen, Wang, Gao and Jung 2018, doi:10.1109/TBME.2017.2694818. Sub-bands are summed as
    Σ (n^-1.25 + 0.25) sign(r) r². Trials must be locked in phase.
    """

    name: ClassVar[str] = "trca"
    ensemble: ClassVar[bool] = False
    """Whether the filters of all classes are used together."""
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(
        window_s=1.0, reference=no_reference, shape="chebyshev1"
    )
    evidence_defaults: ClassVar[Mapping[str, Any]] = CORRELATION_EVIDENCE
    scores_hold_prior: ClassVar[bool] = False
    time_locked: ClassVar[bool] = True
    learned: ClassVar[tuple[str, ...]] = ("filters_", "templates_")

    filters_: FloatArray
    templates_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        bands: Sequence[tuple[float, float]] | None = None,
        latency_s: float = LATENCY_S,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.bands = bands
        self.latency_s = latency_s
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands, Hz: those given, or the sub-bands at this rate."""
        return sub_bands(self.fs) if self.bands is None else as_bands(self.bands)

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self.filters_, self.templates_ = task_related_templates(
            summaries, y, classes=self.classes_, n_bands=len(self.settings.bands), ensemble=self.ensemble
        )

    def reducer(self) -> Whole:
        """Every sample."""
        return Whole()

    def _features(self) -> Template:
        weights = band_weights(len(self.settings.bands))
        references = no_references(self.settings.n_window(self.fs))
        return Template(self.filters_, references, self.templates_, weights, ensemble=self.ensemble)

    def _classifier(self) -> Direct:
        return Direct()


DECODER = Trca
