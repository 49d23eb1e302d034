"""Figures of a trial: a flow that loses no word, courses that break at a missing visit, effects on one axis."""

from __future__ import annotations

import re

import pytest

from workbench.errors import BadValue
from workbench.figures import (
    CoursePanel,
    Effect,
    FlowBox,
    FlowSteps,
    courses,
    effect_axis,
    effect_cell,
    flow_of_participants,
    forest,
    to_svg,
)
from workbench.figures._ticks import round_ticks
from workbench.figures.flow import wrapped


def texts(figure) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", to_svg(figure, name="drawn"))


def lines_of(figure) -> list[list[float]]:
    """Abscissas of every line that has more than two ends or is thin."""
    return [list(map(float, line.get_xdata())) for line in figure.get_children() if hasattr(line, "get_xdata")]


def test_a_flow_prints_every_number_and_every_word_of_its_reasons() -> None:
    reason = "moved to a town from which the site cannot be reached within a day by any means at all"
    column = (FlowBox("Arm A (n = 3)"), FlowBox("Left (n = 1)", (f"– {reason}: 1",)))
    steps = FlowSteps(
        (FlowBox("Screened (n = 9)"), FlowBox("Randomised (n = 6)")),
        (FlowBox("Not enrolled (n = 3)", ("筛选期间因伤口未愈合而不符合标准者：3",)),),
        (column, column),
        ("Allocation", "Follow-up"),
    )
    said = " ".join(texts(flow_of_participants(steps)))
    assert "".join(said.split()).count("".join(reason.split())) == 2
    for words in ("Screened (n = 9)", "Not enrolled (n = 3)", "Arm A (n = 3)", "Follow-up"):
        assert words in said
    assert "筛选期间因伤口未愈合而不符合标准者" in said.replace(" ", "")


def test_a_flow_whose_boxes_do_not_fit_together_is_refused() -> None:
    with pytest.raises(BadValue, match="one box for each of its stages"):
        flow_of_participants(FlowSteps((FlowBox("a"),), (), ((FlowBox("b"),),), ("one", "two")))
    with pytest.raises(BadValue, match="below each of them but the last"):
        flow_of_participants(FlowSteps((FlowBox("a"),), (None,), (), ()))


def test_a_line_of_text_is_never_wider_than_its_box_and_loses_nothing() -> None:
    text = "criterion E1 " + "x" * 60 + " 不符合标准 E2"
    lines = wrapped(text, 100.0)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(sum(12 if letter > "\u2e80" else 7.32 for letter in line) <= 24 * 7.32 for line in lines)


def test_a_missing_visit_breaks_the_line_of_a_participant_and_leaves_the_mean_its_number() -> None:
    panel = CoursePanel("all", ((10.0, None, 14.0, 16.0), (12.0, 13.0, None, None)))
    assert panel.means() == [(11.0, 2), (13.0, 1), (14.0, 1), (16.0, 1)]
    drawn = lines_of(courses([panel], ("a", "b", "c", "d")))
    whole = max(len(xs) for xs in drawn)
    assert whole == 2  # no line of a participant crosses the visit that is missing
    complete = CoursePanel("all", ((10.0, 11.0, 14.0, 16.0),))
    assert max(len(xs) for xs in lines_of(courses([complete], ("a", "b", "c", "d")))) == 4


def test_courses_without_a_value_or_with_other_visits_are_refused() -> None:
    with pytest.raises(BadValue, match="no value to draw"):
        courses([CoursePanel("all", ((None, None),))], ("a", "b"))
    with pytest.raises(BadValue, match="each of the 3 visits"):
        courses([CoursePanel("all", ((1.0, 2.0),))], ("a", "b", "c"))


@pytest.mark.parametrize(("low", "high"), [(0.0, 57.0), (-3.2, 8.1), (0.001, 0.0042), (5.0, 5.0), (0.0, 0.0)])
def test_ticks_enclose_the_values_in_even_steps(low, high) -> None:
    ticks = round_ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    steps = [b - a for a, b in zip(ticks, ticks[1:], strict=False)]
    assert max(steps) == pytest.approx(min(steps))
    assert 2 <= len(ticks) <= 9


def test_an_axis_of_effects_holds_every_interval_and_the_line_of_no_effect() -> None:
    effects = [Effect("a", 3.7, 0.4, 6.9, "3.7", primary=True), Effect("b", None, text="none"), Effect("c", 2.0)]
    axis = effect_axis(effects)
    assert axis.low <= 0.0 <= 6.9 <= axis.high
    assert effect_axis([Effect("hr", 1.8, 1.2, 2.6)], none=1.0).low <= 1.0
    assert {"a", "b", "c", "3.7", "none", "points"} <= set(texts(forest(effects, axis="points")))
    assert texts(effect_cell(None, axis)) == [f"{tick:g}" for tick in axis.ticks]
    with pytest.raises(BadValue, match="no effect has a value"):
        forest([Effect("b", None)], axis="points")
