"""`workbench …` as a process of its own, and one demo study that several tests look at."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench import __version__
from workbench.commands import main

SPEED = "12"
STRICT = {"PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"}
PYTHON = os.environ.get("WORKBENCH_DEMO_PYTHON", sys.executable)
"""The interpreter of commands that run as a process of their own; CI names that of the built wheel."""


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line on standard error that is for the reader."""
        lines = [line for line in self.err.splitlines() if line.startswith("workbench ")]
        assert len(lines) == 1, self.err
        return lines[0]

    def answer(self, command: str, *, code: int = 0) -> Any:
        """The result for programs, after its shape was checked."""
        assert self.code == code, self.err
        answer = json.loads(self.out)
        assert list(answer) == ["command", "workbench", "ok", "result"]
        assert (answer["command"], answer["workbench"], answer["ok"]) == (command, __version__, code == 0)
        return answer["result"]

    def refused(self, *words: str) -> str:
        """Assert that it ended as a refusal: exit 2, one sentence with these words, no traceback."""
        assert self.code == 2, (self.code, self.out, self.err)
        assert "Traceback" not in self.err + self.out
        assert "defect" not in self.err
        for word in words:
            assert word in self.sentence, (word, self.sentence)
        return self.sentence


def run_command(*args: object, cwd: Path, timeout: float = 300.0) -> Said:
    """Run one command to its end; nobody sits at a keyboard."""
    done = subprocess.run(
        [PYTHON, "-m", "workbench", *map(str, args)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **STRICT},  # now: only here does it name the folder of the tests' keys
        timeout=timeout,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def workbench(tmp_path: Path) -> Callable[..., Said]:
    """Call it with the words behind `workbench`; it runs in a folder of its own."""

    def call(*args: object, timeout: float = 300.0) -> Said:
        return run_command(*args, cwd=tmp_path, timeout=timeout)

    return call


@pytest.fixture
def inside(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Like ``workbench``, in this process: for commands of which no process of their own is to be proven."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def call(*args: object) -> Said:
        capsys.readouterr()
        code = main([*map(str, args)])
        return Said(code, *capsys.readouterr())

    return call


@dataclass(frozen=True)
class DemoStudy:
    """A study that the demo made, and what the demo said."""

    folder: Path
    said: Said

    @property
    def recordings(self) -> list[Path]:
        """Recordings in the order of their runs."""
        return sorted((self.folder / "recordings").glob("*.xdf"))

    def copy(self, to: Path) -> DemoStudy:
        """A copy that may be broken."""
        return DemoStudy(Path(shutil.copytree(self.folder, to / "copy")), self.said)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoStudy:
    """One run of the demo, for the tests of one file."""
    home = tmp_path_factory.mktemp("demo")
    said = run_command("demo", "--no-browser", "--study", home / "study", "--speed", SPEED, cwd=home)
    return DemoStudy(home / "study", said)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Calls a command in this process, keys in a folder of the test: its exit code, output and error output."""
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))

    def call(*arguments, stdin=""):
        given = io.BytesIO(stdin.encode("utf-8", "surrogateescape"))
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(given, "utf-8"))
        code = main([str(a) for a in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call
