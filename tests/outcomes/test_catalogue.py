"""docs/outcomes.md is what the definitions and the thresholds say, and a reader sees what is from memory."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import outcomes
from workbench.outcomes._catalogue import DOMAINS, catalogue
from workbench.outcomes._catalogue_items import item_lines
from workbench.outcomes._contract import Item
from workbench.outcomes._thresholds import table

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "outcomes.md"
NAMES = outcomes.available()


@pytest.fixture(scope="module")
def sections():
    """``{measure: its section}`` of the committed document."""
    parts = re.split(r'<a id="(.+?)"></a>', DOCUMENT.read_text(encoding="utf-8"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_committed_document_is_what_the_generator_writes():
    remedy = "run: python -m workbench.outcomes > docs/outcomes.md"
    assert DOCUMENT.read_text(encoding="utf-8") == catalogue(), remedy


def test_the_command_prints_it():
    command = [sys.executable, "-m", "workbench.outcomes"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout.decode("utf-8") == catalogue()
    assert done.stderr == b""


def test_every_measure_has_a_section_and_a_line_in_the_contents(sections):
    assert tuple(sorted(sections)) == NAMES
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in NAMES:
        assert text.count(f"](#{name}) `{name}`") == 1


@pytest.mark.parametrize("name", NAMES)
def test_every_version_says_its_range_missing_rule_licence_sources_and_notes(sections, name):
    section = sections[name]
    for one in outcomes.load(name).definitions:
        assert one.version in section or len(outcomes.load(name).definitions) == 1
        said = (one.missing, one.licence, *one.sources, *(option.name for option in one.options), *one.modes)
        for text in said:
            assert text.replace(one.version, "(the version)") in section or text in section, text
        for note in one.notes:
            assert re.sub(r"\s*\[.*", "", note) in section, note
        for sub in one.subscales:
            assert f"`{sub.code}`" in section, sub.code


@pytest.mark.parametrize("name", NAMES)
def test_a_note_from_memory_stands_under_the_heading_that_says_so(sections, name):
    for part in re.split(r"\n(?=Notes, seen|\*\*Notes from memory|\n\||### )", sections[name]):
        marks = set(re.findall(r"^- .*\*\*(\[.+?\])\*\*$", part, re.MULTILINE))
        if part.startswith("Notes, seen"):
            assert marks <= {"[S]", "[T]"}
        if part.startswith("**Notes from memory"):
            assert marks
            assert marks <= {"[M]", "[M?]"}


def test_every_threshold_stands_with_its_use_citation_and_mark(sections):
    for row in table():
        lines = [line for line in sections[row.measure].splitlines() if line.startswith(f"| {row.kind.upper()} |")]
        ours = [line for line in lines if f"`{row.subscore}`" in line and row.population in line]
        ours = [line for line in ours if f"{row.citation} **{row.evidence}**" in line]
        use = "cannot be chosen" if row.value is None else "in use" if row.on else "**off by default**"
        assert any(line.endswith(f"| {use} |") for line in ours), row.name
        if not row.spinal:
            assert any("not spinal cord injury" in line for line in ours), row.name


def test_every_chapter_is_placed():
    assert {outcomes.load(name).definition.domain for name in NAMES} <= set(DOMAINS)


def test_sides_share_a_line_and_a_series_of_three_becomes_one():
    items = [
        Item(f"{side}_task_{n}", f"{side} task {n}", (0, 1, 2)) for side in ("right", "left") for n in (1, 2, 3)
    ]
    items += [Item("force", "force", low=0, high=1500, unit="N", codes=("unable",))]
    assert list(item_lines(items)) == [
        ("`*_task_1` … `*_task_3` task 1 … 3 (right, left)", "0–2"),
        ("`force` force", "0 to 1,500 N or `unable`"),
    ]


def test_sides_that_hold_different_values_stay_apart_and_two_are_no_series():
    items = [
        Item("right_a", "right a", (0, 1, 2)),
        Item("left_a", "left a", (0, 1, 2, 3)),
        Item("q1", "item 1", (0, 2)),
    ]
    assert list(item_lines([*items, Item("q2", "item 2", (0, 2))])) == [
        ("`*_a` a (right)", "0–2"),
        ("`*_a` a (left)", "0–3"),
        ("`q1` item 1<br>`q2` item 2", "0, 2"),
    ]
