"""How strongly one muscle contracts, at every hop and also while a stimulator's pulses go through it.

A window is cut into stretches of a few milliseconds, and only the quietest of them count: what lies about the
pulses of a stimulator, their artefact and the response that they evoke, is loud. No trigger line is needed. The
size of the quiet stretches, in shares of the levels that a calibration asked for, follows as an exponential mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from workbench.decoders._shown import points_of
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoders.bandpower_ridge import BandpowerRidge
from workbench.decoding.accumulation import EvidenceAccumulator
from workbench.decoding.features import Size
from workbench.decoding.reducers import QuietPower
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import EvidenceType, FloatArray

STRETCH_S = 0.005
"""Length of a stretch, s: shorter than the time between what a pulse evokes and the next pulse."""
QUIET = 0.25
"""Share of the stretches that count, the quietest ones."""


class EmgEnvelope(BandpowerRidge):
    """Size of the quiet stretches of a window → z-score → regression on the level → exponential mean.

    Parameters
    ----------
    fs : rate in Hz.
    channel : of the muscle, counted from 0 among the derivations.
    levels : class → level that was asked for, such as a share of the strongest contraction. None makes a
        classifier of it, with probabilities as evidence.
    smoothing_s : time constant of the mean over hops, s; at least the hop.
    bands : pass band in Hz, one; 30–300 Hz by default, as near a stimulator.
    window_s : 0.2 s by default; it must hold several pulses. hop_s : s.
    reference : ``"auto"`` for none, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`. Memory, calibration, rejection and stopping are for classes, and refused
        with levels; what is far from the training data is rejected as everywhere, by the quiet stretches too.

    Attributes
    ----------
    mean_, variance_, weights_, bias_, points_, error_ : as of ``bandpower_ridge``, of one size in µV.

    Notes
    -----
    EMG that controls the stimulation of its own muscle: Frigo et al. 2000, doi:10.1016/S1050-6411(00)00026-2, who
    blank the signal about each pulse. That needs the times of the pulses, which not every stimulator gives. The
    quietest stretches find what goes on beneath, as the minimum statistics of Martin 2001,
    doi:10.1109/89.928915, do for noise under speech; to use them here is ours.

    Under pulses fewer stretches are free, and the quietest quarter of all is a larger share of those, so that the
    level reads higher: with 20 pulses a second of 1 mV by a half to three quarters. Where pulses and what they
    evoke fill more than three quarters of the time, as above 30 a second they may, it rises with the current. A
    law that follows it needs a gain that this cannot lock.
    """

    name: ClassVar[str] = "emg_envelope"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.2, reference=no_reference, order=2)

    def __init__(
        self,
        fs: float = 1000.0,
        *,
        channel: int = 0,
        levels: Mapping[str, float] | None = None,
        smoothing_s: float = 0.15,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.channel = channel
        self.levels = levels
        self.smoothing_s = smoothing_s
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass band in Hz: the one given, or 30–300 Hz as far as the rate reaches."""
        bands = ((30.0, min(300.0, 0.45 * self.fs)),) if self.bands is None else as_bands(self.bands)
        if len(bands) != 1:
            raise BadValue(Message("fit.one_band_envelope", n=len(bands)))
        return bands

    @property
    def _shown(self) -> Mapping[str, Sequence[float]] | None:
        """Class → the level that it is fitted on; None for a classifier."""
        return None if self.levels is None else {name: (level,) for name, level in self.levels.items()}

    @property
    def evidence_type(self) -> EvidenceType:
        """An amplitude in shares of the level; without levels a probability of each class."""
        return EvidenceType() if self.levels is None else EvidenceType("amplitude", ("amplitude",), "fraction")

    def _points_of(self, shown: Mapping[str, Sequence[float]]) -> FloatArray:
        points = points_of(self, shown, name="levels", most=1)
        least, most = float(points.min()), float(points.max())
        if least < 0.0:
            raise BadValue(Message("fit.levels", kind="amplitude", least=f"{least:g}", most=f"{most:g}"))
        return points

    def reducer(self) -> QuietPower:
        """The power of the quiet stretches of the muscle."""
        n = self.settings.n_derivations(self.n_channels_in_)
        if not 0 <= self.channel < n:
            raise BadValue(Message("fit.channel", last=str(n - 1), got=str(self.channel)))
        n_window = self.settings.n_window(self.fs)
        stretches = max(1, n_window // max(1, round(STRETCH_S * self.fs)))
        return QuietPower(self.channel, n_stretches=stretches, n_quiet=max(1, round(QUIET * stretches)))

    def _features(self) -> Size:
        """A size, to which a contraction is proportional; its logarithm is not."""
        return Size()

    def _accumulator(self) -> EvidenceAccumulator | None:
        """An exponential mean of the level, which is never below 0."""
        return super()._accumulator() if self._shown is None else self._mean(least=0.0)


DECODER = EmgEnvelope
