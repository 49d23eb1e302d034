"""Which faces a page can use, and what of a text they hold. A missing glyph is spelled out, never a box."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager

from workbench.figures.palette import CHINESE

_CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_FILES = re.compile(r"(NotoSansCJK|NotoSansSC|SourceHanSans|msyh|PingFang|Hiragino|wqy|simhei)", re.IGNORECASE)


def holds_chinese(text: str) -> bool:
    """Whether a text has a character that only a Chinese face holds."""
    return _CJK.search(text) is not None


def latin_folder() -> Path:
    """Folder of the faces that matplotlib ships, which every page uses."""
    return Path(mpl.get_data_path()) / "fonts" / "ttf"


@lru_cache(maxsize=1)
def chinese_font() -> tuple[str, Path] | None:
    """Name and file of the first installed Simplified Chinese face, None when there is none."""
    found = _chinese_entry()
    if found is None:
        for path in font_manager.findSystemFonts():
            if _FILES.search(Path(path).name):
                font_manager.fontManager.addfont(path)
        found = _chinese_entry()
    return found


def _chinese_entry() -> tuple[str, Path] | None:
    """The same, from the faces matplotlib knows already."""
    for name in CHINESE:
        for entry in font_manager.fontManager.ttflist:
            if entry.name == name and Path(entry.fname).exists():
                return name, Path(entry.fname)
    return None


@lru_cache(maxsize=4)
def _covered(*files: str) -> frozenset[int]:
    """Code points that every one of the files holds."""
    return frozenset.intersection(*(frozenset(font_manager.get_font(file).get_charmap()) for file in files))


def _settable(letter: str) -> bool:
    code = ord(letter)
    if 32 <= code < 127:
        return True
    folder = latin_folder()
    if code in _covered(str(folder / "DejaVuSans.ttf"), str(folder / "DejaVuSansMono.ttf")):
        return True
    chinese = chinese_font()
    return chinese is not None and code in _covered(str(chinese[1]))


def printable(text: str) -> str:
    """The text with everything a page cannot show spelled out, as ``[U+202E]``.

    Control, direction and unassigned characters, and those no face holds, are spelled; tab and newline
    become a space. Chinese is kept even without a face for it: the renderer refuses it with a message.
    """
    return "".join(_spell(letter) for letter in unicodedata.normalize("NFC", text))


def _spell(letter: str) -> str:
    if letter in "\t\n\r":
        return " "
    category = unicodedata.category(letter)
    if category in ("Cc", "Cf", "Cs", "Co", "Cn") or not (_settable(letter) or holds_chinese(letter)):
        return f"[U+{ord(letter):04X}]"
    return letter
