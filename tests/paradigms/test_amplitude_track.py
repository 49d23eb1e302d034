"""A trial follows an amplitude as it would a force."""

from __future__ import annotations

from tests.paradigms.following import attempt_of
from workbench import paradigms
from workbench.paradigms.force_track import ForceTrack


def test_the_decision_carries_the_value_and_no_class_and_the_trial_is_judged_on_the_value():
    paradigm, probabilities = paradigms.load("amplitude_track")(), ()
    assert paradigm.evidence == "amplitude"
    assert paradigm.params() == ForceTrack().params()
    decided, trial = attempt_of(paradigm, probabilities=probabilities)
    assert decided == {("amplitude", (0.55,), probabilities)}
    assert (trial.outcome, trial.result["in_band"]) == ("correct", 1.0)
