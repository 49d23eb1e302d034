"""Raw LSL stamps → corrected stamps. Causal, sample by sample, the same bits for any chunking.

Jitter is not loss: a stamp that comes late and is followed by an equal step back is jitter. A difference that
stays is a loss (or, earlier than expected, a clock that was set back). See
:func:`workbench.kernels.timing.follow`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from workbench.errors import BadValue
from workbench.kernels.timing import AGE, KNOWN, LOST, PERIOD, dejitter, follow, tally
from workbench.messages import Message
from workbench.vocabulary import FloatArray, StreamSpec

TIME_CONSTANT_S = 1.0
"""Time constant in s of the loop that removes jitter."""

PERIOD_RANGE = 0.05
"""The measured period may differ from the nominal one by this share."""

CONFIRM_S = 1.0
"""How long a difference has to stay before it is a loss or a jump of the clock, s of stream time."""

RULE = 2
"""The rule of new recordings. Rule 1, of recordings that name none, took every difference above the tolerance for
a gap at once; those recordings are always read by it."""

_JITTER_EDGES_S = np.concatenate([[0.0], 1e-5 * np.cumprod(np.full(146, 1.1))])
"""Edges of the histogram of jitter, s: from 10 µs to 10 s in steps of 10 %."""


@dataclass(frozen=True, slots=True)
class Jitter:
    """How far stamps lie from the smooth time base, s: ``n`` stamps, median, 95th percentile and largest.

    Percentiles are upper bounds read from a histogram with steps of 10 %.
    """

    n: int = 0
    median_s: float = 0.0
    p95_s: float = 0.0
    max_s: float = 0.0


class Timebase:
    """Adds the measured clock offset to raw stamps, removes their jitter, and finds gaps and clock jumps.

    Parameters
    ----------
    fs : nominal rate in Hz.
    gap_tolerance_s : a stamp that differs from what is expected by less than this is jitter in any case, s; at low
        rates at least half a period. A loss that is shorter is found by a sample counter only.
    jitter_s : longest lateness that may be jitter, s; more is a gap at once.
    rule : 2, or 1 for earlier recordings (see :data:`RULE`).

    Notes
    -----
    A second-order loop follows the stamps; between jumps its output increases strictly. A changed offset is
    followed smoothly up to the tolerance, and is a jump above it. A stamp that is not finite counts as not seen:
    its sample is given the expected time.
    """

    def __init__(
        self, fs: float, *, gap_tolerance_s: float = 0.02, jitter_s: float = 1.0, rule: int = RULE
    ) -> None:
        if not 0 < fs < float("inf"):
            raise BadValue(Message("signal.fs", got=str(fs)))
        if not 0 < gap_tolerance_s < float("inf"):
            raise BadValue(Message("signal.gap_tolerance", got=str(gap_tolerance_s)))
        if not gap_tolerance_s <= jitter_s < float("inf"):
            raise BadValue(Message("signal.jitter", tolerance=f"{gap_tolerance_s:g}", got=str(jitter_s)))
        if rule not in (1, RULE):
            raise BadValue(Message("signal.timebase_rule", rule=RULE, got=repr(rule)))
        period = 1.0 / fs
        # Capped: at a few Hz the loop would otherwise follow every single stamp.
        gain = min(0.25, period / TIME_CONSTANT_S)
        shortest, longest = (1.0 - PERIOD_RANGE) * period, (1.0 + PERIOD_RANGE) * period
        tolerance = max(gap_tolerance_s, 0.5 * period)
        first = max(1, round(fs * TIME_CONSTANT_S))
        confirm = max(8, round(fs * CONFIRM_S))
        # Period gain = phase gain² / 4: critically damped (Gardner, Phaselock Techniques, chapter 2).
        self._constants = np.array(
            [gain, gain * gain / 4.0, tolerance, shortest, longest, max(jitter_s, 4.0 * period), confirm, first]
            + [max(0.05 * tolerance, 0.1 * period)]
        )
        self._loop = np.zeros(15)
        self._loop[PERIOD] = period
        self._old = np.array([0.0, period, 0.0])
        self._previous = float("nan")
        self._fs, self._offset, self._tolerance, self._rule = fs, 0.0, tolerance, rule
        self._counts = np.zeros(len(_JITTER_EDGES_S), dtype=np.int64)
        self._worst = 0.0
        self.not_finite = 0

    @classmethod
    def of_stream(cls, spec: StreamSpec) -> Self:
        """A fresh time base by the contract of a stream."""
        return cls(spec.fs, gap_tolerance_s=spec.gap_tolerance_s, jitter_s=spec.jitter_s)

    @classmethod
    def of_plan(cls, fs: float, described: Mapping[str, Any] | None) -> Self:
        """A fresh time base by what a recording says of it; one that says nothing predates rule 2."""
        if not described:
            return cls(fs, rule=1)
        return cls(
            fs,
            gap_tolerance_s=float(described["gap_tolerance_s"]),
            jitter_s=float(described["jitter_s"]),
            rule=int(described["rule"]),
        )

    @property
    def measured_fs(self) -> float:
        """Rate in Hz as the loop sees it."""
        return float(1.0 / (self._old[1] if self._rule == 1 else self._loop[PERIOD]))

    @property
    def jitter(self) -> Jitter:
        """The jitter of all stamps so far; empty by rule 1."""
        share = self._counts.cumsum()
        n = int(share[-1])
        if n == 0:
            return Jitter()
        # Upper edges; the last bin is open, so its edge is the largest value.
        bins = (int(share.searchsorted(q * n)) + 1 for q in (0.5, 0.95))
        median, p95 = (
            min(float(_JITTER_EDGES_S[upper]), self._worst) if upper < len(_JITTER_EDGES_S) else self._worst
            for upper in bins
        )
        return Jitter(n, median, p95, self._worst)

    def set_offset(self, offset_s: float) -> None:
        """Clock offset in s that is added to every stamp from now on."""
        if not -float("inf") < offset_s < float("inf"):
            raise BadValue(Message("signal.clock_offset", got=str(offset_s)))
        # A known jump needs no confirmation; the loop follows smaller changes smoothly.
        if abs(offset_s - self._offset) > self._tolerance and self._loop[AGE]:
            self._loop[KNOWN] += offset_s - self._offset
        self._offset = float(offset_s)

    def skip(self, seconds: float) -> None:
        """Count samples of ``seconds`` s as missing before the next one, as the device's own counter reports."""
        if self._rule != 1 and self._loop[AGE]:
            self._loop[LOST] += seconds

    def step(self, raw: FloatArray) -> tuple[FloatArray, list[tuple[int, float]]]:
        """Correct stamps.

        Parameters
        ----------
        raw : ``(n,)`` float64, s, as the inlet delivered them.

        Returns
        -------
        stamps : ``(n,)`` float64, s.
        gaps : ``(row, missing_s)`` of each jump: from this row on the stream is later than expected by
            ``missing_s``, or, where that is negative, earlier. A loss is known once it cannot be jitter any more,
            so that up to ``LONGEST_WAIT`` times :data:`CONFIRM_S`, or 8 samples at low rates, may lie between it
            and its row.
        """
        raw = np.ascontiguousarray(raw, dtype=np.float64)
        seen = np.isfinite(raw)
        n_unseen = len(raw) - int(np.count_nonzero(seen))
        self.not_finite += n_unseen
        stamps, missing = np.empty_like(raw), np.empty_like(raw)
        if self._rule == 1:
            jumps = dejitter(self._filled(raw, ~seen), self._offset, self._constants, self._old, stamps, missing)
        else:
            jitter = np.empty_like(raw)
            jumps = follow(raw + self._offset, self._constants, self._loop, stamps, missing, jitter)
            self._worst = max(self._worst, tally(raw, jitter, _JITTER_EDGES_S, self._counts))
        rows = np.flatnonzero(missing).tolist() if jumps else []
        return stamps, [(row, float(missing[row])) for row in rows]

    def _filled(self, raw: FloatArray, unseen: Any) -> FloatArray:
        """Rule 1 takes finite stamps only: one that is not is a period after the one before."""
        raw = raw.copy() if unseen.any() else raw
        for row in np.flatnonzero(unseen).tolist():
            # Row by row: the row before may itself have been filled.
            before = raw[row - 1] if row else self._previous
            raw[row] = before + 1.0 / self._fs if np.isfinite(before) else 0.0
        if len(raw):
            self._previous = float(raw[-1])
        return raw
