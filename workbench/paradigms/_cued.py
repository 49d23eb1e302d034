"""Cued classes, named by the user: one decision per cue, on the window ``start_s`` to ``stop_s`` after it.

Overlapping and repeated cues give separate trials. A cue whose marker arrived late is decided late, on
the same window; one whose window has left the history is excluded and entered in the ledger by the loop.
Rejected evidence decides nothing: its trial is missed. No state is carried from cue to cue that it could prolong.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._base import (
    Paradigm,
    PlannedCue,
    Request,
    Rule,
    require_classes,
    require_not_negative,
    require_positive,
)
from workbench.paradigms._judged import judged_trial
from workbench.vocabulary import Decision, Evidence, LocatedCue, Trial

PAUSE = "rest"
"""Label of the cue between two trials of a schedule."""


@dataclass(frozen=True)
class Cued(Paradigm):
    """Cued attempts or imagery of several conditions.

    Parameters
    ----------
    conditions : the labels, all different.
    start_s, stop_s : window after the cue in s.
    attempt_s, rest_s, jitter_s, lead_in_s : schedule in s.
    reject_below : a decision whose larger probability is below this has no label (1 over the number of
        conditions, and less, rejects none).
    """

    asynchronous: ClassVar[bool] = False

    conditions: tuple[str, ...] = ("left", "right")
    start_s: float = 0.5
    stop_s: float = 2.5
    attempt_s: float = 3.0
    rest_s: float = 3.0
    jitter_s: float = 0.5
    lead_in_s: float = 3.0
    reject_below: float = 0.5

    def __post_init__(self) -> None:
        # Stored parameters come from JSON as a list.
        object.__setattr__(self, "conditions", tuple(self.conditions))
        self._check_conditions()
        require_positive(attempt_s=self.attempt_s, stop_s=self.stop_s)
        require_not_negative(rest_s=self.rest_s, jitter_s=self.jitter_s, lead_in_s=self.lead_in_s)
        if not 0 <= self.reject_below <= 1:
            raise BadValue(Message("paradigm.reject_below", got=str(self.reject_below)))
        if not 0 <= self.start_s < self.stop_s:
            raise BadValue(Message("paradigm.window", start=str(self.start_s), stop=str(self.stop_s)))

    @abstractmethod
    def _check_conditions(self) -> None:
        """Raise :class:`BadValue` for conditions that the paradigm does not have."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The conditions."""
        return self.conditions

    @property
    def decided_after_s(self) -> float:
        """At the end of its window."""
        return self.stop_s

    @property
    def stretch_s(self) -> float:
        """From ``start_s`` to ``stop_s``."""
        return self.stop_s - self.start_s

    def schedule(self, n_trials: int, *, seed: int) -> tuple[PlannedCue, ...]:
        """As many cues of one condition as of another, give or take one, in seeded random order.

        Raises
        ------
        BadValue
            No trial, or a condition of the name that the pauses between the cues have.
        """
        require_positive(n_trials=n_trials)
        if PAUSE in self.conditions:
            raise BadValue(Message("paradigm.named_pause", name=repr(PAUSE)))
        # A named bit generator: NumPy's default may change, and a seed must always give the same schedule.
        rng = np.random.Generator(np.random.PCG64(seed))
        order = rng.permutation([i % len(self.conditions) for i in range(n_trials)])
        jitter = rng.uniform(0.0, self.jitter_s, n_trials)
        cues = [PlannedCue(0.0, PAUSE, self.lead_in_s, -1)]
        at = self.lead_in_s
        for trial in range(n_trials):
            rest_s = self.rest_s + float(jitter[trial])
            cues.append(PlannedCue(at, self.conditions[int(order[trial])], self.attempt_s, trial))
            cues.append(PlannedCue(at + self.attempt_s, PAUSE, rest_s, trial))
            at += self.attempt_s + rest_s
        return tuple(cues)

    def training_windows(
        self, cues: Sequence[LocatedCue], *, fs: float, window_s: float, hop_s: float
    ) -> list[tuple[int, str, int]]:
        """One window per cue, the one that is decided online.

        Parameters
        ----------
        cues : of a run, in its samples.
        fs : rate in Hz. window_s, hop_s : not used: the window ends ``stop_s`` after its cue, and a decoder whose
            own length was left open has one of :attr:`stretch_s`.
        """
        cued = [c for c in cues if c.label in self.conditions]
        return [(c.sample + round(self.stop_s * fs), c.label, i) for i, c in enumerate(cued)]

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : not used.
        classes : in the decoder's order, empty without one.
        """
        require_classes(classes, self.classes, self.name)
        return _CuedRule(self, fs=fs, classes=tuple(classes))


@dataclass
class _Waiting:
    index: int
    cue: LocatedCue
    request: Request
    excluded: str = ""


class _CuedRule(Rule):
    """Open trials wait in the order in which their windows end."""

    def __init__(self, paradigm: Cued, *, fs: float, classes: tuple[str, ...]) -> None:
        self._paradigm, self._fs, self._classes = paradigm, fs, classes
        self._waiting: list[_Waiting] = []
        self._count = 0

    @property
    def due(self) -> Request | None:
        """The window that ends first."""
        return self._waiting[0].request if self._waiting else None

    def cue(self, cue: LocatedCue, *, at: int) -> list[Trial]:
        """A cue of one of the two conditions opens a trial."""
        if cue.label in self._paradigm.conditions:
            end = cue.sample + round(self._paradigm.stop_s * self._fs)
            # Not before the marker arrived, or a replay would decide earlier than the run did.
            self._waiting.append(_Waiting(self._count, cue, Request(max(at, end), end)))
            self._waiting.sort(key=lambda w: (w.request.at, w.index))
            self._count += 1
        return []

    def decide(self, request: Request, *, stamp: float, evidence: Evidence | None) -> list[Decision | Trial]:
        """The first waiting trial gets its decision."""
        waiting = self._waiting.pop(0)
        if evidence is None:
            # No evidence has two causes: a run without a decoder, or a window that is gone.
            reason = waiting.excluded or (Message("trial.window_left") if self._classes else "")
            return [self._trial(waiting, request.at, decided="", excluded=reason)]
        best = int(np.argmax(evidence.probabilities))
        accepted = evidence.valid and not evidence.rejected
        # At the threshold is enough, so that 0.5 rejects nothing.
        sure = accepted and evidence.probabilities[best] >= self._paradigm.reject_below
        label = self._classes[best] if sure else ""
        decision = Decision(
            request.at, stamp, label, evidence.probabilities, evidence.valid, "cued", waiting.index
        )
        reason = waiting.excluded or ("" if evidence.valid else Message("trial.window_incomplete"))
        return [decision, self._trial(waiting, request.at, decided=label, excluded=reason)]

    def interrupt(self, *, at: int, reason: str, resets: bool) -> None:
        """Every open trial is excluded."""
        for waiting in self._waiting:
            waiting.excluded = waiting.excluded or reason

    def finish(self, *, at: int) -> list[Trial]:
        """Trials whose window did not end."""
        open_trials, self._waiting = self._waiting, []
        return [
            self._trial(w, at, decided="", excluded=w.excluded or Message("trial.run_ended_in_window"))
            for w in open_trials
        ]

    def _trial(self, waiting: _Waiting, at: int, *, decided: str, excluded: str) -> Trial:
        return judged_trial(
            waiting.index,
            waiting.cue,
            at,
            fs=self._fs,
            decided=decided,
            compared=bool(self._classes),
            excluded=excluded,
        )
