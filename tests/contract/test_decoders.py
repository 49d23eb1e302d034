"""Every entry of the decoder folder keeps the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.utils.validation import check_is_fitted

from tests.shares import examples, some, without_alike
from workbench import decoders
from workbench.errors import BadSignal, BadValue, DecoderMismatch, RecordingFault, UnknownName
from workbench.vocabulary import Montage

NAMES = decoders.available()
TRIED = without_alike(NAMES)
FS, N_CHANNELS = 200.0, 8
MONTAGE = Montage(tuple(f"E{i + 1}" for i in range(N_CHANNELS)), FS)


FIRST_HZ, SECOND_HZ = 10.0, 25.0
CODED = {"grasp": FIRST_HZ, "feet": FIRST_HZ, "3": FIRST_HZ, "rest": SECOND_HZ, "hands": SECOND_HZ, "7": SECOND_HZ}
EVOKED = {
    "frequencies": CODED,
    "harmonics": 2,
    "latency_s": 0.0,
}
"""Parameters of evoked decoders, for those that have them."""


def make(name, **params):
    made = decoders.load(name)
    evoked = {key: value for key, value in EVOKED.items() if key in made.parameter_names()}
    return made(**{"fs": FS, "window_s": 0.4, "hop_s": 0.05, **evoked, **params})


def wave(n, hz, size):
    """A sine that begins with the samples, µV: the same in every epoch, so that evoked decoders find it too."""
    return size * np.sin(2 * np.pi * hz * np.arange(n) / FS)


def add_class(x, *, first):
    """In the first class the power of half the channels falls, and they carry a slow wave; two others tell it too.

    ``x`` : noise ``(…, n_times, n_channels)``, changed in place.
    """
    n, half = x.shape[-2], N_CHANNELS // 2
    if first:
        x[..., :half] *= 0.5
        x[..., :half] += wave(n, 1.25, 40.0)[:, None]
    x[..., -2:] += wave(n, FIRST_HZ if first else SECOND_HZ, 15.0)[:, None]


def epochs(n=24, seconds=0.8, seed=0, classes=("grasp", "rest")):
    """Two classes in turn."""
    rng = np.random.default_rng(seed)
    y = np.array(classes)[np.arange(n) % len(classes)]
    x = rng.normal(0, 10, (n, round(seconds * FS), N_CHANNELS))
    for one, label in zip(x, y, strict=True):
        add_class(one, first=label == classes[0])
    return x.transpose(0, 2, 1) + 500.0, y


def signal(seconds=6.0, seed=1):
    """The first class for half the time, then the second."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 10, (round(seconds * FS), N_CHANNELS))
    half = len(x) // 2
    add_class(x[:half], first=True)
    add_class(x[half:], first=False)
    return x + 500.0


@pytest.fixture(scope="module", params=TRIED)
def fitted(request):
    return make(request.param).fit(*epochs())


WITHOUT_MEMORY = {"evidence": {"memory": None}}


# ------------------------------------------------------------------ conventions
@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_test_of_its_own(name):
    assert (Path(__file__).parents[1] / "decoders" / f"test_{name}.py").is_file()


@pytest.mark.parametrize("name", TRIED)
def test_the_constructor_only_stores_and_clone_gives_the_same_parameters(name):
    values = {key: object() for key in make(name).get_params()}
    decoder = decoders.load(name)(**values)
    assert all(getattr(decoder, key) is value for key, value in values.items())
    assert vars(decoder) == values
    assert clone(make(name, hop_s=0.1)).get_params() == make(name, hop_s=0.1).get_params()
    assert not [key for key in values if key.endswith("_")]


@pytest.mark.parametrize("name", TRIED)
def test_parameters_are_set_by_name_and_no_other(name):
    decoder = make(name)
    assert decoder.set_params(hop_s=0.1) is decoder
    assert decoder.hop_s == 0.1
    with pytest.raises(BadValue, match="has no parameter 'depth'"):
        decoder.set_params(depth=3)
    assert f"hop_s={0.1!r}" in repr(decoder)


