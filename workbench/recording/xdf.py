"""Reading XDF files, our own and those of others, without pyxdf. Nothing is repaired or interpolated.

Stamps are raw, with clock offsets beside them, as ``pyxdf.load_xdf(…, synchronize_clocks=False,
dejitter_timestamps=False)`` returns them.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil
from numpy.typing import NDArray

from workbench import reading
from workbench.errors import BadValue, RecordingFault
from workbench.messages import Message
from workbench.recording import chunks, index, layout
from workbench.recording.chunks import FORMATS, Tag
from workbench.recording.xml import from_xml, several, text_of
from workbench.vocabulary import FloatArray, RecordingState, StreamSpec

LARGEST = 64 * 2**30
"""Bytes of the largest recording that is read, where the memory allows."""


@dataclass(frozen=True)
class XdfStream:
    """One stream of a recording.

    Attributes
    ----------
    id : number of the stream in the file.
    name, type, source_id : as the outlet announced them.
    fs : nominal rate in Hz, 0 when irregular.
    channels : labels in order, ``"1"``, ``"2"`` … where the file has none.
    unit : of the first channel, ``""`` where the file has none.
    dtype : ``"float32"``, ``"double64"``, ``"string"``, ``"int8"`` … ``"int64"``.
    values : ``(n_times, n_channels)`` of that dtype, in ``unit``; for text ``n_times`` lists of
        ``n_channels`` strings.
    stamps : ``(n_times,)`` float64, s, raw.
    clock_times, clock_offsets : ``(n_offsets,)`` float64, s: ``corrected = raw + offset``.
    header, footer : the XML as nested mappings; an empty footer means that the file was not closed.
    """

    id: int
    name: str
    type: str
    source_id: str
    fs: float
    channels: tuple[str, ...]
    unit: str
    dtype: str
    values: Any
    stamps: FloatArray
    clock_times: FloatArray
    clock_offsets: FloatArray
    header: dict[str, Any] = field(repr=False)
    footer: dict[str, Any] = field(repr=False)

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each channel as the file states it."""
        return self._of_channels("unit")

    @property
    def types(self) -> tuple[str, ...]:
        """Type of each channel as the file states it."""
        return self._of_channels("type")

    def _of_channels(self, name: str) -> tuple[str, ...]:
        described = several(self.header, "desc", "channels", "channel")
        if len(described) != len(self.channels):
            return ("",) * len(self.channels)
        return tuple(text_of(channel, name) for channel in described)

    @property
    def role(self) -> str:
        """``"signal"``, ``"aux"`` or ``"markers"`` where the writer said so, else ``""``."""
        return text_of(self.header, "desc", "role")

    @property
    def texts(self) -> list[str]:
        """First channel of a text stream."""
        if self.dtype != "string":
            raise BadValue(Message("recording.not_text", stream=repr(self.name), dtype=self.dtype))
        return [row[0] for row in self.values]

    @property
    def spec(self) -> StreamSpec:
        """The line of the stream contract that this stream fulfils."""
        role = self.role or ("markers" if self.dtype == "string" else "signal" if self.fs > 0 else "aux")
        channels = () if self.dtype == "string" else self.channels
        return StreamSpec(
            self.name, self.type, self.fs, channels, unit=self.unit, source_id=self.source_id, role=role
        )


@dataclass(frozen=True)
class XdfFile:
    """A recording: its streams in the order of their headers.

    ``state`` is ``"finished"`` or ``"stopped"`` as the writer closed it, ``"recovered"``, ``"unfinished"``
    (an index that was never completed) or ``"foreign"`` (no index). ``damaged`` names what was left out.
    """

    path: Path
    header: dict[str, Any]
    streams: tuple[XdfStream, ...]
    state: RecordingState
    damaged: tuple[str, ...] = ()

    def stream(self, name: str) -> XdfStream:
        """The one stream of that name.

        Raises
        ------
        RecordingFault
            When there is none, or more than one.
        """
        streams = [s for s in self.streams if s.name == name]
        if len(streams) != 1:
            names = ", ".join(repr(s.name) for s in self.streams) or "none"
            raise RecordingFault(
                Message(
                    "recording.streams_named",
                    file=self.path.name,
                    n=len(streams),
                    stream=repr(name),
                    known=names,
                )
            )
        return streams[0]


