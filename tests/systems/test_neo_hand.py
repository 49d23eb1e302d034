"""The simulated participant who grasps."""

from __future__ import annotations

import pytest

from workbench.systems import simulate
from workbench.systems.neo_hand import SYSTEM


def test_the_trials_that_are_asked_for_are_planned():
    bound = simulate(SYSTEM, seed=3, trials=(6, 2))
    assert bound.trials == (6, 2)
    assert bound.durations[0] > bound.durations[1] > 0
    assert bound.markers is None, "the engine presents the cues"


@pytest.mark.parametrize("seed", [1, 2])
def test_the_seed_reaches_the_participant(seed):
    assert simulate(SYSTEM, seed=seed).source.player["options"]["seed"] == seed


def test_it_is_an_implant_of_eight_channels_that_moves_a_glove():
    bound = simulate(SYSTEM)
    assert (len(bound.signal.channels), bound.signal.fs, bound.effector) == (8, 1000.0, "glove")
