"""Steady-state responses, simulated: what a person's own templates are worth, over ten persons."""

from __future__ import annotations

import pytest

from tests.reference.ssvep_simulation import Simulation, evaluate

FROZEN = "e612a8b24f2d2eeb8d5f2787672d2002dfa3206f40efeb0cbd5300941525172f"
"""Hash of the parameters, written down before anything was decoded."""


def test_the_parameters_are_those_that_were_written_down():
    assert Simulation().sha256() == FROZEN


@pytest.fixture(scope="module")
def right():
    made = [evaluate(seed, Simulation()) for seed in range(10)]
    return {name: sum(one[name][0] for one in made) for name in made[0]}


@pytest.mark.release
def test_templates_beat_sines_and_discriminant_filters_are_no_worse(right):
    assert right["fbcca"] < right["etrca"] <= right["tdca"]
