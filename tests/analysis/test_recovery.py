"""Natural recovery behind a course: whose it is, where it stands, and when nothing is drawn."""

from __future__ import annotations

import csv
import json
from importlib.resources import files

import pytest

from workbench.analysis import recovery
from workbench.analysis.recovery import GRADES, LEAST, STAGES, Group

INJURED = "2026-01-01"
EXAMS = [("2026-01-20", "B", "C5"), ("2026-09-01", "D", "C6")]
DAYS = ["2026-01-20", "2026-02-20", "2026-03-25", "2026-12-20", "2028-01-01", ""]


def of(part="uems", **changed):
    about = {"injured_on": INJURED, "exams": EXAMS, "days": DAYS, **changed}
    return recovery.recovery("isncsci", part, **about)


def installed():
    return json.loads(files("workbench.analysis").joinpath("recovery.json").read_text(encoding="utf-8"))


def test_the_aggregates_are_those_of_the_published_table(shared_data):
    path = shared_data / "recovery" / "emsci_longitudinal.csv"
    if not path.is_file():
        pytest.skip(f"the published aggregates are not at {path}")
    with path.open(encoding="utf-8", newline="") as file:
        made = recovery.aggregates(csv.DictReader(file))
    assert installed() == made
    text = files("workbench.analysis").joinpath("recovery.json").read_text(encoding="utf-8")
    assert text == recovery.text_of(made)
    # A number by hand: UEMS, AIS B, tetraplegia at 52 weeks, 29.462 ± 12.411 of 119.
    assert made["uems B tetraplegia"][-1] == [52, 119, 17.1, 29.5, 41.9]


def test_every_band_lies_on_its_scale_with_its_mean_inside_and_enough_people_and_stages_do_not_overlap():
    highest = dict(recovery.MEASURES.values())
    for key, rows in installed().items():
        name, ais, _ = key.split(" ")
        assert ais in GRADES
        assert [row[0] for row in rows] == [weeks for weeks, _, _ in STAGES]
        assert all(0 <= low <= mean <= high <= highest[name] and n >= LEAST for _, n, low, mean, high in rows)
    ends = [day for _, first, last in STAGES for day in (first, last)]
    assert ends == sorted(set(ends))


def test_a_band_stands_at_examinations_within_a_stage_alone_and_is_of_the_first_grade():
    found = of()
    assert (found.group, found.why) == (Group("B", "tetraplegia"), "")
    # 19 days: 4 weeks; 50 days: between two stages; 83 days: 12 weeks; 353: 52 weeks; two years: after the last.
    assert [band and band.weeks for band in found.bands] == [4, None, 12, 52, None, None]
    table = installed()["uems B tetraplegia"]
    assert [found.bands[3].n, found.bands[3].low, found.bands[3].high] == [
        table[-1][1],
        table[-1][2],
        table[-1][4],
    ]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"injured_on": ""}, "no_injury"),
        # A grade of a chronic participant is another one than that by which the groups were made.
        ({"exams": EXAMS[1:]}, "no_grade"),
        ({"exams": [("2026-01-20", "ND", "C5")]}, "no_grade"),
        ({"exams": [("2026-01-20", "E", "INT")]}, "no_grade"),
        ({"exams": [("2025-12-20", "B", "C5")]}, "no_grade"),
        ({"exams": [("2026-01-20", "B", "ND")]}, "no_level"),
        ({"exams": [("2026-01-20", "B", "")]}, "no_level"),
        ({"days": ["2028-01-01", ""]}, "no_stage"),
        ({"days": ["no day"]}, "no_stage"),
        ({"table": {"uems B tetraplegia": [[4, LEAST - 1, 1.0, 2.0, 3.0]]}}, "few"),
        ({"table": {}}, "no_stage"),
    ],
)
def test_where_grade_level_time_or_enough_people_are_missing_there_is_no_band_and_the_reason_is_told(changed, why):
    found = of(**changed)
    assert (found.why, any(found.bands)) == (why, False)


def test_a_group_of_just_enough_people_is_drawn_and_one_fewer_is_not():
    table = {"uems B tetraplegia": [[4, LEAST, 1.0, 2.0, 3.0], [12, LEAST - 1, 1.0, 2.0, 3.0]]}
    assert [bool(band) for band in of(table=table).bands] == [True, False, False, False, False, False]


def test_another_measure_has_no_band_and_a_thoracic_injury_is_paraplegia():
    assert recovery.recovery("arat", "total", injured_on=INJURED, exams=EXAMS, days=DAYS) is None
    assert of("lems", exams=[("2026-01-20", "A*", "T6")]).group == Group("A", "paraplegia")
    # The table has no upper extremity score of paraplegia.
    assert of(exams=[("2026-01-20", "A", "T6")]).why == "no_stage"
