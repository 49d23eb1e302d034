"""Back up a study while it is used: the record by SQLite's online backup, the files beside it, a manifest last.

Of a record in PostgreSQL the backup holds the rows of every table, of one snapshot, as COPY writes them.

The order makes the copy whole. Anchors are copied before the record, because a newer anchor would say that the
record's tail was cut; all else after it, because what an audit row names is on the disk before the row is. A
backup is made under a name that ends in ``.unfinished`` and gets its own when everything is on the disk.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workbench import __version__, reading, world
from workbench.errors import RecordFault, Refused, WorkbenchError
from workbench.messages import Message
from workbench.study import anchors, drafts, files, keys, manifest, migrate, record_file, stores
from workbench.study.clock import utc_now
from workbench.study.manifest import DATA, File, Manifest
from workbench.study.stores import Reader, Store
from workbench.study.stores.postgresql import PostgreSQLReader
from workbench.study.stores.sqlite import SQLite

UNFINISHED = ".unfinished"
ROWS = "record/{}.copy"
"""Name of the rows of a table of PostgreSQL in a backup."""
LOCK = ".backup.lock"
STAGES = ("anchors", "record", "drafts", "files", "manifest", "finished")
"""What is done one after another; a process may be killed in each."""
PAGES = 256
"""Pages of the record that are copied at once."""
BLOCK = 2**20
"""Bytes of a file that are copied at once."""
SYNC_BYTES = 4 * 2**20
"""After so many bytes the disk is waited for: a long queue of writes would hold up the commits of others."""
PAUSE_S = 0.005
"""Left to others after each of these, s."""
GROWS = (".xdf", ".idx", ".jsonl", ".log")
"""Ends of the names of files that are appended to."""

Progress = Callable[[str, int, int], None]
"""Called with one of :data:`STAGES`, the bytes that are done, and all of them."""
Beat = Callable[[int], None]
"""Called with bytes that were just done."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made.

    Attributes
    ----------
    folder : the backup itself.
    study, code : id and short code of the study.
    head : ``(seq, hash)`` of the newest audit row in it.
    n_files, n_bytes : what it holds.
    n_linked : files that were unchanged since the backup before and share their bytes with it.
    growing : files that were written to meanwhile; the backup holds their beginning.
    warnings : what is odd without being wrong.
    """

    folder: Path
    study: str
    code: str
    head: tuple[int, str]
    n_files: int
    n_bytes: int
    n_linked: int
    growing: tuple[str, ...]
    warnings: tuple[str, ...]

    def text(self) -> str:
        """The result in words."""
        shared = f", {self.n_linked} of them shared with the backup before" if self.n_linked else ""
        names = ", ".join(map(reading.shown, self.growing))
        growing = [f"written to meanwhile, and copied as far as they were: {names}"] if names else []
        keys_apart = (
            "the keys are not in it; 'workbench keys backup STUDY FILE' writes them to a file of their own"
        )
        return "\n".join(
            [
                f"backup: {reading.shown(self.folder)}",
                f"holds: {self.n_files} files, {self.n_bytes:,} bytes{shared}",
                *growing,
                *(f"(note) {note}" for note in (*self.warnings, keys_apart)),
                f"head: {self.head[0]} {self.head[1]}",
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """The result as plain data, for ``workbench backup --json``."""
        return {**asdict(self), "folder": str(self.folder), "head": {"seq": self.head[0], "hash": self.head[1]}}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a record says of itself: study, newest audit row, schema version, number of rows by table."""

    study: str
    code: str
    head: tuple[int, str]
    schema_version: int
    rows: Mapping[str, int]