@pytest.mark.parametrize("name", some(NAMES))
def test_cross_validation_works_and_finds_what_is_there(name):
    decoder = make(name, window_s=0.8)
    assert is_classifier(decoder)
    assert cross_val_score(decoder, *epochs(n=80), cv=4).mean() > 0.9
    assert not hasattr(decoder, "classes_")


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("labels", [("feet", "hands"), (3, 7)])
def test_classes_are_sorted_and_probabilities_sum_to_one(name, labels):
    x, y = epochs(classes=labels)
    decoder = make(name).fit(x, y)
    check_is_fitted(decoder)
    assert decoder.classes_.tolist() == sorted(labels)
    p = decoder.predict_proba(x)
    assert p.shape == (len(x), 2)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-15)
    assert np.array_equal(decoder.predict(x), decoder.classes_[p.argmax(axis=1)])
    odds = decoder.decision_function(x)
    np.testing.assert_allclose(p, np.stack([expit(-odds), expit(odds)], axis=1), rtol=1e-6, atol=1e-300)
    assert decoder.start().classes == tuple(map(str, sorted(labels)))


@pytest.mark.parametrize("name", TRIED)
def test_an_unfitted_decoder_says_so(name, tmp_path):
    decoder, (x, _) = make(name), epochs()
    with pytest.raises(NotFittedError):
        check_is_fitted(decoder)
    for use in (lambda: decoder.predict(x), decoder.start):
        with pytest.raises(BadSignal, match="not fitted; call fit"):
            use()
    with pytest.raises(BadSignal, match="not fitted"):
        decoders.save(decoder, tmp_path, montage=MONTAGE)
    with pytest.raises(BadSignal, match="settings_for"):
        _ = decoder.settings
    with pytest.raises(BadSignal, match="prepare"):
        decoder.fit_summaries(np.ones((4, 8)), ["a", "b", "a", "b"])


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(UnknownName, match="csp_lda"):
        decoders.load("crystal_ball")


# ------------------------------------------------------------------ bad input
def spoil(fault):
    x, y = epochs()
    if fault == "nan":
        x[3, 2, 50] = np.nan
    elif fault == "inf":
        x[3, 2, 50] = -np.inf
    elif fault == "flat":
        x[5, 2] = 7.0
    elif fault == "two_dimensions":
        x = x[0]
    elif fault == "no_epoch":
        x, y = x[:0], y[:0]
    elif fault == "short":
        x = x[:, :, :60]
    elif fault == "one_class":
        y = np.full(len(y), "rest")
    elif fault == "one_trial":
        y = np.where(np.arange(len(y)) == 0, "grasp", "rest")
    elif fault == "repeats":
        x[y == "grasp"] = x[y == "grasp"][0]
    elif fault == "labels":
        y = y[:-1]
    return x, y


FAULTS = {
    "nan": r"not finite.*epoch 3.*channels.* 2",
    "inf": r"not finite.*epoch 3",
    "flat": r"flat.*epoch 5.*channels.* 2",
    "two_dimensions": r"\(n_epochs, n_channels, n_times\), got \(8, 160\)",
    "no_epoch": "got \\(0, 8, 160\\)",
    "short": "need 80",
    "one_class": "one class",
    "one_trial": "at least 2 of each",
    "repeats": "12 epochs or windows of class grasp are all the same",
    "labels": r"shape \(24,\)",
}


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_epochs_that_cannot_be_learned_from_are_refused_in_words(name, fault):
    with pytest.raises(BadSignal, match=FAULTS[fault]):
        make(name).fit(*spoil(fault))


@pytest.mark.parametrize("fault", ["nan", "inf", "flat", "short"])
def test_epochs_that_cannot_be_decided_are_refused_in_words(fitted, fault):
    with pytest.raises(BadSignal, match=FAULTS[fault]):
        fitted.predict(spoil(fault)[0])


