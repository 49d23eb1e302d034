"""Where a record may live, and what a database error means in words."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from workbench import reading
from workbench.errors import RecordFault

FILE = "study.db"
MOUNTS = Path("/proc/mounts")
NETWORK = {
    "nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "davfs", "ceph", "lustre",
    "gpfs", "beegfs", "glusterfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.davfs", "fuse.rclone",
    "fuse.s3fs", "fuse.smbnetfs",
}  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")
"""How the system writes a space, tab, line break or backslash of a mount point (fstab(5))."""
MAGIC = b"SQLite format 3\x00"


def filesystem(path: Path, *, mounts: Path | None = None) -> str:
    """Type of the filesystem that holds ``path`` (``"ext4"``), ``""`` where the system tells none.

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
    best, found = -1, ""
    for line in lines:
        if len(line.split()) < 3:
            continue
        _, point, kind = line.split()[:3]
        point = _OCTAL.sub(lambda escaped: chr(int(escaped[1], 8)), point)
        if real.is_relative_to(point) and len(point) >= best:
            best, found = len(point), kind
    return found


def refuse_network(folder: Path, *, allow: bool, mounts: Path | None = None) -> str:
    """Refuse a network filesystem; with ``allow`` return its type, ``""`` on a local disk.

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
        raise RecordFault(
            f"a study record must lie on a local disk, {folder} is on {kind}, whose locks do not protect it; "
            "choose a local folder, or pass allow_network=True and answer for it"
        )
    return kind


def check_file(path: Path) -> None:
    """Tell an absent, empty or foreign file from a study record before SQLite touches it."""
    if not reading.is_there(path, "study record", error=RecordFault):
        raise RecordFault(
            f"there is no study record at {reading.shown(path)}; create one, or give the folder that holds {FILE}"
        )
    start = reading.read_start(path, "study record", len(MAGIC), error=RecordFault)
    if not start:
        raise RecordFault(f"{path} is empty; restore it from a backup, or delete it and create the study again")
    if start != MAGIC:
        raise RecordFault(f"{path} is not a study record or its start is damaged; restore it from a backup")


def explain(error: DBAPIError | sqlite3.Error, path: Path) -> RecordFault:
    """The database's words as what, why and remedy."""
    text = str(error.orig if isinstance(error, DBAPIError) else error)
    if "locked" in text or "busy" in text:
        return RecordFault(f"{path} is held by another writer; nothing was stored, try again in a moment")
    if "full" in text:
        return RecordFault(f"the disk of {path} is full; nothing was stored, free some space and try again")
    if "readonly" in text or "unable to open" in text or "disk I/O" in text:
        return RecordFault(f"{path} cannot be written ({text}); nothing was stored, check permissions and disk")
    if "malformed" in text or "not a database" in text or "decode" in text:
        return RecordFault(f"{path} is damaged ({text}); keep a copy, then restore it from the latest backup")
    return RecordFault(f"{path} refused the entry ({text}); nothing was stored")
