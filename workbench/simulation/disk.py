"""The disk of a virtual world: a folder in memory, whose writes wait, fail, tear, and are lost with the power.

What was written and not synced survives a power loss up to a drawn write of each file, and up to a drawn entry of
each folder; what was synced survives whole (fsync(2): a file's bytes and its folder's entries are synced apart).
SQLite's own file keeps what SQLite promises; its statements fail as a disk fails. What is written through a file
object of :meth:`VirtualDisk.open` (logs of players) counts as synced.
"""

from __future__ import annotations

import errno
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from workbench.simulation.scheduler import NS, Killed, Process, Scheduler
from workbench.world import Disk

Before = Callable[[str, str], None]
"""Called before each change with what it is and the path; it may raise OSError, or wait."""
WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "COMMIT")
"""Statements of SQL that write."""


WRITEBACK_NS = 30 * NS
"""After this a system has written back by itself what nobody synced, ns (``vm.dirty_expire_centisecs``)."""
FAULTS = {"full": errno.ENOSPC, "failing": errno.EIO, "read-only": errno.EROFS, "locked": errno.EAGAIN}
"""How a disk may fail, and the number of the error."""
USUAL_BUSY_S, LOOKS_AGAIN_S = 5.0, 0.01
"""How long SQLite waits for a lock where it is told nothing, and after which time it looks again, s."""
MOST = 1000
"""Changes that are remembered before those that are written back are forgotten."""


@dataclass
class _Changes:
    """Unsynced changes, the oldest first: world time in ns, the file, and how each is undone.

    Attributes
    ----------
    path : of a file whose bytes they are, or of a folder whose entries they are.
    """

    path: Path
    made: list[tuple[int, str, Callable[[], None]]] = field(default_factory=list)

    def add(self, now_ns: int, path: str, undo: Callable[[], None]) -> None:
        """One more."""
        if len(self.made) > MOST:
            self.made = self.recent(now_ns)
        self.made.append((now_ns, path, undo))

    def recent(self, now_ns: int) -> list[tuple[int, str, Callable[[], None]]]:
        """Those that no system has written back by itself yet."""
        return [one for one in self.made if now_ns - one[0] < WRITEBACK_NS]


class _Opened(NamedTuple):
    """A descriptor: its file as it was named when it was opened, as path and text, and whether it appends."""

    path: Path
    name: str
    appends: bool


