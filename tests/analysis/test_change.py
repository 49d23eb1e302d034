"""Change from a named baseline: never across states that were not declared, never from a missing score."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import analysis, outcomes
from workbench.analysis import change
from workbench.analysis._change import reaches
from workbench.errors import BadValue, Refused
from workbench.outcomes import own_threshold, threshold
from workbench.vocabulary import Assessment, Condition

STROKE = "arat:1981:total:mcid:5.7 points:stroke"
BCI = {"assisted": (False, True), "device_on": (False, True)}


def points(size, *, part="total", unit="points"):
    return own_threshold("arat", part, size, unit=unit, version="1981", citation="protocol 9.1")


def test_change_reads_the_score_as_the_record_stores_it(arat):
    found = change(arat(12, visit="v1"), arat(20, visit="v2"))
    assert (found.before, found.after, found.value, found.percent) == (12.0, 20.0, 8.0, pytest.approx(66.6667))
    assert (found.before_ids, found.after_id) == (("v1-arat",), "v2-arat")
    assert found.line() == (
        "ARAT right total 12 → 20, change +8, +67 % (better; unassisted, device off, stimulation off)"
    )


def test_change_of_a_subscore(arat):
    found = change(arat(12), arat(20, visit="v2"), part="grasp")
    assert (found.before, found.after) == (12.0, 18.0)


def test_percent_change_is_undefined_at_a_baseline_of_0(arat):
    found = change(arat(0), arat(6, visit="v2"), thresholds=(points(10, unit="%"),))
    assert found.percent is None
    assert found.flags[0].reached is None
    assert "undefined at a baseline of 0" in found.line()


@pytest.mark.parametrize("field", ["assisted", "device_on", "stimulation_on"])
def test_change_across_device_states_is_refused(arat, field):
    with pytest.raises(Refused, match=f"{field} False → True is not declared, and would count help as recovery"):
        change(arat(12), arat(30, visit="v2", **{field: True}))


@pytest.mark.parametrize(("field", "value"), [("orthosis", "wrist splint"), ("mode", "video")])
def test_change_across_orthosis_or_mode_is_refused(arat, field, value):
    with pytest.raises(Refused, match=f"{field} '' → '{value}' is not declared"):
        change(arat(12), arat(30, visit="v2", **{field: value}))


@pytest.mark.parametrize("other", [{"measure": "grassp_v1"}, {"version": "2"}, {"side": "left"}])
def test_change_needs_one_measure_version_and_side_whatever_is_declared(arat, other):
    after = replace(arat(20, visit="v2"), **other)
    with pytest.raises(BadValue, match=f"one {next(iter(other))}"):
        change(arat(12), after)
    with pytest.raises(BadValue, match="never mixed in one change"):
        change(arat(12), after, across={next(iter(other)): ("a", "b")})


def test_a_declared_difference_of_the_device_is_an_orthotic_effect_and_never_recovery(arat):
    found = change(arat(12), arat(39, assisted=True, device_on=True, id="with"), across=BCI)
    assert (found.value, found.effect) == (27.0, "orthotic effect, not recovery")
    assert found.line().startswith("ARAT right total 12 → 39, orthotic effect, not recovery +27")
    assert "unassisted, device off, stimulation off → assisted, device on, stimulation off" in found.line()


def test_a_declared_difference_of_stimulation_or_mode_is_labelled(arat):
    on = change(arat(1), arat(2, id="b", stimulation_on=True), across={"stimulation_on": (False, True)})
    told = change(arat(1), arat(2, id="b", mode="video"), across={"mode": ("", "video")})
    assert on.effect == "effect of stimulation being on, not recovery"
    assert told.effect == "difference between modes of administration, not recovery"


def test_a_declared_difference_must_be_there(arat):
    with pytest.raises(Refused, match="device_on False → False is declared False → True"):
        change(arat(12), arat(30, visit="v2"), across={"device_on": (False, True)})
    with pytest.raises(Refused, match="device_on True → False is declared False → True"):
        change(arat(12, device_on=True), arat(30, visit="v2"), across={"device_on": (False, True)})


@pytest.mark.parametrize("across", [{"rater": ("a", "b")}, {"device_on": (True, True)}, {"mode": "video"}])
def test_across_takes_fields_of_the_state_and_two_different_values(arat, across):
    with pytest.raises(BadValue, match="across"):
        change(arat(12), arat(30, visit="v2"), across=across)


def test_a_score_that_is_not_determinable_gives_no_change(arat):
    with pytest.raises(
        Refused, match=r"v1-arat is not determinable \(18 of 19 items\); a missing score is never 0"
    ):
        change(arat(None), arat(20, visit="v2"))


def stored(one, status, value):
    total = one.score["total"] | {"status": status, "value": value}
    return replace(one, score=one.score | {"total": total})


def test_a_censored_score_gives_no_change(arat):
    with pytest.raises(Refused, match="v2-arat is censored at 180, not a measured value"):
        change(arat(12), stored(arat(20, visit="v2"), "censored", 180))


@pytest.mark.parametrize(
    ("status", "told"), [("structural", "not asked by design"), ("invalid", "invalid"), ("ok", "of status 'ok'")]
)
def test_a_score_without_a_value_gives_no_change(arat, status, told):
    with pytest.raises(Refused, match=told):
        change(arat(12), stored(arat(20, visit="v2"), status, None))


def test_a_draft_enters_no_result(arat):
    with pytest.raises(Refused, match="still a draft; complete it"):
        change(arat(12), arat(20, visit="v2", state="draft"))


def test_an_unknown_part_lists_those_of_the_score(arat):
    with pytest.raises(BadValue, match="no score 'hand' .* it has total, grasp, grip, pinch, gross"):
        change(arat(12), arat(20, visit="v2"), part="hand")
    with pytest.raises(BadValue, match="it has none"):
        change(replace(arat(12), score={"total": 12}), arat(20, visit="v2"))


def test_two_baseline_records_are_an_error_unless_the_rule_says_which(arat):
    first = arat(10, id="b1", administered_at="2026-03-01T09:00:00Z")
    second = arat(14, id="b2", repeat=2, administered_at="2026-03-01T09:00:00.500Z")
    after = arat(20, visit="v2")
    with pytest.raises(BadValue, match=r"2 baseline records \(b2, b1\); say which counts"):
        change((second, first), after)
    assert change((second, first), after, baseline_rule="first").value == 10.0
    assert change((second, first), after, baseline_rule="last").value == 6.0
    mean = change((second, first), after, baseline_rule="mean")
    assert (mean.before, mean.value, mean.baseline) == (12.0, 8.0, "mean of 2")
    assert change((second, first), after, baseline_rule="b1").before_ids == ("b1",)
    assert "baseline: first" in change((second, first), after, baseline_rule="first").line()


def test_first_and_last_need_times_that_differ(arat):
    first, second = arat(10, id="b1"), arat(14, id="b2", administered_at="2026-03-01T09:00:00Z")
    for pair in ((first, second), (second, replace(second, id="b3"))):
        with pytest.raises(BadValue, match="the first of the baseline records .* cannot be determined"):
            change(pair, arat(20, visit="v2"), baseline_rule="first")


def test_an_unknown_rule_and_no_baseline_are_errors(arat):
    with pytest.raises(BadValue, match="must be first, last, mean or one of the ids b1, b2; got 'best'"):
        change((arat(10, id="b1"), arat(14, id="b2")), arat(20, visit="v2"), baseline_rule="best")
    with pytest.raises(BadValue, match="got no record"):
        change((), arat(20))
    with pytest.raises(BadValue, match="cannot be its own baseline"):
        change(arat(20), arat(20))


def test_the_baseline_visit_is_searched_for_the_same_state(arat):
    hand, device = arat(10, id="b1"), arat(30, id="b2", assisted=True, device_on=True)
    draft, left = arat(1, id="b3", repeat=2, state="draft"), arat(2, id="b4", side="left")
    records = (hand, device, draft, left)
    later, helped = arat(20, visit="v2"), arat(40, visit="v2", assisted=True, device_on=True)
    assert analysis.baselines(records, visit_id="v1", like=later) == (hand,)
    assert analysis.baselines(records, visit_id="v1", like=helped) == (device,)
    assert analysis.baselines(records, visit_id="v1", like=helped, across=BCI) == (hand,)
    with pytest.raises(analysis.NoBaseline, match="visit v0 has no ARAT right 1981 with assisted False"):
        analysis.baselines(records, visit_id="v0", like=later)


def test_an_improvement_is_held_against_the_chosen_row_with_its_citation(arat):
    found = change(arat(12), arat(18, visit="v2"), thresholds=(threshold(STROKE), points(7)))
    assert [flag.reached for flag in found.flags] == [True, False]
    assert found.flags[0].table_sha256 == outcomes.table_sha256()
    assert (
        "MCID 5.7 points (van der Lee 2001 [M]; population stroke, not spinal cord injury) reached; "
        "RESPONDER 7 points (protocol 9.1 [own]; population participants of this study (spinal cord injury)) not "
        "reached"
    ) in found.line()


def test_a_worsening_that_reaches_the_threshold_is_told(arat):
    flag = change(arat(18), arat(12, visit="v2"), thresholds=(points(6),)).flags[0]
    assert (flag.reached, flag.worsened) == (False, True)
    assert flag.words().endswith("reached by a worsening")


def test_a_percentage_is_of_the_baseline(arat):
    half = points(50, unit="%")
    assert change(arat(10), arat(15, visit="v2"), thresholds=(half,)).flags[0].reached is True
    assert change(arat(10), arat(14, visit="v2"), thresholds=(half,)).flags[0].reached is False


def test_rounding_does_not_cost_a_threshold():
    assert 0.7 - 0.6 < 0.1
    assert reaches(0.7 - 0.6, points(0.1), before=1.0) is True


def test_a_threshold_of_another_score_is_refused(arat):
    with pytest.raises(BadValue, match="says nothing about a change of arat 1981 total"):
        change(arat(12), arat(18, visit="v2"), thresholds=(points(2, part="grasp"),))
    with pytest.raises(BadValue, match="says nothing about a change"):
        change(arat(12), arat(18, visit="v2"), thresholds=(replace(points(2), kind="cutoff"),))


def pain(value, visit):
    definition = outcomes.load("pain_nrs").definition
    (scale,) = [one for one in definition.subscales if one.code == "average_7d"]
    items = {scale.items[0]: value}
    score = outcomes.score("pain_nrs", items).to_json()
    off = Condition(False, False, False)
    return Assessment(visit, "pain_nrs", definition.version, off, items, score, "Li", id=f"{visit}-pain")


def test_less_is_better_where_the_measure_says_so():
    before, after = pain(8, "v1"), pain(5, "v2")
    found = change(before, after, part="average_7d")
    assert (found.value, found.improvement, found.direction) == (-3.0, 3.0, "down")
    assert "better" in found.line()
    assert change(before, after, part="average_7d", direction="up").improvement == -3.0
    with pytest.raises(BadValue, match="must be 'up' or 'down', got 'left'"):
        change(before, after, part="average_7d", direction="left")


def test_a_threshold_of_pain_counts_points_down_and_a_percentage_of_the_baseline():
    chosen = outcomes.thresholds("pain_nrs", "11-point", subscore="average_7d")
    found = change(pain(6, "v1"), pain(4, "v2"), part="average_7d", thresholds=chosen)
    assert {flag.threshold.unit: flag.reached for flag in found.flags} == {"points": True, "%": False}


def test_covariates_that_differ_are_told(arat):
    found = change(arat(12, washout_h=24.0), arat(18, visit="v2", rater="Ma", blinded="yes"), thresholds=())
    assert found.notes == (
        "rater Li → Ma",
        "rater blinded unknown → yes",
        "washout in h 24.0 → not known",
    )
    assert "rater Li → Ma" in found.line()


def test_no_change_is_neither_better_nor_worse(arat):
    found = change(arat(12), arat(12, visit="v2"))
    assert "no change" in found.line()
    assert str(found.improvement) == "0.0"


def test_direction_needs_a_known_version_and_part():
    assert analysis.direction_of("arat", "1981", "grip") == "up"
    with pytest.raises(BadValue, match="arat has version '1981', got '1999'"):
        analysis.direction_of("arat", "1999")
    with pytest.raises(BadValue, match="arat 1981 has no score 'hand'; it has grasp"):
        analysis.direction_of("arat", "1981", "hand")


def test_the_state_is_spelt_out_with_orthosis_and_mode(arat):
    assert analysis.state_words(arat(1, orthosis="splint", mode="video")) == (
        "unassisted, device off, stimulation off, orthosis splint, mode video"
    )


def test_one_time_in_two_spellings_is_no_order(arat):
    first = arat(10, id="b1", administered_at="2026-03-01T09:00:00Z")
    second = arat(14, id="b2", repeat=2, administered_at="2026-03-01T09:00:00.000Z")
    with pytest.raises(BadValue, match="the last of the baseline records .* cannot be determined"):
        change((first, second), arat(20, visit="v2"), baseline_rule="last")


def scored(measure, items, visit, **options):
    definition = outcomes.load(measure).definition
    stored = outcomes.score(measure, items, **options).to_json()
    off = Condition(False, False, False)
    fields = {"id": f"{visit}-{measure}", "options": options}
    return Assessment(visit, measure, definition.version, off, items, stored, "Li", **fields)


def test_a_threshold_in_another_unit_is_refused():
    """2 kg are 19.6 N: held against newtons, every trembling hand would respond."""
    grips = [scored("grip", {f"right_grip_{n}": f for n in (1, 2, 3)}, f"v{f}", unit="N") for f in (20, 25)]
    kilograms = own_threshold("grip", "right_grip", 2, unit="kg", version="1984", citation="protocol 9")
    with pytest.raises(BadValue, match="is in kg, grip 1984 right_grip is in N; state it in N or in %"):
        change(*grips, part="right_grip", thresholds=(kilograms,))
    for unit, size in (("N", 19.6133), ("%", 30)):
        own = own_threshold("grip", "right_grip", size, unit=unit, version="1984", citation="protocol 9")
        assert change(*grips, part="right_grip", thresholds=(own,)).flags[0].reached is False


def rated(visit, **problems):
    """COPM with ``p<number>=rating`` of performance, satisfaction always 5."""
    items = {}
    for place, (name, rating) in enumerate(problems.items(), start=1):
        items |= {f"problem_{place}": int(name[1:]), f"performance_{place}": rating, f"satisfaction_{place}": 5}
    return scored("copm", items, visit)


def test_copm_changes_on_the_same_problems_only():
    """Problem 2 (8) was dropped and 7 (9) is new: 3 → 5 and 1 → 3 are +2; the means 4 and 17/3 would say +1.7."""
    found = change(rated("v1", p1=3, p2=8, p3=1), rated("v2", p1=5, p7=9, p3=3), part="performance")
    assert (found.before, found.after, found.value) == (2.0, 4.0, 2.0)
    assert found.notes == ("compared on problems 1, 3, left out 2, 7",)
    assert "compared on problems 1, 3" in found.line()


def test_copm_without_a_common_problem_has_no_change():
    with pytest.raises(Refused, match="no problem that both visits rate"):
        change(rated("v1", p1=3), rated("v2", p2=5), part="performance")
    plain = change(rated("v1", p1=3), rated("v2", p1=5), part="performance")
    assert (plain.value, plain.notes) == (2.0, ())


def test_ashworth_labels_under_two_codings_give_no_change():
    """Label 2 twice: 3 in order, 2 by the label. It was printed as "−1, better"."""
    pair = [scored("mas", {"left_hip_flexors": 2}, v, coding=c) for v, c in (("v1", "ordinal"), ("v2", "half"))]
    with pytest.raises(Refused, match="option coding is ordinal, then half"):
        change(*pair, part="left_hip_flexors")


def test_the_mean_and_the_maximum_of_three_grips_give_no_change():
    forces = {"right_grip_1": 20, "right_grip_2": 40, "right_grip_3": 60}
    pair = [scored("grip", forces, v, unit="N", statistic=s) for v, s in (("v1", "mean"), ("v2", "max"))]
    with pytest.raises(Refused, match="option statistic is mean, then max"):
        change(*pair, part="right_grip")


def test_grips_entered_in_newtons_and_in_kilograms_are_compared_in_newtons():
    forces = {"right_grip_1": 10, "right_grip_2": 10, "right_grip_3": 10}
    pair = [scored("grip", forces, v, unit=unit) for v, unit in (("v1", "N"), ("v2", "kg"))]
    assert change(*pair, part="right_grip").value == pytest.approx(88.0665)


def test_walks_on_a_short_and_on_a_long_track_give_no_change_but_who_could_not_walk_walked_on_none():
    short = scored("6mwt", {"distance": 200, "track_length": 10}, "v1")
    long = scored("6mwt", {"distance": 240, "track_length": 50}, "v2")
    with pytest.raises(Refused, match="condition track_length is 10, then 50"):
        change(short, long, part="distance")
    unable = scored("6mwt", {"distance": "unable"}, "v1")
    assert change(unable, long, part="distance").value == 240


def test_an_option_that_was_not_needed_for_the_first_score_is_no_other_option():
    """Nothing could be done, which needs no able-bodied times; two of seven tasks are timed later."""
    tasks = ("carpet", "up_and_go", "obstacles", "stairs", "carry", "step", "door")
    unable = {f"{task}_s": "unable" for task in tasks}
    norms = dict.fromkeys(tasks, 10.0)
    later = unable | {"carpet_s": 20, "carpet_factor": 2, "door_s": 10, "door_factor": 1}
    pair = scored("scifap", unable, "v1"), scored("scifap", later, "v2", norms=norms)
    assert change(*pair).value == (4 + 1) - 2 * 300
    with pytest.raises(Refused, match="option norms"):
        change(scored("scifap", later, "v1", norms=norms | {"door": 5.0}), pair[1])


def test_a_condition_that_neither_assessment_records_and_another_aid_stand_beside_the_change():
    pair = [
        scored("10mwt", {"preferred": t, "walking_aid": a}, v)
        for t, a, v in ((20, "walker", "v1"), (10, "cane", "v2"))
    ]
    found = change(*pair, part="preferred_speed")
    assert found.notes == ("start is recorded in neither assessment", "walking_aid walker → cane")
    static = scored("10mwt", {"preferred": 10, "start": "static"}, "v2")
    with pytest.raises(Refused, match="condition start is not recorded, then static"):
        change(pair[0], static, part="preferred_speed")


def test_a_change_says_when_fewer_items_were_answered_than_before():
    """Goal 3 was dropped by protocol; half of the 12 answers are missing by the second visit."""
    goals = {"goal_1": 0, "goal_2": 0, "goal_3": 0, "n_goals": 3}
    dropped = {"goal_1": 1, "goal_2": 1, "n_goals": 3}
    pair = [scored("gas", items, v, drop_unscored=True) for items, v in ((goals, "v1"), (dropped, "v2"))]
    assert change(*pair).notes == ("answered 3 → 2 of 3 items",)
    full, half, again = (
        scored("quest2", {f"q{n}": 4 for n in range(1, last + 1)}, v)
        for last, v in ((12, "v1"), (6, "v2"), (12, "v3"))
    )
    assert change(full, half).notes == ("answered 12 → 6 of 12 items",)
    assert change(full, again).notes == ()


def test_another_number_of_goals_or_other_weights_give_no_attainment_change():
    one = scored("gas", {"goal_1": 0, "goal_2": 0}, "v1")
    with pytest.raises(Refused, match="formed from 2 items in assessment v1-gas and from 3 in v2-gas"):
        change(one, scored("gas", {"goal_1": 1, "goal_2": 1, "goal_3": 1}, "v2"))
    with pytest.raises(Refused, match="condition weight_2 is 1, then 3"):
        change(one, scored("gas", {"goal_1": 1, "goal_2": 1, "weight_2": 3}, "v2"))
    explicit = {"goal_1": 1, "goal_2": 1, "weight_1": 1, "weight_2": 1}
    assert change(one, scored("gas", explicit, "v2")).improvement > 0
