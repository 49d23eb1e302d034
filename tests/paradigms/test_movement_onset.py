"""Movement onset: windows lie around the edge that the task names; the rule is that of grasp and rest."""

from __future__ import annotations

import pytest

from workbench import paradigms
from workbench.errors import BadValue
from workbench.vocabulary import LocatedCue

FS = 100.0
CUES = [LocatedCue(1000, 10.0, "move", 4.0, 0), LocatedCue(1400, 14.0, "rest", 6.0, 0)]


def windows(**params):
    paradigm = paradigms.from_params("movement_onset", params)
    return paradigm.training_windows(CUES, fs=FS, window_s=1.0, hop_s=0.0625)


def test_windows_of_a_movement_end_at_the_edge_and_little_before_or_after():
    ends = [end for end, label, _ in windows(prepare_s=2.0, edge_s=0.5) if label == "move"]
    assert (min(ends), max(ends)) == (1238, 1262)
    early = [end for end, label, _ in windows(prepare_s=2.0, edge_s=-0.2) if label == "move"]
    assert [end - 70 for end in ends] == early


def test_windows_of_rest_are_those_of_grasp_and_rest_and_no_block_is_shared():
    rest = [window for window in windows() if window[1] == "rest"]
    grasp = paradigms.from_params("grasp_rest", {"condition": "move"})
    assert rest == [w for w in grasp.training_windows(CUES, fs=FS, window_s=1.0, hop_s=0.0625) if w[1] == "rest"]
    assert {block for _, label, block in windows() if label == "move"} == {0}
    assert {block for _, _, block in rest} == {1}


@pytest.mark.parametrize("edge_s", [-2.0, 2.0, float("nan")])
def test_an_edge_that_no_onset_could_hit_is_refused(edge_s):
    with pytest.raises(BadValue, match="onset_window_s"):
        paradigms.from_params("movement_onset", {"edge_s": edge_s})
