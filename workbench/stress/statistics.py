"""Type-I error and coverage of every interval that a report prints, by simulation with a known truth.

Trials are drawn and judged by :mod:`workbench.stress._drawn_trials`, in batches that go round all methods, each
with a seed of its own: a run that is cut short goes on from its file, and gives the figures of one that was not.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, Self

import numpy as np

from workbench import reading, world
from workbench.analysis import wilson
from workbench.errors import BadValue, Refused
from workbench.stress._drawn_trials import METHODS, Drawn

NOMINAL, BAND, SIGMAS = 0.05, 0.007, 3.5
"""Of every test; by how much a rate may differ; standard errors of a simulation that may be beyond it."""
FULL = 4_000
"""Trials from which a rate is told to be beyond the band."""
BATCH = 50
"""Trials that have one seed."""
FORMAT = "workbench stress statistics 1"
COUNTS = ("trials", "refused", "judged", "outside", "tested", "rejected")
Step = Callable[[], object]


@dataclass(slots=True)
class Row:
    """A method at a size.

    Attributes
    ----------
    method, size, of : in words, how many, of what.
    cautious : whether the test may be more cautious than its level, but never less.
    trials, refused : simulated, and how many were refused in a sentence.
    judged, outside : intervals, and those that left the truth out.
    tested, rejected : tests where there is no effect, and those that rejected.
    """

    method: str
    size: int
    of: str = "an arm"
    cautious: bool = False
    trials: int = 0
    refused: int = 0
    judged: int = 0
    outside: int = 0
    tested: int = 0
    rejected: int = 0

    @property
    def error(self) -> float | None:
        """Type-I error; None without a test."""
        return self.rejected / self.tested if self.tested else None

    @property
    def coverage(self) -> float | None:
        """Share of the intervals that hold the truth; None without an interval."""
        return 1 - self.outside / self.judged if self.judged else None

    @property
    def rates(self) -> tuple[tuple[int, int], ...]:
        """Misses and their number, of the test and of the interval."""
        return tuple(pair for pair in ((self.rejected, self.tested), (self.outside, self.judged)) if pair[1])

    @property
    def held(self) -> bool:
        """Within the band, or no further outside it than so many trials may be by chance."""
        return all(
            self._within(k, n, max(BAND, SIGMAS * sqrt(NOMINAL * (1 - NOMINAL) / n))) for k, n in self.rates
        )

    def _within(self, k: int, n: int, room: float) -> bool:
        off = k / n - NOMINAL
        return off <= room if self.cautious else abs(off) <= room

    def told(self, k: int, n: int, *, covered: bool = False) -> str:
        """A rate with its Monte-Carlo interval, and what stands beside it.

        Parameters
        ----------
        k, n : misses, of how many.
        covered : tell the rest of them instead.
        """
        if not n:
            return "–"
        low, high = wilson(n - k if covered else k, n)
        verdict = ""
        if not self._within(k, n, _room(n)):
            verdict = " **missed**"
        elif n >= 0.9 * FULL and not self._within(k, n, BAND):
            verdict = f" (beyond ± {100 * BAND:g} %)"
        return f"{100 * ((n - k if covered else k) / n):.1f} % [{100 * low:.1f}–{100 * high:.1f}]{verdict}"


def _room(n: int) -> float:
    """By how much a rate of ``n`` may differ: the band, or what chance explains."""
    return max(BAND, SIGMAS * sqrt(NOMINAL * (1 - NOMINAL) / n))


@dataclass(slots=True)
class Run:
    """Simulations, as far as they have gone.

    Attributes
    ----------
    seed : of the draws.
    rows : of every method and size.
    """

    seed: int
    rows: list[Row]

    @classmethod
    def of(cls, methods: Sequence[Drawn], seed: int) -> Self:
        """Nothing yet of some methods."""
        return cls(seed, [Row(one.method, size, one.of, one.cautious) for one in methods for size in one.sizes])

    @property
    def done(self) -> int:
        """Trials of all rows."""
        return sum(row.trials for row in self.rows)


def total(n: int, methods: Sequence[Drawn] = METHODS) -> int:
    """Trials of all methods and sizes, ``n`` of each but of those that take long."""
    return sum(len(one.sizes) * -(-n // one.one_in) for one in methods)


def simulate(
    n: int, seed: int, step: Step = lambda: None, *, methods: Sequence[Drawn] = METHODS, file: Path | None = None,
    told: Callable[[str], object] = lambda _line: None,
) -> list[Row]:  # fmt: skip
    """Simulate every method at every size.

    Parameters
    ----------
    n : trials of each.
    seed : of the draws.
    step : called after each trial.
    methods : that are simulated.
    file : keeps what ran after each round, and is gone on from.
    told : given a line with progress and the time left after each round.

    Raises
    ------
    BadValue
        For a file of another seed, or one that is no such file.
    """
    run = Run.of(methods, seed)
    if file is not None and reading.is_there(file, "--keep"):
        _read(file, run)
    if file is not None:
        _write(file, run)
    by_name = {one.method: one for one in methods}
    began, before = time.monotonic(), run.done
    for _ in range(run.done):
        step()
    for end in range(BATCH, n + BATCH, BATCH):
        for row in run.rows:
            drawn = by_name[row.method]
            while row.trials < min(end, n) / drawn.one_in:
                _batch(row, drawn, seed, min(BATCH, -(-n // drawn.one_in) - row.trials), step)
        if file is not None:
            _write(file, run)
        gone, made = time.monotonic() - began, run.done - before
        if made:
            left = (total(n, methods) - run.done) * gone / made
            told(f"{min(end, n):,} of {n:,} trials of each; {left / 60:.0f} min left")
    return run.rows


def _batch(row: Row, drawn: Drawn, seed: int, n: int, step: Step) -> None:
    draw = np.random.default_rng([seed, zlib.crc32(row.method.encode()), row.size, row.trials // BATCH])
    # A batch that was cut short begins again: its trials are the first of the whole one.
    for _ in range(row.trials % BATCH):
        _judged(drawn, draw, row.size)
    for _ in range(min(n, BATCH - row.trials % BATCH)):
        found = _judged(drawn, draw, row.size)
        row.trials += 1
        row.refused += found is None
        held, rejected = found or (None, None)
        row.judged += held is not None
        row.outside += held is False
        row.tested += rejected is not None
        row.rejected += rejected is True
        step()


def _judged(drawn: Drawn, draw: np.random.Generator, size: int) -> tuple[bool | None, bool | None] | None:
    """What a trial gave; None where it was refused."""
    try:
        return drawn.trial(draw, size)
    except (BadValue, Refused):
        return None


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| method | size | type-I error | coverage | refused | trials |", "|---|--:|--:|--:|--:|--:|"]
    for row in rows:
        error = row.told(row.rejected, row.tested)
        coverage = row.told(row.outside, row.judged, covered=True)
        size = f"{row.size} {row.of}" if row.of != "–" else "–"
        lines.append(f"| {row.method} | {size} | {error} | {coverage} | {row.refused} | {row.trials} |")
    return "\n".join(lines)


# ------------------------------------------------------------------ what is kept
def _write(file: Path, run: Run) -> None:
    kept = {
        "format": FORMAT, "seed": run.seed,
        "rows": {f"{row.method}|{row.size}": {name: getattr(row, name) for name in COUNTS} for row in run.rows},
    }  # fmt: skip
    try:
        world.disk.save(file, (json.dumps(kept, indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise BadValue(
            f"--keep {reading.shown(file)} cannot be written ({error.strerror}); name another"
        ) from error


def _read(file: Path, run: Run) -> None:
    kept = reading.parse_json(reading.read_text(file, "--keep", largest=reading.LARGEST_TEXT), "--keep")
    if not isinstance(kept, Mapping) or kept.get("format") != FORMAT or not isinstance(kept.get("rows"), Mapping):
        shown = reading.shown(file)
        raise BadValue(f"--keep {shown} holds no simulations; name the file of such a run, or a new one")
    if kept.get("seed") != run.seed:
        own, shown = str(kept.get("seed"))[:40], reading.shown(file)
        raise BadValue(f"--keep {shown} is of --seed {own}, got --seed {run.seed}; give that seed, or a new file")
    for row in run.rows:
        _take(row, kept["rows"].get(f"{row.method}|{row.size}", {}), file)


def _take(row: Row, own: Any, file: Path) -> None:
    for name in COUNTS:
        value = own.get(name, 0) if isinstance(own, Mapping) else None
        if type(value) is not int or value < 0:
            raise BadValue(f"--keep {reading.shown(file)} is damaged at {row.method} {row.size}; begin a new file")
        setattr(row, name, value)
