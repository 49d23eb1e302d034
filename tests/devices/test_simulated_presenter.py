"""The simulated screen: frames, stamps, and what a decision does to the rest of a trial."""

from __future__ import annotations

import pytest

from workbench.devices.simulated_presenter import Presentation, spec
from workbench.errors import BadValue

SCHEDULE = [
    [0.0, "rest", 1.0, -1],
    [1.0, "a", 2.0, 0],
    [3.0, "rest", 0.51, 0],
    [3.51, "b", 2.0, 1],
    [5.51, "rest", 1.0, 1],
]
FLASHES = [
    [0.0, "a", 0.5, 0],
    *([0.5 + 0.1 * k, f"stim:{k + 1}:on", 0.1, 0] for k in range(5)),
    [1.0, "rest", 1.0, 0],
    [2.0, "b", 1.0, 1],
]


def shown(presentation, until=1e9):
    return [(round(stamp, 6), marker["label"]) for stamp, marker in presentation.take(until)]


def test_each_cue_is_shown_at_a_frame_and_never_before_its_time():
    presentation = Presentation(SCHEDULE, begins=100.0, refresh_hz=60.0)
    for (at_s, label, _, trial), (stamp, marker) in zip(SCHEDULE, presentation.take(1e9)):
        frame = (stamp - 100.0) * 60.0
        assert frame == pytest.approx(round(frame))
        assert 0 <= stamp - 100.0 - at_s < 1 / 60
        assert (marker["label"], marker["trial"]) == (label, trial)
        assert marker["frame"] == round(frame)


def test_only_what_lies_before_the_asked_time_is_shown_and_nothing_twice():
    presentation = Presentation(SCHEDULE, begins=100.0, refresh_hz=60.0)
    assert [label for _, label in shown(presentation, 101.5)] == ["rest", "a"]
    assert [label for _, label in shown(presentation)] == ["rest", "b", "rest"]


def test_a_decision_ends_its_trial_at_once_and_the_rest_of_the_run_moves_forward():
    presentation = Presentation(SCHEDULE, begins=100.0, refresh_hz=60.0)
    shown(presentation, 102.0)
    presentation.end_trial(0, now=102.0)
    presentation.end_trial(0, now=102.5)
    rest, following, _ = shown(presentation)
    assert rest == (102.0, "rest")
    assert following[1] == "b"
    assert following[0] == pytest.approx(102.51, abs=1 / 60)


def test_flashes_that_were_not_shown_yet_are_left_out_and_those_sent_ahead_stay_true():
    presentation = Presentation(FLASHES, begins=0.0, refresh_hz=60.0)
    assert [label for _, label in shown(presentation, 0.65)][-1] == "stim:2:on"
    presentation.end_trial(0, now=0.55)
    rest, following = shown(presentation)
    assert rest[1] == "rest"
    assert 0.6 < rest[0] <= 0.65
    assert following == (pytest.approx(rest[0] + 1.0, abs=1 / 60), "b")


def test_a_pause_ends_what_is_shown_and_excludes_its_choice():
    presentation = Presentation(SCHEDULE, begins=100.0, refresh_hz=60.0)
    shown(presentation, 101.5)
    ended = presentation.pause(now=101.4)
    assert [marker["label"] for _, marker in ended] == ["disturbed: paused", "rest"]
    assert all(stamp == 101.4 for stamp, _ in ended)
    assert shown(presentation) == []
    presentation.resume(now=110.0)
    following, _ = shown(presentation)
    assert following == (pytest.approx(112.0, abs=1 / 60), "b")


def test_a_pause_comes_after_the_cue_that_was_sent_ahead():
    presentation = Presentation(SCHEDULE, begins=100.0, refresh_hz=60.0)
    shown(presentation, 101.01)
    assert min(stamp for stamp, _ in presentation.pause(now=100.95)) > 101.0


def test_a_choice_that_had_not_begun_is_presented_after_the_pause_from_its_start():
    schedule = [SCHEDULE[0], [1.0, "look:a", 1.0, 0], [2.0, "a", 2.0, 0], [4.0, "rest", 1.0, 0]]
    presentation = Presentation(schedule, begins=0.0, refresh_hz=60.0)
    shown(presentation, 1.5)
    assert presentation.pause(now=1.5) == []
    presentation.resume(now=5.0)
    assert [label for _, label in shown(presentation)] == ["look:a", "a", "rest"]


def test_a_pause_between_two_choices_excludes_none():
    presentation = Presentation(SCHEDULE, begins=100.0, refresh_hz=60.0)
    shown(presentation, 103.2)
    assert presentation.pause(now=103.2) == []
    presentation.resume(now=104.0)
    presentation.resume(now=105.0)
    assert shown(presentation)[0] == (pytest.approx(106.0, abs=1 / 60), "b")


def test_a_presenter_without_a_name_for_its_stream_is_refused():
    with pytest.raises(BadValue, match="needs the option source_id"):
        spec({})
