"""`workbench …`: the same six verbs on the command line. Errors are one sentence and a non-zero exit.

Exit codes: 0 done, 1 something differs or is damaged, 2 refused, 130 stopped by Ctrl+C or by the system.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from workbench.commands._parser import build_parser, one_line
from workbench.errors import BadValue, WorkbenchError

EXIT_UNREAD, EXIT_REFUSED, EXIT_INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # Here and not at import: a notebook that imports this module keeps its own handler.
    sys.excepthook = _report_defect
    _named.clear()
    typed = sys.argv[1:] if argv is None else argv
    try:
        parser = build_parser(typed)
    except WorkbenchError as error:  # Packages may add commands, and two of them the same one.
        print(f"workbench: {one_line(error)}", file=sys.stderr)
        return EXIT_REFUSED
    arguments = parser.parse_args(typed)
    _named.update(vars(arguments))
    try:
        _refuse_broken_text(arguments)
        with _termination_as_interrupt():
            code: int = arguments.run(arguments)
            sys.stdout.flush()
    except WorkbenchError as error:
        print(f"workbench {arguments.command}: {one_line(error)}", file=sys.stderr)
        return EXIT_REFUSED
    except BrokenPipeError:
        # The reader is gone, as in ``… | head``: the flush at exit must not fail a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_UNREAD
    except KeyboardInterrupt:
        print(f"workbench {arguments.command}: stopped by you; what was recorded is kept", file=sys.stderr)
        return EXIT_INTERRUPTED
    return code


def _refuse_broken_text(arguments: argparse.Namespace) -> None:
    """Texts that are not UTF-8 cannot be looked up, stored or printed; paths may be anything the system allows."""
    for name, value in vars(arguments).items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not text.isascii() and text.encode("utf-8", "replace").decode() != text:
                raise BadValue(f"{name.replace('_', '-')} must be UTF-8 text, got {text!a:.80}; type it again")


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """SIGTERM, and closing the terminal, end a command in the same good order as Ctrl+C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # Python sets signal handlers in the main thread only; tests and notebooks call commands in others.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _report_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report an unexpected error: as damage of the named study where there is any, else as a defect of ours.

    The user gets a sentence, the traceback goes to a file.
    """
    # No file here: to format a traceback needs the memory that there is not.
    if kind is MemoryError:
        print(
            f"workbench: there is not enough memory for this ({error or 'no more could be had'}); close other "
            "programs, or take a smaller file",
            file=sys.stderr,
        )
        return
    # Kept for the report; mode 0600, since a traceback may quote data of a participant.
    with tempfile.NamedTemporaryFile("w", prefix="workbench-defect-", suffix=".txt", delete=False) as file:
        file.write("".join(traceback.format_exception(kind, error, trace)))
    if damage := _damage(_named.get("study")):
        print(f"workbench: the study is damaged, and this could not be done: {damage}", file=sys.stderr)
        return
    print(
        f"workbench: this is a defect of the workbench, not of your data: {kind.__name__}: {error}. "
        f"What was recorded is kept. Send {file.name} with your report",
        file=sys.stderr,
    )


_named: dict[str, Any] = {}
"""Arguments of the command that runs, for the last handler."""


def _damage(study: Any) -> str:
    """What is wrong with the study of the command, ``""`` when nothing is, or the command has none."""
    if not isinstance(study, Path):
        return ""
    from workbench.study import verify

    try:
        verification = verify(study)
    except (WorkbenchError, OSError) as error:
        return str(error)
    if verification.ok:
        return ""
    return f"{verification.problems[0]}; 'workbench verify {study}' names everything that is wrong"
