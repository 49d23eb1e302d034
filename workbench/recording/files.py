"""Files that hold up: created once, written whole, locked while written, replaced in one step."""

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


def sync_folder(folder: Path) -> None:
    """Make a new file's entry in its folder survive a power cut (POSIX)."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all, also after a power cut; mode 0600.

    A new one is written, synced and renamed, and its entry in the folder is synced: when this returns, what
    was saved may be cut off elsewhere. Raises OSError.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
