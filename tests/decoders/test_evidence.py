"""Calibration, rejection and memory: one mechanism for every decoder."""

from __future__ import annotations

import numpy as np
import pytest

from tests.shares import every_decoder
from workbench import decoders
from workbench.decoding.accumulation import Detector, LeakySum, Trigger
from workbench.errors import BadSignal, BadValue
from workbench.fitting.held_out import _least, detections, detector_thresholds, folds, isotonic, platt
from workbench.fitting.settings import EvidenceSettings
from workbench.fitting.steady_state import CORRELATION_EVIDENCE
from workbench.vocabulary import Evidence

FS, N_CHANNELS = 200.0, 4


EVOKED = {"frequencies": {"grasp": 10.0, "rest": 25.0}, "latency_s": 0.0}
"""Parameters of evoked decoders, for those that have them."""


def make(name="csp_lda", **evidence):
    made = decoders.load(name)
    evoked = {key: value for key, value in EVOKED.items() if key in made.parameter_names()}
    return made(fs=FS, window_s=0.4, evidence=evidence, **evoked)


def sees_loudness(name):
    """Whether features grow with the signal; correlations and the shares of fbcsp do not."""
    return name != "fbcsp" and decoders.load(name).evidence_defaults != CORRELATION_EVIDENCE


def epochs(classes=("grasp", "rest"), n=80, seed=0, seconds=0.4, factor=0.7):
    rng = np.random.default_rng(seed)
    y = np.array(classes)[np.arange(n) % len(classes)]
    x = rng.normal(0, 10, (n, N_CHANNELS, round(seconds * FS)))
    for k, name in enumerate(classes[:-1]):
        x[y == name, k] *= factor
    return x, y


def recording(seed=3, factor=0.5):
    x = np.random.default_rng(seed).normal(0, 10, (3600, N_CHANNELS))
    x[1200:2400, 0] *= factor
    return x


def answers(decoder, x):
    stream = decoder.start()
    made = []
    for end in range(stream.hop, len(x) + 1, stream.hop):
        stream.step(x[end - stream.hop : end])
        made.append(stream.evidence(end))
    return made


# ------------------------------------------------------------------ settings
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"memory": "elephant"}, "memory must be None or one of gate, leaky, sprt, trigger"),
        ({"calibrate": "by_ear"}, "calibrate must be"),
        ({"reject": 1.0}, "reject must be"),
        ({"gamma": 1.5}, "gamma"),
        ({"leak": 0.0}, "leak"),
        ({"alpha": 0.6}, "alpha and beta"),
        ({"refractory_s": 0.0}, "refractory_s"),
        ({"refractory_s": np.inf}, "refractory_s"),
        ({"false_per_min": np.nan}, "false_per_min"),
        ({"memory": "gate", "dwell_s": (3.0, np.nan)}, "dwell_s must be two finite times"),
        ({"memory": "gate", "dwell_s": (np.inf, 3.0)}, "dwell_s must be two finite times"),
        ({"depth": 3}, "evidence has no depth; it has rest"),
    ],
)
def test_settings_outside_what_is_allowed_are_refused(given, words):
    with pytest.raises(BadValue, match=words):
        make(**given).fit(*epochs())


def test_what_is_given_stands_before_the_decoders_own():
    assert EvidenceSettings.of({"memory": "gate", "gamma": 0.2}, None, {"gamma": 0.3}) == EvidenceSettings(
        memory="gate", gamma=0.3
    )


# ------------------------------------------------------------------ calibration
def held_out(n=4000, slope=0.4, offset=-0.5, seed=0):
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 4, n)
    return odds, rng.random(n) < 1 / (1 + np.exp(-(slope * odds + offset)))


def test_a_logistic_finds_scale_and_offset():
    x, y, slope = platt(*held_out())
    assert slope == pytest.approx(0.4, abs=0.03)
    assert y[0] - slope * x[0] == pytest.approx(-0.5, abs=0.1)


def test_scores_that_say_nothing_or_the_opposite_are_never_turned_round():
    odds, true = held_out()
    assert platt(-odds, true)[2] == 0.0
    assert platt(np.zeros(50), np.arange(50) % 2 == 0)[2] >= 0.0


def test_separable_windows_give_finite_odds():
    odds = np.concatenate([np.full(30, -5.0), np.full(30, 5.0)])
    x, y, slope = platt(odds, odds > 0)
    assert np.isfinite([x[0], y[0], slope]).all()
    p = 1 / (1 + np.exp(-(y[0] + slope * (5 - x[0]))))
    assert p == pytest.approx(31 / 32, abs=0.01)


