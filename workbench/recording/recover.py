"""What became of a recording, and saving what is whole in a torn or damaged one.

``inspect`` only looks. ``recover`` never destroys. A file whose end is torn is cut to its last whole chunk, and
what is cut off is first saved beside it. A file that is damaged inside stays as it is, byte for byte; every whole
chunk before and behind the damage goes into a file of the same name in the folder ``salvaged``. A second call
changes nothing.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from workbench import reading, world
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.recording import chunks, index, xdf
from workbench.recording.account import Account, bytes_kept, bytes_lost, samples_lost
from workbench.recording.chunks import Tag, TornChunk
from workbench.recording.files import try_lock
from workbench.recording.layout import Layout, survey
from workbench.recording.salvage import salvage
from workbench.vocabulary import RecordingState


@dataclass(frozen=True, slots=True)
class Recovery:
    """What ``recover`` did.

    Attributes
    ----------
    kept_bytes, lost_bytes : of the recording; what is cut off its end is saved in ``tail``.
    n_chunks : whole chunks that remain.
    state : ``"clean"`` (closed properly, nothing done), ``"recovered"`` (was not closed; from now on
        quarantined), ``"salvaged"`` (damaged inside; ``salvaged`` holds the rest), ``"index damaged"`` (the
        recording is whole, its index is not; nothing done).
    account : what was found, saved and lost, and what to do next, for a reader.
    lost_s : s of signal known to be lost (the longest of all regular streams).
    tail : file with the bytes that were cut off, None when there were none.
    damage : stretches inside the file that are not what was written.
    salvaged : file with every whole chunk of a damaged recording, None when it is not damaged inside.
    index_damaged : entries of the index failed their own check: some chunks were checked by structure alone.
    """

    kept_bytes: int
    lost_bytes: int
    n_chunks: int
    state: Literal["clean", "recovered", "salvaged", "index damaged"]
    account: Account
    lost_s: float = 0.0
    tail: Path | None = None
    damage: tuple[str, ...] = ()
    salvaged: Path | None = None
    index_damaged: bool = False

    @property
    def sentence(self) -> str:
        """The account as one message."""
        return self.account.sentence

    @property
    def quarantined(self) -> bool:
        """Whether a person must look at the recording before it is used."""
        return self.state != "clean"

    @property
    def damaged(self) -> bool:
        """Whether anything that was on the disk was lost or changed."""
        return self.lost_bytes > 0 or self.index_damaged or self.state == "salvaged"


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """One stream of a recording; ``first`` and ``last`` are raw stamps in s."""

    name: str
    type: str
    dtype: str
    fs: float
    n_channels: int
    n_samples: int
    first: float
    last: float
    n_offsets: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a recording is.

    Attributes
    ----------
    path, n_bytes, n_chunks : of the file.
    state : ``"finished"``, ``"stopped"``, ``"failed"``, ``"recovered"``, ``"recording"`` (being written
        now), ``"unfinished"``, ``"damaged"``, or ``"foreign"`` (no index).
    indexed : whether every chunk was checked by its CRC.
    streams : in file order.
    damage : stretches that are not what was written, with chunk and bytes.
    torn_bytes : bytes at the end that are no whole chunk.
    n_bad_entries : entries of the index that failed their own check.
    sentence : all of it, with the remedy, a message.
    """

    path: Path
    n_bytes: int
    n_chunks: int
    state: RecordingState
    indexed: bool
    streams: tuple[StreamSummary, ...]
    damage: tuple[str, ...]
    torn_bytes: int
    sentence: str
    n_bad_entries: int = 0

    @property
    def quarantined(self) -> bool:
        """Whether a person must look at the recording before it is used."""
        odd = self.state in ("recovered", "unfinished", "damaged")
        return odd or self.torn_bytes > 0 or self.n_bad_entries > 0

    def text(self) -> str:
        """The inspection as a few lines of text."""
        checked = "each checked by its CRC" if self.indexed else "checked by structure; there is no index"
        lines = [
            f"{self.path.name}: {self.state}, {self.n_bytes:,} bytes, {self.n_chunks:,} chunks ({checked})",
            self.sentence,
        ]
        for s in self.streams:
            rate = f"{s.fs:g} Hz" if s.fs > 0 else "irregular"
            span = f", {s.first:.3f} to {s.last:.3f} s" if s.n_samples else ""
            lines.append(
                f"  {s.name} ({s.type}): {s.n_channels} × {s.dtype}, {rate}, {s.n_samples:,} samples{span}, "
                f"{s.n_offsets} clock offsets"
            )
        return "\n".join(lines + [f"  damaged: {d}" for d in self.damage])


