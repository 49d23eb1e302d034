"""The files beside the record, compared with it: recordings, reports, decoders, ledgers of the sessions.

Written apart from the rooms that make these files, so that an error there cannot hide itself here. A file that was
never taken into the record is found too. Every read is bounded.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workbench import messages, reading, world
from workbench.errors import RecordFault
from workbench.messages import Message

Row = dict[str, Any]
Tables = Mapping[str, Collection[Row]]
LEDGER = ".ledger.jsonl"
SET_ASIDE = "set_aside"
"""Folder beside the recordings for those whose beginning is lost."""
MOST_JSON = 16_000_000
"""Largest decoder description or lock of an engine that is read, bytes."""
MOST_LEDGER = 256 * 2**20
"""Largest session ledger that is read, bytes; as large as the one that is taken in."""
MOST_ARRAYS = 2_000_000_000
"""Largest arrays of a decoder, bytes as they lie there and unpacked."""
FRESH_S = 10.0
"""A recording written to within this time is taken to be growing, s."""


@dataclass(slots=True)
class FileFindings:
    """What looking beside the record found."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)


def check_files(folder: Path, tables: Tables) -> FileFindings:
    """Compare every file of a study with its record.

    Parameters
    ----------
    folder : the study folder.
    tables : rows by table, as SQLite keeps them.
    """
    findings = FileFindings()
    deleted = _check_deletions(folder, tables, findings)
    for name, noun in (("recording", Message("file.noun_recording")), ("report", Message("file.noun_report"))):
        for row in tables.get(name, []):
            if row["path"] not in deleted:
                _check_file(folder, noun, row, findings)
    findings.checked["files"] = len(tables.get("recording", [])) + len(tables.get("report", []))
    for row in tables.get("decoder", []):
        _check_decoder(folder, row, findings)
    growing = running_session(folder)
    _check_left_over(folder, tables, findings)
    _check_ledgers(folder, tables, findings, growing=growing, deleted=deleted)
    return findings


def _check_deletions(folder: Path, tables: Tables, findings: FileFindings) -> set[str]:
    """Files that were deleted on request, which are no damage; one that lies there is a problem."""
    files, people = tables.get("deleted_file", []), {row["id"]: row for row in tables.get("participant", [])}
    requests = {row["id"]: row for row in tables.get("deletion_request", [])}
    ended = {row["deletion_id"] for row in tables.get("deletion_end", [])}
    for row in tables.get("deletion", []):
        own = [file for file in files if file["deletion_id"] == row["id"]]
        there = [file["path"] for file in own if (folder / file["path"]).exists()]
        who, request = people[row["participant_id"]]["pseudonym"], requests[row["deletion_request_id"]]
        if row["id"] not in ended:
            findings.problems.append(
                Message("deletion.unfinished", participant=who, by=row["by"], utc=row["utc"], n=len(there))
            )
        elif there:
            findings.problems.append(Message("deletion.back", participant=who, files=there))
        else:
            findings.deleted.append(
                Message(
                    "deletion.was", participant=who, n=len(own), n_bytes=sum(file["n_bytes"] for file in own),
                    by=row["by"], utc=row["utc"], why=row["reason"], asked=request["by"],
                    on=request["requested_on"], files=[file["path"] for file in own],
                )
            )  # fmt: skip
    if tables.get("deletion"):
        findings.checked["deleted files"] = len(files)
    return {file["path"] for file in files}


def _check_file(folder: Path, noun: Message, row: Row, findings: FileFindings) -> None:
    try:
        digest = reading.sha256(folder / row["path"], noun, error=RecordFault)
    except RecordFault as error:
        findings.problems.append(messages.of(error))
        return
    if digest != row["sha256"]:
        findings.problems.append(Message("verify.file_differs", what=noun, path=row["path"]))


# ------------------------------------------------------------------------------------ decoders
def _check_decoder(folder: Path, row: Row, findings: FileFindings) -> None:
    try:
        digest = decoder_hash(folder / row["path"])
    except RecordFault as error:
        findings.problems.append(Message("verify.decoder", path=row["path"], why=messages.of(error)))
        return
    if digest != row["sha256"]:
        findings.problems.append(
            Message("verify.decoder_differs", path=row["path"], got=digest[:12], recorded=row["sha256"][:12])
        )


def decoder_hash(folder: Path) -> str:
    """Content hash of a stored decoder.

    SHA-256 over the JSON of its description (sorted keys, no spaces, ASCII), then, by name, each array's name,
    shape and little-endian float64 bytes.

    Raises
    ------
    RecordFault
        When the folder has no readable decoder.
    """
    described = reading.read_bytes(
        folder / "decoder.json", Message("file.noun_file"), largest=MOST_JSON, error=RecordFault
    )
    packed = reading.read_bytes(
        folder / "arrays.npz", Message("file.noun_file"), largest=MOST_ARRAYS, error=RecordFault
    )
    content = reading.parse_json(described, "decoder.json", error=RecordFault)
    try:
        return _content_hash(content["decoder"], packed)
    except reading.BROKEN_ARCHIVE as error:
        raise RecordFault(
            Message(
                "study.decoder_unreadable",
                folder=str(reading.shown(folder)),
                why=messages.of(error) or type(error).__name__,
            )
        ) from error


