"""Doors of a virtual world: a clock stepped by hand, a disk that counts and tears, chance from a seed."""

from __future__ import annotations

import errno
import random
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workbench import world

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


class SteppedClock(world.Clock):
    """Time stands still but for ``now_s += …`` and for sleepers; ``asleep_s`` is the computer's own sleep."""

    def __init__(self, now_s: float = 0.0, *, boot: str = "boot-1") -> None:
        self.now_s, self.asleep_s = now_s, 0.0
        self.boot = boot

    def boot_id(self) -> str:
        return self.boot

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return round(self.now_s * 1e9)

    def boottime(self) -> float:
        return self.now_s + self.asleep_s

    def wall(self) -> float:
        return self.now().timestamp()

    def wall_ns(self) -> int:
        return round(START.timestamp()) * 10**9 + self.monotonic_ns()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.now_s)

    def local(self) -> datetime:
        return self.now()

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class SeededChance(world.Chance):
    """What nobody can foretell, foretold by a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def token_bytes(self, n: int) -> bytes:
        return self._random.randbytes(n)

    def token_hex(self, n: int) -> str:
        return self._random.randbytes(n).hex()

    def randbits(self, k: int) -> int:
        return self._random.getrandbits(k)

    def choice(self, values: str) -> str:
        return self._random.choice(values)


class WatchedDisk(world.Disk):
    """The real disk, which counts what is asked of it, and tears writes or lets databases grow no further.

    Attributes
    ----------
    steps : names of the methods that were called, in order, descriptors and connections aside.
    files : names of the files that were synced.
    databases : names of the SQLite files that were connected to.
    whole : writes that are still taken as a whole; those behind them leave half of their bytes and fail.
    most_pages : pages that a SQLite file may have; None is no limit.
    """

    def __init__(self, *, whole: int | None = None, most_pages: int | None = None) -> None:
        self.steps: list[str] = []
        self.files: set[str] = set()
        self.databases: Counter[str] = Counter()
        self.whole = whole
        self.most_pages = most_pages
        self._names: dict[int, str] = {}

    def descriptor(self, path: Path | str, flags: int, mode: int = 0o600) -> int:
        made = super().descriptor(path, flags, mode)
        self._names[made] = Path(path).name
        return made

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self.steps.append("write")
        if self.whole is None:
            return super().write(descriptor, data)
        if self.whole == 0:
            super().write(descriptor, data[: len(data) // 2])
            raise OSError(errno.EIO, "input/output error")
        self.whole -= 1
        return super().write(descriptor, data)

    def truncate(self, descriptor: int, size: int) -> None:
        self.steps.append("truncate")
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        self.steps.append("sync")
        self.files.add(self._names.get(descriptor, ""))
        super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self.steps.append("replace")
        super().replace(source, target)

    def database(self, path: Path | str, **more: Any) -> sqlite3.Connection:
        self.databases[Path(str(path).partition("?")[0]).name] += 1
        connection = super().database(path, **more)
        if self.most_pages is not None:
            connection.execute(f"PRAGMA max_page_count={self.most_pages}")
        return connection