def test_another_number_of_channels_is_refused(fitted):
    with pytest.raises(BadSignal, match="8 channels, got 5"):
        fitted.predict(epochs()[0][:, :5])
    with pytest.raises(BadSignal, match=r"\(n_times, 8\)"):
        fitted.start().step(np.zeros((10, 5)))


@pytest.mark.parametrize("lead_in", [-0.1, 0.8, 5.0])
def test_a_lead_in_must_fit_in_the_epoch(fitted, lead_in):
    with pytest.raises(BadValue, match="lead_in"):
        fitted.predict(epochs()[0], lead_in=lead_in)


@pytest.mark.parametrize("name", TRIED)
def test_a_rate_too_low_for_the_bands_is_refused(name):
    decoder = make(name)
    fixed = {"bands": decoder.pass_bands()} if "bands" in decoder.get_params() else {}
    with pytest.raises(BadValue, match="needs a rate above"):
        make(name, fs=2 * max(high for _, high in decoder.pass_bands()), **fixed).fit(*epochs())


@pytest.mark.parametrize("name", TRIED)
def test_a_default_window_is_cut_to_shorter_epochs_but_a_given_one_is_not(name):
    decoder = make(name, window_s=None)
    x, y = epochs(seconds=0.3)
    own = decoder.defaults_for(N_CHANNELS).window_s
    assert decoder.fit(x, y).settings.window_s == pytest.approx(min(0.3, own))
    with pytest.raises(BadSignal, match="Cut longer epochs or set window_s"):
        make(name).fit(x, y)


@pytest.mark.parametrize("name", TRIED)
def test_windows_that_cannot_be_learned_from_are_refused(name):
    decoder = make(name)
    n_lanes = N_CHANNELS * len(decoder.pass_bands())
    with pytest.raises(BadSignal, match=rf"\(80, {n_lanes}\)"):
        decoder.fit_windows(np.ones((4, 80, 3)), ["a", "b", "a", "b"], n_channels=N_CHANNELS)
    with pytest.raises(BadSignal, match="no finite power"):
        decoder.fit_windows(np.zeros((4, 80, n_lanes)), ["a", "b", "a", "b"], n_channels=N_CHANNELS)
    repeated = np.random.default_rng(0).normal(0.0, 10.0, (1, 80, n_lanes)).repeat(4, axis=0)
    with pytest.raises(BadSignal, match="all the same"):
        decoder.fit_windows(repeated, ["a", "b", "a", "b"], n_channels=N_CHANNELS)


# ------------------------------------------------------------------ one decoder, offline and streaming
def test_fitting_on_windows_equals_fitting_on_epochs(fitted):
    x, y = epochs()
    stream, windows, labels = fitted.signal(), [], []
    for epoch, label in zip(x, y, strict=True):
        stream.reset()
        for at in range(0, 1 if fitted.time_locked else x.shape[2] - 80 + 1, 10):
            stream.step(np.ascontiguousarray(epoch[:, slice(0, 80) if at == 0 else slice(at + 70, at + 80)].T))
            windows.append(stream.window(stream.n_seen)[0].copy())
            labels.append(label)
    again = clone(fitted).fit_windows(windows, labels, n_channels=N_CHANNELS)
    for name in fitted.learned:
        assert np.array_equal(getattr(again, name), getattr(fitted, name)), name


@pytest.mark.parametrize("lead_in", [0.0, 0.25])
@pytest.mark.parametrize("name", TRIED)
def test_an_epoch_of_a_lead_in_and_a_window_gets_what_the_stream_says(name, lead_in):
    decoder = make(name)
    decoder.set_params(**WITHOUT_MEMORY).fit(*epochs(), lead_in=0.2)
    x, _ = epochs(n=4, seconds=lead_in + 0.4, seed=5)
    for epoch, p in zip(x, decoder.predict_proba(x, lead_in=lead_in), strict=True):
        stream = decoder.start()
        stream.step(np.ascontiguousarray(epoch.T))
        assert stream.evidence(stream.n_seen).probabilities == tuple(p)


