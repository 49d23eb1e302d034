"""Encode and decode pairs of XDF chunks, clause by clause of the XDF 1.0 specification."""

from __future__ import annotations

import struct
from functools import partial

import numpy as np
import pytest

from workbench.errors import BadValue
from workbench.recording import chunks
from workbench.recording.chunks import Tag, TornChunk


def _content(chunk: bytes) -> memoryview:
    _, body, end = chunks.decode_chunk(memoryview(chunk), 0)
    assert end == len(chunk)
    return memoryview(chunk)[body:end]


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"\x01\x07", 7), (b"\x04" + struct.pack("<I", 70_000), 70_000), (b"\x08" + struct.pack("<Q", 2**40), 2**40)],
)
def test_a_length_has_one_four_or_eight_bytes(data, value):
    assert chunks.decode_length(memoryview(data), 0) == (value, len(data))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x02ab", b"\x04abc", b"\x08abcdefg"])
def test_a_broken_length_is_torn(data):
    with pytest.raises(TornChunk):
        chunks.decode_length(memoryview(data), 0)


def test_a_length_above_four_bytes_is_written_with_eight():
    assert chunks.decode_length(memoryview(chunks.encode_length(2**33)), 0) == (2**33, 9)


def test_a_boundary_chunk_is_the_uuid_of_the_specification():
    assert chunks.encode_boundary() == b"\x04\x12\0\0\0\x05\0" + bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")


@pytest.mark.parametrize("dtype", ["float32", "double64", "int8", "int16", "int32", "int64"])
def test_numbers_come_back_in_their_own_dtype(dtype):
    kind = np.dtype(chunks.FORMATS[dtype])
    values = np.arange(12).reshape(4, 3).astype(kind)
    stamps = np.array([1.0, 1.1, 1.2, np.nextafter(1.3, 2)])
    content = _content(chunks.encode_numbers(7, values, stamps, dtype=dtype))
    back, at = chunks.decode_numbers(content, dtype=dtype, n_channels=3, last=0.0, period=0.1)
    assert chunks.decode_stream_id(content) == 7
    assert back.dtype == kind
    assert back.tobytes() == values.tobytes()
    assert at.tobytes() == stamps.tobytes()


def test_every_float64_bit_pattern_survives():
    bits = np.array([0, 1 << 63, 1, 0x7FF0000000000000, 0x7FF8000000000123, 0x3FB999999999999A], dtype=np.uint64)
    values = bits.view(np.float64).reshape(-1, 1)
    content = _content(chunks.encode_numbers(1, values, np.zeros(len(bits)), dtype="double64"))
    back, _ = chunks.decode_numbers(content, dtype="double64", n_channels=1, last=0.0, period=0.0)
    assert np.ascontiguousarray(back).tobytes() == values.tobytes()


def test_values_that_would_lose_bits_are_refused():
    with pytest.raises(BadValue, match="float64 samples do not fit a float32 stream without losing bits"):
        chunks.encode_numbers(1, np.array([[0.1]]), np.zeros(1), dtype="float32")
    with pytest.raises(BadValue, match="int16"):
        chunks.encode_numbers(1, np.array([[40_000]]), np.zeros(1), dtype="int16")
    for dtype in ("double64", "float32"):
        with pytest.raises(BadValue, match="int64 samples do not fit"):
            chunks.encode_numbers(1, np.array([[2**53 + 1]]), np.zeros(1), dtype=dtype)
    chunks.encode_numbers(1, np.array([[2**53, np.iinfo(np.int64).min]]), np.zeros(1), dtype="double64")


def test_float64_values_that_are_exact_float32_are_taken():
    values = np.array([[0.5, np.nan]])
    content = _content(chunks.encode_numbers(1, values, np.zeros(1), dtype="float32"))
    back, _ = chunks.decode_numbers(content, dtype="float32", n_channels=2, last=0.0, period=0.0)
    assert np.array_equal(back, values.astype(np.float32), equal_nan=True)


def test_a_sample_without_stamp_follows_its_predecessor_by_the_period():
    rows = [b"\x00" + struct.pack("<h", 5), b"\x08" + struct.pack("<dh", 9.0, 6), b"\x00" + struct.pack("<h", 7)]
    content = memoryview(struct.pack("<I", 1) + b"\x01\x03" + b"".join(rows))
    values, stamps = chunks.decode_numbers(content, dtype="int16", n_channels=1, last=1.0, period=0.25)
    assert values.tolist() == [[5], [6], [7]]
    assert stamps.tolist() == [1.25, 9.0, 9.25]


def test_texts_come_back_with_their_stamps():
    texts = ["", "抓 grasp", "x" * 70_000]
    stamps = np.array([1.0, 2.0, 3.5])
    content = _content(chunks.encode_texts(3, texts, stamps))
    rows, at = chunks.decode_texts(content, n_channels=1, last=0.0, period=0.0)
    assert [row[0] for row in rows] == texts
    assert at.tolist() == stamps.tolist()


def test_a_text_that_utf8_cannot_hold_is_written_readably():
    content = _content(chunks.encode_texts(3, ["a\ud800"], np.zeros(1)))
    assert chunks.decode_texts(content, n_channels=1, last=0.0, period=0.0)[0] == [["a\\ud800"]]


@pytest.mark.parametrize("kind", ["numbers", "texts"])
def test_samples_cut_or_padded_anywhere_are_torn(kind):
    if kind == "numbers":
        whole = chunks.encode_numbers(1, np.ones((3, 2), np.float32), np.arange(3.0), dtype="float32")
    else:
        whole = chunks.encode_texts(1, ["one", "two", "three"], np.arange(3.0))
    content = bytes(_content(whole))
    if kind == "numbers":
        decode = partial(chunks.decode_numbers, dtype="float32", n_channels=2, last=0.0, period=0.0)
    else:
        decode = partial(chunks.decode_texts, n_channels=1, last=0.0, period=0.0)
    assert len(decode(memoryview(content))[1]) == 3
    for cut in [content[:n] for n in range(4, len(content))] + [content + b"\x00", content + b"\x08" * 40]:
        with pytest.raises(TornChunk):
            decode(memoryview(cut))


def test_an_absurd_sample_count_takes_no_memory():
    content = memoryview(struct.pack("<I", 1) + b"\x08" + struct.pack("<Q", 2**50) + b"\x00" * 20)
    with pytest.raises(TornChunk, match="announced"):
        chunks.decode_numbers(content, dtype="int8", n_channels=1, last=0.0, period=0.0)
    with pytest.raises(TornChunk, match="announced"):
        chunks.decode_texts(content, n_channels=1, last=0.0, period=0.0)


def test_clock_offsets_come_back_exactly():
    content = _content(chunks.encode_clock_offset(9, time=12.1, offset=-1e-5 / 3))
    assert chunks.decode_clock_offset(content) == (12.1, -1e-5 / 3)
    with pytest.raises(TornChunk, match="20"):
        chunks.decode_clock_offset(content[:19])


@pytest.mark.parametrize("data", [b"\x01\x01\x05", b"\x01\x09\x05\x00ab"])
def test_a_chunk_that_is_too_short_is_torn(data):
    with pytest.raises(TornChunk):
        chunks.decode_chunk(memoryview(data), 0)


def test_a_chunk_too_short_for_a_stream_id_is_torn():
    with pytest.raises(TornChunk, match="stream id"):
        chunks.decode_stream_id(memoryview(b"abc"))
    assert Tag.SAMPLES == 3
