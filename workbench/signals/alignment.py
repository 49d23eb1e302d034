"""Several decoded streams on one time base: which samples of another stream belong to a sample of the master.

The rule
    The *master* is the decoded stream whose samples count time. The samples of another stream are taken in the
    order in which they were delivered. At the master's sample with the corrected stamp t, those are taken that
    have been delivered, up to the first whose stamp is later than t. The other stream is *present* there if the
    last sample that it has delivered is stamped later than t, so that nothing that belongs to t can come any
    more, and the next sample follows no gap, so that t does not lie in one.

A source delivers, before a sample of the master, the other streams up to a later stamp; where it does not wait for
that, it records a ``"hop_timeout"`` that names how many samples of each stream had been delivered. A stamp is
corrected by clock offset, jitter and the declared delay of its stream, so that which samples are taken depends on
the recording alone, and neither on when they arrived nor on how they were cut into chunks. A sample that is late
is taken at the next sample of the master; what was decided before stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workbench.signals.cues import HISTORY_S
from workbench.vocabulary import Chunk, FloatArray


def taken_by(master: FloatArray, other: FloatArray) -> NDArray[np.int64]:
    """How many samples of another stream are taken by each sample of the master.

    Parameters
    ----------
    master : ``(n,)`` float64, s, corrected stamps of the master.
    other : ``(n_other,)`` float64, s, corrected stamps of the other stream, as far as it has been delivered.
    """
    # The first that is later than t is also the first at which the latest stamp so far is later.
    belonging = np.searchsorted(np.maximum.accumulate(other), master, side="right")
    # What is taken stays taken where the master's stamps go back after a jump of its clock.
    return np.maximum.accumulate(belonging).astype(np.int64)


class AlignedStream:
    """One stream, placed on the sample axis of the master by the rule of this module.

    Parameters
    ----------
    fs : rate of the master in Hz.
    n_channels : of the stream.
    """

    def __init__(self, fs: float, *, n_channels: int) -> None:
        self._keep = round(HISTORY_S * fs) + 1
        self._samples, self._stamps = np.empty((0, n_channels)), np.empty(0)
        self._gaps: list[int] = []
        self._taken, self._last = 0, -np.inf
        # Of the master's last samples, whose first is `_first`: samples taken by then, and whether it was present.
        self._counts, self._present = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
        self._first = 0

    def deliver(self, chunk: Chunk) -> None:
        """Samples came; they wait for the master."""
        if len(chunk.stamps):
            self._samples = np.concatenate([self._samples, chunk.samples])
            self._stamps = np.concatenate([self._stamps, chunk.stamps])
            self._last = float(chunk.stamps[-1])

    def gap(self) -> None:
        """The next sample that is delivered follows a gap."""
        self._gaps.append(self._taken + len(self._stamps))

    def advance(self, stamps: FloatArray) -> Iterator[FloatArray | None]:
        """Take what belongs to the master's next samples.

        Parameters
        ----------
        stamps : ``(n,)`` float64, s, corrected, of the master's next samples.

        Yields
        ------
        ``(n_times, n_channels)`` float64 in order, and None where a gap lies between them.
        """
        counts = self._taken + taken_by(stamps, self._stamps)
        self._remember(counts, (self._last > stamps) & ~np.isin(counts, self._gaps))
        end = int(counts[-1]) if len(counts) else self._taken
        while self._gaps and self._gaps[0] < end:
            yield from self._take(self._gaps.pop(0))
            yield None
        yield from self._take(end)

    def _take(self, end: int) -> Iterator[FloatArray]:
        n = end - self._taken
        if n > 0:
            samples, self._samples, self._stamps = self._samples[:n], self._samples[n:], self._stamps[n:]
            self._taken = end
            yield samples

    def _remember(self, counts: NDArray[np.int64], present: NDArray[np.bool_]) -> None:
        drop = max(0, len(self._counts) - self._keep)
        self._counts = np.concatenate([self._counts[drop:], counts])
        self._present = np.concatenate([self._present[drop:], present])
        self._first += drop

    def at(self, end: int) -> tuple[int, bool]:
        """Samples taken before the master's sample ``end``, and whether the stream was present there.

        Nothing is known of samples that have left the history: no sample, not present.
        """
        row = end - 1 - self._first
        if not 0 <= row < len(self._counts):
            return 0, False
        return int(self._counts[row]), bool(self._present[row])
