"""The envelope of a muscle follows its contraction, also while pulses louder than the muscle go through it."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.decoding.reducers import Power, QuietPower
from workbench.errors import BadValue
from workbench.vocabulary import EvidenceType

FS = 1000.0
LEVELS = {"rest": 0.0, "half": 0.5, "full": 1.0}
LOUDEST_UV = 40.0


def emg(level, seconds, rng, *, pulses_hz=0.0):
    """Two channels, the muscle in the second; each pulse is a spike of 1 mV that decays in 4 ms."""
    made = rng.normal(0.0, 1.0, (round(seconds * FS), 2)) * (3.0, 3.0 + LOUDEST_UV * level)
    if pulses_hz:
        for at in range(0, len(made), round(FS / pulses_hz)):
            n = min(15, len(made) - at)
            made[at : at + n, 1] += 1000.0 * np.exp(-np.arange(n) / 4.0)
    return made


def make(**params):
    given = {"channel": 1, "levels": LEVELS, "mains_hz": 0.0, **params}
    return decoders.load("emg_envelope")(FS, **given)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(5)
    labels = [*LEVELS] * 8
    return make().fit(np.array([emg(LEVELS[one], 1.0, rng).T for one in labels]), labels, lead_in=0.3)


def said(decoder, samples):
    """Evidence at each hop of the second half."""
    stream = decoder.start()
    stream.step(samples)
    half = len(samples) // 2 // 50 * 50
    return [stream.evidence(end) for end in range(half, len(samples) // 50 * 50 + 1, 50)]


@pytest.mark.parametrize(("level", "pulses_hz"), [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (0.5, 10.0), (1.0, 10.0)])
def test_the_level_is_that_of_the_muscle_with_pulses_and_without(fitted, level, pulses_hz):
    evidence = said(fitted, emg(level, 4.0, np.random.default_rng(7), pulses_hz=pulses_hz))
    sound = [one.values[0] for one in evidence if one.valid and not one.rejected]
    assert len(sound) > 0.9 * len(evidence)
    assert np.mean(sound) == pytest.approx(level, abs=0.2)


@pytest.mark.parametrize("level", [0.5, 1.0])
def test_denser_pulses_leave_fewer_stretches_free_and_it_reads_higher_by_less_than_three_quarters(fitted, level):
    evidence = said(fitted, emg(level, 4.0, np.random.default_rng(7), pulses_hz=20.0))
    assert not any(one.rejected for one in evidence)
    assert level < np.mean([one.values[0] for one in evidence]) < 1.75 * level


def test_pulses_over_a_muscle_at_rest_are_no_contraction(fitted):
    evidence = said(fitted, emg(0.0, 4.0, np.random.default_rng(8), pulses_hz=20.0))
    assert all(one.rejected or one.values[0] < 0.25 for one in evidence)


def test_the_plain_power_of_the_same_window_rises_thirtyfold_with_the_pulses():
    rng = np.random.default_rng(1)
    quiet, plain = QuietPower(1, n_stretches=40, n_quiet=10), Power()
    without, within = emg(0.5, 0.2, rng), emg(0.5, 0.2, rng, pulses_hz=20.0)
    assert plain.summarise(within)[1] > 30 * plain.summarise(without)[1]
    assert quiet.summarise(within)[0] < 4 * quiet.summarise(without)[0]


def test_all_of_the_stretches_are_the_whole_window():
    window = np.random.default_rng(2).normal(0.0, 5.0, (200, 3))
    every = QuietPower(2, n_stretches=40, n_quiet=40).summarise(window)
    np.testing.assert_allclose(every, Power().summarise(window)[2:], rtol=1e-12)


def test_it_is_an_amplitude_in_shares_of_the_level_and_without_levels_a_classifier(fitted):
    assert fitted.evidence_type == EvidenceType("amplitude", ("amplitude",), "fraction")
    rng = np.random.default_rng(6)
    labels = ["extend", "rest"] * 8
    epochs = np.array([emg(0.8 * (one == "extend"), 1.0, rng).T for one in labels])
    classifier = make(levels=None).fit(epochs, labels, lead_in=0.3)
    assert classifier.evidence_type == EvidenceType()
    assert classifier.score(epochs, labels) == 1.0


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"channel": 2}, "channel must be 0 to 1, got 2"),
        ({"bands": [(30, 90), (110, 300)]}, "an envelope has one pass band, got 2"),
    ],
)
def test_what_it_cannot_be_made_with_is_refused_in_one_sentence(params, sentence):
    rng = np.random.default_rng(3)
    labels = [*LEVELS] * 2
    epochs = np.array([emg(LEVELS[one], 1.0, rng).T for one in labels])
    with pytest.raises(BadValue, match=sentence):
        make(**params).fit(epochs, labels, lead_in=0.3)


def test_an_electrode_that_falls_decides_nothing_before_it_is_invalid_and_one_of_another_muscle_changes_nothing():
    rng = np.random.default_rng(6)
    labels = ["extend", "rest"] * 8
    epochs = np.array([emg(0.8 * (one == "extend"), 1.0, rng).T for one in labels])
    decoder = make(levels=None).fit(epochs, labels, lead_in=0.3)
    sound = emg(0.0, 1.4, np.random.default_rng(9))

    def at_each_hop(fallen):
        samples = sound.copy()
        if fallen is not None:
            samples[1000:, fallen] *= 300.0
        stream = decoder.start()
        stream.step(samples)
        return [stream.evidence(end) for end in range(1000, 1401, 10)]

    own = at_each_hop(1)
    assert not any(one.valid and not one.rejected and one.probabilities[0] > 0.5 for one in own)
    assert own[0].valid
    assert not own[-1].valid
    assert at_each_hop(0) == at_each_hop(None)
