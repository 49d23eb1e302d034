"""Thresholds come from one table, with citation and evidence; memory is off unless chosen by name."""

from __future__ import annotations

import hashlib

import pytest

from workbench import outcomes
from workbench.errors import BadValue, Refused, UnknownName
from workbench.outcomes import _thresholds as room
from workbench.outcomes import own_threshold, read_thresholds, table_sha256, threshold, thresholds

HEAD = "measure,version,subscore,kind,value,unit,population,citation,evidence"
GOOD = "arat,1981,total,mcid,5.7,points,stroke,van der Lee 2001,[M]"
STROKE = "arat:1981:total:mcid:5.7 points:stroke"


def written(tmp_path, *lines, head=HEAD):
    path = tmp_path / "thresholds.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def test_the_table_of_the_product_reads_and_its_hash_is_that_of_the_file():
    assert room.table()
    assert table_sha256() == hashlib.sha256(room.FILE.read_bytes()).hexdigest()
    assert outcomes.TABLE_VERSION


def test_every_row_of_the_table_names_a_measure_version_and_subscore_that_exist():
    derived = {("isncsci", "ais"), ("isncsci", "motor_level")}
    for row in room.table():
        definitions = {one.version: one for one in outcomes.load(row.measure).definitions}
        assert row.version in definitions, row.name
        codes = {subscale.code for subscale in definitions[row.version].subscales}
        codes |= {"total"} if definitions[row.version].low is not None else set()
        assert row.subscore in codes or (row.measure, row.subscore) in derived, row.name


def test_a_row_from_memory_is_off_until_it_is_chosen_by_its_name():
    assert STROKE not in {row.name for row in thresholds("arat", "1981")}
    assert STROKE in {row.name for row in thresholds("arat", "1981", include_off=True)}
    chosen = threshold(STROKE)
    assert (chosen.value, chosen.unit, chosen.evidence, chosen.on) == (5.7, "points", "[M]", False)


def test_a_row_that_was_seen_is_on(tmp_path):
    seen = read_thresholds(written(tmp_path, "scim3,3,total,mcid,4,points,SCI,Scivoletto 2013,[S]"))[0]
    assert seen.on
    assert seen.spinal


def test_a_row_without_a_value_is_shown_and_cannot_be_chosen():
    empty = next(row for row in thresholds("isncsci", "2019", subscore="uems", include_off=True))
    assert empty.value is None
    assert not empty.on
    with pytest.raises(Refused, match="has no value .*Scivoletto 2013"):
        threshold(empty.name)


def test_an_unknown_row_lists_those_of_the_measure():
    with pytest.raises(UnknownName, match=f"of arat it has: {STROKE}"):
        threshold("arat:1981:total:mcid:6 points:SCI")


def test_another_population_is_reported():
    assert threshold(STROKE).describe() == (
        "MCID 5.7 points (van der Lee 2001 [M]; population stroke, not spinal cord injury)"
    )


def test_the_sign_of_a_threshold_says_nothing(tmp_path):
    pain = read_thresholds(written(tmp_path, "pain_nrs,11-point,now,mcid,-1.8,points,SCI,Hanley 2006,[S]"))[0]
    assert (pain.value, pain.size) == (-1.8, 1.8)


def test_a_threshold_of_the_protocol_needs_its_place_in_it():
    own = own_threshold("arat", "grasp", 2, unit="points", version="1981", citation="protocol 1.2, section 9.1")
    assert own.on
    assert own.describe() == (
        "RESPONDER 2 points (protocol 1.2, section 9.1 [own]; population participants of this study "
        "(spinal cord injury))"
    )
    with pytest.raises(BadValue, match="needs a citation"):
        own_threshold("arat", "grasp", 2, unit="points", version="1981", citation=" ")


@pytest.mark.parametrize("size", [0, -1, float("nan"), True, "2"])
def test_a_threshold_of_the_protocol_is_a_number_above_0(size):
    with pytest.raises(BadValue, match="must be a number above 0"):
        own_threshold("arat", "grasp", size, unit="points", version="1981", citation="protocol")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([GOOD, GOOD], f"two rows named '{STROKE}'"),
        ([GOOD.replace("[M]", "sure")], r"line 2 has evidence 'sure'; allowed are \[S\]"),
        ([GOOD.replace("mcid", "luck")], "line 2 has kind 'luck'; allowed are mdc"),
        ([GOOD.replace("5.7", "0")], "line 2 has value '0'"),
        ([GOOD.replace("5.7", "some")], "line 2 has value 'some'"),
        ([GOOD.replace("stroke", "")], "line 2 has an empty population"),
        ([GOOD + ",more"], "line 2 must have 9 cells, got 10"),
    ],
)
def test_a_faulty_row_is_reported_with_its_line(tmp_path, lines, message):
    with pytest.raises(BadValue, match=message):
        read_thresholds(written(tmp_path, *lines))


def test_other_columns_are_refused(tmp_path):
    with pytest.raises(BadValue, match="must have the columns measure, version.*got a, b"):
        read_thresholds(written(tmp_path, head="a,b"))


def test_a_kind_is_stored_in_small_letters(tmp_path):
    assert read_thresholds(written(tmp_path, GOOD.replace("mcid", "MCID")))[0].kind == "mcid"


def test_low_confidence_ships_without_a_value(tmp_path):
    assert all(row.value is None for row in room.table() if row.evidence == "[M?]")
    with pytest.raises(BadValue, match=r"line 2 has value '5.7' with evidence \[M\?\]; such a row ships empty"):
        read_thresholds(written(tmp_path, GOOD.replace("[M]", "[M?]")))


def test_every_row_is_in_the_unit_of_its_score_or_in_per_cent():
    for row in room.table():
        (definition,) = [one for one in outcomes.load(row.measure).definitions if one.version == row.version]
        units = {scale.code: scale.unit for scale in definition.subscales}
        assert row.unit in (units.get(row.subscore) or row.unit, "%"), row.name