def read(path: Path | str, *, damaged: str = "refuse", only: Collection[str] | None = None) -> XdfFile:
    """Read a whole XDF file (``.xdf``, ``.xdfz`` or ``.xdf.gz``).

    Parameters
    ----------
    path : of the file; with a side index every chunk is checked by its CRC.
    damaged : ``"refuse"`` raises when a chunk is torn or changed; ``"skip"`` leaves those chunks out and
        names them in ``XdfFile.damaged``.
    only : names of the streams whose samples are decoded; the others have none. Every chunk is checked all the
        same. By default all.

    Raises
    ------
    RecordingFault
        When the file cannot be read, is not an XDF file, or is torn or damaged.
    """
    if damaged not in ("refuse", "skip"):
        raise BadValue(Message("recording.damaged_option", got=repr(damaged)))
    path = Path(path)
    data, side = load(path)
    survey = layout.survey(data, side)
    problems = tuple(d.sentence for d in survey.damage)
    if damaged == "refuse":
        refuse(path, survey)
    if survey.torn:
        problems += (f"the end of the file from byte {survey.tail:,} on",)
    header, streams = assemble(survey, data, only=only)
    return XdfFile(path, header, streams, state_of(side), problems)


def assemble(
    survey: layout.Layout, data: memoryview, *, only: Collection[str] | None = None
) -> tuple[dict[str, Any], tuple[XdfStream, ...]]:
    """File header and streams from the whole chunks of a file.

    Parameters
    ----------
    survey : where the chunks lie.
    data : bytes of the file.
    only : as :func:`read` takes it.
    """
    reader = _Reader(survey, data, only)
    return reader.header, reader.streams()


