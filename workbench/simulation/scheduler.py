"""Virtual time: threads of virtual processes take turns, and time passes only while all of them wait.

Every thread is a greenlet, so that exactly one runs at a time, switches cost microseconds, and a process can be
ended between two instructions without running its clean-up, as by SIGKILL. Whose turn it is, is drawn from the
seed; with the same seed the same thread runs at the same nanosecond on every computer.
"""

from __future__ import annotations

import random
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import inf

from greenlet import getcurrent, greenlet

from workbench.errors import WorkbenchError

NS = 1_000_000_000


class Killed(BaseException):
    """The process of this thread was ended from outside: no door opens to it any more."""


class Stuck(WorkbenchError):
    """Nothing in the world will ever happen again, and somebody still waits."""


@dataclass
class Host:
    """A computer: its clocks and who runs on it.

    Attributes
    ----------
    name : of the computer.
    boot_id : of the running boot.
    booted_ns : world time at which it started.
    rate : of its oscillator, 1 + drift.
    wall_ns : what its calendar clock is ahead of the world, ns; it steps.
    zone_s : what its local time is ahead of UTC, s.
    slept_ns : how long it slept since it started.
    tick_ns : of its timer: a wait ends with the next tick, as on a system whose timer is coarse; 0 is exact.
    asleep : whether it sleeps.
    """

    name: str
    boot_id: str
    booted_ns: int = 0
    rate: float = 1.0
    wall_ns: int = 0
    zone_s: int = 0
    slept_ns: int = 0
    tick_ns: int = 0
    asleep: bool = False

    def ran_ns(self, now_ns: int) -> int:
        """Its monotonic clock, ns; begins at 1000 s."""
        ran = now_ns - self.booted_ns - self.slept_ns
        return 1000 * NS + (ran if self.rate == 1.0 else round(ran * self.rate))

    def restarted(self, now_ns: int, boot_id: str) -> None:
        """It was switched on again."""
        self.boot_id, self.booted_ns, self.slept_ns = boot_id, now_ns, 0


@dataclass
class Process:
    """A virtual process.

    Attributes
    ----------
    pid : its number, never used again.
    host : where it runs.
    name : for the story.
    code : its exit code, None while it runs. ended_ns : world time of its end.
    alive : whether it runs, frozen or not.
    frozen : how many hold it where it stands (SIGSTOP, a computer that sleeps); it gets no turn.
    on_end : called when it has ended, however that happened.
    handlers : of signals, by their name.
    """

    pid: int
    host: Host
    name: str
    started_ns: int
    code: int | None = None
    alive: bool = True
    ended_ns: int | None = None
    frozen: int = 0
    threads: list[Thread] = field(default_factory=list)
    waiting: deque[tuple[Thread, int]] = field(default_factory=deque)
    on_end: list[Callable[[], None]] = field(default_factory=list)
    handlers: dict[str, Callable[..., object]] = field(default_factory=dict)


class Thread:
    """A thread of a virtual process, with what the code uses of :class:`threading.Thread`.

    Parameters
    ----------
    scheduler : of the world.
    process : to which it belongs.
    body : what it does.
    name : for the story.

    Attributes
    ----------
    over : whether it has ended.
    greenlet : in which it runs.
    """

    def __init__(self, scheduler: Scheduler, process: Process, body: Callable[[], object], name: str) -> None:
        self.name, self.process, self.daemon = name, process, True
        self.ident: int | None = None
        self.error: BaseException | None = None
        self.turn = 0
        self._scheduler, self._body = scheduler, body
        self.over = False
        self._joining: list[tuple[Thread, int]] = []
        self.greenlet = greenlet(self._run, parent=scheduler.hub)

    def start(self) -> None:
        """Let it have its first turn."""
        self._scheduler.number += 1
        self.ident = self._scheduler.number
        self.process.threads.append(self)
        self._scheduler.ready(self, self.turn)

    def is_alive(self) -> bool:
        """Whether it has begun and not ended."""
        return self.ident is not None and not self.over and self.process.alive

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        while self.is_alive():
            if not self._scheduler.wait(self._joining, timeout):
                return

    def kill(self) -> None:
        """End it where it stands; nothing that it does from here reaches the world."""
        if self.over:
            return
        if not self.greenlet:
            self.over = True
            return
        # What it runs while it unwinds meets closed doors, and then whoever ends it goes on.
        before, self._scheduler.current = self._scheduler.current, self
        self.greenlet.parent = getcurrent()
        try:
            self.greenlet.throw(Killed())
        finally:
            self._scheduler.current = before

    def _run(self, _woken: bool) -> None:
        try:
            self._body()
        except (Killed, SystemExit):
            pass
        # As in a real thread: it ends, and whoever watches it is told.
        except BaseException as error:  # noqa: BLE001
            self.error = error
            self._scheduler.defects.append((self.process, self, error))
        finally:
            self.over = True
            if self.process.alive:
                self.process.threads.remove(self)
            self._scheduler.wake(self._joining)


