"""Runs of simulated participants at full speed: a system's decoder is fitted on one, another one is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from workbench import analysis, decoders
from workbench.decoders import WindowDecoder
from workbench.paradigms import Paradigm, PlannedCue
from workbench.signals.cues import locate_cues
from workbench.systems import BoundSystem
from workbench.vocabulary import Chunk, FloatArray, Marker

BLOCK_S = 0.05
"""Length of a block, s."""
OTHER_BLOCK = 7
"""Samples of a block when a run is decoded again."""


def fitted(bound: BoundSystem, paradigm: Paradigm, items: Sequence[Chunk | Marker], *, fs: float) -> WindowDecoder:
    """The system's decoder, fitted on a calibration.

    Parameters
    ----------
    bound, paradigm : the system, and what its task is judged by.
    items : of the calibration run, from sample 0 on.
    fs : rate of the signal in Hz.
    """
    decoder: WindowDecoder = decoders.load(bound.decoder)(**bound.decoder_params)
    n_channels = len(bound.signal.measured)
    decoder.prepare(n_channels)
    settings = decoder.settings
    cues, n = locate_cues(items, fs=fs)
    named = paradigm.training_windows(cues, fs=fs, window_s=settings.window_s, hop_s=settings.hop_s)
    complete = [window for window in named if window[0] <= n]
    training = decoders.collect(decoder, items, complete, n_channels=n_channels)
    return decoder.fit_summaries(training.summaries, training.labels, blocks=training.blocks)


def run_items(samples: FloatArray, cues: Sequence[PlannedCue], *, fs: float) -> Iterator[Chunk | Marker]:
    """A run as the loop takes it, each marker before the sample at which it takes effect.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV. cues : its schedule. fs : rate in Hz.
    """
    stamps, block = np.arange(len(samples)) / fs, round(BLOCK_S * fs)
    marks = {
        round(cue.at_s * fs): Marker(
            "cue", round(cue.at_s * fs), cue.at_s, cue.label, {"duration_s": cue.duration_s, "trial": cue.trial}
        )
        for cue in cues
    }
    edges = sorted({*range(0, len(samples), block), len(samples), *marks})
    for start, stop in zip(edges, edges[1:], strict=False):
        if start in marks:
            yield marks[start]
        yield Chunk(start, samples[start:stop], stamps[start:stop])


def cut(items: Iterable[Chunk | Marker]) -> Iterator[Chunk | Marker]:
    """The same items in blocks of :data:`OTHER_BLOCK` samples."""
    for item in items:
        if isinstance(item, Marker):
            yield item
            continue
        for at in range(0, len(item.stamps), OTHER_BLOCK):
            rows = slice(at, at + OTHER_BLOCK)
            yield Chunk(item.first + at, item.samples[rows], item.stamps[rows])


def over_participants(values: Sequence[float], digits: str, *, most: float = float("inf")) -> str:
    """Mean over participants with Student's interval, in words; ``"none"`` without a value.

    Parameters
    ----------
    values : one of each participant.
    digits : format of a number, such as ``".2f"``.
    most : greatest value that there is, which the interval does not pass.
    """
    column: FloatArray = np.array(values, dtype=np.float64)[:, None]
    course = analysis.mean_course(column, least=0.0, most=most)
    mean, low, high = course.mean[0], course.low[0], course.high[0]
    if mean is None:
        return "none"
    between = "" if low is None or high is None else f" (95 % CI {low:{digits}}–{high:{digits}} over participants)"
    return f"{mean:{digits}}{between}"
