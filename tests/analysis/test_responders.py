"""Responders: single, composite, Up-LIFT style, by grade, by motor level, BCI-assisted."""

from __future__ import annotations

from dataclasses import replace

import pytest
import scipy

from workbench import outcomes
from workbench.analysis import (
    Component,
    ais_conversion,
    bci_assisted_arat,
    estimate,
    motor_level_response,
    responder,
    up_lift,
)
from workbench.errors import BadValue, Refused
from workbench.outcomes import own_threshold, threshold
from workbench.vocabulary import Assessment, Condition

GRADE = "isncsci:2019:ais:responder:1 grades:spinal cord injury"
LEVELS = "isncsci:2019:motor_level:responder:2 segments:spinal cord injury"


def limit(measure, part, size, *, unit="points"):
    version = {"arat": "1981", "isncsci": "2019", "cue_t": "144"}[measure]
    return own_threshold(measure, part, size, unit=unit, version=version, citation="protocol 9")


FUNCTION = Component("arat", "total", limit("arat", "total", 6), side="right")
STRENGTH = Component("isncsci", "uems", limit("isncsci", "uems", 4))


@pytest.fixture
def person(arat, exam, history):
    """A participant by UEMS and ARAT at both visits; None leaves the later ARAT out."""

    def made(name, uems, points):
        records = [exam("5500000000", normal_to="C6", vac="No", dap="No"), arat(points[0])]
        motor = "55" + str(uems // 2) + "0000000"
        records.append(exam(motor, normal_to="C6", vac="No", dap="No", visit="v2"))
        records += [arat(points[1], visit="v2")] if points[1] is not None else []
        return history(name, *records)

    return made


@pytest.fixture
def five(person):
    """UEMS +4 and ARAT +6; only strength; only function; strength and no ARAT; neither strength nor an ARAT."""
    return [
        person("P1", 4, (10, 16)),
        person("P2", 4, (10, 10)),
        person("P3", 0, (10, 19)),
        person("P4", 4, (10, None)),
        person("P5", 0, (10, None)),
    ]


def test_a_single_outcome_against_its_threshold(five):
    found = responder(five[:3], visit="v2", ref_visit="v1", any_of=(FUNCTION,))
    assert found.responders == ("P1", "P3")
    assert (found.n_responders, found.n, found.rate) == (2, 3, pytest.approx(2 / 3))
    assert found.interval == pytest.approx((0.0942993, 0.9915962), abs=1e-6)
    assert found.line() == (
        "responders 2/3 = 0.667 (95 % CI 0.094–0.992, Clopper–Pearson; denominator: all 3 participants, missing = "
        "non-responder; false-responder probability not known: arat.total (right): an own MDC needs at least one "
        "participant with two baseline records, got 3 with one or none; measure the baseline twice; v2 against "
        "v1; rule: arat.total (right) by RESPONDER 6 points (protocol 9 [own]; population participants of this "
        "study (spinal cord injury)))"
    )


def test_strength_and_function_are_both_needed(five):
    rule = up_lift((STRENGTH,), (FUNCTION,))
    found = responder(five, visit="v2", ref_visit="v1", all_of=rule, p0=0.5)
    assert found.verdicts == {"P1": True, "P2": False, "P3": False, "P4": None, "P5": False}
    assert (found.n_responders, found.n) == (1, 5)
    assert found.p_value == pytest.approx(1 - 1 / 32)
    assert found.by_component == {"isncsci.uems": ("P1", "P2", "P4"), "arat.total (right)": ("P1", "P3")}
    assert found.listing() == (
        "isncsci.uems: 3 of 5 (P1, P2, P4)",
        "arat.total (right): 2 of 5 (P1, P3)",
        "not determinable: P4 on arat.total (right): no arat.total (right) at v2",
        "not determinable: P5 on arat.total (right): no arat.total (right) at v2",
    )
    assert "all 5 participants, of whom 1 not judged (P4), missing = non-responder" in found.line()
    assert "exact one-sided binomial test of 5 against p0 = 0.5: p = 0.9688" in found.line()
    assert "] AND [" in found.line()


def test_observed_leaves_out_only_whom_the_missing_value_could_have_changed(five):
    found = responder(five, visit="v2", ref_visit="v1", all_of=((STRENGTH,), (FUNCTION,)), missing="observed")
    assert (found.n_responders, found.n, found.left_out) == (1, 4, ("P4",))
    assert "the 4 who could be judged, 1 left out (P4)" in found.line()


def test_either_of_two_is_enough_whatever_the_missing_one_is(five):
    found = responder(five, visit="v2", ref_visit="v1", any_of=(STRENGTH, FUNCTION))
    assert found.verdicts == {"P1": True, "P2": True, "P3": True, "P4": True, "P5": None}


def test_six_of_six_against_a_half(person):
    people = [person(f"P{n}", 0, (10, 20)) for n in range(6)]
    found = responder(people, visit="v2", ref_visit="v1", any_of=(FUNCTION,), p0=0.5)
    assert found.p_value == pytest.approx(1 / 64)


def test_every_judgement_says_on_what_it_rests(five):
    found = responder(five, visit="v2", ref_visit="v1", any_of=(FUNCTION,))
    told = {one.participant: one.sentence for one in found.judgements}
    assert told["P1"].startswith("ARAT right total 10 → 16, change +6")
    assert told["P4"] == "no arat.total (right) at v2"


def test_a_participant_without_a_baseline_or_a_later_score_cannot_be_judged(arat, history):
    people = [
        history("P1", arat(20, visit="v2")),
        history("P3", arat(10), arat(20, visit="v2", state="draft")),
    ]
    found = responder(people, visit="v2", ref_visit="v1", any_of=(FUNCTION,), missing="observed")
    assert (found.n, found.rate, found.interval) == (0, None, None)
    told = [one.sentence for one in found.judgements]
    assert told[0] == "no arat.total (right) at v1 to compare with"
    assert told[1] == "no arat.total (right) at v2"
    assert found.line().startswith("responders: nobody could be judged, v2 against v1")


def made(measure, items, visit, **options):
    """An unassisted assessment of a measure."""
    definition = outcomes.load(measure).definition
    stored = outcomes.score(measure, items, **options).to_json()
    off = Condition(False, False, False)
    return Assessment(
        visit, measure, definition.version, off, items, stored, "Li", id=f"{visit}-{measure}", options=options
    )


def test_a_certain_improvement_counts_although_a_score_is_no_one_number(arat, exam, history):
    """Motor level C7 → INT, AIS A → C,D, TUG unable → 30 s, ARAT with a missing item: all of them certain."""
    base = exam("5530000000", normal_to="C7", vac="No", dap="No")
    intact = history("P1", base, exam(visit="v2"))
    levels = motor_level_response(
        [intact], at_least=threshold(LEVELS), visit="v2", ref_visit="v1", missing="observed"
    )
    assert (levels.n, levels.n_responders) == (1, 1)
    open_legs = exam("5555533000", normal_to="T1", vac="Yes", visit="v2", cells={"right.motor.L4": "NT"})
    assert open_legs.score["classes"]["ais"] == "C,D"
    grade = ais_conversion(
        [history("P2", base, open_legs)], at_least=threshold(GRADE), visit="v2", ref_visit="v1", missing="observed"
    )
    assert (grade.n, grade.n_responders) == (1, 1)
    walk = Component(
        "tug", "time", own_threshold("tug", "time", 10, unit="s", version="1991", citation="protocol")
    )
    could_not = made("tug", {"time": "unable"}, "v1", cap_s=60)
    walked = responder(
        [history("P3", could_not, made("tug", {"time": 30}, "v2", cap_s=60))],
        visit="v2", ref_visit="v1", any_of=(walk,), missing="observed",
    )  # fmt: skip
    assert (walked.n, walked.n_responders) == (1, 1)
    assert "60 or more → 30: " in walked.judgements[0].sentence
    assert "reached in every possibility (TUG time ended at the cap of 60)" in walked.judgements[0].sentence
    arm = responder(
        [history("P4", arat(10), arat(None, visit="v2")), history("P5", arat(None), arat(20, visit="v2"))],
        visit="v2", ref_visit="v1", any_of=(FUNCTION,), missing="observed",
    )  # fmt: skip
    assert dict(arm.verdicts) == {"P4": False, "P5": True}


def test_what_no_possibility_reaches_is_no_response_and_what_depends_is_not_determinable(exam, history):
    base = exam("5500000000", normal_to="C6", vac="No", dap="No")

    def judged(cells, size):
        after = exam("5510000000", normal_to="C6", vac="No", dap="No", visit="v2", cells=cells)
        one = Component("isncsci", "uems", limit("isncsci", "uems", size))
        return responder(
            [history("P1", base, after)], visit="v2", ref_visit="v1", any_of=(one,), missing="observed"
        )

    open_ = {"right.motor.T1": "NT"}
    assert judged(open_, 2).verdicts["P1"] is True
    assert judged(open_, 8).verdicts["P1"] is False
    depends = judged(open_, 5)
    assert depends.verdicts["P1"] is None
    assert depends.listing()[-1] == (
        "not determinable: P1 on isncsci.uems: uems 20 → 22 to 27: RESPONDER 5 points (protocol 9 [own]; "
        "population participants of this study (spinal cord injury)) not determinable, it depends on what is open "
        "(right.motor.T1 not tested)"
    )


def hand_of(visit, given, *, missing=(), **options):
    """CUE-T with one score everywhere."""
    codes = [item.code for item in outcomes.load("cue_t").definition.items]
    return made("cue_t", {code: given for code in codes if code not in missing}, visit, **options)


def test_a_part_whose_tests_are_not_named_is_not_determinable_however_complete_the_form(history):
    """No hand tests are named: the sum of all 17 tests of a side is not that of its hand."""
    hand = Component("cue_t", "right_hand", limit("cue_t", "right_hand", 10))
    people = [history("P1", hand_of("v1", 1), hand_of("v2", 4))]
    found = responder(people, visit="v2", ref_visit="v1", any_of=(hand,), missing="observed")
    assert found.verdicts["P1"] is None


def test_only_the_items_of_a_part_bound_it(history):
    """Hand tests 1 and 2: 2 → 8 at most; counted over the whole side the hand would gain 47 or more."""
    hand = Component("cue_t", "right_hand", limit("cue_t", "right_hand", 10))
    named = {"hand_tests": [1, 2]}
    people = [history("P1", hand_of("v1", 1, **named), hand_of("v2", 4, missing=("right_2",), **named))]
    found = responder(people, visit="v2", ref_visit="v1", any_of=(hand,), missing="observed")
    assert found.verdicts["P1"] is False
    assert "right_hand 2 → 4 to 8" in found.judgements[0].sentence


def test_who_was_unable_and_is_timed_now_responds_though_no_cap_was_given_for_a_time_below_it(history):
    """A cap is asked for where somebody is unable; a form with a time leaves it empty."""
    size = own_threshold("tug", "time", 10, unit="s", version="1991", citation="protocol")
    people = [history("P1", made("tug", {"time": "unable"}, "v1", cap_s=60), made("tug", {"time": 30}, "v2"))]
    walk = Component("tug", "time", size)
    found = responder(people, visit="v2", ref_visit="v1", any_of=(walk,), missing="observed")
    assert found.verdicts["P1"] is True


def test_a_threshold_in_another_unit_is_refused_before_anybody_is_judged(history):
    """0.5 min against seconds: whoever is unable before would respond with half a second."""
    minutes = own_threshold("tug", "time", 0.5, unit="min", version="1991", citation="protocol")
    people = [history("P1", made("tug", {"time": "unable"}, "v1", cap_s=60), made("tug", {"time": 59}, "v2"))]
    with pytest.raises(BadValue, match="is in min, tug 1991 time is in s; state it in s or in %"):
        responder(people, visit="v2", ref_visit="v1", any_of=(Component("tug", "time", minutes),))


def test_a_direction_that_is_none_is_refused_also_where_a_score_is_no_one_number(history):
    size = own_threshold("tug", "time", 10, unit="s", version="1991", citation="protocol")
    people = [history("P1", made("tug", {"time": 59}, "v1"), made("tug", {"time": "unable"}, "v2", cap_s=60))]
    walk = Component("tug", "time", size, direction="sideways")
    with pytest.raises(BadValue, match="direction of better must be 'up' or 'down', got 'sideways'"):
        responder(people, visit="v2", ref_visit="v1", any_of=(walk,))


def test_a_score_that_is_no_sum_stays_undetermined_with_its_reason(history):
    part = Component("copm", "performance", threshold("copm:5:performance:mcid:2 points:various"))
    people = [history("P1", *(made("copm", {"performance_1": 4, "problem_2": 2}, v) for v in ("v1", "v2")))]
    found = responder(people, visit="v2", ref_visit="v1", any_of=(part,), missing="observed")
    assert found.verdicts["P1"] is None
    assert "not determinable" in found.judgements[0].sentence


def test_multiple_imputation_is_refused_with_its_reason(five):
    with pytest.raises(Refused, match="needs an imputation model that the analysis plan states"):
        responder(five, visit="v2", ref_visit="v1", any_of=(FUNCTION,), missing="MI")


def test_a_component_without_a_threshold_is_refused(five):
    with pytest.raises(Refused, match=r"arat.total \(right\) has no responder threshold and none is assumed"):
        responder(five, visit="v2", ref_visit="v1", any_of=(replace(FUNCTION, threshold=None),))
    with pytest.raises(Refused, match="thresholds of Up-LIFT are not published .* arat.total"):
        up_lift((STRENGTH,), (replace(FUNCTION, threshold=None),))
    with pytest.raises(BadValue, match="got 0 and 1"):
        up_lift((), (FUNCTION,))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "any_of or all_of"),
        ({"all_of": ((FUNCTION,), ())}, "every group at least one"),
        ({"any_of": (FUNCTION, replace(FUNCTION, side="either"))}, r"arat.total \(right\) appears twice"),
        ({"any_of": (FUNCTION,), "p0": 1.0}, "p0 must lie between 0 and 1"),
        ({"any_of": (FUNCTION,), "missing": "zero"}, "missing must be one of non-responder, observed, MI"),
        ({"any_of": (replace(FUNCTION, part="grasp"),)}, "says nothing about a change of arat.grasp"),
        ({"any_of": (replace(FUNCTION, under={"rater": "Li"}),)}, "under takes assisted"),
        ({"any_of": (replace(FUNCTION, threshold=replace(FUNCTION.threshold, version="2")),)}, "of arat 1981"),
    ],
)
def test_a_rule_that_is_not_sound_is_refused(five, given, told):
    with pytest.raises(BadValue, match=told):
        responder(five, visit="v2", ref_visit="v1", **given)


