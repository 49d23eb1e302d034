"""Looks at a trial that may stop it: which data cuts they are, and what the newest one says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import TYPE_CHECKING, Any, cast, get_args

from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.estimation.methods import METHODS
from workbench.estimation.results import EstimateRow, LookRow
from workbench.messages import Message
from workbench.statistics._estimates import Estimate
from workbench.statistics.sequential import Spending, boundaries, looked
from workbench.study.nouns import told

if TYPE_CHECKING:
    from workbench.estimation.plan import Analysis
    from workbench.study.protocol_reading import Table

RATIOS = ("odds_ratio", "hazard_ratio")
"""Scales whose standard error is that of the logarithm."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks at one analysis.

    Attributes
    ----------
    analysis : that is looked at. spending : how its level is spent. alpha : two-sided, of all looks together.
    snapshots : names of the data cuts, in order; the last one is the end.
    planned : participants with an outcome at each of them, as planned; the last is the whole information.
    observed : those that there were at the looks already made; a look that is not told counts as planned.
    """

    analysis: str
    spending: Spending
    alpha: float
    snapshots: tuple[str, ...]
    planned: tuple[int, ...]
    observed: tuple[int, ...] = ()

    def look_at(self, row: EstimateRow, snapshot: str) -> LookRow:
        """What the look on a snapshot says.

        Parameters
        ----------
        row : estimate of the analysis that is looked at.
        snapshot : on which it was made.

        Raises
        ------
        Refused
            For a snapshot that is no look, or an information that does not grow from look to look.
        """
        if snapshot not in self.snapshots:
            raise Refused(Message("estimation.no_look", snapshot=snapshot, known=list(self.snapshots)))
        at = self.snapshots.index(snapshot)
        final = at == len(self.snapshots) - 1
        before = [*self.observed[:at], *self.planned[len(self.observed[:at]) : at]]
        # More than was planned is no more than the whole information.
        whole = max(self.planned[-1], row.n) if final else self.planned[-1]
        shares = [min(1.0, n / whole) for n in (*before, row.n)]
        try:
            found = looked(shares, _linear(row), alpha=self.alpha, spending=self.spending, final=final)
        except BadValue as error:
            raise Refused(
                Message("estimation.no_information", n=row.n, before=[str(n) for n in before])
            ) from error
        adjusted = found.adjusted or (None, None)
        scaled = [_on_scale(row, one) for one in (found.low, found.high, found.value, *adjusted)]
        return LookRow(
            found.number, len(self.snapshots), found.look.fraction, found.look.spent, found.look.z, found.look.p,
            found.z, found.crossed, found.final, scaled[0], scaled[1], found.p, scaled[2], scaled[3], scaled[4],
        )  # fmt: skip


def _linear(row: EstimateRow) -> Estimate:
    """The estimate on the scale on which it is normal."""
    value = log(row.value) if row.scale in RATIOS else row.value
    se = row.se or 0.0
    return Estimate(value, se, inf if row.df is None else row.df, value / se, row.p, -inf, inf)


def _on_scale(row: EstimateRow, value: float | None) -> float | None:
    return exp(value) if value is not None and row.scale in RATIOS else value


def read(table: Table, analyses: Sequence[Analysis], *, arms: int) -> Looks:
    """Looks as a plan has them; what cannot be looked at is noted.

    Parameters
    ----------
    table : ``[looks]``. analyses : of the plan.
    arms : of the protocol: several comparisons cannot stop a trial by one boundary.
    """
    name = table.word("analysis", tuple(one.name for one in analyses))
    spending = cast("Spending", table.word("spending", get_args(Spending)))
    alpha = table.number("alpha", needed=False)
    snapshots, given = table.names("snapshots"), table.plain("information")
    table.done()
    planned, observed = (_counted(given, key) for key in ("planned", "observed"))
    level = 0.05 if alpha is None else alpha
    if not _fit(planned, observed, len(snapshots), level) or set(given) - {"planned", "observed"}:
        table.problem(Message("estimation.looks", n=len(snapshots), got=told(dict(given))))
    for one in analyses:
        if one.name == name and not (METHODS[one.method].looked and (one.compared or arms == 2)):
            allowed = [known for known, method in METHODS.items() if method.looked]
            table.problem(Message("estimation.looked", method=one.method, allowed=allowed))
    return Looks(name, spending, level, snapshots, planned, observed)


def _counted(given: Mapping[str, Any], key: str) -> tuple[int, ...]:
    values = given.get(key, ())
    fits = isinstance(values, list | tuple) and all(type(one) is int and one > 0 for one in values)
    return tuple(values) if fits else ()


def _fit(planned: tuple[int, ...], observed: tuple[int, ...], n: int, level: float) -> bool:
    """Whether there is a planned information for each look, and it grows."""
    if len(planned) != n or not planned or len(observed) >= n:
        return False
    try:
        boundaries([one / planned[-1] for one in planned], alpha=level)
    except WorkbenchError:
        return False
    return True
