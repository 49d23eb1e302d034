"""Band power, shrinkage LDA and a hidden Markov gate: rest against one or more movements, self-paced.

Log band power of a causal filter bank, z-scored by a running mean and variance of rest, a linear
discriminant, and the forward step of a hidden Markov chain at every hop. A small ECoG montage is whitened
in each band first, and the bands of high gamma are summed once they are white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import ECOG_RATE, WindowDecoder
from workbench.decoders._lda import shrinkage_lda
from workbench.decoders._scorers import FLOOR, BandCovariance, BandpowerScorer, WhitenedScorer
from workbench.decoders._stream import Gate, Norm, Reducer, Scorer
from workbench.decoders._white import rest_lda, whitening
from workbench.errors import BadSignal, BadValue
from workbench.signals import SignalSettings
from workbench.vocabulary import FloatArray

ECOG_BANDS_50 = ((8, 13), (13, 20), (20, 30), (30, 45), (55, 95), (105, 145))
"""Default bands of ECoG with 50 Hz mains that is not whitened, Hz."""

ECOG_BANDS_60 = ((8, 13), (13, 20), (20, 30), (30, 45), (65, 115), (125, 175))
"""Default bands of ECoG with 60 Hz mains that is not whitened, Hz."""

WHITE_BANDS_50 = (
    *((8, 13), (13, 20), (20, 30), (30, 45)),
    *((55, 70), (70, 85), (85, 105), (105, 125), (125, 145)),
)
"""Default bands of whitened ECoG with 50 Hz mains, Hz: high gamma without a hole, in bands where it is flat."""

WHITE_BANDS_60 = (
    *((8, 13), (13, 20), (20, 30), (30, 45)),
    *((65, 80), (80, 95), (95, 115), (115, 145), (145, 175)),
)
"""Default bands of whitened ECoG with 60 Hz mains, Hz."""

HIGH_GAMMA_HZ = 50.0
"""Default bands of whitened ECoG above this are summed to one, Hz."""

WHITE_WINDOW_S = 0.2
"""Default window where it whitens, s."""

WHITE_CHANNELS = 16
"""Up to so many channels an ECoG montage is whitened by default; more need more rest to learn it from."""

STAGES = 3
"""Stages through which the gate passes in the time it holds a state."""

EEG_BANDS = ((8, 12), (12, 16), (16, 20), (20, 26), (26, 32))
"""Default bands of EEG, Hz."""


class BandpowerLda(WindowDecoder):
    """Whitening (ECoG) → log band power → z-score → LDA → HMM gate.

    Parameters
    ----------
    fs : rate in Hz.
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : by default 0.2 s where it whitens, else 0.5 s. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, ``"white"``, or bipolar pairs of channel indices. White takes
        out what channels share, in each band, as rest shows it; it is the default for ECoG of at most 16 channels.
    mains_hz : 50, 60, or 0 for no notch.
    rest : name of the rest class. Where the classes have none there is no gate and no running
        normalisation: two cued movements have no rest to track.
    gamma : exponent of the gate's likelihood, below 1 because windows overlap: a hop of 0.05 s in a window of
        0.2 s adds a quarter. None for no gate.
    dwell_s : expected stay in rest, expected stay in a movement, and how much of both, s, is a hold: before it
        is over, leaving is unlikely; after it the stay has no memory. Two values for no hold.
    tau_s : time constant of the running normalisation, s; None to freeze it at the fit.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power in rest (of all windows without rest).
    weights_ : ``(n_classes, n_features)`` float64. bias_, log_prior_ : ``(n_classes,)`` float64.
    filters_ : ``(n_bands, n, n)`` float64, whitening of each band by rest; no band where it does not whiten.
    group_ : ``(n_bands,)`` float64, the feature to which each band belongs.

    Notes
    -----
    Fitting z-scores by rest, because that is what the running normalisation tracks: it is frozen while the
    gate's most likely state is a movement. Shrinkage: Ledoit and Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4; forward step and stages: Rabiner 1989, doi:10.1109/5.18626, sections III
    and IV D; whitening: Kessy et al. 2018, doi:10.1080/00031305.2016.1277159. High gamma falls steeply with
    frequency: a wide band is ruled by its low edge, so narrow bands are made equal in power by the whitening and
    then averaged, as Bouchard et al. 2013 do, doi:10.1038/nature11911.
    With a rest class, and only where whitening has made the channels nearly independent, overlapping windows
    count by what they are worth, means are shrunk, and scale and offset come from held-out folds
    (:func:`workbench.decoders._white.rest_lda`); windows are best given in the order of time. On channels that
    share most of what they say (64 of EEG) that shrinkage loses the topography, so it is left out there.
    """

    name: ClassVar[str] = "bandpower_lda"
    default_window_s: ClassVar[float] = 0.5
    learned: ClassVar[tuple[str, ...]] = (
        *("mean_", "variance_", "weights_", "bias_", "log_prior_"),
        *("filters_", "group_"),
    )

    mean_: FloatArray
    variance_: FloatArray
    weights_: FloatArray
    bias_: FloatArray
    log_prior_: FloatArray
    filters_: FloatArray
    group_: FloatArray

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
        gamma: float | None = 0.25,
        dwell_s: Sequence[float] = (5.0, 3.0, 1.5),
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

    def settings_for(self, n_channels: int, *, window_s: float | None = None) -> SignalSettings:
        """As every decoder's, but for a montage that it whitens: no reference, and bands of its own."""
        bands = self._bands_for(n_channels)
        if not self._whitens(n_channels):
            return replace(super().settings_for(n_channels, window_s=window_s), bands=bands)
        return SignalSettings(
            bands=bands,
            window_s=window_s or self.window_s or WHITE_WINDOW_S,
            mains_hz=self.mains_hz,
            hop_s=self.hop_s,
        )

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz: those given, or the default for the rate, the mains and the montage (8 channels)."""
        return self._bands_for(getattr(self, "n_channels_in_", 8))

    def feature_bands(self) -> tuple[tuple[float, float], ...]:
        """Bands of the features, Hz: from the least to the greatest edge of those that share one."""
        shared = [
            [band for band, own in zip(self.settings.bands, self.group_) if own == group]
            for group in np.unique(self.group_)
        ]
        return tuple((min(low for low, _ in bands), max(high for _, high in bands)) for bands in shared)

    def _bands_for(self, n_channels: int) -> tuple[tuple[float, float], ...]:
        if self.bands is not None:
            return tuple((float(low), float(high)) for low, high in self.bands)
        if self.fs < ECOG_RATE:
            return EEG_BANDS
        if self._whitens(n_channels):
            return WHITE_BANDS_60 if self.mains_hz == 60 else WHITE_BANDS_50
        return ECOG_BANDS_60 if self.mains_hz == 60 else ECOG_BANDS_50

    def default_window(self, n_channels: int) -> float:
        """0.2 s where it whitens, as the gate sums evidence over time by itself; else 0.5 s."""
        return WHITE_WINDOW_S if self._whitens(n_channels) else self.default_window_s

    def _whitens(self, n_channels: int) -> bool:
        if self.reference == "auto":
            return self.fs >= ECOG_RATE and 2 <= n_channels <= WHITE_CHANNELS
        return self.reference == "white"

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self._check_gate()
        power = np.array([self._reducer().lane_power(summary) for summary in summaries])
        if float(np.median(power)) < 100 * FLOOR:
            raise BadSignal(
                f"the band power is {float(np.median(power)):.2g} µV²; samples must be in µV (volts × 1e6)"
            )
        rest = self._rest_index()
        quiet = np.full(len(y), fill_value=True) if rest is None else y == self.classes_[rest]
        white = self._whitens(self.n_channels_in_)
        self.filters_ = whitening(summaries[quiet].mean(axis=0)) if white else np.zeros((0, 0, 0))
        self.group_ = self._groups(white=white)
        n_features = power.shape[1] // len(self.group_) * len(np.unique(self.group_))
        self.mean_, self.variance_ = np.zeros(n_features), np.ones(n_features)
        self.weights_, self.bias_ = np.zeros((1, n_features)), np.zeros(1)
        plain = self._scorer()
        logs = np.array([plain.features(summary) for summary in summaries])
        self.mean_, self.variance_ = logs[quiet].mean(axis=0), logs[quiet].var(axis=0)
        if not (self.variance_ > 0).all():
            raise BadSignal("band power does not vary between the windows; the recording repeats itself")
        z = (logs - self.mean_) / np.sqrt(self.variance_)
        if rest is None or not white:
            self.weights_, self.bias_, self.log_prior_ = shrinkage_lda(z, y)
            return
        index = np.searchsorted(self.classes_, y)
        n_bands = len(np.unique(self.group_))
        self.weights_, self.bias_, self.log_prior_ = rest_lda(z, index, rest=rest, n_bands=n_bands)

    def _groups(self, *, white: bool) -> FloatArray:
        """``(n_bands,)`` float64: feature of each band; the default bands of high gamma share one where white."""
        bands = self.settings.bands
        own = np.arange(len(bands), dtype=np.float64)
        if not white or self.bands is not None:
            return own
        first = sum(low < HIGH_GAMMA_HZ for low, _ in bands)
        return np.minimum(own, float(first))

    def _reducer(self) -> Reducer:
        if self._whitens(self.n_channels_in_):
            return BandCovariance(len(self.settings.bands))
        return BandpowerScorer

    def _scorer(self) -> Scorer:
        norm = Norm(self.mean_, self.variance_)
        if len(self.filters_):
            return WhitenedScorer(self.filters_, self.group_, self.weights_, self.bias_, norm)
        return BandpowerScorer(self.weights_, self.bias_, norm)

    def _rest_index(self) -> int | None:
        """Index of the rest class, None without one."""
        names = [str(name) for name in self.classes_.tolist()]
        return names.index(self.rest) if self.rest in names else None

    def _gate(self) -> Gate | None:
        rest = self._rest_index()
        if rest is None or self.gamma is None:
            return None
        n, hop_s = len(self.classes_), self.settings.n_hop(self.fs) / self.fs
        dwell = [self.dwell_s[0] if k == rest else self.dwell_s[1] for k in range(n)]
        stays = [(k, stay) for k in range(n) for stay in self._stays(dwell[k])]
        owner = tuple(k for k, _ in stays)
        transition = np.zeros((len(stays), len(stays)))
        for i, (k, stay) in enumerate(stays):
            transition[i, i] = 1.0 - hop_s / stay
            last = i + 1 == len(stays) or owner[i + 1] != k
            following = [owner.index(other) for other in range(n) if other != k] if last else [i + 1]
            transition[i, following] = hop_s / stay / len(following)
        return Gate(
            transition=transition,
            initial=np.array([stay for _, stay in stays]) / sum(dwell),
            owner=owner,
            log_prior=self.log_prior_[list(owner)],
            gamma=float(self.gamma),
            rest=rest,
            rate=0.0 if self.tau_s is None else hop_s / self.tau_s,
            norm=Norm(self.mean_, self.variance_),
        )

    def _stays(self, dwell: float) -> list[float]:
        """Expected stay in each stage of a state, s."""
        if len(self.dwell_s) == 2:
            return [float(dwell)]
        hold = float(self.dwell_s[2])
        return [hold / STAGES] * STAGES + [dwell - hold]

    def _check_gate(self) -> None:
        if self.gamma is not None and not 0 < self.gamma <= 1:
            raise BadValue(f"gamma must lie above 0 and at most at 1, or be None, got {self.gamma}")
        if len(self.dwell_s) not in (2, 3) or not min(self.dwell_s[:2]) > self.hop_s:
            raise BadValue(
                f"dwell_s must be two times above the hop of {self.hop_s:g} s, and how much of them is a hold, "
                f"got {tuple(self.dwell_s)}"
            )
        least, most = STAGES * self.hop_s, min(self.dwell_s[:2]) - self.hop_s
        if len(self.dwell_s) == 3 and not least < self.dwell_s[2] < most:
            raise BadValue(
                f"the hold in dwell_s must lie between {least:g} and {most:g} s, got {self.dwell_s[2]}; "
                "leave it out for none"
            )
        if self.tau_s is not None and not self.tau_s > self.hop_s:
            raise BadValue(f"tau_s must be above the hop of {self.hop_s:g} s, or None, got {self.tau_s}")


DECODER = BandpowerLda
