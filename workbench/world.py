"""The five doors to the world: time, chance, disk, network, computer.

Engine, control, devices, recording, study, runs and the live wire read no clock, draw no number, write no file,
open no socket and start no process but through ``world.clock``, ``world.chance``, ``world.disk``,
``world.network`` and ``world.computer``; the architecture test reads the tree for other ways. So the same code
runs under a virtual world: :func:`entered` hands in other doors of the same shape. Files are read directly,
because a virtual disk is a folder in which what was written lies.

Always call ``world.clock.monotonic()``: a door imported under its own name would stay the real one.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import mmap
import os
import queue
import secrets
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from io import FileIO
from math import inf
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np
import psutil

if TYPE_CHECKING:
    import psycopg
    import zmq


BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock:
    """Time, and everything that waits for it."""

    def boot_id(self) -> str:
        """Id of the running boot, within which monotonic times compare; ``""`` where the system has none."""
        return _text_of(BOOT_ID)

    def monotonic(self) -> float:
        """Seconds since some moment; never steps, stands still while the computer sleeps (on Linux)."""
        return time.monotonic()

    def monotonic_ns(self) -> int:
        """Like :meth:`monotonic`, in ns."""
        return time.monotonic_ns()

    def boottime(self) -> float:
        """Seconds since the computer started, including sleep where the system counts it."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970, UTC; may step."""
        return time.time()

    def wall_ns(self) -> int:
        """Like :meth:`wall`, in ns."""
        return time.time_ns()

    def now(self) -> datetime:
        """The date and time in UTC, aware of its zone."""
        return datetime.now(UTC)

    def local(self) -> datetime:
        """The date and time on this computer's clock, aware of its zone."""
        return datetime.now().astimezone()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def until(self, condition: Callable[[], object], seconds: float) -> bool:
        """Wait for a condition; False when it was not true within that many seconds."""
        end = self.monotonic() + seconds
        while not condition():
            if self.monotonic() > end:
                return False
            self.sleep(0.02)
        return True

    def lock(self) -> threading.Lock:
        """A lock; who holds one may wait for time, as on a disk that hangs."""
        return threading.Lock()

    def rlock(self) -> threading.RLock:
        """A lock that its holder may take again."""
        return threading.RLock()

    def event(self) -> threading.Event:
        """An event that one waits for with a time limit."""
        return threading.Event()

    def condition(self, lock: Any = None) -> threading.Condition:
        """A condition, on ``lock`` if there is one."""
        return threading.Condition(lock)

    def simple_queue(self) -> queue.SimpleQueue[Any]:
        """A queue without limit; putting never waits, not even inside a signal handler."""
        return queue.SimpleQueue()

    def queue(self, maxsize: int = 0) -> queue.Queue[Any]:
        """A queue between threads."""
        return queue.Queue(maxsize)

    def thread(self, body: Callable[[], object], *, name: str, daemon: bool = True) -> threading.Thread:
        """A thread, not started.

        Parameters
        ----------
        body : what it does.
        name : of the thread.
        daemon : the process may end while it runs.
        """
        return threading.Thread(target=body, name=name, daemon=daemon)

    def current_thread(self) -> threading.Thread:
        """The thread that asks."""
        return threading.current_thread()

    def threads(self) -> list[threading.Thread]:
        """The threads of this process that run."""
        return threading.enumerate()


class Chance:
    """Numbers that nobody can foretell, and those that a seed foretells."""

    def token_bytes(self, n: int) -> bytes:
        """``n`` random bytes, fit for keys."""
        return secrets.token_bytes(n)

    def token_hex(self, n: int) -> str:
        """``n`` random bytes as ``2 n`` hexadecimal digits."""
        return secrets.token_hex(n)

    def randbits(self, k: int) -> int:
        """A non-negative integer of ``k`` random bits."""
        return secrets.randbits(k)

    def choice(self, values: str) -> str:
        """One character of a text."""
        return secrets.choice(values)

    def generator(self, seed: int | Sequence[int] | None = None) -> np.random.Generator:
        """A generator (PCG64); the same seed (an integer or several) gives the same numbers, None draws one."""
        return np.random.Generator(np.random.PCG64(secrets.randbits(128) if seed is None else seed))


