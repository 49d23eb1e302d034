"""Streams that are decoded beside the signal: corrected live and in a replay, and put in the order of a live run.

Which samples of another stream belong to which of the signal is the rule of :mod:`workbench.signals.alignment`.
Live, the signal waits for the other streams; where it went on without one, a marker ``"hop_timeout"`` tells up to
which sample (``until``) and how many samples of each stream had been delivered by then (``used``). A replay gives
the other streams as far as each sample of the signal needs them, and in these stretches as far as they were used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from workbench.recording.corrector import Corrector
from workbench.signals.counter import SampleCounter
from workbench.signals.timebase import Timebase
from workbench.vocabulary import Chunk, FloatArray, Marker, StreamSpec

TIMEOUT, OFFSET = "hop_timeout", "stream_offset"
"""Kinds of the markers that a replay needs."""


PIECE = 1024
"""Samples of the signal that a replay gives at once, at most; it changes no bit."""


def rows_of(chunk: Chunk, start: int, stop: int) -> Chunk:
    """Some rows of a chunk.

    Parameters
    ----------
    chunk : with ``n`` samples.
    start, stop : the rows, of 0 to ``n``; ``stop`` is exclusive.
    """
    rows = slice(start, stop)
    return replace(chunk, first=chunk.first + start, samples=chunk.samples[rows], stamps=chunk.stamps[rows])


class OtherStream:
    """One stream beside the signal: raw samples → chunks with corrected stamps, and its gaps.

    Parameters
    ----------
    spec : its line of the contract.
    timebase : fresh; by default that of the contract.

    Samples, offsets and nothing else decide what comes out, in any blocks.
    """

    def __init__(self, spec: StreamSpec, *, timebase: Timebase | None = None) -> None:
        self.spec = spec
        self._corrector = Corrector(
            timebase or Timebase.of_stream(spec), without=spec.without, counted=bool(spec.counter)
        )
        self._place = spec.channels.index(spec.counter) if spec.counter else None
        self._counter = SampleCounter()
        self._newest = 0.0

    @property
    def seen(self) -> int:
        """Samples taken so far."""
        return self._corrector.seen

    def set_offset(self, offset_s: float) -> None:
        """Clock offset, s, of the samples that come from now on."""
        for _ in self._corrector.marker(Marker("clock_offset", self.seen, 0.0, detail={"offset_s": offset_s})):
            continue

    def samples(self, values: FloatArray, stamps: FloatArray, *, local: float = 0.0) -> Iterator[Chunk | Marker]:
        """Chunks, and a gap before the first sample behind it.

        Parameters
        ----------
        values : ``(n_times, n_channels)`` float64, in the unit that is decoded.
        stamps : ``(n_times,)`` float64, s, raw.
        local : local time of arrival, s; 0 in a replay.
        """
        lost = [] if self._place is None else self._counter.missing(values[:, self._place])
        at = 0
        for row, missing in [*lost, (len(stamps), 0)]:
            for item in self._corrector.samples(values[at:row], stamps[at:row], local=local):
                yield self._own(item)
            at = row
            if missing:
                detail = {"missing_s": missing / self.spec.fs, "samples": missing}
                for marker in self._corrector.marker(Marker("gap", self.seen, self._newest, detail=detail)):
                    yield self._own(marker)

    def _own(self, item: Chunk | Marker) -> Chunk | Marker:
        """An item under the stream's role, its stamps without the delay that was declared."""
        if isinstance(item, Marker):
            return replace(item, label=self.spec.role, stamp=item.stamp - self.spec.delay_s)
        stamps = item.stamps - self.spec.delay_s
        self._newest = float(item.stamps[-1])
        return replace(item, stamps=stamps, stream=self.spec.role)


def recorded(
    stream: OtherStream, values: FloatArray, stamps: FloatArray, markers: Iterable[Marker]
) -> list[Chunk | Marker]:
    """A whole recorded stream, corrected with the offsets that took effect while it was recorded.

    Parameters
    ----------
    stream : fresh.
    values : ``(n_times, n_channels)`` float64, in the unit that is decoded.
    stamps : ``(n_times,)`` float64, s, raw.
    markers : of the run.
    """
    items: list[Chunk | Marker] = []
    at = 0
    for marker in markers:
        if marker.kind == OFFSET and marker.label == stream.spec.role:
            stop = int(marker.detail["at"])
            items += stream.samples(values[at:stop], stamps[at:stop])
            stream.set_offset(float(marker.detail["offset_s"]))
            at = max(at, stop)
    return [*items, *stream.samples(values[at:], stamps[at:])]


class _Delivery:
    """Gives one recorded stream as far as it is asked for."""

    def __init__(self, items: Sequence[Chunk | Marker]) -> None:
        self._chunks = [item for item in items if isinstance(item, Chunk)]
        self._gaps = {item.sample: item for item in items if isinstance(item, Marker)}
        stamps = [chunk.stamps for chunk in self._chunks]
        self._stamps: FloatArray = np.concatenate(stamps) if stamps else np.empty(0)
        self._chunk, self._given = 0, 0

    def past(self, stamp: float) -> Iterator[Chunk | Marker]:
        """Up to the first sample that is later than a stamp, all where none is."""
        if self._given and self._stamps[self._given - 1] > stamp:
            return
        later = np.flatnonzero(self._stamps[self._given :] > stamp)
        yield from self.upto(self._given + int(later[0]) + 1 if len(later) else len(self._stamps))

    def upto(self, n: int) -> Iterator[Chunk | Marker]:
        """Up to ``n`` samples in all."""
        n = min(n, len(self._stamps))
        while self._given < n:
            chunk = self._chunks[self._chunk]
            start, stop = self._given - chunk.first, min(n - chunk.first, len(chunk.stamps))
            if self._given in self._gaps:
                yield self._gaps.pop(self._given)
            yield rows_of(chunk, start, stop)
            self._given = chunk.first + stop
            self._chunk += stop == len(chunk.stamps)


def join(
    signal: Iterable[Chunk | Marker], others: Mapping[str, Sequence[Chunk | Marker]], timeouts: Iterable[Marker]
) -> Iterator[Chunk | Marker]:
    """The signal's items with those of the other streams between them, as a live run gave them to be decoded.

    Parameters
    ----------
    signal : chunks and markers of the signal.
    others : of each other stream by its role, see :func:`recorded`.
    timeouts : markers of the kind ``"hop_timeout"``, in their order.
    """
    deliveries = {role: _Delivery(items) for role, items in others.items()}
    stretches = [(m.sample, int(m.detail["until"]), dict(m.detail["streams"])) for m in timeouts]
    at = 0
    for item in signal:
        if isinstance(item, Marker):
            yield item
            continue
        first, last = item.first, item.first + len(item.stamps)
        while first < last:
            while at < len(stretches) and stretches[at][1] <= first:
                at += 1
            begins, ends, streams = stretches[at] if at < len(stretches) else (last, last, {})
            waited = first < begins
            # In pieces, so that no more of the other streams waits than a piece needs.
            stop = min(last, begins if waited else ends, first + PIECE)
            piece = rows_of(item, first - item.first, stop - item.first)
            for role, delivery in deliveries.items():
                if waited:
                    yield from delivery.past(float(piece.stamps.max()))
                else:
                    yield from delivery.upto(int(streams.get(role, {}).get("used", 0)))
            yield piece
            first = stop
    for delivery in deliveries.values():
        yield from delivery.past(np.inf)
