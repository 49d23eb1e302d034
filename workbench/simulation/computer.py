"""Virtual processes: started, told to end and heard as those of a real computer."""

from __future__ import annotations

import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.simulation.scheduler import Host, Killed, Process, Scheduler, Thread
from workbench.world import Computer

Main = Callable[[str, Sequence[str]], int | None]
"""Runs a module with its arguments; its exit code."""


class VirtualComputer(Computer):
    """Who runs where in the world.

    Parameters
    ----------
    scheduler : of the world.
    outside : the computer that is named where no thread runs.
    mains : by the beginning of a module's name, what it does as a process.
    places : by its module's last name, the computer of a process that runs on another than its parent.
    """

    def __init__(
        self, scheduler: Scheduler, outside: Host, mains: Mapping[str, Main], places: Mapping[str, Host]
    ) -> None:
        self._scheduler, self._outside, self._mains, self._places = scheduler, outside, mains, places
        self._pipes: dict[int, tuple[Pipe, Pipe]] = {}

    def _process(self) -> Process | None:
        thread = self._scheduler.current
        if thread is not None and not thread.process.alive:
            raise Killed
        return None if thread is None else thread.process

    def name(self) -> str:
        process = self._process()
        return (self._outside if process is None else process.host).name

    def pid(self) -> int:
        process = self._process()
        return 1 if process is None else process.pid

    def start_time(self, pid: int) -> str:
        process = self._scheduler.processes.get(pid)
        return str(process.started_ns) if process is not None and process.alive else ""

    def start(self, module: str, *arguments: str, **options: Any) -> Any:
        parent = self._process()
        host = self._outside if parent is None else parent.host
        main = next(main for beginning, main in self._mains.items() if module.startswith(beginning))
        name = module.rpartition(".")[2]
        process = self._scheduler.process(self._places.get(name, host), name, lambda: main(module, arguments))
        pipes = Pipe(self._scheduler), Pipe(self._scheduler)
        self._pipes[process.pid] = pipes
        process.on_end.append(pipes[1].close)
        if parent is not None and options.get("stdin") == subprocess.PIPE:
            # The end of a process closes its pipes, however it ended.
            parent.on_end.append(pipes[0].close)
        return Child(self._scheduler, self, process, *pipes)

    def send_signal(self, pid: int, name: str) -> None:
        process = self._scheduler.processes.get(pid)
        if process is None or not process.alive:
            return
        if name == "SIGKILL":
            self._scheduler.end(process, -9)
        elif name in process.handlers:
            process.handlers[name](15, None)
        else:
            self._scheduler.end(process, -15)

    def on_signal(self, name: str, handler: Callable[[int, Any], object] | None) -> None:
        process = self._process()
        if process is not None:
            process.handlers[name] = handler if handler is not None else lambda *_: None

    def keep_what_exists(self) -> None:
        """Nothing: the process goes on to other lives."""

    def input(self) -> Any:
        return self._pipes[self.pid()][0]

    def output(self) -> Any:
        return self._pipes[self.pid()][1]


class Pipe:
    """A pipe between two processes: lines in, lines out."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._text: deque[bytes] = deque()
        self._closed = False
        self._waiting: list[tuple[Thread, int]] = []

    def write(self, text: str) -> int:
        """Put something in."""
        if self._closed:
            raise BrokenPipeError
        self._text.append(text.encode())
        self._scheduler.wake(self._waiting)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def readline(self) -> bytes:
        """What was put in first; ``b""`` at the end."""
        while not self._text:
            if self._closed:
                return b""
            self._scheduler.wait(self._waiting, None)
        return self._text.popleft()

    def read(self, _n: int) -> bytes:
        """Like :meth:`readline`."""
        return self.readline()

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._scheduler.wake(self._waiting)


class Child:
    """A process that was started, like :class:`subprocess.Popen`.

    Parameters
    ----------
    scheduler : of the world.
    computer : whose signals end it.
    process : the process.
    stdin, stdout : its pipes.
    """

    def __init__(
        self, scheduler: Scheduler, computer: VirtualComputer, process: Process, stdin: Pipe, stdout: Pipe
    ) -> None:
        self._scheduler, self._computer, self._process = scheduler, computer, process
        self.stdin, self.stdout, self.pid = stdin, stdout, process.pid
        self._waiting: list[tuple[Thread, int]] = []
        process.on_end.append(lambda: scheduler.wake(self._waiting))

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.code

    def poll(self) -> int | None:
        """Like :attr:`returncode`."""
        return self._process.code

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended."""
        if self._process.code is None:
            self._scheduler.wait(self._waiting, timeout)
        # Looked at once more before it is too late: whoever waits may have stood still himself meanwhile.
        if self._process.code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return self._process.code

    def terminate(self) -> None:
        """SIGTERM."""
        self._computer.send_signal(self.pid, "SIGTERM")

    def kill(self) -> None:
        """SIGKILL."""
        self._computer.send_signal(self.pid, "SIGKILL")