def inspect(path: Path | str) -> Inspection:
    """Look at a recording without changing it.

    Raises
    ------
    RecordingFault
        When it cannot be read or is not an XDF file.
    """
    return look(Path(path))[0]


def look(path: Path) -> tuple[Inspection, xdf.XdfFile | None]:
    """What :func:`inspect` says, and the recording that it read for that; None where that is damaged or torn."""
    data, side = xdf.load(path)
    layout = survey(data, side)
    header, streams = xdf.assemble(layout, data)
    damage = tuple(d.sentence for d in layout.damage)
    state = xdf.state_of(side)
    # A journal locks its file while it writes: locked is "recording", not locked is "crashed".
    if state == "unfinished" and _is_open(path):
        state = "recording"
    elif damage:
        state = "damaged"
    summaries = tuple(
        StreamSummary(
            stream.name,
            stream.type,
            stream.dtype,
            stream.fs,
            1 if stream.dtype == "string" else len(stream.channels),
            len(stream.stamps),
            float(stream.stamps[0]) if len(stream.stamps) else 0.0,
            float(stream.stamps[-1]) if len(stream.stamps) else 0.0,
            len(stream.clock_times),
        )
        for stream in streams
    )
    sentence = _words(path, state, layout, side, damage)
    torn = layout.size - layout.tail if layout.torn else 0
    n_bad = side.n_bad if side is not None else 0
    indexed = side is not None and n_bad == 0
    whole = len(layout.pieces)
    seen = Inspection(path, layout.size, whole, state, indexed, summaries, damage, torn, sentence, n_bad)
    whole_file = not layout.damage and not layout.torn
    return seen, xdf.XdfFile(path, header, streams, xdf.state_of(side)) if whole_file else None


def recover(path: Path | str) -> Recovery:
    """Save what is whole in a recording, and say what is lost.

    One that was closed properly and is whole stays as it is. A torn one is cut to its last whole chunk, the tail
    is saved beside it, and it is marked recovered. One that is damaged inside stays as it is too; everything else
    of it goes into ``salvaged/NAME``. Calling it again returns the same answer.

    Raises
    ------
    RecordingFault
        When the file is not an XDF file, is being written, or cannot be changed.
    """
    path = Path(path)
    if path.suffix in (".xdfz", ".gz"):
        raise RecordingFault(Message("recover.packed", file=path.name))
    with _held(path) as descriptor:
        data, side = xdf.load(path)
        layout = survey(data, side)
        if not layout.damage and not layout.torn and (side is None or side.end is not None):
            return _untouched(path, layout, side)
        try:
            if layout.damage:
                return _salvaged(path, data, layout, side)
            return _cut(path, descriptor, data, layout, side)
        except OSError as error:
            raise RecordingFault(Message("recover.not_cut", file=path.name, why=str(error.strerror))) from error


def _untouched(path: Path, layout: Layout, side: index.Index | None) -> Recovery:
    """The answer for a recording that needs no cut."""
    end = (side.end if side is not None else None) or {}
    if end.get("state") == "recovered":
        tail = path.with_name(end["tail"]) if end.get("tail") else None
        damaged_since = side is not None and side.n_bad > 0
        account = Account.of_note(end)
        if side is not None and damaged_since:
            account = replace(account, found=(*account.found, index.damage_words(path, side)))
        return Recovery(
            end.get("bytes", layout.size),
            end.get("lost_bytes", 0),
            end.get("n_chunks", len(layout.pieces)),
            "recovered",
            account,
            end.get("lost_s", 0.0),
            tail,
            index_damaged=end.get("index_damaged", False) or damaged_since,
        )
    size, n_chunks = f"{layout.size:,}", f"{len(layout.pieces):,}"
    account = Account(
        found=(Message("recover.whole", file=path.name, bytes=size, chunks=n_chunks),),
        saved=(Message("recover.unchanged"),),
        lost=(Message("recover.nothing_lost"),),
        next=(Message("recover.do_nothing"),),
    )
    if side is not None and side.n_bad:
        damage = index.damage_words(path, side)
        account = replace(account, found=(*account.found, damage), next=(Message("recover.do_index"),))
        return Recovery(layout.size, 0, len(layout.pieces), "index damaged", account, index_damaged=True)
    return Recovery(layout.size, 0, len(layout.pieces), "clean", account)


