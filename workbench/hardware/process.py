"""Asking LSL in a separate process.

liblsl reads its configuration once per process, so that a page which names another acquisition
computer could not ask it. A short-lived process can, and a fault in liblsl never takes the page along.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from workbench import reading, world
from workbench.errors import StreamFault
from workbench.messages import Message

GRACE_S = 60.0
"""How much longer than it listens such a process may take, s."""


def ask(module: str, request: Mapping[str, Any], *, seconds: float) -> Mapping[str, Any]:
    """The answer of a module that reads a request from its input and writes one line of JSON.

    Parameters
    ----------
    module : that is run.
    request : JSON-able.
    seconds : how long it listens, s.

    Raises
    ------
    StreamFault
        When LSL cannot be used; the text is what it said.
    """
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with world.computer.start(module, **pipes) as process:
        try:
            out, err = process.communicate(json.dumps(request).encode(), seconds + GRACE_S)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise StreamFault(Message("setup.search_hangs", n=f"{seconds + GRACE_S:g}")) from error
    if process.returncode != 0:
        lines = err.decode(errors="replace").strip().splitlines() or [""]
        raise StreamFault(Message("setup.search_failed", why=lines[-1]))
    # liblsl writes to the process's own output; only the last line is the answer.
    answer: Mapping[str, Any] = reading.parse_json(
        out.splitlines()[-1], Message("file.noun_streams_found"), error=StreamFault
    )
    return answer