def test_an_isotonic_map_rises_and_keeps_away_from_certainty():
    x, y, slope = isotonic(*held_out())
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= 0).all()
    assert slope == 0.0
    assert np.abs(y).max() <= np.log(4001) + 1e-9


@pytest.mark.parametrize(("calibrate", "knots"), [("platt", 1), ("isotonic", 2), ("auto", 2)])
@pytest.mark.parametrize("classes", [("grasp", "rest"), ("grasp", "pinch", "rest")])
def test_probabilities_agree_with_the_share_of_right_decisions(calibrate, knots, classes):
    x, y = epochs(classes=classes, n=300, seconds=0.5)
    decoder = make("tangent_space_lda", calibrate=calibrate).fit(x, y)
    assert decoder.evidence_["calibration_x"].shape[1] >= knots
    new, truth = epochs(classes=classes, n=600, seed=1)
    sure = decoder.predict_proba(new, lead_in=0.0).max(axis=1)
    right = decoder.predict(new, lead_in=0.0) == truth
    assert abs(sure.mean() - right.mean()) < 0.08


def test_too_few_windows_leave_scores_as_they_are():
    assert "calibration_x" not in make(calibrate="auto").fit(*epochs(n=12)).evidence_


@pytest.mark.parametrize("name", ["riemann_mdm", "fgmdm"])
@pytest.mark.parametrize(("n", "held"), [(12, False), (60, True)])
def test_scores_without_a_prior_hold_one_once_they_are_calibrated(name, n, held):
    x, y = epochs(n=n)
    kept = np.ones(n, dtype=bool)
    kept[np.flatnonzero(y == y[0])[::3]] = False
    decoder = decoders.load(name)(fs=FS, window_s=0.4, evidence={"calibrate": "auto", "rest": y[0]})
    decoder.fit(x[kept], y[kept])
    assert ("calibration_x" in decoder.evidence_) == held
    assert (decoder.log_prior_ != 0.0).all() == held


def test_folds_hold_out_whole_blocks_of_each_class_in_the_order_of_time():
    index, blocks = np.repeat([0, 1, 0, 1, 0, 1], 4), np.repeat(np.arange(6), 4)
    found = folds(index, blocks)
    assert [len(set(found[blocks == b])) for b in range(6)] == [1] * 6
    assert found[::4].tolist() == [0, 0, 1, 1, 2, 2]
    assert folds(np.tile([0, 1], 10), None).tolist() == np.repeat(np.arange(5), 4).tolist()
    with pytest.raises(BadSignal, match="one block"):
        folds(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]))


def test_a_class_that_cannot_be_held_out_is_refused():
    x, y = epochs(n=12)
    blocks = np.array([0, 0] * 3 + [1, 2] * 3)
    y = np.array(["grasp", "rest"] * 3 + ["grasp", "grasp"] * 3)
    with pytest.raises(BadSignal, match="one block"):
        make(calibrate="platt").fit(x, y, blocks=blocks)


# ------------------------------------------------------------------ rejection
def test_the_threshold_is_the_least_that_keeps_errors_down():
    p = np.array([0.9, 0.8, 0.7, 0.65, 0.6, 0.55])
    scores = np.stack([np.zeros(6), np.log(p / (1 - p))], axis=1)
    index = np.array([1, 1, 1, 0, 1, 0])
    assert _least(scores, index, 0.05) == pytest.approx(0.7)
    assert _least(scores, index, 0.25) == pytest.approx(0.6)
    with pytest.raises(BadSignal, match="no threshold keeps errors at 5%"):
        _least(scores, 1 - index, 0.05)


def test_accepted_windows_are_wrong_as_seldom_as_asked():
    decoder = make("riemann_mdm", reject=0.1).fit(*epochs(n=300))
    new, truth = epochs(n=300, seed=1)
    kept = []
    for epoch, label in zip(new, truth, strict=True):
        stream = decoder.start()
        stream.step(np.ascontiguousarray(epoch.T))
        evidence = stream.evidence(80)
        if not evidence.rejected:
            kept.append(stream.classes[int(np.argmax(evidence.probabilities))] == label)
    assert 30 < len(kept) < 300
    assert np.mean(kept) > 0.82


@pytest.mark.parametrize("name", [name for name in decoders.available() if sees_loudness(name)])
def test_a_window_unlike_all_is_rejected_and_moves_no_memory(name):
    decoder = make(name, reject=0.5, memory="leaky", calibrate="platt", novelty=None)
    decoder.fit(*epochs(n=120, seconds=0.8), lead_in=0.4)
    x = np.random.default_rng(8).normal(0, 10, (2000, N_CHANNELS))
    times = np.arange(400)[:, None] / FS
    hz = {"cycle_phase": 1, "mrcp_lda": 1, "emg_envelope": 40}.get(name, 10)  # in the band of each
    x[1600:] += 45.0 * np.sin(2 * np.pi * hz * times + np.array([0, 0.3, 0.5, 0.9]))
    found = answers(decoder, x)
    odd = [one for one in found if one.end >= 1700]
    assert np.mean([one.rejected for one in found if one.valid and 1000 < one.end <= 1600]) < 0.2
    assert np.mean([one.rejected for one in odd if one.valid]) > 0.5
    after = [b.probabilities == a.probabilities for a, b in zip(odd, odd[1:]) if b.rejected]
    assert after
    assert all(after)


