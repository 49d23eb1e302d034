"""Imagery in EEG that closes a glove."""

from __future__ import annotations

from workbench.systems import simulate
from workbench.systems.imagery_glove import SYSTEM


def test_a_cue_for_the_hands_triggers_and_one_for_the_feet_does_not():
    law = simulate(SYSTEM).task.law
    assert (law.law, law.conditions, law.trigger_s) == ("trigger", ("hands",), 2.0)


def test_self_paced_imagery_of_the_hands_is_told_from_rest_and_holds():
    bound = simulate(SYSTEM, task="self_paced")
    assert bound.paradigm_params["condition"] == "hands"
    assert bound.task.law.law == "hold"
