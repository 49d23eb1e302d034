"""Queries to the rater (specification of the outcome measures, section 6): one test a rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import outcomes
from workbench.analysis import Limits, queries
from workbench.errors import BadValue
from workbench.vocabulary import Assessment, Condition

COMPLETE = {"normal_to": "C6", "vac": "No", "dap": "No"}
OFF = Condition(False, False, False)


def scored(measure, items, *, visit="v1", options=None, **more):
    definition = outcomes.load(measure).definition
    score = outcomes.score(measure, items, **(options or {})).to_json()
    made = Assessment(visit, measure, definition.version, OFF, items, score, "Li", id=f"{visit}-{measure}")
    return replace(made, options=options or {}, **more)


def only(found, rule):
    assert [query.rule for query in found] == [rule] * len(found)
    return found


def test_a_jump_with_a_new_rater_is_asked_about(arat):
    """12 of 57 points are 21 % of the range, 11 are 19 %."""
    before = arat(10)
    (query,) = only(queries((before, arat(22, visit="v2", rater="Ma"))), "jump_with_new_rater")
    assert (query.assessments, query.item, query.severity) == (("v1-arat", "v2-arat"), "total", "medium")
    assert (
        "ARAT right total got better by 12 (21 % of its range) while the rater changed from Li to Ma"
        in query.sentence
    )
    assert queries((before, arat(21, visit="v2", rater="Ma"))) == ()
    assert queries((before, arat(21, visit="v2", rater="Ma")), limits=Limits(jump_share=0.19)) != ()


def test_a_jump_with_the_same_rater_at_one_visit_or_under_other_help_is_not(arat):
    before = arat(10)
    for after in (
        arat(40, visit="v2"),
        arat(40, id="again", repeat=2, rater="Ma"),
        arat(40, visit="v2", rater="Ma", device_on=True),
        arat(40, visit="v2", rater="Ma", state="draft"),
        arat(None, visit="v2", rater="Ma"),
    ):
        assert queries((before, after)) == ()


def test_a_jump_is_towards_better_also_where_less_is_better():
    code = outcomes.load("phq9").definition.items
    high, low = ({item.code: value for item in code} for value in (2, 0))
    worse = (scored("phq9", low), scored("phq9", high, visit="v2", rater="Ma"))
    better = (scored("phq9", high), scored("phq9", low, visit="v2", rater="Ma"))
    assert "jump_with_new_rater" not in {query.rule for query in queries(worse)}
    assert "jump_with_new_rater" in {query.rule for query in queries(better)}


def test_time_of_administration_orders_the_records(arat):
    late = arat(40, visit="v2", rater="Ma", administered_at="2026-03-02T09:00:00Z")
    early = arat(10, administered_at="2026-03-01T09:00:00Z")
    assert queries((late, early))[0].assessments == ("v1-arat", "v2-arat")


def test_a_key_muscle_of_the_arm_that_changes_by_three_grades_is_asked_about(exam):
    before = exam("5520000000", **COMPLETE)
    after = exam("5520000000", visit="v2", cells={"left.motor.C7": 5, "right.motor.C7": 4}, **COMPLETE)
    (query,) = only(queries((before, after)), "muscle_jump")
    assert (query.item, query.sentence[:26]) == ("left.motor.C7", "left C7 went from 2 to 5; ")
    wide = queries((before, after), limits=Limits(muscle_grades=2))
    assert [query.item for query in wide] == ["right.motor.C7", "left.motor.C7"]


def test_an_untested_muscle_is_no_jump_and_a_tag_is_ignored(exam):
    before = exam("5520000000", **COMPLETE)
    untested = exam("5520000000", visit="v2", cells={"left.motor.C7": "NT"}, **COMPLETE)
    tagged = exam("5520000000", visit="v2", cells={"left.motor.C6": "2*"}, **COMPLETE)
    assert queries((before, untested)) == ()
    assert [query.item for query in queries((before, tagged))] == ["left.motor.C6"]


def test_normal_sensation_lost_above_the_level_is_asked_about(exam):
    before = exam("5520000000", **COMPLETE)
    after = exam("5520000000", visit="v2", cells={"right.pinPrick.C4": 1}, **COMPLETE)
    (query,) = only(queries((before, after)), "sensation_lost_above")
    assert query.item == "right.pinPrick.C4"
    assert "at or above the NLI C6, and is 1 now" in query.sentence


def test_sensation_lost_below_the_level_or_below_an_open_level_is_not(exam):
    sensed = exam("5520000000", vac="No", dap="No", cells={"right.pinPrick.C7": 1, "left.motor.C6": "NT"})
    lost = exam(
        "5520000000", vac="No", dap="No", visit="v2", cells={"right.pinPrick.C7": 1, "right.pinPrick.T4": 0}
    )
    assert "," in sensed.score["classes"]["nli"]
    assert [q for q in queries((sensed, lost)) if q.rule == "sensation_lost_above"] == []


def test_a_worse_grade_is_asked_about(exam):
    (query,) = only(
        queries((exam("5500000000", normal_to="C6", vac="No"), exam("5500000000", visit="v2", **COMPLETE))),
        "ais_worse",
    )
    assert query.severity == "high"
    assert query.sentence.startswith("AIS went from B to A; is there a clinical cause?")


def test_a_scim_that_drops_is_asked_about():
    best = {item.code: max(item.allowed) for item in outcomes.load("scim3").definition.items}
    before, after = scored("scim3", best), scored("scim3", best | {"self_feeding": 1}, visit="v2")
    (query,) = only(queries((before, after)), "scim_drop")
    assert query.sentence.startswith("SCIM III total dropped by 2;")
    assert queries((before, after), limits=Limits(scim_drop=3)) == ()
    assert queries((after, before)) == ()


def test_grassp_strength_and_motor_score_of_one_muscle_are_compared_at_one_visit(exam):
    items = {item.code: max(item.allowed) for item in outcomes.load("grassp_v1").definition.items}
    items |= {
        "right_strength_wrist_extensors": 3,
        "left_strength_wrist_extensors": 4,
        "left_strength_finger_flexors": "NT",
    }
    grassp, motor = scored("grassp_v1", items), exam("5555500000", normal_to="T1", vac="No", dap="No")
    (query,) = only(queries((grassp, motor)), "grassp_and_motor_score")
    assert (query.item, query.severity) == ("right_strength_wrist_extensors", "low")
    assert "is 3 and ISNCSCI right.motor.C6 is 5 at one visit" in query.sentence
    assert queries((grassp, replace(motor, visit_id="v2"))) == ()


def test_a_classification_by_hand_that_differs_is_asked_about_and_both_are_kept(exam):
    one = exam("5500000000", **COMPLETE)
    one = replace(one, items={**one.items, "site_reported.nli": "C6", "site_reported.ais": "B"})
    (query,) = only(queries((one,)), "site_reported_differs")
    assert query.sentence.startswith("the site reported AIS B, computed is A; both are kept")
    empty = replace(one, score={})
    assert "computed is nothing" in queries((empty,))[0].sentence


def test_an_examination_in_spinal_shock_is_asked_about(exam):
    one = exam("5500000000", administered_at="2026-03-03T08:00:00Z", **COMPLETE)
    (query,) = only(queries((one,), injured_at="2026-03-01T09:00:00Z"), "within_spinal_shock")
    assert (query.severity, query.item) == ("medium", "administered_at")
    assert "was made 47 h after the injury, inside the first 72 h" in query.sentence
    (query,) = only(queries((one,), injured_at="2026-02-28"), "within_spinal_shock")
    assert "was made 44 to 94 h after the injury, perhaps inside the first 72 h" in query.sentence
    assert queries((one,), injured_at="2026-02-26") == ()
    assert queries((one,), injured_at="2026-02-28T08:00:00Z") == ()
    assert queries((one,), injured_at="2026-03-05")[0].severity == "high"
    assert queries((replace(one, administered_at=""),), injured_at="2026-03-01") == ()
    with pytest.raises(BadValue, match="injured_at must be UTC or an ISO date"):
        queries((one,), injured_at="yesterday")
    with pytest.raises(BadValue, match="administered_at of v1-isncsci must be UTC or an ISO date"):
        queries((replace(one, administered_at="noon"),), injured_at="2026-03-01")


@pytest.mark.parametrize("text", ["2026-03-01", "20260301"])
def test_a_date_of_injury_is_a_day_of_any_time_zone(exam, text):
    """05:00 in China on the day of the injury is the day before in UTC, and not before the injury."""
    one = exam("5500000000", administered_at="2026-02-28T21:00:00Z", **COMPLETE)
    (query,) = only(queries((one,), injured_at=text), "within_spinal_shock")
    assert (query.severity, "perhaps" in query.sentence) == ("medium", False)
    assert "was made 0 to 11 h after the injury" in query.sentence


def test_averaged_ashworth_scores_are_asked_about():
    items = {"right_elbow_flexors": 2, "right_wrist_flexors": "1+"}
    plan = {"mean_of": list(items)}
    (query,) = only(queries((scored("mas", items, options=plan),)), "mas_averaged")
    assert "does the protocol plan that mean?" in query.sentence
    assert queries((scored("mas", items, options=plan),), limits=Limits(planned_mean=True)) == ()
    assert queries((scored("mas", items),)) == ()


def test_a_walk_of_0_seconds_is_asked_about():
    walked = scored("10mwt", {"preferred": 12.5})
    (query,) = only(queries((replace(walked, items={"preferred": 0, "fast": None}),)), "time_zero")
    assert (query.item, query.severity) == ("preferred", "high")
    assert "10MWT preferred is 0 s; who was unable has no time" in query.sentence
    assert queries((walked,)) == ()


def test_a_safety_alert_is_raised_at_once_whatever_the_total():
    nine = outcomes.load("phq9").definition.items[8].code
    one = scored("phq9", {nine: 1}, state="draft")
    one = replace(one, alerts=tuple(one.score["alerts"]))
    assert one.score["total"]["status"] == "ND"
    (query,) = only(queries((one,)), "safety_alert")
    assert query.severity == "high"
    assert query.sentence.startswith("PHQ9: ")


def test_the_most_severe_comes_first(arat, exam):
    records = (
        exam("5500000000", normal_to="C6", vac="No"),
        exam("5500000000", visit="v2", cells={"right.pinPrick.C4": 0}, **COMPLETE),
    )
    assert [query.severity for query in queries(records)] == ["high", "medium"]


def test_a_measure_that_is_not_of_ours_is_left_alone(arat):
    foreign = [replace(arat(n, visit=f"v{n}", rater=f"R{n}"), measure="foreign") for n in (1, 40)]
    old = [replace(arat(n, visit=f"v{n}", rater=f"R{n}"), version="1900") for n in (1, 40)]
    assert queries(foreign) == queries(old) == ()


def test_a_score_that_only_one_of_two_has_is_no_jump(arat):
    bare = replace(arat(1), score={})
    flat = arat(40, visit="v2", rater="Ma")
    flat = replace(flat, score={"total": flat.score["total"] | {"high": 0, "low": 0}})
    assert queries((bare, arat(40, visit="v2", rater="Ma"))) == ()
    assert queries((arat(1), flat)) == ()


def test_a_site_that_could_not_determine_or_spelled_otherwise_is_not_asked(exam):
    cells = {"right.motor.C7": "NT", "right.motor.T1": "NT", "site_reported.ais": "ND"}
    open_ = exam("5503300000", vac="NT", normal_to="C6", cells=cells)
    assert "," in open_.score["classes"]["ais"]
    assert not list(queries((open_,)))
    spelled = exam("5500000000", cells={"site_reported.nli": "C6", "site_reported.ais": "A"}, **COMPLETE)
    assert not list(queries((spelled,)))
