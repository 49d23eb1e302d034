"""Plant faults in a room and see which the suite finds: ``python -m tests.mutation control --n 20``.

Each fault is one small change of the meaning, drawn with a seed from all that could be made: a comparison, an
operator, a number, a condition, a call that is left out. It is planted in a copy of the repository, and the tests
of the room run until one fails. A fault that no test finds is printed with its place, so that a test can be
written for it, or the reason given why it changes nothing.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TESTS = {
    "control": ("tests/control", "tests/contract/test_effectors.py", "tests/live/test_effector_link.py"),
    "decoding": (
        "tests/decoders",
        "tests/contract/test_decoders.py",
        "tests/decode",
        "tests/parity",
        "tests/reference/test_rejection.py",
    ),
    "study": ("tests/study", "tests/cli/test_record_commands.py", "tests/runs", "tests/dashboard"),
    "outcomes": (
        "tests/outcomes",
        "tests/contract/test_outcomes.py",
        "tests/contract/test_changes.py",
        "tests/cli/test_score.py",
    ),
    "engine": ("tests/live", "tests/faults"),
}
"""Tests that answer for a room, the quickest first."""

LONGEST_S = 1500.0
"""Time that the tests may take with one fault, s: one that makes them hang is found."""

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


def found_by(fault: Fault, copy: Path, tests: tuple[str, ...]) -> str:
    """The test that finds a fault, ``""`` when none does."""
    target = copy / fault.path.relative_to(ROOT)
    text = target.read_text(encoding="utf-8")
    target.write_text(text[: fault.start] + fault.new + text[fault.end :], encoding="utf-8")
    try:
        return first_failure(copy, tests)
    finally:
        target.write_text(text, encoding="utf-8")


def first_failure(copy: Path, tests: tuple[str, ...]) -> str:
    """The first test that fails in a copy, ``""`` when none does."""
    env = {**os.environ, "PYTHONPATH": str(copy), "CI": "1"}
    for part in tests:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", part]
        try:
            done = subprocess.run(
                command, cwd=copy, env=env, capture_output=True, text=True, timeout=LONGEST_S, check=False
            )
        except subprocess.TimeoutExpired:
            return f"{part} (hangs)"
        if done.returncode:
            lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
            return lines[0][:160] if lines else f"{part} (exit {done.returncode})"
    return ""


def main() -> int:
    """Plant faults and print which were found."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("room", choices=sorted(TESTS))
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="print the faults and run nothing")
    asked = parser.parse_args()
    every = [fault for path in sorted((ROOT / "workbench" / asked.room).rglob("*.py")) for fault in faults(path)]
    chosen = random.Random(asked.seed).sample(every, asked.n)
    missed = 0
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        copy = Path(name) / "repo"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "__pycache__", ".*_cache"))
        (Path(name) / "shared").symlink_to(ROOT.parent / "shared")
        if not asked.list and (broken := first_failure(copy, TESTS[asked.room])):
            # A test that fails by itself would be taken for one that found each fault.
            print(f"the tests of {asked.room} fail without any fault planted: {broken}; mend that first")
            return 2
        for number, fault in enumerate(chosen, 1):
            text = fault.path.read_text(encoding="utf-8")
            old = text[fault.start : fault.end]
            place = f"{fault.path.relative_to(ROOT)}:{fault.line}"
            began = time.monotonic()
            by = "" if asked.list else found_by(fault, copy, TESTS[asked.room])
            missed += not by
            verdict = "listed" if asked.list else f"found by {by}" if by else "NOT FOUND"
            print(
                f"{number:2} {place}: {old!r} → {fault.new!r}: {verdict} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
    if not asked.list:
        print(f"{asked.room}: {asked.n - missed} of {asked.n} found (seed {asked.seed}, of {len(every)} possible)")
    return 1 if missed > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
