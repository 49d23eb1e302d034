"""Fonts that a page can use, and the characters they cover. A missing glyph is spelled out, never a box."""

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
    """Whether a text has a character that only a Chinese font covers."""
    return _CJK.search(text) is not None


def latin_folder() -> Path:
    """Folder of the fonts that matplotlib ships, which every page uses."""
    return Path(mpl.get_data_path()) / "fonts" / "ttf"


@lru_cache(maxsize=1)
def chinese_font() -> tuple[str, Path] | None:
    """Name and file of the first installed Simplified Chinese font, None when there is none."""
    entry = _chinese_entry()
    if entry is None:
        # matplotlib's list is cached from its first start: a font installed later is missing from it.
        for path in font_manager.findSystemFonts():
            if _FILES.search(Path(path).name):
                font_manager.fontManager.addfont(path)
        entry = _chinese_entry()
    return entry


def _chinese_entry() -> tuple[str, Path] | None:
    """The same, among the fonts that matplotlib already knows."""
    for name in CHINESE:
        for entry in font_manager.fontManager.ttflist:
            if entry.name == name and Path(entry.fname).exists():
                return name, Path(entry.fname)
    return None


@lru_cache(maxsize=4)
def _covered(*files: str) -> frozenset[int]:
    """Code points that all of the files cover."""
    return frozenset.intersection(*(frozenset(font_manager.get_font(file).get_charmap()) for file in files))


def _settable(letter: str) -> bool:
    code = ord(letter)
    # Nearly all text: the fonts need not be opened for it.
    if 32 <= code < 127:
        return True
    folder = latin_folder()
    if code in _covered(str(folder / "DejaVuSans.ttf"), str(folder / "DejaVuSansMono.ttf")):
        return True
    chinese = chinese_font()
    return chinese is not None and code in _covered(str(chinese[1]))


def printable(text: str) -> str:
    """The text with everything a page cannot show spelled out, as ``[U+202E]``.

    Control, direction and unassigned characters, and those that no font covers, are spelled out; tab and newline
    become a space. Chinese is kept even without a font for it: the renderer refuses it with a message.
    """
    # Nearly all text.
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spell(letter) for letter in unicodedata.normalize("NFC", text))


def _spell(letter: str) -> str:
    if letter in "\t\n\r":
        return " "
    # Direction marks could reorder what a reader sees, so they are shown and not obeyed.
    category = unicodedata.category(letter)
    if category in ("Cc", "Cf", "Cs", "Co", "Cn") or not (_settable(letter) or holds_chinese(letter)):
        return f"[U+{ord(letter):04X}]"
    return letter
