"""Linear models that are learned again block by block while they decide, beside the loop. Strict arithmetic.

A block of labelled windows ends at a sample; its update takes effect a fixed number of samples later, whenever the
worker was done. So the decisions are a function of samples and labels, as of every rule, and a replay makes the
same snapshots. Who computes is handed in: where nobody is, it is whoever asks for the update. A worker that does
not answer in time ends the adaptation; the sample where it ended is a snapshot too, and all that a replay needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from workbench.decoding.adapt import ENDED, Adapter, SoundWindow
from workbench.decoding.classifiers import Linear
from workbench.decoding.recursive import Line, RecursivePls
from workbench.decoding.scorer import Scorer
from workbench.kernels.evidence import linear
from workbench.vocabulary import FloatArray, Job

Alive = Callable[[], None]
"""Says that a long computation goes on."""


class Part(NamedTuple):
    """One of the models of a decoder.

    Attributes
    ----------
    targets : ``(n_classes, n_targets)`` float64, what a window of each class is regressed on.
    takes : classes whose windows it learns from.
    """

    targets: FloatArray
    takes: tuple[int, ...]

    @property
    def constant(self) -> bool:
        """Whether all its windows have one target, so that there is nothing to regress."""
        own = self.targets[list(self.takes)]
        return bool((own == own[0]).all())


@dataclass(frozen=True)
class Lesson:
    """What the models of a decoder learned from at its fit, and how they go on.

    Attributes
    ----------
    parts : the models, in the order of their rows in the classifier's line.
    rows : ``(n, n_features)`` float64, features of the fit as the classifier takes them. index : ``(n,)`` int64,
        class of each.
    errors : ``(n_parts, n_components + 1)`` float64: errors of every number of components, and how many blocks
        they are from.
    scale : ``(n_outputs,)`` float64, spread of each target at the fit, 1 where it has none.
    share : of a window of the fit, which overlaps its neighbours, 0–1. keep : of all earlier windows for each new
        one.
    shape : of the features, for N-way models.
    """

    parts: tuple[Part, ...]
    rows: FloatArray
    index: FloatArray
    errors: FloatArray
    scale: FloatArray
    share: float
    keep: float
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True)
class AtHand:
    """A worker without a thread: a piece of work is done when its result is asked for, by whoever asks.

    Attributes
    ----------
    ended : sample from which nothing is done any more, as a recording says it of a worker that did not answer;
        None for never.
    """

    ended: int | None = None

    def submit(self, work: Callable[[Alive], Any]) -> Job:
        """Keep the work until its result is asked for.

        Parameters
        ----------
        work : see :class:`workbench.vocabulary.Worker`.
        """
        return _WhenAsked(work, self.ended)


@dataclass(frozen=True)
class _WhenAsked:
    """Work that is done when its result is asked for."""

    work: Callable[[Alive], Any]
    ended: int | None

    def result(self, *, at: int) -> Any:
        """See :class:`workbench.vocabulary.Job`."""
        if self.ended is not None and at >= self.ended:
            return None
        return self.work(lambda: None)


class Blocks(Adapter):
    """The rule ``blocks``: labelled windows are gathered, and the models learn them a block at a time.

    Parameters
    ----------
    scorer : at the start. lesson : of the fit.
    block : length of a block, samples. delay : from its end to the effect of its update, samples, at most a block.
    **shared : see :class:`Adapter`.

    Notes
    -----
    Its bound is on the root mean square difference of the outputs from those of the fit, on the windows of the
    block, in standard deviations of a target. Where the worker has nothing at the sample of an effect, because it
    is late, hangs or has ended, the decoder stays as it is: no update of this stream takes effect any more, and a
    snapshot ``"ended"`` says from which sample on. To go on with the next block would need a worker of which
    nobody knows what it learned.
    """

    rule: ClassVar[str] = "blocks"
    supervised: ClassVar[bool] = True

    def __init__(self, scorer: Scorer, lesson: Lesson, *, block: int, delay: int, **shared: Any) -> None:
        super().__init__(scorer, **shared)
        self._lesson, self._block, self._delay = lesson, block, delay
        self._fitted = _line_of(scorer)
        self._rows: list[FloatArray] = []
        self._labels: list[int] = []
        self._ends, self._far = block, 0.0
        self._due: tuple[int, Job] | None = None
        self.work_by(AtHand())
        self._begun = self._ended = False
        self.restart()

    def restart(self) -> None:
        """Forget every block; the models learn the fit again before the next."""
        self._models: list[RecursivePls | None] = []
        if self._begun:
            self._worker.submit(self._build)

    def learn(self, scorer: Scorer, window: SoundWindow, label: int, *, at: int) -> Scorer:
        """Keep the window for the block, without an update.

        Parameters
        ----------
        scorer : in effect. window : the sound window. label : index of its class. at : sample.
        """
        return self.updated(scorer, window, label)

    def advance(self, scorer: Scorer, *, at: int) -> Scorer:
        """Swap the lines in where an update is due; hand a block that has ended to the worker.

        Parameters
        ----------
        scorer : in effect. at : sample.
        """
        if self._due is not None and at >= self._due[0]:
            found, self._due = self._due[1].result(at=at), None
            if found is None:
                self._ended, self._rows, self._labels = True, [], []
                self._snap(scorer, rule=ENDED, at=at)
                return scorer
            line, self._far = found
            scorer = self._kept(_with_line(scorer, line), at=at)
        if at >= self._ends:
            # Before the next block is handed over, the last update has been swapped in or rolled back.
            if self._rows:
                rows, labels = np.array(self._rows), np.array(self._labels)
                self._due = (self._ends + self._delay, self._worker.submit(partial(self.update, rows, labels)))
            self._rows, self._labels = [], []
            self._ends += self._block * (1 + (at - self._ends) // self._block)
        return scorer

    def updated(self, scorer: Scorer, window: SoundWindow, label: int) -> Scorer:
        """Keep the window for the block, unless the adaptation has ended; the scorer stays as it is.

        Parameters
        ----------
        scorer, window, label : as for :meth:`learn`.
        """
        if self._ended:
            return scorer
        if not self._begun:
            # Only now, as streams of a validation are taught nothing, and no later: to learn the fit first may
            # take longer than a block.
            self._begun = True
            self._worker.submit(self._build)
        self._rows.append(scorer.classifier.normalised(window.features).copy())
        self._labels.append(label)
        return scorer

    def arrays(self, scorer: Scorer) -> dict[str, FloatArray]:
        """Weights and bias of every model."""
        line = _line_of(scorer)
        return {"weights": line.weights, "bias": line.bias}

    def excursion(self) -> float:
        """Difference of the outputs on the last block."""
        return self._far

    def _build(self, alive: Alive) -> bool:
        """In the worker: the models as the fit left them, unless they are there."""
        if not self._models:
            self._models = _models_of(self._lesson, self._lesson.errors.shape[1] - 1, alive)
        return True

    def update(self, rows: FloatArray, labels: FloatArray, alive: Alive = lambda: None) -> tuple[Line, float]:
        """What the worker does: the lines after a block, and how far their outputs are from those of the fit.

        Parameters
        ----------
        rows : ``(n, n_features)`` float64, as the classifier takes them. labels : ``(n,)`` int64, class of each.
        alive : called before each model.
        """
        lesson, lines = self._lesson, []
        self._build(alive)
        for part, model in zip(lesson.parts, self._models):
            alive()
            if model is None:
                lines.append(constant_line(part, rows.shape[1]))
                continue
            own = _taken(labels, part)
            if len(own):
                targets = part.targets[labels[own]]
                model.validate(rows[own], targets)
                model.learn(rows[own], targets, keep=lesson.keep)
            lines.append(model.line())
        line = stacked(lines)
        return line, _apart(rows, line, self._fitted, lesson.scale)


def _models_of(lesson: Lesson, n_components: int, alive: Alive) -> list[RecursivePls | None]:
    """The models as the fit left them; None for one that is constant."""
    models: list[RecursivePls | None] = []
    index = lesson.index.astype(np.int64)
    for part, errors in zip(lesson.parts, lesson.errors):
        alive()
        if part.constant:
            models.append(None)
            continue
        own = _taken(index, part)
        model = RecursivePls(
            lesson.rows.shape[1], part.targets.shape[1], n_components=n_components, shape=lesson.shape
        )
        model.learn(lesson.rows[own], part.targets[index[own]])
        model.fade(lesson.share)
        model.resume(errors[:-1], judged=float(errors[-1]))
        model.prepare()
        models.append(model)
    return models


def _taken(labels: Any, part: Part) -> Any:
    """Places of the windows that a part learns from."""
    return np.flatnonzero(np.isin(labels, part.takes))


def constant_line(part: Part, n_features: int) -> Line:
    """The line of a part with one target.

    Parameters
    ----------
    part : constant. n_features : of a row.
    """
    bias = part.targets[part.takes[0]].copy()
    return Line(np.zeros((len(bias), n_features)), bias)


def stacked(lines: Sequence[Line]) -> Line:
    """Lines below one another as one.

    Parameters
    ----------
    lines : of the parts, in order.
    """
    return Line(np.concatenate([line.weights for line in lines]), np.concatenate([line.bias for line in lines]))


def _apart(rows: FloatArray, line: Line, fitted: Line, scale: FloatArray) -> float:
    """Root mean square difference of the outputs of two lines, in ``scale``."""
    total, now, before = 0.0, np.empty(len(line.bias)), np.empty(len(line.bias))
    for row in rows:
        linear(row, line.weights, line.bias, now)
        linear(row, fitted.weights, fitted.bias, before)
        for value in ((now - before) / scale).tolist():
            total += value * value
    return float(np.sqrt(total / (len(rows) * len(scale))))


def _linear_of(classifier: Any) -> Linear:
    """The linear models inside a classifier, however many classes and states lie around them."""
    while not isinstance(classifier, Linear):
        classifier = classifier.decoded
    return classifier


def _line_of(scorer: Scorer) -> Line:
    inside = _linear_of(scorer.classifier)
    return Line(inside.weights, inside.bias)


def _with_line(scorer: Scorer, line: Line) -> Scorer:
    return replace(scorer, classifier=_replaced(scorer.classifier, line))


def _replaced(classifier: Any, line: Line) -> Any:
    if isinstance(classifier, Linear):
        return replace(classifier, weights=line.weights, bias=line.bias)
    return replace(classifier, decoded=_replaced(classifier.decoded, line))
