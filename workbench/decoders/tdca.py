"""Task-discriminant component analysis of steady-state responses that are locked to the stimulus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.classifiers import Direct
from workbench.decoding.correlations import Template
from workbench.decoding.reducers import Whole
from workbench.fitting.spatial import top_filters
from workbench.fitting.steady_state import (
    CORRELATION_EVIDENCE,
    LATENCY_S,
    band_weights,
    by_band,
    references,
    sub_bands,
)
from workbench.fitting.templates import check_trials, folded
from workbench.vocabulary import FloatArray

LAGS = 5
"""Copies of the window, each one sample later than the one before."""

N_FILTERS = 8
"""Filters kept of each sub-band."""


def delayed(windows: FloatArray) -> FloatArray:
    """Windows beside their copies, sample ``t`` of copy ``l`` being sample ``t + l``, 0 past the end.

    Parameters
    ----------
    windows : ``(n, n_times, n_channels)`` float64.

    Returns
    -------
    ``(n, n_times, (1 + LAGS) · n_channels)`` float64, copies outermost.
    """
    n, n_times, n_channels = windows.shape
    out = np.zeros((n, n_times, LAGS + 1, n_channels))
    for lag in range(LAGS + 1):
        out[:, : n_times - lag, lag] = windows[:, lag:]
    return out.reshape(n, n_times, -1)


def discriminant(classes: list[FloatArray]) -> FloatArray:
    """Filters that make the scatter between classes greatest against the scatter within them.

    Parameters
    ----------
    classes : of each class ``(n, n_rows, n_lanes)`` float64: windows beside their copies, and behind them in time
        their projections.

    Returns
    -------
    ``(min(N_FILTERS, n_lanes), n_lanes)`` float64: the best first, rows of 0 behind them where the scatter has a
    lower rank, so that every sub-band has as many.
    """
    means = [trials.mean(axis=0) for trials in classes]
    grand = np.mean(means, axis=0)
    between = sum((mean - grand).T @ (mean - grand) for mean in means) / len(means)
    within = np.zeros_like(between)
    for trials, mean in zip(classes, means):
        residuals = (trials - mean).reshape(-1, trials.shape[2])
        within += residuals.T @ residuals / len(trials)
    rows = top_filters(between, within / len(means), N_FILTERS)
    # A filter of zeros adds nothing to a correlation.
    return np.pad(rows, ((0, min(N_FILTERS, within.shape[0]) - len(rows)), (0, 0)))


class Tdca(WindowDecoder):
    """Correlation with the mean trial of each class, through filters in space and time that tell classes apart.

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
    filters_ : ``(n_bands, n_filters, 6 · n_channels)`` float64, copies outermost; see :func:`discriminant`.
    templates_ : ``(n_bands, n_window · n_channels, n_classes)`` float64: mean trials, filtered and folded.

    Notes
    -----
    Liu, Chen, Shi, Wang, Gao and Gao 2021, doi:10.1109/TNSRE.2021.3114340: five copies, eight filters, projections
    on sines and cosines of each class. Theirs pads the end of the window that is decided with zeros and trains on
    longer ones; here both are padded, so that templates are what a window looks like. Sub-bands are summed as
    Σ (n^-1.25 + 0.25) sign(r) r². Trials must be locked in phase.
    """

    name: ClassVar[str] = "tdca"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(
        window_s=1.0, reference=no_reference, shape="chebyshev1"
    )
    evidence_defaults: ClassVar[Mapping[str, Any]] = CORRELATION_EVIDENCE
    scores_hold_prior: ClassVar[bool] = False
    time_locked: ClassVar[bool] = True
    learned: ClassVar[tuple[str, ...]] = ("references_", "filters_", "templates_")

    references_: FloatArray
    filters_: FloatArray
    templates_: FloatArray

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
        check_trials(y, self.classes_)
        self.references_ = references(
            self.class_names, self.frequencies, harmonics=self.harmonics, settings=self.settings, fs=self.fs
        )
        n_classes = len(self.classes_)
        class_references = self.references_.reshape(len(self.references_), n_classes, -1).transpose(1, 0, 2)
        filters, templates = [], []
        for band in by_band(summaries, len(self.settings.bands)):
            extended = []
            for name, q in zip(self.classes_, class_references):
                copies = delayed(band[y == name])
                # Projections stand behind the samples in time, so that filters see both.
                extended.append(np.concatenate([copies, q @ (q.T @ copies)], axis=1))
            rows = discriminant(extended)
            filtered = np.array([trials.mean(axis=0) @ rows.T for trials in extended])
            # All filters serve each class, as in ensemble TRCA.
            serving = np.repeat(rows[None], n_classes, axis=0)
            templates.append(folded(filtered, serving, self.references_, band.shape[2]))
            filters.append(rows)
        self.filters_ = np.array(filters)
        self.templates_ = np.array(templates)

    def reducer(self) -> Whole:
        """Every sample."""
        return Whole()

    def _features(self) -> Template:
        weights = band_weights(len(self.settings.bands))
        return Template(self.filters_, self.references_, self.templates_, weights, ensemble=True)

    def _classifier(self) -> Direct:
        return Direct()


DECODER = Tdca