class Disk:
    """Everything that changes a file or a folder. All methods raise OSError when the disk refuses."""

    def open(self, path: Path | str, mode: str = "wb", **more: Any) -> IO[Any]:
        """A file to write; ``mode`` and the rest as :func:`open` takes them."""
        return open(path, mode, **more)

    def descriptor(self, path: Path | str, flags: int, mode: int = 0o600) -> int:
        """A descriptor of a file.

        Parameters
        ----------
        path : of the file.
        flags : as :func:`os.open` takes them; ``os.O_RDONLY`` where it is locked, synced or mapped, never changed.
        mode : of a file that is made.
        """
        return os.open(path, flags | getattr(os, "O_BINARY", 0), mode)

    def file(self, descriptor: int, mode: str = "wb", **more: Any) -> IO[Any]:
        """The file of a descriptor, which it closes."""
        return os.fdopen(descriptor, mode, **more)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write at the place of the descriptor; how many bytes were taken."""
        return os.write(descriptor, data)

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        """Write at another place.

        Parameters
        ----------
        descriptor : of a file that is not open for appending.
        data : bytes.
        offset : where, in bytes from the start of the file.

        Returns
        -------
        int
            How many bytes were taken.
        """
        if hasattr(os, "pwrite"):
            return os.pwrite(descriptor, data, offset)
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, data)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut or lengthen to ``size`` bytes."""
        os.ftruncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """Return when what was written survives a power cut."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close; a lock on it ends."""
        os.close(descriptor)

    def lock(self, descriptor: int, *, wait: bool = False, shared: bool = False) -> None:
        """Lock the whole file against other descriptors that ask for a lock, until it is closed.

        Parameters
        ----------
        descriptor : of the file.
        wait : wait until the lock is released; else raise.
        shared : together with others that share it.

        Raises
        ------
        BlockingIOError
            Where another holds it.
        """
        if sys.platform == "win32":
            _lock_on_windows(descriptor, wait=wait, shared=shared)
            return
        import fcntl

        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))

    def shared_memory(self, descriptor: int, size: int = 0, *, read_only: bool = False) -> mmap.mmap:
        """The file as memory that other processes see.

        Parameters
        ----------
        descriptor : of the file.
        size : bytes; 0 is the whole file.
        read_only : whoever writes there gets a TypeError.

        Raises
        ------
        ValueError
            When the file is empty.
        """
        return mmap.mmap(descriptor, size, access=mmap.ACCESS_READ if read_only else mmap.ACCESS_DEFAULT)

    def write_all(self, descriptor: int, data: bytes) -> None:
        """One :meth:`write`; more only when the system took a part."""
        done = self.write(descriptor, data)
        # A full disk or a signal may take only a part.
        while done < len(data):
            done += self.write(descriptor, data[done:])

    def save(self, path: Path, data: bytes, *, keep: bool = False, mode: int = 0o600) -> None:
        """Make or replace a file in one step: it is there whole, or as it was, also after a power cut.

        It is written under another name, synced and renamed, and its entry in the folder is synced: when this
        returns, what was saved may be cut off elsewhere. Two processes that save at once do not meet.

        Parameters
        ----------
        path : of the file.
        data : its content.
        keep : a file that is there already stays as it is.
        mode : who may read and write it; by default its owner alone.

        Raises
        ------
        OSError
            When the disk refuses, and for a device, a pipe or a socket: a rename would take its place.
        """
        _refuse_special(path)
        # In the same folder, because a rename is one step only within a file system.
        part = path.with_name(f"{path.name}.{os.getpid()}-{chance.token_hex(4)}.part")
        try:
            descriptor = self.descriptor(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            try:
                self.write_all(descriptor, data)
                self.sync(descriptor)
            finally:
                self.close(descriptor)
            if keep:
                with contextlib.suppress(FileExistsError):
                    self.link(part, path)
            else:
                self.replace(part, path)
        finally:
            self.unlink(part, missing_ok=True)
        # The rename itself is an entry of the folder, which a power cut may lose as well (fsync(2)).
        self.sync_folder(path.parent)

    def sync_folder(self, folder: Path) -> None:
        """Make the entry of a new or renamed file in its folder survive a power cut (POSIX)."""
        if sys.platform == "win32":
            return
        # A folder can be synced through a descriptor that only reads it; Windows has no such thing.
        descriptor = self.descriptor(folder, os.O_RDONLY)
        try:
            self.sync(descriptor)
        finally:
            self.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename in one step; what lay at ``target`` is gone."""
        os.replace(source, target)

    def link(self, source: Path, target: Path) -> None:
        """A second name; raises FileExistsError where ``target`` is there."""
        os.link(source, target)

    def unlink(self, path: Path, *, missing_ok: bool = False) -> None:
        """Remove a file."""
        path.unlink(missing_ok=missing_ok)

    def mkdir(self, path: Path, *, mode: int = 0o700, parents: bool = False, exist_ok: bool = False) -> None:
        """Make a folder.

        Parameters
        ----------
        path : of the folder.
        mode : who may enter it.
        parents : make those above it too.
        exist_ok : a folder that is there stays as it is.
        """
        path.mkdir(mode, parents=parents, exist_ok=exist_ok)

    def rmtree(self, path: Path) -> None:
        """Remove a folder with everything in it."""
        shutil.rmtree(path)

    def touch(self, path: Path, mode: int = 0o600, *, exist_ok: bool = True) -> None:
        """Make an empty file, or renew the time of one that is there.

        Parameters
        ----------
        path : of the file.
        mode : who may read and write a new one.
        exist_ok : one that is there keeps its content; else FileExistsError.
        """
        path.touch(mode, exist_ok=exist_ok)

    def chmod(self, path: Path, mode: int) -> None:
        """Set who may read and write."""
        path.chmod(mode)

    def set_modified(self, path: Path, ns: int) -> None:
        """Set when a file was last changed, ns since 1970."""
        os.utime(path, ns=(ns, ns))

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file's content, with who may read it and its times."""
        shutil.copy2(source, target)

    def free(self, folder: Path | str) -> int:
        """Bytes that may still be written."""
        return shutil.disk_usage(folder).free

    def temporary_root(self) -> Path:
        """Where the system keeps files for a short time."""
        return Path(tempfile.gettempdir())

    def temporary(self, prefix: str, folder: Path | None = None) -> Path:
        """A new temporary folder for its owner alone, in ``folder`` or where the system keeps such folders."""
        return Path(tempfile.mkdtemp(prefix=prefix, dir=folder))

    def database(self, path: Path | str, **more: Any) -> sqlite3.Connection:
        """A connection to a SQLite file; the rest as :func:`sqlite3.connect` takes it."""
        connection: sqlite3.Connection = sqlite3.connect(path, **more)
        return connection


class Network:
    """Sockets of this computer's own processes, and a database elsewhere. LSL has its door in ``devices``."""

    def database(self, url: str, **more: Any) -> psycopg.Connection[Any]:
        """A connection to a PostgreSQL database; the rest as :func:`psycopg.connect` takes it."""
        import psycopg  # an optional package

        return psycopg.connect(url, **more)

    def listen(self, address: Path | int, *, mode: int = 0o660, backlog: int = 128) -> socket.socket:
        """A socket on which processes of this computer are heard.

        Parameters
        ----------
        address : path of a Unix socket, which must not exist, or a port of the loopback address (0: any free one).
        mode : of a Unix socket: who may connect.
        backlog : connections that may wait to be taken.

        Raises
        ------
        OSError
            When it is taken, or the path is too long.
        """
        if isinstance(address, int):
            heard = socket.create_server(("127.0.0.1", address), backlog=backlog)
        else:
            heard = _unix_socket()
            try:
                heard.bind(str(address))
                # Before anybody can be heard: between the two nobody else gets in.
                address.chmod(mode)
                heard.listen(backlog)
            except OSError:
                heard.close()
                raise
        heard.settimeout(0.0)
        return heard

    def connect(self, address: Path | int, timeout_s: float) -> socket.socket:
        """A connection to such a socket. Raises OSError.

        Parameters
        ----------
        address : path of a Unix socket or a port of the loopback address.
        timeout_s : of connecting and of every later send and receive, s.
        """
        if isinstance(address, int):
            return socket.create_connection(("127.0.0.1", address), timeout=timeout_s)
        made = _unix_socket()
        try:
            made.settimeout(timeout_s)
            made.connect(str(address))
        except OSError:
            made.close()
            raise
        return made

    def account_of(self, connection: Any) -> int | None:
        """Number of the account whose process is at the other end of a Unix socket; None where nobody knows.

        Parameters
        ----------
        connection : the socket.
        """
        if connection.family != getattr(socket, "AF_UNIX", None) or not hasattr(socket, "SO_PEERCRED"):
            return None
        # struct ucred of unix(7): pid, uid, gid.
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int.from_bytes(found[4:8], sys.byteorder)

    def context(self) -> zmq.Context[Any]:
        """A context of ZeroMQ, which makes sockets."""
        import zmq  # not where a study is only opened

        return zmq.Context()

    def keypair(self) -> tuple[bytes, bytes]:
        """A new public and secret key of an encrypted connection (CURVE), as Z85 text."""
        import zmq

        return zmq.curve_keypair()

    def poller(self) -> zmq.Poller:
        """What waits for several sockets at once."""
        import zmq

        return zmq.Poller()


class Computer:
    """Who runs on this computer, and how a process of ours is started, told to end, and heard."""

    def name(self) -> str:
        """The computer's name on its network."""
        return socket.gethostname()

    def pid(self) -> int:
        """The number of this process."""
        return os.getpid()

    def start_time(self, pid: int) -> str:
        """When a process started, as the system counts it; ``"?"`` where that is unknown, ``""`` when it is dead.

        Process ids are used again; id and start time together are not.
        """
        if not Path("/proc/self/stat").exists():
            return "?" if psutil.pid_exists(pid) else ""
        try:
            # The name of the program, in brackets, may itself contain blanks and brackets; the fields count after
            # its last.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return ""
        # State (Z zombie, X dead) and start time, fields 3 and 22 of proc(5).
        return "" if fields[0] in "ZX" else fields[19]

    def start(self, module: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """``python -m MODULE ARGUMENTS`` as a process; the rest as :class:`subprocess.Popen` takes it."""
        return subprocess.Popen([sys.executable, "-m", module, *arguments], **options)

    def on_signal(self, name: str, handler: Callable[[int, Any], object] | None) -> None:
        """Call ``handler`` when this process gets the signal, where the system has it; None ignores it."""
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, signal.SIG_IGN if handler is None else handler)

    def send_signal(self, pid: int, name: str) -> None:
        """Send a process a signal, SIGTERM where the system lacks it; one that is gone needs none.

        Raises
        ------
        PermissionError
            When it is another account's.
        """
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, name, signal.SIGTERM))

    def keep_what_exists(self) -> None:
        """What exists now lives as long as this process, the little garbage among it too: to find it takes 45 ms.

        Frozen, it is not walked by later collections of garbage, whose pauses would fall into the hops of a run.
        """
        gc.freeze()

    def input(self) -> FileIO:
        """Standard input, unbuffered: at its end the interpreter aborts where a thread holds a buffer."""
        return FileIO(sys.stdin.fileno(), closefd=False)

    def output(self) -> IO[str]:
        """Standard output."""
        return sys.stdout


