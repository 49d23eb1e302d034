"""The brain-spine interface: calibration, fit and online states of many simulated participants.

Each participant is calibrated with as many cues as the system plans, and goes on in the same noise to a run that
is decoded while the decoder learns in blocks. Everything goes through :func:`workbench.decode.decode` at full
speed, without LSL. What was decided is decoded again in blocks of another size and must be the same, with every
update.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench import analysis
from workbench.paradigms.leg_states import STILL
from workbench.stress._full_speed import card_figure, online_run, over_participants, seeds_of
from workbench.systems import CardFigure
from workbench.systems.brain_spine_interface import BLOCK_S
from workbench.vocabulary import Decision, Snapshot

SYSTEM = "brain_spine_interface"

STATES = 7
"""Least number of states that the published decoder tells apart."""


@dataclass(frozen=True, slots=True)
class Person:
    """What came of one participant.

    Attributes
    ----------
    right, cues : cues whose state was the likeliest, of how many cues.
    acted : cues whose state was also sure enough to act.
    unsure, other : cues after which no state was sure enough, and after which another joint was decided than cued.
    updates, gaps_s : number of its updates, and times between their samples, s.
    taken_back : updates that passed their bound, or came too late.
    equal : whether decoding again gave the same.
    """

    right: int
    cues: int
    acted: int
    unsure: int
    other: int
    updates: int
    gaps_s: tuple[float, ...]
    taken_back: int
    equal: bool


@dataclass(frozen=True, slots=True)
class StateFigures:
    """Figures over participants.

    Attributes
    ----------
    states : number of states. calibration_s : length of the calibration, s. people : of each participant.
    """

    states: int
    calibration_s: float
    people: tuple[Person, ...]

    @property
    def passed(self) -> bool:
        """Whether there are seven states, updates are as far apart as planned, and every run decodes the same."""
        return self.states >= STATES and all(
            one.equal and one.updates and all(gap == BLOCK_S for gap in one.gaps_s) for one in self.people
        )

    @property
    def card_figure(self) -> CardFigure | None:
        """The figure of the system's card."""
        return card_figure("likeliest", [one.right / one.cues for one in self.people], most=1.0)

    def text(self) -> str:
        """The figures in one line."""
        shares = [one.right / one.cues for one in self.people]
        gaps = [gap for one in self.people for gap in one.gaps_s]
        above = sum(analysis.wilson(one.right, one.cues)[0] > 1.0 / self.states for one in self.people)
        low, high = analysis.wilson(above, len(self.people))
        apart = f"{min(gaps):.2f} to {max(gaps):.2f} s apart" if gaps else "none followed by another"
        cues, acted = sum(one.cues for one in self.people), sum(one.acted for one in self.people)
        unsure, other = sum(one.unsure for one in self.people), sum(one.other for one in self.people)
        return (
            f"{SYSTEM}: {len(self.people)} simulated participants, {self.states} states, calibrated within "
            f"{self.calibration_s:.0f} s, {cues} cues: likeliest state as cued "
            f"{over_participants(shares, '.2f', most=1.0)}, chance {1.0 / self.states:.2f}, above chance "
            f"in {above} of {len(self.people)} ({low:.2f}–{high:.2f}); decided as cued {acted}, no state sure "
            f"enough to act {unsure}, another joint decided than cued {other}; "
            f"{sum(one.updates for one in self.people)} updates, {apart}, "
            f"{sum(one.taken_back for one in self.people)} taken back or late; "
            f"{sum(not one.equal for one in self.people)} runs decoded again otherwise"
        )


def states(n: int, seed: int, *, trials: tuple[int, ...] = ()) -> StateFigures:
    """Figures over ``n`` simulated participants.

    Parameters
    ----------
    n : participants. seed : of the first one; the others follow.
    trials : of each run in place of the usual ones, the online run last.

    Raises
    ------
    BadValue
        Without a participant.
    """
    made = [_participant(one, trials) for one in seeds_of(n, seed)]
    return StateFigures(made[0][1], made[0][2], tuple(person for person, _, _ in made))


def _participant(seed: int, trials: tuple[int, ...]) -> tuple[Person, int, float]:
    """The participant, the number of states, and the length of the calibration, s."""
    run = online_run(SYSTEM, seed=seed, trials=trials)
    best = [run.decoder.class_names[np.argmax(one.probabilities)] for one in run.made if isinstance(one, Decision)]
    updates = [item for item in run.made if isinstance(item, Snapshot)]
    gaps = np.diff([item.sample for item in updates]) / run.bound.signal.fs
    return (
        Person(
            sum(likeliest == trial.condition for likeliest, trial in zip(best, run.trials, strict=True)),
            len(run.trials),
            sum(trial.outcome == "correct" for trial in run.trials),
            sum(not trial.decided for trial in run.trials),
            sum(trial.decided not in ("", STILL, trial.condition) for trial in run.trials),
            len(updates),
            tuple(gaps.tolist()),
            sum(item.rule != "blocks" for item in updates),
            run.equal,
        ),
        len(run.decoder.class_names),
        run.calibration_s,
    )
