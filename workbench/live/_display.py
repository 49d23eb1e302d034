"""Signals for the screen: a memory-mapped ring of samples that readers never block.

The file (mode 0600) holds a header of 64 KiB, then ``(capacity, n_channels)`` float32 samples and
``(capacity,)`` float64 stamps. Two counters make a torn read impossible to miss: ``claimed`` is raised before
rows are overwritten, ``written`` after they are whole; a reader drops rows that were claimed meanwhile.
For showing only: nothing is decoded from it, and the recording never passes through it.
"""

from __future__ import annotations

import json
import math
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import world
from workbench.errors import EngineFault
from workbench.messages import Message
from workbench.vocabulary import FloatArray

MAGIC = b"WBLIVE03"
HEADER = 65536
"""Bytes, which hold the names of thousands of channels."""
SECONDS = 30.0
"""How much the ring holds, s."""
MAX_BYTES = 128_000_000

_CLAIMED, _STAMP, _LENGTH = 8, 24, 48
_TEXT = 64


@dataclass(frozen=True, slots=True)
class SignalBlock:
    """New samples for a screen.

    Attributes
    ----------
    first : running number of the first row since the engine connected; a hole before it was overwritten.
    fs : rate in Hz of the stream. names : channel names.
    data : ``(n_times, n_channels)`` float32, unit of the stream.
    newest_stamp : corrected LSL time in s of the newest sample, 0 when none came yet.
    age_s : real seconds since that sample was taken, None when none came yet.
    unit : of the samples.
    """

    first: int
    fs: float
    names: tuple[str, ...]
    data: NDArray[np.float32]
    newest_stamp: float
    age_s: float | None
    unit: str = "uV"


