"""The speller as a system."""

from __future__ import annotations

from tests.systems.evoked import check_free, check_plan
from workbench import paradigms, systems


def test_the_presenter_sends_the_markers_that_the_participant_and_the_engine_follow(tmp_path):
    check_plan("speller_p300", tmp_path)


def test_the_participant_sees_the_table_that_the_rule_decides_on():
    bound = systems.simulate(systems.load("speller_p300"))
    paradigm = paradigms.from_params(bound.paradigm, bound.paradigm_params)
    shows = bound.source.player["options"]["shows"]
    assert shows["items"] == list(paradigm.items)
    assert shows["groups"] == [list(group) for group in paradigm.groups]


def test_free_choices_come_after_a_calibration_on_what_is_asked_for():
    check_free("speller_p300")
