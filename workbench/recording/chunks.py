"""XDF chunks: pure encode and decode pairs. Bytes in, bytes out; no file is touched here.

A chunk is ``[length-of-length u8][length][tag u16][content]``, little-endian; ``length`` counts tag and
content. Source: the XDF 1.0 specification (https://github.com/sccn/xdf/wiki/Specifications).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadValue, RecordingFault
from workbench.messages import Message
from workbench.vocabulary import FloatArray

MAGIC = b"XDF:"
"""First four bytes of every XDF file."""

BOUNDARY = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
"""Content of a boundary chunk, at which a reader resynchronizes in a damaged file."""


class Tag(IntEnum):
    """What a chunk contains."""

    FILE_HEADER = 1
    STREAM_HEADER = 2
    SAMPLES = 3
    CLOCK_OFFSET = 4
    BOUNDARY = 5
    STREAM_FOOTER = 6


FORMATS: dict[str, str] = {
    "float32": "<f4",
    "double64": "<f8",
    "int8": "<i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "string": "",
}
"""XDF channel format → numpy dtype of one value; ``""`` for text."""


class TornChunk(RecordingFault):
    """Bytes that are not a whole chunk."""


# ---------------------------------------------------------------------------------------- encode
def encode_length(n: int) -> bytes:
    """A variable-length integer, always in the 4-byte form where it fits (as LabRecorder writes it)."""
    if n < 2**32:
        return _LENGTH.pack(4, n)
    return struct.pack("<BQ", 8, n)


def encode_chunk(tag: int, content: bytes) -> bytes:
    """A whole chunk."""
    return encode_length(len(content) + 2) + _TAG.pack(tag) + content


def encode_boundary() -> bytes:
    """A boundary chunk."""
    return encode_chunk(Tag.BOUNDARY, BOUNDARY)


def encode_clock_offset(stream_id: int, *, time: float, offset: float) -> bytes:
    """A clock-offset chunk: ``corrected = raw + offset``, measured at local time ``time``; both in s.

    Parameters
    ----------
    stream_id : whose clock.
    time : local time of the measurement, s.
    offset : s, as in ``corrected = raw + offset``.
    """
    return encode_chunk(Tag.CLOCK_OFFSET, struct.pack("<Idd", stream_id, time, offset))


def encode_xml(tag: int, xml: str, *, stream_id: int | None = None) -> bytes:
    """A file header, or a stream header or footer of ``stream_id``.

    Parameters
    ----------
    tag : of the chunk.
    xml : its text.
    stream_id : of a stream header or footer; None for the file header.
    """
    prefix = b"" if stream_id is None else struct.pack("<I", stream_id)
    return encode_chunk(tag, prefix + xml.encode("utf-8"))


def encode_numbers(stream_id: int, values: NDArray[Any], stamps: FloatArray, *, dtype: str) -> bytes:
    """A samples chunk of numbers, each sample with its own stamp.

    Parameters
    ----------
    stream_id : of the stream.
    values : ``(n_times, n_channels)``, unit of the stream; cast to ``dtype`` only when no bit is lost.
    stamps : ``(n_times,)`` float64, s, raw LSL time.
    dtype : key of :data:`FORMATS`.

    Raises
    ------
    BadValue
        When a value does not fit ``dtype`` exactly: what is decoded must be what was recorded.
    """
    cast = _cast(values, dtype)
    packed = np.empty(len(stamps), dtype=_record(dtype, values.shape[1]))
    # XDF allows a sample without a stamp; every sample carries its own here, so that no stamp is ever inferred.
    packed["stamped"] = 8
    packed["stamp"] = stamps
    packed["values"] = cast
    head = struct.pack("<I", stream_id) + encode_length(len(stamps))
    return encode_chunk(Tag.SAMPLES, head + packed.tobytes())


def encode_texts(stream_id: int, texts: Sequence[str | Sequence[str]], stamps: FloatArray) -> bytes:
    """A samples chunk of a text stream: one text per sample, or one row of texts per sample.

    Parameters
    ----------
    stream_id : of the text stream.
    texts : one text per sample, or one row per sample with one text per channel.
    stamps : ``(n_times,)`` float64, s.
    """
    parts = [struct.pack("<I", stream_id), encode_length(len(texts))]
    for row, stamp in zip(texts, stamps, strict=True):
        parts.append(_STAMP.pack(8, stamp))
        for text in [row] if isinstance(row, str) else row:
            # A lone surrogate has no UTF-8; escaped, it stays readable instead of stopping the recording.
            data = text.encode("utf-8", errors="backslashreplace")
            parts += [encode_length(len(data)), data]
    return encode_chunk(Tag.SAMPLES, b"".join(parts))


def _cast(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    target = np.dtype(FORMATS[dtype])
    if values.dtype == target:
        return values
    # An overflow here is not a warning but a lost bit, which the comparison below reports.
    with np.errstate(all="ignore"):
        cast = values.astype(target)
        back = cast.astype(values.dtype)
    # Not finite values are legal samples; NaN must compare equal to itself.
    if not np.array_equal(back, values, equal_nan=values.dtype.kind == "f"):
        raise BadValue(Message("recording.samples_kind", kind=str(values.dtype), dtype=dtype))
    return cast


@lru_cache(maxsize=64)
def _record(dtype: str, n_channels: int) -> np.dtype[Any]:
    """One sample as it is stored; kept, because a recording asks for the same few thousands of times."""
    return np.dtype([("stamped", "u1"), ("stamp", "<f8"), ("values", FORMATS[dtype], (n_channels,))])


# ---------------------------------------------------------------------------------------- decode
_ONE_TEXT = struct.Struct("<IBBBdB")
"""Stream, width and number of samples, width of the stamp, stamp in s, width of the text's length."""
_STAMP, _LENGTH, _TAG = struct.Struct("<Bd"), struct.Struct("<BI"), struct.Struct("<H")
"""A stamp of its own, s, and the length of a text, as they are written here."""


