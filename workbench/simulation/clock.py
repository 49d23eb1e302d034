"""The clock of a virtual world, and everything that waits for it: the shape of :class:`workbench.world.Clock`."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Self

from workbench.simulation.scheduler import NS, Host, Killed, Scheduler, Thread
from workbench.world import Clock

EPOCH_NS = 1_767_225_600 * NS
"""2026-01-01 00:00 UTC, when every world begins, ns since 1970."""


class VirtualClock(Clock):
    """What the clocks of the computer show on which the running thread is.

    Parameters
    ----------
    scheduler : of the world.
    outside : the computer whose clocks are shown where no thread runs, to whoever watches the world.
    """

    def __init__(self, scheduler: Scheduler, outside: Host) -> None:
        self._scheduler, self._outside = scheduler, outside

    @property
    def host(self) -> Host:
        """The computer of the running thread."""
        thread = self._scheduler.current
        return self._outside if thread is None else thread.process.host

    # ---------------------------------------------------------------------------------- times
    def boot_id(self) -> str:
        return self.host.boot_id

    def monotonic_ns(self) -> int:
        return self.host.ran_ns(self._scheduler.now)

    def monotonic(self) -> float:
        # The most frequent question in a world, some two hundred times a second: asked without the property.
        thread, scheduler = self._scheduler.current, self._scheduler
        host = self._outside if thread is None else thread.process.host
        return host.ran_ns(scheduler.now) / NS

    def boottime(self) -> float:
        return (self.monotonic_ns() + self.host.slept_ns) / NS

    def wall_ns(self) -> int:
        return EPOCH_NS + self._scheduler.now + self.host.wall_ns

    def wall(self) -> float:
        return self.wall_ns() / NS

    def now(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.wall_ns() // 1000)

    def local(self) -> datetime:
        return self.now().astimezone(timezone(timedelta(seconds=self.host.zone_s)))

    # ---------------------------------------------------------------------------------- waiting
    def sleep(self, seconds: float) -> None:
        self._scheduler.wait(None, seconds)

    def lock(self) -> Any:
        return VirtualLock(self._scheduler)

    def rlock(self) -> Any:
        return VirtualRLock(self._scheduler)

    def event(self) -> Any:
        return VirtualEvent(self._scheduler)

    def condition(self, lock: Any = None) -> Any:
        return VirtualCondition(self._scheduler, lock if lock is not None else VirtualRLock(self._scheduler))

    def simple_queue(self) -> Any:
        return VirtualQueue(self._scheduler)

    def queue(self, maxsize: int = 0) -> Any:
        return VirtualQueue(self._scheduler, maxsize)

    def thread(self, body: Callable[[], object], *, name: str, daemon: bool = True) -> Any:
        del daemon
        current = self._scheduler.current
        if current is None:
            raise RuntimeError("a virtual thread belongs to a virtual process; start one")
        return Thread(self._scheduler, current.process, body, name)

    def current_thread(self) -> Any:
        return self._scheduler.current

    def threads(self) -> list[Any]:
        current = self._scheduler.current
        return [] if current is None else list(current.process.threads)


class VirtualLock:
    """Like :class:`threading.Lock`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._holder: Thread | None = None
        self._waiting: list[tuple[Thread, int]] = []

    def _held(self) -> bool:
        # Who was killed holds nothing any more, because nobody of its process is left.
        return self._holder is not None and self._holder.process.alive

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; False when it was not free in time."""
        me = self._scheduler.current
        if me is not None and not me.process.alive:
            raise Killed
        while self._holder is not None and self._held():
            if not blocking or not self._scheduler.wait(self._waiting, None if timeout < 0 else timeout):
                return False
        self._holder = me
        return True

    def release(self) -> None:
        """Let the next have it."""
        self._holder = None
        if self._waiting:
            self._scheduler.wake(self._waiting, 1)

    def locked(self) -> bool:
        """Whether somebody has it."""
        return self._held()

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        # Not by `release`: of all that is called in a world, locks are left the most often.
        self._holder = None
        if self._waiting:
            self._scheduler.wake(self._waiting, 1)


class VirtualRLock(VirtualLock):
    """Like :class:`threading.RLock`."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._holder is not None and self._holder is self._scheduler.current:
            self._depth += 1
            return True
        if not super().acquire(blocking, timeout):
            return False
        self._depth = 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            super().release()

    def __exit__(self, *_: object) -> None:
        self.release()

    __enter__ = acquire


class VirtualEvent:
    """Like :class:`threading.Event`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler, self._set = scheduler, False
        self._waiting: list[tuple[Thread, int]] = []

    def is_set(self) -> bool:
        """Whether it happened."""
        return self._set

    def set(self) -> None:
        """It happened."""
        self._set = True
        if self._waiting:
            self._scheduler.wake(self._waiting)

    def clear(self) -> None:
        """It may happen again."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it; whether it happened."""
        if not self._set:
            self._scheduler.wait(self._waiting, timeout)
        return self._set


class VirtualCondition:
    """Like :class:`threading.Condition`."""

    def __init__(self, scheduler: Scheduler, lock: Any) -> None:
        self._scheduler, self._lock = scheduler, lock
        self._waiting: list[tuple[Thread, int]] = []

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until notified, without the lock meanwhile."""
        self._lock.release()
        try:
            return self._scheduler.wait(self._waiting, timeout)
        finally:
            self._lock.acquire()

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until something holds."""
        end = None if timeout is None else self._scheduler.now + round(timeout * NS)
        while not (result := predicate()):
            left = None if end is None else (end - self._scheduler.now) / NS
            if left is not None and left <= 0:
                return result
            self.wait(left)
        return result

    def notify(self, n: int = 1) -> None:
        """Wake ``n`` of those who wait."""
        self._scheduler.wake(self._waiting, n)

    def notify_all(self) -> None:
        """Wake all who wait."""
        self._scheduler.wake(self._waiting)


class VirtualQueue:
    """Like :class:`queue.Queue` and :class:`queue.SimpleQueue`."""

    def __init__(self, scheduler: Scheduler, maxsize: int = 0) -> None:
        self._scheduler, self._maxsize = scheduler, maxsize
        self._items: deque[Any] = deque()
        self._getting: list[tuple[Thread, int]] = []
        self._putting: list[tuple[Thread, int]] = []

    def qsize(self) -> int:
        """How many wait."""
        return len(self._items)

    def empty(self) -> bool:
        """Whether none waits."""
        return not self._items

    def full(self) -> bool:
        """Whether none more has room."""
        return 0 < self._maxsize <= len(self._items)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Append; waits for room.

        Parameters
        ----------
        item : what is appended.
        block : whether to wait for room at all.
        timeout : s to wait at most; None for ever.

        Raises
        ------
        queue.Full
            When there was no room in time.
        """
        while self.full():
            if not block or not self._scheduler.wait(self._putting, timeout):
                raise queue.Full
        self._items.append(item)
        self._scheduler.longest_queue = max(self._scheduler.longest_queue, len(self._items))
        if self._getting:
            self._scheduler.wake(self._getting, 1)

    def put_nowait(self, item: Any) -> None:
        """Append, or :class:`queue.Full`."""
        self.put(item, block=False)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The first; waits for one."""
        while not self._items:
            if not block or not self._scheduler.wait(self._getting, timeout):
                raise queue.Empty
        item = self._items.popleft()
        if self._putting:
            self._scheduler.wake(self._putting, 1)
        return item

    def get_nowait(self) -> Any:
        """The first, or :class:`queue.Empty`."""
        return self.get(block=False)
