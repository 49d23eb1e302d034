"""A log that is followed: a dashboard shows no prints, so a session writes to a file that this panel shows."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import traitlets

from workbench.widgets._base import Panel, compose, styles

SHOWN = 10
"""Lines in a static picture."""
KEEP = 400
MOST_BYTES = 256 * 1024
"""Most bytes of one reading; more than 400 lines of an engine's log."""


class LogView(Panel):
    """The last lines of a log file, newest last, and lines added by the caller.

    Parameters
    ----------
    path : file to follow, or None for added lines only. It may appear later.
    period_s : s between two readings of the file.

    Traits
    ------
    lines : the lines shown, at most 400.
    """

    _esm = compose("parts/dom", "log_view")
    _css = styles("panels")

    lines: traitlets.List[Any] = traitlets.List().tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)

    def __init__(self, path: str | Path | None = None, *, period_s: float = 0.5, **traits: Any) -> None:
        super().__init__(name=Path(path).name if path else "", **traits)
        self._path = Path(path) if path else None
        self._read = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.look()
        if self._path is not None:
            threading.Thread(target=self._follow, args=(period_s,), name="workbench-log", daemon=True).start()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """The newest lines."""
        first = len(self.lines[:-SHOWN]) + 1
        return self.name, [(f"{number}", line) for number, line in enumerate(self.lines[-SHOWN:], start=first)]

    def append(self, line: str) -> None:
        """Add a line. Thread-safe."""
        with self._lock:
            self.lines = [*self.lines, str(line)][-KEEP:]

    def look(self) -> None:
        """Read the new part of the file, of a long one only the end. A file that became shorter is read again."""
        if self._path is None:
            return
        with self._lock:
            try:
                with self._path.open("rb") as file:
                    size = file.seek(0, os.SEEK_END)
                    next_byte = self._read if self._read <= size else 0
                    at = max(next_byte, size - MOST_BYTES)
                    file.seek(at)
                    fresh = file.read(MOST_BYTES)
            except OSError:
                return  # It does not exist yet, or is being replaced: the next reading finds it.
            # Whole lines only: the last one may still be being written, perhaps in the middle of a character.
            whole = fresh[: fresh.rfind(b"\n") + 1]
            self._read = at + len(whole)
            lines = whole.decode("utf-8", "replace").splitlines()[int(at > next_byte) :]  # not the half one
            if lines:
                self.lines = [*self.lines, *lines][-KEEP:]

    def close(self) -> None:
        """Stop following and remove the widget."""
        self._ended.set()
        super().close()

    def _follow(self, period_s: float) -> None:
        while not self._ended.wait(period_s):
            self.look()
