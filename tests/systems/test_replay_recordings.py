"""Recordings that are played: what they must have in common, and who vouches for their unit."""

from __future__ import annotations

import pytest

from workbench.errors import BadValue
from workbench.systems.replay_recordings import play

CONDITIONS = {"T1": "hands", "T2": "feet"}


@pytest.fixture(scope="module")
def files(shared_data):
    return [shared_data / "eegmmidb" / f"S001R{run}.edf" for run in ("06", "10")]


def test_the_recordings_state_the_montage_the_trials_and_the_labels(files):
    bound = play(files, CONDITIONS)
    assert (bound.decoder, bound.effector, bound.source.simulated) == ("csp_lda", None, False)
    assert len(bound.signal.channels) == 64
    assert bound.trials == (15, 15)
    assert bound.source.labels == CONDITIONS
    assert bound.paradigm_params["conditions"] == ["hands", "feet"]


@pytest.mark.parametrize(
    ("chosen", "conditions", "more", "text"),
    [
        (slice(1), CONDITIONS, {}, "needs two files or more"),
        (slice(2), {"T1": "hands"}, {}, "two different conditions"),
        (slice(2), {"T1": "rest", "T2": "feet"}, {}, "'rest' is the time between the trials"),
        (slice(2), {"T1": "hands", "T9": "feet"}, {}, "has no annotation 'T9'"),
        (slice(2), CONDITIONS, {"unit": "uV"}, "--unit and --declared-by go together"),
        (slice(2), CONDITIONS, {"unit": "mV", "declared_by": "Lin Q."}, "states its unit itself"),
    ],
)
def test_what_does_not_go_together_is_refused(files, chosen, conditions, more, text):
    with pytest.raises(BadValue, match=text):
        play(files[chosen], conditions, **more)


def test_a_recording_that_is_given_twice_is_refused(files):
    with pytest.raises(BadValue, match="is the same recording as"):
        play([files[0], files[0]], CONDITIONS)
