"""When a sample of the signal is decided, where other streams are decoded beside it.

The signal's samples wait until each other stream has delivered a later one, or until a timeout is over; then a
marker is recorded that names what each stream had delivered, and a replay goes by this marker and by no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.recording.other_streams import OFFSET, TIMEOUT, OtherStream, rows_of
from workbench.vocabulary import Chunk, FloatArray, Marker

TIMEOUT_S = 0.1
"""Longest wait of a sample for the other decoded streams after it arrived, s."""


class HopClock:
    """Holds the signal back until the other streams have passed it, for :data:`TIMEOUT_S` at most.

    Parameters
    ----------
    streams : by role, fresh.
    record : called with each marker before what follows from it is given.
    clock : local time, s.
    is_away : whether the stream of a role is known to be lost; it is not waited for.
    timed_out : called with the roles that the signal goes on without, once for each that was there before.
    gap : called with the role and each gap of another stream.
    """

    def __init__(
        self,
        streams: Mapping[str, OtherStream],
        *,
        record: Callable[[Marker], None],
        clock: Callable[[], float],
        is_away: Callable[[str], bool],
        timed_out: Callable[[tuple[str, ...]], None],
        gap: Callable[[str, Marker], None],
    ) -> None:
        self.streams = streams
        self._record, self._clock, self._is_away = record, clock, is_away
        self._timed_out, self._gap = timed_out, gap
        self._offset = dict.fromkeys(streams, 0.0)
        self._used = dict.fromkeys(streams, 0)
        self._last = dict.fromkeys(streams, -np.inf)
        self._came: list[Chunk | Marker] = []
        self._waiting: list[Chunk | Marker] = []
        self._missed: set[str] = set()
        self.released = 0

    def set_offset(self, role: str, offset_s: float, *, stamp: float) -> None:
        """A clock offset of another stream was measured; it is recorded with the sample at which it takes effect.

        Parameters
        ----------
        role : of the stream.
        offset_s : s.
        stamp : now, corrected, s.
        """
        detail = {"at": self.streams[role].seen, "offset_s": offset_s}
        self._record(Marker(OFFSET, self.released, stamp, role, detail))
        self.streams[role].set_offset(offset_s)
        self._offset[role] = offset_s

    def samples(self, role: str, values: NDArray[Any], stamps: FloatArray, *, local: float) -> None:
        """Samples of another stream arrived (and are in the journal already).

        Parameters
        ----------
        role : of the stream.
        values, stamps, local : as :meth:`OtherStream.samples` takes them.
        """
        values = np.ascontiguousarray(values, dtype=np.float64)
        for item in self.streams[role].samples(values, stamps, local=local):
            self._came.append(item)
            if isinstance(item, Marker):
                self._gap(role, item)

    def items(self, signal: Iterable[Chunk | Marker], *, flush: bool = False) -> Iterator[Chunk | Marker]:
        """What can be decoded now of the signal's items and those that wait; with ``flush``, all."""
        self._waiting += signal
        came, self._came = self._came, []
        for item in came:
            if isinstance(item, Chunk) and len(item.stamps):
                self._used[item.stream] += len(item.stamps)
                self._last[item.stream] = float(item.stamps[-1])
            yield item
        while self._waiting:
            item = self._waiting[0]
            if isinstance(item, Marker):
                yield self._waiting.pop(0)
                continue
            n = self._passed(item)
            if n == 0 and not self._goes_on_without(item, flush=flush):
                return
            if n == 0:
                n = len(item.stamps)
                yield self._timeout(item, flush=flush)
            elif n == len(item.stamps):
                self._missed.clear()
            if n < len(item.stamps):
                self._waiting[0] = rows_of(item, n, len(item.stamps))
            else:
                del self._waiting[0]
            self.released = item.first + n
            yield rows_of(item, 0, n)

    def _passed(self, chunk: Chunk) -> int:
        """How many samples of a chunk every other stream has passed."""
        ahead = chunk.stamps < min(self._last.values())
        # The first that is not, as stamps may go back after a jump of the clock.
        return len(ahead) if ahead.all() else int(np.argmin(ahead))

    def _absent(self, chunk: Chunk) -> tuple[str, ...]:
        """Roles that have not passed the first sample of a chunk."""
        return tuple(role for role, last in self._last.items() if not last > chunk.stamps[0])

    def _goes_on_without(self, chunk: Chunk, *, flush: bool) -> bool:
        late = self._clock() - chunk.local > TIMEOUT_S
        return flush or late or all(self._is_away(role) for role in self._absent(chunk))

    def _timeout(self, chunk: Chunk, *, flush: bool) -> Marker:
        absent = self._absent(chunk)
        streams = {
            role: {
                "stream": stream.spec.name,
                "used": self._used[role],
                "last": self._last[role] if self._used[role] else None,
                "offset_s": self._offset[role],
                "absent": role in absent,
            }
            for role, stream in self.streams.items()
        }
        detail = {"until": chunk.first + len(chunk.stamps), "streams": streams}
        marker = Marker(TIMEOUT, chunk.first, float(chunk.stamps[0]), detail=detail)
        # Recorded first: a replay knows of it by this entry alone.
        self._record(marker)
        if not flush and (fresh := tuple(role for role in absent if role not in self._missed)):
            self._missed |= set(fresh)
            self._timed_out(fresh)
        return marker