def _unix_socket() -> socket.socket:
    """A Unix socket. Raises OSError where the system has none."""
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    return socket.socket(family)


@cache
def _text_of(path: Path) -> str:
    """What a file of the system says, read once: it stands in every entry of the audit chain."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _refuse_special(path: Path) -> None:
    """Raise OSError where a path leads to something that is neither a file nor a folder, ``/dev/null`` for one."""
    try:
        found = path.stat().st_mode
    except OSError:
        return  # nothing is there, or what is wrong is told when it is written
    if not (stat.S_ISREG(found) or stat.S_ISDIR(found)):
        raise OSError(errno.EINVAL, "a device, a pipe or a socket is no place for a file", str(path))


def _lock_on_windows(descriptor: int, *, wait: bool, shared: bool) -> None:
    """``LockFileEx`` on one byte that no file reaches, because on Windows nobody else can read a locked byte."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt
        from ctypes import wintypes

        class Overlapped(ctypes.Structure):
            _fields_ = (
                ("internal", ctypes.c_void_p),
                ("internal_high", ctypes.c_void_p),
                ("offset", wintypes.DWORD),
                ("offset_high", wintypes.DWORD),
                ("event", wintypes.HANDLE),
            )

        # LOCKFILE_FAIL_IMMEDIATELY, LOCKFILE_EXCLUSIVE_LOCK, ERROR_LOCK_VIOLATION of winbase.h and winerror.h.
        at_once, exclusive, held_by_another = 1, 2, 33
        flags = (0 if wait else at_once) | (0 if shared else exclusive)
        place = ctypes.byref(Overlapped(offset_high=0x7FFFFFFF))
        handle = wintypes.HANDLE(msvcrt.get_osfhandle(descriptor))
        if not ctypes.WinDLL("kernel32", use_last_error=True).LockFileEx(handle, flags, 0, 1, 0, place):
            code = ctypes.get_last_error()
            if code == held_by_another:
                raise BlockingIOError(errno.EWOULDBLOCK, "locked by another process")
            raise ctypes.WinError(code)


