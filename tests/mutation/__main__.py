"""Plant faults in a room and see which the suite finds: ``python -m tests.mutation control --n 20``.

Each fault is one small change of the meaning, drawn with a seed from all that could be made: a comparison, an
operator, a number, a condition, a call that is left out. It is planted in a copy of the repository, and the tests
of the room run until one fails that passes without the fault: first the test that found it last time, then the
files that run the changed line, the cheapest first, then all others, the costly last. A fault that no test finds
is printed with its place, so that a test can be written for it, or the reason given why it changes nothing
(``reasons.json``). ``--write docs/faults.md`` puts the result into that table.

``--lives N`` looks with sessions full of bad luck in virtual time instead (``workbench simulate``): at most ``N``
short ones at each depth, one seed after the other, until one breaks a rule, of those whose lives run the changed
statement. The room ``lived`` stands for all rooms that lives run. ``--keep FILE`` remembers how far it came: asked
again it goes on from there, also with more lives, as long as the package stays as it is. ``--jobs`` plants several
faults at once.

Which test found a fault is remembered: it is not planted again while neither the test's file nor the room changes.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from coverage import CoverageData
from coverage.exceptions import DataError

from tests.mutation.hunting import ROOMS
from tests.mutation.lives import LIFE_S, Kept, Lives, interval

ROOT = Path(__file__).resolve().parents[2]

ENGINE = (
    "alarms", "between_runs", "connections", "deadline", "display", "door", "faults", "hop_clock", "intake",
    "ledger", "live_source", "parts", "players", "presence", "procedures", "run_status", "session", "starting",
    "supervision", "updates",
)  # fmt: skip

TESTS = {
    "control": ("tests/control", "tests/contract/test_effectors.py", "tests/runs/test_recomputing.py"),
    "stimulation": (
        "tests/stimulation",
        "tests/control/test_stimulation.py",
        "tests/control/test_with_stimulator.py",
    ),
    "decoding": (
        "tests/decoders",
        "tests/decode",
        "tests/parity/test_adapting_bits.py",
        "tests/parity/test_evidence_bits.py",
        "tests/reference/test_rejection.py",
        "tests/live/test_hop_clock.py",
    ),
    "study": (
        "tests/study",
        "tests/api/test_html_repr.py",
        "tests/cli/test_record_commands.py",
        "tests/runs/test_approve.py",
    ),
    "outcomes": (
        "tests/outcomes",
        "tests/contract/test_outcomes.py",
        "tests/contract/test_changes.py",
        "tests/cli/test_score.py",
    ),
    "engine": (*(f"tests/live/test_{name}.py" for name in ENGINE), "tests/runs/test_grant.py"),
}
"""Tests that answer for a room: files and folders."""

LIVED = ROOMS
"""Rooms whose code simulated lives run."""
MOST = 10_000
"""Faults, and lives for each, that may be asked for."""
EVERY_LIVED = "lived"
"""All of them."""

COSTLY = {
    "control": ("tests/live/test_effector_link.py",),
    "stimulation": (),
    "decoding": ("tests/contract/test_decoders.py",),
    "study": ("tests/runs", "tests/dashboard"),
    "outcomes": (),
    # Cues from elsewhere: whole runs of a system whose presenter gives them.
    "engine": ("tests/live", "tests/faults", "tests/systems/test_selection_ssvep.py"),
}
"""Tests of which each takes long: they run only for a fault that no other test finds."""

REMEMBERED = ROOT / ".mutation_cache"
"""Which test file runs which lines of a room, and which test found a fault: a file of JSON for each room."""

REASONS = Path(__file__).with_name("reasons.json")
"""Why a fault that no test finds changes nothing, by the key of the fault."""

LONGEST_S = 1500.0
"""Time that the tests may take with one fault, s: one that makes them hang is found."""

LONGEST_TEST_S = 180
"""Time that one test may take, s."""

COVERAGE = """
[run]
source = {source}
data_file = {data}
parallel = true
sigterm = true
patch = _exit
context = ${{MUTATION_TEST-}}
"""

_FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)
"""A test in pytest's summary; a line of a log that was captured may begin with ERROR too."""

SWAPS: dict[type[ast.AST], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.And: "or",
    ast.Or: "and",
}


