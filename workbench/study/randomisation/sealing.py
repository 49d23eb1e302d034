"""A list of which each slot is encrypted by itself, and whose root commits to all of them.

Each slot is the canonical JSON of ``[list id, stratum, seq, arm]``, padded with zero bytes to the length of the
longest that the design allows, and sealed by AES-256-GCM under a key of its own. The same text, salted, is a
leaf of the hash tree. The root of the list is the node of its head and of the root of that tree; the head
covers format, version of the generator, commitment to design and seed, and every ciphertext with its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from workbench.errors import RecordFault, Refused, UnknownName
from workbench.messages import Message
from workbench.study.chain import canonical, clean_text
from workbench.study.randomisation import merkle
from workbench.study.randomisation.design import MOST_IN_ALL, Design
from workbench.study.randomisation.draws import GENERATOR_VERSION
from workbench.study.randomisation.lists import generate
from workbench.study.randomisation.secret import Secret, check_list_id

FORMAT = "workbench randomisation list 1"
NONCE = bytes(12)
"""May be the same for all: each key seals one text, once."""
LONGEST_TEXT, LONGEST_CIPHER = 10_000, 40_000
"""Characters of a stratum, hexadecimal digits of a ciphertext that are read."""
DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SealedSlot:
    """One slot as a blinded person may see it.

    Parameters
    ----------
    stratum : canonical JSON of factor → level.
    seq : its number in the stratum, from 1.
    cipher : the sealed allocation, as long in every slot of the list.
    leaf : commitment to the allocation, 64 hexadecimal digits.
    """

    stratum: str
    seq: int
    cipher: bytes
    leaf: str


@dataclass(frozen=True, slots=True)
class SealedList:
    """A list without its secret: safe to store where blinded people read.

    Parameters
    ----------
    list_id : of the list.
    generator : version of the code that drew it.
    made_from : commitment to its design and seed.
    slots : by stratum, in order.
    root : commitment to everything above; belongs into the record before the first participant.
    """

    list_id: str
    generator: int
    made_from: str
    slots: tuple[SealedSlot, ...]
    root: str

    def length(self, stratum: str) -> int:
        """Slots of a stratum. Raises UnknownName for one that the list does not have."""
        n = sum(slot.stratum == stratum for slot in self.slots)
        if n == 0:
            raise UnknownName(Message("randomisation.no_stratum", list=self.list_id, got=f"{stratum!s:.80}"))
        return n

    def place(self, stratum: str, seq: int) -> int:
        """Index of a slot. Raises UnknownName for one that the list does not have.

        Parameters
        ----------
        stratum, seq : of the slot.
        """
        n = self.length(stratum)
        for index, slot in enumerate(self.slots):
            if (slot.stratum, slot.seq) == (stratum, seq):
                return index
        got = f"{seq!r:.60}"
        raise UnknownName(Message("randomisation.no_slot", list=self.list_id, stratum=stratum, n=n, got=got))

    def head(self) -> str:
        """Hash over all that stands outside the tree."""
        content = {
            "format": FORMAT,
            "list_id": self.list_id,
            "generator": self.generator,
            "made_from": self.made_from,
            "sealed": [[slot.stratum, slot.seq, slot.cipher.hex()] for slot in self.slots],
        }
        return merkle.leaf(b"", canonical(content).encode())

    def computed_root(self) -> str:
        """The root that the rest of the list leads to."""
        return merkle.node(self.head(), merkle.root([slot.leaf for slot in self.slots]))

    def check(self) -> None:
        """Whether slots stand in order and the root commits to what is here. Needs no secret.

        Raises
        ------
        RecordFault
            When something of it was changed.
        """
        counted: dict[str, int] = {}
        for slot in self.slots:
            counted[slot.stratum] = counted.get(slot.stratum, 0) + 1
            if slot.seq != counted[slot.stratum]:
                raise RecordFault(Message("randomisation.order", list=self.list_id, stratum=slot.stratum))
        if self.computed_root() != self.root:
            raise RecordFault(Message("randomisation.root", list=self.list_id))

    def to_json(self) -> dict[str, Any]:
        """Plain data that :meth:`of` reads back."""
        slots = [[slot.stratum, slot.seq, slot.cipher.hex(), slot.leaf] for slot in self.slots]
        return {
            "format": FORMAT,
            "list_id": self.list_id,
            "generator": self.generator,
            "made_from": self.made_from,
            "slots": slots,
            "root": self.root,
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The list that :meth:`to_json` wrote, checked.

        Parameters
        ----------
        content : plain data.

        Raises
        ------
        RecordFault
            When it is none, or something of it was changed.
        """
        try:
            sealed = cls(**_fields(content))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise RecordFault(Message("randomisation.no_sealed_list", why=f"{error!s:.80}")) from error
        sealed.check()
        return sealed