def test_nobody_and_one_participant_twice_are_errors(five):
    for people in ([], [five[0], five[0]]):
        with pytest.raises(BadValue, match="participants, each once"):
            responder(people, visit="v2", ref_visit="v1", any_of=(FUNCTION,))


def test_two_later_records_are_an_error_until_one_is_named(arat, history):
    person = history("P1", arat(10), arat(30, visit="v2", device_on=True, id="on"), arat(12, visit="v2", id="off"))
    with pytest.raises(BadValue, match=r"P1 has 2 records of arat.total \(right\) at v2 \(on, off\)"):
        responder([person], visit="v2", ref_visit="v1", any_of=(FUNCTION,))
    hand = replace(FUNCTION, under={"device_on": False})
    assert responder([person], visit="v2", ref_visit="v1", any_of=(hand,)).n_responders == 0


def test_one_rate_stands_under_one_condition(arat, history):
    helped = {"device_on": True}
    people = [
        history("P1", arat(10), arat(20, visit="v2")),
        history("P2", arat(10, id="b", **helped), arat(20, visit="v2", **helped)),
    ]
    with pytest.raises(Refused, match="under different conditions in different participants"):
        responder(people, visit="v2", ref_visit="v1", any_of=(FUNCTION,))


def twice(arat, history, name, first, second, after):
    return history(
        name,
        arat(first, id=f"{name}1", administered_at="2026-03-01T09:00:00Z"),
        arat(second, id=f"{name}2", repeat=2, administered_at="2026-03-02T09:00:00Z"),
        arat(after, visit="v2"),
    )


