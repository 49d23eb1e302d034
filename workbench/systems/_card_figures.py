"""The one figure of a system that its card shows: a long test measured it on simulated participants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from workbench import reading, world
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.systems._system import words

KEPT = Path(__file__).with_name("card_figures.json")
LARGEST = 1_000_000
"""Bytes of the largest file of kept figures."""

MEASURES = {
    "f1": words("event F1", "事件 F1"),
    "decided": words("cues decided as cued", "判定与提示一致的比例"),
    "likeliest": words("likeliest state as cued", "最可能状态与提示一致的比例"),
    "error_uv": words("error, loop closed", "闭环误差"),
    "accuracy": words("selections right", "选择正确的比例"),
}
"""What is measured, in words."""


@dataclass(frozen=True, slots=True)
class CardFigure:
    """A figure over simulated participants.

    Attributes
    ----------
    measure : of :data:`MEASURES`.
    value, low, high : mean over participants with its 95 % interval, None where there is none.
    unit : of these; ``""`` for a share.
    n : participants.
    command : that printed it.
    """

    measure: str
    value: float
    low: float | None
    high: float | None
    n: int
    unit: str = ""
    command: str = ""


@cache
def card_figures() -> Mapping[str, CardFigure]:
    """The kept figure of each system that has one, by its name."""
    return _read(KEPT)


def keep_card_figures(path: Path, measured: Mapping[str, CardFigure]) -> None:
    """Enter figures into a file of them; one of the same system is replaced.

    Raises
    ------
    BadValue
        For a file that holds something else or cannot be written.
    """
    kept = _read(path) if reading.is_there(path, "file of card figures") else {}
    merged = {name: asdict(one) for name, one in sorted({**kept, **measured}.items())}
    text = json.dumps(merged, indent=1, ensure_ascii=False) + "\n"
    try:
        world.disk.save(path, text.encode(), mode=0o644)
    except OSError as error:
        raise BadValue(Message("card.unwritable", file=reading.shown(path), why=str(error.strerror))) from error


def _read(path: Path) -> Mapping[str, CardFigure]:
    what = "file of card figures"
    content = reading.parse_json(reading.read_text(path, what, largest=LARGEST), f"{what} {reading.shown(path)}")
    try:
        return {name: CardFigure(**one) for name, one in content.items()}
    except (TypeError, AttributeError):
        raise BadValue(Message("card.unread", file=reading.shown(path))) from None
