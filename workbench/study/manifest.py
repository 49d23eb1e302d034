"""What a backup says of itself: ``manifest.json``, written last, without which a folder is no backup.

A backup is a folder ``UTC-SEQ`` with the manifest and, in ``study``, the files of the study folder. Names and
hashes in a manifest come from elsewhere when it is read: none may lead out of the folder that is restored.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

from workbench import reading
from workbench.errors import RecordFault
from workbench.messages import Message
from workbench.study import record_file
from workbench.study.stores import pointer

FILE = "manifest.json"
DATA = "study"
"""Folder of a backup that holds the files."""
FORMAT = "workbench backup 1"
NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z-\d+")
"""Name of a backup: when it was made, in UTC, and the number of the newest audit row in it."""
LARGEST = 256 * 2**20
"""Bytes of the largest manifest that is read: over a million files."""
SIDE = ("-wal", "-shm", "-journal", ".part", ".lock")
"""Ends of the names of files that only a running process needs."""
UNFINISHED = (f"{record_file.FILE}.migrating", f"{record_file.FILE}.moving", f"{pointer.FILE}.moving")
"""Beginnings of the names of what a migration or a move has not put in its place yet."""
OF_ENGINE = ("alarms.jsonl", "engine.log")
"""What is kept of the engine's folder; the rest are locks, the key of a session, and what the screen shows."""
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a backup.

    Attributes
    ----------
    path : in the study folder, with ``/``.
    bytes, sha256 : size and hash of what was copied.
    mtime_ns : when the study's own file was last changed, ns since 1970.
    growing : it was written to while the backup was made; what is here is its beginning.
    """

    path: str
    bytes: int
    sha256: str
    mtime_ns: int
    growing: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes
    ----------
    study, code : id and short code of the study.
    utc : when it was made.
    head : ``(seq, hash)`` of the newest audit row in it.
    schema_version : of the record. workbench : version that made the backup.
    rows : number of rows by table.
    files : in the order they were copied.
    """

    study: str
    code: str
    utc: str
    head: tuple[int, str]
    schema_version: int
    workbench: str
    rows: Mapping[str, int]
    files: tuple[File, ...]

    def text(self) -> str:
        """The manifest as it is written, with a SHA-256 over itself."""
        body = {
            "format": FORMAT,
            "keys": "not in this backup; see 'workbench keys backup'",
            **{name: getattr(self, name) for name in ("study", "code", "utc", "schema_version", "workbench")},
            "head": {"seq": self.head[0], "hash": self.head[1]},
            "rows": dict(self.rows),
            "files": [asdict(file) for file in self.files],
        }
        return json.dumps({**body, "sha256": _digest(body)}, indent=1) + "\n"

    @property
    def n_bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.bytes for file in self.files)


def is_taken(path: str) -> bool:
    """Whether a file of the study folder belongs into a backup: no lock, socket, log of SQLite or part of a file.

    Parameters
    ----------
    path : in the study folder, with ``/``.
    """
    *above, name = path.split("/")
    if above and above[0] == "engine":
        return name in OF_ENGINE
    return not (name.endswith(SIDE) or name.startswith((".probe-", *UNFINISHED)))


def read(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises
    ------
    RecordFault
        When there is none, it was changed, or it names a file that no backup holds.
    """
    path = folder / FILE
    if not reading.is_there(path, Message("backup.noun_manifest"), error=RecordFault):
        shown, names = reading.shown(folder), names_in(folder)
        raise RecordFault(
            Message("backup.holds_backups", folder=shown, newest=names[-1])
            if names
            else Message("backup.none", folder=shown, file=FILE)
        )
    text = reading.read_text(path, Message("backup.noun_manifest"), largest=LARGEST, error=RecordFault)
    content = reading.parse_json(text, Message("backup.noun_manifest"), error=RecordFault)
    try:
        stated = content.pop("sha256")
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r:.60}")
        if stated != _digest(content):
            raise ValueError("it was changed after it was written")
        return _parsed(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordFault(
            Message("backup.bad_manifest", path=reading.shown(path), why=f"{str(error):.200}")
        ) from error


def names_in(target: Path) -> list[str]:
    """Names of the finished backups in a folder, the oldest first; none where it cannot be looked into."""
    try:
        return sorted(path.name for path in target.iterdir() if NAME.fullmatch(path.name))
    except OSError:
        return []


def newest_in(target: Path, *, study: str, other_than: str = "") -> tuple[str, Manifest] | None:
    """``(name, manifest)`` of the newest backup of a study in a folder; damaged ones are passed over.

    Parameters
    ----------
    target : the folder that holds backups.
    study : id of the study.
    other_than : name of a backup that is not looked at.
    """
    for name in reversed(names_in(target)):
        if name == other_than:
            continue
        try:
            manifest = read(target / name)
        except RecordFault:
            continue
        if manifest.study == study:
            return name, manifest
    return None


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _parsed(content: Mapping[str, Any]) -> Manifest:
    files = tuple(_file(entry) for entry in content["files"])
    paths = {file.path for file in files}
    if len(paths) < len(files):
        raise ValueError("it names a file twice")
    if not paths & {record_file.FILE, pointer.FILE}:
        raise ValueError(f"it names no {record_file.FILE}")
    return Manifest(
        study=_text(content["study"]),
        code=_text(content["code"]),
        utc=_text(content["utc"]),
        head=(_count(content["head"]["seq"]), _text(content["head"]["hash"])),
        schema_version=_count(content["schema_version"]),
        workbench=_text(content["workbench"]),
        rows={_text(name): _count(n) for name, n in content["rows"].items()},
        files=files,
    )


def _file(entry: Mapping[str, Any]) -> File:
    path = _text(entry["path"])
    pure = PurePath(path)
    # As this computer would read it: a drive, a root or a step upwards leads out of the folder.
    leads_out = pure.drive or pure.root or ".." in pure.parts or "\0" in path or pure.as_posix() != path
    if leads_out or path == "." or not is_taken(path):
        raise ValueError(f"it names the file {path!r:.100}, which no backup holds")
    sha256 = _text(entry["sha256"])
    if not _HASH.fullmatch(sha256) or not isinstance(entry["growing"], bool):
        raise ValueError(f"the entry of {path!r:.100} is none")
    return File(path, _count(entry["bytes"]), sha256, _count(entry["mtime_ns"]), entry["growing"])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no text")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"{value!r:.60} is no count")
    return value