class VirtualDisk(Disk):
    """A disk.

    Parameters
    ----------
    scheduler : of the world.
    wall_ns : the calendar clock of whoever writes, ns since 1970.
    before : see :data:`Before`.

    Attributes
    ----------
    tears : draws how much of a write is taken where the disk tears writes; None takes all.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        wall_ns: Callable[[], int],
        before: Before = lambda what, path: None,
    ) -> None:
        self._scheduler, self._wall_ns = scheduler, wall_ns
        self.before = before
        self.free_bytes = 10**12
        self.tears: random.Random | None = None
        self._opened: dict[int, _Opened] = {}
        self._held: dict[int, set[int]] = {}
        # Bytes by device and inode, because a file may get another name meanwhile; entries by folder.
        self._bytes: dict[tuple[int, int], _Changes] = {}
        self._entries: dict[str, _Changes] = {}

    def _enter(self, what: str, path: object) -> None:
        thread = self._scheduler.current
        if thread is None:
            return
        if not thread.process.alive:
            raise Killed
        self.before(what, str(path))
        if not thread.process.alive:
            raise Killed

    def _hold(self, descriptor: int, path: Path | str, *, appends: bool = False) -> None:
        self._opened[descriptor] = _Opened(Path(path), str(path), appends)
        thread = self._scheduler.current
        if thread is None:
            return
        process = thread.process
        if process.pid not in self._held:
            self._held[process.pid] = set()
            process.on_end.append(lambda: self._drop(process))
        self._held[process.pid].add(descriptor)

    def _drop(self, process: Process) -> None:
        """The system closes what a process held; what its buffers held is gone."""
        for descriptor in self._held.pop(process.pid, ()):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, descriptor)
            os.close(nothing)

    # ---------------------------------------------------------------------------- what is unsynced
    def _name(self, descriptor: int) -> str:
        opened = self._opened.get(descriptor)
        return "" if opened is None else opened.name

    def _byte_change(self, opened: _Opened, stat: os.stat_result, offset: int, n: int) -> None:
        """``n`` bytes from ``offset`` on of a file are about to change, or to be cut off; ``stat`` is as it is."""
        key, size, path = (stat.st_dev, stat.st_ino), stat.st_size, opened.path
        # Appended bytes are undone by cutting; the usual case reads nothing.
        before = _read(path, offset, min(n, size - offset)) if offset < size else b""
        changes = self._bytes.get(key)
        if changes is None:
            changes = self._bytes[key] = _Changes(path)
        changes.add(self._scheduler.now, opened.name, partial(_restore, key, path, offset, before, size))

    def _entry_change(self, path: Path, undo: Callable[[], None]) -> None:
        """An entry of a folder is about to come, go, or be another file."""
        changes = self._entries.setdefault(str(path.parent), _Changes(path.parent))
        changes.add(self._scheduler.now, str(path), undo)

    def unsynced_s(self, suffix: str) -> tuple[float, float]:
        """Of files with this ending, s: how long the oldest unsynced change waits, and what one file can lose.

        The second is the time from a file's first unsynced change to its last: what is written to no more can wait
        for long after a sync that failed, and loses no more for it.
        """
        now, made = self._scheduler.now, dict[str, list[int]]()
        for changes in (*self._bytes.values(), *self._entries.values()):
            for at, path, _ in changes.recent(now):
                if path.endswith(suffix):
                    made.setdefault(path, []).append(at)
        waits = max((now - min(times) for times in made.values()), default=0)
        return waits / NS, max((max(times) - min(times) for times in made.values()), default=0) / NS

    def lose_power(self, draw: random.Random) -> int:
        """Lose a drawn part of what was not synced; returns how many changes were not."""
        n = 0
        for unsynced in (*self._bytes.values(), *self._entries.values()):
            recent = unsynced.recent(self._scheduler.now)
            n += len(recent)
            for *_, undo in reversed(recent[draw.randint(0, len(recent)) :]):
                undo()
        self._bytes.clear()
        self._entries.clear()
        return n

    # ------------------------------------------------------------------------------------- files
    def open(self, path: Path | str, mode: str = "wb", **more: Any) -> IO[Any]:
        self._enter("open", path)
        self._comes(Path(path))
        file = super().open(path, mode, **more)
        self._hold(file.fileno(), path)
        return file

    def descriptor(self, path: Path | str, flags: int, mode: int = 0o600) -> int:
        if flags & (os.O_CREAT | os.O_TRUNC):
            self._enter("open", path)
        if flags & os.O_CREAT:
            self._comes(Path(path))
        descriptor = super().descriptor(path, flags, mode)
        self._hold(descriptor, path, appends=bool(flags & os.O_APPEND))
        return descriptor

    def _comes(self, path: Path) -> None:
        """A file is about to be there, if it is not yet."""
        if not path.exists():
            self._entry_change(path, partial(path.unlink, missing_ok=True))

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        opened = self._opened.get(descriptor)
        self._enter("write", "" if opened is None else opened.name)
        if self.tears is not None and len(data) > 1:
            data = data[: self.tears.randint(1, len(data))]
        if opened is not None:
            stat = os.fstat(descriptor)
            at = stat.st_size if opened.appends else os.lseek(descriptor, 0, os.SEEK_CUR)
            self._byte_change(opened, stat, at, len(data))
        return os.write(descriptor, data)

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        opened = self._opened[descriptor]
        self._enter("write", opened.name)
        self._byte_change(opened, os.fstat(descriptor), offset, len(data))
        return super().pwrite(descriptor, data, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        opened = self._opened[descriptor]
        self._enter("truncate", opened.name)
        stat = os.fstat(descriptor)
        self._byte_change(opened, stat, min(size, stat.st_size), max(0, stat.st_size - size))
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        path = self._name(descriptor)
        self._enter("sync", path)
        stat = os.fstat(descriptor)
        self._bytes.pop((stat.st_dev, stat.st_ino), None)
        self._entries.pop(path, None)

    def close(self, descriptor: int) -> None:
        self._opened.pop(descriptor, None)
        for held in self._held.values():
            held.discard(descriptor)
        super().close(descriptor)

    def lock(self, descriptor: int, *, wait: bool = False, shared: bool = False) -> None:
        while True:
            try:
                super().lock(descriptor, shared=shared)
                return
            except BlockingIOError:
                if not wait:
                    raise
                self._scheduler.wait(None, 0.01)

    # ----------------------------------------------------------------------------------- entries
    def touch(self, path: Path, mode: int = 0o600, *, exist_ok: bool = True) -> None:
        self._enter("touch", path)
        # A heartbeat touches a file that is there, four times a second.
        if exist_ok:
            with suppress(FileNotFoundError):
                self._stamp(path)
                return
        self._comes(path)
        super().touch(path, mode, exist_ok=exist_ok)
        self._stamp(path)

    def _stamp(self, path: Path) -> None:
        """The time of a change is that of the world."""
        now = self._wall_ns()
        os.utime(path, ns=(now, now))

    def replace(self, source: Path, target: Path) -> None:
        self._enter("rename", target)
        before = target.read_bytes() if target.exists() else None

        def undo() -> None:
            if target.exists():
                os.replace(target, source)
            if before is not None:
                _write(target, before)

        super().replace(source, target)
        self._stamp(target)
        self._entry_change(target, undo)

    def link(self, source: Path, target: Path) -> None:
        self._enter("link", target)
        super().link(source, target)
        self._entry_change(target, partial(target.unlink, missing_ok=True))

    def unlink(self, path: Path, *, missing_ok: bool = False) -> None:
        self._enter("unlink", path)
        if path.is_file():
            self._entry_change(path, partial(_write, path, path.read_bytes()))
        super().unlink(path, missing_ok=missing_ok)

    def mkdir(self, path: Path, *, mode: int = 0o700, parents: bool = False, exist_ok: bool = False) -> None:
        self._enter("mkdir", path)
        super().mkdir(path, mode=mode, parents=parents, exist_ok=exist_ok)

    def free(self, folder: Path | str) -> int:
        del folder
        return self.free_bytes

    def database(self, path: Path | str, **more: Any) -> sqlite3.Connection:
        # SQLite would wait for a lock in real time, in which nobody else of this world gets a turn.
        patience_s = more.pop("timeout", USUAL_BUSY_S)
        connection: _Connection = sqlite3.connect(path, **more, timeout=0.0, factory=_Connection)
        connection.before = partial(self._enter, "database", path)
        connection.patience = partial(self._patience, round(patience_s * NS))
        return connection

    def _patience(self, patience_ns: int) -> Iterator[None]:
        """Waits for a lock, each a little, for as long as whoever asks would wait."""
        until = self._scheduler.now + patience_ns
        while self._scheduler.current is not None and self._scheduler.now < until:
            self._scheduler.wait(None, LOOKS_AGAIN_S)
            yield


class _Cursor(sqlite3.Cursor):
    """A cursor whose writing statements fail as its disk does, and which waits for locks in the world's time."""

    connection: _Connection

    def execute(self, sql: str, *parameters: Any) -> Self:
        if sql.lstrip()[:6].upper().startswith(WRITES):
            _fails(self.connection)
        patience = iter(self.connection.patience())
        while True:
            try:
                super().execute(sql, *parameters)
            except sqlite3.OperationalError as error:
                if LOCKED not in str(error) or next(patience, _OVER) is _OVER:
                    raise
            else:
                return self

    def executemany(self, sql: str, parameters: Any, /) -> Self:
        _fails(self.connection)
        super().executemany(sql, parameters)
        return self


