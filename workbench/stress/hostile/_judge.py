"""Running the cases under limits of time and memory, and judging the answers."""

from __future__ import annotations

import argparse
import io
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from runpy import run_module
from types import FrameType, TracebackType

import numpy as np

from workbench.stress.hostile._cases import Case, cases

LONGEST_S = 60.0
"""Longest time of one case, s; a report takes about 3 s, and the machine may be busy."""

MEMORY = 6 * 2**30
"""Address space of the process that runs the cases, bytes; numba and MNE alone reserve about 2 GB."""

NOBODY = 65534

INTERRUPTED = 130
"""Exit code of a command that Ctrl+C ended."""


class _TimeIsUp(BaseException):
    """Not an Exception, so that no handler between here and the case catches it."""


@dataclass(frozen=True)
class Answer:
    """The answer to a case.

    Attributes
    ----------
    name : of the case.
    code : exit code, -1 when the time was up.
    out, err : ends of standard output and standard error.
    seconds : how long it took.
    """

    name: str
    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True)
class HostileFigures:
    """How many cases were tried, and which answers were wrong."""

    tried: int
    faults: tuple[str, ...]
    slowest_s: float

    @property
    def passed(self) -> bool:
        """Whether every bad input got a clear answer."""
        return not self.faults

    def text(self) -> str:
        """The counts, and each mishandled case in a line."""
        lines = [f"{self.tried} bad inputs tried, {len(self.faults)} mishandled; slowest {self.slowest_s:.1f} s"]
        return "\n".join([*lines, *(f"- {fault}" for fault in self.faults)])


def fault_of(case: Case, answer: Answer) -> str:
    """What is wrong with an answer, ``""`` when nothing is."""
    output = answer.out + answer.err
    if answer.code == -1:
        return f"no answer within {LONGEST_S:.0f} s"
    if "Traceback" in output:
        return "a traceback"
    if "defect of the workbench" in output:
        return f"bad input was called a defect: {answer.err.strip()[-300:]}"
    if answer.code == 0 and not case.fine:
        return f"exit 0, and said: {output.strip()[-200:]!r}"
    if answer.code not in (0, 1, 2):
        return f"exit {answer.code}"
    # 2 is the code of a refusal: exactly one sentence, in addition to argparse's usage lines.
    if answer.code == 2:
        sentences = [line for line in answer.err.splitlines() if line.startswith("workbench ")]
        if len(sentences) != 1:
            return f"{len(sentences)} sentences on standard error instead of one: {answer.err.strip()[-300:]!r}"
    if answer.code == 1 and not output.strip():
        return "exit 1 without a word"
    return ""


def hostile(parser: argparse.ArgumentParser, n: int = 0, seed: int = 1) -> HostileFigures:
    """Try bad inputs and judge the answers.

    Parameters
    ----------
    parser : of ``workbench``, from whose commands and arguments the cases are made.
    n : cases to try, drawn from all of them; 0, or more than there are, tries all.
    seed : of the draw.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-hostile-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        all_cases = cases(parser, folder / "material")
        chosen = np.random.default_rng(seed).permutation(len(all_cases))[: n or len(all_cases)]
        sample = [all_cases[k] for k in sorted(chosen.tolist())]
        answers = run_cases(sample, folder)
        _unlock(folder)
    faults = [f"{case.name}: {why}" for case, answer in zip(sample, answers) if (why := fault_of(case, answer))]
    return HostileFigures(len(sample), tuple(faults), max((answer.seconds for answer in answers), default=0.0))


def _unlock(folder: Path) -> None:
    """Make forbidden folders accessible again, so that they can be removed."""
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)


def run_cases(asked: Sequence[Case], folder: Path) -> list[Answer]:
    """Run cases in processes of their own; after one that was killed, the next process takes the rest.

    Parameters
    ----------
    asked : the cases, in order.
    folder : where their list and the answers are written.
    """
    answers: list[Answer] = []
    while len(answers) < len(asked):
        cases_file, answers_file = folder / "cases.json", folder / "answers.jsonl"
        rest = asked[len(answers) :]
        cases_file.write_text(json.dumps([{**asdict(case), "stdin": case.stdin.hex()} for case in rest]))
        answers_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "workbench.stress.hostile._judge", str(cases_file), str(answers_file)]
        with (folder / "log.txt").open("wb") as log:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, cwd=folder)
        lines = answers_file.read_text().splitlines() if answers_file.exists() else []
        answers += [Answer(**json.loads(line)) for line in lines]
        if len(answers) < len(asked):
            log_end = (folder / "log.txt").read_text(errors="replace")[-300:]
            answers.append(Answer(asked[len(answers)].name, -9, "", f"the process ended: {log_end}", 0.0))
    return answers


# ------------------------------------------------------------------------------------------ the child
def _child(cases_file: Path, answers_file: Path) -> None:
    """Run the cases of a list one after the other."""
    # Imported once: not within the time of a case, nor as a user who may not read the package.
    commands = import_module("workbench.commands")
    for found in pkgutil.iter_modules(commands.__path__, "workbench.commands."):
        import_module(found.name)
    # Input that asks for unbounded memory must fail here, not take the computer down.
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGALRM, _alarm)
    with answers_file.open("w") as out:
        for case in json.loads(cases_file.read_text()):
            case["stdin"], case["argv"] = bytes.fromhex(case["stdin"]), tuple(case["argv"])
            out.write(json.dumps(asdict(_answer(Case(**case)))) + "\n")
            out.flush()


def _alarm(_number: int, _frame: FrameType | None) -> None:
    raise _TimeIsUp


@contextmanager
def _as_user(*, unprivileged: bool) -> Iterator[None]:
    if not unprivileged or os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


class _LastHandler:
    """Hands unexpected errors to ``sys.excepthook``, as the interpreter does at the end of a user's process."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Hand an error to ``sys.excepthook``; a process that ends by it has exit code 1."""
        if kind is None or error is None or not issubclass(kind, Exception):
            return False
        sys.excepthook(kind, error, trace)
        return True


def _answer(case: Case) -> Answer:
    """Call ``python -m workbench`` in this process."""
    code = 1
    streams = [io.BytesIO(), io.BytesIO()]
    out, err = (io.TextIOWrapper(bytes_, "utf-8", errors="replace", write_through=True) for bytes_ in streams)
    sys.stdin = io.TextIOWrapper(io.BytesIO(case.stdin), "utf-8")
    sys.argv = ["workbench", *case.argv]
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        with redirect_stdout(out), redirect_stderr(err), _LastHandler(), _as_user(unprivileged=case.unprivileged):
            run_module("workbench", run_name="__main__")
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else 1
    except _TimeIsUp:
        code = -1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if code == INTERRUPTED:
        raise KeyboardInterrupt  # Ctrl+C is meant for all cases, not for this one.
    seconds = time.monotonic() - began
    output, errors = (one.getvalue().decode("utf-8", "replace")[-3000:] for one in streams)
    return Answer(case.name, code, output, errors, seconds)


if __name__ == "__main__":
    _child(Path(sys.argv[1]), Path(sys.argv[2]))
