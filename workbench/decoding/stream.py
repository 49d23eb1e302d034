"""The decision path: samples → evidence. Strict arithmetic, kernels only; what is learned here is snapshotted."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from workbench.decoding.accumulation import EvidenceAccumulator
from workbench.decoding.adapt import Adapter, SoundWindow
from workbench.decoding.classifiers import Linear
from workbench.decoding.novelty import DOUBTFUL, Novelty
from workbench.decoding.scorer import Scorer
from workbench.errors import BadSignal, BadValue
from workbench.kernels.evidence import softmax
from workbench.kernels.scores import nearest
from workbench.messages import Message
from workbench.signals import SignalStream
from workbench.vocabulary import Evidence, EvidenceType, FloatArray, Snapshot, Worker


@dataclass(frozen=True)
class Rejection:
    """Rejection of a window unlike those of the fit, or in which no class is likely enough.

    Attributes
    ----------
    least : least probability of the likeliest class, where evidence has no memory; 0 for none.
    whitening : ``(n_features, n_features)`` float64, lower triangular. means : ``(n_classes, n_features)``
        float64, whitened. limit : greatest squared Mahalanobis distance to the nearest class.
        Without a whitening no window is too far.
    """

    least: float
    whitening: FloatArray | None = None
    means: FloatArray | None = None
    limit: float = 0.0

    def outlier(self, features: FloatArray) -> bool:
        """Whether features ``(n_features,)``, as the classifier takes them, lie too far from every class."""
        if self.whitening is None or self.means is None:
            return False
        # Negated, so that nan is an outlier.
        return not nearest(features, self.whitening, self.means) <= self.limit


@dataclass(frozen=True)
class Finish:
    """How scores become evidence. ``rate`` (hop / time constant) moves the normalisation while evidence says rest.

    Attributes
    ----------
    limits : least and greatest ``(n_lanes,)`` power, µV², of a valid window.
    rest : index of the rest class, -1 for none.
    novelty : detects windows far from the training data; None for a decoder that was stored without it.
    evidence : what the scores are; an accumulator of other scores than those of classes gives values.
    """

    limits: tuple[FloatArray, FloatArray]
    rest: int = -1
    accumulator: EvidenceAccumulator | None = None
    rejection: Rejection | None = None
    rate: float = 0.0
    novelty: Novelty | None = None
    evidence: EvidenceType = EvidenceType()


class _State(NamedTuple):
    """Accumulated evidence, scorer and running share of far windows from sample ``at`` on."""

    at: int
    accumulated: FloatArray
    scorer: Scorer
    share: float = 0.0


class _Answer(NamedTuple):
    """Evidence, what has accumulated and the share of far windows after it, and what is behind a sound window."""

    evidence: Evidence
    accumulated: FloatArray
    share: float
    sound: SoundWindow | None = None


class DecoderStream:
    """Evidence from samples; a function of the samples, of ``reset`` and of ``learn`` only.

    Parameters
    ----------
    signal : filters the samples.
    scorer : from a window to the scores of its classes.
    classes : names, in the order of the probabilities.
    finish : what is done with the scores: calibration, memory, rejection, normalisation.
    adapter : moves the scorer while it decides, None for a decoder that stays as it was fitted.

    Attributes
    ----------
    classes : names, in the order of the probabilities. fs : Hz. n_channels : of the raw stream.
    hop, window : samples. n_seen : samples taken so far.

    Notes
    -----
    Memory, running normalisation and adaptation step at every multiple of ``hop`` on the sample axis, whether
    or not evidence is asked for. An end that is not a multiple gets a step of its own from the state at the
    multiple before. A window that is not valid, or is unlike those of the fit, moves nothing; its evidence is
    the memory's belief so far (without a memory: what the window says, or equal probabilities where it is
    incomplete), marked not valid or rejected. After a gap the memory restarts; what was adapted stays.
    Where more than :data:`workbench.decoding.novelty.DOUBTFUL` of recent windows were far from the training data,
    those between them are rejected too and the memory restarts: else the few that pass would add up to an
    activation. A run starts on that edge: its first far window is one too many. A stream without a memory, which
    is asked once per cue, judges each window separately.
    """

    def __init__(
        self,
        signal: SignalStream,
        scorer: Scorer,
        *,
        classes: tuple[str, ...],
        finish: Finish,
        adapter: Adapter | None = None,
    ) -> None:
        self.classes, self.fs, self.n_channels = classes, signal.fs, signal.n_channels
        self.hop, self.window = signal.n_hop, signal.n_window
        self._signal, self._finish, self._adapter = signal, finish, adapter
        self._even = np.full(len(classes), 1.0 / len(classes))
        self._step_max = max(1, round(signal.settings.history_s * signal.fs))
        self._start = self._even if finish.accumulator is None else finish.accumulator.initial
        # Else an answer depends on its own window alone, and is made when it is asked for.
        self._steps = finish.accumulator is not None or finish.rate > 0.0 or adapter is not None
        # A run begins on the edge: its first far window is one too many.
        unproven = DOUBTFUL if self._steps else 0.0
        self._states = deque([_State(0, self._start, scorer, unproven)])
        self._answers: dict[int, Evidence] = {}
        self._next = self.hop

    @property
    def remembers(self) -> bool:
        """Whether evidence has a memory, and rests on more than its own window."""
        return self._finish.accumulator is not None

    @property
    def n_seen(self) -> int:
        """Samples taken so far."""
        return self._signal.n_seen

    def step(self, samples: FloatArray) -> None:
        """Take ``(n_times, n_channels)`` float64 samples, µV, raw. No sample changes nothing."""
        # A longer block would push windows out of the history before they were looked at.
        for first in range(0, len(samples), self._step_max):
            self._signal.step(samples[first : first + self._step_max])
            if self._steps:
                self._catch_up()
        if len(samples) == 0:
            self._signal.step(samples)

    def reset(self) -> None:
        """A gap follows: filters and memory restart; normalisation and adaptation stay."""
        self._signal.reset()
        # A state more, and none changed: questions about samples before the gap are answered from the older ones.
        last = self._states[-1]
        self._states.append(_State(self.n_seen, self._start, last.scorer, last.share))

    def has_window(self, end: int) -> bool:
        """Whether a window that ends before sample ``end`` is in the history."""
        return self._signal.has_window(end)

    def evidence(self, end: int) -> Evidence:
        """Evidence of the window that ends before sample ``end``.

        Raises
        ------
        BadValue
            When the window has left the history or is still to come.
        """
        self._signal.check_end(end)
        if end in self._answers:
            return self._answers[end]
        return self._answer(end).evidence

    @property
    def learns(self) -> bool:
        """Whether it has a rule that learns from labels; :meth:`learn` is for it alone."""
        return self._adapter is not None and self._adapter.supervised

    def learn(self, label: str, *, end: int) -> bool:
        """Give the true class of the window that ends before ``end``; it takes effect now, at ``n_seen``.

        Returns whether anything was learned: a window that is not valid, or rejected, teaches nothing.

        Raises
        ------
        BadSignal
            When the decoder has no rule that learns from labels.
        BadValue
            For a class it does not know, or a window that has left the history.
        """
        if self._adapter is None or not self.learns:
            raise BadSignal(Message("decoder.learns_no_labels"))
        if label not in self.classes:
            raise BadValue(Message("decoder.class_unknown", classes=list(self.classes), got=repr(label)))
        self._signal.check_end(end)
        sound = self._answer(end).sound
        if sound is None:
            return False
        state = self._states[-1]
        scorer = self._adapter.learn(state.scorer, sound, self.classes.index(label), at=self.n_seen)
        self._states.append(_State(self.n_seen, state.accumulated, scorer, state.share))
        return True

    def work_by(self, worker: Worker) -> None:
        """Have ``worker`` compute updates that take longer than a hop, before anything is taught.

        Without this, whoever steps the stream computes them when they are due.
        """
        if self._adapter is not None:
            self._adapter.work_by(worker)

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Updates made since the last call, oldest first; each carries the hash of the one before."""
        return () if self._adapter is None else self._adapter.drain()

    def _catch_up(self) -> None:
        """Step at every multiple of the hop that has been reached."""
        while self._next <= self.n_seen:
            end = self._next
            answer, scorer = self._answer(end), self._states[-1].scorer
            if answer.sound is not None:
                scorer = self._adapted(scorer, answer.sound, answer.evidence)
            if self._adapter is not None:
                scorer = self._adapter.advance(scorer, at=end)
            self._states.append(_State(end, answer.accumulated, scorer, answer.share))
            self._answers[end] = answer.evidence
            self._next = end + self.hop
        # A hop more than the history: the state before the oldest window that may be asked about stays.
        oldest = self.n_seen - self._step_max - self.hop
        while len(self._states) > 1 and self._states[1].at < oldest:
            self._states.popleft()
        # They were made in the order of their ends.
        while self._answers and (first := next(iter(self._answers))) < oldest:
            del self._answers[first]

    def _adapted(self, scorer: Scorer, sound: SoundWindow, answer: Evidence) -> Scorer:
        """The scorer after a window that is sound."""
        # Values name no class; no adapter and no tracked normalisation goes with them.
        if not answer.probabilities:
            return scorer
        named = _largest(answer)
        resting = named == self._finish.rest
        if self._finish.rate > 0.0 and resting and isinstance(scorer.classifier, Linear):
            scorer = replace(scorer, classifier=scorer.classifier.tracked(sound.features, self._finish.rate))
        if self._adapter is not None:
            scorer = self._adapter.step(scorer, sound, named=named, resting=resting)
        return scorer

    def _answer(self, end: int) -> _Answer:
        """Evidence at ``end`` and what follows from it."""
        window, valid = self._signal.window(end)
        # The state from before the end, so that a late question gets the answer of a prompt one.
        state = next(s for s in reversed(self._states) if s.at < end or s.at == 0)
        if not self._signal.complete(end):
            return self._unknown(end, state)
        summary = state.scorer.reducer.summarise(window)
        power = state.scorer.reducer.lane_power(summary)
        # Not every bad window is one of bad samples: a loose electrode shows in its power alone.
        low, high = self._finish.limits
        valid = valid and bool((low <= power).all()) and bool((power <= high).all())
        features = state.scorer.features(summary)
        scores = state.scorer.scores(features)
        accumulator = self._finish.accumulator
        if not np.isfinite(scores).all() or (accumulator is not None and not valid):
            return self._unknown(end, state)
        far, share = self._far(power, summary, state.share) if valid else (False, state.share)
        outlier = far or self._outlier(state.scorer, features)
        # A window that is not sound teaches nothing, neither normalisation nor adaptation.
        sound = SoundWindow(end, summary, features) if valid and not outlier else None
        if accumulator is None:
            evidence = self._of_one_window(end, scores, valid=valid, far=far, outlier=outlier)
            return _Answer(evidence, self._even, share, sound)
        if outlier:
            # Else the few windows that pass between many far ones would add up to an activation.
            accumulated = self._start if share > DOUBTFUL else state.accumulated
            return _Answer(
                self._evidence(end, self._held(accumulated), rejected=True, far=far), accumulated, share
            )
        after = accumulator.step(state.accumulated, scores)
        p = accumulator.probabilities(after)
        evidence = self._evidence(end, _tuple(p), rejected=accumulator.undecided(after))
        return _Answer(evidence, after, share, sound)

    def _unknown(self, end: int, state: _State) -> _Answer:
        """What is said where a window says nothing: what was known before it."""
        held = self._held(state.accumulated)
        return _Answer(self._evidence(end, held, valid=False), state.accumulated, state.share)

    def _evidence(
        self,
        end: int,
        numbers: tuple[float, ...],
        *,
        valid: bool = True,
        rejected: bool = False,
        far: bool = False,
    ) -> Evidence:
        """Evidence of the decoder's type."""
        n = len(self.classes) if self._finish.evidence.has_classes else 0
        return Evidence(end, numbers[:n], valid, rejected, far, values=numbers[n:])

    def _of_one_window(self, end: int, scores: FloatArray, *, valid: bool, far: bool, outlier: bool) -> Evidence:
        """Evidence of a decoder that accumulates nothing; an outlier or an unsure window is rejected."""
        probabilities = np.empty_like(scores)
        softmax(scores, probabilities)
        rejection = self._finish.rejection
        unsure = rejection is not None and float(probabilities.max()) < rejection.least
        return Evidence(end, _tuple(probabilities), valid, outlier or unsure, far)

    def _outlier(self, scorer: Scorer, features: FloatArray) -> bool:
        """Whether features lie where no training data did."""
        rejection = self._finish.rejection
        return rejection is not None and bool(rejection.outlier(scorer.classifier.normalised(features)))

    def _far(self, power: FloatArray, summary: FloatArray, share: float) -> tuple[bool, float]:
        """Whether a window is far from the training data, or among too many that are; and the share of these."""
        novelty = self._finish.novelty
        if novelty is None:
            return False, share
        far = novelty.far(power, summary)
        share = novelty.share(share, far=far)
        return far or share > DOUBTFUL, share

    def _held(self, state: FloatArray) -> tuple[float, ...]:
        """Probabilities of the classes in a state that nothing was added to."""
        accumulator = self._finish.accumulator
        return _tuple(self._even if accumulator is None else accumulator.probabilities(state))


def _largest(answer: Evidence) -> int:
    return answer.probabilities.index(max(answer.probabilities))


def _tuple(values: FloatArray) -> tuple[float, ...]:
    return tuple(values.tolist())
