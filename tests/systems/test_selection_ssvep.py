"""Selection by flicker as a system."""

from __future__ import annotations

from tests.systems.evoked import check_plan
from workbench import systems


def test_the_presenter_sends_the_markers_that_the_participant_and_the_engine_follow(tmp_path):
    check_plan("selection_ssvep", tmp_path)


def test_its_windows_are_those_of_its_paradigm():
    bound = systems.simulate(systems.load("selection_ssvep"))
    assert bound.decoder_params["window_s"] == bound.paradigm_params["window_s"]
