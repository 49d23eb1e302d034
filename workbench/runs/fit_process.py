"""Fitting in a process of its own, so that no library it needs reaches the caller."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench import world
from workbench.errors import EngineFault
from workbench.live import _wire
from workbench.messages import Message, restored

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
"""LAPACK on more threads gives other last bits, so that the hash of a fit would depend on the number of
processors; and it would take them from an engine that runs beside it."""

LOOK_S = 1.0
"""Time between two looks at a fit that is running, s."""


def run_fit(
    study_folder: Path | str,
    recordings: list[str | Path],
    decoder_name: str,
    params: Mapping[str, Any] | None = None,
    *,
    last: Path | str | None = None,
    recentre: bool = False,
    timeout: float = 600.0,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Fit a decoder in a process of its own, so that no library it needs reaches this one.

    Parameters
    ----------
    study_folder, recordings, decoder_name, params, last : see :func:`workbench.runs.fitting.fit`.
    recentre : move the centre of the last one instead, see :func:`workbench.runs.fitting.recentre`; name and
        parameters are then its own.
    timeout : s after which the fit is ended.
    progress : called every :data:`LOOK_S` with the share that is done, 0–1.

    Returns
    -------
    dict
        ``sha256``, ``folder``, ``name``, ``metrics``; see :func:`workbench.runs.fitting.fit`.

    Raises
    ------
    WorkbenchError
        In the words of the fit.
    """
    request = {
        "study_folder": str(study_folder),
        "recordings": [str(r) for r in recordings],
        "decoder": decoder_name,
        "params": dict(params or {}),
        "last": None if last is None else str(last),
        "recentre": recentre,
    }
    code, lines, messages = _answered(request, timeout, progress)
    try:
        # The last line: libraries may print before it.
        reply: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError) as error:
        tail = messages[-1:] or ["no output"]
        raise EngineFault(Message("fit.no_result", exit=str(code), why=tail[0])) from error
    _wire.raise_refusal(reply)
    return dict(restored(reply["value"]))


def _answered(
    request: Mapping[str, Any], timeout: float, progress: Callable[[float], None]
) -> tuple[int, list[str], list[str]]:
    """Exit code of the process, the lines that it printed, and those of its errors.

    Parameters
    ----------
    request, timeout, progress : see :func:`run_fit`.
    """
    folder = world.disk.temporary("workbench-fit-")
    try:
        done, out, err = (folder / name for name in ("done", "out", "err"))
        # Files and not pipes: a pipe that nobody reads while waiting would block a child that prints much.
        with world.disk.open(out) as output, world.disk.open(err) as errors:
            process = world.computer.start(
                "workbench.runs.fitting",
                json.dumps({**request, "progress": str(done)}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env={**os.environ, **ONE_THREAD},
            )
            code = _ended(process, timeout, lambda: progress(_share(done)))
        lines, messages = (path.read_text(encoding="utf-8").strip().splitlines() for path in (out, err))
        return code, lines, messages
    finally:
        world.disk.rmtree(folder)


def _ended(process: subprocess.Popen[bytes], timeout: float, look: Callable[[], None]) -> int:
    """The exit code; raises EngineFault after ``timeout`` s. Whatever happens, no process is left."""
    end = world.clock.monotonic() + timeout
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_S)
            if world.clock.monotonic() > end:
                raise EngineFault(Message("fit.too_long", s=f"{timeout:g}"))
            look()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _share(done: Path) -> float:
    try:
        return float(done.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0  # nothing is done yet, or the number is just being written
