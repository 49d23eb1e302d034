"""State and level: as ``force_track``, of the level of a state whose probabilities are decided on beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workbench.paradigms.force_track import ForceTrack
from workbench.vocabulary import EvidenceKind


@dataclass(frozen=True)
class StateLevelTrack(ForceTrack):
    """One level after the other, each from rest; parameters as of ``force_track``."""

    name: ClassVar[str] = "state_level_track"
    evidence: ClassVar[EvidenceKind] = "state_level"


PARADIGM = StateLevelTrack
