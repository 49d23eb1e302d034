"""Every decoder keeps the conventions of scikit-learn: its own checks, routing, errors, and cross-validation."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score, cross_validate
from sklearn.utils.estimator_checks import check_estimator

from tests.contract.test_decoders import MONTAGE, TRIED, epochs, make
from tests.shares import every_decoder
from workbench import decoders
from workbench.errors import BadSignal, BadValue, DecoderMismatch
from workbench.vocabulary import Montage

PAGE = Path(__file__).parents[2] / "docs" / "decoders.md"
FS, N_TIMES = 100.0, 50
NOISE = np.random.default_rng(3).normal(0.0, 3.0, (64, N_TIMES))


def as_epochs(table):
    """Epochs ``(n, n_columns, n_times)``, µV, of a table: each value sets size and phase of a wave in its channel.

    Only what a check means as a table is turned; what it breaks on purpose reaches the decoder as it is.
    """
    if hasattr(table, "toarray"):
        return table
    values = np.asarray(table)
    if values.ndim != 2 or 0 in values.shape or values.dtype.kind == "c":
        return values
    values = values.astype(float)[:, :, None]
    hz, t = 8.0 + 3.0 * np.arange(values.shape[1])[:, None], np.arange(N_TIMES) / FS
    # The sine keeps apart both standardised values and values about 100, which some checks take.
    with np.errstate(invalid="ignore"):
        waves = 10.0 * (1.2 + np.sin(values / 1.5)) * np.sin(2 * np.pi * hz * t + 0.5 * values)
    return np.where(np.isfinite(values), waves + NOISE[: values.shape[1]], values)


def on_tables(name):
    """The decoder, for checks that know tables only."""
    kind = decoders.load(name)

    class OnTables(kind):
        def fit(self, X, y, **given):
            return super().fit(as_epochs(X), y, **given)

        def predict(self, X):
            return super().predict(as_epochs(X))

        def predict_proba(self, X):
            return super().predict_proba(as_epochs(X))

        def decision_function(self, X):
            return super().decision_function(as_epochs(X))

        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.input_tags.two_d_array = True
            # Classes that are frequencies: the waves of a table have those of their columns whatever their class.
            tags.classifier_tags.poor_score = "frequencies" in self.parameter_names()
            return tags

    OnTables.__signature__ = inspect.signature(kind)
    OnTables.__name__ = OnTables.__qualname__ = f"{kind.__name__}OnTables"
    globals()[OnTables.__name__] = OnTables  # pickle finds a class by its name
    return OnTables


LABELS = (
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.0",
    "1.0",
    "2.0",
    "one",
    "two",
    "three",
    "setosa",
    "versicolor",
    "virginica",
)
GIVEN = {"frequencies": {label: 6.0 + 2.0 * k for k, label in enumerate(LABELS)}, "harmonics": 1, "latency_s": 0.0}

EXPECTED = {
    "check_n_features_in_after_fitting": "the sentence counts channels: 'fitted on 4 channels, got 1'",
    "check_estimators_empty_data_messages": "the sentence names the shape of epochs, three-dimensional",
    "check_fit2d_predict1d": "the sentence names the shape of epochs in place of 'Reshape your data'",
    "check_supervised_y_2d": "labels in a column are refused with their shape, not flattened with a warning",
    # Pickle itself is shown by test_a_pickled_decoder_decides_alike; what is stored is saved by decoders.save.
    "check_estimators_pickle": "kernels are compiled for arrays of their own, not for joblib's read-only mappings",
}
"""Checks that do not apply to raw epochs, and why. All but the last ask for other words in a refusal."""
TWO_CHANNELS = {"check_fit2d_1feature": "spatial patterns need two channels, and the sentence says so"}
MANY_TRIALS = {
    "check_classifiers_train": "references of 100 trials span a window of 40 samples: scores differ by rounding"
}
OF_ONE = {"csp_lda": TWO_CHANNELS, "fbcsp": TWO_CHANNELS, "mset_cca": MANY_TRIALS}
NOT_RUN = {
    "check_array_api_input": "it needs SCIPY_ARRAY_API=1 before SciPy is imported; decoders take NumPy arrays"
}


@pytest.mark.job
@pytest.mark.parametrize("name", every_decoder())
@pytest.mark.filterwarnings("ignore")  # checks provoke warnings of NumPy and scikit-learn on purpose
def test_the_checks_of_scikit_learn_pass_or_say_why_they_do_not_apply(name):
    known = {key: value for key, value in GIVEN.items() if key in decoders.load(name).parameter_names()}
    # Evidence needs more epochs than a check has; it is tested by itself.
    evidence = {"memory": None, "calibrate": None, "novelty": None}
    decoder = on_tables(name)(fs=FS, window_s=0.4, hop_s=0.1, mains_hz=0.0, evidence=evidence, **known)
    expected = EXPECTED | OF_ONE.get(name, {})
    results = check_estimator(decoder, expected_failed_checks=expected, on_skip=None, on_fail=None)
    failed = {one["check_name"]: repr(one["exception"]) for one in results if one["status"] == "failed"}
    # As text: a dict that differs is cut short, and the remedy stands at the end.
    assert not failed, "\n".join(f"{check}: {error}" for check, error in failed.items())
    assert {one["check_name"] for one in results if one["status"] == "skipped"} <= set(NOT_RUN)
    assert len([one for one in results if one["status"] == "passed"]) >= 40
    assert {one["check_name"] for one in results if one["status"] == "xfail"} == set(expected)


@pytest.mark.parametrize("name", TRIED)
def test_a_pickled_decoder_decides_alike(name):
    x, y = epochs()
    decoder = make(name).fit(x, y)
    again = pickle.loads(pickle.dumps(decoder))  # noqa: S301 our own bytes
    assert np.array_equal(again.predict_proba(x), decoder.predict_proba(x))
    assert again.get_params() == decoder.get_params()


@pytest.mark.parametrize("name", TRIED)
def test_a_decoder_that_is_not_fitted_raises_the_error_of_either_name(name):
    x, _ = epochs()
    for error in (NotFittedError, BadSignal):
        with pytest.raises(error, match="not fitted; call fit"):
            make(name).predict(x)


# ------------------------------------------------------------------ metadata routing
@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_routing_hands_blocks_and_the_lead_in_on_to_fit(routing):
    x, y = epochs(n=24, seconds=1.0)
    blocks = np.arange(24) // 4
    decoder = make("csp_lda").set_fit_request(blocks=True, lead_in=True)
    found = cross_validate(decoder, x, y, cv=3, params={"blocks": blocks, "lead_in": 0.25}, return_estimator=True)
    assert [one.lead_in_ for one in found["estimator"]] == [0.25] * 3
    assert clone(decoder).get_metadata_routing().fit.requests == {"lead_in": True, "blocks": True}
    assert decoder.get_metadata_routing().predict.requests == {}


def test_what_nobody_asked_for_is_not_handed_on_in_silence(routing):
    x, y = epochs()
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="blocks"):
        cross_validate(make("csp_lda"), x, y, cv=3, params={"blocks": np.arange(24)})


def test_only_what_fit_takes_can_be_requested():
    with pytest.raises(BadValue, match="fit takes no sample_weight; it takes lead_in, blocks"):
        make("csp_lda").set_fit_request(sample_weight=True)


# ------------------------------------------------------------------ shown
def test_the_table_of_a_decoder_shows_its_parameters_and_what_was_fitted_escaped():
    page = make("csp_lda", evidence={"rest": "<script>"})._repr_html_()
    assert "CspLda (not fitted)" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    fitted = make("csp_lda").fit(*epochs())
    page = fitted._repr_html_()
    assert "CspLda (fitted)" in page
    assert "grasp, rest" in page
    assert "8–30 Hz" in page
    assert "0.4 s, every 0.05 s" in page


def test_the_table_names_the_hash_of_a_stored_decoder(tmp_path):
    sha256 = decoders.save(make("csp_lda").fit(*epochs()), tmp_path, montage=MONTAGE)
    assert sha256 in decoders.read(tmp_path)._repr_html_()


# ------------------------------------------------------------------ patterns
LINEAR = {
    "bandpower_lda": "weights_",
    "csp_lda": "filters_",
    "errp": "filters_",
    "fbcsp": "filters_",
    "mrcp_lda": "weights_",
    "tangent_space_lda": "weights_",
    "xdawn_lda": "filters_",
    "xdawn_tangent_space": "filters_",
}


@pytest.mark.parametrize("name", sorted(LINEAR))
def test_a_linear_decoder_has_patterns_in_the_shape_of_what_they_explain(name):
    decoder = make(name).fit(*epochs())
    assert decoder.patterns_.shape == getattr(decoder, LINEAR[name]).shape
    assert np.isfinite(decoder.patterns_).all()


@pytest.mark.parametrize(
    "name", ["bandpower_svm", "cca", "ecca", "etrca", "fbcca", "mset_cca", "riemann_mdm", "tdca", "trca"]
)
def test_a_decoder_without_a_linear_part_has_no_patterns(name):
    assert not hasattr(make(name).fit(*epochs()), "patterns_")


def test_a_pattern_shows_where_a_source_is_and_a_filter_where_noise_is_cancelled():
    rng = np.random.default_rng(0)
    y = np.repeat(["left", "right"], 40)
    source = rng.normal(0.0, 10.0, (80, 200)) * np.where(y == "left", 3.0, 1.0)[:, None]
    disturbance = rng.normal(0.0, 30.0, (80, 200))
    x = rng.normal(0.0, 1.0, (80, 3, 200))
    x[:, 0] += source + disturbance
    x[:, 1] += disturbance
    decoder = make("csp_lda", fs=200.0, reference="none", mains_hz=0.0, n_pairs=1, shrinkage=0.0).fit(x, y)
    best, pattern = decoder.filters_[0], decoder.patterns_[0]
    assert abs(best[1]) > 0.8 * abs(best[0])  # the filter takes off what channel 1 shows of the disturbance
    assert abs(pattern[1]) < 0.2 * abs(pattern[0])  # where nothing of the source is


def test_patterns_are_not_stored_and_change_no_hash(tmp_path):
    decoder = make("csp_lda").fit(*epochs())
    sha256 = decoders.save(decoder, tmp_path / "a", montage=MONTAGE)
    del decoder.patterns_
    assert decoders.save(decoder, tmp_path / "b", montage=MONTAGE) == sha256
    assert not hasattr(decoders.read(tmp_path / "a"), "patterns_")


# ------------------------------------------------------------------ the user's own epochs
OWN = """
import mne
from sklearn.model_selection import cross_val_score
from workbench import decoders

