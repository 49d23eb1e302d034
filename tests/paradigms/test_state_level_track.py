"""A trial follows a level beside the probabilities of its state as it would a force."""

from __future__ import annotations

from tests.paradigms.following import attempt_of
from workbench import paradigms
from workbench.paradigms.force_track import ForceTrack


def test_the_decision_carries_the_value_and_the_probabilities_and_the_trial_is_judged_on_the_value():
    paradigm, probabilities = paradigms.load("state_level_track")(), (0.1, 0.7, 0.1, 0.1)
    assert paradigm.evidence == "state_level"
    assert paradigm.params() == ForceTrack().params()
    decided, trial = attempt_of(paradigm, probabilities=probabilities)
    assert decided == {("state_level", (0.55,), probabilities)}
    assert (trial.outcome, trial.result["in_band"]) == ("correct", 1.0)
