"""Inputs and settings at the edges: few channels, blocks of another length, long spans, no data at all."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.decoding.adapt import Recentring
from workbench.errors import BadSignal, BadValue

FS = 128.0
FREQUENCIES = {"9": 9.0, "11": 11.0}


def epochs(n=18, n_channels=2, seconds=2.5):
    rng = np.random.default_rng(0)
    return rng.normal(0, 10, (n, n_channels, round(seconds * FS))), np.array(["a", "b", "b"] * (n // 3))


@pytest.mark.parametrize("name", ["csp_lda", "fbcsp"])
def test_two_channels_with_a_common_average_have_no_spatial_patterns(name):
    with pytest.raises(BadSignal, match="2 directions with signal"):
        decoders.load(name)(FS, reference="car").fit(*epochs())


@pytest.mark.parametrize("n", [2, 40])
def test_blocks_of_another_length_are_refused(n):
    with pytest.raises(BadSignal, match="blocks must have shape"):
        decoders.load("csp_lda")(FS).fit(*epochs(), blocks=np.arange(n))


@pytest.mark.parametrize("name", ["riemann_mdm", "fgmdm", "bandpower_svm"])
def test_a_temperature_brings_no_prior_into_scores_that_hold_none(name):
    made = decoders.load(name)(FS, evidence={"calibrate": "temperature"}).fit(*epochs())
    np.testing.assert_array_equal(made.log_prior_, 0.0)


@pytest.mark.parametrize("memory", ["leaky", "sprt"])
def test_sums_of_evidence_need_no_data(memory):
    decoder = decoders.load("cca")(FS, frequencies=FREQUENCIES, evidence={"memory": memory}).start_from(2)
    stream = decoder.start()
    stream.step(np.ascontiguousarray(epochs(3, seconds=4.0)[0][0].T))
    assert sum(stream.evidence(stream.n_seen).probabilities) == pytest.approx(1.0)


def test_a_trigger_needs_data():
    frequencies = {**FREQUENCIES, "rest": 7.0}
    with pytest.raises(BadValue, match="learned from rest"):
        decoders.load("cca")(FS, frequencies=frequencies, evidence={"memory": "trigger"}).start_from(2)


def test_a_decoder_started_again_loses_the_hash_of_the_one_before():
    decoder = decoders.load("cca")(FS, frequencies=FREQUENCIES).start_from(2)
    decoder.sha256_ = "0" * 64
    assert not hasattr(decoder.start_from(3), "sha256_")


def test_window_lengths_may_span_more_than_the_history():
    made = [decoders.load("cca")(FS, frequencies=FREQUENCIES, window_s=s).start_from(2) for s in (0.5, 4.0)]
    for one in made:
        one.evidence_ = {"least": np.array([np.inf])}
    stream = decoders.StoppingStream(made, (0.5, 4.0))
    samples, found = np.random.default_rng(1).normal(0, 10, (round(8 * FS), 2)), None
    for first in range(0, len(samples), 16):
        stream.step(samples[first : first + 16])
        found = found or stream.decide(round(2 * FS))
    assert found is not None
    assert found.length_s == 4.0


def test_a_band_without_a_distance_counts_as_out_of_bounds():
    decoder = decoders.load("tangent_space_lda")(
        FS, bands=((8.0, 12.0), (12.0, 30.0)), adapt={"rule": "recentre"}
    ).fit(*epochs())
    rule = Recentring(
        decoder.scorer(), decoder.adaptation_["reference"], least=0.02, euclidean=False,
        head="", every=1, longest_rest=10, bound=2.0,
    )  # fmt: skip
    rule._reference = rule._reference.copy()
    rule._reference[1] = np.nan
    assert not rule.excursion() <= 2.0
