"""The file of a study's identities: frames of one size, sealed and chained: its length tells their count alone.

::

    header   magic, SHA-256 of the JSON behind it, canonical JSON of {id, key, study, utc}, zeros; 4096 bytes
    frame n  slot ‖ personal ‖ audit; 4096 bytes
    slot     a person's data key, wrapped by the master key; zeros once the person is erased
    personal the identity under the person's data key
    audit    {action, actor, previous, pseudonym, reason, slot, utc} under a key derived from the master key
    hash_0   SHA-256(header)
    hash_n   SHA-256(hash_{n-1} ‖ personal ‖ audit)

A frame that adds nobody, or holds no identity, has random bytes in their place: only the key tells them apart.
``previous`` is ``hash_{n-1}``, ``slot`` the SHA-256 of the slot: it can be overwritten, and the chain still holds.
Number and personal part are authenticated with the audit part. AES-256-GCM throughout, nonces random; keys are
derived with HKDF-SHA256 (both from memory: NIST SP 800-38D, RFC 5869).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workbench import world
from workbench.study.chain import canonical, sha256

MAGIC = b"workbench identities 1\n"
FRAME = 4096
"""Bytes of the header and of every frame: no entry's length tells what it is."""
KEY, NONCE, TAG = 32, 12, 16
SLOT = NONCE + KEY + TAG
PERSONAL = 2228
AUDIT = FRAME - SLOT - PERSONAL
WIPED = bytes(SLOT)
MOST_ENTRIES = 250_000
"""A file of 1 GB. Erasures are taken beyond it, one for each person: at most as many again."""