def test_two_baselines_need_a_rule_and_give_the_false_responder_probability(arat, history):
    """SEM² = (2 + 2) / 2 = 2 of 2 degrees of freedom; the difference has a SD of 2; 6 points are 3 of them.

    From the mean of both the difference has a SD of √(2 + 2/2) = √3.
    """
    people = [twice(arat, history, "P1", 10, 12, 20), twice(arat, history, "P2", 14, 12, 18)]
    with pytest.raises(BadValue, match="2 baseline records"):
        responder(people, visit="v2", ref_visit="v1", any_of=(FUNCTION,))
    last = responder(people, visit="v2", ref_visit="v1", any_of=(FUNCTION,), baseline_rule="last")
    first = responder(people, visit="v2", ref_visit="v1", any_of=(FUNCTION,), baseline_rule="first")
    assert (last.responders, first.responders) == (("P1", "P2"), ("P1",))
    assert last.false_responder.probability == pytest.approx(scipy.stats.t.sf(3, 2))
    assert "false-responder probability 0.048 over 1 outcome" in last.line()
    mean = responder(people, visit="v2", ref_visit="v1", any_of=(FUNCTION,), baseline_rule="mean")
    assert mean.false_responder.probability == pytest.approx(scipy.stats.t.sf(6 / 3**0.5, 2))