@dataclass(slots=True)
class _Work:
    """A backup that is being made: from ``folder`` into ``out``, beside an ``earlier`` one in ``beside``."""

    folder: Path
    out: Path
    progress: Progress
    began: float
    beside: Path = Path()
    earlier: Mapping[str, File] = field(default_factory=dict)
    stage: str = STAGES[0]
    done: int = 0
    total: int = 0
    files: list[File] = field(default_factory=list)
    n_linked: int = 0
    warnings: list[str] = field(default_factory=list)

    def begin(self, stage: str) -> None:
        """The next stage; with the manifest all bytes are there."""
        self.stage = stage
        self.beat(self.total if stage == "manifest" else 0)

    def beat(self, n: int) -> None:
        """``n`` more bytes are done."""
        self.done += n
        # A file may have grown since the bytes were counted.
        self.progress(self.stage, min(self.done, self.total), self.total)


def backup(
    folder: Path | str, target: Path | str, *, progress: Progress = lambda stage, done, total: None
) -> Backup:
    """Back a study up while others use it; a session may be recording.

    Parameters
    ----------
    folder : the study folder.
    target : folder that holds backups, made if it is not there; this one becomes a folder in it, named by the UTC
        time and the number of the newest audit row. Best on another disk.
    progress : see :data:`Progress`.

    Raises
    ------
    Refused
        When the target lies inside the study, another backup is being made there, a link leads out of the study,
        or there is not enough room.
    RecordFault
        When the record or a file cannot be read, or the target not be written.
    """
    folder, target = Path(folder), Path(target)
    migrate.version_of(folder / record_file.FILE)
    try:
        _refuse_inside(folder, target)
        world.disk.mkdir(target, parents=True, exist_ok=True)
        with _alone(target) as alone:
            if alone:
                _remove_unfinished(target)
            return _made(folder, target, progress)
    # Some of our own are ValueErrors too.
    except WorkbenchError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise not_written(target, error) from error


def _made(folder: Path, target: Path, progress: Progress) -> Backup:
    utc = utc_now()
    stamp = utc.replace("-", "").replace(":", "")
    unfinished = target / f"{stamp}{UNFINISHED}"
    work = _Work(folder, unfinished / DATA, progress, began=world.clock.wall())
    with ExitStack() as undo:
        world.disk.mkdir(unfinished)
        undo.callback(_removed, unfinished)
        world.disk.mkdir(work.out)
        facts, before = _copy_study(work, target)
        work.begin("manifest")
        made = Manifest(
            facts.study,
            facts.code,
            utc,
            facts.head,
            facts.schema_version,
            __version__,
            facts.rows,
            tuple(work.files),
        )
        for inner in {(work.out / file.path).parent for file in work.files}:
            world.disk.sync_folder(inner)
        world.disk.save(unfinished / manifest.FILE, made.text().encode("ascii"))
        # Before it has its name: an error that comes later would call a whole backup a failure.
        work.warnings += _warnings(folder, unfinished, before)
        finished = target / f"{stamp}-{facts.head[0]}"
        world.disk.replace(unfinished, finished)
        undo.pop_all()
    world.disk.sync_folder(target)
    work.begin("finished")
    return Backup(
        folder=finished,
        study=facts.study,
        code=facts.code,
        head=facts.head,
        n_files=len(made.files),
        n_bytes=made.n_bytes,
        n_linked=work.n_linked,
        growing=tuple(file.path for file in made.files if file.growing),
        warnings=tuple(work.warnings),
    )


def _copy_study(work: _Work, target: Path) -> tuple[Facts, tuple[str, Manifest] | None]:
    """Everything in its order; what the copied record says, and the backup before this one."""
    listed = _listed(work.folder)
    store = stores.at(work.folder)
    with _read(store) as reader:
        study = next(iter(reader.rows("SELECT id FROM study")), None)
        before = manifest.newest_in(target, study=str(study["id"]) if study else "")
        on_server = reader.size() if isinstance(reader, PostgreSQLReader) else 0
    if before:
        work.beside, work.earlier = target / before[0] / DATA, {file.path: file for file in before[1].files}
    _refuse_full(work, listed, target, on_server)
    work.begin("anchors")
    if anchors.FILE in listed:
        _take(work, anchors.FILE)
    work.begin("record")
    # Opened again: the snapshot must be younger than the anchors.
    facts = _take_record(work, store)
    work.begin("drafts")
    if (work.folder / drafts.FILE).exists():
        _take_drafts(work)
    work.begin("files")
    taken = {file.path for file in work.files}
    # Looked through again until nothing is new: a recording may have been moved after it was listed.
    while left := [name for name in listed if name not in taken]:
        for name in left:
            _take(work, name)
        taken |= set(left)
        listed = _listed(work.folder)
    return facts, before


