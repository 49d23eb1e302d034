"""Every decoder fits on one calibration run of every paradigm of two classes, whatever its evidence is asked."""

from __future__ import annotations

import numpy as np
import pytest

from tests.shares import every_decoder
from workbench import decoders, paradigms
from workbench.fitting.held_out import folds
from workbench.vocabulary import Chunk, LocatedCue

FS, N_CHANNELS = 200.0, 4
FIRST_HZ, SECOND_HZ = 10.0, 25.0
HOP_S = 0.2
"""Whole periods of both, so that decoders of responses locked to a stimulus find theirs too."""

OPTIONS = (
    {},
    {"calibrate": "platt", "reject": 0.3},
    {"calibrate": "isotonic", "memory": "trigger"},
    {"calibrate": "temperature", "stop": 0.8},
)
SHORT = {"attempt_s": 2.0, "rest_s": 2.0, "jitter_s": 0.0, "lead_in_s": 2.0}
FEWER = {"start_s": 0.5, "stop_s": 1.5}


def calibration(name):
    """Six cues of each class: a run as it is recorded. ``(paradigm, cues, samples)``."""
    cued = name == "left_right"
    paradigm = paradigms.load(name)(**SHORT, **(FEWER if cued else {}))
    planned = paradigm.schedule(12 if cued else 6, seed=3)
    rng = np.random.default_rng(3)
    x = rng.normal(0, 10, (round((planned[-1].at_s + planned[-1].duration_s) * FS), N_CHANNELS))
    first = paradigm.classes[0]
    for cue in planned:
        if cue.label not in paradigm.classes:
            continue
        part = x[round(cue.at_s * FS) : round((cue.at_s + cue.duration_s) * FS)]
        times = np.arange(len(part))[:, None] / FS
        part[:, :2] *= 0.4 if cue.label == first else 1.0
        part[:, :2] += 30.0 * np.sin(2 * np.pi * times) * (cue.label == first)
        part += 12.0 * np.sin(2 * np.pi * (FIRST_HZ if cue.label == first else SECOND_HZ) * times)
    cues = [LocatedCue(round(c.at_s * FS), c.at_s, c.label, c.duration_s, c.trial) for c in planned]
    return paradigm, cues, x


TWO_CLASSES = [
    name
    for name, kind in ((name, paradigms.load(name)()) for name in paradigms.available())
    if len(kind.classes) == 2 and not kind.selects
]
RUNS = {name: calibration(name) for name in TWO_CLASSES}


@pytest.mark.parametrize("paradigm_name", TWO_CLASSES)
@pytest.mark.parametrize("name", every_decoder())
def test_a_decoder_fits_on_one_calibration_run_whatever_is_asked_of_its_evidence(name, paradigm_name):
    paradigm, cues, x = RUNS[paradigm_name]
    kind = decoders.load(name)
    hertz = dict(zip(paradigm.classes, (FIRST_HZ, SECOND_HZ), strict=True))
    evoked = {"frequencies": hertz, "harmonics": 2}
    params = {key: value for key, value in evoked.items() if key in kind.parameter_names()}
    source = [Chunk(0, x, np.arange(len(x)) / FS)]
    training = None
    for option in OPTIONS:
        decoder = kind(fs=FS, window_s=0.5, hop_s=HOP_S, evidence=option or None, **params).prepare(N_CHANNELS)
        if training is None:
            named = paradigm.training_windows(cues, fs=FS, window_s=0.5, hop_s=HOP_S)
            wanted = [window for window in named if window[0] <= len(x)]
            training = decoders.collect(decoder, source, wanted, n_channels=N_CHANNELS)
        decoder.fit_summaries(training.summaries, training.labels, blocks=training.blocks)
        assert "novelty_limit" in decoder.evidence_
        assert set(decoder.class_names) == set(paradigm.classes)


@pytest.mark.parametrize("name", TWO_CLASSES)
def test_one_calibration_run_gives_five_folds_and_each_holds_every_class(name):
    paradigm, cues, _ = RUNS[name]
    windows = paradigm.training_windows(cues, fs=FS, window_s=0.5, hop_s=HOP_S)
    index = np.unique([label for _, label, _ in windows], return_inverse=True)[1]
    fold = folds(index, np.array([block for *_, block in windows]))
    assert [len(set(index[fold == one])) for one in range(5)] == [2] * 5
    assert fold.max() == 4


def test_a_block_is_never_judged_by_its_first_window():
    index = np.array([0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0])
    blocks = np.repeat([0, 1, 2], 4)
    assert folds(index, blocks).tolist() == blocks.tolist()
    two_runs = np.repeat([0, 1], 6)
    assert folds(index, two_runs).tolist() == two_runs.tolist()


def test_blocks_of_different_mixtures_never_leave_a_class_in_one_fold():
    index, blocks = np.array([0, 0, 0, 1, 1, 1, 2, 2]), np.array([0, 1, 1, 1, 2, 3, 3, 4])
    fold = folds(index, blocks)
    for k in range(3):
        assert len(set(fold[index == k])) > 1
    assert [len(set(fold[blocks == block])) for block in range(5)] == [1] * 5
