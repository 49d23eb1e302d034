"""Evoked decoders against scikit-learn, meegkit and pyRiemann, and against the definition in plain numpy.

Decisions are equal wherever the reference tells its best two classes apart by more than 1e-9.
"""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest
import scipy.linalg
from sklearn.cross_decomposition import CCA

from tests import naive
from workbench import decoders
from workbench.fitting.steady_state import band_weights

FS = 128.0
FREQUENCIES = {"a": 9.0, "b": 10.0, "c": 11.0}
MARGIN = 1e-9


def optional(name):
    """A peer, or a skip that says why."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers warn of what they themselves will drop
        try:
            return importlib.import_module(name)
        except ImportError as error:
            return pytest.skip(f"{name} is not installed: {error}")


def ssvep(n=24, seed=0, size=2.0, n_channels=4):
    """Epochs of 1.5 s, locked in phase, noise enough for errors, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.array(list(FREQUENCIES))[np.arange(n) % 3]
    t = np.arange(round(1.5 * FS)) / FS
    x = rng.normal(0, 8, (n, n_channels, len(t)))
    for epoch, name in zip(x, y, strict=True):
        f = FREQUENCIES[name]
        epoch[:2] += size * np.sin(2 * np.pi * f * t) + 0.5 * size * np.sin(4 * np.pi * f * t + 1.0)
    return x, y


