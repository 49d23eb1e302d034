"""The source of a live run: raw blocks in, chunks and markers out, each recorded before it takes effect.

Samples wait here until every other critical stream has passed them (the watermark) or a timeout is over; the
order in which things leave is the order in which they are recorded, so that a replay sees the same. Cues of
the engine are presented by sample count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.engine.hop_clock import HopClock
from workbench.paradigms import PlannedCue
from workbench.recording import Corrector
from workbench.signals.counter import SampleCounter
from workbench.signals.timebase import Timebase
from workbench.vocabulary import Chunk, FloatArray, Marker

WATERMARK_S = 0.25
"""How long a sample waits for the other critical streams, s."""


@dataclass(slots=True)
class Block:
    """Raw samples that wait: ``values (n_times, n_channels)`` float64, raw ``stamps``, local time of arrival."""

    values: FloatArray
    stamps: FloatArray
    local: float


class LiveSource:
    """Raw blocks and events of one run, in the order in which they take effect.

    Parameters
    ----------
    fs : rate in Hz. counter : index of the channel that counts samples, None without one.
    timebase : fresh; by default one of the rate. without : places of the channels that are not decoded.
    record : called with each marker when it takes effect, before it is yielded.
    present : called with each cue marker right after it was recorded.
    watermark : corrected stamp in s that every other critical stream has passed; ``inf`` without others.
    clock : local time, s.
    timed_out : called with the stamp when a sample was released without waiting for the other streams.
    hop_clock : of the streams that are decoded beside the signal, None where there are none.
    """

    def __init__(
        self,
        fs: float,
        *,
        record: Callable[[Marker], None],
        present: Callable[[Marker], None],
        watermark: Callable[[], float],
        clock: Callable[[], float],
        timed_out: Callable[[float], None],
        counter: int | None = None,
        timebase: Timebase | None = None,
        without: Sequence[int] = (),
        hop_clock: HopClock | None = None,
    ) -> None:
        self.fs = fs
        removed = tuple(without) or (() if counter is None else (counter,))
        self.corrector = Corrector(timebase or Timebase(fs), without=removed, counted=counter is not None)
        self.hop_clock = hop_clock
        self.newest = 0.0
        self.offset = 0.0
        self._record, self._present, self._watermark = record, present, watermark
        self._clock, self._timed_out = clock, timed_out
        self._counter, self._counts = counter, SampleCounter()
        self._waiting: deque[Block] = deque()
        self._markers: deque[Marker] = deque()
        self._cues: deque[PlannedCue] = deque()
        self._rest = "rest"
        self._shift, self._last_trial, self._final = 0, -1, -1
        self.cue: Marker | None = None
        self.paused = False

    @property
    def seen(self) -> int:
        """Samples delivered."""
        return self.corrector.seen

    # -------------------------------------------------------------------------------- filling
    def samples(self, values: NDArray[Any], stamps: FloatArray, *, local: float) -> None:
        """A block arrived (and is in the journal already).

        Parameters
        ----------
        values : ``(n_times, n_channels)``, µV where they are voltages.
        stamps : ``(n_times,)`` float64, raw, s.
        local : local time of arrival, s.
        """
        self._waiting.append(Block(np.ascontiguousarray(values, dtype=np.float64), stamps, local))

    def correct(self, role: str, offset_s: float, *, stamp: float) -> None:
        """A clock offset was measured; it matters here if a stream of this role is decoded beside the signal.

        Parameters
        ----------
        role : of the stream.
        offset_s : s.
        stamp : now, corrected, s.
        """
        if self.hop_clock is not None and role in self.hop_clock.streams:
            self.hop_clock.set_offset(role, offset_s, stamp=stamp)

    def mark(self, kind: str, *, stamp: float, label: str = "", **detail: Any) -> None:
        """Something happened; it takes effect before the next sample.

        Parameters
        ----------
        kind, label, detail : of the marker.
        stamp : corrected, s.
        """
        self._markers.append(Marker(kind, 0, stamp, label, detail))

    def plan(self, cues: tuple[PlannedCue, ...], *, rest: str = "rest") -> None:
        """The schedule that the engine presents, and its label of rest."""
        self._cues, self._rest = deque(cues), rest

    def pause(self) -> None:
        """Present no cue until :meth:`resume`."""
        self.paused, self.cue = True, None

    def resume(self, *, lead_s: float = 2.0) -> None:
        """Continue with the next trial that has not begun, ``lead_s`` of rest before it."""
        self.paused = False
        while self._cues and self._cues[0].trial <= self._last_trial:
            self._cues.popleft()
        if not self._cues:
            self._final = self.seen
            return
        lead = round(lead_s * self.fs)
        # The rest of the schedule moves as a whole: distances between cues stay as planned.
        self._shift = self.seen + lead - self._due(self._cues[0], 0)
        before = self._cues[0].at_s - lead / self.fs
        self._cues.appendleft(PlannedCue(before, self._rest, lead_s, -1))

    def _due(self, cue: PlannedCue, shift: int) -> int:
        return round(cue.at_s * self.fs) + shift

    def next_cue(self) -> tuple[str, float] | None:
        """Label of the next cue, and stream time until it, s."""
        if self.paused or not self._cues:
            return None
        return self._cues[0].label, (self._due(self._cues[0], self._shift) - self.seen) / self.fs

    def left_s(self) -> float | None:
        """Stream time until the schedule is over, s; None when there is no schedule left."""
        end = self._end()
        return None if end is None else max(0.0, (end - self.seen) / self.fs)

    def _end(self) -> int | None:
        if self._cues:
            last = self._cues[-1]
            return self._due(last, self._shift) + round(last.duration_s * self.fs)
        return self._final if self._final >= 0 else None

    @property
    def complete(self) -> bool:
        """Whether the schedule was presented to its end, and can be decided as far."""
        seen = self.seen if self.hop_clock is None else self.hop_clock.released
        return not self._cues and 0 <= self._final <= seen

    # ------------------------------------------------------------------------------- emptying
    def items(self, *, flush: bool = False) -> Iterator[Chunk | Marker]:
        """What can take effect now; with ``flush``, all of it."""
        signal = self._signal_items(flush=flush)
        return signal if self.hop_clock is None else self.hop_clock.items(signal, flush=flush)

    def _signal_items(self, *, flush: bool) -> Iterator[Chunk | Marker]:
        yield from self._due_markers()
        while (block := self._release(flush=flush)) is not None:
            yield from self._deliver(block)
            yield from self._due_markers()

    def finish(self, *, stamp: float, **detail: Any) -> Iterator[Chunk | Marker]:
        """Everything that waits, and the end."""
        self._cues.clear()
        yield from self.items(flush=True)
        self.mark("end", stamp=stamp, **detail)
        yield from self._due_markers()

    def _due_markers(self) -> Iterator[Marker]:
        while self._markers:
            # Only here is the sample known at which it takes effect: others may still have waited before it.
            marker = replace(self._markers.popleft(), sample=self.seen)
            if marker.kind == "clock_offset":
                self.offset = float(marker.detail["offset_s"])
            if marker.kind == "cue":
                self.cue = marker
            yield from self._through(marker)

    def _through(self, marker: Marker) -> Iterator[Marker]:
        for passed in self.corrector.marker(marker):
            self._record(passed)
            yield passed

    def _release(self, *, flush: bool) -> Block | None:
        """The next block that all critical streams have passed."""
        if not self._waiting:
            return None
        block = self._waiting[0]
        limit = self._watermark()
        # Not `<= limit`: a stamp that is not a number waits for nobody.
        n = len(block.stamps) if flush else int(np.count_nonzero(~(block.stamps + self.offset > limit)))
        if n < len(block.stamps) and self._clock() - block.local > WATERMARK_S:
            # A late decision helps nobody: it is made without the other streams, and the ledger says so.
            self._timed_out(float(block.stamps[-1]) + self.offset)
            n = len(block.stamps)
        if n == 0:
            return None
        if n == len(block.stamps):
            return self._waiting.popleft()
        self._waiting[0] = Block(block.values[n:], block.stamps[n:], block.local)
        return Block(block.values[:n], block.stamps[:n], block.local)

    def _deliver(self, block: Block) -> Iterator[Chunk | Marker]:
        at = 0
        lost = [] if self._counter is None else self._counts.missing(block.values[:, self._counter])
        for row, missing in [*lost, (len(block.stamps), 0)]:
            for item in self.corrector.samples(block.values[at:row], block.stamps[at:row], local=block.local):
                yield from self._chunk(item) if isinstance(item, Chunk) else self._gap(item)
            at = row
            if missing:
                seconds = missing / self.fs
                stamp = float(block.stamps[row]) + self.offset
                stamp = stamp if np.isfinite(stamp) else self.newest
                yield from self._through(
                    Marker("gap", self.seen, stamp, detail={"missing_s": seconds, "samples": missing})
                )

    def _gap(self, marker: Marker) -> Iterator[Marker]:
        self._record(marker)
        yield marker

    def _chunk(self, chunk: Chunk) -> Iterator[Chunk | Marker]:
        """A chunk with the cues that fall into it."""
        at, n = 0, len(chunk.stamps)
        while self._cues and not self.paused:
            row = max(at, self._due(self._cues[0], self._shift) - chunk.first)
            if row >= n:
                break
            if row > at:
                yield _part(chunk, at, row)
                at = row
            yield self._cue(self._cues.popleft(), chunk.first + row, float(chunk.stamps[row]))
        if at < n:
            self.newest = float(chunk.stamps[-1])
            yield _part(chunk, at, n)

    def _cue(self, cue: PlannedCue, sample: int, stamp: float) -> Marker:
        detail = {"trial": cue.trial, "duration_s": cue.duration_s}
        marker = Marker("cue", sample, stamp, cue.label, detail)
        # Recorded before it is shown: a participant never sees a cue that the recording lacks.
        self._record(marker)
        self._present(marker)
        self.cue = marker
        self._last_trial = max(self._last_trial, cue.trial)
        if not self._cues:
            self._final = sample + round(cue.duration_s * self.fs)
        return marker


def _part(chunk: Chunk, start: int, stop: int) -> Chunk:
    if start == 0 and stop == len(chunk.stamps):
        return chunk
    return Chunk(chunk.first + start, chunk.samples[start:stop], chunk.stamps[start:stop], chunk.local)
