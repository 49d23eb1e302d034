"""The catalogue of the pages' texts, ``locale.json``: language → key → text with ``{placeholders}``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from workbench.errors import UnknownName
from workbench.messages import Message

LANGUAGES = ("en", "zh-CN")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All texts: ``{"en": {key: text}, "zh-CN": {key: text}}``."""
    loaded: dict[str, dict[str, str]] = json.loads(
        (Path(__file__).parent / "locale.json").read_text(encoding="utf-8")
    )
    return loaded


def text(key: str, *, language: str = "en", **args: object) -> str:
    """One text of the catalogue with its placeholders filled in.

    Raises
    ------
    UnknownName
        When the language or the key is not in the catalogue.
    """
    if language not in LANGUAGES:
        raise UnknownName(Message("report.language", allowed=list(LANGUAGES), got=repr(language)))
    texts = catalogue()[language]
    if key not in texts:
        raise UnknownName(Message("page.no_text", key=repr(key)))
    return texts[key].format(**args)
