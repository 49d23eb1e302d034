"""Keys of a study, kept outside its folder: HMAC for the audit chain, Ed25519 for what is signed.

One file per study in the key folder (``$WORKBENCH_KEYS``, else the user's configuration folder), mode 0600 in a
folder of mode 0700. A key has an *epoch*, counted from 1; rotation adds one, old ones stay for verification. Who
holds both the study folder and this file can rewrite the record: one account can only ever be tamper-evident.

Imports neither SQLAlchemy nor the rest of the room, so that a process may verify an envelope and nothing more.
HMAC: FIPS 198-1 with SHA-256. Signatures: Ed25519, RFC 8032.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import reading, world
from workbench.errors import BadValue, RecordFault, Refused
from workbench.messages import Message
from workbench.study.chain import canonical, clean
from workbench.study.clock import utc_now

VARIABLE = "WORKBENCH_KEYS"
BACKUP_FORMAT = "workbench key backup 1"
MOST_BYTES = 1_000_000
"""Largest key file or backup that is read, bytes."""
LEAST_PASSPHRASE = 12
"""Fewest characters of a backup's passphrase."""
KDF = {"time_cost": 3, "memory_kib": 65536, "parallelism": 4}
"""argon2id, RFC 9106 section 4, second recommended option."""
MOST_KDF = {"time_cost": 16, "memory_kib": 1_048_576, "parallelism": 16}
"""What a backup may ask of this computer."""


@dataclass(frozen=True, slots=True)
class Key:
    """Keys of one epoch: ``hmac`` and ``private`` 32 bytes each (never printed), ``public`` 64 hex digits."""

    epoch: int
    public: str
    utc: str
    hmac: bytes = field(repr=False)
    private: bytes = field(repr=False)

    def sign(self, message: bytes) -> str:
        """Ed25519 signature of the message, 128 hex digits."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.private).sign(message).hex()


class KeyRing:
    """The keys of one study on this computer.

    Attributes
    ----------
    path : the key file.
    keys : by epoch; empty when they are not on this computer.
    pins : by epoch, ``(seq, hash)`` of the audit row that introduced it: an anchor that no copy of the study
        folder carries.
    """

    def __init__(self, study_id: str) -> None:
        self.study_id = study_id
        self.path = key_folder() / f"{file_name(study_id)}.json"
        self.keys: dict[int, Key] = {}
        self.pins: dict[int, tuple[int, str]] = {}
        self._read()

    def _read(self) -> None:
        try:
            mode = self.path.stat().st_mode
        except OSError:
            # Absent, or in another account's folder: either way the keys are not this account's to use.
            return
        # Whoever reads this file can write the chain; that somebody could is reason enough to stop.
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise RecordFault(Message("keys.readable_by_others", path=str(self.path)))
        keys, pins = _parse(load_object(self.path, Message("file.noun_key_file")), self.study_id, self.path)
        self.keys, self.pins = {**self.keys, **keys}, {**self.pins, **pins}

    def key(self, epoch: int) -> Key:
        """The key of an epoch.

        Raises
        ------
        RecordFault
            When it is not on this computer; the text says how to bring it here.
        """
        if epoch not in self.keys:
            raise RecordFault(Message("keys.not_here", epoch=epoch, path=str(self.path)))
        return self.keys[epoch]

    def make(self, epoch: int) -> Key:
        """The key of an epoch, made and stored when there is none yet."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        with self._changing():
            # Read again under the lock: another process may have made it meanwhile.
            if epoch in self.keys:
                return self.keys[epoch]
            private = world.chance.token_bytes(32)
            public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()
            self.keys[epoch] = Key(epoch, public, utc_now(), hmac=world.chance.token_bytes(32), private=private)
            return self.keys[epoch]

    def pin(self, epoch: int, seq: int, digest: str) -> None:
        """Keep where in the chain a key came into use.

        Parameters
        ----------
        epoch : of the key.
        seq, digest : number and hash of the entry that brought it into use.
        """
        if self.pins.get(epoch) != (seq, digest):
            with self._changing():
                self.pins[epoch] = (seq, digest)

    def add(self, keys: Mapping[int, Key], pins: Mapping[int, tuple[int, str]]) -> None:
        """Take in keys and pins of a backup; what is here already stays. Raises RecordFault."""
        with self._changing():
            self.keys = {**keys, **self.keys}
            self.pins = {**pins, **self.pins}

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Read the key file again, change and replace it: one process at a time, so that no key is lost."""
        try:
            world.disk.mkdir(self.path.parent, parents=True, exist_ok=True)
            if os.name == "posix":
                world.disk.chmod(self.path.parent, 0o700)
            with _alone(self.path):
                self._read()
                yield
                world.disk.save(self.path, canonical(self.plain()).encode())
        except OSError as error:
            raise RecordFault(
                Message("keys.not_written", path=str(self.path), why=str(error.strerror), variable=VARIABLE)
            ) from error

    def plain(self) -> dict[str, Any]:
        """What the key file holds, secrets included."""
        return {
            "study": self.study_id,
            "keys": [
                {
                    "epoch": k.epoch,
                    "public": k.public,
                    "utc": k.utc,
                    "hmac": k.hmac.hex(),
                    "private": k.private.hex(),
                }
                for k in sorted(self.keys.values(), key=lambda key: key.epoch)
            ],
            "pins": [[epoch, *pin] for epoch, pin in sorted(self.pins.items())],
        }


def key_folder() -> Path:
    """Folder of the key files: ``$WORKBENCH_KEYS``, else ``workbench/keys`` in the user's configuration folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "workbench" / "keys"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "workbench" / "keys"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "workbench" / "keys"


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """With a key folder of one's own, as a simulation has it: keys of nobody go among nobody else's.

    Parameters
    ----------
    folder : that holds them; is made with the first.
    """
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


