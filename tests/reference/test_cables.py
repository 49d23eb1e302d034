"""What a swapped cable does, on little data: ``python -m tests.reference.cable_study`` and ``cable_patterns``."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference import cable_patterns as patterns
from tests.reference import cable_study as study
from tests.reference.rejection_study import DISTURBED
from workbench.devices._participant import _mixing
from workbench.devices._physiology import NEO


def background():
    """Covariance of the background of simulated ECoG, of variance 1: all that channels share at rest."""
    place = np.array(NEO.positions_mm)
    mixing = _mixing(np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1)), NEO.mixing_mm)
    return mixing @ mixing.T


def swapped(covariance, name):
    wires = np.arange(float(len(covariance)))[None]
    order = DISTURBED[name](wires, np.random.default_rng(1))[0].astype(int)
    return covariance[np.ix_(order, order)]


def test_strips_exchanged_and_a_plug_turned_round_leave_nothing_at_rest_that_data_could_show():
    """So no check at rest can find them, and at rest they cannot close the hand more often either."""
    assert NEO.rhythm_mixing_mm == 0.0
    for name in ("strips exchanged", "plug turned round"):
        np.testing.assert_allclose(swapped(background(), name), background(), atol=1e-14)
    for name in ("two wires exchanged", "wires in any order"):
        assert np.abs(swapped(background(), name) - background()).max() > 0.05


def test_an_exchange_is_told_from_a_gain_by_the_correlations():
    own = background()[None] * np.array([1.0, 3.0])[:, None, None]
    gains = np.diag([0.5, 2.0, 1.0, 1.0, 1.5, 1.0, 1.0, 0.7])
    again, exchanged = (
        patterns.correlations(gains @ own @ gains)[None],
        np.array([[swapped(one, "two wires exchanged") for one in own]]),
    )
    own = patterns.correlations(own)
    assert patterns.apart(again, own)[0] == pytest.approx(0.0, abs=1e-12)
    assert patterns.apart(patterns.correlations(exchanged), own)[0] > 0.02
    assert patterns.explained(patterns.correlations(exchanged) + 1e-6, own)[0] > 100


@pytest.mark.job
def test_every_cable_decodes_the_same_samples_and_the_differences_are_printed():
    one = study.person(7000, n_calibration=12, rest_s=20.0, n_online=2)
    assert list(one) == [study.RIGHT, *study.SWAPS]
    right = one[study.RIGHT]
    assert all(outcome.rejected <= 0.05 for both in one.values() for outcome in both)
    assert right[1].f1 >= 0.5
    assert all(0 <= cued.late <= cued.false for _, cued in one.values())
    assert all(rest.late == 0 for rest, _ in one.values())
    printed = study.table([one, one], rest_min=1 / 3).splitlines()
    assert len(printed) == 2 * len(one) - 1
    assert f"closings {2 * right[0].closings:>4}" in printed[0]
