"""Where a record may live, and what a database error means in words."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import suppress
from pathlib import Path

from workbench import reading, world
from workbench.errors import RecordFault, RecordLocked
from workbench.messages import Message

FILE = "study.db"
MOUNTS = Path("/proc/mounts")
NETWORK = {
    "nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "davfs", "ceph", "lustre",
    "gpfs", "beegfs", "glusterfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.davfs", "fuse.rclone",
    "fuse.s3fs", "fuse.smbnetfs",
}  # fmt: skip
NO_DATABASE = "not a database"
"""What SQLite says of a file whose start is not that of a database."""
BUSY_S = 5.0
"""How long a reader waits for a writer that keeps readers out, s."""
_OCTAL = re.compile(r"\\([0-7]{3})")
"""How the system writes a space, tab, line break or backslash of a mount point (fstab(5))."""


def state(folder: Path) -> tuple[tuple[int, int, int], ...]:
    """Inode, size and time of what a commit changes: while they stay, nothing new stands in the record.

    Parameters
    ----------
    folder : of the study.
    """
    seen = []
    for name in (FILE, f"{FILE}-wal"):
        # Whoever reads makes an empty write-ahead log, and takes it away again.
        with suppress(FileNotFoundError):
            file = (folder / name).stat()
            if file.st_size:
                seen.append((file.st_ino, file.st_size, file.st_mtime_ns))
    return tuple(seen)


def filesystem(path: Path, *, mounts: Path | None = None) -> str:
    """Type of the filesystem that holds ``path`` (``"ext4"``), ``""`` where the system does not say.

    A Windows share path (``\\\\server\\…``) counts as ``"smb"``.
    """
    if str(path).startswith("\\\\"):
        return "smb"
    try:
        lines = (mounts or MOUNTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):
        return ""
    best, type_ = -1, ""
    for line in lines:
        if len(line.split()) < 3:
            continue
        _, point, kind = line.split()[:3]
        point = _OCTAL.sub(lambda escaped: chr(int(escaped[1], 8)), point)
        # The longest mount point holds the path; of two alike the later one is mounted on top.
        if real.is_relative_to(point) and len(point) >= best:
            best, type_ = len(point), kind
    return type_


def refuse_network(folder: Path, *, allow: bool, mounts: Path | None = None) -> str:
    """Refuse a network filesystem; with ``allow`` return its type, ``""`` on a local disk.

    Parameters
    ----------
    folder : the study folder.
    allow : accept one, on the caller's word.
    mounts : file that lists the mounts; by default the system's.

    Raises
    ------
    RecordFault
        On NFS, SMB and their like: the write-ahead log needs shared memory and locks that they lack
        (sqlite.org/wal.html).
    """
    kind = filesystem(folder, mounts=mounts)
    if kind not in NETWORK:
        return ""
    if not allow:
        raise RecordFault(Message("study.not_local", folder=str(folder), kind=kind))
    return kind


def check_file(path: Path) -> None:
    """Tell an absent or empty file from a study record; of what is another's, SQLite tells: see :func:`explain`.

    Only SQLite opens it: whoever closes a file gives up every lock that this process holds on it, SQLite's own
    among them (sqlite.org/howtocorrupt.html, 2.2). Another process would then take itself for the last one, and
    remove the write-ahead log that this one goes on writing.
    """
    what = Message("file.noun_study_record")
    if not reading.is_there(path, what, error=RecordFault):
        raise RecordFault(Message("study.not_there", path=str(reading.shown(path)), file=FILE))
    if not reading.size_unopened(path, what, error=RecordFault):
        raise RecordFault(Message("study.empty_file", path=str(path)))


def read_only(path: Path) -> sqlite3.Connection:
    """The record, open for reading; one that cannot be written (an archive, a disc) is taken as it lies there.

    SQLite keeps its write-ahead log in files beside the record, so elsewhere the folder must be writable
    (sqlite.org/wal.html, "Read-Only Databases").

    Raises
    ------
    RecordFault
        When the newest entries are in a write-ahead log that cannot be read where it lies.
    """
    effective = os.access in os.supports_effective_ids
    writable = all(os.access(location, os.W_OK, effective_ids=effective) for location in (path, path.parent))
    log = path.with_name(f"{path.name}-wal")
    if not writable and log.exists() and log.stat().st_size:
        raise RecordFault(Message("study.log_unreadable", path=str(path), log=log.name))
    # `immutable` promises that nobody writes: SQLite then needs neither lock nor log, which a disc cannot have.
    how = "mode=rw" if writable else "immutable=1"
    connection = world.disk.database(
        f"{path.resolve().as_uri()}?{how}", uri=True, isolation_level=None, timeout=BUSY_S
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only=ON")
    return connection


def explain(error: Exception, path: Path) -> RecordFault:
    """The database's words as what, why and remedy."""
    text = str(getattr(error, "orig", None) or error)
    if "locked" in text or "busy" in text:
        return locked(path)
    if "full" in text:
        return RecordFault(Message("study.disk_full", path=str(path)))
    if "readonly" in text or "unable to open" in text or "disk I/O" in text:
        return RecordFault(Message("study.not_writable", path=str(path), why=text))
    if NO_DATABASE in text:
        return RecordFault(Message("study.no_record", path=str(path)))
    if "malformed" in text or "decode" in text:
        return RecordFault(Message("study.damaged", path=str(path), why=text))
    return RecordFault(Message("study.entry_refused", path=str(path), why=text))


def locked(path: Path) -> RecordLocked:
    """The answer to a record that another process holds: who, and to try again. Never to restore."""
    who = holders(path) or Message("study.another_process")
    return RecordLocked(Message("study.held", path=str(path), who=who))


def holders(path: Path) -> list[str]:
    """Other processes of this user that have the record open: ``["python (process 4711)"]``, as far as can be
    seen.
    """
    import psutil

    names, own = [], world.computer.pid()
    real = str(path.resolve())
    for process in psutil.process_iter(["pid", "name"]):
        try:
            if process.pid != own and any(file.path == real for file in process.open_files()):
                names.append(f"{process.info['name']} (process {process.pid})")
        # Processes of other accounts cannot be looked into: they stay unnamed.
        except (psutil.Error, OSError):
            continue
    return names
