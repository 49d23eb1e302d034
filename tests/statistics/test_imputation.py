"""Imputation by conditional means, Rubin's rules, tipping points."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from tests.statistics.conftest import drawn
from workbench.errors import BadValue
from workbench.statistics.imputation import Plan, imputed, pooled, reference_based, tipping_point
from workbench.statistics.mmrm import mmrm

PLAN = Plan("y", "id", "visit", "arm", ("arm", "visit", "arm:visit", "base"), ("base",), "sham")
MNAR = ("jump to reference", "copy reference", "copy increments in reference")


@pytest.fixture
def small():
    return drawn(12, n=14, visits=3, missing=0.25)


def test_what_was_seen_stays_and_nothing_is_missing_afterwards(small):
    for strategy in ("missing at random", *MNAR):
        filled = np.array(imputed(small, replace(PLAN, strategy=strategy))["y"])
        seen = np.isfinite(small["y"])
        assert np.isfinite(filled).all()
        assert filled[seen].tolist() == np.array(small["y"])[seen].tolist()
        assert not seen.all()


def test_participants_of_the_reference_are_imputed_alike_whatever_the_strategy(small):
    sham = np.array(small["arm"]) == "sham"
    one, *others = (np.array(imputed(small, replace(PLAN, strategy=s))["y"]) for s in ("missing at random", *MNAR))
    for other in others:
        assert other[sham] == pytest.approx(one[sham])
        assert not np.allclose(other[~sham], one[~sham])


def test_imputed_at_random_the_last_visit_is_estimated_as_by_the_model():
    table = drawn(13, n=60, visits=3, missing=0.2)
    plan = replace(PLAN, terms=("arm", "visit", "arm:visit"), covariates=())
    own = mmrm(table, outcome="y", terms=plan.terms, participant="id", visit="visit")
    filled = imputed(table, plan)
    y, arm, when = np.array(filled["y"]), np.array(filled["arm"]), np.array(filled["visit"])
    difference = y[(arm == "stim") & (when == "V2")].mean() - y[(arm == "sham") & (when == "V2")].mean()
    assert difference == pytest.approx(own.differences("arm", at={"visit": "V2"})["stim", "sham"].value, rel=1e-8)


def test_the_first_delta_without_significance_is_the_tipping_point(small):
    made, first = tipping_point(small, PLAN, (0.0, -40.0), visit="V2", arm="stim", alpha=1e-9)
    assert first == 0.0
    assert made[-40.0].value < made[0.0].value


def test_a_participant_without_a_row_of_a_visit_is_named(small):
    lacking = {name: values[1:] for name, values in small.items()}
    with pytest.raises(BadValue, match="participant P00 has no row of visit V0"):
        imputed(lacking, PLAN)


def test_the_jackknife_gives_each_visit_and_arm_an_error(small):
    found = reference_based(small, replace(PLAN, strategy="jump to reference"))
    assert set(found) == {"V0", "V1", "V2"}
    assert all(own["stim"].se > 0 for own in found.values())


def test_rubins_rules_add_what_differs_between_data_sets():
    one = pooled([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
    assert one.value == 2.0
    assert one.se == pytest.approx(np.sqrt(0.25 + 4 / 3))
    assert one.df == pytest.approx(2 * (1 + 0.25 / (4 / 3)) ** 2)
    assert pooled([2.0, 2.0], [0.5, 0.5]).df == inf
    assert pooled([1.0, 2.0, 3.0], [0.5] * 3, df=20.0).df < one.df
    with pytest.raises(BadValue, match="values has 1 values"):
        pooled([1.0], [0.5])
