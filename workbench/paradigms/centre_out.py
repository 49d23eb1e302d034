"""Centre-out: a decoded velocity moves a cursor from the centre to a target; staying in a target selects it.

The place of the cursor is a function of the decisions alone: the velocity of a hop, times the gain, moves it for
the length of that hop. Every target can be selected, so that a trial has a right answer, a wrong one, or none in
its time. Evidence that is not valid or is rejected moves nothing: a velocity that was held would run away.

In a calibration nothing is decoded: the cursor is shown moving to the target at an even speed, from the cue to the
end of the attempt, and the participant follows it in mind. That speed is what a decoder is fitted on.

The unit of place is the distance from the centre to a target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
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

Place = tuple[float, float]

CENTRE: Place = (0.0, 0.0)

_SLANT = sqrt(0.5)

TARGETS: dict[str, Place] = {
    "right": (1.0, 0.0),
    "up_right": (_SLANT, _SLANT),
    "up": (0.0, 1.0),
    "up_left": (-_SLANT, _SLANT),
    "left": (-1.0, 0.0),
    "down_left": (-_SLANT, -_SLANT),
    "down": (0.0, -1.0),
    "down_right": (_SLANT, -_SLANT),
}
"""Every target there is, counter-clockwise, at distance 1 from the centre."""

SETTLE_S = 0.75
"""How long after a cue a participant may still move by neither cue, s."""

LAYOUTS = (2, 4, 8)
"""Numbers of targets that lie evenly around the centre."""


@dataclass(frozen=True)
class CentreOut(Paradigm):
    """One target after the other, each from the centre.

    Parameters
    ----------
    n_targets : 2, 4 or 8, evenly around the centre.
    rest : label of the cue between two trials.
    attempt_s, rest_s : time for a target, and rest after it, s; ``jitter_s`` is added to each rest, uniform and
        seeded.
    lead_in_s : rest before the first cue, s.
    target_radius : of the circle that counts as the target, in distances from the centre to a target.
    dwell_s : how long the cursor must stay in a target to select it, s.
    gain : the cursor moves so many times as fast as was decoded.
    edge : the cursor stays within this distance of the centre in each dimension.
    """

    name: ClassVar[str] = "centre_out"
    asynchronous: ClassVar[bool] = True
    evidence: ClassVar[EvidenceKind] = "velocity"

    n_targets: int = 4
    rest: str = "rest"
    attempt_s: float = 5.0
    rest_s: float = 2.0
    jitter_s: float = 0.5
    lead_in_s: float = 3.0
    target_radius: float = 0.3
    dwell_s: float = 0.3
    gain: float = 2.0
    edge: float = 1.5

    def __post_init__(self) -> None:
        if self.n_targets not in LAYOUTS:
            raise BadValue(f"n_targets must be 2, 4 or 8, got {self.n_targets}")
        require_positive(attempt_s=self.attempt_s, rest_s=self.rest_s, dwell_s=self.dwell_s, gain=self.gain)
        require_not_negative(jitter_s=self.jitter_s, lead_in_s=self.lead_in_s)
        if self.rest in TARGETS:
            raise BadValue(f"rest needs another label than a target has, got {self.rest!r}")
        # Half the distance between two neighbours of eight: circles that overlap would both be selected.
        if not 0 < self.target_radius < 0.38:
            raise BadValue(f"target_radius must lie between 0 and 0.38, got {self.target_radius}")
        if not (isfinite(self.edge) and self.edge >= 1 + self.target_radius):
            raise BadValue(
                f"edge must leave room for the targets, at least {1 + self.target_radius:g}, got {self.edge}"
            )

    @property
    def targets(self) -> dict[str, Place]:
        """Name and place of each target."""
        return dict(list(TARGETS.items())[:: len(TARGETS) // self.n_targets])

    @property
    def conditions(self) -> tuple[str, ...]:
        """The targets."""
        return tuple(self.targets)

    @property
    def classes(self) -> tuple[str, ...]:
        """Rest and the targets."""
        return (self.rest, *self.conditions)

    @property
    def velocities(self) -> dict[str, Place]:
        """By cue, the velocity of the cursor that a calibration shows, in distances to a target a second."""
        shown = {name: (x / self.attempt_s, y / self.attempt_s) for name, (x, y) in self.targets.items()}
        return {self.rest: CENTRE, **shown}

    def shown_at(self, label: str, elapsed_s: float) -> Place:
        """On the way to the target, and there once the attempt is over."""
        x, y = self.velocities.get(label, CENTRE)
        shown_s = min(max(elapsed_s, 0.0), self.attempt_s)
        return x * shown_s, y * shown_s

    def schedule(self, n_trials: int, *, seed: int) -> tuple[PlannedCue, ...]:
        """Rest and target in turn; each target as often as any other, give or take one, in seeded random order."""
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
        """Windows that lie 0.75 s after a cue, up to its end; each cue is a block.

        Until then the participant reacts, and moves by neither cue.

        Parameters
        ----------
        cues : of a run, in its samples.
        fs : rate in Hz. window_s, hop_s : of the decoder, s.
        """
        return settled_windows(cues, self.classes, fs=fs, window_s=window_s, hop_s=hop_s, settle_s=SETTLE_S)

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : between windows, samples.
        classes : in the decoder's order, empty without one.
        """
        require_classes(classes, self.classes, self.name)
        return _CursorRule(self, fs=fs, hop=hop, decoded=bool(classes))

    def moved(self, place: Place, velocity: Sequence[float], *, dt: float) -> Place:
        """Where the cursor is after ``dt`` s at a decoded velocity, from a place; it stays within the edge."""
        x, y = (
            min(max(at + self.gain * speed * dt, -self.edge), self.edge)
            for at, speed in zip(place, velocity, strict=True)
        )
        return x, y

    def target_at(self, place: Place) -> str:
        """The target that a place lies in, ``""`` for none."""
        return next((name for name, at in self.targets.items() if distance(place, at) <= self.target_radius), "")


