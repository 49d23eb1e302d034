"""The disk of a virtual world: a folder in memory, whose writes wait, fail, tear, and are lost with the power."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from workbench.simulation.scheduler import Killed, Process, Scheduler
from workbench.world import Disk


class VirtualDisk(Disk):
    """A disk.

    Parameters
    ----------
    scheduler : of the world.
    wall_ns : the calendar clock of whoever writes, ns since 1970.
    before : called before each change with what it is and the path; it may raise OSError, or wait.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        wall_ns: Callable[[], int],
        before: Callable[[str, str], None] = lambda what, path: None,
    ) -> None:
        self._scheduler, self._wall_ns = scheduler, wall_ns
        self.before = before
        self.free_bytes = 10**12
        self._paths: dict[int, str] = {}
        self._held: dict[int, set[int]] = {}
        self.changes = 0

    def _enter(self, what: str, path: object) -> None:
        thread = self._scheduler.current
        if thread is None:
            return
        if not thread.process.alive:
            raise Killed
        self.changes += 1
        self.before(what, str(path))
        if not thread.process.alive:
            raise Killed

    def _hold(self, descriptor: int, path: object) -> None:
        self._paths[descriptor] = str(path)
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

    def open(self, path: Path | str, mode: str = "wb", **more: Any) -> IO[Any]:
        self._enter("open", path)
        file = super().open(path, mode, **more)
        self._hold(file.fileno(), path)
        return file

    def descriptor(self, path: Path | str, flags: int, mode: int = 0o600) -> int:
        if flags & (os.O_CREAT | os.O_TRUNC):
            self._enter("open", path)
        descriptor = super().descriptor(path, flags, mode)
        self._hold(descriptor, path)
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self._enter("write", self._paths.get(descriptor, ""))
        return super().write(descriptor, data)

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        self._enter("write", self._paths.get(descriptor, ""))
        return super().pwrite(descriptor, data, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        self._enter("truncate", self._paths.get(descriptor, ""))
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        # A folder in memory has nothing to sync; what counts is when the code asks for it.
        self._enter("sync", self._paths.get(descriptor, ""))

    def close(self, descriptor: int) -> None:
        self._paths.pop(descriptor, None)
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

    def touch(self, path: Path, mode: int = 0o600, *, exist_ok: bool = True) -> None:
        self._enter("touch", path)
        super().touch(path, mode, exist_ok=exist_ok)
        self._stamp(path)

    def _stamp(self, path: Path) -> None:
        """The time of a change is that of the world."""
        now = self._wall_ns()
        os.utime(path, ns=(now, now))

    def replace(self, source: Path, target: Path) -> None:
        self._enter("rename", target)
        super().replace(source, target)
        self._stamp(target)

    def link(self, source: Path, target: Path) -> None:
        self._enter("link", target)
        super().link(source, target)

    def unlink(self, path: Path, *, missing_ok: bool = False) -> None:
        self._enter("unlink", path)
        super().unlink(path, missing_ok=missing_ok)

    def mkdir(self, path: Path, *, mode: int = 0o700, parents: bool = False, exist_ok: bool = False) -> None:
        self._enter("mkdir", path)
        super().mkdir(path, mode=mode, parents=parents, exist_ok=exist_ok)

    def free(self, folder: Path | str) -> int:
        del folder
        return self.free_bytes


def full() -> OSError:
    """No room."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def failing() -> OSError:
    """The disk reports an error."""
    return OSError(errno.EIO, os.strerror(errno.EIO))
