"""A simulated person who looks: what is evoked follows the markers, by the seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.devices._evoked import P300, REASONS, RESPONSES, SSVEP, Observer, sha256_of
from workbench.errors import BadValue

FLICKER = {"items": ["a", "b"], "frequencies_hz": [10.0, 13.0], "phases": [0.0, 0.5]}
FLASHES = {"items": ["a", "b"], "groups": [[0], [1]]}
FS = 250.0


def looked(cues, *, preset="ssvep", shows=FLICKER, seed=3, seconds=12.0, block=None):
    person, at = Observer(seed, preset=preset, shows=shows), 0
    parts, waiting, n = [], sorted(cues), round(seconds * FS)
    while at < n:
        while waiting and round(waiting[0][0] * FS) <= at:
            person.cue(*waiting.pop(0))
        stop = min(n, round(waiting[0][0] * FS) if waiting else n, at + (block or n))
        parts.append(person.step(stop - at))
        at = stop
    return np.concatenate(parts), person


def power_at(samples, hz):
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    return spectrum[round(hz * len(samples) / FS)]


def test_the_response_is_at_the_frequency_of_the_item_that_is_looked_at_and_ends_with_the_light():
    cues = [(1.0, "b", 4.0), (5.0, "rest", 1.0)]
    difference = looked(cues)[0][:, 7] - looked([])[0][:, 7]
    assert not difference[: round(1.14 * FS)].any()
    during, after = difference[round(2.0 * FS) : round(4.0 * FS)], difference[round(6.0 * FS) : round(8.0 * FS)]
    assert power_at(during, 13.0) > 100 * power_at(during, 10.0)
    assert np.abs(after).max() < 1e-3 * np.abs(during).max()


def test_a_flash_of_the_item_that_is_meant_evokes_a_p300_and_another_only_what_every_flash_does():
    def evoked(label):
        cues = [(1.0, "a", 1.0), (2.0, label, 0.1)]
        samples = looked(cues, preset="p300", shows=FLASHES)[0] - looked([], preset="p300", shows=FLASHES)[0]
        return samples[round(2.0 * FS) : round(3.0 * FS), 3]

    meant, other = evoked("stim:1:on"), evoked("stim:2:on")
    assert np.abs(other).max() < 1.0
    peak = int(meant.argmax())
    assert 5.0 <= meant[peak] <= 8.5
    assert 0.2 < peak / FS < 0.5


def test_no_bit_depends_on_the_block_in_which_a_sample_was_made():
    cues = [(1.0, "a", 2.0), (3.0, "rest", 1.0), (4.0, "b", 2.0)]
    assert np.array_equal(looked(cues)[0], looked(cues, block=37)[0])


def test_a_free_choice_is_drawn_by_the_seed_and_is_in_the_persons_own_truth_alone():
    cues = [(float(at), "free", 1.0) for at in range(1, 9)]
    chosen = [attempt.pattern for attempt in looked(cues)[1].attempts]
    assert set(chosen) == {"a", "b"}
    assert chosen == [attempt.pattern for attempt in looked(cues)[1].attempts]
    assert {attempt.label for attempt in looked(cues)[1].attempts} == {"free"}


def test_people_differ_and_some_have_hardly_a_response():
    strengths = [Observer(seed, preset="ssvep", shows=FLICKER).strength for seed in range(40)]
    assert min(strengths) < 2.0 < max(strengths)


def test_parameters_are_frozen_and_each_has_its_reason():
    assert sha256_of(SSVEP)[:12] == "f8acab1e649e"
    assert sha256_of(P300)[:12] == "a029f1ea7c36"
    named = {name for response in RESPONSES.values() for name in response.__slots__} - {"background"}
    assert named <= set(REASONS)


def test_a_screen_that_does_not_go_with_the_preset_is_refused():
    with pytest.raises(BadValue, match="groups is missing"):
        Observer(1, preset="p300", shows=FLICKER)
    with pytest.raises(BadValue, match="no evoked preset"):
        Observer(1, preset="n400", shows=FLICKER)