def distance(a: Place, b: Place) -> float:
    """Distance of two places."""
    x, y = a[0] - b[0], a[1] - b[1]
    return sqrt(x * x + y * y)


@dataclass
class _Reach:
    """A trial under way, in samples; the path in distances to a target."""

    cue: LocatedCue
    end: int
    path: float = 0.0
    nearest: float = 1.0
    within: str = ""
    hops_within: int = 0
    selected: str = ""
    selected_at: int | None = None
    excluded: str = ""


class _CursorRule(Rule):
    """The cursor, its trial, and whether a bout of movement is under way."""

    def __init__(self, paradigm: CentreOut, *, fs: float, hop: int, decoded: bool) -> None:
        self._paradigm, self._fs, self._hop, self._decoded = paradigm, fs, hop, decoded
        self._dwell = max(1, round(paradigm.dwell_s * fs / hop))
        self._next, self._index = hop, 0
        self._place, self._bout = CENTRE, Bout()
        self._open: _Reach | None = None

    @property
    def due(self) -> Request:
        """The next hop."""
        return Request(self._next, self._next)

    def dwell(self) -> tuple[int, int]:
        """Hops in a target so far, and how many select it."""
        return (0 if self._open is None else self._open.hops_within, self._dwell)

    def cue(self, cue: LocatedCue, *, at: int) -> list[Trial]:
        """A cue of a target puts the cursor in the centre and opens a trial; a trial before it is closed."""
        closed = self._close(at)
        if cue.label in self._paradigm.conditions:
            # Markers of others may carry no duration.
            attempt_s = cue.duration_s or self._paradigm.attempt_s
            # A bout ends with its trial, even where the next cue comes at once.
            self._bout.cut()
            self._open = _Reach(cue, end=cue.sample + round(attempt_s * self._fs))
            self._place = CENTRE
        return closed

    def decide(self, request: Request, *, stamp: float, evidence: Evidence | None) -> list[Decision | Trial]:
        """One hop: move, look whether a target is selected, and close the trial when its time is over."""
        at = request.at
        self._next = at + self._hop
        rows: list[Decision | Trial] = []
        if evidence is not None:
            rows.append(self._verdict(at, stamp, evidence))
        if self._open is not None and (self._open.selected or at >= self._open.end):
            rows += self._close(at)
        return rows

    def interrupt(self, *, at: int, reason: str, resets: bool) -> None:
        """Exclude the open trial; after a gap the cursor stops at the next hop."""
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
        # The hop in which the cue came belongs to no trial: it began before the participant knew the target.
        counts = trial is not None and not trial.excluded and at - self._hop >= trial.cue.sample
        if trial is not None and counts and sound:
            self._move(trial, evidence.values, at)
        over = trial is None or bool(trial.selected) or at >= trial.end
        # A bout of movement begins with the first sound hop of a trial, and ends with it or after a gap.
        change = self._bout.change(goes=counts and sound, over=over)
        label = self._paradigm.rest if trial is None else trial.cue.label
        return Decision(
            at,
            stamp,
            label if sound else "",
            (),
            evidence.valid,
            change,
            -1 if trial is None else self._index,
            kind=self._paradigm.evidence,
            values=evidence.values,
            position=self._place,
        )

    def _move(self, trial: _Reach, velocity: Sequence[float], at: int) -> None:
        place = self._paradigm.moved(self._place, velocity, dt=self._hop / self._fs)
        trial.path += distance(place, self._place)
        self._place = place
        trial.nearest = min(trial.nearest, distance(place, self._paradigm.targets[trial.cue.label]))
        within = self._paradigm.target_at(place)
        trial.hops_within = trial.hops_within + 1 if within and within == trial.within else int(bool(within))
        trial.within = within
        if trial.hops_within >= self._dwell:
            trial.selected, trial.selected_at = within, at

    def _close(self, at: int) -> list[Trial]:
        trial = self._open
        if trial is None:
            return []
        self._open = None
        self._index += 1
        if trial.excluded:
            outcome: TrialOutcome = "excluded"
        elif not self._decoded:
            outcome = "recorded"
        elif trial.selected == trial.cue.label:
            outcome = "correct"
        else:
            outcome = "wrong" if trial.selected else "missed"
        selected_at = trial.selected_at
        return [
            Trial(
                index=self._index - 1,
                condition=trial.cue.label,
                cue_sample=trial.cue.sample,
                cue_stamp=trial.cue.stamp,
                end_sample=at,
                outcome=outcome,
                decided=trial.selected,
                onset_sample=selected_at,
                latency_s=None if selected_at is None else (selected_at - trial.cue.sample) / self._fs,
                excluded=trial.excluded,
                result=self._result(trial) if self._decoded else {},
            )
        ]

    def _result(self, trial: _Reach) -> dict[str, Any]:
        """What came of a trial beside its outcome; lengths in distances to a target."""
        straight = distance(self._place, CENTRE)
        return {
            "path": trial.path,
            # Of a cursor that never moved there is no path, and none to be efficient.
            "path_efficiency": straight / trial.path if trial.path > 0 else None,
            "nearest": trial.nearest,
        }


PARADIGM = CentreOut
