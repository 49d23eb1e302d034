"""The door to liblsl: its configuration is written before the library is loaded, and its version checked.

LSL is neither encrypted nor authenticated. The configuration made here confines *discovery* to this
computer; liblsl's data ports still listen on all interfaces, which cannot be configured.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import world
from workbench.errors import BadValue, StreamFault
from workbench.messages import Message

OWN = "; written by workbench: discovery stays on this computer"
BASE_PORT, USUAL_PORTS = 16572, 32
"""liblsl's own first port, and how many from it on it asks for streams."""
PORTS = 128
"""How many ports are asked for streams where the configuration is ours."""
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
        raise StreamFault(Message("lsl.runs_already", settings=_used[0].name))
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
_stand_ins: list[Any] = []


@contextmanager
def standing_in(library: Any) -> Iterator[None]:
    """Let ``library`` stand in for the module ``pylsl``: in a simulated world there is no network."""
    _stand_ins.append(library)
    try:
        yield
    finally:
        _stand_ins.pop()


def searched_ports() -> range:
    """The ports at which streams are looked for: those of the configuration in force, else liblsl's own.

    The file counts and not ``WORKBENCH_LSL_PORT``, which is read only where a file is written: a process may have
    inherited a file of other ports.
    """
    text = _used[0].read_text(encoding="utf-8", errors="replace") if _used and _used[0].is_file() else ""
    entries = {"BasePort": BASE_PORT, "PortRange": USUAL_PORTS}
    entries |= {key: int(n) for key, n in re.findall(r"^\s*(BasePort|PortRange)\s*=\s*(\d+)", text, re.MULTILINE)}
    return range(entries["BasePort"], entries["BasePort"] + entries["PortRange"])


def is_findable(info: Any) -> bool:
    """Whether others find the outlet of this ``pylsl.StreamInfo``, which they look for at so many ports only.

    liblsl takes any other port once all of these are in use, and says nothing. A configuration of a site's own is
    not judged: it may search by multicast, which finds an outlet at any port.
    """
    if not _used or not _is_own(_used[0]):
        return True
    port = re.search(r"<v4service_port>(\d+)</", str(info.as_xml()))
    return port is None or int(port[1]) in searched_ports()


def _first_port() -> int:
    """The first port of a configuration that is written now: ``WORKBENCH_LSL_PORT``, or LSL's own.

    Raises
    ------
    BadValue
        When the variable is no such number.
    """
    stated = os.environ.get("WORKBENCH_LSL_PORT", "") or str(BASE_PORT)
    if not stated.isascii() or not stated.isdecimal() or not 1024 < int(stated) <= 65535 - PORTS:
        raise BadValue(Message("lsl.base_port", got=repr(stated), most=65535 - PORTS, usual=BASE_PORT))
    return int(stated)


def _text(peers: Sequence[str], session_id: str) -> str:
    """Content of the configuration file. More ports than liblsl's 32: each outlet, inlet and search takes some."""
    first = _first_port()
    return (
        f"{OWN}\n[ports]\nIPv6=disable\nMulticastPort={first - 1}\nBasePort={first}\nPortRange={PORTS}\n"
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
        return _stand_ins[-1]
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


def open_inlet(info: Any, *, timeout: float, buffer_s: int = 1) -> tuple[Any, Any]:
    """Receive from one outlet from now on, with raw stamps; no pull waits longer than it was told to.

    Without recovery, else liblsl would silently go over to any other outlet that claims the same source_id. The
    description is asked for first: liblsl (1.18) waits for it at the first pull, whatever that pull's own timeout,
    and for ever when the outlet stands still or ends at that moment.

    Parameters
    ----------
    info : ``pylsl.StreamInfo`` of the outlet.
    timeout : s within which it has to answer, twice.
    buffer_s : samples that liblsl keeps, s; hundreds of samples of an irregular stream.

    Returns
    -------
    inlet : ``pylsl.StreamInlet``, open.
    described : ``pylsl.StreamInfo`` with the description.

    Raises
    ------
    RuntimeError
        When it does not answer in time, or is gone.
    """
    inlet = library().StreamInlet(info, max_buflen=buffer_s, recover=False, processing_flags=0)
    described = inlet.info(timeout)
    inlet.open_stream(timeout)
    return inlet, described


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
    # Asked for with every message, hop and look: what stands in for liblsl is asked without looking for it.
    return float((_stand_ins[-1] if _stand_ins else library()).local_clock())
