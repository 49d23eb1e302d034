"""The door to liblsl: its configuration is written before the library is loaded, and its version checked.

LSL is neither encrypted nor authenticated. The configuration made here confines *discovery* to this
computer; liblsl's data ports still listen on all interfaces, which cannot be configured.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import world
from workbench.errors import BadValue, StreamFault
from workbench.messages import Message

OWN = "; written by workbench: discovery stays on this computer"
OLDEST = 116
"""liblsl 1.16, the first with the configuration keys used here."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The LSL configuration in force in this process and in the processes it starts.

    Attributes
    ----------
    path : the file that ``LSLAPICFG`` names.
    own : True when it is ours; False when the site had set ``LSLAPICFG``, which is respected.
    confined : True when discovery stays on this computer (ours, and no ``peers``).
    """

    path: Path
    own: bool
    confined: bool


@dataclass(frozen=True, slots=True)
class Library:
    """The LSL library in use: version 118 is liblsl 1.18."""

    version: int
    protocol: int
    wrapper: str
    info: str


def configure(*, peers: Sequence[str] = (), session_id: str = "default") -> Configuration:
    """Point ``LSLAPICFG`` at a file of our own that confines discovery to loopback.

    Called by every function here that needs liblsl; call it yourself, first, to choose. The file lies in
    a folder of this user (mode 0700) under the system's temporary folder.

    Parameters
    ----------
    peers : names or addresses of amplifier computers that discovery may ask as well.
    session_id : LSL session; streams of another session are not seen. Amplifier software that is not
        configured has ``"default"``.

    Raises
    ------
    BadValue
        When a peer or the session id has a character that could end its line in the file.
    StreamFault
        When liblsl is already in use with another configuration.
    """
    check_names((*peers, session_id))
    if _stand_ins:
        return Configuration(Path(os.devnull), own=True, confined=not peers)
    stated = os.environ.get("LSLAPICFG", "")
    if stated and not _is_own(Path(stated)):
        return Configuration(Path(stated), own=False, confined=False)
    # Inherited from a parent process of ours: its choice of peers and session counts here too.
    if stated and not peers and session_id == "default":
        confined = "KnownPeers={127.0.0.1}" in Path(stated).read_text("utf-8")
        return Configuration(Path(stated), own=True, confined=confined)
    text = _text(peers, session_id)
    # Named by its content: processes with other settings never overwrite each other's file.
    path = _folder() / f"lsl_api_{hashlib.sha256(text.encode()).hexdigest()[:12]}.cfg"
    if _used and _used[0] != path:
        raise StreamFault(
            f"liblsl already runs in this process with {_used[0].name}, got a request for other peers or "
            "another session id; call workbench.devices.lsl.configure first, or start a new process"
        )
    # Processes that start at once write the same bytes: whichever comes last changes nothing.
    if not path.is_file():
        world.disk.save(path, text.encode())
    os.environ["LSLAPICFG"] = str(path)
    return Configuration(path, own=True, confined=not peers)


def check_names(names: Sequence[str]) -> None:
    """Raise :class:`BadValue` for a peer or session id with a character that could end its line in the file."""
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9._:-]+", name):
            raise BadValue(Message("lsl.name", got=repr(name)))


_used: list[Path] = []
_stand_ins: list[Callable[[], Any]] = []


@contextmanager
def standing_in(library: Callable[[], Any]) -> Iterator[None]:
    """Let what ``library`` gives stand in for the module ``pylsl``: in a simulated world there is no network."""
    _stand_ins.append(library)
    try:
        yield
    finally:
        _stand_ins.pop()


def _text(peers: Sequence[str], session_id: str) -> str:
    """Content of the configuration file. More ports than liblsl's 32, since every outlet takes two."""
    return (
        f"{OWN}\n[ports]\nIPv6=disable\nPortRange=128\n"
        "[multicast]\nResolveScope=machine\nListenAddress=127.0.0.1\n"
        f"[lab]\nKnownPeers={{{', '.join(('127.0.0.1', *peers))}}}\nSessionID={session_id}\n"
        "[log]\nlevel=-2\n"
    )


def _is_own(path: Path) -> bool:
    """True for a file that this function's callers wrote."""
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace").startswith(OWN)


def _folder() -> Path:
    """A folder that only this user can write, so that nobody else chooses our configuration."""
    user = str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = world.disk.temporary_root() / f"workbench-{user}"
    try:
        world.disk.mkdir(folder, exist_ok=True)
    except FileExistsError:
        return world.disk.temporary("workbench-")
    status = folder.lstat()
    # On a shared computer another user may have made the folder first, or a symbolic link of this name.
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022 or folder.is_symlink()):
        return world.disk.temporary("workbench-")
    return folder


def library() -> Any:
    """The module ``pylsl``, loaded after the configuration.

    Raises
    ------
    StreamFault
        When pylsl or liblsl is not installed; the text states the remedy.
    """
    if _stand_ins:
        return _stand_ins[-1]()
    known = sys.modules.get("pylsl")
    if known is not None and _used:
        return known
    _used[:] = [configure().path]
    try:
        import pylsl
    except (ImportError, RuntimeError, OSError) as error:
        _used.clear()
        why = str(error).splitlines()[0]
        raise StreamFault(Message("lsl.not_loaded", why=why, remedy=Message("lsl.install"))) from error
    return pylsl


def check_library() -> Library:
    """Load liblsl and say which it is.

    Raises
    ------
    StreamFault
        When it is missing or older than 1.16; the text states the remedy.
    """
    pylsl = library()
    loaded = Library(
        version=int(pylsl.library_version()),
        protocol=int(pylsl.protocol_version()),
        wrapper=str(pylsl.__version__),
        info=str(pylsl.library_info()),
    )
    if loaded.version < OLDEST:
        remedy = Message("lsl.install")
        raise StreamFault(
            Message("lsl.too_old", oldest=OLDEST, got=loaded.version, info=loaded.info, remedy=remedy)
        )
    return loaded


def local_clock() -> float:
    """LSL time of this computer, s."""
    return float(library().local_clock())
