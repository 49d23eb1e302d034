"""Several decoded streams → one evidence: each through its own decoder, all about one moment of the signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from workbench.decoding.fusion import fuse
from workbench.decoding.stream import DecoderStream
from workbench.errors import BadSignal
from workbench.messages import Message
from workbench.signals.alignment import AlignedStream
from workbench.vocabulary import Chunk, Evidence, FloatArray, Snapshot, Worker

SIGNAL = "signal"
"""Role of the master."""


class Combination(Protocol):
    """How the evidence of several streams becomes one."""

    def combine(self, evidence: Mapping[str, Evidence]) -> Evidence:
        """One evidence from that of each role, all with the same end; none that is critical is invalid."""

    def agreed(self, evidence: Mapping[str, Evidence]) -> dict[str, bool]:
        """Whether each role that can hold the others back agrees; empty where none can."""


@dataclass(frozen=True, slots=True)
class LateFusion:
    """``log p = Σ v log p`` over the streams that are valid and not rejected; ``weights`` are v by role."""

    weights: Mapping[str, float]

    def combine(self, evidence: Mapping[str, Evidence]) -> Evidence:
        """See :func:`workbench.decoding.fusion.fuse`."""
        return fuse([evidence[role] for role in self.weights], list(self.weights.values()))

    def agreed(self, evidence: Mapping[str, Evidence]) -> dict[str, bool]:
        """None holds another back."""
        return {}


class Gate(Protocol):
    """A stream that has to agree, asked about evidence that is valid and not rejected."""

    def agrees(self, evidence: Evidence) -> bool:
        """Whether the evidence opens the gate."""


@dataclass(frozen=True, slots=True)
class ClassGate:
    """Open while the probability of class number ``opens`` is ``least`` or more."""

    opens: int
    least: float

    def agrees(self, evidence: Evidence) -> bool:
        """See :class:`Gate`."""
        return evidence.probabilities[self.opens] >= self.least


@dataclass(frozen=True, slots=True)
class LevelGate:
    """Open while an amplitude is ``limit`` or more, or while it is below; ``above`` says which."""

    above: bool
    limit: float

    def agrees(self, evidence: Evidence) -> bool:
        """See :class:`Gate`."""
        return (evidence.values[0] >= self.limit) == self.above


@dataclass(frozen=True, slots=True)
class PhaseGate:
    """Open while a phase lies between two, 0–1; the window may go through the beginning of the cycle."""

    begin: float
    end: float

    def agrees(self, evidence: Evidence) -> bool:
        """See :class:`Gate`."""
        at = evidence.values[0] % 1.0
        if self.begin < self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


def is_open(gate: Gate, evidence: Evidence) -> bool:
    """Whether evidence opens a gate; evidence that is not valid, or rejected, never does."""
    return evidence.valid and not evidence.rejected and gate.agrees(evidence)


@dataclass(frozen=True, slots=True)
class Gating:
    """What the signal says counts only while every gate is open, else it is rejected; ``gates`` by role."""

    gates: Mapping[str, Gate]

    def combine(self, evidence: Mapping[str, Evidence]) -> Evidence:
        """Evidence of the signal, rejected where a gate is closed."""
        agreed = all(is_open(gate, evidence[role]) for role, gate in self.gates.items())
        return evidence[SIGNAL] if agreed else replace(evidence[SIGNAL], rejected=True)

    def agreed(self, evidence: Mapping[str, Evidence]) -> dict[str, bool]:
        """Whether the signal says something, and whether each gate is open."""
        signal = evidence[SIGNAL]
        opened = {role: is_open(gate, evidence[role]) for role, gate in self.gates.items()}
        return {SIGNAL: signal.valid and not signal.rejected} | opened


class JoinedDecoderStream:
    """Evidence from several streams; a function of their samples, stamps and gaps, and of the master's, only.

    Parameters
    ----------
    streams : by role, that of the master is ``"signal"``.
    combination : of their evidence.
    critical : roles without whose valid evidence nothing is valid.
    classes : of the joint evidence.
    remembers : whether evidence rests on more than its own windows.
    picks : channels of the master, by number from 0, of each role that reads them in the place of a stream; None
        where no role does.

    Attributes
    ----------
    agreed : of the newest evidence, by role whether that stream agreed; empty where none holds another back.

    A stream that is not present (:mod:`workbench.signals.alignment`), or whose window a gap touches, has no valid
    evidence there; nothing is extrapolated. Each stream's window ends with the last sample that belongs to the
    end of the master's.
    """

    def __init__(
        self,
        streams: Mapping[str, DecoderStream],
        *,
        combination: Combination,
        critical: tuple[str, ...],
        classes: tuple[str, ...],
        remembers: bool,
        picks: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self._master = streams[SIGNAL]
        self._picked = {role: (streams[role], list(numbers)) for role, numbers in (picks or {}).items()}
        beside = [role for role in streams if role != SIGNAL and role not in self._picked]
        self._others = {role: streams[role] for role in beside}
        self._aligned = {
            role: AlignedStream(self._master.fs, n_channels=stream.n_channels)
            for role, stream in self._others.items()
        }
        self._combination, self._critical = combination, critical
        self.classes, self.remembers = classes, remembers
        self.agreed: Mapping[str, bool] = {}
        self.hop, self.window = self._master.hop, self._master.window

    def join(self, chunk: Chunk) -> None:
        """Samples of another stream; those of a role that is not decoded are left out."""
        if chunk.stream not in self._aligned:
            return
        if chunk.samples.shape[1:] != (self._others[chunk.stream].n_channels,):
            raise BadSignal(
                Message(
                    "decoder.channels_of_stream",
                    n=self._others[chunk.stream].n_channels,
                    stream=chunk.stream,
                    got=str(chunk.samples.shape[1]),
                )
            )
        self._aligned[chunk.stream].deliver(chunk)

    def join_gap(self, role: str) -> None:
        """The next sample of that stream follows a gap."""
        if role in self._aligned:
            self._aligned[role].gap()

    def advance(self, stamps: FloatArray) -> None:
        """Corrected stamps ``(n,)`` float64, s, of the master's samples that are stepped next."""
        for role, aligned in self._aligned.items():
            for samples in aligned.advance(stamps):
                if samples is None:
                    self._others[role].reset()
                else:
                    self._others[role].step(samples)

    def step(self, samples: FloatArray) -> None:
        """Samples of the master, ``(n_times, n_channels)`` float64."""
        self._master.step(samples)
        for stream, numbers in self._picked.values():
            stream.step(np.ascontiguousarray(samples[:, numbers]))

    def reset(self) -> None:
        """A gap of the master follows, and of what is read of its channels; the other streams have none."""
        self._master.reset()
        for stream, _ in self._picked.values():
            stream.reset()

    @property
    def learns(self) -> bool:
        """Whether the master learns from labels; the others never do."""
        return self._master.learns

    def learn(self, label: str, *, end: int) -> bool:
        """Give the master the true class of its window that ends before ``end``."""
        return self._master.learn(label, end=end)

    def work_by(self, worker: Worker) -> None:
        """Have ``worker`` compute updates of the master that take longer than a hop."""
        self._master.work_by(worker)

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Updates of the master since the last call."""
        return self._master.snapshots()

    def evidence(self, end: int) -> Evidence:
        """Evidence about the moment of the master's sample before ``end``.

        Raises
        ------
        BadValue
            When the master's window has left the history or is still to come.
        """
        each = {SIGNAL: self._master.evidence(end)}
        for role, (stream, _) in self._picked.items():
            each[role] = _evidence_of(stream, end, end=end)
        for role, stream in self._others.items():
            taken, present = self._aligned[role].at(end)
            each[role] = _evidence_of(stream, taken, end=end) if present else _nothing(stream.classes, end)
        self.agreed = self._combination.agreed(each)
        if all(each[role].valid for role in self._critical):
            return self._combination.combine(each)
        # Classes can be equally likely; of a phase the last one stands, and cannot be relied on.
        return _nothing(self.classes, end) if each[SIGNAL].probabilities else replace(each[SIGNAL], valid=False)


def _evidence_of(stream: DecoderStream, taken: int, *, end: int) -> Evidence:
    """What a stream says of its window that ends before its sample ``taken``, about the master's ``end``."""
    return replace(stream.evidence(taken), end=end) if stream.has_window(taken) else _nothing(stream.classes, end)


def _nothing(classes: tuple[str, ...], end: int) -> Evidence:
    """Evidence that is not valid."""
    return Evidence(end, tuple([1.0 / len(classes)] * len(classes)), valid=False)