class DisplayWriter:
    """The engine's side. One writer.

    Parameters
    ----------
    path : of the file; an older one is replaced.
    names, fs, unit : of the stream.
    speed, t0 : stream time = ``t0 + (local − t0) · speed``; a reader computes data age with them.
    lead_s : LSL's clock less the monotonic clock of this computer, s: a reader needs no LSL to know the time.
    """

    def __init__(
        self,
        path: Path,
        *,
        names: tuple[str, ...],
        fs: float,
        unit: str,
        speed: float = 1.0,
        t0: float = 0.0,
        lead_s: float = 0.0,
    ) -> None:
        n = len(names)
        self.capacity = max(1024, min(round(SECONDS * fs), MAX_BYTES // (4 * n + 8)))
        text = json.dumps(
            {
                "names": names,
                "fs": fs,
                "unit": unit,
                "capacity": self.capacity,
                "speed": speed,
                "t0": t0,
                "lead_s": lead_s,
            }
        ).encode("utf-8")
        size = HEADER + self.capacity * (4 * n + 8) + 8
        if _TEXT + len(text) > HEADER:
            raise EngineFault(Message("live.names_too_long", n=n, size=len(text), most=HEADER))
        part = path.with_name(f"{path.name}.part")
        world.disk.unlink(part, missing_ok=True)
        descriptor = world.disk.descriptor(part, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            world.disk.truncate(descriptor, size)
            self._map = world.disk.shared_memory(descriptor, size)
        finally:
            world.disk.close(descriptor)
        self._counters, self._times, self._samples, self._stamps = _views(self._map, self.capacity, n)
        self._map[_TEXT : _TEXT + len(text)] = text
        self._map[_LENGTH : _LENGTH + 8] = len(text).to_bytes(8, "little")
        # The magic and the name come last, so that no reader opens half a file.
        self._map[0:8] = MAGIC
        world.disk.replace(part, path)
        self.written = 0

    def write(self, values: NDArray[Any], stamps: FloatArray, *, local: float) -> None:
        """Append rows; of more than the ring holds, the newest.

        Parameters
        ----------
        values : ``(n_times, n_channels)``, unit of the stream. stamps : ``(n_times,)`` float64, s, corrected.
        local : local time of arrival, s.
        """
        n = len(stamps)
        if n == 0:
            return
        total = self.written + n
        keep = min(n, self.capacity)
        # Claimed before the first row is overwritten: a reader that copies meanwhile sees it and drops those rows.
        self._counters[0] = total
        at = (total - keep) % self.capacity
        head = min(keep, self.capacity - at)
        start = n - keep
        self._samples[at : at + head] = values[start : start + head]
        self._stamps[at : at + head] = stamps[start : start + head]
        if keep > head:
            self._samples[: keep - head] = values[start + head :]
            self._stamps[: keep - head] = stamps[start + head :]
        self._times[0] = stamps[-1]
        self._times[1] = local
        self.written = total
        # Last: from here the rows are whole.
        self._counters[1] = total

    def close(self) -> None:
        """Release the file; readers keep what they mapped."""
        del self._counters, self._times, self._samples, self._stamps
        self._map.close()


class DisplayReader:
    """A client's side; any number, none of them seen by the writer."""

    def __init__(self, path: Path) -> None:
        try:
            descriptor = world.disk.descriptor(path, os.O_RDONLY)
        except OSError as error:
            raise EngineFault(Message("live.no_signals")) from error
        try:
            self.inode = os.fstat(descriptor).st_ino
            self._map = world.disk.shared_memory(descriptor, read_only=True)
        except ValueError as error:
            raise EngineFault(Message("live.no_signals")) from error
        finally:
            world.disk.close(descriptor)
        if self._map[0:8] != MAGIC:
            raise EngineFault(Message("live.other_display", file=path.name))
        length = int.from_bytes(self._map[_LENGTH : _LENGTH + 8], "little")
        about = json.loads(self._map[_TEXT : _TEXT + length])
        self.names = tuple(str(name) for name in about["names"])
        self.fs, self.unit = float(about["fs"]), str(about["unit"])
        self.capacity = int(about["capacity"])
        self.speed, self.t0 = float(about["speed"]), float(about["t0"])
        self.lead_s = float(about["lead_s"])
        self._counters, self._times, self._samples, self._stamps = _views(
            self._map, self.capacity, len(self.names)
        )

    def local_clock(self) -> float:
        """LSL's clock of this computer, s."""
        return world.clock.monotonic() + self.lead_s

    def read(self, since: int, *, max_seconds: float, now: float) -> SignalBlock:
        """Rows from a number on, at most the newest ones.

        Parameters
        ----------
        since : number of the first row that is wanted; one beyond what exists (a new engine) starts over.
        max_seconds : of the newest rows, s.
        now : :meth:`local_clock`, s.
        """
        written = int(self._counters[1])
        first = 0 if since > written or since < 0 else since
        first = max(first, written - self.capacity, written - math.ceil(max_seconds * self.fs))
        at = first % self.capacity
        n = written - first
        head = min(n, self.capacity - at)
        data = np.empty((n, len(self.names)), np.float32)
        data[:head] = self._samples[at : at + head]
        data[head:] = self._samples[: n - head]
        # Read after the copy: rows that were claimed while it was made may be torn.
        lost = max(0, int(self._counters[0]) - self.capacity - first)
        stamp = float(self._times[0])
        age = None
        if written:
            due = self.t0 + (stamp - self.t0) / self.speed if self.speed != 1.0 else stamp
            age = max(0.0, now - due)
        return SignalBlock(
            first + min(lost, n), self.fs, self.names, np.ascontiguousarray(data[lost:]), stamp, age, self.unit
        )

    def close(self) -> None:
        """Release the file."""
        del self._counters, self._times, self._samples, self._stamps
        self._map.close()


def _views(
    data: mmap.mmap, capacity: int, n_channels: int
) -> tuple[NDArray[np.uint64], FloatArray, NDArray[np.float32], FloatArray]:
    """Counters (claimed, written), times (newest stamp, its arrival), samples, stamps."""
    counters = np.frombuffer(data, np.uint64, 2, _CLAIMED)
    times = np.frombuffer(data, np.float64, 2, _STAMP)
    samples = np.frombuffer(data, np.float32, capacity * n_channels, HEADER).reshape(capacity, n_channels)
    at = HEADER + 4 * capacity * n_channels
    # float64 values are aligned to 8 bytes.
    at += -at % 8
    stamps = np.frombuffer(data, np.float64, capacity, at)
    return counters, times, samples, stamps