def test_baselines_that_are_all_alike_and_percentages_have_no_false_responder_probability(arat, history):
    people = [twice(arat, history, "P1", 10, 10, 20)]
    alike = responder(people, visit="v2", ref_visit="v1", any_of=(FUNCTION,), baseline_rule="last")
    assert alike.false_responder is None
    assert "all baseline repeats are alike" in alike.no_false
    share = replace(FUNCTION, threshold=limit("arat", "total", 50, unit="%"))
    found = responder(people, visit="v2", ref_visit="v1", any_of=(share,), baseline_rule="last")
    assert found.responders == ("P1",)
    assert "a percentage has no SEM" in found.no_false


def test_either_side_counts_and_chance_counts_it_twice(arat, history):
    people = [
        history(
            "P1",
            *(
                arat(value, id=f"{side}{n}", side=side, repeat=n, administered_at=f"2026-03-0{n}T09:00:00Z")
                for side in ("left", "right")
                for n, value in ((1, 10), (2, 12))
            ),
            arat(12, visit="v2", side="left", id="l"),
            arat(30, visit="v2", side="right", id="r"),
        )
    ]
    found = responder(
        people, visit="v2", ref_visit="v1", any_of=(replace(FUNCTION, side="either"),), baseline_rule="last"
    )
    assert found.by_component == {"arat.total (left)": (), "arat.total (right)": ("P1",)}
    assert found.false_responder.components == 2
    assert found.false_responder.probability == pytest.approx(1 - (1 - scipy.stats.t.sf(3, 1)) ** 2)


