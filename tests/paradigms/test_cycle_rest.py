"""A movement is meant while the phase of its cycle is known; each decision says where in the cycle it is."""

from __future__ import annotations

import pytest

from workbench import paradigms
from workbench.errors import BadValue
from workbench.vocabulary import Decision, Evidence, LocatedCue, Trial

FS, HOP = 100.0, 5
CLASSES = ("pull", "rest")


def run(known, *, attempt_s=10.0, seconds=30):
    """Decisions and trials of a bout that is cued at 5 s; ``known`` says at which s the phase is known."""
    paradigm = paradigms.from_params("cycle_rest", {"attempt_s": attempt_s}).suited(remembers=True)
    rule = paradigm.start(fs=FS, hop=HOP, classes=CLASSES)
    made, cued = [], False
    while rule.due.at <= seconds * FS:
        at_s = rule.due.at / FS
        if at_s >= 5.0 and not cued:
            cued = True
            made += rule.cue(LocatedCue(500, 5.0, "pull", attempt_s, 0), at=500)
        evidence = Evidence(rule.due.end, (), rejected=not known(at_s), values=(at_s % 1.0, 1.0))
        made += rule.decide(rule.due, stamp=at_s, evidence=evidence)
    made += rule.finish(at=round(seconds * FS))
    return [d for d in made if isinstance(d, Decision)], [t for t in made if isinstance(t, Trial)]


def test_every_decision_carries_the_phase_and_the_movement_is_meant_from_its_first_to_its_last():
    decisions, (trial,) = run(lambda at_s: 8.0 < at_s <= 15.0)
    changes = {round(d.stamp, 2): d.change for d in decisions if d.change}
    # Rejected hops of a quarter of a second are bridged.
    assert changes == {8.05: "activate", 15.25: "release"}
    assert {d.kind for d in decisions} == {"phase"}
    assert all(d.values == (d.stamp % 1.0, 1.0) for d in decisions)
    assert {d.label for d in decisions if 8.0 < d.stamp <= 15.0} == {"pull"}
    assert {d.label for d in decisions if d.stamp > 15.0} == {""}
    assert (trial.outcome, trial.latency_s) == ("correct", pytest.approx(3.05))
    assert trial.false_activations == 0


def test_a_cycle_in_rest_is_a_false_onset_and_one_that_never_comes_is_missed():
    _, (false,) = run(lambda at_s: 2.0 < at_s <= 4.0 or 8.0 < at_s < 15.0)
    assert (false.outcome, false.false_activations, false.false_in_rest) == ("correct", 1, 1)
    _, (missed,) = run(lambda at_s: False)
    assert missed.outcome == "missed"


def test_a_calibration_records_bouts_and_names_windows_of_both_classes():
    paradigm = paradigms.load("cycle_rest")()
    cues = [
        LocatedCue(round(c.at_s * FS), c.at_s, c.label, c.duration_s, c.trial)
        for c in paradigm.schedule(2, seed=1)
    ]
    named = paradigm.training_windows(cues, fs=FS, window_s=8.0, hop_s=0.5)
    assert {label for _, label, _ in named} == {"pull", "rest"}


def test_a_decoder_of_other_classes_is_refused():
    with pytest.raises(BadValue, match="cycle_rest needs a decoder for pull, rest"):
        paradigms.load("cycle_rest")().start(fs=FS, hop=HOP, classes=("grasp", "rest"))
