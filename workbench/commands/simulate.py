"""`workbench simulate`: sessions full of bad luck in virtual time, each from its seed; says which rule broke."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.commands._arguments import EXIT_DIFFERS, integer, number, seed
from workbench.commands._progress import Bar
from workbench.commands._subcommand import Subcommand

if TYPE_CHECKING:
    from workbench.simulation import Lived

DAY_S = 86400.0
SECONDS = {"signals": 20.0, "evidence": 3600.0, "trial": 14 * DAY_S}
"""Usual length of a life by depth, s."""
LONGEST = {"signals": DAY_S, "evidence": DAY_S, "trial": 400 * DAY_S}
"""Longest life by depth, s."""
COSTS = {"signals": 0.15, "evidence": 0.02, "trial": 5.0 / (14 * DAY_S)}
"""What a second of a life takes on one core, s; for the progress bar alone."""
LARGEST_PAGE = 10**7
"""Bytes of a page that figures are entered into."""
EXIT_INTERRUPTED = 130
"""Exit code after Ctrl-C, as a shell states it."""
TABLE = (
    "| depth | system | seeds | length, s | session-hours | × real time | × CPU time | broke a rule |",
    "|---|---|---|--:|--:|--:|--:|---|",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add seed, number, length and kind of the lives."""
    parser.add_argument("--seed", type=seed, default=1, metavar="S", help="of the first life (1)")
    parser.add_argument("--lives", type=integer, default=1, metavar="N", help="lives, each with the next seed (1)")
    parser.add_argument("--hours", type=number, metavar="H", help="session-hours, in as many lives as that takes")
    parser.add_argument(
        "--seconds",
        type=number,
        metavar="T",
        help="length of a life, s (20; where evidence is drawn 3600; of a trial 14 days)",
    )
    parser.add_argument(
        "--depth",
        choices=list(SECONDS),
        default="signals",
        help="every sample made, journalled and decoded (signals); an amplifier of few samples in which the "
        "evidence is drawn (evidence), for long lives; or the people of a trial over weeks (trial)",
    )
    parser.add_argument("--system", default="neo_hand", metavar="NAME", help="whose sessions they are (neo_hand)")
    parser.add_argument("--adapts", default="", metavar="RULE", help="rule after which the decoder adapts (none)")
    parser.add_argument("--jobs", type=integer, metavar="N", help="lives at once (one for each core)")
    parser.add_argument("--story", action="store_true", help="print what happened, also where no rule broke")
    parser.add_argument("--until-broken", action="store_true", help="end with the first life that breaks a rule")
    parser.add_argument("--out", type=Path, metavar="FILE", help="enter the figures into the table of this page")


def run(arguments: argparse.Namespace) -> int:
    """Live, and print what broke; a seed that broke a rule prints its story."""
    seconds = SECONDS[arguments.depth] if arguments.seconds is None else arguments.seconds
    jobs = _cores() if arguments.jobs is None else arguments.jobs
    _check(arguments, seconds=seconds, jobs=jobs)
    from workbench.simulation import lives, template

    n = max(arguments.lives, round((arguments.hours or 0.0) * 3600.0 / seconds))
    cost_s = COSTS[arguments.depth] * seconds / jobs
    bar, figures = Bar(10.0 + n * cost_s), Figures()
    with tempfile.TemporaryDirectory(prefix="workbench-simulate-") as folder:
        with bar.stage("a person calibrates", 10.0):
            scene = template(Path(folder), depth=arguments.depth, system=arguments.system, adapts=arguments.adapts)
        with bar.stage(f"{n} lives", n * cost_s):
            began = time.monotonic()
            try:
                with closing(lives(scene, first=arguments.seed, n=n, seconds=seconds, jobs=jobs)) as living:
                    for lived in living:
                        figures.add(lived)
                        if arguments.story or lived.broken:
                            _tell(lived)
                        bar.inside(figures.n * cost_s)
                        if lived.broken and arguments.until_broken:
                            break
            except KeyboardInterrupt:
                figures.interrupted = True
            figures.took_s = time.monotonic() - began
    bar.close()
    print(figures.sentence(arguments.seed))
    if arguments.out is not None and figures.n:
        _enter(arguments.out, figures.row(arguments, seconds))
    if figures.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_DIFFERS if figures.broken else 0


