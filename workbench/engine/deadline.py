"""Deadline monitor and latency: BCI2000's rule, and acquire → decide → emit in percentiles.

A hop that took over 75 % of its time is a warning; one over 100 % is an overrun, and repeated overruns end the
run. Where the stream runs faster than real time, the rule only warns and the latency is not representative.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

import numpy as np

from workbench.live.latency import Percentiles, percentiles
from workbench.live.status import LatencyStatus

WARN, OVER = 0.75, 1.0
REPEATED = 10
"""Overruns within :data:`SPAN_S` that end a run."""
SPAN_S = 2.0


DeadlineVerdict = Literal["", "warning", "overrun", "repeated"]
"""What a hop's time means; see :meth:`Deadline.hop`."""


class Deadline:
    """Time of each hop of one run.

    Parameters
    ----------
    hop_s : stream time between decisions, s. speed : stream seconds per second.
    """

    def __init__(self, *, hop_s: float, speed: float) -> None:
        self.budget_s, self.representative = hop_s / speed, speed == 1.0
        self.warnings = self.overruns = 0
        self._over: deque[float] = deque()

    def hop(self, duration_s: float, *, local: float) -> DeadlineVerdict:
        """Note one hop; ``""``, ``"warning"``, ``"overrun"``, or ``"repeated"`` when the run must end."""
        share = duration_s / self.budget_s
        while self._over and local - self._over[0] > SPAN_S:
            self._over.popleft()
        if share <= WARN:
            return ""
        self.warnings += 1
        if share <= OVER:
            return "warning"
        self.overruns += 1
        self._over.append(local)
        return "repeated" if self.representative and len(self._over) >= REPEATED else "overrun"


class Latency:
    """Acquire → emit of the newest decisions, for the screen; the record is computed from the recording."""

    def __init__(self, *, representative: bool) -> None:
        self._values: deque[float] = deque(maxlen=4000)
        self._representative = representative
        self.n = 0
        self._shown: tuple[int, Percentiles] = (0, percentiles(np.array([])))

    def add(self, seconds: float) -> None:
        """One decision."""
        self.n += 1
        self._values.append(seconds)

    def status(self) -> LatencyStatus:
        """Percentiles in ms."""
        # The status is composed many times between two decisions, and after the last one.
        if self._shown[0] != self.n:
            self._shown = (self.n, percentiles(np.array(self._values)))
        return {**self._shown[1], "n": self.n, "representative": self._representative}
