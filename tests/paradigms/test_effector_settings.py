"""Mapping: the operator's step opens a trial, the noted reaction closes it."""

from __future__ import annotations

import pytest

from workbench import paradigms
from workbench.errors import BadValue
from workbench.paradigms import REACTION
from workbench.vocabulary import LocatedCue


def cue(label, sample):
    return LocatedCue(sample, sample / 100.0, label, 2.0, -1)


def run(*cues, levels=(0.2, 0.6)):
    rule = paradigms.from_params("effector_settings", {"levels": list(levels)}).start(fs=100.0, hop=5, classes=())
    trials = [trial for one in cues for trial in rule.cue(one, at=one.sample)]
    return rule, trials


def test_level_and_reaction_are_the_result_of_a_step():
    _, trials = run(
        cue("setting 1", 100),
        cue(f"{REACTION}none", 400),
        cue("setting 2", 500),
        cue(f"{REACTION}flexion of the index finger", 900),
    )
    assert [trial.outcome for trial in trials] == ["recorded", "recorded"]
    assert [dict(trial.result) for trial in trials] == [
        {"level": [0.2], "reaction": "none"},
        {"level": [0.6], "reaction": "flexion of the index finger"},
    ]
    assert [trial.index for trial in trials] == [0, 1]


def test_a_step_without_a_reaction_is_excluded():
    rule, trials = run(cue("setting 1", 100))
    assert trials == []
    (last,) = rule.finish(at=300)
    assert (last.outcome, last.excluded) == ("excluded", "no reaction was noted")


def test_a_pause_excludes_the_open_step_and_a_gap_does_not():
    for resets, outcome in ((False, "excluded"), (True, "recorded")):
        rule, _ = run(cue("setting 1", 100))
        rule.interrupt(at=150, reason="why", resets=resets)
        (trial,) = rule.cue(cue(f"{REACTION}none", 400), at=400)
        assert trial.outcome == outcome


def test_a_step_may_give_each_channel_its_level():
    paradigm = paradigms.from_params("effector_settings", {"levels": [[0.1, 0.0], [0.0, 0.3]]})
    assert [paradigm.level_of(name) for name in paradigm.conditions] == [(0.1, 0.0), (0.0, 0.3)]
    assert paradigm.level_of("rest") is None


def test_steps_begin_again_after_the_last():
    paradigm = paradigms.from_params("effector_settings", {"levels": [0.2, 0.6]})
    assert [one.label for one in paradigm.schedule(3, seed=1)] == ["setting 1", "setting 2", "setting 1"]


@pytest.mark.parametrize("levels", [[], [0.0], [1.1], [[0.5, -0.1]], [float("nan")]])
def test_levels_that_are_no_fractions_are_refused(levels):
    with pytest.raises(BadValue, match="level"):
        paradigms.from_params("effector_settings", {"levels": levels})


def test_a_mapping_teaches_no_decoder_and_takes_none():
    paradigm = paradigms.load("effector_settings")()
    assert paradigm.training_windows([cue("setting 1", 1)], fs=100.0, window_s=1.0, hop_s=0.1) == []
    with pytest.raises(BadValue, match="no decoder"):
        paradigm.start(fs=100.0, hop=5, classes=("a", "b"))
