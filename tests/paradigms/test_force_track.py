"""A force is judged against the level that was asked for, after the time to reach it."""

from __future__ import annotations

import pytest

from workbench import paradigms
from workbench.errors import BadValue
from workbench.vocabulary import Decision, Evidence, LocatedCue, Trial

ForceTrack = paradigms.load("force_track")
FS, HOP = 100.0, 5


def run(forces, *, label="force_60", classes=True, gap_at=None, **parameters):
    """Decisions and trials of one cue of 3 s at sample 100, with a force or evidence a hop."""
    paradigm = ForceTrack(**{"settle_s": 1.0, **parameters})
    rule = paradigm.start(fs=FS, hop=HOP, classes=paradigm.classes if classes else ())
    made = []
    for force in [0.0] * 20 + list(forces):
        if rule.due.at == 105:
            made += rule.cue(LocatedCue(100, 1.0, label, 3.0, 0), at=100)
        if rule.due.at == gap_at:
            rule.interrupt(at=gap_at, reason="a gap", resets=True)
        kind = force if isinstance(force, dict) else {"values": (force,)}
        evidence = Evidence(rule.due.end, **kind) if classes else None
        made += rule.decide(rule.due, stamp=rule.due.at / FS, evidence=evidence)
    made += rule.finish(at=rule.due.at - HOP)
    return [d for d in made if isinstance(d, Decision)][20:], [t for t in made if isinstance(t, Trial)]


def test_a_force_is_judged_after_the_time_to_reach_its_level():
    # 20 hops to get there, then 10 exactly there, 10 within the band, 20 far above.
    decisions, (trial,) = run([0.0] * 20 + [0.6] * 10 + [0.7] * 10 + [1.0] * 20 + [0.0] * 5)
    assert trial.result["target"] == 0.6
    assert trial.result["mean"] == pytest.approx((6.0 + 7.0 + 20.0) / 40)
    assert trial.result["rmse"] == pytest.approx(((10 * 0.01 + 20 * 0.16) / 40) ** 0.5)
    assert trial.result["in_band"] == 0.5
    assert (trial.outcome, trial.decided, trial.latency_s) == ("correct", "force_60", pytest.approx(1.05))
    assert trial.end_sample == 400
    assert {d.label for d in decisions[:60]} == {"force_60"}
    assert [(n, d.change) for n, d in enumerate(decisions) if d.change] == [(0, "activate"), (59, "release")]


def test_a_level_that_is_held_for_less_than_its_share_is_missed():
    _, (trial,) = run([0.0] * 20 + [0.6] * 19 + [0.0] * 21)
    assert (trial.outcome, trial.decided, trial.result["in_band"]) == ("missed", "", 19 / 40)
    _, (never,) = run([0.0] * 60)
    assert (never.outcome, never.latency_s, never.onset_sample) == ("missed", None, None)


@pytest.mark.parametrize("fault", [{"valid": False}, {"rejected": True}])
def test_evidence_that_is_not_sound_lies_in_no_band_and_enters_no_mean(fault):
    bad = {"values": (0.6,), **fault}
    decisions, (trial,) = run([0.6] * 40 + [bad] * 20)
    assert trial.result == pytest.approx({"target": 0.6, "mean": 0.6, "rmse": 0.0, "in_band": 0.5})
    assert {d.label for d in decisions[40:]} == {""}
    _, (nothing,) = run([bad] * 60)
    assert (nothing.result["mean"], nothing.result["rmse"], nothing.result["in_band"]) == (None, None, 0.0)


def test_a_gap_and_the_end_of_the_run_exclude_a_trial_and_the_next_cue_closes_it():
    decisions, (trial,) = run([0.6] * 60, gap_at=200)
    assert (trial.outcome, trial.excluded) == ("excluded", "a gap")
    assert [d.change for d in decisions if d.change] == ["activate", "release"]
    _, (cut,) = run([0.6] * 30)
    assert cut.outcome == "excluded"
    paradigm = ForceTrack()
    rule = paradigm.start(fs=FS, hop=HOP, classes=paradigm.classes)
    assert rule.cue(LocatedCue(0, 0.0, "force_30", 0.0, 0), at=0) == []
    (closed,) = rule.cue(LocatedCue(5, 0.05, "rest", 1.0, 0), at=5)
    assert (closed.outcome, closed.result["in_band"]) == ("missed", None)


def test_a_calibration_records_its_trials_and_shows_the_trace_that_a_decoder_is_fitted_on():
    decisions, (trial,) = run([0.0] * 70, classes=False)
    assert (decisions, trial.outcome, trial.result) == ([], "recorded", {})
    paradigm = ForceTrack(forces=[0.25, 0.5], band=0.1)
    assert paradigm.levels == {"rest": 0.0, "force_25": 0.25, "force_50": 0.5}
    assert paradigm.shown_at("force_50", 1.0) == paradigm.targets["force_50"] == (0.0, 0.0)
    assert paradigm.place_of(Decision(5, 0.0, "rest", kind="force", values=(0.25,))) == (0.0, -0.5)
    windows = paradigm.training_windows([LocatedCue(100, 1.0, "force_25", 3.0, 0)], fs=FS, window_s=0.5, hop_s=0.5)
    assert windows == [(300, "force_25", 0), (350, "force_25", 0), (400, "force_25", 0)]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"forces": ()}, "at least one number above 0"),
        ({"forces": (0.5, 1.2)}, "above 0, at most 1"),
        ({"forces": (0.5, 0.501)}, "differ by at least 1 %"),
        ({"rest": "force_30"}, "a label of its own"),
        ({"settle_s": 5.0}, "below attempt_s"),
        ({"hold_share": 0.0}, "hold_share must be above 0"),
        ({"band": 0.0}, "band must be above 0"),
        ({"band": 0.2}, r"at most half the distance between levels, 0\.15, got 0\.2"),
    ],
)
def test_impossible_parameters_are_refused(parameters, sentence):
    with pytest.raises(BadValue, match=sentence):
        ForceTrack(**parameters)