clock = Clock()
chance = Chance()
disk = Disk()
network = Network()
computer = Computer()

Beat = Callable[[], None]
"""Called by a thread each time it comes round: it is alive."""

Body = Callable[[Beat], None]
"""What a thread does. It returns when it was asked to end, or after it has reported why it ended."""


class Spawn(Protocol):
    """Starts a thread. Who needs one takes a Spawn and is given :func:`start_thread` by default.

    The engine hands in its supervisor instead (``engine/supervision.py``), so that no thread of the process that
    moves an effector can end, or stand still, unnoticed.
    """

    def __call__(self, name: str, body: Body, *, limit_s: float = inf) -> threading.Thread:
        """Start ``body`` as the thread ``name``; it beats at least every ``limit_s`` s."""


def start_thread(name: str, body: Body, *, limit_s: float = inf) -> threading.Thread:
    """A daemon thread that nobody watches: for players, notebooks and tests.

    Parameters
    ----------
    name : of the thread.
    body : what it does; its beats lead nowhere.
    limit_s : s between two beats that a supervisor would allow.
    """
    del limit_s
    thread = clock.thread(lambda: body(lambda: None), name=name)
    thread.start()
    return thread


@contextlib.contextmanager
def entered(**doors: Any) -> Iterator[None]:
    """Run with other doors, for all threads: ``with world.entered(clock=Virtual(), disk=Torn()):``.

    Raises
    ------
    KeyError
        When a name is no door.
    """
    # The doors are looked up in this module at each call, so replacing the names replaces them for all threads.
    names = globals()
    before = {name: names[name] for name in doors}
    names.update(doors)
    try:
        yield
    finally:
        names.update(before)