def _salvaged(path: Path, data: memoryview, layout: Layout, side: index.Index | None) -> Recovery:
    """Save everything else of a file that is damaged inside."""
    saved = salvage(path, data, layout, side)
    return Recovery(
        saved.kept_bytes,
        saved.lost_bytes,
        saved.n_chunks,
        "salvaged",
        saved.account,
        saved.lost_s,
        damage=tuple(d.sentence for d in layout.damage),
        salvaged=saved.path,
    )


def _cut(path: Path, descriptor: int, data: memoryview, layout: Layout, side: index.Index | None) -> Recovery:
    """Save the tail, cut, rebuild the index: in this order, so that a crash in between loses nothing."""
    # The index may list chunks behind the end of the file: they were written, and are lost as well.
    expected = max([layout.size, *(e.start + e.length for e in layout.missing)])
    tail = path.with_name(f"{path.name}.tail-{layout.tail}")
    if layout.tail < layout.size:
        world.disk.save(tail, bytes(data[layout.tail :]))
        world.disk.truncate(descriptor, layout.tail)
    lost_bytes = expected - layout.tail
    # A call after a crash finds the file cut already; then the saved tail says how much was lost.
    if tail.exists():
        lost_bytes = max(lost_bytes, tail.stat().st_size)
    if layout.tail < len(chunks.MAGIC):
        world.disk.pwrite(descriptor, chunks.MAGIC, 0)
    world.disk.sync(descriptor)
    saved_tail = tail if tail.exists() else None
    samples, lost_s = _lost_samples(
        layout, memoryview(saved_tail.read_bytes() if saved_tail is not None else b""), side
    )
    index_damaged = side is not None and side.n_bad > 0
    account = _account_of_cut(path, layout, side, lost=_lost(layout, lost_bytes, samples), tail=saved_tail)
    note = {
        "state": "recovered",
        "bytes": layout.tail,
        "lost_bytes": lost_bytes,
        "lost_s": lost_s,
        "n_chunks": len(layout.pieces),
        "tail": saved_tail.name if saved_tail is not None else "",
        "sentence": account.sentence,
        "account": account.plain(),
        "index_damaged": index_damaged,
    }
    copies = side.copies if side is not None else {}
    index.replace(path, _entries(layout, data, side), note, copies=copies)
    return Recovery(
        layout.tail,
        lost_bytes,
        len(layout.pieces),
        "recovered",
        account,
        lost_s,
        saved_tail,
        index_damaged=index_damaged,
    )


def _entries(layout: Layout, data: memoryview, side: index.Index | None) -> list[index.Indexed]:
    """Index of what stays."""
    old = {e.start: e for e in side.chunks} if side is not None else {}
    entries = []
    for piece in layout.pieces:
        content = data[piece.body : piece.end]
        stream_id, n = 0, 0
        if piece.tag not in (Tag.FILE_HEADER, Tag.BOUNDARY) and len(content) >= 4:
            stream_id = chunks.decode_stream_id(content)
        if piece.tag == Tag.SAMPLES:
            n, _ = chunks.decode_length(content, 4)
        chunk = data[piece.start : piece.end]
        entry = index.Indexed(piece.start, len(chunk), zlib.crc32(chunk), piece.tag, stream_id, n)
        entries.append(old.get(piece.start, entry))
    return entries


def _lost_samples(layout: Layout, tail: memoryview, side: index.Index | None) -> tuple[dict[str, int], float]:
    """Samples lost by stream, from the index or from the head of the torn chunk, and their duration in s."""
    lost: dict[int, int] = {}
    for entry in side.chunks if side is not None else []:
        if entry.start >= layout.tail:
            lost[entry.stream_id] = lost.get(entry.stream_id, 0) + entry.n_samples
    if not lost:
        lost = _announced(tail)
    named = {layout.formats[i].name: n for i, n in lost.items() if i in layout.formats and n}
    seconds = [
        n / layout.formats[i].fs for i, n in lost.items() if i in layout.formats and layout.formats[i].fs > 0
    ]
    # The longest of the streams, not their sum: they were recorded at the same time.
    return named, max(seconds, default=0.0)


