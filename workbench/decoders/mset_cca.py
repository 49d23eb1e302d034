"""Multiset canonical correlation analysis: references learned from trials that are locked to the stimulus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.classifiers import Direct
from workbench.decoding.correlations import Canonical
from workbench.decoding.reducers import Whole
from workbench.errors import BadValue
from workbench.fitting.spatial import top_filters
from workbench.fitting.steady_state import CORRELATION_EVIDENCE, LATENCY_S, sub_bands
from workbench.fitting.templates import check_trials
from workbench.kernels.correlation import orthonormal
from workbench.messages import Message
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
    joined = centred.transpose(1, 0, 2).reshape(n_times, -1)
    covariance = joined.T @ joined
    owner = np.repeat(np.arange(n), n_channels)
    within = np.where(owner[:, None] == owner, covariance, 0.0)
    # Blocks off the diagonal are what two different trials share.
    w = top_filters(covariance - within, within, 1)[0].reshape(n, n_channels)
    signals: FloatArray = np.einsum("ntc,nc->tn", centred, w)
    return signals


class MsetCca(WindowDecoder):
    """Greatest correlation of a window with what the trials of each class have in common.

    Parameters
    ----------
    fs : rate in Hz.
    bands : the one pass band in Hz; 6–90 Hz by default, lower at low rates.
    latency_s : from the stimulus to the start of the window, s.
    window_s : 1.0 s by default. hop_s : s.
    reference : ``"auto"`` takes none; ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`.

    Attributes
    ----------
    references_ : ``(n_window, n_classes · n_trials)`` float64, orthonormal for each class; zeros where a class has
        fewer trials than another.

    Notes
    -----
    Zhang, Zhou, Jin, Wang and Cichocki 2014, doi:10.1142/S0129065714500130. Trials must be locked in phase.
    """

    name: ClassVar[str] = "mset_cca"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(
        window_s=1.0, reference=no_reference, shape="chebyshev1"
    )
    evidence_defaults: ClassVar[Mapping[str, Any]] = CORRELATION_EVIDENCE
    scores_hold_prior: ClassVar[bool] = False
    time_locked: ClassVar[bool] = True
    learned: ClassVar[tuple[str, ...]] = ("references_",)

    references_: FloatArray

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
        """Pass bands, Hz: those given, or the first sub-band at this rate."""
        return sub_bands(self.fs, 1) if self.bands is None else as_bands(self.bands)

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        check_trials(y, self.classes_)
        if len(self.settings.bands) != 1:
            raise BadValue(Message("fit.one_band", got=len(self.settings.bands)))
        # Stored as one array: columns of zeros correlate with nothing.
        n_trials = max(int((y == name).sum()) for name in self.classes_)
        bases = []
        for name in self.classes_:
            columns = np.zeros((summaries.shape[1], n_trials))
            signals = common_signals(summaries[y == name])
            # The rest stays 0, which orthonormal passes over.
            columns[:, : signals.shape[1]] = signals
            out = np.empty_like(columns)
            orthonormal(columns, out)
            bases.append(out)
        self.references_ = np.concatenate(bases, axis=1)

    def reducer(self) -> Whole:
        """Every sample."""
        return Whole()

    def _features(self) -> Canonical:
        return Canonical(self.references_, np.ones(1), power=1, n_classes=len(self.classes_))

    def _classifier(self) -> Direct:
        return Direct()


DECODER = MsetCca
