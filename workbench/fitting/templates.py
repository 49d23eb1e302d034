"""Templates of responses locked to the stimulus. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadSignal
from workbench.fitting.spatial import top_filters
from workbench.fitting.steady_state import by_band
from workbench.kernels.templates import fold
from workbench.messages import Message
from workbench.vocabulary import FloatArray


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
    energy = flat.T @ flat
    # Products of different trials only: the square of the sum less the squares of each.
    total = centred.sum(axis=0)
    best: FloatArray = top_filters(total.T @ total - energy, energy, 1)[0]
    return best


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
        template = np.empty((n_times, n_channels))
        class_references = np.ascontiguousarray(references[:, k * n_references : (k + 1) * n_references])
        fold(np.ascontiguousarray(templates[k]), np.ascontiguousarray(filters[k]), class_references, template)
        out[:, k] = template.ravel()
    return out


def check_trials(y: NDArray[Any], classes: NDArray[Any]) -> None:
    """Raise :class:`BadSignal` when a class has a single trial, which has nothing to be compared with."""
    for name in classes:
        n = int((y == name).sum())
        if n < 2:
            raise BadSignal(Message("fit.template_trials", name=f"{name!s}", n=n))


def no_references(n_window: int) -> FloatArray:
    """``(n_window, 0)`` float64: the references of a template that needs no sines and cosines."""
    return np.empty((n_window, 0))


def task_related_templates(
    windows: FloatArray, y: NDArray[Any], *, classes: NDArray[Any], n_bands: int, ensemble: bool
) -> tuple[FloatArray, FloatArray]:
    """Task-related filters of each sub-band and class, and the mean trials seen through them.

    Parameters
    ----------
    windows : ``(n, n_window, n_lanes)`` float64, µV. y : ``(n,)`` classes. classes : sorted.
    n_bands : sub-bands among the lanes, band after band.
    ensemble : whether the filters of all classes serve each class.

    Returns
    -------
    filters : ``(n_bands, n_classes, n_channels)`` float64.
    templates : ``(n_bands, n_window · n_channels, n_classes)`` float64: mean trials, filtered and folded.

    Raises
    ------
    BadSignal
        When a class has a single trial.
    """
    check_trials(y, classes)
    filters, templates = [], []
    for band in by_band(windows, n_bands):
        trials = [band[y == name] for name in classes]
        class_filters = np.array([task_related(group) for group in trials])
        serving = (
            np.repeat(class_filters[None], len(class_filters), axis=0) if ensemble else class_filters[:, None]
        )
        filtered = np.array([group.mean(axis=0) @ rows.T for group, rows in zip(trials, serving)])
        templates.append(folded(filtered, serving, no_references(windows.shape[1]), band.shape[2]))
        filters.append(class_filters)
    return np.array(filters), np.array(templates)
