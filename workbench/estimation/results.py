"""What an analysis gives, and the files that it is kept in: the same bytes from the same snapshot and plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from math import isfinite
from typing import Any, Literal

from workbench import delimited

FORMAT = "workbench results 1"
DIGITS = 10
"""Significant digits of a number in the files: beyond them linear algebra differs between processors."""
Status = Literal["estimated", "refused"]


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """One estimate.

    Attributes
    ----------
    arm, reference, visit : what is compared, and when: arms, or conditions and states within people.
    scale : of :data:`workbench.estimation.methods.Scale`; ratios are compared with 1, all others with 0.
    value, se : estimate and standard error; of a ratio, that of its logarithm.
    df, statistic, p : of the two-sided test; None where there is none, df also for a normal reference.
    low, high, level : interval; None where the method gives none.
    n : participants whose outcome entered.
    delta : of a tipping point, what was added to imputed values.
    """

    arm: str
    reference: str
    visit: str
    scale: str
    value: float
    se: float | None
    df: float | None
    statistic: float | None
    p: float
    low: float | None
    high: float | None
    level: float
    n: int
    delta: float | None = None


@dataclass(frozen=True, slots=True)
class MeanRow:
    """A mean, proportion or number of events of one arm or condition, with the participants that it rests on."""

    arm: str
    visit: str
    what: Literal["least_squares_mean", "mean", "proportion", "events"]
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the multiplicity procedure says.

    Attributes
    ----------
    place : in the order, from 1.
    p_adjusted : to be compared with alpha.
    rejected : whether the hypothesis of no difference is.
    """

    place: int
    p_adjusted: float
    rejected: bool


@dataclass(frozen=True, slots=True)
class LookRow:
    """What a look at a running trial says, on the scale of the estimate.

    Attributes
    ----------
    number, of : of the look, and how many are planned.
    fraction, spent : of the information, and of the level used up by then.
    boundary, nominal_p : statistic from which the trial stops, and its two-sided probability.
    z, crossed, final : the statistic, whether it reached the boundary, and whether it was the last look.
    low, high : repeated interval, which holds at every look.
    p, value, adjusted_low, adjusted_high : stagewise probability, median-unbiased estimate and its interval; None
        while the trial goes on.
    """

    number: int
    of: int
    fraction: float
    spent: float
    boundary: float
    nominal_p: float
    z: float
    crossed: bool
    final: bool
    low: float | None
    high: float | None
    p: float | None
    value: float | None
    adjusted_low: float | None
    adjusted_high: float | None


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """One analysis of a plan.

    Attributes
    ----------
    name, estimand, role, method, population : as in the plan.
    variable, outcome, side, state, visits, covariates, settings : as in the plan, defaults filled in.
    threshold : the improvement that counts, in words; ``""`` for none.
    strategies : handling by intercurrent event, and the number of participants who had it.
    status : ``"estimated"``, or ``"refused"`` and then without any number.
    refusal, refusal_code : why, in English, and the code of the sentence.
    arms : by arm, participants of the population and those with an outcome at the visit of the estimate.
    estimates, means : what came out.
    notes : sentences for the reader. confirmation : None for an analysis outside the procedure.
    look : of the analysis whose looks may stop the trial.
    rows : keys of the rows of the visits or events dataset that entered.
    """

    name: str
    estimand: str
    role: str
    method: str
    population: str
    variable: str
    outcome: str
    side: str
    state: str
    visits: tuple[str, ...]
    covariates: tuple[str, ...]
    settings: Mapping[str, Any]
    threshold: str
    strategies: Mapping[str, Mapping[str, Any]]
    status: Status
    refusal: str = ""
    refusal_code: str = ""
    arms: Mapping[str, Mapping[str, int]] | None = None
    estimates: tuple[EstimateRow, ...] = ()
    means: tuple[MeanRow, ...] = ()
    notes: tuple[str, ...] = ()
    confirmation: Confirmation | None = None
    look: LookRow | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a plan gave on a snapshot.

    Attributes
    ----------
    workbench : version of the program.
    study, snapshot, protocol, plan, datasets : what was analysed, each with its hash.
    simulated : whether every participant of the analysis is simulated.
    analyses : in the order of the plan.
    """

    workbench: str
    study: Mapping[str, Any]
    snapshot: Mapping[str, Any]
    protocol: Mapping[str, Any]
    plan: Mapping[str, Any]
    datasets: Mapping[str, Any]
    simulated: bool
    analyses: tuple[AnalysisResult, ...]

    @property
    def refused(self) -> tuple[AnalysisResult, ...]:
        """Analyses without a result."""
        return tuple(one for one in self.analyses if one.status == "refused")

    def to_json(self) -> bytes:
        """``results.json``: UTF-8, keys in a fixed order."""
        content = {"format": FORMAT, **plain(self)}
        return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()

    def as_csv(self) -> bytes:
        """``results.csv``: one row an estimate, and one for each analysis that was refused."""
        head = (
            "analysis", "estimand", "role", "method", "population", "variable", "status", "refusal",
            *(one.name for one in fields(EstimateRow)), "p_adjusted", "rejected", "snapshot_sha256", "plan_sha256",
            "visits_sha256", "workbench",
        )  # fmt: skip
        hashes = (self.snapshot["sha256"], self.plan["sha256"], self.datasets["visits"], self.workbench)
        rows: list[Sequence[Any]] = []
        for one in self.analyses:
            own = (
                one.name,
                one.estimand,
                one.role,
                one.method,
                one.population,
                one.variable,
                one.status,
                one.refusal,
            )
            confirmed = (
                (one.confirmation.p_adjusted, one.confirmation.rejected) if one.confirmation else (None, None)
            )
            empty = [None] * len(fields(EstimateRow))
            for estimate in one.estimates or (None,):
                values = [getattr(estimate, part.name) for part in fields(EstimateRow)] if estimate else empty
                rows.append((*own, *values, *confirmed, *hashes))
        return table(head, rows)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A CSV file of UTF-8 with lines that end in a newline; what is absent is empty, and no text is a formula.

    Parameters
    ----------
    head, rows : names of the columns, and their values.
    """
    return delimited.to_text(head, [[_cell(value) for value in row] for row in rows]).encode()


def _cell(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return " ".join(str(one) for one in value)
    value = plain(value)
    return "" if value is None else value


def plain(value: Any) -> Any:
    """A value as the files have it: numbers of :data:`DIGITS` digits, those that are not finite as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    return float(f"{value:.{DIGITS}g}") if isfinite(value) else None
