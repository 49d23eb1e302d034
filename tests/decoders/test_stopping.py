"""Dynamic stopping: how sure is sure enough, one temperature, and windows of growing length."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.fitting.confidence import LEAST_FACTOR, confidence_threshold, temperature

FS = 128.0
FREQUENCIES = {"9": 9.0, "11": 11.0}


def drawn(n=4000, slope=2.0, seed=0, n_classes=3):
    """Scores whose softmax, times ``slope``, is the probability by which the true class was drawn."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 1, (n, n_classes))
    p = np.exp(slope * scores)
    p /= p.sum(axis=1, keepdims=True)
    index = (rng.uniform(size=n)[:, None] > p.cumsum(axis=1)).sum(axis=1)
    return scores, index


# ------------------------------------------------------------------ temperature
@pytest.mark.parametrize("slope", [0.3, 2.0, 20.0])
def test_the_factor_is_found_that_the_classes_were_drawn_with(slope):
    assert temperature(*drawn(slope=slope)) == pytest.approx(slope, rel=0.15)


def test_the_factor_is_the_likeliest():
    scores, index = drawn(n=300)
    n, k = scores.shape
    target = np.full((n, k), 1 / (n + k))
    target[np.arange(n), index] += n / (n + k)

    def likelihood(factor):
        z = factor * scores
        return (target * (z - np.log(np.exp(z).sum(axis=1, keepdims=True)))).sum()

    best = temperature(scores, index)
    assert likelihood(best) > max(likelihood(0.999 * best), likelihood(1.001 * best))


def test_scores_without_an_error_give_a_finite_factor_and_useless_ones_a_small_one():
    scores, index = np.eye(3)[np.arange(30) % 3], np.arange(30) % 3
    assert 1.0 < temperature(scores, index) < 20.0
    assert temperature(scores, (index + 1) % 3) == LEAST_FACTOR
    assert temperature(np.ones((6, 2)), np.arange(6) % 2) > 0


# ------------------------------------------------------------------ sure enough
def test_windows_at_the_threshold_are_right_as_often_as_asked():
    scores, index = drawn(slope=1.0, n_classes=2)
    least = confidence_threshold(scores, index, 0.8)[0]
    assert least == pytest.approx(0.8, abs=0.05)
    assert confidence_threshold(scores, index, 0.6)[0] < least < confidence_threshold(scores, index, 0.9)[0]


def test_nothing_is_sure_enough_when_scores_say_nothing():
    scores, index = drawn(slope=0.0, n_classes=2)
    assert confidence_threshold(scores, index, 0.8)[0] == np.inf
    assert confidence_threshold(scores, 1 - scores.argmax(axis=1), 0.5)[0] == np.inf


def test_without_an_error_the_number_of_windows_says_how_sure_one_is():
    scores = np.array([[2.0, 0.0]] * 30 + [[0.0, 3.0]] * 30)
    index = scores.argmax(axis=1)
    assert confidence_threshold(scores, index, 0.95)[0] == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert confidence_threshold(scores[25:35], index[25:35], 0.95)[0] == np.inf


