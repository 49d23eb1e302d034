"""The files behind the widgets: self-contained, small, and legible by the numbers of the design."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workbench.widgets import (
    AssessmentForm,
    AssessmentPicker,
    DecoderPanel,
    IsncsciForm,
    LiveSession,
    LogView,
    ParticipantPage,
    Presenter,
    ResultPanel,
    ResultsPage,
    SafetyDesk,
    SetupPanel,
    StudyPage,
    Worklist,
)

FOLDER = Path(__file__).resolve().parents[2] / "workbench" / "widgets"
FILES = sorted(p for p in FOLDER.rglob("*") if p.suffix in (".js", ".css", ".py", ".j2"))
WIDGETS = [
    *(AssessmentPicker, AssessmentForm, DecoderPanel, IsncsciForm, LiveSession, LogView),
    *(ParticipantPage, Presenter, ResultPanel, ResultsPage, SafetyDesk, SetupPanel, StudyPage, Worklist),
]
NAMESPACES = {"http://www.w3.org/2000/svg"}

PAIRS = [
    *((ink, ground, 4.5) for ink in ("ink", "ink-2", "ink-3") for ground in ("surface", "canvas")),
    ("ink-3", "sunken", 4.5),
    ("intent", "surface", 4.5),
    ("intent-strong", "intent-soft", 4.5),
    ("on-intent", "intent", 4.5),
    ("ink-inverse", "ink", 4.5),
    ("line-strong", "surface", 3.0),
    ("focus", "surface", 3.0),
    ("on-high", "high", 4.5),
    ("high-ink", "surface", 4.5),
    ("high-ink", "high-soft", 4.5),
    ("on-medium", "medium", 4.5),
    ("medium-ink", "medium-soft", 4.5),
    ("ink", "low-soft", 4.5),
    ("ok", "surface", 4.5),
    ("trace", "surface", 3.0),
]


def tokens(theme: str) -> dict[str, str]:
    css = (FOLDER / "css" / "tokens.css").read_text(encoding="utf-8")
    light, dark = css.split(':root[data-theme="dark"]')
    found = dict(re.findall(r"--([\w-]+):(#[0-9A-Fa-f]{6})", light))
    return found | dict(re.findall(r"--([\w-]+):(#[0-9A-Fa-f]{6})", dark)) if theme == "dark" else found


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "needed"), PAIRS)
def test_contrast_meets_wcag_2_2_aa(theme: str, ink: str, ground: str, needed: float) -> None:
    values = tokens(theme)
    one, two = sorted((luminance(values[ink]), luminance(values[ground])), reverse=True)
    assert (one + 0.05) / (two + 0.05) >= needed


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FOLDER)))
def test_files_stay_readable_and_name_no_outside_address(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[\w./-]*", source)) <= NAMESPACES


COMMON = ("tokens", "base", "panels", "entry")
"""Styles that several panels share; each of the others is one panel's own."""
UNIVERSAL = re.compile(r"^\.wb(?:\.wb-panel)? \{", re.M)


@pytest.mark.parametrize("path", sorted((FOLDER / "css").glob("*.css")), ids=lambda p: p.name)
def test_the_style_of_one_panel_reaches_no_other(path: Path) -> None:
    """All panels of a page share one document: a decoder once shown drew the axis of a participant 16 px high."""
    if path.stem not in COMMON:
        assert UNIVERSAL.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix in (".css", ".js")], ids=lambda p: p.name)
def test_colours_are_defined_in_the_tokens_only(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    if path.name != "tokens.css":
        assert not re.findall(r"#[0-9A-Fa-f]{6}\b", source)


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda w: w.__name__)
def test_a_composed_module_has_no_import_and_no_name_twice(widget: type) -> None:
    source = str(widget._esm)
    assert not re.search(r"^import ", source, re.MULTILINE)
    assert source.count("export default") == 1
    names = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", source, re.MULTILINE)
    assert len(names) == len(set(names)), [name for name in names if names.count(name) > 1]


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda w: w.__name__)
def test_style_stays_inside_the_widget(widget: type) -> None:
    assert ":root" not in str(widget._css)
    assert "@import" not in str(widget._css)


def test_no_type_is_smaller_than_12_px() -> None:
    sizes = [
        float(size)
        for path in FILES
        if path.suffix == ".css"
        for size in re.findall(r"(?:font-size|--t-\w+):\s*(\d+(?:\.\d+)?)px", path.read_text(encoding="utf-8"))
    ]
    assert sizes
    assert min(sizes) >= 12
