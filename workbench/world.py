"""The four doors to the world: time, chance, disk, network.

Engine, control, devices, recording, study, runs and the live wire read no clock, draw no number, write no file
and open no socket but through ``world.clock``, ``world.chance``, ``world.disk`` and ``world.network``; the
architecture test reads the tree for other ways. So the same code runs under a virtual world: :func:`entered` hands
in other doors of the same shape. Files are read directly, because a virtual disk is a folder in which what was
written lies.

Always call ``world.clock.monotonic()``; a door that was imported by itself would stay the real one.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import queue
import secrets
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import zmq


class Clock:
    """Time, and everything that waits for it."""

    def monotonic(self) -> float:
        """Seconds since some moment; never steps, stands still while the computer sleeps (on Linux)."""
        return time.monotonic()

    def monotonic_ns(self) -> int:
        """Like :meth:`monotonic`, in ns."""
        return time.monotonic_ns()

    def boottime(self) -> float:
        """Seconds since the computer started, those asleep among them, where the system tells them."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970, UTC; may step."""
        return time.time()

    def wall_ns(self) -> int:
        """Like :meth:`wall`, in ns."""
        return time.time_ns()

    def now(self) -> datetime:
        """The date and time in UTC, aware of its zone."""
        return datetime.now(UTC)

    def local(self) -> datetime:
        """The date and time on this computer's clock, aware of its zone."""
        return datetime.now().astimezone()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def lock(self) -> threading.Lock:
        """A lock; who holds one may wait for time, as on a disk that hangs."""
        return threading.Lock()

    def rlock(self) -> threading.RLock:
        """A lock that its holder may take again."""
        return threading.RLock()

    def event(self) -> threading.Event:
        """An event that one waits for with a time limit."""
        return threading.Event()

    def condition(self, lock: Any = None) -> threading.Condition:
        """A condition, on ``lock`` where one is given."""
        return threading.Condition(lock)

    def simple_queue(self) -> queue.SimpleQueue[Any]:
        """A queue without limit; putting never waits, not even inside a signal handler."""
        return queue.SimpleQueue()

    def queue(self, maxsize: int = 0) -> queue.Queue[Any]:
        """A queue between threads."""
        return queue.Queue(maxsize)

    def thread(self, body: Callable[[], None], *, name: str, daemon: bool = True) -> threading.Thread:
        """A thread, not started."""
        return threading.Thread(target=body, name=name, daemon=daemon)


class Chance:
    """Numbers that nobody can foretell, and those that a seed foretells."""

    def token_bytes(self, n: int) -> bytes:
        """``n`` random bytes, fit for keys."""
        return secrets.token_bytes(n)

    def token_hex(self, n: int) -> str:
        """``n`` random bytes as ``2 n`` hexadecimal digits."""
        return secrets.token_hex(n)

    def randbits(self, k: int) -> int:
        """A non-negative integer of ``k`` random bits."""
        return secrets.randbits(k)

    def choice(self, values: str) -> str:
        """One character of a text."""
        return secrets.choice(values)

    def generator(self, seed: int | None = None) -> np.random.Generator:
        """A generator (PCG64); the same seed gives the same numbers, None draws one."""
        return np.random.Generator(np.random.PCG64(secrets.randbits(128) if seed is None else seed))


class Disk:
    """Everything that changes a file or a folder. All methods raise OSError when the disk refuses."""

    def open(self, path: Path | str, mode: str = "wb", **more: Any) -> IO[Any]:
        """A file to write; ``mode`` and the rest as :func:`open` takes them."""
        return open(path, mode, **more)

    def descriptor(self, path: Path | str, flags: int, mode: int = 0o600) -> int:
        """A descriptor to write to; ``flags`` as :func:`os.open` takes them."""
        return os.open(path, flags | getattr(os, "O_BINARY", 0), mode)

    def file(self, descriptor: int, mode: str = "wb", **more: Any) -> IO[Any]:
        """The file of a descriptor, which it closes."""
        return os.fdopen(descriptor, mode, **more)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write at the place of the descriptor; how many bytes were taken."""
        return os.write(descriptor, data)

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``; how many bytes were taken."""
        return os.pwrite(descriptor, data, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut or lengthen to ``size`` bytes."""
        os.ftruncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """Return when what was written survives a power cut."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close; a lock on it ends."""
        os.close(descriptor)

    def lock(self, descriptor: int, *, wait: bool = False, shared: bool = False) -> None:
        """Lock the whole file for this process; raises BlockingIOError where another holds it."""
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))

    def unlock(self, descriptor: int) -> None:
        """Release the lock."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    def shared_memory(self, descriptor: int, size: int) -> mmap.mmap:
        """The file as memory that other processes see."""
        return mmap.mmap(descriptor, size)

    def replace(self, source: Path, target: Path) -> None:
        """Rename in one step; what lay at ``target`` is gone."""
        os.replace(source, target)

    def link(self, source: Path, target: Path) -> None:
        """A second name; raises FileExistsError where ``target`` is there."""
        os.link(source, target)

    def unlink(self, path: Path, *, missing_ok: bool = False) -> None:
        """Remove a file."""
        path.unlink(missing_ok=missing_ok)

    def mkdir(self, path: Path, *, mode: int = 0o700, parents: bool = False, exist_ok: bool = False) -> None:
        """Make a folder."""
        path.mkdir(mode, parents=parents, exist_ok=exist_ok)

    def rmtree(self, path: Path) -> None:
        """Remove a folder with all it holds."""
        shutil.rmtree(path)

    def touch(self, path: Path, mode: int = 0o600) -> None:
        """Make a file, or renew its time."""
        path.touch(mode)

    def chmod(self, path: Path, mode: int) -> None:
        """Set who may read and write."""
        path.chmod(mode)

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file's content."""
        shutil.copyfile(source, target)

    def free(self, folder: Path) -> int:
        """Bytes that may still be written."""
        return shutil.disk_usage(folder).free

    def temporary(self, prefix: str) -> Path:
        """A new folder for a short time, for its owner alone."""
        return Path(tempfile.mkdtemp(prefix=prefix))

    def database(self, path: Path | str, **more: Any) -> sqlite3.Connection:
        """A connection to a SQLite file; the rest as :func:`sqlite3.connect` takes it."""
        connection: sqlite3.Connection = sqlite3.connect(path, **more)
        return connection


class Network:
    """Sockets of this computer's own processes. LSL has its door in ``devices``."""

    def context(self) -> zmq.Context[Any]:
        """A context of ZeroMQ, which makes sockets."""
        import zmq  # not where a study is only opened

        return zmq.Context()


clock = Clock()
chance = Chance()
disk = Disk()
network = Network()


@contextlib.contextmanager
def entered(**doors: Any) -> Iterator[None]:
    """Run with other doors, for all threads: ``with world.entered(clock=Virtual(), disk=Torn()):``.

    Raises
    ------
    KeyError
        When a name is no door.
    """
    names = globals()
    before = {name: names[name] for name in doors}
    names.update(doors)
    try:
        yield
    finally:
        names.update(before)
