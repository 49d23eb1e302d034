"""The register of decoders: a class that does not say what each must is refused before it is used."""

from __future__ import annotations

import pytest

from workbench import decoders
from workbench.errors import BadValue


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "mine"}, "lacks signal_defaults, learned; its class must set name, signal_defaults, learned"),
        ({"name": "mine", "signal_defaults": None, "learned": ()}, "calls itself 'mine'.* set name to 'theirs'"),
    ],
)
def test_a_decoder_that_does_not_say_what_each_must_is_refused_in_words(monkeypatch, wrong, words):
    monkeypatch.setattr(decoders.registry, "load", lambda *_: type("Mine", (decoders.WindowDecoder,), wrong))
    with pytest.raises(BadValue, match=words):
        decoders.load("theirs")
