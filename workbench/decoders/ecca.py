"""Extended canonical correlation analysis: sines and cosines, and the person's own mean trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.classifiers import Direct
from workbench.decoding.correlations import Extended
from workbench.decoding.reducers import Whole
from workbench.fitting.steady_state import (
    CORRELATION_EVIDENCE,
    LATENCY_S,
    band_weights,
    by_band,
    references,
    sub_bands,
)
from workbench.kernels.correlation import canonical_filters, orthonormal
from workbench.vocabulary import FloatArray


class Ecca(WindowDecoder):
    """Four correlations of a window with the sines, cosines and mean trial of each class.

    Parameters
    ----------
    fs : rate in Hz.
    frequencies : mapping of the name of each class to its frequency in Hz, such as ``{"13": 13.0}``.
    harmonics : sines and cosines of so many multiples of each frequency; those above the pass band are left out.
    bands : pass bands in Hz; the sub-bands [8 n - 2, 90] by default, lower at low rates.
    latency_s : from the stimulus to the start of the window, s.
    window_s : 1.0 s by default. hop_s : s.
    reference : ``"auto"`` takes none; ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`.

    Attributes
    ----------
    references_ : ``(n_window, n_classes · 2 · harmonics)`` float64, orthonormal for each class.
    means_ : ``(n_bands, n_classes, n_window, n_channels)`` float64, µV: mean trials.
    bases_ : ``(n_bands, n_window, n_classes · n_channels)`` float64: orthonormal columns of the mean trials.
    filters_ : ``(n_bands, n_classes, n_channels)`` float64: filters of the mean trials with the references.

    Notes
    -----
    Chen et al. 2015, doi:10.1073/pnas.1508080112: r₁ of window X and references Y; r₂, r₃ and r₄ of the window and
    the mean trial X̂ through the filters of X with X̂, of X with Y and of X̂ with Y; Σ sign(r) r², in sub-bands
    weighed by n^-1.25 + 0.25. Trials must be locked in phase.
    """

    name: ClassVar[str] = "ecca"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(
        window_s=1.0, reference=no_reference, shape="chebyshev1"
    )
    evidence_defaults: ClassVar[Mapping[str, Any]] = CORRELATION_EVIDENCE
    scores_hold_prior: ClassVar[bool] = False
    time_locked: ClassVar[bool] = True
    learned: ClassVar[tuple[str, ...]] = ("references_", "means_", "bases_", "filters_")

    references_: FloatArray
    means_: FloatArray
    bases_: FloatArray
    filters_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        frequencies: Mapping[str, float] | None = None,
        harmonics: int = 5,
        bands: Sequence[tuple[float, float]] | None = None,
        latency_s: float = LATENCY_S,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.frequencies = frequencies
        self.harmonics = harmonics
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
        self.references_ = references(
            self.class_names, self.frequencies, harmonics=self.harmonics, settings=self.settings, fs=self.fs
        )
        n_references = 2 * self.harmonics
        means, bases, filters = [], [], []
        for band in by_band(summaries, len(self.settings.bands)):
            mean_trials = np.array([band[y == name].mean(axis=0) for name in self.classes_])
            q, rows = np.empty_like(mean_trials), np.empty((len(mean_trials), band.shape[2]))
            for k, mean in enumerate(mean_trials):
                # Once at the fit: the stream then needs products only, and no decomposition of the template.
                orthonormal(np.ascontiguousarray(mean - mean.mean(axis=0)), q[k])
                columns = np.ascontiguousarray(self.references_[:, k * n_references : (k + 1) * n_references])
                canonical_filters(mean, columns, np.empty(1), rows[k : k + 1], np.empty((1, n_references)))
            means.append(mean_trials)
            bases.append(np.concatenate(list(q), axis=1))
            filters.append(rows)
        self.means_, self.bases_, self.filters_ = np.array(means), np.array(bases), np.array(filters)

    def reducer(self) -> Whole:
        """Every sample."""
        return Whole()

    def _features(self) -> Extended:
        weights = band_weights(len(self.settings.bands))
        return Extended(self.references_, self.means_, self.bases_, self.filters_, weights)

    def _classifier(self) -> Direct:
        return Direct()


DECODER = Ecca
