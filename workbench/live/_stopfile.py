"""The second path of a STOP, which needs no door: a file in the engine's folder, watched by its own thread."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

from workbench import world
from workbench.live._engine_folder import EngineFolder
from workbench.messages import Message, carried, restored

LOG = logging.getLogger("workbench.engine")

LOOK_S = 0.02
"""Time between two looks for the file, s."""
LIMIT_S = 2.0
"""How long the watching thread may stand still, s."""
MAX_BYTES = 4000


def ask_stop(engine_folder: EngineFolder, reason: str) -> Path:
    """Put a STOP where the engine looks for it; returns the file, which disappears when the engine takes it.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    stated = reason if isinstance(reason, Message) else reason[:500]
    content = carried({"reason": stated, "time": world.clock.wall(), "pid": world.computer.pid()})
    world.disk.save(engine_folder.stop, json.dumps(content, ensure_ascii=False).encode("utf-8"))
    return engine_folder.stop


def watching(
    engine_folder: EngineFolder, stop_now: Callable[[str], None], wait: Callable[[float], bool]
) -> world.Body:
    """The body of the thread that watches for the file.

    Parameters
    ----------
    engine_folder : the folder of the engine to watch.
    stop_now : carries out the STOP; called again for as long as the file cannot be removed.
    wait : waits for so many s; True when the engine closes.
    """

    # Made once, and asked without an exception for each no: fifty looks a second should cost no more than the
    # question to the system.
    stop = engine_folder.stop
    name = os.fspath(stop)

    def body(beat: world.Beat) -> None:
        while not wait(LOOK_S):
            beat()
            if not os.access(name, os.F_OK):
                continue
            reason = _reason(stop)
            LOG.warning("STOP by the stop file: %s", reason)
            # Before the file is removed: whoever put it there takes its disappearance as the engine's word.
            stop_now(reason)
            try:
                world.disk.unlink(stop, missing_ok=True)
            except OSError as error:
                LOG.error("the stop file cannot be removed: %s", error)

    return body


def _reason(path: Path) -> str:
    """What the file says; whatever it holds, it is a STOP."""
    try:
        with path.open("rb") as file:
            reason = restored(json.loads(file.read(MAX_BYTES)))["reason"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        reason = ""
    if isinstance(reason, Message):
        return reason
    return str(reason)[:500] or Message("run.stop_by_file")
