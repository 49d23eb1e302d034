"""Hudgins' features by plain loops, and a discriminant of them that tells gestures apart."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from tests import naive
from workbench import decoders
from workbench.decoding.activity import TimeDomain, TimeDomainFeatures
from workbench.errors import BadValue

FS, N = 200.0, 4
GESTURES = {"fist": (4.0, 1.0, 1.0, 1.0), "flat": (1.0, 1.0, 3.0, 1.0), "rest": (0.5, 0.5, 0.5, 0.5)}


def make(**params):
    return decoders.load("emg_lda")(**{"fs": FS, **params})


def epochs(n=60, seed=0, seconds=0.75):
    rng = np.random.default_rng(seed)
    labels = np.array([*GESTURES])[np.arange(n) % 3]
    gains = np.array([GESTURES[label] for label in labels])
    return rng.normal(0, 10, (n, N, round(seconds * FS))) * gains[:, :, None], labels


@pytest.mark.parametrize("threshold", [0.0, 4.0])
def test_features_are_those_of_the_plain_loops(threshold):
    window = np.random.default_rng(1).normal(0, 10, (50, 3))
    window[10:14, 1] = 0.0
    reducer = TimeDomain(3, threshold=threshold)
    summary = reducer.summarise(window)
    expected = np.array([naive.time_domain(column, threshold) for column in window.T]).T.ravel()
    np.testing.assert_allclose(summary[3:], expected, rtol=1e-12)
    np.testing.assert_allclose(reducer.lane_power(summary), (window**2).mean(axis=0))
    made = TimeDomainFeatures().features(summary)
    np.testing.assert_allclose(made, [*np.log(expected[:6] + 1e-9), *expected[6:]], rtol=1e-12)


def test_what_it_decides_is_what_scikit_learns_shrunk_discriminant_does_of_the_same_features():
    x, y = epochs()
    decoder = make().fit(x, y, lead_in=0.5)
    summaries, owner = decoder._epoch_summaries(x, 0.5)
    z = np.array([decoder._features().features(one) for one in summaries])
    z = (z - decoder.mean_) / np.sqrt(decoder.variance_)
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=None).fit(z, y[owner])
    others, labels = epochs(seed=2)
    assert decoder.score(others, labels) > 0.95
    summaries, owner = decoder._epoch_summaries(others, 0.5)
    z = np.array([decoder._features().features(one) for one in summaries])
    said = peer.predict((z - decoder.mean_) / np.sqrt(decoder.variance_))
    ours = decoder.classes_[decoder.scores_of(summaries).argmax(axis=1)]
    assert (said == ours).mean() > 0.97


def test_a_gain_of_the_amplifier_shifts_sizes_and_leaves_counts_so_that_the_centre_can_be_moved():
    x, y = epochs()
    decoder = make().fit(x, y, lead_in=0.5)
    quiet, labels = epochs(seed=3)
    quiet = 0.2 * quiet
    before = decoder.score(quiet, labels)
    moved = decoder.recentred_on(decoder._epoch_summaries(quiet, 0.5)[0], labels)
    assert moved.score(quiet, labels) > 0.95 > 0.6 > before


def test_a_negative_threshold_is_refused():
    with pytest.raises(BadValue, match="threshold_uv must be 0 µV or more, got -1"):
        make(threshold_uv=-1.0).fit(*epochs())
