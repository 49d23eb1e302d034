"""``tdca``: delayed copies, projections, discriminant filters, the definition."""

from __future__ import annotations

import numpy as np

from tests import naive
from workbench import decoders
from workbench.decoders.tdca import LAGS, N_FILTERS, delayed, discriminant

FS = 128.0
FREQUENCIES = {"a": 9.0, "b": 10.0, "c": 11.0}


def locked(n=18, seed=0):
    """Epochs of 1.2 s of three frequencies, always the same phase, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.array(list(FREQUENCIES))[np.arange(n) % 3]
    t = np.arange(round(1.2 * FS)) / FS
    x = rng.normal(0, 8, (n, 3, len(t)))
    for epoch, name in zip(x, y, strict=True):
        epoch[:2] += 4.0 * np.sin(2 * np.pi * FREQUENCIES[name] * t)
    return x, y


def make(**params):
    return decoders.load("tdca")(
        **{"fs": FS, "window_s": 1.0, "frequencies": FREQUENCIES, "bands": [(6, 50), (14, 50)], **params}
    )


def test_trials_locked_in_phase_are_told_apart():
    decoder = make(bands=[(6, 50)]).fit(*locked(36))
    x, y = locked(n=30, seed=1)
    assert decoder.score(x, y) >= 0.9


def test_copies_are_one_sample_later_each_and_end_in_zeros():
    window = np.random.default_rng(0).normal(size=(20, 3))
    np.testing.assert_array_equal(delayed(window[None])[0], naive.copies(window, LAGS + 1))


def test_filters_make_classes_differ_most():
    rng = np.random.default_rng(0)
    waves = [np.sin(np.arange(30) * f)[:, None] * [1.0, 0.5, 0, 0] for f in (0.3, 0.5)]
    classes = [rng.normal(size=(6, 30, 4)) + wave for wave in waves]
    means = [trials.mean(axis=0) for trials in classes]

    def ratio(w):
        between = sum((((mean - np.mean(means, axis=0)) @ w) ** 2).sum() for mean in means)
        within = sum((((trials - mean) @ w) ** 2).sum() / 6 for trials, mean in zip(classes, means, strict=True))
        return between / within

    best = discriminant(classes)
    assert len(best) == 4
    assert [ratio(w) for w in best] == sorted((ratio(w) for w in best), reverse=True)
    assert max(ratio(rng.normal(size=4)) for _ in range(300)) < ratio(best[0])


def defined(decoder, windows, y, probe):
    """Score of each class, written out: two sub-bands of three channels, two harmonics."""
    scores = np.zeros(3)
    for b in range(2):
        lanes = slice(3 * b, 3 * b + 3)
        for k, name in enumerate(decoder.classes_):
            q = decoder.references_[:, 4 * k : 4 * k + 4]
            template = naive.filtered(windows[y == name].mean(axis=0)[:, lanes], decoder.filters_[b], q)
            r = naive.pearson(template, naive.filtered(probe[:, lanes], decoder.filters_[b], q))
            scores[k] += ((b + 1) ** -1.25 + 0.25) * np.sign(r) * r**2
    return scores


def test_the_score_is_the_definition():
    x, y = locked()
    decoder = make(evidence={"calibrate": None}, harmonics=2).fit(x, y)
    windows, _ = decoder._epoch_summaries(x, 0.0)
    probe = np.random.default_rng(4).normal(0, 5, windows[0].shape)
    assert decoder.filters_.shape == (2, N_FILTERS, 18)
    np.testing.assert_allclose(decoder.scores_of([probe])[0], defined(decoder, windows, y, probe), atol=1e-12)


def test_few_channels_have_few_filters():
    x, y = locked()
    assert make().fit(x[:, :1], y).filters_.shape == (2, 6, 6)


def test_a_sub_band_of_lower_rank_is_scored_with_the_filters_it_has():
    rng = np.random.default_rng(3)
    x, y = locked()
    decoder = make(evidence={"calibrate": None}, harmonics=2).fit(x, y)
    windows = np.array(decoder._epoch_summaries(x, 0.0)[0])
    windows[:, :, 4:] = windows[:, :, 3:4]  # the three channels of the second band are bridged
    decoder.fit_windows(windows, y)
    probe = rng.normal(0, 5, windows[0].shape)
    assert (np.abs(decoder.filters_[0]).max(axis=1) > 0).all()
    assert (np.abs(decoder.filters_[1]).max(axis=1) > 0).sum() == 6
    np.testing.assert_allclose(decoder.scores_of([probe])[0], defined(decoder, windows, y, probe), atol=1e-12)