def decode_length(data: memoryview, at: int) -> tuple[int, int]:
    """A variable-length integer at byte ``at`` and the position behind it.

    Raises
    ------
    TornChunk
        When the bytes end early or are not such an integer.
    """
    if at >= len(data):
        raise TornChunk(Message("chunk.no_length"))
    width = data[at]
    if width not in (1, 4, 8):
        raise TornChunk(Message("chunk.length_width", n=width))
    if at + 1 + width > len(data):
        raise TornChunk(Message("chunk.in_length"))
    return int.from_bytes(data[at + 1 : at + 1 + width], "little"), at + 1 + width


def decode_chunk(data: memoryview, at: int) -> tuple[int, int, int]:
    """Tag, start of the content and end of the chunk at byte ``at``; :class:`TornChunk` when not whole."""
    length, body = decode_length(data, at)
    if length < 2:
        raise TornChunk(Message("chunk.short", n=length))
    if body + length > len(data):
        raise TornChunk(Message("chunk.not_whole", n=length, present=len(data) - body))
    return int.from_bytes(data[body : body + 2], "little"), body + 2, body + length


def decode_stream_id(content: memoryview) -> int:
    """The stream id in the first four bytes of a header, footer, samples or clock-offset content."""
    if len(content) < 4:
        raise TornChunk(Message("chunk.no_stream_id"))
    return int.from_bytes(content[:4], "little")


def decode_clock_offset(content: memoryview) -> tuple[float, float]:
    """Time and offset in s."""
    if len(content) != 20:
        raise TornChunk(Message("chunk.clock_offset", n=len(content)))
    _, time, offset = struct.unpack("<Idd", content)
    return time, offset


def decode_numbers(
    content: memoryview, *, dtype: str, n_channels: int, last: float, period: float
) -> tuple[NDArray[Any], FloatArray]:
    """Numbers of a samples chunk.

    Parameters
    ----------
    content : behind the tag, with the stream id.
    dtype : key of :data:`FORMATS`, not ``"string"``.
    n_channels : of the stream.
    last : stamp in s of the stream's sample before this chunk (0 when there is none).
    period : nominal sampling interval in s (0 when irregular); an unstamped sample follows its
        predecessor by it.

    Returns
    -------
    values : ``(n_times, n_channels)`` of the declared dtype, unit of the stream.
    stamps : ``(n_times,)`` float64, s.
    """
    n, at = decode_length(content, 4)
    data = content[at:]
    width = n_channels * np.dtype(FORMATS[dtype]).itemsize
    # A damaged count must not allocate: every sample takes at least one byte.
    if n > len(data):
        raise TornChunk(Message("chunk.samples_announced", n=n, bytes=len(data)))
    # The usual case: every sample stamped, so records of a fixed size, decoded at once. A record of the right
    # size whose flag says otherwise is damage, which the slow path reports.
    if len(data) == n * (9 + width):
        packed = np.frombuffer(data, dtype=_record(dtype, n_channels))
        if packed["stamped"].all():
            return packed["values"], packed["stamp"].astype(np.float64)
    return _decode_mixed(data, n, dtype=dtype, n_channels=n_channels, last=last, period=period)