def _content_hash(body: Any, packed: bytes) -> str:
    """SHA-256 over a description and the arrays of an archive; raises what a broken archive does."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        # Before anything is unpacked: a few kilobytes can unpack to more than the memory.
        if sum(item.file_size for item in archive.infolist()) > MOST_ARRAYS:
            raise ValueError(Message("study.large_arrays", n=MOST_ARRAYS))
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = hashlib.sha256(text.encode())
    with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
        for name in sorted(archive.files):
            array = np.ascontiguousarray(archive[name], dtype=np.float64)
            digest.update(f"\n{name} {list(array.shape)}\n".encode())
            digest.update(array.astype("<f8").tobytes())
    return digest.hexdigest()


# ------------------------------------------------------------------------------------ what never entered
def _check_left_over(folder: Path, tables: Tables, findings: FileFindings) -> None:
    """Recordings on disk that the record does not know."""
    for path in sorted((folder / "recordings" / SET_ASIDE).glob("*.xdf")):
        findings.warnings.append(Message("verify.set_aside", file=f"recordings/{SET_ASIDE}/{path.name}"))
    known = {Path(row["path"]).name for row in tables.get("recording", [])}
    files = [path for path in sorted((folder / "recordings").glob("*.xdf")) if path.name not in known]
    for path in files:
        if is_growing(path):
            findings.warnings.append(Message("verify.growing", file=path.name))
        else:
            findings.problems.append(Message("verify.left_over", file=path.name, folder=str(folder)))
    findings.checked["recordings outside the record"] = len(files)


def is_growing(path: Path) -> bool:
    """Whether a recording is being written: it changed just now, or a process holds its lock."""
    try:
        # A time in the future is no sign of growth: whoever set it, or the clock, would hide the file for ever.
        if 0.0 <= world.clock.wall() - path.stat().st_mtime < FRESH_S:
            return True
        if not path.is_file():
            return False
        handle = world.disk.descriptor(path, os.O_RDONLY)
        try:
            world.disk.lock(handle, shared=True)
        except BlockingIOError:
            return True
        finally:
            world.disk.close(handle)
    except OSError:
        return False
    return False


def running_session(folder: Path) -> str:
    """The session whose engine runs in this folder, ``""`` when none does."""
    import psutil

    try:
        data = reading.read_bytes(
            folder / "engine" / "lock.json", Message("file.noun_lock"), largest=MOST_JSON, error=RecordFault
        )
        lock = reading.parse_json(data, Message("file.noun_lock"), error=RecordFault)
        return str(lock["session_id"]) if psutil.pid_exists(int(lock["pid"])) else ""
    except (RecordFault, ValueError, LookupError, TypeError, OverflowError):
        return ""


# ------------------------------------------------------------------------------------ session ledgers
LEDGER_COLUMNS = ("kind", "stamp", "local", "sample", "stream", "extent", "consequence", "priority")


def _check_ledgers(
    folder: Path, tables: Tables, findings: FileFindings, *, growing: str, deleted: set[str]
) -> None:
    """Rows that were entered between runs: the session's file against the record."""
    sessions: dict[str, list[Row]] = {}
    for row in tables.get("session_ledger", []):
        if f"recordings/{row['session_id']}{LEDGER}" in deleted:
            continue
        sessions.setdefault(row["session_id"], []).append(row)
    paths = {
        path.name.removesuffix(LEDGER): path
        for path in (folder / "recordings").glob(f"*{LEDGER}")
        if f"recordings/{path.name}" not in deleted
    }
    for session, path in sorted(paths.items()):
        rows = sorted(sessions.get(session, []), key=lambda row: row["number"])
        _check_ledger(path, rows, findings, growing=session == growing)
    findings.problems += [
        Message("verify.ledger_gone", ledger=f"recordings/{session}{LEDGER}", n=len(sessions[session]))
        for session in sorted(set(sessions) - set(paths))
    ]
    findings.checked["session ledgers"] = len(paths)


def _check_ledger(path: Path, rows: list[Row], findings: FileFindings, *, growing: bool) -> None:
    name = f"recordings/{path.name}"
    try:
        data = reading.read_bytes(
            path, Message("file.noun_ledger_of_session"), largest=MOST_LEDGER, error=RecordFault
        )
    except RecordFault as error:
        findings.problems.append(messages.of(error))
        return
    entries = [_ledger_row(line) for line in data.split(b"\n") if line]
    for number, (entry, row) in enumerate(zip(entries, rows, strict=False), start=1):
        same = entry is None or all(entry.get(column) == row[column] for column in LEDGER_COLUMNS)
        if not same or (entry is None) != (row["kind"] == "ledger_damaged"):
            findings.problems.append(Message("verify.ledger_line", ledger=name, n=number))
    if len(entries) < len(rows):
        findings.problems.append(Message("verify.ledger_cut", ledger=name, n=len(entries), recorded=len(rows)))
    elif len(entries) > len(rows):
        n = len(entries) - len(rows)
        if growing:
            findings.warnings.append(Message("verify.ledger_runs", n=n, ledger=name))
        else:
            folder = str(path.parent.parent)
            findings.problems.append(Message("verify.ledger_more", n=n, ledger=name, folder=folder))


def _ledger_row(line: bytes) -> Row | None:
    """One line, ``None`` when its CRC-32 does not hold."""
    crc, _, text = line.partition(b" ")
    if crc != b"%08x" % zlib.crc32(text):
        return None
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return None
