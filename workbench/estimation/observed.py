"""What was observed of each variable of a plan: every participant over the visits, and what is missing.

Nothing is estimated here and nothing imputed. Without arms it is all that a blinded reader may see of a result:
all participants together, made of rows that are the same in every arm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from workbench.estimation._selecting import baseline_name, is_of
from workbench.study.datasets import Datasets, VisitRow

if TYPE_CHECKING:
    from workbench.estimation.plan import Analysis, Plan
    from workbench.study.protocol import Protocol


@dataclass(frozen=True, slots=True)
class CourseLine:
    """One participant.

    Attributes
    ----------
    participant, arm : pseudonym, and arm where it is told.
    rows : of the visits dataset at each visit; None where it has none.
    """

    participant: str
    arm: str
    rows: tuple[VisitRow | None, ...]

    @property
    def values(self) -> tuple[float | None, ...]:
        """The value at each visit, None where there is none."""
        return tuple(row.value if row else None for row in self.rows)


@dataclass(frozen=True, slots=True)
class Point:
    """All values of one visit.

    Attributes
    ----------
    visit, n : which, and participants with a value.
    mean, sd : of the values; None without one, the standard deviation also of one alone.
    missing : how many have none, by the code of the dataset.
    """

    visit: str
    n: int
    mean: float | None
    sd: float | None
    missing: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Course:
    """A variable of the plan over its visits, the baseline first.

    Attributes
    ----------
    variable, side, state : as in the plan.
    visits : the baseline, then those of every analysis of the variable, in the order of the plan.
    lines : everybody who has a row, in the order of the record.
    """

    variable: str
    side: str
    state: str
    visits: tuple[str, ...]
    lines: tuple[CourseLine, ...]

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms of the lines in the order in which they come; ``("",)`` where none is told."""
        return tuple(dict.fromkeys(line.arm for line in self.lines))

    def points(self, arm: str | None = None) -> tuple[Point, ...]:
        """Number, mean, spread and what is missing at each visit.

        Parameters
        ----------
        arm : of these participants only; None for all together.
        """
        lines = [line for line in self.lines if arm in (None, line.arm)]
        return tuple(_point(visit, [line.rows[k] for line in lines]) for k, visit in enumerate(self.visits))


def courses(plan: Plan, data: Datasets, protocol: Protocol) -> tuple[Course, ...]:
    """The course of each variable that the plan names, once, in the order of the plan.

    Parameters
    ----------
    plan : whose analyses name variables and visits; times to an event have no course.
    data : datasets of the snapshot.
    protocol : names the baseline visit where the plan does not.
    """
    wanted: dict[tuple[str, str, str], list[Analysis]] = {}
    for one in plan.analyses:
        if one.visits:
            wanted.setdefault((one.variable, one.side, one.state), []).append(one)
    baseline = baseline_name(plan, protocol)
    found = []
    for (variable, side, state), analyses in wanted.items():
        visits = dict.fromkeys([baseline] if baseline else [])
        visits |= dict.fromkeys(visit for one in analyses for visit in one.visits)
        rows = [row for row in data.visits if is_of(analyses[0], row, analyses[0].state)]
        lines = _lines(rows, tuple(visits))
        if lines:
            found.append(Course(variable, side, state, tuple(visits), lines))
    return tuple(found)


def _lines(rows: Sequence[VisitRow], visits: tuple[str, ...]) -> tuple[CourseLine, ...]:
    people: dict[tuple[str, str], dict[str, VisitRow]] = {}
    for row in rows:
        if row.visit in visits:
            # A second record of a visit stays in the dataset; the first is drawn.
            people.setdefault((row.participant, row.arm), {}).setdefault(row.visit, row)
    return tuple(CourseLine(*who, tuple(map(own.get, visits))) for who, own in people.items())


def _point(visit: str, rows: Sequence[VisitRow | None]) -> Point:
    values = [row.value for row in rows if row is not None and row.value is not None]
    missing = Counter(row.missing for row in rows if row is not None and row.missing)
    return Point(
        visit, len(values), fmean(values) if values else None, stdev(values) if len(values) > 1 else None,
        dict(sorted(missing.items())),
    )  # fmt: skip
