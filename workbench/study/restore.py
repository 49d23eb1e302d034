"""Restore a backup: every hash first, then a copy beside, verified there, and renamed into its place.

A restored record ends where its backup ends. That entries came after it shows only against a head from elsewhere:
the pins of the keys on this computer, another backup, an anchors file, a printed report. None of this is quietened
here: ``workbench verify`` goes on finding it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench import reading, world
from workbench.errors import BadValue, RecordFault, Refused, WorkbenchError
from workbench.messages import Message
from workbench.study import anchors, manifest, record_file, schema, stores
from workbench.study.backup import (
    BLOCK,
    ROWS,
    Facts,
    Progress,
    copied,
    facts_in,
    facts_of,
    hashed,
    not_written,
)
from workbench.study.keys import KeyRing
from workbench.study.manifest import DATA, File, Manifest
from workbench.study.record import Study
from workbench.study.stores import pointer
from workbench.study.stores.postgresql import PostgreSQL
from workbench.study.verification import Verification, verify
from workbench.study.writer import RESTORE

UNFINISHED = ".restoring"
STAGES = ("checking", "copying", "verifying", "in place")
TO_TAKE_IN = ("verify.left_over", "verify.ledger_more", "verify.growing", "verify.ledger_runs")
"""What the files of a session say that the record had not taken in when it was backed up."""
SHOWN = 20
Head = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored.

    Attributes
    ----------
    folder : where.
    backup, utc : the backup, and when it was made.
    head : ``(seq, hash)`` of the newest audit row in the backup.
    newest : ``(seq, hash)`` of a newer row that is known here, None when none is: what lies between is lost.
    entry : number of the audit row that says so in the record, 0 when none was asked for.
    rows : number of rows by table, as the backup has them.
    n_files : files that were restored.
    problems, warnings : what ``workbench verify`` finds in it.
    to_take_in : what the session files hold and the record does not yet; ``workbench end`` takes it in.
    """

    folder: Path
    backup: str
    utc: str
    head: Head
    newest: Head | None
    entry: int
    rows: Mapping[str, int]
    n_files: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    to_take_in: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """It verifies, and nothing newer is known here."""
        return not self.problems

    def text(self) -> str:
        """The result in words."""
        end = self.head[0]
        lines = [f"restored: {reading.shown(self.folder)}, the study as of {self.utc}"]
        if self.newest:
            lines.append(
                f"OLDER THAN WHAT IS KNOWN: this backup ends at audit row {end}, row {self.newest[0]} is known; "
                f"what lies between is lost. 'workbench verify {reading.shown(self.folder)} "
                f"--head {self.newest[0]}:{self.newest[1]}' goes on saying so"
            )
        else:
            lines.append(f"Nobody can tell from it what was entered after audit row {end}; paper and reports may")
        n = len(self.problems)
        more = [f"… and {n - SHOWN} more"] if n > SHOWN else []
        lines += [
            "the record holds" if self.ok else f"the record does NOT hold: {n} problem{'s' * (n != 1)}",
            *(f"- {problem}" for problem in self.problems[:SHOWN]),
            *more,
            *(f"(note) {warning}" for warning in self.warnings),
        ]
        if self.to_take_in:
            names = ", ".join(self.to_take_in)
            lines.append(f"to take in with 'workbench end {reading.shown(self.folder)}': {names}")
        if self.entry:
            lines.append(f"audit row {self.entry} says that it was restored, and why")
        counted = ", ".join(f"{name} {count}" for name, count in self.rows.items())
        return "\n".join([*lines, f"rows: {counted}", f"head: {end} {self.head[1]}"])

    def to_json(self) -> dict[str, Any]:
        """The result as plain data, for ``workbench restore --json``."""
        heads = {
            name: head and {"seq": head[0], "hash": head[1]}
            for name, head in (("head", self.head), ("newest", self.newest))
        }
        return {**asdict(self), **heads, "rows": dict(self.rows), "folder": str(self.folder), "ok": self.ok}


