"""Raw samples and recorded events → what the decode loop takes, live and in a replay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from workbench.vocabulary import Chunk, FloatArray, Marker

if TYPE_CHECKING:
    from workbench.signals.timebase import Timebase


class Corrector:
    """Turns raw samples and recorded events into what the decode loop takes, live and in a replay.

    Parameters
    ----------
    timebase : fresh ``workbench.signals.Timebase`` of the signal stream.
    without : indices of channels that are recorded and not decoded.
    counted : whether the device counts its samples; then stamps show only a jump of the clock, never a gap.
    """

    def __init__(self, timebase: Timebase, *, without: Sequence[int] = (), counted: bool = False) -> None:
        self._timebase, self._without, self._counted = timebase, list(without), counted
        self._gap_at = -1
        self.seen = 0

    @classmethod
    def of_rate(cls, fs: float, *, without: Sequence[int] = ()) -> Self:
        """A corrector with a fresh time base for ``fs`` Hz."""
        from workbench.signals.timebase import Timebase as Fresh

        return cls(Fresh(fs), without=without)

    @property
    def timebase(self) -> Timebase:
        """The time base, for its figures of jitter."""
        return self._timebase

    def samples(self, values: FloatArray, stamps: FloatArray, *, local: float = 0.0) -> Iterator[Chunk | Marker]:
        """Correct the stamps; a gap in them becomes a marker before the first sample behind it.

        Parameters
        ----------
        values : ``(n_times, n_channels)`` float64, unit of the stream.
        stamps : ``(n_times,)`` float64, s, raw.
        local : s, ``local_clock()`` at reception; 0 in a replay.
        """
        corrected, gaps = self._timebase.step(stamps)
        if self._without:
            values = np.delete(values, self._without, axis=1)
        at = 0
        for row, missing in [*gaps, (len(stamps), 0.0)]:
            if row > at:
                yield Chunk(self.seen, values[at:row], corrected[at:row], local)
                self.seen += row - at
                at = row
            # One gap is reported once: the counter of the device may have reported the one at this sample before.
            if row < len(stamps) and self._gap_at != self.seen:
                self._gap_at = self.seen
                detail = {"missing_s": float(missing), **({"cause": "clock"} if self._counted else {})}
                yield Marker("gap", self.seen, float(corrected[row]), detail=detail)

    def marker(self, marker: Marker) -> Iterator[Marker]:
        """Pass an event on; a ``clock_offset`` with ``offset_s`` changes the correction from here on."""
        if marker.kind == "clock_offset" and "offset_s" in marker.detail:
            self._timebase.set_offset(float(marker.detail["offset_s"]))
        if marker.kind == "gap":
            if self._gap_at == self.seen:
                return
            self._gap_at = self.seen
            # Samples that the counter shows as lost move the expected stamp of the next one.
            if "samples" in marker.detail:
                self._timebase.skip(float(marker.detail["missing_s"]))
        yield marker
