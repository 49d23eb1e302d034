"""A level is a shrunk regression on log band power, smoothed; a state with it is as likely as its class."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import BadValue
from workbench.vocabulary import EvidenceType, Montage

FS, N = 200.0, 4
LEVELS = {"rest": 0.0, "half": 0.5, "full": 1.0}


def make(**params):
    return decoders.load("bandpower_level")(
        **{"fs": FS, "window_s": 0.2, "reference": "none", "levels": LEVELS, **params}
    )


def samples(label, seconds, rng):
    """Two channels grow stronger with the level, two weaker."""
    gain = np.ones(N)
    gain[:2] *= np.exp(LEVELS[label])
    gain[2:] *= np.exp(-LEVELS[label])
    return rng.normal(0, 10, (round(seconds * FS), N)) * gain


def fitted(**params):
    rng = np.random.default_rng(8)
    labels = [*LEVELS] * 12
    epochs = np.array([samples(label, 1.0, rng).T for label in labels])
    return make(**params).fit(epochs, labels, lead_in=0.4)


def said(decoder, label, seconds=3.0):
    """Evidence at every hop of the last two seconds of a stream."""
    stream, rng = decoder.start(), np.random.default_rng(9)
    stream.step(samples(label, seconds, rng))
    return [stream.evidence(end) for end in range(round(200 * seconds) - 390, round(200 * seconds) + 1, 10)]


def test_a_level_is_one_value_of_the_kind_and_unit_that_were_asked_for():
    decoder = fitted(quantity=("force", "N"))
    assert decoder.evidence_type == EvidenceType("force", ("force",), "N")
    assert decoder.remembers
    middle = {label: np.mean([e.values[0] for e in said(decoder, label)]) for label in LEVELS}
    assert all(abs(middle[label] - level) < 0.2 for label, level in LEVELS.items())
    assert said(decoder, "full")[0].probabilities == ()


def test_an_amplitude_is_the_force_without_what_lies_below_zero():
    force, amplitude = fitted(quantity=("force", "fraction")), fitted(quantity=("amplitude", "fraction"))
    pairs = list(zip(said(force, "rest"), said(amplitude, "rest")))
    assert min(f.values[0] for f, _ in pairs) < 0.0
    assert [a.values[0] for _, a in pairs] == [max(0.0, f.values[0]) for f, _ in pairs]
    assert amplitude.evidence_type.kind == "amplitude"


def test_a_state_with_its_level_is_the_probability_of_a_level_times_the_level():
    force, both = fitted(quantity=("force", "fraction")), fitted(quantity=("state_level", "fraction"))
    assert both.evidence_type == EvidenceType("state_level", ("level",), "fraction")
    for label in LEVELS:
        for plain, evidence in zip(said(force, label), said(both, label)):
            odds = [
                both.log_prior_[k] - (plain.values[0] - LEVELS[name]) ** 2 / (2 * both.error_[0])
                for k, name in enumerate(both.class_names)
            ]
            p = np.exp(odds) / np.exp(odds).sum()
            assert evidence.probabilities == pytest.approx(tuple(p), rel=1e-9, abs=1e-12)
            above = 1.0 - p[both.class_names.index("rest")]
            assert evidence.values[0] == pytest.approx(above * min(max(plain.values[0], 0.0), 1.0), abs=1e-12)
            assert sum(evidence.probabilities) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"quantity": ("velocity", "1/s")}, "one of force, amplitude, state_level, got 'velocity'"),
        ({"levels": {"rest": 0.0, "half": 1.0}}, "levels needs one finite value for each of full, half, rest"),
        ({"levels": dict.fromkeys(LEVELS, 0.5)}, r"levels must differ between classes, got \(0\.5,\)"),
        (
            {"levels": {**LEVELS, "rest": -0.5}, "quantity": ("amplitude", "mA")},
            "must be 0 or above, got -0.5 to 1",
        ),
        ({"levels": {**LEVELS, "full": 2.0}, "quantity": ("state_level", "")}, "must be within 0–1, got 0 to 2"),
    ],
)
def test_levels_that_no_evidence_could_be_are_refused(params, sentence):
    with pytest.raises(BadValue, match=sentence):
        fitted(**params)


def test_what_was_stored_gives_the_same_level(tmp_path):
    decoder = fitted(quantity=("state_level", ""))
    decoders.save(decoder, tmp_path, montage=Montage(tuple("abcd"), FS))
    assert said(decoders.read(tmp_path), "half") == said(decoder, "half")


def test_without_levels_it_is_a_classifier():
    decoder = fitted(levels=None)
    assert decoder.evidence_type == EvidenceType()
    assert sum(said(decoder, "full")[-1].probabilities) == pytest.approx(1.0)
