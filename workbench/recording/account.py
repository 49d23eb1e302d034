"""What became of a recording, for the person who has to decide what to do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from workbench import messages
from workbench.messages import Message


@dataclass(frozen=True, slots=True)
class Account:
    """What was found, what was saved, what is lost, and what to do next: each one or more sentences, messages."""

    found: tuple[str, ...]
    saved: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    next: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it as one message."""
        if not self.next:
            return self.found[0]
        return Message("recover.account", found=self.found, saved=self.saved, lost=self.lost, next=self.next)

    def text(self, name: str) -> str:
        """All of it on lines of their own, below the name of the recording."""
        lines = [name]
        for field in fields(self):
            for n, sentence in enumerate(getattr(self, field.name)):
                label = f"{field.name}:" if n == 0 else ""
                lines.append(f"  {label:6} {sentence}")
        return "\n".join(lines)

    def plain(self) -> dict[str, Any]:
        """As JSON for the end entry of an index, with the codes of its messages."""
        content: dict[str, Any] = messages.carried(asdict(self))
        return content

    @classmethod
    def of_note(cls, note: Mapping[str, Any]) -> Self:
        """From an end entry; one of a version before holds a single sentence.

        Raises
        ------
        ValueError
            When its account is not four lists of texts.
        """
        stored = messages.restored(note.get("account") or {"found": [str(note.get("sentence", ""))]})
        parts = {field.name: stored.get(field.name, []) for field in fields(cls)}
        texts = [text for part in parts.values() for text in (part if isinstance(part, list) else [None])]
        if not parts["found"] or not all(isinstance(text, str) for text in texts):
            raise ValueError(stored)
        return cls(**{name: tuple(part) for name, part in parts.items()})


def samples_lost(lost: Mapping[str, tuple[int, float | None]]) -> list[str]:
    """How many samples of which stream, and how long that is.

    Parameters
    ----------
    lost : name of a stream → samples, 0 where their number is not known, and s, None where it has no rate.
    """
    phrases: list[str] = []
    for name, (n, seconds) in lost.items():
        if not n:
            what = Message("recover.part_of", stream=repr(name))
        elif n == 1:
            what = Message("recover.sample_of", stream=repr(name))
        else:
            what = Message("recover.samples_of", n=f"{n:,}", stream=repr(name))
        phrases.append(
            what if seconds is None else Message("recover.lasting", what=what, seconds=f"{seconds:.3f}")
        )
    return phrases


def bytes_kept(n_bytes: int, n_chunks: int, place: str) -> str:
    """How much is whole.

    Parameters
    ----------
    n_bytes, n_chunks : that are whole.
    place : name of the file that they are in.
    """
    return Message("recover.kept", bytes=f"{n_bytes:,}", chunks=f"{n_chunks:,}", place=place)


def bytes_lost(n_bytes: int, where: str, parts: Sequence[str]) -> str:
    """How many bytes are lost.

    Parameters
    ----------
    n_bytes : lost.
    where : they stood, a message.
    parts : what they held, as far as that is known.
    """
    if not parts:
        return Message("recover.lost_bytes", bytes=f"{n_bytes:,}", where=where)
    return Message("recover.lost", bytes=f"{n_bytes:,}", where=where, what=list(parts))