@dataclass(frozen=True, slots=True)
class SlotProof:
    """One slot laid open, which everybody can check against the root of its list.

    Parameters
    ----------
    list_id, stratum, seq, arm : what the slot says.
    salt : of its leaf, 64 hexadecimal digits.
    path : from its leaf to the root.
    """

    list_id: str
    stratum: str
    seq: int
    arm: str
    salt: str
    path: merkle.Path

    def holds(self, root: str) -> bool:
        """Whether a root commits to this slot."""
        text = _slot_text(self.list_id, self.stratum, self.seq, self.arm)
        return merkle.climb(merkle.leaf(bytes.fromhex(self.salt), text), self.path) == root


def seal(secret: Secret) -> SealedList:
    """Draw a list and seal it. The same secret gives the same list, to the byte.

    Parameters
    ----------
    secret : of a design of kind ``blocks`` or ``simple``.

    Raises
    ------
    BadValue
        For a minimisation, which has no list.
    Refused
        For a seed from which another version of the generator draws.
    """
    if secret.generator != GENERATOR_VERSION:
        own, got = GENERATOR_VERSION, secret.generator
        raise Refused(Message("randomisation.generator", list=secret.list_id, got=got, own=own))
    arms = generate(secret.design, secret.seed)
    length = _padded_length(secret.list_id, secret.design)
    slots = tuple(
        _sealed(secret, stratum, seq, arm, length)
        for stratum, drawn in arms.items()
        for seq, arm in enumerate(drawn, start=1)
    )
    unrooted = SealedList(secret.list_id, GENERATOR_VERSION, secret.commitment(), slots, "")
    return SealedList(secret.list_id, GENERATOR_VERSION, unrooted.made_from, slots, unrooted.computed_root())


def open_slot(sealed: SealedList, secret: Secret, stratum: str, seq: int) -> str:
    """The arm of one slot, after list, secret and slot were found to belong together.

    Parameters
    ----------
    sealed : the list.
    secret : of the same list.
    stratum, seq : of the slot.

    Raises
    ------
    UnknownName
        For a slot that the list does not have.
    Refused
        When the secret is another list's.
    RecordFault
        When the list, the slot or its place was changed.
    """
    return reveal(sealed, secret, stratum, seq).arm


def open_slots(sealed: SealedList, secret: Secret, places: Iterable[tuple[str, int]]) -> list[str]:
    """The arms of many slots, the list checked once; else as :func:`open_slot`.

    Parameters
    ----------
    sealed : the list.
    secret : of the same list.
    places : stratum and number of each slot.
    """
    sealed.check()
    if sealed.list_id != secret.list_id or sealed.made_from != secret.commitment():
        raise Refused(Message("randomisation.other_secret", list=sealed.list_id, other=secret.list_id))
    slots = {(slot.stratum, slot.seq): slot for slot in sealed.slots}
    arms = []
    for stratum, seq in places:
        slot = slots.get((stratum, seq)) or sealed.slots[sealed.place(stratum, seq)]
        key, salt = secret.slot_keys(stratum, seq)
        text = decrypted(key, slot.cipher)
        if text is None or merkle.leaf(salt, text) != slot.leaf:
            raise _damaged(sealed, stratum, seq)
        arm = str(json.loads(text)[3])
        # The leaf, which the root commits to, must be that of this slot of this list.
        if text != _slot_text(sealed.list_id, stratum, seq, arm):
            raise _damaged(sealed, stratum, seq)
        arms.append(arm)
    return arms


