"""What is known of each stream of the contract: state, unit, rate, jitter, age, clock offset; the watchdog."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.devices import lsl
from workbench.engine.inlets import Arrival
from workbench.live.status import StreamState, StreamStatus
from workbench.messages import Message
from workbench.signals.stamps import Episode, StampMonitor
from workbench.signals.timebase import Jitter, Timebase
from workbench.signals.units import StreamUnits, canonical
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
    state: StreamState = "missing"
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
    uid: str = ""
    seen: lsl.StreamSeen | None = None
    units: StreamUnits = field(default_factory=lambda: StreamUnits((), np.ones(1), "recorded"))
    monitor: StampMonitor | None = None
    timebase: Timebase | None = None

    def connect(self, inlet: lsl.Inlet, *, local: float) -> None:
        """An inlet was opened."""
        self.state, self.last = "good", local
        self.message = Message("engine.notes", notes=inlet.notes) if inlet.notes else ""
        self.gone = False
        self.speed, self.t0, self.dtype = inlet.seen.speed, inlet.seen.t0, inlet.seen.dtype
        self.uid, self.seen, self.units = inlet.seen.uid, inlet.seen, inlet.units
        if self.spec.fs > 0:
            self.monitor = StampMonitor(self.spec.fs, speed=self.speed)
            self.timebase = Timebase.of_stream(self.spec)

    def scale(self, values: Any) -> Any:
        """Samples in µV where they are voltages."""
        return self.units.scale(values)

    @property
    def recording_only(self) -> bool:
        """Whether nobody vouches for its unit: it is recorded, not decoded, and arms nothing."""
        return self.units.source == "waived"

    @property
    def jitter(self) -> Jitter:
        """Of all its stamps since it was connected."""
        return Jitter() if self.timebase is None else self.timebase.jitter

    @property
    def measured_fs(self) -> float:
        """Rate in Hz over the last seconds, 0 while it is not known."""
        return 0.0 if self.monitor is None else self.monitor.measured_fs

    def take(self, arrival: Arrival) -> list[Episode]:
        """Data came; what began or ended to be wrong with its stamps."""
        passed = arrival.local - self.last
        if self.n and passed < 5.0:
            # A running mean over about ten chunks; a pause of seconds is a loss, not an interval.
            self.interval += 0.1 * (passed - self.interval)
        self.last = arrival.local
        if math.isfinite(arrival.stamps[-1]):
            self.newest = float(arrival.stamps[-1])
        self.n += len(arrival.stamps)
        if self.timebase is not None:
            self.timebase.step(arrival.stamps)
        return [] if self.monitor is None else self.monitor.step(arrival.stamps, local=arrival.local)

    def set_offset(self, measured: lsl.ClockOffset) -> None:
        """A clock offset was measured."""
        self.steady = self.n_offsets == 0 or abs(measured.offset - self.offset) < CLOCK_STEADY_S
        self.offset, self.uncertainty = measured.offset, measured.uncertainty
        self.n_offsets += 1

    @property
    def replayed(self) -> bool:
        """Whether its source plays a recording."""
        return self.seen is not None and self.seen.extra.get("device") == "replay"

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

    def status(self, local: float) -> StreamStatus:
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
            "unit": canonical(spec.unit) if spec.fs > 0 else "",
            "unit_announced": self.units.text,
            "unit_source": self.units.source,
            "jitter_ms": self._jitter_ms(),
            "faults": [] if self.monitor is None else [fault.value for fault in self.monitor.open],
            "critical": spec.critical,
            "state": self.state,
            "age_s": age,
            "message": self.message,
            "offset_ms": self.offset * 1e3 if self.n_offsets else None,
            "uncertainty_ms": self.uncertainty * 1e3 if self.n_offsets else None,
        }

    def _jitter_ms(self) -> dict[str, float] | None:
        """Median, 95th percentile and largest jitter in ms, None while there is none."""
        jitter = self.jitter
        if jitter.n == 0:
            return None
        figures = {"median": jitter.median_s, "p95": jitter.p95_s, "max": jitter.max_s}
        return {name: round(value * 1000, 3) for name, value in figures.items()}


class Streams(Mapping[str, Stream]):
    """The streams of a session's contract, by name.

    Parameters
    ----------
    contract : one line a stream.
    signal : name of the stream that is decoded.
    """

    def __init__(self, contract: Sequence[StreamSpec], *, signal: str) -> None:
        self._by_name = {spec.name: Stream(spec) for spec in contract}
        self.signal = self._by_name[signal]

    def __getitem__(self, name: str) -> Stream:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def now(self) -> float:
        """Stream time now, s."""
        return self.signal.stream_time(lsl.local_clock())

    def watermark(self, *, without: Collection[str] = ()) -> float:
        """Corrected stamp that every other critical regular stream has passed, s; ``inf`` without others.

        Those named in ``without`` are waited for by somebody else.
        """
        stamps = [
            s.newest + s.offset
            for s in self.values()
            # A lost stream holds up nobody: the run is paused on its account.
            if s is not self.signal and s.spec.critical and s.spec.fs > 0 and s.state == "good"
            if s.spec.name not in without
        ]
        return min(stamps, default=math.inf)