def _check(arguments: argparse.Namespace, *, seconds: float, jobs: int) -> None:
    from workbench.commands.stress import check_writable
    from workbench.errors import BadValue
    from workbench.reading import shown

    longest, usual = LONGEST[arguments.depth], SECONDS[arguments.depth]
    if not 1.0 <= seconds <= longest:
        raise BadValue(f"--seconds must be 1 to {longest:.0f}, got {seconds:g}; {usual:.0f} is usual")
    if not 1 <= arguments.lives <= 10**6:
        raise BadValue(f"--lives must be 1 to 1000000, got {arguments.lives}; 100 is a good beginning")
    if arguments.hours is not None and not 0.0 < arguments.hours <= 10**5:
        raise BadValue(f"--hours must be above 0 and up to 100000, got {arguments.hours:g}; 1 takes some minutes")
    if not 1 <= jobs <= 1024:
        raise BadValue(f"--jobs must be 1 to 1024, got {jobs}; leave it out for one on each core")
    if arguments.out is not None:
        if TABLE[0] not in _page(arguments.out):
            raise BadValue(
                f"--out {shown(arguments.out)} has no table {TABLE[0]!r}; add its two lines to the page"
            )
        check_writable(arguments.out)


def _cores() -> int:
    """Cores that this process may use, at least one."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


@dataclass
class Figures:
    """What came of all lives so far.

    Attributes
    ----------
    n : lives.
    session_s : world time for which an engine ran, s.
    took_s, cpu_s : real time, and processor time of all lives, s.
    rules : how many lives broke each rule.
    broken : lives that broke one.
    changes : of a trial's record that were acknowledged.
    """

    n: int = 0
    session_s: float = 0.0
    took_s: float = 0.0
    cpu_s: float = 0.0
    broken: int = 0
    changes: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    interrupted: bool = False

    def add(self, lived: Lived) -> None:
        """One more life."""
        self.n += 1
        self.session_s += lived.session_s
        self.cpu_s += lived.cpu_s
        self.broken += bool(lived.broken)
        self.changes += lived.changes
        self.rules.update({one.rule for one in lived.broken})

    @property
    def rate(self) -> float:
        """Session time over real time."""
        return self.session_s / max(self.took_s, 1e-9)

    @property
    def cpu_rate(self) -> float:
        """Session time over processor time."""
        return self.session_s / max(self.cpu_s, 1e-9)

    def sentence(self, first: int) -> str:
        """All figures in a line."""
        so_far = " until it was interrupted" if self.interrupted else ""
        hours = f"{self.session_s / 3600.0:.2f} session-hours in {self.took_s:.0f} s ({self.rate:.0f} × real time)"
        cost = f"{self.cpu_s / max(self.n, 1):.2f} CPU s a life ({self.cpu_rate:.0f} × CPU time)"
        which = self._which()
        if self.changes:
            cost += f", {self.changes} changes ({self.changes / max(self.cpu_s, 1e-9):.0f} a CPU second)"
        return f"{self.n} lives from seed {first}, {hours}, {cost}{so_far}: {self.broken} broke a rule{which}"

    def _which(self) -> str:
        return "".join(f"; {rule}: {n}" for rule, n in sorted(self.rules.items()))

    def row(self, arguments: argparse.Namespace, seconds: float) -> str:
        """A row of :data:`TABLE`."""
        broke = f"{self.broken}{self._which()}"
        seeds = f"{arguments.seed}–{arguments.seed + self.n - 1}"
        hours = f"{self.session_s / 3600.0:.1f}"
        rates = (f"{self.rate:.0f}", f"{self.cpu_rate:.0f}")
        system = " ".join(filter(None, (arguments.system, arguments.adapts)))
        cells = (arguments.depth, system, seeds, f"{seconds:g}", hours, *rates, broke)
        return f"| {' | '.join(cells)} |"


def _page(path: Path) -> str:
    from workbench import reading
    from workbench.errors import BadValue

    return reading.read_bytes(path, "page", largest=LARGEST_PAGE, error=BadValue).decode("utf-8", errors="replace")


def _enter(path: Path, row: str) -> None:
    """Put a row at the end of the table, in the place of one for the same seeds."""
    lines = _page(path).split("\n")
    first = last = lines.index(TABLE[0]) + len(TABLE)
    while last < len(lines) and lines[last].startswith("|"):
        last += 1
    same = row.split("|")[:5]
    rows = [line for line in lines[first:last] if line.split("|")[:5] != same]
    path.write_text("\n".join([*lines[:first], *rows, row, *lines[last:]]), encoding="utf-8")


def _tell(lived: Lived) -> None:
    """What happened, when, and which rule broke."""
    what = f"{lived.changes} changes, " if lived.changes else ""
    print(
        f"seed {lived.seed}: {lived.seconds:.1f} s, {what}{lived.orders} orders to the device, "
        f"trace {lived.trace[:16]}"
    )
    for at_s, what in lived.story:
        print(f"  {at_s:9.3f} s  {what}")


COMMAND = Subcommand(
    name="simulate",
    help="live sessions full of bad luck in virtual time, replayable from a seed, and check what must hold",
    run=run,
    arguments=add_arguments,
)
