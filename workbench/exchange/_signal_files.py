"""Signals in the files that BIDS takes: BrainVision of 32-bit numbers for EEG and iEEG, BDF of 24 bits for EMG.

Neither file holds a name, a date or a device: the start of every recording is the one that stands for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray

DIGITAL = 2**23
"""A sample of BDF lies between minus this and this less 1."""
NO_DATE = "01.01.85"
"""The first day that the header of EDF and BDF can name; BIDS has it stand for none."""
COMMA = "\\1"
"""How BrainVision writes a comma in the name of a channel."""


def brainvision(stem: Path, values: FloatArray, channels: Sequence[str], units: Sequence[str], fs: float) -> None:
    """Write ``.vhdr``, ``.vmrk`` and ``.eeg`` beside each other.

    Parameters
    ----------
    stem : path without an ending.
    values : ``(n_times, n_channels)`` float64, each in its unit; kept as float32.
    channels, units : of each channel.
    fs : rate in Hz.

    References
    ----------
    Brain Products, BrainVision Core Data Format 1.0.
    """
    name = stem.name
    lines = [
        "Brain Vision Data Exchange Header File Version 1.0", "", "[Common Infos]", "Codepage=UTF-8",
        f"DataFile={name}.eeg", f"MarkerFile={name}.vmrk", "DataFormat=BINARY", "DataOrientation=MULTIPLEXED",
        f"NumberOfChannels={len(channels)}", f"SamplingInterval={1e6 / fs!r}", "", "[Binary Infos]",
        "BinaryFormat=IEEE_FLOAT_32", "", "[Channel Infos]",
        *(
            f"Ch{n}={channel.replace(',', COMMA)},,1,{unit}"
            for n, (channel, unit) in enumerate(zip(channels, units, strict=True), start=1)
        ),
        "",
    ]  # fmt: skip
    marks = [
        "Brain Vision Data Exchange Marker File, Version 1.0", "", "[Common Infos]", "Codepage=UTF-8",
        f"DataFile={name}.eeg", "", "[Marker Infos]", "Mk1=New Segment,,1,1,0", "",
    ]  # fmt: skip
    _write(stem.with_name(f"{name}.vhdr"), "\r\n".join(lines).encode())
    _write(stem.with_name(f"{name}.vmrk"), "\r\n".join(marks).encode())
    _write(stem.with_name(f"{name}.eeg"), np.ascontiguousarray(values, dtype="<f4").tobytes())


def bdf(path: Path, values: FloatArray, channels: Sequence[str], units: Sequence[str], fs: float) -> int:
    """Write a BDF; each channel has the range of its own values. Returns the samples that fill its last second.

    Parameters
    ----------
    path : of the file.
    values : ``(n_times, n_channels)`` float64, each in its unit.
    channels, units : of each channel, at most 16 and 8 characters of ASCII in the file.
    fs : rate in Hz, whole: a record lasts a second.

    Raises
    ------
    BadValue
        For a rate that is not whole, or values that are no numbers.
    """
    per_record = round(fs)
    if per_record != fs or per_record < 1:
        raise BadValue(Message("bids.rate", fs=f"{fs:g}"))
    if not np.isfinite(values).all():
        raise BadValue(Message("bids.no_number", file=path.name))
    n_records = -(-len(values) // per_record)
    padding = n_records * per_record - len(values)
    # The last value again: a step to zero would be a signal that nobody measured.
    whole = np.concatenate([values, np.repeat(values[-1:], padding, axis=0)])
    low, high = whole.min(axis=0), whole.max(axis=0)
    low, high = np.floor(low) - 1.0, np.ceil(high) + 1.0
    scaled = np.rint((whole - low) / (high - low) * (2 * DIGITAL - 1)).astype(np.int64) - DIGITAL
    records = scaled.reshape(n_records, per_record, len(channels)).transpose(0, 2, 1)
    words = np.ascontiguousarray(records, dtype="<i4").view(np.uint8).reshape(-1, 4)[:, :3]
    header = _bdf_header(n_records, per_record, channels, units, (low, high))
    _write(path, header + np.ascontiguousarray(words).tobytes())
    return int(padding)


def _bdf_header(
    n_records: int,
    per_record: int,
    channels: Sequence[str],
    units: Sequence[str],
    ends: tuple[FloatArray, FloatArray],
) -> bytes:
    n = len(channels)
    fields: list[tuple[Any, int]] = [
        ("X X X X", 80), ("Startdate X X X X", 80), (NO_DATE, 8), ("00.00.00", 8), (256 * (n + 1), 8),
        ("24BIT", 44), (n_records, 8), (1, 8), (n, 4),
    ]  # fmt: skip
    per_channel: list[tuple[Sequence[Any], int]] = [
        (channels, 16), ([""] * n, 80), ([unit.replace("µ", "u") for unit in units], 8),
        ([f"{value:.0f}" for value in ends[0]], 8), ([f"{value:.0f}" for value in ends[1]], 8),
        ([-DIGITAL] * n, 8), ([DIGITAL - 1] * n, 8), ([""] * n, 80), ([per_record] * n, 8), ([""] * n, 32),
    ]  # fmt: skip
    texts = [_field(value, width) for value, width in fields]
    texts += [_field(value, width) for values, width in per_channel for value in values]
    return b"\xffBIOSEMI" + b"".join(texts)


def _field(value: Any, width: int) -> bytes:
    return str(value).encode("ascii", "replace")[:width].ljust(width)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
