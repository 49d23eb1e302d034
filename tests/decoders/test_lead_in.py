"""Epochs without a lead-in: whoever fits a decoder with slow filters on them is told."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from workbench import decoders

FS = 100.0


def fit(name, **more):
    rng = np.random.default_rng(1)
    x, y = rng.normal(0.0, 5.0, (12, 3, 300)), np.array(["left", "right"] * 6)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        decoders.load(name)(FS, mains_hz=0).fit(x, y, **more)
    return [str(one.message) for one in told]


@pytest.mark.parametrize(("name", "earlier"), [("mrcp_lda", "about 3 s"), ("xdawn_lda", "about 2 s")])
def test_slow_filters_without_a_lead_in_warn_and_name_the_remedy(name, earlier):
    (sentence,) = fit(name)
    assert sentence.startswith("lead_in is 0")
    assert earlier in sentence


@pytest.mark.parametrize(("name", "more"), [("mrcp_lda", {"lead_in": 1.0}), ("csp_lda", {})])
def test_a_lead_in_or_faster_filters_do_not(name, more):
    assert fit(name, **more) == []
