"""SF-36v2: recoding, half-scale rule, norms and summaries from a table, which is made up in these tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes._tables import read_table

SF = outcomes.load("sf36v2")
ITEMS = {item.code: item.allowed for item in SF.definition.items}
SCALES = {s.code: s.items for s in SF.definition.subscales[:8]}
ANSWERS = st.fixed_dictionaries({code: st.sampled_from(allowed) for code, allowed in ITEMS.items()})


def made_up_rows():
    """No real scoring numbers: an answer counts as itself, norms are 50 and 20, weights 0.1 and -0.2."""
    rows = {f"{code},{answer}": answer for code, allowed in ITEMS.items() if code != "q2" for answer in allowed}
    rows |= {f"{name},{code}": value for code in SCALES for name, value in (("mean", 50), ("sd", 20))}
    return rows | {f"{name},{code}": value for code in SCALES for name, value in (("pcs", 0.1), ("mcs", -0.2))}


def write(folder, rows):
    path = folder / "made_up_sf36v2.csv"
    lines = [f"{key},{value}" for key, value in rows.items()]
    path.write_text("\n".join(["# made-up numbers for tests", "what,of,value", *lines]), encoding="utf-8")
    return read_table(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write(tmp_path_factory.mktemp("sf36"), made_up_rows())


def at(fraction):
    """Answers at the low end (0) or the high end (1) of every item."""
    return {code: allowed[-1] if fraction else allowed[0] for code, allowed in ITEMS.items()}


@pytest.mark.parametrize("end", [0, 1])
def test_the_ends_of_all_answers_are_0_and_100_and_their_z_by_hand(table, end):
    found = SF.score(at(end), table=table).subscores
    z = (100 * end - 50) / 20
    assert {found[code].value for code in SCALES} == {100 * end}
    assert {found[f"{code}_t"].value for code in SCALES} == {50 + 10 * z}
    assert found["pcs"].value == pytest.approx(50 + 10 * 8 * 0.1 * z)
    assert found["mcs"].value == pytest.approx(50 - 10 * 8 * 0.2 * z)


def test_a_scale_by_hand(table):
    # bodily pain: 4 of 1-6 and 2 of 1-5: (6 - 2) / (11 - 2) of the range
    found = SF.score({"q21": 4, "q22": 2}, table=table).subscores
    assert found["bp"].value == pytest.approx(100 * 4 / 9)
    assert found["bp_t"].value == pytest.approx(50 + 10 * (100 * 4 / 9 - 50) / 20)
    assert found["pcs"].status == found["mcs"].status == "ND"


def test_a_recoding_that_depends_on_another_item_comes_before_the_items_own(tmp_path):
    paired = write(tmp_path, {**made_up_rows(), "q22&q21,2&4": 5})
    # (4 + 5 - 2) / (11 - 2)
    assert SF.score({"q21": 4, "q22": 2}, table=paired).subscores["bp"].value == pytest.approx(100 * 7 / 9)
    assert SF.score({"q21": 3, "q22": 2}, table=paired).subscores["bp"].value == pytest.approx(100 * 3 / 9)


@pytest.mark.parametrize("code", sorted(SCALES))
def test_half_of_a_scale_is_enough_and_less_is_not(table, code):
    items = SCALES[code]
    half = (len(items) + 1) // 2
    enough = SF.score({c: ITEMS[c][-1] for c in items[:half]}, table=table).subscores
    assert enough[code].status == enough[f"{code}_t"].status == "ok"
    assert enough[code].imputed == enough[f"{code}_t"].imputed == items[half:]
    assert enough[code].n_valid == half
    less = SF.score({c: ITEMS[c][-1] for c in items[: half - 1]}, table=table).subscores
    assert less[code].status == less[f"{code}_t"].status == "ND"
    assert less[code].imputed == ()


def test_a_gap_counts_as_the_mean_of_the_answered(table):
    found = SF.score({"q13": 5, "q14": 4, "q15": 3}, table=table).subscores["rp"]
    assert found.value == pytest.approx(100 * (4 - 1) / 4)
    assert found.imputed == ("q16",)


def test_the_summaries_need_all_eight_scales(table):
    items = at(1)
    del items["q20"]
    assert SF.score(items, table=table).subscores["pcs"].imputed == ("q20",)
    del items["q32"]
    found = SF.score(items, table=table).subscores
    assert (found["sf"].status, found["pcs"].status, found["mcs"].status) == ("ND", "ND", "ND")
    assert found["pf_t"].status == "ok"


def test_without_a_table_only_the_change_of_health_is_scored():
    score = SF.score(at(1))
    assert {s.status for code, s in score.subscores.items() if code != "transition"} == {"ND"}
    assert score.subscores["transition"].value == 5
    assert "needs the table 'scoring numbers of the SF-36v2" in score.warnings[0]


def test_the_score_keeps_the_label_and_hash_of_its_table(table):
    stored = SF.score(at(1), table=table).to_json()
    assert stored["options"] == {"table": {"label": "made-up numbers for tests", "sha256": table.sha256}}


@given(ANSWERS)
def test_scales_stay_between_0_and_100(table, items):
    found = SF.score(items, table=table).subscores
    assert all(0 <= found[code].value <= 100 for code in SCALES)


@pytest.mark.parametrize("gone", ["q1,5", "mean,pf", "sd,mh", "pcs,gh", "mcs,re"])
def test_a_table_that_lacks_a_row_is_refused_with_the_row(tmp_path, gone):
    rows = made_up_rows()
    del rows[gone]
    with pytest.raises(BadValue, match=f"has no row '{gone.replace(',', ':')}'"):
        SF.score(at(1), table=write(tmp_path, rows))


def test_any_deviation_above_0_is_one(tmp_path):
    table = write(tmp_path, {**made_up_rows(), "sd,pf": 0.5})
    assert SF.score(at(1), table=table).subscores["pf_t"].value == pytest.approx(50 + 10 * (100 - 50) / 0.5)


def test_a_table_with_impossible_numbers_is_refused(tmp_path):
    with pytest.raises(BadValue, match="sd of pf must be above 0, got 0"):
        SF.score(at(1), table=write(tmp_path, {**made_up_rows(), "sd,pf": 0}))
    alike = {**made_up_rows(), **{f"q{n},{a}": 1 for n in (20, 32) for a in range(1, 6)}}
    with pytest.raises(BadValue, match="recodes every answer of scale sf alike"):
        SF.score(at(1), table=write(tmp_path, alike))


@pytest.mark.parametrize(("code", "value"), [("q3", 4), ("q13", 6), ("q21", 7), ("q23", 6), ("q1", 0)])
def test_each_item_has_its_own_list_of_answers(code, value):
    with pytest.raises(BadValue, match=f"sf36v2 item {code} must be one of 1, 2, 3"):
        SF.score({code: value})