class Scheduler:
    """Whose turn it is, and what time it is.

    Parameters
    ----------
    seed : of the order in which threads take turns.
    """

    def __init__(self, seed: int) -> None:
        self.now = 0
        self.random = random.Random(seed)
        self.number = 0
        self.current: Thread | None = None
        self.processes: dict[int, Process] = {}
        self.defects: list[tuple[Process, Thread, BaseException]] = []
        self.switches = 0
        self.longest_queue = 0
        self._interrupted = False
        self.hub: greenlet = getcurrent()
        self._ready: list[tuple[Thread, int]] = []
        self._timers: list[tuple[int, int, Thread | None, int, Callable[[], None] | None]] = []
        self._seq = 0
        self._until = 0
        self._done: Callable[[], bool] = lambda: False

    # ------------------------------------------------------------------------------- processes
    def process(self, host: Host, name: str, body: Callable[[], int | None]) -> Process:
        """Start a process with one thread; it ends when that thread does.

        Parameters
        ----------
        host : where it runs.
        name : for the story.
        body : what it does; gives its exit code, None for 0.
        """
        self.number += 1
        started = Process(1000 + self.number, host, name, self.now, frozen=int(host.asleep))
        self.processes[started.pid] = started

        def main() -> None:
            code = 1
            try:
                code = body() or 0
            except SystemExit as left:
                code = left.code if isinstance(left.code, int) else 1
            finally:
                if started.alive:
                    self.end(started, code)

        Thread(self, started, main, "main").start()
        return started

    def end(self, process: Process, code: int) -> None:
        """A process ends: none of its threads gets another turn."""
        if not process.alive:
            return
        process.code, process.ended_ns, process.alive = code, self.now, False
        threads, process.threads = process.threads, []
        process.waiting.clear()
        for thread in threads:
            if thread is not self.current:
                thread.kill()
        for call in process.on_end:
            call()
        process.on_end.clear()

    def freeze(self, process: Process) -> None:
        """No turn until :meth:`thaw`."""
        process.frozen += 1

    def thaw(self, process: Process) -> None:
        """Turns again; what was due meanwhile is due now."""
        process.frozen -= 1
        if process.frozen:
            return
        self._ready.extend(process.waiting)
        process.waiting.clear()

    def sleep(self, host: Host, seconds: float, woken: Callable[[], None]) -> None:
        """A computer sleeps: its processes get no turn, and what they wait for is put off by that long.

        Parameters
        ----------
        host : the computer.
        seconds : for how long, s of world time.
        woken : called when it is awake again.
        """
        ns = round(seconds * NS)
        for process in self.processes.values():
            if process.host is host:
                self.freeze(process)
        host.asleep = True
        self._timers = [
            (at + ns, seq, thread, turn, call)
            if thread is not None and thread.process.host is host
            else (at, seq, thread, turn, call)
            for at, seq, thread, turn, call in self._timers
        ]
        heapify(self._timers)

        def wake() -> None:
            host.asleep = False
            host.slept_ns += ns
            for process in self.processes.values():
                if process.host is host:
                    self.thaw(process)
            woken()

        self.after(seconds, wake)

    # --------------------------------------------------------------------------------- waiting
    def ready(self, thread: Thread, turn: int) -> None:
        """A thread may go on, unless it has done so since ``turn``."""
        self._ready.append((thread, turn))

    def at(self, time_ns: int, call: Callable[[], None]) -> None:
        """Do something at a time; it does not wait."""
        self._seq += 1
        heappush(self._timers, (max(time_ns, self.now), self._seq, None, 0, call))

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Do something in ``seconds`` s."""
        self.at(self.now + round(seconds * NS), call)

    def wait(self, waiting: list[tuple[Thread, int]] | None, timeout: float | None) -> bool:
        """The running thread waits until it is woken; False when ``timeout`` s passed first."""
        thread = self.current
        if thread is None:
            raise Stuck("only a thread of the virtual world can wait in it; start one with Scheduler.process")
        process = thread.process
        if not process.alive:
            raise Killed
        turn = thread.turn = thread.turn + 1
        if timeout is not None and timeout < inf:
            self._seq += 1
            due = self.now + (round(timeout * NS) if timeout > 0.0 else 0)
            tick = process.host.tick_ns
            if tick:
                due = -(-due // tick) * tick
            heappush(self._timers, (due, self._seq, thread, turn, None))
        if waiting is not None:
            waiting.append((thread, turn))
        woken = self.hub.switch(thread)
        if not process.alive:
            raise Killed
        if not woken and waiting is not None and (thread, turn) in waiting:
            waiting.remove((thread, turn))
        return bool(woken)

    def wake(self, waiting: list[tuple[Thread, int]], n: int = -1) -> None:
        """Wake ``n`` of those who wait, all by default."""
        while waiting and n:
            thread, turn = waiting.pop(0)
            if thread.turn == turn and thread.process.alive:
                self._ready.append((thread, turn))
                n -= 1

    def pause(self) -> None:
        """Give the others a turn."""
        thread = self.current
        if thread is None or not thread.process.alive:
            raise Killed
        thread.turn += 1
        self._ready.append((thread, thread.turn))
        self.hub.switch(thread)
        if not thread.process.alive:
            raise Killed

    # ------------------------------------------------------------------------------------ loop
    def run(self, *, until_s: float, done: Callable[[], bool] = lambda: False) -> None:
        """Let the world go on until a time, or until ``done``.

        Raises
        ------
        Stuck
            When everybody waits for something that will never happen.
        KeyboardInterrupt
            When whoever runs the world interrupted it.
        """
        self._until, self._done = round(until_s * NS), done
        self.hub = getcurrent()
        with self._interruptible():
            self._loop()

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """An interrupt ends the world between two turns: inside one it would meet the code that is tried."""

        def ask(*_: object) -> None:
            self._interrupted = True

        numbers = (signal.SIGINT, signal.SIGTERM)
        # Python sets handlers in the main thread alone; a process of several leaves interrupts to its parent.
        ours = threading.current_thread() is threading.main_thread()
        ours = ours and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
        before = {number: signal.signal(number, ask) for number in numbers} if ours else {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _loop(self) -> None:
        done, ready, draw = self._done, self._ready, self.random.randrange
        while not done():
            if self._interrupted:
                raise KeyboardInterrupt
            if ready:
                thread, turn = ready.pop(draw(len(ready)) if len(ready) > 1 else 0)
                self._turn(thread, turn, woken=True)
                continue
            timers = self._timers
            if not timers and not any(process.alive for process in self.processes.values()):
                return
            if not timers:
                raise Stuck("everybody waits and nothing is due")
            if timers[0][0] > self._until:
                self.now = self._until
                return
            due, _, sleeper, turn, call = heappop(timers)
            if sleeper is not None:
                if sleeper.turn != turn or sleeper.over or not sleeper.process.alive:
                    continue
                self.now = due
                self._turn(sleeper, turn, woken=False)
            elif call is not None:
                self.now = due
                call()

    def _turn(self, thread: Thread, turn: int, *, woken: bool) -> None:
        if thread.turn != turn or thread.over or not thread.process.alive:
            return
        if thread.process.frozen:
            thread.process.waiting.append((thread, turn))
            return
        self.current = thread
        self.switches += 1
        # Its turn, until it waits; `woken` is what its wait returns.
        thread.greenlet.parent = self.hub
        thread.greenlet.switch(woken)
        self.current = None
