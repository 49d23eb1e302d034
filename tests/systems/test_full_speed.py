"""Figures of many simulated participants at full speed: cued decisions, onsets in EMG, the evoked response."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.errors import BadValue
from workbench.stress import responses
from workbench.stress._full_speed import online_run
from workbench.stress.attempts import attempts
from workbench.stress.cued import CuedFigures, cued
from workbench.systems.ecap_closed_loop import CLOSED, LOOP, OPEN, Held


def test_participants_at_the_limit_of_chance_count_and_those_below_it_do_not():
    # 15 of 20 is the first number that guessing between two reaches with 5 % or less.
    figures = CuedFigures("eeg_fes_rehabilitation", 380.0, ((15, 20), (14, 20), (20, 20)), 2, 0)
    said = figures.text()
    assert said.startswith("eeg_fes_rehabilitation: 3 simulated participants, calibrated within 380 s, 60 cues: ")
    assert "chance 0.50, at or beyond the 95 % limit of chance in 2 of 3" in said
    assert figures.passed
    assert not replace(figures, unequal=1).passed


def test_a_run_too_short_to_tell_from_guessing_counts_as_nothing_beyond_chance():
    assert "of chance in 0 of 1" in CuedFigures("eeg_fes_rehabilitation", 10.0, ((4, 4),), 2, 0).text()


@pytest.mark.parametrize("measured", [cued, attempts, responses.responses])
def test_figures_of_no_participant_are_refused(measured):
    with pytest.raises(BadValue, match="one participant or more is needed, got 0"):
        measured(0, 1)


def test_the_online_run_follows_the_calibration_and_is_decoded_twice_alike():
    run = online_run("eeg_fes_rehabilitation", seed=3, trials=(16, 4))
    assert len(run.trials) == 4
    assert run.equal
    assert {one.decided for one in run.trials} <= set(run.decoder.class_names)


def test_a_contraction_that_the_legs_still_have_is_found_in_their_emg():
    (figures,) = attempts(1, 7, which=[("emg_closed_loop_stimulation", "triggered")], trials=(6, 3))
    assert figures.passed
    assert figures.together.n == 3
    assert figures.together.hits == 3


def test_the_loop_holds_the_response_better_closed_than_open_and_stays_below_its_ceiling():
    figures = responses.responses(1, 7)
    ((closed, opened),) = figures.people
    assert (closed.kind, opened.kind) == (CLOSED, OPEN)
    assert closed.bouts == opened.bouts == 2
    assert closed.error_uv < opened.error_uv
    assert figures.passed
    assert "loop closed mean error" in figures.text()
    above = replace(closed, most_ma=np.nextafter(LOOP["most_ma"], 99.0))
    assert not responses.ResponseFigures(((above, opened),)).passed


def test_people_within_the_goal_are_counted_with_the_loop_closed_alone():
    def person(closed_uv, open_uv):
        both = ((CLOSED, closed_uv), (OPEN, open_uv))
        return tuple(Held(kind, 2, 400, 0, error, 0.9, 2.0, 4.0) for kind, error in both)

    figures = responses.ResponseFigures((person(6.0, 30.0), person(6.1, 3.0), person(4.0, 20.0)))
    assert "at most 6 µV closed in 2 of 3" in figures.text()
