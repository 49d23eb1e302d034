"""Writing files that are there whole or not at all, for their owner alone, also after a power cut."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from workbench import world


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
    part = path.with_name(f"{path.name}.{os.getpid()}-{world.chance.token_hex(4)}.part")
    try:
        descriptor = world.disk.descriptor(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            write_all(descriptor, data)
            world.disk.sync(descriptor)
        finally:
            world.disk.close(descriptor)
        if keep:
            with contextlib.suppress(FileExistsError):
                world.disk.link(part, path)
        else:
            world.disk.replace(part, path)
    finally:
        world.disk.unlink(part, missing_ok=True)
    sync_folder(path.parent)


def write_all(descriptor: int, data: bytes) -> None:
    """One ``write()``; more only when the system took a part. Raises OSError."""
    done = world.disk.write(descriptor, data)
    while done < len(data):
        done += world.disk.write(descriptor, data[done:])


def sync_folder(folder: Path) -> None:
    """Make the entry of a new or renamed file in its folder survive a power cut (POSIX). Raises OSError."""
    if sys.platform == "win32":
        return
    descriptor = world.disk.descriptor(folder, os.O_RDONLY)
    try:
        world.disk.sync(descriptor)
    finally:
        world.disk.close(descriptor)
