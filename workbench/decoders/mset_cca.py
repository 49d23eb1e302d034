"""Multiset canonical correlation analysis: references learned from trials that are locked to the stimulus."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._trca import TaskRelated, check_trials
from workbench.decoding.correlations import Canonical
from workbench.errors import BadValue
from workbench.fitting.spatial import top_filters
from workbench.kernels.correlation import orthonormal
from workbench.vocabulary import FloatArray


def common_signals(trials: FloatArray) -> FloatArray:
    """One signal of each trial, such that all are most alike.

    Parameters
    ----------
    trials : ``(n, n_times, n_channels)`` float64, µV, two or more.

    Returns
    -------
    ``(n_times, n)`` float64, centred.

    Notes
    -----
    Top eigenvector of (R - S) w = ρ S w, R of all trials' channels side by side, S its diagonal blocks (MAXVAR).
    Zhang et al. 2014, doi:10.1142/S0129065714500130.
    """
    n, n_times, n_channels = trials.shape
    centred = trials - trials.mean(axis=1, keepdims=True)
    beside = centred.transpose(1, 0, 2).reshape(n_times, -1)
    every = beside.T @ beside
    owner = np.repeat(np.arange(n), n_channels)
    own = np.where(owner[:, None] == owner, every, 0.0)
    w = top_filters(every - own, own, 1)[0].reshape(n, n_channels)
    signals: FloatArray = np.einsum("ntc,nc->tn", centred, w)
    return signals


class MsetCca(TaskRelated):
    """Greatest correlation of a window with what the trials of each class have in common.

    Parameters
    ----------
    fs, bands, latency_s, window_s, hop_s, reference, mains_hz, evidence : see
        :class:`workbench.decoders._trca.TaskRelated`. One band, 6–90 Hz.

    Attributes
    ----------
    references_ : ``(n_window, n_classes · n_trials)`` float64, orthonormal for each class; zeros where a class has
        fewer trials than another.

    Notes
    -----
    Zhang, Zhou, Jin, Wang and Cichocki 2014, doi:10.1142/S0129065714500130. Trials must be locked in phase.
    """

    name: ClassVar[str] = "mset_cca"
    n_bands: ClassVar[int] = 1
    learned: ClassVar[tuple[str, ...]] = ("references_",)

    references_: FloatArray

    def _learn_templates(self, windows: FloatArray, y: NDArray[Any]) -> None:
        check_trials(y, self.classes_)
        if len(self.settings.bands) != 1:
            raise BadValue(f"mset_cca takes one band, got {len(self.settings.bands)}")
        most = max(int((y == name).sum()) for name in self.classes_)
        made = []
        for name in self.classes_:
            columns = np.zeros((windows.shape[1], most))
            signals = common_signals(windows[y == name])
            columns[:, : signals.shape[1]] = signals
            out = np.empty_like(columns)
            orthonormal(columns, out)
            made.append(out)
        self.references_ = np.concatenate(made, axis=1)

    def _features(self) -> Canonical:  # type: ignore[override]
        return Canonical(self.references_, np.ones(1), power=1, n_classes=len(self.classes_))


DECODER = MsetCca
