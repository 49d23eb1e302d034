"""Fitting in a process of its own, so that no library it needs reaches the caller."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import EngineFault
from workbench.live import _wire


def run_fit(
    study_folder: Path | str,
    recordings: list[str | Path],
    decoder_name: str,
    params: Mapping[str, Any] | None = None,
    *,
    timeout: float = 600.0,
) -> dict[str, Any]:
    """Fit a decoder in a process of its own, so that no library it needs reaches this one.

    Returns
    -------
    dict
        ``sha256``, ``folder``, ``name``, ``metrics``; see :func:`workbench.live.fitting.fit`.

    Raises
    ------
    WorkbenchError
        In the words of the fit.
    """
    asked = {
        "study_folder": str(study_folder),
        "recordings": [str(r) for r in recordings],
        "decoder": decoder_name,
        "params": dict(params or {}),
    }
    command = [sys.executable, "-m", "workbench.live.fitting", json.dumps(asked)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise EngineFault(f"the fit did not end within {timeout:g} s; use fewer or shorter runs") from error
    lines = done.stdout.strip().splitlines()
    try:
        reply: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError) as error:
        tail = done.stderr.strip().splitlines()[-1:] or ["no output"]
        raise EngineFault(f"the fit ended without a result (exit {done.returncode}): {tail[0]}") from error
    _wire.raise_refusal(reply)
    return dict(reply["value"])
