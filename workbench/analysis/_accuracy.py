"""Accuracy of cued decisions with its interval and chance limit, and confusion matrices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.analysis._exact import Interval, chance_limit, wilson
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import Trial

JUDGED = ("correct", "missed", "wrong")
"""Outcomes of trials that were decided by a decoder; excluded and recorded trials are not judged."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of right trials.

    Attributes
    ----------
    correct, n : right and judged trials; a trial without a decision is judged and not right.
    excluded : trials left out by rule.
    classes : number of classes, for the chance limit.
    value : ``correct / n``, None without a trial.
    interval : Wilson 95 % interval, None without a trial.
    limit : smallest number of right trials that is unlikely by guessing (exact one-sided binomial, 5 %),
        None when there is none.
    """

    correct: int
    n: int
    excluded: int
    classes: int
    value: float | None
    interval: Interval | None
    limit: int | None

    @property
    def above_chance(self) -> bool:
        """Whether the limit was reached."""
        return self.limit is not None and self.correct >= self.limit

    def line(self) -> str:
        """One sentence with n, interval and chance limit."""
        left_out = f"; {self.excluded} excluded" if self.excluded else ""
        if self.value is None or self.interval is None:
            return f"accuracy: no judged trial{left_out}"
        # Of few trials even all right ones may be chance, and the sentence must say so.
        limit = f"{self.limit}/{self.n}" if self.limit is not None else f"none with {self.n} trials"
        low, high = self.interval
        return (
            f"accuracy {self.correct}/{self.n} = {self.value:.3f} (95 % CI {low:.3f}–{high:.3f}, Wilson; "
            f"95 % chance limit {limit}{left_out})"
        )


def accuracy(trials: Iterable[Trial], classes: Sequence[str] | int) -> Accuracy:
    """Accuracy of cued trials.

    Parameters
    ----------
    trials : of one run or several. Excluded and recorded trials are counted separately.
    classes : names or number of the classes among which was decided.

    Raises
    ------
    BadValue
        With fewer than two classes, or a cued condition that is none of the named classes.
    """
    all_trials = list(trials)
    if not isinstance(classes, int):
        _check_conditions(all_trials, classes)
    n_classes = classes if isinstance(classes, int) else len(classes)
    judged = [t for t in all_trials if t.outcome in JUDGED]
    n, correct = len(judged), sum(t.outcome == "correct" for t in judged)
    limit = chance_limit(n, classes=n_classes)
    excluded = sum(t.outcome == "excluded" for t in all_trials)
    if n == 0:
        return Accuracy(0, 0, excluded, n_classes, None, None, limit)
    return Accuracy(correct, n, excluded, n_classes, correct / n, wilson(correct, n), limit)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of judged trials: ``counts[cued][decided]``, rows and the first columns in the order of ``labels``.

    ``undecided`` counts, per row, trials without a decision.
    """

    run: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    undecided: tuple[int, ...]

    @property
    def n(self) -> int:
        """Judged trials."""
        return sum(map(sum, self.counts)) + sum(self.undecided)


def confusion(trials: Iterable[Trial], classes: Sequence[str], *, run: str = "") -> Confusion:
    """Confusion matrix of judged trials.

    Parameters
    ----------
    trials : of one run; only judged ones count.
    classes : in the order of rows and columns.
    run : its name.

    Raises
    ------
    BadValue
        When a cued or decided condition is none of ``classes``.
    """
    judged = [t for t in trials if t.outcome in JUDGED]
    _check_conditions(judged, classes)
    index = {label: i for i, label in enumerate(classes)}
    counts = [[0] * len(index) for _ in index]
    undecided = [0] * len(index)
    for trial in judged:
        row = index[trial.condition]
        if trial.decided:
            counts[row][index[trial.decided]] += 1
        else:
            undecided[row] += 1
    return Confusion(run, tuple(classes), tuple(map(tuple, counts)), tuple(undecided))


def confusion_of(
    truth: Sequence[str], decided: Sequence[str], classes: Sequence[str], *, run: str = ""
) -> Confusion:
    """Confusion matrix of decisions on epochs of known class.

    Parameters
    ----------
    truth, decided : ``(n,)`` class of each epoch, and what was decided; ``""`` for no decision.
    classes : in the order of rows and columns.
    run : name of the run or fold.

    Raises
    ------
    BadValue
        When there are not as many decisions as epochs, or a class is none of ``classes``.
    """
    if len(truth) != len(decided):
        raise BadValue(Message("rate.decisions", n=len(truth), decisions=len(decided)))
    trials = [
        Trial(i, cued, 0, 0.0, 0, "correct" if cued == answer else "wrong" if answer else "missed", answer)
        for i, (cued, answer) in enumerate(zip(truth, decided, strict=True))
    ]
    return confusion(trials, classes, run=run)


def accuracy_of(table: Confusion) -> Accuracy:
    """Accuracy of what a confusion matrix counts, with interval and chance limit."""
    correct, n, classes = sum(row[i] for i, row in enumerate(table.counts)), table.n, len(table.labels)
    limit = chance_limit(n, classes=classes)
    if n == 0:
        return Accuracy(0, 0, 0, classes, None, None, limit)
    return Accuracy(correct, n, 0, classes, correct / n, wilson(correct, n), limit)


def confusion_by_run(runs: Mapping[str, Iterable[Trial]], classes: Sequence[str]) -> tuple[Confusion, ...]:
    """One matrix per run, in the order given: runs differ, and a pooled matrix would hide it."""
    return tuple(confusion(trials, classes, run=run) for run, trials in runs.items())


def _check_conditions(trials: Sequence[Trial], classes: Sequence[str]) -> None:
    if len(set(classes)) != len(classes):
        raise BadValue(Message("result.same_classes", labels=classes))
    for trial in trials:
        # An empty label is a trial without a decision.
        for label in (trial.condition, trial.decided):
            if label and label not in classes:
                allowed = classes or Message("word.none")
                raise BadValue(Message("result.other_condition", n=trial.index, label=repr(label), labels=allowed))
