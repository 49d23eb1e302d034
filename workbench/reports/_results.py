"""Results of the online runs, computed by ``analysis`` alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from workbench import messages, paradigms
from workbench.analysis import (
    Accuracy,
    Confusion,
    EventMetrics,
    Reaching,
    Selections,
    Tracking,
    accuracy,
    confusion,
    event_metrics,
    guessing,
    reaching,
    selections,
    tracking,
    walks_of,
)
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.reports._facts import Facts, Row, RunFacts, run_facts
from workbench.vocabulary import Trial

if TYPE_CHECKING:
    from workbench.study import Study


@dataclass(frozen=True, slots=True)
class Crossed:
    """A confusion matrix to print: ``right`` of ``n`` on the diagonal."""

    title: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    columns: tuple[str, ...]
    right: int
    n: int


@dataclass(frozen=True, slots=True)
class Cued:
    """Accuracy of a cued run with its confusion matrix.

    ``reaching``: how targets were reached where a cursor was moved; ``selections``: the rates where items are
    selected; ``tracking``: how levels were followed where a force is decoded.
    """

    accuracy: Accuracy
    confusion: Confusion
    reaching: Reaching | None = None
    selections: Selections | None = None
    tracking: Tracking | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The reason why a run has no result; printed instead of numbers."""

    reason: str


Result = EventMetrics | Cued | Failed


def results(facts: Facts) -> dict[str, Result]:
    """Run id → result, for every online run with trials."""
    return {str(run.row["id"]): result_of(run) for run in facts.online}


def result_of_run(study: Study, run_id: str) -> Result:
    """The result of one online run of the record, the same that its report prints.

    Raises
    ------
    UnknownName
        When the run is not in the record.
    """
    return result_of(run_facts(study, study.get("run", run_id)))


def pooled(facts: Facts) -> EventMetrics | None:
    """Event metrics of the session with the run as the unit; None unless two or more runs share one window."""
    judged = [(run, run.hit_window_s) for run in facts.online if run.recordings]
    runs = [run for run, window_s in judged if window_s is not None]
    windows = {window_s for _, window_s in judged if window_s is not None}
    # Hits under different windows are different things and are never added up.
    if len(runs) < 2 or len(windows) > 1:
        return None
    trials = [(trial_of(row), str(run.number)) for run in runs for row in run.trials]
    try:
        metrics = event_metrics(
            [trial for trial, _ in trials],
            onset_window_s=windows.pop(),
            # A hit may lie one sample outside its window: the slowest run allows the most.
            fs=min(map(_rate, runs)),
            runs=[run for _, run in trials],
        )
    except BadValue:
        return None  # The row of the run that cannot be judged states the reason.
    return metrics if metrics.clusters > 1 else None


def result_of(run: RunFacts) -> Result:
    """What a run came to, judged as its task asks."""
    trials = [trial_of(row) for row in run.trials]
    try:
        # The window is what makes a run asynchronous: without one, the cue itself says when to decide.
        if (window_s := run.hit_window_s) is not None:
            return _with_guessing(run, trials, window_s=window_s, fs=_rate(run))
        if run.items:
            return _selected(run, trials)
        name = str(run.row["paradigm"])
        kind = paradigms.load(name).evidence if name in paradigms.available() else ""
        if kind == "velocity":
            return _reached(run, trials, paradigms.from_params(name, run.parameters).conditions)
        if kind in ("force", "amplitude", "state_level"):
            return _followed(run, trials, paradigms.from_params(name, run.parameters).conditions)
        classes = [str(name) for name in run.parameters.get("conditions", ())] or sorted(
            {trial.condition for trial in trials}
        )
        return Cued(accuracy(trials, classes), confusion(trials, classes, run=str(run.number)))
    except BadValue as error:
        return Failed(messages.of(error))