# ------------------------------------------------------------------------------------ envelopes
def seal(payload: Mapping[str, Any], *, purpose: str, study_id: str, key: Key) -> dict[str, Any]:
    """Sign a payload for one purpose.

    Parameters
    ----------
    payload : plain JSON data.
    purpose : what the signature is good for (``"grant"``, ``"head"``); it is signed too.
    study_id : id of the study.
    key : the key that signs.

    Returns
    -------
    dict
        The envelope: ``purpose``, ``study``, ``epoch``, ``payload``, ``signature`` (Ed25519 over the canonical
        JSON of the first four, 128 hex digits).

    Raises
    ------
    BadValue
        For what JSON cannot hold.
    """
    body = {"purpose": purpose, "study": study_id, "epoch": key.epoch, "payload": clean(payload)}
    return {**body, "signature": key.sign(canonical(body).encode())}


def verify_envelope(envelope: Mapping[str, Any], public_key: str, *, purpose: str) -> dict[str, Any]:
    """The payload of an envelope, if it was signed with that key for that purpose.

    Parameters
    ----------
    envelope : as :func:`seal` made it; may come from anywhere.
    public_key : Ed25519 public key, 64 hex digits.
    purpose : what it must have been signed for.

    Raises
    ------
    Refused
        When it is malformed, was signed for something else, was changed, or bears another key's signature.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        body = {name: envelope[name] for name in ("purpose", "study", "epoch", "payload")}
        message = canonical(clean(body)).encode()
        signature = bytes.fromhex(envelope["signature"])
        payload = dict(body["payload"])
        stated = body["purpose"]
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError) as error:
        raise Refused(Message("keys.malformed", purpose=purpose)) from error
    # What was signed for one purpose, such as a head, must never pass for another, such as a grant.
    if stated != purpose:
        raise Refused(Message("keys.other_purpose", purpose=purpose, got=repr(str(stated)[:40])))
    try:
        key.verify(signature, message)
    except InvalidSignature as error:
        raise Refused(Message("keys.bad_signature", purpose=purpose)) from error
    return payload


def public_keys(study_folder: Path | str) -> dict[int, str]:
    """Public key by epoch as the record names them, read without SQLAlchemy; ``{}`` for a record without keys.

    Raises
    ------
    RecordFault
        When the record cannot be read.
    """
    from workbench.study import stores
    from workbench.study.stores.sqlite import SQLite

    store = stores.at(study_folder)
    if not isinstance(store, SQLite):
        with store.reader() as reader:
            listed = reader.table("study_key")
        return {int(row["epoch"]): str(row["public_key"]) for row in listed}
    path = store.path
    try:
        with closing(
            world.disk.database(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
        ) as connection:
            # A record of schema 2 has no such table.
            keyed = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'study_key'").fetchone()
            rows = connection.execute("SELECT epoch, public_key FROM study_key").fetchall() if keyed else []
            return {int(epoch): str(public) for epoch, public in rows}
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise RecordFault(Message("keys.public_unreadable", path=str(path), why=str(error))) from error


# ------------------------------------------------------------------------------------ backup
def backup(study_id: str, file: Path | str, passphrase: str) -> Path:
    """Write the keys of a study to a new file, encrypted (argon2id, ChaCha20-Poly1305: RFC 9106, RFC 8439).

    Parameters
    ----------
    study_id : of the study whose keys are on this computer.
    file : the backup; must not exist.
    passphrase : at least 12 characters; without it the backup is worthless.

    Raises
    ------
    RecordFault
        When there are no keys here, or the file is there or cannot be written.
    BadValue
        When the passphrase is too short.
    """
    ring, path = KeyRing(study_id), Path(file)
    if not ring.keys:
        raise RecordFault(Message("keys.none_here", path=str(ring.path)))
    return write_backup(path, passphrase, kind=BACKUP_FORMAT, study_id=study_id, plain=ring.plain())


def write_backup(path: Path, passphrase: str, *, kind: str, study_id: str, plain: Mapping[str, Any]) -> Path:
    """Write secrets to a new file, encrypted with a passphrase; raises as :func:`backup`.

    Parameters
    ----------
    path : the backup; must not exist.
    passphrase : at least 12 characters.
    kind : the format that the file states.
    study_id : of the study whose secrets they are.
    plain : the secrets, as JSON holds them.
    """
    if len(passphrase) < LEAST_PASSPHRASE:
        raise BadValue(Message("keys.passphrase_short", least=LEAST_PASSPHRASE, n=len(passphrase)))
    salt, nonce = world.chance.token_bytes(16), world.chance.token_bytes(12)
    head = {"format": kind, "study": study_id, "kdf": {**KDF, "salt": salt.hex()}, "nonce": nonce.hex()}
    # The head is authenticated too: it stands in the clear beside the ciphertext.
    hidden = _cipher(passphrase, salt, KDF).encrypt(nonce, canonical(plain).encode(), canonical(head).encode())
    try:
        handle = world.disk.descriptor(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            world.disk.write_all(handle, canonical({**head, "keys": hidden.hex()}).encode())
            world.disk.sync(handle)
        finally:
            world.disk.close(handle)
    except OSError as error:
        raise RecordFault(Message("keys.backup_not_written", path=str(path), why=str(error.strerror))) from error
    return path


def restore(file: Path | str, passphrase: str) -> KeyRing:
    """Bring the keys of a backup to this computer; keys that are here already stay.

    Raises
    ------
    RecordFault
        When the file is no backup or cannot be read.
    Refused
        When the passphrase does not open it, or another key of the same epoch is here.
    """
    path = Path(file)
    study_id, plain = read_backup(path, passphrase, kind=BACKUP_FORMAT)
    ring = KeyRing(study_id)
    keys, pins = _parse(plain, study_id, path)
    if any(ring.keys.get(epoch, key) != key for epoch, key in keys.items()):
        raise Refused(Message("keys.other_key", path=str(ring.path)))
    ring.add(keys, pins)
    return ring


def read_backup(path: Path, passphrase: str, *, kind: str) -> tuple[str, dict[str, Any]]:
    """``(study id, secrets)`` of what :func:`write_backup` wrote.

    Parameters
    ----------
    path : of the backup.
    passphrase : it was written with.
    kind : the format that it must state.

    Raises
    ------
    RecordFault
        When the file is no such backup or cannot be read.
    Refused
        When the passphrase does not open it.
    """
    from argon2.exceptions import HashingError
    from cryptography.exceptions import InvalidTag

    content = load_object(path, "backup")
    try:
        head = {name: content[name] for name in ("format", "study", "kdf", "nonce")}
        costs = {name: int(head["kdf"][name]) for name in KDF}
        salt, nonce = bytes.fromhex(head["kdf"]["salt"]), bytes.fromhex(head["nonce"])
        hidden, study_id = bytes.fromhex(content["keys"]), str(head["study"])
        if head["format"] != kind or len(nonce) != 12:
            raise ValueError(f"format {head['format']!r}")
        # Before the derivation: a forged backup could ask for all the memory there is.
        if any(not 1 <= costs[name] <= most for name, most in MOST_KDF.items()):
            raise ValueError(f"key derivation {costs}")
        # The head is authenticated with the keys, so that neither study nor costs can be exchanged.
        plain = _cipher(passphrase, salt, costs).decrypt(nonce, hidden, canonical(head).encode())
    except InvalidTag as error:
        raise Refused(Message("keys.passphrase_wrong", file=path.name)) from error
    except (KeyError, TypeError, ValueError, OverflowError, HashingError) as error:
        raise RecordFault(Message("keys.no_backup", path=str(path), why=str(error))) from error
    return study_id, json.loads(plain)


def _cipher(passphrase: str, salt: bytes, costs: Mapping[str, int]) -> Any:
    from argon2.low_level import Type, hash_secret_raw
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    secret = hash_secret_raw(
        passphrase.encode("utf-8", "surrogatepass"),
        salt,
        time_cost=costs["time_cost"],
        memory_cost=costs["memory_kib"],
        parallelism=costs["parallelism"],
        hash_len=32,
        type=Type.ID,
    )
    return ChaCha20Poly1305(secret)


# ------------------------------------------------------------------------------------ files
def keep_apart(path: Path, plain: Mapping[str, Any]) -> None:
    """Store secrets in a file of the key folder for its owner alone; one that is there stays. Raises RecordFault.

    Parameters
    ----------
    path : of the file.
    plain : the secrets, as JSON holds them.
    """
    try:
        world.disk.mkdir(path.parent, parents=True, exist_ok=True)
        if os.name == "posix":
            world.disk.chmod(path.parent, 0o700)
        world.disk.save(path, canonical(plain).encode(), keep=True)
    except OSError as error:
        raise RecordFault(
            Message("keys.not_written", path=str(path), why=reading.why(error), variable=VARIABLE)
        ) from error


def load_apart(path: Path, *, absent: Message, shared: Message) -> dict[str, Any]:
    """What :func:`keep_apart` stored.

    Parameters
    ----------
    path : of the file.
    absent, shared : what is said when it is not on this computer, and when other users can read it.

    Raises
    ------
    RecordFault
        In these two cases, and when it is damaged.
    """
    what = Message("file.noun_key_file")
    if not reading.is_there(path, what, error=RecordFault):
        raise RecordFault(absent)
    if open_to_others(path):
        raise RecordFault(shared)
    return load_object(path, what)


def open_to_others(path: Path) -> bool:
    """Whether other accounts can read a file (POSIX)."""
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def file_name(study_id: str) -> str:
    """An id as the name of a file. Raises RecordFault for one that could lead out of the folder."""
    name = "".join(c for c in study_id if c.isalnum() or c == "-")
    if name != study_id or not name:
        raise RecordFault(Message("keys.study_id", got=repr(study_id[:60])))
    return name


def load_object(path: Path, what: str) -> dict[str, Any]:
    """The JSON object of a small file of keys; ``what`` names it. Raises RecordFault."""
    data = reading.read_bytes(path, what, largest=MOST_BYTES, error=RecordFault)
    content = reading.parse_json(
        data, Message("file.named", what=what, path=reading.shown(path)), error=RecordFault
    )
    if not isinstance(content, dict):
        raise RecordFault(Message("keys.no_object", what=what, path=reading.shown(path)))
    return content


def _parse(
    content: Mapping[str, Any], study_id: str, path: Path
) -> tuple[dict[int, Key], dict[int, tuple[int, str]]]:
    try:
        if content["study"] != study_id:
            raise ValueError(f"it belongs to the study {content['study']!r:.60}")
        keys = {
            int(k["epoch"]): Key(
                int(k["epoch"]),
                str(k["public"]),
                str(k["utc"]),
                bytes.fromhex(k["hmac"]),
                bytes.fromhex(k["private"]),
            )
            for k in content["keys"]
        }
        if any(len(k.hmac) != 32 or len(k.private) != 32 or len(k.public) != 64 for k in keys.values()):
            raise ValueError("a key has the wrong length")
        return keys, {int(epoch): (int(seq), str(digest)) for epoch, seq, digest in content["pins"]}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RecordFault(Message("keys.damaged", path=str(path), why=str(error))) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from changing a key file at the same time."""
    handle = world.disk.descriptor(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT)
    try:
        world.disk.lock(handle, wait=True)
        yield
    finally:
        world.disk.close(handle)
