"""Where the chunks of an XDF file lie, which of them are whole, and where the file is torn.

With a side index every chunk is checked by its CRC; without one, or where the index has holes, by its
structure. Pure: bytes and index in, :class:`Layout` out.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import RecordingFault
from workbench.recording import chunks
from workbench.recording.chunks import BOUNDARY, FORMATS, Tag, TornChunk
from workbench.recording.index import Index, Indexed
from workbench.recording.xml import from_xml, text_of

_NAMES = {
    Tag.FILE_HEADER: "file header",
    Tag.STREAM_HEADER: "stream header",
    Tag.SAMPLES: "samples",
    Tag.CLOCK_OFFSET: "clock offset",
    Tag.BOUNDARY: "boundary",
    Tag.STREAM_FOOTER: "stream footer",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A whole chunk: bytes ``start`` to ``end``, its content from ``body``; ``number`` counts from 1."""

    number: int
    start: int
    body: int
    end: int
    tag: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch that is no longer what was written; ``number`` is 0 when no index tells the chunk."""

    number: int
    start: int
    end: int
    what: str

    @property
    def sentence(self) -> str:
        """One phrase: which chunk, which bytes."""
        chunk = f"chunk {self.number} ({self.what})" if self.number else self.what
        return f"{chunk}, bytes {self.start:,} to {self.end - 1:,}"


@dataclass(frozen=True, slots=True)
class Format:
    """What is needed to read the samples of a stream."""

    name: str
    dtype: str
    n_channels: int
    fs: float
    header: dict[str, Any]

    @property
    def period(self) -> float:
        """Nominal sampling interval in s, 0 when irregular."""
        return 1.0 / self.fs if self.fs > 0 else 0.0


@dataclass(slots=True)
class Layout:
    """The chunks of a file.

    Attributes
    ----------
    size : bytes of the file.
    pieces : whole chunks, in file order.
    damage : stretches inside the file that are not what was written.
    tail : byte from which on the file is torn; ``size`` when it is not.
    missing : chunks that the index lists behind the end of the file.
    formats : stream id → format, from the whole stream headers.
    """

    size: int
    pieces: list[Piece] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    tail: int = 0
    missing: list[Indexed] = field(default_factory=list)
    formats: dict[int, Format] = field(default_factory=dict)

    @property
    def torn(self) -> bool:
        """Whether the end of the file is not a whole chunk, or chunks are missing behind it."""
        return self.tail < max(self.size, len(chunks.MAGIC)) or bool(self.missing)


def survey(data: memoryview, index: Index | None) -> Layout:
    """Find every chunk.

    Raises
    ------
    RecordingFault
        When the file is no XDF file at all.
    """
    head = bytes(data[:4])
    if head != chunks.MAGIC[: len(head)]:
        raise RecordingFault(f"this is no XDF file: it begins with {head!r} instead of {chunks.MAGIC!r}")
    layout = Layout(len(data), tail=len(data))
    at = len(chunks.MAGIC)
    if layout.size < at:
        layout.tail = 0
        return layout
    known = index.chunks if index is not None else []
    for number, entry in enumerate(known, start=1):
        if entry.start < at:
            continue
        if entry.start > at:
            at = _walk(layout, data, at, min(entry.start, len(data)))
        if entry.start + entry.length > len(data):
            layout.missing = known[number - 1 :]
            layout.tail = min(layout.tail, at)
            break
        _indexed(layout, data, number, entry)
        at = entry.start + entry.length
    else:
        at = _walk(layout, data, at, len(data))
    if index is not None and index.end is None:
        _cut_unsynced(layout, index.synced)
    return layout


def parse_format(content: memoryview) -> Format:
    """Format of a stream from the content of its header; :class:`RecordingFault` when it has none."""
    header = from_xml(bytes(content[4:]).decode("utf-8", errors="replace"))
    try:
        dtype = text_of(header, "channel_format")
        n_channels = int(text_of(header, "channel_count"))
        fs = float(text_of(header, "nominal_srate"))
    except ValueError as error:
        raise RecordingFault(f"a stream header has no usable channel count or rate ({error})") from error
    if dtype not in FORMATS or n_channels < 1:
        raise RecordingFault(f"a stream of {n_channels} channels of {dtype!r}; known are {', '.join(FORMATS)}")
    return Format(text_of(header, "name"), dtype, n_channels, fs, header)


def _indexed(layout: Layout, data: memoryview, number: int, entry: Indexed) -> None:
    """A chunk with an index entry: whole when its CRC is right."""
    end = entry.start + entry.length
    if zlib.crc32(data[entry.start : end]) == entry.crc:
        tag, body, _ = chunks.decode_chunk(data, entry.start)
        _accept(layout, data, Piece(number, entry.start, body, end, tag), check=False)
        return
    what = _NAMES.get(Tag(entry.tag), "unknown") if entry.tag in set(Tag) else "unknown"
    stream = layout.formats.get(entry.stream_id)
    if stream is not None:
        what = f"{what} of {stream.name!r}"
    layout.damage.append(Damage(number, entry.start, end, what))


def _walk(layout: Layout, data: memoryview, at: int, stop: int) -> int:
    """Chunks without an index entry: whole when their structure is. Returns where the walk ended.

    A break that is followed by a boundary chunk is damage inside the file; one that is not is its tail.
    """
    part = data[:stop]
    while at < stop:
        try:
            tag, body, end = chunks.decode_chunk(part, at)
            _accept(layout, data, Piece(0, at, body, end, tag), check=True)
            at = end
        except RecordingFault:
            found = bytes(part[at:]).find(BOUNDARY)
            behind = at + found + len(BOUNDARY) if found >= 0 else stop
            if found < 0 and stop == layout.size:
                layout.tail = at
                return stop
            layout.damage.append(Damage(0, at, behind, "a stretch that is no chunk"))
            at = behind
    return at


def _accept(layout: Layout, data: memoryview, piece: Piece, *, check: bool) -> None:
    """Take a chunk in; with ``check``, only when its content can be read."""
    content = data[piece.body : piece.end]
    if piece.tag == Tag.STREAM_HEADER:
        layout.formats[chunks.decode_stream_id(content)] = parse_format(content)
    elif check:
        _check(layout, content, piece.tag)
    layout.pieces.append(piece)


def _check(layout: Layout, content: memoryview, tag: int) -> None:
    if tag == Tag.SAMPLES:
        read_samples(layout.formats, content, last=0.0)
    elif tag == Tag.CLOCK_OFFSET:
        chunks.decode_clock_offset(content)
    elif tag == Tag.BOUNDARY and content != BOUNDARY:
        raise TornChunk("a boundary chunk with another content")
    elif tag == Tag.FILE_HEADER:
        from_xml(bytes(content).decode("utf-8", errors="replace"))
    elif tag == Tag.STREAM_FOOTER:
        from_xml(bytes(content[4:]).decode("utf-8", errors="replace"))


def read_samples(formats: dict[int, Format], content: memoryview, *, last: float) -> tuple[Any, Any]:
    """Values and stamps of a samples chunk; :class:`TornChunk` when its stream or its bytes are missing."""
    stream_id = chunks.decode_stream_id(content)
    if stream_id not in formats:
        raise TornChunk(f"samples of stream {stream_id}, which has no header")
    form = formats[stream_id]
    if form.dtype == "string":
        return chunks.decode_texts(content, n_channels=form.n_channels, last=last, period=form.period)
    return chunks.decode_numbers(
        content, dtype=form.dtype, n_channels=form.n_channels, last=last, period=form.period
    )


def _cut_unsynced(layout: Layout, synced: int) -> None:
    """In a file that was never closed, damage behind the last sync is what a power cut leaves: its tail."""
    unsynced = [d.start for d in layout.damage if d.start >= synced]
    if not unsynced:
        return
    layout.tail = min(layout.tail, *unsynced)
    layout.damage = [d for d in layout.damage if d.start < layout.tail]
    layout.pieces = [p for p in layout.pieces if p.start < layout.tail]
