"""A measure over visits: conditions stay apart, gaps stay gaps, and a band has a source or is not drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.errors import BadValue
from workbench.figures import VisitScore, over_visits, over_visits_plotly, to_svg
from workbench.figures.visits import OFF, mdc_band, series
from workbench.vocabulary import Condition

VISITS = ("baseline", "month 1", "month 2", "month 3")
ON = Condition(assisted=True, device_on=True, stimulation_on=False)
SCORES = [
    *(VisitScore(visit, value, OFF) for visit, value in zip(VISITS, (10, 11, None, 17), strict=True)),
    VisitScore("month 1", 22, ON),
    VisitScore("month 2", 27, ON),
]
ROW = {"kind": "mdc", "value": "4.5", "unit": "points", "population": "made-up", "citation": "Nobody 2026"}
DRAWN: dict[str, Any] = {"measure": "ARAT right", "scale": (0, 57), "unit": "points", "baseline": "baseline"}


def svg(**more: Any) -> str:
    return to_svg(over_visits(SCORES, VISITS, **{**DRAWN, **more}), name="visits")


def traces(**more: Any) -> list[Any]:
    return list(over_visits_plotly(SCORES, VISITS, **{**DRAWN, **more}).data)


def test_conditions_are_lines_of_their_own_and_a_missing_visit_stays_missing() -> None:
    assert series(SCORES, VISITS) == {OFF: [10, 11, None, 17], ON: [None, 22, 27, None]}
    off, on = traces()
    assert (list(off.y), list(on.y)) == ([10, 11, None, 17], [None, 22, 27, None])
    assert off.connectgaps is on.connectgaps is False
    assert (off.marker.symbol, on.marker.symbol) == ("circle-open", "square")


def test_two_scores_of_one_condition_at_one_visit_are_an_error() -> None:
    with pytest.raises(BadValue, match="two scores"):
        series([*SCORES, VisitScore("month 1", 12, OFF)], VISITS)
    with pytest.raises(BadValue, match="none of"):
        series([VisitScore("month 9", 12, OFF)], VISITS)


def test_without_a_threshold_there_is_no_band() -> None:
    assert "MDC" not in svg()
    assert len(traces()) == 2


def test_a_band_lies_around_the_baseline_and_carries_its_source(tmp_path: Path) -> None:
    words = svg(threshold=ROW)
    assert "within MDC 4.5 of baseline (device off, unassisted)" in words
    assert "Nobody 2026; made-up" in words
    low, high, *_ = traces(threshold=ROW)
    assert (set(low.y), set(high.y)) == ({5.5}, {14.5})
    assert "Nobody 2026" in high.name
    over_visits(SCORES, VISITS, **DRAWN, threshold=ROW).savefig(tmp_path / "visits.png")


def test_a_threshold_in_per_cent_is_that_of_the_baseline() -> None:
    band = mdc_band(
        series(SCORES, VISITS), VISITS, baseline="baseline", threshold={**ROW, "unit": "%", "value": 20}
    )
    assert band is not None
    assert (band.low, band.high) == (8, 12)


@pytest.mark.parametrize(
    "change",
    [{"value": ""}, {"value": None}, {"value": -1}, {"value": "nan"}, {"citation": " "}, {"kind": "cutoff"}],
)
def test_a_threshold_without_value_or_source_draws_nothing(change: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        svg(threshold={**ROW, **change})


def test_a_condition_without_a_baseline_gets_no_band_and_says_so() -> None:
    late = [VisitScore("month 1", 12, OFF)]
    words = to_svg(over_visits(late, VISITS, **DRAWN, threshold=ROW), name="visits")
    assert "no band: device off, unassisted has no score at baseline" in words


def test_a_scale_of_its_own_holds_every_score_and_nothing_to_draw_is_an_error() -> None:
    figure = over_visits_plotly(SCORES, VISITS, measure="Grip", unit="N")
    low, high = figure.layout.yaxis.range
    assert low <= 10 < 27 <= high
    with pytest.raises(BadValue, match="no score to draw"):
        over_visits([VisitScore("baseline", None, OFF)], VISITS, measure="Grip")
