"""What comes out of a file of another system: a definition, whole or in part, and what was left behind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from workbench.messages import Message
from workbench.study.nouns import LONGEST_NAME, UNSEEN
from workbench.study.protocol import Protocol
from workbench.study.protocol_reading import CODE, LONGEST_TEXT, BadProtocol, day_of

LONGEST_CODE = 64


@dataclass(frozen=True, slots=True)
class Imported:
    """A protocol out of a file of another system.

    Attributes
    ----------
    definition : as :meth:`workbench.study.protocol.Protocol.definition` has it, as far as the file goes.
    notes : what was not taken over, or not as it was.
    problems : what has to be completed before it is a protocol; empty for a whole one.
    where : names the file.
    """

    definition: Mapping[str, Any]
    notes: tuple[Message, ...]
    problems: tuple[Message, ...]
    where: str

    @property
    def protocol(self) -> Protocol:
        """The protocol. Raises BadProtocol while there are problems."""
        return Protocol.from_definition(self.definition, where=self.where)

    @property
    def sha256(self) -> str:
        """SHA-256 of the protocol. Raises BadProtocol while there are problems."""
        return self.protocol.sha256

    def toml(self) -> str:
        """The definition as the text of a protocol file."""
        # Here, as only a command that writes a file needs it.
        import tomli_w

        return tomli_w.dumps(_dated(self.definition))


def completed(definition: Mapping[str, Any], notes: tuple[Message, ...], where: str) -> Imported:
    """What was imported, with what is missing for a protocol.

    Parameters
    ----------
    definition : as far as the file goes.
    notes : what was not taken over.
    where : names the file.
    """
    try:
        whole = Protocol.from_definition(definition, where=where)
    except BadProtocol as error:
        return Imported(definition, notes, error.problems, where)
    return Imported(whole.definition(), notes, (), where)


def _dated(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition whose day is a date, as a person writes it."""
    about = dict(definition.get("study", {}))
    day: date | None = day_of(about.get("effective_from"))
    return {**definition, "study": about if day is None else {**about, "effective_from": day}}


def as_name(text: str) -> str:
    """A text as a name of the protocol: one line, of bounded length, all of it seen."""
    seen = "".join(" " if unicodedata.category(c) in UNSEEN else c for c in text)
    return " ".join(seen.split())[:LONGEST_NAME].strip()


def as_text(text: str) -> str:
    """A text of the protocol: of bounded length, without control characters."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return kept.strip()[:LONGEST_TEXT].strip()


def as_code(text: str, taken: dict[str, int] | None = None) -> str:
    """A text as a code of the protocol, different from those that are taken.

    Parameters
    ----------
    text : such as the name of a form in another system.
    taken : codes so far, kept by :func:`different`.
    """
    code = text if CODE.fullmatch(text) else re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("_.-")[:LONGEST_CODE]
    return different(code or "x", {} if taken is None else taken, LONGEST_CODE)


def choices_of(listed: Sequence[tuple[str, str]]) -> list[str]:
    """What may be chosen, each once: the words of a list, or its codes where a word is missing or stands twice.

    Parameters
    ----------
    listed : ``(code, word)`` of every choice in another system.
    """
    words = [as_name(word) for _, word in listed]
    chosen = words if all(words) and len(set(words)) == len(words) else [as_name(code) for code, _ in listed]
    return [one for one in dict.fromkeys(chosen) if one]


def different(name: str, taken: dict[str, int], longest: int) -> str:
    """A name that is not taken yet: with a number behind it where it is. It is taken from now on.

    Parameters
    ----------
    name : that is wanted.
    taken : names so far, each with the last number that was put behind it.
    longest : characters of it.
    """
    name = name[:longest]
    chosen, n = name, taken.get(name, 1)
    while chosen in taken:
        n += 1
        chosen = f"{name[: longest - len(str(n)) - 1]}_{n}"
    taken[name] = max(n, taken.get(name, 1))
    taken.setdefault(chosen, 1)
    return chosen
