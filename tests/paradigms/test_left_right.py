"""One decision a cue; overlapping, repeated and late cues stay separate trials."""

from __future__ import annotations

import pytest

from workbench import paradigms
from workbench.errors import BadValue
from workbench.paradigms import Request
from workbench.vocabulary import Evidence, LocatedCue

LeftRight = paradigms.load("left_right")


def rule(**parameters):
    return LeftRight(**parameters).start(fs=100.0, hop=5, classes=("left", "right"))


def cue(sample, label="left", trial=0):
    return LocatedCue(sample, sample / 100, label, 3.0, trial)


def test_the_window_that_ends_at_stop_is_asked_for():
    made = rule()
    made.cue(cue(100), at=100)
    assert made.due == Request(350, 350)


def test_a_late_cue_asks_for_the_same_window_later():
    made = rule()
    made.cue(cue(100), at=400)
    assert made.due == Request(400, 350)


def test_overlapping_cues_give_separate_trials_in_order():
    made = rule()
    made.cue(cue(100, "left"), at=100)
    made.cue(cue(200, "right"), at=200)
    first = made.decide(made.due, stamp=3.5, evidence=Evidence(350, (0.8, 0.2)))
    second = made.decide(made.due, stamp=4.5, evidence=Evidence(450, (0.7, 0.3)))
    assert [x.outcome for x in (first[1], second[1])] == ["correct", "wrong"]
    assert [x.index for x in (first[1], second[1])] == [0, 1]
    assert made.due is None


def test_a_probability_below_the_rejection_threshold_decides_nothing():
    made = rule(reject_below=0.75)
    made.cue(cue(100), at=100)
    decision, trial = made.decide(made.due, stamp=3.5, evidence=Evidence(350, (0.7, 0.3)))
    assert (decision.label, trial.outcome) == ("", "missed")


def test_an_incomplete_window_excludes_the_trial():
    made = rule()
    made.cue(cue(100), at=100)
    decision, trial = made.decide(made.due, stamp=3.5, evidence=Evidence(350, (0.7, 0.3), valid=False))
    assert (decision.label, trial.outcome, trial.excluded) == ("", "excluded", "the window is incomplete")


def test_evidence_that_the_decoder_rejects_decides_nothing_and_excludes_nothing():
    made = rule()
    made.cue(cue(100), at=100)
    decision, trial = made.decide(made.due, stamp=3.5, evidence=Evidence(350, (0.9, 0.1), rejected=True))
    assert (decision.label, decision.valid, trial.outcome, trial.excluded) == ("", True, "missed", "")


def test_rest_cues_open_no_trial():
    made = rule()
    made.cue(cue(100, "rest"), at=100)
    assert made.due is None


def test_a_run_that_ends_early_excludes_what_is_open():
    made = rule()
    made.cue(cue(100), at=100)
    (trial,) = made.finish(at=200)
    assert trial.excluded == "the run ended before the window did"


def test_conditions_are_the_users_own():
    paradigm = LeftRight(conditions=("hands", "feet"))
    assert paradigm.classes == ("hands", "feet")
    labels = {c.label for c in paradigm.schedule(10, seed=0)}
    assert labels == {"hands", "feet", "rest"}


def test_a_condition_that_is_named_like_the_pauses_of_a_schedule_is_refused_there():
    paradigm = LeftRight(conditions=("rest", "hands"))
    with pytest.raises(BadValue, match="no condition may have that name"):
        paradigm.schedule(4, seed=0)


@pytest.mark.parametrize(
    "change",
    [
        {"conditions": ("a",)},
        {"conditions": ("a", "a")},
        {"start_s": 3.0},
        {"rest_s": -1.0},
        {"jitter_s": -0.1},
        {"lead_in_s": float("nan")},
        {"reject_below": 1.5},
    ],
)
def test_impossible_parameters_are_refused(change):
    with pytest.raises(BadValue):
        LeftRight(**change)
