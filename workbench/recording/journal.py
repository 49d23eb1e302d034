"""The signal journal: an append-only XDF file that survives ``kill -9`` and a power cut.

One ``write()`` per chunk, so that a killed process leaves whole chunks; ``fsync`` every 0.5 s in a thread of
its own, so that a power cut loses at most 1 s where a sync takes 0.5 s or less; a side index with the CRC
of every chunk, so that damage is found. Everything is raw: stamps as the outlet made them, clock offsets
beside them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from workbench import world
from workbench.errors import BadValue, RecordingFault
from workbench.messages import Message
from workbench.recording import chunks, files, index
from workbench.recording.chunks import FORMATS, Tag
from workbench.recording.xml import document, is_name, several
from workbench.vocabulary import FloatArray, StreamSpec

SYNC_EVERY_S = 0.5
"""Time between two ``fsync``."""

SYNC_SLOW_S = 0.5
"""A sync that takes longer breaks the promise of at most 1 s; the caller records it in the ledger."""

SYNC_LIMIT_S = 15.0
"""A sync that has not returned after this time counts as hung, s."""

BOUNDARY_EVERY_S = 10.0
"""Time between two boundary chunks."""


@dataclass(slots=True)
class _Stream:
    """What the footer of a stream will say."""

    dtype: str
    n_channels: int
    n: int = 0
    first: float = 0.0
    last: float = 0.0
    offsets: list[dict[str, Any]] = field(default_factory=list)


class Journal:
    """An XDF file being written. Safe to call from several threads.

    Parameters
    ----------
    path : of the new file; it must not exist. Mode 0600, as is its index ``<path>.idx``.
    header : extra entries of the file header (nested mappings of texts and numbers).
    on_slow_sync : called from the sync thread with the seconds of a sync that took over 0.5 s.
    on_sync : called from the sync thread with the number of bytes that are on the disk.
    spawn : starts the sync thread.

    Raises
    ------
    RecordingFault
        When the file cannot be created or written. After a failed write the file ends with its last
        whole chunk, and every further write raises again.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        header: Mapping[str, Any] | None = None,
        on_slow_sync: Callable[[float], None] | None = None,
        on_sync: Callable[[int], None] | None = None,
        spawn: world.Spawn = world.start_thread,
    ) -> None:
        self.path = Path(path)
        self._on_slow_sync, self._on_sync = on_slow_sync, on_sync
        self._lock = world.clock.lock()
        self._streams: dict[int, _Stream] = {}
        self._size = 0
        self._fault: Message | Literal[""] = ""
        self._closed = False
        self._file = files.create(self.path)
        try:
            # Both files or neither: a recording without its index would pass for one of another program.
            self._index = files.create(index.path_of(self.path))
        except RecordingFault:
            world.disk.close(self._file)
            world.disk.unlink(self.path)
            raise
        self._boundary_at = world.clock.monotonic()
        text = document("info", {"version": "1.0", **(header or {})})
        self._begin(chunks.encode_xml(Tag.FILE_HEADER, text))
        self._stop = world.clock.event()
        self._syncer = spawn("journal-sync", self._sync_loop, limit_s=SYNC_LIMIT_S)

    # ------------------------------------------------------------------------------------ writing
    def add_stream(
        self,
        spec: StreamSpec,
        *,
        dtype: str = "float32",
        desc: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> int:
        """Announce a stream.

        Parameters
        ----------
        spec : name, type, rate, channels, unit, source_id, role; no channels means one text channel.
        dtype : ``"float32"``, ``"double64"``, ``"string"``, ``"int8"`` … ``"int64"``.
        desc : entries of the stream description beside channel labels and role.
        header : what the outlet announced (``uid``, ``hostname``, ``created_at``, ``session_id``, ``desc`` …),
            kept as it is beside what ``spec`` says.

        Returns
        -------
        int
            The stream id for :meth:`samples` and :meth:`clock_offset`.
        """
        if dtype not in FORMATS:
            raise BadValue(
                Message("recording.stream_dtype", stream=repr(spec.name), got=repr(dtype), allowed=list(FORMATS))
            )
        n_channels = max(1, len(spec.channels))
        with self._lock:
            stream_id = len(self._streams) + 1
            self._streams[stream_id] = _Stream(dtype, n_channels)
            xml = document("info", _header(spec, dtype, n_channels, desc or {}, header or {}))
            content = chunks.encode_xml(Tag.STREAM_HEADER, xml, stream_id=stream_id)
            self._append(content, Tag.STREAM_HEADER, stream_id=stream_id, copied=True)
        return stream_id

    def samples(
        self,
        stream_id: int,
        values: NDArray[Any] | Sequence[Any],
        stamps: FloatArray,
        *,
        copied: bool = False,
    ) -> None:
        """Append samples in one ``write()``; no samples write nothing.

        Parameters
        ----------
        stream_id : from :meth:`add_stream`.
        values : ``(n_times, n_channels)`` in the unit of the stream, or ``n_times`` texts (rows of texts for
            several channels). Numbers are cast to the stream's dtype only when no bit is lost.
        stamps : ``(n_times,)`` float64, s, raw LSL time.
        copied : keep a copy of this chunk in the index, for what the rest of the file cannot be read without.
        """
        stream = self._stream(stream_id)
        stamps = np.asarray(stamps, dtype=np.float64)
        n = len(stamps)
        if len(values) != n:
            raise BadValue(Message("recording.stamps_count", n=len(values), stamps=n))
        if n == 0:
            return
        if stream.dtype == "string":
            chunk = chunks.encode_texts(stream_id, _rows(list(values), stream.n_channels), stamps)
        else:
            numbers = np.asarray(values)
            if numbers.shape != (n, stream.n_channels):
                raise BadValue(
                    Message("recording.samples_shape", got=str(numbers.shape), channels=stream.n_channels)
                )
            chunk = chunks.encode_numbers(stream_id, numbers, stamps, dtype=stream.dtype)
        with self._lock:
            self._append(chunk, Tag.SAMPLES, stream_id=stream_id, n=n, copied=copied)
            if stream.n == 0:
                stream.first = float(stamps[0])
            stream.n += n
            stream.last = float(stamps[-1])

    def clock_offset(
        self, stream_id: int, time: float, offset: float, *, uncertainty: float | None = None
    ) -> None:
        """Append a measured clock offset: ``corrected = raw + offset``.

        Parameters
        ----------
        stream_id : whose clock.
        time : s, ``local_clock()`` of the measurement.
        offset : s.
        uncertainty : s, half the round trip; kept in the footer (XDF has no other place for it).
        """
        stream = self._stream(stream_id)
        note = {"time": repr(float(time)), "value": repr(float(offset))}
        if uncertainty is not None:
            note["uncertainty"] = repr(float(uncertainty))
        with self._lock:
            chunk = chunks.encode_clock_offset(stream_id, time=time, offset=offset)
            self._append(chunk, Tag.CLOCK_OFFSET, stream_id=stream_id)
            stream.offsets.append(note)

    def boundary(self) -> None:
        """Append a boundary chunk now; one is written every 10 s by itself."""
        with self._lock:
            self._append(chunks.encode_boundary(), Tag.BOUNDARY)
            self._boundary_at = world.clock.monotonic()

    def sync(self) -> None:
        """Return when everything that was written so far is on the disk.

        Raises
        ------
        RecordingFault
            When the disk does not confirm it; nothing more can be written then.
        """
        with self._lock:
            if self._fault:
                raise RecordingFault(self._fault)
            size = self._size
        if not self._synced(size):
            raise RecordingFault(self._fault)

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._size

    @property
    def fault(self) -> str:
        """Why nothing more can be written, ``""`` while all is well."""
        return self._fault

    def close(self, *, state: str = "finished") -> None:
        """Write footers, sync, and mark the index complete with ``state``.

        After a fault the file is closed as it is: no footers, index not complete, so that
        ``recover`` treats it as cut off.
        """
        if self._closed:
            return
        # The sync thread ends first: it takes the same lock, and must not sync a closed file.
        self._stop.set()
        self._syncer.join()
        try:
            with self._lock:
                if not self._fault:
                    self._finish(state)
        finally:
            self._closed = True
            world.disk.close(self._file)
            world.disk.close(self._index)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(state="finished" if kind is None else "stopped")

    # ------------------------------------------------------------------------------------ inside
    def _stream(self, stream_id: int) -> _Stream:
        if stream_id not in self._streams:
            raise BadValue(Message("recording.not_announced", stream=stream_id, known=str(sorted(self._streams))))
        return self._streams[stream_id]

    def _begin(self, header: bytes) -> None:
        """Magic and file header in one write, and the folder entry on the disk."""
        try:
            world.disk.write_all(self._file, chunks.MAGIC + header)
            self._size = len(chunks.MAGIC)
            self._note(header, Tag.FILE_HEADER, magic=index.MAGIC, copied=True)
            world.disk.sync_folder(self.path.parent)
        except OSError as error:
            world.disk.close(self._file)
            world.disk.close(self._index)
            world.disk.unlink(self.path, missing_ok=True)
            world.disk.unlink(index.path_of(self.path), missing_ok=True)
            raise RecordingFault(files.refusal(self.path, error)) from error

    def _append(self, chunk: bytes, tag: Tag, *, stream_id: int = 0, n: int = 0, copied: bool = False) -> None:
        """One chunk and its index entry; the caller has the lock."""
        if self._closed:
            raise RecordingFault(Message("recording.closed", file=self.path.name))
        if self._fault:
            raise RecordingFault(self._fault)
        try:
            world.disk.write_all(self._file, chunk)
            # The chunk first: an index entry without its chunk would count as lost data after a crash.
            self._note(chunk, tag, stream_id=stream_id, n=n, copied=copied)
        except OSError as error:
            self._fail(error)
        # Not after a boundary itself, which would call this again for ever.
        if tag != Tag.BOUNDARY and world.clock.monotonic() - self._boundary_at >= BOUNDARY_EVERY_S:
            self._boundary_at = world.clock.monotonic()
            self._append(chunks.encode_boundary(), Tag.BOUNDARY)

    def _note(
        self,
        chunk: bytes,
        tag: Tag,
        *,
        stream_id: int = 0,
        n: int = 0,
        magic: bytes = b"",
        copied: bool = False,
    ) -> None:
        entry = index.Indexed(self._size, len(chunk), zlib.crc32(chunk), tag, stream_id, n)
        copy = index.encode_copy(self._size, chunk) if copied else b""
        world.disk.write_all(self._index, magic + index.encode(entry) + copy)
        self._size += len(chunk)

    def _fail(self, error: OSError) -> NoReturn:
        """Cut the half-written chunk off again, remember the sentence, raise it."""
        file, why, size = self.path.name, str(error.strerror), f"{self._size:,}"
        self._fault = Message("recording.refused", file=file, why=why, size=size)
        try:
            world.disk.truncate(self._file, self._size)
        except OSError:
            self._fault = Message("recording.refused_and_torn", file=file, why=why, size=size)
        raise RecordingFault(self._fault) from error

    def _sync_loop(self, beat: world.Beat) -> None:
        while not self._stop.wait(SYNC_EVERY_S):
            beat()
            began = world.clock.monotonic()
            # The size before the sync: only bytes written by then are certain to be on the disk. The lock is
            # released during the sync, so that a slow disk never stops the writer.
            with self._lock:
                size = self._size
            if not self._synced(size):
                return
            took = world.clock.monotonic() - began
            if took > SYNC_SLOW_S and self._on_slow_sync is not None:
                self._on_slow_sync(took)
            if self._on_sync is not None:
                self._on_sync(size)

    def _synced(self, size: int) -> bool:
        """Sync the data first, then the index that vouches for it; False after a fault, which ends the writing."""
        try:
            world.disk.sync(self._file)
            with self._lock:
                if not self._fault:
                    world.disk.write_all(self._index, index.encode_sync(size))
            world.disk.sync(self._index)
        except OSError as error:
            with self._lock:
                self._fault = Message("recording.unconfirmed", file=self.path.name, why=str(error.strerror))
            return False
        return True

    def _finish(self, state: str) -> None:
        # The end entry last, after the sync: an index that says "finished" vouches for bytes on the disk.
        for stream_id, stream in self._streams.items():
            xml = document("info", _footer(stream))
            chunk = chunks.encode_xml(Tag.STREAM_FOOTER, xml, stream_id=stream_id)
            self._append(chunk, Tag.STREAM_FOOTER, stream_id=stream_id)
        try:
            world.disk.sync(self._file)
            note = {"state": state, "bytes": self._size}
            world.disk.write_all(self._index, index.encode_sync(self._size) + index.encode_end(note))
            world.disk.sync(self._index)
        except OSError as error:
            self._fault = Message("recording.not_closed", file=self.path.name, why=str(error.strerror))
            raise RecordingFault(self._fault) from error


def _rows(values: Sequence[Any], n_channels: int) -> list[list[str]]:
    """Texts as rows with one text per channel."""
    rows = [[value] if isinstance(value, str) else [str(text) for text in value] for value in values]
    if any(len(row) != n_channels for row in rows):
        raise BadValue(Message("recording.text_channels", n=n_channels))
    return rows


ANNOUNCED = ("version", "created_at", "uid", "session_id", "hostname")
"""Elements of an outlet's header that are kept, in the order of LabRecorder."""


def _header(
    spec: StreamSpec, dtype: str, n_channels: int, desc: Mapping[str, Any], header: Mapping[str, Any]
) -> dict[str, Any]:
    """Stream header in the layout that pyxdf, EEGLAB and LabRecorder share."""
    announced = header.get("desc")
    announced = announced if isinstance(announced, Mapping) else {}
    return {
        "name": spec.name,
        "type": spec.type,
        "channel_count": n_channels,
        "nominal_srate": repr(float(spec.fs)),
        "channel_format": dtype,
        "source_id": spec.source_id,
        **{name: header[name] for name in ANNOUNCED if header.get(name)},
        "desc": {
            **{name: node for name, node in announced.items() if is_name(name) and name != "channels"},
            "channels": {"channel": _channels(spec, n_channels, announced)},
            "role": spec.role,
            **desc,
        },
    }


def _channels(spec: StreamSpec, n_channels: int, announced: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Label, unit and type of each channel, and what else the outlet says about it.

    The unit is the one that the outlet announces, since the samples are stored as they came; where it announces
    none, the one that the contract declares.
    """
    # Descriptions that do not match the channels in number cannot be assigned to them; then none is used.
    outlets = several(announced, "channels", "channel")
    known = (
        outlets if len(outlets) == n_channels and all(isinstance(channel, Mapping) for channel in outlets) else []
    )
    unit = "" if spec.unit_waived and not spec.unit_declared_by else spec.unit
    channels = []
    for place, name in enumerate(spec.channels):
        entries = {key: node for key, node in (known[place] if known else {}).items() if is_name(key)}
        usual = {"label": name, "unit": unit, "type": spec.type}
        channels.append({**entries, **{key: entries.get(key) or value for key, value in usual.items()}})
    return channels


def _footer(stream: _Stream) -> dict[str, Any]:
    return {
        "first_timestamp": repr(stream.first),
        "last_timestamp": repr(stream.last),
        "sample_count": stream.n,
        "clock_offsets": {"offset": stream.offsets},
    }