def restore(
    backup: Path | str,
    folder: Path | str,
    *,
    actor: str = "",
    reason: str = "",
    known: Iterable[Head] = (),
    copies: Sequence[Path] = (),
    database: str = "",
    progress: Progress = lambda stage, done, total: None,
) -> Restored:
    """Restore a backup into a new folder.

    Parameters
    ----------
    backup : the backup, ``TARGET/UTC-SEQ``.
    folder : becomes the study folder; must not be there.
    actor, reason : with a reason, an audit row of this actor says in the record that it was restored, from what,
        and which newer head was known; it needs the keys of the study. Without one the record stays as it was.
    known : heads from elsewhere, as printed on reports: ``(seq, hash)``.
    copies : further anchors files.
    database : URL of the PostgreSQL database for a record that lay in one; ``""`` for the same.
    progress : called with one of :data:`STAGES`, the bytes that are done, and all of them.

    Raises
    ------
    BadValue
        When there is a reason and no actor.
    Refused
        When the folder is there already.
    RecordFault
        When the backup is none, a file of it is missing or was changed, or the disk refuses.
    """
    backup, folder = Path(backup), Path(folder)
    if reason and not actor.strip():
        raise BadValue(Message("study.no_actor"))
    held = manifest.read(backup)
    record_file.refuse_network(folder, allow=False)
    _refuse_before(folder, database)
    heads = _heads(backup, held, known)
    newest = _newest(held, heads, copies)
    work = _Work(backup / DATA, folder.with_name(f"{folder.name}{UNFINISHED}"), held, progress)
    work.check()
    try:
        with ExitStack() as undo:
            work.copy(undo)
            work.load(undo, database)
            entry = _enter(work.out, held, newest, backup.name, actor=actor, reason=reason) if reason else 0
            work.at("verifying", 2)
            found = verify(work.out, known=heads, copies=copies)
            world.disk.replace(work.out, folder)
            undo.pop_all()
        world.disk.sync_folder(folder.parent)
    # Some of our own are ValueErrors too.
    except WorkbenchError:
        raise
    except (OSError, ValueError) as error:
        raise not_written(folder, error) from error
    work.at("in place", 3)
    return _told(folder, backup.name, held, newest, entry, found)


def drill(backup: Path | str, *, progress: Progress = lambda stage, done, total: None) -> Restored:
    """Restore a backup into a temporary folder, verify it, and remove it again.

    Parameters
    ----------
    backup : the backup.
    progress : as of :func:`restore`.

    Raises
    ------
    Refused
        When there is no room for it.
    RecordFault
        When it cannot be restored.
    """
    needed = manifest.read(Path(backup)).n_bytes
    root = world.disk.temporary_root()
    if (free := world.disk.free(root)) < needed:
        raise Refused(
            Message("backup.no_room_to_drill", root=reading.shown(root), needed=f"{needed:,}", free=f"{free:,}")
        )
    with ExitStack() as undo:
        home = world.disk.temporary("workbench-drill-")
        undo.callback(world.disk.rmtree, home)
        undo.callback(_dropped, home / DATA)
        return restore(backup, home / DATA, progress=progress)


@dataclass(slots=True)
class _Work:
    """A restore under way: from the files of a backup into ``out``."""

    source: Path
    out: Path
    held: Manifest
    progress: Progress
    done: int = 0

    def at(self, stage: str, part: int) -> None:
        """Begin a stage; each of the three takes about as long as reading all bytes."""
        self.done = part * self.held.n_bytes
        self.progress(stage, self.done, 3 * self.held.n_bytes)

    def beat(self, n: int, stage: str) -> None:
        """``n`` more bytes are done."""
        self.done += n
        self.progress(stage, self.done, 3 * self.held.n_bytes)

    def check(self) -> None:
        """Compare every file with its hash, before anything is written."""
        self.at("checking", 0)
        wrong = [file.path for file in self.held.files if not self._holds(file)]
        if wrong:
            raise _differs(wrong[0], len(wrong), len(self.held.files))

    def _holds(self, file: File) -> bool:
        path = self.source / file.path
        try:
            # Before it is read: a file that was exchanged may be of any size.
            return path.stat().st_size == file.bytes and hashed(path, self._checked) == file.sha256
        except (OSError, RecordFault):
            return False

    def _checked(self, n: int) -> None:
        self.beat(n, "checking")

    def copy(self, undo: ExitStack) -> None:
        """Copy every file and compare it again, for it may have changed since."""
        self.at("copying", 1)
        world.disk.mkdir(self.out.parent, mode=0o777, parents=True, exist_ok=True)
        try:
            world.disk.mkdir(self.out, mode=0o777)
        except FileExistsError as error:
            raise Refused(Message("backup.left_over", folder=reading.shown(self.out))) from error
        undo.callback(_removed, self.out)
        for file in self.held.files:
            target = self.out / file.path
            world.disk.mkdir(target.parent, parents=True, exist_ok=True)
            if copied(self.source / file.path, target, lambda n: self.beat(n, "copying")) != (
                file.bytes,
                file.sha256,
            ):
                raise _differs(file.path, 1, len(self.held.files))
            world.disk.set_modified(target, file.mtime_ns)
        for inner in {(self.out / file.path).parent for file in self.held.files}:
            world.disk.sync_folder(inner)

    def load(self, undo: ExitStack, database: str) -> None:
        """Put rows of PostgreSQL into a new schema, and compare what the record says of itself."""
        held, path = self.held, self.out / record_file.FILE
        if path.exists():
            if database:
                raise Refused(Message("store.backup_of_file", folder=reading.shown(self.source.parent)))
            facts = facts_of(path)
        else:
            there = pointer.new(database or pointer.read(self.out).url, code=held.code)
            store = PostgreSQL(self.out / pointer.FILE, there)
            store.load(self._rows)
            undo.callback(store.drop)
            world.disk.save(store.path, there.text().encode())
            world.disk.rmtree((self.out / ROWS).parent)
            with store.reader() as reader:
                facts = facts_in(reader)
        if facts != Facts(held.study, held.code, held.head, held.schema_version, held.rows):
            stated = reading.shown(self.source.parent / manifest.FILE)
            raise RecordFault(Message("backup.other_record", path=stated))

    def _rows(self, table: str) -> Iterator[bytes]:
        path = self.out / ROWS.format(table)
        return reading.blocks(path, Message("file.noun_file"), BLOCK, error=RecordFault)