epochs = mne.read_epochs("own-epo.fif")
decoder = decoders.load("csp_lda")(fs=epochs.info["sfreq"])
print(cross_val_score(decoder, epochs, epochs.events[:, 2], cv=5))
"""


@pytest.fixture
def mne_epochs():
    mne = pytest.importorskip("mne")
    x, y = epochs(n=40, seconds=1.0)
    info = mne.create_info(list(MONTAGE.channels), 200.0, "eeg")
    events = np.column_stack([200 * np.arange(40), np.zeros(40, int), np.where(y == "grasp", 1, 2)])
    return mne.EpochsArray(x * 1e-6, info, events, tmin=0.0, verbose="error")


@pytest.mark.job
def test_six_lines_cross_validate_own_epochs_as_the_page_of_decoders_shows(mne_epochs, tmp_path):
    assert OWN.strip() in PAGE.read_text(encoding="utf-8")
    assert len([line for line in OWN.splitlines() if line]) == 6
    mne_epochs.save(tmp_path / "own-epo.fif", verbose="error")
    done = subprocess.run([sys.executable, "-c", OWN], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    scores = np.array(done.stdout.splitlines()[-1].strip("[] ").split(), dtype=float)
    assert scores.shape == (5,)
    assert scores.mean() > 0.9


def test_epochs_and_their_samples_in_microvolts_are_fitted_alike(mne_epochs):
    labels = mne_epochs.events[:, 2]
    of_epochs, of_arrays = make("csp_lda"), make("csp_lda")
    scores = cross_val_score(of_epochs, mne_epochs, labels, cv=4)
    assert np.array_equal(scores, cross_val_score(of_arrays, mne_epochs.get_data() * 1e6, labels, cv=4))


def test_epochs_of_other_channels_or_another_order_are_refused_by_name(mne_epochs, tmp_path):
    labels = mne_epochs.events[:, 2]
    decoder = make("csp_lda").fit(mne_epochs, labels)
    assert decoder.feature_names_in_.tolist() == list(MONTAGE.channels)
    swapped = mne_epochs.copy().reorder_channels(["E2", "E1", *MONTAGE.channels[2:]])
    with pytest.raises(DecoderMismatch, match=r"another order \(E1 is now E2; E2 is now E1\).*reorder_channels"):
        decoder.predict(swapped)
    with pytest.raises(DecoderMismatch, match="7 channels instead of 8; missing E8"):
        decoder.predict_proba(mne_epochs.copy().drop_channels(["E8"]))
    with pytest.raises(DecoderMismatch, match="the montage has other channels than the epochs .*missing E1"):
        decoders.save(decoder, tmp_path, montage=Montage(("Cz", *MONTAGE.channels[1:]), MONTAGE.fs))
    decoders.save(decoder, tmp_path, montage=MONTAGE)
    stored = decoders.read(tmp_path)
    assert np.array_equal(stored.predict(mne_epochs), decoder.predict(mne_epochs))
    with pytest.raises(DecoderMismatch, match="another order"):
        stored.predict(swapped)


def test_fitting_on_arrays_forgets_the_names_of_earlier_epochs(mne_epochs):
    decoder = make("csp_lda").fit(mne_epochs, mne_epochs.events[:, 2])
    assert not hasattr(decoder.fit(*epochs()), "feature_names_in_")


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (None, "none", "requires y to be passed"),
        (None, "fractions", "continuous"),
        ("complex", None, "Complex data not supported"),
    ],
)
def test_what_is_no_class_and_no_signal_is_refused_in_words(x, y, words):
    samples, labels = epochs()
    labels = {"none": None, "fractions": np.linspace(0.0, 1.0, len(labels))}.get(y, labels)
    with pytest.raises(BadSignal, match=words):
        make("csp_lda").fit(samples + 1j if x == "complex" else samples, labels)


def test_sparse_input_is_refused_in_words():
    with pytest.raises(BadSignal, match="sparse input is not supported"):
        make("csp_lda").fit(csr_array(np.eye(4)), [0, 1, 0, 1])
