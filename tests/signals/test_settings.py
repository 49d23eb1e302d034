"""Settings say no in words."""

from __future__ import annotations

import json

import pytest

from workbench.errors import BadValue
from workbench.signals import SignalSettings

GOOD = {"bands": ((8, 30),), "window_s": 0.5}


def test_settings_survive_json():
    settings = SignalSettings(bands=((8, 13), (13, 30)), window_s=0.5, reference="bipolar", pairs=((0, 1), (2, 1)))
    again = SignalSettings.from_json(json.loads(json.dumps(settings.to_json())))
    assert again == settings
    assert hash(again) == hash(settings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reference": "mean"}, "none, car, bipolar"),
        ({"reference": "bipolar"}, "needs pairs"),
        ({"pairs": ((0, 1),)}, "needs pairs, no other does"),
        ({"bands": ()}, "at least one"),
        ({"bands": ((30, 8),)}, "0 ≤ low < high .*, got 30–8"),
        ({"bands": ((-1, 8),)}, "0 ≤ low < high"),
        ({"window_s": 0.0}, "window_s must be above 0"),
        ({"hop_s": float("nan")}, "hop_s must be above 0"),
        ({"notch_q": -1.0}, "notch_q"),
        ({"flat_s": float("inf")}, "flat_s"),
        ({"mains_hz": -50.0}, "mains_hz"),
        ({"order": 0}, "order must be 1 to 8"),
        ({"history_s": -1.0}, "history_s"),
    ],
)
def test_a_value_outside_what_is_allowed_is_named(change, words):
    with pytest.raises(BadValue, match=words):
        SignalSettings(**{**GOOD, **change})


def test_settings_of_a_newer_version_are_refused():
    with pytest.raises(BadValue, match="newer"):
        SignalSettings.from_json({**SignalSettings(**GOOD).to_json(), "wavelet": 1})


def test_window_and_hop_are_whole_samples():
    settings = SignalSettings(bands=((8, 30),), window_s=0.5, hop_s=0.05)
    assert (settings.n_window(160.0), settings.n_hop(160.0)) == (80, 8)
    assert (settings.n_window(1.0), settings.n_hop(1.0)) == (2, 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reference": "laplacian"}, "'laplacian' needs them"),
        ({"neighbours": ((0, 1),)}, "no other does"),
        ({"reference": "laplacian", "neighbours": ((0,),)}, "a centre and other channels"),
        ({"reference": "laplacian", "neighbours": ((0, 1, 1),)}, "each once"),
        ({"shape": "bessel"}, "butterworth, chebyshev1, chebyshev2"),
    ],
)
def test_neighbours_and_shapes_that_are_not_allowed_are_named(change, words):
    with pytest.raises(BadValue, match=words):
        SignalSettings(**{**GOOD, **change})


def test_a_laplacian_survives_json():
    settings = SignalSettings(**GOOD, reference="laplacian", neighbours=((0, 1, 2), (3, 2)), shape="chebyshev1")
    assert SignalSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert settings.n_derivations(9) == 2
