"""Results of an analysis plan, read from the folder that ``workbench analyse`` wrote, held against the snapshot.

``results.json`` says which snapshot, plan and datasets it rests on, each by hash. What rests on another snapshot,
or whose dataset is not the one that it names, makes no report.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from workbench import delimited, reading
from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study import chain
from workbench.study.snapshots import SnapshotRow

FORMAT = "workbench results 1"
RESULTS, VISITS = "results.json", "visits.csv"
LARGEST = 64 * 2**20
"""Of a file of results, bytes."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimate: a comparison of ``arm`` with ``reference`` at a visit, with its interval at ``level``.

    What a method does not give is None.
    """

    arm: str
    reference: str
    visit: str
    scale: str
    value: float
    df: float | None
    p: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    delta: float | None

    @property
    def is_ratio(self) -> bool:
        """Whether no effect is 1."""
        return self.scale.endswith("_ratio")

    @property
    def no_effect(self) -> float:
        """What it is compared with: 1 of a ratio, of a proportion the tested share, and else 0."""
        if self.scale == "proportion":
            return float(self.reference.removesuffix(" %")) / 100
        return 1.0 if self.is_ratio else 0.0


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean, proportion or number of events of one arm at a visit; ``what`` says which."""

    arm: str
    visit: str
    what: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis of the plan with what it gave, or why it gave nothing.

    Attributes
    ----------
    name, estimand, role, method, population, variable, outcome, side, state, visits, covariates : as in the plan.
    threshold : improvement that counts, in words.
    strategies : by intercurrent event, its handling and how many had it.
    status, refusal : ``"estimated"``, or ``"refused"`` and why.
    arms : by arm, ``participants`` and those ``with_outcome``.
    estimates, means, notes : what came out.
    confirmation : place in the order, adjusted p, and whether it is rejected; None outside of the procedure.
    look : what a look that may stop the trial says; None where there is none.
    rows : keys of the rows of the dataset that entered.
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
    threshold: str
    strategies: Mapping[str, Mapping[str, Any]]
    status: str
    refusal: str
    arms: Mapping[str, Mapping[str, int]]
    estimates: tuple[Estimate, ...]
    means: tuple[Mean, ...]
    notes: tuple[str, ...]
    confirmation: Mapping[str, Any] | None
    look: Mapping[str, Any] | None
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Analyses:
    """All that a plan gave.

    Attributes
    ----------
    sha256 : of ``results.json``.
    workbench, plan_sha256, visits_sha256 : program, plan and dataset that it rests on.
    reference : arm that the others are compared with.
    found : in the order of the plan.
    values : rows of the dataset of visits by key.
    """

    sha256: str
    workbench: str
    plan_sha256: str
    visits_sha256: str
    reference: str
    found: tuple[Analysis, ...]
    values: Mapping[str, Mapping[str, str]]


def read(folder: Path, study_id: str, snapshot: SnapshotRow | None) -> Analyses:
    """The results of a folder, once they were compared with the snapshot that the report is made of.

    Parameters
    ----------
    folder : that ``workbench analyse`` wrote.
    study_id : of the study.
    snapshot : of the report; None for a report that is made of none.

    Raises
    ------
    BadValue
        No such files, or files that are something else.
    Refused
        Results of another study or snapshot, or a dataset that is not the one they rest on.
    """
    path = folder / RESULTS
    text = reading.read_text(path, Message("report.results_noun"), largest=LARGEST)
    content = reading.parse_json(text, Message("report.results_noun"))
    try:
        if content["format"] != FORMAT:
            raise _no_results(path)
        mine, own = str(content["snapshot"]["sha256"]), str(content["snapshot"]["name"])
        if snapshot is None or mine != snapshot.sha256 or content["study"]["id"] != study_id:
            raise Refused(Message("report.other_snapshot", snapshot=f"{own:.80}"))
        visits = str(content["datasets"]["visits"])
        plan = content["plan"]
        return Analyses(
            chain.sha256(text), str(content["workbench"]), str(plan["sha256"]), visits, str(plan["reference"]),
            analyses_in(content), _values(folder / VISITS, visits),
        )  # fmt: skip
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, BadValue):
            raise
        raise _no_results(path) from error


def analyses_in(content: Mapping[str, Any]) -> tuple[Analysis, ...]:
    """The analyses of results that were just made, in the order of the plan.

    Parameters
    ----------
    content : as ``results.json`` has it.
    """
    return tuple(_analysis(one) for one in content["analyses"])


def _no_results(path: Path) -> BadValue:
    return BadValue(Message("report.no_results", path=reading.shown(path)))


def _made(kind: type[T], given: Mapping[str, Any]) -> T:
    """A dataclass of the columns that it has; others, which a later version may add, are passed over."""
    return kind(**{one.name: given[one.name] for one in fields(kind)})  # type: ignore[arg-type]


def _analysis(given: Mapping[str, Any]) -> Analysis:
    estimates = tuple(_made(Estimate, one) for one in given["estimates"])
    means = tuple(_made(Mean, one) for one in given["means"])
    lists: dict[str, Sequence[str]] = {
        name: tuple(map(str, given[name])) for name in ("visits", "covariates", "notes", "rows")
    }
    own = {"estimates": estimates, "means": means, "arms": given["arms"] or {}, "look": given.get("look")}
    return _made(Analysis, {**given, **lists, **own})


def _values(path: Path, digest: str) -> dict[str, dict[str, str]]:
    """Rows of the dataset of visits by key."""
    text = reading.read_text(path, Message("report.results_noun"), largest=LARGEST)
    if chain.sha256(text) != digest:
        raise Refused(Message("report.other_dataset", path=reading.shown(path)))
    rows = csv.DictReader(io.StringIO(text))
    return {row["key"]: {name: delimited.original(cell) for name, cell in row.items()} for row in rows}
