"""Training windows from a recording are the windows the stream would have decided on."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.vocabulary import Chunk, Marker

FS = 160.0


def make():
    return decoders.load("csp_lda")(fs=FS, window_s=0.5)


def recording(n=1600):
    return np.random.default_rng(0).normal(0, 10, (n, 4))


def chunks(x, size, gap=None):
    for first in range(0, len(x), size):
        if first == gap:
            yield Marker("gap", first, 0.0, "", {"missing_s": 0.3})
        part = x[first : first + size]
        yield Chunk(first, part, (first + np.arange(len(part))) / FS)


WANTED = [(900, "b", 1), (400, "a", 0), (400, "b", 2), (1600, "a", 3), (410, "a", 0), (1200, "b", 4)]


@pytest.mark.parametrize("size", [1, 64, 400, 1600])
def test_windows_are_those_of_the_stream_whatever_the_chunks(size):
    decoder, x = make(), recording()
    training = decoders.collect(decoder, chunks(x, size), WANTED, n_channels=4)
    assert training.labels.tolist() == ["a", "b", "a", "b", "b", "a"]
    assert training.blocks.tolist() == [0, 2, 0, 1, 4, 3]
    assert training.skipped == 0
    stream = decoder.signal()
    stream.step(x[:900])
    assert np.array_equal(training.summaries[3], decoder.summarise(stream.window(900)[0]))


def test_windows_that_are_not_valid_are_left_out_and_counted():
    x = recording()
    x[395, 1] = np.nan
    early = [*WANTED, (20, "a", 9)]
    training = decoders.collect(make(), chunks(x, 100, gap=1100), early, n_channels=4)
    assert training.blocks.tolist() == [1, 3]
    assert training.skipped == 5


def test_what_was_collected_can_be_fitted():
    decoder = make()
    training = decoders.collect(decoder, chunks(recording(), 100), WANTED, n_channels=4)
    decoder.fit_summaries(training.summaries, training.labels)
    assert decoder.scores_of(training.summaries).shape == (6, 2)
    assert decoder.start().classes == ("a", "b")


def test_a_window_after_the_recording_is_refused():
    with pytest.raises(BadSignal, match="1 training windows end after the recording"):
        decoders.collect(make(), chunks(recording(), 100), [*WANTED, (1601, "a", 5)], n_channels=4)


def test_no_valid_window_is_refused():
    with pytest.raises(BadSignal, match="none of 1"):
        decoders.collect(make(), chunks(recording(), 100), [(10, "a", 0)], n_channels=4)


@pytest.mark.parametrize("end", [0, -5])
def test_a_window_that_ends_before_the_recording_is_refused(end):
    with pytest.raises(BadValue, match=f"ends at sample {end}; ends are counted from 0"):
        decoders.collect(make(), chunks(recording(), 100), [*WANTED, (end, "a", 5)], n_channels=4)
