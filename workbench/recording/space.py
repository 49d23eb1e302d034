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
"""Share that stays free on top of the need."""


def needed_bytes(specs: Iterable[StreamSpec], *, seconds: float, dtype: str = "float32") -> int:
    """Bytes that a recording of these streams takes; text streams count as 1 kB per second.

    Parameters
    ----------
    specs : streams of the session.
    seconds : planned length, s.
    dtype : of the numeric streams.
    """
    width = np.dtype(FORMATS[dtype]).itemsize
    # 9 bytes of every sample are its stamp and the length of the stamp.
    per_second = sum(s.fs * (9 + width * len(s.channels)) if s.fs > 0 else 1000.0 for s in specs)
    return int(per_second * seconds)


def free_bytes(folder: Path | str) -> int:
    """Free bytes of the disk with ``folder``; :class:`RecordingFault` when there is no such folder."""
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
    required = int(needed_bytes * (1.0 + RESERVE))
    if free < required:
        raise RecordingFault(
            Message(
                "recording.no_space",
                folder=str(folder),
                free=_size(free),
                needed=_size(needed_bytes),
                wanted=_size(required),
                missing=_size(required - free),
            )
        )
    return free


def _size(n: int) -> str:
    if n < 10_000_000:
        return f"{n / 1e3:,.1f} kB"
    return f"{n / 1e6:,.0f} MB" if n < 10_000_000_000 else f"{n / 1e9:,.1f} GB"
