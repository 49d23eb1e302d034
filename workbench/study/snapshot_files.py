"""Snapshot files: every data table as it was at one entry of the chain, read and compared with the chain.

::

    line 1       {"format", "study", "code", "name", "level", "head": [seq, hash], "schema_version"}
    line n       [table, row], rows as SQLite keeps them, in the order of entry

Each line is canonical JSON, so that the file's SHA-256 is that of all data tables. Secrets stand in it as their
hash alone, and an arm as the ciphertext that the record holds. Standard library only: ``verify`` reads these
files without the writer that made them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import messages, reading
from workbench.errors import RecordFault
from workbench.messages import Message
from workbench.study import chain
from workbench.study.files import FileFindings
from workbench.study.migrations import NEWEST, OLDEST, lift

FORMAT = "workbench snapshot 1"
FOLDER = "snapshots"
SUFFIX = ".jsonl"
MODE = 0o400
"""A snapshot is read and never written."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
RESERVED = re.compile(r"lock-\d+", re.IGNORECASE)
"""Names of the snapshots that a hard lock makes."""
LONGEST_LINE = 64 * 2**20
"""Of a snapshot file, bytes; the longest row is a protocol or a sealed list."""
BLOCK = 2**20
WHAT = Message("snapshot.noun")

Row = dict[str, Any]
Rows = Mapping[str, Mapping[str, Row]]
"""Rows by table and id."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a snapshot file says of itself.

    Attributes
    ----------
    study, code : id and short code of the study.
    name : of the snapshot.
    level : ``"soft"`` of a data cut, ``"hard"`` of a lock.
    head : ``(seq, hash)`` of the newest entry that is in it.
    schema_version : of its rows.
    """

    study: str
    code: str
    name: str
    level: str
    head: tuple[int, str]
    schema_version: int

    def line(self) -> bytes:
        """The first line of the file."""
        facts = {name: getattr(self, name) for name in ("study", "code", "name", "level", "schema_version")}
        return _line({"format": FORMAT, **facts, "head": list(self.head)})


def row_line(table: str, row: Mapping[str, Any]) -> bytes:
    """The line of one row.

    Parameters
    ----------
    table : its table.
    row : its columns as SQLite keeps them, secrets veiled.
    """
    return _line([table, dict(row)])


def _line(value: Any) -> bytes:
    return chain.canonical(value).encode() + b"\n"


def path_of(name: str) -> str:
    """Where the snapshot of a name lies, from the study folder."""
    return f"{FOLDER}/{name}{SUFFIX}"


def is_one(path: Path) -> bool:
    """Whether a path leads to a snapshot file and not to a study folder."""
    return path.suffix == SUFFIX and path.is_file()


def study_folder(path: Path) -> Path:
    """The folder of the study whose snapshot a file is: where it was made, or where the file lies alone."""
    return path.parent.parent if path.parent.name == FOLDER else path.parent


def read(path: Path) -> tuple[Header, Iterator[tuple[str, Row]]]:
    """A snapshot's header and its rows, ``(table, columns)`` each, as of today's schema.

    Parameters
    ----------
    path : of the file.

    Raises
    ------
    RecordFault
        Now or while the rows are read: the file is no snapshot, is damaged, or comes from a later version.
    """
    lines = _lines(path)
    header = _header(path, next(lines, b""))
    return header, _rows(path, header, lines)


def _lines(path: Path) -> Iterator[bytes]:
    left = b""
    for block in reading.blocks(path, WHAT, BLOCK, error=RecordFault):
        *whole, left = (left + block).split(b"\n")
        yield from whole
        if len(left) > LONGEST_LINE:
            raise _no_snapshot(path)
    if left:
        raise _no_snapshot(path)


def _header(path: Path, line: bytes) -> Header:
    said = reading.parse_json(line or b"{}", WHAT, error=RecordFault)
    try:
        if said["format"] != FORMAT:
            raise _no_snapshot(path)
        (seq, digest), version = said["head"], said["schema_version"]
        study, code, name, level = texts = [said[key] for key in ("study", "code", "name", "level")]
    except (LookupError, TypeError, ValueError):
        raise _no_snapshot(path) from None
    numbers = isinstance(seq, int) and isinstance(version, int)
    if not numbers or not all(isinstance(text, str) for text in (*texts, digest)):
        raise _no_snapshot(path)
    if not OLDEST <= version <= NEWEST:
        raise RecordFault(Message("snapshot.version", path=reading.shown(path), version=version, newest=NEWEST))
    return Header(study, code, name, level, (seq, digest), version)


def _rows(path: Path, header: Header, lines: Iterator[bytes]) -> Iterator[tuple[str, Row]]:
    for line in lines:
        found = reading.parse_json(line, WHAT, error=RecordFault)
        pair = isinstance(found, list) and len(found) == 2 and isinstance(found[0], str)
        if not pair or not isinstance(found[1], dict) or not isinstance(found[1].get("id"), str):
            raise _no_snapshot(path)
        yield found[0], lift(found[0], found[1], header.schema_version)


def _no_snapshot(path: Path) -> RecordFault:
    return RecordFault(Message("snapshot.no_snapshot", path=reading.shown(path)))


