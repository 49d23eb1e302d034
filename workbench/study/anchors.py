"""Heads of the chain, kept outside the database: what a cut tail is measured against.

One JSON line per anchor, ``{"study", "seq", "hash", "utc", "why"}``, in a file that is only ever
appended to. A hash chain alone does not see that its last rows are gone.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from workbench.study.chain import canonical
from workbench.study.clock import utc_now

FILE = "anchors.jsonl"
MOST_BYTES = 256_000_000
"""Largest anchors file that is read, bytes."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One head of the chain: after audit row ``seq`` the hash was ``hash``; ``where`` it stands written."""

    seq: int
    hash: str
    where: str
    study: str = ""


def append(path: Path, *, study: str, seq: int, hash: str, why: str, durable: bool = False) -> None:
    """Append one anchor in one write; ``durable`` waits for the disk. Raises OSError."""
    line = canonical({"study": study, "seq": seq, "hash": hash, "utc": utc_now(), "why": why}) + "\n"
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        os.lseek(handle, max(size - 1, 0), os.SEEK_SET)
        torn = size > 0 and os.read(handle, 1) != b"\n"
        os.write(handle, (b"\n" if torn else b"") + line.encode("utf-8"))
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> tuple[list[Anchor], list[str]]:
    """``(anchors, unreadable)``: the anchors of a file, and ``file:line`` of each line that is none. Raises
    OSError.
    """
    found: list[Anchor] = []
    unreadable: list[str] = []
    if not path.is_file():
        raise OSError(2, "there is no file")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise OSError(27, f"it is larger than {MOST_BYTES} bytes")
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line:
            continue
        where = f"{path.name}:{number}"
        try:
            entry = json.loads(line)
            found.append(Anchor(int(entry["seq"]), str(entry["hash"]), where, str(entry["study"])))
        except (ValueError, KeyError, TypeError, RecursionError):
            unreadable.append(where)
    return found, unreadable
