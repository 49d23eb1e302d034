"""The cursor is where the decisions moved it; a target is selected by staying in it."""

from __future__ import annotations

import pytest

from workbench import paradigms
from workbench.errors import BadValue
from workbench.vocabulary import Decision, Evidence, LocatedCue, Trial

CentreOut = paradigms.load("centre_out")
FS, HOP = 100.0, 5


def run(velocities, *, label="right", classes=True, **parameters):
    """Decisions and trials of one cue at sample 100, with a velocity a hop."""
    paradigm = CentreOut(**{"gain": 1.0, **parameters})
    rule = paradigm.start(fs=FS, hop=HOP, classes=paradigm.classes if classes else ())
    made = []
    for velocity in [(9.0, 9.0)] * 20 + list(velocities):
        if rule.due.at == 105:
            made += rule.cue(LocatedCue(100, 1.0, label, 5.0, 0), at=100)
        kind = {"values": velocity} if isinstance(velocity, tuple) else velocity
        evidence = Evidence(rule.due.end, **kind) if classes else None
        made += rule.decide(rule.due, stamp=rule.due.at / FS, evidence=evidence)
    made += rule.finish(at=rule.due.at)
    return [d for d in made if isinstance(d, Decision)][20:], [t for t in made if isinstance(t, Trial)]


def test_a_velocity_moves_the_cursor_by_gain_and_hop_and_the_edge_stops_it():
    decisions, _ = run([(1.0, -2.0)] * 3, gain=2.0)
    assert [d.position for d in decisions] == [pytest.approx((0.1 * k, -0.2 * k if k else 0.0)) for k in (1, 2, 3)]
    assert run([(100.0, 0.0)] * 2, dwell_s=9.0)[0][-1].position == (1.5, 0.0)
    assert CentreOut(gain=3.0).moved((0.5, 0.5), (0.1, -0.1), dt=0.5) == pytest.approx((0.65, 0.35))


def test_staying_in_the_target_is_a_hit_with_its_time_and_path():
    decisions, (trial,) = run([(1.0, 0.0)] * 16 + [(0.0, 0.0)] * 20, target_radius=0.25)
    assert (trial.outcome, trial.decided) == ("correct", "right")
    # Inside from 0.75 on, at the 15th hop; six hops of dwell.
    assert trial.latency_s == pytest.approx(20 * HOP / FS)
    assert trial.end_sample == trial.onset_sample == 200
    assert trial.result == pytest.approx({"path": 0.8, "path_efficiency": 1.0, "nearest": 0.2})
    assert [d.change for d in decisions if d.change] == ["activate", "release"]
    assert [d.trial for d in decisions[:20]] == [0] * 20
    assert decisions[-1].trial == -1


def test_staying_in_another_target_is_a_wrong_selection_and_passing_through_is_none():
    _, (wrong,) = run([(0.0, 1.0)] * 40)
    assert (wrong.outcome, wrong.decided) == ("wrong", "up")
    _, (missed,) = run([(8.0, 0.0)] * 3 + [(-8.0, 0.0)] * 3 + [(0.0, 0.0)] * 100)
    assert (missed.outcome, missed.decided, missed.latency_s) == ("missed", "", None)
    assert missed.end_sample == 600
    assert missed.result["nearest"] == pytest.approx(0.2)


@pytest.mark.parametrize("fault", [{"valid": False}, {"rejected": True}])
def test_evidence_that_is_not_sound_moves_nothing(fault):
    decisions, _ = run([(1.0, 0.0)] * 4 + [{"values": (1.0, 0.0), **fault}] * 4)
    assert {d.position for d in decisions[4:]} == {decisions[3].position}
    assert {d.label for d in decisions[4:]} == {""}
    assert {d.values for d in decisions} == {(1.0, 0.0)}


def test_a_gap_excludes_the_trial_and_ends_the_bout_and_so_does_the_next_cue():
    paradigm = CentreOut()
    rule = paradigm.start(fs=FS, hop=HOP, classes=paradigm.classes)

    def hop():
        return next(
            d.change
            for d in rule.decide(rule.due, stamp=0.0, evidence=Evidence(rule.due.end, values=(0.1, 0.0)))
            if isinstance(d, Decision)
        )

    rule.cue(LocatedCue(0, 0.0, "up", 5.0, 0), at=0)
    assert [hop(), hop()] == ["activate", ""]
    (cut,) = rule.cue(LocatedCue(10, 0.1, "left", 5.0, 1), at=10)
    assert cut.outcome == "missed"
    assert [hop(), hop()] == ["release", "activate"]
    rule.interrupt(at=20, reason="a gap", resets=True)
    assert [hop(), hop()] == ["release", ""]
    (excluded,) = rule.finish(at=30)
    assert (excluded.outcome, excluded.excluded) == ("excluded", "a gap")


def test_a_calibration_records_its_trials_and_shows_an_even_speed():
    decisions, (trial,) = run([(0.0, 0.0)] * 110, classes=False)
    assert (decisions, trial.outcome, trial.result) == ([], "recorded", {})
    paradigm = CentreOut(n_targets=8, attempt_s=4.0)
    assert set(paradigm.velocities) == set(paradigm.classes)
    assert paradigm.velocities["left"] == (-0.25, 0.0)
    cues = [LocatedCue(100, 1.0, "up", 2.0, 0)]
    windows = paradigm.training_windows(cues, fs=FS, window_s=0.25, hop_s=0.5)
    assert windows == [(200, "up", 0), (250, "up", 0), (300, "up", 0)]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"n_targets": 3}, "2, 4 or 8, got 3"),
        ({"target_radius": 0.4}, r"between 0 and 0\.38, got 0\.4"),
        ({"edge": 1.0}, r"at least 1\.3, got 1\.0"),
        ({"rest": "up"}, "another label than a target has, got 'up'"),
        ({"gain": 0.0}, r"gain must be above 0, got 0\.0"),
    ],
)
def test_impossible_parameters_are_refused(parameters, sentence):
    with pytest.raises(BadValue, match=sentence):
        CentreOut(**parameters)
