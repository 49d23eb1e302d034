"""What makes a report: the files of the program, by one hash."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

_ROOMS = ("analysis", "figures", "reports", "statistics", "study")
"""Rooms whose files decide what a report says."""


@cache
def programs_sha256() -> str:
    """SHA-256 of the files of the rooms that make a report: the version alone does not name what was edited."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        folder = Path(str(files("workbench").joinpath(room)))
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".json", ".typ", ".j2", ".css", ".toml") and path.is_file():
                digest.update(path.relative_to(folder.parent).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
