"""What opens a list and proves it: seed and master key. Kept where no blinded person reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from workbench.errors import BadValue, RecordFault
from workbench.messages import Message
from workbench.study.chain import canonical
from workbench.study.randomisation import merkle
from workbench.study.randomisation.design import LONGEST_NAME, Design, is_name
from workbench.study.randomisation.draws import GENERATOR_VERSION, check_seed

FORMAT = "workbench randomisation secret 1"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """Everything that a list, or a minimisation, is made from. Never printed.

    Parameters
    ----------
    list_id : of the list; names it in every slot.
    design : of the randomisation.
    seed : of 128 bits, drawn by ``world.chance.randbits(128)``.
    key : list master key, 32 bytes drawn by ``world.chance.token_bytes(32)``.
    generator : version of the code that draws from the seed; a later one still opens what this one sealed.

    Raises
    ------
    BadValue
        For a list id, seed or key that is none; the sentence does not show the last two.
    """

    list_id: str
    design: Design
    seed: int = field(repr=False)
    key: bytes = field(repr=False)
    generator: int = GENERATOR_VERSION

    def __post_init__(self) -> None:
        check_list_id(self.list_id)
        check_seed(self.seed)
        if not isinstance(self.key, bytes) or len(self.key) != KEY_BYTES:
            n = len(self.key) if isinstance(self.key, bytes) else 0
            raise BadValue(Message("randomisation.key", n=KEY_BYTES, got=n))
        if type(self.generator) is not int or self.generator < 1:
            raise BadValue(Message("randomisation.generator_number", got=f"{self.generator!r:.20}"))

    def slot_keys(self, stratum: str, seq: int) -> tuple[bytes, bytes]:
        """``(key, salt)`` of one slot, 32 bytes each.

        Parameters
        ----------
        stratum, seq : of the slot.
        """
        derived = self._derive(["slot", self.list_id, stratum, seq], 64)
        return derived[:32], derived[32:]

    def commitment(self) -> str:
        """Salted hash of design and seed, 64 hexadecimal digits: can be shown, and tells nothing.

        In the record before the first participant it keeps anybody from choosing another seed afterwards. A sealed
        list contains it; a minimisation has nothing else.
        """
        return merkle.leaf(self._derive(["commitment", self.list_id], 32), self._source())

    def to_json(self) -> dict[str, Any]:
        """Plain data that :meth:`of` reads back."""
        return {
            "format": FORMAT,
            "generator": self.generator,
            "list_id": self.list_id,
            "design": self.design.to_json(),
            "seed": f"{self.seed:032x}",
            "key": self.key.hex(),
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The secret that :meth:`to_json` wrote.

        Parameters
        ----------
        content : plain data.

        Raises
        ------
        RecordFault
            When it is not one; the sentence shows nothing of it.
        """
        try:
            if content["format"] != FORMAT:
                raise ValueError(FORMAT)
            table = content["design"]
            design = Design.of(table, list(table["ratio"]))
            seed, key = int(content["seed"], 16), bytes.fromhex(content["key"])
            return cls(content["list_id"], design, seed, key, content["generator"])
        except (LookupError, TypeError, ValueError, AttributeError):
            # Without the cause: what could not be read may be the seed.
            raise RecordFault(Message("randomisation.no_secret")) from None

    def _source(self) -> bytes:
        content = {
            "generator": self.generator,
            "list_id": self.list_id,
            "design": self.design.to_json(),
            "seed": f"{self.seed:032x}",
        }
        return canonical(content).encode()

    def _derive(self, purpose: list[Any], n: int) -> bytes:
        """HKDF-SHA256 of the master key.

        All that a slot's content depends on goes into its key, so that a key never seals two contents, whatever a
        caller does with one master key.
        """
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        salt = hashlib.sha256(self._source()).digest()
        return HKDF(SHA256(), length=n, salt=salt, info=canonical([FORMAT, *purpose]).encode()).derive(self.key)


def check_list_id(list_id: Any) -> None:
    """Refuse a list id that does not show what it is.

    Raises
    ------
    BadValue
        With what was got.
    """
    if not is_name(list_id):
        raise BadValue(Message("randomisation.list_id", most=LONGEST_NAME, got=f"{list_id!r:.60}"))
