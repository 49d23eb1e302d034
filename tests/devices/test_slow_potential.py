"""The simulated potential before a movement: how large, when, and the same for any block."""

from __future__ import annotations

import numpy as np

from workbench.devices._physiology import EEG, MRCP, PRESETS
from workbench.devices.simulated_participant import SimParticipant


def slow(seed=1, blocks=(2000,)):
    """The preset with and without its slow potential, from the same noise: their difference."""
    both = []
    for physiology in (MRCP, PRESETS["mrcp"].__class__(**{**fields_of(MRCP), "slow_uv": 0.0})):
        person = SimParticipant(seed, physiology=physiology)
        attempt = person.cue(2.0, "hand", 4.0)
        both.append(np.concatenate([person.step(n) for n in blocks]))
    return both[0] - both[1], attempt


def fields_of(physiology):
    return {name: getattr(physiology, name) for name in physiology.__slots__}


def test_it_is_negative_greatest_when_the_movement_begins_and_gone_half_a_second_later():
    potential, attempt = slow()
    vertex = potential[:, MRCP.channels.index("Cz")]
    assert abs(int(np.argmin(vertex)) - attempt.start) <= 1
    assert -20.0 < vertex.min() < -3.0
    assert np.all(vertex[: attempt.start - round(MRCP.slow_s * MRCP.fs)] == 0.0)
    assert np.all(vertex[attempt.start + round(0.5 * MRCP.fs) + 1 :] == 0.0)


def test_it_lies_around_the_vertex():
    potential, attempt = slow()
    assert MRCP.channels[int(np.argmin(potential[attempt.start]))] == "Cz"


def test_it_begins_after_the_cue_so_that_nothing_is_known_beforehand():
    least = MRCP.start_s[2]
    assert least >= MRCP.slow_s


def test_the_length_of_a_block_changes_no_bit():
    whole, _ = slow()
    parts, _ = slow(blocks=(7, 993, 1000))
    assert np.array_equal(whole, parts)


def test_staying_still_has_none():
    person = SimParticipant(1, physiology="mrcp")
    assert person.cue(2.0, "still", 4.0) is None


def test_presets_without_one_keep_the_hash_that_recordings_name():
    assert EEG.sha256() == "bf9a644bf2fac438e6573ab107fe1c0515e514ecfe25e9b414062cd359c798d1"