def reveal(sealed: SealedList, secret: Secret, stratum: str, seq: int) -> SlotProof:
    """One slot with its salt and path, so that others can check it; else as :func:`open_slot`.

    Parameters
    ----------
    sealed : the list.
    secret : of the same list.
    stratum, seq : of the slot.
    """
    sealed.check()
    index = sealed.place(stratum, seq)
    if sealed.list_id != secret.list_id or sealed.made_from != secret.commitment():
        raise Refused(Message("randomisation.other_secret", list=sealed.list_id, other=secret.list_id))
    key, salt = secret.slot_keys(stratum, seq)
    text = decrypted(key, sealed.slots[index].cipher)
    if text is None or merkle.leaf(salt, text) != sealed.slots[index].leaf:
        raise _damaged(sealed, stratum, seq)
    arm = str(json.loads(text)[3])
    steps = merkle.path([slot.leaf for slot in sealed.slots], index)
    proof = SlotProof(sealed.list_id, stratum, seq, arm, salt.hex(), (*steps, ("left", sealed.head())))
    # What was decrypted must be this slot of this list; only then does the whole of it lead to the root.
    if not proof.holds(sealed.root):
        raise _damaged(sealed, stratum, seq)
    return proof


def _damaged(sealed: SealedList, stratum: str, seq: int) -> RecordFault:
    return RecordFault(Message("randomisation.slot_changed", list=sealed.list_id, stratum=stratum, seq=seq))


def _slot_text(list_id: str, stratum: str, seq: int, arm: str) -> bytes:
    return canonical([list_id, stratum, seq, arm]).encode()


def _padded_length(list_id: str, design: Design) -> int:
    """Bytes of the longest text that a slot of this design can have, whatever was drawn."""
    return max(
        len(_slot_text(list_id, stratum, design.slots, arm))
        for stratum in design.all_strata()
        for arm in design.ratio
    )


def encrypted(key: bytes, text: bytes, length: int) -> bytes:
    """A text under a key that seals nothing else, as long as any of this length.

    Parameters
    ----------
    key : 32 bytes.
    text : canonical JSON.
    length : of the longest text, bytes.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    # JSON holds no zero byte, so that the padding can be told from the text.
    return AESGCM(key).encrypt(NONCE, text.ljust(length, b"\x00"), None)


def decrypted(key: bytes, cipher: bytes) -> bytes | None:
    """What :func:`encrypted` hid; None when it was changed, or the key is another.

    Parameters
    ----------
    key, cipher : as :func:`encrypted` has them.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(NONCE, cipher, None).rstrip(b"\x00")
    # A cipher that is too short to hold a tag is a ValueError.
    except (InvalidTag, ValueError):
        return None


def _sealed(secret: Secret, stratum: str, seq: int, arm: str, length: int) -> SealedSlot:
    key, salt = secret.slot_keys(stratum, seq)
    text = _slot_text(secret.list_id, stratum, seq, arm)
    return SealedSlot(stratum, seq, encrypted(key, text, length), merkle.leaf(salt, text))


def _fields(content: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a list out of plain data; raises what unfit data does."""
    if content["format"] != FORMAT or type(content["generator"]) is not int:
        raise ValueError(f"format {content['format']!r:.40}")
    if not 1 <= len(content["slots"]) <= MOST_IN_ALL:
        raise ValueError(f"{len(content['slots'])} slots")
    check_list_id(content["list_id"])
    digests = {name: content[name] for name in ("made_from", "root")}
    if not all(map(DIGEST.fullmatch, digests.values())):
        raise ValueError(", ".join(digests))
    slots = tuple(_slot(*entry) for entry in content["slots"])
    return {**digests, "list_id": content["list_id"], "generator": content["generator"], "slots": slots}


def _slot(stratum: Any, seq: Any, cipher: Any, leaf: Any) -> SealedSlot:
    texts = isinstance(stratum, str) and len(stratum) <= LONGEST_TEXT and type(seq) is int
    if not texts or not DIGEST.fullmatch(leaf) or len(cipher) > LONGEST_CIPHER:
        raise ValueError(f"slot {seq!r:.20}")
    return SealedSlot(clean_text(stratum), seq, bytes.fromhex(cipher), leaf)
