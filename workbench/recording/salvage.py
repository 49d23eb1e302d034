"""Everything that is whole in a recording that is damaged inside, as a recording of its own.

A chunk that is whole is copied byte for byte; nothing is repaired and nothing is filled in. What cannot be
understood without a lost chunk (samples of a stream whose header is gone, stamps that count on from a lost one)
is left out and counted.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import world
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.recording import chunks, index
from workbench.recording.account import Account, bytes_kept, bytes_lost, samples_lost
from workbench.recording.chunks import Tag
from workbench.recording.layout import Layout, Piece, read_samples

FOLDER = "salvaged"
"""Folder beside a damaged recording for the file of the same name with every whole chunk of it."""


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was written: where, bytes kept and lost, whole chunks, s of signal lost, and an account of it all."""

    path: Path
    kept_bytes: int
    lost_bytes: int
    n_chunks: int
    lost_s: float
    account: Account


@dataclass(slots=True)
class _Kept:
    """The whole chunks of a damaged file as they stand in the salvaged one.

    Attributes
    ----------
    parts : bytes of the new file, in order.
    entries, copies : of its index.
    holes : stream id → s missing inside a regular stream, by the stamps on both sides of damage.
    orphans : chunks whose stream has no header any more, or whose stamps count from a chunk that is lost.
    """

    parts: list[bytes | memoryview] = field(default_factory=lambda: [chunks.MAGIC])
    entries: list[index.Indexed] = field(default_factory=list)
    copies: dict[int, bytes] = field(default_factory=dict)
    holes: dict[int, float] = field(default_factory=dict)
    orphans: int = 0
    size: int = len(chunks.MAGIC)
    _last: dict[int, float] = field(default_factory=dict)
    _interrupted: set[int] = field(default_factory=set)

    def interrupt(self) -> None:
        """Damage at this place: no stream can be assumed to continue from its last sample."""
        self._interrupted |= set(self._last)

    def take(self, layout: Layout, data: memoryview, piece: Piece, copies: dict[int, bytes]) -> None:
        """Append a whole chunk, unless it cannot be understood without a lost one."""
        # Views, not copies: a recording may be as large as half of the memory.
        chunk, content = layout.chunk(data, piece), layout.content(data, piece)
        stream_id, n = 0, 0
        if piece.tag in (Tag.STREAM_HEADER, Tag.SAMPLES, Tag.CLOCK_OFFSET, Tag.STREAM_FOOTER):
            stream_id = chunks.decode_stream_id(content)
            if stream_id not in layout.formats or (
                piece.tag == Tag.SAMPLES and not self._follows(content, stream_id)
            ):
                self.orphans += 1
                return
        if piece.tag == Tag.SAMPLES:
            n = self._count(layout, content, stream_id)
        if piece.start in copies:
            self.copies[self.size] = copies[piece.start]
        self.entries.append(index.Indexed(self.size, len(chunk), zlib.crc32(chunk), piece.tag, stream_id, n))
        self.parts.append(chunk)
        self.size += len(chunk)

    def _follows(self, content: memoryview, stream_id: int) -> bool:
        """Whether the first sample has a stamp of its own, where the one before it may be lost."""
        n, at = chunks.decode_length(content, 4)
        # A sample without a stamp (its first byte is 0) counts on from the one before.
        return stream_id not in self._interrupted or n == 0 or content[at] != 0

    def _count(self, layout: Layout, content: memoryview, stream_id: int) -> int:
        last = self._last.get(stream_id)
        _, stamps = read_samples(layout.formats, content, last=last or 0.0)
        if not len(stamps):
            return 0
        period = layout.formats[stream_id].period
        if last is not None and period and stream_id in self._interrupted:
            missing = float(stamps[0]) - last - period
            # Less than half a period is jitter of the stamps, not a lost sample.
            if missing > period / 2:
                self.holes[stream_id] = self.holes.get(stream_id, 0.0) + missing
        self._interrupted.discard(stream_id)
        self._last[stream_id] = float(stamps[-1])
        return len(stamps)


