"""A velocity from a grid moves a cursor."""

from __future__ import annotations

from workbench import control
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
