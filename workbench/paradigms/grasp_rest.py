"""Grasp against rest, self-paced: decided at every hop, judged against cues by onset windows.

The rule: evidence for a movement above ``activate`` on ``dwell`` consecutive hops activates, below
``release`` on ``dwell`` consecutive hops releases. Evidence of a gate or a sum already rests on many windows,
and a dwell on top would wait twice: one hop is enough, and the distance between the thresholds keeps the state.
Evidence without a memory needs three, or false activations double.

An activation is a hit if its onset lies in ``[cue, cue + onset_window_s]`` and is the first in it; every other
activation is false; a cue without a hit is missed. The window is part of the definition and is printed with every
result. Rest in which the evidence was not valid is no exposure: nothing could have been activated then.

Rejected evidence never starts an activation and never prolongs one: it counts towards release, whatever its
probabilities say. They may be no more than the belief from before (a window unlike those of the fit), and a hand
that stays closed for lack of evidence is a hand that its owner cannot open: control would release only at its
hold limit, since rejected evidence is valid and raises no fault. Fewer than ``rejected_dwell`` rejected hops in a
row are bridged: a cough is no reason to drop a cup. A decoder that rejects therefore releases early rather than
late; what that costs in held objects shows as ``held_s``. Evidence that is not valid moves nothing here; in
control it is a fault after half a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._alternating import settled_windows
from workbench.paradigms._base import (
    Paradigm,
    PlannedCue,
    Request,
    Rule,
    require_classes,
    require_not_negative,
    require_positive,
)
from workbench.vocabulary import Decision, Evidence, LocatedCue, Trial, TrialOutcome

REJECTED_DWELL = 5
"""Hops of rejected evidence that end an activation, where the dwell is left to the paradigm."""


@dataclass(frozen=True)
class GraspRest(Paradigm):
    """Attempt and rest in turn.

    Parameters
    ----------
    condition, rest : labels of the two cues.
    attempt_s, rest_s : durations in s; ``jitter_s`` is added to each rest, uniform and seeded.
    lead_in_s : rest before the first cue, in s.
    activate, release : thresholds on the probability of ``condition``.
    dwell : consecutive hops needed to change state; None for 1 where evidence has a memory, and 3 where it has
        not.
    rejected_dwell : consecutive hops after which evidence that is rejected ends an activation; None for 5 (0.25 s
        at the usual hop) where the dwell is left to the paradigm, and for the dwell where one is given, as in runs
        that were stored before there was this parameter.
    onset_window_s : s after the cue in which an onset is a hit.
    """

    name: ClassVar[str] = "grasp_rest"
    asynchronous: ClassVar[bool] = True
    hit_window: ClassVar[str] = "onset_window_s"

    condition: str = "grasp"
    rest: str = "rest"
    attempt_s: float = 3.0
    rest_s: float = 5.0
    jitter_s: float = 0.5
    lead_in_s: float = 3.0
    activate: float = 0.65
    release: float = 0.20
    dwell: int | None = None
    onset_window_s: float = 1.5
    rejected_dwell: int | None = None

    def __post_init__(self) -> None:
        require_positive(attempt_s=self.attempt_s, rest_s=self.rest_s, onset_window_s=self.onset_window_s)
        if self.dwell is not None:
            require_positive(dwell=self.dwell)
        if self.rejected_dwell is not None:
            require_positive(rejected_dwell=self.rejected_dwell)
        require_not_negative(jitter_s=self.jitter_s, lead_in_s=self.lead_in_s)
        if self.condition == self.rest:
            raise BadValue(Message("paradigm.condition_is_rest", got=repr(self.rest)))
        if not 0 < self.release < self.activate < 1:
            raise BadValue(Message("paradigm.thresholds", release=str(self.release), activate=str(self.activate)))

    def suited(self, *, remembers: bool) -> Self:
        """With a dwell, where none was given, and with one for rejected evidence."""
        if self.dwell is not None:
            return self if self.rejected_dwell is not None else replace(self, rejected_dwell=self.dwell)
        rejected = REJECTED_DWELL if self.rejected_dwell is None else self.rejected_dwell
        return replace(self, dwell=1 if remembers else 3, rejected_dwell=rejected)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The attempted movement."""
        return (self.condition,)

    @property
    def classes(self) -> tuple[str, ...]:
        """Rest and the movement."""
        return (self.rest, self.condition)

    def schedule(self, n_trials: int, *, seed: int) -> tuple[PlannedCue, ...]:
        """A rest, then ``n_trials`` times attempt and rest."""
        require_positive(n_trials=n_trials)
        # A named bit generator: NumPy's default may change, and a seed must always give the same schedule.
        jitter = np.random.Generator(np.random.PCG64(seed)).uniform(0.0, self.jitter_s, n_trials)
        cues = [PlannedCue(0.0, self.rest, self.lead_in_s, -1)]
        at = self.lead_in_s
        for trial in range(n_trials):
            cues.append(PlannedCue(at, self.condition, self.attempt_s, trial))
            rest_s = self.rest_s + float(jitter[trial])
            cues.append(PlannedCue(at + self.attempt_s, self.rest, rest_s, trial))
            at += self.attempt_s + rest_s
        return tuple(cues)

    def training_windows(
        self, cues: Sequence[LocatedCue], *, fs: float, window_s: float, hop_s: float
    ) -> list[tuple[int, str, int]]:
        """Windows that lie 0.5 s after a movement cue, or 1 s after a rest cue, up to the cue's end.

        Each cued period is a block: an attempt and the rest after it can be held out apart. No window crosses a
        cue, and what leaks over it (the tail of a filter, a slow drift) favours no class: periods of one class are
        never neighbours. Windows within a period overlap, so they stay together.

        Parameters
        ----------
        cues : of a run, in its samples.
        fs : rate in Hz. window_s, hop_s : of the decoder, s.
        """
        # After an attempt the rebound of the rhythms lasts longer than a reaction to a cue.
        settle_s = {self.condition: 0.5, self.rest: 1.0}
        return settled_windows(cues, settle_s, fs=fs, window_s=window_s, hop_s=hop_s)

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : between windows, samples.
        classes : in the decoder's order, empty without one.
        """
        require_classes(classes, self.classes, self.name)
        target = list(classes).index(self.condition) if classes else -1
        return GraspRule(self, fs=fs, hop=hop, target=target)


@dataclass
class _Attempt:
    """A trial under way, in samples."""

    cue: LocatedCue
    attempt_end: int
    trial_end: int
    window_end: int
    onset: int | None = None
    released: int | None = None
    excluded: str = ""


@dataclass
class _Tally:
    """Counts since the end of the last trial."""

    false_activations: int = 0
    false_in_rest: int = 0
    rest_samples: int = 0


class GraspRule(Rule):
    """See the module's docstring.

    Parameters
    ----------
    paradigm : whose run it is. fs : rate in Hz. hop : between decisions, samples.
    target : place of the movement among the decoder's classes, -1 without a decoder.
    """

    def __init__(self, paradigm: GraspRest, *, fs: float, hop: int, target: int) -> None:
        self._paradigm, self._fs, self._hop, self._target = paradigm, fs, hop, target
        self._needed = paradigm.dwell or 1
        self._needed_rejected = paradigm.rejected_dwell or self._needed
        self._next = hop
        self._active = self._rejected = self._forced = False
        self._count = 0
        self._open: _Attempt | None = None
        self._tally = _Tally()
        self._index = 0
        self._paused = False

    @property
    def due(self) -> Request | None:
        """Every hop."""
        return Request(self._next, self._next)

    def dwell(self) -> tuple[int, int]:
        """Hops past the threshold that would change the state, and how many are needed."""
        return (self._count, self._needed_rejected if self._active and self._rejected else self._needed)

    def cue(self, cue: LocatedCue, *, at: int) -> list[Trial]:
        """A movement cue closes the trial before it and opens the next."""
        self._paused = False
        if cue.label != self._paradigm.condition:
            return []
        closed = self._close(at)
        # Markers of others may carry no duration.
        attempt_s = cue.duration_s or self._paradigm.attempt_s
        attempt_end = cue.sample + round(attempt_s * self._fs)
        self._open = _Attempt(
            cue,
            attempt_end=attempt_end,
            trial_end=attempt_end + round(self._paradigm.rest_s * self._fs),
            window_end=cue.sample + round(self._paradigm.onset_window_s * self._fs),
        )
        return closed

    def decide(self, request: Request, *, stamp: float, evidence: Evidence | None) -> list[Decision | Trial]:
        """One hop: threshold, dwell, bookkeeping."""
        at = request.at
        self._next = at + self._hop
        rows: list[Decision | Trial] = []
        if evidence is not None:
            rows.append(self._verdict(at, stamp, evidence))
        # Rest with evidence that is not valid is no exposure to false activations.
        if evidence is None or evidence.valid:
            self._tally.rest_samples += self._rest_in_hop(at)
        if self._open is not None and at >= self._open.trial_end:
            rows += self._close(at)
        return rows

    def interrupt(self, *, at: int, reason: str, resets: bool) -> None:
        """Exclude the open trial; after a gap an activation is released at the next hop."""
        if self._open is not None and not self._open.excluded:
            self._open.excluded = reason
        self._count = 0
        # The decision follows at the next hop, because a release belongs to a hop in recordings and replays.
        self._forced = self._forced or (resets and self._active)
        self._paused = self._paused or not resets

    def finish(self, *, at: int) -> list[Trial]:
        """The run ended: a trial whose attempt is over counts, one cut short is excluded."""
        # The rest after an attempt only bounds the release, so a run may end in it.
        if self._open is not None and at < self._open.attempt_end and not self._open.excluded:
            self._open.excluded = Message("trial.run_ended_in_attempt")
        return self._close(at)

    def _verdict(self, at: int, stamp: float, evidence: Evidence) -> Decision:
        change = self._change(evidence)
        if change:
            self._active = change == "activate"
            self._count = 0
            self._book(at)
        label = self._paradigm.condition if self._active else self._paradigm.rest
        trial = -1 if self._open is None else self._index
        # Such a window supports no class, even while the state that it leaves unchanged has one.
        if not evidence.valid or evidence.rejected:
            label = ""
        return Decision(
            at,
            stamp,
            label,
            evidence.probabilities,
            evidence.valid,
            change,
            trial,
            kind=self._paradigm.evidence,
            values=evidence.values,
        )

    def _change(self, evidence: Evidence) -> str:
        if self._forced:
            self._forced = False
            return "release"
        p, self._rejected = self._meant(evidence), evidence.rejected
        if self._active:
            past = evidence.rejected or p < self._paradigm.release
        else:
            # Strictly past the threshold, in both directions: evidence at it changes nothing.
            past = not evidence.rejected and p > self._paradigm.activate
        self._count = self._count + 1 if evidence.valid and past else 0
        if self._count < (self._needed_rejected if evidence.rejected else self._needed):
            return ""
        return "release" if self._active else "activate"

    def _meant(self, evidence: Evidence) -> float:
        """How likely the movement is meant, 0–1; asked of evidence that is not valid too."""
        return evidence.probabilities[self._target]

    def _book(self, at: int) -> None:
        """Enter an activation or a release into the open trial or the tally."""
        trial = self._open
        if not self._active:
            if trial is not None and trial.onset is not None and trial.released is None:
                trial.released = at
            return
        # The first activation in the window is the onset; later ones in the same trial are false.
        if trial is not None and trial.onset is None and trial.cue.sample <= at <= trial.window_end:
            trial.onset = at
            return
        if self._paused:
            return
        self._tally.false_activations += 1
        self._tally.false_in_rest += trial is None or at > trial.attempt_end

    def _rest_in_hop(self, at: int) -> int:
        """Samples of the hop that ended at ``at`` which lie outside the attempt and outside a pause."""
        if self._paused:
            return 0
        start = at - self._hop
        if self._open is None:
            return self._hop
        covered = min(at, self._open.attempt_end) - max(start, self._open.cue.sample)
        return self._hop - max(0, covered)

    def _close(self, at: int) -> list[Trial]:
        trial = self._open
        if trial is None:
            return []
        tally, self._tally, self._open = self._tally, _Tally(), None
        self._index += 1
        seconds = 1.0 / self._fs
        hit = trial.onset is not None
        # An activation that is still held counts up to the end of the trial.
        end = trial.released if trial.released is not None else at
        if trial.excluded:
            outcome: TrialOutcome = "excluded"
        elif self._target < 0:
            outcome = "recorded"
        else:
            outcome = "correct" if hit else "missed"
        return [
            Trial(
                index=self._index - 1,
                condition=self._paradigm.condition,
                cue_sample=trial.cue.sample,
                cue_stamp=trial.cue.stamp,
                end_sample=at,
                outcome=outcome,
                decided=self._paradigm.condition if hit else "",
                onset_sample=trial.onset,
                latency_s=(trial.onset - trial.cue.sample) * seconds if trial.onset is not None else None,
                release_s=(trial.released - trial.attempt_end) * seconds if trial.released is not None else None,
                held_s=(end - trial.onset) * seconds if trial.onset is not None else None,
                false_activations=tally.false_activations,
                false_in_rest=tally.false_in_rest,
                rest_s=tally.rest_samples * seconds,
                excluded=trial.excluded,
            )
        ]


PARADIGM = GraspRest
