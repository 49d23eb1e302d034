"""The study of rejection on few people: the whole one is ``python -m tests.reference.rejection_study``."""

from __future__ import annotations

import pytest

from tests.reference import rejection_study as study


@pytest.fixture(scope="module")
def results():
    return [study.person(7000, n_calibration=12, n_online=4, n_others=2)]


@pytest.mark.release
def test_nothing_but_a_brain_closes_the_hand_and_a_swapped_cable_not_more_often(results):
    for kind in study.NO_BRAIN:
        assert [one[kind][0].closings for one in results] == [0], kind
    own = sum(one["own, as short as those below"][0].false for one in results)
    for kind in study.DISTURBED:
        assert sum(one[kind][0].false for one in results) <= own + 1, kind


@pytest.mark.release
def test_the_persons_own_run_and_another_day_are_hardly_rejected(results):
    for one in results:
        assert one["own"][0].rejected <= 0.01
        assert one["own"][0].f1 == one["own"][1].f1
        assert one["another day"][0].rejected <= 0.05
        assert one["another day"][0].notices == 0
        assert one["another person"][0].notices == 1


@pytest.mark.release
def test_the_study_prints_a_line_for_each_kind_and_the_paired_change(results):
    printed = study.table(results * 2)
    assert len(printed.splitlines()) == len(results[0])
    assert study.change(results * 2, "own")[0] == pytest.approx(0.0)
