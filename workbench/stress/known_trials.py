"""Whole simulated trials, each put into a record and analysed from its snapshot: do intervals hold the truth?

:mod:`workbench.stress.statistics` tries the methods alone. Here everything between a participant's consent and the
printed interval is in the way: changes, allocation, datasets, plan, strategies for who left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from workbench import estimation
from workbench.estimation import known_trial
from workbench.study import Study
from workbench.study.keys import kept_in

NOMINAL, SIGMAS = 0.95, 3.5
"""Coverage of each interval, and by how many standard errors of the simulation it may fall short."""
TRIED = ("primary", "responders", "complete-cases", "jump-to-reference", "responders-adjusted")
"""Analyses of the plan with an interval, once each."""
CAUTIOUS = ("jump-to-reference",)
"""What estimates another thing than the simulated effect: who left is taken to be like the reference."""


@dataclass(slots=True)
class Figures:
    """What one analysis of the plan gave.

    Attributes
    ----------
    name, method : of it.
    truth : simulated.
    values : its estimates. inside : intervals that hold the truth. refused : trials in which it was refused.
    """

    name: str
    method: str
    truth: float
    values: list[float] = field(default_factory=list)
    inside: int = 0
    refused: int = 0

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the truth."""
        return self.inside / max(1, len(self.values))

    @property
    def held(self) -> bool:
        """Not further below the nominal coverage than so many trials may be by chance."""
        room = SIGMAS * sqrt(NOMINAL * (1 - NOMINAL) / max(1, len(self.values)))
        return self.name in CAUTIOUS or self.coverage >= NOMINAL - room


def simulated(n: int, seed: int, *, people: int = 32, step: Callable[[], object] = lambda: None) -> list[Figures]:
    """Simulate ``n`` trials with records of their own.

    Parameters
    ----------
    n, seed : how many, and the seed of the first.
    people : participants of each.
    step : called after each trial.
    """
    found: dict[str, Figures] = {}
    plan = known_trial.plan(*TRIED)
    with TemporaryDirectory(prefix="workbench-known-") as home, kept_in(Path(home) / "keys"):
        for number in range(n):
            trial = known_trial.KnownTrial(n=people, seed=seed + number)
            folder = known_trial.simulate(Path(home) / f"trial-{number}", trial)
            with Study.open(folder, actor="stress") as study:
                made = estimation.analyse(
                    study, plan=plan, signer=study.script_signer("statistician"), reason="stress"
                )
            for one in made.results.analyses:
                truth = trial.truth.of(estimation.METHODS[one.method].scale)
                if truth is not None:
                    _add(found.setdefault(one.name, Figures(one.name, one.method, truth)), one)
            step()
    # A test without an interval covers nothing.
    return [one for one in found.values() if one.values or one.refused]


def _add(figures: Figures, one: estimation.AnalysisResult) -> None:
    if one.status == "refused":
        figures.refused += 1
        return
    row = one.estimates[0]
    if row.low is not None and row.high is not None:
        figures.values.append(row.value)
        figures.inside += row.low <= figures.truth <= row.high


def text(rows: Sequence[Figures]) -> str:
    """The figures as text, one line each.

    Parameters
    ----------
    rows : of all analyses.
    """
    lines = []
    for one in rows:
        mean = fmean(one.values) if one.values else float("nan")
        note = ", estimates another thing" if one.name in CAUTIOUS else ""
        n = len(one.values)
        lines.append(
            f"{one.name} ({one.method}): simulated {one.truth:.3f}, mean of {n} estimates {mean:.3f}; "
            f"{one.inside} intervals of 95 % hold it ({100 * one.coverage:.1f} %), {one.refused} refused{note}"
        )
    return "\n".join(lines)