def test_a_longer_epoch_averages_the_log_odds_of_its_windows(fitted):
    x, _ = epochs(n=1, seconds=0.55, seed=6)
    each = []
    for end in (80,) if fitted.time_locked else (80, 90, 100, 110):
        each.append(fitted.decision_function(x[:, :, :end], lead_in=(end - 80) / FS)[0])
    assert fitted.decision_function(x, lead_in=0.0)[0] == pytest.approx(np.mean(each), rel=1e-12)


def test_prediction_takes_the_lead_in_of_the_fit_unless_told(fitted):
    x, y = epochs()
    decoder = clone(fitted).fit(x, y, lead_in=0.3)
    assert np.array_equal(decoder.predict_proba(x), decoder.predict_proba(x, lead_in=0.3))
    assert not np.array_equal(decoder.predict_proba(x), decoder.predict_proba(x, lead_in=0.0))


# ------------------------------------------------------------------ streaming
ENDS = (5, 80, 133, 200, 410, 640, 777, 900, 1010, 1200)


def answers(decoder, x, cuts, *, gap=600, padded=False):
    """Evidence at every hop and at ``ENDS``, with a gap in the middle."""
    stream, made = decoder.start(), []
    stops = sorted({*cuts, gap, *ENDS, *range(0, len(x) + 1, decoder.start().hop)})
    done = 0
    for stop in stops:
        stream.step(x[done:stop])
        if padded:
            stream.step(x[:0])
        if stop in ENDS or stop % stream.hop == 0:
            made.append(stream.evidence(stop))
        if stop == gap:
            stream.reset()
        done = stop
    return made


@pytest.fixture(scope="module")
def faulty(fitted):
    """A signal with a hole and a flat channel, and the evidence of it in blocks of a hop."""
    x = signal()
    x[300:310, 3] = np.nan
    x[900:960, 1] = x[900, 1]
    return x, answers(fitted, x, [])


@settings(max_examples=examples(15))
@given(cuts=st.lists(st.integers(0, 1200), max_size=25))
def test_any_chunking_gives_the_same_evidence(fitted, faulty, cuts):
    x, expected = faulty
    assert answers(fitted, x, cuts, padded=True) == expected


def test_one_sample_at_a_time_gives_the_same_evidence(fitted):
    x = signal()
    assert answers(fitted, x, range(1200)) == answers(fitted, x, [])


def test_one_block_gives_the_same_late_evidence_as_prompt_questions(fitted):
    x = signal(seconds=3.0)
    prompt, late = fitted.start(), fitted.start()
    late.step(x)
    for stop in range(7, 601, 7):
        prompt.step(x[stop - 7 : stop])
        assert late.evidence(stop) == prompt.evidence(stop)


def test_evidence_is_valid_when_the_filters_have_settled_and_finds_the_class(fitted):
    decoder = clone(fitted)
    stream, x = decoder.set_params(**WITHOUT_MEMORY).fit(*epochs()).start(), signal()
    stream.step(x[:600])
    end = 560 if decoder.time_locked else 600  # of a window that begins where every wave is as in an epoch
    evidence = stream.evidence(end)
    assert evidence.valid
    assert stream.classes[int(np.argmax(evidence.probabilities))] == "grasp"
    stream.step(x[600:])
    assert stream.classes[int(np.argmax(stream.evidence(1200).probabilities))] == "rest"
    assert sum(evidence.probabilities) == pytest.approx(1.0, abs=1e-15)
    assert (stream.n_seen, stream.n_channels, stream.fs, stream.window, stream.hop) == (1200, 8, FS, 80, 10)


