"""Where the chunks of an XDF file lie, which of them are whole, and where the file is torn.

With a side index every chunk is checked by its CRC; without one, or where the index has holes, by its
structure. Pure: bytes and index in, :class:`Layout` out.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workbench import messages
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.recording import chunks
from workbench.recording.chunks import BOUNDARY, FORMATS, Tag, TornChunk
from workbench.recording.index import Index, Indexed
from workbench.recording.xml import from_xml, text_of

MOST_CHANNELS = 2**16
"""Channels of one stream; the largest arrays of today have some ten thousand."""

FASTEST = 1e7
"""Highest rate of a stream, Hz."""

_HEAD = re.compile(rb"(?s)(?=(?:\x01.|\x04.{4}|\x08.{8})[\x01-\x06]\x00)")
"""Where a chunk may begin: a length of 1, 4 or 8 bytes, then a known tag."""

MOST_TRIES, WORK_BYTES = 100_000, 1000
"""Places tried in total in the search for whole chunks behind breaks; bytes checked that count as one place."""

_NAMES = {
    Tag.FILE_HEADER: Message("chunk.file_header"),
    Tag.STREAM_HEADER: Message("chunk.stream_header"),
    Tag.SAMPLES: Message("chunk.samples"),
    Tag.CLOCK_OFFSET: Message("chunk.clock"),
    Tag.BOUNDARY: Message("chunk.boundary"),
    Tag.STREAM_FOOTER: Message("chunk.stream_footer"),
}


class Piece(NamedTuple):
    """A whole chunk: bytes ``start`` to ``end``, its content from ``body``; ``number`` counts from 1."""

    number: int
    start: int
    body: int
    end: int
    tag: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch that is no longer what was written.

    Attributes
    ----------
    number : of the chunk, 0 when no index lists it.
    start, end : bytes of the file.
    what : what the chunk is, a message.
    stream_id, n_samples : of a samples chunk, 0 when no index lists it.
    restored : its bytes are known from the copy in the index; it is listed among the whole chunks.
    """

    number: int
    start: int
    end: int
    what: str
    stream_id: int = 0
    n_samples: int = 0
    restored: bool = False

    @property
    def sentence(self) -> str:
        """One phrase: which chunk, which bytes."""
        what = Message("chunk.numbered", n=self.number, what=self.what) if self.number else self.what
        start, end = f"{self.start:,}", f"{self.end - 1:,}"
        if self.restored and self.number:
            return Message("chunk.damage_copied", what=what, start=start, end=end)
        return Message("chunk.damage", what=what, start=start, end=end)