def salvage(path: Path, data: memoryview, layout: Layout, side: index.Index | None) -> Salvage:
    """Write every whole chunk into ``salvaged/NAME``; the damaged file stays as it is, so that no more is lost.

    Parameters
    ----------
    path, data : of the damaged file.
    layout : where its chunks lie.
    side : its index, None without one.

    Raises
    ------
    RecordingFault
        When no chunk is whole.
    OSError
        When the folder cannot be written.
    """
    kept = _Kept()
    copies = side.copies if side is not None else {}
    breaks = sorted(d.start for d in layout.damage if not d.restored)
    for piece in sorted(layout.pieces, key=lambda piece: piece.start):
        while breaks and breaks[0] < piece.start:
            breaks.pop(0)
            kept.interrupt()
        kept.take(layout, data, piece, copies)
    if not kept.entries:
        raise RecordingFault(Message("recording.no_whole_chunk", file=path.name))
    samples, seconds = _missing_samples(layout, kept, side)
    lost_bytes = max([layout.size, *(e.start + e.length for e in layout.missing)]) - kept.size
    place = path.parent / FOLDER / path.name
    account = _account(path, layout, side, kept, _lost(layout, samples, seconds, lost_bytes))
    world.disk.mkdir(place.parent, exist_ok=True)
    note: dict[str, Any] = {
        "state": "recovered",
        "bytes": kept.size,
        "lost_bytes": lost_bytes,
        "lost_s": max(seconds.values(), default=0.0),
        "n_chunks": len(kept.entries),
        "tail": "",
        "sentence": account.sentence,
        "account": account.plain(),
        "index_damaged": bool(side is not None and side.n_bad),
    }
    world.disk.save(place, b"".join(kept.parts))
    index.replace(place, kept.entries, note, copies=kept.copies)
    return Salvage(place, kept.size, lost_bytes, len(kept.entries), note["lost_s"], account)


def _missing_samples(
    layout: Layout, kept: _Kept, side: index.Index | None
) -> tuple[dict[int, int], dict[int, float]]:
    """Samples lost by stream id, and their duration in s; without an index, by the stamps around the damage."""
    samples: dict[int, int] = {}
    for damage in layout.damage:
        if damage.n_samples and not damage.restored:
            samples[damage.stream_id] = samples.get(damage.stream_id, 0) + damage.n_samples
    for entry in layout.missing:
        if entry.n_samples:
            samples[entry.stream_id] = samples.get(entry.stream_id, 0) + entry.n_samples
    # Counts from the index are exact; stamps around the damage are the fallback.
    seconds = dict(kept.holes)
    for stream_id, n in samples.items():
        if stream_id in layout.formats and layout.formats[stream_id].fs > 0:
            seconds[stream_id] = n * layout.formats[stream_id].period
    return samples, seconds


def _account(path: Path, layout: Layout, side: index.Index | None, kept: _Kept, lost: str) -> Account:
    """What is damaged, what is lost, where the rest is, and what to do.

    Parameters
    ----------
    path : of the damaged file.
    layout : its chunks.
    side : its index, None without one.
    kept : what is in the salvaged file.
    lost : what is not.
    """
    places = [d.sentence for d in layout.damage]
    if layout.torn:
        places.append(Message("recover.end_missing", tail=f"{layout.tail:,}"))
    n, where = len(places), places[0]
    found: list[str] = []
    if side is not None and side.end is not None:
        found.append(
            Message("recover.changed_once", file=path.name, where=where)
            if n == 1
            else Message("recover.changed", file=path.name, n=n, where=where)
        )
    else:
        found.append(
            Message("recover.damaged_once", file=path.name, where=where)
            if n == 1
            else Message("recover.damaged", file=path.name, n=n, where=where)
        )
    if side is not None and side.n_bad:
        found.append(index.damage_words(path, side))
    place = f"{FOLDER}/{path.name}"
    saved = [bytes_kept(kept.size, len(kept.entries), place), Message("recover.original")]
    if kept.orphans:
        one = kept.orphans == 1
        saved.insert(1, Message("recover.orphan") if one else Message("recover.orphans", n=f"{kept.orphans:,}"))
    return Account(
        tuple(found), tuple(saved), (lost,), (Message("recover.do_backup", place=place), Message("recover.do_end"))
    )


def _lost(layout: Layout, samples: dict[int, int], seconds: dict[int, float], n_bytes: int) -> str:
    """How much of which streams is lost."""
    n = sum(not d.restored for d in layout.damage) + len(layout.missing) + (layout.torn and not layout.missing)
    if not n:
        return Message("recover.known")
    named = {
        layout.formats[i].name: (samples.get(i, 0), seconds.get(i))
        for i in layout.formats
        if i in samples or i in seconds
    }
    where = Message("recover.in_chunk") if n == 1 else Message("recover.in_chunks", n=n)
    return bytes_lost(n_bytes, where, samples_lost(named))
