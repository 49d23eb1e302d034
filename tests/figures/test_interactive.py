"""Pictures for notebooks: what is drawn is what was given, with units, words and whether it is simulated."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import BadValue
from workbench.figures import Matrix, interactive
from workbench.figures.interactive import Disc, Evidence, Mark, Period, TrialMark
from workbench.figures.interactive._body_regions import BACK, FRONT, RINGS

CHART = Path(__file__).resolve().parents[2] / "workbench" / "widgets" / "parts" / "bodychart.js"
TIMES = np.arange(0, 4, 0.01)
SIGNAL = np.column_stack([np.sin(7 * TIMES), 30 + 2 * np.sin(5 * TIMES)])
EVIDENCE = Evidence(
    times_s=np.array([0.0, 1.0, 2.0]),
    probability=np.array([0.1, np.nan, 0.9]),
    target="grasp",
    thresholds={"activate": 0.65},
    periods=(Period(0.5, 2.5, "grasp"),),
    marks=(Mark(2.0, "grasp, hit", "hit"), Mark(2.4, "grasp, false", "false")),
)
TRIALS = [
    TrialMark("run 1", "grasp", "correct", 0.8, 0),
    TrialMark("run 1", "grasp", "missed", None, 2),
    TrialMark("run 2", "grasp", "wrong", 1.2, 0),
    TrialMark("run 2", "grasp", "excluded", None, 0),
]
MATRIX = Matrix("fold 1", "7 of 10", ("grasp", "rest"), ((4, 1), (2, 3)))

FIGURES = {
    "scope": lambda **more: interactive.scope(TIMES, SIGNAL, channels=["A", "B"], **more),
    "evidence": lambda **more: interactive.evidence(EVIDENCE, title="Evidence", **more),
    "confusion": lambda **more: interactive.confusion_tables([MATRIX], title="Confusion", **more),
    "strip": lambda **more: interactive.patterns(
        [("8–13 Hz", [Disc("E1", 0, 0, 0.5)])], head=False, title="Pattern", **more
    ),
    "head": lambda **more: interactive.patterns(
        [("8–13 Hz", [Disc("Cz", 0, 0, -0.5)])], head=True, title="Pattern", **more
    ),
    "trials": lambda **more: interactive.trial_course(TRIALS, title="Trials", window_s=1.5, **more),
    "body": lambda **more: interactive.body_chart({"right.lightTouch.C5": "1"}, title="Exam", **more),
}


@pytest.mark.parametrize("name", list(FIGURES))
def test_a_figure_says_that_it_is_simulated_where_it_is_and_only_there(name):
    assert "simulated" in FIGURES[name](simulated=True).layout.title.text
    assert "simulated" not in FIGURES[name]().layout.title.text


@pytest.mark.parametrize("name", ["scope", "evidence", "confusion", "trials"])
def test_every_axis_that_is_seen_is_labelled_on_its_outer_side(name):
    layout = FIGURES[name]().layout
    axes = [layout[key] for key in layout if re.fullmatch(r"xaxis\d*|yaxis\d*", key)]
    assert any(axis.title.text for axis in axes)
    assert layout.xaxis.title.text or layout.xaxis2.title.text


@pytest.mark.parametrize("name", list(FIGURES))
def test_no_text_is_smaller_than_twelve_px(name):
    layout = FIGURES[name]().layout
    sizes = [layout.font.size, layout.title.font.size, layout.title.subtitle.font.size]
    sizes += [note.font.size for note in layout.annotations if note.font.size]
    assert min(sizes) >= 12


class TestScope:
    def test_each_channel_keeps_its_values_in_its_own_lane(self):
        figure = FIGURES["scope"]()
        lanes = figure.layout.yaxis.tickvals
        for trace, lane, values in zip(figure.data, lanes, SIGNAL.T, strict=True):
            np.testing.assert_allclose(np.asarray(trace.y) - lane, values - np.median(values))

    def test_a_long_trace_keeps_its_peaks(self):
        times = np.arange(100_000) / 1000.0
        values = np.zeros((len(times), 1))
        values[54_321] = 500.0
        values[77_777] = -400.0
        figure = interactive.scope(times, values, channels=["A"])
        drawn = np.asarray(figure.data[0].customdata)
        assert len(drawn) <= 3000
        assert (drawn.max(), drawn.min()) == (500.0, -400.0)

    def test_a_missing_name_is_refused(self):
        with pytest.raises(BadValue, match="for 400 times and 1 channels"):
            interactive.scope(TIMES, SIGNAL, channels=["A"])


class TestEvidence:
    def test_a_window_that_is_not_valid_breaks_the_line(self):
        line = FIGURES["evidence"]().data[0]
        assert math.isnan(line.y[1])
        assert not line.connectgaps

    def test_hits_and_false_onsets_differ_in_shape_and_are_counted(self):
        hit, false = FIGURES["evidence"]().data[1:]
        assert (hit.name, false.name) == ("onset, a hit (1)", "onset, false (1)")
        assert hit.marker.symbol != false.marker.symbol

    def test_a_threshold_stands_at_its_value_with_its_name(self):
        figure = FIGURES["evidence"]()
        assert any(shape.y0 == shape.y1 == 0.65 for shape in figure.layout.shapes)
        assert any("activate 0.65" in str(note.text) for note in figure.layout.annotations)


class TestDecoders:
    def test_each_cell_prints_its_count_and_the_share_of_its_row(self):
        texts = [note.text for note in FIGURES["confusion"]().layout.annotations]
        for cell in ("<b>4</b><br>80 %", "<b>1</b><br>20 %", "<b>2</b><br>40 %", "<b>3</b><br>60 %"):
            assert cell in texts

    def test_the_sign_of_a_pattern_is_written_and_does_not_rest_on_colour(self):
        assert FIGURES["strip"]().data[0].text == ("+",)
        assert FIGURES["head"]().data[0].text == ("−",)

    @pytest.mark.parametrize(
        "draw",
        [interactive.confusion_tables, lambda rows, title: interactive.patterns(rows, head=True, title=title)],
    )
    def test_nothing_to_draw_is_refused(self, draw):
        with pytest.raises(BadValue, match="at least one"):
            draw([], title="")


class TestTrials:
    def test_every_trial_stands_in_the_row_of_its_outcome(self):
        figure = FIGURES["trials"]()
        rows = {
            (x, y) for trace in figure.data if trace.yaxis == "y2" for x, y in zip(trace.x, trace.y, strict=True)
        }
        expected = {(1, "correct"), (2, "missed"), (3, "wrong"), (4, "excluded"), (2, "false activation")}
        assert rows == expected

    def test_counts_stand_beside_the_rows(self):
        ticks = FIGURES["trials"]().layout.yaxis2.ticktext
        assert ticks == ("correct 1", "missed 1", "wrong 1", "excluded 1", "false activation 2")

    def test_trials_without_an_onset_have_no_panel_of_onsets(self):
        cued = [TrialMark("run 1", "left", "correct", None, 0)]
        assert "yaxis2" not in interactive.trial_course(cued, title="").to_dict()["layout"]


class TestBodyChart:
    def test_the_drawing_is_that_of_the_worksheet(self):
        text = CHART.read_text(encoding="utf-8")
        drawn = set(re.findall(r'\["(\w+)", "(M[^"]+)"\]', text))
        own = {
            (name, path)
            for name, path in (*FRONT, *BACK)
            if not re.fullmatch(r"M0 [\d.]+L[\d.]+ [\d.]+L[\d.]+ [\d.]+L0 [\d.]+Z", path) or (name, path) in drawn
        }
        assert own == drawn
        assert [list(ring) for ring in RINGS] == [
            [name, int(r)] for name, r in re.findall(r'\["(\w+)", (\d+)\]', text)
        ]

    def test_every_dermatome_of_both_sides_is_drawn_in_both_grids(self):
        from workbench.outcomes.isncsci.tables import DERMATOMES

        names = [shape.name for shape in FIGURES["body"]().layout.shapes]
        for side in ("right", "left"):
            for segment in DERMATOMES:
                assert sum(name.startswith(f"{side} {segment.replace('_', '-')}:") for name in names) >= 2

    def test_the_right_side_is_on_the_left_from_the_front_and_on_the_right_from_behind(self):
        figure = interactive.body_chart({"right.lightTouch.C6": "0"}, title="Exam")
        dark = [shape for shape in figure.layout.shapes if shape.name == "right C6: absent, 0"]
        x = [float(re.match(r"M ([\d.]+)", shape.path)[1]) for shape in dark]
        front, back = 105, 105 + 205
        assert len(x) == 2
        assert x[0] < front
        assert x[1] > back

    def test_a_score_has_its_word_and_a_tag_does_not_hide_it(self):
        figure = interactive.body_chart({"left.pinPrick.L4": "1*", "left.pinPrick.L3": "NT"}, title="Exam")
        names = {shape.name for shape in figure.layout.shapes}
        assert {"left L4: altered, 1", "left L3: not testable", "left L2: not entered"} <= names
        assert "1 cells are tagged" in figure.layout.title.subtitle.text


@pytest.mark.job
def test_a_figure_in_a_notebook_is_shown_without_the_grammar_of_addresses_and_who_asks_still_finds_it():
    script = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from workbench.figures import interactive
InteractiveShell.instance()
figure = interactive.body_chart({}, title="Exam")
import plotly.io
plotly.io.renderers["plotly_mimetype"]
assert "nbformat" in sys.modules and "lark" not in sys.modules
import jsonschema
assert jsonschema.FormatChecker().conforms("http://example.org/é", "iri") and "lark" in sys.modules
assert not jsonschema.FormatChecker().conforms("two words", "iri")
import rfc3987_syntax
assert rfc3987_syntax.is_valid_syntax("iri", "http://example.org/é")
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