def first_of(places: Sequence[str]) -> str:
    """The first of some damaged places, and how many more there are."""
    if len(places) == 1:
        return places[0]
    return Message("recording.and_more", first=places[0], n=len(places) - 1)


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
    restored : start of a damaged chunk → its bytes, from the copy in the index.
    why : what is wrong at ``tail``, ``""`` where the file simply ends.
    work : places tried so far, so that a search ends.
    """

    size: int
    pieces: list[Piece] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    tail: int = 0
    missing: list[Indexed] = field(default_factory=list)
    formats: dict[int, Format] = field(default_factory=dict)
    restored: dict[int, bytes] = field(default_factory=dict)
    why: str = ""
    work: int = 0

    def content(self, data: memoryview, piece: Piece) -> memoryview:
        """The content of a whole chunk, behind its tag."""
        copy = self.restored.get(piece.start)
        if copy is None:
            return data[piece.body : piece.end]
        return memoryview(copy)[piece.body - piece.start :]

    def chunk(self, data: memoryview, piece: Piece) -> memoryview:
        """The bytes of a whole chunk."""
        copy = self.restored.get(piece.start)
        return data[piece.start : piece.end] if copy is None else memoryview(copy)

    @property
    def torn(self) -> bool:
        """Whether the end of the file is not a whole chunk, or chunks are missing behind it."""
        return self.tail < max(self.size, len(chunks.MAGIC)) or bool(self.missing)


def survey(data: memoryview, index: Index | None) -> Layout:
    """Find every chunk.

    Raises
    ------
    RecordingFault
        When the file is not an XDF file at all.
    """
    layout = Layout(len(data), tail=len(data))
    head = bytes(data[:4])
    if head != chunks.MAGIC[: len(head)]:
        # An index proves that this was one of our recordings: its first bytes are damaged, and known.
        if index is None or not index.chunks:
            raise RecordingFault(Message("recording.not_xdf", head=repr(head), magic=repr(chunks.MAGIC)))
        layout.damage.append(Damage(0, 0, len(head), Message("chunk.first_bytes"), restored=True))
    at = len(chunks.MAGIC)
    if layout.size < at:
        layout.tail = 0
        return layout
    known, copies = (_known(index), index.copies) if index is not None else ([], {})
    _take_copied_headers(layout, copies)
    for number, entry in enumerate(known, start=1):
        # Entries that overlap: the first one counts, so that no byte is read twice.
        if entry.start < at:
            continue
        # Bytes that no entry covers, such as where an entry is damaged: their structure decides.
        if entry.start > at:
            at = _walk(layout, data, at, min(entry.start, len(data)))
        if entry.start + entry.length > len(data):
            layout.missing = known[number - 1 :]
            layout.tail = min(layout.tail, at)
            break
        _indexed(layout, data, number, entry, copies)
        at = entry.start + entry.length
    else:
        at = _walk(layout, data, at, len(data))
    if index is not None and index.end is None:
        _cut_unsynced(layout, index.synced)
    return layout


def _known(index: Index) -> list[Indexed]:
    """The chunks that an index lists, by entry or, where the entry is damaged, by its copy of them."""
    listed = {entry.start for entry in index.chunks}
    copied = []
    for start, copy in index.copies.items():
        # A copy that cannot be decoded says nothing: the file itself decides.
        with suppress(RecordingFault):
            tag, _, _ = chunks.decode_chunk(memoryview(copy), 0)
            if start not in listed:
                copied.append(Indexed(start, len(copy), zlib.crc32(copy), tag))
    return sorted([*index.chunks, *copied], key=lambda entry: entry.start) if copied else index.chunks


def parse_format(content: memoryview) -> Format:
    """Format of a stream from the content of its header; :class:`RecordingFault` when it has none."""
    header = from_xml(bytes(content[4:]).decode("utf-8", errors="replace"))
    dtype, count, rate = (text_of(header, name) for name in ("channel_format", "channel_count", "nominal_srate"))
    try:
        n_channels, fs = int(count), float(rate)
    except ValueError as error:
        raise RecordingFault(
            Message("recording.header_unusable", channels=f"{count!r:.40}", rate=f"{rate!r:.40}")
        ) from error
    if dtype not in FORMATS or n_channels < 1:
        raise RecordingFault(
            Message("recording.header_channels", n=n_channels, dtype=f"{dtype!r:.40}", known=list(FORMATS))
        )
    if n_channels > MOST_CHANNELS:
        raise RecordingFault(Message("recording.header_too_many", n=f"{n_channels:,}", most=f"{MOST_CHANNELS:,}"))
    # Limits far above any device: a damaged header must not make the reader allocate without bound.
    if not math.isfinite(fs) or not 0 <= fs <= FASTEST:
        raise RecordingFault(Message("recording.header_rate", fs=f"{fs:g}", fastest=f"{FASTEST:g}"))
    return Format(text_of(header, "name"), dtype, n_channels, fs, header)


def _take_copied_headers(layout: Layout, copies: dict[int, bytes]) -> None:
    """Formats from the copies in the index, so that samples can be read whose header is damaged."""
    for copy in copies.values():
        data = memoryview(copy)
        try:
            tag, body, _ = chunks.decode_chunk(data, 0)
            if tag == Tag.STREAM_HEADER:
                layout.formats[chunks.decode_stream_id(data[body:])] = parse_format(data[body:])
        except RecordingFault:
            continue  # A copy that cannot be decoded says nothing: the file itself decides.


def _indexed(layout: Layout, data: memoryview, number: int, entry: Indexed, copies: dict[int, bytes]) -> None:
    """A chunk with an index entry: whole when its CRC is right."""
    end = entry.start + entry.length
    if zlib.crc32(data[entry.start : end]) == entry.crc:
        tag, body, _ = chunks.decode_chunk(data, entry.start)
        _accept(layout, data, Piece(number, entry.start, body, end, tag))
        return
    copy = copies.get(entry.start)
    restored = copy is not None and len(copy) == entry.length and zlib.crc32(copy) == entry.crc
    if copy is not None and restored:
        layout.restored[entry.start] = copy
        tag, body, _ = chunks.decode_chunk(memoryview(copy), 0)
        _accept(layout, data, Piece(number, entry.start, entry.start + body, end, tag))
    what = _NAMES[Tag(entry.tag)] if entry.tag in set(Tag) else Message("chunk.unknown")
    stream = layout.formats.get(entry.stream_id)
    if stream is not None:
        what = Message("chunk.of_stream", what=what, stream=repr(stream.name))
    layout.damage.append(Damage(number, entry.start, end, what, entry.stream_id, entry.n_samples, restored))


def _walk(layout: Layout, data: memoryview, at: int, stop: int) -> int:
    """Chunks without an index entry: whole when their structure is. Returns where the walk ended.

    A break that is followed by a whole chunk is damage inside the file; one that is not is its tail.
    """
    part = data[:stop]
    while at < stop:
        try:
            piece = _whole_chunk(layout, part, at)
        except RecordingFault as fault:
            # One byte on, not one chunk: after a break no length can be trusted.
            behind = _next_whole(layout, part, at + 1)
            if behind is None and stop == layout.size:
                layout.tail, layout.why = at, messages.of(fault)
                return stop
            end = stop if behind is None else behind.start
            layout.damage.append(Damage(0, at, end, Message("chunk.no_chunk", why=messages.of(fault))))
            if behind is None:
                return stop
            piece = behind
        _accept(layout, data, piece)
        at = piece.end
    return at


def _whole_chunk(layout: Layout, data: memoryview, at: int) -> Piece:
    """The chunk at byte ``at``; :class:`RecordingFault` when its structure or content is not that of a chunk."""
    tag, body, end = chunks.decode_chunk(data, at)
    layout.work += 1 + (end - at) // WORK_BYTES
    _check(layout, data[body:end], tag)
    return Piece(0, at, body, end, tag)


def _next_whole(layout: Layout, data: memoryview, at: int) -> Piece | None:
    """The next whole chunk behind a break, None when there is none or when too many places look like one."""
    # Proportional to the file, so that a file made of false chunk heads cannot keep the search busy for hours.
    limit = MOST_TRIES + 8 * layout.size // WORK_BYTES
    for head in _HEAD.finditer(data, at):
        layout.work += 1
        if layout.work > limit:
            return None
        try:
            return _whole_chunk(layout, data, head.start())
        except RecordingFault:
            continue
    return None


def _accept(layout: Layout, data: memoryview, piece: Piece) -> None:
    """Add a whole chunk to the layout."""
    if piece.tag == Tag.STREAM_HEADER:
        content = layout.content(data, piece)
        layout.formats[chunks.decode_stream_id(content)] = parse_format(content)
    layout.pieces.append(piece)


def _check(layout: Layout, content: memoryview, tag: int) -> None:
    if tag == Tag.STREAM_HEADER:
        stream_id, form = chunks.decode_stream_id(content), parse_format(content)
        before = layout.formats.get(stream_id, form)
        if (before.n_channels, before.dtype) != (form.n_channels, form.dtype):
            # Samples are read by one format; those before this header would be read wrongly by that one.
            raise TornChunk(
                Message(
                    "chunk.announced_twice",
                    stream=stream_id,
                    n=before.n_channels,
                    dtype=before.dtype,
                    other_n=form.n_channels,
                    other_dtype=form.dtype,
                )
            )
    elif tag == Tag.SAMPLES:
        read_samples(layout.formats, content, last=0.0)
    elif tag == Tag.CLOCK_OFFSET:
        chunks.decode_clock_offset(content)
        _check_announced(layout, content)
    elif tag == Tag.BOUNDARY and content != BOUNDARY:
        raise TornChunk(Message("chunk.other_boundary"))
    elif tag == Tag.FILE_HEADER:
        from_xml(bytes(content).decode("utf-8", errors="replace"))
    elif tag == Tag.STREAM_FOOTER:
        from_xml(bytes(content[4:]).decode("utf-8", errors="replace"))
        _check_announced(layout, content)


def _check_announced(layout: Layout, content: memoryview) -> None:
    if (stream_id := chunks.decode_stream_id(content)) not in layout.formats:
        raise TornChunk(Message("chunk.no_header", stream=stream_id))


def read_samples(formats: dict[int, Format], content: memoryview, *, last: float) -> tuple[Any, Any]:
    """Values and stamps of a samples chunk; :class:`TornChunk` when its stream or its bytes are missing.

    Parameters
    ----------
    formats : what the stream headers said, by stream id.
    content : the chunk behind its tag.
    last : stamp of the stream's sample before, s.
    """
    stream_id = chunks.decode_stream_id(content)
    if stream_id not in formats:
        raise TornChunk(Message("chunk.samples_no_header", stream=stream_id))
    form = formats[stream_id]
    if form.dtype == "string":
        return chunks.decode_texts(content, n_channels=form.n_channels, last=last, period=form.period)
    return chunks.decode_numbers(
        content, dtype=form.dtype, n_channels=form.n_channels, last=last, period=form.period
    )


def _cut_unsynced(layout: Layout, synced: int) -> None:
    """In a file that was never closed, damage behind the last sync and the last whole chunk is its torn tail."""
    # A power cut may leave unsynced bytes in any state; that is a torn end and not a change after writing.
    last = max((piece.end for piece in layout.pieces), default=len(chunks.MAGIC))
    tail = [d.start for d in layout.damage if d.start >= max(synced, last)]
    if tail:
        layout.tail = min(layout.tail, *tail)
        layout.damage = [d for d in layout.damage if d.start < layout.tail]