def test_an_incomplete_window_is_not_valid(fitted):
    stream = fitted.start()
    stream.step(signal()[:50])
    for end in (0, 50):
        evidence = stream.evidence(end)
        assert not evidence.valid
        assert sum(evidence.probabilities) == pytest.approx(1.0)


@pytest.mark.parametrize("end", [-1, 1201, 100])
def test_a_window_outside_the_history_is_refused(fitted, end):
    stream = fitted.start()
    stream.step(signal())
    with pytest.raises(BadValue, match="may end between"):
        stream.evidence(end)


@pytest.mark.parametrize("fall", ["nan", "inf", "flat", "huge", "pop"])
def test_a_fallen_electrode_is_never_valid_and_never_decides_silently(fitted, fall):
    back = 800 + fitted.signal().n_settle + 600
    x = signal()[np.arange(back) % 600]
    value = {"nan": np.nan, "inf": np.inf, "flat": x[700, 2], "huge": 1e12}.get(fall)
    lane, seen = 2, 730
    if fall == "pop" and fitted.name == "emg_envelope":
        # It reads one channel, and of that the quiet part of a window: in a part of it, pulses may be as loud.
        lane, seen = 0, 780
    x[700:800, lane] = value if value is not None else 500.0 + (x[700:800, lane] - 500.0) * 300.0
    stream = fitted.start()
    stream.step(x[:800])
    assert stream.evidence(700).valid
    late = [stream.evidence(end) for end in range(seen, 801)]
    assert not any(evidence.valid for evidence in late)
    assert all(0.0 <= p <= 1.0 for evidence in late for p in evidence.probabilities)
    stream.step(x[800:])
    assert stream.evidence(back).valid


@pytest.mark.job
def test_reading_and_streaming_a_decoder_needs_no_slow_library(tmp_path):
    for name in NAMES:
        decoders.save(make(name).fit(*epochs()), tmp_path / name, montage=MONTAGE)
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\nfrom workbench import decoders\n"
        "for folder in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    stream = decoders.read(folder).start()\n"
        "    stream.step(np.ones((400, 8)))\n    stream.evidence(400)\n"
        "    slow = ('sklearn', 'mne', 'scipy.signal', 'scipy.linalg', 'pandas')\n"
        "    print(folder.name, *[m for m in slow if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (0, sorted(NAMES)), done.stderr


# ------------------------------------------------------------------ on disk
def test_what_is_read_is_what_was_saved(fitted, tmp_path):
    sha256 = decoders.save(fitted, tmp_path / "a", montage=MONTAGE, meta={"runs": ["one"], "n": 24})
    again = decoders.read(tmp_path / "a")
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["arrays.npz", "decoder.json"]
    assert again.sha256_ == fitted.sha256_ == sha256
    assert again.montage_ == MONTAGE
    assert type(again) is type(fitted)
    assert answers(again, signal(), []) == answers(fitted, signal(), [])
    assert np.array_equal(again.predict(epochs()[0]), fitted.predict(epochs()[0]))
    assert decoders.save(again, tmp_path / "b", montage=MONTAGE, meta={"runs": ["one"], "n": 24}) == sha256
    assert decoders.save(again, tmp_path / "c", montage=MONTAGE) != sha256


def test_one_changed_bit_in_an_array_is_noticed(fitted, tmp_path):
    decoders.save(fitted, tmp_path, montage=MONTAGE)
    with np.load(tmp_path / "arrays.npz") as archive:
        arrays = dict(archive)
    changed = arrays[fitted.learned[-1]].reshape(-1)
    changed[0] = np.nextafter(changed[0], 10)
    np.savez(tmp_path / "arrays.npz", **arrays)
    with pytest.raises(DecoderMismatch, match="its hash is"):
        decoders.read(tmp_path)


