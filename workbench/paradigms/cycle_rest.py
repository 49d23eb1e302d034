"""A cyclic movement and rest in turn: what is decided at every hop is the phase of the cycle.

While the phase is known, the movement is meant: the first hop that knows it is an onset, as in ``grasp_rest``, and
the end comes when it was unknown for a while. Where in the cycle an effector acts is a matter of the control law
(``phase_window``), which reads the phase of each decision.

A phase is known after two beginnings of a cycle, so that an onset lies two cycles after a movement began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from workbench.paradigms._base import require_classes
from workbench.paradigms.grasp_rest import GraspRest, GraspRule
from workbench.vocabulary import Evidence, EvidenceKind


@dataclass(frozen=True)
class CycleRest(GraspRest):
    """Bouts of a cyclic movement, each from rest; parameters as of ``grasp_rest``, with other defaults.

    The thresholds ``activate`` and ``release`` have no effect: a phase is known or it is not.
    """

    name: ClassVar[str] = "cycle_rest"
    evidence: ClassVar[EvidenceKind] = "phase"

    condition: str = "pull"
    attempt_s: float = 16.0
    rest_s: float = 12.0
    lead_in_s: float = 12.0
    onset_window_s: float = 8.0

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> CycleRule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : between windows, samples.
        classes : in the decoder's order, empty without one.
        """
        require_classes(classes, self.classes, self.name)
        return CycleRule(self, fs=fs, hop=hop, target=0 if classes else -1)


class CycleRule(GraspRule):
    """Onset, end, hits and false onsets as in ``grasp_rest``: a movement is meant while its phase is known."""

    def _meant(self, evidence: Evidence) -> float:
        """1 where the phase is known; evidence without one is rejected or not valid."""
        return 1.0 if evidence.valid and not evidence.rejected else 0.0


PARADIGM = CycleRest