Action = Literal["create", "add", "amend", "show", "find", "erase"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what with whose identity, when and why; ``seq`` counts from 1, ``utc`` is ISO 8601."""

    seq: int
    utc: str
    actor: str
    action: Action
    pseudonym: str
    reason: str


@dataclass(slots=True)
class Person:
    """Where somebody stands: number of the frame with the data key, and of the newest with the identity."""

    added: int
    newest: int
    erased: bool = False


# ------------------------------------------------------------------------------------ header
def header(about: Mapping[str, str]) -> bytes:
    """The first 4096 bytes, from ``id``, ``key``, ``study`` and ``utc``."""
    text = canonical(dict(about))
    return (MAGIC + f"{sha256(text)}\n{text}".encode()).ljust(FRAME, b"\0")


def about(data: bytes) -> dict[str, str] | None:
    """What a header says; None when it is none or was changed."""
    text = data.removeprefix(MAGIC).rstrip(b"\0").partition(b"\n")[2]
    try:
        said = {name: str(value) for name, value in json.loads(text).items()}
        whole = set(said) == {"id", "key", "study", "utc"} and header(said) == data
    except (ValueError, AttributeError, RecursionError):
        return None
    return said if whole else None


def key_id(master: bytes) -> str:
    """What the header says of its key: enough to tell another one, nothing to find it by."""
    return hashlib.sha256(MAGIC + master).hexdigest()[:16]


# ------------------------------------------------------------------------------------ seals
class Seals:
    """What seals and opens the parts of a frame; holds the keys and shows none.

    Parameters
    ----------
    master : the master key, 32 bytes.
    store : id of the store, authenticated with every part.
    """

    def __init__(self, master: bytes, store: str) -> None:
        self._store = store
        self._wrapping, self._audit = (AESGCM(_derived(master, use)) for use in ("wrap", "audit"))

    def wrap(self, data_key: bytes, seq: int, pseudonym: str) -> bytes:
        """The slot of a person: data key, number of the frame, pseudonym.

        Parameters
        ----------
        data_key : 32 bytes.
        seq : of the frame that holds it.
        pseudonym : of the person.
        """
        return _sealed(self._wrapping, data_key, self._bound("wrap", seq, pseudonym))

    def unwrap(self, slot: bytes, seq: int, pseudonym: str) -> bytes | None:
        """The data key of a slot; None when it was wiped, changed, or is another's.

        Parameters
        ----------
        slot, seq, pseudonym : as :meth:`wrap` has them.
        """
        return _opened(self._wrapping, slot, self._bound("wrap", seq, pseudonym))

    def hide(self, identity: Mapping[str, str], data_key: bytes, seq: int) -> bytes:
        """The personal part of a frame.

        Parameters
        ----------
        identity : texts by name.
        data_key : of the person.
        seq : of the frame.
        """
        return _sealed(AESGCM(data_key), _padded(identity, PERSONAL), self._bound("person", seq))

    def reveal(self, personal: bytes, data_key: bytes, seq: int) -> dict[str, str] | None:
        """What :meth:`hide` hid; None when it was changed.

        Parameters
        ----------
        personal : the part.
        data_key, seq : as :meth:`hide` has them.
        """
        plain = _opened(AESGCM(data_key), personal, self._bound("person", seq))
        return None if plain is None else json.loads(plain)

    def frame(self, entry: Entry, *, previous: str, slot: bytes, personal: bytes) -> bytes:
        """A whole frame.

        Parameters
        ----------
        entry : what is said of it.
        previous : hash of the frame before, 64 hexadecimal digits.
        slot, personal : its other parts; empty for random bytes.
        """
        slot, personal = (slot or world.chance.token_bytes(SLOT)), (personal or world.chance.token_bytes(PERSONAL))
        said = {
            "action": entry.action, "actor": entry.actor, "previous": previous, "pseudonym": entry.pseudonym,
            "reason": entry.reason, "slot": hashlib.sha256(slot).hexdigest(), "utc": entry.utc,
        }  # fmt: skip
        bound = self._bound("audit", entry.seq, hashlib.sha256(personal).hexdigest())
        return slot + personal + _sealed(self._audit, _padded(said, AUDIT), bound)

    def audit(self, frame: bytes, seq: int) -> dict[str, str] | None:
        """What a frame says of itself; None when it is not the frame of that number, or was changed."""
        personal, part = frame[SLOT : SLOT + PERSONAL], frame[SLOT + PERSONAL :]
        plain = _opened(self._audit, part, self._bound("audit", seq, hashlib.sha256(personal).hexdigest()))
        return None if plain is None else json.loads(plain)

    def _bound(self, *parts: str | int) -> bytes:
        return canonical([self._store, *parts]).encode()


def _derived(master: bytes, use: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY, salt=None, info=MAGIC + use.encode()).derive(master)


def _padded(content: Mapping[str, str], size: int) -> bytes:
    """JSON with blanks behind it, which JSON allows, up to the size that is sealed."""
    return canonical(dict(content)).encode().ljust(size - NONCE - TAG)


def _sealed(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = world.chance.token_bytes(NONCE)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _opened(cipher: AESGCM, part: bytes, bound: bytes) -> bytes | None:
    try:
        return cipher.decrypt(part[:NONCE], part[NONCE:], bound)
    except InvalidTag:
        return None


# ------------------------------------------------------------------------------------ the chain
class Journal:
    """The frames as one reader followed them, and the people they make; no identity is kept.

    Attributes
    ----------
    hashes : after each frame, the header's first; ``""`` behind a damaged one.
    entries : of all frames that could be read.
    people : by pseudonym, the erased too.
    damaged : numbers of the frames that were changed or do not follow from the one before.
    other, wiped : numbers of the frames whose slot is not the one that was written, and whose slot is empty.
    """

    def __init__(self, seals: Seals, start: bytes) -> None:
        self.seals = seals
        self.hashes = [hashlib.sha256(start).hexdigest()]
        self.entries: list[Entry] = []
        self.people: dict[str, Person] = {}
        self.damaged: list[int] = []
        self.other: set[int] = set()
        self.wiped: set[int] = set()

    def next(self, action: Action, *, utc: str, actor: str, pseudonym: str, reason: str) -> Entry:
        """The entry behind the last frame.

        Parameters
        ----------
        action, utc, actor, pseudonym, reason : of the entry.
        """
        return Entry(len(self.hashes), utc, actor, action, pseudonym, reason)

    def follow(self, frame: bytes) -> None:
        """Take in the next frame; a damaged one is noted, and the chain goes on behind it."""
        seq, before = len(self.hashes), self.hashes[-1]
        said = self.seals.audit(frame, seq)
        if said is None:
            self.damaged.append(seq)
            self.hashes.append("")
            return
        # Behind a damaged frame its hash is unknown: the frame that follows says what it was.
        follows = before in ("", said["previous"])
        if not follows:
            self.damaged.append(seq)
        if hashlib.sha256(frame[:SLOT]).hexdigest() != said["slot"]:
            self.other.add(seq)
        if frame[:SLOT] == WIPED:
            self.wiped.add(seq)
        self.hashes.append(linked(said["previous"], frame))
        self._apply(_entry(seq, said))

    def _apply(self, entry: Entry) -> None:
        self.entries.append(entry)
        person = self.people.get(entry.pseudonym)
        if entry.action == "add":
            self.people[entry.pseudonym] = Person(entry.seq, entry.seq)
        elif person and entry.action == "amend":
            person.newest = entry.seq
        elif person and entry.action == "erase":
            person.erased = True

    def faults(self) -> list[int]:
        """Numbers of damaged frames, those among them whose slot was changed though nobody was erased."""
        erased = {person.added for person in self.people.values() if person.erased}
        return sorted({*self.damaged, *(self.other - erased)})

    def unfinished(self) -> list[int]:
        """Frames whose slot is not empty though its person was erased: the computer stopped in between."""
        return [p.added for p in self.people.values() if p.erased and p.added not in self.wiped]


def linked(previous: str, frame: bytes) -> str:
    """Hash of a frame from the hash before it; the slot stays out of it."""
    return hashlib.sha256(bytes.fromhex(previous) + frame[SLOT:]).hexdigest()


def _entry(seq: int, said: Mapping[str, Any]) -> Entry:
    return Entry(seq, said["utc"], said["actor"], said["action"], said["pseudonym"], said["reason"])