def _selected(run: RunFacts, trials: Sequence[Trial]) -> Cued:
    """Result of a run in which items are selected; a matrix of those that occur, since a speller has dozens."""
    rates = selections(trials, items=len(run.items), fs=_rate(run))
    asked = [trial for trial in trials if trial.condition in run.items]
    met = {trial.condition for trial in asked} | {trial.decided for trial in asked}
    labels = [item for item in run.items if item in met] or list(run.items)
    return Cued(rates.accuracy, confusion(asked, labels, run=str(run.number)), selections=rates)


def _reached(run: RunFacts, trials: Sequence[Trial], targets: Sequence[str]) -> Cued:
    """Targets that a cursor reached, with the limit of random walks where the record knows them."""
    walks = walks_of(run.row["summary"])
    reached = reaching(trials, targets=len(targets), fs=_rate(run), walks=walks)
    return Cued(accuracy(trials, targets), confusion(trials, targets, run=str(run.number)), reached)


def _followed(run: RunFacts, trials: Sequence[Trial], levels: Sequence[str]) -> Cued:
    """Levels that a force followed; one who always holds the same level follows at most one of them."""
    # Seeded by the run's id: the shuffles, and so the printed limit, are the same in every report.
    followed = tracking(trials, seed_of=str(run.row["id"]))
    return Cued(accuracy(trials, levels), confusion(trials, levels, run=str(run.number)), tracking=followed)


def _with_guessing(run: RunFacts, trials: Sequence[Trial], *, window_s: float, fs: float) -> EventMetrics:
    """Event metrics with the guessing limit, where the record knows when the activations were."""
    metrics = event_metrics(trials, onset_window_s=window_s, fs=fs)
    onsets = run.row["summary"].get("onsets")
    if onsets is None:
        return metrics
    # Seeded by the run's id: the shuffles, and so the printed limit, are the same in every report.
    seed_of = str(run.row["id"])
    return replace(metrics, guessing=guessing(trials, onsets, window_s=window_s, fs=fs, seed_of=seed_of))


def _rate(run: RunFacts) -> float:
    if not run.recordings:
        raise BadValue(Message("result.no_rate", n=run.number))
    return float(run.recordings[0]["fs"])


def trial_of(row: Row) -> Trial:
    """The ``Trial`` of a stored row."""
    return Trial(**{f.name: row[f.name] for f in fields(Trial)})


def crossed_of(found: Confusion, *, title: str, undecided: str) -> Crossed:
    """A confusion matrix of ``analysis``, with a column for trials without a decision when there are any.

    Parameters
    ----------
    found : the matrix.
    title : printed above it.
    undecided : name of the column for no decision.
    """
    right = sum(found.counts[place][place] for place in range(len(found.labels)))
    if not any(found.undecided):
        return Crossed(title, found.labels, found.counts, found.labels, right, found.n)
    counts = tuple((*row, left) for row, left in zip(found.counts, found.undecided, strict=True))
    return Crossed(title, found.labels, counts, (*found.labels, undecided), right, found.n)


def crossed_in(metrics: Mapping[str, Any], *, word: str, undecided: str) -> tuple[Crossed, ...]:
    """Confusion matrices stored with a fitted decoder: ``metrics["confusion"]``, one entry per run.

    Each entry is ``{"run", "labels", "counts"}``, with ``"undecided"`` where trials had no decision; entries
    without labels or counts are left out.

    Parameters
    ----------
    metrics : of the fit.
    word : printed before the number of a run.
    undecided : name of the column for no decision.
    """
    matrices = []
    for number, entry in enumerate(metrics.get("confusion") or metrics.get("confusions") or (), start=1):
        if not isinstance(entry, Mapping) or not {"labels", "counts"} <= set(entry):
            continue
        labels = tuple(str(label) for label in entry["labels"])
        counts = tuple(tuple(int(count) for count in row) for row in entry["counts"])
        left = tuple(int(count) for count in entry.get("undecided") or [0] * len(labels))
        run = str(entry.get("run") or number)
        title = f"{word} {run}" if run.isdigit() else run[:22]
        matrices.append(crossed_of(Confusion(run, labels, counts, left), title=title, undecided=undecided))
    return tuple(matrices)
