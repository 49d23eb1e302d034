"""Amplitude tracking: as ``force_track``, of an amplitude, which is never below 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workbench.paradigms.force_track import ForceTrack
from workbench.vocabulary import EvidenceKind


@dataclass(frozen=True)
class AmplitudeTrack(ForceTrack):
    """One level after the other, each from rest; parameters as of ``force_track``."""

    name: ClassVar[str] = "amplitude_track"
    evidence: ClassVar[EvidenceKind] = "amplitude"


PARADIGM = AmplitudeTrack
