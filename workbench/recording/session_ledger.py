"""Ledger rows outside any run: one text file per session, appended and synced as they occur.

A row entered during a run goes into that run's recording. Between runs, before the first and
after the last, it is one line of ``<session>.ledger.jsonl``: the CRC-32 of the row's JSON text in hexadecimal,
a space, the text. A line that was cut off or changed is found by its checksum and reported, never skipped.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from workbench import reading, world
from workbench.errors import RecordingFault
from workbench.messages import Message, carried, restored
from workbench.vocabulary import LedgerRow, contents

SUFFIX = ".ledger.jsonl"
DAMAGED = "ledger_damaged"
"""Kind of the row that stands for a line that was cut off or changed."""

LARGEST = 256 * 2**20
"""Bytes of the largest file that is read."""


def append_rows(path: Path, rows: Sequence[LedgerRow]) -> None:
    """Append rows and wait for the disk.

    Raises
    ------
    RecordingFault
        When they cannot be written; the file then has none of them or some, each whole or reported as damaged.
    """
    if not rows:
        return
    try:
        descriptor = world.disk.descriptor(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            # A crash may have cut the last line off; on a line of its own it damages no other row.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            data = (b"\n" if torn else b"") + b"".join(_line(row) for row in rows)
            world.disk.write_all(descriptor, data)
            world.disk.sync(descriptor)
            if size == 0:
                # A new file survives a power cut only when the entry in its folder is on the disk too.
                world.disk.sync_folder(path.parent)
        finally:
            world.disk.close(descriptor)
    except OSError as error:
        sentence = Message("recording.rows_unwritten", file=path.name, why=str(error.strerror))
        raise RecordingFault(sentence) from error


def read_rows(path: Path, *, growing: bool = False) -> list[LedgerRow]:
    """The rows, oldest first; a damaged line becomes a row of kind ``"ledger_damaged"`` in its place.

    Parameters
    ----------
    path : of the file.
    growing : the session runs: a last line without its end is being written, and left for the next time.

    Raises
    ------
    RecordingFault
        When the file cannot be read.
    """
    data = reading.read_bytes(path, Message("file.noun_session_ledger"), largest=LARGEST, error=RecordingFault)
    *lines, tail = data.split(b"\n")
    if tail and not growing:
        lines.append(tail)
    return [_row(line, number) for number, line in enumerate(lines, start=1)]


def session_of(path: Path) -> str:
    """The session whose rows are in a file."""
    return path.name.removesuffix(SUFFIX)


def _line(row: LedgerRow) -> bytes:
    text = json.dumps(carried(contents(row)), separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _row(line: bytes, number: int) -> LedgerRow:
    crc, _, text = line.partition(b" ")
    if crc == b"%08x" % zlib.crc32(text):
        try:
            return LedgerRow(**restored(reading.parse_json(text, Message("file.noun_line"), error=RecordingFault)))
        except (RecordingFault, TypeError):
            pass  # The checksum is right but the content is not a row: reported as damaged all the same.
    return LedgerRow(
        DAMAGED,
        0.0,
        0.0,
        extent=Message("recording.ledger_line", n=number, size=len(line)),
        consequence=Message("recording.line_lost"),
        priority="high",
    )
