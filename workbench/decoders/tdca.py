"""Task-discriminant component analysis of steady-state responses that are locked to the stimulus."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._ssvep import band_weights
from workbench.decoders._template_coded import TemplateCoded
from workbench.decoders._trca import check_trials, folded
from workbench.decoding.correlations import Template
from workbench.fitting.spatial import top_filters
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
        apart = (trials - mean).reshape(-1, trials.shape[2])
        within += apart.T @ apart / len(trials)
    rows = top_filters(between, within / len(means), N_FILTERS)
    return np.pad(rows, ((0, min(N_FILTERS, within.shape[0]) - len(rows)), (0, 0)))


class Tdca(TemplateCoded):
    """Correlation with the mean trial of each class, through filters in space and time that tell classes apart.

    Parameters
    ----------
    fs, frequencies, harmonics, bands, latency_s, window_s, hop_s, reference, mains_hz, evidence : see
        :class:`workbench.decoders._template_coded.TemplateCoded`.

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
    learned: ClassVar[tuple[str, ...]] = ("references_", "filters_", "templates_")

    filters_: FloatArray
    templates_: FloatArray

    def _learn_templates(self, windows: FloatArray, y: NDArray[Any]) -> None:
        check_trials(y, self.classes_)
        self._learn_references()
        n_classes = len(self.classes_)
        own = self.references_.reshape(len(self.references_), n_classes, -1).transpose(1, 0, 2)
        filters, templates = [], []
        for band in self._bands_of(windows):
            whole = []
            for name, q in zip(self.classes_, own):
                near = delayed(band[y == name])
                whole.append(np.concatenate([near, q @ (q.T @ near)], axis=1))
            rows = discriminant(whole)
            filtered = np.array([trials.mean(axis=0) @ rows.T for trials in whole])
            serving = np.repeat(rows[None], n_classes, axis=0)
            templates.append(folded(filtered, serving, self.references_, band.shape[2]))
            filters.append(rows)
        self.filters_ = np.array(filters)
        self.templates_ = np.array(templates)

    def _features(self) -> Template:
        weights = band_weights(len(self.settings.bands))
        return Template(self.filters_, self.references_, self.templates_, weights, ensemble=True)


DECODER = Tdca
