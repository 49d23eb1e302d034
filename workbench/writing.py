"""Writing files that are there whole or not at all, for their owner alone, also after a power cut."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path

_BINARY = getattr(os, "O_BINARY", 0)


def save(path: Path, data: bytes, *, keep: bool = False) -> None:
    """Make or replace a file in one step, mode 0600.

    It is written under another name, synced and renamed, and its entry in the folder is synced: when this returns,
    what was saved may be cut off elsewhere. Two processes that save at once do not meet.

    Parameters
    ----------
    path : of the file.
    data : its content.
    keep : a file that is there already stays as it is.

    Raises
    ------
    OSError
        When the disk refuses; then the file is as it was.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if keep:
            with contextlib.suppress(FileExistsError):
                os.link(part, path)
        else:
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the entry of a new or renamed file in its folder survive a power cut (POSIX). Raises OSError."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