# ----- by grade and by motor level

COMPLETE = {"normal_to": "C6", "vac": "No", "dap": "No"}


@pytest.fixture
def injured(exam, history):
    """A → C with two levels; A → B; A → A with one level; no later examination."""
    before = exam("5500000000", **COMPLETE)
    return [
        history("P1", before, exam("5553000000", normal_to="C6", visit="v2")),
        history("P2", before, exam("5500000000", normal_to="C6", vac="No", visit="v2")),
        history("P3", before, exam("5530000000", visit="v2", **COMPLETE)),
        history("P4", before),
    ]


def test_conversion_by_one_grade(injured):
    found = ais_conversion(injured, at_least=threshold(GRADE), visit="v2", ref_visit="v1", p0=0.1)
    assert found.responders == ("P1", "P2")
    assert [one.sentence for one in found.judgements][:3] == [
        "AIS A → C: motor conversion",
        "AIS A → B: sensory conversion (A → B)",
        "AIS A → A: no conversion",
    ]
    assert found.n == 4
    assert "a grade has no SEM" in found.no_false
    assert (
        "RESPONDER 1 grades (rule used by INSPIRE at 6 months [M]; population spinal cord injury)" in found.line()
    )


def test_two_motor_levels_on_one_side_at_least(injured, exam, history):
    found = motor_level_response(injured, at_least=threshold(LEVELS), visit="v2", ref_visit="v1")
    assert found.verdicts == {"P1": True, "P2": False, "P3": False, "P4": None}
    before = exam("5500000000", **COMPLETE)
    one_side = exam("5553000000", visit="v2", cells={"left.motor.C7": 0, "left.motor.C8": 0}, **COMPLETE)
    people = [history("P1", before, one_side)]
    assert motor_level_response(people, at_least=threshold(LEVELS), visit="v2", ref_visit="v1").n_responders == 1


