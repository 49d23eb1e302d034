"""Force tracking: a decoded force is to follow a trace that steps between rest and cued levels.

A trial asks for one level. After a time to get there, the force is judged at every hop until the attempt is over:
how far it is from the level, and whether it lies within a band about it. Evidence that is not valid or is rejected
is no force: it lies in no band and enters no mean.

In a calibration nothing is decoded: the trace is shown, and the participant follows it in mind. Its levels are
what a decoder is fitted on.

The unit of force is the greatest that is asked of the participant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._alternating import alternating, settled_windows
from workbench.paradigms._base import (
    Paradigm,
    PlannedCue,
    Rule,
    require_classes,
    require_not_negative,
    require_positive,
)
from workbench.paradigms._following import Attempt, FollowingRule
from workbench.vocabulary import Decision, EvidenceKind, LocatedCue, TrialOutcome

ROUNDING = 1e-9
"""Far above the rounding of a difference of levels, far below any that somebody could hold."""


def place_at(force: float) -> tuple[float, float]:
    """Where a force is shown: no force below the centre, the greatest as far above it."""
    return 0.0, 2.0 * force - 1.0


@dataclass(frozen=True)
class ForceTrack(Paradigm):
    """One level after the other, each from rest.

    Parameters
    ----------
    forces : levels that are asked for, each above 0 and at most 1.
    rest : label of the cue between two trials.
    attempt_s, rest_s : time for a level, and rest after it, s; ``jitter_s`` is added to each rest, uniform and
        seeded.
    lead_in_s : rest before the first cue, s.
    settle_s : time to reach a level, s; it is not judged.
    band : a force this near to the level is within its band; no two bands overlap.
    hold_share : share of the judged time within the band from which a trial counts as followed, 0–1.
    """

    name: ClassVar[str] = "force_track"
    asynchronous: ClassVar[bool] = True
    evidence: ClassVar[EvidenceKind] = "force"

    forces: tuple[float, ...] = (0.3, 0.6, 0.9)
    rest: str = "rest"
    attempt_s: float = 5.0
    rest_s: float = 3.0
    jitter_s: float = 0.5
    lead_in_s: float = 3.0
    settle_s: float = 1.5
    band: float = 0.15
    hold_share: float = 0.5

    def __post_init__(self) -> None:
        # Stored parameters come from JSON as a list.
        object.__setattr__(self, "forces", tuple(self.forces))
        require_positive(attempt_s=self.attempt_s, rest_s=self.rest_s, band=self.band)
        require_not_negative(jitter_s=self.jitter_s, lead_in_s=self.lead_in_s)
        if not self.forces or not all(0 < force <= 1 for force in self.forces):
            raise BadValue(Message("paradigm.forces", got=str(self.forces)))
        if len(self.levels) <= len(self.forces):
            raise BadValue(Message("paradigm.forces_differ", got=str(self.forces)))
        heights = sorted(self.levels.values())
        least = min(above - below for below, above in zip(heights, heights[1:]))
        if self.band > 0.5 * least + ROUNDING:
            raise BadValue(Message("paradigm.band", most=f"{0.5 * least:g}", got=str(self.band)))
        if not 0 <= self.settle_s < self.attempt_s:
            raise BadValue(Message("paradigm.settle", got=str(self.settle_s)))
        if not 0 < self.hold_share <= 1:
            raise BadValue(Message("paradigm.hold_share", got=str(self.hold_share)))

    @property
    def levels_by_condition(self) -> dict[str, float]:
        """Condition → the force that it asks for."""
        return {f"force_{round(100 * force)}": force for force in self.forces}

    @property
    def levels(self) -> dict[str, float]:
        """By cue, the force that a calibration shows."""
        return {self.rest: 0.0, **self.levels_by_condition}

    @property
    def conditions(self) -> tuple[str, ...]:
        """The levels."""
        return tuple(self.levels_by_condition)

    @property
    def classes(self) -> tuple[str, ...]:
        """Rest and the levels."""
        return tuple(self.levels)

    @property
    def targets(self) -> dict[str, tuple[float, float]]:
        """A height for each level."""
        return {name: place_at(force) for name, force in self.levels_by_condition.items()}

    def shown_at(self, label: str, elapsed_s: float) -> tuple[float, float]:
        """The height of the trace: the level until the attempt is over."""
        return place_at(self.levels.get(label, 0.0))

    def place_of(self, decision: Decision) -> tuple[float, float]:
        """The height of the decoded force."""
        return place_at(decision.values[0])

    def schedule(self, n_trials: int, *, seed: int) -> tuple[PlannedCue, ...]:
        """Rest and level in turn; each level as often as any other, give or take one, in seeded random order."""
        return alternating(self, n_trials, seed=seed)

    def training_windows(
        self, cues: Sequence[LocatedCue], *, fs: float, window_s: float, hop_s: float
    ) -> list[tuple[int, str, int]]:
        """Windows that lie after the time to reach a level, up to the end of the cue; each cue is a block.

        Parameters
        ----------
        cues : of a run, in its samples.
        fs : rate in Hz. window_s, hop_s : of the decoder, s.
        """
        settle_s = dict.fromkeys(self.classes, self.settle_s)
        return settled_windows(cues, settle_s, fs=fs, window_s=window_s, hop_s=hop_s)

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : between windows, samples.
        classes : in the decoder's order, empty without one.
        """
        require_classes(classes, self.classes, self.name)

        def begin(cue: LocatedCue, end: int) -> _Track:
            settled = cue.sample + round(self.settle_s * fs)
            return _Track(
                cue, end, level=self.levels[cue.label], settled=settled, band=self.band, hold_share=self.hold_share
            )

        return FollowingRule(self, begin, kind=self.evidence, fs=fs, hop=hop, decoded=bool(classes))


@dataclass(kw_only=True)
class _Track(Attempt):
    """A trial under way; counts and sums over the judged hops, sums over those with sound evidence.

    Attributes
    ----------
    level, band : that is asked for, and how near to it is near enough.
    settled : sample from which hops are judged.
    hold_share : share of them within the band from which the level was followed.
    """

    level: float
    settled: int
    band: float
    hold_share: float
    hops: int = 0
    within: int = 0
    sound: int = 0
    total: float = 0.0
    squares: float = 0.0

    def judge(self, values: tuple[float, ...], at: int, *, begun: int, sound: bool) -> bool:
        """How far the force is from the level, from the moment on at which it should have been reached."""
        force = values[0]
        within = sound and abs(force - self.level) <= self.band
        if within and self.first is None:
            self.first = at
        if begun >= self.settled:
            self.hops += 1
            self.within += within
            if sound:
                self.sound += 1
                self.total += force
                self.squares += (force - self.level) * (force - self.level)
        return sound

    @property
    def outcome(self) -> TrialOutcome:
        """Followed, or not."""
        return "correct" if self.hops > 0 and self.within >= self.hold_share * self.hops else "missed"

    def decided(self, outcome: TrialOutcome) -> str:
        """The level, where it was followed."""
        return self.cue.label if outcome == "correct" else ""

    def result(self) -> dict[str, Any]:
        """Mean and root mean square error of sound evidence, and the share of judged hops within the band."""
        return {
            "target": self.level,
            "mean": self.total / self.sound if self.sound else None,
            "rmse": sqrt(self.squares / self.sound) if self.sound else None,
            "in_band": self.within / self.hops if self.hops else None,
        }


PARADIGM = ForceTrack
