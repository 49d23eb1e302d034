"""Several decoded streams → one evidence: each through its own decoder, all about one moment of the signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from workbench.decoding.fusion import fuse
from workbench.decoding.stream import DecoderStream
from workbench.errors import BadSignal
from workbench.signals.alignment import AlignedStream
from workbench.vocabulary import Chunk, Evidence, FloatArray

SIGNAL = "signal"
"""Role of the master."""


class Combination(Protocol):
    """How the evidence of several streams becomes one."""

    def combine(self, evidence: Mapping[str, Evidence]) -> Evidence:
        """One evidence from that of each role, all with the same end; none that is critical is invalid."""


@dataclass(frozen=True, slots=True)
class LateFusion:
    """``log p = Σ v log p`` over the streams that are valid and not rejected; ``weights`` are v by role."""

    weights: Mapping[str, float]

    def combine(self, evidence: Mapping[str, Evidence]) -> Evidence:
        """See :func:`workbench.decoding.fusion.fuse`."""
        return fuse([evidence[role] for role in self.weights], list(self.weights.values()))


@dataclass(frozen=True, slots=True)
class Gate:
    """A stream that has to agree: the probability of class number ``opens`` must be ``least`` or more."""

    opens: int
    least: float

    def is_open(self, evidence: Evidence) -> bool:
        """Whether evidence opens the gate; evidence that is not valid, or rejected, never does."""
        return evidence.valid and not evidence.rejected and evidence.probabilities[self.opens] >= self.least


@dataclass(frozen=True, slots=True)
class Gating:
    """What the signal says counts only while every gate is open, else it is rejected; ``gates`` by role."""

    gates: Mapping[str, Gate]

    def combine(self, evidence: Mapping[str, Evidence]) -> Evidence:
        """Evidence of the signal, rejected where a gate is closed."""
        is_open = all(gate.is_open(evidence[role]) for role, gate in self.gates.items())
        return evidence[SIGNAL] if is_open else replace(evidence[SIGNAL], rejected=True)


class JoinedDecoderStream:
    """Evidence from several streams; a function of their samples, stamps and gaps, and of the master's, only.

    Parameters
    ----------
    streams : by role, that of the master is ``"signal"``.
    combination : of their evidence.
    critical : roles without whose valid evidence nothing is valid.
    classes : of the joint evidence.

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
    ) -> None:
        self._master = streams[SIGNAL]
        self._others = {role: stream for role, stream in streams.items() if role != SIGNAL}
        self._aligned = {
            role: AlignedStream(self._master.fs, n_channels=stream.n_channels)
            for role, stream in self._others.items()
        }
        self._combination, self._critical, self.classes = combination, critical, classes
        self.hop, self.window = self._master.hop, self._master.window

    @property
    def remembers(self) -> bool:
        """Whether evidence of any of the streams rests on more than its own window."""
        return self._master.remembers or any(stream.remembers for stream in self._others.values())

    def join(self, chunk: Chunk) -> None:
        """Samples of another stream; those of a role that is not decoded are left out."""
        if chunk.stream not in self._aligned:
            return
        if chunk.samples.shape[1:] != (self._others[chunk.stream].n_channels,):
            raise BadSignal(
                f"the decoder takes {self._others[chunk.stream].n_channels} channels of {chunk.stream}, got "
                f"{chunk.samples.shape[1]}; use the montage of the calibration"
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

    def reset(self) -> None:
        """A gap of the master follows; the other streams have none."""
        self._master.reset()

    def evidence(self, end: int) -> Evidence:
        """Evidence about the moment of the master's sample before ``end``.

        Raises
        ------
        BadValue
            When the master's window has left the history or is still to come.
        """
        each = {SIGNAL: self._master.evidence(end)}
        for role, stream in self._others.items():
            each[role] = self._evidence_of(stream, *self._aligned[role].at(end), end=end)
        if all(each[role].valid for role in self._critical):
            return self._combination.combine(each)
        return self._nothing(end)

    def _evidence_of(self, stream: DecoderStream, taken: int, present: bool, *, end: int) -> Evidence:  # noqa: FBT001
        if not present or not stream.has_window(taken):
            return Evidence(end, tuple([1.0 / len(stream.classes)] * len(stream.classes)), valid=False)
        return replace(stream.evidence(taken), end=end)

    def _nothing(self, end: int) -> Evidence:
        return Evidence(end, tuple([1.0 / len(self.classes)] * len(self.classes)), valid=False)
