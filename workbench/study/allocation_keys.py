"""The secrets of randomisations, and what each of them released: files of their own in the key folder.

``randomisation-ID.json`` holds seed and master key of one list, for its owner alone. Beside it,
``randomisation-ID.releases.jsonl`` holds every slot that was released, without its arm: a record that is restored
from an older backup has forgotten the newest ones, and none of them may be given to somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench import reading
from workbench.errors import RecordFault, Refused
from workbench.messages import Message
from workbench.study.anchors import append_line
from workbench.study.chain import canonical
from workbench.study.keys import (
    file_name,
    keep_apart,
    key_folder,
    load_apart,
    read_backup,
    write_backup,
)
from workbench.study.randomisation.secret import Secret

BACKUP_FORMAT = "workbench randomisation secrets backup 1"
LARGEST = 2**27
"""Of the releases of a list, bytes."""
Place = tuple[str, int]
"""Stratum and number of a slot; of a minimisation ``""`` and the number of the draw."""


@dataclass(frozen=True, slots=True)
class Release:
    """One slot that was given to a participant: the columns of its allocation, and the pseudonym."""

    pseudonym: str
    stratum: str
    seq: int
    covariates: Mapping[str, str]
    sealed: str
    state: str

    @property
    def place(self) -> Place:
        """Stratum and number."""
        return self.stratum, self.seq


def path_of(list_id: str) -> Path:
    """The file of a secret."""
    return key_folder() / f"randomisation-{file_name(list_id)}.json"


def releases_of(list_id: str) -> Path:
    """The file of what was released."""
    return path_of(list_id).with_suffix(".releases.jsonl")


def keep(study_id: str, secret: Secret) -> Path:
    """Store a secret for its owner alone; one that is there stays. Raises RecordFault.

    Parameters
    ----------
    study_id : of its study.
    secret : of a list or a minimisation.
    """
    path = path_of(secret.list_id)
    keep_apart(path, {"study": study_id, "secret": secret.to_json()})
    return path


def is_here(list_id: str) -> bool:
    """Whether the secret of a list is on this computer. Raises RecordFault where that cannot be told."""
    return reading.is_there(path_of(list_id), Message("file.noun_key_file"), error=RecordFault)


def load(list_id: str) -> Secret:
    """The secret of a list.

    Raises
    ------
    RecordFault
        When it is not on this computer, other users can read it, or its file is damaged.
    """
    path = path_of(list_id)
    content = load_apart(
        path,
        absent=Message("allocation.secret_not_here", path=str(path)),
        shared=Message("allocation.secret_open", path=str(path)),
    )
    return Secret.of(_object(content.get("secret")))


def backup(study_id: str, list_ids: Iterable[str], file: Path | str, passphrase: str) -> Path:
    """Write secrets of lists to a new file, encrypted as :func:`workbench.study.keys.backup` does; raises alike.

    Parameters
    ----------
    study_id : of the study.
    list_ids : of its lists.
    file : the backup; must not exist.
    passphrase : at least 12 characters.
    """
    secrets = [load(list_id).to_json() for list_id in list_ids]
    if not secrets:
        raise RecordFault(Message("allocation.no_lists"))
    return write_backup(Path(file), passphrase, kind=BACKUP_FORMAT, study_id=study_id, plain={"secrets": secrets})


def restore(file: Path | str, passphrase: str) -> list[Path]:
    """Bring the secrets of a backup to this computer; their files. One that is here already stays.

    Raises
    ------
    RecordFault
        When the file is no backup or cannot be read.
    Refused
        When the passphrase does not open it, or another secret of the same list is here.
    """
    study_id, plain = read_backup(Path(file), passphrase, kind=BACKUP_FORMAT)
    secrets = [Secret.of(_object(one)) for one in plain.get("secrets") or ()]
    paths = [keep(study_id, secret) for secret in secrets]
    for secret, path in zip(secrets, paths, strict=True):
        if load(secret.list_id) != secret:
            raise Refused(Message("allocation.secret_other", path=str(path)))
    return paths


def released(list_id: str) -> dict[Place, Release]:
    """What this computer knows to be released of a list, by its place. Raises RecordFault."""
    path, what = releases_of(list_id), Message("allocation.releases")
    if not reading.is_there(path, what, error=RecordFault):
        return {}
    data = reading.read_bytes(path, what, largest=LARGEST, error=RecordFault)
    # A line that a crash tore is entered again from the record, which then holds its allocation.
    found = [release for line in data.split(b"\n") if line and (release := _release(line))]
    return {release.place: release for release in found}


def release(list_id: str, releases: Iterable[Release]) -> None:
    """Note what was released, where that can be written.

    Parameters
    ----------
    list_id : of the list.
    releases : that stand in the record.
    """
    try:
        for one in releases:
            append_line(releases_of(list_id), canonical(asdict(one)), durable=True)
    except OSError:
        # The allocation is stored and must not be reported as lost; the next one notes it too.
        return


def _release(line: bytes) -> Release | None:
    try:
        content = reading.parse_json(line, "release")
        covariates = {str(name): str(level) for name, level in content["covariates"].items()}
        texts = {name: str(content[name]) for name in ("pseudonym", "stratum", "sealed", "state")}
        return Release(seq=int(content["seq"]), covariates=covariates, **texts)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        return None


def _object(content: Any) -> Mapping[str, Any]:
    return content if isinstance(content, Mapping) else {}