def _decode_mixed(
    data: memoryview, n: int, *, dtype: str, n_channels: int, last: float, period: float
) -> tuple[NDArray[Any], FloatArray]:
    """Numbers of a chunk in which some samples have no stamp of their own."""
    kind = np.dtype(FORMATS[dtype])
    width = n_channels * kind.itemsize
    stamps = np.empty(n)
    rows: list[memoryview] = []
    at = 0
    for k in range(n):
        last, at = _decode_stamp(data, at, last=last, period=period)
        stamps[k] = last
        rows.append(data[at : at + width])
        at += width
    if at != len(data):
        raise TornChunk(Message("chunk.samples_take", n=n, bytes=at, present=len(data)))
    return np.frombuffer(b"".join(rows), dtype=kind).reshape(n, n_channels), stamps


def decode_texts(
    content: memoryview, *, n_channels: int, last: float, period: float
) -> tuple[list[list[str]], FloatArray]:
    """Texts of a samples chunk: ``n_times`` rows of ``n_channels`` strings, and stamps ``(n_times,)`` in s.

    Parameters
    ----------
    content : the chunk behind its tag and stream id.
    n_channels : texts per sample.
    last : stamp of the sample before, s.
    period : s between two samples without a stamp of their own.
    """
    if n_channels == 1 and (one := _one_text(content)) is not None:
        return one
    n, at = decode_length(content, 4)
    # Each text takes at least one byte: a larger count is damage, and must not allocate.
    if n > len(content):
        raise TornChunk(Message("chunk.samples_announced", n=n, bytes=len(content)))
    if (written := _texts_as_written(bytes(content[at:]), n, n_channels)) is not None:
        return written
    stamps = np.empty(n)
    rows: list[list[str]] = []
    for k in range(n):
        last, at = _decode_stamp(content, at, last=last, period=period)
        stamps[k] = last
        row = []
        for _ in range(n_channels):
            length, at = decode_length(content, at)
            if at + length > len(content):
                raise TornChunk(Message("chunk.in_text"))
            # Other writers' texts may not be UTF-8; a text that is partly readable beats an unreadable file.
            row.append(bytes(content[at : at + length]).decode("utf-8", errors="replace"))
            at += length
        rows.append(row)
    if at != len(content):
        raise TornChunk(Message("chunk.texts_take", n=n, bytes=at, present=len(content)))
    return rows, stamps


def _one_text(content: memoryview) -> tuple[list[list[str]], FloatArray] | None:
    """The text of a chunk of one stamped sample, which most chunks of texts are; None for any other chunk."""
    # A count of one in one byte, a stamp of eight bytes, and the length of the text in one, four or eight.
    if len(content) < _ONE_TEXT.size + 1:
        return None
    _, width, n, stamped, stamp, size = _ONE_TEXT.unpack_from(content)
    begin = _ONE_TEXT.size + size
    if (width, n, stamped) != (1, 1, 8) or size not in (1, 4, 8) or begin > len(content):
        return None
    if int.from_bytes(content[_ONE_TEXT.size : begin], "little") != len(content) - begin:
        return None
    return [[str(content[begin:], "utf-8", "replace")]], np.array([stamp])


def _texts_as_written(data: bytes, n: int, n_channels: int) -> tuple[list[list[str]], FloatArray] | None:
    """Texts and stamps as :func:`encode_texts` writes them, each stamped, each length in four bytes; else None.

    Parameters
    ----------
    data : of a samples chunk, behind the number of its samples.
    n : samples.
    n_channels : texts per sample.
    """
    stamps, rows, at = [], [], 0
    try:
        for _ in range(n):
            width, stamp = _STAMP.unpack_from(data, at)
            at += _STAMP.size
            row = []
            for _ in range(n_channels):
                size, length = _LENGTH.unpack_from(data, at)
                begin = at + _LENGTH.size
                at = begin + length
                if width != 8 or size != 4 or at > len(data):
                    return None
                row.append(str(data[begin:at], "utf-8", "replace"))
            stamps.append(stamp)
            rows.append(row)
    except struct.error:
        return None
    return (rows, np.array(stamps, dtype=np.float64)) if at == len(data) else None


def _decode_stamp(data: memoryview, at: int, *, last: float, period: float) -> tuple[float, int]:
    if at >= len(data):
        raise TornChunk(Message("chunk.no_sample"))
    if data[at] == 0:
        return last + period, at + 1
    if at + 9 > len(data):
        raise TornChunk(Message("chunk.in_stamp"))
    return float(struct.unpack_from("<d", data, at + 1)[0]), at + 9
