"""Figures: no pyplot, no global state, nothing below 12 px, same bytes, shapes that survive monochrome."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from tests.shares import some
from workbench import figures
from workbench.errors import BadValue
from workbench.figures import palette

TOKENS = Path(__file__).resolve().parents[2] / "workbench" / "widgets" / "css" / "tokens.css"
TRIALS = [
    {"outcome": outcome, "false_activations": int(outcome == "missed")}
    for outcome in ("correct", "correct", "missed", "wrong", "excluded", "recorded")
]
LEDGER = [
    {"kind": kind, "stamp": stamp, "priority": priority}
    for kind, stamp, priority in (("gap", 3.0, "medium"), ("stream_lost", 9.0, "high"), ("gap", 5.0, "low"))
]
MARKS = [
    figures.ConditionMark("device off, unassisted", 9, assisted=False, device_on=False, stimulation_on=False),
    figures.ConditionMark("device on, assisted", 47, assisted=True, device_on=True, stimulation_on=True),
    figures.ConditionMark("device on, unassisted", None, assisted=False, device_on=True, stimulation_on=False),
]
MAKERS = {
    "ticks": lambda: figures.trial_ticks([("Run 1", TRIALS), ("Run 2", TRIALS * 20)]),
    "onsets": lambda: figures.onset_latencies(
        [("Run 1", [0.4, 0.41, 0.9]), ("Run 2", [])], window_s=1.5, end_s=3.0
    ),
    "confusion": lambda: figures.confusion(
        [figures.Matrix("Run 1", "35 of 40", ("grasp", "rest"), ((17, 3), (2, 18)))]
    ),
    "intervals": lambda: figures.intervals(
        [figures.IntervalRow("F1", 0.87, 0.6, 0.96, 0.8, primary=True)], axis="F1"
    ),
    "marks": lambda: figures.condition_marks(MARKS, measure="ARAT", maximum=57),
    "ledger": lambda: figures.ledger_timeline(LEDGER, kinds={"gap": "Gap"}),
}


def svg_of(name):
    return figures.to_svg(MAKERS[name](), name=name)


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_table_gives_the_same_bytes(name):
    assert svg_of(name) == svg_of(name)


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_is_set_below_12_px(name):
    sizes = [float(size) for size in re.findall(r"font-size: ([0-9.]+)px", svg_of(name))]
    in_points = 12 * 72 / 96
    assert sizes
    assert min(sizes) >= in_points


@pytest.mark.parametrize("name", MAKERS)
def test_no_figure_points_outside_its_page(name):
    outside = set(re.findall(r"""["'(](https?:[^"')]*)""", svg_of(name)))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


@pytest.mark.parametrize("name", MAKERS)
def test_ids_are_unique_within_a_page(name):
    first, second = figures.to_svg(MAKERS[name](), name="one"), figures.to_svg(MAKERS[name](), name="two")
    ids = re.findall(r'\bid="([^"]+)"', first + second)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", MAKERS)
def test_drawing_leaves_no_global_state(name):
    before = dict(mpl.rcParams)
    svg_of(name)
    assert dict(mpl.rcParams) == before


@pytest.mark.job
def test_the_package_never_imports_pyplot_or_plotly():
    code = "import sys, workbench.reports, workbench.figures; print(*(m for m in sys.modules if m in %r))"
    found = subprocess.run(
        [sys.executable, "-c", code % (("matplotlib.pyplot", "plotly", "pandas", "scipy.signal"),)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.split() == []


def test_text_below_12_px_is_refused():
    with pytest.raises(BadValue, match="at least 12 px, got 11 px"):
        figures.Sheet(100, 100).text(0, 0, "small", size=11)


def test_every_outcome_has_its_own_shape_and_its_count_in_words():
    svg = svg_of("ticks")
    for word, count in (("correct", 42), ("missed", 21), ("wrong", 21), ("excluded", 21), ("recorded", 21)):
        assert f">{word} {count}<" in svg
    assert ">false activation 21<" in svg
    assert "<pattern" in svg


def lines_of(figure):
    lines = [artist for artist in figure.artists if isinstance(artist, Line2D)]
    assert lines
    return lines


def test_fill_is_the_device_and_shape_is_the_help():
    lines = [line for line in lines_of(MAKERS["marks"]()) if line.get_marker() in ("o", "s")]
    seen = [(line.get_marker(), line.get_markerfacecolor()) for line in lines]
    blue, white = palette.COLOURS["intent"], palette.COLOURS["surface"]
    assert seen == [("o", white), ("s", "none"), ("s", blue)]


def test_no_line_joins_two_conditions():
    lines = lines_of(MAKERS["marks"]())
    slanted = [line for line in lines if len(set(line.get_xdata())) > 1 and len(set(line.get_ydata())) > 1]
    assert slanted == []


def test_a_score_outside_the_scale_is_refused():
    wrong = figures.ConditionMark("device off", 58, assisted=False, device_on=False, stimulation_on=False)
    with pytest.raises(BadValue, match="must lie in 0–57, got 58"):
        figures.condition_marks([wrong], measure="ARAT", maximum=57)


def test_a_confusion_figure_without_a_matrix_is_refused():
    with pytest.raises(BadValue, match="at least one matrix"):
        figures.confusion([])


@pytest.mark.job
@pytest.mark.parametrize("n_classes", some([3, 2, 4, 12, 5, 8], of=3))
def test_matrices_of_any_size_stay_on_the_sheet_and_cover_no_name_of_another(n_classes):
    names = tuple(f"class{k}" for k in range(n_classes))
    counts = tuple((10,) * n_classes for _ in names)
    drawn = figures.confusion([figures.Matrix(f"Fold {k}", "10 of 99", names, counts) for k in range(5)])
    FigureCanvasAgg(drawn).draw()
    boxes = {text: text.get_window_extent() for text in drawn.texts}
    # The names of columns and rows of one matrix stand close where there are many; those of two never meet.
    for text, box in boxes.items():
        assert drawn.bbox.x0 <= box.x0, text
        assert box.x1 <= drawn.bbox.x1, text
    titles = {text for text in boxes if text.get_text().startswith(("Fold", "10 of"))}
    for one, other in itertools.combinations(titles, 2):
        assert not boxes[one].overlaps(boxes[other]), (one, other)
    cells = [artist.get_window_extent() for artist in drawn.artists if isinstance(artist, Rectangle)]
    assert len(cells) >= 5 * n_classes**2
    rows = [text for text in boxes if text.get_text() in names and text.get_horizontalalignment() == "right"]
    assert len(rows) == 5 * n_classes
    for name, cell in itertools.product(rows, cells):
        assert not boxes[name].overlaps(cell), name


@pytest.mark.parametrize(("n_classes", "n_matrices"), [(2, 1), (2, 9), (5, 5), (8, 5), (12, 2)])
def test_matrices_are_shared_out_over_sheets_that_fit_a_page_in_their_order(n_classes, n_matrices):
    names = tuple(f"class{k}" for k in range(n_classes))
    all_of_them = [
        figures.Matrix(f"Fold {k}", "", names, ((1,) * n_classes,) * n_classes) for k in range(n_matrices)
    ]
    sheets = figures.confusion_sheets(all_of_them)
    assert [matrix for sheet in sheets for matrix in sheet] == all_of_them
    for sheet in sheets:
        height_px = figures.confusion(sheet).get_size_inches()[1] * 96
        assert height_px <= 640 or len(sheet) == 1


def test_a_confusion_matrix_of_another_shape_is_refused():
    with pytest.raises(BadValue, match="Run 3"):
        figures.confusion([figures.Matrix("Run 3", "", ("a", "b"), ((1, 2),))])


def test_confusion_prints_counts_and_row_shares_in_readable_pairs():
    svg = svg_of("confusion")
    assert all(f">{word}<" in svg for word in ("17", "3", "2", "18", "85 %", "15 %", "10 %", "90 %"))


def test_the_interval_is_drawn_where_its_numbers_say():
    line = next(
        each
        for each in lines_of(MAKERS["intervals"]())
        if each.get_color() == palette.COLOURS["intent"] and len(each.get_xdata()) == 2
    )
    scale = 190 - 16
    assert [round((x - 8) / scale, 9) for x in line.get_xdata()] == [0.6, 0.96]


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("share", [0.0, 0.19, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0])
def test_text_on_a_shaded_cell_keeps_its_contrast(share):
    assert contrast(*palette.shade(share)) >= 4.5


def test_the_sequential_scale_darkens_in_monochrome():
    greys = [luminance(palette.COLOURS[f"seq-{step}"]) for step in range(6)]
    assert greys == sorted(greys, reverse=True)


def test_the_palette_equals_the_style_sheet_of_the_widgets():
    if not TOKENS.exists():
        pytest.skip("workbench/widgets/css/tokens.css is not there")
    light = TOKENS.read_text(encoding="utf-8").split('data-theme="dark"')[0]
    declared = dict(re.findall(r"--([\w-]+):\s*(#[0-9A-Fa-f]{6})", light))
    assert {name: declared.get(name) for name in palette.COLOURS} == dict(palette.COLOURS)


def test_what_no_face_holds_is_spelled_out():
    assert figures.printable("a\u202eb\x07\U0001f642\tc") == "a[U+202E]b[U+0007][U+1F642] c"


def test_chinese_text_is_set_in_a_chinese_face():
    if figures.chinese_font() is None:
        pytest.skip("no Simplified Chinese face is installed")
    drawn = figures.trial_ticks([("第 1 轮", TRIALS)])
    assert figures.chinese_font()[0] in figures.to_svg(drawn, name="zh")
