"""Recordings as files: created once, locked while written."""

from __future__ import annotations

import os
from pathlib import Path

from workbench import world
from workbench.errors import RecordingFault
from workbench.messages import Message


def create(path: Path) -> int:
    """A new file that only its owner can read, locked against ``recover`` while it is written."""
    # O_EXCL: a recording is never overwritten. O_APPEND: no writer can change what is already there.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
    try:
        descriptor = world.disk.descriptor(path, flags)
    except OSError as error:
        raise RecordingFault(refusal(path, error)) from error
    if not try_lock(descriptor):
        world.disk.close(descriptor)
        raise RecordingFault(Message("recording.locked", file=path.name))
    return descriptor


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this process until it is closed or the process ends; False when another has it."""
    try:
        world.disk.lock(descriptor)
    except BlockingIOError:
        return False
    except OSError:
        return True  # A file system without locks: only the exclusive creation protects the file.
    return True


def refusal(path: Path, error: OSError) -> Message:
    """Why a recording cannot be created, and the remedy."""
    remedy = Message("recording.choose_folder")
    if isinstance(error, FileExistsError):
        remedy = Message("recording.never_overwritten")
    elif isinstance(error, FileNotFoundError):
        remedy = Message("recording.create_folder", folder=str(path.parent))
    return Message("recording.not_created", file=str(path), why=str(error.strerror), remedy=remedy)
