"""Hits, misses and false activations as decoders.md A4 counts them."""

from __future__ import annotations

import pytest

from workbench import paradigms
from workbench.errors import BadValue
from workbench.vocabulary import Decision, Evidence, LocatedCue, Trial

FS, HOP = 100.0, 5
GraspRest = paradigms.load("grasp_rest")
DWELLING = GraspRest(activate=0.7, release=0.4, dwell=3)


def play(intervals, cues, *, seconds, invalid=(), interrupts=(), paradigm=None):
    """Run the rule on evidence that is high in ``intervals`` (s); returns decisions and trials."""
    rule = (paradigm or DWELLING).start(fs=FS, hop=HOP, classes=("rest", "grasp"))
    made = []
    waiting = [LocatedCue(round(at * FS), at, label, length, i) for i, (at, label, length) in enumerate(cues)]
    stops = dict(interrupts)
    for end in range(HOP, round(seconds * FS) + 1, HOP):
        while waiting and waiting[0].sample < end:
            made += rule.cue(waiting.pop(0), at=end - HOP)
        if end in stops:
            rule.interrupt(at=end, reason=stops[end][0], resets=stops[end][1])
        high = any(a < end / FS <= b for a, b in intervals)
        p = 0.9 if high else 0.1
        valid = not any(a < end / FS <= b for a, b in invalid)
        made += rule.decide(rule.due, stamp=end / FS, evidence=Evidence(end, (1 - p, p), valid))
    made += rule.finish(at=round(seconds * FS))
    return [d for d in made if isinstance(d, Decision)], [t for t in made if isinstance(t, Trial)]


CUE = [(5.0, "grasp", 3.0), (8.0, "rest", 5.0)]


def test_an_onset_inside_the_window_is_a_hit_with_its_latency():
    _, (trial,) = play([(5.6, 8.2)], CUE, seconds=13)
    assert trial.outcome == "correct"
    assert trial.latency_s == pytest.approx(0.75)
    assert trial.release_s == pytest.approx(0.35)
    assert trial.held_s == pytest.approx(trial.release_s + 3.0 - trial.latency_s)
    assert trial.false_activations == 0


def test_an_onset_after_the_window_is_a_miss_and_false():
    _, (trial,) = play([(6.6, 8.2)], CUE, seconds=13)
    assert (trial.outcome, trial.false_activations, trial.false_in_rest) == ("missed", 1, 0)


def test_a_second_activation_of_a_hit_is_false():
    _, (trial,) = play([(5.3, 6.0), (6.5, 7.5)], CUE, seconds=13)
    assert (trial.outcome, trial.false_activations) == ("correct", 1)


def test_an_activation_before_the_first_cue_counts_against_the_first_trial():
    _, (trial,) = play([(2.0, 3.0), (5.3, 7.0)], CUE, seconds=13)
    assert (trial.outcome, trial.false_activations, trial.false_in_rest) == ("correct", 1, 1)


def test_an_activation_that_lasts_into_the_cue_is_no_hit():
    _, (trial,) = play([(4.0, 7.5)], CUE, seconds=13)
    assert (trial.outcome, trial.false_in_rest) == ("missed", 1)


def test_rest_time_is_all_time_outside_the_attempt():
    _, (trial,) = play([], CUE, seconds=13)
    assert trial.rest_s == pytest.approx(10.0)


def test_rest_in_which_nothing_could_be_activated_is_no_exposure():
    _, (trial,) = play([], CUE, seconds=13, invalid=[(1.0, 3.0), (6.0, 7.0), (10.0, 11.0)])
    assert trial.rest_s == pytest.approx(10.0 - 3.0)


@pytest.mark.parametrize(("hops", "activates"), [(2, False), (3, True)])
def test_three_hops_above_the_threshold_activate_and_two_do_not(hops, activates):
    decisions, _ = play([(5.5, 5.5 + hops * HOP / FS)], CUE, seconds=7)
    assert any(d.change == "activate" for d in decisions) is activates


def test_by_default_one_hop_decides_and_the_gap_between_the_thresholds_keeps_the_state():
    steps = [(p, True, False) for p in (0.64, 0.66, 0.3, 0.21, 0.19, 0.3, 0.64, 0.66)]
    made = changes(steps, GraspRest())
    assert made == ["", "activate", "", "", "release", "", "", "activate"]


def test_evidence_that_is_not_valid_has_no_label_and_never_activates():
    decisions, (trial,) = play([(5.5, 7)], CUE, seconds=13, invalid=[(5.0, 8.0)])
    assert trial.outcome == "missed"
    assert all(d.label == "" for d in decisions if 5.0 < d.stamp <= 8.0)


def test_a_gap_excludes_the_trial_and_releases_at_the_next_hop():
    decisions, (trial,) = play([(5.5, 7.5)], CUE, seconds=13, interrupts=[(700, ("gap of 40 ms", True))])
    assert (trial.outcome, trial.excluded) == ("excluded", "gap of 40 ms")
    assert [d.change for d in decisions if d.sample == 700] == ["release"]


def test_a_run_that_ends_in_the_attempt_excludes_the_trial():
    _, (trial,) = play([(5.5, 6.8)], CUE, seconds=6.5)
    assert trial.excluded == "the run ended during the attempt"


def test_without_a_decoder_trials_are_recorded():
    rule = GraspRest().start(fs=FS, hop=HOP, classes=())
    rule.cue(LocatedCue(0, 0.0, "grasp", 3.0, 0), at=0)
    trials = []
    for end in range(HOP, 900, HOP):
        trials += rule.decide(rule.due, stamp=end / FS, evidence=None)
    assert [t.outcome for t in trials] == ["recorded"]


