"""A velocity from a grid moves a cursor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import control
from workbench.errors import BadValue
from workbench.paradigms.centre_out import CentreOut
from workbench.systems import simulate
from workbench.systems.cursor_velocity import SYSTEM


def test_the_decoder_is_fitted_on_the_velocities_that_its_calibration_shows():
    bound = simulate(SYSTEM)
    shown = CentreOut(**bound.paradigm_params).velocities
    assert bound.decoder_params == {"fs": 500.0, "window_s": 0.2, "velocities": shown}
    assert set(shown) == {"rest", "right", "up", "left", "down"}


def test_the_level_follows_the_velocity_within_the_profile():
    law = simulate(SYSTEM).task.law
    profile = control.load(SYSTEM.effector)
    assert (law.law, law.slew_per_s <= profile.slew_per_s) == ("proportional", True)
    # The speed that the calibration shows asks for less than everything.
    assert 0 < max(law.levels((0.2, 0.0))) < 1
    assert len(law.levels((0.2, 0.0))) == profile.channels


def test_a_decoder_of_classes_and_a_law_that_follows_no_velocity_are_refused_before_anything_starts():
    task = SYSTEM.tasks[0]
    classes = replace(task, decoder="bandpower_lda", decoder_params=lambda signal: {"fs": signal.fs})
    with pytest.raises(BadValue, match="centre_out decides on velocity, and this decoder gives probabilities"):
        simulate(replace(SYSTEM, tasks=(classes,)))
    with pytest.raises(
        BadValue, match="the law proportional, and no other, follows a velocity or a force; got hold"
    ):
        replace(task, law=control.ControlLaw("hold"))