@pytest.mark.parametrize("key", ["classes", "settings", "montage", "params", "meta"])
def test_one_changed_word_in_the_text_is_noticed(fitted, tmp_path, key):
    decoders.save(fitted, tmp_path, montage=MONTAGE)
    path = tmp_path / "decoder.json"
    whole = json.loads(path.read_text())
    whole["decoder"][key] = {"changed": 1}
    path.write_text(json.dumps(whole))
    with pytest.raises(DecoderMismatch, match="changed or damaged"):
        decoders.read(tmp_path)


def damage_text(folder):
    (folder / "decoder.json").write_text("{")


def damage_arrays(folder):
    path = folder / "arrays.npz"
    path.write_bytes(path.read_bytes()[:100])


def remove_arrays(folder):
    (folder / "arrays.npz").unlink()


def remove_text(folder):
    (folder / "decoder.json").unlink()


def another_text(folder):
    (folder / "decoder.json").write_text("[]")


@pytest.mark.parametrize("damage", [damage_text, damage_arrays, remove_arrays, remove_text, another_text])
def test_a_folder_that_holds_no_readable_decoder_is_refused(fitted, tmp_path, damage):
    decoders.save(fitted, tmp_path, montage=MONTAGE)
    damage(tmp_path)
    with pytest.raises(RecordingFault, match="no decoder|cannot be read"):
        decoders.read(tmp_path)


@pytest.mark.parametrize("montage", [Montage(MONTAGE.channels[:-1], FS), Montage(MONTAGE.channels, 250.0)])
def test_a_decoder_is_saved_with_its_own_montage_only(fitted, tmp_path, montage):
    with pytest.raises(DecoderMismatch, match="the montage has"):
        decoders.save(fitted, tmp_path, montage=montage)


SWAPPED = ("E2", "E1", *MONTAGE.channels[2:])
RENAMED = ("Cz", *MONTAGE.channels[1:])


@pytest.mark.parametrize(
    ("montage", "words"),
    [
        (Montage(MONTAGE.channels, 500.0), "200 Hz, the stream has 500"),
        (Montage(MONTAGE.channels, FS, unit="V"), "fitted on uV, the stream has V"),
        (Montage(MONTAGE.channels, FS, unit="N"), "fitted on uV, the stream has N"),
        (Montage(SWAPPED, FS), "another order .*E1 is now E2"),
        (Montage(RENAMED, FS), "missing E1; unknown Cz"),
        (Montage(MONTAGE.channels[:7], FS), "7 channels instead of 8; missing E8"),
    ],
)
def test_another_montage_is_refused_by_name(fitted, tmp_path, montage, words):
    decoders.save(fitted, tmp_path, montage=MONTAGE)
    decoder = decoders.read(tmp_path)
    decoders.check_montage(decoder, MONTAGE)
    with pytest.raises(DecoderMismatch, match=words):
        decoders.check_montage(decoder, montage)


@pytest.mark.parametrize("name", TRIED)
def test_a_decoder_without_a_montage_cannot_be_checked(name):
    with pytest.raises(DecoderMismatch, match="no montage"):
        decoders.check_montage(make(name), MONTAGE)


def rewrite(folder, **changes):
    """Change the text and give it a fresh hash, as another version would have written it."""
    from workbench.decoders import _store

    whole = json.loads((folder / "decoder.json").read_text())
    whole["decoder"] |= changes
    with np.load(folder / "arrays.npz") as archive:
        whole["sha256"] = _store._hash(whole["decoder"], dict(archive))
    (folder / "decoder.json").write_text(json.dumps(whole))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 99}, "layout 99"),
        ({"name": "crystal_ball"}, "no decoder of the name"),
        ({"params": {"depth": 3}}, "lacks what this version needs"),
        ({"settings": {"wavelet": 1}}, "lacks what this version needs"),
    ],
)
def test_a_decoder_of_another_version_is_refused(fitted, tmp_path, changes, words):
    decoders.save(fitted, tmp_path, montage=MONTAGE)
    rewrite(tmp_path, **changes)
    with pytest.raises(DecoderMismatch, match=words):
        decoders.read(tmp_path)
