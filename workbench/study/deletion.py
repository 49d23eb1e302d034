"""Deleting what is held of a participant who asks for it: what would go, what stays, and doing it.

What goes are the recordings with everything that was derived from them in the study folder, free texts, drafts,
and the identity. Snapshots of the study are cut again without these texts. The rows stay under their ids as a
tombstone, with results that were computed, consents, safety and randomisation: the site says on which law. The
record's part is one transaction that also names every file; the files go afterwards, one by one. A deletion that
was interrupted is a problem to ``verify`` until it is carried out to its end, which may be done again and again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench import reading, world
from workbench.errors import RecordFault, Refused, UnknownName
from workbench.messages import SAID, Message
from workbench.study import chain, manifest, migrate, record_file
from workbench.study.nouns import PARENTS
from workbench.study.snapshot_files import FOLDER, MODE, SUFFIX, recut
from workbench.study.writer import BY_NAME, raw, seen

if TYPE_CHECKING:
    from workbench.study.identities import Identities
    from workbench.study.people import Signer
    from workbench.study.record import Study

Row = Mapping[str, Any]
Rows = Callable[..., list[dict[str, Any]]]
"""Gives rows of a table that equal what is asked for, as :meth:`workbench.study.Study.rows` does."""
FileKind = Literal["recording", "derived", "ledger"]
Version = tuple[str, str, int]
"""Table, id and version of a row."""

BORN = "birth_date"
"""The item of the core data set by which somebody can be found."""
GONE = "(deleted)"
"""What stands in the place of a text."""
TEXTS: dict[str, dict[str, Any]] = {
    "participant": {"injured_on": "", "wristband": "", "hold": ""},
    "enrolment": {"screening_number": GONE},
    "eligibility": {"evidence": GONE},
    "note": {"text": GONE, "tags": []},
    "query": {"text": GONE},
    "query_event": {"text": GONE},
    "deviation": {"text": GONE, "impact": GONE, "correction": GONE},
    "ledger": {"extent": GONE, "consequence": GONE},
    "session_ledger": {"extent": GONE, "consequence": GONE},
    "treatment": {"indication": GONE, "dose": GONE, "given_by": GONE},
    "form": {},
}
"""Columns of a participant's rows in which somebody can be recognised, and what stands there afterwards. Of a form
it is the items of text and the date of birth; of the ledgers it is what somebody noted."""
STAYS: dict[str, tuple[str, ...]] = {
    "consent": (
        "consent", "deletion_request", "deletion", "deletion_end", "deleted_file", "snapshot_recut", "eligibility",
    ),
    "safety": (
        "adverse_event", "device_deficiency", "awareness", "obligation_event", "implant", "implant_finding",
        "deviation",
    ),
    "randomisation": ("allocation", "unblinding", "blinding_guess"),
    "results": (
        "treatment", "visit", "session", "run", "trial", "recording", "assessment", "form", "approval", "fitting",
        "fitting_step", "upload_receipt", "charge", "contact_map",
    ),
}  # fmt: skip
"""Tables whose rows stay, by why they do."""
STEPS = ("entered", "file", "snapshot", "drafts", "identity", "log emptied", "ended")
"""Names of the steps, in order; a process may be killed at each."""


@dataclass(frozen=True, slots=True)
class DeletedFile:
    """A file that goes: what it is, its path in the study folder, SHA-256 and bytes."""

    kind: FileKind
    path: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class RecutSnapshot:
    """A snapshot that is cut again: its id and path, SHA-256 of its file before and after, and its bytes then."""

    snapshot_id: str
    path: str
    replaces: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What a deletion would do.

    Attributes
    ----------
    participant_id, pseudonym : whose.
    request_id : of the request that it would be carried out on, ``""`` while nobody has asked.
    files : that go.
    rows : table, id and version of each row whose texts and history go.
    stays : number of rows that stay, by a key of :data:`STAYS`.
    decoders : SHA-256 of those that were fitted on these recordings alone, which nobody may use any more.
    shared : SHA-256 of those that were fitted on recordings of others too.
    snapshots : that are cut again without the texts that go.
    drafts : number of drafts that go.
    copies : what else holds data of this participant and is left to people: files beside the snapshots of the
        record, reports, backups.
    """

    participant_id: str
    pseudonym: str
    request_id: str
    files: tuple[DeletedFile, ...]
    rows: tuple[Version, ...]
    stays: Mapping[str, int]
    decoders: tuple[str, ...]
    shared: tuple[str, ...]
    snapshots: tuple[RecutSnapshot, ...]
    drafts: int = field(compare=False)
    copies: tuple[str, ...] = field(compare=False)

    @property
    def n_bytes(self) -> int:
        """Bytes of all files that go."""
        return sum(file.n_bytes for file in self.files)

    @property
    def sha256(self) -> str:
        """Hash of what would go: what was shown and what is done are the same."""
        files = [[one.kind, one.path, one.sha256, one.n_bytes] for one in self.files]
        snapshots = [[one.path, one.replaces, one.sha256] for one in self.snapshots]
        facts = [self.participant_id, files, [list(row) for row in self.rows], list(self.decoders), snapshots]
        return chain.sha256(chain.canonical(facts))


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deletion that was carried out.

    Attributes
    ----------
    deletion_id : of its row.
    n_files, n_bytes, n_rows : files and bytes that are gone, rows that are tombstones.
    n_snapshots : snapshots that were cut again.
    identity : ``"erased"``, ``"absent"`` where the store knows nobody of this name, ``"elsewhere"`` where no store
        was named.
    copies : what still holds data of the participant.
    """

    deletion_id: str
    n_files: int
    n_bytes: int
    n_rows: int
    n_snapshots: int
    identity: str
    copies: tuple[str, ...]


# ------------------------------------------------------------------------------------ what would go
def plan(study: Study, participant_id: str, *, backups: Path | None = None) -> DeletionPlan:
    """What a deletion of a participant's data would do; nothing is done.

    Parameters
    ----------
    study : the open record.
    participant_id : whose.
    backups : folder of backups that is looked through for copies.

    Raises
    ------
    UnknownName
        No such participant.
    RecordFault
        A file cannot be read.
    """
    person = study.get("participant", participant_id)
    owned = rows_of(study.rows, participant_id)
    alone, shared = decoders_of(study.rows, owned)
    visits = {row["id"] for row in owned["visit"]}
    requests = study.rows("deletion_request", participant_id=participant_id)
    done = {row["deletion_request_id"] for row in study.rows("deletion", participant_id=participant_id)}
    items = items_of(study.rows)
    waiting = [row["id"] for row in requests if row["id"] not in done]
    return DeletionPlan(
        participant_id,
        str(person["pseudonym"]),
        waiting[-1] if waiting else "",
        tuple(_files(study.folder, owned)),
        versions(owned, items),
        {why: sum(len(owned.get(table, ())) for table in tables) for why, tables in STAYS.items()},
        alone,
        shared,
        tuple(_recuts(study, owned, items)),
        sum(draft.visit_id in visits for draft in study.drafts.list()),
        tuple(_copies(study, participant_id, owned, backups)),
    )


def rows_of(read: Rows, participant_id: str) -> dict[str, list[Row]]:
    """Every row that belongs to a participant, by its table.

    Parameters
    ----------
    read : of the record.
    participant_id : whose.
    """
    owned: dict[str, list[Row]] = {"participant": list(read("participant", id=participant_id))}
    left = dict(PARENTS)
    while ready := [table for table, (_, above) in left.items() if above in owned]:
        for table in ready:
            column, above = left.pop(table)
            owned[table] = [row for parent in owned[above] for row in read(table, **{column: parent["id"]})]
    return owned


def items_of(read: Rows) -> dict[tuple[str, str], frozenset[str]]:
    """Items of text, and the date of birth, by the hash of a version of the protocol and the name of a form.

    Parameters
    ----------
    read : of the record.
    """
    return {
        (version["sha256"], form["name"]): frozenset(
            item["name"] for item in form.get("items", ()) if item["kind"] == "text" or item["name"] == BORN
        )
        for version in read("protocol_version")
        for form in version["definition"].get("form", ())
    }


def changes_of(table: str, row: Row, items: Mapping[tuple[str, str], frozenset[str]]) -> dict[str, Any]:
    """What a tombstone changes in a row.

    Parameters
    ----------
    table, row : which row.
    items : as of :func:`items_of`.
    """
    if table == "form":
        texts = items.get((row["protocol_sha256"], row["name"]), frozenset())
        values = {name: _gone(name, value) if name in texts else value for name, value in row["values"].items()}
        return {"values": values} if values != row["values"] else {}
    if table in ("ledger", "session_ledger") and row["kind"] != "note":
        return {}
    return {name: value for name, value in TEXTS[table].items() if row[name] and row[name] != value}


def _gone(item: str, value: Any) -> Any:
    """What stands in the place of a text of a form, or of the date of birth; a reason why there is none stays."""
    if value is None or (isinstance(value, Mapping) and "missing" in value):
        return value
    return {"missing": "refused"} if item == BORN else GONE


def versions(
    owned: Mapping[str, list[Row]], items: Mapping[tuple[str, str], frozenset[str]]
) -> tuple[Version, ...]:
    """Rows whose texts or history go, sorted: an earlier version may hold a text that was amended away.

    Parameters
    ----------
    owned : as of :func:`rows_of`.
    items : as of :func:`items_of`.
    """
    return tuple(
        sorted(
            (table, row["id"], row["row_version"])
            for table in TEXTS
            for row in owned[table]
            if row["row_version"] > 1 or changes_of(table, row, items)
        )
    )


def decoders_of(read: Rows, owned: Mapping[str, list[Row]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """SHA-256 of decoders that were fitted on a participant's recordings: on these alone, and on others' too.

    Parameters
    ----------
    read : of the record.
    owned : as of :func:`rows_of`.
    """
    own = {row["sha256"] for row in owned["recording"]}
    alone: list[str] = []
    shared: list[str] = []
    for row in read("decoder"):
        fitted = set(row["recordings"])
        if fitted & own:
            (alone if fitted <= own else shared).append(row["sha256"])
    return tuple(sorted(alone)), tuple(sorted(shared))


def _files(folder: Path, owned: Mapping[str, list[Row]]) -> Iterator[DeletedFile]:
    """Recordings as the record has them, then what lies beside them, then the ledgers of the sessions."""
    paths = {row["path"]: row for row in owned["recording"]}
    for path, row in sorted(paths.items()):
        yield DeletedFile("recording", path, row["sha256"], row["n_bytes"])
    for path in sorted(paths):
        yield from (_measured(folder, file, "derived") for file in _beside(folder, path) if file not in paths)
    for row in owned["session"]:
        ledger = f"recordings/{row['id']}.ledger.jsonl"
        if (folder / ledger).is_file():
            yield _measured(folder, ledger, "ledger")


def _beside(folder: Path, path: str) -> list[str]:
    """Index of a recording, ends that were cut off, and what was salvaged of it, from the study folder."""
    home, name = (folder / path).parent, Path(path).name
    found = [file for place in (home, home / "salvaged", home / "set_aside") for file in place.glob(f"{name}*")]
    return sorted(file.relative_to(folder).as_posix() for file in found if file.is_file())


def _measured(folder: Path, path: str, kind: FileKind) -> DeletedFile:
    digest = reading.sha256(folder / path, Message("file.noun_file"), error=RecordFault)
    return DeletedFile(kind, path, digest, (folder / path).stat().st_size)


def _copies(
    study: Study, participant_id: str, owned: Mapping[str, list[Row]], backups: Path | None
) -> Iterator[str]:
    """Paths of what else holds data of a participant."""
    own = {row["path"] for row in study.rows("snapshot")}
    for file in sorted((study.folder / FOLDER).glob(f"*{SUFFIX}")):
        if f"{FOLDER}/{file.name}" not in own and _holds(file, participant_id):
            yield f"{FOLDER}/{file.name}"
    sessions = {row["id"] for row in owned["session"]}
    for row in study.rows("report"):
        if sessions & set(map(str, row["parameters"].values())):
            yield str(row["path"])
    yield from (file.name for file in migrate.kept_beside(study.path))
    if backups is not None:
        created = study.rows("audit", table_name="participant", row_id=participant_id)[0]["seq"]
        yield from _backups(backups, study.id, created)


def _holds(file: Path, text: str) -> bool:
    left, wanted = b"", text.encode()
    for block in reading.blocks(file, Message("snapshot.noun"), 2**20, error=RecordFault):
        if wanted in left + block:
            return True
        left = block[-len(wanted) :]
    return False


def _backups(folder: Path, study_id: str, created: int) -> Iterator[str]:
    """Backups of the study that were made after the participant was entered, and those that cannot be read."""
    for name in manifest.names_in(folder):
        try:
            made = manifest.read(folder / name)
        except RecordFault:
            yield str(reading.shown(folder / name))
            continue
        if made.study == study_id and made.head[0] >= created:
            yield str(reading.shown(folder / name))


# ------------------------------------------------------------------------------------ snapshots
Items = Mapping[tuple[str, str], frozenset[str]]
"""As :func:`items_of` gives them."""


def _recuts(study: Study, owned: Mapping[str, list[Row]], items: Items) -> Iterator[RecutSnapshot]:
    """Snapshots that hold a text that goes, as they will be without it."""
    newest = {row["snapshot_id"]: row for row in study.rows("snapshot_recut")}
    ended = {row["deletion_id"] for row in study.rows("deletion_end")}
    for row in study.rows("snapshot"):
        path, last = study.folder / row["path"], newest.get(row["id"])
        if not path.is_file():
            continue
        now = last["sha256"] if last else row["sha256"]
        found = reading.sha256(path, Message("snapshot.noun"), error=RecordFault)
        if last and last["deletion_id"] not in ended and found == last["replaces"]:
            continue  # A deletion that was begun cuts it; until that has ended, no other one begins.
        if found != now:
            raise RecordFault(Message("deletion.snapshot", path=row["path"]))
        digest, n_bytes = hashlib.sha256(), 0
        for line in recut(path, _without(owned, items)):
            digest.update(line)
            n_bytes += len(line)
        if digest.hexdigest() != now:
            yield RecutSnapshot(row["id"], row["path"], now, digest.hexdigest(), n_bytes)


def _without(owned: Mapping[str, list[Row]], items: Items) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """What changes in a row of a snapshot: the texts of this participant, as in the record itself."""
    places = {(table, row["id"]) for table in TEXTS for row in owned[table]}

    def changed(table: str, row: dict[str, Any]) -> dict[str, Any]:
        if (table, row["id"]) not in places:
            return {}
        now = seen(BY_NAME[table], row)
        # Of an older schema a row may have fewer columns than today.
        gone = changes_of(table, {**dict.fromkeys(BY_NAME[table].columns.keys()), **now}, items)
        if SAID in row:
            # What a text said is told by its code and arguments, too.
            gone |= {SAID: {name: code for name, code in now[SAID].items() if name not in gone}}
        return raw(BY_NAME[table], {name: value for name, value in gone.items() if name in row})

    return changed


def _cut_anew(study: Study, row: Row, owned: Mapping[str, list[Row]], items: Items) -> None:
    """Put the file in its place that the record has named; what was cut already is passed over."""
    snapshot = study.get("snapshot", row["snapshot_id"])
    path = study.folder / snapshot["path"]
    if not path.is_file():
        return
    found = reading.sha256(path, Message("snapshot.noun"), error=RecordFault)
    if found == row["sha256"]:
        return
    part = path.with_name(f"{path.name}.part")
    digest = hashlib.sha256()
    try:
        world.disk.unlink(part, missing_ok=True)
        with world.disk.open(part, "wb") as file:
            for line in recut(path, _without(owned, items)):
                file.write(line)
                digest.update(line)
            file.flush()
            world.disk.sync(file.fileno())
        if (found, digest.hexdigest()) != (row["replaces"], row["sha256"]):
            world.disk.unlink(part)
            raise RecordFault(Message("deletion.snapshot", path=snapshot["path"]))
        world.disk.chmod(part, MODE)
        world.disk.replace(part, path)
        world.disk.sync_folder(path.parent)
    except OSError as error:
        raise RecordFault(Message("deletion.not_recut", path=snapshot["path"], why=str(error.strerror))) from error


# ------------------------------------------------------------------------------------ doing it
def unfinished(study: Study, participant_id: str) -> Row | None:
    """The deletion of a participant that was begun and has not ended, None for none.

    Parameters
    ----------
    study : the open record.
    participant_id : whose.
    """
    ended = {row["deletion_id"] for row in study.rows("deletion_end")}
    begun = [row for row in study.rows("deletion", participant_id=participant_id) if row["id"] not in ended]
    return begun[-1] if begun else None


def carry_out(
    study: Study,
    deletion_id: str,
    signer: Signer,
    *,
    identities: Identities | None = None,
    backups: Path | None = None,
    step: Callable[[str], None] = lambda name: None,
) -> Deleted:
    """Remove the files of a deletion that the record has begun, and end it; what is gone already is passed over.

    Parameters
    ----------
    study : the open record.
    deletion_id : of the deletion.
    signer : a data manager.
    identities : store in which the person's key is destroyed; None where it is elsewhere.
    backups : folder of backups that is looked through for copies.
    step : called with each name of :data:`STEPS` when it is done.

    Raises
    ------
    Refused
        When it has ended, or the signer may not.
    RecordFault
        When a file cannot be removed, or another process holds the old text in the write-ahead log: carry it out
        again.
    """
    from workbench.study.changes.deleting import EndDeletion

    begun = study.get("deletion", deletion_id)
    if study.rows("deletion_end", deletion_id=deletion_id):
        raise Refused(Message("deletion.ended"))
    person = study.get("participant", begun["participant_id"])
    step("entered")
    files = study.rows("deleted_file", deletion_id=deletion_id)
    for row in files:
        _remove(study.folder, row["path"])
        step("file")
    recuts = study.rows("snapshot_recut", deletion_id=deletion_id)
    owned, items = rows_of(study.rows, person["id"]), items_of(study.rows)
    for row in recuts:
        _cut_anew(study, row, owned, items)
        step("snapshot")
    _discard_drafts(study, person["id"])
    step("drafts")
    identity = _erased(identities, person["pseudonym"])
    step("identity")
    _overwrite(study)
    step("log emptied")
    study.apply(EndDeletion(deletion_id, identity), signer, "carried out")
    # The entry above was written through the log as well, and holds nothing of the participant.
    step("ended")
    left = plan(study, person["id"], backups=backups).copies
    n_bytes = sum(row["n_bytes"] for row in files)
    return Deleted(deletion_id, len(files), n_bytes, begun["n_rows"], len(recuts), identity, left)


def _remove(folder: Path, path: str) -> None:
    file = folder / path
    # A record that somebody changed must not have files of others removed.
    if not file.resolve().is_relative_to(folder.resolve()):
        raise RecordFault(Message("deletion.outside", path=path))
    try:
        world.disk.unlink(file, missing_ok=True)
        if file.parent.is_dir():
            world.disk.sync_folder(file.parent)
    except OSError as error:
        raise RecordFault(Message("deletion.not_removed", path=path, why=str(error.strerror))) from error


def _discard_drafts(study: Study, participant_id: str) -> None:
    for visit in study.rows("visit", participant_id=participant_id):
        for draft in study.drafts.list(visit_id=visit["id"]):
            study.drafts.discard(draft.visit_id, draft.form, draft.condition, draft.person)


def _erased(identities: Identities | None, pseudonym: str) -> str:
    if identities is None:
        return "elsewhere"
    try:
        identities.erase(pseudonym, reason="deletion of the participant's data")
    except UnknownName:
        return "absent"
    except Refused:
        pass  # It was erased before this was interrupted, or by its own command.
    return "erased"


def _overwrite(study: Study) -> None:
    """Remove the old texts from where the database still keeps them."""
    with study.database.connected() as connection:
        done = study.database.store.overwrite(connection, *BY_NAME, "audit_payload")
    if not done:
        held = record_file.holders(study.path) or Message("study.another_process")
        raise RecordFault(Message("deletion.log", who=held))


def marked(rows: Iterable[Row]) -> set[str]:
    """SHA-256 of decoders that nobody may use any more, as what they were fitted on was deleted.

    Parameters
    ----------
    rows : of the table ``deletion``.
    """
    return {sha256 for row in rows for sha256 in row["decoders"]}
