"""Windows far from the training data are rejected by default, whatever the classifier makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests import naive
from tests.shares import some
from workbench import decoders, paradigms
from workbench.decode import FAR_SHARE, Familiarity, decode
from workbench.decoding.novelty import DOUBTFUL, levels_of
from workbench.devices.simulated_participant import render
from workbench.errors import BadValue, DecoderMismatch
from workbench.fitting.novelty_limit import day_to_day, learn_novelty
from workbench.vocabulary import Chunk, Decision, Evidence, LedgerRow, Marker, Montage

FS, N_CHANNELS = 200.0, 4
EEG_FS = 250.0
STORED = Path(__file__).parent / "layout_2"


def brain(n, rng, *, grasp=False):
    """Noise that falls with frequency, µV, with a rhythm of 10 Hz that a grasp takes away."""
    f = np.maximum(np.fft.rfftfreq(n, 1 / FS), 1.0)[:, None]
    wave = np.fft.irfft(np.fft.rfft(rng.normal(size=(n, N_CHANNELS)), axis=0) / f, n, axis=0)
    near = np.exp(-(((np.fft.rfftfreq(n, 1 / FS) - 10.0) / 2.0) ** 2))[:, None]
    mu = np.fft.irfft(np.fft.rfft(rng.normal(size=(n, N_CHANNELS)), axis=0) * near, n, axis=0)
    return 20.0 * wave / wave.std() + (3.0 if grasp else 10.0) * mu / mu.std()


def epochs(n=40, seconds=1.6):
    rng, y = np.random.default_rng(0), np.array(["grasp", "rest"])
    labels = y[np.arange(n) % 2]
    return np.array([brain(round(seconds * FS), rng, grasp=label == "grasp").T for label in labels]), labels


def fitted(name="bandpower_lda", **evidence):
    return decoders.load(name)(fs=FS, window_s=0.4, evidence=evidence or None).fit(*epochs(), lead_in=0.6)


def answers(decoder, x):
    stream, made = decoder.start(), []
    for end in range(stream.hop, len(x) + 1, stream.hop):
        stream.step(x[end - stream.hop : end])
        made.append(stream.evidence(end))
    return made


def share(found):
    valid = [one for one in found if one.valid]
    return np.mean([one.far for one in valid]) if valid else 1.0


N = 2000
FOREIGN = {
    "white noise": lambda rng: rng.normal(0, 10, (N, N_CHANNELS)),
    "a tenth of the amplitude": lambda rng: 0.1 * brain(N, rng),
    "eight times the amplitude": lambda rng: 8.0 * brain(N, rng),
    "one electrode that amplifies six times": lambda rng: brain(N, rng) * [1.0, 6.0, 1.0, 1.0],
    "an open amplifier with mains": lambda rng: (
        300 * np.sin(2 * np.pi * 50 * np.arange(N)[:, None] / FS) + rng.normal(0, 0.8, (N, N_CHANNELS))
    ),
}


SEVERAL_BANDS, ONE_BAND = ("bandpower_lda", "bandpower_svm"), ("csp_lda", "tangent_space_lda", "riemann_mdm")
CASES = [(name, kind) for name in (*SEVERAL_BANDS, *ONE_BAND) for kind in sorted(FOREIGN)]


@pytest.mark.parametrize(
    ("name", "kind"), [one for one in CASES if one[0] in SEVERAL_BANDS or one[1] != "white noise"]
)
def test_what_no_brain_sent_is_far_and_moves_nothing(name, kind):
    """One band has no spectrum, and channels that share nothing no pattern: for that see the test with EEG."""
    found = answers(fitted(name), FOREIGN[kind](np.random.default_rng(7)))
    assert share(found) > 0.85
    assert all(one.rejected for one in found if one.far)


@pytest.mark.parametrize("name", ["bandpower_lda", "csp_lda", "riemann_mdm"])
def test_the_persons_own_signals_are_not_far_nor_are_gains_of_another_day(name):
    decoder, rng = fitted(name), np.random.default_rng(8)
    own = np.concatenate([brain(N, rng), brain(N, rng, grasp=True)])
    assert share(answers(decoder, own)) <= 0.01
    assert share(answers(decoder, own * [0.8, 1.2, 1.25, 0.85])) <= 0.05


@pytest.fixture(scope="module", params=(*ONE_BAND, *SEVERAL_BANDS, "bandpower_ridge", "kalman"))
def of_eeg(request):
    """A decoder, calibrated on simulated EEG, and the person's next signals."""
    paradigm = paradigms.load("left_right")()
    cues = paradigm.schedule(12, seed=7000)
    seconds = cues[-1].at_s + cues[-1].duration_s
    x, _ = render(7000, cues, 2 * seconds, physiology="eeg")
    half = round(seconds * EEG_FS)
    attempts = [cue for cue in cues if cue.label in paradigm.conditions]
    firsts = [round((cue.at_s + 0.5) * EEG_FS) for cue in attempts]
    parts = np.array([x[first - 250 : first + 500].T for first in firsts])
    decoder = decoders.load(request.param)(fs=EEG_FS).fit(parts, [cue.label for cue in attempts], lead_in=1.0)
    return decoder, x[half : half + 5000]


