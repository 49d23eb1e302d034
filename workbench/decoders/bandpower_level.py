"""Band power and ridge regression: a force, an amplitude, or a state with its level at every hop.

Like the regression on a velocity, on one value: the level that was shown for each cue of a calibration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from workbench.decoders._shown import points_of
from workbench.decoders.bandpower_ridge import BandpowerRidge
from workbench.decoding.accumulation import EvidenceAccumulator, StateLevel
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import EvidenceKind, EvidenceType, FloatArray

NAMES: dict[EvidenceKind, str] = {"force": "force", "amplitude": "amplitude", "state_level": "level"}
"""Kind of evidence that one value may be, and the name of the value."""


class BandpowerLevel(BandpowerRidge):
    """Log band power → z-score → shrunk regression on one value → exponential mean.

    Parameters
    ----------
    fs : rate in Hz.
    levels : class → value that was shown while it was cued. None makes a classifier of it, with probabilities as
        evidence.
    quantity : what a level is, and its unit: ``"force"``; ``"amplitude"``, which is never below 0; or
        ``"state_level"``, the probability of each class beside a level within 0–1.
    smoothing_s : time constant of the mean over hops, s; at least the hop.
    bands : pass bands in Hz; by default those of ECoG from 500 Hz on, those of EEG below.
    window_s : 0.5 s by default. hop_s : s.
    reference : ``"auto"``, ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`. Memory, calibration, rejection and stopping are for classes, and refused
        with levels; what is far from the training data is rejected as everywhere.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power.
    weights_ : ``(n_values, n_features)`` float64, of z-scores. bias_ : ``(n_values,)`` float64.
    points_ : ``(n_classes, n_values)`` float64, level or indicator of each class.
    error_ : ``(1,)`` float64, mean square error of a value on the windows of the fit.

    Notes
    -----
    Flint et al. 2014, NeuroImage 101:695–703, decode grasp force from ECoG. The regression is that of
    ``bandpower_ridge``. A state with its level has two stages: the probability that any level above 0 is meant,
    times the level, so that the error of a regression does not move anything at rest.
    """

    name: ClassVar[str] = "bandpower_level"

    def __init__(
        self,
        fs: float = 250.0,
        *,
        levels: Mapping[str, float] | None = None,
        quantity: Sequence[str] = ("force", "fraction"),
        smoothing_s: float = 0.3,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.levels = levels
        self.quantity = quantity
        self.smoothing_s = smoothing_s
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence

    @property
    def _shown(self) -> Mapping[str, Sequence[float]] | None:
        """Class → the value that it is fitted on; None for a classifier."""
        return None if self.levels is None else {name: (level,) for name, level in self.levels.items()}

    @property
    def evidence_type(self) -> EvidenceType:
        """The level under its name and in its unit; without levels a probability of each class."""
        if self.levels is None:
            return EvidenceType()
        kind, unit = self.quantity
        known = next((one for one in NAMES if one == kind), None)
        if known is None:
            raise BadValue(Message("fit.quantity", allowed=list(NAMES), got=repr(kind)))
        return EvidenceType(known, (NAMES[known],), unit)

    def _points_of(self, shown: Mapping[str, Sequence[float]]) -> FloatArray:
        kind, points = self.evidence_type.kind, points_of(self, shown, name="levels", most=1)
        least, most = float(points.min()), float(points.max())
        if (kind != "force" and least < 0.0) or (kind == "state_level" and most > 1.0):
            raise BadValue(
                Message("fit.levels_share", kind=kind, least=f"{least:g}", most=f"{most:g}")
                if kind == "state_level"
                else Message("fit.levels", kind=kind, least=f"{least:g}", most=f"{most:g}")
            )
        return points

    def _accumulator(self) -> EvidenceAccumulator | None:
        """An exponential mean of the level, and the state where it is asked for."""
        kind = self.evidence_type.kind
        if kind == "state_level":
            return StateLevel(self._mean(), self.points_, float(self.error_[0]), self.log_prior_)
        return self._mean(least=0.0) if kind == "amplitude" else super()._accumulator()


DECODER = BandpowerLevel
