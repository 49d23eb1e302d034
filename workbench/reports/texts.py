"""The texts of the reports: ``locale.json``, language → key → text with ``{placeholders}``.

Messages in the record (a consequence in the ledger, why a trial is excluded) are in the catalogue of
:mod:`workbench.messages`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from workbench import messages
from workbench.errors import UnknownName
from workbench.messages import Message

LANGUAGES = ("en", "zh-CN")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """All texts: ``{"en": {key: text}, "zh-CN": {key: text}}``."""
    loaded: dict[str, dict[str, str]] = json.loads(
        files("workbench.reports").joinpath("locale.json").read_text(encoding="utf-8")
    )
    return loaded


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language.

    Raises
    ------
    UnknownName
        For a language or a key that is not in the catalogue.
    """

    language: str

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise UnknownName(Message("report.language", allowed=list(LANGUAGES), got=repr(self.language)))

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its placeholders filled in; values are inserted as they are."""
        return self.raw(key).format(**values)

    def raw(self, key: str) -> str:
        """The text of a key with its placeholders as they are, for a figure that fills them in."""
        texts = catalogue()[self.language]
        if key not in texts:
            raise UnknownName(Message("report.no_text", key=repr(key)))
        return texts[key]

    def word(self, prefix: str, code: str) -> str:
        """The word for a code such as an outcome, or the code itself when the catalogue does not know it."""
        return catalogue()[self.language].get(f"{prefix}_{code}", code)

    def translate(self, text: str) -> str:
        """A recorded message in this language; a text without a code, and what people wrote, as it is."""
        return messages.translate(text, language=self.language)

    def moment(self, utc: str) -> str:
        """A UTC time stamp to the minute, ``20 Nov 2026, 18:00 UTC``; any other text stays as it is."""
        try:
            when = datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone(UTC)
        except ValueError:
            return utc or self("unknown")
        if self.language == "en":
            return f"{when.day} {_MONTHS[when.month - 1]} {when.year}, {when:%H:%M} UTC"
        return f"{when:%Y-%m-%d %H:%M} UTC"
