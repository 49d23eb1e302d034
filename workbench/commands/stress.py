"""`workbench stress NAME`: long fault tests. The suite runs a small size of each, this runs the rest.

A stress test counts; it never judges its own figures by a threshold other than *nothing lost, nothing broken*.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tqdm import tqdm

from workbench import __version__, reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, integer, number, seed
from workbench.commands._parser import build_parser
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.systems import CardFigure

SHORT_LIFE_S: Mapping[str, float] = {"signals": 4.0, "trial": 14 * 86400.0}
"""Length of each life of a stress test, s, by kind."""
EDITS = 10
"""Fields that are edited for each kill of ``record``: at its full size every field that there is."""
KEPT = ("record", "statistics", "stop", "trial")
"""Tests that can keep what ran in a file, and go on from it."""
OF_SYSTEMS = ("attempts", "cued", "evoked", "responses", "states")
"""Tests that measure the figure of a system's card."""
ON_SERVERS = ("record", "trial", "writers")
"""Tests that can keep their records in PostgreSQL."""
MOST = 1_000_000
"""Largest size of a test; a larger one would run for weeks."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the test, its size and seed, and where its figures go."""
    parser.add_argument("name", metavar="NAME", help="which one; 'list' describes them")
    parser.add_argument(
        "--n", type=integer, metavar="N", help="how many times, or seconds (default: the full size)"
    )
    parser.add_argument("--minutes", type=number, metavar="M", help="of soak: how long (default: the full size)")
    parser.add_argument("--channels", type=integer, metavar="C", help="of soak: channels of the amplifier")
    parser.add_argument("--rate", type=number, metavar="R", help="of soak: its rate, Hz")
    parser.add_argument(
        "--database",
        default="",
        metavar="URL",
        help="of record, trial and writers: the PostgreSQL database that holds their records",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="of record, statistics, stop and trial: keeps what ran, and is gone on from",
    )
    parser.add_argument("--seed", type=seed, default=1, metavar="N", help="default %(default)s")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="append the figures to this document")
    parser.add_argument(
        "--cards",
        type=Path,
        metavar="FILE.json",
        help="of tests of systems: enter the figure of each system's card into this file",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the test and print its figures, or list the tests."""
    if arguments.name == "list":
        _list(arguments)
        return 0
    if arguments.out is not None:
        check_writable(arguments.out)
    if arguments.cards is not None:
        check_cards(arguments.name, arguments.cards)
    own = {name: getattr(arguments, name) for name in ("minutes", "channels", "rate")}
    size = {"n": arguments.n, **own}
    figures = measure(
        arguments.name, seed=arguments.seed, database=arguments.database, keep=arguments.keep, **size
    )
    print(as_json("stress", figures, ok=figures.held) if arguments.json else figures.as_text())
    if arguments.out is not None:
        figures.append_to(arguments.out)
    if arguments.cards is not None:
        figures.enter_cards(arguments.cards)
    return 0 if figures.held else EXIT_DIFFERS


def check_cards(name: str, path: Path) -> None:
    """Refuse cards that could not be entered, before an hour of figures."""
    from workbench import systems

    if name not in OF_SYSTEMS:
        which = " or ".join(OF_SYSTEMS)
        raise BadValue(f"the stress test {name} measures no figure of a card; leave --cards out, or run {which}")
    systems.keep_card_figures(path, {})


def _list(arguments: argparse.Namespace) -> None:
    if arguments.json:
        tests = [{"name": name, "what": test.what, "full": dict(test.full)} for name, test in TESTS.items()]
        print(as_json("stress list", tests, ok=True))
        return
    for name, test in TESTS.items():
        print(f"{name:24s} {test.what} (full size: {_options(test.full)})")


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one stress test.

    Attributes
    ----------
    command : the command that repeats it.
    text : the figures, one line each.
    held : whether nothing was lost or broken.
    seconds : duration, s.
    card_figures : the figure of each system's card that it measured.
    """

    command: str
    text: str
    held: bool
    seconds: float
    card_figures: Mapping[str, CardFigure] = field(default_factory=dict)

    def as_text(self) -> str:
        """Figures, verdict and time."""
        return f"{self.text}\n{'held' if self.held else 'NOT HELD'}, {self.seconds:.0f} s"

    def append_to(self, path: Path) -> None:
        """Add the figures to a Markdown document, with the command, version and machine."""
        check_writable(path)
        machine = f"workbench {__version__}, Python {platform.python_version()}, {platform.machine()}"
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"\n## `{self.command}`\n{machine}\n\n```\n{self.as_text()}\n```\n")

    def enter_cards(self, path: Path) -> None:
        """Enter the figures of systems' cards into a file of them, with the command."""
        from workbench import systems

        named = {name: replace(one, command=self.command) for name, one in self.card_figures.items()}
        systems.keep_card_figures(path, named)


