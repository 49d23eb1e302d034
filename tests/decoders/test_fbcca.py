"""``fbcca``: sub-bands at every rate, the definition with scikit-learn's filters, weights."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import BadValue
from workbench.fitting.steady_state import band_weights, sub_bands

FS = 256.0
FREQUENCIES = {"9": 9.0, "11": 11.0}


def ssvep(n=12, size=6.0, seed=0):
    """Epochs ``(n, 3, n_times)`` of 2.5 s whose response lies in the harmonics too, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.array(list(FREQUENCIES))[np.arange(n) % 2]
    t = np.arange(round(2.5 * FS)) / FS
    x = rng.normal(0, 10, (n, 3, len(t)))
    for epoch, name in zip(x, y, strict=True):
        for h in (1, 2, 3):
            epoch[:2] += size / h * np.sin(2 * np.pi * h * FREQUENCIES[name] * t + rng.uniform(0, 6))
    return x, y


def make(**params):
    return decoders.load("fbcca")(**{"fs": FS, "frequencies": FREQUENCIES, "window_s": 2.0, **params})


@pytest.mark.parametrize(
    ("fs", "expected"),
    [
        (250.0, ((6.0, 90.0), (14.0, 90.0), (22.0, 90.0), (30.0, 90.0), (38.0, 90.0))),
        (160.0, ((6.0, 72.0), (14.0, 72.0), (22.0, 72.0), (30.0, 72.0), (38.0, 72.0))),
        (128.0, ((6.0, 57.6), (14.0, 57.6), (22.0, 57.6), (30.0, 57.6), (38.0, 57.6))),
        (80.0, ((6.0, 36.0), (14.0, 36.0), (22.0, 36.0))),
        (20.0, ((6.0, 9.0),)),
    ],
)
def test_sub_bands_end_below_half_the_rate(fs, expected):
    assert sub_bands(fs) == expected


def test_weights_fall_with_the_band():
    np.testing.assert_allclose(band_weights(3), [1.25, 2**-1.25 + 0.25, 3**-1.25 + 0.25])


def test_a_rate_that_leaves_no_band_is_refused():
    with pytest.raises(BadValue, match="low < high"):
        make(fs=12.0).start_from(3)


def test_responses_are_told_apart():
    decoder = make().fit(*ssvep(), lead_in=0.5)
    x, y = ssvep(n=20, seed=1)
    assert decoder.score(x, y) == 1.0


def test_the_score_is_the_weighed_sum_of_squared_correlations():
    decoder = make(evidence={"calibrate": None}).start_from(3)
    window = np.random.default_rng(2).normal(0, 5, (512, 15))
    expected = np.zeros(2)
    for band, weight in enumerate(band_weights(5)):
        lanes = window[:, 3 * band : 3 * band + 3]
        basis = np.linalg.qr(lanes - lanes.mean(axis=0))[0]
        for k in range(2):
            q = decoder.references_[:, 10 * k : 10 * k + 10]
            expected[k] += weight * np.linalg.norm(basis.T @ q, 2) ** 2
    np.testing.assert_allclose(decoder.scores_of([window])[0], expected, rtol=1e-12)


def test_filters_are_chebyshev_of_the_first_kind_without_a_reference():
    settings = make().settings_for(8)
    assert (settings.shape, settings.reference, settings.order) == ("chebyshev1", "none", 4)
    assert make(bands=[(7, 70)]).pass_bands() == ((7.0, 70.0),)