@pytest.mark.job
@pytest.mark.parametrize("exponent", [0.0, 1.0])
@pytest.mark.parametrize("uv", some([5.0, 10.0, 20.0], of=3))
def test_noise_of_any_power_is_far_where_channels_share_their_sources(of_eeg, exponent, uv):
    decoder, own = of_eeg
    f = np.maximum(np.fft.rfftfreq(len(own), 1 / EEG_FS), 1.0)[:, None]
    noise = np.fft.rfft(np.random.default_rng(5).normal(size=own.shape), axis=0) * f ** (-exponent / 2)
    x = np.fft.irfft(noise, len(own), axis=0)
    assert share(answers(decoder, uv * x / x.std())) > 0.98
    assert share(answers(decoder, own)) <= 0.01


def test_wires_in_another_order_are_far_where_channels_share_their_sources(of_eeg):
    decoder, own = of_eeg
    assert share(answers(decoder, own[:, np.random.default_rng(6).permutation(own.shape[1])])) > 0.9


def run(decoder, x, size=50):
    stamps = np.arange(len(x)) / FS
    source = [Chunk(at, x[at : at + size], stamps[at : at + size]) for at in range(0, len(x), size)]
    return list(decode(source, paradigms.load("grasp_rest")(), decoder, fs=FS))


def test_white_noise_closes_no_hand_and_the_run_advises_once_to_recalibrate():
    made = run(fitted(), FOREIGN["white noise"](np.random.default_rng(9)))
    decisions = [one for one in made if isinstance(one, Decision)]
    assert not [one for one in decisions if one.change]
    assert sum(one.valid and not one.label for one in decisions) > 150
    (row,) = [one for one in made if isinstance(one, LedgerRow)]
    assert (row.kind, row.priority) == ("recalibrate", "medium")
    assert row.sample < 6 * FS
    closing = run(fitted(novelty=None), FOREIGN["white noise"](np.random.default_rng(9)))
    assert [one for one in closing if isinstance(one, Decision) and one.change == "activate"]


def test_a_held_hand_opens_soon_after_the_signals_turned_into_noise_and_stays_open():
    rng = np.random.default_rng(12)
    x = np.concatenate([brain(N, rng, grasp=True), FOREIGN["white noise"](rng)])
    made = run(fitted(), x)
    assert run(fitted(), x, size=len(x)) == made
    changes = [(one.change, one.sample) for one in made if isinstance(one, Decision) and one.change]
    assert [change for change, at in changes if at <= N][-1] == "activate"
    assert [change for change, at in changes if at > N] == ["release"]
    assert changes[-1][1] <= N + 1.0 * FS


def test_cued_windows_far_from_the_training_data_decide_nothing_and_are_counted():
    x, y = epochs()
    decoder = decoders.load("csp_lda")(fs=FS, window_s=0.4).fit(x, np.where(y == "rest", "left", "right"))
    noise = 80.0 * np.random.default_rng(1).normal(size=(round(130 * FS), N_CHANNELS))
    paradigm = paradigms.load("left_right")()
    stamps, at, made = np.arange(len(noise)) / FS, 0, []

    def source():
        nonlocal at
        for cue in paradigm.schedule(18, seed=0):
            first = round(cue.at_s * FS)
            yield Chunk(at, noise[at:first], stamps[at:first])
            at = first
            yield Marker("cue", at, cue.at_s, cue.label, {"duration_s": cue.duration_s, "trial": cue.trial})
        yield Chunk(at, noise[at:], stamps[at:])

    made = list(decode(source(), paradigm, decoder, fs=FS))
    decisions = [one for one in made if isinstance(one, Decision)]
    assert len(decisions) == 18
    assert {one.label for one in decisions if one.valid} == {""}
    assert sum(isinstance(one, LedgerRow) and one.kind == "recalibrate" for one in made) == 1