class Outcome(NamedTuple):
    """What a test found.

    Attributes
    ----------
    text : the figures, one line each.
    held : whether nothing was lost or broken.
    card_figures : the figure of each system's card that it measured.
    """

    text: str
    held: bool
    card_figures: Mapping[str, CardFigure] = MappingProxyType({})


class _OfSystem(Protocol):
    """Figures of one system."""

    @property
    def passed(self) -> bool: ...

    @property
    def card_figure(self) -> CardFigure | None: ...

    def text(self) -> str: ...


def _of_systems(figures: Mapping[str, _OfSystem]) -> Outcome:
    every = figures.values()
    card_figures = {name: line for name, one in figures.items() if (line := one.card_figure) is not None}
    return Outcome("\n".join(one.text() for one in every), all(one.passed for one in every), card_figures)


@dataclass(frozen=True, slots=True)
class StressTest:
    """One long test.

    Attributes
    ----------
    what : it does.
    full : its full size, by option: ``n`` of most tests.
    run : takes the size by option, and ``seed``; returns (text, held), or these with card figures.
    """

    what: str
    full: Mapping[str, float]
    run: Callable[..., tuple[str, bool] | Outcome]


def _options(size: Mapping[str, float]) -> str:
    """A size as it is typed."""
    return " ".join(f"--{name} {value:.12g}" for name, value in size.items())


def _record(n: int, seed: int, database: str = "", keep: Path | None = None) -> tuple[str, bool]:
    from workbench.stress import record as stress

    with tqdm(file=sys.stderr, unit="case", disable=not sys.stderr.isatty()) as bar:
        figures = stress.run(
            kills=n, cuts=n, flips=n, edits=EDITS * n, seed=seed, database=database, keep=keep,
            progress=lambda done, _: bar.update(done - bar.n),
        )  # fmt: skip
    return figures.text(), figures.ok


