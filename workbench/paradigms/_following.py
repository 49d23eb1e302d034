"""Following: a decoded value is judged at every hop of an attempt, which a cue begins and its time ends.

The rule keeps the time of attempts and their order; what a value does, and when it has done what was asked, the
attempt of the paradigm says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.messages import Message
from workbench.paradigms._alternating import Alternating
from workbench.paradigms._base import Request, Rule
from workbench.paradigms._bout import Bout
from workbench.vocabulary import Decision, Evidence, EvidenceKind, LocatedCue, Trial, TrialOutcome


@dataclass
class Attempt(ABC):
    """A trial under way.

    Attributes
    ----------
    cue : that asked for it.
    end : sample at which its time is over.
    excluded : why it does not count, ``""`` while it does.
    place : of the cursor, in the unit of its paradigm; empty in a task without one.
    held : hops for which what was asked for has been held.
    first : sample at which it was reached first, None before.
    """

    cue: LocatedCue
    end: int
    excluded: str = ""
    place: tuple[float, ...] = ()
    held: int = 0
    first: int | None = None

    @abstractmethod
    def judge(self, values: tuple[float, ...], at: int, *, begun: int, sound: bool) -> bool:
        """Judge one hop; whether it is followed.

        Parameters
        ----------
        values : of the evidence.
        at, begun : samples between which the hop lies.
        sound : whether the evidence is valid and not rejected.
        """

    @property
    @abstractmethod
    def outcome(self) -> TrialOutcome:
        """What came of it, when a decoder was there and nothing excluded it."""

    @abstractmethod
    def decided(self, outcome: TrialOutcome) -> str:
        """The condition that was reached, ``""`` for none."""

    @abstractmethod
    def result(self) -> Mapping[str, Any]:
        """What is stored beside the outcome."""

    def over(self, at: int) -> bool:
        """Whether it ends with the hop that ends at a sample."""
        return at >= self.end


class FollowingRule(Rule):
    """The attempt under way, and whether a bout of following is.

    Parameters
    ----------
    paradigm : gives conditions, the label of rest, and the time of an attempt.
    begin : makes the attempt that a cue asks for, of the cue and the sample at which its time is over.
    kind : of the evidence.
    fs : rate in Hz.
    hop : between decisions, samples.
    decoded : whether a decoder is there.
    hold : hops for which what is asked for has to be held, 0 where that is not asked.
    place : of the cursor before the first cue, empty in a task without one.
    """

    def __init__(
        self,
        paradigm: Alternating,
        begin: Callable[[LocatedCue, int], Attempt],
        *,
        kind: EvidenceKind,
        fs: float,
        hop: int,
        decoded: bool,
        hold: int = 0,
        place: tuple[float, ...] = (),
    ) -> None:
        self._paradigm, self._begin, self._kind = paradigm, begin, kind
        self._fs, self._hop, self._decoded = fs, hop, decoded
        self._next, self._index, self._hold = hop, 0, hold
        self._place, self._bout = place, Bout()
        self._open: Attempt | None = None

    @property
    def due(self) -> Request:
        """The next hop."""
        return Request(self._next, self._next)

    def dwell(self) -> tuple[int, int]:
        """Hops for which what is asked for has been held, and how many are needed."""
        return (0 if self._open is None else self._open.held, self._hold)

    def cue(self, cue: LocatedCue, *, at: int) -> list[Trial]:
        """A cue of a condition begins an attempt; one before it is closed."""
        closed = self._close(at)
        if cue.label in self._paradigm.conditions:
            # Markers of others may carry no duration.
            attempt_s = cue.duration_s or self._paradigm.attempt_s
            # A bout ends with its trial, even where the next cue comes at once.
            self._bout.cut()
            self._open = self._begin(cue, cue.sample + round(attempt_s * self._fs))
            self._place = self._open.place
        return closed

    def decide(self, request: Request, *, stamp: float, evidence: Evidence | None) -> list[Decision | Trial]:
        """One hop: judge the value, and close the trial when it is over."""
        at = request.at
        self._next = at + self._hop
        rows: list[Decision | Trial] = []
        if evidence is not None:
            rows.append(self._verdict(at, stamp, evidence))
        if self._open is not None and self._open.over(at):
            rows += self._close(at)
        return rows

    def interrupt(self, *, at: int, reason: str, resets: bool) -> None:
        """Exclude the open trial; after a gap nothing is followed any longer."""
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
        trial, sound, goes = self._open, evidence.valid and not evidence.rejected, False
        if trial is not None and not trial.excluded:
            goes = trial.judge(evidence.values, at, begun=at - self._hop, sound=sound)
            self._place = trial.place
        # A bout begins with the first sound hop of a trial, and ends with it or after a gap.
        change = self._bout.change(goes=goes, over=trial is None or trial.over(at))
        label = self._paradigm.rest if trial is None else trial.cue.label
        return Decision(
            at,
            stamp,
            label if sound else "",
            evidence.probabilities,
            evidence.valid,
            change,
            -1 if trial is None else self._index,
            kind=self._kind,
            values=evidence.values,
            position=self._place,
        )

    def _close(self, at: int) -> list[Trial]:
        trial = self._open
        if trial is None:
            return []
        self._open = None
        self._index += 1
        if trial.excluded:
            outcome: TrialOutcome = "excluded"
        else:
            outcome = trial.outcome if self._decoded else "recorded"
        return [
            Trial(
                index=self._index - 1,
                condition=trial.cue.label,
                cue_sample=trial.cue.sample,
                cue_stamp=trial.cue.stamp,
                end_sample=at,
                outcome=outcome,
                decided=trial.decided(outcome),
                onset_sample=trial.first,
                latency_s=None if trial.first is None else (trial.first - trial.cue.sample) / self._fs,
                excluded=trial.excluded,
                result=dict(trial.result()) if self._decoded else {},
            )
        ]
