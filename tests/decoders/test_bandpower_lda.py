"""Band power, LDA and the gate against the formulas written out with SciPy and NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import linalg, signal

from tests import naive
from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.signals import design

FS, N_CHANNELS = 200.0, 3
BANDS = ((8, 13), (15, 30))


def make(**params):
    gate = {"gamma": 0.35, "dwell_s": (5.0, 3.0)}
    gate |= {name: params.pop(name) for name in ("gamma", "dwell_s", "rest", "memory") if name in params}
    given = {"fs": FS, "bands": BANDS, "window_s": 0.4, "reference": "none", "tau_s": 5.0, "evidence": gate}
    return decoders.load("bandpower_lda")(**{**given, **params})


def gate_of(decoder):
    return decoder.start()._finish.accumulator


def epochs(classes=("rest", "grasp"), n=30, seed=0):
    """Noise; the second class has half the amplitude in channel 0, a third class in channel 1."""
    rng = np.random.default_rng(seed)
    y = np.array(classes)[np.arange(n) % len(classes)]
    x = rng.normal(0, 10, (n, N_CHANNELS, 160))
    for k, name in enumerate(classes[1:]):
        x[y == name, k] *= 0.4
    return x, y


def recording(seed=3):
    """Rest, grasp, rest, 6 s each."""
    x = np.random.default_rng(seed).normal(0, 10, (3600, N_CHANNELS))
    x[1200:2400, 0] *= 0.4
    return x


def by_hand(decoder, x):
    """Belief at every hop by the definitions: features A1, posterior A2, gate A3."""
    comb = np.concatenate([signal.tf2sos(*signal.iirnotch(50, 30, fs=FS))])
    lanes = []
    for band in BANDS:
        sos = np.concatenate([comb, signal.butter(4, band, "bandpass", fs=FS, output="sos")])
        zi = signal.sosfilt_zi(sos)[:, :, None] * x[0]
        lanes.append(signal.sosfilt(sos, x, axis=0, zi=zi)[0])
    filtered = np.concatenate(lanes, axis=1)
    settle = decoder.signal().n_settle
    rest, move, hop = 1, 0, 10
    mean, variance, belief = decoder.mean_, decoder.variance_, np.array([3.0, 5.0]) / 8.0
    transition = np.array([[1 - 0.05 / 3, 0.05 / 3], [0.05 / 5, 1 - 0.05 / 5]])
    beliefs, frozen = [], 0
    for end in range(hop, len(x) + 1, hop):
        if end - 80 >= settle:
            features = np.log((filtered[end - 80 : end] ** 2).mean(axis=0) + 1e-9)
            scores = decoder.weights_ @ ((features - mean) / np.sqrt(variance)) + decoder.bias_
            belief = naive.gate(belief, scores, transition, 0.35, decoder.log_prior_)
            if belief[rest] > belief[move]:
                mean, variance = naive.track(features, 0.05 / decoder.tau_s, mean, variance)
            else:
                frozen += 1
        beliefs.append(belief)
    return np.array(beliefs), frozen


def stream_beliefs(decoder, x):
    stream, made = decoder.start(), []
    for end in range(stream.hop, len(x) + 1, stream.hop):
        stream.step(x[end - stream.hop : end])
        made.append(stream.evidence(end).probabilities)
    return np.array(made)


def test_the_stream_is_the_definition_written_out():
    decoder = make().fit(*epochs())
    beliefs, frozen = by_hand(decoder, recording())
    np.testing.assert_allclose(stream_beliefs(decoder, recording()), beliefs, rtol=1e-6, atol=1e-9)
    assert 80 < frozen < 160


def test_the_gate_follows_rest_and_grasp_and_bridges_single_windows():
    gated = stream_beliefs(make().fit(*epochs()), recording())[:, 0] > 0.5
    raw = stream_beliefs(make(memory=None).fit(*epochs()), recording())[:, 0] > 0.5
    assert not gated[40:118].any()
    assert gated[140:240].all()
    assert not gated[270:].any()
    assert np.abs(np.diff(gated.astype(int))).sum() <= np.abs(np.diff(raw.astype(int))).sum()


def test_the_normalisation_follows_a_drift_in_rest_and_stays_without_a_time_constant():
    x = np.random.default_rng(5).normal(0, 10, (24000, N_CHANNELS)) * np.linspace(1, 0.4, 24000)[:, None]
    every = {"evidence": {"novelty": None}}  # power falls to a sixth, which is rejected otherwise
    adaptive = stream_beliefs(make(**every).fit(*epochs()), x)[-400:, 0]
    frozen = stream_beliefs(make(tau_s=None, **every).fit(*epochs()), x)[-400:, 0]
    assert (adaptive > 0.5).mean() < 0.1
    assert (frozen > 0.5).mean() > 0.6


def test_without_a_rest_class_there_is_no_gate():
    decoder = make().fit(*epochs(classes=("left", "right")))
    assert gate_of(decoder) is None
    left = make(rest="left").fit(*epochs(classes=("left", "right")))
    assert gate_of(left).probabilities(gate_of(left).initial) == pytest.approx([5 / 8, 3 / 8])
    assert gate_of(make(rest=None).fit(*epochs())) is None
    together = np.concatenate([decoder.mean_, decoder.variance_])
    assert np.isfinite(together).all()


def test_several_movements_share_one_gate():
    decoder = make().fit(*epochs(classes=("rest", "grasp", "pinch"), n=45))
    gate = gate_of(decoder)
    assert decoder.classes_.tolist() == ["grasp", "pinch", "rest"]
    np.testing.assert_allclose(gate.transition.sum(axis=1), 1.0, atol=1e-15)
    np.testing.assert_allclose(np.diag(gate.transition), [1 - 0.05 / 3, 1 - 0.05 / 3, 1 - 0.05 / 5])
    np.testing.assert_allclose(gate.initial @ gate.transition, gate.initial, atol=1e-15)
    assert stream_beliefs(decoder, recording())[200].argmax() == 0
    assert decoder.decision_function(epochs()[0]).shape == (30, 3)


def test_a_gap_puts_the_gate_back_and_keeps_the_normalisation():
    decoder, x = make().fit(*epochs()), recording()
    stream = decoder.start()
    stream.step(x[:2000])
    assert stream.evidence(2000).probabilities[0] > 0.9
    before = stream._states[-1].scorer.classifier.norm
    stream.reset()
    stream.step(x[2000:2050])
    assert stream.evidence(2050).probabilities == tuple(gate_of(decoder).initial.tolist())
    assert not stream.evidence(2050).valid
    assert stream._states[-1].scorer.classifier.norm is before
    assert stream.evidence(2000).probabilities[0] > 0.9


def test_a_window_that_is_not_valid_moves_neither_gate_nor_normalisation():
    decoder, x = make().fit(*epochs()), recording()
    x[1000:1400, 2] = np.nan
    stream = decoder.start()
    stream.step(x[:1000])
    held = stream.evidence(1000)
    stream.step(x[1000:1400])
    for end in (1030, 1200, 1333, 1400):
        assert stream.evidence(end).probabilities == held.probabilities
        assert not stream.evidence(end).valid


@pytest.mark.parametrize(
    ("params", "n_channels", "bands", "reference", "n_pairs"),
    [
        ({"fs": 1000.0}, 8, (8, 145), "none", 0),
        ({"fs": 1000.0, "mains_hz": 60.0}, 8, (8, 175), "none", 0),
        ({"fs": 1000.0, "reference": "bipolar"}, 8, (8, 145), "bipolar", 6),
        ({"fs": 1000.0, "reference": "bipolar", "mains_hz": 60.0}, 8, (8, 175), "bipolar", 6),
        ({"fs": 1000.0}, 64, (8, 145), "car", 0),
        ({"fs": 1000.0, "bands": [(10, 12)]}, 8, (10, 12), "none", 0),
        ({"fs": 250.0, "reference": "white"}, 8, (8, 32), "none", 0),
        ({"fs": 250.0}, 8, (8, 32), "car", 0),
        ({"fs": 250.0}, 3, (8, 32), "none", 0),
        ({"fs": 250.0, "bands": [(10, 12)]}, 3, (10, 12), "none", 0),
        ({"fs": 250.0, "reference": "bipolar"}, 8, (8, 32), "bipolar", 6),
        ({"fs": 250.0, "reference": [(0, 2)]}, 3, (8, 32), "bipolar", 1),
        ({"fs": 250.0, "reference": "none"}, 64, (8, 32), "none", 0),
    ],
)
def test_defaults_follow_the_rate_the_mains_and_the_montage(params, n_channels, bands, reference, n_pairs):
    decoder = decoders.load("bandpower_lda")(**params)
    settings = decoder.settings_for(n_channels)
    white = params.get("reference") == "white" or (settings.reference == "none" and params["fs"] == 1000.0)
    window_s, order = (0.1, 2) if white else (0.5, 4)
    assert decoder.defaults_for(n_channels).window_s == window_s
    assert (settings.bands[0][0], settings.bands[-1][1]) == bands
    assert (settings.reference, len(settings.pairs)) == (reference, n_pairs)
    assert (settings.window_s, settings.hop_s, settings.order, settings.notch_q) == (window_s, 0.05, order, 30.0)


def test_pairs_stay_within_their_strip():
    pairs = decoders.load("bandpower_lda")(fs=1000.0, reference="bipolar").settings_for(8).pairs
    assert all({a, b} <= {0, 1, 2, 3} or {a, b} <= {4, 5, 6, 7} for a, b in pairs)


def test_bipolar_without_pairs_is_known_for_two_strips_only():
    with pytest.raises(BadValue, match="known for 8 channels, got 6"):
        make(reference="bipolar").settings_for(6)


def test_samples_in_volts_are_refused():
    x, y = epochs()
    with pytest.raises(BadSignal, match="µV are expected"):
        make().fit(x * 1e-6, y)


def test_power_without_signal_is_refused_where_no_filter_learns_the_noise():
    """Windows that somebody else cut do not pass the check of whole epochs."""
    decoder = make(reference="none")
    n_lanes = N_CHANNELS * len(decoder.pass_bands())
    windows = np.random.default_rng(0).normal(0.0, 1e-5, (4, round(FS * 0.4), n_lanes))
    with pytest.raises(BadSignal, match="must be in µV"):
        decoder.fit_windows(windows, ["grasp", "rest"] * 2, n_channels=N_CHANNELS)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"gamma": 0.0}, "gamma"),
        ({"gamma": 1.5}, "gamma"),
        ({"dwell_s": (5.0, 0.01)}, "dwell_s"),
        ({"dwell_s": (5.0,)}, "dwell_s"),
        ({"dwell_s": (5.0, 3.0, 0.15)}, "hold in dwell_s"),
        ({"dwell_s": (5.0, 3.0, 2.96)}, "hold in dwell_s"),
        ({"dwell_s": (5.0, 3.0, 1.0, 1.0)}, "dwell_s"),
        ({"tau_s": 0.0}, "tau_s"),
    ],
)
def test_a_gate_that_cannot_be_is_refused(params, words):
    with pytest.raises(BadValue, match=words):
        make(**params).fit(*epochs())


def test_the_group_delay_is_reported():
    decoder = make().fit(*epochs())
    assert decoder.delay_s.shape == (2,)
    assert 0.02 < decoder.delay_s[1] < decoder.delay_s[0] < 0.3


def white_recording(seed=4, n=6000):
    """Rest and grasp in turn, 2 s each; every channel sees a mixture of three sources."""
    x = np.random.default_rng(seed).normal(0, 10, (n, N_CHANNELS))
    moving = (np.arange(n) // 400) % 2 == 1
    x[moving, 0] *= 0.6
    return x @ np.array([[1.0, 0.9, 0.8], [0.8, 1.0, 0.9], [0.8, 0.9, 1.0]]), moving


def white_training(decoder, x, moving):
    stream, windows, labels = decoder.prepare(N_CHANNELS).signal(), [], []
    for end in range(10, len(x) + 1, 10):
        stream.step(x[end - 10 : end])
        inside = moving[max(end - 80, 0) : end]
        window, valid = stream.window(end)
        if valid and (inside.all() or not inside.any()):
            windows.append(window.copy())
            labels.append("grasp" if inside[0] else "rest")
    return np.array(windows), np.array(labels)


def share_right(decoder, windows, labels):
    best = decoder.scores_of([decoder.summarise(window) for window in windows]).argmax(axis=1)
    return (decoder.classes_[best] == labels).mean()


def test_whitened_power_is_the_definition_written_out():
    decoder = make(reference="white")
    windows, labels = white_training(decoder, *white_recording())
    decoder.fit_windows(windows, labels)
    shaped = windows.reshape(len(windows), 80, 2, N_CHANNELS)
    logs = np.empty((len(windows), 2, N_CHANNELS))
    for band in range(2):
        covariances = np.array([np.cov(one.T) for one in shaped[:, :, band]])
        root = linalg.inv(linalg.sqrtm(covariances[labels == "rest"].mean(axis=0)).real)
        np.testing.assert_allclose(decoder.filters_[band], root, rtol=1e-8, atol=1e-10)
        logs[:, band] = np.log(np.einsum("fi,nij,fj->nf", root, covariances, root) + 1e-9)
    logs = logs.reshape(len(windows), -1)
    quiet = logs[labels == "rest"]
    np.testing.assert_allclose(decoder.mean_, quiet.mean(axis=0), rtol=1e-7, atol=1e-9)
    z = (logs - quiet.mean(axis=0)) / quiet.std(axis=0)
    summaries = [decoder.summarise(window) for window in windows]
    expected = z @ decoder.weights_.T + decoder.bias_
    np.testing.assert_allclose(decoder.scores_of(summaries), expected, rtol=1e-6, atol=1e-7)


def test_whitening_finds_a_source_that_every_channel_sees():
    right = {}
    for reference in ("none", "white"):
        decoder = make(reference=reference)
        decoder.fit_windows(*white_training(decoder, *white_recording()))
        right[reference] = share_right(decoder, *white_training(decoder, *white_recording(seed=9)))
    assert right["white"] > right["none"] + 0.02
    assert right["white"] > 0.85


def test_high_gamma_of_a_small_ecog_montage_is_one_feature_a_channel():
    decoder = decoders.load("bandpower_lda")(fs=1000.0).prepare(4)
    rng = np.random.default_rng(0)
    windows, labels = rng.normal(0, 10, (12, 100, 9 * 4)), np.array(["grasp", "rest"] * 6)
    decoder.fit_windows(windows, labels)
    assert decoder.group_.tolist() == [0, 1, 2, 3, 4, 4, 4, 4, 4]
    assert decoder.mean_.shape == (5 * 4,)
    assert decoder.pass_bands() == decoder.settings.bands
    lanes = windows.reshape(12, 100, 9, 4)
    white = [(lanes[:, :, band] @ decoder.filters_[band].T).var(axis=1, ddof=1) for band in range(4, 9)]
    logs = np.log(np.mean(white, axis=0) + 1e-9)[labels == "rest"]
    np.testing.assert_allclose(decoder.mean_[16:], logs.mean(axis=0), rtol=1e-9)
    own = decoders.load("bandpower_lda")(fs=1000.0, bands=[(8, 13), (60, 80), (80, 100)]).prepare(4)
    own.fit_windows(windows[:, :, :12], labels)
    assert own.group_.tolist() == [0, 1, 2]
    assert own.feature_bands() == own.pass_bands() == ((8, 13), (60, 80), (80, 100))
    assert decoder.feature_bands() == ((8, 13), (13, 20), (20, 30), (30, 45), (55, 145))


def test_filters_of_a_small_ecog_montage_show_a_change_in_about_half_the_time_of_order_4():
    decoder = decoders.load("bandpower_lda")(fs=1000.0).prepare(8)
    slower = design(replace(decoder.settings, order=4), fs=1000.0, n_channels=8)["delay"]
    assert (decoder.delay_s < 0.65 * slower).all()


def test_whitening_without_rest_takes_every_window():
    decoder = make(reference="white", rest=None)
    windows, labels = white_training(decoder, *white_recording())
    decoder.fit_windows(windows, labels)
    mean = np.mean([decoder.summarise(window) for window in windows], axis=0)
    for band in range(2):
        within = decoder.filters_[band] @ mean[band] @ decoder.filters_[band].T
        np.testing.assert_allclose(within, np.eye(N_CHANNELS), atol=1e-9)


def test_a_channel_that_says_what_another_says_does_not_blow_up():
    x, moving = white_recording()
    x[:, 2] = x[:, 1]
    decoder = make(reference="white")
    windows, labels = white_training(decoder, x, moving)
    assert share_right(decoder.fit_windows(windows, labels), windows, labels) > 0.8


def test_a_hold_keeps_a_state_from_being_left_at_once():
    gate = gate_of(make(dwell_s=(5.0, 3.0, 1.5)).fit(*epochs()))
    stay = [0.9, 0.9, 0.9, 1 - 0.05 / 1.5, 0.9, 0.9, 0.9, 1 - 0.05 / 3.5]
    assert gate.owner == (0, 0, 0, 0, 1, 1, 1, 1)
    np.testing.assert_allclose(gate.transition.sum(axis=1), 1.0, atol=1e-15)
    np.testing.assert_allclose(np.diag(gate.transition), stay)
    assert [np.flatnonzero(row).tolist() for row in gate.transition[2:5]] == [[2, 3], [3, 4], [4, 5]]
    assert np.flatnonzero(gate.transition[7]).tolist() == [0, 7]
    np.testing.assert_allclose(gate.initial @ gate.transition, gate.initial, atol=1e-15)
    np.testing.assert_allclose(gate.probabilities(gate.initial), [3 / 8, 5 / 8], atol=1e-15)


def test_stages_step_as_the_definition_and_their_sum_is_the_evidence():
    decoder = make(dwell_s=(5.0, 3.0, 1.5), tau_s=None).fit(*epochs())
    raw = make(memory=None, tau_s=None).fit(*epochs()).start()
    gate, stream, x = gate_of(decoder), decoder.start(), recording()
    belief, owner, seen = gate.initial, list(gate.owner), 0
    for end in range(10, 1801, 10):
        stream.step(x[end - 10 : end])
        raw.step(x[end - 10 : end])
        got, plain = stream.evidence(end), raw.evidence(end)
        if got.valid:
            scores = np.log(np.array(plain.probabilities))
            belief = naive.gate(belief, scores[owner], gate.transition, 0.35, decoder.log_prior_[owner])
            seen += 1
        sums = [belief[:4].sum(), belief[4:].sum()]
        np.testing.assert_allclose(got.probabilities, sums, rtol=1e-6, atol=1e-9)
    assert seen > 100
