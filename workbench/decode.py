"""The one loop: source × paradigm × decoder → decisions and trials. Live and replayed alike.

A source is an iterable of :class:`Chunk` and :class:`Marker`; its order is the truth, and a marker takes
effect before sample ``marker.sample``. Chunk size changes no bit: chunks are cut at every hop, at every
window end and at every cue. Nothing here knows a device, a file, a clock or an effector.

A decoder may adapt while it decides. Rules without labels adapt inside its stream; a rule that learns from labels
is taught here, at the samples that :class:`Updates` names. Every update is an item of its own, a ``Snapshot``.

Evidence far from the training data decides nothing. Where it becomes frequent, a row of the ledger advises a new
calibration, once a run; as a function of the samples it stands at the same place in a replay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, runtime_checkable

from workbench.messages import Message
from workbench.paradigms import Paradigm, Request, Rule
from workbench.signals.cues import HISTORY_S, AwaitedCues, SampleAxis
from workbench.vocabulary import (
    Chunk,
    Decision,
    Evidence,
    FloatArray,
    LedgerRow,
    LocatedCue,
    Marker,
    Snapshot,
    Trial,
    Worker,
)

Made = Decision | Trial | LedgerRow | Snapshot
"""What the loop yields."""

LATE_S = 0.25
"""A cue that took effect later than this after its stamp, in s of stream time, is entered in the ledger."""


FAR_SHARE = 0.05
"""Running share of evidence far from the training data above which a new calibration is advised."""

FAR_MEMORY_S, FAR_MEMORY_CUES = 60.0, 20
"""Time constant of that share: s where evidence comes at every hop, else cues."""


class EvidenceStream(Protocol):
    """What a decoder's ``start()`` returns; ``hop`` in samples."""

    hop: int

    @property
    def remembers(self) -> bool:
        """Whether evidence rests on more than its own window."""

    def step(self, samples: FloatArray) -> None:
        """Take ``(n_times, n_channels)`` float64 samples, µV."""

    def evidence(self, end: int) -> Evidence:
        """Evidence of the window that ends before sample ``end``."""

    def reset(self) -> None:
        """Forget the past: the next sample follows a gap."""


