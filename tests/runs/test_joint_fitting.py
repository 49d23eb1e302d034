"""A fit of several streams needs its parameters whole, and streams that the runs have."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import BadValue
from workbench.recording import RunWriter
from workbench.runs.fitting import fit
from workbench.vocabulary import StreamSpec

SIGNAL = StreamSpec("eeg", "EEG", 250.0, ("C3", "C4"), source_id="x")


@pytest.fixture
def recording(tmp_path):
    """A calibration of two seconds without another stream."""
    plan = {
        "run": "r1", "kind": "calibration", "paradigm": "grasp_rest", "params": {}, "classes": [],
        "contract": [{"name": "eeg", "type": "EEG", "fs": 250.0, "channels": ["C3", "C4"], "role": "signal"}],
    }  # fmt: skip
    with RunWriter(tmp_path / "r1.xdf", plan=plan, stamp=1.0, signal=SIGNAL) as writer:
        writer.signal(np.zeros((500, 2), dtype=np.float32), 1.0 + np.arange(500) / 250.0)
    return tmp_path / "r1.xdf"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"members": {"emg": {"decoder": "bandpower_lda"}}},
        {"members": {"signal": "bandpower_lda"}},
        {"members": {"signal": {"decoder": "bandpower_lda"}}, "weights": {"signal": 1}},
        {"members": {"signal": {"decoder": "bandpower_lda"}}, "gates": {"emg": ["grasp"]}},
    ],
)
def test_parameters_that_are_not_whole_are_refused_in_a_sentence(recording, params):
    with pytest.raises(BadValue, match="takes members, each a role with its decoder and parameters"):
        fit(recording.parent, [recording], "late_fusion", params)


def test_a_stream_that_the_run_does_not_have_is_named(recording):
    members = {"signal": {"decoder": "bandpower_lda"}, "emg": {"decoder": "bandpower_lda"}}
    with pytest.raises(BadValue, match=r"r1\.xdf has no stream of the role 'emg'"):
        fit(recording.parent, [recording], "late_fusion", {"members": members})
