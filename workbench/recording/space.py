"""The disk guard: a session starts only when what it needs fits, with a reserve."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from workbench import world
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.recording.chunks import FORMATS
from workbench.vocabulary import StreamSpec

RESERVE = 0.2
"""Share that is kept free on top of the need."""


def needed_bytes(specs: Iterable[StreamSpec], *, seconds: float, dtype: str = "float32") -> int:
    """Bytes that a recording of these streams takes; text streams count 1 kB a second.

    Parameters
    ----------
    specs : streams of the session.
    seconds : planned length, s.
    dtype : of the numeric streams.
    """
    width = np.dtype(FORMATS[dtype]).itemsize
    per_second = sum(s.fs * (9 + width * len(s.channels)) if s.fs > 0 else 1000.0 for s in specs)
    return int(per_second * seconds)


def free_bytes(folder: Path | str) -> int:
    """Free bytes of the disk that holds ``folder``; :class:`RecordingFault` when it is not there."""
    try:
        return world.disk.free(folder)
    except OSError as error:
        sentence = Message("recording.no_folder", folder=str(folder), why=str(error.strerror))
        raise RecordingFault(sentence) from error


def ensure_space(folder: Path | str, needed_bytes: int) -> int:
    """Refuse to start with less than the need plus 20 %.

    Returns
    -------
    int
        Free bytes.

    Raises
    ------
    RecordingFault
        With what is needed, what is free, and the remedy.
    """
    free = free_bytes(folder)
    wanted = int(needed_bytes * (1.0 + RESERVE))
    if free < wanted:
        raise RecordingFault(
            Message(
                "recording.no_space",
                folder=str(folder),
                free=_size(free),
                needed=_size(needed_bytes),
                wanted=_size(wanted),
                missing=_size(wanted - free),
            )
        )
    return free


def _size(n: int) -> str:
    if n < 10_000_000:
        return f"{n / 1e3:,.1f} kB"
    return f"{n / 1e6:,.0f} MB" if n < 10_000_000_000 else f"{n / 1e9:,.1f} GB"