# ------------------------------------------------------------------ memory
def test_a_leaky_sum_is_the_definition_written_out():
    decoder = make(memory="leaky").fit(*epochs())
    plain = make().fit(*epochs())
    total = 0.0
    for got, window in zip(answers(decoder, recording()), answers(plain, recording()), strict=True):
        if window.valid:
            odds = np.log(window.probabilities[0] / window.probabilities[1])
            odds -= decoder.log_prior_[0] - decoder.log_prior_[1]
            total = 0.97 * total + 0.05 / 0.4 * odds
        assert got.probabilities[0] == pytest.approx(1 / (1 + np.exp(-total)), abs=1e-9)
        assert not got.rejected


def test_a_sequential_test_is_undecided_between_its_bounds():
    decoder = make(memory="sprt").fit(*epochs())
    upper, lower = np.log(0.9 / 0.02), np.log(0.98 / 0.1)
    assert decoder.evidence_["bounds"] == pytest.approx([upper, lower])
    for one in answers(decoder, recording()):
        if one.valid:
            total = np.log(one.probabilities[0] / one.probabilities[1])
            assert one.rejected == (-lower < total < upper)
    decided = [one for one in answers(decoder, recording()) if one.valid and not one.rejected]
    assert decided


def test_without_rest_both_bounds_are_those_of_a_movement():
    decoder = make(memory="sprt").fit(*epochs(classes=("left", "right")))
    assert decoder.evidence_["bounds"] == pytest.approx([np.log(45), np.log(45)])
    accumulator = LeakySum(np.zeros(3), np.zeros(3), 1.0, 1.0, np.full(3, 2.0))
    state = accumulator.step(accumulator.initial, np.array([0.0, 3.0, 1.5]))
    assert state.sum() == pytest.approx(0.0)
    assert accumulator.undecided(state)
    assert not accumulator.undecided(accumulator.step(state, np.array([0.0, 1.0, 0.0])))


@pytest.mark.parametrize("name", every_decoder())
def test_every_decoder_takes_every_memory_and_a_gap_starts_it_afresh(name):
    for memory in ("gate", "leaky", "sprt", "trigger", "detector"):
        decoder = make(name, memory=memory).fit(*epochs(seconds=0.8))
        stream = decoder.start()
        stream.step(recording()[:2000])
        assert stream.evidence(2000).valid
        stream.reset()
        stream.step(recording()[:40])
        after = stream.evidence(2040)
        assert not after.valid
        start = stream._finish.accumulator
        assert after.probabilities == tuple(start.probabilities(start.initial).tolist())


def test_a_gate_a_trigger_and_a_detector_need_rest():
    for memory in ("gate", "trigger", "detector"):
        decoder = make(memory=memory).fit(*epochs(classes=("left", "right")))
        assert decoder.start()._finish.accumulator is None


def odds_of(values, trigger):
    state, seen = trigger.initial, []
    for value in values:
        state = trigger.step(state, np.array([value, 0.0]))
        seen.append(trigger.probabilities(state)[0])
    return seen


def test_a_detection_is_held_and_the_odds_must_fall_before_the_next():
    trigger = Trigger(threshold=1.0, rest=1, refractory=3, n_classes=2)
    values = [0, 2, 2, 2, 2, 2, 0, 2, 0, 0, 0, 2]
    assert odds_of(values, trigger) == [0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1]
    assert detections(np.array(values, dtype=float), 1.0, 3) == 3
    assert not trigger.undecided(trigger.initial)