@dataclass(frozen=True)
class Fault:
    """One change of the text of a file: ``text[start:end]`` becomes ``new``."""

    path: Path
    line: int
    start: int
    end: int
    new: str

    @property
    def file(self) -> str:
        """The file from the root of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def change(self) -> str:
        """What becomes what, on one line."""
        old = self.path.read_text(encoding="utf-8")[self.start : self.end]
        return f"`{' '.join(old.split())}` → `{self.new}`"

    @property
    def key(self) -> str:
        """A name that stays where other lines of the file change."""
        line = self.path.read_text(encoding="utf-8").splitlines()[self.line - 1].strip()
        return f"{self.file}: {line}: {self.change}"


@dataclass(frozen=True)
class Measured:
    """What a test file costs, s, and which lines of each file of the room it runs."""

    seconds: float
    lines: dict[str, list[int]]


def faults(path: Path) -> Iterator[Fault]:
    """Every fault that could be planted in a file; texts, annotations and docstrings are left alone."""
    text = path.read_text(encoding="utf-8")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def at(line: int, column: int) -> int:
        row = text[starts[line - 1] : starts[line]]
        return starts[line - 1] + len(row.encode("utf-8")[:column].decode("utf-8"))

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        return at(node.lineno, node.col_offset), at(node.end_lineno or 0, node.end_col_offset or 0)

    for node in _living(ast.parse(text)):
        if isinstance(node, ast.Compare | ast.BinOp | ast.BoolOp):
            yield from _swapped(path, text, node, span)
        elif isinstance(node, ast.If | ast.IfExp | ast.While):
            start, end = span(node.test)
            yield Fault(path, node.lineno, start, end, f"not ({text[start:end]})")
        elif isinstance(node, ast.Constant) and (changed := _changed(node.value)):
            yield Fault(path, node.lineno, *span(node), changed)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield Fault(path, node.lineno, *span(node), "pass")


def _swapped(path: Path, text: str, node: ast.Compare | ast.BinOp | ast.BoolOp, span: object) -> Iterator[Fault]:
    """The operator of an expression replaced by its like."""
    if isinstance(node, ast.Compare):
        left, right, operator = node.left, node.comparators[0], node.ops[0]
    elif isinstance(node, ast.BinOp):
        left, right, operator = node.left, node.right, node.op
    else:
        left, right, operator = node.values[0], node.values[1], node.op
    if type(operator) not in SWAPS:
        return
    between = (span(left)[1], span(right)[0])  # type: ignore[operator]
    gap = text[slice(*between)]
    signs = {"and", "or", "is not", "not in", "is", "in", "<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/"}
    sign = next((s for s in sorted(signs, key=len, reverse=True) if s in gap), "")
    if sign and "#" not in gap:
        start = between[0] + gap.index(sign)
        yield Fault(path, node.lineno, start, start + len(sign), SWAPS[type(operator)])


def _changed(value: object) -> str:
    """Another value for a constant; texts stay."""
    if isinstance(value, bool):
        return str(not value)
    if isinstance(value, int):
        return str(value + 1)
    return repr(value * 1.5 + 0.1) if isinstance(value, float) else ""


def _living(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run: not annotations, not ``TYPE_CHECKING``, not texts with places."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list") or isinstance(value, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            yield child
            yield from _living(child)


class Suite:
    """The tests of a room in a copy of the repository, and what is remembered of them.

    Parameters
    ----------
    room
        Folder of the package.
    copy
        Copy of the repository in which faults are planted.
    """

    def __init__(self, room: str, copy: Path) -> None:
        self._copy = copy
        self._room = room
        self._store = REMEMBERED / f"{room}.json"
        stored = json.loads(self._store.read_text(encoding="utf-8")) if self._store.exists() else {}
        self._found: dict[str, tuple[str, str]] = stored.get("found", {})
        self._measured: dict[str, dict[str, object]] = stored.get("tests", {})
        self._paths = files_of(copy, TESTS[room])
        # File by file: pytest would take a folder for all that was named before it, and keep no order.
        self._costly = [path for path in files_of(copy, COSTLY[room]) if path not in self._paths]
        self._tests: dict[str, Measured] = {}
        self._digests: dict[str, str] = {}
        self._passing: set[str] = set()
        self._failing: set[str] = set()

    def measure(self) -> str:
        """Run every test file without a fault, once; the test files that fail, ``""`` when none does."""
        package = sorted((self._copy / "workbench").rglob("*.py"))
        room = [path for path in package if path.is_relative_to(self._copy / "workbench" / self._room)]
        sources = _digest(*package)
        self._digests = digests = {path: _digest(*room, self._copy / path) for path in self._paths}
        for _ in range(2):
            # A test that needs real time may fail once on a busy machine.
            missing = [path for path in self._paths if self._measured.get(path, {}).get("digest") != digests[path]]
            if missing:
                for path, test in self._run_measured(missing).items():
                    self._measured[path] = {"digest": digests[path], "sources": sources, **asdict(test)}
                self._save()
        self._tests = {
            path: Measured(stored["seconds"], stored["lines"])  # type: ignore[arg-type]
            for path in self._paths
            if (stored := self._measured.get(path, {})).get("digest") == digests[path]
        }
        self._passing = {path for path in self._tests if self._measured[path].get("sources") == sources}
        return ", ".join(sorted(set(self._paths) - set(self._tests)))

    def _run_measured(self, paths: list[str]) -> dict[str, Measured]:
        """Run test files and see which lines of the room each runs, in its own process and in those it starts."""
        with tempfile.TemporaryDirectory(prefix="mutation-") as name:
            folder = Path(name)
            settings, outcome = folder / "settings", folder / "outcome.json"
            source = self._copy / "workbench" / self._room
            settings.write_text(COVERAGE.format(source=source, data=folder / "lines"), encoding="utf-8")
            command = (
                "-m",
                "coverage",
                "run",
                f"--rcfile={settings}",
                "-m",
                "pytest",
                "-p",
                "tests.mutation.watching",
            )
            self._run(
                command,
                paths,
                {"COVERAGE_PROCESS_START": str(settings), "MUTATION_OUTCOME": str(outcome)},
                36000.0,
            )
            seconds: dict[str, float] = json.loads(outcome.read_text(encoding="utf-8")) if outcome.exists() else {}
            lines: dict[str, dict[str, set[int]]] = {path: {} for path in seconds}
            for data_file in folder.glob("lines.*"):
                data = CoverageData(str(data_file))
                # A process that a test killed while it wrote its lines has left half a file.
                try:
                    data.read()
                except DataError:
                    continue
                for measured in data.measured_files():
                    file = Path(measured).relative_to(self._copy).as_posix()
                    for line, contexts in data.contexts_by_lineno(measured).items():
                        for path in {context.removeprefix("|") for context in contexts} & lines.keys():
                            lines[path].setdefault(file, set()).add(line)
        return {
            path: Measured(spent, {file: sorted(ran) for file, ran in lines[path].items()})
            for path, spent in seconds.items()
        }

    def found_by(self, fault: Fault) -> str:
        """The test that fails with a fault and passes without it, ``""`` when none does.

        A test that found the fault is asked again only when its file or a file of the room has changed since.
        """
        last, digest = self._found.pop(fault.key, ("", ""))
        if digest and digest == self._digest_of(last):
            by = last
        else:
            by = self._first_failure(fault, [last]) if "::" in last else ""
            if "::" not in by:
                # Not found again, or the test has another name by now.
                by = self._first_failure(fault, self._in_order(fault))
            while by and by not in self._failing and not self._passes(by):
                self._failing.add(by)
                by = self._first_failure(fault, self._in_order(fault))
        if by:
            self._found[fault.key] = by, self._digest_of(by)
        self._save()
        return by

    def _digest_of(self, test: str) -> str:
        return self._digests.get(test.partition("::")[0], "")

    def _first_failure(self, fault: Fault, paths: list[str]) -> str:
        """The first test that fails with a fault planted, ``""`` when none does."""
        with planted(self._copy, fault):
            done = self._pytest(*(f"--deselect={test}" for test in self._failing), *paths)
        if done is None:
            return "tests that hang"
        failed = _FAILED.findall(done.stdout)
        if failed:
            return str(failed[0])
        return f"an import that fails (pytest, exit {done.returncode})" if done.returncode not in (0, 5) else ""

    def _passes(self, test: str) -> bool:
        """Whether a test passes without a fault; it is run once, unless its file has passed with these sources.

        A file of which the suite runs no test (pytest, exit 5) finds nothing and is in nobody's way.
        """
        if "::" not in test or test.partition("::")[0] in self._passing:
            return True
        if test not in self._passing and (done := self._pytest(test)) is not None and done.returncode in (0, 5):
            self._passing.add(test)
        return test in self._passing

    def _pytest(self, *arguments: str) -> subprocess.CompletedProcess[str] | None:
        return self._run(("-m", "pytest", "-x", f"--timeout={LONGEST_TEST_S}"), arguments, {}, LONGEST_S)

    def _in_order(self, fault: Fault) -> list[str]:
        """Test files, those first that run the line of a fault, and among them those that run much of its file.

        The others follow, because a line that runs when its module is imported belongs to no test.
        """

        def cost(path: str) -> tuple[bool, float]:
            test = self._tests[path]
            lines = test.lines.get(fault.file, [])
            return fault.line not in lines, (test.seconds + 1.0) / (len(lines) + 1.0)

        return [*sorted(self._tests, key=cost), *self._costly]

    def _run(
        self, command: tuple[str, ...], paths: Sequence[str], env: dict[str, str], longest_s: float
    ) -> subprocess.CompletedProcess[str] | None:
        """Run pytest in the copy; ``None`` when it takes longer than it may."""
        try:
            return subprocess.run(
                [sys.executable, *command, "-q", "-n", "0", "-p", "no:cacheprovider", *paths],
                cwd=self._copy,
                env={**os.environ, "PYTHONPATH": str(self._copy), "CI": "1", **env},
                capture_output=True,
                text=True,
                timeout=longest_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None

    def _save(self) -> None:
        REMEMBERED.mkdir(exist_ok=True)
        self._store.write_text(json.dumps({"found": self._found, "tests": self._measured}), encoding="utf-8")


def files_of(copy: Path, parts: Sequence[str]) -> list[str]:
    """The files of tests, from the root of a copy of the repository, that files and folders name."""
    return [
        path.relative_to(copy).as_posix()
        for part in parts
        for path in ([copy / part] if part.endswith(".py") else sorted((copy / part).rglob("test_*.py")))
    ]


@contextmanager
def planted(copy: Path, fault: Fault) -> Iterator[None]:
    """With a fault in a copy of the repository."""
    target = copy / fault.file
    text = target.read_text(encoding="utf-8")
    target.write_text(text[: fault.start] + fault.new + text[fault.end :], encoding="utf-8")
    try:
        yield
    finally:
        target.write_text(text, encoding="utf-8")


def _digest(*paths: Path) -> str:
    """A hash of the content of files, 16 digits."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:16]


