"""Recordings as files: created once, locked while written, every byte written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from workbench.errors import RecordingFault

_BINARY = getattr(os, "O_BINARY", 0)


def create(path: Path) -> int:
    """A new file that only its owner can read, locked against ``recover`` while it is written."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | _BINARY
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise RecordingFault(refusal(path, error)) from error
    if not try_lock(descriptor):
        os.close(descriptor)
        raise RecordingFault(f"recording {path.name} is locked by another process; choose another name")
    return descriptor


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this process until it is closed or the process ends; False when it is taken.

    POSIX advisory lock; elsewhere the exclusive creation of the file has to do.
    """
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def refusal(path: Path, error: OSError) -> str:
    """Why a recording cannot be created, and the remedy."""
    remedy = "choose a folder on a local disk that you may write to"
    if isinstance(error, FileExistsError):
        remedy = "a recording is never overwritten; choose another name"
    elif isinstance(error, FileNotFoundError):
        remedy = f"create the folder {path.parent} first"
    return f"recording {path} cannot be created ({error.strerror}): {remedy}"


def write_all(descriptor: int, data: bytes) -> None:
    """One ``write()``; more only when the system took a part."""
    done = os.write(descriptor, data)
    while done < len(data):
        done += os.write(descriptor, data[done:])