class _Connection(sqlite3.Connection):
    """A connection to a SQLite file on a disk that may fail."""

    before: Callable[[], None]
    patience: Callable[[], Iterator[None]]

    def cursor(self, *_: Any) -> Any:
        return super().cursor(_Cursor)

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor()
        return cursor.execute(sql, *parameters)

    def commit(self) -> None:
        if self.in_transaction:
            _fails(self)
        super().commit()


LOCKED = "database is locked"
_OVER = object()
SAID = {
    errno.ENOSPC: "database or disk is full",
    errno.EROFS: "attempt to write a readonly database",
    errno.EAGAIN: LOCKED,
}
"""What SQLite says of an error of its disk."""


def _fails(connection: Any) -> None:
    """Fail as SQLite does where its disk fails."""
    try:
        connection.before()
    except OSError as error:
        raise sqlite3.OperationalError(SAID.get(error.errno or 0, "disk I/O error")) from error


def _read(path: Path, offset: int, n: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(n)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _restore(key: tuple[int, int], path: Path, offset: int, before: bytes, size: int) -> None:
    """Make a file what it was, if it still lies there."""
    if not path.exists() or (path.stat().st_dev, path.stat().st_ino) != key:
        return
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(before)
        file.truncate(size)


def fault(how: str) -> OSError:
    """The error of a disk that is full, failing or read-only, or of a file that somebody else has locked."""
    number = FAULTS[how]
    return OSError(number, os.strerror(number))
