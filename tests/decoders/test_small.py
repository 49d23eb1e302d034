"""Every decoder on arrays so small that nothing needs to be compiled: fitted, stored, read again and streamed."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.decoders import EvidenceSettings
from workbench.errors import BadSignal, BadValue
from workbench.fitting.held_out import folds
from workbench.vocabulary import Montage

FS, N_CHANNELS, N_WINDOW = 200.0, 3, 60
MONTAGE = Montage(tuple(f"E{i + 1}" for i in range(N_CHANNELS)), FS)
GIVEN = {"frequencies": {"left": 10.0, "right": 25.0}, "harmonics": 2, "latency_s": 0.0, "reference": "none"}
OWN = {"cycle_phase": {"bands": [(8.0, 30.0)]}, "emg_envelope": {"bands": [(8.0, 30.0)]}}
"""A band that holds the waves of the two classes, for decoders of slower and of faster ones."""
VARIANTS = [
    *((name, {}, None) for name in decoders.available()),
    ("csp_lda", {"memory": "sprt", "calibrate": "platt"}, {"rule": "pmean"}),
    ("csp_lda", {"memory": "leaky", "reject": 0.4, "calibrate": "isotonic"}, {"rule": "supervised"}),
    ("csp_lda", {"memory": "trigger", "rest": "left"}, None),
    ("riemann_mdm", {"memory": "gate", "rest": "left"}, {"rule": "recentre"}),
    ("fgmdm", {"reject": 0.4, "calibrate": "auto"}, {"rule": "recentre", "mean": "euclid"}),
    ("cca", {"stop": 0.6, "calibrate": "temperature"}, None),
    ("riemann_mdm", {"novelty": None}, {"rule": "recentre", "mean": "euclid"}),
    ("csp_lda", {"reject": 0.4, "calibrate": None}, None),
    ("bandpower_svm", {"memory": "leaky", "rest": "left", "calibrate": None}, None),
]


def make(name, evidence, adapt):
    made = decoders.load(name)
    given = {key: value for key, value in GIVEN.items() if key in made.parameter_names()}
    given |= OWN.get(name, {})
    if adapt is not None:
        given["adapt"] = adapt
    return made(fs=FS, window_s=N_WINDOW / FS, evidence=evidence, **given)


def epochs(n=24, classes=("left", "right")):
    """Two classes, told by a wave of its own in a channel of its own."""
    y = np.array(classes)[np.arange(n) % 2]
    x = np.random.default_rng(2).normal(0, 4, (n, N_CHANNELS, N_WINDOW))
    for k, hz in enumerate((10.0, 25.0)):
        x[y == classes[k], k] += 25 * np.sin(2 * np.pi * hz * np.arange(N_WINDOW) / FS)
    return x, y


@pytest.mark.parametrize(("name", "evidence", "adapt"), VARIANTS)
def test_what_was_stored_streams_what_was_fitted(name, evidence, adapt, tmp_path):
    x, y = epochs(24 if evidence else 14)
    decoder = make(name, evidence, adapt).fit(x, y)
    assert decoder.score(x, y) > 0.8
    np.testing.assert_allclose(decoder.predict_proba(x[:2]).sum(axis=1), 1.0, atol=1e-15)
    sha256 = decoders.save(decoder, tmp_path, montage=MONTAGE)
    again = decoders.read(tmp_path)
    assert again.sha256_ == sha256
    streams = [decoder.start(), again.start()]
    assert decoder.remembers == streams[1].remembers == ("memory" in (evidence or {}))
    for k, label in enumerate(y[:3], start=1):
        for stream in streams:
            stream.step(np.ascontiguousarray(x[k - 1].T))
        one, two = (stream.evidence(k * N_WINDOW) for stream in streams)
        assert one == two
        assert sum(one.probabilities) == pytest.approx(1.0)
        if adapt == {"rule": "supervised"}:
            for stream in streams:
                stream.learn(str(label), end=k * N_WINDOW)
    assert streams[0].snapshots() == streams[1].snapshots()


def test_a_tolerant_copy_takes_windows_that_the_decoder_rejects_and_changes_nothing():
    decoder = make("riemann_mdm", None, {"rule": "recentre"}).fit(*epochs())
    before = {name: array.copy() for name, array in decoder.evidence_.items()}
    noise = np.random.default_rng(3).normal(0.0, 10.0, (2 * N_WINDOW, N_CHANNELS))
    found = []
    for stream in (decoder.start(), decoder.tolerant().start()):
        stream.step(noise[:0])
        stream.step(noise)
        found.append((stream.evidence(len(noise)).far, len(stream.snapshots()) > 0))
    assert found == [(True, False), (False, True)]
    assert all(np.array_equal(array, before[name]) for name, array in decoder.evidence_.items())


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_of_far_windows_outside_0_to_1_is_refused(share):
    with pytest.raises(BadValue, match="novelty"):
        EvidenceSettings(novelty=share)


def test_every_block_is_a_fold_where_blocks_of_different_mixtures_would_leave_a_class_in_one():
    index, blocks = np.array([1, 0, 1, 0, 0]), np.array([0, 1, 1, 2, 3])
    assert folds(index, blocks).tolist() == [0, 1, 1, 2, 3]


def test_a_decoder_of_three_classes_has_a_score_of_each():
    x, y = epochs()
    y = np.where(np.arange(len(y)) % 6 == 5, "both", y)
    for name in ("bandpower_svm", "csp_lda", "fbcsp"):
        scores = make(name, None, None).fit(x, y).decision_function(x[:2])
        assert scores.shape == (2, 3)


@pytest.mark.parametrize("dwell_s", [(5.0,), (5.0, 0.01), (5.0, 3.0, 0.1), (5.0, 3.0, 2.99), (5.0, 3.0, 1.0, 1.0)])
def test_dwell_times_that_hops_cannot_serve_are_refused(dwell_s):
    EvidenceSettings(dwell_s=(5.0, 3.0, 1.0)).check_dwell(0.05)
    with pytest.raises(BadValue, match="dwell_s"):
        EvidenceSettings(dwell_s=dwell_s).check_dwell(0.05)


@pytest.mark.parametrize(("name", "params"), [("bandpower_lda", {"tau_s": 0.01}), ("fbcsp", {"n_best": 0})])
def test_parameters_outside_what_is_allowed_are_refused(name, params):
    with pytest.raises(BadValue, match=next(iter(params))):
        make(name, None, None).set_params(**params).fit(*epochs())


def test_evidence_is_not_learned_from_a_class_of_one_block():
    x, y = epochs()
    with pytest.raises(BadSignal, match="one block"):
        make("csp_lda", {"reject": 0.4}, None).fit(x, y, blocks=np.where(y == "left", 0, np.arange(len(y))))


def test_a_trigger_that_may_err_more_often_has_a_lower_threshold():
    x, y = epochs()
    y[:4] = y[:4][::-1]
    found = [
        make("csp_lda", {"memory": "trigger", "rest": "left", "false_per_min": often}, None).fit(x, y)
        for often in (1e-6, 1e4)
    ]
    strict, lenient = (float(decoder.evidence_["threshold"][0]) for decoder in found)
    assert 0.0 <= lenient < strict
