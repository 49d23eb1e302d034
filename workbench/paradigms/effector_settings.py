"""Settings of an effector, one after the other: the operator confirms each and notes the reaction to it.

There is nothing to decide. A setting's cue opens a trial, the noted reaction closes it, and both are its result.
The operator gives the cues (``by_operator``), so that nothing moves before somebody has said so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._base import Paradigm, PlannedCue, Request, Rule, require_positive
from workbench.vocabulary import Decision, Evidence, LocatedCue, Trial, TrialOutcome

REACTION = "reaction: "
"""Begins the label of the marker that holds a reaction."""


@dataclass(frozen=True)
class EffectorSettings(Paradigm):
    """Steps through levels of an effector.

    Parameters
    ----------
    levels : of each step, a fraction 0–1 for an effector with one channel, else a list with one for each channel.
    hold_s : how long each lasts, s.
    """

    name: ClassVar[str] = "effector_settings"
    asynchronous: ClassVar[bool] = False
    by_operator: ClassVar[bool] = True

    levels: tuple[float | tuple[float, ...], ...] = (0.25, 0.5, 0.75, 1.0)
    hold_s: float = 2.0

    def __post_init__(self) -> None:
        # Stored parameters come from JSON as lists.
        steps = tuple(tuple(one) if isinstance(one, list | tuple) else one for one in self.levels)
        object.__setattr__(self, "levels", steps)
        require_positive(hold_s=self.hold_s)
        for step in steps:
            fractions = step if isinstance(step, tuple) else (step,)
            # Negated, so that nan is refused too. All at 0 would be a step in which nothing happens.
            if not (all(0 <= fraction <= 1 for fraction in fractions) and any(fractions)):
                raise BadValue(Message("paradigm.levels", got=str(step)))
        if not steps:
            raise BadValue(Message("paradigm.no_level"))

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the steps."""
        return tuple(f"setting {number}" for number in range(1, len(self.levels) + 1))

    @property
    def classes(self) -> tuple[str, ...]:
        """None: nothing is decided."""
        return ()

    def takes(self, label: str) -> bool:
        """A step, or the reaction to it."""
        return label in self.conditions or label.startswith(REACTION)

    def level_of(self, label: str) -> tuple[float, ...] | None:
        """The level of a step; one number is that of an effector with one channel."""
        if label not in self.conditions:
            return None
        step = self.levels[self.conditions.index(label)]
        return step if isinstance(step, tuple) else (step,)

    def schedule(self, n_trials: int, *, seed: int) -> tuple[PlannedCue, ...]:
        """``n_trials`` steps in their order, after the last the first again; each lasts, but nobody knows when."""
        require_positive(n_trials=n_trials)
        named = self.conditions
        return tuple(PlannedCue(k * self.hold_s, named[k % len(named)], self.hold_s, k) for k in range(n_trials))

    def training_windows(
        self, cues: Sequence[LocatedCue], *, fs: float, window_s: float, hop_s: float
    ) -> list[tuple[int, str, int]]:
        """None: a mapping teaches no decoder.

        Parameters
        ----------
        cues, fs, window_s, hop_s : not used.
        """
        return []

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs, hop : not used. classes : empty, as no decoder decides.

        Raises
        ------
        BadValue
            With a decoder.
        """
        if classes:
            raise BadValue(Message("engine.no_decoder_in_run", kind=Message("procedure.mapping")))
        return _SettingsRule(self)


class _SettingsRule(Rule):
    """The open step waits for its reaction."""

    def __init__(self, paradigm: EffectorSettings) -> None:
        self._paradigm = paradigm
        self._open: LocatedCue | None = None
        self._excluded = ""
        self._index = 0

    @property
    def due(self) -> Request | None:
        """Never: nothing is decided."""
        return None

    def cue(self, cue: LocatedCue, *, at: int) -> list[Trial]:
        """A step opens a trial, its reaction closes it."""
        if cue.label.startswith(REACTION):
            return self._close(at, reaction=cue.label.removeprefix(REACTION))
        closed = self._close(at, reaction="")
        self._open, self._excluded = cue, ""
        return closed

    def decide(self, request: Request, *, stamp: float, evidence: Evidence | None) -> list[Decision | Trial]:
        """Nothing.

        Parameters
        ----------
        request, stamp, evidence : not used.
        """
        return []

    def interrupt(self, *, at: int, reason: str, resets: bool) -> None:
        """A pause releases the effector, so that the step did not last as planned; a gap does not touch it.

        Parameters
        ----------
        at : sample. reason : stored with the trial. resets : whether samples are missing.
        """
        if not resets:
            self._excluded = reason

    def finish(self, *, at: int) -> list[Trial]:
        """A step whose reaction nobody noted is excluded."""
        return self._close(at, reaction="")

    def _close(self, at: int, *, reaction: str) -> list[Trial]:
        cue, self._open = self._open, None
        if cue is None:
            return []
        self._index += 1
        excluded = self._excluded or ("" if reaction else Message("trial.no_reaction"))
        outcome: TrialOutcome = "excluded" if excluded else "recorded"
        level = self._paradigm.level_of(cue.label)
        return [
            Trial(
                index=self._index - 1,
                condition=cue.label,
                cue_sample=cue.sample,
                cue_stamp=cue.stamp,
                end_sample=at,
                outcome=outcome,
                excluded=excluded,
                result={"level": [] if level is None else list(level), "reaction": reaction},
            )
        ]


PARADIGM = EffectorSettings
