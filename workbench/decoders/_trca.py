"""Templates of responses locked to the stimulus. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._locked import TimeLocked
from workbench.decoders._ssvep import Ssvep, band_weights
from workbench.decoding.correlations import Template
from workbench.errors import BadSignal
from workbench.fitting.spatial import top_filters
from workbench.kernels.templates import fold
from workbench.vocabulary import FloatArray

LATENCY_S = 0.14
"""From the retina to the response, s; Chen et al. 2015, doi:10.1073/pnas.1508080112."""


def task_related(trials: FloatArray) -> FloatArray:
    """The spatial filter whose output is most alike from trial to trial.

    Parameters
    ----------
    trials : ``(n, n_times, n_channels)`` float64, µV, two or more.

    Returns
    -------
    ``(n_channels,)`` float64, of unit length.

    Notes
    -----
    Top eigenvector of Q⁻¹ S, S = (Σ X)(Σ X)ᵀ - Σ X Xᵀ, Q = Σ X Xᵀ of centred trials. Nakanishi et al. 2018,
    doi:10.1109/TBME.2017.2694818.
    """
    centred = trials - trials.mean(axis=1, keepdims=True)
    flat = centred.reshape(-1, trials.shape[2])
    whole = flat.T @ flat
    total = centred.sum(axis=0)
    alone: FloatArray = top_filters(total.T @ total - whole, whole, 1)[0]
    return alone


def folded(templates: FloatArray, filters: FloatArray, references: FloatArray, n_channels: int) -> FloatArray:
    """Templates folded with filters, so that their product with a window is the correlation.

    Parameters
    ----------
    templates : ``(n_classes, n_rows, n_filters)`` float64, filtered.
    filters : ``(n_classes, n_filters, n_copies · n_channels)`` float64, those that serve each class.
    references : ``(n_times, n_classes · n_references)`` float64, or no column. n_channels : of a sub-band.

    Returns
    -------
    ``(n_times · n_channels, n_classes)`` float64.
    """
    n_times, n_classes = len(references), len(templates)
    n_references = references.shape[1] // n_classes
    out = np.empty((n_times * n_channels, n_classes))
    for k in range(n_classes):
        one = np.empty((n_times, n_channels))
        own = np.ascontiguousarray(references[:, k * n_references : (k + 1) * n_references])
        fold(np.ascontiguousarray(templates[k]), np.ascontiguousarray(filters[k]), own, one)
        out[:, k] = one.ravel()
    return out


def check_trials(y: NDArray[Any], classes: NDArray[Any]) -> None:
    """Raise :class:`BadSignal` when a class has a single trial, of which nothing can be like another."""
    for name in classes:
        n = int((y == name).sum())
        if n < 2:
            raise BadSignal(
                f"class {name!s} has {n} trial to learn a template from; 2 are needed, and 3 where probabilities "
                "are calibrated on held-out ones. Record more, or set evidence={'calibrate': None}"
            )


class TaskRelated(TimeLocked, Ssvep):
    """TRCA: a filter of each class and sub-band, and the correlation with the mean trial.

    Parameters
    ----------
    fs : rate in Hz.
    bands : pass bands in Hz; the sub-bands [8 n - 2, 90] by default, lower at low rates.
    latency_s : from the stimulus to the start of the window, s.
    window_s, hop_s : s.
    reference : ``"auto"`` takes none; ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`.
    """

    ensemble: ClassVar[bool]
    default_window_s: ClassVar[float] = 1.0
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

    def _learn_templates(self, windows: FloatArray, y: NDArray[Any]) -> None:
        check_trials(y, self.classes_)
        filters, templates = [], []
        for band in self._bands_of(windows):
            trials = [band[y == name] for name in self.classes_]
            own = np.array([task_related(one) for one in trials])
            serving = np.repeat(own[None], len(own), axis=0) if self.ensemble else own[:, None]
            filtered = np.array([one.mean(axis=0) @ rows.T for one, rows in zip(trials, serving)])
            templates.append(folded(filtered, serving, self._no_reference(), band.shape[2]))
            filters.append(own)
        self.filters_, self.templates_ = np.array(filters), np.array(templates)

    def _features(self) -> Template:
        weights = band_weights(len(self.settings.bands))
        return Template(self.filters_, self._no_reference(), self.templates_, weights, ensemble=self.ensemble)

    def _no_reference(self) -> FloatArray:
        return np.empty((self.settings.n_window(self.fs), 0))
