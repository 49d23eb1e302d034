from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workbench.recording import Journal
from workbench.vocabulary import StreamSpec

SIGNAL = StreamSpec("ECoG", "EEG", 250.0, ("C3", "C4", "Cz"), source_id="amp-1")
EVENTS = StreamSpec("events", "Markers", 0.0, source_id="events-1", role="markers")


@pytest.fixture
def recording(tmp_path: Path) -> Callable[..., Path]:
    """A small recording: 3 channels at 250 Hz in chunks of 5, a text stream, clock offsets."""

    def write(name: str = "run.xdf", *, n_chunks: int = 6, close: bool = True) -> Path:
        path = tmp_path / name
        rng = np.random.default_rng(3)
        journal = Journal(path, header={"site": "Zürich & 北京"})
        signal = journal.add_stream(SIGNAL)
        texts = journal.add_stream(EVENTS, dtype="string")
        for k in range(n_chunks):
            values = rng.normal(size=(5, 3)).astype(np.float32)
            journal.samples(signal, values, 100.0 + (5 * k + np.arange(5)) / 250.0)
            journal.samples(texts, [f'cue {k} <抓> "&"'], np.array([100.0 + k / 50.0]))
        journal.clock_offset(signal, 100.5, -1e-4 / 3, uncertainty=2e-5)
        journal.clock_offset(signal, 105.5, -2e-4 / 3)
        if close:
            journal.close()
        else:
            index = path.with_name(path.name + ".idx")
            size, entries = journal.size, index.stat().st_size
            journal.close(state="finished")
            os.truncate(path, size)
            os.truncate(index, entries)
        return path

    return write
