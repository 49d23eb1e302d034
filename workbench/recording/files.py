"""Recordings as files: created once, locked while written."""

from __future__ import annotations

import os
from pathlib import Path

from workbench import world
from workbench.errors import RecordingFault


def create(path: Path) -> int:
    """A new file that only its owner can read, locked against ``recover`` while it is written."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
    try:
        descriptor = world.disk.descriptor(path, flags)
    except OSError as error:
        raise RecordingFault(refusal(path, error)) from error
    if not try_lock(descriptor):
        world.disk.close(descriptor)
        raise RecordingFault(f"recording {path.name} is locked by another process; choose another name")
    return descriptor


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this process until it is closed or the process ends; False when it is taken."""
    try:
        world.disk.lock(descriptor)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: the exclusive creation of the file has to do
    return True


def refusal(path: Path, error: OSError) -> str:
    """Why a recording cannot be created, and the remedy."""
    remedy = "choose a folder on a local disk that you may write to"
    if isinstance(error, FileExistsError):
        remedy = "a recording is never overwritten; choose another name"
    elif isinstance(error, FileNotFoundError):
        remedy = f"create the folder {path.parent} first"
    return f"recording {path} cannot be created ({error.strerror}): {remedy}"