def test_a_few_windows_that_pass_among_far_ones_do_not_add_up():
    decoder, rng = fitted(), np.random.default_rng(10)
    x = brain(2 * N, rng, grasp=True)
    x[N:] += 60.0 * rng.normal(size=(N, N_CHANNELS)) * (np.arange(N) % 300 < 200)[:, None]
    late = [one for one in answers(decoder, x) if one.end > N + 200 and one.valid]
    assert all(one.rejected for one in late)
    start = decoder.start()._finish.accumulator
    assert {one.probabilities for one in late} == {tuple(start.probabilities(start.initial).tolist())}


def test_a_short_artefact_keeps_what_is_known():
    decoder, rng = fitted(), np.random.default_rng(11)
    x = brain(2 * N, rng)
    x[N : N + 10] += 800.0
    found = answers(decoder, x)
    at = next(k for k, one in enumerate(found) if one.far and one.end > N)
    assert found[at].probabilities == found[at - 1].probabilities
    assert found[at].rejected
    assert not found[-1].rejected


def test_the_levels_and_the_allowance_are_the_definition():
    power = np.random.default_rng(2).uniform(1, 50, 12)
    np.testing.assert_allclose(levels_of(power, 3), naive.levels(power, 3, 1e-9), rtol=1e-12)
    rng = np.random.default_rng(3)
    lanes = (
        np.tile(0.4 * rng.normal(size=(40000, 4)), 3)
        + np.repeat(0.2 * rng.normal(size=(40000, 3)), 4, axis=1)
        + 0.2 * rng.normal(size=(40000, 12))
    )
    drawn = np.array([naive.levels(np.exp(row), 3, 0.0) for row in lanes[:8000]])
    np.testing.assert_allclose(day_to_day(12, 3), np.cov(drawn.T), atol=0.02)


@pytest.mark.parametrize("held", [True, False])
def test_at_most_the_share_asked_for_of_held_out_windows_is_beyond_the_limit(held):
    rng = np.random.default_rng(4)
    power = np.exp(2.0 * rng.standard_t(4, size=(400, 6)))
    index, fold = np.arange(400) % 2, np.arange(400) * 5 // 400
    found = learn_novelty(power, index, n_bands=1, share=0.02, fold=fold if held else None)
    apart = [naive.levels(row, 1, 1e-9) @ found["novelty_whitening"].T - found["novelty_means"] for row in power]
    beyond = np.mean([(one**2).sum(axis=1).min() > found["novelty_limit"][0] for one in apart])
    assert beyond <= 0.02 if held else beyond > 0.02


