"""The simulated participant who grasps."""

from __future__ import annotations

import pytest

from workbench.systems.simulated_grasping import SYSTEM


def test_the_trials_that_are_asked_for_are_planned():
    system = SYSTEM(seed=3, calibration_trials=6, online_trials=2)
    assert system.trials == (6, 2)
    assert system.durations[0] > system.durations[1] > 0
    assert system.markers is None, "the engine presents the cues"


@pytest.mark.parametrize("seed", [1, 2])
def test_the_seed_reaches_the_participant(seed):
    assert SYSTEM(seed=seed).player["options"]["seed"] == seed


def test_it_is_an_implant_of_eight_channels_that_moves_a_glove():
    system = SYSTEM()
    assert (len(system.signal.channels), system.signal.fs, system.effector) == (8, 1000.0, "glove")
