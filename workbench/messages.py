"""What the workbench says: a code and its arguments, one catalogue, in every language of the interface.

``messages.json`` holds code → language → sentence with ``{places}``. A :class:`Message` is a text, the English
sentence, which the record keeps; it also knows its code and arguments, so that a screen or a report can say it in
another language. Nothing reads a sentence back into its parts: a text without a code, such as a note that a person
wrote or a row of an old recording, is shown as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, get_args

Language = Literal["en", "zh-CN"]
LANGUAGES: tuple[str, ...] = get_args(Language)
BETWEEN: Mapping[str, str] = {"en": ", ", "zh-CN": "、"}
"""What stands between the words of a list."""
AFTER: Mapping[str, str] = {"en": " ", "zh-CN": ""}
"""What stands after a sentence of a list."""
SAID = "said"
"""Key under which a JSON object carries codes and arguments of the sentences beside it."""

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
"""A Chinese character or mark, as the scripts of the widgets know one too."""
PLACE = re.compile(r"\{(\w+)\}")
"""A place of a sentence."""

Argument = str | int | Sequence[str]
"""What fills a place: a word or a formatted number, a count, another message, or a list of words or messages."""


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """All sentences: ``{code: {"en": sentence, "zh-CN": sentence}}``."""
    loaded: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return loaded


LONGEST_SENTENCE = 2000
"""Characters beyond which an error is taken to quote long input."""
QUOTED = 200
"""Characters of each text that such a sentence still quotes."""


class Message(str):
    """An English sentence that knows its code and its arguments.

    Parameters
    ----------
    code : of ``messages.json``.
    **arguments : what fills its places. Numbers other than counts are given as they are to be read.

    Raises
    ------
    KeyError
        For a code that the catalogue does not hold, or a place without an argument: a defect, which a test finds.
    """

    __slots__ = ("arguments", "code")
    code: str
    arguments: Mapping[str, Argument]

    def __new__(cls, code: str, /, **arguments: Argument) -> Self:
        """The English sentence of a code."""
        kept = {name: _argument(value) for name, value in arguments.items()}
        message = super().__new__(cls, _filled(code, kept, "en"))
        message.code, message.arguments = code, kept
        return message

    def bounded(self) -> Message:
        """Itself, or, where it is longer than :data:`LONGEST_SENTENCE`, with all that it quotes at length cut."""
        if len(self) <= LONGEST_SENTENCE:
            return self
        return Message(self.code, **{name: _cut(value) for name, value in self.arguments.items()})

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Argument]]:
        return (self.code,), dict(self.arguments)


def translate(text: Argument, *, language: str) -> str:
    """A message in a language; any other text as it is."""
    if isinstance(text, Message):
        return _filled(text.code, text.arguments, language)
    if isinstance(text, str | int):
        return str(text)
    parts = [translate(part, language=language) for part in text]
    return "".join(
        f"{part}{(AFTER if part.endswith(('.', '。')) else BETWEEN)[language]}" for part in parts[:-1]
    ) + "".join(parts[-1:])


def of(error: BaseException) -> str:
    """The sentence of an error: its message where it was raised with one, else its text."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Message) else str(error)


def _argument(value: Argument) -> Argument:
    """A value as a message keeps it.

    What an error refuses may be of any type, whatever its annotation says: it must not fail again in its sentence.
    """
    return value if isinstance(value, str | int | list | tuple) else str(value)


def _cut(value: Argument) -> Argument:
    if isinstance(value, int):
        return value
    return _quoted(value) if isinstance(value, str) else [_quoted(part) for part in value]


def _quoted(text: str) -> str:
    if isinstance(text, Message):
        return Message(text.code, **{name: _cut(value) for name, value in text.arguments.items()})
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"


def _filled(code: str, arguments: Mapping[str, Argument], language: str) -> str:
    known = catalogue()[code]
    sentence = known.get(language, known["en"])
    values = {name: translate(value, language=language) for name, value in arguments.items()}
    # A sentence that quotes braces has no other place beside a space.
    if language != "zh-CN" or "{{" in sentence:
        return sentence.format(**values)
    first, *rest = PLACE.split(sentence)
    for name, text in zip(rest[::2], rest[1::2], strict=True):
        first = _joined(_joined(first, values[name]), text)
    return first


def _joined(text: str, more: str) -> str:
    """One text after the other: a space stands between Chinese and other scripts, and not within Chinese."""
    if text[-1:] == " " and CHINESE.match(text[-2:-1]) and CHINESE.match(more):
        return text[:-1] + more
    if more[:1] == " " and CHINESE.match(text[-1:]) and CHINESE.match(more[1:]):
        return text + more[1:]
    return text + more


# ------------------------------------------------------------------ as JSON
_PLAIN = frozenset((str, int, float, bool, type(None)))
"""Types of what JSON holds as it is; a message is of none of them."""
_LISTS = (list, tuple)
_OBJECTS = (dict, Mapping)
"""The usual type first: asking for the abstract one takes longer than all else."""


def carried(value: Any) -> Any:
    """A JSON-able value with the codes of its messages: each object holds those of its fields as ``said``."""
    if isinstance(value, Message):
        return str(value)
    if isinstance(value, _LISTS):
        return [part if type(part) in _PLAIN else carried(part) for part in value]
    if not isinstance(value, _OBJECTS):
        return value
    # The engine's loop does this ten times a second with everything that a screen shows, so that plain values are
    # passed on without a call.
    plain, codes = {}, {}
    for name, part in value.items():
        if type(part) in _PLAIN:
            plain[name] = part
            continue
        plain[name] = carried(part)
        if (coded := _coded(part)) is not None:
            codes[name] = coded
    return {**plain, SAID: codes} if codes else plain


def restored(value: Any) -> Any:
    """What :func:`carried` made, read back: its texts are messages again, and ``said`` is gone.

    A code that this version does not know, or that says something else than the text beside it, leaves the text.
    A field that happens to be called ``said`` and is about none of those beside it stays.
    """
    # A recording holds thousands of objects of plain values, which are passed on without a call.
    if isinstance(value, list):
        return [part if type(part) in _PLAIN else restored(part) for part in value]
    if type(value) in _PLAIN or not isinstance(value, _OBJECTS):
        return value
    codes = value.get(SAID)
    # Strictly fewer than all keys: `said` itself is never coded, and codes without their texts are somebody's own
    # data.
    if not (codes and isinstance(codes, _OBJECTS) and set(codes) < set(value)):
        return {name: part if type(part) in _PLAIN else restored(part) for name, part in value.items()}
    return {
        name: _decoded(codes[name], part) if name in codes else restored(part)
        for name, part in value.items()
        if name != SAID
    }


def _coded(value: Any) -> Any:
    """Code and arguments of a message, those of a list that holds messages, None for anything else."""
    if isinstance(value, Message):
        arguments = {name: _coded(part) or _plain(part) for name, part in value.arguments.items()}
        return {"code": value.code, "args": arguments}
    if isinstance(value, _LISTS) and any(isinstance(part, Message) for part in value):
        return [_coded(part) or _plain(part) for part in value]
    return None


def _plain(value: Argument) -> Any:
    return list(value) if not isinstance(value, str | int) else value


def _decoded(coded: Any, text: Any) -> Any:
    try:
        message = _message(coded)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError):
        return text
    # The text is the record. A catalogue that words the code differently now must not rewrite it.
    return message if message == text else text


def _message(coded: Any) -> Any:
    if isinstance(coded, Mapping):
        return Message(str(coded["code"]), **{str(name): _message(part) for name, part in coded["args"].items()})
    return [_message(part) for part in coded] if isinstance(coded, list) else coded
