"""Geodesic filtering: a projection on the discriminants, and distances after it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from workbench import decoders
from workbench.decoding.features import TangentVectors
from workbench.fitting.riemann import riemannian_mean

FS, N_CHANNELS = 160.0, 5


def make(**params):
    return decoders.load("fgmdm")(**{"fs": FS, "window_s": 0.5, **params})


def epochs(n=40, seed=0, classes=("feet", "hands")):
    rng = np.random.default_rng(seed)
    y = np.array(classes)[np.arange(n) % len(classes)]
    x = rng.normal(0, 10, (n, N_CHANNELS, 80))
    for k, name in enumerate(classes):
        x[y == name, k] *= 1.6
    return x, y


def test_filtering_is_an_orthogonal_projection_on_the_discriminants():
    decoder = make().fit(*epochs(n=45, classes=("feet", "hands", "tongue")))
    projection = decoder.patterns_.T @ decoder.filters_
    np.testing.assert_allclose(projection @ projection, projection, atol=1e-9)
    np.testing.assert_allclose(projection, projection.T, atol=1e-9)
    assert np.trace(projection) == pytest.approx(2.0)


def test_scores_are_the_definition_written_out():
    x, y = epochs()
    decoder = make().fit(x, y)
    summaries, _ = decoder._epoch_summaries(x, 0.0)
    mean = riemannian_mean(summaries[:, 0])
    root = linalg.sqrtm(mean).real
    tangent = TangentVectors(decoder.whitener_)
    vectors = np.array([tangent.features(one) for one in summaries]) @ (decoder.patterns_.T @ decoder.filters_).T
    rows, columns = np.triu_indices(N_CHANNELS)
    filtered = []
    for vector in vectors:
        log = np.zeros((N_CHANNELS, N_CHANNELS))
        log[rows, columns] = vector * np.where(rows == columns, 1, np.sqrt(0.5))
        log = np.triu(log) + np.triu(log, 1).T
        filtered.append(root @ linalg.expm(log) @ root)
    filtered = np.array(filtered)
    means = [riemannian_mean(filtered[y == name]) for name in decoder.classes_]
    expected = [[-(np.log(linalg.eigvalsh(c, g)) ** 2).sum() for g in means] for c in filtered]
    np.testing.assert_allclose(decoder.scores_of(summaries), expected, rtol=1e-6, atol=1e-9)


def test_filtering_finds_what_distance_alone_drowns_in_noise():
    train, test = epochs(n=80), epochs(n=80, seed=1)
    right = {}
    for name in ("fgmdm", "riemann_mdm"):
        decoder = decoders.load(name)(fs=FS, window_s=0.5).fit(*train)
        right[name] = (decoder.predict(test[0]) == test[1]).mean()
    assert right["fgmdm"] >= right["riemann_mdm"]
    assert right["fgmdm"] > 0.8
