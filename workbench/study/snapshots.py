"""Named snapshots of the record: cut inside the transaction of their lock, listed, and opened for reading."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain as chain_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from workbench import reading, world
from workbench.errors import BadValue, RecordFault, Refused
from workbench.messages import Message
from workbench.study import migrate, record_file, schema
from workbench.study.applying import Applying
from workbench.study.snapshot_files import (
    MODE,
    NAME,
    RESERVED,
    Header,
    path_of,
    read,
    row_line,
)
from workbench.study.writer import transaction
from workbench.vocabulary import LockLevel

if TYPE_CHECKING:
    from workbench.study.record import Study


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One snapshot as the record has it.

    Attributes
    ----------
    name, level : of the snapshot; ``"soft"`` is a data cut, ``"hard"`` that of a lock.
    path, sha256 : file, from the study folder, and the SHA-256 of all data tables in it; once a deletion has cut
        it again, that of what it left.
    n_bytes, n_rows : what it holds.
    head : ``(seq, hash)`` of the newest entry that is in it.
    by, utc, reason : who made it, when and why.
    there : whether its file lies there.
    """

    name: str
    level: LockLevel
    path: str
    sha256: str
    n_bytes: int
    n_rows: int
    head: tuple[int, str]
    by: str
    utc: str
    reason: str
    there: bool


def listed(study: Study) -> tuple[SnapshotRow, ...]:
    """Every snapshot of a study, oldest first.

    Parameters
    ----------
    study : the open record.
    """
    locks = {row["id"]: row for row in study.rows("lock_event")}
    recut = {row["snapshot_id"]: row for row in study.rows("snapshot_recut")}
    return tuple(
        _listed(study, {**row, **_as_it_is(recut.get(row["id"], row))}, locks[row["lock_event_id"]])
        for row in study.rows("snapshot")
    )


def _as_it_is(row: Mapping[str, Any]) -> dict[str, Any]:
    """Hash and size of a snapshot's file, as it was cut or as a deletion cut it again."""
    return {name: row[name] for name in ("sha256", "n_bytes")}


def _listed(study: Study, row: Mapping[str, Any], lock: Mapping[str, Any]) -> SnapshotRow:
    same = {name: row[name] for name in ("name", "path", "sha256", "n_bytes", "n_rows", "by", "utc")}
    head, there = (lock["head_seq"], lock["head_hash"]), (study.folder / row["path"]).is_file()
    return SnapshotRow(level=lock["level"], reason=lock["reason"], head=head, there=there, **same)


def refuse_name(record: Applying, name: str) -> None:
    """Refuse a name that no file can have everywhere, or that is taken.

    Parameters
    ----------
    record : while a change is made.
    name : of the snapshot to be.

    Raises
    ------
    BadValue, Refused
        The name is not as :data:`workbench.study.snapshot_files.NAME` has it; it is taken.
    """
    if not NAME.fullmatch(name) or RESERVED.fullmatch(name):
        raise BadValue(Message("snapshot.name", got=f"{name!r:.80}"))
    # Some file systems take two spellings of a name for one.
    taken = [row["name"] for row in record.rows("snapshot")]
    if name.casefold() in {other.casefold() for other in taken}:
        raise Refused(Message("snapshot.there", name=name, taken=taken))


def write(record: Applying, name: str, level: LockLevel) -> dict[str, Any]:
    """Write the file of a snapshot; its columns of the table ``snapshot``.

    The file is whole and on the disk before the row that names it is stored; one that a crash leaves without a
    row is replaced by the next snapshot of its name.

    Parameters
    ----------
    record : while a change is made, before it has written anything.
    name, level : of the snapshot.

    Raises
    ------
    RecordFault
        When the disk refuses.
    """
    (study,), path = record.rows("study"), record.folder / path_of(name)
    header = Header(study["id"], study["code"], name, level, record.head(), schema.SCHEMA_VERSION)
    part = path.with_name(f"{path.name}.part")
    digest, n_bytes, n_rows = hashlib.sha256(), 0, -1  # the header is no row
    try:
        world.disk.mkdir(path.parent, exist_ok=True)
        # One that a crash left may be read-only by then.
        world.disk.unlink(part, missing_ok=True)
        with world.disk.open(part, "wb") as file:
            lines = (row_line(table, row) for table, row in record.stored())
            for line in chain_of((header.line(),), lines):
                file.write(line)
                digest.update(line)
                n_bytes += len(line)
                n_rows += 1
            file.flush()
            world.disk.sync(file.fileno())
        world.disk.chmod(part, MODE)
        world.disk.replace(part, path)
        world.disk.sync_folder(path.parent)
    except OSError as error:
        raise RecordFault(
            Message("snapshot.not_written", path=reading.shown(path), why=str(error.strerror))
        ) from error
    return {
        "name": name, "path": path_of(name), "sha256": digest.hexdigest(), "n_bytes": n_bytes, "n_rows": n_rows,
    }  # fmt: skip


def next_of_locks(record: Applying) -> str:
    """Name of the snapshot that the next hard lock makes.

    Parameters
    ----------
    record : while a change is made.
    """
    n = sum(row["action"] == "lock" for row in record.rows("lock_event", level="hard"))
    return f"lock-{n + 1}"


def view(path: Path, undo: ExitStack) -> tuple[Path, Header]:
    """A temporary record with the rows of a snapshot, to be read in its stead, and the snapshot's header.

    Parameters
    ----------
    path : of the snapshot file.
    undo : removes the record.

    Raises
    ------
    RecordFault
        When the file is no snapshot, is damaged, or comes from a later version.
    """
    header, rows = read(path)
    folder = world.disk.temporary("workbench-snapshot-")
    undo.callback(world.disk.rmtree, folder)
    made = folder / record_file.FILE
    try:
        with migrate.new_record(made) as target, transaction(target):
            schema.create_tables(target)
            # Rows stand by table, and a table may name one that comes later.
            target.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            for table, row in rows:
                _refuse_foreign(path, table, row)
                migrate.put_row(target, table, row)
            migrate.put_row(target, "audit", _head_row(header))
    except (sqlite3.Error, DBAPIError) as error:
        raise record_file.explain(error, path) from error
    return made, header


def _refuse_foreign(path: Path, table: str, row: Mapping[str, Any]) -> None:
    """Names go into SQL as they are: only those of the schema may."""
    known = schema.metadata.tables.get(table)
    if known is None or known in schema.OWN or set(row) != set(known.columns.keys()):
        raise RecordFault(Message("snapshot.no_snapshot", path=reading.shown(path)))


def _head_row(header: Header) -> dict[str, Any]:
    """The entry that a snapshot ends with, of which it holds number and hash alone."""
    seq, digest = header.head
    texts = dict.fromkeys(("utc", "tz", "boot_id", "actor", "action", "table_name", "row_id", "commitment"), "")
    return {
        "seq": seq, "hash": digest, "mono_ns": 0, "row_version": 1, "schema_version": header.schema_version,
        **texts,
    }  # fmt: skip
