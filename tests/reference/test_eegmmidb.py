"""Real recordings: imagined hands against feet, leave-run-out, with the defaults.

PhysioNet EEG motor movement/imagery database, subject 1, runs 6 and 10 (Schalk 2004,
doi:10.1109/TBME.2004.827072). A bound, not a goal: of 30 trials, 20 correct are the 95 % chance limit.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from workbench import decoders
from workbench.signals import cut
from workbench.vocabulary import Chunk

CHANCE_LIMIT = 20
FS = 160.0


def read(path):
    """Samples in µV ``(n_times, n_channels)`` and ``(first sample, condition)`` of each cue."""
    import mne

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mne warns of its own deprecated calls
        raw = mne.io.read_raw_edf(path, preload=True, verbose="ERROR")
    names = {"T1": "hands", "T2": "feet"}
    cues = [
        (round(a["onset"] * FS), names[a["description"]]) for a in raw.annotations if a["description"] in names
    ]
    assert raw.info["sfreq"] == FS
    return np.ascontiguousarray(raw.get_data().T * 1e6), cues


@pytest.fixture(scope="module")
def runs(shared_data):
    return [read(shared_data / "eegmmidb" / f"S001R{run}.edf") for run in ("06", "10")]


def collected(decoder, run):
    samples, cues = run
    wanted = [(first + round(2.5 * FS), label, i) for i, (first, label) in enumerate(cues)]
    source = [Chunk(0, samples, np.arange(len(samples)) / FS)]
    return decoders.collect(decoder, source, wanted, n_channels=64)


def leave_run_out(runs, predict):
    return sum(predict(train, test) for train, test in (runs, runs[::-1]))


def test_windows_after_the_cue_are_told_apart_above_chance(runs):
    def predict(train, test):
        decoder = decoders.load("csp_lda")(fs=FS, mains_hz=60.0)
        training = collected(decoder, train)
        decoder.fit_summaries(training.summaries, training.labels)
        unseen = collected(decoder, test)
        assert training.skipped == unseen.skipped == 0
        best = decoder.classes_[decoder.scores_of(unseen.summaries).argmax(axis=1)]
        return int((best == unseen.labels).sum())

    assert leave_run_out(runs, predict) > CHANCE_LIMIT


def test_whole_cues_are_told_apart_above_chance(runs):
    def epochs(run):
        samples, cues = run
        return cut(samples, [first for first, _ in cues], round(4.1 * FS)), np.array([label for _, label in cues])

    def predict(train, test):
        decoder = decoders.load("csp_lda")(fs=FS, mains_hz=60.0).fit(*epochs(train), lead_in=0.5)
        x, y = epochs(test)
        return int((decoder.predict(x) == y).sum())

    assert leave_run_out(runs, predict) > CHANCE_LIMIT


def rejected(decoder, x):
    """``(n,)`` bool: of the valid windows of a stream, those that move nothing."""
    stream, made = decoder.start(), []
    for end in range(stream.hop, len(x) + 1, stream.hop):
        stream.step(x[end - stream.hop : end])
        made.append(stream.evidence(end))
    return np.array([one.rejected for one in made if one.valid])


OTHERS = ("bandpower_lda", "bandpower_svm", "bandpower_ridge", "csp_lda")


@pytest.mark.release
@pytest.mark.parametrize("channels", [slice(0, 64), [0, 8, 10, 12, 21, 29, 31, 33]], ids=["64", "8"])
@pytest.mark.parametrize("name", ["riemann_mdm", *OTHERS])
def test_noise_with_the_persons_own_spectrum_on_every_channel_moves_nothing(runs, name, channels):
    """Power cannot tell it: each channel keeps its spectrum, and loses what it shares with the others."""
    (samples, cues), (later, _) = ((x[: 90 * round(FS), channels], found) for x, found in runs)
    firsts = [(first, label) for first, label in cues if first + round(4.1 * FS) <= len(samples)]
    epochs = cut(samples, [first - round(FS) for first, _ in firsts], round(4 * FS))
    decoder = decoders.load(name)(fs=FS, mains_hz=60.0).fit(epochs, [label for _, label in firsts], lead_in=1.0)
    own = np.ascontiguousarray(later)
    turned = np.fft.rfft(own, axis=0)
    turned = turned * np.exp(2j * np.pi * np.random.default_rng(3).random(turned.shape))
    noise = np.ascontiguousarray(np.fft.irfft(turned, len(own), axis=0))
    assert rejected(decoder, noise).mean() > 0.99
    assert rejected(decoder, own).mean() <= 0.05