def test_the_trigger_is_silent_in_rest_as_often_as_asked():
    rng = np.random.default_rng(0)
    x, y = epochs(n=400, factor=0.9)
    few = make(memory="trigger").fit(x, y).evidence_["threshold"][0]
    many = make(memory="trigger", false_per_min=60.0).fit(x, y).evidence_["threshold"][0]
    assert few > many >= 0.0
    odds = rng.normal(0, 1, 1000)
    counts = [detections(odds, at, 5) for at in (0.0, 1.0, 2.0, 5.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 0


def test_a_detector_is_a_running_mean_seen_from_its_two_thresholds():
    detector = Detector(onset=2.0, release=0.5, share=0.25, rest=1, n_classes=2)
    # It begins as far below the release as that is below the onset.
    level, state = -1.0, detector.initial
    for value in [3.0, 3.0, -1.0, 8.0, 0.0, 0.0]:
        state = detector.step(state, np.array([value, 0.0]))
        level += 0.25 * (value - level)
        odds = np.log(0.25) + (np.log(0.65 / 0.35) - np.log(0.25)) * (level - 0.5) / 1.5
        assert detector.probabilities(state) == pytest.approx([1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds))])
    for at, p in ((2.0, 0.65), (0.5, 0.2)):
        assert detector.probabilities(np.array([at, 0.0, 0.0]))[0] == pytest.approx(p)
    assert not detector.undecided(state)


def test_movements_divide_what_a_detector_leaves_them_by_their_odds():
    detector = Detector(onset=2.0, release=1.0, share=1.0, rest=0, n_classes=3)
    state = detector.step(detector.initial, np.array([0.0, 3.0, 2.0]))
    p = detector.probabilities(state)
    assert p.sum() == pytest.approx(1.0)
    assert p[1] > p[2] > 0.0


@pytest.mark.parametrize("false_per_min", [0.5, 2.0])
def test_a_detector_rises_in_rest_about_as_often_as_asked(false_per_min):
    decoder = make(memory="detector", false_per_min=false_per_min, smooth_s=1.0).fit(*epochs(n=40))

    def odds(seconds, seed):
        """Log odds of a movement in rest: noise that windows of half a second smooth."""
        noise = np.random.default_rng(seed).normal(0.0, 3.0, round(seconds / decoder.step_s) + 10)
        return np.convolve(noise, np.ones(10) / 10, mode="valid") - 2.0

    calibration = odds(180, 1)
    scores = np.stack([calibration, np.zeros(len(calibration))], axis=1)
    index, blocks = np.ones(len(scores), dtype=np.int64), np.arange(len(scores)) // 60
    onset, release = detector_thresholds(scores, index, blocks, decoder)
    assert release == pytest.approx((onset + np.median(running(calibration, blocks, decoder))) / 2)
    later = running(odds(7200, 2), np.zeros(10**6), decoder)
    rises = np.sum((later[1:] >= onset) & (later[:-1] < onset))
    assert 0.4 * false_per_min < rises / 120 < 2.5 * false_per_min


def running(odds, blocks, decoder):
    """The running mean of a detector with a time constant of 1 s, from the mean of each block on."""
    level = np.empty(len(odds))
    for i in range(len(level)):
        new = i == 0 or blocks[i] != blocks[i - 1]
        before = odds[blocks[: len(odds)] == blocks[i]].mean() if new else level[i - 1]
        level[i] = before + decoder.step_s * (odds[i] - before)
    return level


# ------------------------------------------------------------------ fusion
def test_fusion_weighs_log_probabilities():
    one, two = Evidence(80, (0.9, 0.1)), Evidence(80, (0.4, 0.6))
    got = decoders.fuse([one, two], [0.75, 0.25])
    odds = 0.75 * np.log(9) + 0.25 * np.log(4 / 6)
    assert got.probabilities[0] == pytest.approx(1 / (1 + np.exp(-odds)))
    assert got.valid
    assert decoders.fusion_weights([0.9, 0.7, 0.4]) == pytest.approx((2 / 3, 1 / 3, 0.0))


def test_what_is_not_valid_or_rejected_is_left_out_of_the_fusion():
    good, bad = Evidence(80, (0.9, 0.1)), Evidence(80, (0.1, 0.9), valid=False)
    unsure = Evidence(80, (0.5, 0.5), rejected=True)
    assert decoders.fuse([bad, good, unsure], [1, 1, 1]).probabilities == pytest.approx((0.9, 0.1))
    assert decoders.fuse([unsure, bad], [1, 1]) == unsure
    assert decoders.fuse([good, bad], [0, 1]) == bad
    assert decoders.fuse([Evidence(80, (1.0, 0.0)), good], [1, 1]).probabilities[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("ends", "weights", "words"),
    [((80, 90), (1, 1), "one end"), ((80, 80), (1,), "1 weights"), ((80, 80), (0, -1), "0 or more")],
)
def test_evidence_that_does_not_go_together_is_refused(ends, weights, words):
    with pytest.raises(BadValue, match=words):
        decoders.fuse([Evidence(end, (0.5, 0.5)) for end in ends], weights)


@pytest.mark.parametrize("auc", [(0.4, 0.5), (1.2, 0.9)])
def test_areas_that_weigh_nothing_are_refused(auc):
    with pytest.raises(BadValue, match="areas must lie"):
        decoders.fusion_weights(auc)
