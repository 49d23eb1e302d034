"""Cued systems: calibration, fit and online decisions of many simulated participants.

Everything goes through :func:`workbench.decode.decode` at full speed, without LSL and without the effector, as in
:mod:`workbench.stress.attempts`. What was decided is decoded again in blocks of another size and must be the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench import analysis, systems
from workbench.stress._full_speed import card_figure, online_run, over_participants, seeds_of
from workbench.systems import CardFigure

SYSTEMS = ("eeg_fes_rehabilitation", "scalp_spine_interface")
"""Systems whose usual task is judged by its decisions."""


@dataclass(frozen=True, slots=True)
class CuedFigures:
    """Figures of one system.

    Attributes
    ----------
    system : its name.
    calibration_s : longest calibration of a participant, s.
    people : of each participant, cues decided as cued, and cues.
    conditions : number of conditions.
    unequal : participants whose run gave other decisions when it was decoded again.
    """

    system: str
    calibration_s: float
    people: tuple[tuple[int, int], ...]
    conditions: int
    unequal: int

    @property
    def passed(self) -> bool:
        """Whether every decision decoded again is the same."""
        return self.unequal == 0

    @property
    def card_figure(self) -> CardFigure | None:
        """The figure of the system's card."""
        return card_figure("decided", [right / cues for right, cues in self.people], most=1.0)

    def text(self) -> str:
        """The figures in one line."""
        shares = [right / cues for right, cues in self.people]
        limits = [analysis.chance_limit(cues, classes=self.conditions) for _, cues in self.people]
        beyond = sum(
            limit is not None and right >= limit for limit, (right, _) in zip(limits, self.people, strict=True)
        )
        low, high = analysis.wilson(beyond, len(self.people))
        return (
            f"{self.system}: {len(self.people)} simulated participants, calibrated within "
            f"{self.calibration_s:.0f} s, {sum(cues for _, cues in self.people)} cues: decided as cued "
            f"{over_participants(shares, '.2f', most=1.0)}, chance {1.0 / self.conditions:.2f}, at or beyond the "
            f"95 % limit of chance in {beyond} of {len(self.people)} ({low:.2f}–{high:.2f}); "
            f"{self.unequal} runs decoded again otherwise"
        )


def cued(n: int, seed: int, *, trials: tuple[int, ...] = ()) -> list[CuedFigures]:
    """Figures of each system over ``n`` simulated participants.

    Parameters
    ----------
    n : participants. seed : of the first one; the others follow.
    trials : of the calibration and of the online run in place of the usual ones.

    Raises
    ------
    BadValue
        Without a participant.
    """
    seeds = seeds_of(n, seed)
    figures = []
    # Somebody may have taken one out of the register.
    for name in (one for one in SYSTEMS if one in systems.available()):
        runs = [online_run(name, seed=one, trials=trials) for one in seeds]
        figures.append(
            CuedFigures(
                name,
                max(one.calibration_s for one in runs),
                tuple((sum(t.outcome == "correct" for t in one.trials), len(one.trials)) for one in runs),
                len(runs[0].decoder.class_names),
                sum(not one.equal for one in runs),
            )
        )
    return figures
