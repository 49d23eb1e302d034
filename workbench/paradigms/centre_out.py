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
    Rule,
    require_classes,
    require_not_negative,
    require_positive,
)
from workbench.paradigms._following import Attempt, FollowingRule
from workbench.vocabulary import EvidenceKind, LocatedCue, TrialOutcome

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
            raise BadValue(Message("paradigm.n_targets", got=self.n_targets))
        require_positive(attempt_s=self.attempt_s, rest_s=self.rest_s, dwell_s=self.dwell_s, gain=self.gain)
        require_not_negative(jitter_s=self.jitter_s, lead_in_s=self.lead_in_s)
        if self.rest in TARGETS:
            raise BadValue(Message("paradigm.rest_is_target", got=repr(self.rest)))
        # Half the distance between two neighbours of eight: circles that overlap would both be selected.
        if not 0 < self.target_radius < 0.38:
            raise BadValue(Message("paradigm.target_radius", got=str(self.target_radius)))
        if not (isfinite(self.edge) and self.edge >= 1 + self.target_radius):
            raise BadValue(Message("paradigm.edge", least=f"{1 + self.target_radius:g}", got=str(self.edge)))

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
        return alternating(self, n_trials, seed=seed)

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
        settle_s = dict.fromkeys(self.classes, SETTLE_S)
        return settled_windows(cues, settle_s, fs=fs, window_s=window_s, hop_s=hop_s)

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : between windows, samples.
        classes : in the decoder's order, empty without one.
        """
        require_classes(classes, self.classes, self.name)
        hold = max(1, round(self.dwell_s * fs / hop))

        def begin(cue: LocatedCue, end: int) -> _Reach:
            return _Reach(cue, end, place=CENTRE, paradigm=self, hold=hold, hop_s=hop / fs)

        return FollowingRule(
            self, begin, kind=self.evidence, fs=fs, hop=hop, decoded=bool(classes), hold=hold, place=CENTRE
        )

    def moved(self, place: Place, velocity: Sequence[float], *, dt: float) -> Place:
        """Where a velocity moves the cursor, which stays within the edge.

        Parameters
        ----------
        place : of the cursor before.
        velocity : decoded, in distances to a target a second.
        dt : how long it lasts, s.
        """
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


@dataclass(kw_only=True)
class _Reach(Attempt):
    """A trial under way: the cursor on its way; lengths in distances to a target.

    Attributes
    ----------
    hold : hops in a target that select it; ``hop_s`` is the length of one, s.
    path, nearest : how far the cursor went, and how near to the target it came.
    within, selected : the target that it is in, and the one that it stayed in.
    """

    paradigm: CentreOut
    hold: int
    hop_s: float
    path: float = 0.0
    nearest: float = 1.0
    within: str = ""
    selected: str = ""

    def judge(self, values: tuple[float, ...], at: int, *, begun: int, sound: bool) -> bool:
        """Move the cursor, and look whether a target is selected."""
        # The hop in which the cue came belongs to no trial: it began before the participant knew the target.
        if not sound or begun < self.cue.sample:
            return False
        was, place = self._at, self.paradigm.moved(self._at, values, dt=self.hop_s)
        self.path += distance(place, was)
        self.place = place
        self.nearest = min(self.nearest, distance(place, self.paradigm.targets[self.cue.label]))
        within = self.paradigm.target_at(place)
        self.held = self.held + 1 if within and within == self.within else int(bool(within))
        self.within = within
        if self.held >= self.hold:
            self.selected, self.first = within, at
        return True

    @property
    def _at(self) -> Place:
        x, y = self.place
        return x, y

    def over(self, at: int) -> bool:
        """When a target is selected, too."""
        return bool(self.selected) or super().over(at)

    @property
    def outcome(self) -> TrialOutcome:
        """Whether the target that was selected is the one that was asked for."""
        if self.selected == self.cue.label:
            return "correct"
        return "wrong" if self.selected else "missed"

    def decided(self, outcome: TrialOutcome) -> str:
        """The target that was selected."""
        return self.selected

    def result(self) -> dict[str, Any]:
        """The path, how straight it was, and how near it came."""
        straight = distance(self._at, CENTRE)
        return {
            "path": self.path,
            # Of a cursor that never moved there is no path, and none to be efficient.
            "path_efficiency": straight / self.path if self.path > 0 else None,
            "nearest": self.nearest,
        }


PARADIGM = CentreOut
