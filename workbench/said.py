"""What the engine says, in another language. The English sentence is the record; this is how it is shown.

``said.json`` holds language → English sentence → sentence. A sentence is found by its fixed words, and what stands
at its ``{places}`` is carried over: a place of one letter is a number, a longer one words, which may be a
sentence again. What people wrote, such as a note, stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from workbench import messages

_PLACE = re.compile(r"\{(\w+)\}")


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """All of them: ``{"zh-CN": {English: Chinese}}``."""
    loaded: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return loaded


def told(sentence: str, *, language: str) -> str:
    """A recorded English sentence in a language; one that is not known, and any in English, as it is."""
    if isinstance(sentence, messages.Message):
        return messages.told(sentence, language=language)
    for pattern, text in _patterns(language):
        if found := pattern.fullmatch(sentence):
            places = {name: told(value, language=language) for name, value in found.groupdict().items()}
            return text.format(**places)
    return sentence


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Pattern of each sentence → its text, those with more fixed words first."""
    known = sentences().get(language, {}).items()
    ordered = sorted(known, key=lambda pair: (-len(_PLACE.sub("", pair[0])), pair[0]))
    return tuple((_pattern(english), text) for english, text in ordered)


def _pattern(english: str) -> re.Pattern[str]:
    parts = _PLACE.split(english)
    places = [f"(?P<{name}>{r'[-−+]?[0-9.,]+' if len(name) == 1 else '.+?'})" for name in parts[1::2]]
    fixed = [re.escape(part) for part in parts[::2]]
    return re.compile("".join(f + p for f, p in zip(fixed, [*places, ""], strict=True)), re.DOTALL)