TABLE = """# Faults that the suite finds
Small faults, drawn with a seed from all that could be planted in a room, one at a time (CONTRIBUTING.md). Each
row is written by its command, `python -m tests.mutation ROOM --seed SEED --write docs/faults.md`, for the code of
its day: other code gives other faults.

| room | seed | planted | of possible | found | not found |
|---|--:|--:|--:|--:|---|
"""


def write_row(path: Path, start: str, row: str) -> None:
    """Put the row that begins with ``start`` into the table, in the place of an older one.

    Parameters
    ----------
    path
        The file of the table; it is made where it is missing.
    start
        Begin of the row: room and seed.
    row
        The row, a line of Markdown.
    """
    rows = path.read_text(encoding="utf-8").removeprefix(TABLE).splitlines() if path.exists() else []
    rows = sorted([row, *(line for line in rows if not line.startswith(start))])
    path.write_text(TABLE + "\n".join(rows) + "\n", encoding="utf-8")


def main() -> int:
    """Plant faults and print which were found."""
    asked = _asked()
    rooms = LIVED if asked.room == EVERY_LIVED else (asked.room,)
    files = [path for room in rooms for path in sorted((ROOT / "workbench" / room).rglob("*.py"))]
    every = [fault for path in files for fault in faults(path)]
    chosen = list(enumerate(random.Random(asked.seed).sample(every, asked.n), 1))
    if asked.list:
        for number, fault in chosen:
            print(f"{number:2} {fault.file}:{fault.line}: {fault.change}")
        return 0
    chosen = [(number, fault) for number, fault in chosen if not asked.only or number in asked.only]
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        copies = [Path(name) / f"{k}" / "repo" for k in range(asked.jobs)]
        for copy in copies:
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".*_cache"))
            (copy.parent / "shared").symlink_to(ROOT.parent / "shared")
        suite: Suite | Lives
        if asked.lives is None:
            suite = Suite(asked.room, copies[0])
        else:
            code = _digest(*sorted((ROOT / "workbench").rglob("*.py")))
            suite = Lives(copies, asked.lives, depths=asked.depth, kept=Kept(asked.keep, code), planted=planted)
        if broken := suite.measure():
            # A test that fails by itself would be taken for one that found each fault.
            print(f"the tests of {asked.room} fail without any fault planted: {broken}; mend that first")
            return 2
        missed = _missed(suite, chosen, jobs=asked.jobs)
    found = len(chosen) - len(missed)
    low, high = interval(found, len(chosen))
    print(
        f"{asked.room}: {found} of {len(chosen)} found, 95 % interval {low:.0f} to {high:.0f} % "
        f"(seed {asked.seed}, of {len(every)} possible)"
    )
    if asked.write:
        start = f"| {asked.room} | {asked.seed} | "
        listed = "; ".join(missed).replace("|", "\\|") or "–"
        row = f"{start}{len(chosen)} | {len(every)} | {found} | {listed} |"
        write_row(asked.write, start, row)
    return 1 if len(missed) > 1 else 0


