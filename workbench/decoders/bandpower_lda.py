"""Band power, shrinkage LDA and a hidden Markov gate: rest against one or more movements, self-paced.

Log band power of a causal filter bank, z-scored by a running mean and variance of rest, a linear
discriminant, and the forward step of a hidden Markov chain at every hop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import ECOG_RATE, WindowDecoder
from workbench.decoders._lda import shrinkage_lda
from workbench.decoders._scorers import FLOOR, BandpowerScorer
from workbench.decoders._stream import Gate, Norm, Scorer
from workbench.errors import BadSignal, BadValue
from workbench.vocabulary import FloatArray

ECOG_BANDS_50 = ((8, 13), (13, 20), (20, 30), (30, 45), (55, 95), (105, 145))
"""Default bands of ECoG with 50 Hz mains, Hz."""

ECOG_BANDS_60 = ((8, 13), (13, 20), (20, 30), (30, 45), (65, 115), (125, 175))
"""Default bands of ECoG with 60 Hz mains, Hz."""

EEG_BANDS = ((8, 12), (12, 16), (16, 20), (20, 26), (26, 32))
"""Default bands of EEG, Hz."""


class BandpowerLda(WindowDecoder):
    """Log band power → z-score → LDA → HMM gate.

    Parameters
    ----------
    fs : rate in Hz.
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : 0.5 s by default. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    rest : name of the rest class. Where the classes have none there is no gate and no running
        normalisation: two cued movements have no rest to track.
    gamma : exponent of the gate's likelihood, below 1 because windows overlap; None for no gate.
    dwell_s : expected stay in rest and in a movement, s.
    tau_s : time constant of the running normalisation, s; None to freeze it at the fit.

    Attributes
    ----------
    mean_, variance_ : ``(n_lanes,)`` float64, of log power in rest (of all windows without rest).
    weights_ : ``(n_classes, n_lanes)`` float64. bias_, log_prior_ : ``(n_classes,)`` float64.

    Notes
    -----
    Fitting z-scores by rest, because that is what the running normalisation tracks: it is frozen while the
    gate's most likely state is a movement. Shrinkage: Ledoit and Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4; forward step: Rabiner 1989, doi:10.1109/5.18626.
    """

    name: ClassVar[str] = "bandpower_lda"
    default_window_s: ClassVar[float] = 0.5
    learned: ClassVar[tuple[str, ...]] = ("mean_", "variance_", "weights_", "bias_", "log_prior_")
    scorer: ClassVar[type[Scorer]] = BandpowerScorer

    mean_: FloatArray
    variance_: FloatArray
    weights_: FloatArray
    bias_: FloatArray
    log_prior_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        rest: str | None = "rest",
        gamma: float | None = 0.35,
        dwell_s: tuple[float, float] = (5.0, 3.0),
        tau_s: float | None = 120.0,
    ) -> None:
        self.fs = fs
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.rest = rest
        self.gamma = gamma
        self.dwell_s = dwell_s
        self.tau_s = tau_s

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz: those given, or the default for the rate and the mains."""
        if self.bands is not None:
            return tuple((float(low), float(high)) for low, high in self.bands)
        if self.fs < ECOG_RATE:
            return EEG_BANDS
        return ECOG_BANDS_60 if self.mains_hz == 60 else ECOG_BANDS_50

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self._check_gate()
        if float(np.median(summaries)) < 100 * FLOOR:
            raise BadSignal(
                f"the band power is {float(np.median(summaries)):.2g} µV²; samples must be in µV (volts × 1e6)"
            )
        self.weights_ = np.zeros((1, summaries.shape[1]))
        plain = BandpowerScorer(self.weights_, np.zeros(1), Norm(summaries[0], summaries[0]))
        logs = np.array([plain.features(summary) for summary in summaries])
        index = self._rest_index()
        quiet = logs if index is None else logs[y == self.classes_[index]]
        self.mean_, self.variance_ = quiet.mean(axis=0), quiet.var(axis=0)
        if not (self.variance_ > 0).all():
            raise BadSignal("band power does not vary between the windows; the recording repeats itself")
        z = (logs - self.mean_) / np.sqrt(self.variance_)
        self.weights_, self.bias_, self.log_prior_ = shrinkage_lda(z, y)

    def _scorer(self) -> Scorer:
        return BandpowerScorer(self.weights_, self.bias_, Norm(self.mean_, self.variance_))

    def _rest_index(self) -> int | None:
        """Index of the rest class, None without one."""
        names = [str(name) for name in self.classes_.tolist()]
        return names.index(self.rest) if self.rest in names else None

    def _gate(self) -> Gate | None:
        rest = self._rest_index()
        if rest is None or self.gamma is None:
            return None
        n, hop_s = len(self.classes_), self.settings.n_hop(self.fs) / self.fs
        dwell = np.full(n, float(self.dwell_s[1]))
        dwell[rest] = self.dwell_s[0]
        leave = hop_s / dwell
        transition = np.repeat((leave / (n - 1))[:, None], n, axis=1)
        transition[np.arange(n), np.arange(n)] = 1.0 - leave
        return Gate(
            transition=transition,
            initial=dwell / sum(dwell.tolist()),
            log_prior=self.log_prior_,
            gamma=float(self.gamma),
            rest=rest,
            rate=0.0 if self.tau_s is None else hop_s / self.tau_s,
            norm=Norm(self.mean_, self.variance_),
        )

    def _check_gate(self) -> None:
        if self.gamma is not None and not 0 < self.gamma <= 1:
            raise BadValue(f"gamma must lie above 0 and at most at 1, or be None, got {self.gamma}")
        if len(self.dwell_s) != 2 or not min(self.dwell_s) > self.hop_s:
            raise BadValue(f"dwell_s must be two times above the hop of {self.hop_s:g} s, got {self.dwell_s}")
        if self.tau_s is not None and not self.tau_s > self.hop_s:
            raise BadValue(f"tau_s must be above the hop of {self.hop_s:g} s, or None, got {self.tau_s}")


DECODER = BandpowerLda
