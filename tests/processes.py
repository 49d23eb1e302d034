"""Processes that tests watch, suspend and wait for."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

PAUSE = threading.Event()


def until(condition: Callable[[], object]) -> None:
    """Wait until it holds; pytest's timeout ends a hopeless wait."""
    while not condition():
        PAUSE.wait(0.05)


def states(pid: int) -> list[str]:
    """Letters of its threads in the table of processes, ``"Z"`` for one that has ended; none without a process."""
    try:
        texts = [task.read_text(encoding="utf-8") for task in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:
        return []
    return [text.rpartition(")")[2].split()[0] for text in texts]


def exists(pid: int) -> bool:
    """Whether the process is there and has not ended."""
    return not set(states(pid)) <= {"Z"}


def suspend(pid: int) -> None:
    """Suspend a process and wait until it stands: on a busy computer one of its threads may still answer."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: set(states(pid)) == {"T"})


def resume(pid: int) -> None:
    """Let a suspended process go on."""
    os.kill(pid, signal.SIGCONT)