def fitted(name, **params):
    """A decoder without calibration, the windows it was fitted on with their classes, and windows it was not."""
    settings = {"window_s": 1.0, "evidence": {"calibrate": None}, "bands": [(6, 50), (14, 50)], "harmonics": 2}
    settings |= {"frequencies": FREQUENCIES, **params}
    made = decoders.load(name)
    known = {key: value for key, value in settings.items() if key in made.parameter_names()}
    decoder = made(FS, **known)
    x, y = ssvep()
    decoder.fit(x, y, lead_in=0.25)
    own, _ = decoder._epoch_summaries(x, 0.25)
    new, _ = decoder._epoch_summaries(ssvep(n=60, seed=1)[0], 0.25)
    truth = np.repeat(ssvep(n=60, seed=1)[1], len(new) // 60)
    return decoder, own, y, new, truth


def check(decoder, new, reference, truth, *, rtol=0.0, atol=1e-9):
    """Scores agree, and decisions are equal where the reference is not torn; the data are not saturated."""
    scores = decoder.scores_of(new)
    np.testing.assert_allclose(scores, reference, rtol=rtol, atol=atol)
    ranked = np.sort(reference, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > MARGIN
    assert clear.sum() > 0.9 * len(new)
    assert np.array_equal(scores.argmax(axis=1)[clear], reference.argmax(axis=1)[clear])
    right = (decoder.classes_[scores.argmax(axis=1)] == truth).mean()
    assert 0.4 < right < 1.0


def correlation(a, b):
    model = CCA(n_components=1, scale=False, max_iter=10000, tol=1e-15).fit(a, b)
    u, v = (side[:, 0] for side in model.transform(a, b))
    return abs(np.corrcoef(u, v)[0, 1])


def test_cca_agrees_with_scikit_learn():
    decoder, _, _, new, truth = fitted("cca", bands=[(6, 50)])
    new, truth = new[::9], truth[::9]
    sides = [decoder.references_[:, 4 * k : 4 * k + 4] for k in range(3)]
    reference = np.array([[correlation(window, side) for side in sides] for window in new])
    check(decoder, new, reference, truth, atol=1e-7)


def trca_filter(trials):
    """``trials`` ``(n, n_times, n_channels)``, by every pair of them."""
    centred = trials - trials.mean(axis=1, keepdims=True)
    s = sum(a.T @ b for i, a in enumerate(centred) for j, b in enumerate(centred) if i != j)
    q = sum(a.T @ a for a in centred)
    return scipy.linalg.eigh(s, q)[1][:, -1]


def unit(w):
    """Filters in columns, of unit length; their sign means nothing, so the largest weight is made positive."""
    w = w / np.linalg.norm(w, axis=0)
    return w * np.sign(w[np.abs(w).argmax(axis=0), np.arange(w.shape[1])])


@pytest.mark.parametrize("name", ["trca", "etrca"])
def test_trca_agrees_with_its_definition(name):
    decoder, own, y, new, truth = fitted(name)
    reference = np.zeros((len(new), 3))
    for b, weight in enumerate(band_weights(2)):
        lanes = slice(4 * b, 4 * b + 4)
        w = unit(np.array([trca_filter(own[y == c][..., lanes]) for c in FREQUENCIES]).T)
        for k, c in enumerate(FREQUENCIES):
            serving = w if name == "etrca" else w[:, k : k + 1]
            template = own[y == c].mean(axis=0)[:, lanes] @ serving
            r = np.array([naive.pearson(window[:, lanes] @ serving, template) for window in new])
            reference[:, k] += weight * np.sign(r) * r**2
    check(decoder, new, reference, truth)


def test_trca_filters_agree_with_meegkit():
    trca = optional("meegkit.trca")
    decoder, own, y, *_ = fitted("trca")
    for k, c in enumerate(FREQUENCIES):
        for b in range(2):
            trials = own[y == c][..., 4 * b : 4 * b + 4]
            trials = trials - trials.mean(axis=1, keepdims=True)
            theirs = np.real(trca.trca(trials.transpose(1, 2, 0).copy()))
            ours = decoder.filters_[b, k]
            assert unit(theirs[:, None])[:, 0] @ ours == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("ensemble", [False, True])
def test_trca_decides_as_meegkit(ensemble, monkeypatch):
    trca = optional("meegkit.trca")
    monkeypatch.setattr(trca, "bandpass", lambda signal, *args, **kwargs: signal)  # windows are filtered already
    decoder, own, y, new, truth = fitted("etrca" if ensemble else "trca", bands=[(6, 50)])
    model = trca.TRCA(FS, [[(6, 50), (4, 60)]], ensemble=ensemble)
    model.fit(own.transpose(1, 2, 0).copy(), np.searchsorted(decoder.classes_, y))
    theirs = model.predict(new.transpose(1, 2, 0).copy())
    scores = decoder.scores_of(new)
    ranked = np.sort(scores, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > MARGIN
    assert np.array_equal(scores.argmax(axis=1)[clear], theirs[clear])
    assert 0.4 < (decoder.classes_[theirs] == truth).mean() < 1.0


def test_tdca_agrees_with_its_definition():
    decoder, own, y, new, truth = fitted("tdca")
    reference = np.zeros((len(new), 3))
    for b, weight in enumerate(band_weights(2)):
        lanes = slice(4 * b, 4 * b + 4)
        sides, means, whole = [], [], []
        for k, c in enumerate(FREQUENCIES):
            q = decoder.references_[:, 4 * k : 4 * k + 4]
            trials = [naive.copies(window[:, lanes], 6) for window in own[y == c]]
            whole.append([np.concatenate([trial, q @ q.T @ trial]) for trial in trials])
            means.append(np.mean(whole[-1], axis=0))
            sides.append(q)
        grand = np.mean(means, axis=0)
        between = sum((mean - grand).T @ (mean - grand) for mean in means) / 3
        apart = [x - mean for xs, mean in zip(whole, means, strict=True) for x in xs]
        within = sum(x.T @ x for x in apart) / len(own)
        w = unit(scipy.linalg.eigh(between, within)[1][:, ::-1][:, :8])
        for k in range(3):
            template = means[k] @ w
            r = np.array([naive.pearson(naive.filtered(x[:, lanes], w.T, sides[k]), template) for x in new])
            reference[:, k] += weight * np.sign(r) * r**2
    check(decoder, new, reference, truth, atol=1e-8)


def flashes(n=120, seed=0):
    """Epochs of 1.8 s, the flash at 1.0 s, every fourth a target, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 4 == 0, "target", "nontarget")
    t = np.arange(round(1.8 * FS)) / FS - 1.0
    x = rng.normal(0, 10, (n, 6, len(t)))
    x[y == "target"] += 6.0 * np.exp(-0.5 * ((t - 0.35) / 0.07) ** 2) * np.linspace(1, 0, 6)[:, None]
    return x, y


@pytest.fixture(scope="module")
def erp():
    decoder = decoders.load("xdawn_tangent_space")(FS).fit(*flashes(), lead_in=1.0)
    own, _ = decoder._epoch_summaries(flashes()[0], 1.0)
    new, _ = decoder._epoch_summaries(flashes(seed=1)[0], 1.0)
    return decoder, own, new


def test_xdawn_filters_and_covariances_agree_with_pyriemann(erp):
    estimation = optional("pyriemann.estimation")
    decoder, own, new = erp
    theirs = estimation.XdawnCovariances(nfilter=4, estimator="oas", xdawn_estimator="scm")
    theirs.fit(own.transpose(0, 2, 1), flashes()[1])
    signs = np.sign((theirs.Xd_.filters_ * decoder.filters_).sum(axis=1))
    np.testing.assert_allclose(theirs.Xd_.filters_ * signs[:, None], decoder.filters_, atol=1e-9)
    both = np.concatenate([signs, signs])
    expected = theirs.transform(new.transpose(0, 2, 1)) * both[:, None] * both
    covariances = decoder._features()._covariances
    for window, matrix in zip(new, expected, strict=True):
        np.testing.assert_allclose(covariances.matrix(window), matrix, rtol=1e-8, atol=1e-8)


def test_decisions_agree_with_pyriemann_and_scikit_learn(erp):
    estimation, tangent = optional("pyriemann.estimation"), optional("pyriemann.tangentspace")
    from sklearn.covariance import ledoit_wolf

    decoder, own, new = erp
    y = flashes()[1]
    theirs = estimation.XdawnCovariances(nfilter=4, estimator="oas", xdawn_estimator="scm")
    space = tangent.TangentSpace(metric="riemann")
    features = space.fit_transform(theirs.fit_transform(own.transpose(0, 2, 1), y))
    means = np.array([features[y == c].mean(axis=0) for c in decoder.classes_])
    pooled, _ = ledoit_wolf(features - means[(y == "target").astype(int)], assume_centered=True)
    w = np.linalg.solve(pooled, means.T)
    bias = -0.5 * (means * w.T).sum(axis=1) + decoder.log_prior_
    reference = space.transform(theirs.transform(new.transpose(0, 2, 1))) @ w + bias
    scores = decoder.scores_of(new)
    odds, expected = scores[:, 1] - scores[:, 0], reference[:, 1] - reference[:, 0]
    np.testing.assert_allclose(odds, expected, rtol=1e-5, atol=1e-5)
    clear = np.abs(expected) > MARGIN
    assert np.array_equal(odds[clear] > 0, expected[clear] > 0)
    assert 0.6 < ((odds > 0) == (flashes(seed=1)[1] == "target")).mean() < 1.0
