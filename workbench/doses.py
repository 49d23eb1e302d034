"""Long fault tests behind `workbench dose NAME`: the suite runs a small dose of each, this runs the rest.

A dose counts; it never judges its own figures by a threshold other than *nothing lost, nothing broken*.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from workbench import __version__, reading
from workbench.errors import BadValue

MOST = 1_000_000
"""Largest size of a test; more would run for weeks."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one dose counted.

    Attributes
    ----------
    command : that repeats it. words : the figures, one line each. held : nothing was lost or broken.
    seconds : how long it took, s.
    """

    command: str
    words: str
    held: bool
    seconds: float

    def text(self) -> str:
        """Figures, verdict and time."""
        return f"{self.words}\n{'held' if self.held else 'NOT HELD'}, {self.seconds:.0f} s"

    def append_to(self, path: Path) -> None:
        """Add the figures to a Markdown document, with the command, version and machine."""
        writable(path)
        machine = f"workbench {__version__}, Python {platform.python_version()}, {platform.machine()}"
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"\n## `{self.command}`\n{machine}\n\n```\n{self.text()}\n```\n")


@dataclass(frozen=True, slots=True)
class Dose:
    """One long test: what it does, its full size, and how it is run (size, seed) → (words, held)."""

    what: str
    full: int
    run: Callable[[int, int], tuple[str, bool]]


def _record(n: int, seed: int) -> tuple[str, bool]:
    from workbench.study import dose

    with tqdm(total=3 * n, file=sys.stderr, unit="case", disable=not sys.stderr.isatty()) as bar:
        figures = dose.run(kills=n, cuts=n, flips=n, seed=seed, progress=lambda done, _: bar.update(done - bar.n))
    return figures.text(), figures.ok


def _recording(n: int, seed: int) -> tuple[str, bool]:
    from workbench.recording import dose

    figures = dose.torn_files(n, seed)
    return figures.text(), figures.passed


def _lossless(n: int, seed: int) -> tuple[str, bool]:
    from workbench.live import dosing

    figures = dosing.lossless(seconds=float(n), seed=seed)
    return figures.text(), figures.passed


def _hostile(n: int, seed: int) -> tuple[str, bool]:
    from workbench import hostile

    figures = hostile.hostile(n, seed)
    return figures.text(), figures.passed


DOSES = {
    "record": Dose("kill -9, cut logs and flipped bits of the study record, n of each", 1000, _record),
    "recording": Dose("kill -9 of a recording writer and torn files, n kills", 1000, _recording),
    "hostile": Dose("bad input for every command and reader, n of the cases", 5000, _hostile),
    "lossless": Dose("64 ch × 1 kHz with a sample counter, a kernel holding its lock, n seconds", 60, _lossless),
}


def writable(path: Path) -> None:
    """Check that figures can be appended to a document, before hours are spent on them.

    Raises
    ------
    BadValue
        When it cannot be written.
    """
    if not reading.is_there(path, "--out") or path.is_file():
        try:
            path.open("a", encoding="utf-8").close()
        except OSError as error:
            raise BadValue(
                f"--out {reading.shown(path)} cannot be written ({error.strerror}); name another document"
            ) from error
        return
    raise BadValue(f"--out {reading.shown(path)} is no regular file; name another document")


def run(name: str, *, n: int | None = None, seed: int = 1) -> Figures:
    """Run one dose.

    Raises
    ------
    BadValue
        For an unknown name or a size below 1.
    """
    if name not in DOSES:
        raise BadValue(
            f"there is no dose {name!r}; they are {', '.join(DOSES)}. 'workbench dose list' describes them"
        )
    size = DOSES[name].full if n is None else n
    if not 1 <= size <= MOST:
        raise BadValue(f"--n must be 1 or more, and at most {MOST:,}; got {str(size):.60}")
    began = time.monotonic()
    words, held = DOSES[name].run(size, seed)
    return Figures(f"workbench dose {name} --n {size} --seed {seed}", words, held, time.monotonic() - began)
