"""The master key of a store of identities: a file of its own in the key folder, apart from the keys of the record.

Beside it lie the heads of the store's chain, ``identities-ID.anchors.jsonl``, against which a cut tail shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import RecordFault, Refused
from workbench.messages import Message
from workbench.study.identity_file import KEY
from workbench.study.keys import (
    file_name,
    keep_apart,
    key_folder,
    load_apart,
    read_backup,
    write_backup,
)

BACKUP_FORMAT = "workbench identities key backup 1"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A store's key (64 hexadecimal digits, never printed), the ids of store and study, SHA-256 of its header."""

    id: str
    study: str
    header: str
    utc: str
    master: str = field(repr=False)

    @property
    def secret(self) -> bytes:
        """The 32 bytes."""
        return bytes.fromhex(self.master)


def path_of(store: str) -> Path:
    """The key file of a store."""
    return key_folder() / f"identities-{file_name(store)}.json"


def anchors_of(store: str) -> Path:
    """The file of a store's heads."""
    return path_of(store).with_suffix(".anchors.jsonl")


def keep(key: MasterKey) -> Path:
    """Store a key for its owner alone; one that is there stays. Raises RecordFault."""
    path = path_of(key.id)
    keep_apart(path, asdict(key))
    return path


def load(store: str) -> MasterKey:
    """The key of a store.

    Raises
    ------
    RecordFault
        When it is not on this computer, other users can read it, or its file is damaged.
    """
    path = path_of(store)
    content = load_apart(
        path,
        absent=Message("identities.key_not_here", path=str(path)),
        shared=Message("identities.key_open", path=str(path)),
    )
    return _parsed(content, path)


def backup(store: str, file: Path | str, passphrase: str) -> Path:
    """Write the key of a store to a new file, encrypted as :func:`workbench.study.keys.backup` does; raises alike.

    Parameters
    ----------
    store : id of the store.
    file : the backup; must not exist.
    passphrase : at least 12 characters.
    """
    key = load(store)
    return write_backup(Path(file), passphrase, kind=BACKUP_FORMAT, study_id=key.study, plain=asdict(key))


def restore(file: Path | str, passphrase: str) -> Path:
    """Bring the key of a backup to this computer; its key file.

    Raises
    ------
    RecordFault
        When the file is no backup or cannot be read.
    Refused
        When the passphrase does not open it, or another key of the same store is here.
    """
    key = _parsed(read_backup(Path(file), passphrase, kind=BACKUP_FORMAT)[1], Path(file))
    path = keep(key)
    if load(key.id) != key:
        raise Refused(Message("identities.restore_other", path=str(path)))
    return path


def _parsed(content: Mapping[str, Any], path: Path) -> MasterKey:
    try:
        key = MasterKey(**content)
        sound = all(isinstance(value, str) for value in asdict(key).values()) and len(key.secret) == KEY
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise RecordFault(Message("identities.key_damaged", path=str(path)))
    return key
