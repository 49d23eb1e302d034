"""Time-domain features of EMG and a shrinkage LDA: which gesture is held, window after window.

From every channel four features: how large and how long the wave is, how often it crosses zero and how often it
turns. The first two enter as logarithms, in which a change of gain is a shift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from numpy.typing import NDArray

from workbench.decoders._log_power import LogPowerLda
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.activity import TimeDomain, TimeDomainFeatures
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray


class EmgLda(LogPowerLda):
    """Time-domain features → z-score → shrinkage LDA.

    Parameters
    ----------
    fs : rate in Hz.
    threshold_uv : least difference of neighbouring samples, µV, at which a crossing of zero or a turn counts.
    bands : pass bands in Hz; by default one of 20–450 Hz, as far as the rate reaches.
    window_s : 0.25 s by default. hop_s : s.
    reference : ``"auto"`` for none, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of the features.
    weights_ : ``(n_classes, n_features)`` float64, of z-scores. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    Hudgins, Parker and Scott 1993, doi:10.1109/10.204774: mean absolute value, waveform length, zero crossings and
    slope sign changes, theirs in five segments of a contraction and with its slopes, for a neural network; windows
    one after the other and a linear discriminant: Englehart and Hudgins 2003, doi:10.1109/TBME.2003.813539. The
    covariance is shrunk as in Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4.
    """

    name: ClassVar[str] = "emg_lda"
    has_centre: ClassVar[bool] = True
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.25, reference=no_reference, order=2)

    def __init__(
        self,
        fs: float = 1000.0,
        *,
        threshold_uv: float = 0.0,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.threshold_uv = threshold_uv
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz: those given, or that of a muscle as far as the rate reaches."""
        return ((20.0, min(450.0, 0.45 * self.fs)),) if self.bands is None else as_bands(self.bands)

    def _move_centre(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """The normalisation of the features."""
        self._normalise(summaries)

    def reducer(self) -> TimeDomain:
        """The power of each lane, and its four features after it."""
        if not self.threshold_uv >= 0.0:
            raise BadValue(Message("fit.threshold_uv", got=str(self.threshold_uv)))
        n_lanes = len(self.settings.bands) * self.settings.n_derivations(self.n_channels_in_)
        return TimeDomain(n_lanes, threshold=self.threshold_uv)

    def _features(self) -> TimeDomainFeatures:
        return TimeDomainFeatures()


DECODER = EmgLda
