"""A fitted decoder whose centre is moved to another day: the classifier stays, a changed gain is undone."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import BadValue
from workbench.vocabulary import Montage

FS, N_CHANNELS = 200.0, 4
MOVED = [
    ("tangent_space_lda", {}),
    ("bandpower_lda", {}),
    ("bandpower_ridge", {}),
    ("riemann_mdm", {"adapt": {"rule": "recentre"}}),
]


def windows(decoder, *, seed, gain=1.0):
    """Summaries and classes of white windows, of which the movement has less power in the first lane."""
    rng = np.random.default_rng(seed)
    y = np.array(["grasp", "rest"] * 30)
    n_window, n_lanes = decoder.settings.n_window(FS), decoder.signal().n_lanes
    x = gain * rng.normal(0, 10, (len(y), n_window, n_lanes))
    x[y == "grasp", :, 0] *= 0.6
    return np.array([decoder.summarise(window) for window in x]), y


def made(name, **params):
    decoder = decoders.load(name)(fs=FS, **params).prepare(N_CHANNELS)
    return decoder.fit_summaries(*windows(decoder, seed=1))


@pytest.mark.parametrize(("name", "params"), MOVED)
def test_a_changed_gain_is_undone_and_the_classifier_stays(name, params):
    before = made(name, **params)
    summaries, y = windows(before, seed=1, gain=1.7)
    after = before.recentred_on(summaries, y)
    np.testing.assert_allclose(after.scores_of(summaries), before.scores_of(windows(before, seed=1)[0]), atol=1e-6)
    kept = "whiteners_" if name == "riemann_mdm" else "weights_"
    assert getattr(after, kept) is getattr(before, kept)
    assert not hasattr(after, "patterns_")
    np.testing.assert_allclose(after.high_, before.high_ * 1.7**2)


@pytest.mark.parametrize(("name", "params"), MOVED)
def test_a_re_centred_decoder_is_stored_and_read_as_any_other(name, params, tmp_path):
    before = made(name, **params)
    after = before.recentred_on(*windows(before, seed=2, gain=1.7))
    montage = Montage(tuple("abcd"), FS)
    sources = [{"run": "r1", "sha256": "ab" * 32}]
    first = decoders.save(before, tmp_path / "before", montage=montage, meta={"recordings": sources})
    second = decoders.save(after, tmp_path / "after", montage=montage, meta={"recentred_from": first})
    assert second != first
    read = decoders.read(tmp_path / "after")
    summaries, _ = windows(before, seed=3)
    np.testing.assert_array_equal(read.scores_of(summaries), after.scores_of(summaries))
    assert decoders.recordings_in(tmp_path / "before") == sources
    assert decoders.recordings_in(tmp_path / "after") == []


def test_a_decoder_without_a_centre_or_with_another_adaptation_says_so():
    for name, params, words in (
        ("csp_lda", {}, "csp_lda has no centre that can be moved; fit it on today's runs"),
        ("bandpower_lda", {"adapt": {"rule": "pmean"}}, "adapts from the features of its fit"),
    ):
        decoder = made(name, **params)
        with pytest.raises(BadValue, match=words):
            decoder.recentred_on(*windows(decoder, seed=2))