def _asked() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("room", choices=sorted({*TESTS, *LIVED, EVERY_LIVED}))
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the faults to plant, as listed")
    parser.add_argument("--list", action="store_true", help="print the faults and run nothing")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the result into this table")
    parser.add_argument(
        "--lives", type=int, metavar="N", help="look with simulated lives, at most N for each fault"
    )
    parser.add_argument("--keep", type=Path, metavar="FILE", help="with --lives: go on from what it remembers")
    parser.add_argument(
        "--depth", nargs="+", choices=sorted(LIFE_S), default=["signals"], help="of lives; one after the other"
    )
    parser.add_argument("--jobs", type=int, default=1, help="faults planted at once, with --lives")
    asked = parser.parse_args()
    if asked.lives is None and asked.room not in TESTS and not asked.list:
        parser.error(f"no tests answer for {asked.room} alone: look with --lives N")
    if asked.lives is None and (asked.keep or asked.jobs != 1):
        parser.error("--keep and --jobs are for lives: look with --lives N")
    if asked.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {asked.jobs}")
    if not 1 <= asked.n <= MOST or (asked.lives is not None and not 1 <= asked.lives <= MOST):
        parser.error(f"--n and --lives must be 1 to {MOST}")
    if asked.lives is not None and asked.write:
        parser.error("--write is for faults that the suite finds: leave --lives out")
    if asked.write and (asked.only or asked.list):
        parser.error("--write needs all faults planted: leave --only and --list out")
    return asked


def _missed(suite: Suite | Lives, chosen: list[tuple[int, Fault]], *, jobs: int) -> list[str]:
    """Which faults nothing finds, with their places; each is printed as soon as it is known."""
    reasons: dict[str, str] = json.loads(REASONS.read_text(encoding="utf-8"))

    def looked(numbered: tuple[int, Fault]) -> str:
        number, fault = numbered
        began = time.monotonic()
        # A fault that changes nothing would only make every test of the room run.
        by = "" if fault.key in reasons else suite.found_by(fault)
        place = f"{fault.file.removeprefix('workbench/')}:{fault.line}: {fault.change}"
        verdict = f"found by {by}" if by else "NOT FOUND"
        if not by and isinstance(suite, Lives):
            verdict += f" by the {suite.seeds(fault)} lives that run it"
        print(f"{number:2} {place}: {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
        return "" if by else f"{place}: {reasons.get(fault.key, 'needs a test')}"

    with ThreadPoolExecutor(jobs) as pool:
        return [missed for missed in pool.map(looked, chosen) if missed]


if __name__ == "__main__":
    sys.exit(main())
