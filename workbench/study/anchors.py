"""Heads of the chain, kept outside the database: what a cut tail is measured against.

One JSON line per anchor, ``{"study", "seq", "hash", "utc", "why"}``, in a file that is only ever
appended to. A hash chain alone does not see that its last rows are gone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workbench import reading, world
from workbench.errors import BadValue, RecordFault
from workbench.messages import Message
from workbench.study.chain import canonical
from workbench.study.clock import utc_now

FILE = "anchors.jsonl"
LARGEST = 256 * 2**20
"""Bytes of the largest file of anchors that is read: over a million."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One head of the chain: after audit row ``seq`` the hash was ``hash``; ``where`` it stands written."""

    seq: int
    hash: str
    where: str
    study: str = ""


def append(path: Path, *, study: str, seq: int, hash: str, why: str, durable: bool = False) -> None:
    """Append one anchor in one write; ``durable`` waits for the disk. Raises OSError.

    Parameters
    ----------
    path : of the anchors file.
    study : id of the study.
    seq, hash : of the head.
    why : the occasion.
    durable : wait until the disk has it.
    """
    line = canonical({"study": study, "seq": seq, "hash": hash, "utc": utc_now(), "why": why})
    append_line(path, line, durable=durable)


def append_line(path: Path, text: str, *, durable: bool = False) -> None:
    """Append one line in one write. Raises OSError.

    Parameters
    ----------
    path : of a file of lines, made when absent.
    text : of the line, without its end.
    durable : wait until the disk has it.
    """
    # O_APPEND and one write: lines of two processes do not mix.
    handle = world.disk.descriptor(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    try:
        size = os.fstat(handle).st_size
        os.lseek(handle, max(size - 1, 0), os.SEEK_SET)
        # A line that a crash left without its end must not swallow this one.
        torn = size > 0 and os.read(handle, 1) != b"\n"
        world.disk.write_all(handle, (b"\n" if torn else b"") + f"{text}\n".encode())
        if durable:
            world.disk.sync(handle)
    finally:
        world.disk.close(handle)


def read(path: Path) -> tuple[list[Anchor], list[str]]:
    """``(anchors, unreadable)``: the anchors of a file, and ``file:line`` of each line that is not an anchor.

    Raises
    ------
    RecordFault
        When the file cannot be read.
    """
    anchors: list[Anchor] = []
    unreadable: list[str] = []
    data = reading.read_bytes(path, Message("file.noun_anchors"), largest=LARGEST, error=RecordFault)
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line:
            continue
        where = f"{path.name}:{number}"
        try:
            entry = reading.parse_json(line, where)
            seq, digest, study = entry["seq"], entry["hash"], entry["study"]
            if not (isinstance(seq, int) and isinstance(digest, str) and isinstance(study, str)):
                raise BadValue(Message("study.anchor_kind", where=where))
            anchors.append(Anchor(seq=seq, hash=digest, where=where, study=study))
        except (ValueError, KeyError, TypeError):
            unreadable.append(where)
    return anchors, unreadable
