"""Band power, shrinkage LDA and a hidden Markov gate: rest against one or more movements, self-paced.

Log band power of a causal filter bank, z-scored by a running mean and variance of rest, a linear
discriminant, and the forward step of a hidden Markov chain at every hop. A small ECoG montage is whitened
in each band first, and the bands of high gamma are summed once they are white.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import ECOG_RATE, SignalDefaults, as_bands, no_reference
from workbench.decoding.classifiers import Linear, Norm
from workbench.decoding.features import FLOOR, LogPower, WhitenedPower
from workbench.decoding.reducers import Covariances, PowerAndNeighbours, Reducer
from workbench.decoding.scorer import Features
from workbench.errors import BadSignal, BadValue
from workbench.fitting.lda import shrinkage_lda
from workbench.fitting.normalisation import fitted_norm
from workbench.fitting.whitening import rest_lda, whitening
from workbench.messages import Message
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

WHITE = SignalDefaults(window_s=0.1, reference=no_reference, order=2)
"""For a whitened montage: the gate sums evidence over time, so windows may be short; whitening takes the place of
a reference; and band-passes of order 4 would take up to twice as long to show a change."""

WHITE_CHANNELS = 16
"""Largest ECoG montage that is whitened by default; more channels need more rest to learn it from."""

EEG_BANDS = ((8, 12), (12, 16), (16, 20), (20, 26), (26, 32))
"""Default bands of EEG, Hz."""


def plain_bands(fs: float, mains_hz: float) -> tuple[tuple[float, float], ...]:
    """Default pass bands in Hz of channels that are not whitened: of EEG below 500 Hz, else of ECoG."""
    if fs < ECOG_RATE:
        return EEG_BANDS
    return ECOG_BANDS_60 if mains_hz == 60 else ECOG_BANDS_50


class BandpowerLda(WindowDecoder):
    """Whitening (ECoG) → log band power → z-score → LDA → HMM gate.

    Parameters
    ----------
    fs : rate in Hz.
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : by default 0.1 s where it whitens, else 0.5 s. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, ``"white"``, or bipolar pairs of channel indices. White takes
        out what channels share, in each band, as rest shows it; it is the default for ECoG of at most 16 channels.
        Where it whitens the band-passes are of order 2, else of order 4.
    mains_hz : 50, 60, or 0 for no notch.
    tau_s : time constant of the running normalisation, s; None to freeze it at the fit. It moves only while
        there is a gate, or another memory, and that says rest: two cued movements have no rest to track.
    evidence, adapt : see :class:`WindowDecoder`. By default a gate with a hold, of exponent 0.25: windows overlap,
        and the filters remember longer than a short window; no gate where the classes have no rest.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power in rest (of all windows without rest).
    weights_ : ``(n_classes, n_features)`` float64. bias_ : ``(n_classes,)`` float64.
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
    (:func:`workbench.fitting.whitening.rest_lda`); windows are best given in the order of time. On channels that
    share most of what they say (64 of EEG) that shrinkage loses the topography, so it is left out there.
    """

    name: ClassVar[str] = "bandpower_lda"
    has_centre: ClassVar[bool] = True
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.5)
    evidence_defaults: ClassVar[Mapping[str, Any]] = {"memory": "gate", "gamma": 0.25, "dwell_s": (5.0, 3.0, 1.5)}
    learned: ClassVar[tuple[str, ...]] = ("mean_", "variance_", "weights_", "bias_", "filters_", "group_")

    mean_: FloatArray
    variance_: FloatArray
    weights_: FloatArray
    bias_: FloatArray
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
        tau_s: float | None = 120.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.tau_s = tau_s
        self.evidence = evidence
        self.adapt = adapt

    def reference_for(self, n_channels: int) -> str | Sequence[tuple[int, int]]:
        """As given; the signal knows no whitening, so that the defaults of a whitened montage serve there."""
        # The signal settings know no reference "white": whitening is part of the features.
        return "auto" if self._whitens(n_channels) else self.reference

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz; before :meth:`prepare`, those for 8 channels."""
        return self.bands_for(getattr(self, "n_channels_in_", 8))

    def bands_for(self, n_channels: int) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz: those given, or the default for the rate, the mains and the montage."""
        if self.bands is not None:
            return as_bands(self.bands)
        if self.fs >= ECOG_RATE and self._whitens(n_channels):
            return WHITE_BANDS_60 if self.mains_hz == 60 else WHITE_BANDS_50
        return plain_bands(self.fs, self.mains_hz)

    def feature_bands(self) -> tuple[tuple[float, float], ...]:
        """Bands of the features, Hz: from the least to the greatest edge of those that share one."""
        shared = [
            [band for band, band_group in zip(self.settings.bands, self.group_) if band_group == group]
            for group in np.unique(self.group_)
        ]
        return tuple((min(low for low, _ in bands), max(high for _, high in bands)) for bands in shared)

    def defaults_for(self, n_channels: int) -> SignalDefaults:
        """0.1 s, no reference and faster filters for a montage that it whitens; else 0.5 s."""
        return WHITE if self._whitens(n_channels) else self.signal_defaults

    def _whitens(self, n_channels: int) -> bool:
        if self.reference == "auto":
            return self.fs >= ECOG_RATE and 2 <= n_channels <= WHITE_CHANNELS
        return self.reference == "white"

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        if self.tau_s is not None and not self.tau_s > self.hop_s:
            raise BadValue(Message("fit.tau", hop=f"{self.hop_s:g}", got=str(self.tau_s)))
        reducer = self.reducer()
        power = np.array([reducer.lane_power(summary) for summary in summaries])
        # Recentred covariances have no unit, so their size says nothing about volts.
        if "whitening" not in self.adaptation_ and float(np.median(power)) < 100 * FLOOR:
            raise BadSignal(Message("fit.power_in_volts", power=f"{float(np.median(power)):.2g}"))
        rest = self.evidence_settings.rest_index(self.class_names)
        quiet = self._quiet(y)
        white = self._whitens(self.n_channels_in_)
        self.filters_ = whitening(summaries[quiet].mean(axis=0)) if white else np.zeros((0, 0, 0))
        self.group_ = self._groups(white=white)
        logs = self._normalise(summaries, quiet)
        z = (logs - self.mean_) / np.sqrt(self.variance_)
        # Without rest there is nothing to discriminate from; without whitening the shrunk means lose topography.
        if rest < 0 or not white:
            self.weights_, self.bias_, _ = shrinkage_lda(z, y)
            return
        n_bands = len(np.unique(self.group_))
        index = np.searchsorted(self.classes_, y)
        self.weights_, self.bias_, _ = rest_lda(z, index, rest=rest, n_bands=n_bands)

    def _quiet(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """``(n,)`` bool: the windows of rest, all of them where there is no rest."""
        rest = self.evidence_settings.rest_index(self.class_names)
        quiet: NDArray[np.bool_] = np.full(len(y), fill_value=True) if rest < 0 else y == self.classes_[rest]
        return quiet

    def _normalise(self, summaries: FloatArray, quiet: NDArray[np.bool_]) -> FloatArray:
        """Log power of the windows, ``(n, n_features)``; normalised from now on by those that are quiet."""
        features = self._features()
        logs = np.array([features.features(summary) for summary in summaries])
        # Over rest, as that is what the running normalisation follows.
        self.mean_, self.variance_ = fitted_norm(logs[quiet])
        return logs

    def _move_centre(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """The normalisation by rest, which the stream tracks from there on."""
        self._normalise(summaries, self._quiet(y))

    def _groups(self, *, white: bool) -> FloatArray:
        """``(n_bands,)`` float64: feature of each band; the default bands of high gamma share one where white."""
        bands = self.settings.bands
        separate = np.arange(len(bands), dtype=np.float64)
        if not white or self.bands is not None:
            return separate
        # Bands are in ascending order: from the first one of high gamma on, all share its feature.
        first = sum(low < HIGH_GAMMA_HZ for low, _ in bands)
        return np.minimum(separate, float(first))

    def reducer(self) -> Reducer:
        """Covariances of each band where it whitens, else power and how neighbours go together."""
        kept = Covariances if self._whitens(self.n_channels_in_) else PowerAndNeighbours
        return kept(len(self.settings.bands))

    def _features(self) -> Features:
        return WhitenedPower(self.filters_, self.group_) if len(self.filters_) else LogPower(self.reducer())

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_, Norm(self.mean_, self.variance_))

    def _tracking(self) -> float:
        return 0.0 if self.tau_s is None else self.step_s / self.tau_s


DECODER = BandpowerLda
