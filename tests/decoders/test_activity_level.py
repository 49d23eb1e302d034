"""A level passes 1 where a muscle, the eyes or the workload rise above their calibration, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference import muscle_onset_study as onsets
from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.vocabulary import EvidenceType, Montage

FS = 500.0
NEAR = {"evidence": {"novelty": None}}
"""Without a limit of novelty, so that only the level speaks."""


def noise(seconds, sizes, seed):
    """Noise ``(n_times, len(sizes))`` of these standard deviations, µV."""
    return np.random.default_rng(seed).normal(0, 1, (round(seconds * FS), len(sizes))) * np.array(sizes)


def blink(samples, *at_s):
    """A blink of 200 µV in the first channel at each time, s."""
    made = samples.copy()
    for second in at_s:
        first = round(second * FS)
        made[first : first + 150, 0] += 200.0 * np.hanning(150)
    return made


def sines(seconds, theta, alpha, seed):
    """Two channels of EEG with waves of 6 and of 10 Hz, µV."""
    t = np.arange(round(seconds * FS)) / FS
    wave = theta * np.sin(2 * np.pi * 6 * t) + alpha * np.sin(2 * np.pi * 10 * t)
    return wave[:, None] + noise(seconds, (3.0, 3.0), seed)


def stretches(kind):
    """Stretches of rest and of attempt; only the muscle does more in an attempt."""
    made = []
    for k in range(12):
        if kind == "muscle":
            made.append(noise(4.0, (4.0, 4.0) if k % 2 else (30.0, 6.0), k))
        elif kind == "eyes":
            made.append(blink(noise(4.0, (8.0, 8.0), k), *([2.5] if k in (3, 8) else [])))
        else:
            made.append(sines(8.0, 10.0 + 0.3 * k, 10.0 - 0.2 * k, k))
    return np.array([one.T for one in made]), ["grasp", "rest"] * 6


def fitted(kind, **params):
    baseline = {"baseline": "rest"} if kind == "muscle" else {}
    made = decoders.load("activity_level")(FS, measure=kind, **baseline, **NEAR, **params)
    return made.fit(*stretches(kind), lead_in=2.0)


def levels(decoder, samples):
    """Level at every hop, NaN where the evidence is not valid."""
    stream, made = decoder.start(), []
    for first in range(0, len(samples) - stream.hop + 1, stream.hop):
        stream.step(samples[first : first + stream.hop])
        evidence = stream.evidence(stream.n_seen)
        made.append(evidence.values[0] if evidence.valid else np.nan)
    return np.array(made)


def test_a_contraction_is_above_the_threshold_from_its_onset_to_its_end_and_rest_is_below():
    quiet, active = noise(4.0, (4.0, 4.0), 90), noise(3.0, (4.0, 30.0), 91)
    made = levels(fitted("muscle"), np.concatenate([quiet, active, quiet]))
    hop = 0.05
    assert np.nanmax(made[: round(4.0 / hop)]) < 1.0
    # Whichever muscle it is; the window is 0.1 s.
    assert made[round(4.2 / hop) : round(7.0 / hop)].min() > 1.0
    assert np.nanmax(made[round(7.5 / hop) :]) < 1.0


def test_a_blink_is_above_the_threshold_though_there_were_some_in_the_calibration():
    made = levels(fitted("eyes"), blink(noise(10.0, (8.0, 8.0), 92), 6.0))
    passed = np.flatnonzero(made > 1.0) * 0.05
    assert passed.size
    assert passed.min() > 6.0 - 0.05
    assert passed.max() < 6.3 + 0.5 + 0.5


def test_more_theta_to_alpha_than_in_the_calibration_is_a_higher_workload():
    decoder = fitted("workload")
    usual, loaded = sines(12.0, 11.0, 9.0, 93), sines(12.0, 20.0, 4.0, 94)
    made = levels(decoder, np.concatenate([usual, loaded]))
    assert np.nanmax(made[100:240]) < 1.0
    assert made[-60:].min() > 1.0


def test_a_few_bursts_in_the_baseline_hardly_move_the_threshold():
    x, y = stretches("muscle")
    spoiled = x.copy()
    spoiled[1, :, 1500:1650] *= 8.0
    clean, moved = (
        decoders.load("activity_level")(FS, measure="muscle", baseline="rest", **NEAR).fit(one, y, lead_in=2.0)
        for one in (x, spoiled)
    )
    assert moved.usual_ + moved.distance_ == pytest.approx(clean.usual_ + clean.distance_, rel=0.15)


def test_a_calibration_that_was_not_quiet_hides_no_contraction_as_it_does_from_a_mean_and_a_deviation():
    ours, published = (
        next(onsets.people(learn, 3.0, spoiled=onsets.SPOILED))
        for learn in (onsets.of_product, onsets.published_1)
    )
    assert (len(ours.delays), ours.false) == (onsets.CONTRACTIONS, 0)
    assert not published.delays


def test_a_weak_muscle_is_found_with_fewer_standard_deviations_and_rest_is_not():
    usual, fewer = (
        next(onsets.people(learn, 1.5, spoiled=0.0)) for learn in (onsets.of_product, onsets.of_product_at_6_sd)
    )
    assert len(fewer.delays) > 0.8 * onsets.CONTRACTIONS > len(usual.delays)
    assert fewer.false == 0


@pytest.mark.parametrize("block", [1, 37])
def test_the_block_size_changes_no_bit(block):
    decoder, x = fitted("eyes"), blink(noise(4.0, (8.0, 8.0), 95), 3.0)
    whole, parts = decoder.start(), decoder.start()
    whole.step(x)
    for first in range(0, len(x), block):
        parts.step(x[first : first + block])
    ends = range(1200, 2000, 25)
    assert [parts.evidence(end) for end in ends] == [whole.evidence(end) for end in ends]


def test_what_was_stored_gives_the_same_level(tmp_path):
    decoder = fitted("muscle")
    decoders.save(decoder, tmp_path, montage=Montage(("FDS", "EDC"), FS, "EMG"))
    again, x = decoders.read(tmp_path), noise(3.0, (4.0, 12.0), 96)
    assert again.evidence_type == EvidenceType("amplitude", ("level",), "threshold")
    np.testing.assert_array_equal(levels(again, x), levels(decoder, x))


def test_another_day_moves_the_threshold_with_its_baseline():
    decoder = fitted("muscle")
    x, y = stretches("muscle")
    fresh = decoders.load("activity_level")(FS, measure="muscle", baseline="rest", **NEAR)
    summaries, owner = fresh.prepare(2)._epoch_summaries(2.0 * x, 2.0)
    moved = decoder.recentred_on(summaries, np.array(y)[owner])
    # The energy is a square.
    assert moved.distance_ == pytest.approx(4.0 * decoder.distance_)
    assert moved.usual_ == pytest.approx(4.0 * decoder.usual_)


def test_without_a_measure_it_tells_contraction_from_rest():
    x, y = stretches("muscle")
    assert decoders.load("activity_level")(FS).fit(x, y, lead_in=2.0).score(x, y) == 1.0


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"measure": "pulse"}, "one of muscle, eyes, workload, or None; got 'pulse'"),
        ({"measure": "muscle", "baseline": "sleep"}, "baseline must be one of grasp, rest"),
        ({"measure": "muscle", "n_sd": 0.0}, "n_sd must be above 0, got 0"),
        ({"measure": "workload", "bands": [(4, 8)]}, "ratio of two bands, got 1"),
        ({"measure": "eyes", "evidence": {"memory": "leaky"}}, "are for classes; leave them out with a measure"),
    ],
)
def test_what_it_cannot_be_fitted_with_is_refused(params, said):
    with pytest.raises(BadValue, match=said):
        decoders.load("activity_level")(FS, **params).fit(*stretches("muscle"), lead_in=2.0)


def test_a_measure_that_never_varies_has_no_threshold():
    decoder = fitted("muscle")
    x, y = stretches("muscle")
    summaries, owner = decoder._epoch_summaries(x[:, :, :1200], 2.0)
    alike = np.where((np.array(y)[owner] == "rest")[:, None], summaries[-1], summaries)
    with pytest.raises(BadSignal, match="the muscle does not vary"):
        decoder.recentred_on(alike, np.array(y)[owner])


def test_bands_may_be_given_and_a_classifier_is_recentred_by_what_it_normalises_by():
    x, y = stretches("muscle")
    own = decoders.load("activity_level")(FS, measure="muscle", bands=[(30.0, 200.0)], **NEAR).fit(
        x, y, lead_in=2.0
    )
    assert own.pass_bands() == ((30.0, 200.0),)
    classifier = decoders.load("activity_level")(FS, **NEAR).fit(x, y, lead_in=2.0)
    summaries, owner = classifier._epoch_summaries(2.0 * x, 2.0)
    moved = classifier.recentred_on(summaries, np.array(y)[owner])
    assert not np.array_equal(moved.mean_, classifier.mean_)
    assert np.array_equal(moved.weights_, classifier.weights_)
