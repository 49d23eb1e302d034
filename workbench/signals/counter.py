"""Samples that the device's own counter shows as missing. Row by row: the same for any chunking."""

from __future__ import annotations

import numpy as np

from workbench.vocabulary import FloatArray

SIZES = (2.0**8, 2.0**16, 2.0**24, 2.0**32)
"""Numbers of values after which counters of devices begin again."""


class SampleCounter:
    """Follows the counter channel of one stream."""

    def __init__(self) -> None:
        self._count, self._largest = float("nan"), 0.0

    def missing(self, counts: FloatArray) -> list[tuple[int, int]]:
        """``(row, samples)`` missing before a row; negative where the counter went back.

        Parameters
        ----------
        counts : ``(n_times,)`` float64, the channel as it arrived. A count that is not finite says nothing, and
            its sample is counted as one.
        """
        if not len(counts):
            return []
        before = np.concatenate([[self._count], counts[:-1]])
        if not np.isfinite(before).all():
            before = self._filled(before, first=float(counts[0]))
        known = np.isfinite(counts)
        steps = np.where(known & np.isfinite(before), counts - before - 1.0, 0.0)
        largest = np.maximum.accumulate(np.concatenate([[self._largest], np.where(known, counts, 0.0)]))[1:]
        self._count, self._largest = float(counts[-1] if known[-1] else before[-1] + 1.0), float(largest[-1])
        # A counter of so many bits begins again at 0: a step back by nearly all of its values is one forward.
        at = np.searchsorted(SIZES, largest, side="right")
        size = np.array([*SIZES, np.inf])[at]
        wrapped = steps < -0.5 * size
        steps[wrapped] += size[wrapped]
        return [(row, int(steps[row])) for row in np.flatnonzero(steps != 0).tolist()]

    @staticmethod
    def _filled(before: FloatArray, *, first: float) -> FloatArray:
        """Counts before each row, where one that is not finite is one more than the count before it."""
        before = before.copy()
        if not np.isfinite(before[0]):
            before[0] = first - 1.0
        # Row by row: the row before may itself have been filled.
        for row in np.flatnonzero(~np.isfinite(before)).tolist():
            before[row] = before[row - 1] + 1.0 if row else before[row]
        return before
