"""Recursive PLS in a stream: the regression of the plain loops, updated beside the loop, the same in a replay."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests import naive
from workbench import decoders, world
from workbench.decoding import blocks
from workbench.engine.updates import UpdateWorker
from workbench.errors import BadSignal, BadValue
from workbench.vocabulary import EvidenceType, Montage

FS, N = 200.0, 4
VELOCITIES = {"rest": (0.0, 0.0), "right": (1.0, 0.0), "up": (0.0, 1.0)}
ADAPT = {"rule": "blocks", "block_s": 3.0, "delay_s": 1.0, "half_life_s": 4.0}
MODEL = {"stretches": 2, "n_components": 6}


def make(**params):
    given = {"fs": FS, "window_s": 0.4, "reference": "none", "velocities": VELOCITIES, "model": MODEL}
    return decoders.load("rew_pls")(**{**given, **params})


def samples(label, seconds, rng, swapped=False):
    """Two channels speak for right, two for up; swapped, the other two."""
    gain = np.ones(N)
    gain[:2] += 1.5 * (label == ("up" if swapped else "right"))
    gain[2:] += 1.5 * (label == ("right" if swapped else "up"))
    return rng.normal(0, 10, (round(seconds * FS), N)) * gain


@pytest.fixture(scope="module")
def training():
    rng = np.random.default_rng(0)
    labels = [*VELOCITIES] * 12
    return np.array([samples(label, 1.2, rng).T for label in labels]), labels


@pytest.fixture(scope="module")
def adapting(training):
    return make(adapt=ADAPT).fit(*training, lead_in=0.4)


@pytest.fixture(scope="module")
def session():
    """Cues of 2 s one after the other, in which the channels have swapped their meaning."""
    rng = np.random.default_rng(1)
    labels = [*VELOCITIES] * 6
    return np.concatenate([samples(label, 2.0, rng, swapped=True) for label in labels]), labels


def run(decoder, x, labels, cuts=(), worker=None):
    """Evidence at every cue's end, and every snapshot; each window of a cue that overlaps no other is taught."""
    stream, made, shots = decoder.start(), [], []
    if worker is not None:
        stream.work_by(worker)
    taught = [end for end in range(160, len(x) + 1, 80)]
    done = 0
    for stop in sorted({*taught, *cuts, *range(400, len(x) + 1, 400)} - {0}):
        stream.step(x[done:stop])
        done = stop
        if stop % 400 == 0:
            made.append(stream.evidence(stop))
        if stop in taught:
            stream.learn(labels[(stop - 1) // 400], end=stop)
        shots += stream.snapshots()
    return made, shots


def z_of(decoder, window):
    power = (window.reshape(2, -1, window.shape[1]) ** 2).mean(axis=1).ravel()
    return (np.log(power + 1e-9) - decoder.mean_) / np.sqrt(decoder.variance_)


def test_a_velocity_is_what_the_slow_obvious_way_gives(adapting, training):
    decoder, rng = make().fit(*training, lead_in=0.4), np.random.default_rng(2)
    rows, index = adapting.adaptation_["rows"], adapting.adaptation_["index"].astype(int)
    shown = np.array([VELOCITIES[name] for name in decoder.class_names])[index]
    errors = adapting.adaptation_["errors"][0]
    best = int(np.argmin(errors[:-1])) + 1
    weights, bias = naive.partial_least_squares(rows, shown, np.ones(len(rows)), n_components=best)
    np.testing.assert_allclose(decoder.weights_, weights, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(decoder.bias_, bias, rtol=1e-6, atol=1e-9)
    x, stream, signal, mean = samples("up", 3.0, rng), decoder.start(), decoder.signal(), np.zeros(2)
    for first in range(0, len(x), stream.hop):
        for one in (stream, signal):
            one.step(x[first : first + stream.hop])
        window, valid = signal.window(signal.n_seen)
        evidence = stream.evidence(signal.n_seen)
        if not valid or evidence.rejected:
            continue
        mean = mean + decoder.step_s / 0.3 * (weights @ z_of(decoder, window) + bias - mean)
        assert evidence.values == pytest.approx(tuple(mean), rel=1e-6, abs=1e-9)
    assert evidence.values[1] > 0.5 > abs(evidence.values[0])


def test_an_update_is_the_regression_on_the_fit_and_on_every_block_by_its_age(adapting, session):
    x, labels = session
    _, shots = run(adapting, x, labels)
    # Every 3 s a block ends; what it taught is in effect a second later, at the next hop.
    assert [shot.sample for shot in shots] == list(range(800, len(x) + 1, 600))
    arrays, signal = adapting.adaptation_, adapting.signal()
    shown = np.array([VELOCITIES[name] for name in adapting.class_names])
    rows, targets = arrays["rows"], shown[arrays["index"].astype(int)]
    ages = np.full(len(rows), 10.0 / 80.0)
    assert arrays["keep"][0] == pytest.approx(0.5 ** (0.4 / 4.0))
    for k, shot in enumerate(shots):
        # A window that is taught as a block ends belongs to the next.
        ends = [end for end in range(160, 600 * k + 600, 80) if end >= 600 * k]
        new, what = [], []
        for end in ends:
            signal.step(x[signal.n_seen : end])
            new.append(z_of(adapting, signal.window(end)[0]))
            what.append(VELOCITIES[labels[(end - 1) // 400]])
        ages = np.concatenate([ages * arrays["keep"][0] ** len(new), np.ones(len(new))])
        rows, targets = np.vstack([rows, new]), np.vstack([targets, what])
        fits = [naive.partial_least_squares(rows, targets, ages, n_components=f + 1) for f in range(6)]
        apart = [np.abs(shot.arrays["weights"] - weights).max() for weights, _ in fits]
        assert min(apart) < 1e-6 * np.abs(shot.arrays["weights"]).max()
        np.testing.assert_allclose(shot.arrays["bias"], fits[int(np.argmin(apart))][1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n_way", [False, True])
def test_a_replay_in_other_chunks_and_with_a_slow_worker_makes_the_same_bits(
    training, session, tmp_path, monkeypatch, n_way
):
    decoder = make(adapt=ADAPT, model={**MODEL, "n_way": n_way}).fit(*training, lead_in=0.4)
    sha256 = decoders.save(decoder, tmp_path, montage=Montage(tuple("abcd"), FS))
    x, labels = session
    made, shots = run(decoder, x, labels)
    decoders.check_chain(shots, decoder_sha256=sha256)
    asked, update = threading.Event(), blocks.Blocks.update

    def slow(self, rows, index, alive):
        # Until the loop stands at the sample of the effect and has nothing left to do but wait.
        asked.wait(0.05)
        return update(self, rows, index, alive)

    monkeypatch.setattr(blocks.Blocks, "update", slow)
    worker = UpdateWorker(world.start_thread, name="learns", wait_s=60.0)
    again, replayed = run(decoders.read(tmp_path), x, labels, cuts=range(0, len(x), 7), worker=worker)
    worker.close()
    assert again == made
    assert [(shot.sample, shot.sha256) for shot in replayed] == [(shot.sample, shot.sha256) for shot in shots]


def test_it_follows_channels_that_swap_their_meaning(adapting, training, session):
    x, labels = session
    fixed = make().fit(*training, lead_in=0.4).start()
    made, shots = run(adapting, x, labels)
    assert {shot.rule for shot in shots} == {"blocks"}
    said = []
    for k in range(len(labels)):
        fixed.step(x[400 * k : 400 * k + 400])
        said.append(fixed.evidence(400 * k + 400).values)
    shown = np.array([VELOCITIES[label] for label in labels])
    errors = [((np.array(values) - shown)[9:] ** 2).mean() for values in ([e.values for e in made], said)]
    assert errors[0] < 0.5 * errors[1]


def test_an_update_out_of_bounds_goes_back_to_the_fit_and_the_models_begin_again(training, session):
    x, labels = session
    decoder = make(adapt={**ADAPT, "bound": 1e-6}).fit(*training, lead_in=0.4)
    made, shots = run(decoder, x, labels)
    assert {shot.rule for shot in shots} == {"roll_back"}
    assert all(np.array_equal(shot.arrays["weights"], decoder.weights_) for shot in shots)
    plain = make().fit(*training, lead_in=0.4).start()
    plain.step(x)
    assert made[-1] == plain.evidence(len(x))


def test_another_day_moves_the_normalisation_and_leaves_the_weights(training):
    decoder, louder = make().fit(*training, lead_in=0.4), 3.0 * training[0]
    moved = decoder.recentred_on(decoder._epoch_summaries(louder, 0.4)[0], np.repeat(training[1], 9))
    assert moved.score(louder, training[1]) > 0.95
    assert decoder.score(louder, training[1]) < 0.8
    assert np.array_equal(moved.weights_, decoder.weights_)


def test_without_velocities_it_is_a_classifier_that_adapts_too(training, session):
    decoder = make(velocities=None, adapt=ADAPT).fit(*training, lead_in=0.4)
    assert decoder.evidence_type == EvidenceType()
    assert decoder.score(*training) > 0.95
    x, labels = session
    made, _ = run(decoder, x, labels)
    named = [decoder.class_names[int(np.argmax(e.probabilities))] for e in made[9:]]
    assert np.mean([a == b for a, b in zip(named, labels[9:], strict=True)]) > 0.8


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"model": {"depth": 3}}, r"model knows \[?.*stretches.*got .*depth"),
        ({"model": {"stretches": 0}}, "stretches and n_components must be 1 or more, got 0, 20"),
        ({"model": {"stretches": 81}}, "a window of 80 samples cannot be cut into 81 stretches"),
        ({"model": {"smoothing_s": 0.01}}, r"smoothing_s must be at least the hop of 0\.05 s, got 0\.01"),
        ({"adapt": {"rule": "pmean"}}, "rew_pls adapts by the rule blocks alone, got pmean"),
        ({"adapt": {**ADAPT, "delay_s": 4.0}}, "the delay at most a block; got .* 3.0, 4.0, 4.0"),
        ({"adapt": {**ADAPT, "half_life_s": 0.0}}, "must be above 0 and finite"),
        ({"evidence": {"memory": "leaky"}}, "are for classes; leave them out with velocities"),
    ],
)
def test_settings_that_cannot_be_are_refused(training, params, words):
    with pytest.raises(BadValue, match=words):
        make(**params).fit(*training)


def test_decoders_that_do_not_learn_in_blocks_say_so(training):
    with pytest.raises(BadValue, match="csp_lda does not learn in blocks"):
        decoders.load("csp_lda")(FS, window_s=0.4, adapt=ADAPT).fit(*training)
    stream = make().fit(*training).start()
    stream.step(training[0][0].T)
    with pytest.raises(BadSignal, match="learns from no labels"):
        stream.learn("up", end=200)
