"""What is known of each stream of the contract: state, rate, age, clock offset; the watchdog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.devices import lsl
from workbench.live._inlets import Arrival, Offset
from workbench.vocabulary import StreamSpec

LOST_MIN_S = 0.5
"""Shortest silence that counts as a loss, s."""
LOST_CHUNKS = 3.0
"""Chunk intervals without data that count as a loss."""
CLOCK_STEADY_S = 0.005
"""Change between two clock offsets up to which the clock is steady, s."""


@dataclass
class Stream:
    """One stream of the contract. Times are s, local unless said otherwise."""

    spec: StreamSpec
    state: str = "missing"
    gone: bool = False
    message: str = ""
    speed: float = 1.0
    t0: float = 0.0
    dtype: str = "float32"
    last: float = 0.0
    lost_at: float = 0.0
    interval: float = 0.0
    newest: float = 0.0
    offset: float = 0.0
    uncertainty: float = 0.0
    n_offsets: int = 0
    steady: bool = True
    n: int = 0
    _from_stamp: float = 0.0
    _from_n: int = 0
    measured_fs: float = 0.0

    def connected(self, inlet: lsl.Inlet, *, local: float) -> None:
        """An inlet was opened."""
        self.state, self.message, self.last = "good", "; ".join(inlet.notes), local
        self.gone = False
        self.speed, self.t0, self.dtype = inlet.seen.speed, inlet.seen.t0, inlet.seen.dtype

    def arrived(self, arrival: Arrival) -> None:
        """Data came."""
        passed = arrival.local - self.last
        if self.n and passed < 5.0:
            self.interval += 0.1 * (passed - self.interval)
        self.last, self.newest = arrival.local, float(arrival.stamps[-1])
        self.n += len(arrival.stamps)
        span = self.newest - self._from_stamp
        if self._from_n == 0 or span < 0 or span > 30.0:
            self._from_stamp, self._from_n = self.newest, self.n
        elif span > 1.0:
            self.measured_fs = (self.n - self._from_n) / span

    def measured(self, offset: Offset) -> None:
        """A clock offset was measured."""
        found = offset.measured
        self.steady = self.n_offsets == 0 or abs(found.offset - self.offset) < CLOCK_STEADY_S
        self.offset, self.uncertainty = found.offset, found.uncertainty
        self.n_offsets += 1

    @property
    def patience_s(self) -> float:
        """Silence after which the stream counts as lost, s."""
        return max(LOST_MIN_S, LOST_CHUNKS * self.interval)

    def silent(self, local: float) -> bool:
        """Whether a stream that was there has lost its outlet, or is regular and silent for too long."""
        late = self.spec.fs > 0 and local - self.last > self.patience_s
        return self.state == "good" and (self.gone or late)

    def stream_time(self, local: float) -> float:
        """Stream time of a local time."""
        return local if self.speed == 1.0 else self.t0 + (local - self.t0) * self.speed

    def local_time(self, stamp: float) -> float:
        """Local time at which a corrected stamp was due."""
        return stamp if self.speed == 1.0 else self.t0 + (stamp - self.t0) / self.speed

    def status(self, local: float) -> dict[str, Any]:
        """The stream's entry of the status."""
        spec = self.spec
        age = None
        if self.n and spec.fs > 0:
            age = max(0.0, local - self.local_time(self.newest + self.offset))
        elif self.n:
            age = local - self.last
        return {
            "name": spec.name,
            "type": spec.type,
            "role": spec.role,
            "fs": spec.fs,
            "measured_fs": round(self.measured_fs, 3) if self.measured_fs else None,
            "n_channels": max(1, len(spec.channels)),
            "unit": spec.unit if spec.fs > 0 else "",
            "critical": spec.critical,
            "state": self.state,
            "age_s": age,
            "message": self.message,
            "offset_ms": self.offset * 1e3 if self.n_offsets else None,
            "uncertainty_ms": self.uncertainty * 1e3 if self.n_offsets else None,
        }
