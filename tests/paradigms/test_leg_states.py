"""Seven cued states of the legs: one decision a cue, keeping still among them."""

from __future__ import annotations

from collections import Counter

import pytest

from workbench import paradigms
from workbench.errors import BadValue
from workbench.vocabulary import Evidence, LocatedCue

LegStates = paradigms.load("leg_states")


def test_every_state_is_cued_as_often_as_another_and_the_pauses_ask_for_nothing():
    cues = LegStates().schedule(21, seed=4)
    asked = Counter(cue.label for cue in cues)
    assert {asked[condition] for condition in LegStates().conditions} == {3}
    assert len(LegStates().conditions) == 7
    assert asked["rest"] == 22
    assert "rest" not in LegStates().conditions


def test_the_likeliest_of_seven_states_is_decided_though_none_is_likelier_than_not():
    classes = LegStates().conditions
    made = LegStates().start(fs=100.0, hop=5, classes=classes)
    made.cue(LocatedCue(100, 1.0, "left_knee", 3.0, 0), at=100)
    likely = tuple(0.28 if name == "left_knee" else 0.12 for name in classes)
    decision, trial = made.decide(made.due, stamp=4.0, evidence=Evidence(400, likely))
    assert (decision.label, trial.outcome) == ("left_knee", "correct")


@pytest.mark.parametrize("conditions", [["still"], ["still", "left_hip", "still"], []])
def test_conditions_that_are_not_several_different_ones_are_refused(conditions):
    with pytest.raises(BadValue, match="leg_states needs at least two conditions, all different"):
        LegStates(conditions=conditions)
