"""A velocity is what the textbook's Kalman filter gives once settled; its model is that of least squares."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.fitting.kalman import fitted_state_space, intended, steady_gain
from workbench.fitting.lda import ledoit_wolf
from workbench.vocabulary import EvidenceType, Montage

FS, N = 200.0, 4
VELOCITIES = {"rest": (0.0, 0.0), "right": (1.0, 0.0), "up": (0.0, 1.0)}


def make(**params):
    return decoders.load("kalman")(
        **{"fs": FS, "window_s": 0.2, "reference": "none", "velocities": VELOCITIES, **params}
    )


def samples(label, seconds, rng, *, strength=2.0):
    """Two channels speak for right, two for up."""
    gain = np.ones(N)
    gain[:2] += strength * (label == "right")
    gain[2:] += strength * (label == "up")
    return rng.normal(0, 10, (round(seconds * FS), N)) * gain


@pytest.fixture(scope="module")
def training():
    rng = np.random.default_rng(0)
    labels = [*VELOCITIES] * 12
    return np.array([samples(label, 1.6, rng).T for label in labels]), labels


@pytest.fixture(scope="module")
def decoder(training):
    return make().fit(*training, lead_in=0.4)


def filtered(space, z, offset):
    """Wu et al. 2006, equations of prediction and update with a gain of its own at every step."""
    n = len(space.noise)
    noise = np.linalg.inv(
        np.linalg.pinv(space.observation.T) @ space.information @ np.linalg.pinv(space.observation)
    )
    x, uncertainty, out = np.zeros(n), np.zeros((n, n)), []
    for row in z:
        x = space.persistence * x
        uncertainty = space.persistence**2 * uncertainty + space.noise
        h = space.observation
        gain = uncertainty @ h.T @ np.linalg.inv(h @ uncertainty @ h.T + noise)
        x = x + gain @ (row - offset - h @ x)
        uncertainty = (np.eye(n) - gain @ h) @ uncertainty
        out.append(x)
    return np.array(out)


def test_a_settled_filter_is_that_of_the_textbook():
    rng = np.random.default_rng(1)
    states = np.repeat(rng.normal(size=(60, 2)), 20, axis=0)
    # As many features as values, so that the noise of the textbook's form can be had back from the information.
    features = states @ np.array([[2.0, 0.3], [-0.5, 1.5]]) + rng.normal(size=(len(states), 2))
    space = fitted_state_space(states, features - features.mean(axis=0))
    gain, transition = steady_gain(space)
    offset = -space.observation @ states.mean(axis=0)
    expected = filtered(space, features[:200], offset)
    x, made = np.zeros(2), []
    for row in features[:200]:
        x = transition @ x + gain @ (row - offset)
        made.append(x)
    # The first steps differ: the textbook begins with certainty.
    np.testing.assert_allclose(made[60:], expected[60:], rtol=1e-6, atol=1e-9)
    alone = (features - offset) @ np.linalg.inv(space.observation).T
    assert ((np.array(made) - states[:200]) ** 2).mean() < 0.7 * ((alone[:200] - states[:200]) ** 2).mean()


def test_the_model_is_that_of_least_squares():
    rng = np.random.default_rng(2)
    states = np.repeat(rng.normal(size=(40, 2)), 10, axis=0) + 0.3
    observation = np.array([[2.0, 0.0], [0.5, 1.0], [0.0, -1.0]])
    features = states @ observation.T + 0.1 * rng.normal(size=(len(states), 3))
    features -= features.mean(axis=0)
    space = fitted_state_space(states, features)
    centred = states - states.mean(axis=0)
    expected = np.linalg.lstsq(centred, features, rcond=None)[0].T
    np.testing.assert_allclose(space.observation, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(space.observation, observation, atol=0.05)
    left = features - centred @ expected.T
    q = ledoit_wolf(left)[0]
    np.testing.assert_allclose(space.information, expected.T @ np.linalg.inv(q) @ expected, rtol=1e-6)
    assert space.persistence == pytest.approx((states[1:] * states[:-1]).sum() / (states**2).sum())
    new = states[1:] - space.persistence * states[:-1]
    np.testing.assert_allclose(space.noise, new.T @ new / len(new), rtol=2e-3, atol=2e-3)


def test_states_that_alternate_do_not_persist_and_features_without_noise_are_refused():
    rng = np.random.default_rng(3)
    states = np.tile([[1.0], [-1.0]], (20, 1))
    space = fitted_state_space(states, states @ np.ones((1, 2)) + rng.normal(size=(40, 2)))
    assert space.persistence == 0.0
    assert not steady_gain(space)[1].any()
    with pytest.raises(BadSignal, match="do not vary within the classes"):
        fitted_state_space(states, states @ np.ones((1, 2)))


def test_a_velocity_is_what_the_slow_obvious_way_gives(decoder):
    rng = np.random.default_rng(4)
    x = np.concatenate([samples(label, 2.0, rng) for label in ("right", "up")])
    stream, signal = decoder.start(), decoder.signal()
    state = np.zeros(2)
    for first in range(0, len(x), stream.hop):
        block = x[first : first + stream.hop]
        stream.step(block)
        signal.step(block)
        window, valid = signal.window(signal.n_seen)
        evidence = stream.evidence(signal.n_seen)
        assert (evidence.probabilities, evidence.valid) == ((), valid)
        if not valid or evidence.rejected:
            continue
        z = (np.log((window**2).mean(axis=0) + 1e-9) - decoder.mean_) / np.sqrt(decoder.variance_)
        state = decoder.transition_ @ state + decoder.gain_ @ z + decoder.offset_
        assert evidence.values == pytest.approx(tuple(state), rel=1e-9, abs=1e-9)
    assert evidence.values[1] > 0.5 > abs(evidence.values[0])


def test_it_is_nearer_to_what_was_shown_than_a_regression_of_each_window():
    rng = np.random.default_rng(5)
    labels = [*VELOCITIES] * 12
    training = np.array([samples(label, 1.6, rng, strength=0.3).T for label in labels]), labels
    filtering = make().fit(*training, lead_in=0.4)
    each = decoders.load("bandpower_ridge")(
        FS, window_s=0.2, reference="none", velocities=VELOCITIES, smoothing_s=0.05
    ).fit(*training, lead_in=0.4)
    x = np.concatenate([samples(label, 4.0, rng, strength=0.3) for label in ("right", "up", "rest")])
    ends = [end for end in range(200, len(x), 10) if end % 800 > 200]
    errors = []
    for one in (filtering, each):
        stream, made = one.start(), []
        for first in range(0, len(x), 10):
            stream.step(x[first : first + 10])
            if first + 10 in ends:
                made.append(stream.evidence(first + 10).values)
        shown = np.array([VELOCITIES[("right", "up", "rest")[end // 800]] for end in ends])
        errors.append(float(((np.array(made) - shown) ** 2).mean()))
    assert errors[0] < 0.9 * errors[1]


@pytest.mark.parametrize("block", [1, 64])
def test_the_block_size_changes_no_bit(decoder, block):
    x = samples("up", 3.0, np.random.default_rng(6))
    whole, parts = decoder.start(), decoder.start()
    whole.step(x)
    for first in range(0, len(x), block):
        parts.step(x[first : first + block])
    for end in range(whole.hop * 20, len(x), whole.hop):
        assert whole.evidence(end) == parts.evidence(end)


def test_what_was_stored_gives_the_same_velocity_and_a_gap_starts_from_standstill(decoder, tmp_path):
    decoders.save(decoder, tmp_path, montage=Montage(tuple("abcd"), FS))
    again = decoders.read(tmp_path)
    assert again.evidence_type == EvidenceType("velocity", ("x", "y"), "1/s")
    rng = np.random.default_rng(7)
    x, streams = samples("right", 2.0, rng), (decoder.start(), again.start())
    for stream in streams:
        stream.step(x)
    assert streams[0].evidence(400) == streams[1].evidence(400)
    assert streams[0].evidence(400).values[0] > 0.5
    streams[0].reset()
    streams[0].step(x[:10])
    late = streams[0].evidence(410)
    assert (late.valid, late.values) == (False, (0.0, 0.0))


def test_a_class_is_that_whose_velocity_explains_the_window_best(decoder, training):
    assert decoder.score(*training) == 1.0
    classifier = make(velocities=None).fit(*training, lead_in=0.4)
    assert classifier.evidence_type == EvidenceType()
    assert classifier.remembers is (classifier.start().remembers)
    assert classifier.score(*training) == 1.0


def test_velocities_that_teach_nothing_are_refused(training):
    with pytest.raises(BadValue, match="as many finite values, 1 to 3, for each of rest, right, up"):
        make(velocities={"rest": (0.0,)}).fit(*training)
    with pytest.raises(BadValue, match=r"velocities must differ between classes, got \(1\.0,\) for each"):
        make(velocities=dict.fromkeys(VELOCITIES, (1.0,))).fit(*training)
    with pytest.raises(BadValue, match="are for classes; leave them out with velocities"):
        make(evidence={"memory": "leaky"}).fit(*training)
    still = np.repeat([1.0, -1.0], 3)[:, None, None] * samples("rest", 1.6, np.random.default_rng(8)).T
    with pytest.raises(BadSignal, match="windows of class rest are all the same to the decoder"):
        make(window_s=1.6).fit(still, ["rest", "right", "up"] * 2)


def window(decoder, label, rng, order=(0, 1, 2, 3)):
    """What the decoder keeps of a window in which every band says the same, through channels in that order."""
    bands = [samples(label, 0.2, rng)[:, list(order)] for _ in decoder.settings.bands]
    return decoder.summarise(np.ascontiguousarray(np.hstack(bands)))


def test_what_was_meant_points_at_the_target_at_the_decoded_speed_and_is_nothing_on_it():
    rng = np.random.default_rng(9)
    velocities, places, targets = rng.normal(size=(3, 50, 2))
    places[:5] = targets[:5] + 0.05
    meant = intended(velocities, places, targets, radius=0.1)
    for v, place, target, made in zip(velocities, places, targets, meant, strict=True):
        way = complex(*(target - place))
        expected = 0.0 if abs(way) <= 0.1 else abs(complex(*v)) * way / abs(way)
        assert complex(*made) == pytest.approx(expected, abs=1e-12)
    assert not meant[:5].any()
    assert meant[5:].any(axis=1).all()


def test_refitting_on_what_was_meant_turns_a_decoder_back_whose_velocities_point_aside(training):
    decoder = make().fit(*training, lead_in=0.4)
    rng, labels = np.random.default_rng(10), [*VELOCITIES] * 12
    # Windows and their classes as the fit saw them, and a session in which the channels have traded places.
    summaries = np.array([window(decoder, label, rng) for label in labels])
    order = ["right", "up"] * 60
    used = np.array([window(decoder, label, rng, (0, 3, 2, 1)) for label in order])
    decoded = decoder._z(used) @ decoder.gain_.T + decoder.offset_
    targets = np.array([VELOCITIES[label] for label in order])
    again = decoder.refit(
        summaries, labels, used=used, decoded=decoded, places=np.zeros((120, 2)), targets=targets, radius=0.1
    )
    space = fitted_state_space(np.array([VELOCITIES[label] for label in labels]), decoder._z(summaries))
    assert np.array_equal(again.weights_, decoder.weights_)
    meant = targets * np.hypot(*decoded.T)[:, None]
    z = decoder._z(used)
    h = np.linalg.lstsq(meant - meant.mean(axis=0), z - z.mean(axis=0), rcond=None)[0].T
    left = z - z.mean(axis=0) - (meant - meant.mean(axis=0)) @ h.T
    q = np.linalg.inv(ledoit_wolf(left)[0])
    p = space.noise
    for _ in range(2000):
        p = np.linalg.inv(np.linalg.inv(space.persistence**2 * p + space.noise) + h.T @ q @ h / 4.0)
    np.testing.assert_allclose(again.gain_, p @ h.T @ q / 4.0, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        again.offset_, again.gain_ @ (h @ meant.mean(axis=0) - z.mean(axis=0)), rtol=1e-6, atol=1e-9
    )
    aside = []
    for one in (decoder, again):
        said = z @ one.gain_.T + one.offset_
        # Told apart by which way the two cues differ.
        aside.append(said[0::2].mean(axis=0) - said[1::2].mean(axis=0))
    angles = [abs(np.degrees(np.arctan2(-d[1], d[0]) - np.pi / 4)) for d in aside]
    assert angles[1] < 5.0
    assert np.linalg.norm(aside[1]) > 2.0 * np.linalg.norm(aside[0])


def test_a_decoder_of_classes_and_sessions_in_which_nothing_was_meant_cannot_be_refitted(training, decoder):
    summaries = np.array([window(decoder, "up", np.random.default_rng(k)) for k in range(6)])
    still = np.zeros((6, 2))
    more = {"used": summaries, "decoded": still, "places": still, "targets": still + 1.0, "radius": 0.1}
    with pytest.raises(BadSignal, match="in no window in use was anything to move"):
        decoder.refit(summaries, ["rest", "right", "up"] * 2, **more)
    with pytest.raises(BadValue, match="kalman is refitted on velocities"):
        make(velocities=None).fit(*training).refit(summaries, ["rest"] * 6, **more)