@runtime_checkable
class AdaptingStream(EvidenceStream, Protocol):
    """A stream that may change while it decides; ``window`` in samples."""

    window: int

    @property
    def learns(self) -> bool:
        """Whether it learns from labels."""

    def learn(self, label: str, *, end: int) -> bool:
        """Take in the class of the window that ends before ``end``; it takes effect now."""

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Updates made since this was last asked, in the order of effect."""


@runtime_checkable
class DelegatingStream(EvidenceStream, Protocol):
    """A stream that may have its updates computed beside the loop."""

    def work_by(self, worker: Worker) -> None:
        """Have ``worker`` compute them; without, it computes them itself when they are due."""


@runtime_checkable
class JoinedStream(EvidenceStream, Protocol):
    """A stream that decodes other streams beside the signal, which is their master."""

    @property
    def agreed(self) -> Mapping[str, bool]:
        """Of the newest evidence, by role whether that stream agreed; empty where none holds another back."""

    def join(self, chunk: Chunk) -> None:
        """Samples of another stream came; they are taken when the signal has reached their time."""

    def join_gap(self, role: str) -> None:
        """The next sample of that stream follows a gap."""

    def advance(self, stamps: FloatArray) -> None:
        """Corrected stamps ``(n,)`` float64, s, of the samples of the signal that are stepped next."""


class StreamingDecoder(Protocol):
    """What the loop needs of a decoder."""

    @property
    def classes_(self) -> Iterable[str]:
        """Class names, in the order of the probabilities."""

    def start(self) -> EvidenceStream:
        """A fresh stream at sample 0."""


def decode(
    source: Iterable[Chunk | Marker],
    paradigm: Paradigm,
    decoder: StreamingDecoder | None = None,
    *,
    fs: float,
    begun: Callable[[Rule, EvidenceStream | None], None] | None = None,
    worker: Worker | None = None,
) -> Iterator[Made]:
    """Decode a source.

    Parameters
    ----------
    source : items in the order in which they took effect; chunks of other streams and their gaps too, by the
        rule of :mod:`workbench.signals.alignment`. A decoder that does not join them leaves them out.
    paradigm : schedule and rule.
    decoder : fitted decoder, or None for a calibration run (trials are then ``"recorded"``).
    fs : rate of the decoded stream in Hz.
    begun : is handed the rule of the run and the decoder's stream, for a screen to show what they count and who
        agreed; nobody else may change them.
    worker : computes updates that take longer than a hop, beside the loop; None for the loop itself, when they are
        due.

    Yields
    ------
    Decision, Trial, LedgerRow or Snapshot, in the order of the sample at which each took effect. At one sample
    decisions come before snapshots, which bear on windows that end later.
    """
    stream = decoder.start() if decoder is not None else None
    if worker is not None and isinstance(stream, DelegatingStream):
        stream.work_by(worker)
    hop = stream.hop if stream is not None else max(1, round(0.05 * fs))
    classes = tuple(decoder.classes_) if decoder is not None else ()
    paradigm = paradigm.suited(remembers=stream is None or stream.remembers)
    memory = round(FAR_MEMORY_S * fs / hop) if paradigm.asynchronous else FAR_MEMORY_CUES
    rule, updates = paradigm.start(fs=fs, hop=hop, classes=classes), Updates(stream, paradigm, fs=fs)
    if begun is not None:
        begun(rule, stream)
    loop = _Loop(rule, stream, updates, fs, Familiarity(memory))
    for item in source:
        yield from loop.marker(item) if isinstance(item, Marker) else loop.chunk(item)
    yield from loop.rule.finish(at=loop.seen)


class Updates:
    """What an adapting decoder is taught, and the snapshots of what it learned. Without one, nothing happens.

    Parameters
    ----------
    stream : of the decoder; None, or one that does not adapt, is taught nothing.
    paradigm : names the windows that a cue labels; None teaches nothing.
    fs : rate of the decoded stream in Hz.

    A rule that learns from labels is taught with what was cued, on the windows that the paradigm would fit on
    (:meth:`Paradigm.training_windows`), a window apart so that they do not overlap. Each is taught as soon as it
    has ended; where the cue's marker came later, then. A cue that a gap or a pause touches teaches nothing from
    there on. The participant may not have done what was cued: the bound of the rule limits what that can do.
    """

    def __init__(self, stream: EvidenceStream | None, paradigm: Paradigm | None, *, fs: float) -> None:
        self._stream = stream if isinstance(stream, AdaptingStream) else None
        self._paradigm, self._fs = paradigm, fs
        self._lessons: list[tuple[int, int, str]] = []
        self._made: deque[Snapshot] = deque()

    @property
    def due(self) -> int | None:
        """Sample at which the next window is taught, None while none is."""
        return self._lessons[0][0] if self._lessons else None

    def cue(self, cue: LocatedCue, *, at: int) -> None:
        """A cue took effect at sample ``at``: note the windows that it labels and that are still remembered."""
        if self._paradigm is None or self._stream is None or not self._stream.learns:
            return
        apart_s, oldest = self._stream.window / self._fs, at - round(HISTORY_S * self._fs)
        # A window apart, so that no sample teaches twice.
        named = self._paradigm.training_windows([cue], fs=self._fs, window_s=apart_s, hop_s=apart_s)
        self._lessons += [(max(end, at), end, label) for end, label, _ in named if end >= oldest]
        # By the sample at which they are taught: a cue that comes late may label windows before those that wait.
        self._lessons.sort()

    def interrupt(self) -> None:
        """A gap or a pause: what was cued may no longer be what is done."""
        self._lessons.clear()

    def teach(self, *, seen: int) -> None:
        """Teach what is due at sample ``seen``."""
        while self._stream is not None and self._lessons and self._lessons[0][0] <= seen:
            _, end, label = self._lessons.pop(0)
            self._stream.learn(label, end=end)

    def made(self, *, before: int) -> Iterator[Snapshot]:
        """Snapshots that took effect before sample ``before``."""
        if self._stream is not None:
            self._made += self._stream.snapshots()
        # Strictly before: an update at this sample follows the decision at it, which it did not bear on.
        while self._made and self._made[0].sample < before:
            yield self._made.popleft()


class Familiarity:
    """How much of the evidence is far from the training data.

    Parameters
    ----------
    memory : evidences over which the share is taken, as a time constant.

    Attributes
    ----------
    share : of evidence that was far, 0–1, the older the less it weighs.
    """

    def __init__(self, memory: int) -> None:
        self.share = 0.0
        self._rate = 1.0 / memory
        self._advised = False

    def passed(self, evidence: Evidence | None) -> bool:
        """Take evidence in; whether the share passed :data:`FAR_SHARE`, once. What is not valid says nothing."""
        if evidence is None or not evidence.valid:
            return False
        # Exponential mean: a share over the last minute without keeping the minute.
        self.share += self._rate * ((1.0 if evidence.far else 0.0) - self.share)
        if self._advised or self.share <= FAR_SHARE:
            return False
        self._advised = True
        return True


class _Loop:
    """The loop's place on the sample axis."""

    def __init__(
        self, rule: Rule, stream: EvidenceStream | None, updates: Updates, fs: float, familiarity: Familiarity
    ) -> None:
        self.rule, self.stream, self.updates, self.fs = rule, stream, updates, fs
        # Once, as asking a protocol at every step takes longer than the step.
        self.joined = stream if isinstance(stream, JoinedStream) else None
        self.familiarity = familiarity
        self.axis = SampleAxis(fs)
        self.awaited = AwaitedCues(self.axis)
        self.seen = 0

    def chunk(self, chunk: Chunk) -> Iterator[Made]:
        """Step through a chunk, stopping wherever something is due."""
        if chunk.stream:
            if self.joined is not None:
                self.joined.join(chunk)
            return
        self.axis.step(chunk)
        last = chunk.first + len(chunk.stamps)
        while self.seen < last:
            yield from self._due()
            # The chunk is cut wherever something is due, so that no bit depends on where the source cut it.
            stop = self.awaited.next_sample(end=last)
            if self.rule.due is not None:
                stop = min(stop, max(self.rule.due.at, self.seen))
            if self.updates.due is not None:
                stop = min(stop, self.updates.due)
            self._step(chunk, stop)
            yield from self._due()
            for cue in self.awaited.begin(at=self.seen, end=last):
                yield from self._begin(cue)

    def _step(self, chunk: Chunk, stop: int) -> None:
        rows = slice(self.seen - chunk.first, stop - chunk.first)
        if self.joined is not None:
            self.joined.advance(chunk.stamps[rows])
        if self.stream is not None:
            self.stream.step(chunk.samples[rows])
        self.seen = stop

    def _due(self) -> Iterator[Made]:
        """Everything at this sample that is not a recorded event: decide, then learn."""
        # Decide, then learn: evidence at this sample must not know the label taught at it.
        yield from self.updates.made(before=self.seen)
        yield from self._answer()
        self.updates.teach(seen=self.seen)
        yield from self.updates.made(before=self.seen + 1)

    def _answer(self) -> Iterator[Decision | Trial | LedgerRow]:
        """Give the rule the evidence that is due by now."""
        while (request := self.rule.due) is not None and request.at <= self.seen:
            late = request.at - request.end
            # The stream remembers so much and no more; an older window cannot be decoded any longer.
            if late > round(HISTORY_S * self.fs):
                extent = Message("decode.late_window", n=f"{late / self.fs:.2f}")
                yield self._row("impossible_marker", extent, Message("decode.trial_excluded"))
                yield from self.rule.decide(request, stamp=self.axis.stamp(request.at - 1), evidence=None)
                continue
            evidence = self.stream.evidence(request.end) if self.stream is not None else None
            yield from self._decide(request, evidence)

    def _decide(self, request: Request, evidence: Evidence | None) -> Iterator[Decision | Trial | LedgerRow]:
        yield from self.rule.decide(request, stamp=self.axis.stamp(request.end - 1), evidence=evidence)
        if self.familiarity.passed(evidence):
            yield self._row(
                "recalibrate",
                Message("decode.far", n=f"{100 * self.familiarity.share:.0f}"),
                Message("decode.recalibrate"),
            )

    def _begin(self, cue: LocatedCue) -> Iterator[Trial]:
        self.updates.cue(cue, at=self.seen)
        yield from self.rule.cue(cue, at=self.seen)

    def marker(self, marker: Marker) -> Iterator[Made]:
        """A recorded event, before the next sample."""
        if marker.kind == "gap" and marker.label:
            # Of another stream: it touches nothing but what that stream says.
            if self.joined is not None:
                self.joined.join_gap(marker.label)
            return
        yield from self._due()
        if marker.kind == "cue":
            yield from self._cue(marker)
        elif marker.kind == "gap":
            missing = float(marker.detail.get("missing_s", 0.0))
            reason = Message("decode.gap", n=f"{missing * 1000:.0f}")
            self.rule.interrupt(at=self.seen, reason=reason, resets=True)
            self.updates.interrupt()
            if self.stream is not None:
                self.stream.reset()
            self.axis.gap(marker, at=self.seen)
        elif marker.kind == "pause":
            self.rule.interrupt(at=self.seen, reason=Message("decode.paused"), resets=False)
            self.updates.interrupt()

    def _cue(self, marker: Marker) -> Iterator[Trial | LedgerRow]:
        if self.axis.too_old(marker.stamp, seen=self.seen):
            extent = Message("decode.cue", label=marker.label)
            yield self._row("impossible_marker", extent, Message("decode.cue_too_old"))
            return
        cue = self.awaited.place(marker, seen=self.seen)
        if cue is None:
            return
        late = (self.seen - cue.sample) / self.fs
        if late > LATE_S:
            extent = Message("decode.cue_late", label=marker.label, n=f"{late * 1000:.0f}")
            yield self._row("late_marker", extent, Message("decode.decided_late"))
        yield from self._begin(cue)

    def _row(self, kind: str, extent: Message, consequence: Message) -> LedgerRow:
        stamp = self.axis.stamp(self.seen - 1) if self.seen else 0.0
        return LedgerRow(
            kind, stamp, 0.0, sample=self.seen, extent=extent, consequence=consequence, priority="medium"
        )
