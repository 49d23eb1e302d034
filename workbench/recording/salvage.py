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
from workbench.recording import chunks, index
from workbench.recording.chunks import Tag
from workbench.recording.layout import Layout, Piece, read_samples

FOLDER = "salvaged"
"""Folder beside a damaged recording for the file of the same name with every whole chunk of it."""


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was written: where, bytes kept and lost, whole chunks, s of signal lost, and all of it in words."""

    path: Path
    kept_bytes: int
    lost_bytes: int
    n_chunks: int
    lost_s: float
    sentence: str


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
        raise RecordingFault(f"{path.name} contains no whole chunk; restore it from its backup")
    samples, seconds = _missing_samples(layout, kept, side)
    lost_bytes = max([layout.size, *(e.start + e.length for e in layout.missing)]) - kept.size
    place = path.parent / FOLDER / path.name
    sentence = _words(path, layout, side, kept, _loss_words(layout, samples, seconds, lost_bytes))
    world.disk.mkdir(place.parent, exist_ok=True)
    note: dict[str, Any] = {
        "state": "recovered",
        "bytes": kept.size,
        "lost_bytes": lost_bytes,
        "lost_s": max(seconds.values(), default=0.0),
        "n_chunks": len(kept.entries),
        "tail": "",
        "sentence": sentence,
        "index_damaged": bool(side is not None and side.n_bad),
    }
    world.disk.save(place, b"".join(kept.parts))
    index.replace(place, kept.entries, note, copies=kept.copies)
    return Salvage(place, kept.size, lost_bytes, len(kept.entries), note["lost_s"], sentence)


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


def _words(path: Path, layout: Layout, side: index.Index | None, kept: _Kept, lost: str) -> str:
    """What is damaged, what is lost, where the rest is, and what to do."""
    places = [d.sentence for d in layout.damage]
    if layout.torn:
        places.append(f"its end from byte {layout.tail:,} on")
    where = places[0] + (f" and {len(places) - 1} more" if len(places) > 1 else "")
    closed = "was changed after it was written" if side is not None and side.end is not None else "is damaged"
    orphans = f" {kept.orphans:,} whole chunks that cannot be read without lost ones are left out."
    bad = f" {index.damage_words(path, side)}" if side is not None and side.n_bad else ""
    return (
        f"{path.name} {closed}, in {len(places)} place{'s' * (len(places) != 1)}: {where}. {lost}; "
        f"{kept.size:,} bytes, {len(kept.entries):,} whole chunks, are in {FOLDER}/{path.name}."
        f"{orphans if kept.orphans else ''}{bad} "
        "The damaged file is unchanged; restore it from its backup if there is one."
    )


def _loss_words(layout: Layout, samples: dict[int, int], seconds: dict[int, float], lost_bytes: int) -> str:
    """How much of which streams is lost."""
    n = sum(not d.restored for d in layout.damage) + len(layout.missing) + (layout.torn and not layout.missing)
    if not n:
        return "Nothing is lost, because the bytes of what is damaged are known"
    parts = []
    for i in [i for i in layout.formats if i in samples or i in seconds]:
        count = f"{samples[i]:,} samples of " if i in samples else "a part of "
        parts.append(f"{count}{layout.formats[i].name!r}" + (f" ({seconds[i]:.3f} s)" if i in seconds else ""))
    what = f": {' and '.join(parts)}" if parts else ""
    return f"{lost_bytes:,} bytes in {n} chunk{'s' * (n != 1)} are lost{what}"
