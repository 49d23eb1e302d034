"""Pairing: the key shared by an engine and one effector, and the device process that uses it.

The key file has mode 0600 and lies in a folder of mode 0700 outside every study. Processes are given its *path*;
the key itself is in no argument, environment variable, stream header, recording or log.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from workbench import world
from workbench.devices._last_metre import KEY_BYTES, link_id
from workbench.errors import BadValue, EngineFault
from workbench.messages import Message

VARIABLE = "WORKBENCH_KEYS"
CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
SECRET_LENGTH = 12
"""Random characters of a pairing code: 32 ** 12 is 60 bits, which scrypt makes too slow to search."""
TIME_LENGTH = 3
"""Characters that encode the minute in which a code was made; they repeat after 22 days."""
CODE_LENGTH = SECRET_LENGTH + TIME_LENGTH + 1
"""The last character is a check: every single mistyped one is noticed."""
CODE_MINUTES = 15
"""How long a pairing code is valid, minutes; also the most by which the two clocks may differ."""
_SCRYPT = {"n": 2**16, "r": 8, "p": 1}
"""About 0.2 s and 64 MB per guess (RFC 7914)."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One engine-to-effector pairing.

    Attributes
    ----------
    path : of the key file.
    effector : name of the effector profile.
    """

    path: Path
    effector: str

    def key(self) -> bytes:
        """The 32-byte pairing key.

        Raises
        ------
        EngineFault
            When the file is missing, readable by others, or contains no key.
        """
        try:
            mode = self.path.stat().st_mode
            # Bounded: a wrong path must not read a large file into memory.
            text = self.path.read_bytes()[:200].decode("ascii").strip()
            key = bytes.fromhex(text)
        except (OSError, ValueError) as error:
            why = type(error).__name__
            sentence = Message("pairing.unreadable", file=self.path.name, effector=self.effector, why=why)
            raise EngineFault(sentence) from error
        if os.name == "posix" and mode & 0o077:
            raise EngineFault(Message("pairing.shared", file=self.path.name, mode=f"{mode & 0o777:o}"))
        if len(key) != KEY_BYTES:
            raise EngineFault(Message("pairing.key_size", file=self.path.name, n=len(key), needed=KEY_BYTES))
        return key

    @property
    def link_id(self) -> str:
        """Public name of the pairing; the source_ids of its streams end with it."""
        return link_id(self.key(), self.effector)

    @property
    def device_file(self) -> Path:
        """The process that runs with this pairing: its id and start time."""
        return self.path.with_suffix(".device.json")

    def source_id(self, purpose: str) -> str:
        """source_id of ``"commands"``, ``"watch"``, ``"acks"`` or ``"status"``."""
        return f"wb-{purpose}-{self.link_id}"


def pairing(study_folder: Path | str, effector: str) -> Pairing:
    """The pairing of a study's effector; its key is created when there is none.

    Parameters
    ----------
    study_folder : the study; every study has an effector of its own, so that two never share one.
    effector : name of the effector profile.

    Raises
    ------
    BadValue
        For a name that no profile can have.
    EngineFault
        When the key folder cannot be written.
    """
    paired = _place(pairing_name(study_folder, effector), effector)
    if not paired.path.exists():
        _write_key(paired, world.chance.token_bytes(KEY_BYTES), keep=True)
    return paired


def pairing_name(study_folder: Path | str, effector: str) -> str:
    """Name of the pairing that an engine of the study uses for an effector."""
    study = hashlib.sha256(str(Path(study_folder).absolute()).encode()).hexdigest()[:12]
    return f"{effector}-{study}"


def new_pairing_code(*, now: float | None = None) -> str:
    """A code to be typed at both computers within :data:`CODE_MINUTES`: four groups of four characters.

    Parameters
    ----------
    now : time in s since 1970, by default this computer's.
    """
    n = len(CODE_ALPHABET)
    minute = int((world.clock.wall() if now is None else now) // 60)
    when = "".join(CODE_ALPHABET[minute // n**place % n] for place in range(TIME_LENGTH))
    code = "".join(world.chance.choice(CODE_ALPHABET) for _ in range(SECRET_LENGTH)) + when
    code += _check(code)
    return "-".join(code[i : i + 4] for i in range(0, CODE_LENGTH, 4))


def _check(code: str) -> str:
    """The check character: odd weights are invertible modulo 32, so any single wrong character changes the sum."""
    weighted = sum((2 * place + 1) * CODE_ALPHABET.index(letter) for place, letter in enumerate(code))
    return CODE_ALPHABET[weighted % len(CODE_ALPHABET)]


def _typed(code: str, now: float) -> str:
    """The code as it was made; :class:`BadValue` when it is not a code, is mistyped, or has expired."""
    typed = re.sub(r"[\s-]", "", code).upper()
    if len(typed) != CODE_LENGTH or not set(typed) <= set(CODE_ALPHABET):
        raise BadValue(Message("pairing.code_length", length=CODE_LENGTH, alphabet=CODE_ALPHABET, n=len(typed)))
    if _check(typed[:-1]) != typed[-1]:
        raise BadValue(Message("pairing.code_mistyped"))
    n = len(CODE_ALPHABET)
    when = typed[SECRET_LENGTH : SECRET_LENGTH + TIME_LENGTH]
    minute = sum(CODE_ALPHABET.index(letter) * n**place for place, letter in enumerate(when))
    # The signed distance on a circle of 32³ minutes, since the code carries only the last digits of its minute.
    age = (int(now // 60) - minute + n**TIME_LENGTH // 2) % n**TIME_LENGTH - n**TIME_LENGTH // 2
    if abs(age) > CODE_MINUTES:
        n = abs(age)
        made = Message("pairing.minutes_ago", n=n) if age > 0 else Message("pairing.minutes_ahead", n=n)
        raise BadValue(Message("pairing.code_expired", made=made, allowed=CODE_MINUTES))
    return typed


def pair_by_code(name: str, effector: str, code: str, *, now: float | None = None) -> Pairing:
    """Pair with an effector on another computer: the same code there gives the same key.

    Parameters
    ----------
    name : of this pairing, from :func:`pairing_name`; part of the file name and of the salt.
    effector : name of the effector profile.
    code : as :func:`new_pairing_code` gave it; read it from a terminal, never from an argument.
    now : time in s since 1970, by default this computer's.

    Raises
    ------
    BadValue
        For a code or a name of another form, and for a code that is mistyped or has expired.
    EngineFault
        When the key folder cannot be written.
    """
    typed = _typed(code, world.clock.wall() if now is None else now)
    paired = _place(name, effector)
    # Name and effector in the salt: one code typed for two pairings still gives two keys.
    salt = f"workbench pairing 1\n{name}\n{effector}".encode()
    _write_key(paired, Scrypt(salt, KEY_BYTES, **_SCRYPT).derive(typed.encode()))
    return paired


def running_device(paired: Pairing) -> int | None:
    """Process id of the device that runs on this computer with the pairing, None when none does."""
    try:
        content = json.loads(paired.device_file.read_bytes()[:500])
        pid, started = int(content["pid"]), str(content["started"])
    # A missing or torn file: no device runs.
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # Process ids are reused; id and start time together are not.
    return pid if started and world.computer.start_time(pid) == started else None


def note_device(paired: Pairing) -> None:
    """Register this process as the device that runs with the pairing.

    Raises
    ------
    EngineFault
        When another one runs.
    """
    other, own = running_device(paired), world.computer.pid()
    if other is not None and other != own:
        raise EngineFault(Message("pairing.device_runs", pid=other))
    content = {"pid": own, "started": world.computer.start_time(own)}
    world.disk.save(paired.device_file, json.dumps(content).encode())


def forget_device(paired: Pairing) -> None:
    """Remove the registration of this process."""
    if running_device(paired) == world.computer.pid():
        world.disk.unlink(paired.device_file, missing_ok=True)


def end_device(paired: Pairing, *, timeout: float = 5.0) -> bool:
    """End the device process of a pairing: SIGTERM, then SIGKILL, ``timeout`` s each. True when one ran."""
    pid = running_device(paired)
    if pid is None:
        return False
    for name in ("SIGTERM", "SIGKILL"):
        world.computer.send_signal(pid, name)
        if world.clock.until(lambda: running_device(paired) is None, timeout):
            break
    world.disk.unlink(paired.device_file, missing_ok=True)
    return True


def keys_folder() -> Path:
    """``$WORKBENCH_KEYS``, else ``workbench/keys`` in the user's configuration folder."""
    stated = os.environ.get(VARIABLE, "").strip()
    if stated:
        return Path(stated).absolute()
    if sys.platform == "win32":
        root = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Application Support"
    else:
        root = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return root / "workbench" / "keys"


def _place(name: str, effector: str) -> Pairing:
    for text in (name, effector):
        if not re.fullmatch(r"[a-z0-9_-]{1,60}", text):
            raise BadValue(Message("pairing.name", got=repr(text)))
    return Pairing(keys_folder() / "effectors" / f"{name}.key", effector)


def _write_key(paired: Pairing, key: bytes, *, keep: bool = False) -> None:
    """Write a key file; with ``keep``, one that another process has just made stays."""
    try:
        world.disk.mkdir(paired.path.parent, parents=True, exist_ok=True)
        world.disk.save(paired.path, key.hex().encode("ascii"), keep=keep)
    except OSError as error:
        folder, why = str(paired.path.parent), str(error.strerror)
        raise EngineFault(Message("pairing.no_folder", folder=folder, why=why, variable=VARIABLE)) from error