def load(path: Path) -> tuple[memoryview, index.Index | None]:
    """Bytes of a recording, unpacked, and its index.

    Raises
    ------
    RecordingFault
        When the file does not exist, cannot be read, is empty, or is of another format.
    """
    # A recording is read into memory at once, and its samples are copied out of it once more.
    largest = min(LARGEST, psutil.virtual_memory().available // 2)
    data = reading.read_bytes(path, Message("file.noun_recording"), largest=largest, error=RecordingFault)
    side = index.read(path)
    if path.suffix == ".xdfz" or path.name.endswith(".xdf.gz"):
        data = _unpacked(path, data, largest)
    if not data and side is None and path.suffix != ".xdf":
        raise RecordingFault(Message("recording.empty", file=path.name))
    head = data[: len(chunks.MAGIC)]
    if not chunks.MAGIC.startswith(head) and not (side is not None and side.chunks):
        raise RecordingFault(
            Message("recording.not_xdf_file", file=path.name, head=repr(head), magic=repr(chunks.MAGIC))
        )
    return memoryview(data), side


def _unpacked(path: Path, data: bytes, largest: int) -> bytes:
    """A packed recording; one of more than ``largest`` bytes is refused before it fills the memory."""
    try:
        with gzip.open(io.BytesIO(data)) as file:
            # One byte more than allowed shows that there is more, without unpacking all of it.
            unpacked = file.read(largest + 1)
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        why = str(error) or "not enough memory"
        raise RecordingFault(Message("recording.not_unpacked", file=reading.shown(path), why=why)) from error
    if len(unpacked) > largest:
        raise RecordingFault(Message("recording.too_large", file=reading.shown(path), most=f"{largest:,}"))
    return unpacked


def state_of(side: index.Index | None) -> RecordingState:
    """State of a recording by its index."""
    if side is None:
        return "foreign"
    if side.end is None:
        return "unfinished"
    # Another program may have written another text; the study refuses it when the run is ingested.
    return cast("RecordingState", str(side.end.get("state", "finished")))


def refuse(path: Path, survey: layout.Layout) -> None:
    """Raise when the file is not whole."""
    if survey.damage:
        raise RecordingFault(
            Message(
                "recording.changed",
                file=path.name,
                damage=layout.first_of([part.sentence for part in survey.damage]),
            )
        )
    if survey.torn:
        file, tail, size = path.name, f"{survey.tail:,}", f"{survey.size:,}"
        raise RecordingFault(
            Message("recording.cut_off_why", file=file, tail=tail, size=size, why=survey.why)
            if survey.why
            else Message("recording.cut_off", file=file, tail=tail, size=size)
        )


class _Reader:
    """Collects the chunks of each stream."""

    def __init__(self, survey: layout.Layout, data: memoryview, only: Collection[str] | None) -> None:
        self.header: dict[str, Any] = {}
        self._formats = survey.formats
        # Without a readable header samples cannot be decoded; the layout lists that header as damage.
        self._decoded = {i for i, form in survey.formats.items() if only is None or form.name in only}
        self._values: dict[int, list[Any]] = defaultdict(list)
        self._stamps: dict[int, list[FloatArray]] = defaultdict(list)
        self._last: dict[int, float] = defaultdict(float)
        self._clocks: dict[int, list[tuple[float, float]]] = defaultdict(list)
        self._footers: dict[int, dict[str, Any]] = {}
        for piece in survey.pieces:
            self._take(piece.tag, survey.content(data, piece))

    def _take(self, tag: int, content: memoryview) -> None:
        if tag == Tag.FILE_HEADER:
            self.header = from_xml(bytes(content).decode("utf-8", errors="replace"))
        elif tag == Tag.SAMPLES:
            stream_id = chunks.decode_stream_id(content)
            if stream_id in self._decoded:
                values, stamps = layout.read_samples(self._formats, content, last=self._last[stream_id])
                self._values[stream_id].append(values)
                self._stamps[stream_id].append(stamps)
                if len(stamps):
                    self._last[stream_id] = float(stamps[-1])
        elif tag == Tag.CLOCK_OFFSET:
            self._clocks[chunks.decode_stream_id(content)].append(chunks.decode_clock_offset(content))
        elif tag == Tag.STREAM_FOOTER:
            xml = bytes(content[4:]).decode("utf-8", errors="replace")
            self._footers[chunks.decode_stream_id(content)] = from_xml(xml)

    def streams(self) -> tuple[XdfStream, ...]:
        """Everything collected."""
        return tuple(self._stream(i, form) for i, form in self._formats.items())

    def _stream(self, stream_id: int, form: layout.Format) -> XdfStream:
        clocks = np.array(self._clocks[stream_id], dtype=np.float64).reshape(-1, 2)
        stamps = self._stamps[stream_id]
        described = several(form.header, "desc", "channels", "channel")
        labels = [text_of(channel, "label") for channel in described]
        if len(labels) != form.n_channels or not all(labels):
            labels = [str(k + 1) for k in range(form.n_channels)]
        return XdfStream(
            id=stream_id,
            name=form.name,
            type=text_of(form.header, "type"),
            source_id=text_of(form.header, "source_id"),
            fs=form.fs,
            channels=tuple(labels),
            unit=text_of(described[0], "unit") if described else "",
            dtype=form.dtype,
            values=_joined(self._values[stream_id], form),
            stamps=np.concatenate(stamps) if stamps else np.empty(0),
            clock_times=clocks[:, 0].copy(),
            clock_offsets=clocks[:, 1].copy(),
            header=form.header,
            footer=self._footers.get(stream_id, {}),
        )


def _joined(values: list[Any], form: layout.Format) -> NDArray[Any] | list[list[str]]:
    if form.dtype == "string":
        return [row for rows in values for row in rows]
    # XDF is little-endian; in native byte order the arrays work with compiled kernels everywhere.
    kind = np.dtype(FORMATS[form.dtype]).newbyteorder("=")
    if not values:
        return np.empty((0, form.n_channels), dtype=kind)
    return np.concatenate(values).astype(kind, copy=False)