def _differs(path: str, n: int, of: int) -> RecordFault:
    return RecordFault(Message("backup.file_differs", file=reading.shown(path), n=n, all=of))


def _dropped(folder: Path) -> None:
    """Remove the schema of a record that was only restored to be looked at."""
    if stores.holds_record(folder) and isinstance(store := stores.at(folder), PostgreSQL):
        store.drop()


def _removed(folder: Path) -> None:
    # What cannot be removed now is told to whoever restores there again.
    with suppress(OSError):
        world.disk.rmtree(folder)


def _refuse_before(folder: Path, database: str) -> None:
    """What can be told before anything is read: a URL that is none, a folder that is there."""
    if database:
        pointer.checked(database)
    if not reading.is_there(folder, Message("backup.noun_folder"), error=RecordFault):
        return
    shown = reading.shown(folder)
    if stores.holds_record(folder):
        raise Refused(Message("backup.holds_record", folder=shown, aside=f"{shown}-before"))
    raise Refused(Message("backup.is_there", folder=shown))


def _heads(backup: Path, held: Manifest, known: Iterable[Head]) -> list[Head]:
    """Heads that were given, and that of the newest other backup beside this one."""
    other = manifest.newest_in(backup.absolute().parent, study=held.study, other_than=backup.absolute().name)
    return [*known, *([other[1].head] if other else [])]


def _newest(held: Manifest, heads: Iterable[Head], copies: Iterable[Path]) -> Head | None:
    """The newest head that is known here, when it is newer than the backup."""
    elsewhere = [anchor for path in copies for anchor in anchors.read(path)[0] if anchor.study == held.study]
    every = [*heads, *((anchor.seq, anchor.hash) for anchor in elsewhere), *KeyRing(held.study).pins.values()]
    newest = max(every, default=(0, ""))
    return newest if newest[0] > held.head[0] else None


def _enter(folder: Path, held: Manifest, newest: Head | None, name: str, *, actor: str, reason: str) -> int:
    """Say in the record that it was restored, before it gets its place."""
    with Study.open(folder, actor=actor) as study:
        with study.writing.begin(RESTORE) as writer:
            version = (writer.get(schema.study, id=study.id) or {})["row_version"]
            facts = {"backup": name, "utc": held.utc, "head": list(held.head), "newest": list(newest or ())}
            payload = {"new": None, "old": None, "reason": reason, "restored": facts}
            writer.log(RESTORE, "study", study.id, version=version, payload=payload)
        return study.head()[0]


def _told(
    folder: Path, name: str, held: Manifest, newest: Head | None, entry: int, found: Verification
) -> Restored:
    """What verifying found, with what is only to be taken in told apart."""
    said = [(text, getattr(text, "code", "")) for text in (*found.problems, *found.warnings)]
    waiting = [text for text, code in said if code in TO_TAKE_IN]
    names = {str(text.arguments.get("file", text.arguments.get("ledger", ""))) for text in waiting}  # type: ignore[attr-defined]
    return Restored(
        folder=folder,
        backup=name,
        utc=held.utc,
        head=held.head,
        newest=newest,
        entry=entry,
        rows=held.rows,
        n_files=len(held.files),
        problems=tuple(text for text in found.problems if text not in waiting),
        warnings=tuple(text for text in found.warnings if text not in waiting),
        to_take_in=tuple(sorted(names)),
    )
