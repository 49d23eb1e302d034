"""A phase runs from 0 to 1 with each cycle, at its rate; while no cycle is known nothing is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.control import ControlLaw
from workbench.control._watch import broken
from workbench.errors import BadSignal, BadValue
from workbench.vocabulary import Decision, EvidenceType, Montage

FS = 100.0
RATE = 0.9


def make(**params):
    return decoders.load("cycle_phase")(
        **{"fs": FS, "channel": 0, "mains_hz": 0.0, "evidence": {"novelty": None}, **params}
    )


def walking(seconds, rng, *, rate=RATE, size=50.0):
    """Two channels: the swing of a shank with its second harmonic, and another with half of it."""
    turns = rate * np.arange(round(seconds * FS)) / FS
    wave = size * (np.sin(2 * np.pi * turns) + 0.3 * np.sin(4 * np.pi * turns))
    return np.stack([wave, 0.5 * wave], axis=1) + rng.normal(0, 3.0, (len(turns), 2))


def standing(seconds, rng):
    return rng.normal(0, 3.0, (round(seconds * FS), 2))


@pytest.fixture(scope="module")
def training():
    rng = np.random.default_rng(0)
    return np.array([part(6.0, rng).T for part in (walking, standing) * 6]), ["walk", "stand"] * 6


@pytest.fixture(scope="module")
def decoder(training):
    return make().fit(*training, lead_in=1.0)


def said(decoder, x):
    """Evidence at every hop."""
    stream, made = decoder.start(), []
    for first in range(0, len(x) - stream.hop + 1, stream.hop):
        stream.step(x[first : first + stream.hop])
        made.append(stream.evidence(stream.n_seen))
    return made


@pytest.mark.parametrize("rate", [0.7, 0.9, 1.3])
def test_the_phase_is_that_of_the_cycle_at_the_end_of_the_window(decoder, rate):
    made = said(decoder, walking(20.0, np.random.default_rng(1), rate=rate))[160:]
    assert not any(e.rejected or not e.valid for e in made)
    off = [(e.values[0] - rate * (e.end - 1) / FS + 0.5) % 1.0 - 0.5 for e in made]
    # What the band-pass shifts beside its middle.
    assert np.ptp(off) < 0.05
    assert abs(np.mean(off)) < 0.1
    assert [e.values[1] for e in made] == pytest.approx([rate] * len(made), rel=0.05)


def test_a_cycle_that_stopped_is_unknown_after_one_and_a_half_and_again_known_after_two(decoder):
    rng = np.random.default_rng(2)
    x = np.concatenate([walking(8.0, rng), standing(4.0, rng), walking(8.0, rng)])
    known = [not e.rejected and e.valid for e in said(decoder, x)]
    assert all(known[110:160])
    # One and a half cycles of 1.1 s, after what the filter rings on.
    assert not any(known[225:270])
    assert all(known[320:])


def test_noise_at_rest_is_no_cycle_however_long_nobody_moves(decoder):
    rest = said(decoder, standing(60.0, np.random.default_rng(8)))
    assert all(e.rejected or not e.valid for e in rest)
    assert any(e.valid for e in rest)


def test_evidence_of_a_phase_is_whole_even_where_it_is_unknown(decoder):
    rng = np.random.default_rng(3)
    for e in said(decoder, np.concatenate([standing(5.0, rng), walking(5.0, rng)])):
        assert e.probabilities == ()
        assert not broken(Decision(e.end, 0.0, "", kind="phase", values=e.values))


def test_a_window_of_the_phase_is_passed_once_a_stride(decoder):
    law = ControlLaw("stride_gated", phase_window=(0.2, 0.5))
    made = said(decoder, walking(20.0, np.random.default_rng(4)))[160:]
    inside = [law.window_at(e.values[0]) == "" for e in made]
    entries = sum(now and not before for before, now in zip(inside, inside[1:]))
    assert entries == pytest.approx(RATE * len(made) * 0.05, abs=1)


@pytest.mark.parametrize("block", [1, 37])
def test_the_block_size_changes_no_bit(decoder, block):
    x = walking(9.0, np.random.default_rng(5))
    parts = decoder.start()
    for first in range(0, len(x), block):
        parts.step(x[first : first + block])
    whole = said(decoder, x)
    assert [parts.evidence(e.end) for e in whole[-40:]] == whole[-40:]


def test_what_was_stored_gives_the_same_phase(decoder, tmp_path):
    decoders.save(decoder, tmp_path, montage=Montage(("a", "b"), FS))
    again = decoders.read(tmp_path)
    assert again.evidence_type == EvidenceType("phase", ("phase", "rate"), "cycle, Hz")
    assert again.remembers
    x = walking(6.0, np.random.default_rng(6))
    assert said(again, x) == said(decoder, x)


def test_without_a_channel_it_tells_walking_from_standing(training):
    classifier = make(channel=None, window_s=2.0).fit(*training, lead_in=1.0)
    assert classifier.score(*training) == 1.0
    assert classifier.evidence_type == EvidenceType()
    assert sum(said(classifier, training[0][0].T)[-1].probabilities) == pytest.approx(1.0)


def test_a_channel_that_is_not_there_and_settings_of_classes_are_refused(training):
    with pytest.raises(BadValue, match="channel must be 0 to 1, got 2"):
        make(channel=2).fit(*training)
    with pytest.raises(BadValue, match="are for classes; leave them out with a channel"):
        make(evidence={"memory": "leaky"}).fit(*training)
    still = np.array([1.0, 1.0, -1.0, -1.0])[:, None, None] * walking(4.0, np.random.default_rng(7)).T
    with pytest.raises(BadSignal, match="band power does not vary between the windows"):
        make().fit(still, ["walk", "stand"] * 2)