def _warnings(folder: Path, made: Path, before: tuple[str, Manifest] | None) -> Iterator[str]:
    if folder.stat().st_dev == made.stat().st_dev:
        yield Message("backup.same_disk", target=reading.shown(made.parent))
    if before is None:
        return
    name, (seq, digest) = before[0], before[1].head
    if _hash_at(stores.at(folder), made / DATA / record_file.FILE, seq) != digest:
        yield Message("backup.rolled_back", name=name, seq=seq)


# ------------------------------------------------------------------------------------ the target
def _refuse_inside(folder: Path, target: Path) -> None:
    if target.resolve().is_relative_to(folder.resolve()):
        raise Refused(Message("backup.inside_study", target=reading.shown(target), folder=reading.shown(folder)))


@contextmanager
def _alone(target: Path) -> Iterator[bool]:
    """Keep other backups out of a folder; False where its file system has no locks."""
    handle = world.disk.descriptor(target / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        try:
            world.disk.lock(handle)
            alone = True
        except BlockingIOError as error:
            raise Refused(Message("backup.another", target=reading.shown(target))) from error
        except OSError:
            alone = False
        yield alone
    finally:
        world.disk.close(handle)


def _remove_unfinished(target: Path) -> None:
    """What backups left that were killed."""
    for path in target.glob(f"*{UNFINISHED}"):
        if manifest.NAME.fullmatch(f"{path.name.removesuffix(UNFINISHED)}-0"):
            world.disk.rmtree(path)


def _removed(folder: Path) -> None:
    # What cannot be removed now is recognised by its name and removed by the next backup.
    with suppress(OSError):
        world.disk.rmtree(folder)


def _refuse_full(work: _Work, listed: list[str], target: Path, on_server: int) -> None:
    """Count what is to be done, and refuse what has no room."""
    sizes = {name: _status(work.folder / name) for name in listed}
    databases = (record_file.FILE, f"{record_file.FILE}-wal", drafts.FILE)
    room = on_server + sum(found.st_size for name in databases if (found := _status(work.folder / name)))
    work.total = room + sum(found.st_size for found in sizes.values() if found)
    changed = [f for name, f in sizes.items() if f and not _is_unchanged(work.earlier.get(name), f)]
    needed = room + sum(found.st_size for found in changed)
    free = world.disk.free(target)
    if free < needed:
        raise Refused(
            Message("backup.no_room", target=reading.shown(target), needed=f"{needed:,}", free=f"{free:,}")
        )


def not_written(target: Path, error: Exception) -> RecordFault:
    """The system's words about a folder that cannot be written.

    Parameters
    ----------
    target : the folder.
    error : what was raised.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RecordFault(Message("backup.full", target=reading.shown(target)))
    why = reading.why(error) if isinstance(error, OSError | ValueError) else str(error)
    return RecordFault(Message("backup.not_written", target=reading.shown(target), why=why))


# ------------------------------------------------------------------------------------ the files
def _listed(folder: Path) -> list[str]:
    """The files of a study that belong into a backup, databases aside, the index of a recording before it."""

    def refuse(error: OSError) -> None:
        # A folder that went away meanwhile holds nothing; one that may not be read holds something.
        if not isinstance(error, FileNotFoundError):
            raise _unreadable(Path(str(error.filename)), error) from error

    root, secret, found = folder.resolve(), keys.key_folder().resolve(), []
    databases = _files_of_databases(folder)
    for above, folders, names in os.walk(root, onerror=refuse):
        here = Path(above)
        folders[:] = [name for name in folders if (here / name).resolve() != secret]
        for name in (*folders, *names):
            relative = (here / name).relative_to(root).as_posix()
            if (here / name).is_symlink():
                _refuse_leading_out(here / name, root, relative)
            status = _status(here / name) if name in names and manifest.is_taken(relative) else None
            if status is None or relative in (record_file.FILE, drafts.FILE):
                continue
            if (status.st_dev, status.st_ino) in databases:
                raise _link_refused(relative, root)
            found.append(relative)
    # An index that names less than its recording holds is what a crash leaves; one that names more is damage.
    return sorted(found, key=lambda name: (not name.endswith(".idx"), name))


def _refuse_leading_out(path: Path, root: Path, relative: str) -> None:
    try:
        inside = path.resolve(strict=True).is_relative_to(root) and path.is_file()
    except (OSError, RuntimeError):
        inside = False
    if not inside:
        raise _link_refused(relative, root)


def _link_refused(relative: str, root: Path) -> Refused:
    return Refused(Message("backup.link", path=reading.shown(relative), folder=reading.shown(root)))


def _files_of_databases(folder: Path) -> set[tuple[int, int]]:
    """Device and inode of what only SQLite may open, by whatever name.

    Whoever closes a file gives up every lock that this process holds on it, SQLite's own among them
    (sqlite.org/howtocorrupt.html, 2.2).
    """
    names = [
        f"{name}{end}" for name in (record_file.FILE, drafts.FILE) for end in ("", "-wal", "-shm", "-journal")
    ]
    return {(found.st_dev, found.st_ino) for name in names if (found := _status(folder / name))}


def _status(path: Path) -> os.stat_result | None:
    """Of a regular file; None for one that has gone, and for a socket or device."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    return found if stat.S_ISREG(found.st_mode) else None


def _unreadable(path: Path, error: OSError) -> RecordFault:
    return RecordFault(Message("backup.unreadable", path=reading.shown(path), why=reading.why(error)))


def _take(work: _Work, name: str) -> None:
    """One file, as far as it is written; none when it has gone."""
    source, target = work.folder / name, work.out / name
    before = _status(source)
    if before is None:
        return
    world.disk.mkdir(target.parent, parents=True, exist_ok=True)
    earlier = work.earlier.get(name)
    if earlier and _is_unchanged(earlier, before) and _linked(work, earlier, target):
        work.n_linked += 1
        work.files.append(earlier)
        return
    try:
        n, sha256 = copied(source, target, work.beat)
    except RecordFault:
        if _status(source):
            raise
        world.disk.unlink(target, missing_ok=True)
        return
    world.disk.set_modified(target, before.st_mtime_ns)
    work.files.append(File(name, n, sha256, before.st_mtime_ns, growing=_grew(work, source, before)))


def _grew(work: _Work, source: Path, before: os.stat_result) -> bool:
    """Whether a file that is appended to was written to while the backup was made."""
    if not source.name.endswith(GROWS):
        return False
    now = _status(source) or before
    recent = now.st_mtime >= work.began - files.FRESH_S
    return recent or now.st_size != before.st_size or (source.suffix == ".xdf" and files.is_growing(source))


def _is_unchanged(earlier: File | None, now: os.stat_result) -> bool:
    if earlier is None or earlier.growing:
        return False
    return (earlier.bytes, earlier.mtime_ns) == (now.st_size, now.st_mtime_ns)


def _linked(work: _Work, earlier: File, target: Path) -> bool:
    """Whether a file could share its bytes with the backup before, which must still hold them."""
    beside = work.beside / earlier.path
    try:
        if hashed(work.folder / earlier.path, work.beat) != earlier.sha256:
            return False
        # Bits that rotted in the earlier backup must not go on into this one.
        if hashed(beside, lambda _: None) != earlier.sha256:
            return False
        world.disk.link(beside, target)
    except (RecordFault, OSError):
        return False
    return True


def copied(source: Path, target: Path, beat: Beat) -> tuple[int, str]:
    """Copy a file as far as it reaches now, and wait for the disk: its bytes and their SHA-256.

    Parameters
    ----------
    source : a regular file.
    target : must not be there.
    beat : called after each block.

    Raises
    ------
    RecordFault
        When the source cannot be read.
    OSError
        When the target cannot be written.
    """
    digest, n, synced = hashlib.sha256(), 0, 0
    handle = world.disk.descriptor(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for block in reading.blocks(source, Message("file.noun_file"), BLOCK, error=RecordFault):
            world.disk.write_all(handle, block)
            digest.update(block)
            n += len(block)
            if n - synced >= SYNC_BYTES:
                world.disk.sync(handle)
                world.clock.sleep(PAUSE_S)
                synced = n
            beat(len(block))
        world.disk.sync(handle)
    finally:
        world.disk.close(handle)
    return n, digest.hexdigest()


def hashed(path: Path, beat: Beat) -> str:
    """SHA-256 of a regular file.

    Parameters
    ----------
    path : of the file.
    beat : called after each block.

    Raises
    ------
    RecordFault
        When it cannot be read.
    """
    digest = hashlib.sha256()
    for block in reading.blocks(path, Message("file.noun_file"), BLOCK, error=RecordFault):
        digest.update(block)
        beat(len(block))
    return digest.hexdigest()


# ------------------------------------------------------------------------------------ the databases
@contextmanager
def _snapshot_of(path: Path) -> Iterator[sqlite3.Connection]:
    """The record as it is now, however long it is read and whatever is written meanwhile.

    Without the transaction SQLite would begin the copy again after every commit of another process. Readers of a
    write-ahead log hold up no writer (sqlite.org/wal.html, 2.2).
    """
    try:
        with closing(record_file.read_only(path)) as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            yield connection
    except sqlite3.Error as error:
        raise record_file.explain(error, path) from error


def _hash_at(store: Store, copy: Path, seq: int) -> str:
    """Hash of an entry in a copied file, or on the server from which the rows came; ``""`` where there is none."""
    query = f"SELECT hash FROM audit WHERE seq = {seq:d}"
    if isinstance(store, SQLite):
        with _immutable(copy) as connection:
            row = connection.execute(query).fetchone()
            return str(row[0]) if row else ""
    with _read(store) as reader:
        return "".join(str(row["hash"]) for row in reader.rows(query))


@contextmanager
def _read(store: Store) -> Iterator[Reader]:
    """One state of a record of either kind."""
    errors: tuple[type[Exception], ...] = store.errors
    try:
        with store.reader() as reader:
            yield reader
    except errors as error:
        raise store.explain(error) from error


def _take_record(work: _Work, store: Store) -> Facts:
    if isinstance(store, SQLite):
        with _snapshot_of(store.path) as source:
            _take_database(work, record_file.FILE, source)
        return facts_of(work.out / record_file.FILE)
    with _read(store) as reader:
        assert isinstance(reader, PostgreSQLReader)
        for name in reader.tables():
            _take_rows(work, ROWS.format(name), reader.copy(name))
        return facts_in(reader)


def _take_rows(work: _Work, name: str, blocks: Iterable[bytes]) -> None:
    """The rows of a table, as the server sends them."""
    target, digest, n = work.out / name, hashlib.sha256(), 0
    world.disk.mkdir(target.parent, parents=True, exist_ok=True)
    handle = world.disk.descriptor(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for block in blocks:
            world.disk.write_all(handle, block)
            digest.update(block)
            n += len(block)
            work.beat(len(block))
        world.disk.sync(handle)
    finally:
        world.disk.close(handle)
    now = world.clock.wall_ns()
    world.disk.set_modified(target, now)
    work.files.append(File(name, n, digest.hexdigest(), now, growing=False))


def _take_database(work: _Work, name: str, source: sqlite3.Connection) -> None:
    target = work.out / name
    now = (work.folder / name).stat()
    size = int(source.execute("PRAGMA page_size").fetchone()[0])
    world.disk.touch(target, exist_ok=False)
    handle = world.disk.descriptor(target, os.O_RDWR)
    left = -1

    def paused(_status: int, remaining: int, total: int) -> None:
        nonlocal left
        world.disk.sync(handle)
        world.clock.sleep(PAUSE_S)
        work.beat(size * ((total if left < 0 else left) - remaining))
        left = remaining

    try:
        # Nobody else knows the file yet: without locks, which a share may lack, and without a journal, because a
        # copy that is not whole is thrown away.
        with closing(world.disk.database(f"{target.resolve().as_uri()}?nolock=1", uri=True)) as connection:
            connection.execute("PRAGMA journal_mode=OFF")
            connection.execute("PRAGMA synchronous=OFF")
            source.backup(connection, pages=PAGES, progress=paused)
        world.disk.sync(handle)
    except sqlite3.Error as error:
        if "full" in str(error):
            raise OSError(errno.ENOSPC, str(error)) from error
        raise
    finally:
        world.disk.close(handle)
    sha256 = hashed(target, lambda _: None)
    world.disk.set_modified(target, now.st_mtime_ns)
    work.files.append(File(name, target.stat().st_size, sha256, now.st_mtime_ns, growing=False))


def _take_drafts(work: _Work) -> None:
    """What was typed and is no part of the record yet; a damaged file is left out, as only SQLite may open it."""
    path = work.folder / drafts.FILE
    try:
        with closing(record_file.read_only(path)) as source:
            if _is_damaged(source):
                work.warnings.append(Message("backup.drafts_damaged", path=reading.shown(path)))
            else:
                _take_database(work, drafts.FILE, source)
    except sqlite3.Error as error:
        raise record_file.explain(error, path) from error


def _is_damaged(source: sqlite3.Connection) -> bool:
    try:
        source.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return True
    return False


@contextmanager
def _immutable(path: Path) -> Iterator[sqlite3.Connection]:
    """A record that nobody writes, without locks or a log beside it."""
    try:
        uri = f"{path.resolve().as_uri()}?immutable=1"
        with closing(world.disk.database(uri, uri=True, isolation_level=None)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise record_file.explain(error, path) from error


def facts_of(path: Path) -> Facts:
    """What a copied record says of itself.

    Parameters
    ----------
    path : of the record; nobody may write it.

    Raises
    ------
    RecordFault
        When it cannot be read.
    """
    with _immutable(path) as connection:
        study = connection.execute("SELECT id, code FROM study").fetchone()
        head = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        if study is None or head is None:
            raise RecordFault(Message("study.half_created", path=str(path)))
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        names = [name for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        )]  # fmt: skip
        rows = {
            str(name): int(connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]) for name in names
        }
    return Facts(str(study[0]), str(study[1]), (int(head[0]), str(head[1])), version, rows)


def facts_in(reader: Reader) -> Facts:
    """What a record says of itself, as :func:`facts_of` has it.

    Parameters
    ----------
    reader : of the record.

    Raises
    ------
    RecordFault
        When it has no study.
    """
    study = next(iter(reader.rows("SELECT id, code FROM study")), None)
    head = next(iter(reader.rows("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")), None)
    if study is None or head is None:
        raise RecordFault(Message("study.half_created", path=str(reader.path)))
    rows = {
        name: int(next(iter(reader.rows(f'SELECT COUNT(*) AS n FROM "{name}"')))["n"]) for name in reader.tables()
    }
    return Facts(study["id"], study["code"], (int(head["seq"]), head["hash"]), reader.version(), rows)