def recut(path: Path, changed: Callable[[str, Row], Row]) -> Iterator[bytes]:
    """The lines of a snapshot file with some of its rows changed; all else bit for bit as it is.

    Parameters
    ----------
    path : of the file.
    changed : gives the columns of a row that stand there from then on, by its table and columns; none for most.

    Raises
    ------
    RecordFault
        While the lines are read: the file is no snapshot, is damaged, or comes from a later version.
    """
    lines = _lines(path)
    first = next(lines, b"")
    _header(path, first)
    yield first + b"\n"
    for line in lines:
        table, row = reading.parse_json(line, WHAT, error=RecordFault)
        changes = changed(table, row)
        yield row_line(table, {**row, **changes}) if changes else line + b"\n"


def _now(row: Row, tables: Mapping[str, Collection[Row]]) -> Row:
    """A row of the table ``snapshot`` with the hash of its file now, and whether a deletion cut it again."""
    hashes = [one["sha256"] for one in tables.get("snapshot_recut", []) if one["snapshot_id"] == row["id"]]
    return {**row, "sha256": hashes[-1] if hashes else row["sha256"], "recut": bool(hashes)}


def differences(path: Path, state: Rows, gone: set[tuple[str, str]]) -> tuple[Header, list[tuple[str, str]], int]:
    """A snapshot against the state that the chain's payloads give at its head.

    Parameters
    ----------
    path : of the file.
    state : rows by table and id, replayed up to the snapshot's head.
    gone : rows, by table and id, whose earlier payloads a redaction has removed.

    Returns
    -------
    tuple
        Header; table and id of each row that differs or is in one of both only; how many rows cannot be compared
        because they were redacted afterwards.
    """
    header, rows = read(path)
    left = {(table, row_id) for table, kept in state.items() for row_id in kept}
    differ, untold = [], 0
    for table, row in rows:
        place = (table, row["id"])
        if place in gone:
            untold += 1
        elif place not in left or not _same(table, row, state[table][row["id"]]):
            differ.append(place)
        left.discard(place)
    return header, [*differ, *sorted(left - gone)], untold


def check_snapshots(
    folder: Path,
    tables: Mapping[str, Collection[Row]],
    cuts: Mapping[int, Rows],
    redacted: Mapping[tuple[str, str], int],
    findings: FileFindings,
) -> None:
    """Whether every snapshot that a record names lies there and is the record at its head.

    Parameters
    ----------
    folder : the study folder.
    tables : rows of the record.
    cuts : the replayed state by number of the entry that a snapshot ends with.
    redacted : newest redaction by table and id of the row.
    findings : what is found is added.
    """
    locks, known = {row["id"]: row for row in tables.get("lock_event", [])}, set()
    for row in tables.get("snapshot", []):
        known.add(row["path"])
        lock = locks.get(row["lock_event_id"], {"head_seq": 0, "head_hash": ""})
        _check_one(folder / row["path"], _now(row, tables), lock, cuts, redacted, findings)
    for path in sorted((folder / FOLDER).glob(f"*{SUFFIX}")):
        if f"{FOLDER}/{path.name}" not in known:
            findings.warnings.append(Message("snapshot.unknown", file=f"{FOLDER}/{path.name}"))
    findings.checked["snapshots"] = len(known)


def check_snapshot(
    path: Path,
    tables: Mapping[str, Collection[Row]],
    cuts: Mapping[int, Rows],
    redacted: Mapping[tuple[str, str], int],
    findings: FileFindings,
) -> None:
    """Whether one file, wherever it lies, is a snapshot of a record and is the record at its head.

    Parameters
    ----------
    path : of the file.
    tables, cuts, redacted, findings : as of :func:`check_snapshots`.
    """
    digest = reading.sha256(path, WHAT, error=RecordFault)
    known = [_now(row, tables) for row in tables.get("snapshot", [])]
    rows = [row for row in known if row["sha256"] == digest]
    if not rows and any(row["replaces"] == digest for row in tables.get("snapshot_recut", [])):
        findings.problems.append(Message("snapshot.before_deletion", path=reading.shown(path)))
    elif not rows:
        findings.problems.append(Message("snapshot.not_known", path=reading.shown(path), hash=digest))
    for row in rows:
        lock = next(lock for lock in tables["lock_event"] if lock["id"] == row["lock_event_id"])
        _check_one(path, row, lock, cuts, redacted, findings)
    findings.checked["snapshots"] = 1


def _check_one(
    path: Path, row: Row, lock: Row, cuts: Mapping[int, Rows], redacted: Mapping[tuple[str, str], int],
    findings: FileFindings,
) -> None:  # fmt: skip
    seq = lock["head_seq"]
    gone = {place for place, entry in redacted.items() if entry > seq}
    try:
        if reading.sha256(path, WHAT, error=RecordFault) != row["sha256"]:
            findings.problems.append(Message("verify.file_differs", what=WHAT, path=row["path"]))
            return
        header, differ, untold = differences(path, cuts.get(seq, {}), gone)
    except RecordFault as error:
        findings.problems.append(messages.of(error))
        return
    if header.head != (seq, lock["head_hash"]):
        findings.problems.append(Message("snapshot.other_head", name=row["name"], seq=seq, got=header.head[0]))
    elif differ:
        table, row_id = differ[0]
        findings.problems.append(
            Message("snapshot.differs", name=row["name"], seq=seq, n=len(differ), table=table, id=row_id)
        )
    if untold and row["recut"]:
        findings.deleted.append(Message("snapshot.recut", name=row["name"], n=untold))
    elif untold:
        findings.warnings.append(Message("snapshot.redacted_since", name=row["name"], n=untold))


def _same(table: str, row: Row, replayed: Row) -> bool:
    # Entries of before the veil show the secret itself.
    return replayed == row or chain.veiled(table, replayed) == row
