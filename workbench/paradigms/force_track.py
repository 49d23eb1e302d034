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
    Request,
    Rule,
    require_classes,
    require_not_negative,
    require_positive,
)
from workbench.paradigms._bout import Bout
from workbench.vocabulary import Decision, Evidence, EvidenceKind, LocatedCue, Trial, TrialOutcome

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
            raise BadValue(f"forces must be at least one number above 0, at most 1, got {self.forces}")
        if len(self.levels) <= len(self.forces):
            raise BadValue(
                f"forces must differ by at least 1 % and rest needs a label of its own, got {self.forces}"
            )
        heights = sorted(self.levels.values())
        least = min(above - below for below, above in zip(heights, heights[1:]))
        if self.band > 0.5 * least + ROUNDING:
            raise BadValue(
                f"band must be at most half the distance between levels, {0.5 * least:g}, got {self.band}"
            )
        if not 0 <= self.settle_s < self.attempt_s:
            raise BadValue(f"settle_s must be 0 or more and below attempt_s, got {self.settle_s} s")
        if not 0 < self.hold_share <= 1:
            raise BadValue(f"hold_share must be above 0 and at most 1, got {self.hold_share}")

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
        return alternating(
            self.conditions,
            n_trials,
            seed=seed,
            rest=self.rest,
            attempt_s=self.attempt_s,
            rest_s=self.rest_s,
            jitter_s=self.jitter_s,
            lead_in_s=self.lead_in_s,
        )

    def training_windows(
        self, cues: Sequence[LocatedCue], *, fs: float, window_s: float, hop_s: float
    ) -> list[tuple[int, str, int]]:
        """Windows that lie after the time to reach a level, up to the end of the cue; each cue is a block.

        Parameters
        ----------
        cues : of a run, in its samples.
        fs : rate in Hz. window_s, hop_s : of the decoder, s.
        """
        return settled_windows(cues, self.classes, fs=fs, window_s=window_s, hop_s=hop_s, settle_s=self.settle_s)

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : between windows, samples.
        classes : in the decoder's order, empty without one.
        """
        require_classes(classes, self.classes, self.name)
        return _TrackingRule(self, fs=fs, hop=hop, decoded=bool(classes))


@dataclass
class _Track:
    """A trial under way, in samples; sums over the judged hops with sound evidence."""

    cue: LocatedCue
    end: int
    level: float
    hops: int = 0
    within: int = 0
    sound: int = 0
    total: float = 0.0
    squares: float = 0.0
    first_within: int | None = None
    excluded: str = ""

    def add(self, force: float) -> None:
        """A judged hop with sound evidence."""
        self.sound += 1
        self.total += force
        self.squares += (force - self.level) * (force - self.level)


class _TrackingRule(Rule):
    """The trial under way, and whether the force is followed."""

    def __init__(self, paradigm: ForceTrack, *, fs: float, hop: int, decoded: bool) -> None:
        self._paradigm, self._fs, self._hop, self._decoded = paradigm, fs, hop, decoded
        self._next, self._index = hop, 0
        self._bout = Bout()
        self._open: _Track | None = None

    @property
    def due(self) -> Request:
        """The next hop."""
        return Request(self._next, self._next)

    def cue(self, cue: LocatedCue, *, at: int) -> list[Trial]:
        """A cue of a level opens a trial; a trial before it is closed."""
        closed = self._close(at)
        if cue.label in self._paradigm.conditions:
            # Markers of others may carry no duration.
            attempt_s = cue.duration_s or self._paradigm.attempt_s
            # A bout ends with its trial, even where the next cue comes at once.
            self._bout.cut()
            end = cue.sample + round(attempt_s * self._fs)
            self._open = _Track(cue, end, self._paradigm.levels[cue.label])
        return closed

    def decide(self, request: Request, *, stamp: float, evidence: Evidence | None) -> list[Decision | Trial]:
        """One hop: judge the force, and close the trial when its time is over."""
        at = request.at
        self._next = at + self._hop
        rows: list[Decision | Trial] = []
        if evidence is not None:
            rows.append(self._verdict(at, stamp, evidence))
        if self._open is not None and at >= self._open.end:
            rows += self._close(at)
        return rows

    def interrupt(self, *, at: int, reason: str, resets: bool) -> None:
        """Exclude the open trial; after a gap the force is followed no longer."""
        if self._open is not None and not self._open.excluded:
            self._open.excluded = reason
        if resets:
            self._bout.cut()

    def finish(self, *, at: int) -> list[Trial]:
        """The run ended: a trial that was cut short is excluded."""
        if self._open is not None and at < self._open.end and not self._open.excluded:
            self._open.excluded = Message("trial.run_ended_in_attempt")
        return self._close(at)

    def _verdict(self, at: int, stamp: float, evidence: Evidence) -> Decision:
        trial, sound = self._open, evidence.valid and not evidence.rejected
        counts = trial is not None and not trial.excluded
        if trial is not None and counts:
            self._judge(trial, evidence, at, sound=sound)
        label = self._paradigm.rest if trial is None else trial.cue.label
        over = trial is None or at >= trial.end
        return Decision(
            at,
            stamp,
            label if sound else "",
            (),
            evidence.valid,
            self._bout.change(goes=counts and sound, over=over),
            -1 if trial is None else self._index,
            kind=self._paradigm.evidence,
            values=evidence.values,
        )

    def _judge(self, trial: _Track, evidence: Evidence, at: int, *, sound: bool) -> None:
        force = evidence.values[0]
        within = sound and abs(force - trial.level) <= self._paradigm.band
        if within and trial.first_within is None:
            trial.first_within = at
        # A hop is judged that began after the time to reach the level.
        if at - self._hop < trial.cue.sample + round(self._paradigm.settle_s * self._fs):
            return
        trial.hops += 1
        trial.within += within
        if sound:
            trial.add(force)

    def _close(self, at: int) -> list[Trial]:
        trial = self._open
        if trial is None:
            return []
        self._open = None
        self._index += 1
        followed = trial.hops > 0 and trial.within >= self._paradigm.hold_share * trial.hops
        if trial.excluded:
            outcome: TrialOutcome = "excluded"
        elif not self._decoded:
            outcome = "recorded"
        else:
            outcome = "correct" if followed else "missed"
        first = trial.first_within
        return [
            Trial(
                index=self._index - 1,
                condition=trial.cue.label,
                cue_sample=trial.cue.sample,
                cue_stamp=trial.cue.stamp,
                end_sample=at,
                outcome=outcome,
                decided=trial.cue.label if outcome == "correct" else "",
                onset_sample=first,
                latency_s=None if first is None else (first - trial.cue.sample) / self._fs,
                excluded=trial.excluded,
                result=_result(trial) if self._decoded else {},
            )
        ]


def _result(trial: _Track) -> dict[str, Any]:
    """How a force followed its level: mean and root mean square error of sound evidence, share within the band."""
    n = trial.sound
    return {
        "target": trial.level,
        "mean": trial.total / n if n else None,
        "rmse": sqrt(trial.squares / n) if n else None,
        "in_band": trial.within / trial.hops if trial.hops else None,
    }


PARADIGM = ForceTrack
