"""Where the engine's own files are, and who runs: folder, key, lock, heartbeat.

The lock names process, boot and start time, so that a lock left by a killed engine or by an earlier boot is
told from one that is held; a stale lock is explained, never silently taken.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import reading, world
from workbench.errors import BadValue, EngineFault
from workbench.messages import Message, restored

HEARTBEAT_S = 0.25
"""Time between two heartbeats, s."""

SILENT_S = 15.0
"""A heartbeat older than this, where the process cannot be looked up, means that the engine is dead, s."""

TURN_S = 0.05
"""Time between two looks whether somebody else has done a work of the study, s."""

MAX_SOCKET_PATH = 100
LARGEST = 16 * 2**20
"""Bytes of the largest file of the engine's that is read."""


@dataclass(frozen=True)
class EngineFolder:
    """The engine's folder inside a study."""

    study: Path

    @property
    def path(self) -> Path:
        """``STUDY/engine``, mode 0700."""
        return self.study / "engine"

    @property
    def lock(self) -> Path:
        """Who runs."""
        return self.path / "lock.json"

    @property
    def log(self) -> Path:
        """The engine's log."""
        return self.path / "engine.log"

    @property
    def display(self) -> Path:
        """Signals for the screen, a memory-mapped file."""
        return self.path / "live.bin"

    @property
    def key(self) -> Path:
        """The session's key, mode 0600."""
        return self.path / "key"

    @property
    def plan(self) -> Path:
        """The session plan."""
        return self.path / "plan.json"

    @property
    def outcome(self) -> Path:
        """How the last engine ended."""
        return self.path / "outcome.json"

    @property
    def stop(self) -> Path:
        """A STOP that needs no door: the engine takes it and removes it."""
        return self.path / "stop.json"

    @property
    def alarms(self) -> Path:
        """The journal of the alarms, which outlives the engine."""
        return self.path / "alarms.jsonl"

    @property
    def heartbeat(self) -> Path:
        """Touched every :data:`HEARTBEAT_S`."""
        return self.path / "heartbeat"

    @property
    def recordings(self) -> Path:
        """``STUDY/recordings``."""
        return self.study / "recordings"

    @property
    def decoders(self) -> Path:
        """``STUDY/decoders``."""
        return self.study / "decoders"

    def prepare(self) -> None:
        """Create the folders; :class:`EngineFault` when the study folder cannot be written."""
        if not self.study.is_dir():
            raise EngineFault(Message("live.no_folder", folder=str(self.study)))
        try:
            for folder in (self.path, self.recordings, self.decoders):
                world.disk.mkdir(folder, exist_ok=True)
            world.disk.chmod(self.path, 0o700)
            probe = self.recordings / f".probe-{world.computer.pid()}-{world.chance.token_hex(4)}"
            world.disk.touch(probe, 0o666)
            world.disk.unlink(probe)
        except OSError as error:
            sentence = Message("live.folder_not_writable", folder=str(self.study), why=str(error.strerror))
            raise EngineFault(sentence) from error


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object with its messages, or None when the file is absent or holds none."""
    try:
        what = Message("file.noun_file")
        content = restored(reading.parse_json(reading.read_bytes(path, what, largest=LARGEST), what))
    except BadValue:
        return None
    return content if isinstance(content, dict) else None


def new_key(engine_folder: EngineFolder) -> bytes:
    """A fresh 32-byte key for this session, mode 0600."""
    key = world.chance.token_bytes(32)
    world.disk.save(engine_folder.key, key.hex().encode("ascii"))
    return key


def read_key(engine_folder: EngineFolder) -> bytes:
    """The session's key; :class:`EngineFault` when this account may not read it."""
    try:
        return bytes.fromhex(engine_folder.key.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise EngineFault(Message("live.key_unreadable", why=str(error))) from error


def socket_folder() -> Path:
    """A folder of this account alone, mode 0700, on a short path."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    root = world.disk.temporary_root()
    # The path of a socket is limited to about 100 bytes (sun_path, unix(7)).
    if len(str(root)) > 50 and Path("/tmp").is_dir():
        root = Path("/tmp")
    folder = root / f"workbench-{user}"
    world.disk.mkdir(folder, exist_ok=True)
    # `lstat` and the owner: the folder above is open to all, and a link put there by another account is not
    # followed.
    seen = folder.lstat()
    if hasattr(os, "getuid") and (seen.st_uid != os.getuid() or seen.st_mode & 0o077 or not folder.is_dir()):
        mode = f"{seen.st_mode & 0o777:o}"
        raise EngineFault(Message("live.folder_shared", folder=str(folder), owner=seen.st_uid, mode=mode))
    return folder


def socket_path(study: Path, session_id: str) -> Path:
    """Path of the ipc socket of a session, at most :data:`MAX_SOCKET_PATH` characters."""
    name = hashlib.sha256(f"{study}\n{session_id}".encode()).hexdigest()[:16]
    path = socket_folder() / f"{name}.sock"
    if len(str(path)) > MAX_SOCKET_PATH:
        raise EngineFault(Message("live.socket_path", path=str(path), most=MAX_SOCKET_PATH))
    return path


# ------------------------------------------------------------------------------------------- who runs
def identity() -> dict[str, Any]:
    """This process, as the lock names it."""
    computer = world.computer
    pid = computer.pid()
    start = computer.start_time(pid)
    return {"pid": pid, "boot": world.clock.boot_id(), "start": start, "host": computer.name()}


def stale(engine_folder: EngineFolder, lock: dict[str, Any]) -> Message | None:
    """Why a lock is stale, None when its engine runs."""
    pid = lock.get("pid", 0)
    if not isinstance(pid, int) or isinstance(pid, bool) or not 0 < pid < 2**31:
        return Message("lock.no_process", got=f"{pid!r:.40}")
    # The process table of another computer cannot be read; what is left is the age of the heartbeat.
    if lock.get("host") != world.computer.name():
        age = heartbeat_age(engine_folder)
        if age is not None and age < SILENT_S:
            return None
        return Message("lock.silent_elsewhere", host=str(lock.get("host")), age=_age_text(age))
    if lock.get("boot") != world.clock.boot_id():
        return Message("lock.restarted")
    started = world.computer.start_time(pid)
    if started == "":
        return Message("lock.process_gone", pid=pid)
    # Process ids are used again; the start time tells two of them apart.
    if started != "?" and started != lock.get("start"):
        return Message("lock.other_program", pid=pid)
    age = heartbeat_age(engine_folder)
    if started == "?" and (age is None or age > SILENT_S):
        return Message("lock.silent", age=_age_text(age))
    return None


def heartbeat_age(engine_folder: EngineFolder) -> float | None:
    """Seconds since the last heartbeat, None when there is none."""
    try:
        return max(0.0, world.clock.wall() - engine_folder.heartbeat.stat().st_mtime)
    except OSError:
        return None


def _age_text(age: float | None) -> Message:
    return Message("lock.unknown_time") if age is None else Message("amount.s", n=f"{age:.0f}")


@contextmanager
def in_turn(
    engine_folder: EngineFolder, work: str, *, while_waiting: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Do a work of the study while nobody else does it, in this process or another.

    Parameters
    ----------
    engine_folder : of the study; made if it is not there.
    work : its name; works of different names do not wait for one another.
    while_waiting : called every :data:`TURN_S` as long as somebody else has the turn.
    """
    world.disk.mkdir(engine_folder.path, exist_ok=True)
    descriptor = world.disk.descriptor(engine_folder.path / work, os.O_RDWR | os.O_CREAT)
    try:
        # Asked again and again instead of waited for, so that a page can say that it is waiting. Who dies gives
        # the turn back: the system releases the lock with the process.
        while not _locked(descriptor):
            while_waiting()
            world.clock.sleep(TURN_S)
        yield
    finally:
        world.disk.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        world.disk.lock(descriptor)
    except BlockingIOError:
        return False
    return True


def take_lock(engine_folder: EngineFolder, content: dict[str, Any]) -> str:
    """Take the lock for this process.

    Returns
    -------
    str
        Sentence about a stale lock that was set aside, ``""`` when there was none.

    Raises
    ------
    EngineFault
        When another engine of this study runs.
    """
    with in_turn(engine_folder, "guard"):
        lock, sentence = read_json(engine_folder.lock), ""
        if lock is not None:
            reason = stale(engine_folder, lock)
            if not reason:
                raise EngineFault(
                    Message("lock.taken", pid=str(lock.get("pid")), session=str(lock.get("session_id")))
                )
            sentence = Message("lock.set_aside", session=str(lock.get("session_id")), why=reason)
        world.disk.save(engine_folder.lock, json.dumps({**identity(), **content}).encode())
        world.disk.touch(engine_folder.heartbeat)
        return sentence


def update_lock(engine_folder: EngineFolder, content: dict[str, Any]) -> None:
    """Add entries to this process's own lock."""
    world.disk.save(engine_folder.lock, json.dumps({**(read_json(engine_folder.lock) or {}), **content}).encode())


def release_lock(engine_folder: EngineFolder) -> None:
    """Remove the lock if it is this process's own."""
    with in_turn(engine_folder, "guard"):
        lock = read_json(engine_folder.lock)
        if lock is not None and lock.get("pid") == world.computer.pid():
            world.disk.unlink(engine_folder.lock, missing_ok=True)


def running(engine_folder: EngineFolder) -> dict[str, Any] | None:
    """The lock of a running engine, None when none runs."""
    lock = read_json(engine_folder.lock)
    return None if lock is None or stale(engine_folder, lock) else lock


def end_stale(study_folder: Path | str) -> str:
    """Say what a stale lock of a study means, ``""`` when there is none. The next start sets it aside."""
    engine_folder = EngineFolder(Path(study_folder))
    lock = read_json(engine_folder.lock)
    if lock is None or not (reason := stale(engine_folder, lock)):
        return ""
    return Message("lock.not_running", session=str(lock.get("session_id")), why=reason)


def last_words(engine_folder: EngineFolder) -> str:
    """How the last engine of a study ended, one sentence; ``""`` when nothing is known."""
    outcome = read_json(engine_folder.outcome) or {}
    why = outcome.get("sentence")
    return end_stale(engine_folder.study) or (
        Message("live.last_ended", why=why) if isinstance(why, str) and why else ""
    )