def test_a_side_that_is_not_determined_leaves_it_open_unless_the_other_responds(exam, history):
    before = exam("5500000000", **COMPLETE)
    open_right = {"right.motor.C7": "NT"}
    still = exam("5503000000", visit="v2", cells=open_right, **COMPLETE)
    better = exam("5553000000", visit="v2", cells=open_right, **COMPLETE)
    people = [history("P1", before, still), history("P2", before, better)]
    found = motor_level_response(
        people, at_least=threshold(LEVELS), visit="v2", ref_visit="v1", missing="observed"
    )
    assert found.verdicts == {"P1": None, "P2": True}
    assert found.n == 1


def test_a_grade_has_no_mean_of_two_baselines(exam, history):
    times = ("2026-03-01T09:00:00Z", "2026-03-02T09:00:00Z")
    two = [exam("5500000000", id=f"b{n}", repeat=n + 1, administered_at=times[n], **COMPLETE) for n in (0, 1)]
    people = [history("P1", *two, exam("5500000000", visit="v2", **COMPLETE))]
    with pytest.raises(BadValue, match="isncsci.ais has no mean"):
        ais_conversion(people, at_least=threshold(GRADE), visit="v2", ref_visit="v1", baseline_rule="mean")
    assert (
        ais_conversion(
            people, at_least=threshold(GRADE), visit="v2", ref_visit="v1", baseline_rule="last"
        ).n_responders
        == 0
    )


# ----- BCI-assisted ARAT, NCT06990412


@pytest.fixture
def implanted(arat, history):
    """ARAT without help at baseline (grasp 6, 18 of 18, 6), and at month 3 without and with the interface."""

    def person(name, before, after):
        return history(
            name,
            arat(before, id="b"),
            arat(before, visit="v2", id="off"),
            arat(after, visit="v2", id="on", assisted=True, device_on=True),
        )

    return [person("P1", 6, 16), person("P2", 6, 9)]


def test_the_bci_assisted_response_rate_refuses_until_its_threshold_is_set(implanted):
    for ask in (bci_assisted_arat, lambda people, **how: estimate("bci_assisted_arat", people, **how)):
        with pytest.raises(Refused, match="threshold of NCT06990412 is not published and none is assumed"):
            ask(implanted, visit="v2", ref_visit="v1", side="right")


def test_the_bci_assisted_response_rate_compares_help_with_no_help_and_says_so(implanted):
    own = limit("arat", "grasp", 4)
    found = bci_assisted_arat(implanted, visit="v2", ref_visit="v1", side="right", threshold=own)
    assert found.responders == ("P1",)
    assert found.line().startswith("responders (orthotic effect, not recovery) 1/2 = 0.500")
    assert found.judgements[0].sentence.startswith("ARAT right grasp 6 → 16, orthotic effect, not recovery +10")
    assert "unassisted, device off, stimulation off → assisted, device on" in found.judgements[0].sentence


def test_an_examination_that_was_not_classified_leaves_its_participant_open(injured, exam, history):
    """It may not stop the rate of all others."""
    torn = exam("5500000000", visit="v2", cells={"left.pinPrick.T4": None}, **COMPLETE)
    people = [*injured, history("P5", exam("5500000000", **COMPLETE), torn)]
    found = ais_conversion(people, at_least=threshold(GRADE), visit="v2", ref_visit="v1")
    assert (found.n_responders, found.n, found.verdicts["P5"]) == (2, 5, None)
    assert "has no classification: not classified, 1 cells are missing" in found.judgements[-1].sentence