@pytest.mark.parametrize(
    "change",
    [
        {"activate": 0.1},
        {"release": 0.0},
        {"attempt_s": 0.0},
        {"dwell": 0},
        {"jitter_s": -1.0},
        {"lead_in_s": float("nan")},
        {"condition": "rest"},
    ],
)
def test_impossible_parameters_are_refused(change):
    with pytest.raises(BadValue):
        GraspRest(**change)


def test_training_windows_lie_inside_their_cue():
    cues = [LocatedCue(500, 5.0, "grasp", 3.0, 0), LocatedCue(800, 8.0, "rest", 5.0, 0)]
    windows = GraspRest().training_windows(cues, fs=FS, window_s=0.5, hop_s=0.05)
    grasp = [end for end, label, _ in windows if label == "grasp"]
    rest = [end for end, label, _ in windows if label == "rest"]
    assert (min(grasp), max(grasp)) == (600, 800)
    assert (min(rest), max(rest)) == (950, 1300)
    assert {(label, block) for _, label, block in windows} == {("grasp", 0), ("rest", 1)}


def test_every_cued_period_is_a_block_of_its_own():
    planned = GraspRest().schedule(4, seed=0)
    cues = [LocatedCue(round(c.at_s * FS), c.at_s, c.label, c.duration_s, c.trial) for c in planned]
    windows = GraspRest().training_windows(cues, fs=FS, window_s=0.5, hop_s=0.05)
    blocks = [{block for _, label, block in windows if label == name} for name in ("grasp", "rest")]
    assert [len(one) for one in blocks] == [4, 5]
    assert blocks[0].isdisjoint(blocks[1])


def changes(steps, paradigm=None):
    """Changes by hop of a rule that is given ``(probability of grasp, valid, rejected)`` at every hop."""
    rule = (paradigm or DWELLING).start(fs=FS, hop=HOP, classes=("rest", "grasp"))
    made = []
    for i, (p, valid, rejected) in enumerate(steps):
        end = (i + 1) * HOP
        (decision,) = rule.decide(rule.due, stamp=end / FS, evidence=Evidence(end, (1 - p, p), valid, rejected))
        assert (decision.label == "") is (rejected or not valid)
        assert decision.valid is valid
        made.append(decision.change)
    return made


GRASP, REJECTED, INVALID = (0.95, True, False), (0.95, True, True), (0.95, False, False)


def test_rejected_evidence_never_starts_an_activation():
    assert changes([REJECTED] * 20) == [""] * 20
    assert changes([GRASP, GRASP, REJECTED, GRASP, GRASP, REJECTED]) == [""] * 6


def test_rejected_evidence_never_prolongs_an_activation_whatever_it_says():
    assert changes([GRASP] * 3 + [REJECTED] * 3) == ["", "", "activate", "", "", "release"]
    low = (0.2, True, False)
    assert changes([GRASP] * 3 + [REJECTED, low, REJECTED])[-1] == "release"


def test_fewer_rejected_hops_than_the_dwell_are_bridged():
    assert changes([GRASP] * 3 + [REJECTED, REJECTED, GRASP] * 5)[3:] == [""] * 15


BY_DEFAULT = GraspRest().suited(remembers=True)


def test_by_default_four_rejected_hops_are_bridged_and_the_fifth_releases():
    assert changes([GRASP] + [REJECTED] * 5, BY_DEFAULT) == ["activate", "", "", "", "", "release"]
    assert changes([GRASP] + ([REJECTED] * 4 + [GRASP]) * 3, BY_DEFAULT)[1:] == [""] * 15


def test_rejected_hops_do_not_hinder_an_opening_that_the_evidence_asks_for():
    assert changes([GRASP, REJECTED, (0.1, True, False)], BY_DEFAULT) == ["activate", "", "release"]


def test_a_run_stored_without_a_dwell_for_rejected_evidence_is_replayed_with_its_dwell():
    stored = {name: value for name, value in BY_DEFAULT.params().items() if name != "rejected_dwell"}
    again = paradigms.from_params("grasp_rest", stored).suited(remembers=True)
    assert (again.dwell, again.rejected_dwell) == (1, 1)
    assert changes([GRASP, REJECTED], again) == ["activate", "release"]


def test_after_a_release_by_rejection_it_takes_the_whole_dwell_to_activate_again():
    made = changes([GRASP] * 3 + [REJECTED] * 5 + [GRASP] * 3)
    assert [i for i, change in enumerate(made) if change] == [2, 5, 10]


def test_evidence_that_is_not_valid_neither_releases_nor_counts():
    assert changes([GRASP] * 3 + [INVALID] * 20)[3:] == [""] * 20
    assert changes([GRASP] * 3 + [REJECTED, REJECTED, INVALID, REJECTED, REJECTED])[3:] == [""] * 5


@pytest.mark.parametrize(
    ("dwell", "remembers", "needed"), [(None, True, 1), (None, False, 3), (2, True, 2), (2, False, 2)]
)
def test_evidence_without_a_memory_gets_a_longer_dwell_unless_one_was_given(dwell, remembers, needed):
    suited = GraspRest(dwell=dwell).suited(remembers=remembers)
    assert suited.dwell == needed
    assert suited.start(fs=100.0, hop=5, classes=("rest", "grasp")).dwell() == (0, needed)
    assert GraspRest(**suited.params()) == suited
