"""The side index of a recording: ``<file>.idx`` with place, length and CRC-32 of every chunk.

One fixed-size entry a chunk, each with a check of its own, so that a damaged index is noticed as well.
Between them stand *sync* entries, written after each ``fsync``: everything before ``synced`` bytes was on
the disk. An *end* entry, followed by a short JSON text, marks the index complete and tells the state.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.recording.files import save

MAGIC = b"WBXIDX01"
SYNC = 0xFFFFFFFE
END = 0xFFFFFFFF
_ENTRY = struct.Struct("<QQIIII")
_CHECK = struct.Struct("<I")
SIZE = _ENTRY.size + _CHECK.size
"""Bytes of one entry."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A chunk as the index knows it: bytes ``start`` to ``start + length``, and how many samples it holds."""

    start: int
    length: int
    crc: int
    tag: int
    stream_id: int = 0
    n_samples: int = 0


@dataclass(slots=True)
class Index:
    """What an index file says.

    Attributes
    ----------
    chunks : in file order.
    synced : bytes of the recording that were on the disk for certain.
    end : the JSON of the end entry, None when the recording was not closed.
    n_bad : entries that failed their own check.
    """

    chunks: list[Indexed] = field(default_factory=list)
    synced: int = 0
    end: dict[str, Any] | None = None
    n_bad: int = 0


def path_of(recording: Path) -> Path:
    """Path of the side index."""
    return recording.with_name(recording.name + ".idx")


def encode(chunk: Indexed) -> bytes:
    """One entry."""
    head = _ENTRY.pack(
        chunk.start, chunk.length, chunk.crc, chunk.tag, chunk.stream_id, min(chunk.n_samples, 2**32 - 1)
    )
    return head + _CHECK.pack(zlib.crc32(head))


def encode_sync(synced: int) -> bytes:
    """A sync entry: ``synced`` bytes of the recording are on the disk."""
    return encode(Indexed(0, synced, 0, SYNC))


def encode_end(note: dict[str, Any]) -> bytes:
    """The end entry with its JSON."""
    text = json.dumps(note, ensure_ascii=False, sort_keys=True).encode("utf-8")
    return encode(Indexed(0, len(text), zlib.crc32(text), END)) + text


def decode(data: bytes) -> Index | None:
    """Everything in an index file; None when it is none."""
    if data[: len(MAGIC)] != MAGIC:
        return None
    index = Index()
    at = len(MAGIC)
    while at + SIZE <= len(data):
        head, (check,) = data[at : at + _ENTRY.size], _CHECK.unpack_from(data, at + _ENTRY.size)
        at += SIZE
        if zlib.crc32(head) != check:
            index.n_bad += 1
            continue
        entry = Indexed(*_ENTRY.unpack(head))
        if entry.tag == SYNC:
            index.synced = max(index.synced, entry.length)
        elif entry.tag == END:
            text = data[at : at + entry.length]
            if len(text) == entry.length and zlib.crc32(text) == entry.crc:
                index.end = json.loads(text)
            break
        else:
            index.chunks.append(entry)
    return index


def read(recording: Path) -> Index | None:
    """The index beside a recording, None when there is none.

    Raises
    ------
    OSError
        When it is there and cannot be read.
    """
    path = path_of(recording)
    return decode(path.read_bytes()) if path.exists() else None


def replace(recording: Path, chunks: list[Indexed], note: dict[str, Any]) -> None:
    """Write a complete index in place of the one there is, so that a crash leaves the old or the new one.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    save(path_of(recording), MAGIC + b"".join(encode(chunk) for chunk in chunks) + encode_end(note))
