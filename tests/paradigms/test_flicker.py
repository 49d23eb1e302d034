"""Light that changes: what is never presented, and what only after a question."""

from __future__ import annotations

import pytest

from workbench import paradigms
from workbench.errors import BadValue
from workbench.paradigms._flicker import Flicker

STRONG = Flicker(15.0, 0.05, 1.0)


def test_nothing_flickers_before_somebody_asked():
    for flicker in (STRONG, Flicker(1.0, 0.001, 0.05)):
        assert "nobody has asked this participant about seizures" in flicker.refusal("", simulated=False)
        assert flicker.refusal("perhaps", simulated=False)
        assert flicker.refusal("none", simulated=False) == ""
        assert flicker.refusal("", simulated=True) == ""


def test_after_a_history_of_seizures_only_light_below_a_threshold_is_presented():
    assert "history of seizures" in STRONG.refusal("history", simulated=False)
    assert "history of seizures" in STRONG.refusal("history", simulated=True)
    for weak in (Flicker(3.0, 0.05, 1.0), Flicker(15.0, 0.0059, 1.0), Flicker(15.0, 0.05, 0.09)):
        assert weak.refusal("history", simulated=False) == ""


def test_rate_area_and_contrast_have_limits():
    for values, words in (
        ((60.1, 0.01, 1.0), "60 times a second"),
        ((0.0, 0.01, 1.0), "times a second"),
        ((10.0, 0.11, 1.0), "0.1 sr"),
        ((10.0, float("nan"), 1.0), "0.1 sr"),
        ((10.0, 0.01, 1.1), "contrast"),
    ):
        with pytest.raises(BadValue, match=words):
            Flicker(*values)


def test_every_paradigm_that_selects_says_how_its_light_changes():
    for name in paradigms.available():
        paradigm = paradigms.load(name)()
        assert (paradigm.flicker is not None) == paradigm.selects