# ------------------------------------------------------------------ growing windows
def ssvep(n=60, seed=0):
    """Epochs of 3 s, 0.5 s lead in, whose response differs in size, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.array(list(FREQUENCIES))[np.arange(n) % 2]
    t = np.arange(round(3.0 * FS)) / FS
    x = rng.normal(0, 10, (n, 3, len(t)))
    for epoch, name in zip(x, y, strict=True):
        epoch[:2] += rng.uniform(0.5, 5.0) * np.sin(2 * np.pi * FREQUENCIES[name] * t + rng.uniform(0, 6))
    return x, y


@pytest.fixture(scope="module")
def stopping():
    decoder = decoders.load("cca")(FS, frequencies=FREQUENCIES, harmonics=1)
    return decoders.Stopping(decoder, lengths_s=(0.5, 1.0, 2.5), stop=0.9).fit(*ssvep(), lead_in=0.5)


def test_short_windows_decide_where_they_are_sure_and_the_longest_in_any_case(stopping):
    x, y = ssvep(seed=1)
    labels, lengths = stopping.predict(x)
    assert stopping.decoders_[0].evidence_["least"][0] == np.inf  # the shortest is never sure enough here
    assert set(lengths) == {1.0, 2.5}
    fixed = stopping.decoders_[1].predict(x[:, :, : round(1.5 * FS)])
    assert (labels == y).mean() > (fixed == y).mean()
    assert (labels == y)[lengths < 2.5].mean() > 0.85
    assert lengths.mean() < 2.2


def test_the_stream_decides_as_epochs_do(stopping):
    x, _ = ssvep(n=12, seed=2)
    labels, lengths = stopping.predict(x, lead_in=0.5)
    onset = round(0.5 * FS)
    for epoch, label, length in zip(x, labels, lengths, strict=True):
        stream, made = stopping.start(), None
        for first in range(0, epoch.shape[1], 16):
            stream.step(np.ascontiguousarray(epoch[:, first : first + 16].T))
            made = made or stream.decide(onset)
        assert (made.label, made.length_s) == (label, length)
        assert stream.decide(onset) == made


def test_a_gap_in_every_window_leaves_the_trial_undecided(stopping):
    stream = stopping.start()
    x = np.ascontiguousarray(ssvep(n=2)[0][0].T)
    stream.step(x[:90])
    stream.reset()
    stream.step(x[90:])
    assert stream.decide(round(0.5 * FS)) is None


def test_a_window_that_is_not_sure_enough_is_rejected_in_any_stream():
    decoder = decoders.load("cca")(
        FS, frequencies=FREQUENCIES, harmonics=1, window_s=0.5, evidence={"stop": 0.9, "reject": 0.4}
    )
    decoder.fit(*ssvep(), lead_in=0.5)
    least = decoder.evidence_["least"][0]
    assert "whitening" in decoder.evidence_
    stream = decoder.start()
    x, _ = ssvep(seed=3)
    seen = []
    for epoch in x:
        stream.step(np.ascontiguousarray(epoch.T))
        seen.append(stream.evidence(stream.n_seen))
    unsure = [max(one.probabilities) < least for one in seen]
    assert any(unsure)
    assert not all(unsure)
    assert all(one.rejected for one, less in zip(seen, unsure, strict=True) if less)


def test_time_locked_windows_grow_from_the_same_place():
    rng = np.random.default_rng(0)
    y = np.array(["a", "b"])[np.arange(24) % 2]
    t = np.arange(round(1.5 * FS)) / FS
    x = rng.normal(0, 10, (24, 3, len(t)))
    for epoch, name in zip(x, y, strict=True):
        epoch[:2] += 5.0 * np.sin(2 * np.pi * {"a": 9.0, "b": 11.0}[name] * t)
    decoder = decoders.load("etrca")(FS, bands=[(6, 50)])
    made = decoders.Stopping(decoder, lengths_s=(0.5, 1.0)).fit(x, y, lead_in=0.25)
    assert [one.settings.window_s for one in made.decoders_] == [0.5, 1.0]
    labels, lengths = made.predict(x)
    assert (labels == y).mean() > 0.9
    assert set(lengths) <= {0.5, 1.0}


@pytest.mark.parametrize("lengths", [(), (0.0, 1.0), (1.0, 1.0)])
def test_lengths_must_grow(lengths):
    with pytest.raises(BadValue, match="must be above 0 and grow"):
        decoders.Stopping(decoders.load("cca")(FS, frequencies=FREQUENCIES), lengths_s=lengths)


def test_a_decoder_with_a_memory_is_refused_and_an_unfitted_one_says_so():
    with pytest.raises(BadValue, match="mrcp_lda has the memory trigger"):
        decoders.Stopping(decoders.load("mrcp_lda")(FS), lengths_s=(1.0, 2.0))
    with pytest.raises(BadSignal, match="not fitted"):
        decoders.Stopping(decoders.load("cca")(FS, frequencies=FREQUENCIES), lengths_s=(1.0,)).start()


def test_epochs_of_another_shape_or_montage_are_refused_in_words(stopping):
    x, y = ssvep()
    with pytest.raises(BadSignal, match=r"epochs must have shape \(n_epochs, .*, got \(3, 384\)"):
        stopping.predict(x[0])
    with pytest.raises(BadSignal, match="the decoder was fitted on 3 channels, got 2"):
        stopping.predict(x[:, :2])
    with pytest.raises(BadSignal, match="epochs must have shape"):
        decoders.Stopping(stopping.decoder, lengths_s=(1.0, 2.0)).fit(x[0], y)


@pytest.mark.parametrize("stop", [0.0, 1.0, 1.5])
def test_stop_is_a_probability(stop):
    decoder = decoders.load("cca")(FS, frequencies=FREQUENCIES, evidence={"stop": stop})
    with pytest.raises(BadValue, match="stop must be None or a probability"):
        _ = decoder.evidence_settings
