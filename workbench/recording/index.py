"""The side index of a recording: ``<file>.idx`` with place, length and CRC-32 of every chunk.

One fixed-size entry per chunk, each with its own checksum, so that a damaged index is noticed as well.
Between them are *sync* entries, written after each ``fsync``: everything before ``synced`` bytes was on
the disk. A *copy* entry is followed by the bytes of a chunk without which others cannot be read (a stream's
header, the plan of a run), so that damage to one byte does not cost a whole recording. An *end* entry, followed
by a short JSON text, marks the index as complete and states how the recording ended.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from workbench import reading, world
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.recording.account import Account

MAGIC = b"WBXIDX01"
COPY = 0xFFFFFFFD
SYNC = 0xFFFFFFFE
END = 0xFFFFFFFF
_ENTRY = struct.Struct("<QQIIII")
_CHECK = struct.Struct("<I")
SIZE = _ENTRY.size + _CHECK.size
"""Bytes of one entry."""

LARGEST = 2**30
"""Bytes of the largest index that is read: about 29 million chunks, weeks of recording."""

_NOTE: dict[str, tuple[type, ...]] = {
    "state": (str,),
    "bytes": (int,),
    "lost_bytes": (int,),
    "lost_s": (int, float),
    "n_chunks": (int,),
    "tail": (str,),
    "sentence": (str,),
    "index_damaged": (bool,),
    "account": (dict,),
}
"""Fields that the JSON of the end entry may have, with the types of each."""


class Indexed(NamedTuple):
    """A chunk as the index lists it: bytes ``start`` to ``start + length``, and its number of samples."""

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
    n_bad : places that failed their own check: the beginning of the file, entries, copies.
    copies : start of a chunk → its bytes, each of which passed its check.
    """

    chunks: list[Indexed] = field(default_factory=list)
    synced: int = 0
    end: dict[str, Any] | None = None
    n_bad: int = 0
    copies: dict[int, bytes] = field(default_factory=dict)


def path_of(recording: Path) -> Path:
    """Path of the side index."""
    return recording.with_name(recording.name + ".idx")


def damage_words(recording: Path, side: Index) -> str:
    """What a damaged index means."""
    file = path_of(recording).name
    if side.n_bad == 1:
        return Message("recover.index_damaged_once", file=file)
    return Message("recover.index_damaged", file=file, n=side.n_bad)


def encode(chunk: Indexed) -> bytes:
    """One entry."""
    head = _ENTRY.pack(
        chunk.start, chunk.length, chunk.crc, chunk.tag, chunk.stream_id, min(chunk.n_samples, 2**32 - 1)
    )
    return head + _CHECK.pack(zlib.crc32(head))


def encode_sync(synced: int) -> bytes:
    """A sync entry: ``synced`` bytes of the recording are on the disk."""
    return encode(Indexed(0, synced, 0, SYNC))


def encode_copy(start: int, chunk: bytes) -> bytes:
    """A copy entry with the bytes of the chunk that begins at ``start``, filled up to whole entries.

    Whole entries, so that a damaged length here leaves every later entry where a reader looks for it.
    """
    head = encode(Indexed(start, len(chunk), zlib.crc32(chunk), COPY))
    return head + chunk + bytes(-len(chunk) % SIZE)


def encode_end(note: dict[str, Any]) -> bytes:
    """The end entry with its JSON."""
    text = json.dumps(note, ensure_ascii=False, sort_keys=True).encode("utf-8")
    return encode(Indexed(0, len(text), zlib.crc32(text), END)) + text


def decode(data: bytes) -> Index:
    """Everything in an index file that passes its own check; the rest, even a missing beginning, is counted.

    Raises
    ------
    RecordingFault
        When the end entry passes its check but has content that no writer of an index produces.
    """
    index = Index(n_bad=int(data[: len(MAGIC)] != MAGIC))
    at = len(MAGIC)
    while at + SIZE <= len(data):
        head, (check,) = data[at : at + _ENTRY.size], _CHECK.unpack_from(data, at + _ENTRY.size)
        at += SIZE
        if zlib.crc32(head) != check:
            index.n_bad += 1
            continue
        entry = Indexed._make(_ENTRY.unpack(head))
        if entry.tag == SYNC:
            index.synced = max(index.synced, entry.length)
        elif entry.tag == COPY:
            at = _decode_copy(index, data, at, entry)
        elif entry.tag == END:
            text = data[at : at + entry.length]
            if len(text) == entry.length and zlib.crc32(text) == entry.crc:
                index.end = _decode_note(text)
            else:
                index.n_bad += 1
            break
        else:
            index.chunks.append(entry)
    return index


def _decode_copy(index: Index, data: bytes, at: int, entry: Indexed) -> int:
    """Store the copy that follows its entry; the position of the next entry."""
    end = at + entry.length + -entry.length % SIZE
    chunk, filling = data[at : at + entry.length], data[at + entry.length : end]
    if len(chunk) == entry.length and zlib.crc32(chunk) == entry.crc:
        index.copies[entry.start] = chunk
    if end <= len(data) and (entry.start not in index.copies or any(filling)):
        index.n_bad += 1
    return end


def _decode_note(text: bytes) -> dict[str, Any]:
    note = reading.parse_json(text, Message("file.noun_end_entry"), error=RecordingFault)
    if not isinstance(note, dict) or "state" not in note:
        raise RecordingFault(Message("recording.index_no_state"))
    for name, kinds in _NOTE.items():
        # A missing field counts as empty: older writers did not know all of them.
        value = note.get(name, kinds[0]())
        # A tail with a folder in its name would let a forged index name a file anywhere on the disk.
        if not isinstance(value, kinds) or (name == "tail" and str(value) != Path(str(value)).name):
            raise RecordingFault(Message("recording.index_end", name=name, got=f"{value!r:.60}"))
    try:
        Account.of_note(note)
    except ValueError as error:
        raise RecordingFault(
            Message("recording.index_end", name="account", got=f"{note['account']!r:.60}")
        ) from error
    return note


def read(recording: Path) -> Index | None:
    """The index beside a recording, None when there is none.

    Raises
    ------
    RecordingFault
        When it exists and cannot be read.
    """
    path = path_of(recording)
    if not reading.is_there(path, Message("file.noun_index"), error=RecordingFault):
        return None
    data = reading.read_bytes(path, Message("file.noun_index"), largest=LARGEST, error=RecordingFault)
    return decode(data)


def replace(
    recording: Path, chunks: list[Indexed], note: dict[str, Any], *, copies: Mapping[int, bytes] | None = None
) -> None:
    """Write a complete index in place of the one there is, so that a crash leaves the old or the new one.

    Parameters
    ----------
    recording : whose index it is.
    chunks : of the recording, in file order.
    note : JSON of the end entry.
    copies : start of a chunk → its bytes, stored beside the entries.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    entries = [
        encode(chunk)
        + (encode_copy(chunk.start, copies[chunk.start]) if copies and chunk.start in copies else b"")
        for chunk in chunks
    ]
    world.disk.save(path_of(recording), MAGIC + b"".join(entries) + encode_end(note))
