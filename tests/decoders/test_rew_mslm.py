"""A Markov-switching linear model: gate and experts of PLS, the HMM forward step, and values weighed by belief."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from workbench import decoders
from workbench.errors import BadValue
from workbench.vocabulary import EvidenceType, Montage

FS, N = 200.0, 4
VELOCITIES = {"rest": (0.0, 0.0), "right": (1.0, 0.0), "up": (0.0, 1.0)}
STATES = {"rest": "rest", "right": "move", "up": "move"}
ADAPT = {"rule": "blocks", "block_s": 3.0, "delay_s": 1.0, "half_life_s": 4.0}


def make(model=None, **params):
    chosen = {"stretches": 2, "n_components": 6, "states": STATES, **(model or {})}
    given = {"fs": FS, "window_s": 0.4, "reference": "none", "velocities": VELOCITIES, "model": chosen}
    return decoders.load("rew_mslm")(**{**given, **params})


def samples(label, seconds, rng, gain=1.0):
    """Two channels speak for right, two for up."""
    loud = np.ones(N)
    loud[:2] += 1.5 * gain * (label == "right")
    loud[2:] += 1.5 * gain * (label == "up")
    return rng.normal(0, 10, (round(seconds * FS), N)) * loud


@pytest.fixture(scope="module")
def training():
    rng = np.random.default_rng(0)
    labels = [*VELOCITIES] * 12
    return np.array([samples(label, 1.2, rng).T for label in labels]), labels


@pytest.fixture(scope="module")
def adapting(training):
    return make(adapt=ADAPT).fit(*training, lead_in=0.4)


def test_gate_and_expert_are_the_regressions_of_the_plain_loops(adapting):
    rows, index = adapting.adaptation_["rows"], adapting.adaptation_["index"].astype(int)
    owner = np.array([1, 0, 0])[index]  # states by name: move, rest
    best = adapting.adaptation_["errors"][:, :-1].argmin(axis=1) + 1
    gate = naive.partial_least_squares(rows, np.eye(2)[owner], np.ones(len(rows)), n_components=best[0])
    moving = index > 0
    shown = np.array([VELOCITIES[name] for name in adapting.class_names])[index]
    expert = naive.partial_least_squares(rows[moving], shown[moving], np.ones(moving.sum()), n_components=best[1])
    np.testing.assert_allclose(adapting.weights_[:4], np.vstack([gate[0], expert[0]]), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(adapting.bias_, [*gate[1], *expert[1], 0.0, 0.0], rtol=1e-6, atol=1e-9)
    assert not adapting.weights_[4:].any()  # rest has one velocity, which needs no expert


@pytest.mark.parametrize("mixing", [True, False])
def test_a_velocity_is_what_the_slow_obvious_way_gives(training, mixing):
    decoder = make({"mixing": mixing}).fit(*training, lead_in=0.4)
    rng = np.random.default_rng(2)
    x = np.concatenate([samples(label, 2.0, rng) for label in ("rest", "up")])
    stream, signal = decoder.start(), decoder.signal()
    stay = np.array([1 - 0.05 / 3.0, 1 - 0.05 / 5.0])
    moves = np.diag(stay) + np.diag(1 - stay)[:, ::-1]
    belief, values = np.array([3.0, 5.0]) / 8.0, np.zeros(2)
    for first in range(0, len(x), stream.hop):
        for one in (stream, signal):
            one.step(x[first : first + stream.hop])
        window, valid = signal.window(signal.n_seen)
        evidence = stream.evidence(signal.n_seen)
        if valid and not evidence.rejected:
            power = (window.reshape(2, -1, window.shape[1]) ** 2).mean(axis=1).ravel()
            z = (np.log(power + 1e-9) - decoder.mean_) / np.sqrt(decoder.variance_)
            said = decoder.weights_ @ z + decoder.bias_
            likelihood = np.exp(-((said[:2] - np.eye(2)) ** 2).sum(axis=1) / 2 / decoder.error_[0])
            belief = (belief @ moves) * likelihood**0.35
            belief = belief / belief.sum()
            each = said[2:].reshape(2, 2)
            values = belief @ each if mixing else each[belief.argmax()]
        assert evidence.values == pytest.approx(tuple(values), rel=1e-6, abs=1e-9)
    assert evidence.values[1] > 0.5 > abs(evidence.values[0])


def test_at_rest_it_moves_less_than_one_regression_for_all(training):
    rng = np.random.default_rng(3)
    x, moved = samples("rest", 20.0, rng), []
    pls = decoders.load("rew_pls")(
        FS, window_s=0.4, reference="none", velocities=VELOCITIES, model={"stretches": 2, "n_components": 6}
    )
    for decoder in (make(), pls):
        stream, speeds = decoder.fit(*training, lead_in=0.4).start(), []
        for first in range(0, len(x), stream.hop):
            stream.step(x[first : first + stream.hop])
            speeds.append(np.hypot(*stream.evidence(stream.n_seen).values))
        moved.append(np.mean(speeds[20:]))
    assert moved[0] < 0.5 * moved[1]


def test_each_model_learns_its_own_windows_of_a_block_and_a_replay_makes_the_same_bits(adapting, tmp_path):
    sha256 = decoders.save(adapting, tmp_path, montage=Montage(tuple("abcd"), FS))
    rng = np.random.default_rng(4)
    # Rest is not cued: only the gate and the expert of the movements learn, and rest keeps its velocity.
    labels = ["right", "up"] * 4
    x = np.concatenate([samples(label, 2.0, rng, gain=0.5) for label in labels])
    chains = []
    for decoder, block in ((adapting, 80), (decoders.read(tmp_path), 11)):
        stream, shots, done = decoder.start(), [], 0
        for stop in sorted({*range(80, len(x) + 1, 80), *range(0, len(x), block)}):
            stream.step(x[done:stop])
            done = stop
            if stop % 80 == 0 and stop >= 160:
                stream.learn(labels[(stop - 1) // 400], end=stop)
            shots += stream.snapshots()
        decoders.check_chain(shots, decoder_sha256=sha256)
        chains.append([(shot.sample, shot.sha256) for shot in shots])
    assert chains[0] == chains[1]
    assert [sample for sample, _ in chains[0]] == [800, 1400, 2000, 2600, 3200]
    last = shots[-1].arrays
    assert (np.abs(last["weights"][:4] - adapting.weights_[:4]).max(axis=1) > 1e-3).all()
    assert not last["weights"][4:].any()


def test_a_class_is_that_of_the_likeliest_state_and_within_it_the_nearest_velocity(training, adapting):
    assert adapting.score(*training) > 0.95
    classifier = make({"states": None}, velocities=None, evidence={"memory": "gate"})
    classifier.fit(*training, lead_in=0.4)
    assert classifier.evidence_type == EvidenceType()
    assert classifier.score(*training) > 0.95


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"model": {"states": {"rest": "rest"}}}, "states names the state of each of rest, right, up"),
        ({"model": {"states": dict.fromkeys(VELOCITIES, "one")}}, "and two states or more, got"),
        ({"model": {"dwell_s": (0.01, 3.0)}}, "hop"),
    ],
)
def test_states_and_stays_that_cannot_be_are_refused(training, params, words):
    with pytest.raises(BadValue, match=words):
        make(**params).fit(*training)
