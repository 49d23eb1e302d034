"""SCAR: C5–C8 and 16 SCIM items, recoded and converted by a table the user supplies (here a made-up one)."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes._tables import read_table

SCAR = outcomes.load("scar")
ITEMS = SCAR.definition.items
MUSCLES = [item for item in ITEMS if item.code[-2:] in ("C5", "C6", "C7", "C8")]
TASKS = [item for item in ITEMS if item not in MUSCLES]
BEST = {item.code: max(item.allowed) for item in ITEMS}


def rows_made_up():
    """Muscles 0 → 0, 1–2 → 1, 3–5 → 2; tasks by thirds of their list; the sum of 64 stretched to 100."""
    rows = {
        (item.code, grade): 0 if grade == 0 else 1 if grade < 3 else 2
        for item in MUSCLES
        for grade in item.allowed
    }
    for item in TASKS:
        rows |= {(item.code, value): round(3 * value / max(item.allowed)) for value in item.allowed}
    return rows | {("sum", n): n * 100 / 64 for n in range(65)}


def table_of(tmp_path, rows):
    path = tmp_path / "scar.csv"
    lines = [f"{part},{raw},{value}" for (part, raw), value in rows.items()]
    path.write_text(
        "# made up for tests, no published number\npart,raw,value\n" + "\n".join(lines), encoding="utf-8"
    )
    return read_table(path)


@pytest.fixture
def table(tmp_path):
    return table_of(tmp_path, rows_made_up())


def test_eight_muscles_without_t1_and_sixteen_tasks_without_bladder_bowel_and_breathing():
    codes = {item.code for item in ITEMS}
    assert (len(MUSCLES), len(TASKS), len(codes)) == (8, 16, 24)
    assert not {"right_T1", "left_T1", "sphincter_respiration", "sphincter_bladder", "sphincter_bowel"} & codes
    assert "sphincter_toilet" in codes
    assert {s.code: s.high for s in SCAR.definition.subscales} == {"muscles": 16, "tasks": 48}


def test_the_ends_of_the_scale(table):
    assert SCAR.score(BEST, table=table).total.value == 100
    assert SCAR.score(dict.fromkeys(BEST, 0), table=table).total.value == 0


def test_a_worked_example_with_the_made_up_table(table):
    """Muscles 5, 4, 2, 0 and 5, 3, 1, 0 → 2+2+1+0 + 2+2+1+0 = 10; feeding 2 of 3 → 2, bed 4 of 6 → 2, rest 0: 4.

    Sum 14 → 21.875.
    """
    grades = dict(zip([item.code for item in MUSCLES], [5, 4, 2, 0, 5, 3, 1, 0]))
    score = SCAR.score({**dict.fromkeys(BEST, 0), **grades, "self_feeding": 2, "room_bed": 4}, table=table)
    assert (score.subscores["muscles"].value, score.subscores["tasks"].value) == (10, 4)
    assert score.total.value == pytest.approx(21.875)
    assert score.total.rule_source == "table made up for tests, no published number"
    assert score.options["table"]["sha256"] == table.sha256


def test_without_a_table_nothing_is_scored_and_the_table_is_asked_for():
    score = SCAR.score(BEST)
    assert {sub.status for sub in (score.total, *score.subscores.values())} == {"ND"}
    assert "needs the table 'scar'" in score.warnings[0]
    assert score.items == BEST


def test_a_missing_item_and_an_untestable_muscle_are_not_zeros(table):
    score = SCAR.score({**BEST, "left_C7": "NT"}, table=table)
    assert score.subscores["muscles"].status == score.total.status == "ND"
    assert score.subscores["tasks"].value == 48
    assert SCAR.score({**BEST, "walk_stairs": None}, table=table).total.status == "ND"


def test_a_table_without_a_row_is_reported(tmp_path):
    rows = {key: value for key, value in rows_made_up().items() if key != ("sum", 64)}
    with pytest.raises(BadValue, match="has no row 'sum:64'"):
        SCAR.score(BEST, table=table_of(tmp_path, rows))


@pytest.mark.parametrize(
    ("part", "value"), [("right_C5", 3), ("walk_stairs", 4), ("walk_stairs", 2.5), ("right_C6", -1)]
)
def test_a_recoded_value_outside_its_range_is_refused(tmp_path, part, value):
    rows = {**rows_made_up(), (part, BEST[part]): value}
    with pytest.raises(BadValue, match=f"row {part}:{BEST[part]} must be an integer 0 to "):
        SCAR.score(BEST, table=table_of(tmp_path, rows))


def test_a_measure_beyond_100_is_refused(tmp_path):
    with pytest.raises(BadValue, match="row sum:64 must be 0 to 100, got 101"):
        SCAR.score(BEST, table=table_of(tmp_path, {**rows_made_up(), ("sum", 64): 101}))


def test_items_keep_the_lists_of_scim_and_of_the_motor_exam():
    with pytest.raises(BadValue, match="room_bed must be one of 0, 2, 4, 6"):
        SCAR.score({"room_bed": 3})
    with pytest.raises(BadValue, match="right_C5 must be one of 0, 1, 2, 3, 4, 5, NT"):
        SCAR.score({"right_C5": 6})
