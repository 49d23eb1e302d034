"""Clustered intervals and block permutation keep their promise."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import analysis
from workbench.errors import BadValue


def test_six_equal_clusters_give_the_range_of_their_shares():
    # Of 2^6 patterns only the two of equal signs are rarer than 5 %: a share is refused when all lie beyond it.
    shares = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    right = [i < round(10 * share) for share in shares for i in range(10)]
    groups = [f"p{j}" for j in range(6) for _ in range(10)]
    found = analysis.clustered(right, groups)
    assert found.value == pytest.approx(0.75)
    assert found.interval == pytest.approx((0.5, 1.0), abs=1e-6)
    assert (found.clusters, found.n) == (6, 60)
    assert "exact" in found.line()


def test_fewer_than_six_clusters_have_no_interval_and_say_so():
    found = analysis.clustered([True, False, True], ["a", "b", "c"])
    assert found.interval is None
    assert "no 95 % interval" in found.line()


@pytest.mark.release
@pytest.mark.parametrize(("clusters", "spread"), [(8, 0.0), (8, 0.2), (25, 0.2)])
def test_the_interval_covers_the_truth_as_often_as_it_says(clusters, spread):
    rng = np.random.Generator(np.random.PCG64(3))
    held = 0
    for _ in range(200):
        shares = np.clip(0.6 + spread * rng.standard_normal(clusters), 0, 1)
        right = (rng.random((clusters, 12)) < shares[:, None]).ravel()
        found = analysis.clustered(right, [f"p{i}" for i in range(clusters) for _ in range(12)])
        held += found.interval[0] <= 0.6 <= found.interval[1]
    assert held >= 180


def test_clustered_trials_need_their_clusters():
    with pytest.raises(BadValue, match="needs its cluster"):
        analysis.clustered([True], [])


def test_block_permutation_finds_what_belongs_together_and_nothing_in_noise():
    cues = np.arange(8)
    found = analysis.block_permutation(lambda order: float(np.mean(np.array(order) == cues)), 8)
    assert found.observed == 1.0
    assert found.p < 0.01
    assert found.limit < 0.6
    noise = analysis.block_permutation(lambda order: 0.5, 8)
    assert noise.p == 1.0
    assert "999 block permutations" in noise.line()


def test_too_few_blocks_are_refused():
    with pytest.raises(BadValue, match="5 blocks"):
        analysis.block_permutation(lambda order: 0.0, 4)


def test_clusters_that_are_all_alike_show_no_spread_and_get_no_interval():
    """Six people right in all of two trials each: flipping signs would refuse every share but 1."""
    found = analysis.clustered([True] * 12, [f"p{i // 2}" for i in range(12)])
    assert (found.value, found.interval) == (1.0, None)
    assert "no 95 % interval, all clusters have the same share" in found.line()
    half = analysis.clustered([True, False] * 7, [f"p{i // 2}" for i in range(14)])
    assert (half.value, half.interval) == (0.5, None)


@pytest.mark.parametrize("wrong", [float("nan"), 1.2, -0.1])
def test_a_value_outside_0_to_1_is_refused(wrong):
    with pytest.raises(BadValue, match="right, wrong or a share in 0–1, got"):
        analysis.clustered([0.5, wrong], ["a", "b"])


def test_a_statistic_that_is_no_number_is_not_significant_but_refused():
    with pytest.raises(BadValue, match="must be a number for every order of blocks, got nan"):
        analysis.block_permutation(lambda order: float("nan"), 6)


def test_the_line_of_a_permutation_tells_its_blocks():
    assert (
        "99 block permutations of 6 blocks" in analysis.block_permutation(lambda o: 0.0, 6, permutations=99).line()
    )
