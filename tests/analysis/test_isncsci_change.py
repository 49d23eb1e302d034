"""Change variables of the ISNCSCI (specification of the outcome measures, 1.10)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import outcomes
from workbench.analysis import isncsci_change
from workbench.analysis._isncsci import ais_change, level_change
from workbench.errors import BadValue, Refused
from workbench.outcomes import own_threshold

COMPLETE = {"normal_to": "C6", "vac": "No", "dap": "No"}


def test_sums_levels_and_grade_of_a_cervical_injury(exam):
    before = exam("5500000000", **COMPLETE)
    after = exam("5553000000", normal_to="C6", vac="Yes", dap="Yes", visit="v2")
    found = isncsci_change(before, after)
    assert {name: one.value for name, one in found.sums.items()} == {
        "uems": 16.0, "lems": 0.0, "light_touch": 0.0, "pin_prick": 0.0,
    }  # fmt: skip
    assert [(one.before, one.after, one.segments, one.motor_segments) for one in found.motor.values()] == [
        ("C6", "C8", 2, 2),
        ("C6", "C8", 2, 2),
    ]
    assert (found.nli.before, found.nli.after, found.nli.segments, found.nli.motor_segments) == (
        "C6",
        "C6",
        0,
        None,
    )
    assert (found.ais.before, found.ais.after, found.ais.grades, found.ais.kind) == ("A", "C", 2, "motor")
    assert found.best_motor_steps == (2, 2)
    assert found.line() == (
        "ISNCSCI UEMS +16; LEMS +0; LIGHT_TOUCH +0; PIN_PRICK +0; motor_right C6 → C8, +2 segments; motor_left "
        "C6 → C8, +2 segments; NLI C6 → C6, +0 segments; AIS A → C: motor conversion (unassisted, device off, "
        "stimulation off; rules isncsci-2019.2)"
    )


def test_a_to_b_is_a_sensory_conversion(exam):
    found = isncsci_change(
        exam("5500000000", **COMPLETE), exam("5500000000", normal_to="C6", vac="No", visit="v2")
    )
    assert (found.ais.kind, found.ais.grades) == ("sensory", 1)
    assert found.ais.line() == "AIS A → B: sensory conversion (A → B)"


@pytest.mark.parametrize(
    ("before", "after", "grades", "kind"),
    [
        ("A", "A", 0, "none"),
        ("A", "B", 1, "sensory"),
        ("A", "C", 2, "motor"),
        ("B", "C", 1, "motor"),
        ("B", "D*", 2, "motor"),
        ("C", "D", 1, "motor"),
        ("D", "E", 1, "normal"),
        ("C", "B", -1, "worse"),
        ("B,C", "C", None, "undefined"),
        ("C", "C,D*", None, "undefined"),
        ("A", "C,D*", None, "motor"),
        ("A", "B,C", None, "undefined"),
        ("C,D", "A,B", None, "worse"),
    ],
)
def test_conversions_of_the_grade(before, after, grades, kind):
    found = ais_change(before, after)
    assert (found.grades, found.kind) == (grades, kind)
    assert "*" not in found.line()


def test_steps_from_t2_to_l1_are_no_motor_recovery(exam):
    arms = exam("5555500000", normal_to="T1", vac="No", dap="No")
    trunk = exam("5555500000", normal_to="T4", vac="No", dap="No", visit="v2")
    legs = exam("5555553000", normal_to="L3", vac="No", dap="No", visit="v3")
    first, second = isncsci_change(arms, trunk).motor["right"], isncsci_change(arms, legs).motor["right"]
    assert (first.before, first.after, first.segments, first.motor_segments) == ("T1", "T4", 3, 0)
    assert first.line() == "motor_right T1 → T4, +3 segments, of which +0 with key muscles"
    assert (second.before, second.after, second.segments, second.motor_segments) == ("T1", "L3", 14, 2)


def test_a_lost_level_counts_down(exam):
    found = isncsci_change(exam("5553000000", **COMPLETE), exam("5500000000", visit="v2", **COMPLETE))
    assert [one.motor_segments for one in found.motor.values()] == [-2, -2]


def test_intact_is_a_level_below_every_key_muscle(exam):
    """C8 → INT: T1 and five leg muscles; C7 → INT is at least as much as C7 → S1."""
    whole = isncsci_change(exam("5553000000", **COMPLETE), exam(visit="v2"))
    assert (whole.motor["right"].segments, whole.motor["right"].motor_segments) == (21, 6)
    assert whole.best_motor_steps == (6, 6)
    assert whole.ais.kind == "normal"
    sacral = exam(normal_to="S3", visit="v2")
    assert isncsci_change(sacral, exam(visit="v3")).nli.segments == 1


def test_levels_without_key_muscles_are_no_motor_recovery():
    """C2 → C4, T2 → L1 and S1 → S3 follow sensation; C3 → C6 passes two key muscles."""
    steps = {
        pair: level_change("motor_right", {"motor_right": pair[0]}, {"motor_right": pair[1]}).motor_segments
        for pair in (
            ("C2", "C4"),
            ("T2", "L1"),
            ("S1", "S3"),
            ("S1", "INT"),
            ("C3", "C6"),
            ("T1", "L2"),
            ("C1", "INT"),
        )
    }
    assert list(steps.values()) == [0, 0, 0, 0, 2, 1, 10]


def test_an_undetermined_level_is_compared_over_all_possibilities_and_names_the_cell(exam):
    open_ = exam("5503000000", visit="v2", cells={"right.motor.C7": "NT"}, **COMPLETE)
    found = isncsci_change(exam("5500000000", **COMPLETE), open_)
    right = found.motor["right"]
    assert (right.segments, right.motor_segments, right.steps) == (None, None, (0, 2))
    assert right.line() == (
        "motor_right C6 → C6,C7,C8, not determinable, +0 to +2 segments with key muscles (decided by "
        "right.motor.C7 of v2-isncsci)"
    )
    assert found.motor["left"].segments == 0
    assert found.best_motor_steps == (0, 2)
    assert found.sums["uems"] is None
    assert "not determinable (9 of 10 items)" in found.undefined["uems"]
    assert "UEMS undefined" in found.line()
    assert found.sums["lems"].value == 0.0


def test_a_change_that_every_possibility_shows_is_shown(exam):
    before = exam("5000000000", **COMPLETE)
    after = exam("5553000000", visit="v2", cells={"right.motor.C8": "NT"}, **COMPLETE)
    right = isncsci_change(before, after).motor["right"]
    assert right.line() == (
        "motor_right C5 → C7,C8, +2 to +3 segments with key muscles (decided by right.motor.C8 of v2-isncsci)"
    )


def test_the_cells_that_decide_are_sought_under_the_reading_of_the_classification(exam):
    """All is normal and VAC not tested: the NLI depends on it by the strict reading alone."""
    options = {"nli_vac": "strict"}
    before, after = (
        replace(one, options=options, score=outcomes.score("isncsci", one.items, **options).to_json())
        for one in (exam(), exam(vac="NT", visit="v2"))
    )
    assert after.score["classes"]["nli"] == "S3,INT"
    assert isncsci_change(before, after).nli.reason == "decided by voluntaryAnalContraction of v2-isncsci"


def test_zones_change_and_na_is_told(exam):
    before = exam("5510000000", **COMPLETE)
    after = exam("5511000000", visit="v2", **COMPLETE)
    zones = isncsci_change(before, after).zones
    assert (zones["zpp_motor_right"].before, zones["zpp_motor_right"].after) == ("C7", "C8")
    assert zones["zpp_motor_right"].segments == 1
    felt = isncsci_change(before, exam("5511000000", normal_to="C6", vac="No", visit="v2")).zones
    assert felt["zpp_sensory_left"].reason == "not applicable (NA)"


def test_a_sum_is_held_against_its_threshold(exam):
    own = own_threshold("isncsci", "uems", 4, unit="points", version="2019", citation="protocol 9.2")
    before, after = exam("5500000000", **COMPLETE), exam("5510000000", visit="v2", **COMPLETE)
    found = isncsci_change(before, after, thresholds=(own,))
    assert found.sums["uems"].value == 2.0
    assert found.sums["uems"].flags[0].reached is False
    assert found.sums["lems"].flags == ()


def test_examinations_by_two_rule_books_or_readings_are_not_compared(exam):
    before, after = exam(**COMPLETE), exam(visit="v2", **COMPLETE)
    older = replace(
        before, score={**before.score, "classes": {**before.score["classes"], "rules": "isncsci-2011"}}
    )
    with pytest.raises(Refused, match="classified by isncsci-2011 .* classify both again"):
        isncsci_change(older, after)
    with pytest.raises(Refused, match="classify both again"):
        isncsci_change(replace(before, options={"nli_vac": "strict"}), after)


def test_an_examination_without_a_classification_says_why(exam):
    torn = exam(cells={"right.lightTouch.C7": None}, **COMPLETE)
    with pytest.raises(Refused, match="has no classification: not classified, 1 cells are missing: right.lightT"):
        isncsci_change(torn, exam(visit="v2", **COMPLETE))
    with pytest.raises(Refused, match="no classification is stored"):
        isncsci_change(replace(torn, score={}), exam(visit="v2", **COMPLETE))
    with pytest.raises(Refused, match="still a draft"):
        isncsci_change(exam(state="draft"), exam(visit="v2"))


def test_other_states_are_declared_or_refused(exam, arat):
    before, on = exam(**COMPLETE), exam(visit="v2", orthosis="splint", **COMPLETE)
    with pytest.raises(Refused, match="orthosis '' → 'splint' is not declared"):
        isncsci_change(before, on)
    found = isncsci_change(before, on, across={"orthosis": ("", "splint")})
    assert found.line().startswith("ISNCSCI orthotic effect, not recovery: UEMS +0")
    with pytest.raises(BadValue, match="need two of its examinations, got 'arat'"):
        isncsci_change(arat(1), arat(2, visit="v2"))


def test_a_level_outside_the_order_is_told(exam):
    before = exam(**COMPLETE)
    odd = replace(before, id="x", score={**before.score, "classes": {**before.score["classes"], "nli": ""}})
    assert isncsci_change(before, odd).nli.reason == "no level (empty)"


def test_reasons_and_notes_of_cells_are_no_reading(exam):
    """A tagged examination stores why; that is no other way of classifying."""
    before = exam(**COMPLETE)
    after = replace(
        exam(visit="v2", **COMPLETE), options={"reasons": {"right.motor.C6": "cast"}, "nli_vac": "praxis"}
    )
    assert isncsci_change(before, after).sums["uems"].value == 0.0
