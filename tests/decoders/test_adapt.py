"""Adaptation: each rule by its definition, snapshots chained by hash, replayed bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from workbench import decoders
from workbench.errors import BadSignal, BadValue, DecoderMismatch
from workbench.fitting.adaptation import aligned, reference_of
from workbench.fitting.lda import ledoit_wolf
from workbench.vocabulary import Montage

FS, N_CHANNELS = 200.0, 4
LINEAR = ("bandpower_lda", "csp_lda", "fbcsp", "mrcp_lda", "tangent_space_lda")
COVARIANCE = ("csp_lda", "fbcsp", "fgmdm", "riemann_mdm", "tangent_space_lda")
CASES = [(name, "recentre") for name in COVARIANCE] + [(name, "pmean") for name in LINEAR]


def make(name, rule, memory=None, **adapt):
    return decoders.load(name)(
        fs=FS,
        window_s=0.4,
        reference="none",
        evidence={"memory": memory},
        adapt={"rule": rule, "balanced": False, **adapt},
    )


def epochs(n=60, seed=0, mixing=None, seconds=0.4):
    rng = np.random.default_rng(seed)
    y = np.array(["left", "right"])[np.arange(n) % 2]
    x = rng.normal(0, 10, (n, N_CHANNELS, round(seconds * FS)))
    x[y == "left", 0] *= 2.5
    x[y == "right", 1] *= 2.5
    return (x if mixing is None else np.einsum("ij,njt->nit", mixing, x)), y


def session(n=60, seed=5, mixing=None):
    """Trials of 0.4 s one after the other, and their classes."""
    x, y = epochs(n, seed, mixing)
    return np.ascontiguousarray(x.transpose(0, 2, 1).reshape(-1, N_CHANNELS)), y


def run(decoder, x, cuts=(), labels=()):
    """Evidence at the end of each trial, and all snapshots."""
    stream, made, shots = decoder.start(), [], []
    stops = sorted({*cuts, *range(80, len(x) + 1, 80)} - {0})
    for first, last in zip([0, *stops], stops):
        stream.step(x[first:last])
        if last % 80 == 0:
            made.append(stream.evidence(last))
            if len(labels):
                stream.learn(labels[last // 80 - 1], end=last)
        shots += stream.snapshots()
    return made, shots


def right(made, y, first=0):
    names = [("left", "right")[int(np.argmax(e.probabilities))] for e in made]
    return np.mean(np.array(names[first:]) == y[first:])


# ------------------------------------------------------------------ rounds of one window a class
def in_blocks(mixing=None):
    """One class for a minute, then the other."""
    x, y = epochs(400, 5, mixing)
    order = np.argsort(y, kind="stable")
    return np.ascontiguousarray(x[order].transpose(0, 2, 1).reshape(-1, N_CHANNELS)), y[order]


@pytest.mark.parametrize(("name", "rule"), [("tangent_space_lda", "recentre"), ("csp_lda", "pmean")])
def test_classes_that_come_in_blocks_cost_an_adapting_decoder_nothing(name, rule):
    x, y = in_blocks()
    scores = {}
    for balanced in (True, False):
        decoder = make(name, rule, balanced=balanced, bound=50.0).fit(*epochs())
        scores[balanced] = right(run(decoder, x)[0], y)
    fixed = right(run(make(name, rule, bound=1e-9).fit(*epochs()), x)[0], y)
    assert scores[True] >= fixed - 0.01
    assert scores[False] < fixed - 0.02


def test_rounds_follow_a_session_in_which_the_classes_take_turns():
    mixing = np.diag([0.6, 1.2, 1.0, 1.0])
    x, y = session(160, mixing=mixing)
    fixed = decoders.load("tangent_space_lda")(fs=FS, window_s=0.4, reference="none").fit(*epochs())
    adapting = make("tangent_space_lda", "recentre", balanced=True).fit(*epochs())
    made, shots = run(adapting, x)
    assert right(made, y, first=80) > right(run(fixed, x)[0], y, first=80) + 0.03
    assert {int(shot.arrays["count"][0]) % 2 for shot in shots} == {1}  # two windows a round, after the fit's own


def test_a_decoder_that_was_fitted_before_there_were_rounds_adapts_as_it_did():
    x, _ = session()
    now, before = (make("csp_lda", "pmean", balanced=balanced).fit(*epochs()) for balanced in (True, False))
    del now.adaptation_["balanced"]
    assert [shot.arrays["mean"].tobytes() for shot in run(now, x)[1]] == [
        shot.arrays["mean"].tobytes() for shot in run(before, x)[1]
    ]


# ------------------------------------------------------------------ rules by their definition
@pytest.mark.parametrize("mean", ["riemann", "euclid"])
def test_the_reference_moves_along_the_geodesic_to_the_window(mean):
    decoder = make("riemann_mdm", "recentre", mean=mean, bound=50.0).fit(*epochs())
    x, _ = session()
    _, shots = run(decoder, x)
    stream = decoder.signal()
    reference, count = decoder.adaptation_["reference"][0], 1
    for shot in shots:
        stream.step(x[stream.n_seen : shot.sample])
        c = decoder.summarise(stream.window(shot.sample)[0])[0]
        count += 1
        a = max(1 / count, 0.02)
        if mean == "euclid":
            reference = (1 - a) * reference + a * c
        else:
            root = linalg.sqrtm(reference).real
            back = linalg.inv(root)
            reference = root @ linalg.fractional_matrix_power(back @ c @ back, a).real @ root
        np.testing.assert_allclose(shot.arrays["reference"][0], reference, rtol=1e-7)
        assert shot.arrays["count"][0] == count
    assert len(shots) > 40
    # No two windows overlap, and of sound ones that follow each other directly none is left out.
    assert np.diff([shot.sample for shot in shots]).min() == 80


def test_the_bias_follows_the_pooled_mean():
    decoder = make("csp_lda", "pmean").fit(*epochs())
    x, _ = session()
    _, shots = run(decoder, x)
    stream, mean = decoder.signal(), decoder.adaptation_["mean"]
    for shot in shots:
        stream.step(x[stream.n_seen : shot.sample])
        features = decoder._features().features(decoder.summarise(stream.window(shot.sample)[0]))
        mean = 0.95 * mean + 0.05 * features
        np.testing.assert_allclose(shot.arrays["mean"], mean, rtol=1e-12)
        bias = decoder.bias_ - decoder.weights_ @ (mean - decoder.adaptation_["mean"])
        np.testing.assert_allclose(shot.arrays["bias"], bias, rtol=1e-9)


def test_labelled_windows_move_means_and_covariance_recursively():
    decoder = make("csp_lda", "supervised").fit(*epochs())
    x, y = session(n=30)
    _, shots = run(decoder, x, labels=y)
    means, sigma = decoder.adaptation_["means"], linalg.inv(decoder.adaptation_["precision"])
    stream = decoder.signal()
    for shot in shots:
        stream.step(x[stream.n_seen : shot.sample])
        k = ["left", "right"].index(y[shot.sample // 80 - 1])
        d = decoder._features().features(decoder.summarise(stream.window(shot.sample)[0])) - means[k]
        means, sigma = means.copy(), 0.97 * sigma + 0.03 * np.outer(d, d)
        means[k] += 0.03 * d
        weights = np.linalg.solve(sigma, means.T).T
        np.testing.assert_allclose(shot.arrays["means"], means, rtol=1e-10)
        np.testing.assert_allclose(shot.arrays["weights"], weights, rtol=1e-7, atol=1e-9)
        bias = -0.5 * (weights * means).sum(axis=1) + decoder.log_prior_
        np.testing.assert_allclose(shot.arrays["bias"], bias, rtol=1e-7)
    assert len(shots) >= 28


def test_the_supervised_rule_starts_from_the_fit():
    decoder = make("tangent_space_lda", "supervised").fit(*epochs())
    vectors = np.array([decoder._features().features(s) for s in decoder._epoch_summaries(epochs()[0], 0.0)[0]])
    means = [vectors[epochs()[1] == name].mean(axis=0) for name in ("left", "right")]
    pooled, _ = ledoit_wolf(vectors - np.array(means)[np.arange(60) % 2])
    np.testing.assert_allclose(decoder.adaptation_["precision"] @ pooled, np.eye(len(pooled)), atol=1e-6)
    np.testing.assert_allclose(decoder.adaptation_["precision"] @ means[0], decoder.weights_[0], rtol=1e-6)


SHIFT = np.diag([0.4, 1.6, 1.0, 1.0]) + 0.15


@pytest.mark.parametrize(("name", "rule"), [("riemann_mdm", "recentre"), ("csp_lda", "pmean")])
def test_a_shift_between_sessions_is_followed(name, rule):
    x, y = session(n=120, mixing=SHIFT)
    adapting = make(name, rule, bound=50.0).fit(*epochs())
    still = decoders.load(name)(fs=FS, window_s=0.4, reference="none").fit(*epochs())
    assert right(run(adapting, x)[0], y, 40) > right(run(still, x)[0], y, 40) + 0.1


# ------------------------------------------------------------------ chain, replay, chunks
@pytest.mark.parametrize(("name", "rule"), CASES)
def test_snapshots_are_chained_and_a_replay_gives_the_same(name, rule, tmp_path):
    decoder = make(name, rule).fit(*epochs(seconds=0.8))
    sha256 = decoders.save(decoder, tmp_path, montage=Montage(("a", "b", "c", "d"), FS))
    x, _ = session()
    made, shots = run(decoder, x)
    assert shots
    decoders.check_chain(shots, decoder_sha256=sha256)
    again, replayed = run(decoders.read(tmp_path), x, cuts=range(0, len(x), 7))
    assert again == made
    assert [shot.sha256 for shot in replayed] == [shot.sha256 for shot in shots]
    assert [shot.sample for shot in replayed] == [shot.sample for shot in shots]


@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, 1600), max_size=20))
def test_any_chunking_gives_the_same_snapshots_with_labels_too(cuts):
    decoder = PREPARED.setdefault("one", None) or make("csp_lda", "supervised", memory="leaky").fit(*epochs())
    PREPARED["one"] = decoder
    x, y = session(n=20)
    expected = PREPARED.setdefault("run", run(decoder, x, labels=y))
    made, shots = run(decoder, x, cuts=cuts, labels=y)
    assert made == expected[0]
    assert [shot.sha256 for shot in shots] == [shot.sha256 for shot in expected[1]]


PREPARED: dict = {}


def test_questions_do_not_adapt():
    decoder = make("riemann_mdm", "recentre").fit(*epochs())
    x, _ = session()
    asked, silent = decoder.start(), decoder.start()
    for end in range(160, len(x) + 1, 13):
        asked.step(x[asked.n_seen : end])
        asked.evidence(end)
    silent.step(x[: asked.n_seen])
    assert [a.sha256 for a in asked.snapshots()] == [b.sha256 for b in silent.snapshots()]
    assert asked.snapshots() == ()


def test_a_chain_that_was_changed_is_noticed():
    _, shots = run(make("csp_lda", "pmean").fit(*epochs()), session()[0])
    decoders.check_chain(shots)
    other = replace(shots[3], arrays={**shots[3].arrays, "bias": shots[3].arrays["bias"] + 1e-12})
    for wrong in ([*shots[:3], other, *shots[4:]], shots[1:], [shots[1], shots[0]]):
        with pytest.raises(DecoderMismatch, match="does not follow"):
            decoders.check_chain(wrong)
    with pytest.raises(DecoderMismatch, match="snapshot 0"):
        decoders.check_chain(shots, decoder_sha256="0" * 64)


# ------------------------------------------------------------------ bounds and pauses
@pytest.mark.parametrize(
    ("name", "rule"), [("riemann_mdm", "recentre"), ("csp_lda", "pmean"), ("csp_lda", "supervised")]
)
def test_an_update_out_of_bounds_goes_back_to_the_fit(name, rule):
    decoder = make(name, rule, bound=1e-3).fit(*epochs())
    x, y = session(n=20)
    made, shots = run(decoder, x, labels=y if rule == "supervised" else ())
    assert {shot.rule for shot in shots} == {"roll_back"}
    still = decoders.load(name)(fs=FS, window_s=0.4, reference="none")
    if rule != "recentre":
        plain = [e.probabilities for e in run(still.fit(*epochs()), x)[0]]
        assert [e.probabilities for e in made] == plain


def test_windows_that_are_not_valid_teach_nothing():
    decoder = make("csp_lda", "supervised").fit(*epochs())
    x, _ = session()
    x[800:880, 2] = np.nan
    stream = decoder.start()
    stream.step(x[:880])
    assert not stream.learn("left", end=880)
    assert stream.learn("left", end=800)
    assert len(stream.snapshots()) == 1
    unsupervised = run(make("riemann_mdm", "recentre").fit(*epochs()), x)[1]
    assert not [shot for shot in unsupervised if 800 < shot.sample < 960]


def test_rules_without_labels_pause_in_a_long_rest():
    x, y = epochs(n=80)
    y = np.where(y == "left", "grasp", "rest")
    decoder = make("csp_lda", "pmean", longest_rest_s=2.0).fit(x, y)
    rest = np.random.default_rng(3).normal(0, 10, (8000, N_CHANNELS))
    rest[:, 1] *= 2.5
    shots = run(decoder, rest)[1]
    assert shots
    assert max(shot.sample for shot in shots) < 4000


# ------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("adapt", "words"),
    [
        ({"rule": "magic"}, "the rule must be one of recentre, pmean, supervised"),
        ({"mean": "riemann"}, "adapt needs a rule"),
        ({"rule": "pmean", "speed": 1}, "adapt needs a rule .* and knows"),
        ({"rule": "recentre", "mean": "harmonic"}, "mean must be"),
        ({"rule": "recentre", "least": 0.0}, "least"),
        ({"rule": "pmean", "rate": 1.0}, "rate"),
        ({"rule": "pmean", "bound": 0.0}, "bound"),
        ({"rule": "pmean", "bound": np.inf}, "bound"),
        ({"rule": "recentre", "longest_rest_s": np.nan}, "longest_rest_s"),
    ],
)
def test_rules_that_cannot_be_are_refused(adapt, words):
    with pytest.raises(BadValue, match=words):
        decoders.load("csp_lda")(fs=FS, window_s=0.4, adapt=adapt).fit(*epochs())


def test_labels_are_refused_where_nothing_learns_from_them():
    x, _ = session()
    for decoder in (decoders.load("csp_lda")(fs=FS, window_s=0.4), make("csp_lda", "pmean")):
        stream = decoder.fit(*epochs()).start()
        stream.step(x)
        with pytest.raises(BadSignal, match="learns from no labels"):
            stream.learn("left", end=800)
    stream = make("csp_lda", "supervised").fit(*epochs()).start()
    stream.step(x)
    with pytest.raises(BadValue, match="the classes are left, right, got 'tongue'"):
        stream.learn("tongue", end=4800)


def two_days():
    """Summaries of two runs of one person, the second through other electrodes; classes, and the run of each."""
    decoder = make("tangent_space_lda", "recentre").prepare(N_CHANNELS)
    lanes = decoder.signal().n_lanes
    parts = []
    for seed, gain in ((1, 1.0), (2, 4.0)):
        rng = np.random.default_rng(seed)
        windows = rng.normal(0, 10, (60, decoder.settings.n_window(FS), lanes))
        windows[::2, :, 0] *= 1.5
        windows[:, :, 1] *= gain
        parts += [decoder.summarise(window) for window in windows]
    return np.array(parts), np.array(["left", "right"] * 60), np.repeat([0, 1], 60)


def test_runs_that_are_fitted_together_are_aligned_where_the_decoder_recentres():
    summaries, y, runs = two_days()
    decoder = make("tangent_space_lda", "recentre").prepare(N_CHANNELS)
    together = decoder.fit_summaries(summaries, y, runs=runs)
    alike = aligned(together, summaries, y, runs)
    for run_ in (0, 1):
        mean = reference_of(together, alike[runs == run_], y[runs == run_])
        assert mean == pytest.approx(reference_of(together, summaries, y), rel=1e-3)
    assert np.array_equal(alike, alike.swapaxes(2, 3))
    right = (np.array(together.class_names)[together.scores_of(alike).argmax(axis=1)] == y).mean()
    apart = make("tangent_space_lda", "recentre").prepare(N_CHANNELS).fit_summaries(summaries, y)
    assert right >= (np.array(apart.class_names)[apart.scores_of(summaries).argmax(axis=1)] == y).mean()


def test_one_run_and_decoders_that_do_not_recentre_are_fitted_as_before():
    summaries, y, runs = two_days()
    for rule, named in (("recentre", np.zeros(len(y))), ("pmean", runs)):
        fits = [
            make("tangent_space_lda", rule).prepare(N_CHANNELS).fit_summaries(summaries, y, runs=one)
            for one in (None, named)
        ]
        assert np.array_equal(fits[0].weights_, fits[1].weights_)