def _announced(tail: memoryview) -> dict[int, int]:
    """Samples that the head of a torn chunk announces."""
    try:
        _, at = chunks.decode_length(tail, 0)
        if int.from_bytes(tail[at : at + 2], "little") != Tag.SAMPLES:
            return {}
        n, _ = chunks.decode_length(tail[at + 2 :], 4)
        return {chunks.decode_stream_id(tail[at + 2 :]): n}
    except TornChunk:
        return {}


def _words(
    path: Path, state: RecordingState, layout: Layout, side: index.Index | None, damage: tuple[str, ...]
) -> str:
    """The sentence of an inspection."""
    if state == "recording":
        return Message("inspect.writing")
    if damage:
        if len(damage) == 1:
            return Message("inspect.damaged_once", where=damage[0], file=path.name)
        return Message("inspect.damaged", n=len(damage), where=damage[0], file=path.name)
    if layout.torn:
        tail, size = f"{layout.tail:,}", f"{layout.size:,}"
        if layout.why:
            return Message("inspect.cut_off_why", tail=tail, size=size, why=layout.why, file=path.name)
        return Message("inspect.cut_off", tail=tail, size=size, file=path.name)
    if state == "unfinished":
        sentence: str = Message("inspect.not_closed", file=path.name)
    elif state == "recovered" and side is not None and side.end is not None:
        sentence = Account.of_note(side.end).sentence
    else:
        sentence = Message("inspect.whole")
    if side is not None and side.n_bad:
        return Message("inspect.both", first=sentence, second=index.damage_words(path, side))
    return sentence


def _account_of_cut(
    path: Path, layout: Layout, side: index.Index | None, *, lost: tuple[str, ...], tail: Path | None
) -> Account:
    """What became of a recording whose end is missing.

    Parameters
    ----------
    path : of the recording.
    layout : its chunks.
    side : its index, None without one.
    lost : what the file lost, empty when nothing.
    tail : file with the bytes that were cut off.
    """
    closed = side is not None and side.end is not None
    found: list[str] = [
        Message("recover.cut_off_later", file=path.name)
        if closed
        else Message("recover.never_closed", file=path.name)
    ]
    if side is not None and side.n_bad:
        found.append(index.damage_words(path, side))
    saved: list[str] = [bytes_kept(layout.tail, len(layout.pieces), path.name)]
    unlisted = sum(piece.number == 0 for piece in layout.pieces)
    if side is not None and unlisted:
        saved.append(Message("recover.unlisted", n=f"{unlisted:,}"))
    if tail is not None:
        saved.append(Message("recover.cut_bytes_in", file=tail.name))
    elif lost:
        lost = (*lost, Message("recover.cut_bytes_gone"))
    if not closed:
        # Missing without a trace in the file: what the writer still held in memory.
        lost = (*lost, Message("recover.unwritten"))
    return Account(
        tuple(found),
        tuple(saved),
        lost,
        (Message("recover.do_inspect", file=path.name), Message("recover.do_end")),
    )


def _lost(layout: Layout, n_bytes: int, samples: dict[str, int]) -> tuple[str, ...]:
    """What is lost behind the last whole chunk; empty when nothing is."""
    if not n_bytes:
        return ()
    rates = {form.name: form.fs for form in layout.formats.values()}
    named = {name: (n, n / rates[name] if rates[name] > 0 else None) for name, n in samples.items()}
    return (bytes_lost(n_bytes, Message("recover.behind_last"), samples_lost(named)),)


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """The file, open for change and locked against its writer."""
    try:
        # Without O_NONBLOCK the opening of a pipe waits for its other end.
        descriptor = world.disk.descriptor(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        raise RecordingFault(
            Message("recover.not_opened", file=reading.shown(path), why=reading.why(error))
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RecordingFault(Message("recover.not_a_file", file=reading.shown(path)))
        if not try_lock(descriptor):
            raise RecordingFault(Message("recover.being_written", file=path.name))
        yield descriptor
    finally:
        world.disk.close(descriptor)


def _is_open(path: Path) -> bool:
    """Whether a journal is writing the file now."""
    try:
        descriptor = world.disk.descriptor(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        world.disk.close(descriptor)
