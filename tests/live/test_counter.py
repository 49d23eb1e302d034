"""A channel that counts samples is recorded, and neither decoded, judged nor shown; the run replays."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.recording import RunFile, RunWriter
from workbench.signals.units import montage_of
from workbench.vocabulary import Chunk, Marker, StreamSpec

SPEC = StreamSpec("eeg", "EEG", 100.0, ("C3", "n", "C4"), source_id="x", counter="n")


def test_the_montage_leaves_the_counter_out():
    assert SPEC.measured == ("C3", "C4")
    assert montage_of(SPEC).channels == ("C3", "C4")


@pytest.mark.parametrize("block", [None, 7])
def test_a_stored_run_replays_without_the_counter_and_keeps_it_in_the_file(tmp_path, block):
    line = {"name": "eeg", "channels": list(SPEC.channels), "counter": "n"}
    plan = {"run": "r", "classes": [], "contract": [line]}
    values = np.column_stack([np.ones(50), np.arange(50), -np.ones(50)]).astype(np.float32)
    with RunWriter(tmp_path / "r.xdf", plan=plan, stamp=0.0, signal=SPEC) as writer:
        writer.signal(values, np.arange(50) / 100.0)
        writer.marker(Marker("note", 20, 0.2))
    run = RunFile(tmp_path / "r.xdf")
    chunks = [item for item in run.items(block=block) if isinstance(item, Chunk)]
    assert np.concatenate([chunk.samples for chunk in chunks]).tolist() == [[1.0, -1.0]] * 50
    assert run.signal.values[:, 1].tolist() == list(range(50))