@pytest.mark.parametrize("n", [60, 130, 170])
def test_at_most_that_share_of_the_windows_held_out_lies_beyond_the_limit(n):
    """However few they are: 1 % of 170 windows is one window, never two."""
    power = np.exp(4.0 * np.random.default_rng(6).standard_t(3, size=(n, 6)))
    index, fold = np.arange(n) % 2, np.arange(n) * 5 // n
    apart = np.empty(n)
    for one in range(5):
        test = fold == one
        others = learn_novelty(power[~test], index[~test], n_bands=1, share=0.01, fold=None)
        levels = np.array([naive.levels(row, 1, 1e-9) for row in power[test]])
        away = (levels @ others["novelty_whitening"].T)[:, None] - others["novelty_means"]
        apart[test] = (away**2).sum(axis=2).min(axis=1)
    limit = learn_novelty(power, index, n_bands=1, share=0.01, fold=fold)["novelty_limit"][0]
    assert (apart > limit * (1 + 1e-9)).sum() <= 0.01 * n
    assert limit == pytest.approx(np.sort(apart)[-1 - n // 100])


def test_the_share_counts_recent_evidence_and_advises_once():
    near, far = Evidence(1, (0.5, 0.5)), Evidence(1, (0.5, 0.5), rejected=True, far=True)
    familiarity = Familiarity(100)
    assert not any(familiarity.passed(near) for _ in range(500))
    assert not any(familiarity.passed(one) for one in (None, Evidence(1, (0.5, 0.5), valid=False)) * 50)
    assert [familiarity.passed(far) for _ in range(20)].count(True) == 1
    assert familiarity.share > FAR_SHARE
    assert not any(familiarity.passed(one) for one in [near] * 500 + [far] * 50)
    steady = Familiarity(100)
    assert not any(steady.passed(far if i % 50 == 0 else near) for i in range(2000))
    assert DOUBTFUL > FAR_SHARE


def test_a_single_channel_has_no_neighbour_and_is_compared_by_its_power():
    x, y = epochs()
    decoder = decoders.load("bandpower_svm")(fs=FS, window_s=0.4).fit(x[:, :1], y, lead_in=0.6)
    assert sorted(name for name in decoder.evidence_ if name.startswith("novelty")) == [
        "novelty_limit",
        "novelty_means",
        "novelty_whitening",
    ]
    own = brain(N, np.random.default_rng(8))[:, :1]
    assert share(answers(decoder, own)) <= 0.01
    assert share(answers(decoder, 8.0 * own)) > 0.98


def test_it_is_switched_off_in_words_and_a_share_outside_0_to_1_is_refused():
    assert not any(name.startswith("novelty") for name in fitted(novelty=None).evidence_)
    x = FOREIGN["white noise"](np.random.default_rng(7))
    assert not any(one.far for one in answers(fitted(novelty=None), x))
    with pytest.raises(BadValue, match="novelty must be None or a share of windows between 0 and 1, got 1.5"):
        fitted(novelty=1.5)


def test_a_class_of_one_block_still_gets_a_limit():
    x, y = epochs()
    decoder = decoders.load("bandpower_lda")(fs=FS, window_s=0.4)
    decoder.fit(x, y, lead_in=0.6, blocks=np.zeros(len(y)))
    assert share(answers(decoder, FOREIGN["white noise"](np.random.default_rng(7)))) > 0.98


def test_the_limit_is_part_of_the_hash(tmp_path):
    montage, hashes = Montage(tuple("abcd"), FS), []
    for k, factor in enumerate((1.0, 1.0, 1.001)):
        decoder = fitted()
        decoder.evidence_["novelty_limit"] = decoder.evidence_["novelty_limit"] * factor
        hashes.append(decoders.save(decoder, tmp_path / str(k), montage=montage))
    assert hashes[0] == hashes[1] != hashes[2]
    whole = json.loads((tmp_path / "0" / "decoder.json").read_text())
    assert whole["decoder"]["format"] == 5
    assert "evidence_novelty_limit" in whole["decoder"]["arrays"]
    x = FOREIGN["white noise"](np.random.default_rng(7))
    assert answers(decoders.read(tmp_path / "0"), x) == answers(fitted(), x)


@pytest.mark.parametrize("name", sorted(folder.name for folder in STORED.iterdir()))
def test_a_decoder_stored_by_the_version_before_decides_as_it_did_to_the_bit(name):
    decoder = decoders.read(STORED / name)
    assert json.loads((STORED / name / "decoder.json").read_text())["decoder"]["format"] == 2
    x = np.round(np.random.Generator(np.random.PCG64(7)).normal(0, 10, (1600, 3)), 3)
    x[400:800, 0] *= 0.4
    x[1200:1400] *= 8.0
    stream, made = decoder.start(), []
    for end in range(10, 1601, 10):
        stream.step(x[end - 10 : end])
        one = stream.evidence(end)
        made.append([end, [p.hex() for p in one.probabilities], one.valid, one.rejected])
        assert not one.far
    assert made == json.loads((STORED / name / "evidence.json").read_text())


def test_a_layout_of_a_later_version_is_refused(tmp_path):
    decoders.save(fitted(), tmp_path, montage=Montage(tuple("abcd"), FS))
    whole = json.loads((tmp_path / "decoder.json").read_text())
    whole["decoder"]["format"] = 7
    from workbench.decoders import _store

    with np.load(tmp_path / "arrays.npz") as archive:
        whole["sha256"] = _store._hash(whole["decoder"], dict(archive))
    (tmp_path / "decoder.json").write_text(json.dumps(whole))
    with pytest.raises(DecoderMismatch, match="layout 7, this version reads 1 to 6"):
        decoders.read(tmp_path)
