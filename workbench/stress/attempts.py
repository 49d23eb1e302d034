"""Self-paced systems: calibration, fit and online attempts of many simulated participants.

Each participant is calibrated with as many attempts as the system plans, and goes on in the same noise to a run
that is decoded with every default. Everything goes through :func:`workbench.decode.decode` at full speed, without
LSL. What was decided is decoded again in blocks of another size and must be the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from workbench import analysis, systems
from workbench.analysis import EventMetrics
from workbench.stress._full_speed import card_figure, online_run, over_participants, seeds_of
from workbench.systems import CardFigure

SYSTEMS = (
    ("neo_hand", "self_paced"),
    ("imagery_glove", "self_paced"),
    ("movement_potential_glove", "self_paced"),
    ("emg_closed_loop_stimulation", "triggered"),
    ("stride_stimulation", "walk"),
)
"""Systems with the task that is judged."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What was published of a system, and what one that is as good must reach.

    Attributes
    ----------
    f1 : event F1 at least. false_per_min : false activations a minute of rest at most.
    onset_s : median latency of onsets at most, s. calibration_s : longest calibration, s.
    published : in words, with its source.
    """

    f1: float
    false_per_min: float
    onset_s: float
    calibration_s: float
    published: str


HEADLINES = {
    "neo_hand": Headline(
        0.88, 0.5, 1.0, 160.0, "published: mean F1 0.91 of one person (doi:10.1101/2024.09.05.24313041)"
    )
}


@dataclass(frozen=True, slots=True)
class AttemptFigures:
    """Figures of one system.

    Attributes
    ----------
    system : its name.
    calibration_s : longest calibration of a participant, s.
    people : of each participant.
    together : of all, with intervals over participants.
    unequal : participants whose run gave other decisions when it was decoded again.
    """

    system: str
    calibration_s: float
    people: tuple[EventMetrics, ...]
    together: EventMetrics
    unequal: int

    @property
    def passed(self) -> bool:
        """Whether every decision decoded again is the same."""
        return self.unequal == 0

    @property
    def card_figure(self) -> CardFigure | None:
        """The figure of the system's card."""
        return card_figure("f1", [one.f1 for one in self.people if one.f1 is not None], most=1.0)

    def text(self) -> str:
        """The figures in one line."""
        f1 = [one.f1 for one in self.people if one.f1 is not None]
        onsets = [one.onset.median for one in self.people if one.onset]
        rate = "none"
        if self.together.false_per_min_interval is not None:
            low, high = self.together.false_per_min_interval
            rate = f"{self.together.false_per_min:.2f} ({low:.2f}–{high:.2f})"
        return (
            f"{self.system}: {len(self.people)} simulated participants, calibrated within "
            f"{self.calibration_s:.0f} s, {self.together.n} attempts: event F1 "
            f"{over_participants(f1, '.2f', most=1.0)}, false activations a minute of rest {rate}, onset "
            f"{over_participants(onsets, '.2f')} s; {self._beside()}{self.unequal} runs decoded again otherwise"
        )

    def _beside(self) -> str:
        """How many participants reach each figure of the headline; nothing of a system without one."""
        goal = HEADLINES.get(self.system)
        if goal is None:
            return ""
        counts = {
            f"F1 {goal.f1:g} or more": [one.f1 is not None and one.f1 >= goal.f1 for one in self.people],
            f"{goal.false_per_min:g} false a minute or fewer": [
                one.false_per_min is not None and one.false_per_min <= goal.false_per_min for one in self.people
            ],
            f"onset within {goal.onset_s:g} s": [
                one.onset is not None and one.onset.median <= goal.onset_s for one in self.people
            ],
        }
        counts["all of these"] = [all(each) for each in zip(*counts.values(), strict=True)]
        said = ", ".join(f"{words} in {_share(held)}" for words, held in counts.items())
        within = "within" if self.calibration_s <= goal.calibration_s else "beyond"
        return f"{said}; calibration {within} {goal.calibration_s:g} s; {goal.published}; "


def attempts(
    n: int, seed: int, *, which: Sequence[tuple[str, str]] = SYSTEMS, trials: tuple[int, ...] = ()
) -> list[AttemptFigures]:
    """Figures of each system over ``n`` simulated participants.

    Parameters
    ----------
    n : participants. seed : of the first one; the others follow.
    which : names of systems, each with its task, of one calibration run.
    trials : of the calibration and of the online run in place of the usual ones.

    Raises
    ------
    BadValue
        Without a participant.
    """
    seeds = seeds_of(n, seed)
    figures = []
    # Somebody may have taken one out of the register.
    for name, task in (one for one in which if one[0] in systems.available()):
        people = [online_run(name, task=task, seed=one, trials=trials) for one in seeds]
        every = [trial for one in people for trial in one.trials]
        whose = [str(k) for k, one in enumerate(people) for _ in one.trials]
        window_s = float(people[0].paradigm.params()["onset_window_s"])
        judge = partial(analysis.event_metrics, onset_window_s=window_s, fs=people[0].bound.signal.fs)
        figures.append(
            AttemptFigures(
                name,
                max(one.calibration_s for one in people),
                tuple(judge(one.trials) for one in people),
                judge(every, runs=whose, unit="participant"),
                sum(not one.equal for one in people),
            )
        )
    return figures


def _share(held: Sequence[bool]) -> str:
    low, high = analysis.wilson(sum(held), len(held))
    return f"{sum(held)} of {len(held)} ({low:.2f}–{high:.2f})"
