"""Where cues lie on the sample axis: a cue's marker bears a stamp, what is cut and decided counts in samples."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from workbench.vocabulary import Chunk, LocatedCue, Marker

HISTORY_S = 3.0
"""How far back a late marker is still placed, in s."""


class SampleAxis:
    """Places LSL stamps on the sample axis, from the stamps of the last ``HISTORY_S`` seconds."""

    def __init__(self, fs: float) -> None:
        self._keep = round(HISTORY_S * fs)
        self._stamps = np.empty(0)
        self._first = 0

    def step(self, chunk: Chunk) -> None:
        """Append the stamps of a chunk."""
        stamps = np.concatenate([self._stamps, chunk.stamps])
        drop = max(0, len(stamps) - self._keep - 1 - len(chunk.stamps))
        self._stamps, self._first = stamps[drop:], self._first + drop

    def gap(self, marker: Marker, *, at: int) -> None:
        """Take in a gap before sample ``at``: after a clock that jumped back, earlier stamps say nothing."""
        if float(marker.detail.get("missing_s", 0.0)) < 0:
            self._stamps, self._first = np.empty(0), at

    def place(self, stamp: float, *, seen: int) -> int | None:
        """First sample at or after ``stamp`` among the ``seen`` samples; None when it is still to come."""
        sample = self._first + int(np.searchsorted(self._stamps, stamp, side="left"))
        return sample if sample < min(seen, self._first + len(self._stamps)) else None

    def too_old(self, stamp: float, *, seen: int) -> bool:
        """Whether ``stamp`` lies before what is remembered at sample ``seen``."""
        oldest = max(seen - self._keep, self._first) - self._first
        return 0 < oldest < len(self._stamps) and stamp < self._stamps[oldest]

    def stamp(self, sample: int) -> float:
        """Stamp of a sample, s."""
        return float(self._stamps[sample - self._first])


class AwaitedCues:
    """Cues whose markers came before their samples.

    Parameters
    ----------
    axis : places them; it is stepped by whoever holds it.
    """

    def __init__(self, axis: SampleAxis) -> None:
        self._axis = axis
        self._markers: list[Marker] = []

    def place(self, marker: Marker, *, seen: int) -> LocatedCue | None:
        """The cue of a marker; None when its sample is not among the ``seen`` yet, and then it is awaited."""
        sample = self._axis.place(marker.stamp, seen=seen)
        if sample is None:
            self._markers.append(marker)
            return None
        return _located(marker, sample)

    def next_sample(self, *, end: int) -> int:
        """First sample of the next awaited cue among those before ``end``, ``end`` when there is none."""
        samples = (self._axis.place(marker.stamp, seen=end) for marker in self._markers)
        return min((sample for sample in samples if sample is not None), default=end)

    def begin(self, *, at: int, end: int) -> list[LocatedCue]:
        """Awaited cues whose first sample is ``at``, no longer awaited; samples before ``end`` have come."""
        upto = min(at + 1, end)
        begun = [marker for marker in self._markers if self._axis.place(marker.stamp, seen=upto) is not None]
        for marker in begun:
            self._markers.remove(marker)
        return [_located(marker, at) for marker in begun]


def _located(marker: Marker, sample: int) -> LocatedCue:
    """A cue marker with its place on the sample axis."""
    detail = marker.detail
    return LocatedCue(
        sample,
        marker.stamp,
        marker.label,
        float(detail.get("duration_s", 0.0)),
        int(detail.get("trial", -1)),
    )


def locate_cues(source: Iterable[Chunk | Marker], *, fs: float) -> tuple[list[LocatedCue], int]:
    """Every cue of a source with its sample, placed as the decode loop places it, and the number of samples.

    Cues that a gap or a pause touched before their end are left out.

    Parameters
    ----------
    source : items in the order in which they took effect.
    fs : rate of the decoded stream in Hz.
    """
    axis = SampleAxis(fs)
    awaited = AwaitedCues(axis)
    cues: list[LocatedCue] = []
    seen = 0
    for item in source:
        if isinstance(item, Chunk):
            axis.step(item)
            last = item.first + len(item.stamps)
            while seen < last:
                seen = awaited.next_sample(end=last)
                cues += awaited.begin(at=seen, end=last)
        elif item.kind == "cue" and not axis.too_old(item.stamp, seen=seen):
            if (cue := awaited.place(item, seen=seen)) is not None:
                cues.append(cue)
        elif item.kind in ("gap", "pause"):
            if cues and seen < cues[-1].sample + cues[-1].duration_s * fs:
                cues.pop()
            if item.kind == "gap":
                axis.gap(item, at=seen)
    return cues, seen