def _backup(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import backup as stress

    figures = stress.backed_up(n, seed)
    return figures.text(), figures.passed


def _trial(n: int, seed: int, database: str = "", keep: Path | None = None) -> tuple[str, bool]:
    from workbench.stress import trial as stress

    with tqdm(total=2 * n, file=sys.stderr, unit="case", disable=not sys.stderr.isatty()) as bar:
        figures = stress.broken(n, seed, step=lambda: bar.update(1), database=database, keep=keep)
    return figures.text(), figures.passed


def _writers(n: int, seed: int, database: str = "") -> tuple[str, bool]:
    from workbench.stress.crowd import crowd

    # Nothing in it is drawn: the processes find their order themselves.
    del seed
    figures = crowd(float(n), database=database)
    return figures.text(), figures.passed


def _randomisation(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import randomisation as stress

    with tqdm(total=3 * n, file=sys.stderr, unit="trial", disable=not sys.stderr.isatty()) as bar:
        figures = stress.randomised(n, seed, step=lambda: bar.update(1))
    return "\n".join(one.text() for one in figures), all(one.passed for one in figures)


def _recording(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import recording as stress

    figures = stress.torn_files(n, seed)
    return figures.text(), figures.passed


def _lossless(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress.lossless import lossless

    figures = lossless(seconds=float(n), seed=seed)
    return figures.text(), figures.passed


def _safety(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import safety

    figures = safety.matrix(n, seed=seed)
    return figures.text(), figures.passed


def _stop(n: int, seed: int, keep: Path | None = None) -> tuple[str, bool]:
    from workbench import control
    from workbench.stress import stopping

    shown, total = sys.stderr.isatty(), n * len(control.available())
    with tqdm(total=total, file=sys.stderr, unit="case", disable=not shown) as bar:
        figures = stopping.stopping(n, seed, keep=keep, step=bar.update, told=_nothing if shown else _line)
    return "\n".join(one.text() for one in figures), all(one.passed for one in figures)


def _nothing(text: str) -> None:
    """The bar says it already."""


def _reloads(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import reloads

    figures = reloads.reloads(n, seed=seed)
    return figures.text(), figures.passed


def _coverage(n: int, seed: int) -> tuple[str, bool]:
    from workbench.analysis import coverage

    rows = coverage.simulate(n=n, seed=seed)
    return coverage.table(rows), all(row.held for row in rows)


def _statistics(n: int, seed: int, keep: Path | None = None) -> tuple[str, bool]:
    from workbench.stress import statistics as stress

    aside()
    shown = sys.stderr.isatty()
    with tqdm(total=stress.total(n), file=sys.stderr, unit="trial", disable=not shown) as bar:
        rows = stress.simulate(
            n, seed, step=lambda: bar.update(1), file=keep, told=bar.set_postfix_str if shown else _line
        )
    return stress.table(rows), all(row.held for row in rows)


def _line(text: str) -> None:
    """How far it has gone, for whoever reads a log."""
    print(text, file=sys.stderr, flush=True)


def aside() -> None:
    """Let every other process go first: a simulation of hours has time."""
    if hasattr(os, "nice"):
        os.nice(19)


def _analysis(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import known_trials

    with tqdm(total=n, file=sys.stderr, unit="trial", disable=not sys.stderr.isatty()) as bar:
        rows = known_trials.simulated(n, seed, step=lambda: bar.update(1))
    return known_trials.text(rows), all(row.held for row in rows)


def _hostile(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import hostile

    figures = hostile.hostile(build_parser(), n, seed)
    return figures.text(), figures.passed


def _effector(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import strangers

    figures = strangers.taken_by_stranger(n)
    return figures.text(), figures.passed


def _control(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import control

    length = control.longest(n)
    total = n + len(control.ACTS) ** length
    with tqdm(total=total, file=sys.stderr, unit="step", disable=not sys.stderr.isatty()) as bar:
        figures = control.walked(n, seed, length=length, progress=bar.update)
    return figures.text(), figures.passed


def _scanning(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import scanning

    with tqdm(total=n, file=sys.stderr, unit="day", disable=not sys.stderr.isatty()) as bar:
        figures = scanning.scanned(n, seed, step=bar.update)
    return figures.text(), figures.passed


def _mapping(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import mapping

    with tqdm(total=n, file=sys.stderr, unit="map", disable=not sys.stderr.isatty()) as bar:
        figures = mapping.mapped(n, seed, step=bar.update)
    return figures.text(), figures.passed


def _switch(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import switch

    with tqdm(total=n, file=sys.stderr, unit="day", disable=not sys.stderr.isatty()) as bar:
        figures = switch.days_in_browser(n, seed, step=bar.update)
    return figures.text(), figures.passed


def _evoked(n: int, seed: int) -> Outcome:
    from workbench.stress import evoked

    return _of_systems({one.system: one for one in evoked.evoked(n, seed)})


def _attempts(n: int, seed: int) -> Outcome:
    from workbench.stress import attempts

    return _of_systems({one.system: one for one in attempts.attempts(n, seed)})


def _cued(n: int, seed: int) -> Outcome:
    from workbench.stress import cued

    return _of_systems({one.system: one for one in cued.cued(n, seed)})


def _responses(n: int, seed: int) -> Outcome:
    from workbench.stress import responses

    with tqdm(total=n, file=sys.stderr, unit="participant", disable=not sys.stderr.isatty()) as bar:
        return _of_systems({responses.SYSTEM: responses.responses(n, seed, step=bar.update)})


def _states(n: int, seed: int) -> Outcome:
    from workbench.stress import states

    return _of_systems({states.SYSTEM: states.states(n, seed)})


def _concealment(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import concealment

    with tqdm(total=n, file=sys.stderr, unit="pair", disable=not sys.stderr.isatty()) as bar:
        figures = concealment.concealed(n, seed, step=bar.update)
    return figures.text(), figures.passed


def _peers(n: int, seed: int) -> tuple[str, bool]:
    from workbench.stress import peers

    figures = peers.two_computers(float(n))
    return figures.text(), figures.passed


def _batch(n: int, seed: int) -> tuple[str, bool]:
    from workbench.batch import stress

    figures = stress.batches(n, seed, say=_said)
    return figures.text(), figures.passed


def _said(what: str) -> None:
    """What begins, to whoever sits at the terminal."""
    if sys.stderr.isatty():
        print(f"{what} …", file=sys.stderr)


def _soak(minutes: float, channels: int, rate: float, seed: int) -> tuple[str, bool]:
    from workbench.stress.soak import soak

    figures = soak(minutes=minutes, n_channels=channels, fs=rate, seed=seed)
    return figures.text(), figures.passed


def _lives(n: int, seed: int) -> tuple[str, bool]:
    """``n`` lives of sessions and ``n`` of trials, and what broke."""
    import tempfile

    from workbench.commands.simulate import Figures
    from workbench.simulation import clinic_of, lives, template

    lines, broken = [], 0
    with tempfile.TemporaryDirectory(prefix="workbench-lives-") as folder:
        sessions = template(Path(folder) / "sessions")
        for scene in (sessions, clinic_of(Path(folder) / "trials", sessions)):
            figures, began = Figures(), time.monotonic()
            for lived in lives(scene, first=seed, n=n, seconds=SHORT_LIFE_S[scene.depth], jobs=1):
                figures.add(lived)
            figures.took_s = time.monotonic() - began
            lines.append(f"{scene.depth}: {figures.sentence(seed)}")
            broken += figures.broken
    return "\n".join(lines), broken == 0


TESTS = {
    "record": StressTest(
        "kill -9, cut tails and flipped bits of the study record, n of each, and every single field edited",
        {"n": 1000},
        _record,
    ),
    "trial": StressTest(
        "fifty changes of a trial: n processes killed, n writes failing, then 20 writers for 0.06 n seconds",
        {"n": 1000},
        _trial,
    ),
    "writers": StressTest(
        "20 processes write one record for n seconds: a number counted up, people, slots of a list",
        {"n": 60},
        _writers,
    ),
    "randomisation": StressTest(
        "n simulated trials of each kind of design: within bounds, and the same from their seed",
        {"n": 10_000},
        _randomisation,
    ),
    "backup": StressTest(
        "a backup of n MB while another process writes: its time, and the writer's waits", {"n": 1000}, _backup
    ),
    "batch": StressTest(
        "n recordings decoded again by this process, by others and by Dask, a worker killed: the same results",
        {"n": 1000},
        _batch,
    ),
    "recording": StressTest("kill -9 of a recording writer and torn files, n kills", {"n": 1000}, _recording),
    "concealment": StressTest(
        "somebody blinded reads n pairs of participants through the service: what tells the arm",
        {"n": 2000},
        _concealment,
    ),
    "coverage": StressTest(
        "how often printed intervals contain the true value, n simulations of each", {"n": 4000}, _coverage
    ),
    "lives": StressTest(
        "lives full of bad luck in virtual time, each from its seed: n of sessions and n of trials",
        {"n": 1000},
        _lives,
    ),
    "statistics": StressTest(
        "type-I error and coverage of every interval of a report, n simulated trials of each",
        {"n": 4000},
        _statistics,
    ),
    "analysis": StressTest(
        "whole trials of 32 put into a record and analysed: do the intervals hold the simulated effect, n trials",
        {"n": 200},
        _analysis,
    ),
    "effector": StressTest("strangers try to take the effector, n starts in every order", {"n": 100}, _effector),
    "control": StressTest(
        "whatever is asked of the supervisor of stimulation: n steps drawn, and every road of a small machine",
        {"n": 1_000_000},
        _control,
    ),
    "attempts": StressTest(
        "self-paced systems find attempts, n simulated participants of each", {"n": 20}, _attempts
    ),
    "cued": StressTest("cued systems decide, n simulated participants of each", {"n": 20}, _cued),
    "responses": StressTest(
        "the loop of the evoked response, closed and open, n simulated participants", {"n": 20}, _responses
    ),
    "states": StressTest(
        "the brain-spine interface tells states of the legs, n simulated participants", {"n": 20}, _states
    ),
    "scanning": StressTest(
        "days at home by one noisy switch: n seeds, what is completed in time and what false clicks arm",
        {"n": 200},
        _scanning,
    ),
    "mapping": StressTest(
        "whole maps of the 16 contacts of a lead, n simulated participants: their time, hot-spots and currents",
        {"n": 20},
        _mapping,
    ),
    "switch": StressTest(
        "days at home by one noisy switch on the real page in Chromium, with engine and glove: n seeds",
        {"n": 5},
        _switch,
    ),
    "evoked": StressTest("P300 and SSVEP select, n simulated participants of each", {"n": 20}, _evoked),
    "hostile": StressTest("bad input for every command and reader, n of the cases", {"n": 5000}, _hostile),
    "lossless": StressTest(
        "64 ch × 1 kHz with a sample counter, a kernel holding its lock, n seconds", {"n": 60}, _lossless
    ),
    "peers": StressTest(
        "an amplifier on another computer, by network namespaces (Linux, root), n seconds", {"n": 60}, _peers
    ),
    "safety": StressTest(
        "every fault with a closed hand: time until the device is safe, n each", {"n": 5}, _safety
    ),
    "stop": StressTest(
        "every effector closed: n STOPs beside an echo, n lost links until its safe state begins and is complete",
        {"n": 200},
        _stop,
    ),
    "reloads": StressTest(
        "the only page of an armed session reloads n times; nothing is dropped", {"n": 50}, _reloads
    ),
    "soak": StressTest(
        "a session at full load with no core free: nothing lost, memory flat, replayed equal",
        {"minutes": 10.0, "channels": 64, "rate": 2000.0},
        _soak,
    ),
}


def check_writable(path: Path) -> None:
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
    raise BadValue(f"--out {reading.shown(path)} is not a regular file; name another document")


def measure(
    name: str, *, n: int | None = None, seed: int = 1, database: str = "", keep: Path | None = None,
    **own: float | None,
) -> Figures:  # fmt: skip
    """Run one stress test.

    Parameters
    ----------
    name : one of :data:`TESTS`.
    n : its size, None for the full one.
    database : URL of a PostgreSQL database, of the test that can use one.
    keep : file that keeps what ran, of the test that can go on from one.
    seed : of everything random in it.
    **own : size of a test that has other options than ``n``; None for the full one.

    Raises
    ------
    BadValue
        For an unknown name, a size below 1, or an option that the test does not have.
    """
    if name not in TESTS:
        raise BadValue(
            f"there is no stress test {name!r}; they are {', '.join(TESTS)}. "
            "'workbench stress list' describes them"
        )
    full = TESTS[name].full
    given = {option: value for option, value in {"n": n, **own}.items() if value is not None}
    for option, value in given.items():
        if option not in full:
            allowed = ", ".join(f"--{one}" for one in full)
            raise BadValue(
                f"the stress test {name} has no size --{option}, got {str(value):.60}; allowed are {allowed}: "
                f"leave --{option} out"
            )
    size = {**full, **given}
    if "n" in size and not 1 <= size["n"] <= MOST:
        raise BadValue(f"--n must be 1 or more, and at most {MOST:,}; got {str(size['n']):.60}")
    if database and name not in ON_SERVERS:
        which = " or ".join(ON_SERVERS)
        raise BadValue(f"the stress test {name} uses no database; leave --database out, or run {which}")
    if keep is not None and name not in KEPT:
        which = " or ".join(KEPT)
        raise BadValue(f"the stress test {name} goes on from no file; leave --keep out, or run {which}")
    more: dict[str, object] = {"database": database} if database else {}
    more |= {"keep": keep} if keep is not None else {}
    began = time.monotonic()
    text, held, card_figures = Outcome(*TESTS[name].run(**size, seed=seed, **more))
    text += f"\n{_server(database)}" if database else ""
    command = f"workbench stress {name} {_options(size)} --seed {seed}{' --database URL' * bool(database)}"
    return Figures(command, text, held, time.monotonic() - began, card_figures)


def _server(database: str) -> str:
    """The server that a record lay on, as far as figures depend on it."""
    from workbench import world

    with world.network.database(database, autocommit=True) as server:
        told = [server.execute(f"SHOW {name}").fetchone() for name in ("server_version", "fsync")]
    version, fsync = (str(row[0]) if row else "?" for row in told)
    return f"PostgreSQL {version}, fsync={fsync}"


COMMAND = Subcommand(
    name="stress", help="a long fault test that prints its figures", run=run, arguments=add_arguments
)
