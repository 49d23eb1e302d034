"""The design tokens that figures and reports use: the light theme of ``widgets/css/tokens.css``, in Python.

One hue for intent and data; red, yellow and cyan belong to alarms. A test compares the values with the
style sheet. Sizes are CSS px at 96 per inch; nothing is set below 12 px.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "surface": "#FFFFFF",
        "canvas": "#EFF2F3",
        "sunken": "#F6F8F8",
        "line": "#DBE1E4",
        "line-strong": "#76838C",
        "ink": "#14202A",
        "ink-2": "#42505B",
        "ink-3": "#5A6872",
        "ink-inverse": "#FFFFFF",
        "intent": "#27489A",
        "intent-soft": "#E4EAF7",
        "intent-mid": "#8FA5DB",
        "rest": "#6B7A85",
        "rest-soft": "#E9EDEF",
        "high": "#B5121F",
        "high-ink": "#A30F1B",
        "high-soft": "#FCE9EA",
        "medium": "#FFD43A",
        "medium-ink": "#6B4E00",
        "medium-soft": "#FFF3C4",
        "low": "#A9E3EF",
        "low-ink": "#0B5768",
        "low-soft": "#E1F5F9",
        "ok": "#1B7549",
        "seq-0": "#F3F5FA",
        "seq-1": "#D3DCF1",
        "seq-2": "#A3B5E0",
        "seq-3": "#6780C4",
        "seq-4": "#27489A",
        "seq-5": "#152A66",
        "on-strong": "#FFFFFF",
        "grid": "#E6EAEC",
    }
)
"""Token name → colour, light theme. ``seq-0`` to ``seq-5`` darken monotonically, so greys keep the order."""

SIZES: Mapping[str, int] = MappingProxyType({"t-xs": 12, "t-s": 13, "t-m": 14, "t-l": 16, "t-xl": 20, "t-2xl": 28})
"""Type sizes in px."""

SMALLEST_PX = 12
"""Nothing in a figure or a report is set smaller than this, px at 96 per inch."""

LATIN = "DejaVu Sans"
MONO = "DejaVu Sans Mono"
"""Fonts that matplotlib ships, so a page has the same bytes on every machine."""

CHINESE = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Zen Hei",
    "SimHei",
)
"""Simplified Chinese fonts, best first; the first one installed is used and named in the document."""


def shade(share: float) -> tuple[str, str]:
    """Background and text colour of a cell with ``share`` of its row.

    Parameters
    ----------
    share : fraction, 0–1.

    Returns
    -------
    tuple of str
        Fill and text colour; the pair keeps a contrast of at least 4.5.
    """
    # seq-3 is left out: neither black nor white text reaches the contrast on it.
    steps = ("seq-0", "seq-1", "seq-2", "seq-4", "seq-4")
    step = steps[min(int(share * 5), 4)]
    return COLOURS[step], COLOURS["on-strong" if step == "seq-4" else "ink"]
