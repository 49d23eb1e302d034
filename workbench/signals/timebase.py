"""Raw LSL stamps → corrected stamps. Causal, one sample after the other, the same bits for any chunking."""

from __future__ import annotations

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.kernels.timing import dejitter
from workbench.vocabulary import FloatArray

TIME_CONSTANT_S = 1.0
"""Time constant in s of the loop that removes jitter."""

PERIOD_RANGE = 0.05
"""The measured period may differ from the nominal one by this share."""


class Timebase:
    """Adds the measured clock offset to raw stamps, removes their jitter, and finds gaps and clock jumps.

    Parameters
    ----------
    fs : nominal rate in Hz.
    gap_tolerance_s : a stamp later than expected by more than this is a gap, one that is earlier by more is
        a clock that jumped back, s. At low rates at least half a period.

    Notes
    -----
    A second-order loop follows the stamps; between jumps its output increases strictly. A jump starts a new
    clock segment. A changed offset is followed like any other error of the stamps: a small one smoothly, one
    above the tolerance as a jump.
    """

    def __init__(self, fs: float, *, gap_tolerance_s: float = 0.02) -> None:
        if not 0 < fs < float("inf"):
            raise BadValue(f"fs must be a rate in Hz above 0, got {fs}")
        if not 0 < gap_tolerance_s < float("inf"):
            raise BadValue(f"gap_tolerance_s must be above 0, got {gap_tolerance_s}")
        period = 1.0 / fs
        gain = min(0.25, period / TIME_CONSTANT_S)
        shortest, longest = (1.0 - PERIOD_RANGE) * period, (1.0 + PERIOD_RANGE) * period
        tolerance = max(gap_tolerance_s, 0.5 * period)
        self._constants = np.array([gain, gain * gain / 4.0, tolerance, shortest, longest])
        self._loop = np.array([0.0, period, 0.0])
        self._offset = 0.0

    @property
    def measured_fs(self) -> float:
        """Rate in Hz as the loop sees it."""
        return float(1.0 / self._loop[1])

    def set_offset(self, offset_s: float) -> None:
        """Clock offset in s that is added to every stamp from now on."""
        if not -float("inf") < offset_s < float("inf"):
            raise BadValue(f"a clock offset must be finite, got {offset_s}")
        self._offset = float(offset_s)

    def step(self, raw: FloatArray) -> tuple[FloatArray, list[tuple[int, float]]]:
        """Correct stamps.

        Parameters
        ----------
        raw : ``(n,)`` float64, s, as the inlet delivered them.

        Returns
        -------
        stamps : ``(n,)`` float64, s.
        gaps : ``(row, missing_s)`` of each jump: the row is later than expected by ``missing_s``, or, where
            that is negative, earlier.

        Raises
        ------
        BadSignal
            A stamp that is not finite.
        """
        raw = np.ascontiguousarray(raw, dtype=np.float64)
        if not np.isfinite(raw).all():
            raise BadSignal("a time stamp is not finite; the sender is at fault, restart it")
        stamps, missing = np.empty_like(raw), np.empty_like(raw)
        jumps = dejitter(raw, self._offset, self._constants, self._loop, stamps, missing)
        rows = np.flatnonzero(missing).tolist() if jumps else []
        return stamps, [(row, float(missing[row])) for row in rows]
