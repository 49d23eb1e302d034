"""Moves of an effector by a schedule: in passive, open-loop, sham and mapping runs no decision moves it.

What may move is granted, limited and stopped as everywhere; only what asks for a move is another thing. Pure: the
caller tells which cue came and what time it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from workbench import world
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import Command

SCHEDULE = "schedule:"
"""Where a schedule moves the effector, this and the procedure stand in place of a decoder's hash: in the grant, in
the arming conditions and in every command."""

SCHEDULED: Mapping[str, Message] = {
    "passive": Message("procedure.passive"),
    "open_loop": Message("procedure.open_loop"),
    "sham": Message("procedure.sham"),
    "mapping": Message("procedure.mapping"),
}
"""Procedures in which a schedule moves the effector, with their names."""


@dataclass(frozen=True, slots=True)
class Move:
    """One closing of the effector. Raises :class:`BadValue` for times that are none.

    Attributes
    ----------
    delay_s : from the cue to its beginning, s of stream time.
    hold_s : how long it lasts, s of stream time.
    level : fraction 0–1 per channel, None for the profile's.
    """

    delay_s: float
    hold_s: float
    level: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        # Not `<`: a time that is not a number is none.
        if not (0 <= self.delay_s < np.inf and 0 < self.hold_s < np.inf):
            raise BadValue(Message("schedule.times", delay=f"{self.delay_s:g}", hold=f"{self.hold_s:g}"))


class Step(NamedTuple):
    """One thing asked of the effector: to close to a level (0–1 per channel, None for its own), or to open."""

    close: bool
    level: tuple[float, ...] | None = None


class MoveSchedule:
    """What the effector is asked to do, by stream time in s. A cue begins its moves and ends those before it.

    Moves that a later cue overtakes are left out, so that the effector never lags behind what is shown.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, Step]] = []

    def begin(self, moves: Iterable[Move], *, stamp: float) -> None:
        """A cue was shown at ``stamp``; what is still due of the cue before it is left out but for its release."""
        self._due = [(at, step) for at, step in self._due if not step.close]
        for move in moves:
            start = stamp + move.delay_s
            self._due += [(start, Step(close=True, level=move.level)), (start + move.hold_s, Step(close=False))]
        # A release before a closing of the same moment, or the closing would be undone at once.
        self._due.sort(key=lambda due: (due[0], due[1].close))

    def clear(self) -> None:
        """A pause: nothing is due any more."""
        self._due = []

    def due(self, stamp: float) -> list[Step]:
        """Steps up to ``stamp``, oldest first, each once."""
        passed = [step for at, step in self._due if at <= stamp]
        self._due = [(at, step) for at, step in self._due if at > stamp]
        return passed


def draw_moves(
    n_trials: int, *, seed: int, share: float, delay_s: tuple[float, float], hold_s: tuple[float, float]
) -> tuple[tuple[Move, ...], ...]:
    """Moves of a sham run, drawn before it begins: they know nothing of the participant, nor of the cues.

    Parameters
    ----------
    n_trials : of the run.
    seed : gives the same moves again.
    share : of the trials that have a move, 0–1; their number is exact and their places are drawn.
    delay_s, hold_s : least and most, uniform between, s.

    Returns
    -------
    tuple
        The moves of each trial, one or none.
    """
    # A stream of its own: the schedule of the cues is drawn with the same seed.
    rng = world.chance.generator([seed, 1])
    moved = set(rng.permutation(n_trials)[: round(share * n_trials)].tolist())
    delays, holds = rng.uniform(*delay_s, n_trials), rng.uniform(*hold_s, n_trials)
    return tuple((Move(float(delays[k]), float(holds[k])),) if k in moved else () for k in range(n_trials))


def moves_of(cue_stamps: Sequence[float], commands: Sequence[Command]) -> tuple[tuple[Move, ...], ...]:
    """The moves of a recorded run by its trials, such as a sham run repeats them (a yoked control).

    Parameters
    ----------
    cue_stamps : of the trials, s, rising. commands : of the same run.

    What was closed before the first cue is left out.
    """
    moves: list[list[Move]] = [[] for _ in cue_stamps]
    since: float | None = None
    # By sequence number: stamps may jump, and then a move would end before it began.
    for command in sorted(commands, key=lambda one: one.seq):
        if any(command.level):
            since = command.stamp if since is None else since
            continue
        if since is not None and command.stamp > since:
            trial = int(np.searchsorted(cue_stamps, since, side="right")) - 1
            if trial >= 0:
                moves[trial].append(Move(since - cue_stamps[trial], command.stamp - since))
        since = None
    return tuple(tuple(of_trial) for of_trial in moves)
