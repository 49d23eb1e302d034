"""Looks for planted faults with simulated lives, and remembers in a file how far it came.

The same seed lives the same life, to the last bit, while no line that it runs is another one. A fault is therefore
looked for only with seeds whose lives run its statement; where it lies in what is imported, or in the calibration
from which lives begin, with all. Which seeds run which lines is seen once, under ``coverage``.
"""

from __future__ import annotations

import ast
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from tests.mutation.hunting import OUTSIDE

ROOT = Path(__file__).resolve().parents[2]
LIFE_S = {"signals": 8.0, "trial": 86400.0}
"""Length of a life of each depth, s: some seconds of a session, and a clinic's day."""
LONGEST_LIFE_S = 90.0
"""How long a life may take, s; what takes longer hangs."""
AT_ONCE = 25
"""Seeds whose lines are noted by one process, and after which it is kept how far they came."""
RENEWED_AFTER = 100
"""Lives after which another process goes on, so that none grows."""
HANGS = "a life that hangs"


class Planted(Protocol):
    """What is known of a fault: its file from the root of the repository, its line, and a name that stays."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def key(self) -> str: ...


class Kept:
    """What a file remembers: which seeds run which lines, and how far each fault was looked for.

    Parameters
    ----------
    path
        The file; None remembers nothing after the end.
    code
        Hash of the code: what was found out about other code is forgotten.
    """

    def __init__(self, path: Path | None, code: str) -> None:
        self._path, self._lock = path, Lock()
        stored: dict[str, Any] = {}
        if path is not None and path.exists():
            stored = json.loads(path.read_text(encoding="utf-8"))
        if stored.get("code") != code:
            stored = {"code": code, "depths": {}}
        self._stored = stored

    def _of(self, depth: str) -> dict[str, Any]:
        part: dict[str, Any] = self._stored["depths"].setdefault(depth, {"seeds": 0, "lines": {}, "faults": {}})
        return part

    def seeds(self, depth: str) -> int:
        """Seeds from 1 on whose lines are known."""
        return int(self._of(depth)["seeds"])

    def note(self, depth: str, last: int, lines: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        """Seeds up to ``last`` ran these lines of each file."""
        part = self._of(depth)
        for file, ran in lines.items():
            known = part["lines"].setdefault(file, {})
            for line, contexts in ran.items():
                # A bit for each seed; the lowest for what runs outside of lives.
                mask = int(known.get(line, "0"), 16)
                for context in contexts:
                    mask |= 1 << (0 if context == OUTSIDE else int(context))
                known[line] = f"{mask:x}"
        part["seeds"] = last
        self._save()

    def runs(self, depth: str, file: str, lines: Iterable[int]) -> int:
        """Who runs one of these lines: bit 0 for what runs outside of lives, bit ``n`` for seed ``n``."""
        known, mask = self._of(depth)["lines"].get(file, {}), 0
        for line in lines:
            mask |= int(known.get(str(line), "0"), 16)
        return mask

    def far(self, depth: str, key: str) -> tuple[str, int]:
        """What found a fault, ``""`` for nothing yet, and the newest seed that was tried."""
        by, last = self._of(depth)["faults"].get(key, ("", 0))
        return by, last

    def came(self, depth: str, key: str, by: str, last: int) -> None:
        """A fault was found by ``by``, ``""`` for nothing, up to seed ``last``."""
        with self._lock:
            self._of(depth)["faults"][key] = by, last
            self._save()

    def _save(self) -> None:
        """Write the file whole, or leave the old one."""
        if self._path is not None:
            new = self._path.with_name(f"{self._path.name}.new")
            new.write_text(json.dumps(self._stored), encoding="utf-8")
            new.replace(self._path)


def statement(text: str, line: int) -> range:
    """The lines of the statement in which a line lies; of one with a body its head alone."""
    within = range(line, line + 1)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            continue
        place: Any = node.pattern if isinstance(node, ast.match_case) else node
        body = getattr(node, "body", None)
        end = body[0].lineno - 1 if body else place.end_lineno
        lines = range(place.lineno, max(end, place.lineno) + 1)
        # The innermost begins last.
        if line in lines and (lines.start > within.start or len(within) == 1):
            within = lines
    return within


class Lives:
    """Looks for faults with simulated lives in copies of the repository, one fault in each at a time.

    Parameters
    ----------
    copies
        Of the repository.
    n
        Seeds at most, from 1 on, with which a fault is looked for at each depth.
    depths
        Of :data:`LIFE_S`, in their order.
    kept
        How far it came.
    planted
        Plants a fault in a copy.
    """

    def __init__(
        self,
        copies: list[Path],
        n: int,
        *,
        depths: Sequence[str],
        kept: Kept,
        planted: Callable[[Path, Any], AbstractContextManager[None]],
    ) -> None:
        self._free, self._n, self._depths, self._kept, self._planted = list(copies), n, depths, kept, planted
        self._scenes = {depth: copies[0].parent / f"scene-{depth}" for depth in depths}

    def measure(self) -> str:
        """Note what the seeds run, and what breaks without a fault, ``""`` when nothing does."""
        copy = self._free[0]
        for depth in self._depths:
            while (first := self._kept.seeds(depth) + 1) <= self._n:
                last = min(first + AT_ONCE - 1, self._n)
                with tempfile.TemporaryDirectory(prefix="lines-") as name:
                    lines, scene = Path(name) / "lines.json", Path(name) / "scene"
                    broken, _ = _live(copy, depth, range(first, last + 1), scene=scene, lines=lines)
                    if broken:
                        return broken
                    self._kept.note(depth, last, json.loads(lines.read_text(encoding="utf-8")))
                print(f"{depth}: lines of {last} of {self._n} lives are known", flush=True)
            # Made here without a fault, for all faults that cannot change it.
            if broken := _live(copy, depth, (), scene=self._scenes[depth])[0]:
                return broken
        return ""

    def found_by(self, fault: Planted) -> str:
        """The seed and the rule that it broke with a fault, ``""`` when none did up to the last seed."""
        # The same change of the same text may stand in several lines.
        key = f"{fault.key} @{fault.line}"
        found = [by for depth in self._depths if (by := self._kept.far(depth, key)[0])]
        if found:
            return found[0]
        copy = self._free.pop()
        try:
            for depth in self._depths:
                if by := self._found_at(depth, fault, copy, key):
                    return by
        finally:
            self._free.append(copy)
        return ""

    def _found_at(self, depth: str, fault: Planted, copy: Path, key: str) -> str:
        """As :meth:`found_by`, at one depth."""
        runs, seeds = self._hunted(depth, copy, fault)
        last = self._kept.far(depth, key)[1]
        seeds = [seed for seed in seeds if seed > last]
        # Each calibration takes longer than some lives: one without the fault serves all that it cannot reach.
        with tempfile.TemporaryDirectory(prefix="scene-") as name, self._planted(copy, fault):
            scene = Path(name) / "scene" if runs & 1 else self._scenes[depth]
            for at in range(0, len(seeds), RENEWED_AFTER):
                some = seeds[at : at + RENEWED_AFTER]
                by, newest = _live(copy, depth, some, scene=scene)
                self._kept.came(depth, key, by and f"{depth}, {by}", newest if by else some[-1])
                if by:
                    return f"{depth}, {by}"
        self._kept.came(depth, key, "", self._n)
        return ""

    def seeds(self, fault: Planted) -> int:
        """With how many lives at most a fault is looked for: those that may run its statement."""
        return sum(len(self._hunted(depth, ROOT, fault)[1]) for depth in self._depths)

    def _hunted(self, depth: str, copy: Path, fault: Planted) -> tuple[int, list[int]]:
        """Who runs the statement of a fault, as :meth:`Kept.runs` says it, and the seeds to look with."""
        lines = statement((copy / fault.file).read_text(encoding="utf-8"), fault.line)
        runs = self._kept.runs(depth, fault.file, lines)
        return runs, [seed for seed in range(1, self._n + 1) if runs & 1 or runs >> seed & 1]


def _live(
    copy: Path, depth: str, seeds: Iterable[int], *, scene: Path, lines: Path | None = None
) -> tuple[str, int]:
    """What broke first in the lives of these seeds, ``""`` for nothing, and the newest seed that was lived."""
    with tempfile.TemporaryDirectory(prefix="hunt-") as name:
        asked = Path(name) / "asked.json"
        content = {
            "seeds": list(seeds),
            "depth": depth,
            "seconds": LIFE_S[depth],
            "scene": str(scene),
            "lines": "" if lines is None else str(lines),
            "longest_s": LONGEST_LIFE_S,
        }
        asked.write_text(json.dumps(content), encoding="utf-8")
        # Without bytecode files: of a fault that is as long as what it replaces Python would not see it in time.
        done = subprocess.run(
            [sys.executable, "-B", "-m", "tests.mutation.hunting", str(asked)],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            check=False,
        )
    lived = [int(seed) for seed in re.findall(r"^lived (\d+)$", done.stdout, re.MULTILINE)]
    newest = lived[-1] if lived else 0
    if done.returncode == 0:
        return "", newest
    said = re.findall(r"^FOUND (.+)$", done.stdout, re.MULTILINE)
    if said:
        return str(said[0]), newest + 1
    why = HANGS if "Timeout (" in done.stderr else f"a process that ends with {done.returncode}"
    return f"{why} after seed {newest}", newest + 1


def interval(found: int, n: int) -> tuple[float, float]:
    """Wilson's interval of a share for 95 %, percent."""
    z, p = 1.959964, found / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return 100.0 * max(0.0, middle - half), 100.0 * min(1.0, middle + half)
