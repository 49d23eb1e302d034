"""The formulas against figures that were worked out by hand."""

from __future__ import annotations

from math import inf, nan, pi

import pytest

from workbench.stimulation import above, charge_uc, density_uc_cm2, net_dc_na, rms_ma, shannon_k, voltage_v


@pytest.mark.parametrize(
    ("current", "width", "area", "density", "k"),
    [
        (6.0, 300.0, 0.06, 30.0, 1.732),  # a paddle contact of 1.5 × 4 mm: the density binds
        (10.0, 300.0, 0.06, 50.0, 2.176),  # a setting that is available, and refused
        (12.0, 160.0, 0.079, 24.3, 1.669),  # a cortical disc
        (100.0, 1000.0, pi * 2.5**2, 5.09, 2.707),  # a disc of 5 cm on the skin
    ],
)
def test_charge_density_and_k_are_those_of_worked_examples(current, width, area, density, k):
    charge = charge_uc(current, width)
    assert density_uc_cm2(charge, area) == pytest.approx(density, rel=2e-3)
    assert shannon_k(charge, area) == pytest.approx(k, abs=1e-3)


def test_no_charge_has_no_k():
    assert shannon_k(0.0, 0.06) == -inf
    assert shannon_k(1e-200, 0.06) < -390.0


def test_the_rms_of_a_train_counts_both_phases_and_never_passes_its_amplitude():
    assert rms_ma(100.0, 1000.0, 50.0) == pytest.approx(100.0 * (0.1) ** 0.5)
    assert rms_ma(100.0, 1000.0, 50.0, phases=1.0) == pytest.approx(100.0 * (0.05) ** 0.5)
    assert rms_ma(5.0, 20_000.0, 100.0) == 5.0


def test_one_per_cent_that_is_not_taken_back_is_a_direct_current_above_100_na():
    assert net_dc_na(3.0, 0.01, 60.0) == pytest.approx(1800.0)


def test_a_current_needs_its_voltage():
    assert voltage_v(5.0, 1200.0) == pytest.approx(6.0)


def test_rounding_is_not_above_a_limit_and_what_is_no_number_is():
    assert 1.8 / 0.06 > 30.0
    assert not above(1.8 / 0.06, 30.0)
    assert above(30.0001, 30.0)
    assert above(nan, 30.0)
